"""Every rule and every wish has words, and learners are told nothing that is nobody's business."""

import re

import pytest

from lti_tool.pairing import wording
from lti_tool.pairing.engine import rules, wishes
from lti_tool.pairing.engine.rules import (
    Exclusions,
    ExperienceGap,
    Known,
    NotAgain,
    OffersMeetNeeds,
    Other,
    ReportingLine,
    Rule,
    Same,
    Share,
    ShouldNot,
)
from lti_tool.pairing.engine.why import Concern
from lti_tool.pairing.engine.wishes import (
    ExtraShared,
    NearInTime,
    OffersFit,
    RatherGap,
    RatherOther,
    RatherSame,
    Wish,
)
from lti_tool.pairing.rules import why as reasons

NAMED = ("department", "group", "cohort")
RULES: list[Rule] = [
    ReportingLine(),
    Exclusions(couples=()),
    ShouldNot(couples=()),
    NotAgain(),
    OffersMeetNeeds(),
    ExperienceGap(at_least=1),
    ExperienceGap(at_most=1),
    Known(attribute="manager"),
    *(Share(attribute=attribute) for attribute in ("languages", "slots")),
    *(kind(attribute=attribute) for kind in (Other, Same) for attribute in NAMED),
]
WISHES: list[Wish] = [
    RatherGap(weight=1, cap=3),
    OffersFit(weight=1),
    NearInTime(weight=1),
    *(ExtraShared(attribute=attribute, weight=1, cap=2) for attribute in ("languages", "slots")),
    *(kind(attribute=attribute, weight=1) for kind in (RatherOther, RatherSame) for attribute in NAMED),
]


def test_all_rules_and_wishes_are_spoken_of_here() -> None:
    assert {type(rule) for rule in RULES} == set(rules.ALL)
    assert {type(wish) for wish in WISHES} == set(wishes.ALL)


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_a_rule_has_words_that_can_be_filled_in(rule: Rule) -> None:
    words = wording.RULES.get(rule.name) or wording.RULES[rule.name.partition(":")[0]]

    told = [words.rule, words.breach, reasons.told(rule.name) or "-"]
    assert all(text % {"attribute": "department"} for text in told)


@pytest.mark.parametrize("wish", WISHES, ids=[wish.name for wish in WISHES])
def test_a_wish_has_words_that_can_be_filled_in(wish: Wish) -> None:
    words = wording.WISHES.get(wish.name) or wording.WISHES[wish.name.partition(":")[0]]

    told = (words, reasons.told(wish.name))

    assert all(text and text % {"attribute": "department"} for text in told)


def test_every_caution_has_words_that_can_be_filled_in() -> None:
    assert set(wording.CAUTIONS) == set(Concern)
    for words in wording.CAUTIONS.values():
        told = [words] if isinstance(words, str) else words
        assert all(text % {"num": 2, "attribute": "department"} for text in told)


@pytest.mark.parametrize("name", ["reporting_line", "exclusions", "should_not", "known:manager"])
def test_learners_are_not_told_of_managers_and_exclusions(name: str) -> None:
    assert reasons.told(name) is None


def test_what_learners_are_told_names_no_value_and_no_attribute() -> None:
    told = {*reasons.TOLD.values()}

    assert len(told) > 10
    assert not [text for text in told if re.search("%|manager|boss|list", text)]
