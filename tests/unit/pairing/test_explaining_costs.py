"""What rules cost, and what deserves a warning."""

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine.costs import Left, costs, partners_left
from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.problem import Course, Kind, Shape
from lti_tool.pairing.engine.rules import Exclusions, ExperienceGap, Known, NotAgain, Other, ReportingLine, Share
from lti_tool.pairing.engine.why import Caution, Concern, warnings
from lti_tool.pairing.engine.wishes import OffersFit, RatherOther
from tests.factories.cohorts import corporate
from tests.unit.pairing.budget import examples

IDS = st.integers(1, 20)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    people = tuple(draw(st.lists(IDS, min_size=2, max_size=12, unique=True)))
    couples = st.lists(st.sampled_from(list(combinations(people, 2))), max_size=6)
    rules: list[Any] = [
        Other(attribute="department", unknown_is_allowed=draw(st.booleans())),
        ReportingLine(),
        Exclusions(couples=tuple(draw(couples))),
        NotAgain(),
    ]
    return Course(
        people,
        met=tuple(draw(couples)),
        attributes={
            "department": draw(st.dictionaries(IDS, st.sampled_from(["Care", "Law"]))),
            "manager": draw(st.dictionaries(IDS, IDS)),
        },
        rules=tuple(rule for rule in rules if draw(st.booleans())),
    )


def refused(course: Course) -> dict[str, set[tuple[int, int]]]:
    """By rule the couples that it forbids, asked for one by one."""
    people = People(course.people, course.attributes)
    found: dict[str, set[tuple[int, int]]] = {}
    for rule in course.rules:
        found[rule.name] = set()
        for one, other in combinations(sorted(course.people), 2):
            allowed = rule.allows(people, people.places([one]), people.places([other]))[0]
            met = isinstance(rule, NotAgain) and {(one, other), (other, one)} & {*course.met}
            if met or not allowed:
                found[rule.name].add((one, other))
    return found


def left(course: Course, forbidden: set[tuple[int, int]]) -> list[Left]:
    couples = set(combinations(sorted(course.people), 2)) - forbidden
    counted = [Left(one, sum(one in couple for couple in couples)) for one in sorted(course.people)]
    return sorted(counted, key=lambda found: (found.partners, found.person))


@given(course=courses())
@settings(max_examples=examples(100), deadline=None)
def test_each_rule_says_what_it_takes_away_and_what_would_come_back_without_it(course: Course) -> None:
    found = costs(course)

    by_rule = refused(course)
    assert found.is_exact
    assert found.couples == len(course.people) * (len(course.people) - 1) // 2
    assert [one.rule for one in found.rules] == list(by_rule)
    for one in found.rules:
        others = set().union(*(couples for name, couples in by_rule.items() if name != one.rule))
        assert (one.removed, one.alone) == (len(by_rule[one.rule]), len(by_rule[one.rule] - others))
        counted = left(course, by_rule[one.rule])
        assert list(one.fewest) == counted[:10]
        assert one.without == sum(not person.partners for person in counted)
    everything = set().union(*by_rule.values())
    assert found.together.removed == len(everything)
    assert list(found.together.fewest) == left(course, everything)[:10]
    assert partners_left(course).tolist() == [
        one.partners for one in sorted(left(course, everything), key=lambda one: one.person)
    ]


def test_in_a_large_course_a_sample_is_near_and_says_that_it_is_one() -> None:
    lonely = tuple((7, other) for other in range(1, 2501) if other not in {7, 8, 9})
    course = corporate(2500)
    course = replace(course, rules=(*course.rules[:1], Exclusions(couples=lonely), *course.rules[2:]))
    people = People(course.people, course.attributes)
    everyone = np.arange(len(people))
    allowed = [rule.allows(people, everyone[:, None], everyone) & ~np.eye(2500, dtype=bool) for rule in course.rules]

    found = costs(course)

    assert not found.is_exact
    assert found == costs(course)
    assert 2500 * 1599 <= found.couples <= 2500 * 1600
    for one, exact in zip(found.rules, allowed, strict=True):
        assert abs(one.removed / found.couples - (1 - exact.sum() / (2500 * 2499))) < 0.02
        fewest = one.fewest[0]
        assert fewest.partners == exact.sum(axis=1)[people.places(fewest.person)]
    assert found.rules[1].fewest[0] == Left(7, 2)
    together = np.logical_and.reduce(allowed).sum(axis=1)
    assert found.together.fewest[0].partners == together.min()


def test_an_empty_course_costs_nothing_and_needs_no_warning() -> None:
    course = Course((), rules=(ReportingLine(), Other(attribute="department")))

    assert costs(course).couples == 0
    assert warnings(course, 3) == ()


def test_what_is_missing_for_half_of_the_people_or_all_is_named() -> None:
    course = Course(
        (1, 2, 3, 4),
        attributes={
            "department": {1: "Law", 2: "Law", 9: "Care"},
            "manager": {1: None, 2: None, 3: None},
            "offers": {1: None, 7: frozenset("a")},
            "needs": dict.fromkeys((1, 2, 3), frozenset("b")),
        },
        rules=(ReportingLine(),),
        wishes=(RatherOther(attribute="department", weight=1), OffersFit(weight=1)),
    )

    assert warnings(course) == (
        Caution(Concern.NOBODY_HAS, "offers", (1, 2, 3, 4)),
        Caution(Concern.HALF_UNKNOWN, "department", (3, 4)),
    )


def test_rules_that_refuse_the_unknown_name_whom_they_leave_alone() -> None:
    course = Course(
        (1, 2, 3),
        attributes={"experience": {1: 1, 2: 5}, "manager": {1: None, 2: 1}, "languages": {}},
        rules=(
            ExperienceGap(at_least=1, unknown_is_allowed=False),
            Known(attribute="manager"),
            Share(attribute="languages"),
        ),
    )

    assert [one for one in warnings(course) if one.concern is Concern.UNKNOWN_REFUSED] == [
        Caution(Concern.UNKNOWN_REFUSED, "gap:experience", (3,)),
        Caution(Concern.UNKNOWN_REFUSED, "known:manager", (3,)),
    ]


def test_managers_above_each_other_are_named() -> None:
    course = Course((1, 2, 3), attributes={"manager": {1: 2, 2: 30, 30: 1, 3: None}}, rules=(ReportingLine(),))

    assert warnings(course) == (Caution(Concern.MANAGER_LOOP, "manager", (1, 2, 30)),)


@pytest.mark.parametrize(
    ("shape", "rounds", "few"),
    [
        (Shape(), 3, ()),
        (Shape(), 4, (1, 4)),
        (Shape(), 5, (1, 2, 3, 4, 5, 6)),
        (Shape(Kind.TRIOS, 3), 2, (1, 4)),
        (Shape(Kind.CIRCLES, 4), 1, ()),
    ],
)
def test_more_rounds_than_new_partners_is_said_with_names(shape: Shape, rounds: int, few: tuple[int, ...]) -> None:
    course = Course(
        (1, 2, 3, 4, 5, 6), met=((4, 1), (1, 4)), rules=(Exclusions(couples=((1, 2), (3, 4), (5, 6))),), shape=shape
    )

    found = [one.people for one in warnings(course, rounds) if one.concern is Concern.MORE_ROUNDS_THAN_PARTNERS]

    assert found == ([few] if few else [])
