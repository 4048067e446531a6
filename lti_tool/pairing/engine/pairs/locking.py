"""Who is locked together in which round, and what is wrong with that."""

from itertools import combinations
from typing import TypeAlias

from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.errors import LockConflict, LockForbidden, LockSize, UnknownPerson
from lti_tool.pairing.engine.rules import NotAgain
from lti_tool.pairing.engine.schedule import Group

Members: TypeAlias = tuple[int, ...]
"""Sorted places of people who are locked together."""


def locked_groups(couples: Couples, rounds: int) -> list[list[Members]]:
    """For every round the locked groups of a course in pairs: couples, and at most one trio when the number is odd.

    Locks for later rounds than these wait. Raises UnknownPerson, LockSize, LockConflict or LockForbidden: the first
    that is found, in the order of rounds.
    """
    course = couples.course
    everybody = frozenset(course.people)
    strangers = sorted({one for lock in course.locks for one in lock.members if one not in everybody})
    if strangers:
        raise UnknownPerson(tuple(strangers))
    met = {frozenset(couple) for couple in course.met}
    found = []
    for number in range(1, rounds + 1):
        groups = sorted({tuple(sorted(set(lock.members))) for lock in course.locks if lock.round in {None, number}})
        _check_sizes(number, groups, len(couples))
        seated: set[int] = set()
        for group in groups:
            for one in group:
                if one in seated:
                    raise LockConflict(number, one)
                seated.add(one)
        _check_rules(number, groups, couples, met)
        met |= {frozenset(couple) for group in groups for couple in combinations(group, 2)}
        found.append([tuple(couples.people.places(group).tolist()) for group in groups])
    return found


def _check_sizes(number: int, groups: list[Group], people: int) -> None:
    trios = [group for group in groups if len(group) == 3]
    for group in groups:
        if len(group) not in {2, 3} or (len(group) == 3 and len(trios) > people % 2):
            raise LockSize(number, group)


def _check_rules(number: int, groups: list[Group], couples: Couples, met: set[frozenset[int]]) -> None:
    for group in groups:
        for one, other in combinations(group, 2):
            rule = _against(couples.course, couples, one, other, frozenset((one, other)) in met)
            if rule:
                raise LockForbidden(number, group, rule)


def _against(course: Course, couples: Couples, one: int, other: int, have_met: bool) -> str:
    """The name of a rule that forbids this couple, or nothing."""
    places = couples.people.places((one, other))
    if not couples.allowed(places[:1], places[1:])[0]:
        return next(r.name for r in course.rules if not r.allows(couples.people, places[:1], places[1:])[0])
    return next((rule.name for rule in course.rules if have_met and isinstance(rule, NotAgain)), "")
