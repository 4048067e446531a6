"""Reading one value from a form, a table or a launch."""

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Final

from babel import Locale, UnknownLocaleError

from lti_tool.launch.rules.values import clean
from lti_tool.support.spelling import compared
from lti_tool.support.zones import read_zone

LONGEST: Final = 100
"""Most characters in one name. What is longer is cut."""
MOST_NAMES: Final = 40
MOST_YEARS: Final = 1000

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PARTS: Final = ("am", "pm", "eve")
WEEK: Final = tuple(f"{day}-{part}" for day in DAYS for part in PARTS)
"""The slots of the questionnaire: morning, afternoon and evening of every day."""

_PARTS: Final = {
    **dict.fromkeys(("am", "fm", "morning", "mornings", "morgon", "morgen", "ochtend", "vormittag"), "am"),
    **dict.fromkeys(("förmiddag", "formiddag", "voormiddag"), "am"),
    **dict.fromkeys(("pm", "em", "afternoon", "afternoons", "eftermiddag", "ettermiddag"), "pm"),
    **dict.fromkeys(("middag", "namiddag", "nachmittag"), "pm"),
    **dict.fromkeys(("eve", "evening", "evenings", "kväll", "aften", "kveld", "avond", "abend"), "eve"),
}
_WEEK_IN: Final = ("en", "sv", "da", "nb", "nl", "de")
_NAMED_IN: Final = ("en", "sv", "da", "nb", "nl", "de", "fr", "fi", "es")
_OWN_NAMES: Final = (
    *_NAMED_IN,
    *("ar", "bg", "bs", "cs", "el", "et", "fa", "he", "hi", "hr", "hu", "is", "it", "ja", "ko", "lt", "lv", "pl", "pt"),
    *("ro", "ru", "sk", "sl", "so", "sq", "sr", "th", "ti", "tr", "uk", "ur", "vi", "zh"),
)
_SAME: Final = {"nb": "no", "nn": "no"}
"""Languages that are written differently but spoken alike, because what counts is whether two people can talk."""
_BETWEEN_LANGUAGES = re.compile(r"[/&+]|\b(?:and|och|og|und)\b|(?<=\w )en(?= \w)")
_HOW_WELL = re.compile(r"\([^)]*\)|\[[^]]*\]|[:-]\s.*$|\b[abc][12]\b")


def tidy(text: str, longest: int = LONGEST) -> str:
    """The text in one Unicode form, with single spaces, without invisible characters, cut."""
    return " ".join(unicodedata.normalize("NFC", clean(text, 4000)).split())[:longest].strip()


def folded(text: str) -> str:
    """The text as it is compared; see `spelling.compared`."""
    return compared(tidy(text, 400))


def several(text: str) -> list[str]:
    """The names in one cell, separated by `;`, `,`, `|` or a new line, or in a JSON list, as Canvas sends it."""
    names = _json_list(text) or re.split(r"[;,|\n]", text)
    by_spelling: dict[str, str] = {}
    for name in names:
        if plain := tidy(name):
            by_spelling.setdefault(folded(plain), plain)
    return list(by_spelling.values())


def whole_number(text: str) -> int | None:
    """A whole number, also as spreadsheets write it ("3.0"); None for anything else."""
    match = re.fullmatch(r"([0-9]{1,6})(?:[.,]0{1,6})?", tidy(text))
    return int(match[1]) if match else None


def zone(text: str) -> str | None:
    """The name of the time zone, None if the text is ambiguous."""
    time_zone = read_zone(text)
    return time_zone.key if time_zone else None


def slot(text: str) -> str:
    """The short name of a time of the week ("Monday morning", "måndag förmiddag", "mon am"), else the text itself."""
    plain = "".join(re.findall(r"[^\W\d_]+", folded(text)))
    for name in sorted(_days(), key=len, reverse=True):
        # "Måndagsförmiddag" has an s between.
        part = _PARTS.get(plain.removeprefix(name)) or _PARTS.get(plain.removeprefix(f"{name}s"))
        if plain.startswith(name) and part:
            return f"{_days()[name]}-{part}"
    return tidy(text)


@cache
def _days() -> Mapping[str, str]:
    """Names of days, whole and short, in several languages."""
    day_by_name: dict[str, str] = {}
    for locale in _WEEK_IN:
        for width in ("wide", "abbreviated"):
            for place, name in Locale.parse(locale).days["format"][width].items():
                day_by_name.setdefault(folded(str(name)).rstrip("."), DAYS[place])
    return day_by_name


def languages(text: str) -> list[str]:
    """The languages that one entry names: "Swedish (native)", "Dansk/engelsk" and "English and German" too."""
    for plain in (text, _HOW_WELL.sub(" ", folded(text))):
        parts = [part for part in _BETWEEN_LANGUAGES.split(folded(plain)) if part.strip()]
        for names in ([plain], parts):
            codes = [language(name) for name in names]
            if codes and all(one in _codes().values() or one in _SAME.values() for one in codes):
                return codes
    return [tidy(text)]


def language(text: str) -> str:
    """The ISO code of a language, given by its code or by its name in some language; an unknown name is returned as it
    is.
    """
    plain = folded(text)
    code = _codes().get(plain)
    if code is None and re.fullmatch(r"[a-z]{2,3}([-_][a-z0-9]+)*", plain):
        code = _codes().get(re.split(r"[-_]", plain)[0])
    return _SAME.get(code, code) if code else tidy(text)


def language_name(code: str, locale: str) -> str:
    """What the language is called in this locale; the code itself where that is not known."""
    try:
        return str(Locale.parse(locale).languages.get(code, code))
    except (UnknownLocaleError, ValueError):
        return code


@cache
def _codes() -> Mapping[str, str]:
    codes = {code: code for code in _names("en") if len(code) == 2}
    for code in _OWN_NAMES:
        # An own name comes first: what a language calls itself is never another language's name.
        codes.setdefault(_names(code).get(code, code).casefold(), code)
    for locale in _NAMED_IN:
        for code, name in _names(locale).items():
            if "_" not in code:
                codes.setdefault(name.casefold(), code)
    return codes


def _names(locale: str) -> dict[str, str]:
    return {str(code): str(name) for code, name in Locale(locale).languages.items()}


def _json_list(text: str) -> list[str]:
    plain = text.strip()
    if not plain.startswith("["):
        return []
    for candidate in (plain, plain.replace('\\"', '"')):
        try:
            read = json.loads(candidate)
        except ValueError:
            continue
        if isinstance(read, list):
            return [one for one in read if isinstance(one, str)]
    return []
