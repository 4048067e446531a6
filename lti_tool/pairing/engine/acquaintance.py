"""Who met whom, as sorted numbers: the form in which 60,000 meetings are looked up in a millisecond."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.people import People, Places, Points

Keys = NDArray[np.int64]
"""One number for each meeting of two people, whatever their order; who met twice is there twice."""


@dataclass(frozen=True)
class Acquaintance:
    """Meetings of people who are places among `people`."""

    people: int
    keys: Keys
    """Sorted."""

    @classmethod
    def of(cls, people: int, *several: Keys) -> "Acquaintance":
        """All these meetings together."""
        return cls(people, np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *several])))

    def times(self, one: Places, other: Places) -> Points:
        """For each couple, how often they met."""
        wanted = keys(one, other, self.people)
        if not len(self.keys):
            return np.zeros(wanted.shape, dtype=np.int64)
        found = np.searchsorted(self.keys, wanted)
        # Nearly nobody met, and nobody met often, so counting on from the first is cheaper than a second search.
        times = np.zeros(wanted.shape, dtype=np.int64)
        more = found < len(self.keys)
        while True:
            at = np.minimum(found + times, len(self.keys) - 1)
            more &= (found + times < len(self.keys)) & (self.keys[at] == wanted)
            if not more.any():
                return times
            times += more


def keys(one: Places, other: Places, people: int) -> Keys:
    """The number of each couple of places."""
    lesser: Keys = np.minimum(one, other) * people
    return lesser + np.maximum(one, other)


def meetings_of(people: People, groups: Iterable[tuple[PersonId, ...]]) -> Keys:
    """Every two members of every group who are still here, not sorted."""
    listed = list(groups)
    sizes = np.fromiter(map(len, listed), dtype=np.int64, count=len(listed))
    places = people.places(np.fromiter(chain.from_iterable(listed), dtype=np.int64, count=int(sizes.sum())))
    starts = np.cumsum(sizes) - sizes
    found: list[Any] = [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes).tolist():
        rows = starts[sizes == size]
        for first, second in combinations(range(size), 2):
            one, other = places[rows + first], places[rows + second]
            here = (one >= 0) & (other >= 0)
            found.append(keys(one[here], other[here], len(people)))
    return np.concatenate(found)
