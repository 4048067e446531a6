"""Whenever somebody stays without a partner, something shows that it could not be otherwise, and names whom."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings

from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.matching import cover
from lti_tool.pairing.engine.proof import NotLargest, Shortage, barrier, odd_parts
from lti_tool.pairing.engine.rules import Other
from tests.unit.pairing.budget import examples
from tests.unit.pairing.relations import Couple, course_of, nobody, odd_components, relations


def explained(people: int, couples: list[Couple]) -> tuple[list[int], list[int], tuple[Shortage, ...]]:
    """Who stays over, the barrier and what it says."""
    compiled = Couples(course_of(people, couples))
    partner = cover(compiled, np.arange(people), nobody(people))
    found = barrier(compiled, np.arange(people), partner)
    return np.flatnonzero(partner < 0).tolist(), found.tolist(), odd_parts(compiled, found)


@given(relation=relations(12))
@settings(max_examples=examples(200), deadline=None)
def test_a_barrier_leaves_as_many_odd_parts_more_than_its_people_as_stay_over(
    relation: tuple[int, list[Couple]],
) -> None:
    people, couples = relation

    alone, found, _ = explained(people, couples)

    rest = sorted(set(range(people)) - set(found))
    assert odd_components(rest, couples) - len(found) == len(alone)


@given(relation=relations(12))
@settings(max_examples=examples(200), deadline=None)
def test_shortages_name_people_whose_only_partners_are_too_few(relation: tuple[int, list[Couple]]) -> None:
    people, couples = relation

    alone, _, shortages = explained(people, couples)

    assert sum(one.lacking for one in shortages) == len(alone)
    for shortage in shortages:
        assert all(len(part) % 2 for part in shortage.parts)
        for part in shortage.parts:
            near = {other for couple in couples for other in couple if set(couple) & set(part)} - set(part)
            assert near <= set(shortage.partners)


def test_of_a_star_the_middle_is_the_only_possible_partner_of_all_others() -> None:
    alone, found, shortages = explained(6, [(3, other) for other in (0, 1, 2, 4, 5)])

    assert (len(alone), found) == (4, [3])
    assert shortages == (Shortage(((0,), (1,), (2,), (4,), (5,)), (3,)),)
    assert shortages[0].needing == (0, 1, 2, 4, 5)
    assert shortages[0].lacking == 4


def test_circles_of_friends_of_odd_size_who_share_one_outsider() -> None:
    friends = [(0, 1, 2), (3, 4, 5, 6, 7), (8, 9, 10)]
    couples = [couple for some in friends for couple in combinations(some, 2)] + [(2, 11), (7, 11), (8, 11)]

    alone, found, shortages = explained(12, couples)

    assert (len(alone), found) == (2, [11])
    assert shortages == (Shortage(tuple(friends), (11,)),)


def test_shortages_that_have_nothing_to_do_with_each_other_are_told_one_by_one() -> None:
    couples = [(0, 1), (0, 2), (3, 4), (3, 5), (3, 6), (8, 9)]

    _, found, shortages = explained(10, couples)

    assert found == [0, 3]
    assert [(one.needing, one.partners) for one in shortages] == [((7,), ()), ((1, 2), (0,)), ((4, 5, 6), (3,))]


def test_a_proof_may_be_about_some_people_and_without_some_couples() -> None:
    compiled = Couples(course_of(5, combinations(range(5), 2)))
    who, banned = np.array([0, 1, 2, 3]), np.array([0 * 5 + 1, 0 * 5 + 2, 1 * 5 + 2])
    partner = cover(compiled, who, nobody(5), banned)

    found = barrier(compiled, who, partner, banned)

    assert found.tolist() == [3]
    assert odd_parts(compiled, found, banned, who=who) == (Shortage(((0,), (1,), (2,)), (3,)),)


def test_where_everybody_has_a_partner_nothing_is_short() -> None:
    assert explained(4, [(0, 1), (2, 3)]) == ([], [], ())


def test_a_matching_that_can_grow_has_no_barrier() -> None:
    with pytest.raises(NotLargest):
        barrier(Couples(course_of(4, pairwise(range(4)))), np.arange(4), np.array([-1, 2, 1, -1]))


@pytest.mark.parametrize("size", [300, 2_000])
def test_a_department_that_is_too_large_is_named_with_everybody_else(size: int) -> None:
    others = size * 2 // 5
    names = {one: "large" if one >= others else f"{one % 3}" for one in range(size)}
    course = Course(tuple(range(size)), attributes={"department": names}, rules=(Other(attribute="department"),))
    compiled = Couples(course)
    partner = cover(compiled, np.arange(size), nobody(size))

    found = barrier(compiled, np.arange(size), partner)

    assert found.tolist() == list(range(others))
    (shortage,) = odd_parts(compiled, found)
    assert shortage.lacking == size - 2 * others == (partner < 0).sum()
    assert shortage.needing == tuple(range(others, size))
