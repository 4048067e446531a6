"""All rounds of trios, circles and rings: everyone in a group, few meet twice, and wishes count.

What a couple costs is a whole number; steps of very different size make one number compare in the order of importance:
a couple that a rule forbids, a repeat, another turn in the group whose size is the exception, points (below 0).

Of all swaps of two people between the groups of a round the best is made, even one that costs something at first, and
may not be taken back for a while (tabu search; for this problem see Dotú and Van Hentenryck 2007). One round comes
after the other, in blocks of groups, all blocks at once. Then all rounds of a few people are looked at together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import (
    Couples,
    Groups,
    Meetings,
    Members,
    couples_of,
)
from lti_tool.pairing.engine.locks import most_members
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.problem import Course
from lti_tool.pairing.engine.repair_groups import Round, group_sizes, repair_groups
from lti_tool.pairing.engine.rules import listed_in

FEW: Final = 60_000
"""Up to so many couples of seats, over all rounds, all rounds are looked at together: 100 people and 6 rounds."""
TRIES: Final = 14
"""So often; each time but the first one round of the best is dealt anew."""
PATIENCE: Final = 150
"""After so many steps without a better arrangement, this is the end …"""
BLOCK: Final = 30
"""… and in one round people are swapped while that gains, in blocks of so many seats …"""
PASSES: Final = 30
"""… which are cut anew so often. Then those who meet again or break a rule …"""
MENDS, WIDER = 12, 4
"""… try to swap so often, in blocks so many times as large."""
TENURE: Final = (3, 12)
"""For how many steps a swap may not be made again: at least, less than."""
IMPOSSIBLE: Final = 2.0**50

Seats = NDArray[np.int64]
"""One group in a row; the number of people stands for an empty seat. At most one seat in a group is empty."""
Exact = NDArray[np.float64]
"""Whole numbers, exact far beyond every cost there is; as floats because products of them are much faster."""


class _Scale(NamedTuple):
    """How much each step of the order of importance weighs."""

    exception: int
    """Once more in the group whose size is the exception."""
    repeat: int
    forbidden: int


class _Seating(NamedTuple):
    """The groups of one round."""

    seats: Seats
    stays: Bools
    """For each place, whether they are locked to this group; an empty seat is not."""
    whole: tuple[Members, ...] = ()
    """Groups of locked people that are beside these, because no group had room for them."""

    def groups(self, people: int) -> Groups:
        """All of them."""
        rows = [[place for place in row if place < people] for row in (*self.seats.tolist(), *self.whole)]
        members = np.array([place for row in rows for place in row], dtype=np.int64)
        return Groups.listed(members, [*map(len, rows)], people)


@dataclass(frozen=True)
class Circles:
    """Plans the rounds of a course. `locked`: for every round the groups that must be."""

    couples: Couples
    locked: Sequence[Sequence[Members]]
    rng: np.random.Generator

    def planned(self) -> list[Groups]:
        """The groups of each round.

        As few people as was found are unpaired, then as few couples meet again, and then wishes count, summed over the
        couples of a group.
        """
        people = len(self.couples)
        if people < 2:
            return [Groups(np.arange(people))] * len(self.locked)
        seatings = [_seating(self.couples.course, people, groups, self.rng) for groups in self.locked]
        planned, seatings = self._round_by_round(seatings, PASSES)
        if sum(seating.seats.size**2 for seating in seatings) <= FEW and not any(seating.whole for seating in seatings):
            planned = min(planned, self._round_by_round(self._all_rounds(seatings), 0)[0], key=self._flaws)
        return planned

    def _round_by_round(self, seatings: Sequence[_Seating], passes: int) -> tuple[list[Groups], list[_Seating]]:
        """The groups of each round as they will be, after so many passes of swaps, and the seats before rules break."""
        met, rare, couples = self.couples.met, np.zeros(len(self.couples) + 1, dtype=np.int64), self.couples
        planned, swapped = [], []
        for number, seating in enumerate(seatings):
            # Who will be locked together later is kept apart as if they had met.
            later = couples_of(group for groups in self.locked[number + 1 :] for group in groups)
            avoided = met.also(np.unique(couples.keys(*later)))
            for _ in range(passes):
                self._swap(
                    seating, self._blocks(self.rng.permutation(len(seating.seats)), seating, BLOCK), avoided, rare
                )
            for _ in range(MENDS if passes else 0):
                # Groups in which people meet again or break a rule are in different blocks.
                costs = self._costs(seating.seats, avoided, rare)
                flawed: Bools = costs.reshape(len(costs), -1).max(axis=1) > self._scale.repeat / 2
                if not flawed.any():
                    break
                order = self.rng.permutation(len(flawed))
                order = np.concatenate((order[flawed[order]], order[~flawed[order]]))
                blocks = self._blocks(order, seating, WIDER * BLOCK)[: int(flawed.sum())]
                self._swap(seating, blocks, avoided, rare)
            swapped.append(seating)
            planned.append(self._by_the_rules(seating.groups(len(couples)), number, met, avoided))
            met = met.also(planned[-1].keys)
            rare = rare + self._of_exceptions(planned[-1])
        return planned, swapped

    def _blocks(self, order: Places, seating: _Seating, seats: int) -> Places:
        """Groups in blocks of so many seats, dealt in this order; those that are left over at the end are in none."""
        each = min(len(order), max(2, seats // seating.seats.shape[1]))
        return order[: len(order) // each * each].reshape(each, -1).T

    def _swap(self, seating: _Seating, blocks: Places, met: Meetings, rare: Points) -> None:
        """Swap people of a round within blocks of groups while that gains."""
        holders = seating.seats[blocks].reshape(len(blocks), -1)
        numbers = np.repeat(np.arange(blocks.shape[1]), seating.seats.shape[1])
        start = np.broadcast_to(numbers, (len(blocks), len(numbers)))
        group = _descended(self._costs(holders, met, rare), start, seating.stays[holders])
        in_groups = np.argsort(group, axis=1, kind="stable")
        seating.seats[blocks] = np.take_along_axis(holders, in_groups, axis=1).reshape(seating.seats[blocks].shape)

    def _all_rounds(self, seatings: Sequence[_Seating]) -> list[_Seating]:
        """Swap people in all rounds together, from these seats and then from the best with one round dealt anew."""
        people, shape = len(self.couples), seatings[0].seats.shape
        holders = np.minimum(np.arange(shape[0] * shape[1]), people)
        orders = [np.argsort(seating.seats, axis=None, kind="stable") for seating in seatings]
        group = np.stack([order // shape[1] for order in orders])
        locked = np.stack([seating.stays[holders] for seating in seatings])
        empty = holders == people
        # What meeting once more costs, or being beside an empty seat once more, where that is the exception.
        short, scale = int(empty.sum()), self._scale
        exception = scale.exception * (0 if short in {0, shape[0]} else 1 if 2 * short <= shape[0] else -1)
        again = np.where(empty[:, None] | empty, exception, self._per_meeting).astype(np.float64)
        (costs,) = self._costs(holders[None], self.couples.met, np.zeros(people + 1, dtype=np.int64))
        search, least = _Search(costs, again, locked, self.rng, empty), np.inf
        for _ in range(TRIES):
            tried, paid = search.best(group, PATIENCE)
            if paid < least:
                best, least = tried, paid
            if search.is_perfect:
                break
            group = best.copy()
            number = int(self.rng.integers(len(group)))
            free = np.flatnonzero(~locked[number] & ~empty)
            group[number, free] = group[number, self.rng.permutation(free)]
        return [
            seating._replace(seats=holders[np.argsort(row, kind="stable")].reshape(shape))
            for seating, row in zip(seatings, best, strict=True)
        ]

    @cached_property
    def _scale(self) -> "_Scale":
        """So large that no single swap of two people between groups gives up more for less."""
        around, rounds = 4 * (most_members(self.couples.course) + 1), len(self.locked)
        exception = around * self.couples.most + 1
        repeat = around * (self.couples.most + exception * (rounds + 1)) + 1
        return _Scale(exception, repeat, around * repeat * (len(self.couples.course.met) + rounds + 1) + 1)

    @property
    def _per_meeting(self) -> int:
        return self._scale.forbidden if self.couples.never_again else self._scale.repeat

    def _costs(self, holders: Places, met: Meetings, rare: Points) -> Exact:
        """What every two holders of seats in a block cost if they are in a group. `rare`: beside an empty seat."""
        couples, empty = self.couples, len(self.couples)
        first, second = np.broadcast_arrays(holders[:, :, None], holders[:, None, :])
        result = np.where(first == empty, rare[second], np.where(second == empty, rare[first], 0)).astype(np.float64)
        result[(first == empty) & (second == empty)] = IMPOSSIBLE
        real = (first < empty) & (second < empty) & (first != second)
        first, second = first[real], second[real]
        cost, keys = -couples.weigh(first, second), couples.keys(first, second)
        matters = 1 + _left_out(couples)
        refused = np.flatnonzero((cost > 0) | listed_in(couples.banned, keys))
        cost[refused] = self._scale.forbidden * np.maximum(matters[first[refused]], matters[second[refused]])
        result[real] = cost + self._per_meeting * met.times(first, second)
        result[:, np.arange(holders.shape[1]), np.arange(holders.shape[1])] = 0
        return result

    def _of_exceptions(self, groups: Groups) -> Points:
        """What it adds to the costs of an empty seat that these groups were."""
        sizes, result = groups.sizes, np.zeros(len(self.couples) + 1, dtype=np.int64)
        short, numbers = sizes < sizes.max(), np.bincount(sizes) // np.maximum(np.arange(sizes.max() + 1), 1)
        is_rare = 2 * int(numbers[:-1].sum()) <= int(numbers.sum())
        if short.any():
            result[:-1][short == is_rare] = self._scale.exception * (1 if is_rare else -1)
        return result

    def _by_the_rules(self, groups: Groups, number: int, met: Meetings, avoided: Meetings) -> Groups:
        """The same groups but for those that a rule forbids: they are repaired as if the rule had come later."""
        couples, everyone = self.couples, np.arange(len(self.couples), dtype=np.int64)
        first, second = groups.couples
        if couples.allowed(first, second, avoided).all():
            return groups
        before = Round(
            number=number,
            couples=couples,
            stands=groups,
            whole=np.ones(len(everyone), dtype=np.bool_),
            seat=everyone,
            begun=everyone[:0],
            met=avoided,
            met_earlier=met,
            locks=tuple(sorted(self.locked[number])),
            flagged=_left_out(couples),
            in_trios=np.zeros_like(everyone),
            seed=0,
        )
        return repair_groups(before)

    def _flaws(self, planned: list[Groups]) -> tuple[int, int, int, int]:
        """In the order of importance: who is unpaired, who of them was left out before, repeats, missing points."""
        alone = sum((groups.sizes == 1).astype(np.int64) for groups in planned)
        first, second = np.concatenate([groups.couples for groups in planned], axis=1)
        times = np.unique(self.couples.keys(first, second), return_counts=True)[1]
        again = int(self.couples.met.times(first, second).sum()) + int((times * (times - 1) // 2).sum())
        points = int(self.couples.points(first, second).sum())
        return int(alone.sum()), int(alone[_left_out(self.couples)].sum()), again, -points


def _left_out(couples: Couples) -> Bools:
    return np.isin(couples.people.ids, list(couples.course.left_out))


def _seating(course: Course, people: int, locked: Sequence[Members], rng: np.random.Generator) -> _Seating:
    """Locked people at their tables, each set where the least room stays free; everyone else by chance."""
    whole: list[Members] = []
    homeless: Members | None = ()
    while homeless is not None:
        sizes = group_sizes(people - sum(map(len, whole)), course.shape)
        rows: list[list[int]] = [[] for _ in sizes]
        homeless = None
        for group in sorted(set(locked).difference(whole), key=lambda group: (-len(group), group)):
            fits = [at for at, row in enumerate(rows) if len(row) + len(group) <= sizes[at]]
            if not fits:
                homeless = group
                whole.append(group)
                break
            # An empty group comes before one that is begun: two locks together are two wishes in one group.
            rows[min(fits, key=lambda at: (len(rows[at]) > 0, sizes[at] - len(rows[at]), at))] += group
    stays = np.zeros(people + 1, dtype=np.bool_)
    stays[[place for row in rows for place in row]] = True
    seated = {place for group in (*rows, *whole) for place in group}
    rest = iter([place for place in rng.permutation(people).tolist() if place not in seated])
    width = max(sizes, default=0)
    seats = [
        [*row, *(next(rest) for _ in range(size - len(row))), *[people] * (width - size)]
        for row, size in zip(rows, sizes, strict=True)
    ]
    return _Seating(np.array(seats, dtype=np.int64).reshape(len(rows), width), stays, tuple(whole))


# ---- swaps -----------------------------------------------------------------------------------------------------------


def _swap_gains(costs: Exact, member: Exact) -> tuple[Exact, Exact]:
    """What swapping every two holders of seats adds to the costs, and what each holder pays now.

    The leading axis is blocks, or rounds. `costs` are those of two holders; `member` is 1 for a holder and their group.
    """
    across = (costs @ member) @ member.swapaxes(1, 2)
    own = across.diagonal(axis1=1, axis2=2)
    half = across - own[:, :, None] - costs
    return half + half.swapaxes(1, 2), own


def _members(group: Seats) -> Exact:
    members: Exact = (group[..., None] == np.arange(int(group.max(initial=0)) + 1)).astype(np.float64)
    return members


def _immovable(stays: Bools) -> Exact:
    immovable: Exact = np.where(stays[:, :, None] | stays[:, None, :], IMPOSSIBLE, 0)
    return immovable


def _descended(costs: Exact, start: Seats, stays: Bools) -> Seats:
    """By block and holder, the group after the best swap of each block was made, again and again while that gains."""
    group, at, closed = start.copy(), np.arange(len(start)), _immovable(stays)
    while len(at):
        member = _members(group[at])
        gains = _swap_gains(costs, member)[0] + closed + IMPOSSIBLE * (member @ member.swapaxes(1, 2))
        chosen = gains.reshape(len(at), -1).argmin(axis=1)
        first, second = np.divmod(chosen, group.shape[1])
        goes_on = gains[np.arange(len(at)), first, second] < 0
        at, first, second = at[goes_on], first[goes_on], second[goes_on]
        group[at, first], group[at, second] = group[at, second], group[at, first]
        costs, closed = costs[goes_on], closed[goes_on]
    return group


class _Search:
    """Swaps of people in all rounds of a small course together.

    Found in a second, for instance: 15 people in trios through 7 rounds, 16 in fours through 5 and 25 in fives through
    6, where everyone meets everyone just once.
    """

    def __init__(self, costs: Exact, again: Exact, locked: Bools, rng: np.random.Generator, empty: Bools) -> None:
        """`costs`: of every two holders of seats. `again`: of each meeting after the first.

        `locked`: by round and holder, who may not move. `empty`: which holders are empty seats.
        """
        self.costs, self.again, self.rng, self.empty = costs, again, rng, empty
        self.immovable = _immovable(locked)
        self.is_perfect = False
        """Whether nobody pays anything."""

    def best(self, start: Seats, patience: int) -> tuple[Seats, float]:
        """By round and holder, the group in the best arrangement that was found, and what all holders pay in it.

        This is the end after so many steps without anything better.
        """
        group, best, least, step, last = start.copy(), start, np.inf, 0, 0
        member = _members(group)
        beside = member @ member.swapaxes(1, 2)
        closed, prices = self.immovable + IMPOSSIBLE * beside, np.empty_like(beside)
        self._price(prices, beside, np.arange(group.shape[1]))
        tabu: dict[tuple[int, int, int], int] = {}
        while step - last <= patience:
            gains, own = _swap_gains(prices, member)
            cost = float(own.sum())
            if cost < least:
                best, least, last = group.copy(), cost, step
            self.is_perfect = not cost
            gains += closed
            # Who has changed places lately may not go back, unless that leads to less than ever.
            tabu = {swap: until for swap, until in tabu.items() if until > step}
            for swap in tabu:
                if cost + gains[swap] >= least:
                    gains[swap] = IMPOSSIBLE
            gain = gains.min()
            if self.is_perfect or gain >= IMPOSSIBLE / 2:
                break
            # Of equal swaps any.
            ties = np.flatnonzero(gains == gain)
            number, first, second = map(int, np.unravel_index(ties[self.rng.integers(len(ties))], gains.shape))
            leaves, comes = group[number, first], group[number, second]
            group[number, first], group[number, second] = comes, leaves
            member[number, [first, second]] = member[number, [second, first]]
            beside[number] = member[number] @ member[number].T
            closed[number] = self.immovable[number] + IMPOSSIBLE * beside[number]
            rows = np.array([first, second])
            if self.empty[rows].any():
                # Everyone of both groups is more or less beside an empty seat.
                rows = np.flatnonzero(((group[number] == leaves) | (group[number] == comes)) & ~self.empty)
            self._price(prices, beside, rows)
            until = step + int(self.rng.integers(*TENURE))
            tabu[number, first, second] = tabu[number, second, first] = until
            step += 1
        return best, least

    def _price(self, prices: Exact, beside: Exact, rows: Places) -> None:
        """Set what these holders and every other pay for being together, by round: more where they are so elsewhere."""
        here = beside[:, rows]
        elsewhere = here.sum(axis=0) - here
        if self.empty.any():
            # All empty seats are the same to a person.
            elsewhere[:, :, self.empty] = elsewhere[:, :, self.empty].sum(axis=2, keepdims=True)
        paid = self.costs[rows] + self.again[rows] * elsewhere
        paid[:, np.arange(len(rows)), rows] = 0
        prices[:, rows] = paid
        prices[:, :, rows] = paid.swapaxes(1, 2)
