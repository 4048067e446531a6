"""Trios and circles: everybody in a group, few meet twice, rules and locks hold, cases are shared."""

from collections import Counter
from dataclasses import replace
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine.check import verify
from lti_tool.pairing.engine.plan import plan
from lti_tool.pairing.engine.problem import (
    Course,
    Group,
    ImpossibleRequest,
    Kind,
    Lock,
    LockConflict,
    LockForbidden,
    LockSize,
    Reason,
    Shape,
    UnknownPerson,
    balance,
    repeats,
)
from lti_tool.pairing.engine.repair_groups import group_sizes
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, Other, Same
from lti_tool.pairing.engine.turns import choose_evenly
from lti_tool.pairing.engine.wishes import RatherOther
from tests.factories.cohorts import corporate
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.budget import examples

shapes = st.one_of(
    st.just(Shape(Kind.TRIOS, 3)), st.builds(Shape, st.sampled_from([Kind.CIRCLES, Kind.RINGS]), st.integers(3, 6))
)


def circles(people: int, size: int, kind: Kind = Kind.CIRCLES) -> Course:
    return Course(tuple(range(1, people + 1)), shape=Shape(kind, size))


@given(people=st.integers(0, 400), shape=shapes)
@settings(max_examples=examples(200), deadline=None)
def test_groups_are_of_equal_size_and_as_large_as_asked_for_give_or_take_one(people: int, shape: Shape) -> None:
    sizes = group_sizes(people, shape)

    assert sum(sizes) == (people if people > 1 else 0)
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert max(sizes, default=0) <= shape.size + 1
    if people >= 4 * shape.size:
        assert min(sizes) >= shape.size - 1
    if people > 2 and shape.kind is not Kind.TRIOS and (people, shape.size) != (5, 3):
        assert min(sizes) > 2


@pytest.mark.parametrize(
    ("people", "sizes"), [(2, (2,)), (3, (3,)), (4, (4,)), (5, (3, 2)), (6, (3, 3)), (7, (4, 3)), (8, (3, 3, 2))]
)
def test_trios_have_one_group_of_four_or_one_pair_beside_them(people: int, sizes: tuple[int, ...]) -> None:
    assert group_sizes(people, Shape(Kind.TRIOS, 3)) == sizes


@given(people=st.integers(0, 40), shape=shapes, rounds=st.integers(1, 4), seed=st.integers(0, 2**32))
@settings(max_examples=examples(30), deadline=None)
def test_without_rules_everybody_is_in_a_group_and_two_plans_of_one_seed_are_equal(
    people: int, shape: Shape, rounds: int, seed: int
) -> None:
    course = Course(tuple(range(1, people + 1)), shape=shape)

    schedule = plan(course, rounds, seed)

    assert verify(course, schedule) == []
    assert all(sorted(map(len, groups), reverse=True) == [*group_sizes(people, shape)] for groups in schedule.rounds)
    assert len(schedule.unpaired) == (rounds if people == 1 else 0)
    assert plan(replace(course, people=course.people[::-1]), rounds, seed).rounds == schedule.rounds


@given(
    people=st.integers(0, 26), shape=shapes, rounds=st.integers(1, 4), seed=st.integers(0, 2**32), sparse=st.booleans()
)
@settings(max_examples=examples(30), deadline=None)
def test_whatever_the_rules_the_checker_finds_nothing(
    people: int, shape: Shape, rounds: int, seed: int, sparse: bool
) -> None:
    course = replace(course_at_random(people, Random(seed), sparse=sparse), shape=shape)

    schedule = plan(course, rounds, seed)

    assert verify(course, schedule) == []


@pytest.mark.parametrize(
    ("people", "size", "rounds"),
    [(9, 3, 4), (15, 3, 7), (16, 4, 5), (25, 5, 6), (12, 3, 4), (20, 4, 5), (40, 5, 5), (100, 4, 6), (1000, 5, 6)],
)
def test_nobody_meets_again_while_there_is_room(people: int, size: int, rounds: int) -> None:
    """The first four are designs in which everybody meets everybody once (Kirkman; affine planes)."""
    course = circles(people, size)

    assert repeats(course, plan(course, rounds, seed=1)) == 0


