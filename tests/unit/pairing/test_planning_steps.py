"""Large courses: what tables say of couples, and rounds that are planned by exchanges and rings."""

from dataclasses import replace
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Value, pairs
from lti_tool.pairing.engine.check import score
from lti_tool.pairing.engine.couples import Couples, Groups
from lti_tool.pairing.engine.rules import Share
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap
from tests.factories.cohorts import corporate
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.budget import examples

seeds = st.integers(min_value=0, max_value=2**32)


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


@given(sizes=st.lists(st.integers(1, 5), max_size=8), seed=seeds)
@settings(max_examples=examples(60), deadline=None)
def test_groups_in_an_array_are_the_groups_that_were_listed(sizes: list[int], seed: int) -> None:
    chance, people = Random(seed), 3 + sum(sizes)
    order = iter(chance.sample(range(people), k=people))
    listed = [[next(order) for _ in range(size)] for size in sizes]
    strangers = [member for group in listed for member in (*group, -1)]

    groups = Groups.listed(np.array(strangers, dtype=np.int64), [1 + size for size in sizes], people)

    assert groups.members == sorted(tuple(sorted(group)) for group in listed if len(group) > 1)
    couples = {tuple(couple) for group in listed for couple in combinations(sorted(group), 2)}
    assert sorted(zip(*groups.couples.tolist(), strict=True)) == sorted(couples)
    assert [groups.sizes[group[0]] for group in listed] == sizes


def test_few_couples_are_listed_from_the_names_that_they_share() -> None:
    slots: dict[int, Value] = {one: frozenset({f"{one // 2}"}) for one in range(3000)}
    couples = Couples(Course(tuple(slots), attributes={"slots": slots}, rules=(Share(attribute="slots"),)))

    assert couples.sparse is not None
    assert np.array_equal(couples.sparse[0], np.arange(0, 3000, 2))
    assert np.array_equal(couples.sparse[1], np.arange(1, 3000, 2))


@given(people=st.integers(0, 30).map(lambda half: 2 * half), seed=seeds)
@settings(max_examples=examples(40), deadline=None)
def test_rounds_by_exchanges_and_rings_leave_out_as_few_people_as_one_matching(people: int, seed: int) -> None:
    course = replace(course_at_random(people, Random(seed)), locks=())
    exact = score(course, engine.plan(course, 1, seed))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "EXACT", 0)
        patch.setattr(pairs, "EXACT_SPARSE", 1)
        schedule = engine.plan(course, 1, seed)

    found = score(course, schedule)
    assert engine.verify(course, schedule) == []
    assert (found.unpaired, found.flagged_unpaired) == (exact.unpaired, exact.flagged_unpaired)
    assert found.objective <= exact.objective or found.repeats > exact.repeats


def test_a_course_too_large_for_one_matching_is_near_the_best_round() -> None:
    course = corporate(400, seed=5)

    found = score(course, engine.plan(course, 1, seed=1)).objective

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "EXACT", 400)
        best = score(course, engine.plan(course, 1, seed=1)).objective
    assert 0.995 * best <= found <= best


@pytest.mark.parametrize("people", [64, 340])
def test_large_points_are_counted_without_overflow(people: int) -> None:
    course = corporate(people, seed=5)

    def objective(times: int) -> int:
        gap = RatherGap(attribute="experience", weight=3 * times, cap=9 * times)
        wished = replace(course, wishes=(gap, ExtraShared(attribute="slots", weight=times, cap=2 * times)))
        return score(wished, engine.plan(wished, 1, seed=1)).objective

    assert objective(10**9) == 10**9 * objective(1)
