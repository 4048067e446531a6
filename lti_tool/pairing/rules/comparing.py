"""What changed between two schedules of a course, in groups, rules, repeats and points."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Breach, Couple, Course, Group, Kind, Schedule

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
        _figures(course, old, len(was_unpaired)),
        _figures(course, new, len(is_unpaired)),
        frozenset(person for compared in rounds for group in (*compared.gone, *compared.new) for person in group),
        tuple(sorted(set(is_broken) - set(was_broken))),
        tuple(sorted(set(was_broken) - set(is_broken))),
        tuple(sorted(is_unpaired - was_unpaired)),
        tuple(sorted(was_unpaired - is_unpaired)),
    )


def broken(course: Course, rounds: Rounds, *, from_round: int = 1) -> tuple[Broken, ...]:
    """Every couple in a group that a rule forbids, and every pin that is not kept, in order of round."""
    violations = engine.verify(course, _bare(rounds), from_round=from_round)
    names = [
        (violation, LOCK if violation.breach is Breach.LOCK else violation.rule)
        for violation in violations
        if violation.breach in {Breach.RULE, Breach.LOCK}
    ]
    return tuple(sorted(Broken(found.round, name, tuple(sorted(found.people))) for found, name in names))


def couple_of(person: int, partner: int) -> Couple:
    """The key of two people: the smaller id first."""
    return (person, partner) if person <= partner else (partner, person)


def couples_in(groups: Iterable[Group]) -> list[Couple]:
    """Every two people who are together in a group."""
    return [couple_of(*couple) for group in groups for couple in combinations(group, 2)]


def _bare(rounds: Rounds) -> Schedule:
    """The groups as a schedule in which no one is said to be unpaired or absent."""
    return Schedule(tuple(map(tuple, rounds)))


def _figures(course: Course, rounds: Rounds, unpaired: int) -> Figures:
    score = engine.score(course, _bare(rounds))
    uneven = _uneven(course, rounds)
    return Figures(sum(map(len, rounds)), unpaired, score.repeats, score.objective, score.violations, uneven)


def _uneven(course: Course, rounds: Rounds) -> int:
    """How many people of the course are two turns or more ahead or behind; counted in pairs and trios only."""
    if course.shape.kind not in {Kind.PAIRS, Kind.TRIOS}:
        return 0
    turns = engine.balance(rounds)
    return sum(abs(turns[person] + course.ahead.get(person, 0)) > 1 for person in course.people)


def _unpaired(course: Course, rounds: Rounds) -> set[tuple[int, int]]:
    people = set(course.people)
    return {(number, person) for number, groups in enumerate(rounds, start=1) for person in people.difference(*groups)}
