"""Repair: people come and go, and nearly everybody keeps their partner."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Reason, Schedule, Unpaired
from tests.unit.pairing.budget import examples
from tests.unit.pairing.fewest_changes import moved

PAIRS = Schedule((((1, 2), (3, 4)), ((1, 3), (2, 4))))


def groups_of(schedule: Schedule, number: int) -> set[frozenset[int]]:
    return {frozenset(group) for group in schedule.rounds[number - 1]}


def test_a_joiner_makes_a_pair_a_trio_when_nobody_waits() -> None:
    after = engine.repair(PAIRS, left=(), joined=(5,), from_round=1)

    assert [sorted(map(len, groups)) for groups in after.rounds] == [[2, 3], [2, 3]]
    assert engine.verify(Course((1, 2, 3, 4, 5)), after) == []


def test_a_joiner_meets_the_one_whose_partner_left() -> None:
    after = engine.repair(PAIRS, left=(2,), joined=(5,), from_round=1)

    assert groups_of(after, 1) == {frozenset((1, 5)), frozenset((3, 4))}
    assert groups_of(after, 2) == {frozenset((1, 3)), frozenset((4, 5))}


def test_two_who_lost_their_partners_are_put_together_and_nobody_else_moves() -> None:
    before = Schedule((((1, 2), (3, 4), (5, 6)),))

    after = engine.repair(before, left=(2, 4), joined=(), from_round=1)

    assert groups_of(after, 1) == {frozenset((1, 3)), frozenset((5, 6))}
    assert moved(before, after) == {1, 2, 3, 4}


def test_one_who_lost_a_partner_takes_a_member_of_the_trio() -> None:
    before = Schedule((((1, 2), (3, 9, 4)),))

    after = engine.repair(before, left=(2,), joined=(), from_round=1)

    pair = next(group for group in groups_of(after, 1) if 1 in group)
    assert groups_of(after, 1) == {pair, frozenset((1, 3, 4, 9)) - pair}


def test_the_member_taken_from_a_trio_is_one_not_met_before() -> None:
    before = Schedule((((1, 2), (3, 9, 4)), ((1, 9), (2, 3, 4))))

    after = engine.repair(before, left=(2,), joined=(), from_round=1)

    assert frozenset((1, 9)) not in groups_of(after, 1)
    assert engine.verify(Course((1, 3, 4, 9)), after) == []


def test_one_who_lost_a_partner_among_pairs_makes_a_trio() -> None:
    after = engine.repair(PAIRS, left=(2,), joined=(), from_round=2)

    assert after.rounds[0] == PAIRS.rounds[0]
    assert groups_of(after, 2) == {frozenset((1, 3, 4))}


def test_a_trio_that_loses_one_is_a_pair() -> None:
    after = engine.repair(Schedule((((1, 2, 3), (4, 5)),)), left=(2,), joined=(), from_round=1)

    assert groups_of(after, 1) == {frozenset((1, 3)), frozenset((4, 5))}


def test_the_last_one_is_unpaired_and_paired_again_when_somebody_comes() -> None:
    alone = engine.repair(Schedule((((1, 2),),)), left=(2,), joined=(), from_round=1)
    assert alone.rounds == ((),)
    assert alone.unpaired == (Unpaired(1, 1, Reason.NOBODY_ELSE),)

    again = engine.repair(alone, left=(), joined=(3,), from_round=1)

    assert again.unpaired == ()
    assert groups_of(again, 1) == {frozenset((1, 3))}


def test_a_group_that_has_begun_keeps_whoever_is_left_in_it() -> None:
    begun = {(1, (1, 2)), (1, (3, 4))}

    after = engine.repair(PAIRS, left=(2,), joined=(5,), from_round=1, fixed=begun)

    assert after.rounds[0] == ((1, 2), (3, 4))
    assert after.unpaired == (Unpaired(5, 1, Reason.OTHERS_HAVE_BEGUN),)
    assert groups_of(after, 2) == {frozenset((1, 3)), frozenset((4, 5))}
    assert engine.verify(Course((1, 3, 4, 5)), after, fixed=begun) == []


def test_somebody_cannot_leave_and_join_at_once() -> None:
    with pytest.raises(engine.ImpossibleRequest):
        engine.repair(PAIRS, left=(1,), joined=(1,), from_round=1)


@given(
    size=st.integers(min_value=0, max_value=21),
    rounds=st.integers(min_value=1, max_value=5),
    seed=st.integers(min_value=0, max_value=10_000),
    from_round=st.integers(min_value=1, max_value=5),
    changes=st.lists(
        st.tuples(st.sets(st.integers(0, 20), max_size=6), st.integers(min_value=0, max_value=4)), max_size=4
    ),
)
@settings(max_examples=examples(60), deadline=None)
def test_any_departures_and_arrivals_leave_a_schedule_that_passes_the_checker(
    size: int, rounds: int, seed: int, from_round: int, changes: list[tuple[set[int], int]]
) -> None:
    from_round = min(from_round, rounds)
    present = set(range(size))
    schedule = engine.plan(Course(tuple(present)), rounds, seed)
    newcomer = 100
    for leaving, arriving in changes:
        left = leaving & present
        joined = set(range(newcomer, newcomer + arriving))
        newcomer += arriving
        before = schedule

        schedule = engine.repair(before, left, joined, from_round)

        present = (present - left) | joined
        assert engine.verify(Course(tuple(present)), schedule, from_round=from_round) == []
        assert schedule.rounds[: from_round - 1] == before.rounds[: from_round - 1]
        assert engine.repair(schedule, left, joined, from_round) == schedule
        # Each one who came or went touches at most their own partners, plus one group that takes or gives a member.
        touched_groups = 2 * (len(left) + len(joined)) + 1
        for old, new in zip(before.rounds, schedule.rounds, strict=True):
            kept = {frozenset(group) for group in old} & {frozenset(group) for group in new}
            assert len(old) - len(kept) <= touched_groups
