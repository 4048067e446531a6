"""All rounds of a course in pairs, one after the other."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from lti_tool.pairing.engine.acquaintance import Acquaintance
from lti_tool.pairing.engine.barriers import barrier
from lti_tool.pairing.engine.blocks import ALONE
from lti_tool.pairing.engine.compiled import Couples, Keys, merged
from lti_tool.pairing.engine.effort import Steps
from lti_tool.pairing.engine.hosting import Trio, arrange
from lti_tool.pairing.engine.locking import Members
from lti_tool.pairing.engine.people import Places, Points
from lti_tool.pairing.engine.rounds import Round


class Seated(NamedTuple):
    """One round as places: couples in the order of their smaller place, which is `one`; at most one trio; who has no
    partner, and what shows that it must be so.
    """

    one: Places
    other: Places
    trios: tuple[Trio, ...] = ()
    alone: Places = np.zeros(0, dtype=np.int64)
    barrier: Places | None = None


class Cost(NamedTuple):
    """What is wrong with all rounds together, the gravest first; of two plans the smaller cost is the better plan."""

    unpaired: int
    left_out: int
    """How often the unpaired had been left out before."""
    repeats: int
    lack: int
    """Points below 0."""


class Programme:
    """What the rounds planned so far mean for the next one."""

    def __init__(self, couples: Couples, steps: Steps, rng: np.random.Generator) -> None:
        self.couples, self.steps, self.rng = couples, steps, rng
        course, people = couples.course, couples.people
        self.met = met_before(couples)
        self.urgent: Points = np.zeros(len(people), dtype=np.int64)
        flagged = people.places(sorted(course.left_out))
        self.urgent[flagged[flagged != ALONE]] = 1
        self.thirds: Points = np.zeros(len(people), dtype=np.int64)
        self.trios: Points = np.array([course.in_trios.get(one, 0) for one in people.ids.tolist()], dtype=np.int64)
        self.cost = Cost(0, 0, 0, 0)
        self._last: tuple[Places, Places] | None = None

    def next(self, locked: Sequence[Members]) -> Seated:
        """The best couples for one round more, beside the locked groups."""
        couples = self.couples
        people = len(couples)
        who = _without(np.arange(people, dtype=np.int64), locked, people)
        banned = merged(couples.banned, self.met.keys) if couples.never_again else couples.banned
        chance = Round(couples, banned, self.met, self.urgent, self.steps, self.rng)
        pairs = np.array([group for group in locked if len(group) == 2], dtype=np.int64).reshape(-1, 2)
        trios = [Trio(*group) for group in locked if len(group) == 3]
        if people % 2 and not trios and len(who) % 2:
            arranged = arrange(chance, who, self._order(who), pairs, self.trios)
            partner = arranged.partner
            trios += [arranged.trio] if arranged.trio else []
            pairs = pairs[~np.isin(pairs, np.array(trios, dtype=np.int64)).any(axis=1)]
        else:
            partner = chance.solve(who)
        partner[pairs[:, 0]], partner[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
        one = np.flatnonzero(partner > np.arange(people))
        alone = _without(who[partner[who] == ALONE], trios, people)
        found = Seated(
            one,
            partner[one],
            tuple(trios),
            alone,
            self._barrier(who, partner, trios, banned) if len(alone) else None,
        )
        self._remember(found)
        return found

    def _order(self, who: Places) -> Places:
        """Who should be the third first: whoever was least, then not somebody who was left out, then by lot."""
        lot = self.rng.permutation(len(who))
        keys = (lot, self.urgent[who], self.trios[who], self.thirds[who])
        found: Places = who[np.lexsort(keys)]
        return found

    def _barrier(self, who: Places, partner: Places, trios: list[Trio], banned: Keys) -> Places:
        """What shows it for `who`. A trio is a couple and one more, who has no partner in an arrangement in pairs."""
        partner = partner.copy()
        for trio in trios:
            partner[trio.first], partner[trio.last] = trio.last, trio.first
        return barrier(self.couples, who, partner, banned)

    def _remember(self, found: Seated) -> None:
        one, other = meetings(found)
        points = self.couples.points(one, other)
        repeats = self.met.times(one, other) > 0
        self.cost = Cost(
            self.cost.unpaired + len(found.alone),
            self.cost.left_out + int(self.urgent[found.alone].sum()),
            self.cost.repeats + int(repeats.sum()),
            self.cost.lack - int(points.sum()),
        )
        self.met = Acquaintance(len(self.couples), merged(self.met.keys, np.sort(self.couples.keys(one, other))))
        self.urgent[found.alone] += 1
        for trio in found.trios:
            self.thirds[trio.third] += 1
            self.trios[list(trio)] += 1
        self._last = found.one, found.other


def _without(who: Places, groups: Sequence[Members], people: int) -> Places:
    """These people without those of some groups, in the same order."""
    stays = np.ones(people, dtype=np.bool_)
    stays[[one for group in groups for one in group]] = False
    return who[stays[who]]


def met_before(couples: Couples) -> Acquaintance:
    """The meetings ahead of the first round, of people who are still here."""
    met = couples.people.places(np.array(couples.course.met, dtype=np.int64).reshape(-1, 2))
    met = met[(met >= 0).all(axis=1) & (met[:, 0] != met[:, 1])]
    return Acquaintance.of(len(couples), couples.keys(met[:, 0], met[:, 1]))


def meetings(seated: Seated) -> tuple[Places, Places]:
    """Every two people of a round who sit together."""
    of_trios = [couple for trio in seated.trios for couple in combinations(trio, 2)]
    more = np.array(of_trios, dtype=np.int64).reshape(-1, 2)
    return np.concatenate((seated.one, more[:, 0])), np.concatenate((seated.other, more[:, 1]))
