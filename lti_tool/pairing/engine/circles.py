"""All rounds of trios, circles and rings: everyone in a group, few meet twice, and turns are shared.

What a couple costs is a whole number; steps of very different size make one number compare in the order of importance:
a couple that a rule forbids, a repeat, another turn in the group whose size is the exception, points (below 0).

Large rounds: groups are laid beside each other in pairs, in an order that chance decides, and of all swaps of people
the best is made, thousands of pairs in one step. Then who is still badly off looks through all groups. All rounds of a
few people together: the best swap of two people in any round is made, even one that costs something at first, and may
not be taken back for a while (tabu search; for this problem see Dotú and Van Hentenryck 2007).
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import Couples, Keys, Meetings, meetings_of
from lti_tool.pairing.engine.locks import Members, locked_groups, most_members
from lti_tool.pairing.engine.pairs import couples_of
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.problem import (
    NAME,
    Course,
    ImpossibleRequest,
    Kind,
    ListedTwice,
    Reason,
    Schedule,
    ShapeImpossible,
    Unpaired,
)
from lti_tool.pairing.engine.repair_groups import Round, group_sizes, repair_groups
from lti_tool.pairing.engine.rules import listed_in
from lti_tool.pairing.engine.turns import take_turns

SIZES: Final[dict[Kind, Collection[int]]] = {Kind.TRIOS: (3,), Kind.CIRCLES: range(3, 7), Kind.RINGS: range(3, 7)}
FEW: Final = 60_000
"""Up to so many couples of seats, over all rounds, all rounds are looked at together: 100 people and 6 rounds."""
MATRIX: Final = 1500
"""So few people that the cost of every couple is worked out once: 18 MB."""

Seats = NDArray[np.int64]
"""One group in a row; the number of people stands for an empty seat. At most one seat in a group is empty."""


def plan_circles(course: Course, rounds: int, seed: int) -> Schedule:
    """Groups for every round of a course in trios, circles or rings. The same course and seed give the same schedule.

    Sizes are those of `group_sizes`. Rules and locks hold between all members of a group. Someone is unpaired
    only if no group was found that takes them: NOBODY_ALLOWED if the rules leave them no partner at all, else
    NONE_BETTER_FOUND, which is not a proof; to avoid that, groups of any size from two to one more than asked for are
    made. Then as few couples as were found meet again, and wishes count, summed over the couples of a group.

    Trios: the first is coach, the last coachee, who is between them observes. Circles: the first brings the case.
    Rings: each observes the next, the last the first. All three are shared as evenly as the groups allow.
    Raises ImpossibleRequest: no rounds, a size that there is not (ShapeImpossible), people listed twice, or locks that
    contradict each other or a rule.
    """
    if rounds < 1:
        raise ImpossibleRequest(rounds)
    kind, size = course.shape.kind, course.shape.size
    if size not in SIZES.get(kind, ()):
        raise ShapeImpossible(kind, size)
    if twice := sorted(person for person, times in Counter(course.people).items() if times > 1):
        raise ListedTwice(tuple(twice))
    couples = Couples(course)
    locked = locked_groups(couples, rounds)
    planned = _Circles(couples, locked, np.random.default_rng([abs(seed), int(seed < 0)])).planned()
    ids = couples.people.ids.tolist()
    groups = [[tuple(ids[place] for place in group) for group in row if len(group) > 1] for row in planned]
    alone = sorted((number, *group) for number, row in enumerate(planned, start=1) for group in row if len(group) == 1)
    unpaired = [Unpaired(ids[place], number, _reason(couples, place)) for number, place in alone]
    formed = [(number, group) for number, row in enumerate(groups, start=1) for group in row]
    return Schedule(take_turns(groups, formed, kind, course.ahead, seed), tuple(unpaired), course, seed, NAME)


def _reason(couples: Couples, person: int) -> Reason:
    if len(couples) < 2:
        return Reason.NOBODY_ELSE
    return Reason.NONE_BETTER_FOUND if len(couples.partners(person)) else Reason.NOBODY_ALLOWED


class _Seating(NamedTuple):
    """The groups of one round."""

    seats: Seats
    stays: Bools
    """For each place, whether they are locked to this group; an empty seat is not."""
    whole: tuple[Members, ...] = ()
    """Groups of locked people that are beside these, because no group had room for them."""


@dataclass(frozen=True)
class _Circles:
    """Plans the rounds of a course. `locked`: for every round the groups that must be."""

    couples: Couples
    locked: Sequence[Sequence[Members]]
    rng: np.random.Generator

    def planned(self) -> list[list[Members]]:
        """The groups of each round, as places. Who has no group is a group of one."""
        people = len(self.couples)
        if people < 2:
            return [[(place,) for place in range(people)] for _ in self.locked]
        seatings = [_seating(self.couples.course, people, groups, self.rng) for groups in self.locked]
        is_small = sum(seating.seats.size**2 for seating in seatings) <= FEW
        is_small = is_small and not any(seating.whole for seating in seatings)
        sweeps = SWEEPS // 4 if is_small else SWEEPS + min(MORE_SWEEPS // people, 4 * SWEEPS)
        planned, seatings = self._round_by_round(seatings, sweeps)
        if is_small:
            result = _Search(self._costs(self._met, np.zeros(people + 1, dtype=np.int64)), seatings, self.rng).found()
            planned = min(planned, self._round_by_round(result, 0)[0], key=self._flaws)
        return planned

    @cached_property
    def _met(self) -> Meetings:
        return Meetings(len(self.couples), meetings_of(self.couples.people, self.couples.course.met))

    def _costs(self, met: Meetings, rare: Points) -> "_Costs":
        return _Costs(self.couples, met, rare, _scale(self.couples, len(self.locked)))

    def _round_by_round(self, seatings: Sequence[_Seating], sweeps: int) -> tuple[list[list[Members]], list[_Seating]]:
        """The groups of each round as they will be, after so many sweeps of swaps, and the seats before rules break."""
        met, rare, couples = self._met, np.zeros(len(self.couples) + 1, dtype=np.int64), self.couples
        planned, swapped = [], []
        for number, seating in enumerate(seatings):
            # Who will be locked together later is kept apart as if they had met.
            later = np.unique(
                couples.keys(*couples_of(group for groups in self.locked[number + 1 :] for group in groups))
            )
            costs = self._costs(met.also(later), rare)
            swapped.append(_Swaps(costs, seating, self.rng).improved(sweeps) if sweeps else seating)
            rows = [tuple(place for place in row if place < len(couples)) for row in swapped[-1].seats.tolist()]
            groups = self._by_the_rules([group for group in (*seating.whole, *rows) if group], number, met, later)
            planned.append(groups)
            met = met.also(np.sort(couples.keys(*couples_of(groups))))
            rare = rare + costs.of_exceptions(groups)
        return planned, swapped

    def _by_the_rules(self, groups: list[Members], number: int, met: Meetings, later: Keys) -> list[Members]:
        """The same groups but for those that a rule forbids: they are repaired as if the rule had come later."""
        couples, everyone = self.couples, np.arange(len(self.couples), dtype=np.int64)
        first, second = couples_of(groups)
        if couples.allowed(first, second, met.also(later)).all():
            return groups
        before = Round(
            number=number,
            couples=couples,
            groups=[tuple(sorted(group)) for group in groups],
            whole=np.ones(len(groups), dtype=np.bool_),
            seat=everyone,
            begun=everyone[:0],
            met=met.also(later),
            met_earlier=met,
            locks=tuple(sorted(self.locked[number])),
            flagged=_left_out(couples),
            in_trios=np.zeros_like(everyone),
            seed=0,
        )
        after = repair_groups(before)
        return [
            *after,
            *((place,) for place in np.setdiff1d(everyone, [place for group in after for place in group]).tolist()),
        ]

    def _flaws(self, planned: list[list[Members]]) -> tuple[int, int, int, int]:
        """In the order of importance: who is unpaired, who of them was left out before, repeats, missing points."""
        alone = [group[0] for groups in planned for group in groups if len(group) == 1]
        first, second = couples_of(group for groups in planned for group in groups)
        times = np.unique(self.couples.keys(first, second), return_counts=True)[1]
        again = int(self._met.times(first, second).sum()) + int((times * (times - 1) // 2).sum())
        points = int(self.couples.points(first, second).sum())
        return len(alone), int(_left_out(self.couples)[alone].sum()), again, -points


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


# ---- what couples cost -----------------------------------------------------------------------------------------------


class _Scale(NamedTuple):
    """How much each step of the order of importance weighs."""

    exception: int
    """Once more in the group whose size is the exception."""
    repeat: int
    forbidden: int


def _scale(couples: Couples, rounds: int) -> _Scale:
    """So large that no single swap of two people between groups gives up more for less."""
    around = 4 * (most_members(couples.course) + 1)
    exception = around * couples.most + 1
    repeat = around * (couples.most + exception * (rounds + 1)) + 1
    return _Scale(exception, repeat, around * repeat * (len(couples.course.met) + rounds + 1) + 1)


@dataclass(frozen=True)
class _Costs:
    """The cost of every couple, given who has met. The place `len(couples)` is an empty seat."""

    couples: Couples
    met: Meetings
    rare: Points
    """What an empty seat in their group costs each person; 0 for an empty seat."""
    scale: _Scale

    @property
    def per_meeting(self) -> int:
        return self.scale.forbidden if self.couples.never_again else self.scale.repeat

    @cached_property
    def _matrix(self) -> Points:
        people = len(self.couples)
        matrix = np.zeros((people + 1, people + 1), dtype=np.int64)
        first, second = np.triu_indices(people, 1)
        matrix[first, second] = matrix[second, first] = self._work_out(first, second)
        return matrix

    @cached_property
    def _matters(self) -> Points:
        return 1 + _left_out(self.couples)

    def _work_out(self, first: Places, second: Places) -> Points:
        cost, keys = -self.couples.weigh(first, second), self.couples.keys(first, second)
        where = np.flatnonzero((cost > 0) | listed_in(self.couples.banned, keys))
        cost[where] = self.scale.forbidden * np.maximum(self._matters[first[where]], self._matters[second[where]])
        return cost + self.per_meeting * self.met.times(first, second) if len(self.met.keys) else cost

    def between(self, first: Places, second: Places) -> Points:
        """The cost of each couple, of any shape; 0 for someone with themselves and for empty seats."""
        people = len(self.couples)
        if people <= MATRIX:
            return self._matrix[first, second]
        shape = np.broadcast(first, second).shape
        first, second = (side.reshape(-1) for side in np.broadcast_arrays(first, second))
        real = np.flatnonzero((first != second) & (first < people) & (second < people))
        result = np.zeros(first.shape, dtype=np.int64)
        result[real] = self._work_out(first[real], second[real])
        return result.reshape(shape)

    def between_groups(self, first: Seats, second: Seats) -> Points:
        """The costs of all couples of a member of first[i] and a member of second[i], empty seats included."""
        result, empty = self.between(first[:, :, None], second[:, None, :]), len(self.couples)
        if (first == empty).any() or (second == empty).any():
            result += (first == empty)[:, :, None] * self.rare[second][:, None, :]
            result += (second == empty)[:, None, :] * self.rare[first][:, :, None]
        return result

    def of_exceptions(self, groups: Sequence[Members]) -> Points:
        """What it adds to `rare` that these groups were."""
        result = np.zeros_like(self.rare)
        largest = max(map(len, groups))
        short = [len(group) < largest for group in groups]
        is_rare = 2 * sum(short) <= len(groups)
        for group, is_short in zip(groups, short, strict=True):
            if any(short) and is_short == is_rare:
                result[list(group)] = self.scale.exception if is_rare else -self.scale.exception
        return result


# ---- swaps within a round --------------------------------------------------------------------------------------------

NEVER: Final = 1 << 60
SWEEPS: Final = 160
MORE_SWEEPS: Final = 300_000
"""Divided by the number of people: so many sweeps more, because they are cheap for few; at most five times as many."""
LOOKS: Final = 200
"""How many groups look through all others, at most, in one round."""


class _Swaps:
    """Swaps within one round, after which the costs are the same or lower. Who is locked never moves."""

    def __init__(self, costs: _Costs, seating: _Seating, rng: np.random.Generator) -> None:
        self.costs, self.seating, self.rng = costs, seating, rng
        self.seats = seating.seats.copy()
        self.paid = self._paid(self.seats)
        """What each person pays for their group, in the shape of the seats."""

    def improved(self, sweeps: int) -> _Seating:
        """The same groups with people swapped. Work: sweeps x people x size of a group."""
        half = len(self.seats) // 2
        for _ in range(sweeps if half else 0):
            order = self.rng.permutation(len(self.seats))
            # At equal cost people move too: the way out of a corner may lead along the level.
            self._swap(order[:half], order[half : 2 * half], 0)
        looks = 0
        while looks < LOOKS and half:
            # Whoever pays for more than a wish that is not met looks at every seat of the round.
            free = (self.seats < len(self.costs.couples)) & ~self.seating.stays[self.seats]
            shown = np.where(free, self.paid, 0).max(axis=1)
            worst = np.argsort(-shown, kind="stable")[: LOOKS - looks]
            moved = [self._look(group) for group in worst[shown[worst] >= self.costs.scale.repeat].tolist()]
            looks += max(1, len(moved))
            if not any(moved):
                break
        return self.seating._replace(seats=self.seats)

    def _look(self, group: int) -> bool:
        """Make the best swap of this group with any other, if one helps."""
        others = np.delete(np.arange(len(self.seats)), group)
        return self._swap(np.full(len(others), group), others, 1, is_single=True)

    def _paid(self, seats: Seats) -> Points:
        paid: Points = self.costs.between_groups(seats, seats).sum(axis=2)
        return paid

    def _swap(self, here: Places, there: Places, least: int, *, is_single: bool = False) -> bool:
        """Make the best swap between each two of these groups, or only the best of all, if it gains so much."""
        first, second = self.seats[here], self.seats[there]
        across = self.costs.between_groups(first, second)
        gain = self.paid[here][:, :, None] + self.paid[there][:, None, :] + 2 * across
        gain -= across.sum(axis=2)[:, :, None] + across.sum(axis=1)[:, None, :]
        # Locked people stay, and no group gets a second empty seat.
        stays, empty = self.seating.stays, len(self.costs.couples)
        if stays.any():
            gain[stays[first][:, :, None] | stays[second][:, None, :]] = -NEVER
        is_short = (first == empty).any(axis=1) & (second == empty).any(axis=1)
        if is_short.any():
            gain[is_short[:, None, None] & ((first == empty)[:, :, None] != (second == empty)[:, None, :])] = -NEVER
        flat = gain.reshape(len(gain), -1)
        best = flat.argmax(axis=1)
        value = flat[np.arange(len(flat)), best]
        chosen = np.flatnonzero(value >= least)
        if is_single:
            chosen = chosen[value[chosen].argmax() :][:1] if len(chosen) else chosen
        row, column = np.divmod(best[chosen], self.seats.shape[1])
        self.seats[here[chosen], row], self.seats[there[chosen], column] = second[chosen, column], first[chosen, row]
        changed = np.concatenate([here[chosen], there[chosen]])
        self.paid[changed] = self._paid(self.seats[changed])
        return len(chosen) > 0


# ---- swaps in all rounds ---------------------------------------------------------------------------------------------

Exact = NDArray[np.float64]
"""Whole numbers, exact far beyond every cost there is; as floats because products of them are much faster."""
TENURE: Final = (3, 12)
"""For how many steps a swap may not be made again: at least, less than."""
PATIENCE: Final = 600
"""After so many steps without a better arrangement, this is the end."""
MORE_TRIES: Final = 2
IMPOSSIBLE: Final = 2.0**50


class _Search:
    """Swaps in all rounds together, from given seats and from others by chance.

    Found in hundredths of a second, for instance: 15 people in trios through 7 rounds, 16 in fours through 5 and 25 in
    fives through 6, where everyone meets everyone just once.
    """

    def __init__(self, costs: _Costs, seatings: Sequence[_Seating], rng: np.random.Generator) -> None:
        """`costs` remember no meeting of these rounds."""
        self.rng, self.seatings, self.people = rng, seatings, len(costs.couples)
        shape = seatings[0].seats.shape
        numbers, people = np.repeat(np.arange(shape[0]), shape[1]), self.people
        self.start = np.empty((len(seatings), numbers.size), dtype=np.int64)
        """Of each round (row) and seat holder (column), the group. The last columns are empty seats."""
        self.locked = np.zeros(self.start.shape, dtype=np.bool_)
        for number, seating in enumerate(seatings):
            order = np.argsort(seating.seats.reshape(-1), kind="stable")
            self.start[number] = numbers[order]
            self.locked[number, :people] = seating.stays[:people]
        self.per_meeting = costs.per_meeting
        short = numbers.size - people
        is_rare = 2 * short <= shape[0]
        self.exception = costs.scale.exception * (0 if short in {0, shape[0]} else 1 if is_rare else -1)
        """The cost of being beside an empty seat once more; negative where that is the rule and not the exception."""
        everyone = np.arange(people)
        self.base = costs.between(everyone[:, None], everyone[None, :]).astype(np.float64)
        self.best, self.least, self.is_perfect = self.start, IMPOSSIBLE, False

    def found(self) -> list[_Seating]:
        """The best of all seats that were tried; what they were at first, if nothing is better."""
        self._run(self.start.copy())
        for _ in range(MORE_TRIES):
            if not self.is_perfect:
                group = self.start.copy()
                for row, locked in zip(group, self.locked, strict=True):
                    free = np.flatnonzero(~locked[: self.people])
                    row[free] = row[self.rng.permutation(free)]
                self._run(group)
        shape = self.seatings[0].seats.shape
        holders = np.minimum(np.arange(self.start.shape[1]), self.people)
        return [
            seating._replace(seats=holders[np.argsort(row, kind="stable")].reshape(shape))
            for seating, row in zip(self.seatings, self.best, strict=True)
        ]

    @cached_property
    def _bound(self) -> float:
        """What the meetings cost at least: all couples meet equally often, as far as that goes in."""
        if self.people < 2 or (self.base < 0).any():
            return -IMPOSSIBLE
        sizes = np.array([np.bincount(row) for row in self.start[:, : self.people]])
        couples = self.people * (self.people - 1) // 2
        each, over = divmod(int((sizes * (sizes - 1)).sum()) // 2, couples)
        return float(self.per_meeting * (couples * each * (each - 1) // 2 + over * each))

    def _run(self, group: NDArray[np.int64]) -> None:
        """From these groups on until nothing better was seen for long."""
        tabu = np.zeros((*group.shape, group.shape[1]), dtype=np.int64)
        step = last = 0
        while step - last <= PATIENCE:
            total, gains = self._look(group)
            if total < self.least:
                self.best, self.least, last = group.copy(), total, step
            self.is_perfect = total <= self._bound
            # The best swap that is not forbidden for now, or that leads to less than ever.
            gains[(tabu > step) & (total + gains >= self.least)] = IMPOSSIBLE
            least = gains.min()
            if self.is_perfect or least >= IMPOSSIBLE / 2:
                return
            equal = np.flatnonzero(gains == least)
            chosen = int(equal[self.rng.integers(len(equal))])
            number, first, second = (int(at) for at in np.unravel_index(chosen, gains.shape))
            group[number, [first, second]] = group[number, [second, first]]
            tabu[number, first, second] = tabu[number, second, first] = step + int(self.rng.integers(*TENURE))
            step += 1

    def _look(self, group: NDArray[np.int64]) -> tuple[float, Exact]:
        """The cost of all rounds, and what every swap in every round would change."""
        people, diagonal = self.people, np.arange(group.shape[1])
        member = (group[:, :, None] == np.arange(int(group.max()) + 1)).astype(np.float64)
        together = member @ member.transpose(0, 2, 1)
        together[:, diagonal, diagonal] = 0
        elsewhere = together.sum(axis=0) - together
        costs = np.zeros_like(together)
        costs[:, :people, :people] = self.base + self.per_meeting * elsewhere[:, :people, :people]
        beside = together[:, :people, people:].sum(axis=2)
        rare = self.exception * (beside.sum(axis=0) - beside)
        costs[:, :people, people:] = rare[:, :, None]
        costs[:, people:, :people] = rare[:, None, :]
        costs[:, people:, people:] = IMPOSSIBLE
        costs[:, diagonal, diagonal] = 0
        across = (costs @ member) @ member.transpose(0, 2, 1)
        mine = across[:, diagonal, diagonal][:, :, None]
        gains = across + across.transpose(0, 2, 1) - mine - mine.transpose(0, 2, 1) - 2 * costs
        stays = self.locked[:, :, None] | self.locked[:, None, :]
        gains[(group[:, :, None] == group[:, None, :]) | stays] = IMPOSSIBLE
        times = together[:, :people, :people].sum(axis=0)
        total = float((times * self.base).sum() / 2 + self.per_meeting * (times * (times - 1) / 2).sum() / 2)
        total += self.exception * float((beside.sum(axis=0) * (beside.sum(axis=0) - 1)).sum()) / 2
        return total, gains
