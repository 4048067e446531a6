"""A proposal is worked out from what is known, and a longer look may improve it. Needs no database."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Schedule
from lti_tool.pairing.errors import ImproverUnavailable, PlanImpossible, ProposalFlawed
from lti_tool.pairing.rules.changes import refuse_flawed
from lti_tool.pairing.rules.comparing import is_better


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


@cache
def is_improver_here() -> bool:
    """Whether OR-tools, which a longer look needs, is installed."""
    return find_spec("ortools") is not None


def work_out(basis: Basis, *, seed: int, improve: bool = False) -> Schedule:
    """Work out groups for all rounds and check them. Needs no database.

    Raises PlanImpossible if pins contradict each other or a rule, ProposalFlawed, and ImproverUnavailable.
    """
    try:
        schedule = engine.plan(basis.course, len(basis.round_ids), seed, improve=improve)
        for number, absent in basis.absent.items():
            schedule = engine.step_in(schedule, absent.intersection(basis.course.people), number)
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(basis.activity_id, refusal) from refusal
    except engine.ImproverMissing as missing:
        raise ImproverUnavailable(basis.activity_id) from missing
    refuse_flawed(None, engine.verify(basis.course, schedule), ProposalFlawed)
    return schedule


def look_longer(basis: Basis, proposal: Schedule | None, *, seed: int) -> Schedule:
    """The better of new groups and the proposal, both improved. Needs no database. Raises as `work_out` does."""
    new = work_out(basis, seed=seed, improve=True)
    if proposal is None or engine.verify(basis.course, proposal):
        return new
    improved = engine.improve(replace(proposal, seed=seed, engine=engine.NAME))
    if engine.verify(basis.course, improved) or not is_better(basis.course, improved, new):
        return new
    return improved
