"""Rings: everybody observes one and is observed by one, another one each time."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine.check import verify
from lti_tool.pairing.engine.plan import plan
from lti_tool.pairing.engine.problem import Course, Kind, Schedule, Shape
from lti_tool.pairing.engine.turns import observations
from tests.unit.pairing.budget import examples


def rings(people: int, size: int) -> Course:
    return Course(tuple(range(1, people + 1)), shape=Shape(Kind.RINGS, size))


def watched(schedule: Schedule) -> Counter[tuple[int, int]]:
    return Counter(couple for groups in schedule.rounds for group in groups for couple in observations(group))


@given(people=st.integers(2, 30), size=st.integers(3, 6), rounds=st.integers(1, 4), seed=st.integers(0, 99))
@settings(max_examples=examples(20), deadline=None)
def test_everybody_observes_once_and_is_observed_once_a_round(people: int, size: int, rounds: int, seed: int) -> None:
    course = rings(people, size)

    schedule = plan(course, rounds, seed)

    assert verify(course, schedule) == []
    for groups in schedule.rounds:
        couples = [couple for group in groups for couple in observations(group)]
        assert sorted(observer for observer, _ in couples) == sorted(course.people)
        assert sorted(observed for _, observed in couples) == sorted(course.people)


@pytest.mark.parametrize(("people", "rounds"), [(3, 2), (4, 3), (5, 4), (6, 4)])
def test_in_one_group_nobody_observes_the_same_person_again_while_there_is_another(people: int, rounds: int) -> None:
    # There are as many orders without a repeated couple as others to observe, but not for 4 and 6 (Tillson 1980).
    schedule = plan(rings(people, people), rounds, seed=1)

    again = sum(times - 1 for times in watched(schedule).values())
    assert again <= {3: 0, 4: 2, 5: 0, 6: 0}[people]


def test_in_many_groups_nobody_observes_the_same_person_again() -> None:
    schedule = plan(rings(40, 4), 6, seed=1)

    assert max(watched(schedule).values()) == 1


def test_those_who_meet_again_change_sides() -> None:
    schedule = plan(rings(3, 3), 2, seed=1)

    first, second = (set(observations(groups[0])) for groups in schedule.rounds)
    assert second == {(observed, observer) for observer, observed in first}


def test_two_people_observe_each_other() -> None:
    assert observations((1, 2)) == [(1, 2), (2, 1)]
