"""The most and best couples of one round: what planning, repairing and relaxing rules ask, each with other weights.

Of up to some hundred people, or where few couples are allowed, it is one maximum weight matching (Edmonds 1965, by
rustworkx, whole numbers as weights). In larger rounds people who are left over are matched with a few couples first,
and then along alternating paths through all allowed couples, which ends with a largest matching. When no path is left,
the people who could be freed, those next to them and the rest are the parts of Gallai (1964) and Edmonds: the middle
ones are a barrier in the sense of Tutte and Berge.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from rustworkx import PyGraph, max_weight_matching

from lti_tool.pairing.engine.couples import Couples, Keys
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.rules import listed_in

ALONE: Final = -1
LISTED: Final = 384
"""Up to this many people all allowed couples are listed; beyond, one person's partners are looked up when needed."""
AT_ONCE: Final = 16
"""How many people one person adds to a tree before others have their turn; else the first tree takes everyone."""


@dataclass(frozen=True)
class Candidates:
    """The couples that the rules allow among some people of a course, less those that are banned.

    `who`: places, sorted where partners are asked for. `banned`: sorted keys of couples who may not be used although
    the rules allow them.
    """

    couples: Couples
    who: Places
    banned: Keys

    def allowed(self, first: Places, second: Places) -> Bools:
        """For each couple, whether the rules allow it and it is not banned."""
        return self.couples.allowed(first, second) & ~listed_in(self.banned, self.couples.keys(first, second))

    def listed(self) -> tuple[Places, Places] | None:
        """All of these couples, or None when they are too many to be listed."""
        if len(self.who) <= LISTED:
            return self._fitting(*np.triu_indices(len(self.who), k=1))
        if self.couples.sparse is not None:
            first, second = self.couples.sparse
            here = np.zeros(len(self.couples), dtype=np.bool_)
            here[self.who] = True
            may = here[first] & here[second] & ~listed_in(self.banned, self.couples.keys(first, second))
            return first[may], second[may]
        return None

    def _fitting(self, first: Places, second: Places) -> tuple[Places, Places]:
        """Those of these couples that are allowed. They are given as numbers in `who`."""
        first, second = self.who[first], self.who[second]
        may = self.allowed(first, second)
        return first[may], second[may]

    @cached_property
    def _lists(self) -> list[list[int]] | None:
        couples = self.listed()
        return None if couples is None else partner_lists(len(self.couples), *couples)

    def partners(self, place: int, among: Places | None = None) -> list[int]:
        """Whom this person may be paired with: all in ascending order if they are listed, else those of `among`."""
        if self._lists is not None:
            return self._lists[place]
        some = self.who if among is None else among
        result: list[int] = some[self.allowed(np.full(len(some), place, dtype=np.int64), some)].tolist()
        return result

    @property
    def are_listed(self) -> bool:
        return self._lists is not None

    @cached_property
    def _graph(self) -> tuple["PyGraph[int, int]", Places, Places]:
        """People by their number in `who`, each couple with its number in the arrays beside."""
        first, second = self.listed() or self._fitting(*np.triu_indices(len(self.who), k=1))
        index = np.full(len(self.couples), ALONE, dtype=np.int64)
        index[self.who] = np.arange(len(self.who))
        graph: PyGraph[int, int] = PyGraph(multigraph=False)
        graph.add_nodes_from(range(len(self.who)))
        graph.add_edges_from(list(zip(index[first].tolist(), index[second].tolist(), range(len(first)), strict=True)))
        return graph, first, second

    def matched(self, weigh: Callable[[Places, Places], Points]) -> Places:
        """The heaviest of the largest matchings: for each place of the course the partner or -1.

        Weights may be negative; they have no say in how many couples there are. Of equal matchings the order of `who`
        decides, so the same input gives the same answer.
        """
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        graph, first, second = self._graph
        if len(first):
            weights = weigh(first, second).tolist()
            result = max_weight_matching(graph, max_cardinality=True, weight_fn=weights.__getitem__)
            first, second = self.who[np.array(list(result), dtype=np.int64).T]
            partner[first], partner[second] = second, first
        return partner


