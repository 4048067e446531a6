"""Chains of couples along which one more can be made (Edmonds 1965), and what shows that there is none left.

From everybody without a partner a tree grows: whom they could take, that person's present partner, whom this one could
take … People at even distance from their root can be freed: exchange the couples along the way, and the root has a
partner instead. Two of them in different trees who may meet give one couple more. In the same tree they close an odd
cycle (a blossom), in which everybody can be freed. When no tree can grow, those who can be freed, those next to them
and the rest are the parts of Gallai (1964) and Edmonds: the middle ones are a barrier in the sense of Tutte and Berge.

Each person is looked at once in a pass, so a pass is linear in the couples looked at; it ends after at most as many
passes as couples are gained.
"""

from array import array
from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np

from lti_tool.pairing.engine.coverage.meeting import Meeting
from lti_tool.pairing.engine.people import Places

UNREACHED: Final = 0
OUTER: Final = 1
"""At even distance from a root: can be freed."""
INNER: Final = 2
"""Next to somebody who can be freed, and needed as their partner."""
CLOSED: Final = 3
"""Not in this meeting, or in a tree that has given its couple in this pass."""

ALONE: Final = -1
AT_ONCE: Final = 16
"""People whom one person adds to a tree before others have their turn: else the first tree takes everybody."""


