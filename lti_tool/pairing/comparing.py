"""Two schedules of one course beside each other: what changed, and what it did to rules, repeats and points."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Group, Kind, Schedule
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.rules import NotAgain

LOCK = "lock"
"""Stands for a pin among the names of broken rules."""


@dataclass(frozen=True, slots=True, order=True)
class Broken:
    """A group that a rule forbids, or people who are pinned together and are not."""

    round: int
    rule: str
    """The engine's name of the rule, or `LOCK`."""
    people: tuple[int, ...]
    """The two members whom the rule concerns, or everybody of the pin."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One round in numbers. Points are those of people, as `engine.score` counts them."""

    groups: int = 0
    unpaired: int = 0
    repeats: int = 0
    """Couples who met in an earlier round, or elsewhere where that counts."""
    points: int = 0
    broken: int = 0
    uneven: int = 0
    """Of all rounds together: people who are first two times or more oftener than last, or the other way round."""

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.groups + other.groups,
            self.unpaired + other.unpaired,
            self.repeats + other.repeats,
            self.points + other.points,
            self.broken + other.broken,
            self.uneven + other.uneven,
        )


@dataclass(frozen=True, slots=True)
class RoundComparison:
    """One round of two schedules."""

    number: int
    kept: int
    """Groups of the same members in both."""
    gone: tuple[Group, ...]
    """Groups that only the first has."""
    new: tuple[Group, ...]
    """Groups that only the second has."""
    before: Figures
    after: Figures


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two schedules, round by round, judged by the rules and wishes of today."""

    rounds: tuple[RoundComparison, ...]
    moved: frozenset[int]
    """Everybody who has other partners in some round."""
    newly_broken: tuple[Broken, ...]
    """What the second breaks and the first did not."""
    no_longer_broken: tuple[Broken, ...]
    newly_unpaired: tuple[tuple[int, int], ...]
    """Round and person."""
    newly_paired: tuple[tuple[int, int], ...]
    uneven: tuple[int, int] = (0, 0)
    """Of both, how many people's turns are not even."""

    @property
    def before(self) -> Figures:
        return sum((one.before for one in self.rounds), Figures(uneven=self.uneven[0]))

    @property
    def after(self) -> Figures:
        return sum((one.after for one in self.rounds), Figures(uneven=self.uneven[1]))

    @property
    def touched(self) -> tuple[RoundComparison, ...]:
        """The rounds in which anything differs."""
        return tuple(one for one in self.rounds if one.gone or one.new)


def compare(course: Course, before: Schedule, after: Schedule) -> Comparison:
    """What changes from one schedule to the other. People who are not in the course are counted nowhere."""
    rounds = max(len(before.rounds), len(after.rounds))
    old, new = (tuple(one.rounds) + ((),) * (rounds - len(one.rounds)) for one in (before, after))
    was, is_now = broken(course, old), broken(course, new)
    figures = [_figures(course, groups, found) for groups, found in ((old, was), (new, is_now))]
    out = [_unpaired(course, groups) for groups in (old, new)]
    moved: set[int] = set()
    compared = []
    for at in range(rounds):
        kept = {frozenset(group) for group in old[at]} & {frozenset(group) for group in new[at]}
        gone = tuple(group for group in old[at] if frozenset(group) not in kept)
        come = tuple(group for group in new[at] if frozenset(group) not in kept)
        moved.update(person for group in (*gone, *come) for person in group)
        compared.append(RoundComparison(at + 1, len(kept), gone, come, figures[0][at], figures[1][at]))
    return Comparison(
        tuple(compared),
        frozenset(moved),
        tuple(sorted(set(is_now) - set(was))),
        tuple(sorted(set(was) - set(is_now))),
        tuple(sorted(out[1] - out[0])),
        tuple(sorted(out[0] - out[1])),
        (_uneven(course, old), _uneven(course, new)),
    )


