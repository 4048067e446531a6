"""What changed between two schedules of a course, in groups, rules, repeats and points."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Couple, Course, Group, Kind, Lock, Schedule
from lti_tool.pairing.rules.views import couple_of

LOCK: Final = "lock"
"""The name of a broken pin among the names of broken rules."""

Rounds: TypeAlias = Sequence[Sequence[Group]]


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """A group that a rule forbids, or pinned people who are not together."""

    round: int
    rule: str
    """The engine's name of the rule, or `LOCK`."""
    people: tuple[int, ...]
    """The two members whom the rule concerns, or everyone of the pin."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A schedule in numbers. Points are counted for people."""

    groups: int = 0
    unpaired: int = 0
    repeats: int = 0
    """Couples who met in an earlier round, or in other activities if these count."""
    points: int = 0
    broken: int = 0
    uneven: int = 0
    """People who are first at least twice more or less often than last."""


@dataclass(frozen=True, slots=True)
class RoundComparison:
    """A round of two schedules."""

    number: int
    kept: int
    """The number of groups with the same members in both."""
    gone: tuple[Group, ...]
    """Groups that only the first has."""
    new: tuple[Group, ...]
    """Groups that only the second has."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two schedules, round by round, by the rules and wishes of today."""

    rounds: tuple[RoundComparison, ...] = ()
    before: Figures = Figures()
    after: Figures = Figures()
    moved: frozenset[int] = frozenset()
    """Everyone who has other partners in some round."""
    newly_broken: tuple[Broken, ...] = ()
    """What the second breaks and the first does not."""
    no_longer_broken: tuple[Broken, ...] = ()
    newly_unpaired: tuple[tuple[int, int], ...] = ()
    """Round and person."""
    newly_paired: tuple[tuple[int, int], ...] = ()

    @property
    def people(self) -> set[int]:
        """Everyone who is named in what changes."""
        broken = (*self.newly_broken, *self.no_longer_broken)
        paired = (*self.newly_unpaired, *self.newly_paired)
        return {
            *self.moved,
            *(person for breach in broken for person in breach.people),
            *(person for _, person in paired),
        }

    @property
    def touched(self) -> tuple[RoundComparison, ...]:
        """The rounds in which anything differs."""
        return tuple(compared for compared in self.rounds if compared.gone or compared.new)


def compare(course: Course, before: Schedule, after: Schedule) -> Comparison:
    """What changes from one schedule to the other. People who are not in the course are not counted."""
    count = max(len(before.rounds), len(after.rounds))
    old, new = (tuple(schedule.rounds) + ((),) * (count - len(schedule.rounds)) for schedule in (before, after))
    was_broken, is_broken = broken(course, old), broken(course, new)
    was_unpaired, is_unpaired = _unpaired(course, old), _unpaired(course, new)
    rounds = []
    for number, (earlier, later) in enumerate(zip(old, new, strict=True), start=1):
        kept = {frozenset(group) for group in earlier} & {frozenset(group) for group in later}
        gone, come = (tuple(group for group in some if frozenset(group) not in kept) for some in (earlier, later))
        rounds.append(RoundComparison(number, len(kept), gone, come))
    return Comparison(
        tuple(rounds),
        _figures(course, old, len(was_unpaired), len(was_broken)),
        _figures(course, new, len(is_unpaired), len(is_broken)),
        frozenset(person for compared in rounds for group in (*compared.gone, *compared.new) for person in group),
        tuple(sorted(set(is_broken) - set(was_broken))),
        tuple(sorted(set(was_broken) - set(is_broken))),
        tuple(sorted(is_unpaired - was_unpaired)),
        tuple(sorted(was_unpaired - is_unpaired)),
    )


def is_better(course: Course, schedule: Schedule, than: Schedule) -> bool:
    """Whether the first of two schedules is better in the order of importance, by the rules and wishes of today."""
    compared = compare(course, than, schedule)

    def rank(figures: Figures, unpaired: Iterable[tuple[int, int]]) -> tuple[int, ...]:
        left_out_again = sum(number == 1 and person in course.left_out for number, person in unpaired)
        worst_first = (figures.broken, figures.unpaired, left_out_again, figures.repeats)
        return (*worst_first, -figures.points, figures.uneven)

    # Someone who is unpaired in both makes no difference.
    return rank(compared.after, compared.newly_unpaired) < rank(compared.before, compared.newly_paired)


