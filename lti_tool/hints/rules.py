"""What could make a text of feedback more useful, by plain rules on its words. `static/hints.js` has the same rules.

The lists are in `words/<language>.toml`, where they can be read and changed. An entry of a list is a word or a phrase
as people write it; with `*` at its end it stands for every word that begins so, with `=` before it for the whole text.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from lti_tool.activities.rules import Craft
from lti_tool.errors import N_

WORDS: Final = Path(__file__).parent / "words"
LANGUAGES: Final = ("en", "sv", "da", "nb", "nl")
MOST_SHOWN: Final = 2
"""Hints beside one field: more would be a lecture."""
REACH: Final = 4
"""How many words after "you are" a trait is looked for in."""
SHORTEST_THEME: Final = 4
LONGEST_ENDING: Final = 3
"""Letters in which two forms of a word may differ, behind at least `SHORTEST_THEME` that they share."""
MOST_THEMES: Final = 5
FEWEST_KNOWN: Final = 2
"""Words of a language that a text needs before it is taken for another one than its page's."""


class Hint(StrEnum):
    """What could be better about a text. The order is that in which they are shown."""

    HARSH = "harsh"
    JUDGES_PERSON = "judges_person"
    ONLY_PRAISE = "only_praise"
    ONLY_BLAME = "only_blame"
    TOO_SHORT = "too_short"
    NO_EXAMPLE = "no_example"


SENTENCES: Final[Mapping[Hint, str]] = {
    Hint.HARSH: N_("A word here may hurt more than it helps. Could you say what happened instead?"),
    Hint.JUDGES_PERSON: N_("This is about the person. What did they do or say? That can be done again, or changed."),
    Hint.ONLY_PRAISE: N_("There is always something small to try. What would make it even better?"),
    Hint.ONLY_BLAME: N_("Begin with something that worked, however small. The rest has its place under “Next time”."),
    Hint.TOO_SHORT: N_("A few more words make it useful: what exactly, and when?"),
    Hint.NO_EXAMPLE: N_("An example helps: when was it, and what did you see or hear?"),
}
"""What a page says."""
ASKED: Final[Mapping[Craft, frozenset[Hint]]] = {
    Craft.STRENGTH: frozenset(Hint) - {Hint.ONLY_PRAISE},
    Craft.GROWTH: frozenset(Hint) - {Hint.ONLY_BLAME, Hint.NO_EXAMPLE},
    Craft.NOTICED: frozenset(Hint) - {Hint.ONLY_PRAISE, Hint.ONLY_BLAME},
    Craft.EFFECT: frozenset({Hint.HARSH, Hint.JUDGES_PERSON}),
    Craft.ADJUSTMENT: frozenset({Hint.HARSH, Hint.JUDGES_PERSON, Hint.TOO_SHORT}),
}
"""Which hints a field can get, by what it asks for."""

Lists = Mapping[str, Any]


@cache
def lists_of(language: str) -> Lists:
    """The lists of a language; those of English where it has none."""
    name = language if language in LANGUAGES else LANGUAGES[0]
    return tomllib.loads((WORDS / f"{name}.toml").read_text("utf-8"))


@cache
def _small_words(language: str) -> frozenset[str]:
    return frozenset(lists_of(language)["common"])


def all_lists() -> dict[str, Lists]:
    """The lists of every language, for the browser."""
    return {language: lists_of(language) for language in LANGUAGES}


_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def words_of(text: str) -> list[str]:
    """The words of a text in small letters."""
    return _WORD.findall(unicodedata.normalize("NFC", text).replace("’", "'").lower())


def language_of(text: str, of_page: str) -> str:
    """The language that a text is written in, as far as its small words tell; else the page's."""
    words = words_of(text)
    known = {language: sum(word in _small_words(language) for word in words) for language in LANGUAGES}
    best = max(LANGUAGES, key=lambda language: (known[language], language == of_page))
    return best if known[best] >= FEWEST_KNOWN else of_page


