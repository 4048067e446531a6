"""Planned rounds as places, and what the other rounds mean for one of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from lti_tool.pairing.engine.acquaintance import Acquaintance
from lti_tool.pairing.engine.compiled import Couples, merged
from lti_tool.pairing.engine.people import Places, Points


class Trio(NamedTuple):
    """Two who host a third."""

    first: int
    third: int
    last: int


class Seated(NamedTuple):
    """One round: couples in the order of their smaller place, which is `one`; at most one trio; who has no partner."""

    one: Places
    other: Places
    trios: tuple[Trio, ...] = ()
    alone: Places = np.zeros(0, dtype=np.int64)


def meetings(seated: Seated) -> tuple[Places, Places]:
    """Every two people of a round who sit together."""
    if not seated.trios:
        return seated.one, seated.other
    of_trios = [couple for trio in seated.trios for couple in combinations(trio, 2)]
    more = np.array(of_trios, dtype=np.int64)
    return np.concatenate((seated.one, more[:, 0])), np.concatenate((seated.other, more[:, 1]))


def with_thirds(rounds: Sequence[Seated], in_trios: Points) -> list[Seated]:
    """The same trios, each with that of its people in the middle with whom nobody is there oftener than they must be.

    `in_trios`: for each place how often they were in a trio before the first round; who was least comes first.
    A trio takes somebody who was there least, if need be in place of whom another trio takes somebody else, and so on.
    """
    trios = [trio for seated in rounds for trio in seated.trios]
    times = dict.fromkeys((one for trio in trios for one in trio), 0)
    thirds: list[int] = []
    for number, trio in enumerate(trios):
        taken_by = dict.fromkeys((trio.third, trio.first, trio.last), number)
        reached = list(taken_by)
        for one in reached:
            for earlier in (at for at, third in enumerate(thirds) if third == one and times[one]):
                new = [other for other in trios[earlier] if other not in taken_by]
                taken_by.update(dict.fromkeys(new, earlier))
                reached += new
        third = min(reached, key=lambda one: (times[one], in_trios[one]))
        times[third] += 1
        thirds.append(trio.third)
        while (at := taken_by[third]) != number:
            thirds[at], third = third, thirds[at]
        thirds[number] = third
    found = iter(zip(trios, thirds, strict=True))
    return [seated._replace(trios=tuple(_around(*next(found)) for _ in seated.trios)) for seated in rounds]


def _around(trio: Trio, third: int) -> Trio:
    first, last = (one for one in trio if one != third)
    return Trio(first, third, last)


def met_before(couples: Couples) -> Acquaintance:
    """The meetings ahead of the first round, of people who are still here."""
    met = couples.people.places(np.array(couples.course.met, dtype=np.int64).reshape(-1, 2))
    met = met[(met >= 0).all(axis=1) & (met[:, 0] != met[:, 1])]
    return Acquaintance.of(len(couples), couples.keys(met[:, 0], met[:, 1]))


@dataclass(frozen=True, slots=True)
class Memory:
    """What has been, before a round or in all rounds but one. For each place: how often they were left out, the third
    of a couple, and in a trio.
    """

    met: Acquaintance
    left_out: Points
    thirds: Points
    trios: Points

    @classmethod
    def of(cls, couples: Couples) -> "Memory":
        """What was before the first round."""
        people = couples.people
        left_out, thirds, trios = np.zeros((3, len(people)), dtype=np.int64)
        for counted, ids in ((left_out, dict.fromkeys(couples.course.left_out, 1)), (trios, couples.course.in_trios)):
            places = people.places(list(ids))
            here = places >= 0
            counted[places[here]] = np.array(list(ids.values()), dtype=np.int64)[here]
        return cls(met_before(couples), left_out, thirds, trios)

    def also(self, couples: Couples, rounds: Iterable[Seated]) -> "Memory":
        """The same with these rounds."""
        left_out, thirds, trios = self.left_out.copy(), self.thirds.copy(), self.trios.copy()
        keys = [self.met.keys]
        for seated in rounds:
            keys.append(np.sort(couples.keys(*meetings(seated))))
            left_out[seated.alone] += 1
            for trio in seated.trios:
                thirds[trio.third] += 1
                trios[list(trio)] += 1
        return Memory(Acquaintance(len(couples), merged(*keys)), left_out, thirds, trios)

    def awaiting(self, couples: Couples, groups: Sequence[tuple[int, ...]]) -> "Memory":
        """The same, as if these groups of places had met: they will, in rounds that are not planned yet."""
        if not groups:
            return self
        pairs = np.array([pair for group in groups for pair in combinations(group, 2)], dtype=np.int64)
        keys = merged(self.met.keys, couples.keys(pairs[:, 0], pairs[:, 1]))
        return replace(self, met=Acquaintance(len(couples), keys))
