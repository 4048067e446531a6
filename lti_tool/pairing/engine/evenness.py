"""Turns for people who come with a history: the least that anyone can be ahead or behind.

Take each turn as a point, and what its person is ahead after it as a flow to their next turn; a couple carries a flow
of one from the last to the first. Then signs are flows, how far someone may be ahead is the width of a line, and what
is possible is a question of maximum flow (Ford and Fulkerson 1956). All points with too much look for points with too
little at the same time, in one forest of shortest ways, and every tree that finds one moves its unit: whole arrays at
a time. Nothing is found any more only when nothing can be found, so the width that is reached is the least.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, Places

Whole = NDArray[np.int64]
ANY: Final = 1 << 40
"""Wider than anyone is ever ahead."""
NONE: Final = -1
TO_NEXT, TO_EARLIER, TO_PARTNER = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Turns:
    """All turns of all rounds. Couple i has the turns 2i and 2i + 1; `order` lists them person by person, in time."""

    persons: NDArray[np.int32]
    order: NDArray[np.int32]
    firsts: Bools
    """Along `order`: where another person begins."""
    ahead: Whole
    given: Bools
    """For each couple, whether its signs are given: the first is +1."""

    @classmethod
    def of(cls, one: Places, other: Places, ahead: Whole | None, given: Bools | None) -> "Turns":
        persons = np.empty(2 * len(one), dtype=np.int32)
        persons[::2], persons[1::2] = one, other
        order = np.argsort(persons, kind="stable").astype(np.int32)
        sorted_persons = persons[order]
        firsts = np.ones(len(order), dtype=np.bool_)
        firsts[1:] = sorted_persons[1:] != sorted_persons[:-1]
        ahead = np.zeros(int(persons.max()) + 1, dtype=np.int64) if ahead is None else ahead
        given = np.zeros(len(one), dtype=np.bool_) if given is None else given
        return cls(persons, order, firsts, ahead, given)

    @property
    def has_history(self) -> bool:
        return bool(self.given.any() or self.ahead[self.persons].any())

    def ranks(self) -> NDArray[np.int32]:
        """Along `order`: how many turns the person had before."""
        starts = np.flatnonzero(self.firsts)
        lengths = np.diff(np.append(starts, len(self.order)))
        return (np.arange(len(self.order)) - np.repeat(starts, lengths)).astype(np.int32)

    def neighbours(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """A person's turns that follow each other: the earlier and the later."""
        later = np.flatnonzero(~self.firsts)
        return self.order[later - 1], self.order[later]

    def own_opposites(self) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """For each turn, its opposite of the same person or -1; and the sign that it should have where that is known.

        After as many turns as someone's history asks for, two and two.
        """
        own = np.full(len(self.order), NONE, dtype=np.int32)
        wanted = np.zeros(len(self.order), dtype=np.int8)
        ahead = self.ahead[self.persons[self.order]]
        place = self.ranks() - np.abs(ahead)
        early = place < 0
        wanted[self.order[early]] = -np.sign(ahead[early])
        begins = np.flatnonzero((place[:-1] >= 0) & (place[:-1] % 2 == 0) & ~self.firsts[1:])
        left, right = self.order[begins], self.order[begins + 1]
        fixed = np.repeat(self.given, 2)
        fixed_signs = np.where(np.arange(len(fixed)) % 2, -1, 1)
        free = ~fixed[left] & ~fixed[right]
        own[left[free]], own[right[free]] = right[free], left[free]
        for known, open_ in ((left, right), (right, left)):
            pulls = fixed[known] & ~fixed[open_]
            wanted[open_[pulls]] = -fixed_signs[known[pulls]]
        return own, wanted


def even_out(turns: Turns, signs: NDArray[np.int8]) -> NDArray[np.int8]:
    """The signs changed as little as need be, so that the largest imbalance at the end is the least possible.

    Then what is on the way is made as small as the people who end furthest allow. Someone who could not be nearer to
    even, whatever the signs, is not counted.
    """
    flow = _Flow(turns, signs)
    if flow.points:
        flow.narrow(flow.is_last)
        flow.narrow(~flow.is_last)
    return flow.all_signs()


