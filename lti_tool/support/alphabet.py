"""The order of names in a language."""

import tomllib
import unicodedata
from functools import cache
from typing import Final

from lti_tool.support.languages import TRANSLATIONS

WITHOUT_MARKS: Final = {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
"""Letters that Unicode does not take apart, for languages in which they have no place of their own."""


def sort_key(text: str | None, language: str) -> tuple[str, str]:
    """What to sort a text by, so that it is where readers of the language look for it: å comes after z in Swedish, and
    with a in Dutch. Upper and lower case are alike; texts without letters of a language come as they are.

    The letters after z are those of the file `alphabet.toml` in the folder of the language (from CLDR's collations).
    """
    folded = (text or "").casefold()
    placed = unicodedata.normalize("NFC", folded)
    for place, letters in enumerate(_after_z(language)):
        for letter in letters:
            placed = placed.replace(letter, chr(ord("z") + 1 + place))
    plain = "".join(WITHOUT_MARKS.get(letter, letter) for letter in placed)
    return "".join(one for one in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(one)), folded


@cache
def _after_z(language: str) -> tuple[tuple[str, ...], ...]:
    file = TRANSLATIONS / language / "alphabet.toml"
    if not file.is_file():
        return ()
    return tuple(tuple(letters) for letters in tomllib.loads(file.read_text(encoding="utf-8"))["after_z"])
