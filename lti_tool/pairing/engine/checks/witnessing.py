"""Whether a proof proves that nobody more could be paired. Counts parts of odd size; knows nothing of matchings.

Tutte (1947) and Berge (1958): take some people away (the barrier), and count the parts of odd size into which the
others fall, where two are in one part when a chain of allowed couples joins them. Every arrangement in pairs leaves at
least as many without a partner as there are odd parts more than people in the barrier.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.checks.seating import keys
from lti_tool.pairing.engine.course import Course
from lti_tool.pairing.engine.people import Bools, People, Places
from lti_tool.pairing.engine.rules import RuleByCouple

MayMeet = Callable[[Places, Places], Bools]

AT_ONCE: Final = 1 << 18
"""Couples that are looked at in one step; more would only take memory."""


def may_meet(course: Course, people: People, barred: NDArray[np.int64]) -> MayMeet:
    """Whether the rules of the course allow couples of places. `barred` are sorted keys of couples who may not."""
    listed = [rule.forbidden(people) for rule in course.rules if isinstance(rule, RuleByCouple)]
    forbidden = np.unique(np.concatenate([*(keys(all_[:, 0], all_[:, 1], len(people)) for all_ in listed), barred]))
    others = [rule for rule in course.rules if not isinstance(rule, RuleByCouple)]

    def allows(one: Places, other: Places) -> Bools:
        found: Bools = one != other
        for rule in others:
            found = found & rule.allows(people, one, other)
        if len(forbidden):
            wanted = keys(one, other, len(people))
            at = np.minimum(np.searchsorted(forbidden, wanted), len(forbidden) - 1)
            found = found & (forbidden[at] != wanted)
        return found

    return allows


def have_partner(allows: MayMeet, who: Places, among: Places) -> Bools:
    """For each of these people, whether they may work with anybody of the others."""
    found = np.zeros(len(who), dtype=np.bool_)
    step = max(1, AT_ONCE // max(1, len(among)))
    for at in range(0, len(who), step):
        some = who[at : at + step]
        rows = allows(np.repeat(some, len(among)), np.tile(among, len(some))).reshape(len(some), len(among))
        found[at : at + step] = rows.any(axis=1)
    return found


def odd_parts(allows: MayMeet, who: Places) -> int:
    """How many of the parts into which these people fall have an odd number of members."""
    unreached = np.array(who, dtype=np.int64)
    odd = 0
    while len(unreached):
        waiting, unreached = unreached[-1:], unreached[:-1]
        size = 1
        while len(waiting) and len(unreached):
            # One row at first; many at once when little is left to reach, or most rows reach nobody.
            width = max(1, min(len(waiting), AT_ONCE // len(unreached)) if size > 1 else 1)
            rows, waiting = waiting[:width], waiting[width:]
            one = np.repeat(rows, len(unreached))
            other = np.tile(unreached, len(rows))
            reached = allows(one, other).reshape(len(rows), len(unreached)).any(axis=0)
            waiting = np.concatenate([waiting, unreached[reached]])
            size += int(reached.sum())
            unreached = unreached[~reached]
        odd += size % 2
    return odd


def least_unpaired(allows: MayMeet, who: Places, barrier: Places) -> int:
    """How many of `who` every arrangement in pairs leaves without a partner, as far as this barrier shows."""
    return odd_parts(allows, np.setdiff1d(who, barrier)) - len(barrier)
