"""The fewest changes of one round of up to nine people, by looking at every arrangement. No step is shared."""

from collections.abc import Iterator
from itertools import combinations

from lti_tool.pairing.engine import Course, Group, Schedule
from tests.unit.pairing.brute_force import is_allowed


def arrangements(people: tuple[int, ...], course: Course, *, may_be_three: bool) -> Iterator[tuple[Group, ...]]:
    """Every way to put people into allowed pairs, at most one trio, and nobody's company (a group of one)."""
    if not people:
        yield ()
        return
    first, *others = people
    for size in (0, 1, 2) if may_be_three else (0, 1):
        for partners in combinations(others, size):
            group = (first, *partners)
            if all(is_allowed(course, *couple) for couple in combinations(group, 2)):
                rest = tuple(one for one in others if one not in partners)
                for more in arrangements(rest, course, may_be_three=may_be_three and size < 2):
                    yield (group, *more)


def fewest_changes(course: Course, before: tuple[Group, ...]) -> tuple[int, int]:
    """The fewest people without a partner and then the fewest of those who stay whose company must change.

    `course` is the course after the change, `before` the round before it.
    """
    people = tuple(sorted(course.people))
    return min(
        (sum(len(group) == 1 for group in groups), changed(course, before, groups))
        for groups in arrangements(people, course, may_be_three=len(people) % 2 == 1)
    )


def changed(course: Course, before: tuple[Group, ...], after: tuple[Group, ...]) -> int:
    """Of those who were in a group before and are still here, how many are in another company now."""
    company = {person: frozenset(group) for group in before for person in group}
    now = {person: frozenset(group) for group in after for person in group}
    return sum(company[person] != now.get(person, {person}) for person in course.people if person in company)


def moved(before: Schedule, after: Schedule) -> frozenset[int]:
    """Everybody who has other partners in some round than before; people who left or joined are among them."""
    changed: set[int] = set()
    for old, new in zip(before.rounds, after.rounds, strict=True):
        kept = {frozenset(group) for group in old} & {frozenset(group) for group in new}
        changed.update(person for group in (*old, *new) if frozenset(group) not in kept for person in group)
    return frozenset(changed)