def test_people_who_met_before_are_kept_apart() -> None:
    met = ((1, 2), (3, 4), (5, 6), (1, 3))
    course = replace(circles(6, 3), met=met)

    schedule = plan(course, 1, seed=0)

    assert repeats(course, schedule) == 0


def test_every_couple_of_a_large_company_keeps_the_rules() -> None:
    course = replace(corporate(300), shape=Shape(Kind.CIRCLES, 5))

    schedule = plan(course, 3, seed=1)

    assert verify(course, schedule) == []
    assert schedule.unpaired == ()


def test_members_come_from_different_departments_where_that_is_wished() -> None:
    department = {one: "abc"[one % 3] for one in range(1, 31)}
    course = replace(
        circles(30, 3),
        attributes={"department": department},
        wishes=(RatherOther(attribute="department", weight=5),),
    )

    schedule = plan(course, 3, seed=1)

    mixed = [len({department[one] for one in group}) == 3 for groups in schedule.rounds for group in groups]
    assert all(mixed)
    assert repeats(course, schedule) == 0


def test_locked_people_sit_together_and_nobody_else_is_lost() -> None:
    locks = (Lock((1, 2, 3)), Lock((4, 5), 1), Lock((6, 7), 2), Lock((8, 9, 10, 11, 12), 2))
    course = replace(circles(17, 4), locks=locks)

    schedule = plan(course, 3, seed=1)

    assert verify(course, schedule) == []
    assert schedule.unpaired == ()


def test_as_many_locked_pairs_as_there_are_trios_and_more_find_a_place() -> None:
    course = replace(circles(6, 3, Kind.TRIOS), locks=(Lock((1, 2)), Lock((3, 4)), Lock((5, 6))))

    schedule = plan(course, 1, seed=1)

    assert verify(course, schedule) == []


@pytest.mark.parametrize(
    ("locks", "error"),
    [
        ((Lock((1, 99)),), UnknownPerson),
        ((Lock((1, 2)), Lock((2, 3), 1)), LockConflict),
        ((Lock((1,)),), LockSize),
        ((Lock((1, 2, 3, 4, 5, 6)),), LockSize),
        ((Lock((7, 8)),), LockForbidden),
    ],
)
def test_locks_that_cannot_be_kept_are_refused(locks: tuple[Lock, ...], error: type[ImpossibleRequest]) -> None:
    course = replace(circles(12, 4), locks=locks, rules=(Exclusions(couples=((7, 8),)),))

    with pytest.raises(error):
        plan(course, 1, seed=1)


def test_who_may_work_with_nobody_is_unpaired_and_the_others_are_not() -> None:
    course = replace(circles(9, 4), rules=(Exclusions(couples=tuple((9, one) for one in range(1, 9))),))

    schedule = plan(course, 2, seed=1)

    assert [(one.person, one.reason) for one in schedule.unpaired] == [(9, Reason.NOBODY_ALLOWED)] * 2
    assert verify(course, schedule) == []


def test_a_pair_is_made_for_somebody_whom_no_group_takes() -> None:
    # 9 may work with 1 only: no circle of four takes both.
    course = replace(circles(9, 4), rules=(Exclusions(couples=tuple((9, one) for one in range(2, 9))),))

    schedule = plan(course, 1, seed=1)

    assert schedule.unpaired == ()
    assert {1, 9} in [set(group) for group in schedule.rounds[0]]


def test_never_again_is_kept_by_smaller_groups_when_rounds_are_many() -> None:
    course = replace(circles(9, 3), rules=(NotAgain(),))

    schedule = plan(course, 6, seed=1)

    assert repeats(course, schedule) == 0
    assert verify(course, schedule) == []


def test_whom_nobody_took_last_time_comes_first_now() -> None:
    # Two groups of a department each, and one too many in both: they may work with nobody else.
    department = {one: "ab"[one % 2] for one in range(1, 7)} | {7: "c", 8: "d"}
    rules = (Same(attribute="department"),)
    course = replace(circles(8, 3), attributes={"department": department}, rules=rules, left_out=frozenset({1, 2}))

    schedule = plan(course, 1, seed=2)

    assert {one.person for one in schedule.unpaired} == {7, 8}


