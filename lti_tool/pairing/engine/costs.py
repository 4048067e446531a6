"""What each rule costs: how many couples it takes away, and whom it leaves with few possible partners or none."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, People, Places, Points
from lti_tool.pairing.engine.problem import Course, PersonId
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, RuleByCouple

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
    count = _counted(course)
    # Where everyone is compared with everyone, each couple is seen from both sides.
    sides = 2 if count.is_exact else 1
    names = (*(rule.name for rule in course.rules), "")
    *by_rule, together = (
        RuleCost(name, removed // sides, alone // sides, _fewest(count.ids, left), int((left == 0).sum()))
        for name, removed, alone, left in zip(
            names, count.removed.tolist(), count.alone.tolist(), count.left, strict=True
        )
    )
    return Costs(count.couples // sides, count.is_exact, tuple(by_rule), together)


def partners_left(course: Course) -> Points:
    """For each person, in the order of ids, how many possible partners all rules together leave. Shape (n,).

    Of more than 2,000 people only those who seem to have the fewest are counted; the others have n, which is too many.
    """
    together: Points = _counted(course).left[-1]
    return together


@dataclass(slots=True)
class _Count:
    """By rule, the last line for all together."""

    ids: NDArray[np.int64]
    is_exact: bool
    couples: int
    removed: NDArray[np.int64]
    alone: NDArray[np.int64]
    left: NDArray[np.int64]
    """Of shape (rules + 1, people asked about)."""


def _counted(course: Course) -> _Count:
    people = People(tuple(sorted(set(course.people))), course.attributes)
    everyone = np.arange(len(people), dtype=np.int64)
    if len(people) <= FEW_PEOPLE:
        return _count(course, people, everyone, everyone)
    size = min(len(people), max(LEAST_SAMPLE, SAMPLE // len(people)))
    drawn = np.sort(np.random.default_rng(len(people)).choice(len(people), size=size, replace=False))
    count = _count(course, people, everyone, drawn.astype(np.int64))
    # Of everyone else there are more partners than there can be, so that they are never named.
    few = np.unique([np.argsort(by_rule, kind="stable")[:LOOKED_AT] for by_rule in count.left])
    count.left = np.full(count.left.shape, len(people), dtype=np.int64)
    count.left[:, few] = _count(course, people, few, everyone).left
    return count


def _count(course: Course, people: People, rows: Places, columns: Places) -> _Count:
    """All couples of someone in the rows and someone in the columns. Both are sorted."""
    rules = [Exclusions(couples=course.met) if isinstance(rule, NotAgain) else rule for rule in course.rules]
    removed, alone = np.zeros((2, len(rules) + 1), dtype=np.int64)
    left = np.zeros((len(rules) + 1, len(rows)), dtype=np.int64)
    couples = 0
    step = max(1, AT_ONCE // max(1, len(columns)))
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        real = some[:, None] != columns
        refused = np.zeros((len(rules) + 1, *real.shape), dtype=np.bool_)
        for number, rule in enumerate(rules):
            if isinstance(rule, RuleByCouple):
                refused[number] = _marked(rule.forbidden(people), len(people), some, columns)
            else:
                refused[number] = ~rule.allows(people, some[:, None], columns) & real
        times = refused.sum(axis=0, dtype=np.int16)
        refused[-1] = times > 0
        removed += refused.sum(axis=(1, 2))
        alone += (refused & (times == 1)).sum(axis=(1, 2))
        couples += int(real.sum())
        left[:, start : start + step] = (real & ~refused).sum(axis=2)
    return _Count(people.ids, len(columns) == len(people) == len(rows), couples, removed, alone, left)


def _marked(couples: NDArray[np.int64], people: int, rows: Places, columns: Places) -> Bools:
    """Where the listed couples stand in a table of rows and columns; quicker than looking every couple up."""
    row, column = np.full((2, people), -1, dtype=np.int64)
    row[rows], column[columns] = np.arange(len(rows)), np.arange(len(columns))
    marked = np.zeros((len(rows), len(columns)), dtype=np.bool_)
    for first, second in (couples.T, couples.T[::-1]):
        here = (row[first] >= 0) & (column[second] >= 0)
        marked[row[first[here]], column[second[here]]] = True
    return marked


def _fewest(ids: NDArray[np.int64], left: NDArray[np.int64]) -> tuple[Left, ...]:
    order = np.argsort(left, kind="stable")[:NAMED]
    return tuple(Left(int(ids[place]), int(left[place])) for place in order.tolist())
