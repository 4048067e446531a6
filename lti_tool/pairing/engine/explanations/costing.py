"""What each rule costs: how many couples it takes away, and whom it leaves with few partners or none."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.acquaintance import meetings_of
from lti_tool.pairing.engine.course import Course, PersonId
from lti_tool.pairing.engine.people import Bools, People, Places, Points
from lti_tool.pairing.engine.rules import NotAgain, Rule, RuleByCouple

FEW_PEOPLE: Final = 2_000
"""Up to so many people every couple is looked at."""
SAMPLE: Final = 4_000_000
LEAST_SAMPLE: Final = 128
"""Beyond, everybody is held against the same people drawn at random: so many couples in all, and so many people at
least."""
LOOKED_AT: Final = 50
"""Of those who seem to have the fewest partners then, so many are counted against everybody."""
NAMED: Final = 10
AT_ONCE: Final = 1 << 18
"""Couples that are looked at in one step; bounds memory."""


@dataclass(frozen=True, slots=True)
class Left:
    """How many partners somebody has left."""

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
    table = _Table(course)
    everybody = np.arange(len(table.people), dtype=np.int64)
    is_exact = len(everybody) <= FEW_PEOPLE
    against = everybody if is_exact else _sample(len(everybody))
    count = table.count(everybody, against)
    left = count.left if is_exact else _counted_again(table, count.left)
    halves = 2 if is_exact else 1
    found = [
        RuleCost(name, removed // halves, alone // halves, _fewest(table.people, partners), int((partners == 0).sum()))
        for name, removed, alone, partners in zip(
            (*(rule.name for rule in course.rules), ""), count.removed, count.alone, left, strict=True
        )
    ]
    return Costs(count.couples // halves, is_exact, tuple(found[:-1]), found[-1])


def partners_left(course: Course) -> Points:
    """For each person, in the order of ids, how many partners all rules together leave. Shape (n,).

    Of more than 2,000 people only those who seem to have the fewest are counted; the others have n, which is too many.
    """
    table = _Table(course)
    everybody = np.arange(len(table.people), dtype=np.int64)
    if len(everybody) <= FEW_PEOPLE:
        left = table.count(everybody, everybody).left
    else:
        left = _counted_again(table, table.count(everybody, _sample(len(everybody))).left)
    together: Points = left[-1]
    return together


@dataclass(frozen=True, slots=True)
class _Count:
    """By rule, the last line for all together."""

    couples: int
    removed: list[int]
    alone: list[int]
    left: NDArray[np.int64]
    """Of shape (rules + 1, people asked about)."""


class _Table:
    def __init__(self, course: Course) -> None:
        self.people = People(tuple(sorted(set(course.people))), course.attributes)
        self.rules = course.rules
        met = np.unique(meetings_of(self.people, course.met))
        size = max(1, len(self.people))
        self.met = np.column_stack(np.divmod(met, size))

    def count(self, rows: Places, columns: Places) -> _Count:
        """All couples of somebody in the rows and somebody in the columns. Both are sorted."""
        rules = len(self.rules)
        removed, alone, couples = np.zeros(rules + 1, dtype=np.int64), np.zeros(rules + 1, dtype=np.int64), 0
        left = np.zeros((rules + 1, len(rows)), dtype=np.int64)
        step = max(1, AT_ONCE // max(1, len(columns)))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            real = some[:, None] != columns
            refused = np.zeros((rules + 1, *real.shape), dtype=np.bool_)
            for number, rule in enumerate(self.rules):
                refused[number] = self._refuses(rule, some, columns) & real
            times = refused.sum(axis=0, dtype=np.int16)
            refused[rules] = times > 0
            removed += refused.sum(axis=(1, 2))
            alone += (refused & (times == 1)).sum(axis=(1, 2))
            couples += int(real.sum())
            left[:, start : start + step] = (real & ~refused).sum(axis=2)
        return _Count(couples, removed.tolist(), alone.tolist(), left)

    def _refuses(self, rule: Rule, rows: Places, columns: Places) -> Bools:
        if isinstance(rule, NotAgain):
            return self._listed(self.met, rows, columns)
        if isinstance(rule, RuleByCouple):
            return self._listed(rule.forbidden(self.people), rows, columns)
        refused: Bools = ~rule.allows(self.people, rows[:, None], columns[None, :])
        return refused

    def _listed(self, couples: NDArray[np.int64], rows: Places, columns: Places) -> Bools:
        """Mark listed couples, which are few, instead of looking each couple up."""
        row, column = (np.full(len(self.people), -1, dtype=np.int64) for _ in range(2))
        row[rows], column[columns] = np.arange(len(rows)), np.arange(len(columns))
        refused = np.zeros((len(rows), len(columns)), dtype=np.bool_)
        for one, other in (couples.T, couples.T[::-1]):
            here = (row[one] >= 0) & (column[other] >= 0)
            refused[row[one[here]], column[other[here]]] = True
        return refused


def _sample(people: int) -> Places:
    size = min(people, max(LEAST_SAMPLE, SAMPLE // people))
    return np.sort(np.random.default_rng(people).choice(people, size=size, replace=False)).astype(np.int64)


def _counted_again(table: _Table, seen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts against everybody for those of whom the fewest partners were seen; for others more than there can be."""
    left = np.full(seen.shape, len(table.people), dtype=np.int64)
    lowest = [np.argsort(by_rule, kind="stable")[:LOOKED_AT] for by_rule in seen]
    rows = np.unique(np.concatenate(lowest))
    left[:, rows] = table.count(rows, np.arange(len(table.people), dtype=np.int64)).left
    return left


def _fewest(people: People, left: NDArray[np.int64]) -> tuple[Left, ...]:
    order = np.argsort(left, kind="stable")[:NAMED]
    return tuple(Left(int(people.ids[place]), int(left[place])) for place in order.tolist())
