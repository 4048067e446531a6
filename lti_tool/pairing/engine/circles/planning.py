"""All rounds of trios, circles and rings: everybody in a group, few meet twice, and turns are shared."""

from collections import Counter
from collections.abc import Collection
from itertools import combinations
from random import Random
from typing import Final

import numpy as np

from lti_tool.pairing.engine.circles.company import Company, Scale
from lti_tool.pairing.engine.circles.leftovers import keep_the_rules
from lti_tool.pairing.engine.circles.rearranging import rearrange_seats
from lti_tool.pairing.engine.circles.seats import Members, Tables, most_members, set_tables
from lti_tool.pairing.engine.circles.swapping import Seats, Swapping
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Course, Kind
from lti_tool.pairing.engine.errors import ImpossibleRequest, ListedTwice, ShapeImpossible
from lti_tool.pairing.engine.people import Bools
from lti_tool.pairing.engine.schedule import Group, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns.cases import give_cases, give_places_in_rings, give_turns_in_trios

NAME: Final = "tandem/2"
"""As in `planning`, which imports this module."""
SIZES: Final[dict[Kind, Collection[int]]] = {Kind.TRIOS: (3,), Kind.CIRCLES: range(3, 7), Kind.RINGS: range(3, 7)}
FEW: Final = 60_000
"""Up to so many couples of seats, over all rounds, all rounds are looked at together: 100 people and 6 rounds."""


def plan_circles(course: Course, rounds: int, seed: int) -> Schedule:
    """Groups for every round of a course in trios, circles or rings. The same course and seed give the same schedule.

    Sizes are those of `sizes.group_sizes`. Rules and locks hold between all members of a group. Somebody is unpaired
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
    return Schedule(_in_turn(course, groups, seed), tuple(unpaired), course, seed, NAME)


def _reason(couples: Couples, person: int) -> Reason:
    if len(couples) < 2:
        return Reason.NOBODY_ELSE
    return Reason.NONE_BETTER_FOUND if len(couples.partners(person)) else Reason.NOBODY_ALLOWED


def _in_turn(course: Course, groups: list[list[Group]], seed: int) -> tuple[tuple[Group, ...], ...]:
    rng = Random(seed)  # noqa: S311 - chance that must be repeatable, and guards nothing
    if course.shape.kind is Kind.RINGS:
        return give_places_in_rings(groups, rng)
    if course.shape.kind is Kind.TRIOS:
        return give_turns_in_trios(groups, rng, course.ahead)
    return give_cases(groups, rng, course.ahead)


class _Circles:
    def __init__(self, couples: Couples, rounds: int, rng: np.random.Generator) -> None:
        self.couples, self.rng = couples, rng
        self.most = most_members(couples.course)
        self.scale = Scale.of(couples, self.most, rounds)
        self.tables = set_tables(couples, rounds)

    def planned(self) -> list[list[Members]]:
        if len(self.couples) < 2:
            return [[(one,) for one in range(len(self.couples))] for _ in self.tables]
        seated = [self._seated(table) for table in self.tables]
        is_small = sum(seats.size**2 for seats, _ in seated) <= FEW and not any(table.whole for table in self.tables)
        company = Company(self.couples, self.scale)
        rows = []
        found = []
        for number, (seats, locked) in enumerate(seated):
            company.expect(self._locked_after(number))
            rows.append(Swapping(company, locked).improve(seats, self.rng, is_start=is_small))
            found.append(self._kept(company, number, rows[-1]))
        if not is_small:
            return found
        rows = rearrange_seats(Company(self.couples, self.scale), rows, [locked for _, locked in seated], self.rng)
        company = Company(self.couples, self.scale)
        others = [self._kept(company, number, seats) for number, seats in enumerate(rows)]
        return min(found, others, key=self._flaws)

    def _flaws(self, found: list[list[Members]]) -> tuple[int, int, int, int]:
        """In the order of importance: who is unpaired, who of them was left out before, repeats, missing points."""
        company = Company(self.couples, self.scale)
        alone = [group[0] for groups in found for group in groups if len(group) == 1]
        couples = [couple for groups in found for group in groups for couple in combinations(sorted(group), 2)]
        one, other = np.array(couples, dtype=np.int64).reshape(-1, 2).T
        met = Counter(couples)
        again = int(company.met.times(one, other).sum()) + sum(times * (times - 1) // 2 for times in met.values())
        points = int(self.couples.points(one, other).sum())
        return len(alone), int((company.matters[alone] - 1).sum()), again, -points

    def _members(self, seats: Seats) -> list[Members]:
        return [tuple(one for one in row if one < len(self.couples)) for row in seats.tolist()]

    def _locked_after(self, number: int) -> list[tuple[int, int]]:
        later = [set(table.locked.values()) for table in self.tables[number + 1 :]]
        return [couple for groups in later for group in groups for couple in combinations(group, 2)]

    def _kept(self, company: Company, number: int, seats: Seats) -> list[Members]:
        """The groups of a round as they will be; the company remembers them."""
        table = self.tables[number]
        company.expect(self._locked_after(number))
        groups = keep_the_rules([*table.whole, *self._members(seats)], company, self.most, table.locked)
        width = max(map(len, groups))
        rows = [[*group, *([len(self.couples)] * (width - len(group)))] for group in groups]
        company.remember(np.array(rows, dtype=np.int64))
        return groups

    def _seated(self, table: Tables) -> tuple[Seats, Bools]:
        """Locked people at their tables, everybody else where there is room, by chance. And who stays."""
        everybody = self.rng.permutation(len(self.couples)).tolist()
        fixed = {one for group in (*table.begun, *table.whole) for one in group}
        rest = iter(one for one in everybody if one not in fixed)
        width, empty = max(table.sizes, default=0), len(self.couples)
        rows = []
        for size, begun in zip(table.sizes, table.begun, strict=True):
            row = [*begun, *(next(rest) for _ in range(size - len(begun)))]
            rows.append(row + [empty] * (width - size))
        locked = np.zeros(empty + 1, dtype=np.bool_)
        locked[[one for group in table.begun for one in group]] = True
        return np.array(rows, dtype=np.int64).reshape(len(rows), width), locked
