"""The steps of planning, each beside a plain restatement: tables, exchanges, rings and matchings."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine import Course
from lti_tool.pairing.engine.couples import Couples, merged
from lti_tool.pairing.engine.course import Value
from lti_tool.pairing.engine.matching import ALONE, heaviest
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.rings import exchange, pass_on
from lti_tool.pairing.engine.rules import Share
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap
from tests.factories.cohorts import corporate
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.budget import examples

seeds = st.integers(min_value=0, max_value=2**32)


def all_couples(people: int) -> tuple[Places, Places]:
    one, other = np.triu_indices(people, 1)
    return one.astype(np.int64), other.astype(np.int64)


def by_lot(couples: Couples, banned: Places, rng: np.random.Generator) -> tuple[Places, Places]:
    """As many couples as there can be, of those that are allowed and not banned, whatever their points."""
    one, other = all_couples(len(couples))
    may = couples.allowed(one, other) & ~np.isin(couples.keys(one, other), banned)
    partner = heaviest(len(couples), one[may], other[may], rng.integers(9, size=int(may.sum())))
    first = np.flatnonzero(partner > np.arange(len(couples)))
    return first, partner[first]


def banned_by_lot(couples: Couples, rng: np.random.Generator) -> Places:
    drawn = rng.integers(len(couples), size=(len(couples), 2))
    return merged(couples.banned, np.sort(couples.keys(drawn[:, 0], drawn[:, 1])))


@given(people=st.integers(0, 60), seed=seeds, sparse=st.booleans())
@settings(max_examples=examples(60), deadline=None)
def test_tables_say_what_rules_and_wishes_say(people: int, seed: int, sparse: bool) -> None:
    course = course_at_random(people, Random(seed), sparse=sparse)
    couples = Couples(course)
    one, other = (side.ravel() for side in np.indices((people, people)))

    allowed = one != other
    for rule in course.rules:
        allowed &= rule.allows(couples.people, one, other)
    points = sum(
        (wish.points(couples.people, one, other) for wish in course.wishes), np.zeros(len(one), dtype=np.int64)
    )

    assert (couples.allowed(one, other) == allowed).all()
    assert (couples.points(one, other) == points).all()
    assert points.max(initial=0) <= couples.most
    listed = couples.sparse
    if listed is not None:
        assert set(zip(*(side.tolist() for side in listed), strict=True)) == set(
            zip(one[allowed & (one < other)].tolist(), other[allowed & (one < other)].tolist(), strict=True)
        )


def test_few_couples_are_listed_from_the_names_that_they_share() -> None:
    slots: dict[int, Value] = {one: frozenset({f"{one // 2}"}) for one in range(3000)}
    couples = Couples(Course(tuple(slots), attributes={"slots": slots}, rules=(Share(attribute="slots"),)))

    assert couples.sparse is not None
    assert np.array_equal(couples.sparse[0], np.arange(0, 3000, 2))
    assert np.array_equal(couples.sparse[1], np.arange(1, 3000, 2))


def test_many_couples_are_not_listed() -> None:
    assert Couples(corporate(2100)).sparse is None


@given(people=st.integers(2, 40).map(lambda half: 2 * half), seed=seeds)
@settings(max_examples=examples(40), deadline=None)
def test_exchanges_keep_everybody_and_never_lose_points(people: int, seed: int) -> None:
    couples, rng = Couples(corporate(people, seed=seed % 1000)), np.random.default_rng(seed)
    banned = banned_by_lot(couples, rng)
    one, other = by_lot(couples, banned, rng)

    left, right, weight = exchange(couples, one, other, banned, rng, sweeps=100)

    assert sorted([*left, *right]) == sorted([*one, *other])
    assert couples.allowed(left, right).all()
    assert not np.isin(couples.keys(left, right), banned).any()
    assert (weight == couples.points(left, right)).all()
    assert weight.sum() >= couples.points(one, other).sum()


@given(people=st.integers(1, 40).map(lambda half: 2 * half), seed=seeds, block=st.integers(1, 50))
@settings(max_examples=examples(60), deadline=None)
def test_rings_keep_everybody_and_never_lose_points(people: int, seed: int, block: int) -> None:
    couples, rng = Couples(corporate(people, seed=seed % 1000)), np.random.default_rng(seed)
    banned = banned_by_lot(couples, rng)
    one, other = by_lot(couples, banned, rng)

    left, right = pass_on(couples, one, other, banned, rng, block=block, steps=30)

    assert sorted([*left, *right]) == sorted([*one, *other])
    assert couples.allowed(left, right).all()
    assert not np.isin(couples.keys(left, right), banned).any()
    assert couples.points(left, right).sum() >= couples.points(one, other).sum()


def test_large_points_are_counted_without_overflow() -> None:
    course = corporate(64, seed=5)
    wishes = (
        RatherGap(attribute="experience", weight=3 * 10**9, cap=9 * 10**9),
        ExtraShared(attribute="slots", weight=10**9, cap=2 * 10**9),
    )
    dear = Couples(Course(course.people, attributes=course.attributes, rules=course.rules, wishes=wishes))
    cheap = Couples(
        Course(
            course.people,
            attributes=course.attributes,
            rules=course.rules,
            wishes=(
                RatherGap(attribute="experience", weight=3, cap=9),
                ExtraShared(attribute="slots", weight=1, cap=2),
            ),
        )
    )
    found = []
    for couples in (dear, cheap):
        rng = np.random.default_rng(1)
        one, other = by_lot(couples, couples.banned, rng)
        one, other, _ = exchange(couples, one, other, couples.banned, rng, sweeps=50)
        found.append(pass_on(couples, one, other, couples.banned, rng, block=32, steps=20))

    assert dear.points(*found[0]).sum() == 10**9 * cheap.points(*found[1]).sum()


def test_the_best_couples_are_as_many_as_can_be_and_then_the_heaviest() -> None:
    # Of the line 0-1-2-3 the middle couple is heavy, but the two outer ones are more.
    line = np.array([0, 1, 2]), np.array([1, 2, 3])

    assert heaviest(5, *line, np.array([1, 90, 1])).tolist() == [1, 0, 3, 2, ALONE]
    assert heaviest(2, *(np.zeros((3, 0), dtype=np.int64))).tolist() == [ALONE, ALONE]
