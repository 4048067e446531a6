"""Where an odd number leaves more people over than one, a third is found whenever a trio can seat one more."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, pairs
from lti_tool.pairing.engine.check import score
from tests.unit.pairing.brute_force import optimum
from tests.unit.pairing.budget import examples
from tests.unit.pairing.relations import Couple, course_of, relations


@given(relation=relations(9), seed=st.integers(0, 9))
@settings(max_examples=examples(200), deadline=None)
def test_the_way_of_large_courses_seats_as_many_in_small_ones(relation: tuple[int, list[Couple]], seed: int) -> None:
    people, couples = relation
    course = course_of(people, couples)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "EVERY_TRIO", 0)
        schedule = engine.plan(course, 1, seed)

    best = optimum(course)
    assert best is not None
    assert engine.verify(course, schedule) == []
    assert len(schedule.unpaired) == best.unpaired


def test_a_couple_is_exchanged_so_that_somebody_fits_as_a_third() -> None:
    # 0 and 1 want 2, who is 3's partner else; if one of them takes 2, then 3 fits with 4-5. All others are pairs.
    couples = [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5), *((at, at + 1) for at in range(6, 28, 2)), (28, 1)]
    course = course_of(29, couples)

    schedule = engine.plan(course, 1, seed=1)

    assert engine.verify(course, schedule) == []
    assert [sorted(group) for group in schedule.rounds[0] if len(group) == 3] == [[3, 4, 5]]
    assert schedule.unpaired == ()


def test_people_who_were_left_out_before_are_seated_first() -> None:
    threes = [(at, at + 1, at + 2) for at in range(0, 27, 3)]
    couples = [couple for three in threes for couple in combinations(three, 2)]
    course = Course(tuple(range(27)), rules=course_of(27, couples).rules, left_out=frozenset({24, 25, 26}), wishes=())

    schedule = engine.plan(course, 1, seed=1)

    assert (24, 25, 26) in [tuple(sorted(group)) for group in schedule.rounds[0]]
    assert score(course, schedule).unpaired == 8


def test_a_third_is_found_in_a_large_course() -> None:
    course = Course(tuple(range(4_001)))

    schedule = engine.plan(course, 1, seed=1)

    assert schedule.unpaired == ()
    assert engine.verify(course, schedule) == []