class Forest:
    """Trees of alternating chains over a matching, which it makes as large as possible.

    `partner[place]` is a place or -1; places outside the meeting are never touched.
    """

    def __init__(self, meeting: Meeting, partner: Places) -> None:
        self.meeting = meeting
        self.partner: list[int] = partner.tolist()
        self._who: list[int] = meeting.who.tolist()
        self._begin(())

    def largest(self) -> None:
        """Make couples along chains until there is no chain left."""
        while len(alone := self.alone()) > 1 and self._pass(alone):
            pass

    def alone(self) -> list[int]:
        """Everybody without a partner."""
        return [one for one in self._who if self.partner[one] == ALONE]

    def spread(self, roots: Iterable[int]) -> bool:
        """Grow the trees of these people. False when a couple more was found: the matching was not the largest."""
        return self._pass(roots) == 0

    def outer(self) -> list[int]:
        """Everybody who can be freed, after `spread`."""
        return [one for one in self._who if self._state[one] == OUTER]

    def inner(self) -> list[int]:
        """Everybody needed by more than can have them, after `spread` from all who are alone: the barrier."""
        return [one for one in self._who if self._state[one] == INNER]

    def blossoms(self) -> list[list[int]]:
        """The outer people in parts of odd size, after `spread`: of each part everybody but one finds a partner in it.

        Two of different parts may not meet. Parts are ordered by their first person, and sorted inside.
        """
        parts: dict[int, list[int]] = {}
        for one in self.outer():
            parts.setdefault(self._blossom[one], []).append(one)
        return list(parts.values())

    def stem(self, person: int) -> int:
        """The one of an outer person's part who has no partner in it."""
        return self._stem[self._blossom[person]]

    def root(self, person: int) -> int:
        """Whose tree this outer person is in."""
        return self._root[person]

    def chain(self, person: int) -> list[int]:
        """From an outer person to the root: present couples are at 0-1, 2-3 …, possible ones at 1-2, 3-4 …"""
        return self._chain(person)

    def free(self, person: int) -> None:
        """Give the root of this outer person's tree a partner, and leave this person without. The trees are void."""
        chain = self._chain(person)
        self.partner[person] = ALONE
        self._couple(chain[1:])

    def _begin(self, roots: Iterable[int]) -> None:
        people = len(self.partner)
        self._state = bytearray([CLOSED]) * people
        for one in self._who:
            self._state[one] = UNREACHED if self.partner[one] != ALONE else CLOSED
        self._parent: list[int] = [ALONE] * people
        self._bridge: dict[int, tuple[int, int]] = {}
        """For those who became outer by a blossom: the couple that closed it, the end on their side first."""
        self._blossom = array("q", range(people))
        self._stem: list[int] = list(range(people))
        """For each blossom, the one through whom it hangs in its tree."""
        self._members: dict[int, list[int]] = {}
        self._outside: tuple[int, Places] = (ALONE, self.meeting.who)
        self._root: list[int] = [ALONE] * people
        self._trees: dict[int, list[int]] = {}
        self._queue: deque[int] = deque()
        # The same memory, for rows of couples at once.
        self._states = np.frombuffer(self._state, dtype=np.uint8)
        self._blossoms = np.frombuffer(self._blossom, dtype=np.int64)
        for root in roots:
            self._state[root] = OUTER
            self._root[root] = root
            self._trees[root] = [root]
            self._queue.append(root)

    def _pass(self, roots: Iterable[int]) -> int:
        self._begin(roots)
        gained = 0
        while self._queue:
            here = self._queue.popleft()
            if self._state[here] == OUTER and self._look(here):
                gained += 1
        return gained

    def _look(self, here: int) -> bool:
        """Follow every possible couple of an outer person. True when that gave a couple more."""
        state, blossom, root = self._state, self._blossom, self._root
        found = self._reachable(here)
        own = root[here]
        for there in found:
            if state[there] == OUTER and root[there] != own:
                self._augment(here, there)
                return True
        grown = 0
        for there in found:
            if state[there] == UNREACHED:
                if grown == AT_ONCE:
                    self._queue.append(here)
                    break
                grown += 1
                mate = self.partner[there]
                state[there], state[mate] = INNER, OUTER
                self._parent[there] = here
                root[there] = root[mate] = own
                self._trees[own] += (there, mate)
                self._queue.append(mate)
            elif state[there] == OUTER and blossom[there] != blossom[here]:
                self._contract(here, there)
        return False

    def _reachable(self, here: int) -> list[int]:
        """Possible partners whom it is worth to look at now; of many who are unreached some, and one more."""
        lists = self.meeting.lists
        if lists is not None:
            return lists[here]
        found = self.meeting.partners(here, self._worth_a_look(self._blossom[here]))
        is_outer = self._states[found] == OUTER
        some: list[int] = np.concatenate([found[is_outer], found[~is_outer][: AT_ONCE + 1]]).tolist()
        return some

    def _worth_a_look(self, blossom: int) -> Places:
        """Who is unreached, or outer and outside of this blossom."""
        if 2 * len(self._members.get(blossom, ())) < len(self._who):
            everywhere: Places = np.flatnonzero((self._states < INNER) & (self._blossoms != blossom))
            return everywhere
        # Of the largest blossom, keep who was outside: in the end it holds nearly everybody, and looks for very few.
        name, outside = self._outside
        if name != blossom:
            outside = self.meeting.who
        outside = outside[self._blossoms[outside] != blossom]
        self._outside = blossom, outside
        near: Places = outside[self._states[outside] < INNER]
        return near

    def _above(self, stem: int) -> int:
        """The stem of the blossom that a blossom hangs from; -1 at the root."""
        mate = self.partner[stem]
        return ALONE if mate == ALONE else self._stem[self._blossom[self._parent[mate]]]

    def _contract(self, one: int, other: int) -> None:
        """Two outer people of one tree may meet: from now on their cycle is one blossom and all in it are outer."""
        stem = self._meet(self._stem[self._blossom[one]], self._stem[self._blossom[other]])
        merged = [self._blossom[stem]]
        for ends in ((one, other), (other, one)):
            here = self._stem[self._blossom[ends[0]]]
            while here != stem:
                mate = self.partner[here]
                self._bridge[mate] = ends
                self._state[mate] = OUTER
                self._queue.append(mate)
                merged += (self._blossom[here], self._blossom[mate])
                here = self._above(here)
        largest = max(merged, key=lambda name: len(self._members.get(name, ())))
        members = self._members.setdefault(largest, [largest])
        for name in merged:
            if name != largest:
                for person in self._members.pop(name, [name]):
                    self._blossom[person] = largest
                    members.append(person)
        self._stem[largest] = stem

    def _meet(self, one: int, other: int) -> int:
        """Where the ways of two stems to their root join. Both go on in turn, so none is walked far in vain."""
        seen: set[int] = set()
        while True:
            if one != ALONE:
                if one in seen:
                    return one
                seen.add(one)
                one = self._above(one)
            one, other = other, one

    def _augment(self, one: int, other: int) -> None:
        chains = self._chain(one), self._chain(other)
        for tree in (self._root[one], self._root[other]):
            for person in self._trees.pop(tree):
                self._state[person] = CLOSED
        self.partner[one], self.partner[other] = other, one
        for chain in chains:
            self._couple(chain[1:])

    def _couple(self, chain: list[int]) -> None:
        for one, other in zip(chain[::2], chain[1::2], strict=True):
            self.partner[one], self.partner[other] = other, one

    def _chain(self, person: int) -> list[int]:
        """An even alternating way to the root. Through a blossom it goes to the bridge, across it and down again."""
        found: list[int] = []
        waiting: list[tuple[int, int, bool]] = [(person, self._root[person], True)]
        while waiting:
            here, end, is_forward = waiting.pop()
            if here == end:
                found.append(here)
                continue
            mate = self.partner[here]
            if here in self._bridge:
                near, far = self._bridge[here]
                parts = [(here, here, True), (near, mate, False), (far, end, True)]
            else:
                parts = [(here, here, True), (mate, mate, True), (self._parent[mate], end, True)]
            if is_forward:
                waiting += reversed(parts)
            else:
                waiting += [(first, last, not way) for first, last, way in parts]
        return found
