"""Who is locked together in which round, and what is wrong with that."""

from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np

from lti_tool.pairing.engine.couples import Couples, Members
from lti_tool.pairing.engine.problem import (
    Course,
    Group,
    Kind,
    LockConflict,
    LockForbidden,
    LockSize,
    PersonId,
    UnknownPerson,
)
from lti_tool.pairing.engine.rules import refused


def locked_groups(couples: Couples, rounds: int) -> list[list[Members]]:
    """For every round the groups of people who are locked together. Locks for later rounds than these wait.

    Who is locked together counts as having met in the rounds after that. Raises UnknownPerson, LockSize, LockConflict
    or LockForbidden: the first that is found, in the order of rounds.
    """
    course = couples.course
    everyone = frozenset(course.people)
    strangers = sorted({person for lock in course.locks for person in lock.members if person not in everyone})
    if strangers:
        raise UnknownPerson(tuple(strangers))
    met = {frozenset(couple) for couple in course.met}
    result = []
    for number in range(1, rounds + 1):
        groups = sorted({tuple(sorted(set(lock.members))) for lock in course.locks if lock.round in {None, number}})
        check_groups(couples, number, groups, len(couples), met)
        met |= {frozenset(couple) for group in groups for couple in combinations(group, 2)}
        result.append([tuple(couples.people.places(group).tolist()) for group in groups])
    return result


def most_members(course: Course) -> int:
    """The most people that a group may have."""
    kind = course.shape.kind
    return 3 if kind is Kind.PAIRS else 4 if kind is Kind.TRIOS else course.shape.size + 1


def check_groups(
    couples: Couples, number: int, groups: Sequence[Group], seats: int, met: Collection[frozenset[PersonId]]
) -> None:
    """Raise what makes it impossible that all these groups are together in a round of so many people.

    LockSize: fewer than two members, more than a group may have, or more trios than a round in pairs has.
    LockConflict: someone in two groups. LockForbidden: a rule is against two members, "never again" included.
    """
    course = couples.course
    trios = sum(len(group) == 3 for group in groups)
    for group in groups:
        is_third_too_many = course.shape.kind is Kind.PAIRS and len(group) == 3 and trios > seats % 2
        if not 1 < len(group) <= most_members(course) or is_third_too_many:
            raise LockSize(number, group)
    seated: set[PersonId] = set()
    for group in groups:
        if twice := seated.intersection(group):
            raise LockConflict(number, min(twice))
        seated.update(group)
    for group in groups:
        for first, second in combinations(group, 2):
            if rule := _rule_against(couples, first, second, met):
                raise LockForbidden(number, group, rule)


def _rule_against(couples: Couples, first: PersonId, second: PersonId, met: Collection[frozenset[PersonId]]) -> str:
    """The name of a rule that forbids this couple, or nothing."""
    places = couples.people.places([[first], [second]])
    again = np.array([frozenset((first, second)) in met])
    against = refused(couples.course.rules, couples.people, places[0], places[1], again)
    return next((rule.name for rule, by in zip(couples.course.rules, against, strict=True) if by), "")
