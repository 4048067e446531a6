"""The best round for up to ten people, by looking at every arrangement. Rules and wishes are restated in plain Python.

It shares nothing with the engine but the plain data of a course: what a rule means is written down here once more.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any

from lti_tool.pairing.engine.problem import Course


@dataclass(frozen=True, slots=True, order=True)
class Worth:
    """What a round costs, in order of importance: smaller is better."""

    unpaired: int = 0
    left_out_unpaired: int = 0
    """Of the unpaired, how many had no partner last time."""
    repeats: int = 0
    """Couples of people who met before."""
    times: int = 0
    """Over all couples, how often the two met before."""
    minus_points: int = 0
    """Less the points of people: 2w for a couple, w12 + w13 + w23 for three."""

    def __add__(self, other: "Worth") -> "Worth":
        return Worth(
            self.unpaired + other.unpaired,
            self.left_out_unpaired + other.left_out_unpaired,
            self.repeats + other.repeats,
            self.times + other.times,
            self.minus_points + other.minus_points,
        )


def optimum(course: Course) -> Worth | None:
    """The least that round 1 of this course can cost, in pairs and one trio when odd; None if locks cannot be kept."""
    met = Counter(frozenset(couple) for couple in course.met)
    locks = [frozenset(lock.members) & frozenset(course.people) for lock in course.locks if lock.round in {None, 1}]

    def worth(group: tuple[int, ...]) -> Worth | None:
        """What a group costs, or None where it may not be."""
        if any(lock & set(group) and not lock <= set(group) for lock in locks if len(lock) > 1):
            return None
        if len(group) == 1:
            return Worth(1, group[0] in course.left_out)
        couples = list(combinations(group, 2))
        if not all(is_allowed(course, *couple) for couple in couples):
            return None
        if any(rule.name == "not_again" and met[frozenset(couple)] for rule in course.rules for couple in couples):
            return None
        points = sum(points_of(course, *couple) for couple in couples) * (2 if len(group) == 2 else 1)
        times = [met[frozenset(couple)] for couple in couples]
        return Worth(0, 0, sum(one > 0 for one in times), sum(times), -points)

    @cache
    def best(free: tuple[int, ...], may_be_three: bool) -> Worth | None:
        if not free:
            return Worth()
        first, *others = free
        sizes = (0, 1, 2) if may_be_three else (0, 1)
        found = []
        for size in sizes:
            for partners in combinations(others, size):
                here = worth((first, *partners))
                rest = tuple(one for one in others if one not in partners)
                beyond = best(rest, may_be_three and size < 2) if here else None
                if here and beyond:
                    found.append(here + beyond)
        return min(found, default=None)

    return best(tuple(sorted(course.people)), len(course.people) % 2 == 1)


def may_be_locked(course: Course, rounds: int) -> bool:
    """Whether the locks of a course in pairs can be kept: known people, couples or the one trio, one lock a round."""
    if not all(one in course.people for lock in course.locks for one in lock.members):
        return False
    met = {frozenset(couple) for couple in course.met}
    for number in range(1, rounds + 1):
        groups = {frozenset(lock.members) for lock in course.locks if lock.round in {None, number}}
        trios = sum(len(group) == 3 for group in groups)
        if any(len(group) not in {2, 3} for group in groups) or trios > len(course.people) % 2:
            return False
        if any(one & other for one, other in combinations(groups, 2)):
            return False
        couples = {frozenset(couple) for group in groups for couple in combinations(group, 2)}
        if not all(is_allowed(course, *couple) for couple in couples):
            return False
        if any(rule.name == "not_again" for rule in course.rules) and couples & met:
            return False
        met |= couples
    return True


def is_allowed(course: Course, one: int, other: int) -> bool:
    """Whether all rules let these two work together; "not again" is not asked."""
    return all(_allows(course, rule, one, other) for rule in course.rules)


def _allows(course: Course, rule: Any, one: int, other: int) -> bool:
    kind = type(rule).__name__
    if kind == "ReportingLine":
        above = course.attributes.get(rule.attribute, {})
        return other not in _line(above, one) and one not in _line(above, other)
    if kind in {"Exclusions", "ShouldNot"}:
        return {one, other} not in [set(couple) for couple in rule.couples]
    if kind == "NotAgain":
        return True
    values = course.attributes.get(rule.attribute, {})
    mine, theirs = values.get(one), values.get(other)
    if kind == "Known":
        return mine is not None and theirs is not None
    if mine is None or theirs is None:
        return bool(rule.unknown_is_allowed)
    if kind == "Same":
        return mine == theirs
    if kind == "Other":
        return mine != theirs
    if kind == "Share":
        return len(mine & theirs) >= rule.at_least
    if kind == "ExperienceGap":
        gap = abs(mine - theirs)
        return (rule.at_least is None or gap >= rule.at_least) and (rule.at_most is None or gap <= rule.at_most)
    raise NotImplementedError(kind)


def _line(above: Any, person: int) -> list[int]:
    """Everybody above somebody; a loop ends where it comes back."""
    found: list[int] = []
    here = above.get(person)
    while here is not None and here not in found:
        found.append(here)
        here = above.get(here)
    return found


def points_of(course: Course, one: int, other: int) -> int:
    """The points of a couple by all wishes."""
    return sum(_points(course, wish, one, other) for wish in course.wishes)


def _points(course: Course, wish: Any, one: int, other: int) -> int:
    values = course.attributes.get(wish.attribute, {})
    mine, theirs = values.get(one), values.get(other)
    if mine is None or theirs is None:
        return 0
    kind, weight = type(wish).__name__, int(wish.weight)
    if kind == "RatherOther":
        return weight if mine != theirs else 0
    if kind == "RatherSame":
        return weight if mine == theirs else 0
    if kind == "RatherGap":
        return min(weight * abs(mine - theirs), wish.cap)
    if kind == "ExtraShared":
        return min(weight * max(0, len(mine & theirs) - 1), wish.cap)
    raise NotImplementedError(kind)
