"""A proposal is worked out from what is known. Needs no database."""

from collections.abc import Mapping
from dataclasses import dataclass

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Schedule
from lti_tool.pairing.errors import PlanImpossible, ProposalFlawed
from lti_tool.pairing.rules.changes import refuse_flawed


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything that a proposal is made from."""

    activity_id: int
    course: Course
    round_ids: tuple[int, ...]
    version: int
    """The version of the proposal that it replaces; 0 if there was none."""
    absent: Mapping[int, frozenset[int]]
    """Who is absent, by round number."""


def work_out(basis: Basis, *, seed: int) -> Schedule:
    """Work out groups for all rounds and check them. Needs no database.

    Raises PlanImpossible if pins contradict each other or a rule, and ProposalFlawed.
    """
    try:
        schedule = engine.plan(basis.course, len(basis.round_ids), seed)
        for number, absent in basis.absent.items():
            schedule = engine.step_in(schedule, absent.intersection(basis.course.people), number)
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(basis.activity_id, refusal) from refusal
    refuse_flawed(None, engine.verify(basis.course, schedule), ProposalFlawed)
    return schedule
