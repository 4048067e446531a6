"""A schedule as arrays: who sits in which group of which round. Made for the checker; no solver uses it."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.schedule import Group, Placed, Schedule


@dataclass(frozen=True, slots=True)
class Meetings:
    """Every couple of every group: `one` and `other` are places (-1: not in the course), `group` counts all groups."""

    one: Places
    other: Places
    group: NDArray[np.int64]
    round: NDArray[np.int64]


@dataclass(frozen=True)
class Seating:
    """All groups of all rounds, one after the other."""

    people: People
    groups: tuple[Group, ...]
    round: NDArray[np.int64]
    """Of each group, from 1."""
    size: NDArray[np.int64]
    begun: Bools
    """Of each group, whether it is fixed."""
    ids: NDArray[np.int64]
    """The members of all groups, in order."""
    places: Places
    """The same as places; -1 for people who are not in the course."""
    unpaired: dict[int, list[PersonId]]
    """By round, who is listed as unpaired."""

    @cached_property
    def group_of_seat(self) -> NDArray[np.int64]:
        """For each entry of `ids` and `places`, its group."""
        return np.repeat(np.arange(len(self.groups)), self.size)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Of each group, where its members begin in `ids`; at the end, how many there are."""
        return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(self.size)])

    def seats(self, number: int) -> slice:
        """The entries of `ids` and `places` that belong to a round."""
        first, last = np.searchsorted(self.round, [number, number + 1])
        return slice(int(self.starts[first]), int(self.starts[last]))

    def meetings(self) -> Meetings:
        """Every two members of every group, by size of group and in the order of rounds."""
        starts = self.starts[:-1]
        found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]] = []
        for size in np.unique(self.size).tolist():
            chosen = np.flatnonzero(self.size == size)
            for first, second in combinations(range(size), 2):
                found.append((self.places[starts[chosen] + first], self.places[starts[chosen] + second], chosen))
        if not found:
            nothing = np.zeros(0, dtype=np.int64)
            return Meetings(nothing, nothing, nothing, nothing)
        one, other, group = (np.concatenate(part) for part in zip(*found, strict=True))
        return Meetings(one, other, group, self.round[group])


def seat(people: People, schedule: Schedule, fixed: Collection[Placed] = ()) -> Seating:
    """Read a schedule. Nothing is taken for granted: people may be unknown, groups empty."""
    begun = frozenset(fixed)
    groups = tuple(chain.from_iterable(schedule.rounds))
    numbers = np.repeat(np.arange(1, len(schedule.rounds) + 1), [len(listed) for listed in schedule.rounds])
    sizes = np.fromiter(map(len, groups), dtype=np.int64, count=len(groups))
    ids = np.fromiter(chain.from_iterable(groups), dtype=np.int64, count=int(sizes.sum()))
    is_begun = np.zeros(len(groups), dtype=np.bool_)
    if begun:
        placed = zip(numbers.tolist(), groups, strict=True)
        is_begun = np.fromiter((one in begun for one in placed), dtype=np.bool_, count=len(groups))
    unpaired = defaultdict(list)
    for one in schedule.unpaired:
        unpaired[one.round].append(one.person)
    return Seating(people, groups, numbers, sizes, is_begun, ids, people.places(ids), dict(unpaired))


def keys(one: Places, other: Places, people: int) -> NDArray[np.int64]:
    """One number for each couple, whatever the order of the two."""
    lesser: NDArray[np.int64] = np.minimum(one, other) * people
    return lesser + np.maximum(one, other)


def counted_before(people: People, met: Collection[tuple[PersonId, PersonId]]) -> NDArray[np.int64]:
    """Sorted keys of couples who met before; one who met twice is there twice. People who are gone do not count."""
    places = people.places(np.array(list(met), dtype=np.int64).reshape(-1, 2))
    both = places[(places >= 0).all(axis=1)]
    return np.sort(keys(both[:, 0], both[:, 1], len(people)))
