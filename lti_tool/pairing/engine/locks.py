"""Who is locked together in which round, and what is wrong with that."""

from collections.abc import Sequence

from lti_tool.pairing.engine.couples import Couples, Meetings, Members, couples_of
from lti_tool.pairing.engine.problem import Course, Kind, LockConflict, LockForbidden, LockSize, UnknownPerson
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
    met, result = couples.met, []
    for number in range(1, rounds + 1):
        locks = (couples.people.places(lock.members) for lock in course.locks if lock.round in {None, number})
        groups = sorted({tuple(sorted(set(places.tolist()))) for places in locks})
        check_groups(couples, number, groups, len(couples), met)
        met = met.also(couples.keys(*couples_of(groups)))
        result.append(groups)
    return result


def most_members(course: Course) -> int:
    """The most people that a group may have."""
    kind = course.shape.kind
    return 3 if kind is Kind.PAIRS else 4 if kind is Kind.TRIOS else course.shape.size + 1


def check_groups(couples: Couples, number: int, groups: Sequence[Members], seats: int, met: Meetings) -> None:
    """Raise what makes it impossible that all these groups are together in a round of so many people.

    LockSize: fewer than two members, more than a group may have, or more trios than a round in pairs has.
    LockConflict: someone in two groups. LockForbidden: a rule is against two members, "never again" included.
    """
    course = couples.course
    trios = sum(len(group) == 3 for group in groups)
    for group in groups:
        is_third_too_many = course.shape.kind is Kind.PAIRS and len(group) == 3 and trios > seats % 2
        if not 1 < len(group) <= most_members(course) or is_third_too_many:
            raise LockSize(number, couples.ids(group))
    seated: set[int] = set()
    for group in groups:
        if twice := seated.intersection(group):
            raise LockConflict(number, couples.ids(sorted(twice))[0])
        seated.update(group)
    for group in groups:
        first, second = couples_of([group])
        against = refused(course.rules, couples.people, first, second, met.times(first, second) > 0)
        for broken in against.T:
            if broken.any():
                raise LockForbidden(number, couples.ids(group), course.rules[int(broken.argmax())].name)
