"""All rounds of trios, circles and rings: everybody in a group, few meet twice, and turns are shared."""

from collections import Counter
from random import Random
from typing import Final

import numpy as np

from lti_tool.pairing.engine.cases import give_cases, give_places_in_rings, give_turns_in_trios
from lti_tool.pairing.engine.company import Company, Scale
from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.course import Course, Kind, PersonId
from lti_tool.pairing.engine.errors import ImpossibleRequest, ListedTwice
from lti_tool.pairing.engine.leftovers import keep_the_rules
from lti_tool.pairing.engine.schedule import Group, Reason, Schedule, Unpaired, meetings
from lti_tool.pairing.engine.seats import Members, Tables, most_members, set_tables
from lti_tool.pairing.engine.swapping import Seats, Swapping

NAME: Final = "tandem/2"
"""As in `planning`, which imports this module."""


def plan_circles(course: Course, rounds: int, seed: int) -> Schedule:
    """Groups for every round of a course in trios, circles or rings. The same course and seed give the same schedule.

    Sizes are those of `sizes.group_sizes`. Rules and locks hold between all members of a group. Somebody is unpaired
    only if no group was found that takes them: NOBODY_ALLOWED if the rules leave them no partner at all, else
    NONE_BETTER_FOUND, which is not a proof; to avoid that, groups of any size from two to one more than asked for are
    made. Then as few couples as were found meet again, and wishes count, summed over the couples of a group.

    Trios: the first is coach, the last coachee, who is between them observes. Circles: the first brings the case.
    Rings: each observes the next, the last the first. All three are shared as evenly as the groups allow.
    Raises ImpossibleRequest: no rounds, people listed twice, or locks that contradict each other or a rule.
    """
    if rounds < 1:
        raise ImpossibleRequest(rounds)
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
        self.couples, self.rounds, self.rng = couples, rounds, rng
        self.most = most_members(couples.course)
        self.company = Company(couples, Scale.of(couples, self.most, rounds))
        self.met: Counter[frozenset[PersonId]] = Counter(frozenset(couple) for couple in couples.course.met)

    def planned(self) -> list[list[Members]]:
        if len(self.couples) < 2:
            return [[(one,) for one in range(len(self.couples))] for _ in range(self.rounds)]
        return [self._next(number) for number in range(1, self.rounds + 1)]

    def _next(self, number: int) -> list[Members]:
        tables = set_tables(self.couples, number, self.met)
        seats, locked = self._seated(tables)
        seats = Swapping(self.company, locked).improve(seats, self.rng)
        groups = [tuple(one for one in row if one < len(self.couples)) for row in seats.tolist()]
        groups = [*tables.whole, *groups]
        groups = keep_the_rules(groups, self.company, self.most, tables.locked)
        self._remember(groups)
        return groups

    def _seated(self, tables: Tables) -> tuple[Seats, np.ndarray]:
        """Locked people at their tables, everybody else where there is room, by chance."""
        everybody = self.rng.permutation(len(self.couples)).tolist()
        fixed = {one for group in (*tables.begun, *tables.whole) for one in group}
        rest = iter(one for one in everybody if one not in fixed)
        width, empty = max(tables.sizes, default=0), len(self.couples)
        rows = []
        for size, begun in zip(tables.sizes, tables.begun, strict=True):
            row = [*begun, *(next(rest) for _ in range(size - len(begun)))]
            rows.append(row + [empty] * (width - size))
        locked = np.zeros(empty + 1, dtype=np.bool_)
        locked[[one for group in tables.begun for one in group]] = True
        return np.array(rows, dtype=np.int64).reshape(len(rows), width), locked

    def _remember(self, groups: list[Members]) -> None:
        width = max(map(len, groups))
        rows = [[*group, *([len(self.couples)] * (width - len(group)))] for group in groups]
        self.company.remember(np.array(rows, dtype=np.int64))
        ids = self.couples.people.ids.tolist()
        if self.couples.course.locks:
            self.met.update(meetings([[tuple(ids[one] for one in group) for group in groups]]))
