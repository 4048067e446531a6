"""What each rule costs: how many couples it takes away, and whom it leaves with few possible partners or none."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from lti_tool.pairing.engine.people import People, Places, Points
from lti_tool.pairing.engine.problem import Course, PersonId
from lti_tool.pairing.engine.rules import Exclusions, NotAgain

FEW_PEOPLE: Final = 2_000
"""Up to so many people every couple is looked at."""
SAMPLE: Final = 4_000_000
LEAST_SAMPLE: Final = 128
"""Beyond, everyone is compared with the same people drawn at random: so many couples in all, and so many people at
least."""
LOOKED_AT: Final = 50
"""Of those who seem to have the fewest partners then, so many are compared with everyone."""
NAMED: Final = 10
AT_ONCE: Final = 1 << 18
"""Couples that are looked at in one step; bounds memory."""


@dataclass(frozen=True, slots=True)
class Left:
    """How many possible partners someone has left."""

    person: PersonId
    partners: int


@dataclass(frozen=True, slots=True)
class RuleCost:
    """What a rule takes away, if there were no other; or all rules together."""

    rule: str
    """Its name; empty for all rules together."""
    removed: int
    """Of the couples that were looked at, those it forbids."""
    alone: int
    """Those that no other rule forbids: what would come back without it."""
    fewest: tuple[Left, ...]
    """The ten people with the fewest partners left, the fewest first."""
    without: int
    """How many people have none left."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What the rules of a course cost. For shares divide by `couples`."""

    couples: int
    """How many were looked at."""
    is_exact: bool
    """Whether that was all couples. If not, `without` counts at least, and `fewest` is right about those it names."""
    rules: tuple[RuleCost, ...]
    """In the order of the course's rules."""
    together: RuleCost


def costs(course: Course) -> Costs:
    """What each rule costs, and all together. "Never again" takes away who met before the first round.

    Every couple is looked at up to 2,000 people; beyond, couples drawn in the same way each time.
    """
    people, removed, alone, left, couples = _counted(course)
    is_exact = len(people) <= FEW_PEOPLE
    # Where everyone is compared with everyone, each couple is seen from both sides.
    sides = 2 if is_exact else 1
    counted = []
    for number, name in enumerate((*(rule.name for rule in course.rules), "")):
        order = np.argsort(left[number], kind="stable")[:NAMED]
        fewest = zip(people.ids[order].tolist(), left[number][order].tolist(), strict=True)
        without = int((left[number] == 0).sum())
        counted.append(
            RuleCost(
                name, removed[number] // sides, alone[number] // sides, tuple(Left(*few) for few in fewest), without
            )
        )
    return Costs(couples // sides, is_exact, tuple(counted[:-1]), counted[-1])


def partners_left(course: Course) -> Points:
    """For each person, in the order of ids, how many possible partners all rules together leave. Shape (n,).

    Of more than 2,000 people only those who seem to have the fewest are counted; the others have n, which is too many.
    """
    together: Points = _counted(course)[3][-1]
    return together


_Count: TypeAlias = tuple[People, list[int], list[int], Points, int]
"""By rule, the last for all together: couples it forbids, and those that no other rule does; and partners left to each
person, of shape (rules + 1, people). At last how many couples were looked at."""


def _counted(course: Course) -> _Count:
    people = People(tuple(sorted(set(course.people))), course.attributes)
    everyone = np.arange(len(people), dtype=np.int64)
    if len(people) <= FEW_PEOPLE:
        return _count(course, people, everyone, everyone)
    size = min(len(people), max(LEAST_SAMPLE, SAMPLE // len(people)))
    drawn = np.sort(np.random.default_rng(len(people)).choice(len(people), size=size, replace=False))
    _, removed, alone, sampled, couples = _count(course, people, everyone, drawn.astype(np.int64))
    # Of everyone else there are more partners than there can be, so that they are never named.
    few = np.unique([np.argsort(by_rule, kind="stable")[:LOOKED_AT] for by_rule in sampled])
    left = np.full(sampled.shape, len(people), dtype=np.int64)
    left[:, few] = _count(course, people, few, everyone)[3]
    return people, removed, alone, left, couples


def _count(course: Course, people: People, rows: Places, columns: Places) -> _Count:
    """All couples of someone in the rows and someone in the columns."""
    rules = [Exclusions(couples=course.met) if isinstance(rule, NotAgain) else rule for rule in course.rules]
    removed, alone = np.zeros((2, len(rules) + 1), dtype=np.int64)
    left, couples = np.zeros((len(rules) + 1, len(rows)), dtype=np.int64), 0
    for some in np.array_split(np.arange(len(rows)), -(-len(rows) * len(columns) // AT_ONCE) or 1):
        first, second = rows[some][:, None], columns[None, :]
        real = first != second
        refused = np.zeros((len(rules) + 1, *real.shape), dtype=np.bool_)
        for number, rule in enumerate(rules):
            refused[number] = ~rule.allows(people, first, second) & real
        times = refused.sum(axis=0, dtype=np.int16)
        refused[-1] = times > 0
        removed += refused.sum(axis=(1, 2))
        alone += (refused & (times == 1)).sum(axis=(1, 2))
        couples += int(real.sum())
        left[:, some] = (real & ~refused).sum(axis=2)
    return people, removed.tolist(), alone.tolist(), left, couples
