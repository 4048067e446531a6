"""Repair changes as few people as can be: against every arrangement there is, and along planted chains."""

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Kind, Lock, Reason, Schedule, Shape, mending
from lti_tool.pairing.engine.errors import LockConflict, LockForbidden, LockSize
from lti_tool.pairing.engine.rules import Exclusions, NotAgain
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.budget import examples
from tests.unit.pairing.families import changes as planted_changes
from tests.unit.pairing.fewest_changes import arrangements, changed, fewest_changes


def a_round(chance: Random, most: int = 9) -> tuple[Schedule, set[int], set[int]]:
    """A round of a course with random exclusions, who leaves it and who joins; the exclusions may be news."""
    everybody = list(range(1, chance.randrange(2, most + 1)))
    density = chance.choice((0.0, 0.2, 0.4, 0.6))
    pairs = tuple(couple for couple in combinations(everybody, 2) if chance.random() < density)
    joined = {one for one in everybody if chance.random() < 0.2}
    present = tuple(one for one in everybody if one not in joined)
    rules = (Exclusions(couples=pairs),)
    known = Course(present, rules=rules if chance.random() < 0.8 else ())
    groups = chance.choice(list(arrangements(present, known, may_be_three=len(present) % 2 == 1)))
    unpaired = tuple(engine.Unpaired(group[0], 1, Reason.NOBODY_ALLOWED) for group in groups if len(group) == 1)
    course = Course(present, rules=rules)
    left = {one for one in present if chance.random() < 0.2}
    return Schedule((tuple(group for group in groups if len(group) > 1),), unpaired, course), left, joined


@given(st.integers(0, 10**9))
@settings(max_examples=examples(300), deadline=None)
def test_no_arrangement_leaves_fewer_alone_or_changes_fewer(seed: int) -> None:
    before, left, joined = a_round(Random(seed))

    after = engine.repair(before, left, joined, 1)

    assert engine.verify(after.course, after) == []
    found = len(after.unpaired), changed(after.course, before.rounds[0], after.rounds[0])
    assert found == fewest_changes(after.course, before.rounds[0])
    assert engine.repair(after, left, joined, 1) == after


def a_programme(chance: Random, kind: Kind = Kind.PAIRS) -> tuple[Schedule, set[int], set[int]]:
    """Rounds of any course as a repair has made them from nothing, and who leaves and joins after that."""
    course = course_at_random(chance.randrange(16), chance, sparse=chance.random() < 0.3)
    if chance.random() < 0.3:
        course = replace(course, rules=(*course.rules, NotAgain()))
        course = replace(course, locks=tuple(lock for lock in course.locks if lock.round is not None))
        met = {frozenset(couple) for couple in course.met}
        course = replace(course, locks=tuple(lock for lock in course.locks if frozenset(lock.members) not in met))
    if kind is not Kind.PAIRS:
        course = replace(course, shape=Shape(kind, 3 if kind is Kind.TRIOS else chance.randrange(3, 6)))
    joined = {one for one in course.people if chance.random() < 0.15}
    course = replace(course, people=tuple(one for one in course.people if one not in joined))
    empty = Schedule(((),) * chance.randrange(1, 5), course=course, seed=chance.randrange(100))
    left = {one for one in course.people if chance.random() < 0.15}
    return engine.repair(empty, (), (), 1), left, joined


@pytest.mark.parametrize("kind", Kind)
@given(st.integers(0, 10**9))
@settings(max_examples=examples(150), deadline=None)
def test_whoever_leaves_or_joins_any_course_the_result_passes_the_checker(kind: Kind, seed: int) -> None:
    chance = Random(seed)
    before, left, joined = a_programme(chance, kind)
    assert engine.verify(before.course, before) == []
    from_round = chance.randrange(1, len(before.rounds) + 1)
    fixed = {
        (number, group)
        for number, groups in enumerate(before.rounds, start=1)
        for group in groups
        if chance.random() < 0.1
    }

    after = engine.repair(before, left, joined, from_round, fixed=fixed)

    assert engine.verify(after.course, after, from_round=from_round, fixed=fixed) == []
    assert set(after.course.people) == set(before.course.people) - left | joined
    assert after.rounds[: from_round - 1] == before.rounds[: from_round - 1]
    assert all(group in after.rounds[number - 1] for number, group in fixed if number >= from_round)
    for old, new in zip(before.rounds, after.rounds, strict=True):
        stays = {frozenset(group) for group in new}
        assert [group for group in old if frozenset(group) in stays] == [group for group in new if group in old]
    assert engine.repair(after, (), (), from_round, fixed=fixed) == after
