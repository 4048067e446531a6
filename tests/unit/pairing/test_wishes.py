"""Wishes: each gives all couples the points that a plain sentence of Python gives two people."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.wishes import (
    ALL,
    ExtraShared,
    NearInTime,
    OffersFit,
    RatherGap,
    RatherOther,
    RatherSame,
    Wish,
    minutes_ahead,
)
from tests.unit.pairing.budget import examples

DEPARTMENTS = st.one_of(st.none(), st.sampled_from(["Care", "Law", "Sales"]))
IDS = st.integers(min_value=1, max_value=25)
SETS = st.one_of(st.none(), st.frozensets(st.sampled_from("abcdefg"), max_size=6))
ATTRIBUTES = st.fixed_dictionaries(
    {
        "department": st.dictionaries(
            IDS, st.one_of(st.none(), st.sampled_from(["Care", "Law", "Sales"])), max_size=25
        ),
        "experience": st.dictionaries(IDS, st.one_of(st.none(), st.integers(-5, 12)), max_size=25),
        "slots": st.dictionaries(IDS, SETS, max_size=25),
        "offers": st.dictionaries(IDS, SETS, max_size=25),
        "needs": st.dictionaries(IDS, SETS, max_size=25),
        "utc_offset": st.dictionaries(IDS, st.one_of(st.none(), st.integers(-720, 840)), max_size=25),
    }
)
Attributes = dict[str, dict[int, Any]]
Plain = Callable[[Attributes, int, int], int]


@st.composite
def cohorts(draw: st.DrawFn) -> People:
    return People(tuple(draw(st.lists(IDS, max_size=14, unique=True))), draw(ATTRIBUTES))


def both(attribute: str, says: Callable[[Any, Any], int]) -> Plain:
    def plain(attributes: Attributes, one: int, other: int) -> int:
        mine, theirs = attributes[attribute].get(one), attributes[attribute].get(other)
        return 0 if mine is None or theirs is None else says(mine, theirs)

    return plain


def hours_apart(mine: int, theirs: int) -> float:
    return min(abs(mine - theirs + 1440 * days) for days in (-2, -1, 0, 1, 2)) / 60


def helping(attributes: Attributes, one: int, other: int) -> int:
    return sum(
        4
        for giver, taker in ((one, other), (other, one))
        if (attributes["offers"].get(giver) or frozenset()) & (attributes["needs"].get(taker) or frozenset())
    )


EVERY_WISH: list[tuple[Wish, Plain]] = [
    (RatherOther(attribute="department", weight=7), both("department", lambda mine, theirs: 7 * (mine != theirs))),
    (RatherSame(attribute="department", weight=7), both("department", lambda mine, theirs: 7 * (mine == theirs))),
    (RatherGap(weight=3, cap=10), both("experience", lambda mine, theirs: min(10, 3 * abs(mine - theirs)))),
    (
        ExtraShared(attribute="slots", weight=2, cap=5),
        both("slots", lambda mine, theirs: min(5, 2 * max(0, len(mine & theirs) - 1))),
    ),
    (
        NearInTime(weight=2, hours=6),
        both("utc_offset", lambda mine, theirs: 2 * int(max(0, 6 - hours_apart(mine, theirs)))),
    ),
    (OffersFit(weight=4), helping),
]


@pytest.mark.parametrize(("wish", "says"), EVERY_WISH, ids=[wish.name for wish, _ in EVERY_WISH])
@given(people=cohorts())
@settings(max_examples=examples(40), deadline=None)
def test_a_wish_gives_all_couples_what_it_gives_two_people(people: People, wish: Wish, says: Plain) -> None:
    places = np.array(list(combinations(range(len(people)), 2)), dtype=np.int64).reshape(-1, 2)
    one, other = places[:, 0], places[:, 1]

    points = wish.points(people, one, other)

    ids = people.ids.tolist()
    assert points.dtype == np.int64
    assert points.tolist() == [says(people.attributes, ids[a], ids[b]) for a, b in places.tolist()]
    assert points.tolist() == wish.points(people, other, one).tolist()
    assert all(0 <= one <= wish.most for one in points.tolist())


def test_every_wish_is_tried_here() -> None:
    assert {type(wish) for wish, _ in EVERY_WISH} == set(ALL)


@pytest.mark.parametrize(
    ("mine", "theirs", "points"),
    [(60, 60, 6), (60, 0, 5), (60, 30, 5), (60, -300, 0), (780, -660, 6), (840, -540, 5), (330, 345, 5)],
    ids=["same", "an hour", "half an hour", "an ocean", "across the date line", "an hour across it", "India and Nepal"],
)
def test_people_are_near_when_their_clocks_show_about_the_same_time(mine: int, theirs: int, points: int) -> None:
    people = People((1, 2), {"utc_offset": {1: mine, 2: theirs}})

    assert NearInTime(weight=1).points(people, np.array([0]), np.array([1])).tolist() == [points]


@pytest.mark.parametrize(
    ("zone", "minutes"),
    [("Europe/Oslo", 60), ("America/New_York", -300), ("Australia/Sydney", 600), ("Asia/Kolkata", 330)],
)
def test_the_standard_time_of_a_zone_is_the_same_in_both_halves_of_the_world(zone: str, minutes: int) -> None:
    assert minutes_ahead(zone) == minutes


@pytest.mark.parametrize("zone", ["", "Nowhere/Town", "../etc/passwd", "Europe"])
def test_a_zone_that_nobody_knows_is_not_known(zone: str) -> None:
    assert minutes_ahead(zone) is None


def test_a_wish_of_nothing_known_gives_nothing() -> None:
    people = People((1, 2))

    for wish, _ in EVERY_WISH:
        assert wish.points(people, np.array([0]), np.array([1])).tolist() == [0]
