"""Courses in which exactly some couples may meet, and what is true of them by definition. No code of the engine."""

from collections.abc import Iterable
from functools import cache
from itertools import combinations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from lti_tool.pairing.engine.problem import Course
from lti_tool.pairing.engine.rules import Exclusions

Couple = tuple[int, int]


def course_of(people: int, couples: Iterable[Couple]) -> Course:
    """People 0 … people-1, who are their own places; everybody else excludes each other."""
    may = {tuple(sorted(couple)) for couple in couples}
    others = tuple(couple for couple in combinations(range(people), 2) if couple not in may)
    return Course(tuple(range(people)), rules=(Exclusions(couples=others),))


@st.composite
def relations(draw: st.DrawFn, most: int = 9) -> tuple[int, list[Couple]]:
    """A number of people, and any couples of them."""
    people = draw(st.integers(0, most))
    all_couples = list(combinations(range(people), 2))
    chosen = draw(st.lists(st.booleans(), min_size=len(all_couples), max_size=len(all_couples)))
    couples = [couple for couple, may in zip(all_couples, chosen, strict=True) if may]
    if draw(st.booleans()):
        # Few couples, and so more people who are left over.
        couples = couples[:: draw(st.integers(2, 4))]
    return people, couples


def fewest_unpaired(people: Iterable[int], couples: Iterable[Couple], first: Iterable[int] = ()) -> tuple[int, int]:
    """The fewest people without a partner, and of those of `first`; by trying everything."""
    may, favoured = {frozenset(couple) for couple in couples}, frozenset(first)

    @cache
    def least(left: tuple[int, ...]) -> tuple[int, int]:
        if not left:
            return 0, 0
        one, rest = left[0], left[1:]
        alone = least(rest)
        found = [(alone[0] + 1, alone[1] + (one in favoured))]
        for other in rest:
            if frozenset((one, other)) in may:
                found.append(least(tuple(person for person in rest if person != other)))
        return min(found)

    return least(tuple(sorted(people)))


def odd_components(people: Iterable[int], couples: Iterable[Couple]) -> int:
    """How many parts of odd size people fall into."""
    part = {one: {one} for one in people}
    for one, other in couples:
        if one in part and other in part and part[one] is not part[other]:
            merged = part[one] | part[other]
            for person in merged:
                part[person] = merged
    return sum(len(members) % 2 for members in {id(members): members for members in part.values()}.values())


def is_matching(people: int, couples: Iterable[Couple], partner: NDArray[np.int64]) -> bool:
    """Whether partners are mutual and may meet."""
    may = {frozenset(couple) for couple in couples}
    return len(partner) == people and all(
        partner[other] == one and frozenset((one, other)) in may
        for one, other in enumerate(partner.tolist())
        if other >= 0
    )


def nobody(people: int) -> NDArray[np.int64]:
    """Nobody has a partner."""
    return np.full(people, -1, dtype=np.int64)
