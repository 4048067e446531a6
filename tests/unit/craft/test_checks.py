"""The exercises of the warm-up: what is said of an answer, in five languages."""

from datetime import date

import pytest

from lti_tool.craft.rules import cards, topics
from lti_tool.craft.rules.cards import CARDS, Check, next_card
from lti_tool.craft.rules.checks import Advice, advice_on

TODAY = date(2026, 3, 2)


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("  ", Advice.EMPTY),
        ("?!", Advice.EMPTY),
        ("Talk to her about it.", Advice.NO_QUESTION),
        ("Have you tried to talk to her?", Advice.ADVICE_INSIDE),
        ("I see. Why don't you ask her?", Advice.ADVICE_INSIDE),
        ("Why did you not ask?", Advice.WHY),
        ("Could she help you?", Advice.CLOSED),
        ("What do you think you could ask her?", None),
        ("You said it is hard. How do you want it to be?", None),
        ("“What would help you?”", None),
        ("Har du prövat? Vad skulle hjälpa dig?", None),
        ("Har du provat att prata med henne?", Advice.ADVICE_INSIDE),
        ("Varför frågade du inte?", Advice.WHY),
        ("Vad vill du att din chef ska veta?", None),
        ("Har du prøvet at tale med din chef?", Advice.ADVICE_INSIDE),
        ("Kan din chef hjælpe dig med det?", Advice.CLOSED),
        ("Hvad vil du gerne have at din chef ved?", None),
        ("Har du prøvd å snakke med sjefen din?", Advice.ADVICE_INSIDE),
        ("Hva vil du at sjefen din skal vite?", None),
        ("Heb je al geprobeerd om met je leidinggevende te praten?", Advice.ADVICE_INSIDE),
        ("Is het niet beter om te praten met haar?", Advice.CLOSED),
        ("Wat wil je dat je leidinggevende weet?", None),
    ],
)
def test_an_open_question_is_told_from_advice(text: str, advice: Advice | None) -> None:
    assert advice_on(Check.OPEN_QUESTION, text, "en", TODAY) is advice


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", Advice.EMPTY),
        ("I want to be better at presenting", Advice.VAGUE),
        ("Present freely", Advice.VAGUE),
        ("I present to the team without reading from my notes", Advice.NO_DATE_OR_NUMBER),
        ("I present to the team without notes in December", None),
        ("I ask 3 open questions in each meeting", None),
        ("Jag ställer två öppna frågor i varje möte", None),
        ("Jeg vil være bedre til at præsentere", Advice.VAGUE),
        ("Ik laat in de volgende vergadering tijd over om te vragen", Advice.NO_DATE_OR_NUMBER),
    ],
)
def test_a_goal_that_can_be_seen_is_told_from_a_direction(text: str, advice: Advice | None) -> None:
    assert advice_on(Check.GOAL, text, "en", TODAY) is advice


def test_the_examples_of_a_card_pass_its_own_check() -> None:
    for card in CARDS:
        for example in card.examples:
            assert card.check is not None
            assert advice_on(card.check, example, "en", TODAY) is None, example


def test_a_card_has_one_right_answer_or_a_check() -> None:
    for card in CARDS:
        assert [option.is_right for option in card.options].count(True) == (0 if card.check else 1), card.key
    assert len(cards.BY_KEY) == len(CARDS) == 6
    assert len(topics.BY_KEY) == len(topics.TOPICS)


def test_the_next_card_is_the_first_that_is_not_done_from_here_on() -> None:
    assert next_card(frozenset()) is CARDS[0]
    assert next_card(frozenset({CARDS[0].key}), CARDS[1].key) is CARDS[2]
    assert next_card(frozenset(card.key for card in CARDS[1:]), CARDS[3].key) is CARDS[0]
    assert next_card(frozenset(card.key for card in CARDS), CARDS[0].key) is None
