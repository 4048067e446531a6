"""All rounds of trios, circles and rings: everyone in a group, few meet twice, and turns are shared."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from lti_tool.pairing.engine.circle_swaps import MeetingCosts, Scale, Seats, Swapping, rearrange_seats
from lti_tool.pairing.engine.couples import Couples, Meetings
from lti_tool.pairing.engine.course import Course, Kind
from lti_tool.pairing.engine.errors import ImpossibleRequest, ListedTwice, ShapeImpossible
from lti_tool.pairing.engine.locks import Members, locked_groups, most_members
from lti_tool.pairing.engine.pairs import couples_of
from lti_tool.pairing.engine.people import Bools
from lti_tool.pairing.engine.repair_groups import group_sizes, repair_groups
from lti_tool.pairing.engine.repair_round import Round
from lti_tool.pairing.engine.schedule import NAME, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns import take_turns

SIZES: Final[dict[Kind, Collection[int]]] = {Kind.TRIOS: (3,), Kind.CIRCLES: range(3, 7), Kind.RINGS: range(3, 7)}
FEW: Final = 60_000
"""Up to so many couples of seats, over all rounds, all rounds are looked at together: 100 people and 6 rounds."""


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
    twice = sorted(one for one, times in Counter(course.people).items() if times > 1)
    if twice:
        raise ListedTwice(tuple(twice))
    couples = Couples(course)
    rng = np.random.default_rng([abs(seed), int(seed < 0)])
    found = _Circles(couples, rounds, rng).planned()
    ids = couples.people.ids.tolist()
    groups = [[tuple(ids[one] for one in group) for group in row if len(group) > 1] for row in found]
    alone = [(number, group[0]) for number, row in enumerate(found, start=1) for group in row if len(group) == 1]
    unpaired = [Unpaired(ids[one], number, _reason(couples, one)) for number, one in sorted(alone)]
    formed = [(number, group) for number, row in enumerate(groups, start=1) for group in row]
    turned = take_turns(groups, formed, kind, course.ahead, seed)
    return Schedule(turned, tuple(unpaired), course, seed, NAME)


def _reason(couples: Couples, person: int) -> Reason:
    if len(couples) < 2:
        return Reason.NOBODY_ELSE
    return Reason.NONE_BETTER_FOUND if len(couples.partners(person)) else Reason.NOBODY_ALLOWED


class _Circles:
    def __init__(self, couples: Couples, rounds: int, rng: np.random.Generator) -> None:
        self.couples, self.rng = couples, rng
        self.scale = Scale.of(couples, most_members(couples.course), rounds)
        self.seatings = _seatings(couples, rounds)

    def planned(self) -> list[list[Members]]:
        if len(self.couples) < 2:
            return [[(one,) for one in range(len(self.couples))] for _ in self.seatings]
        seated = [self._seated(seating) for seating in self.seatings]
        is_small = sum(seats.size**2 for seats, _ in seated) <= FEW and not any(
            seating.whole for seating in self.seatings
        )
        meeting_costs = MeetingCosts(self.couples, self.scale)
        rows = []
        found = []
        for number, (seats, locked) in enumerate(seated):
            meeting_costs.expect(self._locked_after(number))
            rows.append(Swapping(meeting_costs, locked).improve(seats, self.rng, is_start=is_small))
            found.append(self._kept(meeting_costs, number, rows[-1]))
        if not is_small:
            return found
        rows = rearrange_seats(MeetingCosts(self.couples, self.scale), rows, [locked for _, locked in seated], self.rng)
        meeting_costs = MeetingCosts(self.couples, self.scale)
        others = [self._kept(meeting_costs, number, seats) for number, seats in enumerate(rows)]
        return min(found, others, key=self._flaws)

    def _flaws(self, found: list[list[Members]]) -> tuple[int, int, int, int]:
        """In the order of importance: who is unpaired, who of them was left out before, repeats, missing points."""
        meeting_costs = MeetingCosts(self.couples, self.scale)
        alone = [group[0] for groups in found for group in groups if len(group) == 1]
        couples = [couple for groups in found for group in groups for couple in combinations(sorted(group), 2)]
        one, other = np.array(couples, dtype=np.int64).reshape(-1, 2).T
        met = Counter(couples)
        again = int(meeting_costs.met.times(one, other).sum()) + sum(times * (times - 1) // 2 for times in met.values())
        points = int(self.couples.points(one, other).sum())
        return len(alone), int((meeting_costs.matters[alone] - 1).sum()), again, -points

    def _members(self, seats: Seats) -> list[Members]:
        return [tuple(one for one in row if one < len(self.couples)) for row in seats.tolist()]

    def _locked_after(self, number: int) -> list[tuple[int, int]]:
        later = [set(seating.locked.values()) for seating in self.seatings[number + 1 :]]
        return [couple for groups in later for group in groups for couple in combinations(group, 2)]

    def _kept(self, meeting_costs: MeetingCosts, number: int, seats: Seats) -> list[Members]:
        """The groups of a round as they will be; the meeting costs remember them. Groups of one have no place."""
        seating = self.seatings[number]
        later = self._locked_after(number)
        meeting_costs.expect(later)
        groups = [group for group in (*seating.whole, *self._members(seats)) if group]
        if not meeting_costs.may_meet(*couples_of(groups)).all():
            groups = self._by_the_rules(groups, seating, meeting_costs.met, later)
        width = max(map(len, groups))
        rows = [[*group, *([len(self.couples)] * (width - len(group)))] for group in groups]
        meeting_costs.remember(np.array(rows, dtype=np.int64))
        return groups

    def _by_the_rules(
        self, groups: list[Members], seating: "_Seating", met: Meetings, later: list[tuple[int, int]]
    ) -> list[Members]:
        """The same groups but for those that a rule forbids: they are repaired as if the rule had come later."""
        couples, everyone = self.couples, np.arange(len(self.couples), dtype=np.int64)
        before = Round(
            number=0,
            couples=couples,
            members=np.array([one for group in groups for one in group], dtype=np.int64),
            sizes=np.array([len(group) for group in groups], dtype=np.int64),
            seat=everyone,
            begun=everyone[:0],
            met=met.also(couples.keys(*couples_of(later))),
            met_earlier=met,
            locks=tuple(sorted(set(seating.locked.values()))),
            flagged=np.array([one in couples.course.left_out for one in couples.people.ids.tolist()], dtype=np.bool_),
            in_trios=np.zeros(len(couples), dtype=np.int64),
            seed=0,
        )
        after = repair_groups(before, couples.course.shape)
        kept = [group for group, stays in zip(groups, after.kept.tolist(), strict=True) if stays]
        return [*kept, *after.formed, *((person,) for person in after.alone)]

    def _seated(self, seating: "_Seating") -> tuple[Seats, Bools]:
        """Locked people at their tables, everyone else where there is room, by chance. And who stays."""
        everyone = self.rng.permutation(len(self.couples)).tolist()
        fixed = {one for group in (*seating.begun, *seating.whole) for one in group}
        rest = iter(one for one in everyone if one not in fixed)
        width, empty = max(seating.sizes, default=0), len(self.couples)
        rows = []
        for size, begun in zip(seating.sizes, seating.begun, strict=True):
            row = [*begun, *(next(rest) for _ in range(size - len(begun)))]
            rows.append(row + [empty] * (width - size))
        locked = np.zeros(empty + 1, dtype=np.bool_)
        locked[[one for group in seating.begun for one in group]] = True
        return np.array(rows, dtype=np.int64).reshape(len(rows), width), locked


# ---- seats of locked people ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seating:
    """The groups of one round before anyone is put there by chance, and who has a fixed seat."""

    sizes: tuple[int, ...]
    """Of the groups that chance fills; they differ by at most one."""
    begun: tuple[Members, ...]
    """For each of them, who is locked into it."""
    whole: tuple[Members, ...]
    """Groups of locked people that are beside these, because no group had room for them."""
    locked: dict[int, Members]
    """For everyone who is locked, with whom (themselves among them)."""


def _seatings(couples: Couples, rounds: int) -> list[_Seating]:
    """For every round, seats for the locked people."""
    course = couples.course
    return [
        _seating(course, len(couples), sorted(locked, key=lambda group: (-len(group), group)))
        for locked in locked_groups(couples, rounds)
    ]


def _seating(course: Course, people: int, locked: list[Members]) -> _Seating:
    whole: list[Members] = []
    while True:
        sizes = group_sizes(people - sum(map(len, whole)), course.shape)
        begun, homeless = _place(sizes, [group for group in locked if group not in whole])
        if not homeless:
            return _Seating(sizes, tuple(begun), tuple(whole), {one: group for group in locked for one in group})
        whole.append(homeless[0])


def _place(sizes: tuple[int, ...], locked: list[Members]) -> tuple[list[Members], list[Members]]:
    """Put each set where the least room stays free, the largest first."""
    begun: list[Members] = [()] * len(sizes)
    homeless: list[Members] = []
    for group in locked:
        room = {at: size - len(begun[at]) - len(group) for at, size in enumerate(sizes)}
        fits = [at for at, free in room.items() if free >= 0]
        if fits:
            # An empty group comes before one that is begun: two locks together are two wishes in one group.
            begun[min(fits, key=lambda at: (len(begun[at]) > 0, room[at], at))] += group
        else:
            homeless.append(group)
    return begun, homeless
