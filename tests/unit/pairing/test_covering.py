"""As few people as possible stay without a partner, whatever the rules leave."""

from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine import matching
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.matching import cover
from lti_tool.pairing.engine.rules import Other
from tests.unit.pairing.budget import examples
from tests.unit.pairing.relations import (
    Couple,
    course_of,
    fewest_unpaired,
    is_matching,
    nobody,
    relations,
)


@pytest.fixture(params=["listed", "row by row"])
def looks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to look at couples, which small courses would not use."""
    if request.param == "row by row":
        monkeypatch.setattr(matching, "LISTED", 0)
        monkeypatch.setattr(Couples, "sparse", None)


@pytest.fixture(params=["none", "some"])
def pools(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pools of people who are matched exactly, nothing but alternating paths can help."""
    if request.param == "none":
        monkeypatch.setattr(matching._Pools, "matched", lambda _, partner, *__: partner)


def two_departments(people: int, share: float, seed: int = 5) -> Course:
    """A large department and seven small ones, in which nobody meets a colleague."""
    chance = np.random.default_rng(seed)
    of_large = chance.random(people) < share
    departments = {one: "large" if of_large[one] else f"{chance.integers(7)}" for one in range(people)}
    return Course(tuple(range(people)), attributes={"department": departments}, rules=(Other(attribute="department"),))


@pytest.mark.usefixtures("looks", "pools")
@given(relation=relations(), started=st.randoms(use_true_random=False), seed=st.integers(0, 9))
@settings(max_examples=examples(100), deadline=None)
def test_nobody_stays_over_who_need_not_and_people_left_out_before_come_first(
    relation: tuple[int, list[Couple]], started: Random, seed: int
) -> None:
    people, couples = relation
    who = [one for one in range(people) if started.random() < 0.9]
    here = [couple for couple in couples if set(couple) <= set(who)]
    banned = [couple for couple in here if started.random() < 0.15]
    usable = [couple for couple in here if couple not in banned]
    left_out = [one for one in range(people) if started.random() < 0.3]
    partner = nobody(people)
    for one, other in usable:
        if partner[one] < 0 and partner[other] < 0 and started.random() < 0.4:
            partner[one], partner[other] = other, one

    found = cover(
        Couples(course_of(people, couples)),
        np.array(who, dtype=np.int64),
        partner,
        np.array(sorted(one * people + other for one, other in banned), dtype=np.int64),
        left_out=np.array(left_out, dtype=np.int64),
        seed=seed,
    )

    assert is_matching(people, usable, found)
    alone = [one for one in who if found[one] < 0]
    assert (len(alone), len(set(alone) & set(left_out))) == fewest_unpaired(who, usable, left_out)


@pytest.mark.usefixtures("looks")
def test_people_outside_of_the_question_are_not_touched() -> None:
    couples = Couples(course_of(6, combinations(range(6), 2)))
    partner = np.array([5, -1, -1, -1, -1, 0])

    found = cover(couples, np.array([1, 2, 3]), partner)

    assert found[[0, 4, 5]].tolist() == [5, -1, 0]
    assert (found[[1, 2, 3]] < 0).sum() == 1


def test_the_couples_that_have_to_change_are_the_best_ones() -> None:
    couples = Couples(course_of(6, combinations(range(6), 2)))
    welcome = np.zeros((6, 6), dtype=np.int64)
    for one, other in ((0, 3), (1, 4), (2, 5)):
        welcome[one, other] = welcome[other, one] = 7

    found = cover(couples, np.arange(6), nobody(6), weigh=lambda one, other: welcome[one, other])

    assert found.tolist() == [3, 4, 5, 0, 1, 2]


def test_a_repeat_that_costs_much_is_taken_rather_than_two_people_left_over() -> None:
    couples = Couples(course_of(4, [(0, 1), (1, 2), (2, 3)]))
    cost = {frozenset((0, 1)): -(10**12), frozenset((2, 3)): -(10**12)}

    def weigh(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.array([cost.get(frozenset(couple), 5) for couple in zip(one.tolist(), other.tolist(), strict=True)])

    assert cover(couples, np.arange(4), nobody(4), weigh=weigh).tolist() == [1, 0, 3, 2]


def test_a_planted_partner_is_found_for_everybody_in_a_sparse_course() -> None:
    chance = np.random.default_rng(2)
    people = 1_000
    order = chance.permutation(people)
    one = np.concatenate([order[::2], chance.integers(0, people, people)])
    other = np.concatenate([order[1::2], chance.integers(0, people, people)])
    allowed = np.unique((np.minimum(one, other) * people + np.maximum(one, other))[one != other])
    every = np.triu_indices(people, 1)
    banned = np.setdiff1d(every[0] * people + every[1], allowed)

    found = cover(Couples(Course(tuple(range(people)))), np.arange(people), nobody(people), banned)

    assert (found >= 0).all()
    assert np.isin(np.minimum(found, np.arange(people)) * people + np.maximum(found, np.arange(people)), allowed).all()


def test_of_a_department_that_is_too_large_only_the_surplus_stays_over() -> None:
    course = two_departments(1_500, 0.6)
    large = [one for one, name in course.attributes["department"].items() if name == "large"]

    found = cover(Couples(course), np.arange(1_500), nobody(1_500), left_out=np.array(large[:500]))

    alone = np.flatnonzero(found < 0)
    assert len(alone) == len(large) - (1_500 - len(large))
    assert not np.isin(alone, large[:500]).any()


def test_somebody_without_any_partner_stops_no_search() -> None:
    people = 3_000
    first_may_not = np.arange(1, people, dtype=np.int64)

    found = cover(Couples(two_departments(people, 0.3)), np.arange(people), nobody(people), first_may_not)

    assert np.flatnonzero(found < 0)[0] == 0
    assert (found < 0).sum() == 2


def test_the_same_question_has_the_same_answer() -> None:
    couples = Couples(two_departments(900, 0.55))
    welcome = lambda one, other: (one * 31 + other * 31) % 17  # noqa: E731

    answers = [
        cover(couples, np.arange(900), nobody(900), weigh=welcome, left_out=np.arange(50), seed=3).tobytes()
        for _ in range(2)
    ]

    assert answers[0] == answers[1]


@pytest.mark.parametrize("people", [0, 1])
def test_too_few_people_have_no_couples(people: int) -> None:
    assert cover(Couples(course_of(people, [])), np.arange(people), nobody(people)).tolist() == [-1] * people
