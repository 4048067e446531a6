"""Repair changes as few people as can be: against every arrangement there is, and along planted chains."""

from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Lock, Reason, Schedule, mending
from lti_tool.pairing.engine.errors import LockConflict, LockForbidden, LockSize
from lti_tool.pairing.engine.rules import Exclusions
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
