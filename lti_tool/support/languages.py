"""The languages that texts can be read in, for pages and for letters."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from markupsafe import Markup

import lti_tool

SOURCE_LANGUAGE: Final = "en"
PACKAGE: Final = Path(lti_tool.__file__).parent
TRANSLATIONS: Final = PACKAGE / "translations"
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_ISOLATED = re.compile("\u2068[^\u2068\u2069]*\u2069")


def templates() -> Path:
    """The templates beside the code in an installed package, one level up in a checkout."""
    packaged = PACKAGE / "templates"
    return packaged if packaged.is_dir() else PACKAGE.parent / "templates"


@cache
def languages(folder: str) -> tuple[str, ...]:
    """The languages that pages can be read in: English, and those with a compiled catalog in this folder.

    A language without a catalog is not offered for dates either: half a sentence in each helps nobody.
    """
    catalogs = sorted(path.parent.parent.name for path in Path(folder).glob("*/LC_MESSAGES/messages.mo"))
    return (SOURCE_LANGUAGE, *catalogs)


def offered_language(wanted: str | None, folder: str) -> str | None:
    """The language of a locale such as "nn-NO", if pages can be read in it."""
    if not wanted:
        return None
    try:
        language = Locale.parse(wanted.replace("-", "_")).language
    except (UnknownLocaleError, ValueError):
        return None
    language = "nb" if language in {"no", "nn"} else language
    return str(language) if language in languages(folder) else None


def moment_in_words(moment: datetime, zone: ZoneInfo, locale: str, pattern: str = "EEE d MMM, HH:mm") -> str:
    """A moment as clocks in this zone show it. UTC says so, since hardly anybody's clock shows it."""
    text = format_datetime(moment.astimezone(zone), pattern, locale=locale)
    return f"{text} UTC" if zone.key in {"UTC", "Etc/UTC"} else str(text)


def isolated(text: Any) -> Any:
    """A text from right to left, marked so that it does not change the direction of the sentence around it; any other
    text unchanged.
    """
    if not isinstance(text, str) or _RIGHT_TO_LEFT.search(_ISOLATED.sub("", text)) is None:
        return text
    # Characters and no element: names stand in titles and choices too, where elements do not.
    inside = f"\u2068{text}\u2069"
    return Markup(inside) if isinstance(text, Markup) else inside  # noqa: S704 - only around what is markup already
