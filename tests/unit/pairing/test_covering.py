"""As few people as possible stay without a partner, whatever the rules leave, in courses too large for one matching."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Value, matching, pairs
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.rules import Exclusions, Other, Share
from tests.unit.pairing.budget import examples
from tests.unit.pairing.relations import Couple, course_of, fewest_unpaired, relations


@pytest.fixture(params=["listed", "row by row"])
def looks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to look at couples, which small courses would not use."""
    monkeypatch.setattr(pairs, "EXACT", 0)
    monkeypatch.setattr(pairs, "EXACT_SPARSE", 1)
    if request.param == "row by row":
        monkeypatch.setattr(matching, "LISTED", 0)
        monkeypatch.setattr(Couples, "sparse", None)


def two_departments(people: int, share: float, seed: int = 5) -> Course:
    """A large department and seven small ones, in which nobody meets a colleague."""
    chance = np.random.default_rng(seed)
    of_large = chance.random(people) < share
    departments: dict[int, Value] = {
        one: "large" if of_large[one] else f"{chance.integers(7)}" for one in range(people)
    }
    return Course(tuple(range(people)), attributes={"department": departments}, rules=(Other(attribute="department"),))


@pytest.mark.usefixtures("looks")
@given(
    relation=relations(10).filter(lambda relation: relation[0] % 2 == 0),
    chance=st.randoms(use_true_random=False),
    seed=st.integers(0, 9),
)
@settings(max_examples=examples(100), deadline=None)
def test_nobody_stays_over_who_need_not_and_people_left_out_before_come_first(
    relation: tuple[int, list[Couple]], chance: Random, seed: int
) -> None:
    people, couples = relation
    left_out = frozenset(one for one in range(people) if chance.random() < 0.3)
    course = Course(tuple(range(people)), rules=course_of(people, couples).rules, left_out=left_out)

    schedule = engine.plan(course, 1, seed)

    assert engine.verify(course, schedule) == []
    alone = {one.person for one in schedule.unpaired}
    assert (len(alone), len(alone & left_out)) == fewest_unpaired(range(people), couples, left_out)


def test_a_planted_partner_is_found_for_everybody_in_a_sparse_course() -> None:
    chance = np.random.default_rng(2)
    people = 1_000
    order = chance.permutation(people)
    one = np.concatenate([order[::2], chance.integers(0, people, people)])
    other = np.concatenate([order[1::2], chance.integers(0, people, people)])
    slots: dict[int, set[str]] = {person: set() for person in range(people)}
    for number, couple in enumerate(zip(one.tolist(), other.tolist(), strict=True)):
        for person in couple:
            slots[person].add(f"{number}")
    values: dict[int, Value] = {person: frozenset(some) for person, some in slots.items()}
    course = Course(tuple(range(people)), attributes={"slots": values}, rules=(Share(attribute="slots"),))

    schedule = engine.plan(course, 1, seed=1)

    assert engine.verify(course, schedule) == []
    assert schedule.unpaired == ()


@pytest.mark.parametrize("people", [600, pytest.param(1_500, marks=pytest.mark.nightly)])
def test_of_a_department_that_is_too_large_only_the_surplus_stays_over(people: int) -> None:
    course = two_departments(people, 0.6)
    large = [one for one, name in course.attributes["department"].items() if name == "large"]
    left_out = frozenset(large[: people // 3])
    course = Course(course.people, attributes=course.attributes, rules=course.rules, left_out=left_out)

    schedule = engine.plan(course, 1, seed=1)

    alone = {one.person for one in schedule.unpaired}
    assert len(alone) == len(large) - (people - len(large))
    assert not alone & left_out


def test_somebody_without_any_partner_stops_no_search() -> None:
    course = two_departments(1_000, 0.3)
    lonely = Exclusions(couples=tuple((0, other) for other in range(1, 1_000)))

    schedule = engine.plan(Course(course.people, attributes=course.attributes, rules=(*course.rules, lonely)), 1, 1)

    assert 0 in {one.person for one in schedule.unpaired}
    assert len(schedule.unpaired) == 2


@pytest.mark.parametrize("people", [0, 1])
def test_too_few_people_have_no_couples(people: int) -> None:
    assert engine.plan(course_of(people, []), 1, 1).rounds == ((),)
