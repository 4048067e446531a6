"""Better couples by exchanging partners between two couples, for all couples at once.

The couples stand in two rows that face each other, and one row is moved along by lot, so that in every sweep each
couple faces another. Of the three ways in which four people can be two couples the best is taken. A sweep is a handful
of array steps on small tables; only couples that would really be made are looked up among the banned ones.
"""

from typing import Final

import numpy as np

from lti_tool.pairing.engine.compiled import Couples, Keys, among
from lti_tool.pairing.engine.people import Places, Points
from lti_tool.pairing.engine.tables import Cells

AGAIN: Final = 64
"""After so many sweeps the couples are dealt to the two rows anew."""


class Rows:
    """Couples in two rows. `people[side, half, i]`: of the couple at place i of a row, the one or the other half.

    `weight[side, i]` is the couple's weight, below 0 where it is forbidden or banned. An odd couple waits in `spare`.
    """

    def __init__(self, couples: Couples, one: Places, other: Places, banned: Keys, rng: np.random.Generator) -> None:
        self.couples, self.banned, self.rng = couples, banned, rng
        weight = couples.weigh(one, other)
        weight[among(banned, couples.keys(one, other))] = couples.forbidden
        self._deal(np.stack((one, other)), weight)

    def all(self) -> tuple[Places, Places, Points]:
        """Everybody's couples and their weights."""
        both = np.concatenate((self.people[0], self.people[1], self.spare), axis=1)
        return both[0], both[1], np.concatenate((self.weight[0], self.weight[1], self.spare_weight))

    def sweep(self, times: int) -> None:
        """Exchange so many times."""
        for number in range(times):
            if number % AGAIN == AGAIN - 1:
                one, other, weight = self.all()
                self._deal(np.stack((one, other)), weight)
            if self._length:
                self._exchange(int(self.rng.integers(self._length)))

    def _deal(self, couples: Places, weight: Points) -> None:
        order = self.rng.permutation(couples.shape[1])
        self._length = half = len(order) // 2
        first, second, spare = order[:half], order[half : 2 * half], order[2 * half :]
        self.people = np.stack((couples[:, first], couples[:, second]))
        self.weight = np.stack((weight[first], weight[second]))
        self.spare, self.spare_weight = couples[:, spare], weight[spare]
        # The first row holds where the person's row of the table starts, the second the column.
        self._codes = [
            (table.codes[self.people[0]] * table.width, table.codes[self.people[1]]) for table in self.couples.tables
        ]
        self._wanted = np.empty((2, 2, half), dtype=np.int64)
        self._present = np.empty(half, dtype=np.int64)

    def _exchange(self, by: int) -> None:
        """Let place i of the first row face place i + by of the second, around the end."""
        cut = self._length - by
        weight = self._facing(by, cut)
        present = self._present
        np.add(self.weight[0, :cut], self.weight[1, by:], out=present[:cut])
        np.add(self.weight[0, cut:], self.weight[1, :by], out=present[cut:])
        sums = weight[:, 0] + weight[:, 1]
        better = np.flatnonzero(np.maximum(sums[0], sums[1]) > present)
        if len(better):
            half = (sums[1, better] > sums[0, better]).astype(np.int64)
            self._make(better, (better + by) % self._length, half, weight[half, :, better])

    def _facing(self, by: int, cut: int) -> Cells:
        """Weights of shape (2, 2, length): [0] first with first and second with second half, [1] crosswise."""
        total: Cells | None = None
        wanted = self._wanted
        for (start, column), table in zip(self._codes, self.couples.tables, strict=True):
            np.add(start[:, :cut], column[:, by:], out=wanted[0, :, :cut])
            np.add(start[:, cut:], column[:, :by], out=wanted[0, :, cut:])
            np.add(start[:, :cut], column[::-1, by:], out=wanted[1, :, :cut])
            np.add(start[:, cut:], column[::-1, :by], out=wanted[1, :, cut:])
            found = table.cells[wanted]
            total = found if total is None else total + found
        if total is None:
            total = np.zeros(wanted.shape, dtype=np.int64)
        if self.couples.other_rules or self.couples.other_wishes:
            first = self.people[0]
            second = np.roll(self.people[1], -by, axis=1)
            total = total + self.couples.weigh_beside(np.stack((first, first)), np.stack((second, second[::-1])))
        return total

    def _make(self, at: Places, facing: Places, half: Places, weight: Cells) -> None:
        """The second person of a couple in the first row changes places with one (`half`) of the couple that faces it.

        `weight[i]` are the weights of the two new couples, the one with the first person of the first row first.
        """
        leaving, coming = self.people[0, 1, at], self.people[1, half, facing]
        keys = self.couples.keys
        good = ~among(self.banned, keys(self.people[0, 0, at], coming))
        good &= ~among(self.banned, keys(leaving, self.people[1, 1 - half, facing]))
        at, facing, half, weight = at[good], facing[good], half[good], weight[good]
        leaving, coming = leaving[good], coming[good]
        self.people[0, 1, at], self.people[1, half, facing] = coming, leaving
        self.weight[0, at], self.weight[1, facing] = weight[:, 0], weight[:, 1]
        for (start, column), table in zip(self._codes, self.couples.tables, strict=True):
            start[1, at], column[half, facing] = table.codes[coming] * table.width, table.codes[leaving]
