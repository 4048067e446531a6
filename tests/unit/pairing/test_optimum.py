"""One round for up to ten people, and two rounds for up to seven, beside the best of all arrangements."""

from collections import Counter
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Couple, Course, Schedule
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.brute_force import Worth, optimum, points_of
from tests.unit.pairing.budget import examples
from tests.unit.pairing.fewest_changes import arrangements

seeds = st.integers(min_value=0, max_value=2**32)


def worth(course: Course, schedule: Schedule) -> Worth:
    """What round 1 of a schedule costs, counted by hand."""
    met = Counter(frozenset(couple) for couple in course.met)
    unpaired = [one.person for one in schedule.unpaired if one.round == 1]
    couples = [couple for group in schedule.rounds[0] for couple in combinations(group, 2)]
    points = sum(
        (2 if len(group) == 2 else 1) * points_of(course, *couple)
        for group in schedule.rounds[0]
        for couple in combinations(group, 2)
    )
    left_out = sum(one in course.left_out for one in unpaired)
    times = [met[frozenset(couple)] for couple in couples]
    return Worth(len(unpaired), left_out, sum(one > 0 for one in times), sum(times), -points)


@given(half=st.integers(0, 5), seed=seeds, sparse=st.booleans())
@settings(max_examples=examples(150), deadline=None)
def test_an_even_number_gets_the_best_round_there_is(half: int, seed: int, sparse: bool) -> None:
    course = course_at_random(2 * half, Random(seed), sparse=sparse)

    found = worth(course, engine.plan(course, 1, seed))

    best = optimum(course)
    assert best is not None
    event(f"{best.unpaired} unpaired")
    assert found == best


@given(half=st.integers(0, 4), seed=seeds, sparse=st.booleans())
@example(half=4, seed=11888, sparse=False)  # Only a locked couple can take a third, and the others change for it.
@example(half=4, seed=105151, sparse=True)
@settings(max_examples=examples(150), deadline=None)
def test_an_odd_number_gets_the_best_round_there_is(half: int, seed: int, sparse: bool) -> None:
    course = course_at_random(2 * half + 1, Random(seed), sparse=sparse)

    found = worth(course, engine.plan(course, 1, seed))

    best = optimum(course)
    assert best is not None
    event(f"{best.unpaired} unpaired, {best.repeats} repeats")
    assert replace(found, minus_points=0) == replace(best, minus_points=0)
    # Who was in a trio before, and that locked couples stay by themselves, come before points.
    if not course.in_trios and not course.locks:
        assert found == best


@pytest.mark.parametrize(
    "met",
    [
        ((1, 3), (1, 5), (2, 5)),
        ((1, 2), (1, 6), (1, 7), (2, 3), (2, 7), (2, 8), (3, 8), (4, 5), (4, 6), (5, 9), (7, 9)),
    ],
)
def test_an_odd_number_meets_nobody_again_where_that_can_be_avoided(met: tuple[Couple, ...]) -> None:
    course = Course(tuple(range(1, max(max(couple) for couple in met) + 1)), met=met)

    for seed in range(8):
        assert engine.repeats(course, engine.plan(course, 1, seed)) == 0


@given(people=st.sampled_from((4, 5, 6, 7)), seed=seeds)
@settings(max_examples=examples(25), deadline=None)
def test_two_rounds_together_have_as_few_repeats_as_can_be(people: int, seed: int) -> None:
    chance = Random(seed)
    ids = tuple(range(people))
    density = chance.choice((0, 0.2, 0.4, 0.6))
    met = {couple for couple in combinations(ids, 2) if chance.random() < density}
    course = Course(ids, met=tuple(sorted(met)))

    found = engine.repeats(course, engine.plan(course, 2, seed))

    best = found
    for groups in arrangements(ids, course, may_be_three=people % 2 == 1):
        couples = {couple for group in groups for couple in combinations(group, 2)}
        if min(map(len, groups)) > 1 and len(couples & met) < best:
            second = optimum(replace(course, met=tuple(sorted(met | couples))))
            assert second is not None
            best = min(best, len(couples & met) + second.repeats)
    event(f"{best} repeats")
    assert found == best


def test_the_optimum_of_a_known_course_is_right() -> None:
    course = Course((1, 2, 3, 4), met=((1, 2), (1, 2), (3, 4), (1, 3)))

    assert optimum(course) == Worth(0, 0, 0, 0, 0)
    assert optimum(replace(course, met=(*course.met, (1, 4), (2, 3)))) == Worth(0, 0, 1, 1, 0)
    assert optimum(replace(course, people=(1, 2, 3))) == Worth(0, 0, 2, 3, 0)
    assert optimum(replace(course, people=(1,), left_out=frozenset({1}))) == Worth(1, 1, 0, 0, 0)
    assert optimum(replace(course, locks=(engine.Lock((1, 2)),))) == Worth(0, 0, 2, 3, 0)
