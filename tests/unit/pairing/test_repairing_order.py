"""What counts in a repair, criterion by criterion, each beside what would happen without it."""

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Lock, Reason, Schedule, Unpaired, Value
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, Other
from lti_tool.pairing.engine.wishes import RatherSame
from tests.unit.pairing.fewest_changes import changed, fewest_changes


def only(people: range, *allowed: tuple[int, int]) -> tuple[Exclusions]:
    """Of these people only the couples named may meet."""
    return (Exclusions(couples=tuple(couple for couple in combinations(people, 2) if couple not in allowed)),)


def unpaired(schedule: Schedule, number: int = 1) -> list[int]:
    return [one.person for one in schedule.unpaired if one.round == number]


@pytest.mark.parametrize("left_out", [1, 2])
def test_of_two_who_could_have_the_only_partner_it_is_whoever_was_left_out_last_time(left_out: int) -> None:
    course = Course((1, 2, 3, 4), rules=only(range(1, 5), (1, 3), (2, 3)), left_out=frozenset({left_out}))
    before = Schedule((((1, 3),),), course=course)

    after = engine.repair(Schedule(((),), course=course), (), (), 1)
    kept = engine.repair(before, (), (), 1)

    assert unpaired(after) == sorted({1, 2, 4} - {left_out})
    # Not even the couple that stands is in the way of someone who was left out.
    assert unpaired(kept) == sorted({1, 2, 4} - {left_out})


@pytest.mark.parametrize("left_out", [1, 2])
def test_whoever_had_nobody_in_the_round_before_comes_first_in_the_next(left_out: int) -> None:
    course = Course((1, 2, 3, 4), rules=only(range(1, 5), (1, 3), (2, 3)))
    other = 3 - left_out
    alone = tuple(Unpaired(person, 1, Reason.TOO_FEW_PARTNERS) for person in (left_out, 4))
    before = Schedule((((other, 3),), ((other, 3),)), alone, course)

    after = engine.repair(before, (), (), 2)

    assert unpaired(after, 2) == sorted([other, 4])


@pytest.mark.parametrize("people", [4, 5, 400, 401])
def test_who_was_left_out_comes_first_before_wishes_and_couples_in_rounds_of_any_size(people: int) -> None:
    small = people // 2 - 1
    group = {person: "small" if person <= small else "large" for person in range(1, people + 1)}
    flagged = people
    course = Course(
        tuple(range(1, people + 1)),
        attributes={"group": group},
        rules=(Other(attribute="group"),),
        wishes=(RatherSame(attribute="group", weight=1_000),),
        left_out=frozenset({flagged}),
    )
    groups = tuple((person, small + person) for person in range(1, small + 1))

    after = engine.repair(Schedule((groups,), course=course), (), (), 1)

    assert engine.verify(after.course, after) == []
    assert flagged not in unpaired(after)
    assert len(unpaired(after)) == people - 2 * small


def test_never_again_looks_at_later_rounds_as_well() -> None:
    # 1 and 3 lose their partners in the first round and meet in the second; so a couple opens for them in the first.
    course = Course((1, 2, 3, 4, 5, 6), rules=(NotAgain(),))
    before = Schedule((((1, 2), (3, 4), (5, 6)), ((1, 3), (2, 5), (4, 6))), course=course)

    after = engine.repair(before, {2, 4}, (), 1)

    assert engine.verify(after.course, after) == []
    first, second = ({tuple(sorted(group)) for group in groups} for groups in after.rounds)
    assert (1, 3) not in first
    assert (1, 3) in second


def test_never_again_gives_way_to_a_later_meeting_only_where_someone_would_be_alone() -> None:
    # In the first round only 1 and 3 could be paired, who meet in the second; there both have others.
    allowed = (1, 2), (1, 3), (1, 5), (2, 5), (3, 4), (3, 6), (4, 6), (5, 6)
    course = Course((1, 2, 3, 4, 5, 6), rules=(NotAgain(), *only(range(1, 7), *allowed)), locks=(Lock((5, 6), 1),))
    before = Schedule((((1, 2), (3, 4), (5, 6)), ((1, 3), (2, 5), (4, 6))), course=course)

    after = engine.repair(before, {2, 4}, (), 1)

    assert engine.verify(after.course, after) == []
    assert [{tuple(sorted(group)) for group in groups} for groups in after.rounds] == [
        {(1, 3), (5, 6)},
        {(1, 5), (3, 6)},
    ]


