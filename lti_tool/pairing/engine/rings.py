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

from lti_tool.pairing.engine.couples import Cells, Couples, Keys
from lti_tool.pairing.engine.people import Places, Points
from lti_tool.pairing.engine.rules import listed_in

AGAIN: Final = 64
"""After so many sweeps the couples are dealt to the two rows anew."""
ENTRIES: Final = 1 << 17
"""Couples that are looked at together: enough to be quick, few enough for the processor's cache."""
OFTEN: Final = 4
"""After so many steps it is looked whether rings have closed."""


def exchange(
    couples: Couples, first: Places, second: Places, banned: Keys, rng: np.random.Generator, *, sweeps: int
) -> tuple[Places, Places, Points]:
    """The same people in better couples, and their weights: below 0 where a couple is forbidden or banned."""

    def weigh(heads: Places, tails: Places) -> Points:
        weight = couples.weigh(heads, tails)
        weight[listed_in(banned, couples.keys(heads, tails))] = couples.forbidden
        return weight

    half, weight = len(first) // 2, weigh(first, second)
    for number in range(sweeps if half else 0):
        if number % AGAIN == 0:
            order = rng.permutation(len(first))
            first, second, weight = first[order], second[order], weight[order]
        by = int(rng.integers(half))
        near = first[:half], second[:half]
        far = np.roll([first[half : 2 * half], second[half : 2 * half]], by, axis=1)
        now = weight[:half] + np.roll(weight[half : 2 * half], by)
        straight = couples.weigh(near[0], far[0]) + couples.weigh(near[1], far[1])
        across = couples.weigh(near[0], far[1]) + couples.weigh(near[1], far[0])
        at = np.flatnonzero(np.maximum(straight, across) > now)
        facing, turned = half + (at - by) % half, (straight >= across)[at]
        partner = np.where(turned, first[facing], second[facing])
        last = np.where(turned, second[facing], first[facing])
        left, right = weigh(first[at], partner), weigh(second[at], last)
        good = left + right > now[at]
        at, facing, partner, last = at[good], facing[good], partner[good], last[good]
        first[facing], second[facing], weight[facing] = second[at], last, right[good]
        second[at], weight[at] = partner, left[good]
    return first, second, weight


def pass_on(
    couples: Couples, first: Places, second: Places, banned: Keys, rng: np.random.Generator, *, block: int, steps: int
) -> tuple[Places, Places]:
    """The same people in couples that have as many points or more. No couple is new that is forbidden or banned.

    All of the given couples are allowed. `block`: how many of them are in one block; `steps`: at most how many people
    long the chains are of which rings are made, and how long a block is worked on.
    """
    size = len(first)
    if size < 2:
        return first, second
    blocks = max(1, size // block)
    order = rng.permutation(size)[: size // blocks * blocks]
    turned = rng.random(len(order)) < 0.5
    left = np.where(turned, second[order], first[order]).reshape(blocks, -1)
    right = np.where(turned, first[order], second[order]).reshape(blocks, -1)
    barred = _barred(len(couples), left, right, banned)
    together = max(1, ENTRIES // left.shape[1] ** 2)
    for start in range(0, blocks, together):
        some = slice(start, start + together)
        weight = _weights(couples, left[some], right[some], steps)
        here = (barred[0] >= start) & (barred[0] < start + together)
        block_, row, column = barred[:, here]
        weight[block_ - start, row, column] = _too_little(weight.dtype)
        right[some] = np.take_along_axis(right[some], _Chains(weight).best(steps), axis=1)
    first, second = first.copy(), second.copy()
    first[order], second[order] = left.ravel(), right.ravel()
    return first, second


def _barred(people: int, left: Places, right: Places, banned: Keys) -> Places:
    """Block, place of the second half, place of the first half, for every banned couple within a block."""
    at = np.full(people, -1, dtype=np.int64)
    at[left.ravel()] = at[right.ravel()] = np.arange(left.size)
    is_right = np.zeros(people, dtype=np.bool_)
    is_right[right.ravel()] = True
    first, second = np.divmod(banned, people)
    width = left.shape[1]
    near = (at[first] // width == at[second] // width) & (at[first] >= 0) & (is_right[first] != is_right[second])
    first, second = first[near], second[near]
    head, tail = np.where(is_right[first], second, first), np.where(is_right[first], first, second)
    return np.stack((at[head] // width, at[tail] % width, at[head] % width))


def _weights(couples: Couples, left: Places, right: Places, steps: int) -> Cells:
    """The weight of each second half with each first half, of shape (blocks, second halves, first halves)."""
    total = couples.weigh(right[:, :, None], left[:, None, :])
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
        result = ends.ravel()[self.all.reshape(before.shape) * self.size + before]
        better = result > self.best_end
        np.copyto(self.before, before, where=better)
        np.copyto(self.best_end, result, where=better)
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
