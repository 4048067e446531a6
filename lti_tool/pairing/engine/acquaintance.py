"""Who met whom, as sorted numbers: the form in which 60,000 meetings are looked up in a millisecond."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.people import People, Places, Points

Keys = NDArray[np.int64]
"""One number for each meeting of two people, whatever their order; who met twice is there twice."""
NONE: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Acquaintance:
    """Meetings of people who are places among `people`: those in `keys` and `more`, but for those in `less`.

    All three are sorted. `keys` may be large, and shared by many; the others say what is different here.
    """

    people: int
    keys: Keys
    more: Keys = field(default_factory=lambda: NONE)
    less: Keys = field(default_factory=lambda: NONE)

    @classmethod
    def of(cls, people: int, *several: Keys) -> "Acquaintance":
        """All these meetings together, in any order."""
        return cls(people, together(several))

    def times(self, one: Places, other: Places) -> Points:
        """For each couple, how often they met."""
        return self._times(keys(one, other, self.people))

    def and_also(self, more: Keys) -> "Acquaintance":
        """With these meetings too."""
        return replace(self, more=together((self.more, more)))

    def couples(self) -> Keys:
        """Everybody who met, once: sorted."""
        found = np.unique(np.concatenate([self.keys, self.more]))
        return found[self._times(found) > 0]

    def _times(self, wanted: Keys) -> Points:
        return _count(self.keys, wanted) + _count(self.more, wanted) - _count(self.less, wanted)


def together(several: Sequence[Keys]) -> Keys:
    """All of them, sorted."""
    return np.sort(np.concatenate([NONE, *several]))


def _count(listed: Keys, wanted: Keys) -> Points:
    """How often each wanted key is among the sorted keys."""
    times = np.zeros(wanted.shape, dtype=np.int64)
    if not len(listed):
        return times
    found = np.searchsorted(listed, wanted)
    # Nearly nobody met, and nobody met often, so counting on from the first is cheaper than a second search.
    more = found < len(listed)
    while True:
        at = np.minimum(found + times, len(listed) - 1)
        more &= (found + times < len(listed)) & (listed[at] == wanted)
        if not more.any():
            return times
        times += more


def keys(one: Places, other: Places, people: int) -> Keys:
    """The number of each couple of places."""
    lesser: Keys = np.minimum(one, other) * people
    return lesser + np.maximum(one, other)


@dataclass(frozen=True)
class Grouped:
    """Some groups as arrays: `members` one group after the other, -1 for people who are not here, and `sizes`."""

    members: Places
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, people: People, groups: Sequence[tuple[PersonId, ...]]) -> "Grouped":
        sizes = np.fromiter(map(len, groups), dtype=np.int64, count=len(groups))
        ids = np.fromiter(chain.from_iterable(groups), dtype=np.int64, count=int(sizes.sum()))
        return cls(people.places(ids), sizes)

    def meetings(self, people: int) -> Keys:
        """Every two members of every group who are here, not sorted."""
        starts = np.cumsum(self.sizes) - self.sizes
        found: list[Keys] = [NONE]
        for size in np.flatnonzero(np.bincount(self.sizes)).tolist():
            rows = starts[self.sizes == size]
            for first, second in combinations(range(size), 2):
                one, other = self.members[rows + first], self.members[rows + second]
                here = (one >= 0) & (other >= 0)
                found.append(keys(one[here], other[here], people))
        meetings: Keys = np.concatenate(found)
        return meetings

    def in_groups_of(self, size: int) -> Places:
        """Members of groups of this size who are here."""
        members: Places = self.members[np.repeat(self.sizes == size, self.sizes)]
        return members[members >= 0]


def meetings_of(people: People, groups: Iterable[tuple[PersonId, ...]]) -> Keys:
    """Every two members of every group who are in the course, not sorted."""
    return Grouped.of(people, list(groups)).meetings(len(people))