def broken(course: Course, rounds: Iterable[Iterable[Group]], *, from_round: int = 1) -> tuple[Broken, ...]:
    """Every couple in a group that a rule forbids, and every pin that is not kept, in order of round."""
    people = _people(course)
    met = {couple_of(*couple) for couple in course.met}
    never_again = [rule.name for rule in course.rules if isinstance(rule, engine.NotAgain)]
    listed: list[Broken] = []
    for number, groups in enumerate(rounds, start=1):
        of_round = list(groups)
        together = couples_in(of_round)
        if number >= from_round:
            couples, places = _known(people, together)
            for rule in course.rules:
                forbidden = np.flatnonzero(~rule.allows(people, places[:, 0], places[:, 1])).tolist()
                listed += [Broken(number, rule.name, couples[at]) for at in forbidden]
            listed += [Broken(number, name, couple) for name in never_again for couple in couples if couple in met]
            listed += [
                Broken(number, LOCK, tuple(sorted(lock.members)))
                for lock in locks_in(course, number)
                if not is_kept(lock, of_round)
            ]
        met.update(together)
    return tuple(sorted(listed))


def locks_in(course: Course, round_number: int) -> list[Lock]:
    """The locks of a round, as locks for this round alone."""
    return [replace(lock, round=round_number) for lock in course.locks if lock.round in {None, round_number}]


def is_kept(lock: Lock, groups: Iterable[Group]) -> bool:
    """Whether the members of a lock are together in one of the groups of its round."""
    group = next((group for group in groups if lock.members[0] in group), ())
    return set(lock.members) <= set(group)


def couples_in(groups: Iterable[Group]) -> list[Couple]:
    """Every two people who are together in a group."""
    return [couple_of(*couple) for group in groups for couple in combinations(group, 2)]


def _people(course: Course) -> engine.People:
    return engine.People(course.people, course.attributes)


def _known(people: engine.People, couples: Iterable[Couple]) -> tuple[list[Couple], NDArray[np.int64]]:
    """The couples with both people in the course, and their places, of shape (couples, 2)."""
    listed = set(people.listed)
    known = [couple for couple in couples if listed.issuperset(couple)]
    return known, people.places(np.array(known, dtype=np.int64).reshape(-1, 2))


def _figures(course: Course, rounds: tuple[tuple[Group, ...], ...], unpaired: int, broken: int) -> Figures:
    people = _people(course)
    repeats = engine.repeats(course, Schedule(rounds))
    points = sum(_points(course, people, groups) for groups in rounds)
    return Figures(sum(map(len, rounds)), unpaired, repeats, points, broken, _uneven(course, rounds))


def _points(course: Course, people: engine.People, groups: Iterable[Group]) -> int:
    """Points of people: 2 / (size - 1) for each couple in a group of `size`, rounded down once for each size."""
    by_size: dict[int, list[Group]] = {}
    for group in groups:
        by_size.setdefault(len(group), []).append(group)
    points = 0
    for size, some in by_size.items():
        if size > 1:
            _, places = _known(people, couples_in(some))
            total = sum(int(wish.points(people, places[:, 0], places[:, 1]).sum()) for wish in course.wishes)
            points += 2 * total // (size - 1)
    return points


def _uneven(course: Course, rounds: Rounds) -> int:
    """How many people of the course are two turns or more ahead or behind; counted in pairs and trios only."""
    if course.shape.kind not in {Kind.PAIRS, Kind.TRIOS}:
        return 0
    turns = engine.balance(rounds)
    return sum(abs(turns[person] + course.ahead.get(person, 0)) > 1 for person in course.people)


def _unpaired(course: Course, rounds: Rounds) -> set[tuple[int, int]]:
    people = set(course.people)
    return {(number, person) for number, groups in enumerate(rounds, start=1) for person in people.difference(*groups)}
