"""Who may still meet whom in one round: the graph in which couples are looked for."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.people import Places

FEW: Final = 384
"""Up to so many people all couples are looked at beforehand; beyond, one row of couples when a search comes by."""


@dataclass(frozen=True)
class Meeting:
    """The couples that the rules allow among some people of a course, less those that are banned.

    `who`: sorted places. `banned`: sorted keys, smaller place * people of the course + larger place.
    """

    couples: Couples
    who: Places
    banned: NDArray[np.int64]
    _scratch: list[NDArray[np.bool_]] = field(default_factory=list, repr=False, compare=False)

    @cached_property
    def lists(self) -> list[list[int]] | None:
        """For each place of the course its partners in ascending order, or None where they are too many to list."""
        if len(self.who) > FEW:
            if self.couples.sparse is None:
                return None
            one, other = self.couples.sparse
            here = np.zeros(len(self.couples), dtype=np.bool_)
            here[self.who] = True
            allowed = here[one] & here[other] & ~is_banned(self.banned, len(self.couples), one, other)
        else:
            one, other = (self.who[index] for index in np.triu_indices(len(self.who), k=1))
            allowed = self.allowed(one, other)
        return listed(len(self.couples), one[allowed], other[allowed])

    def allowed(self, one: Places, other: Places) -> NDArray[np.bool_]:
        """For each couple, whether the rules allow it and it is not banned."""
        found = self.couples.allowed(one, other)
        if len(self.banned):
            found = found & ~is_banned(self.banned, len(self.couples), one, other)
        return found

    def partners(self, place: int, among: Places) -> Places:
        """Those of `among`, in their order, whom this person may meet."""
        found = among[self.couples.allowed(np.full(len(among), place, dtype=np.int64), among)]
        starts, banned = self._bans
        taken = banned[starts[place] : starts[place + 1]]
        if not len(taken):
            return found
        if not self._scratch:
            self._scratch.append(np.zeros(len(self.couples), dtype=np.bool_))
        mark = self._scratch[0]
        mark[taken] = True
        found = found[~mark[found]]
        mark[taken] = False
        return found

    @cached_property
    def _bans(self) -> tuple[NDArray[np.int64], Places]:
        """Banned partners of place p: the second array from the p-th to the next number of the first."""
        people = max(1, len(self.couples))
        one, other = self.banned // people, self.banned % people
        ends = np.concatenate([one, other])
        order = np.argsort(ends, kind="stable")
        starts = np.searchsorted(ends[order], np.arange(len(self.couples) + 1))
        return starts, np.concatenate([other, one])[order]


def listed(people: int, one: Places, other: Places) -> list[list[int]]:
    """For each of so many places the others of these couples, in ascending order."""
    ends, partners = np.concatenate([one, other]), np.concatenate([other, one])
    order = np.lexsort((partners, ends))
    partners = partners[order]
    starts = np.searchsorted(ends[order], np.arange(people + 1)).tolist()
    return [partners[starts[place] : starts[place + 1]].tolist() for place in range(people)]


def is_banned(banned: NDArray[np.int64], people: int, one: Places, other: Places) -> NDArray[np.bool_]:
    """For each couple, whether its key is among these sorted keys."""
    wanted = np.minimum(one, other) * people + np.maximum(one, other)
    if not len(banned):
        return np.zeros(wanted.shape, dtype=np.bool_)
    found: NDArray[np.bool_] = banned[np.minimum(np.searchsorted(banned, wanted), len(banned) - 1)] == wanted
    return found
