"""Exchanges of reviews where so few couples are allowed that two reviewers by chance can hardly ever exchange.

Instead of two reviewers, an allowed review is drawn that is not made yet; its reviewer would give up an author for it,
whom one of the reviewers of the new author then takes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.reviewing.allocating import NOBODY, Allocation, Authors

SWEEPS: Final = 150
SPARSE: Final = 20
"""Relations in which one couple of so many or fewer is allowed."""


@dataclass(frozen=True)
class Near:
    """All reviews that are allowed."""

    allocation: Allocation
    keys: Places
    """Sorted: reviewer x people + author."""
    worths: Points

    @classmethod
    def of(cls, allocation: Allocation) -> "Near | None":
        """None if too many couples are allowed for this to be of use."""
        people, sparse = len(allocation.couples), allocation.couples.sparse
        if sparse is None or len(sparse[0]) * 2 * SPARSE > people * (people - 1):
            return None
        fits = allocation.allowed(*sparse)
        one, other = sparse[0][fits], sparse[1][fits]
        keys = np.sort(np.concatenate([one * people + other, other * people + one]))
        return cls(allocation, keys, allocation.worth(*np.divmod(keys, people)))

    def _worth(self, reviewer: Places, author: Places) -> tuple[Points, Bools]:
        """What each review is worth, and whether it is allowed."""
        wanted = reviewer * len(self.allocation.couples) + author
        at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return self.worths[at], self.keys[at] == wanted

    def exchange(self, authors: Authors) -> None:
        """Exchange authors along allowed reviews, where both reviewers together gain. Changes `authors`."""
        people, k = authors.shape
        if not len(self.keys) or not k:
            return
        rng = self.allocation.rng
        for _ in range(SWEEPS):
            one, new = np.divmod(self.keys[rng.permutation(len(self.keys))[: 4 * people]], people)
            column = rng.integers(0, k, len(one))
            order = np.argsort(authors, axis=None, kind="stable")
            starts = np.searchsorted(authors.reshape(-1)[order], np.arange(people + 1))
            reviewed = np.diff(starts)[new]
            fits = np.flatnonzero((reviewed > 0) & (authors[one, column] != NOBODY))
            one, new, column = one[fits], new[fits], column[fits]
            slot = order[starts[new] + rng.integers(0, reviewed[fits])]
            self._exchange(authors, (one, column), np.divmod(slot, k))

    def _exchange(self, authors: Authors, here: tuple[Places, Places], there: tuple[Places, Places]) -> None:
        (one, _), (other, _) = here, there
        old, new = authors[here], authors[there]
        fits = ~(authors[one] == new[:, None]).any(axis=1) & ~(authors[other] == old[:, None]).any(axis=1)
        gain = np.zeros(len(one), dtype=np.int64)
        for sign, reviewer, author in ((1, one, new), (1, other, old), (-1, one, old), (-1, other, new)):
            worth, allowed = self._worth(reviewer, author)
            returned = (authors[author] == reviewer[:, None]).any(axis=1)
            gain += sign * (worth - (self.allocation.couples.most + 1) * returned)
            fits &= allowed
        chosen = np.flatnonzero(fits & (gain > 0))
        # Of exchanges that concern the same reviewer the first is made.
        first = np.full(len(authors), len(one))
        for side in (one, other):
            np.minimum.at(first, side[chosen], chosen)
        chosen = chosen[(first[one[chosen]] == chosen) & (first[other[chosen]] == chosen)]
        authors[one[chosen], here[1][chosen]] = new[chosen]
        authors[other[chosen], there[1][chosen]] = old[chosen]
