"""Propose groups, publish them, take them back.

A proposal takes three steps, so that no one waits for a lock while the engine works: `basis_of` reads, `work_out` needs
no database, and `keep` stores the groups if nothing that they were made from has changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.jobs import queue
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Breach, Course, Schedule
from lti_tool.pairing.errors import (
    ImproverUnavailable,
    NoPlan,
    NothingBetterFound,
    PlanBegun,
    PlanChanged,
    PlanImpossible,
    PlanPublished,
    ProposalFlawed,
    TooFewLearners,
)
from lti_tool.pairing.models import Group, Move, Plan, ProposalRequest
from lti_tool.pairing.rules.changes import refuse_flawed
from lti_tool.pairing.rules.comparing import is_better
from lti_tool.pairing.service.conditions import conditions_of, current_plan, preferences_of
from lti_tool.pairing.store import (
    absences_of,
    find_plan,
    have_begun,
    hold,
    load,
    store_all,
    touch,
    versions_of,
)
from lti_tool.support.db import served_institution

PROPOSE = "pairing.draft"
"""The job that works a proposal out."""
MOST_INLINE: Final = 36_000
"""Learners times rounds that are planned while someone waits: two seconds of a processor for 3,000 in 12 rounds."""
BETTER_FOUND: Final = "BetterFound"
"""Takes the place of the name of an error if a longer look found better groups."""


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


def basis_of(session: Session, activity_id: int, *, expected_version: int | None = None) -> Basis:
    """Read what a proposal is made from. `expected_version` is the proposal that someone looked at, 0 for none.

    Raises TooFewLearners, PlanPublished, PlanChanged and ActivityReadOnly.
    """
    activity = session.get_one(Activity, activity_id)
    activities.refuse_read_only(session, activity)
    versions = versions_of(session, activity_id)
    version = versions.get("draft", 0)
    if "published" in versions:
        raise PlanPublished(activity_id)
    if expected_version is not None and expected_version != version:
        raise PlanChanged(activity_id, version)
    rounds = activities.rounds_of(session, activity_id)
    course = conditions_of(session, activity).course()
    if len(course.people) < 2 or not rounds:
        raise TooFewLearners(activity_id, len(course.people))
    round_ids = tuple(round_.id for round_ in rounds)
    return Basis(activity_id, course, round_ids, version, absences_of(session, activity_id))


@cache
def is_improver_here() -> bool:
    """Whether OR-tools, which a longer look needs, is installed."""
    return find_spec("ortools") is not None


def can_look_longer(session: Session, activity: Activity, learners: int, rounds: int) -> bool:
    """Whether a longer look can give better groups: for pairs, in a small course, where the improver is installed."""
    shape = preferences_of(session, activity).preferences.shape
    return is_improver_here() and engine.can_improve(shape, learners, rounds)


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


def proposal_as_it_is(session: Session, basis: Basis) -> Schedule | None:
    """The proposal that a longer look is to improve; None if there is none."""
    plan = find_plan(session, basis.activity_id, "draft")
    return replace(load(session, plan).schedule, course=basis.course) if plan is not None else None


def look_longer(basis: Basis, proposal: Schedule | None, *, seed: int) -> Schedule:
    """The better of new groups and the proposal, both improved. Needs no database. Raises as `work_out` does."""
    new = work_out(basis, seed=seed, improve=True)
    if proposal is None or engine.verify(basis.course, proposal):
        return new
    improved = engine.improve(replace(proposal, seed=seed, engine=engine.NAME))
    if engine.verify(basis.course, improved) or not is_better(basis.course, improved, new):
        return new
    return improved


def keep(
    session: Session, basis: Basis, schedule: Schedule, *, by: int | None, now: datetime, only_better: bool = False
) -> Plan:
    """Make this the activity's proposal; the earlier one is kept for comparison. `by` is a person.

    Raises as `basis_of` does, PlanChanged if anything that it was made from has changed, and NothingBetterFound if it
    must be better than the proposal (`only_better`) and is not.
    """
    hold(session, basis.activity_id)
    if basis_of(session, basis.activity_id) != basis:
        raise PlanChanged(basis.activity_id)
    former = find_plan(session, basis.activity_id, "draft")
    if only_better and former is not None and not is_better(basis.course, schedule, load(session, former).schedule):
        raise NothingBetterFound(basis.activity_id)
    session.execute(delete(ProposalRequest).where(ProposalRequest.activity_id == basis.activity_id))
    if former is not None:
        session.execute(delete(Plan).where(Plan.activity_id == basis.activity_id, Plan.state == "previous"))
        former.state = "previous"
        touch(session, former, now)
    plan = Plan(
        activity_id=basis.activity_id,
        state="draft",
        seed=schedule.seed,
        kind=basis.course.shape.kind,
        size=basis.course.shape.size,
        engine=schedule.engine or engine.NAME,
        created_by_id=by,
        created_at=now,
        changed_at=now,
        version=former.version + 1 if former is not None else 1,
    )
    session.add(plan)
    session.flush()
    store_all(session, plan, basis.round_ids, schedule)
    if only_better:
        request = _request(session, basis.activity_id, seed=plan.seed, improve=True, by=by, now=now)
        request.refusal = BETTER_FOUND
    session.flush()
    return plan


def propose(
    session: Session, activity_id: int, *, seed: int, by: int | None, now: datetime, expected_version: int | None = None
) -> Plan:
    """Propose groups for all rounds in this transaction. `by` is a person. Raises what the three steps raise."""
    basis = basis_of(session, activity_id, expected_version=expected_version)
    return keep(session, basis, work_out(basis, seed=seed), by=by, now=now)


def request_proposal(
    session: Session,
    activity_id: int,
    *,
    seed: int,
    by: int | None,
    now: datetime,
    expected_version: int | None = None,
    improve: bool = False,
) -> Plan | None:
    """As `propose`, but a large course and a longer look are planned in the background.

    Then the answer is None, and `proposal_request` says how far it is. Pins that contradict each other or a rule are
    refused at once. Also raises ImproverUnavailable.
    """
    if improve and not is_improver_here():
        raise ImproverUnavailable(activity_id)
    basis = basis_of(session, activity_id, expected_version=expected_version)
    if len(basis.course.people) * len(basis.round_ids) <= MOST_INLINE and not improve:
        return keep(session, basis, work_out(basis, seed=seed), by=by, now=now)
    try:
        engine.check_locks(basis.course, len(basis.round_ids))
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(activity_id, refusal) from refusal
    hold(session, activity_id)
    _request(session, activity_id, seed=seed, improve=improve, by=by, now=now)
    session.flush()
    key, institution_id = f"{PROPOSE}:{activity_id}", served_institution(session)
    queue.enqueue(
        session, PROPOSE, {"activity_id": activity_id}, institution_id=institution_id, now=now, unique_key=key
    )
    return None


def _request(
    session: Session, activity_id: int, *, seed: int, improve: bool, by: int | None, now: datetime
) -> ProposalRequest:
    """A new request in place of the earlier one."""
    session.execute(delete(ProposalRequest).where(ProposalRequest.activity_id == activity_id))
    request = ProposalRequest(activity_id=activity_id, seed=seed, improve=improve, asked_by_id=by, asked_at=now)
    session.add(request)
    return request


def proposal_request(session: Session, activity_id: int) -> ProposalRequest | None:
    """The proposal that is worked out in the background, or why it failed; None if there is none."""
    return session.scalar(select(ProposalRequest).where(ProposalRequest.activity_id == activity_id))


def found_better(session: Session, plan: Plan) -> bool:
    """Whether a longer look found these groups, and none was changed since."""
    request = proposal_request(session, plan.activity_id)
    return request is not None and request.refusal == BETTER_FOUND and request.asked_at == plan.changed_at


def end_request(session: Session, activity_id: int, refusal: str) -> None:
    """Record the name of the error that ended the work in the background."""
    failed = update(ProposalRequest).where(ProposalRequest.activity_id == activity_id)
    session.execute(failed.values(refusal=refusal))


def publish(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Show the proposal to learners, and delete the earlier proposal.

    Raises NoPlan, PlanChanged, PlanFlawed if someone joined or left, and ActivityReadOnly. Groups that break a rule are
    published; the page warns about them.
    """
    activity, plan = _held(session, activity_id, "draft", expected_version)
    flaws = current_plan(session, activity, plan, now=now).flaws()
    refuse_flawed(plan.id, [flaw for flaw in flaws if flaw.breach is not Breach.PROOF])
    session.execute(delete(Plan).where(Plan.activity_id == activity_id, Plan.state == "previous"))
    plan.state, plan.published_at = "published", now
    touch(session, plan, now)
    activities.completion_changed(session, activity_id, now=now)
    return plan