@pytest.mark.parametrize("seed", range(40))
def test_the_fewest_changes_are_the_fewest_when_wishes_and_repeats_pull_the_other_way(seed: int) -> None:
    chance = Random(seed)
    people = tuple(range(1, 9))
    rules = (Exclusions(couples=tuple(couple for couple in combinations(range(1, 11), 2) if chance.random() < 0.5)),)
    group: dict[int, Value] = {person: chance.choice("ab") for person in range(1, 11)}
    before = engine.plan(Course(people, rules=rules), 1, seed)
    met = tuple(couple for couple in combinations(people, 2) if couple in before.rounds[0] or chance.random() < 0.3)
    wishes = (RatherSame(attribute="group", weight=1_000),)
    course = replace(before.course, met=met, attributes={"group": group}, wishes=wishes)

    after = engine.repair(replace(before, course=course), {chance.choice(people)}, {9}, 1)

    found = len(after.unpaired), changed(after.course, before.rounds[0], after.rounds[0])
    assert found == fewest_changes(after.course, before.rounds[0])


def test_one_pin_in_the_way_ends_that_pin_and_no_other() -> None:
    course = Course(tuple(range(1, 9)), locks=(Lock((1, 2), 1), Lock((3, 4), 1), Lock((5, 6))))
    before = engine.plan(course, 2, seed=1)

    after = engine.repair(before, {2}, (), 1)

    assert [lock.members for lock in after.course.locks] == [(3, 4), (5, 6)]
    for number, pin in ((1, {3, 4}), (1, {5, 6}), (2, {5, 6})):
        assert any(pin <= set(group) for group in after.rounds[number - 1])
    assert engine.verify(after.course, after) == []


@pytest.mark.parametrize(
    ("from_round", "fixed", "may_turn", "group"),
    [(1, (), True, (2, 1)), (1, (), False, (1, 2)), (1, ((1, (1, 2)),), True, (1, 2)), (2, (), True, (1, 2))],
)
def test_a_group_that_stays_is_turned_round_for_someone_two_ahead_unless_it_has_begun_or_is_earlier(
    from_round: int, fixed: tuple[tuple[int, tuple[int, int]], ...], may_turn: bool, group: tuple[int, int]
) -> None:
    course = Course((1, 2, 3, 4), ahead={1: 2, 2: -1})
    before = Schedule((((1, 2), (3, 4)), ((1, 3), (2, 4))), course=course)

    after = engine.repair(before, {3}, {5}, from_round, fixed=fixed, may_turn=may_turn)

    assert group in after.rounds[0]
    assert (5, 1) in after.rounds[1]


def test_who_lost_partners_together_stays_with_former_company() -> None:
    # Of two groups that break up, two of the first may go on together, though strangers would have more points.
    group: dict[int, Value] = {1: "a", 2: "b", 3: "a", 4: "b"}
    wishes = (RatherSame(attribute="group", weight=1_000),)
    course = Course((1, 2, 3, 4), attributes={"group": group}, wishes=wishes)
    before = Schedule((((1, 2, 9), (3, 4, 8)),), course=course)

    after = engine.repair(before, {8, 9}, (), 1)

    assert {frozenset(pair) for pair in after.rounds[0]} == {frozenset((1, 2)), frozenset((3, 4))}


def test_a_later_meeting_moves_where_someone_would_be_alone() -> None:
    # In the first round only 1 and 3 could be paired, who meet in the second; there 2 and 4 part for them.
    allowed = (1, 2), (1, 3), (2, 4), (2, 5), (3, 4), (4, 6), (5, 6)
    course = Course((1, 2, 3, 4, 5, 6), rules=(NotAgain(), *only(range(1, 7), *allowed)))
    before = Schedule((((2, 5), (4, 6)), ((1, 3), (2, 4), (5, 6))), course=course)

    after = engine.repair(before, (), (), 1)

    assert engine.verify(course, after) == []
    assert [{tuple(sorted(pair)) for pair in groups} for groups in after.rounds] == [
        {(1, 3), (2, 5), (4, 6)},
        {(1, 2), (3, 4), (5, 6)},
    ]
