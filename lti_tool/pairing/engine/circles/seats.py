"""Locked people and empty groups of one round: where the seats are before anybody is seated by chance."""

from dataclasses import dataclass
from itertools import combinations

from lti_tool.pairing.engine.circles.sizes import group_sizes
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Course, Kind, PersonId
from lti_tool.pairing.engine.errors import LockConflict, LockForbidden, LockSize, UnknownPerson
from lti_tool.pairing.engine.schedule import Group

Members = tuple[int, ...]
"""Places."""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one round and who has a fixed seat. (Not the planner's tables of values.)"""

    sizes: tuple[int, ...]
    """Of the groups that chance fills; they differ by at most one."""
    begun: tuple[Members, ...]
    """For each of them, who is locked into it."""
    whole: tuple[Members, ...]
    """Groups of locked people that are beside these, because no group had room for them."""
    locked: dict[int, Members]
    """For everybody who is locked, with whom (themselves among them)."""


def set_tables(couples: Couples, rounds: int) -> list[Tables]:
    """For every round, seats for the locked people. Locks for later rounds than these wait.

    Raises UnknownPerson; LockConflict for two locks on a person; LockSize for one person alone or more than fit into a
    group; LockForbidden for people whom a rule keeps apart, "never again" included.
    """
    course = couples.course
    met = {frozenset(couple) for couple in course.met}
    found = []
    for number in range(1, rounds + 1):
        locked = sorted({tuple(sorted(set(lock.members))) for lock in course.locks if lock.round in {None, number}})
        _check(couples, number, locked, met)
        met |= {frozenset(couple) for group in locked for couple in combinations(group, 2)}
        members = [tuple(couples.people.places(group).tolist()) for group in locked]
        found.append(_tables(course, len(couples), sorted(members, key=lambda group: (-len(group), group))))
    return found


def _tables(course: Course, people: int, locked: list[Members]) -> Tables:
    whole: list[Members] = []
    while True:
        sizes = group_sizes(people - sum(map(len, whole)), course.shape)
        begun, homeless = _place(sizes, [group for group in locked if group not in whole])
        if not homeless:
            return Tables(sizes, tuple(begun), tuple(whole), {one: group for group in locked for one in group})
        whole.append(homeless[0])


def _place(sizes: tuple[int, ...], locked: list[Members]) -> tuple[list[Members], list[Members]]:
    """Put each set where the least room stays free, the largest first."""
    begun: list[Members] = [()] * len(sizes)
    homeless: list[Members] = []
    for group in locked:
        room = {table: size - len(begun[table]) - len(group) for table, size in enumerate(sizes)}
        fits = [table for table, free in room.items() if free >= 0]
        if fits:
            # An empty table comes before one that is begun: two locks together are two wishes in one group.
            table = min(fits, key=lambda one: (len(begun[one]) > 0, room[one], one))
            begun[table] += group
        else:
            homeless.append(group)
    return begun, homeless


def _check(couples: Couples, number: int, locked: list[Group], met: set[frozenset[PersonId]]) -> None:
    course = couples.course
    known = frozenset(course.people)
    strangers = sorted({one for lock in course.locks for one in lock.members if one not in known})
    if strangers:
        raise UnknownPerson(tuple(strangers))
    seen: set[PersonId] = set()
    for group in locked:
        if not 1 < len(group) <= most_members(course):
            raise LockSize(number, group)
        for one in group:
            if one in seen:
                raise LockConflict(number, one)
            seen.add(one)
        for one, other in combinations(group, 2):
            rule = _against(couples, one, other, have_met=frozenset((one, other)) in met)
            if rule:
                raise LockForbidden(number, group, rule)


def most_members(course: Course) -> int:
    """The most people that a group may have."""
    return 1 + (3 if course.shape.kind is Kind.TRIOS else course.shape.size)


def _against(couples: Couples, one: PersonId, other: PersonId, *, have_met: bool) -> str:
    """The name of a rule that forbids this couple, or nothing."""
    places = couples.people.places((one, other))
    for rule in couples.course.rules:
        if not rule.allows(couples.people, places[:1], places[1:])[0] or (have_met and rule.name == "not_again"):
            return rule.name
    return ""
