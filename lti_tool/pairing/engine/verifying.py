"""An independent check of a schedule. It shares no step with the code that makes one."""

from collections import Counter
from collections.abc import Collection

from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.schedule import Breach, Group, Placed, Schedule, Violation


def verify(
    course: Course, schedule: Schedule, *, from_round: int = 1, fixed: Collection[Placed] = ()
) -> list[Violation]:
    """Everything that is wrong from this round on; an empty list means that the schedule may be used.

    Everybody is in exactly one group a round, groups are pairs, one is a trio when the number is odd, and nobody stays
    alone who need not. Groups in `fixed` have begun: they may hold people who have left, and their size is not judged.
    """
    found: list[Violation] = []
    for number, groups in enumerate(schedule.rounds, start=1):
        if number >= from_round:
            begun = [group for group in groups if (number, group) in fixed]
            movable = [group for group in groups if (number, group) not in fixed]
            alone = [one.person for one in schedule.unpaired if one.round == number]
            found += _check(course, number, begun, movable, alone)
    return found


def _check(course: Course, number: int, begun: list[Group], movable: list[Group], alone: list[int]) -> list[Violation]:
    known = set(course.people)
    seen = Counter([person for group in (*begun, *movable) for person in group] + alone)
    in_begun = {person for group in begun for person in group}
    found = [Violation(Breach.MISSING, number, (person,)) for person in course.people if not seen[person]]
    found += [Violation(Breach.TWICE, number, (person,)) for person, times in sorted(seen.items()) if times > 1]
    found += [Violation(Breach.UNKNOWN, number, (person,)) for person in sorted(seen) if person not in known | in_begun]
    found += [Violation(Breach.SIZE, number, group) for group in movable if len(group) not in {2, 3}]
    to_group = len(known - in_begun)
    trios = [group for group in movable if len(group) == 3]
    if len(trios) > to_group % 2:
        found += [Violation(Breach.TRIOS, number, group) for group in trios]
    if to_group > 1:
        found += [Violation(Breach.NEEDLESSLY_UNPAIRED, number, (person,)) for person in alone]
    return found
