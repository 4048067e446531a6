"""The languages that texts can be read in, for pages and for letters."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from markupsafe import Markup

import lti_tool

SOURCE_LANGUAGE: Final = "en"
PACKAGE: Final = Path(lti_tool.__file__).parent
TRANSLATIONS: Final = PACKAGE / "translations"
OFFERED: Final = "# Offered: yes"
FAMILY: Final = {"no": "nb", "nn": "nb"}
"""Languages whose readers get a sister language. The tag "no" means either Norwegian."""
SKELETONS: Final = {"EEE d MMM": "MMMEd", "EEE d MMM y": "yMMMEd", "HH:mm": "Hm"}
"""For a part of a date as we write it in English, what CLDR calls these fields."""
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_ISOLATED = re.compile("\u2068[^\u2068\u2069]*\u2069")


def templates() -> Path:
    """The templates beside the code in an installed package, one level up in a checkout."""
    packaged = PACKAGE / "templates"
    return packaged if packaged.is_dir() else PACKAGE.parent / "templates"


def catalog_file(folder: Path, language: str) -> Path:
    """Where the texts of a language are kept."""
    return folder / language / "LC_MESSAGES" / "messages.po"


@cache
def languages(folder: str) -> tuple[str, ...]:
    """The languages that pages can be read in: English, and those whose catalog in this folder says that it is offered.

    Half a page in each of two languages helps nobody, so a catalog in progress is not offered, not even for dates.
    """
    catalogs = sorted(Path(folder).glob("*/LC_MESSAGES/messages.po"))
    return (SOURCE_LANGUAGE, *(file.parent.parent.name for file in catalogs if _is_offered(file)))


def _is_offered(file: Path) -> bool:
    """Whether the comment at the head of a catalog has the line "Offered: yes"."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#"):
                return False
            if line.strip() == OFFERED:
                return True
    return False


@cache
def translations(folder: str, language: str) -> Translations:
    """The texts of an offered language; those of any other language are the English ones.

    Read from the catalog that translators edit, so that nothing has to be compiled before: about 0.1 s for 4,600
    texts, once in a process.
    """
    if language == SOURCE_LANGUAGE or language not in languages(folder):
        return Translations()
    compiled = BytesIO()
    with catalog_file(Path(folder), language).open("rb") as opened:
        write_mo(compiled, read_po(opened, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def _english(folder: str, language: str) -> Mapping[str, str]:
    """The English text for each text of a language."""
    if language == SOURCE_LANGUAGE or language not in languages(folder):
        return {}
    with catalog_file(Path(folder), language).open("rb") as opened:
        messages = [one for one in read_po(opened, locale=language) if one.id and isinstance(one.string, str)]
    return {str(one.string): str(one.id) for one in reversed(messages) if one.string}


def into(language: str, folder: str, *, source: str = SOURCE_LANGUAGE) -> Callable[[str], str]:
    """What puts a text of ours from one language into another. Any other text stays as it is."""
    texts, english = translations(folder, language), _english(folder, source)
    return lambda text: str(texts.gettext(english.get(text, text))) if text else text


def offered_language(wanted: str | None, folder: str) -> str | None:
    """The language of a locale such as "nn-NO", if pages can be read in it."""
    if not wanted:
        return None
    try:
        language = Locale.parse(wanted.replace("-", "_")).language
    except (UnknownLocaleError, ValueError):
        return None
    language = FAMILY.get(language, language)
    return str(language) if language in languages(folder) else None


def first_offered(wanted: Iterable[str | None], folder: str) -> str:
    """The first of these locales that pages can be read in, else English."""
    offered = (offered_language(one, folder) for one in wanted)
    return next((one for one in offered if one is not None), SOURCE_LANGUAGE)


def moment_in_words(moment: datetime, zone: ZoneInfo, locale: str, pattern: str = "EEE d MMM, HH:mm") -> str:
    """A moment as clocks in this zone show it. UTC says so, since hardly anybody's clock shows it."""
    text = written(moment.astimezone(zone).replace(tzinfo=None), locale, pattern)
    return f"{text} UTC" if zone.key in {"UTC", "Etc/UTC"} else text


def written(moment: datetime, locale: str, pattern: str) -> str:
    """A moment by the clock, in a pattern of which every part is one of SKELETONS, as the language writes such a part.

    English has the day first and 24 hours everywhere, which readers on either side of the Atlantic understand alike.
    """
    is_english = Locale.parse(locale).language == SOURCE_LANGUAGE
    return ", ".join(
        format_datetime(moment, part, locale=locale)
        if is_english
        else format_skeleton(SKELETONS[part], moment, locale=locale)
        for part in pattern.split(", ")
    )


def isolated(text: Any) -> Any:
    """A text from right to left, marked so that it does not change the direction of the sentence around it; any other
    text unchanged.
    """
    if not isinstance(text, str) or _RIGHT_TO_LEFT.search(_ISOLATED.sub("", text)) is None:
        return text
    # Characters and no element: names stand in titles and choices too, where elements do not.
    inside = f"\u2068{text}\u2069"
    return Markup(inside) if isinstance(text, Markup) else inside  # noqa: S704 - only around what is markup already
