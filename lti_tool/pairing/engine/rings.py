"""Better couples for rounds that are too large for one matching: exchanges of partners, for all couples at once.

First `exchange`: the couples stand in two rows that face each other, and one row is moved along by chance, so that in
every sweep each couple faces another. Of the three ways in which four people can be two couples the best is taken.

Then `pass_on`, rings of any length: one takes the partner of the next, who takes that of the next, and so around. Turn
each couple to one side or the other by chance. Then a ring of couples, each first half of which takes the second half
of the next, gains or loses so many points; when no ring gains, these are the best couples of these halves. Rings are
found as positive cycles (Bellman 1958, Ford 1956; cancelling them: Klein 1967), in blocks of couples, several blocks at
once. After a few passes with other sides and other blocks the couples are close to the best there are.
"""

from typing import Any, Final

import numpy as np

from lti_tool.pairing.engine.couples import Couples, Keys
from lti_tool.pairing.engine.people import Places, Points
from lti_tool.pairing.engine.rules import listed_in
from lti_tool.pairing.engine.tables import Cells

AGAIN: Final = 64
"""After so many sweeps the couples are dealt to the two rows anew."""
ENTRIES: Final = 1 << 17
"""Couples that are looked at together: enough to be quick, few enough for the processor's cache."""
OFTEN: Final = 4
"""After so many steps it is looked whether rings have closed."""


def exchange(
    couples: Couples, one: Places, other: Places, banned: Keys, rng: np.random.Generator, *, sweeps: int
) -> tuple[Places, Places, Points]:
    """The same people in better couples, and their weights: below 0 where a couple is forbidden or banned."""
    rows = _Rows(couples, one, other, banned, rng)
    rows.sweep(sweeps)
    return rows.all()


class _Rows:
    """Couples in two rows. `people[side, half, i]`: of the couple at place i of a row, the one or the other half.

    `weight[side, i]` is the couple's weight, below 0 where it is forbidden or banned. An odd couple waits in `spare`.
    """

    def __init__(self, couples: Couples, one: Places, other: Places, banned: Keys, rng: np.random.Generator) -> None:
        self.couples, self.banned, self.rng = couples, banned, rng
        weight = couples.weigh(one, other)
        weight[listed_in(banned, couples.keys(one, other))] = couples.forbidden
        self._deal(np.stack((one, other)), weight)

    def all(self) -> tuple[Places, Places, Points]:
        """Everyone's couples and their weights."""
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
        good = ~listed_in(self.banned, keys(self.people[0, 0, at], coming))
        good &= ~listed_in(self.banned, keys(leaving, self.people[1, 1 - half, facing]))
        at, facing, half, weight = at[good], facing[good], half[good], weight[good]
        leaving, coming = leaving[good], coming[good]
        self.people[0, 1, at], self.people[1, half, facing] = coming, leaving
        self.weight[0, at], self.weight[1, facing] = weight[:, 0], weight[:, 1]
        for (start, column), table in zip(self._codes, self.couples.tables, strict=True):
            start[1, at], column[half, facing] = table.codes[coming] * table.width, table.codes[leaving]


