"""Who owes what to whom in a group."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.kinds import KINDS, Kind
from lti_tool.activities.kinds.circle import CIRCLE
from lti_tool.activities.kinds.kind import To
from lti_tool.activities.kinds.observation import OBSERVATION
from lti_tool.activities.rules import Seating, givers, may_be_anonymous, owed, seat_at

RING = CIRCLE.going(To.NEXT)
sizes = st.integers(min_value=2, max_value=6)


def couples(kind: Kind, seating: Seating, key: str = "give_feedback") -> set[tuple[int, int]]:
    """Who owes this step to whom."""
    return {couple for couple, keys in owed(kind, seating).items() if key in keys}


def everybody(size: int) -> set[tuple[int, int]]:
    """All ordered couples."""
    return {(one, other) for one in range(1, size + 1) for other in range(1, size + 1) if one != other}


@st.composite
def seatings(draw: st.DrawFn) -> Seating:
    size = draw(sizes)
    away = draw(st.frozensets(st.integers(1, size), max_size=size))
    return Seating(size, draw(st.integers(1, 12)), away, draw(st.booleans()), draw(st.booleans()))


@given(seatings(), st.sampled_from([kind.going(to) for kind in KINDS.values() for to in To]))
def test_an_answer_is_owed_where_something_comes_and_nobody_owes_themselves(seating: Seating, kind: Kind) -> None:
    given = couples(kind, seating)

    assert couples(kind, seating, "acknowledge") == {(receiver, giver) for giver, receiver in given}
    back = {(receiver, giver) for giver, receiver in given} if kind.step("observer_feedback") else set()
    assert couples(kind, seating, "observer_feedback") == back
    assert couples(kind, seating, "write_notes") in (given, set())
    assert all(one != other for one, other in given)


@given(seatings())
def test_round_a_ring_everybody_present_gives_to_one_and_gets_from_one(seating: Seating) -> None:
    present = set(range(1, seating.size + 1)) - seating.away

    given = couples(RING, seating)

    expected = Counter(present) if len(present) > 1 else Counter()
    assert Counter(giver for giver, _ in given) == expected
    assert Counter(receiver for _, receiver in given) == expected


@given(sizes, st.integers(1, 12))
def test_people_who_stay_together_come_to_give_to_each_of_the_others(size: int, first: int) -> None:
    rounds = [couples(RING, Seating(size, number)) for number in range(first, first + size - 1)]

    assert Counter(couple for of_round in rounds for couple in of_round) == Counter(everybody(size))


@given(sizes, st.integers(1, 12))
def test_a_plan_in_rings_has_the_next_in_the_order_of_turns(size: int, number: int) -> None:
    """Such a plan has another order in each round."""
    given = couples(RING, Seating(size, number, is_ring=True))

    assert given == {(turn, turn % size + 1) for turn in range(1, size + 1)}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (OBSERVATION, {(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)}),
        (OBSERVATION.going(To.SEAT), {(2, 1), (3, 1)}),
        (OBSERVATION.going(To.NEXT), {(1, 2), (2, 3), (3, 1)}),
        (CIRCLE, {(1, 2), (3, 2)}),
        (CIRCLE.going(To.PARTNERS), {(1, 2), (1, 3), (2, 1), (2, 3), (3, 1), (3, 2)}),
    ],
)
def test_three_people_by_direction(kind: Kind, given: set[tuple[int, int]]) -> None:
    assert couples(kind, Seating(3)) == given


def test_whose_seat_staff_took_facilitates_nothing_and_is_told_nothing() -> None:
    seating = Seating(4, is_facilitated=True)

    assert [seat_at(CIRCLE, turn, seating) for turn in range(1, 5)] == ["case_giver", "member", "member", "member"]
    assert couples(CIRCLE, seating) == set()
    assert couples(RING, seating) == couples(RING, Seating(4))


def test_a_kind_in_one_direction_is_one_object_wherever_it_is_asked_for() -> None:
    """Steps are told apart by being one object."""
    assert OBSERVATION.going("seat") is OBSERVATION.going(To.SEAT)
    assert OBSERVATION.going(None) is OBSERVATION.going("partners") is OBSERVATION
    assert not OBSERVATION.going("seat").swaps_inside


@pytest.mark.parametrize(
    ("kind", "size", "away", "expected"),
    [
        (OBSERVATION, 3, (), 2),
        (OBSERVATION, 4, (), 3),
        (OBSERVATION, 4, (3,), 2),
        (OBSERVATION.going(To.NEXT), 5, (), 1),
        (CIRCLE, 5, (), 4),
    ],
)
def test_who_gives_to_the_second_counts_those_who_take_part(
    kind: Kind, size: int, away: tuple[int, ...], expected: int
) -> None:
    found = givers(kind, "give_feedback", Seating(size, away=frozenset(away)), 2)
    assert len(found) == expected
    assert not found & {2, *away}


def test_feedback_can_be_anonymous_where_three_may_give_to_one_and_never_in_pairs_or_rings() -> None:
    able = {key for key, kind in KINDS.items() if may_be_anonymous(kind)}
    assert able == {"circle", "observation", "rehearsal", "cross_training"}
    assert may_be_anonymous(OBSERVATION.going(To.SEAT))
    assert not may_be_anonymous(OBSERVATION.going(To.NEXT))


def test_where_givers_are_not_named_nobody_owes_them_a_text_that_names_them() -> None:
    kind = OBSERVATION.without_names
    assert kind.step("observer_feedback") is None
    assert not any("observer_feedback" in part.steps for part in kind.agenda)
    assert kind is OBSERVATION.without_names, "steps are the same only if they are one object"
    assert KINDS["circle"].without_names is KINDS["circle"]
