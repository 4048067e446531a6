"""Circles, trios and rings after people came or went: groups shrink, take in, merge, and nobody else moves."""

from collections import Counter
from dataclasses import replace

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Kind, Lock, Reason, Schedule, Shape, Unpaired
from lti_tool.pairing.engine.rules import Exclusions
from lti_tool.pairing.engine.turns import observations
from lti_tool.pairing.engine.why import Cause, changes

FOURS = Shape(Kind.CIRCLES, 4)
GROUPS = ((1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11, 12))
TWELVE = Schedule((GROUPS,), course=Course(tuple(range(1, 13)), shape=FOURS))


def sets(schedule: Schedule, number: int = 1) -> set[frozenset[int]]:
    return {frozenset(group) for group in schedule.rounds[number - 1]}


def test_a_circle_that_loses_one_is_smaller_and_the_others_stay() -> None:
    after = engine.repair(TWELVE, {3}, (), 1)

    assert sets(after) == {frozenset((1, 2, 4)), *map(frozenset, GROUPS[1:])}
    assert after.rounds[0][:2] == GROUPS[1:]
    assert engine.verify(after.course, after) == []


def test_who_joins_comes_to_the_circle_that_changes_anyway() -> None:
    after = engine.repair(TWELVE, {3}, {20}, 1)

    assert frozenset((1, 2, 4, 20)) in sets(after)
    assert {one.person: one.cause for one in changes(TWELVE, after)} == {
        1: Cause.PARTNER_LEFT,
        2: Cause.PARTNER_LEFT,
        4: Cause.PARTNER_LEFT,
        20: Cause.JOINED,
    }


def test_the_last_two_of_a_circle_go_where_there_is_room() -> None:
    after = engine.repair(TWELVE, {3, 4}, (), 1)

    assert sorted(map(len, after.rounds[0])) == [5, 5]
    assert engine.verify(after.course, after) == []


def test_who_joins_alone_comes_to_the_smallest_circle() -> None:
    before = replace(TWELVE, rounds=(((1, 2, 3, 4), (5, 6, 7)),), course=Course(tuple(range(1, 8)), shape=FOURS))

    after = engine.repair(before, (), {20}, 1)

    assert sets(after) == {frozenset((1, 2, 3, 4)), frozenset((5, 6, 7, 20))}


def test_three_who_join_are_a_circle_of_their_own() -> None:
    after = engine.repair(TWELVE, (), {20, 21, 22}, 1)

    assert sets(after) == {*map(frozenset, GROUPS), frozenset((20, 21, 22))}
    assert after.rounds[0][:3] == GROUPS


def test_whom_a_rule_forbids_now_leaves_the_circle_and_finds_another() -> None:
    rule = Exclusions(couples=((1, 2), (2, 5)))

    after = engine.repair(replace(TWELVE, course=replace(TWELVE.course, rules=(rule,))), (), (), 1)

    assert sets(after) == {frozenset((1, 3, 4)), frozenset((5, 6, 7, 8)), frozenset((2, 9, 10, 11, 12))}
    assert engine.verify(after.course, after) == []


def test_locked_people_are_brought_together_in_a_circle() -> None:
    course = replace(TWELVE.course, locks=(Lock((1, 5)),))

    after = engine.repair(replace(TWELVE, course=course), (), (), 1)

    assert any({1, 5} <= set(group) for group in after.rounds[0])
    assert set(GROUPS[2:]) <= set(after.rounds[0])
    assert engine.verify(course, after) == []


def test_who_fits_nowhere_is_unpaired_with_a_reason() -> None:
    alone = Exclusions(couples=tuple((20, other) for other in range(1, 13)))

    after = engine.repair(replace(TWELVE, course=replace(TWELVE.course, rules=(alone,))), (), {20}, 1)

    assert after.unpaired == (Unpaired(20, 1, Reason.NOBODY_ALLOWED),)
    assert after.rounds == TWELVE.rounds


def test_a_trio_that_loses_one_is_a_pair_and_one_who_joins_makes_it_a_trio_again() -> None:
    course = Course(tuple(range(1, 7)), shape=Shape(Kind.TRIOS, 3))
    before = Schedule((((1, 2, 3), (4, 5, 6)),), course=course)

    smaller = engine.repair(before, {2}, (), 1)
    assert sets(smaller) == {frozenset((1, 3)), frozenset((4, 5, 6))}

    assert sets(engine.repair(smaller, (), {9}, 1)) == {frozenset((1, 3, 9)), frozenset((4, 5, 6))}


def test_circles_of_two_or_three_people_in_all_are_one_group() -> None:
    for people in (2, 3):
        empty = Schedule(((),), course=Course(tuple(range(people)), shape=Shape(Kind.CIRCLES, 5)))
        [[group]] = engine.repair(empty, (), (), 1).rounds
        assert sorted(group) == list(range(people))


def test_who_brought_a_case_least_brings_it_in_a_new_circle() -> None:
    rounds = (GROUPS, ((1, 5, 9, 2), (3, 6, 7, 10), (4, 8, 11, 12)))
    before = Schedule((*rounds, ((2, 6, 11, 1), (3, 7, 12, 5), (4, 8, 9, 10))), course=TWELVE.course)

    after = engine.repair(before, {2}, (), 3)

    cases = Counter(group[0] for groups in rounds for group in groups)
    formed = next(group for group in after.rounds[2] if set(group) == {6, 11, 1})
    assert cases[formed[0]] == 0
    assert cases[1] == 2


def test_in_a_new_ring_few_observe_whom_they_observe_elsewhere() -> None:
    course = Course((1, 2, 3, 4), shape=Shape(Kind.RINGS, 4))
    before = Schedule((((1, 2, 3, 4),), ()), course=course)

    after = engine.repair(before, (), (), 2)

    seen = [set(observations(groups[0])) for groups in after.rounds]
    assert not seen[0] & seen[1]