def take_back(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Turn a published plan into a proposal again. Raises NoPlan, PlanChanged, PlanBegun and ActivityReadOnly."""
    _, plan = _held(session, activity_id, "published", expected_version)
    if have_begun(session, Group.plan_id == plan.id):
        raise PlanBegun(plan.id)
    session.execute(delete(Move).where(Move.plan_id == plan.id))
    plan.state, plan.published_at = "draft", None
    touch(session, plan, now)
    activities.completion_changed(session, activity_id, now=now)
    return plan


def drop_proposal(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Delete the proposal and go back to the earlier one. Raises NoPlan, PlanChanged and ActivityReadOnly."""
    _, plan = _held(session, activity_id, "draft", expected_version)
    former = find_plan(session, activity_id, "previous")
    if former is None:
        raise NoPlan(activity_id, "previous")
    version = plan.version
    session.execute(delete(Plan).where(Plan.id == plan.id))
    session.expunge(plan)
    former.state, former.version = "draft", version
    touch(session, former, now)
    return former


def _held(session: Session, activity_id: int, state: str, expected_version: int) -> tuple[Activity, Plan]:
    """The activity, locked, and its plan in this state and version. Raises ActivityReadOnly, NoPlan and PlanChanged."""
    activity = hold(session, activity_id)
    activities.refuse_read_only(session, activity)
    plan = find_plan(session, activity_id, state)
    if plan is None:
        raise NoPlan(activity_id, state)
    if plan.version != expected_version:
        raise PlanChanged(plan.id, plan.version)
    return activity, plan