def partner_lists(people: int, first: Places, second: Places) -> list[list[int]]:
    """For each of so many places, the partners in these couples in ascending order."""
    ends, partners = np.concatenate([first, second]), np.concatenate([second, first])
    order = np.lexsort((partners, ends))
    partners = partners[order]
    starts = np.searchsorted(ends[order], np.arange(people + 1)).tolist()
    return [partners[starts[place] : starts[place + 1]].tolist() for place in range(people)]


# ---- alternating paths -----------------------------------------------------------------------------------------------

UNREACHED: Final = 0
OUTER: Final = 1
"""At even distance from a root: can be freed, if the root gets a partner instead."""
INNER: Final = 2
"""Next to someone who can be freed, and needed as their partner."""
CLOSED: Final = 3
"""Not among these people, or in a tree that has given its couple in this pass."""


class Forest:
    """Trees of alternating paths over a matching, which grow from people without a partner (Edmonds 1965).

    `partner[place]` is a place or -1. Two outer people of different trees who may meet give one couple more. Two of the
    same tree close an odd cycle (a blossom), in which all are outer from then on; `base` is the one through whom it
    hangs in its tree. Each person is looked at once in a pass, so a pass is linear in the couples looked at.
    """

    def __init__(self, candidates: Candidates, partner: Places) -> None:
        self.candidates = candidates
        self.partner: list[int] = partner.tolist()
        self.base = np.arange(len(self.partner))

    def alone(self) -> list[int]:
        """Everyone without a partner."""
        return [person for person in self.candidates.who.tolist() if self.partner[person] == ALONE]

    def largest(self) -> Places:
        """The matching made as large as possible."""
        while len(alone := self.alone()) > 1 and self.grow(alone):
            pass
        return np.array(self.partner, dtype=np.int64)

    def grow(self, roots: Iterable[int]) -> int:
        """Grow the trees of these people from anew. Returns how many couples more there are now."""
        people = len(self.partner)
        self._state = bytearray([CLOSED]) * people
        self._states = np.frombuffer(self._state, dtype=np.uint8)
        who = self.candidates.who
        mates = np.array(self.partner, dtype=np.int64)[who]
        self._states[who] = np.where(mates == ALONE, CLOSED, UNREACHED)
        self.base, self.root = np.arange(people), np.full(people, ALONE, dtype=np.int64)
        self._parent = [ALONE] * people
        self._queue = deque(roots)
        for root in self._queue:
            self._state[root], self.root[root] = OUTER, root
        gained = 0
        while self._queue:
            person = self._queue.popleft()
            gained += self._state[person] == OUTER and self._look(person)
        return gained

    def of_state(self, state: int) -> list[int]:
        """Everyone who is outer or inner in the trees as they have grown, sorted."""
        who = self.candidates.who
        result: list[int] = who[self._states[who] == state].tolist()
        return result

    def parts(self) -> list[list[int]]:
        """The outer people in parts of odd size: of each part everyone but one finds a partner in it, whoever that is.

        Two of different parts may not meet. Parts are ordered by their first person, and sorted inside.
        """
        parts: dict[int, list[int]] = {}
        for person in self.of_state(OUTER):
            parts.setdefault(int(self.base[person]), []).append(person)
        return list(parts.values())

    def free(self, person: int) -> None:
        """Give the root of this outer person's tree a partner, and leave this person without. The trees are void."""
        self._couple(self._path(person)[1:])
        self.partner[person] = ALONE

    def _look(self, person: int) -> bool:
        """Follow every possible couple of an outer person. True when that gave a couple more."""
        state, base, root = self._state, self.base, self.root
        reachable = self._reachable(person)
        for partner in reachable:
            if state[partner] == OUTER and root[partner] != root[person]:
                self._augment(person, partner)
                return True
        grown = 0
        for partner in reachable:
            if state[partner] == UNREACHED:
                if grown == AT_ONCE:
                    self._queue.append(person)
                    break
                grown += 1
                mate = self.partner[partner]
                state[partner], state[mate] = INNER, OUTER
                self._parent[partner] = person
                root[partner] = root[mate] = root[person]
                self._queue.append(mate)
            elif state[partner] == OUTER and base[partner] != base[person]:
                self._contract(person, partner)
        return False

    def _reachable(self, person: int) -> list[int]:
        """Possible partners who are unreached or outer; of those who are unreached some, where many are looked up."""
        if self.candidates.are_listed:
            return self.candidates.partners(person)
        near = np.flatnonzero((self._states < INNER) & (self.base != self.base[person]))
        result = np.array(self.candidates.partners(person, near), dtype=np.int64)
        is_outer = self._states[result] == OUTER
        some: list[int] = np.concatenate([result[is_outer], result[~is_outer][: AT_ONCE + 1]]).tolist()
        return some

    def _contract(self, first: int, second: int) -> None:
        """Two outer people of one tree may meet: from now on their cycle is one blossom and all in it are outer."""
        stem = self._meet(first, second)
        merged: list[int] = []
        for start, far in ((first, second), (second, first)):
            here, across = start, far
            while self.base[here] != stem:
                mate = self.partner[here]
                merged += (int(self.base[here]), int(self.base[mate]))
                if self._state[mate] == INNER:
                    self._state[mate] = OUTER
                    self._queue.append(mate)
                self._parent[here] = across
                across, here = mate, self._parent[mate]
        self.base[np.isin(self.base, merged)] = stem

    def _meet(self, first: int, second: int) -> int:
        """The base at which the ways of two people to their root join."""
        seen: set[int] = set()
        while True:
            if first != ALONE:
                first = int(self.base[first])
                if first in seen:
                    return first
                seen.add(first)
                mate = self.partner[first]
                first = ALONE if mate == ALONE else self._parent[mate]
            first, second = second, first

    def _augment(self, first: int, second: int) -> None:
        paths = self._path(first), self._path(second)
        self._states[np.isin(self.root, [self.root[first], self.root[second]])] = CLOSED
        self.partner[first], self.partner[second] = second, first
        for path in paths:
            self._couple(path[1:])

    def _couple(self, path: list[int]) -> None:
        for first, second in zip(path[::2], path[1::2], strict=True):
            self.partner[first], self.partner[second] = second, first

    def _path(self, person: int) -> list[int]:
        """From an outer person to the root: present couples are at 0-1, 2-3 …, possible ones at 1-2, 3-4 …"""
        path = [person]
        while (mate := self.partner[path[-1]]) != ALONE:
            path += (mate, self._parent[mate])
        return path


# ---- as many couples as possible -------------------------------------------------------------------------------------


def cover(candidates: Candidates, partner: Places, first: Bools) -> Places:
    """A matching of the largest size among the candidates, grown from the present one.

    `partner`: for each place of the course the partner or -1; couples of candidates have both among them and are
    allowed. Other places are returned as they are. `first`: for each place, whether they come before everyone else.

    Of all largest matchings one leaves out the fewest of them: they change places with others who can be left over.
    Whom largest matchings can pair is a matroid (Edmonds and Fulkerson 1965), so doing so while it helps is exact.
    """
    forest = Forest(candidates, Forest(candidates, partner).largest())
    while waiting := [person for person in forest.alone() if first[person]]:
        forest.grow(waiting)
        # One exchange a tree; trees have nobody in common.
        chosen: dict[int, int] = {}
        for person in forest.of_state(OUTER):
            if not first[person]:
                chosen.setdefault(int(forest.root[person]), person)
        if not chosen:
            break
        for person in chosen.values():
            forest.free(person)
    return np.array(forest.partner, dtype=np.int64)
