"""Whenever somebody stays without a partner, something shows that it could not be otherwise, and names whom."""

from itertools import combinations

import pytest
from hypothesis import given, settings

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Needed
from lti_tool.pairing.engine.rules import Other
from tests.unit.pairing.budget import examples
from tests.unit.pairing.relations import Couple, course_of, odd_components, relations


def explained(course: Course) -> tuple[list[int], list[int], tuple[Needed, ...]]:
    """Who stays over, the barrier and what it says. With an odd number a trio would seat one more."""
    schedule = engine.plan(course, 1, seed=1)
    assert engine.verify(course, schedule) == []
    barrier = [person for proof in schedule.proofs for person in proof.barrier]
    return [one.person for one in schedule.unpaired], barrier, engine.Explanations(schedule).shortages(1)


def lacking(shortage: Needed) -> int:
    return len(shortage.parts) - len(shortage.partners)


@given(relation=relations(12).filter(lambda relation: relation[0] % 2 == 0))
@settings(max_examples=examples(200), deadline=None)
def test_a_barrier_leaves_as_many_odd_parts_more_than_its_people_as_stay_over(
    relation: tuple[int, list[Couple]],
) -> None:
    people, couples = relation

    alone, barrier, _ = explained(course_of(people, couples))

    if alone:
        rest = sorted(set(range(people)) - set(barrier))
        assert odd_components(rest, couples) - len(barrier) == len(alone)


@given(relation=relations(12).filter(lambda relation: relation[0] % 2 == 0))
@settings(max_examples=examples(200), deadline=None)
def test_shortages_name_people_whose_only_partners_are_too_few(relation: tuple[int, list[Couple]]) -> None:
    people, couples = relation

    alone, _, shortages = explained(course_of(people, couples))

    assert sum(map(lacking, shortages)) == len(alone)
    for shortage in shortages:
        assert all(len(part) % 2 for part in shortage.parts)
        for part in shortage.parts:
            near = {other for couple in couples for other in couple if set(couple) & set(part)} - set(part)
            assert near <= set(shortage.partners)


def test_of_a_star_the_middle_is_the_only_possible_partner_of_all_others() -> None:
    alone, barrier, shortages = explained(course_of(6, [(3, other) for other in (0, 1, 2, 4, 5)]))

    assert (len(alone), barrier) == (4, [3])
    assert shortages == (Needed((0, 1, 2, 4, 5), ((0,), (1,), (2,), (4,), (5,)), (3,)),)


def test_circles_of_friends_of_odd_size_who_share_one_outsider() -> None:
    friends = ((0, 1, 2), (3, 4, 5, 6, 7), (8, 9, 10))
    couples = [couple for some in friends for couple in combinations(some, 2)] + [(2, 11), (7, 11), (8, 11)]

    alone, barrier, shortages = explained(course_of(12, couples))

    assert (len(alone), barrier) == (2, [11])
    assert [(one.parts, one.partners) for one in shortages] == [(friends, (11,))]


def test_shortages_that_have_nothing_to_do_with_each_other_are_told_one_by_one() -> None:
    couples = [(0, 1), (0, 2), (3, 4), (3, 5), (3, 6), (8, 9)]

    _, barrier, shortages = explained(course_of(10, couples))

    assert barrier == [0, 3]
    assert [(one.needing, one.partners) for one in shortages] == [((7,), ()), ((1, 2), (0,)), ((4, 5, 6), (3,))]


def test_where_everybody_has_a_partner_nothing_is_short() -> None:
    assert explained(course_of(4, [(0, 1), (2, 3)])) == ([], [], ())


@pytest.mark.parametrize("size", [300, pytest.param(2_000, marks=pytest.mark.nightly)])
def test_a_department_that_is_too_large_is_named_with_everybody_else(size: int) -> None:
    others = size * 2 // 5
    names: dict[int, engine.Value] = {one: "large" if one >= others else f"{one % 3}" for one in range(size)}
    course = Course(tuple(range(size)), attributes={"department": names}, rules=(Other(attribute="department"),))

    alone, barrier, (shortage,) = explained(course)

    assert barrier == list(range(others))
    assert lacking(shortage) == size - 2 * others == len(alone)
    assert shortage.needing == tuple(range(others, size))
