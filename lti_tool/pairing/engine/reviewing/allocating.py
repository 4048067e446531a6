"""Reviews by exchange: everybody does and gets as many as everybody else from the start, and keeps that.

People sit in a ring in an order that chance decides, and the j-th review of everybody goes a fixed number of seats on.
Then two reviewers exchange authors wherever that is worth more: the numbers cannot change. One j at a time, all
reviewers in pairs, whole arrays.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.rules import couple_keys as keys
from lti_tool.pairing.engine.rules import listed_in
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.people import Bools, Places, Points

Authors: TypeAlias = NDArray[np.int64]
"""Whom everybody reviews, one reviewer in a row; NOBODY where a review is missing."""
NOBODY: Final = -1
SWEEPS: Final = 300
MORE_SWEEPS: Final = 30_000
"""Divided by the number of people: so many sweeps more, because they are cheap for few."""
MANY: Final = 20
"""One of so many reviews forbidden is much."""
LOOKS: Final = 512
"""With how many other reviews each that is not well is compared."""
MOST_LOOKING: Final = 3000
"""How many that are not well are compared, at most."""


@dataclass(frozen=True)
class Allocation:
    """What a review is worth, and exchanges that make reviews worth more."""

    couples: Couples
    rng: np.random.Generator

    @cached_property
    def met(self) -> NDArray[np.int64]:
        """Who met before, as sorted keys without repeats."""
        places = self.couples.people.places(np.array(self.couples.course.met, dtype=np.int64).reshape(-1, 2))
        known = places[(places >= 0).all(axis=1)]
        return np.unique(keys(known[:, 0], known[:, 1], len(self.couples)))

    @cached_property
    def avoided(self) -> NDArray[np.int64]:
        """Couples that a review should not be made of: forbidden one by one, or met before."""
        return np.union1d(self.couples.banned, self.met)

    def allowed(self, reviewer: Places, author: Places) -> Bools:
        """For each review, whether every rule allows it, "never again" included."""
        found = self.couples.allowed(reviewer, author)
        if self.couples.never_again:
            found = found & ~listed_in(self.met, keys(reviewer, author, len(self.couples)))
        return found

    def worth(self, reviewer: Places, author: Places) -> Points:
        """The points of each review; far below 0 where it is forbidden or should not be."""
        found = self.couples.weigh(reviewer, author)
        found[listed_in(self.avoided, keys(reviewer, author, len(self.couples)))] += self.couples.forbidden
        found[reviewer == author] += self.couples.forbidden
        return found

    def ring(self, k: int) -> Authors:
        """Reviews along a ring, k for each and of each; as few as possible are of two people by one another."""
        people = len(self.couples)
        order = self.rng.permutation(people)
        steps: list[int] = []
        again: list[int] = []
        taken = np.zeros(people + 1, dtype=np.bool_)
        for step in (self.rng.permutation(people - 1) + 1).tolist():
            (again if taken[people - step] or 2 * step == people else steps).append(step)
            taken[step] = True
            if len(steps) == k:
                break
        authors = np.empty((people, k), dtype=np.int64)
        for column, step in enumerate((*steps, *again)[:k]):
            authors[order, column] = np.roll(order, -step)
        return authors

    def exchange(self, authors: Authors) -> None:
        """Let reviewers exchange authors, sweep after sweep, where both together gain. Changes `authors`."""
        course = self.couples.course
        people, k = authors.shape
        if people < 4 or not (course.rules or course.wishes or course.met):
            return
        columns = [np.ascontiguousarray(authors[:, column]) for column in range(k)]
        worths = [self.worth(np.arange(people), column) for column in columns]
        idle = 0
        # Each sweep costs k x k; who reviews very many has less to choose.
        for _ in range((SWEEPS + MORE_SWEEPS // max(people, 100)) // (1 + k // 10)):
            if all(int(worth.min()) >= self.couples.most for worth in worths):
                break  # every review is worth as much as any can be
            order = self.rng.permutation(people)
            idle += 1
            for number in range(k):
                # Another partner for the next column, from the same order.
                half = people // 2
                turned = np.roll(order, number * 7)
                if self._sweep(columns, number, worths[number], (turned[:half], turned[half : 2 * half])):
                    idle = 0
            if idle > 2 * people:
                break  # nearly every two reviewers were beside each other since the last exchange
        for number, column in enumerate(columns):
            authors[:, number] = column

    def _sweep(self, columns: list[Places], number: int, worth: Points, pairs: tuple[Places, Places]) -> bool:
        one, other = pairs
        column = columns[number]
        mine, theirs = column[one], column[other]
        new_one, new_other = self.couples.weigh(one, theirs), self.couples.weigh(other, mine)
        better = np.flatnonzero(new_one + new_other > worth[one] + worth[other])
        one, other, mine, theirs = one[better], other[better], mine[better], theirs[better]
        fits = (one != theirs) & (other != mine)
        for third in columns:
            fits &= (third[one] != theirs) & (third[other] != mine)
        if len(self.avoided):
            people = len(self.couples)
            fits &= ~listed_in(self.avoided, keys(one, theirs, people)) & ~listed_in(self.avoided, keys(other, mine, people))
        one, other = one[fits], other[fits]
        column[one], column[other] = theirs[fits], mine[fits]
        worth[one], worth[other] = new_one[better][fits], new_other[better][fits]
        return len(one) > 0

    def broken(self, authors: Authors) -> tuple[Places, Places]:
        """Reviews that a rule forbids: rows and columns."""
        rows, columns = np.nonzero(authors != NOBODY)
        bad = ~self.allowed(rows, authors[rows, columns])
        return rows[bad], columns[bad]

    def settle(self, authors: Authors) -> None:
        """Exchange what is forbidden, and who reviews one another, with any other review. Changes `authors`.

        Where much is forbidden it is left to be found exactly.
        """
        rows, columns = self.broken(authors)
        if len(rows) * MANY < authors.size:
            self._exchange_each(authors, rows, columns, is_broken=True)
        self._exchange_each(authors, *mutual(authors), is_broken=False)

    def _exchange_each(self, authors: Authors, rows: Places, columns: Places, *, is_broken: bool) -> None:
        """Each of these reviews, if it is still not well, with the best of many."""
        for row, column in zip(rows[:MOST_LOOKING].tolist(), columns[:MOST_LOOKING].tolist(), strict=True):
            author = int(authors[row, column])
            if is_broken or (authors[author] == row).any():
                slots = authors.size
                looks = self.rng.permutation(slots) if slots <= LOOKS else self.rng.integers(0, slots, LOOKS)
                self._exchange_one(authors, row, column, *np.divmod(looks, authors.shape[1]))

    def _exchange_one(self, authors: Authors, row: int, column: int, others: Places, at: Places) -> None:
        author = int(authors[row, column])
        theirs = authors[others, at]
        fits = (others != row) & (others != author) & (theirs != row) & (theirs != author) & (theirs != NOBODY)
        fits &= ~(authors[row] == theirs[:, None]).any(axis=1) & ~(authors[others] == author).any(axis=1)
        others, at, theirs = others[fits], at[fits], theirs[fits]
        me, mine = np.full(len(others), row), np.full(len(others), author)
        fits = self.allowed(me, theirs) & self.allowed(others, mine)
        others, at, theirs, me, mine = others[fits], at[fits], theirs[fits], me[fits], mine[fits]
        if not len(others):
            return
        gain = self._value(authors, me, theirs) + self._value(authors, others, mine)
        gain -= self._value(authors, me, mine) + self._value(authors, others, theirs)
        best = int(gain.argmax())
        if gain[best] > 0:
            authors[row, column], authors[others[best], at[best]] = theirs[best], author

    def _value(self, authors: Authors, reviewer: Places, author: Places) -> Points:
        """What a review is worth, less as much as any couple can be worth if the author reviews the reviewer."""
        returned = (authors[author] == reviewer[:, None]).any(axis=1)
        found: Points = self.worth(reviewer, author) - (self.couples.most + 1) * returned
        return found


def mutual(authors: Authors) -> tuple[Places, Places]:
    """Reviews whose author reviews the reviewer, one of each two: rows and columns."""
    rows, columns = np.nonzero(authors != NOBODY)
    found = authors[rows, columns]
    returned = (rows < found) & (authors[found] == rows[:, None]).any(axis=1)
    return rows[returned], columns[returned]
