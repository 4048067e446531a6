"""What it costs to put two people into the same group, and better groups by swapping people.

Costs are whole numbers of very different size, so that one number compares in the order of importance: a couple that a
rule forbids, a repeat, another turn in the group whose size is the exception, points (which are costs below 0).

Large rounds: groups are laid beside each other in pairs, in an order that chance decides, and of all swaps between the
two the best is made, thousands of pairs in one step. Then those who are still badly off look through all seats. All
rounds of a few people together: the best swap of two people in any round is made, even one that costs something at
first, and may not be taken back for a while (tabu search; for this problem see Dotú and Van Hentenryck 2007).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import Couples, Meetings, meetings_of
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.rules import couple_keys, listed_in

MATRIX: Final = 1500
"""So few people that the cost of every couple is worked out once: 18 MB."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How much each step of the order of importance weighs."""

    exception: int
    """Once more in the group whose size is the exception."""
    repeat: int
    forbidden: int

    @classmethod
    def of(cls, couples: Couples, size: int, rounds: int) -> "Scale":
        """So large that no single swap of two people between groups of `size` gives up more for less."""
        around = 4 * (size + 1)
        exception = around * couples.most + 1
        repeat = around * (couples.most + exception * (rounds + 1)) + 1
        met = len(couples.course.met) + rounds
        return cls(exception, repeat, around * (repeat * (met + 1)) + 1)


