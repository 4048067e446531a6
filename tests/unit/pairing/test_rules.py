"""Rules: each says the same of many couples at once as a plain sentence of Python says of two people."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.rules import (
    ALL,
    NEVER,
    Exclusions,
    ExperienceGap,
    Known,
    NotAgain,
    OffersMeetNeeds,
    Other,
    ReportingLine,
    Rule,
    RuleByCouple,
    RuleByValue,
    Same,
    Share,
    ShouldNot,
    loops,
)
from tests.unit.pairing.budget import examples

IDS = st.integers(min_value=-3, max_value=30)
NAMES = st.one_of(st.none(), st.sampled_from(["Care", "Law", "Sales"]))
SETS = st.one_of(st.none(), st.frozensets(st.sampled_from("abcdefg"), max_size=5))
NUMBERS = st.one_of(st.none(), st.integers(min_value=-5, max_value=12))
ATTRIBUTES = st.fixed_dictionaries(
    {
        "manager": st.dictionaries(IDS, st.one_of(st.none(), IDS), max_size=30),
        "department": st.dictionaries(IDS, NAMES, max_size=30),
        "languages": st.dictionaries(IDS, SETS, max_size=30),
        "experience": st.dictionaries(IDS, NUMBERS, max_size=30),
        "offers": st.dictionaries(IDS, SETS, max_size=30),
        "needs": st.dictionaries(IDS, SETS, max_size=30),
    }
)
Plain = Callable[[dict[str, dict[int, Any]], int, int], bool]


@st.composite
def cohorts(draw: st.DrawFn) -> People:
    return People(tuple(draw(st.lists(IDS, max_size=14, unique=True))), draw(ATTRIBUTES))


def both(attribute: str, unknown: bool, says: Callable[[Any, Any], bool]) -> Plain:
    def plain(attributes: dict[str, dict[int, Any]], one: int, other: int) -> bool:
        mine, theirs = attributes[attribute].get(one), attributes[attribute].get(other)
        return unknown if mine is None or theirs is None else says(mine, theirs)

    return plain


def above(attributes: dict[str, dict[int, Any]], person: int) -> set[int]:
    found: set[int] = set()
    here = attributes["manager"].get(person)
    while here is not None and here not in found:
        found.add(here)
        here = attributes["manager"].get(here)
    return found


def helping(both_ways: bool, unknown: bool) -> Plain:
    def plain(attributes: dict[str, dict[int, Any]], one: int, other: int) -> bool:
        offers = [attributes["offers"].get(person) for person in (one, other)]
        needs = [attributes["needs"].get(person) for person in (one, other)]
        if None in [*offers, *needs]:
            return unknown
        forth, back = bool(offers[0] & needs[1]), bool(offers[1] & needs[0])
        return (forth and back) if both_ways else (forth or back)

    return plain


def not_in_line(attributes: dict[str, dict[int, Any]], one: int, other: int) -> bool:
    return one not in above(attributes, other) and other not in above(attributes, one)


NAMED = ((3, 4), (9, 2), (4, 3), (5, 5), (77, 1))
EVERY_RULE: list[tuple[Rule, Plain]] = [
    (ReportingLine(), not_in_line),
    (Exclusions(couples=NAMED), lambda _, one, other: (one, other) not in NAMED and (other, one) not in NAMED),
    (ShouldNot(couples=NAMED), lambda _, one, other: (one, other) not in NAMED and (other, one) not in NAMED),
    (Exclusions(couples=()), lambda _, one, other: True),
    (NotAgain(), lambda _, one, other: True),
    (Known(attribute="manager"), lambda attributes, one, other: {one, other} <= attributes["manager"].keys()),
]
for unknown in (True, False):
    EVERY_RULE += [
        (OffersMeetNeeds(unknown_is_allowed=unknown), helping(False, unknown)),
        (OffersMeetNeeds(both_ways=True, unknown_is_allowed=unknown), helping(True, unknown)),
        (
            Other(attribute="department", unknown_is_allowed=unknown),
            both("department", unknown, lambda mine, theirs: mine != theirs),
        ),
        (
            Same(attribute="department", unknown_is_allowed=unknown),
            both("department", unknown, lambda mine, theirs: mine == theirs),
        ),
        (
            Share(attribute="languages", unknown_is_allowed=unknown),
            both("languages", unknown, lambda mine, theirs: bool(mine & theirs)),
        ),
        (
            Share(attribute="languages", at_least=2, unknown_is_allowed=unknown),
            both("languages", unknown, lambda mine, theirs: len(mine & theirs) >= 2),
        ),
        (
            ExperienceGap(at_least=2, at_most=5, unknown_is_allowed=unknown),
            both("experience", unknown, lambda mine, theirs: 2 <= abs(mine - theirs) <= 5),
        ),
        (ExperienceGap(unknown_is_allowed=unknown), both("experience", unknown, lambda mine, theirs: True)),
    ]


def couples_of(people: People) -> tuple[np.ndarray, np.ndarray]:
    places = np.array(list(combinations(range(len(people)), 2)), dtype=np.int64).reshape(-1, 2)
    return places[:, 0], places[:, 1]


def values_of(people: People, attributes: tuple[str, ...]) -> list[tuple[Any, ...]]:
    return [tuple(people.attributes[name].get(one, "?") for name in attributes) for one in people.ids.tolist()]


@pytest.mark.parametrize(("rule", "says"), EVERY_RULE, ids=[repr(rule) for rule, _ in EVERY_RULE])
@given(people=cohorts())
@settings(max_examples=examples(40), deadline=None)
def test_a_rule_says_of_all_couples_what_it_says_of_two_people(people: People, rule: Rule, says: Plain) -> None:
    one, other = couples_of(people)

    allowed = rule.allows(people, one, other)

    assert allowed.dtype == np.bool_
    ids = people.ids.tolist()
    assert allowed.tolist() == [says(people.attributes, ids[a], ids[b]) for a, b in zip(one, other, strict=True)]
    assert allowed.tolist() == rule.allows(people, other, one).tolist()


@given(people=cohorts())
@settings(max_examples=examples(100), deadline=None)
def test_people_with_the_same_values_may_stand_for_each_other(people: People) -> None:
    """The planner works out a rule by value for the values that occur, with people who have them."""
    one, other = couples_of(people)
    for rule, _ in EVERY_RULE:
        if isinstance(rule, RuleByValue):
            values = values_of(people, rule.reads)
            some = People(tuple(dict(zip(values, people.ids.tolist(), strict=True)).values()), people.attributes)
            stands_for = {value: place for place, value in enumerate(values_of(some, rule.reads))}
            place = np.array([stands_for[value] for value in values], dtype=np.int64)
            assert rule.allows(people, one, other).tolist() == rule.allows(some, place[one], place[other]).tolist()


@given(people=cohorts())
@settings(max_examples=examples(100), deadline=None)
def test_the_couples_that_a_rule_lists_are_the_ones_that_it_forbids(people: People) -> None:
    one, other = couples_of(people)
    for rule, _ in EVERY_RULE:
        if isinstance(rule, RuleByCouple):
            refused = ~rule.allows(people, one, other)
            assert rule.forbidden(people).tolist() == np.column_stack((one[refused], other[refused])).tolist()


@given(people=cohorts(), at_least=st.integers(min_value=1, max_value=3))
@settings(max_examples=examples(100), deadline=None)
def test_couples_who_share_enough_are_found_without_looking_at_all_couples(people: People, at_least: int) -> None:
    one, other = couples_of(people)
    rule = Share(attribute="languages", at_least=at_least, unknown_is_allowed=False)

    found = rule.couples_sharing(people, most=10_000)

    sharing = rule.allows(people, one, other)
    assert found is not None
    assert found.tolist() == np.column_stack((one[sharing], other[sharing])).tolist()


def test_couples_who_share_are_not_listed_when_everybody_has_the_same_name() -> None:
    people = People(tuple(range(100)), {"slots": dict.fromkeys(range(100), frozenset({"Monday"}))})

    assert Share(attribute="slots").couples_sharing(people, most=4_949) is None
    assert Share(attribute="slots").couples_sharing(people, most=4_950) is not None


def test_many_names_are_compared_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {person: frozenset({f"slot {person // 2}", f"slot {person % 7}"}) for person in range(300)}
    people = People(tuple(range(300)), {"slots": names})
    everybody = np.arange(300)
    whole = Share(attribute="slots").allows(people, everybody[:, None], everybody)

    monkeypatch.setattr("lti_tool.pairing.engine.rules.WORDS_AT_ONCE", 1_000)

    assert whole.sum() > 300
    assert (Share(attribute="slots").allows(people, everybody[:, None], everybody) == whole).all()


def test_a_line_is_followed_through_managers_who_are_not_in_the_course() -> None:
    people = People((1, 2, 3), {"manager": {1: 900, 900: 901, 901: 2, 3: 900}})

    allowed = ReportingLine().allows(people, np.array([0, 0, 1]), np.array([1, 2, 2]))

    assert allowed.tolist() == [False, True, False]


def test_a_loop_of_managers_ends_and_is_named() -> None:
    attributes = {"manager": {5: 3, 3: 8, 8: 5, 1: 5, 6: 6, 2: None}}

    assert loops(attributes) == ((3, 8, 5), (6,))
    assert loops({}) == ()
    people = People((1, 2, 3, 5, 6), attributes)
    assert people.ids[ReportingLine().forbidden(people)].tolist() == [[1, 3], [1, 5], [3, 5]]


def test_a_long_line_of_managers_is_climbed_to_its_top() -> None:
    people = People(tuple(range(400)), {"manager": {person: person - 1 for person in range(1, 400)}})

    assert len(ReportingLine().forbidden(people)) == 400 * 399 // 2


def test_what_is_known_of_people_outside_the_course_changes_nothing() -> None:
    inside = {1: frozenset({"en"}), 2: frozenset({"nb"})}
    alone = People((1, 2), {"languages": inside})
    among_others = People((1, 2), {"languages": inside | {3: frozenset({"en", "nb"}), 0: frozenset({"sv"})}})
    one, other = couples_of(alone)

    for people in (alone, among_others):
        assert Share(attribute="languages").allows(people, one, other).tolist() == [False]


def test_rules_give_way_in_the_usual_order_unless_the_designer_says_otherwise() -> None:
    usual = [
        ShouldNot(couples=()),
        Share(attribute="slots"),
        Share(attribute="languages"),
        Other(attribute="department"),
        Same(attribute="group"),
        ExperienceGap(),
        OffersMeetNeeds(),
        NotAgain(),
    ]

    assert [rule.priority for rule in usual] == [10, 20, 30, 40, 45, 50, 55, 60]
    assert ReportingLine().priority == Exclusions(couples=()).priority == NEVER
    assert Share(attribute="slots", priority=70).priority == 70
    assert Other(attribute="anything else").priority == 40


def test_two_rules_of_one_course_keep_their_own_couples() -> None:
    people = People((1, 2, 3), {})

    for rule in (Exclusions(couples=((1, 2),)), ShouldNot(couples=((2, 3),)), Exclusions(couples=((3, 1),))):
        assert people.ids[rule.forbidden(people)].tolist() == [sorted(rule.couples[0])]


def test_every_rule_is_tried_here() -> None:
    assert {type(rule) for rule, _ in EVERY_RULE} == set(ALL)