def hints_of(text: str, craft: Craft, of_page: str) -> list[Hint]:
    """What could be better about a text in a field that asks for this. Empty for an empty text; never a refusal."""
    words = words_of(text)
    if not words:
        return []
    lists = lists_of(language_of(text, of_page))
    is_short = len(words) < lists["fewest_words"]
    speaks = {
        Hint.HARSH: _has(words, lists["harsh"]),
        Hint.JUDGES_PERSON: _judges(words, lists),
        Hint.ONLY_PRAISE: _has(words, lists["nothing_to_try"]),
        Hint.ONLY_BLAME: _has(words, lists["blame"]) and not _has(words, lists["praise"]),
        Hint.TOO_SHORT: is_short,
        Hint.NO_EXAMPLE: not is_short and _has(words, lists["general"]) and not _names_a_moment(text, words, lists),
    }
    return [hint for hint in Hint if speaks[hint] and hint in ASKED[craft]]


def is_usable(texts: Iterable[str], craft: Craft, of_page: str) -> bool:
    """Whether one of these texts, in a field that asks for this, is long enough and gives what is asked for."""
    spoils = {Hint.TOO_SHORT, Hint.ONLY_PRAISE, Hint.ONLY_BLAME}
    return any(text.strip() and spoils.isdisjoint(hints_of(text, craft, of_page)) for text in texts)


def has_example(texts: Iterable[str], craft: Craft, of_page: str) -> bool:
    """Whether one of these texts is long enough and gets no hint that it has no example."""
    lacks = {Hint.TOO_SHORT, Hint.NO_EXAMPLE}
    return any(text.strip() and lacks.isdisjoint(hints_of(text, craft, of_page)) for text in texts)


@dataclass(frozen=True, slots=True)
class Theme:
    """Words that several texts share, and the places of those texts."""

    words: tuple[str, ...]
    places: tuple[int, ...]


def themes_of(texts: Sequence[str], of_page: str) -> list[Theme]:
    """What came again in these texts: words that two of them share at least, the most frequent first.

    Small words do not count. Forms of a word are one, so that "waited" and "waiting" meet.
    """
    places: dict[str, list[int]] = {}
    forms: dict[str, list[str]] = {}
    for place, text in enumerate(texts):
        small = _small_words(language_of(text, of_page))
        for word in words_of(text):
            if len(word) < SHORTEST_THEME or word in small:
                continue
            alike = forms.setdefault(word[:SHORTEST_THEME], [])
            form = next((known for known in alike if _is_same_word(known, word)), word)
            if form not in places:
                alike.append(form)
            if place not in places.setdefault(form, []):
                places[form].append(place)
    together: dict[tuple[int, ...], list[str]] = {}
    for word, in_places in places.items():
        if len(in_places) > 1:
            together.setdefault(tuple(in_places), []).append(word)
    themes: list[Theme] = []
    for found_in, words in sorted(together.items(), key=lambda each: (-len(each[0]), each[0])):
        if not any(set(found_in) < set(theme.places) for theme in themes):
            themes.append(Theme(tuple(words), found_in))
    return themes[:MOST_THEMES]


def _is_same_word(word: str, another: str) -> bool:
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, another, strict=False)))
    return word == another or (shared >= SHORTEST_THEME and max(len(word), len(another)) - shared <= LONGEST_ENDING)


def _has(words: Sequence[str], entries: Iterable[str]) -> bool:
    line = f" {' '.join(words)} "
    return any(_stands_in(line, entry) for entry in entries)


def _names_a_moment(text: str, words: Sequence[str], lists: Lists) -> bool:
    """Whether it says when something was, what was said or done, a number, or somebody's own words."""
    return _has(words, lists["moment"]) or re.search(r'[0-9"“”„«»]', text) is not None


def _stands_in(line: str, entry: str) -> bool:
    if entry.startswith("="):
        return line == f" {entry[1:]} "
    return (f" {entry[:-1]}" if entry.endswith("*") else f" {entry} ") in line


def _judges(words: Sequence[str], lists: Lists) -> bool:
    """Whether a word for a person's nature follows closely on words such as "you are"."""
    if _has(words, lists["of_character"]):
        return True
    line = f" {' '.join(words)} "
    for opener in lists["you_are"]:
        after = line.split(f" {opener} ")[1:]
        if any(_has(part.split()[:REACH], lists["traits"]) for part in after):
            return True
    return False