@given(people=st.integers(3, 40), size=st.integers(3, 6), rounds=st.integers(1, 8), seed=st.integers(0, 99))
@settings(max_examples=examples(12), deadline=None)
def test_everybody_brings_a_case_as_often_as_everybody_else_or_once_more(
    people: int, size: int, rounds: int, seed: int
) -> None:
    course = circles(people, size)

    schedule = plan(course, rounds, seed)

    firsts = Counter(dict.fromkeys(course.people, 0))
    firsts.update(group[0] for groups in schedule.rounds for group in groups)
    # With groups of one size, choosing is dividing; those in larger groups wait longer, but nobody twice as long.
    assert max(firsts.values()) - min(firsts.values()) <= 1


@st.composite
def any_groups(draw: st.DrawFn) -> list[Group]:
    people = range(draw(st.integers(2, 7)))
    groups = st.lists(st.sampled_from(people), min_size=1, max_size=4, unique=True).map(tuple)
    return draw(st.lists(groups, max_size=6))


@given(groups=any_groups(), seed=st.integers(0, 99), before=st.lists(st.integers(0, 3), min_size=7, max_size=7))
@settings(max_examples=examples(200), deadline=None)
def test_no_choice_of_one_a_group_is_more_even(groups: list[Group], seed: int, before: list[int]) -> None:
    start = dict(enumerate(before))
    people = {one for group in groups for one in group}

    def spread(chosen: tuple[int, ...]) -> list[int]:
        counts = Counter(start)
        counts.update(chosen)
        return sorted((counts[one] for one in people), reverse=True)

    chosen = choose_evenly(groups, [1] * len(groups), Random(seed), start)

    assert spread(tuple(one for (one,) in chosen)) == min(map(spread, product(*groups)))


@given(people=st.integers(2, 40), rounds=st.integers(1, 6), seed=st.integers(0, 99))
@settings(max_examples=examples(20), deadline=None)
def test_in_trios_first_and_last_are_shared_after_every_round_and_so_is_observing(
    people: int, rounds: int, seed: int
) -> None:
    schedule = plan(circles(people, 3, Kind.TRIOS), rounds, seed)

    for number in range(1, rounds + 1):
        assert all(abs(ahead) <= 1 for ahead in balance(schedule.rounds[:number]).values())
    if people % 3 == 0:
        middles = Counter(dict.fromkeys(range(1, people + 1), 0))
        middles.update(one for groups in schedule.rounds for group in groups for one in group[1:-1])
        assert max(middles.values()) - min(middles.values()) <= 1


def test_the_pair_among_trios_is_another_one_each_round() -> None:
    schedule = plan(circles(20, 3, Kind.TRIOS), 6, seed=1)

    in_pairs = Counter(one for groups in schedule.rounds for group in groups if len(group) == 2 for one in group)
    assert max(in_pairs.values()) == 1


def test_people_who_will_be_locked_together_are_kept_apart_before() -> None:
    course = replace(circles(9, 3), locks=(Lock((1, 2, 3), 3),), rules=(NotAgain(),))

    for seed in range(5):
        schedule = plan(course, 3, seed)
        assert verify(course, schedule) == []
        assert repeats(course, schedule) == 0


def test_people_locked_in_every_round_meet_again_and_others_as_little_as_can_be() -> None:
    course = replace(circles(12, 4), locks=(Lock((1, 2)),))

    schedule = plan(course, 3, seed=1)

    assert verify(course, schedule) == []
    assert 2 <= repeats(course, schedule) <= 8


def test_departments_that_may_not_mix_stay_apart() -> None:
    department = {one: "ab"[one % 2] for one in range(1, 21)}
    course = replace(circles(20, 5), attributes={"department": department}, rules=(Same(attribute="department"),))

    schedule = plan(course, 2, seed=1)

    assert schedule.unpaired == ()
    for group in (group for groups in schedule.rounds for group in groups):
        assert all(department[one] == department[other] for one, other in combinations(group, 2))


def test_a_rule_that_leaves_no_circle_leaves_pairs() -> None:
    department = {one: "ab"[one % 2] for one in range(1, 13)}
    course = replace(circles(12, 4), attributes={"department": department}, rules=(Other(attribute="department"),))

    schedule = plan(course, 2, seed=1)

    assert schedule.unpaired == ()
    assert verify(course, schedule) == []


def test_rounds_are_at_least_one() -> None:
    with pytest.raises(ImpossibleRequest):
        plan(circles(6, 3), 0, seed=1)