class MeetingCosts:
    """The cost of every couple, given who has met. The place `len(couples)` is an empty seat."""

    def __init__(self, couples: Couples, scale: Scale) -> None:
        self.couples, self.scale, self.people = couples, scale, len(couples)
        self.met = Meetings(self.people, meetings_of(couples.people, couples.course.met))
        self.per_meeting = scale.forbidden if couples.never_again else scale.repeat
        self.was_exception = np.zeros(self.people + 1, dtype=np.int64)
        """What an empty seat in their group costs each person; 0 for an empty seat."""
        left_out = couples.course.left_out
        self.matters = np.array([1 + (one in left_out) for one in couples.people.ids.tolist()], dtype=np.int64)
        self.expected = np.zeros(0, dtype=np.int64)
        self._matrix: NDArray[np.int64] | None = None
        if self.people <= MATRIX:
            self._matrix = self._all_couples()

    def _all_couples(self) -> NDArray[np.int64]:
        matrix = np.zeros((self.people + 1, self.people + 1), dtype=np.int64)
        one, other = np.triu_indices(self.people, 1)
        matrix[one, other] = matrix[other, one] = self._work_out(one, other)
        return matrix

    def _work_out(self, one: Places, other: Places) -> Points:
        cost = -self.couples.weigh(one, other)
        is_forbidden = cost > 0
        if len(self.couples.banned):
            is_forbidden |= listed_in(self.couples.banned, couple_keys(one, other, self.people))
        where = np.nonzero(is_forbidden)
        cost[where] = self.scale.forbidden * np.maximum(self.matters[one[where]], self.matters[other[where]])
        if len(self.met.keys):
            cost += self.per_meeting * self.met.times(one, other)
        if len(self.expected):
            cost += self.per_meeting * listed_in(self.expected, couple_keys(one, other, self.people))
        return cost

    def expect(self, couples: list[tuple[int, int]]) -> None:
        """Keep these couples apart as if they had met: they will, later. Replaces who was expected before."""
        listed = np.array(sorted({(min(couple), max(couple)) for couple in couples}), dtype=np.int64).reshape(-1, 2)
        before, self.expected = self.expected, couple_keys(listed[:, 0], listed[:, 1], self.people)
        if self._matrix is not None:
            for sign, which in ((-1, before), (1, self.expected)):
                one, other = np.divmod(which, self.people)
                self._matrix[one, other] += sign * self.per_meeting
                self._matrix[other, one] += sign * self.per_meeting

    def between(self, one: Places, other: Places) -> Points:
        """The cost of each couple, of any shape; 0 for someone with themselves. Not for empty seats."""
        if self._matrix is not None:
            return self._matrix[one, other]
        one, other = np.broadcast_arrays(one, other)
        flat_one, flat_other = one.reshape(-1), other.reshape(-1)
        real = np.flatnonzero((flat_one != flat_other) & (flat_one < self.people) & (flat_other < self.people))
        found = np.zeros(flat_one.shape, dtype=np.int64)
        found[real] = self._work_out(flat_one[real], flat_other[real])
        return found.reshape(one.shape)

    def may_meet(self, one: Places, other: Places) -> Bools:
        """For each couple, whether it may sit together: every rule, "never again" included."""
        # Points are taken off the cost of having met, and all that is allowed costs far less than half of this.
        found: Bools = (self.between(one, other) < self.scale.forbidden // 2) & (one != other)
        return found

    def remember(self, seats: NDArray[np.int64]) -> None:
        """These groups (one in a row; the number of people stands for an empty seat) have met."""
        one, other = (seats[:, side].reshape(-1) for side in np.triu_indices(seats.shape[1], 1))
        real = (one < self.people) & (other < self.people)
        one, other = one[real], other[real]
        self.met = self.met.also(couple_keys(one, other, self.people))
        if self._matrix is not None:
            # No couple sits together twice in one round, so no index is repeated.
            self._matrix[one, other] += self.per_meeting
            self._matrix[other, one] += self.per_meeting
        self._remember_exceptions(seats)

    def _remember_exceptions(self, seats: NDArray[np.int64]) -> None:
        is_short = (seats == self.people).any(axis=1)
        if not is_short.any() or is_short.all():
            return
        is_rare = 2 * int(is_short.sum()) <= len(seats)
        exceptional = seats[is_short if is_rare else ~is_short].reshape(-1)
        self.was_exception[exceptional] += self.scale.exception if is_rare else -self.scale.exception
        self.was_exception[self.people] = 0


# ---- swaps within a round --------------------------------------------------------------------------------------------

Seats = NDArray[np.int64]
"""One group in a row; the number of people stands for an empty seat. At most one seat in a group is empty."""
NEVER: Final = 1 << 60
SWEEPS: Final = 160
MORE_SWEEPS: Final = 300_000
"""Divided by the number of people: so many sweeps more, because they are cheap for few; at most five times as many."""
LOOKS: Final = 400
"""How many people look through all seats, at most, in one round."""


@dataclass(frozen=True)
class Swapping:
    """Swaps within one round. Who is locked never moves."""

    meeting_costs: MeetingCosts
    locked: Bools
    """For each place, and for the empty seat (which may move)."""

    def improve(self, seats: Seats, rng: np.random.Generator, *, is_start: bool = False) -> Seats:
        """The same groups with people swapped; the costs never rise. Work: sweeps x people x size of a group.

        `is_start` makes fewer sweeps: others will look for better groups from here.
        """
        seats = seats.copy()
        if len(seats) < 2:
            return seats
        costs = self.costs(seats)
        more = min(MORE_SWEEPS // self.meeting_costs.people, 4 * SWEEPS)
        for _ in range(SWEEPS // 4 if is_start else SWEEPS + more):
            order = rng.permutation(len(seats))
            half = len(seats) // 2
            self._sweep(seats, costs, order[:half], order[half : 2 * half])
        self._look_through(seats, costs)
        return seats

    def costs(self, seats: Seats) -> Points:
        """What each person pays for their group, in the shape of the seats."""
        found: Points = self._between(seats, seats).sum(axis=2)
        return found

    def _between(self, one: Seats, other: Seats) -> NDArray[np.int64]:
        """The costs of all couples of a member of one[i] and a member of other[i]."""
        found = self.meeting_costs.between(one[:, :, None], other[:, None, :])
        empty = self.meeting_costs.people
        rare = self.meeting_costs.was_exception
        if (one == empty).any() or (other == empty).any():
            found += (one == empty)[:, :, None] * rare[other][:, None, :]
            found += (other == empty)[:, None, :] * rare[one][:, :, None]
        return found

    def _sweep(self, seats: Seats, costs: Points, here: Places, there: Places) -> None:
        """Make the best swap between each two of these groups. `costs` is kept true here and below."""
        one, other = seats[here], seats[there]
        across = self._between(one, other)
        leaves = costs[here][:, :, None] + costs[there][:, None, :]
        gain = leaves - across.sum(axis=2)[:, :, None] - across.sum(axis=1)[:, None, :] + 2 * across
        self._forbid(gain, one, other)
        flat = gain.reshape(len(gain), -1)
        best = flat.argmax(axis=1)
        # At equal cost people move too: the way out of a corner may lead along the level.
        chosen = np.flatnonzero(flat[np.arange(len(flat)), best] >= 0)
        row, column = np.divmod(best[chosen], seats.shape[1])
        seats[here[chosen], row], seats[there[chosen], column] = other[chosen, column], one[chosen, row]
        changed = np.concatenate([here[chosen], there[chosen]])
        costs[changed] = self.costs(seats[changed])

    def _forbid(self, gain: NDArray[np.int64], one: Seats, other: Seats) -> None:
        """Locked people stay, and no group gets a second empty seat."""
        empty = self.meeting_costs.people
        gain[np.repeat(self.locked[one][:, :, None], other.shape[1], axis=2)] = -NEVER
        gain[np.repeat(self.locked[other][:, None, :], one.shape[1], axis=1)] = -NEVER
        both = ((one == empty).any(axis=1) & (other == empty).any(axis=1))[:, None, None]
        gain[both & ((one == empty)[:, :, None] != (other == empty)[:, None, :])] = -NEVER

    def _look_through(self, seats: Seats, costs: Points) -> None:
        """Whoever pays for more than a wish that is not met looks at every seat of the round."""
        looks = 0
        while looks < LOOKS:
            shown = np.where((seats == self.meeting_costs.people) | self.locked[seats], -NEVER, costs)
            worst = np.argsort(-shown, axis=None, kind="stable")[: LOOKS - looks]
            worst = worst[shown.reshape(-1)[worst] >= self.meeting_costs.scale.repeat]
            moved = [self._look(seats, costs, int(seat)) for seat in worst]
            looks += max(1, len(moved))
            if not any(moved):
                return

    def _look(self, seats: Seats, costs: Points, seat: int) -> bool:
        """Swap whoever sits here with the person for whom that is best, if it helps."""
        group, place = divmod(seat, seats.shape[1])
        person, empty = seats[group, place], self.meeting_costs.people
        mine = np.delete(seats[group], place)
        alone = np.full((len(seats), 1), person)
        to_them = self._between(alone, seats)[:, 0, :]
        from_them = self._between(seats.reshape(-1, 1), np.broadcast_to(mine, (seats.size, len(mine)))).sum(axis=2)
        gain = costs[group, place] + costs - (to_them.sum(axis=1)[:, None] - to_them) - from_them.reshape(seats.shape)
        gain[self.locked[seats]] = -NEVER
        gain[group] = -NEVER
        if (mine == empty).any():
            gain[seats == empty] = -NEVER
        best = int(gain.argmax())
        if gain.reshape(-1)[best] <= 0:
            return False
        there = divmod(best, seats.shape[1])
        seats[group, place], seats[there] = seats[there], person
        changed = [group, there[0]]
        costs[changed] = self.costs(seats[changed])
        return True


# ---- swaps in all rounds ---------------------------------------------------------------------------------------------

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


def rearrange_seats(
    meeting_costs: MeetingCosts, rows: list[Seats], locked: list[Bools], rng: np.random.Generator
) -> list[Seats]:
    """The seats of all rounds, rearranged. `meeting_costs` remembers no meeting of theirs and knows all couples."""
    people, shape = meeting_costs.people, rows[0].shape
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
    exception = meeting_costs.scale.exception * (0 if short in {0, len(rows[0])} else 1 if is_rare else -1)
    one, other = np.divmod(np.arange(people * people, dtype=np.int64), people)
    base = meeting_costs.between(one, other).reshape(people, people).astype(np.float64)
    found = rearrange(Question(group, base, meeting_costs.per_meeting, exception, stays), rng)
    holders = np.append(np.arange(people), np.full(short, people))
    return [holders[np.argsort(row, kind="stable")].reshape(shape) for row in found]


def rearrange(question: Question, rng: np.random.Generator) -> NDArray[np.int64]:
    """Groups as in the question, of the same sizes, that cost as little as was found; never more than before.

    Found in hundredths of a second, for instance: 15 people in trios through 7 rounds, 16 in fours through 5 and 25 in
    fives through 6, where everyone meets everyone just once.
    """
    search = _Search(question, rng)
    search.run(question.group)
    for _ in range(MORE_TRIES):
        if not search.is_perfect:
            search.run(_shuffled(question, rng))
    return search.best


def _shuffled(question: Question, rng: np.random.Generator) -> NDArray[np.int64]:
    """Another beginning: everyone who is not locked where someone else was."""
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
        self.barred = question.locked[:, :, None] | question.locked[:, None, :]

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
        across = (costs @ member) @ member.transpose(0, 2, 1)
        mine = across[:, diagonal, diagonal][:, :, None]
        gains = across + across.transpose(0, 2, 1) - mine - mine.transpose(0, 2, 1) - 2 * costs
        gains[(group[:, :, None] == group[:, None, :]) | self.barred] = IMPOSSIBLE
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
