"""What a schedule is worth, counted as the interchange format says. It trusts a schedule as little as `verify` does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.checks.seating import Meetings, Seating, counted_before, keys, seat
from lti_tool.pairing.engine.checks.verifying import verify
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.schedule import Breach, Reason, Schedule


@dataclass(frozen=True, slots=True)
class Score:
    """Schedules are compared in this order of importance: violations, unpaired, flagged, repeats, objective."""

    violations: int
    """Broken rules, each couple and rule by itself, and locks that are not kept."""
    unpaired: int
    """People in rounds without a partner; the absent are not counted."""
    flagged_unpaired: int
    """Of those in round 1, how many had no partner last time."""
    repeats: int
    """Meetings of two people who had met before, ahead of the schedule or in an earlier round."""
    objective: int
    """Points of people: 2w for a couple, w12 + w13 + w23 for three, so that each counts the mean of their partners.

    In larger groups 2/(size - 1) for each couple, rounded down once for each size.
    """
    coach_balance: int
    """The largest |times first - times last| of anybody after the last round, what was ahead included."""
    same_role_twice_running: int
    """How often somebody was first, or last, in two rounds that follow each other."""


def score(course: Course, schedule: Schedule) -> Score:
    """Count everything that a schedule is judged by."""
    people = People(tuple(sorted(set(course.people))), course.attributes)
    seating = seat(people, schedule)
    met = seating.meetings()
    breaches = [one.breach for one in verify(course, schedule)]
    alone = [one for one in schedule.unpaired if one.reason is not Reason.ABSENT]
    turns = _turns(seating, len(schedule.rounds))
    ahead = np.array([course.ahead.get(one, 0) for one in people.ids.tolist()], dtype=np.int64)
    return Score(
        violations=sum(breach in {Breach.RULE, Breach.LOCK} for breach in breaches),
        unpaired=len(alone),
        flagged_unpaired=sum(one.round == 1 and one.person in course.left_out for one in alone),
        repeats=_repeats(course, people, met),
        objective=_objective(course, people, seating, met),
        coach_balance=int(np.abs(turns.sum(axis=0) + ahead).max(initial=0)),
        same_role_twice_running=int(((turns[1:] == turns[:-1]) & (turns[1:] != 0)).sum()),
    )


def _repeats(course: Course, people: People, met: Meetings) -> int:
    """Meetings less first meetings."""
    real = (met.one >= 0) & (met.other >= 0) & (met.one != met.other)
    counted = keys(met.one[real], met.other[real], len(people))
    before = counted_before(people, course.met)
    return len(counted) - len(np.setdiff1d(counted, before))


def _objective(course: Course, people: People, seating: Seating, met: Meetings) -> int:
    real = (met.one >= 0) & (met.other >= 0)
    one, other, size = met.one[real], met.other[real], seating.size[met.group[real]]
    points = np.zeros(len(one), dtype=np.int64)
    for wish in course.wishes:
        points += wish.points(people, one, other)
    sizes = np.unique(size).tolist()
    return sum(2 * int(points[size == members].sum()) // (members - 1) for members in sizes)


def _turns(seating: Seating, rounds: int) -> NDArray[np.int8]:
    """For each round and place: +1 who is first, -1 who is last, 0 whoever is neither."""
    turns = np.zeros((rounds, len(seating.people)), dtype=np.int8)
    grouped = np.flatnonzero(seating.size > 1)
    for which, turn in ((seating.starts[:-1][grouped], 1), (seating.starts[1:][grouped] - 1, -1)):
        places = seating.places[which]
        turns[seating.round[grouped][places >= 0] - 1, places[places >= 0]] = turn
    return turns
