"""Hints are right more often than not, and the lists behind them can be read and changed."""

import pytest

from lti_tool.activities.rules import EXAMPLES, KINDS, Craft
from lti_tool.hints.rules import ASKED, LANGUAGES, SENTENCES, Hint, hints_of, language_of, lists_of, themes_of, words_of
from tests.unit.hints.corpus import score, sentences


@pytest.mark.parametrize("hint", Hint)
def test_on_sentences_that_no_list_was_made_for_a_hint_is_seldom_wrong_and_finds_half(hint: Hint) -> None:
    unseen = score(hint, (one for one in sentences() if one.is_unseen))
    assert unseen.precision >= 0.95
    assert unseen.recall >= 0.5


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_change_of_the_lists_keeps_what_they_were_made_for(language: str) -> None:
    known = [one for one in sentences() if one.language == language and not one.is_unseen]
    for hint in Hint:
        assert score(hint, known).precision >= 0.85, hint
        assert score(hint, known).recall >= 0.8, hint


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_lists_of_entries_that_can_be_found(language: str) -> None:
    lists = lists_of(language)
    assert lists.keys() == lists_of("en").keys()
    for name, entries in lists.items():
        if name == "fewest_words":
            continue
        bare = [entry.removeprefix("=").removesuffix("*") for entry in entries]
        assert [entry for entry in bare if " ".join(words_of(entry)) != entry] == [], name
        assert len(set(entries)) == len(entries), name


def test_the_words_tell_the_language_and_the_page_where_they_do_not() -> None:
    assert language_of("Du frågade vad jag hade provat, och jag svarade", "en") == "sv"
    assert language_of("Je vroeg wat ik al had geprobeerd", "en") == "nl"
    assert language_of("Bra tempo", "nb") == "nb"
    assert language_of("Ich habe nichts verstanden", "de") == "de"
    assert hints_of("Super!", Craft.STRENGTH, "de") == [Hint.TOO_SHORT]


def test_nothing_is_said_of_an_empty_field_and_every_hint_has_a_sentence() -> None:
    assert hints_of("  ", Craft.STRENGTH, "en") == []
    assert SENTENCES.keys() == set(Hint)
    assert ASKED.keys() == set(Craft)


def test_each_kind_with_feedback_has_two_examples_that_get_no_hint() -> None:
    for kind in KINDS.values():
        form = next(step.form for step in kind.steps if step.form is not None and step.form.of_craft(*Craft))
        for example in EXAMPLES[kind.key]:
            craft_of = {field.key: field.craft for field in form.texts}
            assert example.keys() <= craft_of.keys()
            for key, text in example.items():
                assert hints_of(text, Craft(craft_of[key]), "en") == [], text


def test_words_that_come_again_are_found_in_any_form_and_small_words_are_not() -> None:
    texts = ["You waited after each question.", "It was good that waiting did not scare you.", "You were on time."]
    assert [(theme.words, theme.places) for theme in themes_of(texts, "en")] == [(("waited",), (0, 1))]
    assert themes_of(["Du väntade på mig", "Bilden var bra"], "en") == []
