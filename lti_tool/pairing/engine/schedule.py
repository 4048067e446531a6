"""The plain data that goes in and out of the engine, and what can be read from it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import TypeAlias

PersonId: TypeAlias = int
Group: TypeAlias = tuple[PersonId, ...]
"""Two people, or three, in order of turn: the first is observed first."""
Placed: TypeAlias = tuple[int, Group]
"""A group and the number of its round, which starts at 1."""


class Reason(StrEnum):
    """Why somebody has no partner in a round."""

    NOBODY_ELSE = "nobody_else"
    """There is no second person."""
    OTHERS_HAVE_BEGUN = "others_have_begun"
    """Every group that could have taken them has begun its work."""


class Breach(StrEnum):
    """What can be wrong with a schedule."""

    MISSING = "missing"
    TWICE = "twice"
    UNKNOWN = "unknown"
    SIZE = "size"
    TRIOS = "trios"
    NEEDLESSLY_UNPAIRED = "needlessly_unpaired"


@dataclass(frozen=True, slots=True)
class Course:
    """Who is to be grouped, and which two people have worked together before."""

    people: tuple[PersonId, ...]
    met: frozenset[frozenset[PersonId]] = frozenset()


@dataclass(frozen=True, slots=True)
class Unpaired:
    """Somebody without a partner in a round, and why."""

    person: PersonId
    round: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Schedule:
    """The groups of every round, and who is in none."""

    rounds: tuple[tuple[Group, ...], ...]
    unpaired: tuple[Unpaired, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong, in which round, and whom it concerns."""

    breach: Breach
    round: int
    people: Group


def meetings(rounds: Iterable[Iterable[Group]]) -> Counter[frozenset[PersonId]]:
    """How often every two people meet. A group of three is three meetings."""
    return Counter(frozenset(couple) for groups in rounds for group in groups for couple in combinations(group, 2))


def repeats(course: Course, schedule: Schedule) -> int:
    """How many meetings are of two people who met before, in the schedule or ahead of it."""
    counted = meetings(schedule.rounds)
    return sum(times if couple in course.met else times - 1 for couple, times in counted.items())


def balance(rounds: Iterable[Iterable[Group]]) -> Counter[PersonId]:
    """For every person, how often they were observed first less how often last. The middle of a trio is neither."""
    counted: Counter[PersonId] = Counter()
    for groups in rounds:
        for group in groups:
            counted[group[0]] += 1
            counted[group[-1]] -= 1
    return counted


def moved(before: Schedule, after: Schedule) -> frozenset[PersonId]:
    """Everybody who has other partners in some round than before; people who left or joined are among them."""
    changed: set[PersonId] = set()
    for old, new in zip(before.rounds, after.rounds, strict=True):
        kept = {frozenset(group) for group in old} & {frozenset(group) for group in new}
        changed.update(person for group in (*old, *new) if frozenset(group) not in kept for person in group)
    return frozenset(changed)
