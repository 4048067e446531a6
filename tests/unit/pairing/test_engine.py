"""The engine: whatever the course, everybody has partners, few meet twice, and turns are shared."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Breach, Course, Reason, Schedule, Unpaired
from tests.unit.pairing.budget import examples

people = st.lists(st.integers(min_value=1, max_value=500), min_size=2, max_size=33, unique=True)
rounds = st.integers(min_value=1, max_value=8)
seeds = st.integers(min_value=0, max_value=2**31)


@st.composite
def courses(draw: st.DrawFn) -> Course:
    members = draw(people)
    couples = list(combinations(members, 2))
    met = draw(st.one_of(st.just([]), st.lists(st.sampled_from(couples), max_size=40)))
    return Course(tuple(members), tuple(met))


def is_balanced(schedule: Schedule) -> bool:
    return all(
        abs(ahead) <= 1
        for number in range(1, len(schedule.rounds) + 1)
        for ahead in engine.balance(schedule.rounds[:number]).values()
    )


@given(course=courses(), rounds=rounds, seed=seeds)
@settings(max_examples=examples(100), deadline=None)
def test_a_fresh_plan_passes_the_checker_and_shares_turns_after_every_round(
    course: Course, rounds: int, seed: int
) -> None:
    schedule = engine.plan(course, rounds, seed)

    assert engine.verify(course, schedule) == []
    assert len(schedule.rounds) == rounds
    assert schedule.unpaired == ()
    assert is_balanced(schedule)
    for groups in schedule.rounds:
        assert sorted(person for group in groups for person in group) == sorted(course.people)
        assert sum(len(group) == 3 for group in groups) == len(course.people) % 2


@given(members=people.filter(lambda found: len(found) % 2 == 0), seed=seeds)
@settings(max_examples=examples(60), deadline=None)
def test_an_even_number_meets_everybody_once_before_anybody_twice(members: list[int], seed: int) -> None:
    course = Course(tuple(members))

    schedule = engine.plan(course, len(members) - 1, seed)

    assert engine.repeats(course, schedule) == 0


@given(members=people.filter(lambda found: len(found) % 2 == 1), seed=seeds)
@settings(max_examples=examples(20), deadline=None)
def test_an_odd_number_has_another_third_person_each_round(members: list[int], seed: int) -> None:
    schedule = engine.plan(Course(tuple(members)), len(members), seed)

    thirds = [group[1] for groups in schedule.rounds for group in groups if len(group) == 3]
    assert sorted(thirds) == sorted(members)


@pytest.mark.parametrize("size", [9, 15, 25, 101])
def test_a_trio_repeats_no_meeting_while_there_is_room(size: int) -> None:
    course = Course(tuple(range(size)))

    assert engine.repeats(course, engine.plan(course, 3, seed=4)) == 0


def test_people_who_met_before_are_put_together_only_when_there_is_no_other_way() -> None:
    # 1-2, 3-4 are forced: every other couple has met.
    met = ((1, 3), (1, 4), (2, 3), (2, 4))

    schedule = engine.plan(Course((1, 2, 3, 4), met), 1, seed=0)

    assert {frozenset(group) for group in schedule.rounds[0]} == {frozenset((1, 2)), frozenset((3, 4))}


@given(seed=seeds)
@settings(max_examples=examples(60), deadline=None)
def test_a_matching_without_repeats_is_found_where_a_greedy_choice_misses_it(seed: int) -> None:
    # Two triangles joined by one edge: only that edge leaves nobody over.
    allowed = {frozenset(edge) for edge in [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5), (3, 5)]}
    met = tuple(couple for couple in combinations(range(6), 2) if frozenset(couple) not in allowed)
    course = Course(tuple(range(6)), met)

    schedule = engine.plan(course, 1, seed)

    assert engine.repeats(course, schedule) == 0


@given(course=courses(), rounds=rounds, seed=seeds)
@settings(max_examples=examples(50), deadline=None)
def test_the_same_seed_gives_the_same_plan_whatever_the_order_of_the_roster(
    course: Course, rounds: int, seed: int
) -> None:
    again = Course(course.people[::-1], course.met)

    assert engine.plan(course, rounds, seed).rounds == engine.plan(again, rounds, seed).rounds


def test_another_seed_proposes_other_groups() -> None:
    course = Course(tuple(range(1, 21)))

    assert engine.plan(course, 3, seed=1).rounds != engine.plan(course, 3, seed=2).rounds


def test_nobody_is_in_no_group_and_one_learner_is_told_why() -> None:
    assert engine.plan(Course(()), 2, seed=1).rounds == ((), ())
    alone = engine.plan(Course((7,)), 2, seed=1)
    assert alone.rounds == ((), ())
    assert alone.unpaired == (Unpaired(7, 1, Reason.NOBODY_ELSE), Unpaired(7, 2, Reason.NOBODY_ELSE))
    assert engine.verify(Course((7,)), alone) == []


def test_two_are_a_pair_that_takes_turns_and_three_are_one_trio() -> None:
    pairs = engine.plan(Course((1, 2)), 2, seed=1).rounds
    assert pairs[0][0] == pairs[1][0][::-1]
    assert [sorted(group) for groups in engine.plan(Course((1, 2, 3)), 3, seed=1).rounds for group in groups] == [
        [1, 2, 3]
    ] * 3


@pytest.mark.parametrize("course", [Course((1, 1)), Course((-1, 3))])
def test_people_who_cannot_be_told_apart_are_refused(course: Course) -> None:
    with pytest.raises(engine.ImpossibleRequest):
        engine.plan(course, 1, seed=1)


def test_no_rounds_are_refused() -> None:
    with pytest.raises(engine.ImpossibleRequest):
        engine.plan(Course((1, 2)), 0, seed=1)


def test_two_thousand_people_and_twelve_rounds_meet_nobody_twice() -> None:
    course = Course(tuple(range(2001)))

    schedule = engine.plan(course, 12, seed=3)

    assert engine.verify(course, schedule) == []
    assert engine.repeats(course, schedule) == 0


@pytest.mark.parametrize(
    ("groups", "unpaired", "breach"),
    [
        ([(1, 2)], [], Breach.MISSING),
        ([(1, 2), (3, 4), (1, 4)], [], Breach.TWICE),
        ([(1, 2), (3, 4), (9, 8)], [], Breach.UNKNOWN),
        ([(1, 2, 3, 4)], [], Breach.SIZE),
        ([(1, 2, 3), (4,)], [], Breach.TRIOS),
        ([(1, 2)], [3, 4], Breach.NEEDLESSLY_UNPAIRED),
    ],
)
def test_the_checker_names_what_is_wrong(groups: list[tuple[int, ...]], unpaired: list[int], breach: Breach) -> None:
    alone = tuple(Unpaired(one, 1, Reason.NOBODY_ELSE) for one in unpaired)

    found = engine.verify(Course((1, 2, 3, 4)), Schedule((tuple(groups),), alone))

    assert breach in {violation.breach for violation in found}
