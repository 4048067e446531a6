"""All rounds of a few people together: swaps in any round, even such as cost something first.

Rounds that are planned one after the other spend early what later rounds need. Here the best swap of two people in any
round is made, again and again, and may not be taken back for a while (tabu search; for this problem see Dotú and Van
Hentenryck 2007). The best arrangement that was seen is kept.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.circles.company import Company
from lti_tool.pairing.engine.circles.swapping import Seats
from lti_tool.pairing.engine.people import Bools

Costs = NDArray[np.float64]
"""Whole numbers, exact far beyond every cost there is; as floats because products of them are much faster."""
TENURE: Final = (3, 12)
"""For how many steps a swap may not be made again: at least, less than."""
PATIENCE: Final = 600
"""After so many steps without a better arrangement, this is the end."""
MORE_TRIES: Final = 2
IMPOSSIBLE: Final = 2.0**50


@dataclass(frozen=True)
class Question:
    """Who sits where, and what that costs."""

    group: NDArray[np.int64]
    """Of each round (row) and seat holder (column), the group. The last columns are empty seats."""
    base: Costs
    """The cost of each couple of people, whatever the rounds."""
    per_meeting: int
    """The cost of each meeting for each meeting that the couple has already."""
    exception: int
    """The cost of being beside an empty seat once more; negative where that is the rule and not the exception."""
    locked: Bools
    """Of each round and seat holder, whether they stay."""

    @property
    def people(self) -> int:
        return len(self.base)

    @property
    def least(self) -> float:
        """What the meetings cost at least: all couples meet equally often, as far as that goes in."""
        if self.people < 2 or (self.base < 0).any():
            return -IMPOSSIBLE
        count = int(self.group.max()) + 1
        sizes = np.array([np.bincount(row, minlength=count) for row in self.group[:, : self.people]])
        couples = self.people * (self.people - 1) // 2
        each, over = divmod(int((sizes * (sizes - 1)).sum()) // 2, couples)
        again = couples * each * (each - 1) // 2 + over * each
        return float(self.per_meeting * again)


def rearrange_seats(company: Company, rows: list[Seats], locked: list[Bools], rng: np.random.Generator) -> list[Seats]:
    """The seats of all rounds, rearranged. `company` remembers no meeting of theirs and knows all couples."""
    people, shape = company.people, rows[0].shape
    numbers = np.repeat(np.arange(shape[0]), shape[1])
    group = np.empty((len(rows), rows[0].size), dtype=np.int64)
    stays = np.zeros(group.shape, dtype=np.bool_)
    for number, seats in enumerate(rows):
        holders = seats.reshape(-1)
        group[number, holders[holders < people]] = numbers[holders < people]
        group[number, people:] = numbers[holders == people]
        stays[number, :people] = locked[number][:people]
    short = rows[0].size - people
    is_rare = 2 * short <= len(rows[0])
    exception = company.scale.exception * (0 if short in {0, len(rows[0])} else 1 if is_rare else -1)
    one, other = np.divmod(np.arange(people * people, dtype=np.int64), people)
    base = company.between(one, other).reshape(people, people).astype(np.float64)
    found = rearrange(Question(group, base, company.per_meeting, exception, stays), rng)
    holders = np.append(np.arange(people), np.full(short, people))
    return [holders[np.argsort(row, kind="stable")].reshape(shape) for row in found]


def rearrange(question: Question, rng: np.random.Generator) -> NDArray[np.int64]:
    """Groups as in the question, of the same sizes, that cost as little as was found; never more than before.

    Found in hundredths of a second, for instance: 15 people in trios through 7 rounds, 16 in fours through 5 and 25 in
    fives through 6, where everybody meets everybody just once.
    """
    search = _Search(question, rng)
    search.run(question.group)
    for _ in range(MORE_TRIES):
        if not search.is_perfect:
            search.run(_shuffled(question, rng))
    return search.best


def _shuffled(question: Question, rng: np.random.Generator) -> NDArray[np.int64]:
    """Another beginning: everybody who is not locked where somebody else was."""
    group = question.group.copy()
    for row, locked in zip(group, question.locked, strict=True):
        free = np.flatnonzero(~locked[: question.people])
        row[free] = row[rng.permutation(free)]
    return group


class _Search:
    def __init__(self, question: Question, rng: np.random.Generator) -> None:
        self.question, self.rng = question, rng
        self.best, self.least, self.is_perfect = question.group.copy(), IMPOSSIBLE, False
        self.bound = question.least

    def run(self, group: NDArray[np.int64]) -> None:
        """From these groups on until nothing better was seen for long."""
        self.group = group.copy()
        rounds, holders = self.group.shape
        self.tabu = np.zeros((rounds, holders, holders), dtype=np.int64)
        step = last = 0
        may_go_on = True
        while may_go_on and step - last <= PATIENCE:
            total, self.is_perfect, gains = self._look()
            if total < self.least:
                self.best, self.least, last = self.group.copy(), total, step
            may_go_on = not self.is_perfect and self._swap(gains, total, step)
            step += 1

    def _look(self) -> tuple[float, bool, Costs]:
        """The cost of all rounds, whether there cannot be less, and what every swap in every round would change."""
        question, group, people = self.question, self.group, self.question.people
        count = int(group.max()) + 1
        member = (group[:, :, None] == np.arange(count)).astype(np.float64)
        together = member @ member.transpose(0, 2, 1)
        diagonal = np.arange(group.shape[1])
        together[:, diagonal, diagonal] = 0
        elsewhere = together.sum(axis=0) - together
        costs = np.zeros_like(together)
        costs[:, :people, :people] = question.base + question.per_meeting * elsewhere[:, :people, :people]
        beside = together[:, :people, people:].sum(axis=2)
        rare = question.exception * (beside.sum(axis=0) - beside)
        costs[:, :people, people:] = rare[:, :, None]
        costs[:, people:, :people] = rare[:, None, :]
        costs[:, people:, people:] = IMPOSSIBLE
        costs[:, diagonal, diagonal] = 0
        to_group = costs @ member
        mine = np.take_along_axis(to_group, group[:, :, None], axis=2)
        across = np.take_along_axis(to_group, np.repeat(group[:, None, :], group.shape[1], axis=1), axis=2)
        gains = across + across.transpose(0, 2, 1) - mine - mine.transpose(0, 2, 1) - 2 * costs
        gains[group[:, :, None] == group[:, None, :]] = IMPOSSIBLE
        gains[np.repeat(question.locked[:, :, None], group.shape[1], axis=2)] = IMPOSSIBLE
        gains[np.repeat(question.locked[:, None, :], group.shape[1], axis=1)] = IMPOSSIBLE
        real = together[:, :people, :people]
        met_again = real.sum(axis=0) * (real.sum(axis=0) - 1) / 2
        total = float((real * question.base).sum() / 2 + question.per_meeting * met_again.sum() / 2)
        total += question.exception * float((beside.sum(axis=0) * (beside.sum(axis=0) - 1)).sum()) / 2
        return total, total <= self.bound, gains

    def _swap(self, gains: Costs, total: float, step: int) -> bool:
        """Make the best swap that is not forbidden for now, or that leads to less than ever."""
        gains = np.where((self.tabu > step) & (total + gains >= self.least), IMPOSSIBLE, gains)
        least = gains.min()
        if least >= IMPOSSIBLE / 2:
            return False
        equal = np.flatnonzero(gains == least)
        chosen = int(equal[self.rng.integers(len(equal))])
        number, one, other = (int(at) for at in np.unravel_index(chosen, gains.shape))
        self.group[number, [one, other]] = self.group[number, [other, one]]
        until = step + int(self.rng.integers(*TENURE))
        self.tabu[number, one, other] = self.tabu[number, other, one] = until
        return True
