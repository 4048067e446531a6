"""An odd number of people: one is the third of a couple. Another one each round, as long as that can be."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from lti_tool.pairing.engine.coverage.alternating import Forest
from lti_tool.pairing.engine.coverage.attaching import best_third
from lti_tool.pairing.engine.coverage.meeting import Meeting
from lti_tool.pairing.engine.pairs.blocks import ALONE
from lti_tool.pairing.engine.pairs.few import FEW, of_every_trio
from lti_tool.pairing.engine.pairs.rounds import Round
from lti_tool.pairing.engine.pairs.seated import Memory, Trio
from lti_tool.pairing.engine.people import Places

TRIED: Final = 6
"""How many people are tried as the third, where that is quick, before the best of them is taken …"""
ALL_TRIED: Final = 32
"""… and of so many people all are."""


class Arrangement(NamedTuple):
    """For each place the partner or -1, and the trio beside them, whose members have no partner."""

    partner: Places
    trio: Trio | None
    cost: tuple[int, ...]
    """Unpaired people, how often they were left out before, repeats, how often the third was one before, points below
    0: the smaller, the better."""


def arrange(chance: Round, who: Places, order: Places, locked: Places, memory: Memory) -> tuple[Places, Trio | None]:
    """Pairs and one trio for an odd number of people: for each place the partner or -1, and the trio beside them.

    `order`: all of `who`, those first who should be the third. `locked`: couples that are no part of `who`, of shape
    (couples, 2), who host a third only if nobody else can, or, of few people, if that spares a repeat.
    """
    if len(who) + locked.size <= FEW:
        return of_every_trio(chance, who, locked, memory)
    best = _of_some_trios(chance, who, order, locked, memory)
    return best.partner, best.trio


def _of_some_trios(chance: Round, who: Places, order: Places, locked: Places, memory: Memory) -> Arrangement:
    hosts = _Hosts(chance, who, locked, memory)
    found: list[Arrangement] = []
    for third in order[: _tried(chance, len(who))].tolist():
        partner = chance.solve(who[who != third])
        found.append(hosts.take_in(partner, [third]))
        if found[-1].cost[0] == 0 and found[-1].cost[2] == 0:
            return found[-1]
    best = min(found, key=_cost)
    return best if best.cost[0] == 0 else min(best, _with_anybody(chance, who, hosts), key=_cost)


def _cost(one: Arrangement) -> tuple[int, ...]:
    return one.cost


def _tried(chance: Round, people: int) -> int:
    """How many people are tried as the third."""
    return people if people <= ALL_TRIED else TRIED if chance.is_exact(people) else 1


def _with_anybody(chance: Round, who: Places, hosts: "_Hosts") -> Arrangement:
    """As many couples as there can be, and a third from those left over who fits somewhere."""
    partner = chance.solve(who)
    found = hosts.take_in(partner, who[partner[who] == ALONE].tolist())
    if found.trio is None:
        urgent = np.flatnonzero(chance.urgent)
        third = best_third(chance.couples, who, partner, chance.banned, weigh=chance.weight, left_out=urgent)
        if third is not None:
            without = third.partner.copy()
            without[list(third.couple)] = ALONE
            return hosts.judged(without, Trio(third.couple[0], third.person, third.couple[1]))
        return min((found, *_with_locked(chance, who, hosts, partner)), key=_cost)
    return found


def _with_locked(chance: Round, who: Places, hosts: "_Hosts", partner: Places) -> Iterator[Arrangement]:
    """A locked couple takes a third whom other couples, as many of them, would leave over. `partner`: a largest."""
    if not len(hosts.locked):
        return
    forest = Forest(Meeting(chance.couples, np.unique(who), chance.banned), partner)
    forest.spread(forest.alone())
    thirds = hosts.welcome(np.array(forest.outer(), dtype=np.int64))
    for third in thirds[: _tried(chance, len(who))].tolist():
        yield hosts.take_in(chance.solve(who[who != third]), [third])


class _Hosts:
    """The couples of a round as hosts of a third."""

    def __init__(self, chance: Round, who: Places, locked: Places, memory: Memory) -> None:
        self.chance, self.who, self.locked, self.memory = chance, who, locked, memory

    def take_in(self, partner: Places, thirds: list[int]) -> Arrangement:
        """Put one of these people, who have no partner, with the couple that suits best."""
        free = self.who[partner[self.who] > self.who]
        one = np.concatenate((free, self.locked[:, 0]))
        other = np.concatenate((partner[free], self.locked[:, 1]))
        is_locked = np.arange(len(one)) >= len(free)
        allowed, again, points = self.chance.allowed, self.chance.again, self.chance.couples.points
        found = []
        for third in thirds:
            alone = np.full(len(one), third, dtype=np.int64)
            fits = np.flatnonzero(allowed(one, alone) & allowed(other, alone))
            if len(fits):
                repeats = again(one, alone) + again(other, alone)
                worth = points(one, alone) + points(other, alone)
                hosted = self.memory.trios[one] + self.memory.trios[other]
                at = fits[np.lexsort((-worth[fits], hosted[fits], repeats[fits], is_locked[fits]))[0]]
                without = partner.copy()
                if not is_locked[at]:
                    without[[one[at], other[at]]] = ALONE
                found.append(self.judged(without, Trio(int(one[at]), third, int(other[at]))))
        return min(found, key=_cost) if found else self.judged(partner, None)

    def welcome(self, thirds: Places) -> Places:
        """Those of these people who may be the third of a locked couple."""
        allowed = self.chance.allowed
        one, alone = np.broadcast_arrays(self.locked[:, :1], thirds[None, :])
        other = np.broadcast_to(self.locked[:, 1:], alone.shape)
        fits = (allowed(one, alone) & allowed(other, alone)).any(axis=0)
        found: Places = thirds[fits]
        return found

    def judged(self, partner: Places, trio: Trio | None) -> Arrangement:
        """The arrangement with what is wrong with it."""
        who, chance = self.who, self.chance
        one = who[partner[who] > who]
        alone = who[partner[who] == ALONE]
        repeats = int(chance.again(one, partner[one]).sum())
        points = 2 * int(chance.couples.points(one, partner[one]).sum())
        third = 0
        if trio is not None:
            alone = np.setdiff1d(alone, trio)
            one, other = np.array([(trio.first, trio.third), (trio.third, trio.last), (trio.first, trio.last)]).T
            again, worth = chance.again(one, other), chance.couples.points(one, other)
            # A locked couple meets in every arrangement, and counts half as much with a third.
            is_locked = bool((self.locked == (trio.first, trio.last)).all(axis=1).any())
            repeats += int(again.sum() - is_locked * again[2])
            points += int(worth.sum() - 2 * is_locked * worth[2])
            third = int(self.memory.thirds[list(trio)].min())
        return Arrangement(partner, trio, (len(alone), int(chance.urgent[alone].sum()), repeats, third, -points))
