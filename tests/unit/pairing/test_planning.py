"""Planning in pairs: locks, history, odd numbers, many rounds, more people than are solved exactly."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, pairwise, product
from random import Random

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Group, Lock, Reason, Schedule
from lti_tool.pairing.engine.check import score
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, Other, Share
from lti_tool.pairing.engine.wishes import RatherOther
from tests.factories.cohorts import corporate, corporate_with_locks
from tests.load.pairing_gate import tasks
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.budget import examples

seeds = st.integers(min_value=0, max_value=2**32)
DEPARTMENTS = ("a", "b", "c")


def departments(people: int) -> dict[str, dict[int, engine.Value]]:
    return {"department": {one: DEPARTMENTS[one % 3] for one in range(1, people + 1)}}


def together(schedule: Schedule, number: int, *people: int) -> bool:
    return any(set(people) <= set(group) for group in schedule.rounds[number - 1])


def test_more_people_than_are_solved_exactly_meet_nobody_twice() -> None:
    course = corporate(400, seed=3)

    schedule = engine.plan(course, 3, seed=3)

    found = score(course, schedule)
    assert engine.verify(course, schedule) == []
    assert (found.unpaired, found.repeats) == (0, 0)


@pytest.mark.parametrize("people", [341, 400])
def test_large_courses_keep_locks_history_and_one_trio_a_round(people: int) -> None:
    course = corporate_with_locks(people, 20, seed=2)
    before = engine.plan(replace(course, locks=()), 3, seed=8)
    locked = {frozenset(lock.members) for lock in course.locks}
    ends = ((group[0], group[-1]) for groups in before.rounds for group in groups)
    course = replace(course, met=tuple(couple for couple in ends if frozenset(couple) not in locked))

    schedule = engine.plan(course, 3, seed=8)

    assert engine.verify(course, schedule) == []
    assert schedule.unpaired == ()
    assert engine.repeats(course, schedule) == 0
    assert [sum(len(group) == 3 for group in groups) for groups in schedule.rounds] == [people % 2] * 3


def test_people_with_nobody_to_meet_in_a_large_course_are_shown_to_be_the_only_ones() -> None:
    course = corporate(500, seed=4)
    silent = {7, 8, 9, 10}
    languages = {**course.attributes["languages"], **dict.fromkeys(silent, frozenset({"sign"}))}
    outside = tuple(combinations(sorted(silent), 2))
    course = replace(
        course,
        attributes={**course.attributes, "languages": languages},
        rules=(*course.rules, Exclusions(couples=outside)),
    )

    schedule = engine.plan(course, 2, seed=4)

    assert engine.verify(course, schedule) == []
    assert {one.person for one in schedule.unpaired} == silent
    assert {one.reason for one in schedule.unpaired} == {Reason.NOBODY_ALLOWED}


def test_a_large_course_with_few_possible_partners_is_paired_as_far_as_can_be() -> None:
    # Everybody may meet those next to them in a line, so that there is one way to pair all.
    slots: dict[int, engine.Value] = {one: frozenset({f"{one - 1}", f"{one}"}) for one in range(1, 3001)}
    course = Course(tuple(slots), attributes={"slots": slots}, rules=(Share(attribute="slots"),))

    schedule = engine.plan(course, 1, seed=1)

    assert schedule.unpaired == ()
    assert sorted(tuple(sorted(group)) for group in schedule.rounds[0]) == [(one, one + 1) for one in range(1, 3001, 2)]


def test_wishes_and_history_count_where_few_couples_are_allowed() -> None:
    # Circles of six who may meet those next to them: two ways to pair each, of which one is wished for.
    slots: dict[int, engine.Value] = {}
    department: dict[int, engine.Value] = {}
    for one in range(3_000):
        ring, at = divmod(one, 6)
        slots[one] = frozenset({f"{ring}-{at}", f"{ring}-{(at + 1) % 6}"})
        department[one] = f"{(at + ring % 2) % 6 // 2}"
    course = Course(
        tuple(slots),
        attributes={"slots": slots, "department": department},
        rules=(Share(attribute="slots"),),
        wishes=(RatherOther(attribute="department", weight=5),),
    )

    schedule = engine.plan(course, 3, seed=1)

    assert engine.verify(course, schedule) == []
    points = [sum(department[one] != department[other] for one, other in groups) for groups in schedule.rounds]
    assert points[:2] == [1_500, 0]
    assert engine.repeats(course, schedule) == 1_500


@pytest.mark.parametrize("people", [4, 10, 30])
def test_nobody_meets_again_while_somebody_is_left_to_meet_though_there_are_wishes(people: int) -> None:
    course = Course(
        tuple(range(1, people + 1)),
        attributes=departments(people),
        wishes=(RatherOther(attribute="department", weight=5),),
    )

    schedule = engine.plan(course, people - 1, seed=1)

    assert engine.repeats(course, schedule) == 0


def test_nobody_meets_again_though_a_rule_forbids_a_couple_of_later_rounds() -> None:
    course = Course(tuple(range(1, 31)), rules=(Exclusions(couples=((3, 17),)),))

    schedule = engine.plan(course, 26, seed=5)

    assert engine.verify(course, schedule) == []
    assert engine.repeats(course, schedule) == 0


@given(people=st.integers(2, 9), more=st.integers(1, 6), seed=seeds)
@settings(max_examples=examples(30), deadline=None)
def test_more_rounds_than_partners_repeat_everybody_before_anybody_a_third_time(
    people: int, more: int, seed: int
) -> None:
    course = Course(tuple(range(2 * people)))

    schedule = engine.plan(course, 2 * people - 1 + more, seed)

    met = engine.meetings(schedule.rounds)
    assert max(met.values()) - min(met.values()) <= 1
    assert engine.repeats(course, schedule) == more * people


def test_never_again_leaves_people_over_rather_than_let_them_meet_again() -> None:
    course = Course((1, 2, 3, 4), rules=(NotAgain(),))

    schedule = engine.plan(course, 4, seed=1)

    assert engine.verify(course, schedule) == []
    assert engine.repeats(course, schedule) == 0
    assert len(schedule.unpaired) == 4
    assert [len(groups) for groups in schedule.rounds].count(0) == 1


def test_never_again_uses_up_all_rounds_that_there_are() -> None:
    members = tuple(range(1, 21))
    halves: dict[int, engine.Value] = {one: "first" if one <= 10 else "second" for one in members}
    course = Course(members, attributes={"group": halves}, rules=(Other(attribute="group"), NotAgain()))

    schedule = engine.plan(course, 10, seed=1)

    assert engine.verify(course, schedule) == []
    assert schedule.unpaired == ()


@given(people=st.integers(7, 21).map(lambda half: 2 * half + 1), seed=seeds)
@settings(max_examples=examples(20), deadline=None)
def test_with_rules_too_another_person_is_the_third_each_round(people: int, seed: int) -> None:
    course = Course(
        tuple(range(1, people + 1)),
        attributes=departments(people),
        wishes=(RatherOther(attribute="department", weight=5),),
    )

    schedule = engine.plan(course, 5, seed)

    thirds = [group[1] for groups in schedule.rounds for group in groups if len(group) == 3]
    assert len(set(thirds)) == 5


def thirds(rounds: Iterable[tuple[Group, ...]]) -> Counter[int]:
    return Counter(group[1] for groups in rounds for group in groups if len(group) == 3)


@given(people=st.sampled_from((3, 5, 7, 9)), rounds=st.integers(1, 5), seed=seeds)
@settings(max_examples=examples(60), deadline=None)
def test_nobody_is_the_third_more_often_than_the_trios_ask_for(people: int, rounds: int, seed: int) -> None:
    schedule = engine.plan(course_at_random(people, Random(seed)), rounds, seed)

    trios = [group for groups in schedule.rounds for group in groups if len(group) == 3]
    fewest = min(sorted(Counter(chosen).values(), reverse=True) for chosen in product(*trios))
    assert sorted(thirds(schedule.rounds).values(), reverse=True) == fewest


@pytest.mark.parametrize(("people", "rounds"), [(9, 2), (9, 9), (101, 12)])
@pytest.mark.parametrize("is_plain", [True, False])
def test_another_person_is_the_third_each_round_whatever_is_wished_and_locked(
    people: int, rounds: int, is_plain: bool
) -> None:
    plain = Course(tuple(range(1, people + 1)), locks=() if is_plain else (Lock((2, 4)),))
    wished = replace(plain, attributes=departments(people), wishes=(RatherOther(attribute="department", weight=5),))

    for course, seed in product((plain, wished), range(min(4, examples(4)))):
        schedule = engine.plan(course, rounds, seed)

        assert engine.verify(course, schedule) == []
        assert set(thirds(schedule.rounds).values()) == {1}


def test_people_who_are_locked_as_a_trio_take_turns_in_its_middle() -> None:
    course = Course(tuple(range(1, 10)), locks=(Lock((2, 4, 6)),))

    assert thirds(engine.plan(course, 6, seed=1).rounds) == {2: 2, 4: 2, 6: 2}


def test_who_was_in_a_trio_before_is_the_last_to_be_a_third() -> None:
    course = Course(tuple(range(1, 10)), in_trios=dict.fromkeys(range(2, 10), 1))
    wished = replace(course, attributes=departments(9), wishes=(RatherOther(attribute="department", weight=5),))

    for some in (course, wished):
        [third] = [group[1] for group in engine.plan(some, 1, seed=3).rounds[0] if len(group) == 3]
        assert third == 1


def test_a_locked_couple_takes_a_third_when_nobody_else_can() -> None:
    course = Course((1, 2, 3), locks=(Lock((1, 2)),))

    schedule = engine.plan(course, 2, seed=1)

    assert engine.verify(course, schedule) == []
    assert [sorted(group) for groups in schedule.rounds for group in groups] == [[1, 2, 3]] * 2


def test_a_locked_couple_takes_a_third_whom_the_others_have_to_spare() -> None:
    # The others may meet those next to them in a line, at the end of which is the only one who may join the couple.
    slots: dict[int, engine.Value] = {one: frozenset({f"{one - 1}", f"{one}"}) for one in range(3, 16)}
    slots |= {1: frozenset({"15"}), 2: frozenset({"15"})}
    course = Course(tuple(slots), attributes={"slots": slots}, rules=(Share(attribute="slots"),), locks=(Lock((1, 2)),))

    for seed in range(8):
        schedule = engine.plan(course, 1, seed)

        assert engine.verify(course, schedule) == []
        assert schedule.unpaired == ()
        assert together(schedule, 1, 1, 2, 15)


@pytest.mark.parametrize("rules", [(NotAgain(),), ()])
@pytest.mark.parametrize(
    ("people", "locks"),
    [(12, (Lock((1, 2), 5), Lock((3, 4), 5))), (13, (Lock((1, 2), 5), Lock((3, 4), 4))), (13, (Lock((1, 2, 3), 5),))],
)
def test_who_is_locked_in_a_later_round_meets_only_then(
    people: int, locks: tuple[Lock, ...], rules: tuple[NotAgain, ...]
) -> None:
    course = Course(tuple(range(1, people + 1)), rules=rules, locks=locks)

    for seed in range(8):
        schedule = engine.plan(course, 5, seed)

        met = engine.meetings(schedule.rounds)
        assert engine.verify(course, schedule) == []
        assert {met[frozenset(couple)] for lock in locks for couple in combinations(lock.members, 2)} == {1}


def test_a_locked_trio_is_the_trio_of_its_round() -> None:
    course = Course(tuple(range(1, 8)), locks=(Lock((2, 4, 6), 2),))

    schedule = engine.plan(course, 2, seed=1)

    assert engine.verify(course, schedule) == []
    assert together(schedule, 2, 2, 4, 6)


def test_locks_for_later_rounds_wait() -> None:
    course = Course((1, 2, 3, 4), locks=(Lock((1, 2), 9),))

    assert engine.verify(course, engine.plan(course, 1, seed=1)) == []


@pytest.mark.parametrize(
    ("course", "refusal"),
    [
        (Course((1, 2, 3, 4), locks=(Lock((1, 9)),)), engine.UnknownPerson),
        (Course((1, 2, 3, 4), locks=(Lock((1, 2), 1), Lock((2, 3)))), engine.LockConflict),
        (Course((1, 2, 3, 4), locks=(Lock((1, 2, 3)),)), engine.LockSize),
        (Course((1, 2, 3, 4), locks=(Lock((1,)),)), engine.LockSize),
        (Course((1, 2, 3, 4, 5, 6, 7), locks=(Lock((1, 2, 3)), Lock((4, 5, 6), 2))), engine.LockSize),
        (Course((1, 2, 3, 4), locks=(Lock((1, 2)),), rules=(Exclusions(couples=((2, 1),)),)), engine.LockForbidden),
        (Course((1, 2, 3, 4), locks=(Lock((1, 2), 2),), met=((2, 1),), rules=(NotAgain(),)), engine.LockForbidden),
        (Course((1, 2, 3, 4), locks=(Lock((1, 2)),), rules=(NotAgain(),)), engine.LockForbidden),
        (Course((1, 2, 2)), engine.ListedTwice),
        (Course((-1, 2)), engine.UnknownPerson),
    ],
)
def test_what_contradicts_itself_is_refused_with_a_name(course: Course, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        engine.plan(course, 2, seed=1)


def test_a_refused_lock_names_round_people_and_rule() -> None:
    course = Course((1, 2, 3, 4), locks=(Lock((2, 1), 2),), rules=(Exclusions(couples=((1, 2),)),))

    with pytest.raises(engine.LockForbidden) as refused:
        engine.plan(course, 2, seed=1)

    assert (refused.value.round, refused.value.members, refused.value.rule) == (2, (1, 2), "exclusions")


def test_attributes_with_as_many_values_as_people_are_looked_at_one_by_one() -> None:
    # Too many values for a table: the rule itself is asked, in blocks and in sweeps.
    course = corporate(1_500, seed=6)
    names: dict[int, engine.Value] = {one: frozenset({f"{one}", "all"}) for one in course.people}
    course = replace(
        course,
        attributes={**course.attributes, "interests": names},
        rules=(*course.rules, Share(attribute="interests", at_least=1)),
    )

    schedule = engine.plan(course, 1, seed=6)

    assert engine.verify(course, schedule) == []
    assert schedule.unpaired == ()


@given(people=st.integers(0, 60), seed=seeds, sparse=st.booleans())
@example(people=35, seed=14710, sparse=True)  # A second look at two rounds let more be paired in a third.
@settings(max_examples=examples(40), deadline=None)
def test_never_again_and_rules_that_contradict_each_other_end_in_a_proven_plan(
    people: int, seed: int, sparse: bool
) -> None:
    drawn = course_at_random(people, Random(seed), sparse=sparse)
    course = replace(drawn, rules=(*drawn.rules, NotAgain()), locks=())

    schedule = engine.plan(course, 4, seed)

    event(f"{'some' if schedule.unpaired else 'nobody'} unpaired")
    assert engine.verify(course, schedule) == []
    assert engine.repeats(course, schedule) == 0


PROGRAM = """
import hashlib
from lti_tool.pairing import engine
from tests.factories.cohorts import corporate
plans = [engine.plan(corporate(people, seed=1), rounds, seed=9) for people, rounds in ((45, 6), (400, 2))]
print(hashlib.sha256(repr([(plan.rounds, plan.unpaired, plan.proofs) for plan in plans]).encode()).hexdigest())
"""


def test_every_process_makes_the_same_plan() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": str(number)},
        ).stdout
        for number in (1, 2)
    }

    assert len(found) == 1


def test_turns_make_up_for_who_went_first_before() -> None:
    course = Course((1, 2), ahead={1: 2, 2: -2})

    schedule = engine.plan(course, 2, seed=1)

    assert [groups[0][0] for groups in schedule.rounds] == [2, 2]


def test_course_seed_and_engine_are_recorded_with_the_plan() -> None:
    course = Course((1, 2, 3, 4))

    schedule = engine.plan(course, 1, seed=12)

    assert (schedule.course, schedule.seed, schedule.engine) == (course, 12, engine.NAME)


def test_couples_come_in_the_order_of_their_people() -> None:
    schedule = engine.plan(corporate(90, seed=2), 3, seed=2)

    for groups in schedule.rounds:
        assert all(min(one) < min(other) for one, other in pairwise(groups))


@pytest.mark.parametrize("seed", range(4))
def test_a_trio_of_a_small_course_counts_half_as_much_for_each_two_as_a_couple(seed: int) -> None:
    task = tasks()[2]
    assert task.name == "2 odd 11 x 4"
    assert score(task.course, engine.plan(task.course, task.rounds, seed)).objective == 366


def test_an_odd_course_in_which_everyone_meets_has_no_more_repeats_than_its_trios_need() -> None:
    course = Course(tuple(range(9)))
    assert score(course, engine.plan(course, 9, 1)).repeats == 9 * (3 + 3) - 36
