"""What a designer may want of groups, as plain values: read strictly, checked field by field."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine import Kind, Shape
from lti_tool.pairing.engine.rules import NEVER, ExperienceGap, Known, NotAgain, OffersMeetNeeds, ReportingLine, Share
from lti_tool.pairing.engine.wishes import NearInTime, RatherGap
from lti_tool.pairing.errors import PreferencesInvalid
from lti_tool.pairing.rules import preferences
from lti_tool.pairing.rules.preferences import (
    RULES,
    WISHES,
    Preferences,
    RuleChoice,
    RuleKind,
    WishChoice,
    WishKind,
)
from tests.unit.pairing.budget import examples


def problems(**kept: Any) -> dict[str, str]:
    with pytest.raises(PreferencesInvalid) as refusal:
        preferences.read(kept)
    return dict(refusal.value.problems)


def test_nothing_said_is_pairs_and_nothing_else() -> None:
    assert preferences.read({}) == Preferences()
    assert Preferences().to_engine() == ((), ())
    assert Preferences().shape == Shape()


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    found = problems(
        kind="heaps",
        size="2",
        not_again="yes",
        rules=[
            {"kind": "share", "attribute": "department"},
            {"kind": "nonsense"},
            {"kind": "other", "attribute": "group", "priority": "first"},
        ],
        wishes=[{"kind": "gap", "weight": 1.5}, {}],
    )
    assert found == {
        "kind": "enum",
        "size": "int_type",
        "not_again": "bool_type",
        "rules.0.attribute": "unknown_attribute",
        "rules.1.kind": "enum",
        "rules.2.priority": "int_type",
        "wishes.0.weight": "int_type",
        "wishes.1.kind": "missing",
    }


@pytest.mark.parametrize(
    ("rules", "field"), [("share", "rules"), ({"kind": "share"}, "rules"), ([1], "rules.0"), ([None, {}], "rules.0")]
)
def test_rules_that_are_no_list_of_objects_are_refused(rules: Any, field: str) -> None:
    assert field in problems(rules=rules)


@pytest.mark.parametrize(
    ("wanted", "flaws"),
    [
        (Preferences(Kind.PAIRS, 3), {"size": "size"}),
        (Preferences(Kind.CIRCLES, 7), {"size": "size"}),
        (Preferences(Kind.TRIOS, 2), {"size": "size"}),
        (
            Preferences(rules=(RuleChoice(RuleKind.SHARE, "department"),)),
            {"rules.0.attribute": "unknown_attribute"},
        ),
        (
            Preferences(rules=(RuleChoice(RuleKind.SAME), RuleChoice(RuleKind.SAME, "department"))),
            {"rules.1.kind": "listed_twice"},
        ),
        (
            Preferences(rules=(RuleChoice(RuleKind.SAME, "group"), RuleChoice(RuleKind.OTHER, "group"))),
            {"rules.1.kind": "contradicts"},
        ),
        (Preferences(rules=(RuleChoice(RuleKind.GAP),)), {"rules.0.at_least": "gap_empty"}),
        (
            Preferences(rules=(RuleChoice(RuleKind.GAP, at_least=5, at_most=3),)),
            {"rules.0.at_least": "gap_empty"},
        ),
        (
            Preferences(rules=(RuleChoice(RuleKind.SHARE, "slots", at_least=101, priority=100),)),
            {"rules.0.priority": "less_than_equal", "rules.0.at_least": "less_than_equal"},
        ),
        (
            Preferences(rules=(RuleChoice(RuleKind.SHARE, "slots", at_least=0),)),
            {"rules.0.at_least": "greater_than_equal"},
        ),
        (
            Preferences(wishes=(WishChoice(WishKind.GAP, weight=0),)),
            {"wishes.0.weight": "greater_than_equal"},
        ),
        (Preferences(wishes=(WishChoice(WishKind.GAP),) * 21), {"wishes": "too_long"}),
    ],
)
def test_what_makes_no_sense_is_named_by_field(wanted: Preferences, flaws: dict[str, str]) -> None:
    assert problems(**wanted.to_json()) == flaws


def test_wishing_for_both_is_no_contradiction() -> None:
    both = WishChoice(WishKind.SAME, "group"), WishChoice(WishKind.OTHER, "group", weight=3)
    assert preferences.read(Preferences(wishes=both).to_json()).wishes == both


def test_choices_become_rules_and_wishes_of_the_engine() -> None:
    wanted = Preferences(
        rules=(
            RuleChoice(RuleKind.REPORTING_LINE, unknown_is_allowed=False),
            RuleChoice(RuleKind.SHARE, "slots", at_least=2, priority=5, unknown_is_allowed=False),
            RuleChoice(RuleKind.GAP, at_most=4),
            RuleChoice(RuleKind.OFFERS_MEET_NEEDS, both_ways=True),
        ),
        wishes=(WishChoice(WishKind.GAP, weight=3), WishChoice(WishKind.NEAR_IN_TIME, weight=2)),
        not_again=True,
    )

    rules, wishes = wanted.to_engine()

    assert rules == (
        ReportingLine(),
        Known(attribute="manager"),
        Share(attribute="slots", at_least=2, priority=5, unknown_is_allowed=False),
        ExperienceGap(at_most=4),
        OffersMeetNeeds(both_ways=True),
        NotAgain(),
    )
    assert wishes == (RatherGap(weight=3, cap=9), NearInTime(weight=2))
    assert wanted.reads == {"manager", "slots", "experience", "offers", "needs", "utc_offset"}


def test_a_reporting_line_never_gives_way_whatever_is_typed() -> None:
    assert all(rule.priority == NEVER for rule in RuleChoice(RuleKind.REPORTING_LINE, priority=3).to_engine())


def test_one_rule_is_switched_off_by_its_name_and_no_other() -> None:
    line = RuleChoice(RuleKind.REPORTING_LINE, unknown_is_allowed=False)
    language, department = RuleChoice(RuleKind.SHARE, "languages"), RuleChoice(RuleKind.OTHER, "department")
    wanted = Preferences(rules=(line, language, department), not_again=True)

    assert wanted.without("share:languages") == Preferences(rules=(line, department), not_again=True)
    assert not wanted.without("not_again").not_again
    assert not wanted.without("should_not").should_not_holds
    assert wanted.without("known:manager").rules[0] == RuleChoice(RuleKind.REPORTING_LINE)
    assert wanted.without("exclusions") == wanted


rule_choices = st.sampled_from(list(RuleKind)).flatmap(
    lambda kind: st.builds(
        RuleChoice,
        kind=st.just(kind),
        attribute=st.sampled_from(RULES[kind][1]),
        at_least=st.integers(1, 9) if kind in {RuleKind.SHARE, RuleKind.GAP} else st.none(),
        both_ways=st.booleans(),
        unknown_is_allowed=st.booleans(),
        priority=st.none() | st.integers(1, 99),
    )
)
wish_choices = st.sampled_from(list(WishKind)).flatmap(
    lambda kind: st.builds(
        WishChoice,
        kind=st.just(kind),
        attribute=st.sampled_from(WISHES[kind][1]),
        weight=st.integers(1, 100),
    )
)


@settings(max_examples=examples(50), deadline=None)
@given(
    st.lists(rule_choices, max_size=5, unique_by=lambda one: one.attribute),
    st.lists(wish_choices, max_size=5, unique_by=lambda one: (one.kind, one.attribute)),
    st.sampled_from([(Kind.PAIRS, 2), (Kind.TRIOS, 3), (Kind.CIRCLES, 6), (Kind.RINGS, 4)]),
    st.booleans(),
)
def test_what_is_written_is_read_back_and_every_rule_has_its_own_name(
    rules: list[RuleChoice], wishes: list[WishChoice], shape: tuple[Kind, int], flag: bool
) -> None:
    wanted = Preferences(*shape, tuple(rules), tuple(wishes), flag, not flag, flag)

    assert preferences.read(wanted.to_json()) == wanted
    made, _ = wanted.to_engine()
    names = [rule.name for rule in made]
    assert len(set(names)) == len(names)


@settings(max_examples=examples(50), deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["kind", "size", "rules", "wishes", "attribute", "weight"]), inner)
        ),
        max_leaves=12,
    ).filter(lambda kept: isinstance(kept, dict))
)
def test_whatever_is_sent_is_read_or_refused(kept: dict[str, Any]) -> None:
    with suppress(PreferencesInvalid):
        assert isinstance(preferences.read(kept), Preferences)
