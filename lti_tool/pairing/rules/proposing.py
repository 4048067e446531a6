"""A proposal is worked out from what is known. Needs no database."""

from dataclasses import dataclass, replace

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Reason, Schedule, Unpaired
from lti_tool.pairing.errors import PlanImpossible
from lti_tool.pairing.rules.changes import refuse_flawed


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything that a proposal is made from."""

    activity_id: int
    course: Course
    round_ids: tuple[int, ...]
    version: int
    """The version of the proposal that it replaces; 0 if there was none."""
    absent: frozenset[tuple[int, int]]
    """Round and person, for everyone who is absent in a round."""


def work_out(basis: Basis, *, seed: int) -> Schedule:
    """Work out groups for all rounds and check them. Needs no database.

    Raises PlanImpossible if pins contradict each other or a rule, and PlanFlawed.
    """
    try:
        schedule = engine.plan(basis.course, len(basis.round_ids), seed)
        absent = tuple(
            Unpaired(person, number, Reason.ABSENT)
            for number, person in sorted(basis.absent)
            if person in basis.course.people
        )
        if absent:
            schedule = engine.repair(replace(schedule, unpaired=(*schedule.unpaired, *absent)), (), (), 1)
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(basis.activity_id, refusal) from refusal
    refuse_flawed(None, engine.verify(basis.course, schedule))
    return schedule
