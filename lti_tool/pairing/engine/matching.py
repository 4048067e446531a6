"""Couples for one round: as many as possible among those who may meet (Edmonds' blossom algorithm)."""

from collections import Counter, deque
from collections.abc import Callable, Sequence

MayMeet = Callable[[int, int], bool]


def match(order: Sequence[int], may_meet: MayMeet, start: dict[int, int] | None = None) -> dict[int, int]:
    """Partner by person, as many couples as can be. People are tried in the given order; `start` is improved upon."""
    partner = dict(start or {})
    for person in order:
        if person not in partner:
            free = (other for other in order if other not in partner and other != person and may_meet(person, other))
            other = next(free, None)
            if other is not None:
                partner[person], partner[other] = other, person
    for person in order:
        if person not in partner:
            _Search(person, order, may_meet, partner).augment()
    return partner


def met_at_most(met: Counter[frozenset[int]], most: int, one: int, other: int) -> bool:
    """Whether the two met this often at most."""
    return met[frozenset((one, other))] <= most


class _Search:
    """Looks for a place for one more person by moving others along an alternating path."""

    def __init__(self, root: int, order: Sequence[int], may_meet: MayMeet, partner: dict[int, int]) -> None:
        self.root, self.order, self.may_meet, self.partner = root, order, may_meet, partner
        self.parent: dict[int, int] = {}
        self.base = {person: person for person in order}
        self.outer = {root}
        self.queue = deque([root])

    def augment(self) -> bool:
        """Change `partner` so that the root and one more person have one. False when there is no way."""
        while self.queue:
            here = self.queue.popleft()
            for there in self.order:
                if there == here or self.base[here] == self.base[there] or not self.may_meet(here, there):
                    continue
                if self.partner.get(here) == there:
                    continue
                if there == self.root or (there in self.partner and self.partner[there] in self.parent):
                    self._contract(here, there)
                elif there not in self.parent:
                    self.parent[there] = here
                    if there not in self.partner:
                        self._flip(there)
                        return True
                    self._reach(self.partner[there])
        return False

    def _reach(self, person: int) -> None:
        self.outer.add(person)
        self.queue.append(person)

    def _contract(self, one: int, other: int) -> None:
        """Two outer people may meet: an odd cycle, in which anybody could be the one left over. Treat it as one."""
        stem = self._stem(one, other)
        blossom: set[int] = set()
        for end, across in ((one, other), (other, one)):
            here, child = end, across
            while self.base[here] != stem:
                blossom |= {self.base[here], self.base[self.partner[here]]}
                self.parent[here] = child
                child = self.partner[here]
                here = self.parent[child]
        for person in self.order:
            if self.base[person] in blossom:
                self.base[person] = stem
                if person not in self.outer:
                    self._reach(person)

    def _stem(self, one: int, other: int) -> int:
        seen: set[int] = set()
        here = self.base[one]
        seen.add(here)
        while here in self.partner and self.partner[here] in self.parent:
            here = self.base[self.parent[self.partner[here]]]
            seen.add(here)
        here = self.base[other]
        while here not in seen:
            here = self.base[self.parent[self.partner[here]]]
        return here

    def _flip(self, end: int) -> None:
        here: int | None = end
        while here is not None:
            before = self.parent[here]
            following = self.partner.get(before)
            self.partner[here], self.partner[before] = before, here
            here = following