def is_better(course: Course, one: Schedule, other: Schedule) -> bool:
    """Whether the first of two plans is better in the order of importance, by the rules and wishes of today."""
    found = compare(course, other, one)
    # Who is without a partner in both makes no difference.
    ranks = [
        (
            figures.broken,
            figures.unpaired,
            sum(number == 1 and person in course.left_out for number, person in alone),
            figures.repeats,
            -figures.points,
            figures.uneven,
        )
        for figures, alone in ((found.after, found.newly_unpaired), (found.before, found.newly_paired))
    ]
    return ranks[0] < ranks[1]


def broken(course: Course, rounds: Iterable[Iterable[Group]], *, from_round: int = 1) -> tuple[Broken, ...]:
    """Every couple that sits together against a rule, and every pin that is not kept, in order of round."""
    couples = Couples(course)
    met = {frozenset(couple) for couple in course.met}
    hard = [rule for rule in course.rules if isinstance(rule, NotAgain)]
    known = set(course.people)
    found: list[Broken] = []
    for number, of_round in enumerate(rounds, start=1):
        groups = list(of_round)
        together = [couple for group in groups for couple in combinations(group, 2)]
        if number >= from_round:
            here = [couple for couple in together if known.issuperset(couple)]
            places = couples.people.places(np.array(here, dtype=np.int64).reshape(-1, 2))
            for rule in course.rules:
                allowed = rule.allows(couples.people, places[:, 0], places[:, 1])
                found += [Broken(number, rule.name, _pair(here[at])) for at in np.flatnonzero(~allowed).tolist()]
            found += [Broken(number, rule.name, _pair(one)) for rule in hard for one in here if frozenset(one) in met]
            found += [Broken(number, LOCK, lock) for lock in _missed(course, number, groups)]
        met.update(frozenset(couple) for couple in together)
    return tuple(sorted(found))


def _missed(course: Course, number: int, groups: Iterable[Group]) -> list[tuple[int, ...]]:
    group_of = {person: group for group in groups for person in group}
    return [
        tuple(sorted(lock.members))
        for lock in course.locks
        if lock.round in {None, number} and not set(lock.members) <= set(group_of.get(lock.members[0], ()))
    ]


def _figures(course: Course, rounds: tuple[tuple[Group, ...], ...], found: tuple[Broken, ...]) -> list[Figures]:
    couples = Couples(course)
    known = set(course.people)
    met = {frozenset(couple) for couple in course.met}
    out = Counter(number for number, _ in _unpaired(course, rounds))
    breaches = Counter(one.round for one in found)
    figures = []
    for number, groups in enumerate(rounds, start=1):
        together = [couple for group in groups for couple in combinations(group, 2)]
        points = 0
        for size in sorted({len(group) for group in groups if len(group) > 1}):
            of_size = (couple for group in groups if len(group) == size for couple in combinations(group, 2))
            here = [couple for couple in of_size if known.issuperset(couple)]
            places = couples.people.places(np.array(here, dtype=np.int64).reshape(-1, 2))
            points += 2 * int(couples.points(places[:, 0], places[:, 1]).sum()) // (size - 1)
        repeated = sum(frozenset(couple) in met for couple in together)
        figures.append(Figures(len(groups), out[number], repeated, points, breaches[number]))
        met.update(frozenset(couple) for couple in together)
    return figures


def _uneven(course: Course, rounds: Iterable[Iterable[Group]]) -> int:
    """Of those who are in the course and in pairs or trios, how many are two turns or more ahead or behind."""
    if course.shape.kind not in {Kind.PAIRS, Kind.TRIOS}:
        return 0
    turns = engine.balance(rounds)
    return sum(abs(turns[one] + course.ahead.get(one, 0)) > 1 for one in course.people)


def _unpaired(course: Course, rounds: tuple[tuple[Group, ...], ...]) -> set[tuple[int, int]]:
    everybody = set(course.people)
    return {
        (number, person) for number, groups in enumerate(rounds, start=1) for person in everybody.difference(*groups)
    }


def _pair(couple: engine.Couple) -> tuple[int, int]:
    return min(couple), max(couple)
