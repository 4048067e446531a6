"""Every family of courses that pairing must master: the engine finds the answer that is known beforehand."""

from dataclasses import replace
from random import Random

import networkx as nx
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Lock, Schedule
from lti_tool.pairing.engine.check import score
from lti_tool.pairing.engine.rules import NotAgain
from tests.factories.cohorts import corporate, corporate_with_locks
from tests.unit.pairing.at_random import any_locks, course_at_random
from tests.unit.pairing.brute_force import is_allowed, may_be_locked, points_of
from tests.unit.pairing.budget import examples
from tests.unit.pairing.families import INSTANCES, Change, Instance, changes
from tests.unit.pairing.fewest_changes import moved

seeds = st.integers(min_value=0, max_value=2**32)


def is_balanced(schedule: Schedule) -> bool:
    """Nobody is ever more than one turn ahead or behind."""
    ahead = dict.fromkeys(schedule.course.people, 0)
    for groups in schedule.rounds:
        for group in groups:
            ahead[group[0]] += 1
            ahead[group[-1]] -= 1
        if any(abs(turns) > 1 for turns in ahead.values()):
            return False
    return True


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.name)
def test_the_known_answer_is_found(instance: Instance) -> None:
    schedule = engine.plan(instance.course, instance.rounds, seed=7)

    found = score(instance.course, schedule)

    assert engine.verify(instance.course, schedule) == []
    assert len(schedule.rounds) == instance.rounds
    assert found.unpaired == instance.unpaired
    if instance.repeats is not None:
        assert found.repeats == instance.repeats
    if instance.objective is not None:
        assert found.objective == instance.objective
    assert is_balanced(schedule)


@pytest.mark.parametrize("change", changes(), ids=lambda change: change.name)
def test_only_those_move_who_must(change: Change) -> None:
    before = change.schedule

    after = engine.repair(before, change.left, change.joined, 1)

    people = (set(before.course.people) - change.left) | change.joined
    assert engine.verify(replace(before.course, people=tuple(people)), after) == []
    assert len(after.unpaired) == change.unpaired
    assert len(moved(before, after) - change.left) == change.changed


@pytest.mark.parametrize("people", [12, 24, 40, 60])
@pytest.mark.parametrize("locks", [0, 3])
def test_the_company_gets_the_best_round_there_is(people: int, locks: int) -> None:
    course = corporate_with_locks(people, locks, seed=people)

    schedule = engine.plan(course, 1, seed=1)

    assert engine.verify(course, schedule) == []
    assert (score(course, schedule).unpaired, score(course, schedule).objective) == best_round(course)


def best_round(course: Course) -> tuple[int, int]:
    """Unpaired and points of people in the best round in pairs, by another program. An even number of people."""
    graph = nx.Graph()
    locked = {one for lock in course.locks for one in lock.members}
    free = [one for one in course.people if one not in locked]
    graph.add_weighted_edges_from(
        (one, other, points_of(course, one, other))
        for at, one in enumerate(free)
        for other in free[at + 1 :]
        if is_allowed(course, one, other)
    )
    couples = [*nx.max_weight_matching(graph, maxcardinality=True), *(lock.members for lock in course.locks)]
    return len(course.people) - 2 * len(couples), 2 * sum(points_of(course, *couple) for couple in couples)


def test_the_company_meets_nobody_twice_in_twelve_rounds_and_nobody_is_left_out() -> None:
    course = corporate(300, seed=5)

    schedule = engine.plan(course, 12, seed=5)

    found = score(course, schedule)
    assert engine.verify(course, schedule) == []
    assert (found.violations, found.unpaired, found.repeats) == (0, 0, 0)


@pytest.mark.parametrize("people", [3, 5, 7, 9, 21])
def test_another_person_is_the_third_each_round(people: int) -> None:
    schedule = engine.plan(Course(tuple(range(people))), people, seed=2)

    thirds = [group[1] for groups in schedule.rounds for group in groups if len(group) == 3]
    assert len(thirds) == people
    if people > 3:
        assert len(set(thirds)) == people


def test_who_was_left_out_before_is_the_last_to_be_left_out_again() -> None:
    # 1 is the only possible partner of all others.
    star = next(instance for instance in INSTANCES if instance.name.startswith("deficient 1 for 4"))
    hub = max(
        star.course.people, key=lambda one: sum(is_allowed(star.course, one, other) for other in star.course.people)
    )
    for waiting in set(star.course.people) - {hub}:
        course = Course(
            star.course.people,
            attributes=star.course.attributes,
            rules=star.course.rules,
            left_out=frozenset({waiting}),
        )

        schedule = engine.plan(course, 1, seed=1)

        assert {waiting, hub} in [set(group) for group in schedule.rounds[0]]


@given(people=st.integers(0, 40) | st.integers(0, 300), rounds=st.integers(1, 5), seed=seeds, sparse=st.booleans())
@settings(max_examples=examples(100), deadline=None)
def test_whatever_the_course_a_fresh_plan_passes_the_checker(people: int, rounds: int, seed: int, sparse: bool) -> None:
    course = course_at_random(people, Random(seed), sparse=sparse)

    schedule = engine.plan(course, rounds, seed)

    event(f"{'some' if schedule.unpaired else 'nobody'} unpaired")
    assert engine.verify(course, schedule) == []
    assert len(schedule.rounds) == rounds
    assert is_balanced(schedule)


@given(people=st.integers(2, 12), rounds=st.integers(1, 3), seed=seeds)
@settings(max_examples=examples(100), deadline=None)
def test_locks_that_contradict_something_are_refused_and_all_others_kept(people: int, rounds: int, seed: int) -> None:
    course = course_at_random(people, Random(seed))
    course = replace(course, locks=any_locks(course, Random(seed)))

    try:
        schedule = engine.plan(course, rounds, seed)
    except engine.ImpossibleRequest as refused:
        event(type(refused).__name__)
        assert not may_be_locked(course, rounds)
    else:
        event("kept")
        assert may_be_locked(course, rounds)
        assert engine.verify(course, schedule) == []


def test_who_must_meet_in_a_later_round_and_never_again_does_not_meet_before() -> None:
    course = Course((1, 2), rules=(NotAgain(),), locks=(Lock((1, 2), 2),))

    schedule = engine.plan(course, 2, seed=1)

    assert engine.verify(course, schedule) == []


@given(people=st.integers(0, 120), rounds=st.integers(1, 4), seed=seeds, chance=st.randoms(use_true_random=False))
@settings(max_examples=examples(40), deadline=None)
def test_the_same_seed_gives_the_same_plan_whatever_the_order(
    people: int, rounds: int, seed: int, chance: Random
) -> None:
    course = course_at_random(people, Random(seed))
    shuffled = replace(
        course,
        people=tuple(chance.sample(course.people, k=people)),
        met=tuple(chance.sample(course.met, k=len(course.met))),
        locks=tuple(chance.sample(course.locks, k=len(course.locks))),
    )

    one, other = engine.plan(course, rounds, seed), engine.plan(shuffled, rounds, seed)

    assert (one.rounds, one.unpaired, one.proofs) == (other.rounds, other.unpaired, other.proofs)
