"""An odd number of few people: every trio there can be, each with the best couples of everybody else.

A set of people is a number, one bit for each person. What the best couples of a set are worth follows from smaller
sets: its first person is alone, or works with one of the others. So all sets together take a few thousand steps, and
then each trio is one look-up.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.pairs.blocks import ALONE
from lti_tool.pairing.engine.pairs.rounds import Round
from lti_tool.pairing.engine.pairs.seated import Memory, Trio
from lti_tool.pairing.engine.people import Places

FEW: Final = 15
"""So many people are few: a millisecond or two."""
LARGEST: Final = 1 << 61

Whole = NDArray[np.int64]


def of_every_trio(chance: Round, who: Places, locked: Places, memory: Memory) -> tuple[Places, Trio | None]:
    """For each place the partner or -1, and the trio, whose members have no partner: the best there is.

    `who` are an odd number; `locked` are couples beside them, of shape (couples, 2), one of whom may host somebody.
    What counts, in this order: people without a partner, those of them who were left out before, repeats, whether
    somebody is the third who was before, that locked couples stay by themselves, how often people were in a trio, and
    points.
    """
    seats = np.concatenate((who, locked.ravel()))
    worth = _Worth(chance, seats, len(who), memory)
    trios = [trio for trio in _trios(len(who), len(locked)) if worth.may_be(trio)]
    partner = np.full(len(chance.couples), ALONE, dtype=np.int64)
    best = worth.best_of(np.array(trios, dtype=np.int64).reshape(-1, 3))
    trio = Trio(*seats[list(best)].tolist()) if best else None
    for one, other in worth.couples_of(worth.without(best or ())):
        partner[who[one]], partner[who[other]] = who[other], who[one]
    return partner, trio


def _trios(people: int, locked: int) -> Iterable[tuple[int, int, int]]:
    """Places among the seats: any three who are not locked, or a locked couple with one more between them."""
    yield from combinations(range(people), 3)
    for start in range(people, people + 2 * locked, 2):
        for third in range(people):
            yield start, third, start + 1


class _Worth:
    """What couples, trios and sets of people are worth. The first `free` seats are of people who are not locked."""

    def __init__(self, chance: Round, seats: Places, free: int, memory: Memory) -> None:
        self.free = free
        self.thirds, self.trios, self.urgent = memory.thirds[seats], memory.trios[seats], chance.urgent[seats]
        one, other = np.triu_indices(len(seats), 1)
        self.allowed = _square(len(seats), chance.allowed(seats[one], seats[other]))
        self.again = _square(len(seats), chance.again(seats[one], seats[other]))
        self.points = _square(len(seats), chance.wished(seats[one], seats[other]))
        # Each level of importance outweighs all that the levels below it can add up to.
        bound = len(seats) + 3
        most = int(self.again.max(initial=0)) * bound + 1
        urgent = int(self.urgent.sum()) + 1
        room = LARGEST // (most * urgent * bound * bound)
        if (highest := int(self.points.max(initial=0))) > room:
            self.points = self.points * room // highest
        self.repeat = int(self.points.max(initial=0)) * bound + 1
        self.left_out = self.repeat * most
        self.person = self.left_out * urgent
        self.best = self._best()

    def _couples(self, one: int) -> Whole:
        """What each couple with this person is worth, below 0 where it may not be."""
        found = 2 * self.person + self.left_out * (self.urgent[one] + self.urgent)
        found += 2 * self.points[one] - self.repeat * self.again[one]
        return np.where(self.allowed[one], found, -1)[: self.free]

    def _best(self) -> Whole:
        """For every set of people who are not locked, what its best couples are worth."""
        best = np.zeros(1 << self.free, dtype=np.int64)
        for one in range(self.free - 1, -1, -1):
            others = np.arange(1 << (self.free - 1 - one)) << (one + 1)
            found = best[others]
            couples = self._couples(one)
            for other in range(one + 1, self.free):
                if couples[other] >= 0:
                    beside = np.flatnonzero(others >> other & 1)
                    found[beside] = np.maximum(found[beside], best[others[beside] ^ 1 << other] + couples[other])
            best[others | 1 << one] = found
        return best

    def couples_of(self, people: int) -> Iterable[tuple[int, int]]:
        """The best couples of a set."""
        while people:
            one = (people & -people).bit_length() - 1
            people ^= 1 << one
            if self.best[people | 1 << one] == self.best[people]:
                continue
            couples = self._couples(one)
            for other in range(one + 1, self.free):
                is_there = people >> other & 1 and couples[other] >= 0
                if is_there and self.best[people | 1 << one] == self.best[people ^ 1 << other] + couples[other]:
                    yield one, other
                    people ^= 1 << other
                    break

    def may_be(self, trio: tuple[int, int, int]) -> bool:
        """Whether all three may meet; a locked couple may in any case."""
        first, third, last = trio
        hosts_may = first >= self.free or self.allowed[first, last]
        return bool(hosts_may and self.allowed[first, third] and self.allowed[third, last])

    def without(self, trio: Iterable[int]) -> int:
        """The set of everybody who is not locked and not in the trio."""
        found = (1 << self.free) - 1
        for one in trio:
            found &= ~(1 << one)
        return found

    def best_of(self, trios: Whole) -> tuple[int, int, int] | None:
        """The trio with which everybody else can have the best couples; None where none seats one person more."""
        rest = self.best[[self.without(trio) for trio in trios.tolist()]]
        first, third, last = trios.T
        is_locked = first >= self.free
        urgent = self.urgent[third] + np.where(is_locked, 0, self.urgent[first] + self.urgent[last])
        met = self.again[first, third] + self.again[third, last] + np.where(is_locked, 0, self.again[first, last])
        seated = np.where(is_locked, 1, 3) * self.person + urgent * self.left_out - met * self.repeat
        # A locked couple with a third counts once instead of twice.
        points = self.points[first, third] + self.points[third, last]
        points += np.where(is_locked, -1, 1) * self.points[first, last] + rest % self.repeat
        gravest = rest // self.repeat + seated // self.repeat
        order = np.lexsort(
            (-points, self.trios[trios].sum(axis=1), is_locked, self.thirds[trios].min(axis=1), -gravest)
        )
        if not len(order) or gravest[order[0]] < self.best[-1] // self.repeat:
            return None
        chosen: tuple[int, int, int] = tuple(trios[order[0]].tolist())
        return chosen


def _square(size: int, values: NDArray[np.int64 | np.bool_]) -> NDArray[np.int64 | np.bool_]:
    """A value for each couple, as a table that is read from both sides."""
    found = np.zeros((size, size), dtype=values.dtype)
    found[np.triu_indices(size, 1)] = values
    return found | found.T if values.dtype == np.bool_ else found + found.T
