"""The optional improver: all rounds of a small course at once, never for the worse."""

from collections import Counter
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import improver
from lti_tool.pairing.engine.check import score
from lti_tool.pairing.engine.improver import ImproverMissing, improve
from lti_tool.pairing.engine.problem import Course, Group, Kind, Lock, Reason, Schedule, Shape, Unpaired
from lti_tool.pairing.engine.rules import NotAgain, Other
from lti_tool.pairing.engine.wishes import RatherOther
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.budget import examples

pytest.importorskip("ortools")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small courses need no long search."""
    monkeypatch.setattr(improver, "STEPS", 0.3)


def made(course: Course, *rounds: tuple[Group, ...], unpaired: tuple[Unpaired, ...] = ()) -> Schedule:
    return Schedule(rounds, unpaired, course, 3, "tandem/2")


def groups(schedule: Schedule) -> list[set[frozenset[int]]]:
    return [{frozenset(group) for group in some} for some in schedule.rounds]


def test_needless_repeats_disappear() -> None:
    course = Course((1, 2, 3, 4))
    same = ((1, 2), (3, 4))

    better = improve(made(course, same, same, same))

    assert engine.repeats(course, better) == 0
    assert engine.verify(course, better) == []


def test_a_repeat_that_must_be_is_spread_evenly() -> None:
    course = Course((1, 2, 3, 4))
    same = ((1, 2), (3, 4))

    better = improve(made(course, *(same,) * 6))

    assert set(engine.meetings(better.rounds).values()) == {2}


def test_meetings_of_the_past_count_as_repeats() -> None:
    course = Course((1, 2, 3, 4), met=((1, 2),))

    assert engine.repeats(course, improve(made(course, ((1, 2), (3, 4))))) == 0


def test_points_grow_when_nothing_else_can() -> None:
    course = Course(
        (1, 2, 3, 4),
        attributes={"department": {1: "a", 2: "a", 3: "b", 4: "b"}},
        wishes=(RatherOther(attribute="department", weight=5),),
    )

    better = improve(made(course, ((1, 2), (3, 4))))

    assert score(course, better).objective == 20


def test_never_again_leaves_fewer_people_over_when_all_rounds_are_looked_at() -> None:
    # Couples across: whoever takes 1-4, 2-5 and then 1-5, 2-6 leaves no two for 3; another order leaves nobody over.
    course = Course(
        (1, 2, 3, 4, 5, 6),
        attributes={"department": dict.fromkeys((1, 2, 3), "a") | dict.fromkeys((4, 5, 6), "b")},
        rules=(Other(attribute="department"), NotAgain()),
    )
    alone = tuple(Unpaired(one, 2, Reason.TOO_FEW_PARTNERS) for one in (3, 4))

    better = improve(made(course, ((1, 4), (2, 5), (3, 6)), ((1, 5), (2, 6)), unpaired=alone))

    assert better.unpaired == ()
    assert better.proofs == ()
    assert engine.verify(course, better) == []


def test_who_stays_over_under_never_again_is_proven_anew() -> None:
    course = Course((1, 2, 3, 4), rules=(NotAgain(),))
    rounds = ((1, 2), (3, 4)), ((1, 3),), (), ()
    alone = ((2, 2), (4, 2), *((one, number) for number in (3, 4) for one in (1, 2, 3, 4)))

    schedule = made(
        course, *rounds, unpaired=tuple(Unpaired(one, number, Reason.TOO_FEW_PARTNERS) for one, number in alone)
    )
    better = improve(schedule)

    assert [len(some) for some in sorted(better.rounds, key=len)] == [0, 2, 2, 2]
    assert engine.verify(course, better) == []


def test_the_same_person_is_not_left_over_again_and_again() -> None:
    departments = {1: "a", 2: "a", 3: "a", 4: "b"}
    course = Course((1, 2, 3, 4), attributes={"department": departments}, rules=(Other(attribute="department"),))
    plan = engine.plan(course, 3, seed=1)
    alone = tuple(Unpaired(one, number, Reason.TOO_FEW_PARTNERS) for number in (1, 2, 3) for one in (2, 3))
    stubborn = replace(plan, rounds=(((1, 4),),) * 3, unpaired=alone)

    better = improve(stubborn)

    assert sorted(one.person for one in better.unpaired) == [1, 1, 2, 2, 3, 3]
    assert engine.verify(course, better) == []


def test_somebody_left_out_last_time_has_a_partner_in_the_first_round() -> None:
    departments = {1: "a", 2: "a", 3: "a", 4: "b"}
    course = Course(
        (1, 2, 3, 4),
        attributes={"department": departments},
        rules=(Other(attribute="department"),),
        left_out=frozenset({3}),
    )
    plan = engine.plan(replace(course, left_out=frozenset()), 1, seed=1)
    alone = tuple(Unpaired(one, 1, Reason.TOO_FEW_PARTNERS) for one in (2, 3))
    unlucky = replace(plan, course=course, rounds=(((1, 4),),), unpaired=alone)

    assert {one.person for one in improve(unlucky).unpaired} == {1, 2}


def test_locked_people_and_trios_stay() -> None:
    course = Course((1, 2, 3, 4, 5, 6, 7), locks=(Lock((1, 2)),))
    rounds = ((1, 2), (3, 4), (5, 6, 7)), ((1, 2), (3, 4), (7, 5, 6))

    before, after = rounds, groups(improve(made(course, *rounds)))

    for old, new in zip(before, after, strict=True):
        assert {frozenset((1, 2)), frozenset(old[2])} <= new


def test_people_who_are_absent_stay_absent() -> None:
    course = Course((1, 2, 3, 4, 5))
    alone = (Unpaired(5, 1, Reason.ABSENT), Unpaired(5, 2, Reason.ABSENT))
    same = ((1, 2), (3, 4))

    better = improve(made(course, same, same, unpaired=alone))

    assert better.unpaired == alone
    assert engine.repeats(course, better) == 0


def test_the_improver_and_its_version_are_named_even_if_nothing_was_better() -> None:
    course = Course((1, 2))

    found = improve(made(course, ((1, 2),)))

    assert found.engine.startswith("tandem/2+cp-sat 9.")
    assert found.rounds == (((1, 2),),)


def test_courses_that_are_large_or_in_circles_come_back_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    circles = made(Course((1, 2, 3), shape=Shape(Kind.CIRCLES, 3)), ((1, 2, 3),))
    pairs = made(Course((1, 2, 3, 4)), ((1, 2), (3, 4)))
    monkeypatch.setattr(improver, "MOST_CHOICES", 5)

    assert improve(circles) is circles
    assert improve(pairs) is pairs


def test_without_or_tools_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(improver, "version", missing)

    with pytest.raises(ImproverMissing):
        improve(made(Course((1, 2)), ((1, 2),)))


def test_the_same_schedule_is_improved_in_the_same_way() -> None:
    course = course_at_random(14, Random(4))
    schedule = engine.plan(course, 6, seed=2)

    assert repr(improve(schedule)) == repr(improve(schedule))


def test_more_rounds_than_a_sequence_of_best_rounds_can_fill() -> None:
    # One by one, the couples that 4 of one department need can be spent: over 4 rounds nobody has to meet again.
    course = Course(tuple(range(8)), attributes={"team": {one: f"{one // 2}" for one in range(8)}})
    course = replace(course, rules=(Other(attribute="team"),))
    stuck = [((0, 2), (1, 3), (4, 6), (5, 7)), ((0, 3), (1, 2), (4, 7), (5, 6))] * 3

    better = improve(made(course, *stuck))

    assert engine.repeats(course, better) == 0
    assert set(engine.meetings(better.rounds)) == {
        frozenset(couple) for couple in combinations(range(8), 2) if couple[0] // 2 != couple[1] // 2
    }


@given(people=st.integers(0, 9), rounds=st.integers(1, 4), chance=st.randoms(use_true_random=False))
@settings(max_examples=examples(25), deadline=None)
def test_a_plan_is_never_worse_afterwards_and_passes_the_checker(people: int, rounds: int, chance: Random) -> None:
    course = course_at_random(people, chance, sparse=chance.random() < 0.5)
    before = engine.plan(course, rounds, seed=1)

    after = improve(before)

    assert engine.verify(course, after) == []
    assert _worth(course, after) <= _worth(course, before)


def _worth(course: Course, schedule: Schedule) -> tuple[int, ...]:
    """What counts, in order, counted in plain Python; the smaller, the better."""
    alone = Counter(one.person for one in schedule.unpaired)
    first = {one.person for one in schedule.unpaired if one.round == 1}
    again = sum(times * (times - 1) // 2 + times * (one in course.left_out) for one, times in alone.items())
    met = Counter(frozenset(couple) for couple in course.met) + engine.meetings(schedule.rounds)
    often = sum(
        max(0, times - more) for couple, times in met.items() for more in (2, 3, 4) if couple <= set(course.people)
    )
    points = score(course, schedule).objective
    return len(schedule.unpaired), len(first & course.left_out), again, engine.repeats(course, schedule), often, -points
