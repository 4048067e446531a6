"""Holding a plan while it is changed: its lock, its version, and who must be told."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.pairing import engine
from lti_tool.pairing.errors import NoPlan, PlanChanged, PlanFlawed
from lti_tool.pairing.models import Group, Move, Plan
from lti_tool.pairing.rules import Cause
from lti_tool.support.db import in_batches


def find_plan(session: Session, activity_id: int, state: str | None = None) -> Plan | None:
    """The activity's plan as it is now: the published one if there is one, else the draft; or the one in this state."""
    statement = select(Plan).where(Plan.activity_id == activity_id).order_by(Plan.state.desc()).limit(1)
    states = ("draft", "published") if state is None else (state,)
    # Also where this session has read it before: while it waited for the lock somebody may have changed it.
    return session.scalar(statement.where(Plan.state.in_(states)).execution_options(populate_existing=True))


def plan_in_state(session: Session, activity_id: int, state: str, expected_version: int | None = None) -> Plan:
    """The plan in this state. Raises NoPlan, and PlanChanged when it is not the version that the caller has seen."""
    plan = find_plan(session, activity_id, state)
    if plan is None:
        raise NoPlan(activity_id, state)
    if expected_version is not None and plan.version != expected_version:
        raise PlanChanged(plan.id, plan.version)
    return plan


def hold(session: Session, activity_id: int) -> Activity:
    """The activity, held so that two people do not draft, publish or mend its plan at the same moment."""
    return session.get_one(Activity, activity_id, with_for_update={"key_share": True})


def hold_to_change(session: Session, activity_id: int) -> Activity:
    """As `hold`. Raises ActivityReadOnly of a closed activity."""
    activity = hold(session, activity_id)
    activities.refuse_read_only(session, activity)
    return activity


def have_begun(session: Session, which: ColumnElement[bool]) -> bool:
    """Whether any of these groups has begun. They are locked, so that none begins before the transaction ends."""
    return any(session.scalars(select(Group.begun_at).where(which).with_for_update()))


def touch(session: Session, plan: Plan, now: datetime) -> None:
    """Raise the plan's version, also where only its groups changed."""
    plan.changed_at = now
    plan.version += 1
    session.flush()


def refuse_flawed(plan_id: int | None, violations: Iterable[engine.Violation]) -> None:
    """Raise PlanFlawed where the checker found anything."""
    breaches = tuple(sorted({violation.breach.value for violation in violations}))
    if breaches:
        raise PlanFlawed(plan_id, breaches)


def note_moves(session: Session, plan: Plan, moves: Collection[tuple[int, int, Cause]], now: datetime) -> None:
    """Keep why members have other partners: (round id, member, cause). The newest word on a round stands."""
    for member_ids in in_batches(sorted({member_id for _, member_id, _ in moves})):
        rounds = {round_id for round_id, _, _ in moves}
        old = session.execute(
            select(Move.id, Move.round_id, Move.member_id).where(
                Move.plan_id == plan.id, Move.member_id.in_(member_ids), Move.round_id.in_(rounds)
            )
        )
        told = {(round_id, member_id) for round_id, member_id, _ in moves}
        stale = [move_id for move_id, round_id, member_id in old if (round_id, member_id) in told]
        for batch in in_batches(stale):
            session.execute(delete(Move).where(Move.id.in_(batch)))
    if moves:
        session.execute(
            insert(Move),
            [
                {
                    "institution_id": plan.institution_id,
                    "plan_id": plan.id,
                    "round_id": round_id,
                    "member_id": member_id,
                    "cause": cause.value,
                    "at": now,
                }
                for round_id, member_id, cause in sorted(moves)
            ],
        )
