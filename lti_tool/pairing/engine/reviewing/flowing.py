"""As many reviews as the rules leave room for, exactly: maximum flow (Ford and Fulkerson 1956) from what there is.

Somebody who has a review too few takes an author; if that author has enough, one of their reviewers gives them up and
looks on, until an author is found who has too few. When no such chain is left, those who were reached show why.
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np

from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.reviewing.allocating import NOBODY, Allocation, Authors

REMEMBERED: Final = 4_000_000
"""How many allowed couples are remembered at most, over all people."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Why there cannot be more: these reviewers have only these authors, and few couples beside."""

    reviewers: tuple[int, ...]
    authors: tuple[int, ...]


@dataclass
class Flow:
    """Reviews as lists that grow; one direction of them can be looked at as the other."""

    allocation: Allocation
    k: int
    given: list[dict[int, None]]
    """Whom everybody reviews. A dictionary, because it keeps the order in which they came."""
    taken: list[dict[int, None]]
    """By whom everybody is reviewed."""
    rows: dict[int, Places] = field(default_factory=dict)
    room: int = REMEMBERED

    @classmethod
    def of(cls, allocation: Allocation, authors: Authors, k: int) -> "Flow":
        """The reviews of a table that no rule forbids."""
        people = len(authors)
        flow = cls(allocation, k, [{} for _ in range(people)], [{} for _ in range(people)])
        broken = np.zeros(authors.shape, dtype=np.bool_)
        broken[allocation.broken(authors)] = True
        for reviewer, author in zip(
            *(side.tolist() for side in np.nonzero(~broken & (authors != NOBODY))), strict=True
        ):
            flow.add(reviewer, int(authors[reviewer, author]))
        return flow

    def add(self, reviewer: int, author: int) -> None:
        self.given[reviewer][author] = None
        self.taken[author][reviewer] = None

    def table(self) -> Authors:
        """The reviews as a table again."""
        authors = np.full((len(self.given), self.k), NOBODY, dtype=np.int64)
        for reviewer, several in enumerate(self.given):
            authors[reviewer, : len(several)] = list(several)
        return authors

    @cached_property
    def _listed(self) -> list[list[int]] | None:
        """Everybody's partners, where so few couples are allowed that they can be listed."""
        sparse = self.allocation.couples.sparse
        if sparse is None:
            return None
        fits = self.allocation.allowed(*sparse)
        one, other = (np.concatenate([sparse[side][fits], sparse[1 - side][fits]]) for side in (0, 1))
        order = np.lexsort((other, one))
        starts = np.searchsorted(one[order], np.arange(len(self.given) + 1)).tolist()
        partners = other[order].tolist()
        return [partners[start:end] for start, end in pairwise(starts)]

    def _new_authors(self, reviewer: int, seen: bytearray) -> list[int]:
        """Whom this person may review, does not, and nobody on the way here asked for."""
        own = self.given[reviewer]
        if self._listed is not None:
            return [author for author in self._listed[reviewer] if not seen[author] and author not in own]
        partners = self._partners(reviewer)
        new = partners[np.frombuffer(seen, dtype=np.uint8)[partners] == 0]
        return [author for author in new.tolist() if author not in own]

    def _partners(self, person: int) -> Places:
        found = self.rows.get(person)
        if found is None:
            everybody = np.arange(len(self.given), dtype=np.int64)
            found = everybody[self.allocation.allowed(np.full(len(everybody), person, dtype=np.int64), everybody)]
            if len(found) <= self.room:
                self.rows[person], self.room = found, self.room - len(found)
        return found

    def fill(self) -> Cut | None:
        """Add reviews until there cannot be more; if somebody has too few, the cut that shows why."""
        reached, closed = bytearray(len(self.given)), bytearray(len(self.given))
        for start in range(len(self.given)):
            while len(self.given[start]) < self.k and not reached[start]:
                self._chain(start, reached, closed, None)
        if not any(reached):
            return None
        return Cut(*(tuple(place for place, mark in enumerate(side) if mark) for side in (reached, closed)))

    def _chain(self, start: int, reached: bytearray, closed: bytearray, many: int | None) -> None:
        """Give `start` one more review at the end of a chain: a new one, or one of somebody who has `many` or more.

        If there is none, everybody on the way is marked: no later chain leads out of them.
        """
        seen, seen_authors = bytearray(reached), bytearray(closed)
        seen[start] = True
        asks: dict[int, int] = {}
        gives_up: dict[int, int] = {}
        queue = [start]
        for reviewer in queue:
            new = self._new_authors(reviewer, seen_authors)
            if many is None:
                needy = [author for author in new if len(self.taken[author]) < self.k]
                if needy:
                    end = min(needy, key=lambda author: len(self.taken[author]))
                    self._hand_over(start, reviewer, end, asks, gives_up)
                    return
            # Everybody begins elsewhere: the first authors are those whose reviewers gave up first.
            turn = start % max(1, len(new))
            for author in new[turn:] + new[:turn]:
                seen_authors[author] = True
                asks[author] = reviewer
                for other in self.taken[author]:
                    if seen[other]:
                        continue
                    seen[other] = True
                    gives_up[other] = author
                    if many is not None and len(self.given[other]) >= many:
                        del self.given[other][author], self.taken[author][other]
                        self._hand_over(start, reviewer, author, asks, gives_up)
                        return
                    queue.append(other)
        reached[:], closed[:] = seen, seen_authors

    def _hand_over(
        self, start: int, reviewer: int, author: int, asks: dict[int, int], gives_up: dict[int, int]
    ) -> None:
        while True:
            self.add(reviewer, author)
            if reviewer == start:
                return
            author = gives_up[reviewer]
            del self.given[reviewer][author], self.taken[author][reviewer]
            reviewer = asks[author]

    def even_out(self) -> None:
        """Where not everybody can have k: nobody does two reviews more than somebody who could do one of them.

        Then the same for the reviews that people get.
        """
        self._even_out_given()
        self.given, self.taken = self.taken, self.given
        self._even_out_given()
        self.given, self.taken = self.taken, self.given

    def _even_out_given(self) -> None:
        stuck, closed = bytearray(len(self.given)), bytearray(len(self.given))
        for few in range(self.k - 1):
            for start in range(len(self.given)):
                if len(self.given[start]) == few and not stuck[start]:
                    self._chain(start, stuck, closed, few + 2)