def pass_on(
    couples: Couples, one: Places, other: Places, banned: Keys, rng: np.random.Generator, *, block: int, steps: int
) -> tuple[Places, Places]:
    """The same people in couples that have as many points or more. No couple is new that is forbidden or banned.

    All of the given couples are allowed. `block`: how many of them are in one block; `steps`: at most how many people
    long the chains are of which rings are made, and how long a block is worked on.
    """
    size = len(one)
    if size < 2:
        return one, other
    blocks = max(1, size // block)
    order = rng.permutation(size)[: size // blocks * blocks]
    turned = rng.random(len(order)) < 0.5
    left = np.where(turned, other[order], one[order]).reshape(blocks, -1)
    right = np.where(turned, one[order], other[order]).reshape(blocks, -1)
    barred = _barred(len(couples), left, right, banned)
    together = max(1, ENTRIES // left.shape[1] ** 2)
    for start in range(0, blocks, together):
        some = slice(start, start + together)
        weight = _weights(couples, left[some], right[some], steps)
        here = (barred[0] >= start) & (barred[0] < start + together)
        block_, row, column = barred[:, here]
        weight[block_ - start, row, column] = _too_little(weight.dtype)
        right[some] = np.take_along_axis(right[some], _Chains(weight).best(steps), axis=1)
    one, other = one.copy(), other.copy()
    one[order], other[order] = left.ravel(), right.ravel()
    return one, other


def _barred(people: int, left: Places, right: Places, banned: Keys) -> Places:
    """Block, place of the second half, place of the first half, for every banned couple within a block."""
    at = np.full(people, -1, dtype=np.int64)
    at[left.ravel()] = at[right.ravel()] = np.arange(left.size)
    is_right = np.zeros(people, dtype=np.bool_)
    is_right[right.ravel()] = True
    one, other = np.divmod(banned, people)
    width = left.shape[1]
    near = (at[one] // width == at[other] // width) & (at[one] >= 0) & (is_right[one] != is_right[other])
    one, other = one[near], other[near]
    first, second = np.where(is_right[one], other, one), np.where(is_right[one], one, other)
    return np.stack((at[first] // width, at[second] % width, at[first] % width))


def _weights(couples: Couples, left: Places, right: Places, steps: int) -> Cells:
    """The weight of each second half with each first half, of shape (blocks, second halves, first halves)."""
    total: Cells | None = None
    for table in couples.tables:
        found = table.cells[(table.codes[right] * table.width)[:, :, None] + table.codes[left][:, None, :]]
        total = found if total is None else total + found
    if total is None:
        total = np.zeros((*right.shape, left.shape[1]), dtype=np.int64)
    if couples.other_rules or couples.other_wishes:
        total = total + couples.weigh_beside(*np.broadcast_arrays(right[:, :, None], left[:, None, :]))
    longest = couples.most * (steps + 2)
    kind = np.dtype(np.int16 if longest < 1 << 13 else np.int32 if longest < 1 << 29 else np.int64)
    weight: Cells = total.astype(kind)
    weight[total < 0] = _too_little(kind)
    return weight


def _too_little(kind: np.dtype[Any]) -> int:
    """Less than all the points along a chain, and so much above the smallest number that it can be added to them."""
    return int(np.iinfo(kind).min) // 2


class _Chains:
    """Blocks of couples in which rings are looked for.

    `weight[k, j, i]`: of the second half of couple j with the first half of couple i, in block k. `gain` is what couple
    i gains by taking that partner, less what couple j loses. `best_end[k, j]` is the most that a chain of takers has
    gained that ends with the loss of j's partner, and `before` the last taker on it.
    """

    def __init__(self, weight: Cells) -> None:
        self.weight = weight
        self.blocks, self.size, _ = weight.shape
        self.all = np.arange(self.blocks * self.size)
        self.rows = weight.reshape(-1, self.size)
        self.itself = np.broadcast_to(np.arange(self.size), (self.blocks, self.size))
        self.gain = weight - self._own()[:, :, None]
        self.gains = self.gain.reshape(-1, self.size)
        self.partner = self.itself.copy()
        """For each first half whose second half it has now."""
        self.before = self.itself.copy()
        self.best_end = np.zeros((self.blocks, self.size), dtype=weight.dtype)

    def _own(self) -> Cells:
        """The weight of each couple as it is now."""
        return self.weight[:, self.itself[0], self.itself[0]]

    def best(self, steps: int) -> Places:
        """For each first half the couple whose second half it takes, after so many steps or when no ring gains."""
        for step in range(1, steps + 1):
            longer = self._lengthen()
            if (not longer or step % OFTEN == 0) and not self._close() and not longer:
                break
        return self.partner

    def _lengthen(self) -> bool:
        """Let every chain be one person longer where that gains. False when no chain is better than before."""
        ends = self.gain + self.best_end[:, None, :]
        before = ends.argmax(axis=2)
        found = ends.ravel()[self.all.reshape(before.shape) * self.size + before]
        better = found > self.best_end
        np.copyto(self.before, before, where=better)
        np.copyto(self.best_end, found, where=better)
        return bool(better.any())

    def _close(self) -> bool:
        """Make the couples of all rings that have closed. Each gains, because every taker on it did better by it."""
        taker = (self.before + np.arange(self.blocks)[:, None] * self.size).ravel()
        reached = taker
        for _ in range((self.size - 1).bit_length()):
            reached = reached[reached]
        # Going back far enough one is on a ring, or at the beginning of a chain, which nobody precedes.
        is_in_ring = np.zeros(len(taker), dtype=np.bool_)
        is_in_ring[reached] = True
        loser = np.flatnonzero(is_in_ring & (taker != self.all))
        if not len(loser):
            return False
        taker = taker[loser]
        self.rows[taker] = self.rows[loser]
        self.partner.ravel()[taker] = self.partner.ravel()[loser]
        self.gains[taker] = self.rows[taker] - self._own().ravel()[taker][:, None]
        self.before[taker // self.size] = self.itself[0]
        return True