class _Flow:
    """What everyone is ahead after each turn that is free to change, and the moves that keep it possible."""

    def __init__(self, turns: Turns, signs: NDArray[np.int8]) -> None:
        self.turns, self.start = turns, signs
        along = turns.order
        free = ~turns.given[along // 2]
        number = np.full(len(along), NONE, dtype=np.int64)
        at = np.flatnonzero(free)
        self.at, self.points = at, len(at)
        number[along[at]] = np.arange(len(at))
        self.signs = signs[along[at]].astype(np.int64)
        self.partner = number[along[at] ^ 1]
        self._measure(free)
        person = turns.persons[along[at]]
        joined = np.flatnonzero(person[1:] == person[:-1])
        self.next = np.full(len(at), NONE, dtype=np.int64)
        self.earlier = np.full(len(at), NONE, dtype=np.int64)
        self.next[joined], self.earlier[joined + 1] = joined + 1, joined
        self.excess = np.zeros(len(at), dtype=np.int64)
        self.most = np.full(len(at), ANY, dtype=np.int64)
        self.least = -self.most

    def _measure(self, free: Bools) -> None:
        """Where everyone stands, and how near to even they could be at best, turn by turn."""
        turns, along = self.turns, self.turns.order
        starts = np.flatnonzero(turns.firsts)
        which = np.cumsum(turns.firsts) - 1
        history = turns.ahead[turns.persons[along[starts]]]

        def running(steps: Whole) -> Whole:
            total = np.cumsum(steps)
            found: Whole = total - (total[starts] - steps[starts])[which]
            return found

        steps = self.start[along].astype(np.int64)
        self.stands = running(steps) + history[which]
        tries = running(free.astype(np.int64))
        fixed = running(np.where(free, 0, steps)) + history[which]
        self.at_best = np.maximum(np.abs(fixed) - tries, (fixed + tries) % 2)
        self.is_last = np.append(turns.firsts[1:], True)
        self.counts = tries > 0  # before the first free turn nothing can be changed
        self.value = self.stands[self.at].copy()
        self.offset = self.stands - self.stands[self.at][np.maximum(np.cumsum(free) - 1, 0)] if self.points else steps

    def _bounds(self, width: int, where: Bools) -> tuple[Whole, Whole]:
        """For each point, the most and the least that keep everyone within the width where it is asked for."""
        wide = np.where(where & self.counts, np.maximum(width, self.at_best), ANY)
        high: Whole = np.minimum.reduceat(wide - self.offset, self.at)
        low: Whole = np.maximum.reduceat(-wide - self.offset, self.at)
        return np.minimum(high, self.most), np.maximum(low, self.least)

    def narrow(self, where: Bools) -> None:
        """Make the flow as narrow as possible in these places. Later calls keep what this one reached.

        What cannot be moved is shut in by lines that are full; only those are widened, so that one couple of two people
        who are far ahead does not loosen everyone's turns.
        """
        width = 1
        self.high, self.low = self._bounds(width, where)
        over = np.maximum(0, -((self.high - self.value) // 2))
        under = np.maximum(0, -((self.value - self.low) // 2))
        units = np.where(over > 0, over, -under)
        self.value -= 2 * units
        self.excess += units
        has_next = self.next >= 0
        self.excess[self.next[has_next]] -= units[has_next]
        while True:
            is_higher, is_lower = self._push()
            self._mirror()
            lower, higher = self._push()
            self._mirror()
            if not self.excess.any():
                self.most, self.least = self.high, self.low
                return
            high, low = self._bounds(width + 1, where)
            is_higher, is_lower = (is_higher | higher) & (self.high < high), (is_lower | lower) & (self.low > low)
            self.high[is_higher], self.low[is_lower] = high[is_higher], low[is_lower]
            width += not (is_higher.any() or is_lower.any())

    def _mirror(self) -> None:
        """Look at too little as too much."""
        self.value, self.signs, self.excess = -self.value, -self.signs, -self.excess
        self.high, self.low = -self.low, -self.high

    def _push(self) -> tuple[Bools, Bools]:
        """Send what is too much along free ways to where there is too little, or out at someone's last turn.

        Returns the points whose upper and lower bound stop what is left.
        """
        reached = np.zeros(self.points + 1, dtype=np.bool_)
        while (self.excess > 0).any():
            reached[:-1] = self._push_once()
            if reached.any():
                break
        return reached[:-1] & ~reached[self.next], ~reached[:-1] & reached[self.next]

    def _push_once(self) -> Bools:
        """Move one unit from every source that finds a place for it; if none does, return what they reached."""
        sources = np.flatnonzero(self.excess > 0)
        root = np.full(self.points, NONE, dtype=np.int64)
        root[sources] = sources
        came_from = np.full(self.points, NONE, dtype=np.int64)
        way = np.zeros(self.points, dtype=np.int8)
        is_done = np.zeros(self.points, dtype=np.bool_)
        ends: list[Whole] = []
        front = sources
        while len(front):
            leaves = front[(self.next[front] < 0) & (self.value[front] + 2 <= self.high[front])]
            leaves = leaves[np.unique(root[leaves], return_index=True)[1]]
            is_done[root[leaves]] = True
            self.value[leaves] += 2
            ends.append(leaves)
            front = front[~is_done[root[front]]]
            reached: list[Whole] = []
            for number, here, there in self._ways(front):
                new = root[there] < 0
                here, there = here[new], there[new]  # noqa: PLW2901
                root[there], came_from[there], way[there] = root[here], here, number
                reached.append(there)
            front = np.concatenate(reached)
            needy = front[self.excess[front] < 0]
            needy = needy[np.unique(root[needy], return_index=True)[1]]
            needy = needy[~is_done[root[needy]]]
            is_done[root[needy]] = True
            self.excess[needy] += 1
            ends.append(needy)
            front = front[~is_done[root[front]]]
        found = np.concatenate(ends)
        self.excess[root[found]] -= 1
        self._move(found, came_from, way)
        return (root >= 0) & (len(found) == 0)

    def _ways(self, front: Whole) -> list[tuple[int, Whole, Whole]]:
        """From these points, the ways on which one more unit may go, and where they lead."""
        onward = front[(self.next[front] >= 0) & (self.value[front] + 2 <= self.high[front])]
        back = front[self.earlier[front] >= 0]
        back = back[self.value[self.earlier[back]] - 2 >= self.low[self.earlier[back]]]
        across = front[self.signs[front] > 0]
        return [
            (TO_NEXT, onward, self.next[onward]),
            (TO_EARLIER, back, self.earlier[back]),
            (TO_PARTNER, across, self.partner[across]),
        ]

    def _move(self, found: Whole, came_from: Whole, way: NDArray[np.int8]) -> None:
        """Walk from the ends back to the roots, one unit on each way. Trees share no point, so no two collide."""
        while len(found):
            found = found[came_from[found] >= 0]
            source, taken = came_from[found], way[found]
            self.value[source[taken == TO_NEXT]] += 2
            self.value[found[taken == TO_EARLIER]] -= 2
            self.signs[source[taken == TO_PARTNER]] = -1
            self.signs[found[taken == TO_PARTNER]] = 1
            found = source

    def all_signs(self) -> NDArray[np.int8]:
        """The signs of all turns, given ones included."""
        signs = self.start.copy()
        signs[self.turns.order[self.at]] = self.signs
        return signs
