"""Locked people and empty groups of one round: where the seats are before anybody is seated by chance."""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations

from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.course import Course, Kind, PersonId
from lti_tool.pairing.engine.errors import LockConflict, LockForbidden, LockSize, UnknownPerson
from lti_tool.pairing.engine.schedule import Group
from lti_tool.pairing.engine.sizes import group_sizes

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


def set_tables(couples: Couples, number: int, met: Counter[frozenset[PersonId]]) -> Tables:
    """Seats for the locked people of a round.

    Raises UnknownPerson; LockConflict for two locks on a person; LockSize for one person alone or more than fit into a
    group; LockForbidden. `met` is who met before this round, for "never again".
    """
    course = couples.course
    locked = sorted({tuple(sorted(set(lock.members))) for lock in course.locks if lock.round in {None, number}})
    _check(couples, number, locked, met)
    members = [tuple(couples.people.places(group).tolist()) for group in locked]
    members.sort(key=lambda group: (-len(group), group))
    whole: list[Members] = []
    while True:
        sizes = group_sizes(len(couples) - sum(map(len, whole)), course.shape)
        begun, homeless = _place(sizes, [group for group in members if group not in whole])
        if not homeless:
            return Tables(sizes, tuple(begun), tuple(whole), {one: group for group in members for one in group})
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


def _check(couples: Couples, number: int, locked: list[Group], met: Counter[frozenset[PersonId]]) -> None:
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
            rule = _against(couples, one, other, have_met=bool(met[frozenset((one, other))]))
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
