"""Makes a change to a plan last: what differs is written, and whoever gets other partners is told."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.service import completion_changed
from lti_tool.pairing import engine
from lti_tool.pairing.comparing import Comparison
from lti_tool.pairing.engine import Schedule
from lti_tool.pairing.errors import PlanChanged
from lti_tool.pairing.foreseeing import Foreseen, Present, look
from lti_tool.pairing.keeping import find_plan, hold_to_change, note_moves, touch
from lti_tool.pairing.models import Group, Plan
from lti_tool.pairing.rules import Cause
from lti_tool.pairing.storing import store_changes


def held(session: Session, plan: Plan, expected_version: int, now: datetime) -> Present:
    """A plan that somebody looked at, with its activity and groups locked. Raises PlanChanged, ActivityReadOnly."""
    activity = hold_to_change(session, plan.activity_id)
    refuse_changed(session, plan, expected_version)
    # A group that begins while we look is waited for here, or waits for us.
    session.execute(select(Group.id).where(Group.plan_id == plan.id).with_for_update())
    return look(session, activity, plan, now=now)


def refuse_changed(session: Session, plan: Plan, expected_version: int | None) -> None:
    """Raise PlanChanged where this is not the activity's plan any more, or not in the version that somebody saw.

    To be asked of an activity that is held.
    """
    today = find_plan(session, plan.activity_id)
    if today is not plan or plan.version != (expected_version or 0):
        raise PlanChanged(plan.id, plan.version)


def keep(session: Session, foreseen: Foreseen, now: datetime, *, usual: Cause = Cause.PLAN_CHANGED) -> Comparison:
    """Write what differs; tell and note who of a published plan has other partners.

    `usual` is the cause for those whose group could have stayed as it was.
    """
    present, after, effect = foreseen.present, foreseen.after, foreseen.effect
    plan = present.plan
    if not effect.touched and after.unpaired == present.stored.schedule.unpaired:
        return effect
    store_changes(session, plan, present.stored, after)
    touch(session, plan, now)
    if plan.state == "published":
        completion_changed(session, plan.activity_id, effect.moved, now=now)
        note_moves(session, plan, _causes(present, after, usual), now)
    return effect


def _causes(present: Present, after: Schedule, usual: Cause) -> list[tuple[int, int, Cause]]:
    """For every member of today who has other partners in a round: the row of the round, the member, and why."""
    known = present.seated | {one.person for one in present.stored.schedule.unpaired}
    before = present.schedule(present.course)
    words = {
        engine.Cause.HAD_NOBODY: Cause.HAD_NOBODY,
        engine.Cause.JOINED: Cause.JOINED,
        engine.Cause.PARTNER_LEFT: Cause.PARTNER_LEFT,
        engine.Cause.PARTNER_ABSENT: Cause.PARTNER_ABSENT,
        engine.Cause.SOMEBODY_JOINED: Cause.SOMEBODY_JOINED,
        engine.Cause.MADE_ROOM: usual,
        engine.Cause.RULE_CHANGED: Cause.PLAN_CHANGED,
    }
    return [
        (present.stored.rounds[one.round - 1].id, one.person, words[one.cause] if one.person in known else Cause.JOINED)
        for one in engine.changes(before, replace(after, course=present.course))
        if one.cause in words
    ]
