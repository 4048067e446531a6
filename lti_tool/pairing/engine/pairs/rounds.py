"""One round of pairs: who works with whom, given the rules, who met before and who was left out."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lti_tool.pairing.engine.acquaintance import Acquaintance
from lti_tool.pairing.engine.compiled import Couples, Keys, among, merged
from lti_tool.pairing.engine.coverage.covering import cover
from lti_tool.pairing.engine.effort import Steps
from lti_tool.pairing.engine.pairs.blocks import ALONE, best_couples
from lti_tool.pairing.engine.pairs.chains import pass_on
from lti_tool.pairing.engine.pairs.exchanging import Rows
from lti_tool.pairing.engine.pairs.neighbourhoods import neighbours_together
from lti_tool.pairing.engine.pairs.proving import proven
from lti_tool.pairing.engine.people import Bools, Places, Points

EXACT: Final = 320
"""So many people are paired by looking at all their couples."""
EXACT_SPARSE: Final = 2048
"""So many where few couples are allowed."""
SCATTER: Final = 64
"""The most points where chance stands in for wishes."""
OFTEN: Final = 256
"""Meeting more often than this is not told from meeting so often."""
IN_VAIN: Final = 3
"""So many passes that gain nothing are the last."""


@dataclass(frozen=True, slots=True)
class Round:
    """What has to be reckoned with in one round.

    `banned`: sorted keys of couples who may not meet although the rules by value allow it. `met`: every meeting before
    this round. `urgent`: for each place, how often they were left out before; they come first. `steps`: what is done
    for more people than are solved exactly.
    """

    couples: Couples
    banned: Keys
    met: Acquaintance
    urgent: Points
    steps: Steps
    rng: np.random.Generator
    scattered: bool = False
    """Whether chance stands in for wishes."""
    _shunned: list[Keys] = field(default_factory=list, repr=False, compare=False)

    @property
    def shunned(self) -> Keys:
        """Sorted keys of the banned couples and of those who met."""
        if not self._shunned:
            self._shunned.append(merged(self.banned, self.met.keys))
        return self._shunned[0]

    @property
    def repeat(self) -> int:
        """What a couple that met before loses for each time: more than all couples of a round have points."""
        return (len(self.couples) // 2) * max(self.couples.most, SCATTER) + 1

    def allowed(self, one: Places, other: Places) -> Bools:
        """For each couple, whether it may be in this round."""
        found = self.couples.allowed(one, other)
        return found & ~among(self.banned, self.couples.keys(one, other)) if len(self.banned) else found

    def again(self, one: Places, other: Places) -> Points:
        """For each couple 0, or how much speaks against it because they met: that they did, and then how often."""
        times = self.met.times(one, other)
        if len(self.couples) > EXACT_SPARSE:
            return times
        found: Points = np.minimum(times, OFTEN) + (times > 0) * (len(self.couples) * OFTEN)
        return found

    def wished(self, one: Places, other: Places) -> Points:
        """For each couple its points."""
        return self.rng.integers(SCATTER + 1, size=one.shape) if self.scattered else self.couples.points(one, other)

    def weight(self, one: Places, other: Places) -> Points:
        """For each allowed couple its worth: people left out before, then repeats, then points."""
        found = self.wished(one, other)
        most = 0
        if len(self.met.keys):
            again = self.again(one, other)
            found -= self.repeat * again
            most = int(again.max(initial=0))
        if self.urgent.any():
            above = (most + 1) * (len(self.couples) // 2 + 1) * self.repeat
            found += above * (self.urgent[one] + self.urgent[other])
        return found

    def exact(self, who: Places) -> Places:
        """For each place the partner or -1: the best couples that there are among these people."""
        one, other = self._couples_of(who)
        place = np.full(len(self.couples), ALONE, dtype=np.int64)
        place[who] = np.arange(len(who))
        found = best_couples(len(who), place[one], place[other], self.weight(one, other))
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        paired = np.flatnonzero(found != ALONE)
        partner[who[paired]] = who[found[paired]]
        return partner

    def _couples_of(self, who: Places) -> tuple[Places, Places]:
        if len(who) > EXACT and self.couples.sparse is not None:
            here = np.zeros(len(self.couples), dtype=np.bool_)
            here[who] = True
            one, other = self.couples.sparse
            may = here[one] & here[other] & ~among(self.banned, self.couples.keys(one, other))
        else:
            first, second = np.triu_indices(len(who), 1)
            one, other = who[first], who[second]
            may = self.allowed(one, other)
        return one[may], other[may]

    def is_exact(self, people: int) -> bool:
        """Whether so many people are paired exactly."""
        return people <= EXACT or (people <= EXACT_SPARSE and self.couples.sparse is not None)

    def solve(self, who: Places) -> Places:
        """For each place the partner or -1: as many of `who` as can be, no repeat that can be avoided, many points.

        Up to `EXACT` people it is the best there is. Beyond, couples by lot are made better, and who is left over is
        paired as in `cover`. Where few couples are allowed, that comes first.
        """
        who = self.rng.permutation(who)
        if self.is_exact(len(who)):
            return self.exact(who)
        if self.couples.sparse is not None:
            return self._in_neighbourhoods(who, self.settle(who, np.full(len(self.couples), ALONE, dtype=np.int64)))
        half = len(who) // 2
        rows = Rows(self.couples, who[:half], who[half : 2 * half], self.shunned, self.rng)
        rows.sweep(self.steps.sweeps)
        one, other, weight = rows.all()
        one, other = self._in_rings(one[weight >= 0], other[weight >= 0])
        if self.steps.proves and 2 * len(one) == len(who):
            one, other = proven(self.couples, one, other, self.shunned)
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        partner[one], partner[other] = other, one
        return self.settle(who, partner)

    def _in_neighbourhoods(self, who: Places, partner: Places) -> Places:
        """As many couples, better ones: exactly for people near each other, twice with other borders between them."""
        if not self.couples.most and not len(self.met.keys) and not self.urgent.any():
            return partner
        one, other = self._couples_of(who)
        for _ in range(2):
            order = neighbours_together(self.rng.permutation(who), len(self.couples), one, other)
            for start in range(0, len(order), EXACT_SPARSE):
                some = order[start : start + EXACT_SPARSE]
                mates = partner[some]
                near = np.unique(np.concatenate((some, mates[mates != ALONE])))
                partner[near] = self.exact(near)[near]
        return partner

    def _in_rings(self, one: Places, other: Places) -> tuple[Places, Places]:
        """Better couples by rings, until passes no longer help."""
        points = int(self.couples.points(one, other).sum())
        in_vain = 0
        for _ in range(self.steps.passes * min(4, max(1, 4096 // len(self.couples)))):
            one, other = pass_on(
                self.couples, one, other, self.shunned, self.rng, block=self.steps.block, steps=self.steps.chain
            )
            before, points = points, int(self.couples.points(one, other).sum())
            in_vain = in_vain + 1 if points == before else 0
            if in_vain == IN_VAIN * (3 if self.steps.proves else 1):
                break
        return one, other

    def settle(self, who: Places, partner: Places) -> Places:
        """The same couples, changed so that as few people as possible are left over; first without any repeat."""
        seed = int(self.rng.integers(1 << 32))
        urgent = np.flatnonzero(self.urgent)
        for banned in (self.shunned, self.banned) if len(self.met.keys) else (self.banned,):
            if (partner[who] == ALONE).sum() > len(who) % 2:
                partner = cover(self.couples, who, partner, banned, weigh=self.weight, left_out=urgent, seed=seed)
        return partner
