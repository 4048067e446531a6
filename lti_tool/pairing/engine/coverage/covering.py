"""The last resort of a round: as few people as possible without a partner, whatever the rules leave.

First exact on the people who are left and some couples drawn by lot, who change little. Then along alternating chains
through everybody (`alternating.py`), which ends with a matching of the largest size. Of all these, one that leaves out
the fewest people who were left out last time: whom a largest matching can leave out changes by single exchanges
(the covered people of largest matchings form a matroid, Edmonds and Fulkerson 1965), so exchanging while it helps is
exact.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.coverage.alternating import ALONE, Forest
from lti_tool.pairing.engine.coverage.meeting import Meeting
from lti_tool.pairing.engine.pairs.blocks import best_couples
from lti_tool.pairing.engine.people import Places, Points

Weigh: TypeAlias = Callable[[Places, Places], Points]
"""For each couple how good it is: points less what a repeat costs. Any whole numbers."""

NONE_BANNED: Final = np.zeros(0, dtype=np.int64)
POOL: Final = 48
"""People in the first pool. It doubles while somebody is left over …"""
LARGEST_POOL: Final = 192
"""… up to here: beyond, a search through everybody is faster than an exact answer for some."""
DRAWS: Final = 12
"""How often people without a partner are coupled by lot before anything is searched."""


def cover(
    couples: Couples,
    who: Places,
    partner: Places,
    banned: NDArray[np.int64] = NONE_BANNED,
    *,
    weigh: Weigh | None = None,
    left_out: Places | None = None,
    seed: int = 0,
) -> Places:
    """A matching of the largest size among `who`, grown from the present one.

    `who`: places of the people who are to be paired in this round. `partner`: for each place of the course the partner
    or -1; couples of `who` have their partners in `who` and are allowed. Places outside `who` are returned as they are.
    `banned`: sorted keys (smaller place * people + larger place) of couples who may not be used although rules allow
    them. `left_out`: places who come before everybody else; of all largest matchings one leaves out the fewest of them.
    `weigh` (by default the points of the wishes) chooses among the couples that have to change, exactly within pools of
    some hundred people, not over the whole course. The same input and seed give the same answer.
    """
    meeting = Meeting(couples, np.unique(who).astype(np.int64), banned)
    first = np.zeros(len(couples), dtype=np.bool_)
    if left_out is not None:
        first[left_out] = True
    pools = _Pools(meeting, weigh or couples.points, first, np.random.default_rng(seed))
    found = np.array(partner, dtype=np.int64)
    if not len(who):
        return found
    size = POOL
    while 1 < (loose := len(pools.loose(found))) <= size // 2 and size <= LARGEST_POOL:
        found = pools.settle(found, size)
        size *= 2
    before = found
    if loose > 1:
        found = _largest(meeting, _by_lot(meeting, found, pools.rng))
    found = _favoured(meeting, found, first)
    if not np.array_equal(before, found):
        found = pools.polish(found, np.flatnonzero(before != found))
    return found


def _largest(meeting: Meeting, partner: Places) -> Places:
    forest = Forest(meeting, partner)
    forest.largest()
    return np.array(forest.partner, dtype=np.int64)


def _favoured(meeting: Meeting, partner: Places, first: NDArray[np.bool_]) -> Places:
    """Exchange people of `first` who are left over for others who can be. A largest matching stays one."""
    forest = Forest(meeting, partner)
    while waiting := [one for one in forest.alone() if first[one]]:
        forest.spread(waiting)
        # One exchange a tree; trees have nobody in common.
        chosen: dict[int, int] = {}
        for other in forest.outer():
            if not first[other]:
                chosen.setdefault(forest.root(other), other)
        if not chosen:
            break
        for other in chosen.values():
            forest.free(other)
    return np.array(forest.partner, dtype=np.int64)


def _by_lot(meeting: Meeting, partner: Places, rng: np.random.Generator) -> Places:
    """Couples of people without a partner, as they come."""
    found = partner.copy()
    for _ in range(DRAWS):
        loose = meeting.who[found[meeting.who] == ALONE]
        if len(loose) < 64:
            break
        one, other = rng.permutation(loose)[: len(loose) // 2 * 2].reshape(2, -1)
        fits = meeting.allowed(one, other)
        found[one[fits]], found[other[fits]] = other[fits], one[fits]
    return found


class _Pools:
    """Some people of a meeting at a time, paired exactly: most couples, then people of `first`, then weight."""

    def __init__(self, meeting: Meeting, weigh: Weigh, first: NDArray[np.bool_], rng: np.random.Generator) -> None:
        self.meeting, self.weigh, self.first, self.rng = meeting, weigh, first, rng

    def loose(self, partner: Places) -> Places:
        who = self.meeting.who
        found: Places = who[partner[who] == ALONE]
        return found

    def settle(self, partner: Places, size: int) -> Places:
        """Pair the people who are left over, with couples drawn by lot up to so many people."""
        loose = self.loose(partner)
        return self._exact(partner, self._with_lot(partner, loose, size))

    def polish(self, partner: Places, changed: Places) -> Places:
        """The same number of couples, better ones: the changed people, as many as a pool holds."""
        present = np.union1d(changed, partner[changed][partner[changed] != ALONE])
        return self._exact(partner, self._with_lot(partner, present[: LARGEST_POOL // 2], LARGEST_POOL))

    def _with_lot(self, partner: Places, some: Places, size: int) -> Places:
        """These people and their partners, filled up with couples by lot to about so many people."""
        mates = partner[some]
        chosen = np.union1d(some, mates[mates != ALONE])
        who = self.meeting.who
        more = self.rng.permutation(who[partner[who] > who])[: max(0, size - len(chosen)) // 2]
        return np.union1d(chosen, np.concatenate([more, partner[more]]))

    def _exact(self, partner: Places, pool: Places) -> Places:
        """Present partners of the pool are in the pool, so that there are never fewer couples afterwards."""
        one, other = (pool[index] for index in np.triu_indices(len(pool), k=1))
        allowed = self.meeting.allowed(one, other)
        one, other = one[allowed], other[allowed]
        if not len(one):
            return partner
        weight = self.weigh(one, other).astype(np.int64)
        above = (int(weight.max()) - int(weight.min()) + 1) * len(pool)
        total = weight + above * (self.first[one].astype(np.int64) + self.first[other])
        found = partner.copy()
        best = best_couples(len(pool), np.searchsorted(pool, one), np.searchsorted(pool, other), total)
        found[pool] = np.where(best == ALONE, ALONE, pool[best])
        return found
