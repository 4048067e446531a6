"""Where an odd number leaves more people over than one, a third is found whenever a trio can seat one more."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings

from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.matching import best_third, cover
from tests.unit.pairing.budget import examples
from tests.unit.pairing.relations import Couple, course_of, fewest_unpaired, is_matching, nobody, relations


def is_trio(couples: list[Couple], members: tuple[int, ...]) -> bool:
    return all(tuple(sorted(couple)) in couples for couple in combinations(members, 2))


@given(relation=relations(9))
@settings(max_examples=examples(200), deadline=None)
def test_a_trio_seats_one_person_more_whenever_any_trio_can(relation: tuple[int, list[Couple]]) -> None:
    people, couples = relation
    compiled = Couples(course_of(people, couples))
    partner = cover(compiled, np.arange(people), nobody(people))
    alone = int((partner < 0).sum())
    possible = any(
        is_trio(couples, trio) and fewest_unpaired(set(range(people)) - set(trio), couples)[0] == alone - 1
        for trio in combinations(range(people), 3)
    )

    found = best_third(compiled, np.arange(people), partner)

    assert (found is not None) == possible
    if found is not None:
        assert is_matching(people, couples, found.partner)
        assert found.partner[list(found.couple)].tolist() == list(reversed(found.couple))
        assert is_trio(couples, (found.person, *found.couple))
        over = np.flatnonzero(found.partner < 0).tolist()
        assert found.person in over
        assert set(over) - {found.person} < set(np.flatnonzero(partner < 0).tolist())


def test_a_couple_is_exchanged_so_that_somebody_fits_as_a_third() -> None:
    # 0 and 1 are over; neither fits with 2-3. If 0 takes 2, then 3 fits with 4-5.
    couples = [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5)]
    partner = np.array([-1, -1, 3, 2, 5, 4])

    found = best_third(Couples(course_of(6, couples)), np.arange(6), partner, left_out=np.array([0]))

    assert found is not None
    assert sorted((found.person, *found.couple)) == [3, 4, 5]
    assert found.partner[0] == 2


def test_people_who_were_left_out_before_are_seated_first() -> None:
    couples = [*combinations((0, 1, 2), 2), *combinations((3, 4, 5), 2)]
    partner = np.array([1, 0, -1, 4, 3, -1])

    found = best_third(Couples(course_of(6, couples)), np.arange(6), partner, left_out=np.array([5]))

    assert found is not None
    assert sorted((found.person, *found.couple)) == [3, 4, 5]


def test_the_couple_that_suits_best_takes_the_third() -> None:
    compiled = Couples(course_of(5, combinations(range(5), 2)))
    partner = np.array([1, 0, 3, 2, -1])

    def weigh(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.where(np.minimum(one, other) >= 2, 9, 0)

    found = best_third(compiled, np.arange(5), partner, weigh=weigh)

    assert found is not None
    assert sorted((found.person, *found.couple)) == [2, 3, 4]


@pytest.mark.parametrize("couples", [[], [(0, 1), (1, 2)], [(0, other) for other in range(1, 7)]])
def test_where_no_three_may_meet_there_is_no_third(couples: list[Couple]) -> None:
    compiled = Couples(course_of(7, couples))

    assert best_third(compiled, np.arange(7), cover(compiled, np.arange(7), nobody(7))) is None


def test_a_third_is_found_in_a_large_course() -> None:
    people = 4_001
    compiled = Couples(Course(tuple(range(people))))
    partner = cover(compiled, np.arange(people), nobody(people))

    found = best_third(compiled, np.arange(people), partner)

    assert found is not None
    assert (found.partner < 0).sum() == 1
