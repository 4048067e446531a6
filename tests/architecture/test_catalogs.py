"""Catalogs say everything, keep placeholders and markup, and use the words of the glossary."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from lti_tool.support.languages import SOURCE_LANGUAGE, TRANSLATIONS, catalog_file, languages

LANGUAGES = sorted(file.parent.parent.name for file in TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))
OFFERED = [one for one in languages(str(TRANSLATIONS)) if one != SOURCE_LANGUAGE]
GLOSSARY = tomllib.loads((TRANSLATIONS / "glossary.toml").read_text(encoding="utf-8"))
TRANSLATED_INTO = ("sv", "da", "nb", "nl")
PLACEHOLDER = re.compile(r"%\((\w+)\)[ds]|%%|\{\w+\}")
TAG = re.compile(r"</?\w+[^>]*>")
SHORT = 4
"""A text of so many words is a title, a label or a button, which says the word of the glossary itself."""


@cache
def catalog(language: str) -> Catalog:
    with catalog_file(TRANSLATIONS, language).open("rb") as opened:
        return read_po(opened, locale=language)


def forms(message: Message) -> Iterator[tuple[str, str]]:
    """Each English form beside its translation."""
    english = message.id if isinstance(message.id, tuple) else (message.id,)
    translated = message.string if isinstance(message.string, tuple) else (message.string,)
    yield from zip(english, translated, strict=True)


def translated(language: str) -> Iterator[tuple[str, str]]:
    for message in catalog(language):
        if message.id:
            yield from ((english, text) for english, text in forms(message) if text)


def has_word(text: str, word: str) -> bool:
    """Whether the text has this word, outside of placeholders; a word that ends in "*" with any ending."""
    stem = re.escape(word.removesuffix("*").casefold())
    ending = r"\w*" if word.endswith("*") else r"\b"
    return re.search(rf"\b{stem}{ending}", PLACEHOLDER.sub(" ", text.casefold())) is not None


@pytest.mark.parametrize("language", OFFERED)
def test_an_offered_language_says_everything(language: str) -> None:
    missing = [
        message.id
        for message in catalog(language)
        if message.id and (message.fuzzy or not all(text for _, text in forms(message)))
    ]
    assert missing == [], "or take “Offered: yes” out of the head of the catalog"


@pytest.mark.parametrize("language", OFFERED)
def test_an_offered_language_has_the_texts_of_today(language: str, extracted: set[str | tuple[str, ...]]) -> None:
    known = {message.id for message in catalog(language) if message.id}
    assert (extracted - known, known - extracted) == (set(), set()), "run `make messages`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_placeholders_and_markup(language: str) -> None:
    broken = [
        (english, text)
        for english, text in translated(language)
        if Counter(_placeholders(english)) != Counter(_placeholders(text))
        or TAG.findall(english) != TAG.findall(text)
        or english.count("\n") != text.count("\n")
        or english[:1].isspace() != text[:1].isspace()
        or english[-1:].isspace() != text[-1:].isspace()
    ]
    assert broken == []


def _placeholders(text: str) -> list[str]:
    return [found[0] for found in PLACEHOLDER.finditer(text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_end_as_they_do_in_english(language: str) -> None:
    """What is joined to other texts, and what a screen reader pauses after, depends on it."""
    ends = {".": ".!", "?": "?", ":": ":", "…": "…", "!": "!."}
    broken = [
        (english, text)
        for english, text in translated(language)
        if english[-1] in ends and text[-1] not in ends[english[-1]]
    ]
    assert broken == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_forms_of_the_language(language: str) -> None:
    assert catalog(language).num_plurals == 2, "the tests here read two forms"
    assert Locale.parse(language).plural_form(1) == "one"


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one in TRANSLATED_INTO])
def test_words_that_the_glossary_avoids_are_not_said(language: str) -> None:
    said = [
        (word, english, text)
        for term in GLOSSARY["terms"]
        for word in term[language].get("avoid", ())
        for english, text in translated(language)
        if has_word(text, word)
    ]
    assert said == []


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one in TRANSLATED_INTO])
def test_titles_and_labels_say_the_word_of_the_glossary(language: str) -> None:
    others = [
        (term["en"], term[language]["forms"], english, text)
        for term in GLOSSARY["terms"]
        if "forms" in term[language]
        for english, text in translated(language)
        if len(english.split()) <= SHORT and _names(english, term["en"])
        if not any(form.casefold() in text.casefold() for form in term[language]["forms"])
    ]
    assert others == []


def _names(english: str, term: str) -> bool:
    """Whether the text has the term, in one of its forms, and not only as a part of a longer term."""
    longer = (one["en"] for one in GLOSSARY["terms"] if term in one["en"] and one["en"] != term)
    rest = PLACEHOLDER.sub("", english.casefold())
    for one in longer:
        rest = rest.replace(one, "")
    return re.search(rf"\b{re.escape(term)}s?\b", rest) is not None


@pytest.mark.parametrize("term", GLOSSARY["terms"], ids=lambda term: str(term["en"]))
def test_a_term_has_a_word_in_each_language(term: dict[str, Any]) -> None:
    for language in TRANSLATED_INTO:
        meant = term[language]
        assert meant["word"], language
        for form in meant.get("forms", ()):
            assert not any(has_word(form, word) for word in meant.get("avoid", ())), form
    for source in term.get("sources", ()):
        assert source.startswith(("https://", "http://"))


def test_notes_are_about_texts_that_exist(extracted: set[str | tuple[str, ...]]) -> None:
    assert set(GLOSSARY["notes"]) - extracted == set()


def test_every_language_of_the_glossary_has_a_catalog() -> None:
    assert set(TRANSLATED_INTO) <= set(LANGUAGES)


def test_words_are_found_with_their_endings_only_where_they_may_have_them() -> None:
    found = [has_word("Alla elever, och studerandena", word) for word in ("elev", "elever", "stude*", "ande*")]
    assert found == [False, True, True, False]


def test_folders_hold_what_translating_says() -> None:
    for language in LANGUAGES:
        names = {path.relative_to(TRANSLATIONS / language) for path in (TRANSLATIONS / language).rglob("*.*")}
        assert names <= {Path("LC_MESSAGES/messages.po"), Path("alphabet.toml")}, language
