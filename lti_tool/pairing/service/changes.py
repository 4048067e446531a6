"""Change a plan: by choice (`preview` and `apply`), and with the course (`follow_course` and the others).

All changes compute an outcome, which is stored. Members of a published plan who get other partners are told why.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.launch.rules.roles import CourseRole
from lti_tool.launch.service.arrivals import tell_plans
from lti_tool.pairing import engine
from lti_tool.pairing.errors import NoPlan, PlanChanged, RuleBroken
from lti_tool.pairing.models import Group, Plan
from lti_tool.pairing.rules.changes import (
    Absent,
    Change,
    KeepApart,
    LeaveOut,
    Outcome,
    Pin,
    Swap,
    UndoAbsent,
    UndoKeepApart,
    Unpin,
    outcome,
    up_to_date,
)
from lti_tool.pairing.rules.comparing import Comparison
from lti_tool.pairing.rules.views import Alone, Cause
from lti_tool.pairing.service import decisions
from lti_tool.pairing.service.conditions import current_plan
from lti_tool.pairing.service.groups import why_alone
from lti_tool.pairing.store.plans import Stored, find_plan, hold, hold_groups, load, note_moves, store_changes, touch
from lti_tool.web.visits import Visit

CAUSES: Final = {cause: Cause(cause.value) for cause in engine.Cause if cause.value in set(Cause)}
"""What members are told of the engine's causes. Someone who is absent is told nothing."""
CAUSES[engine.Cause.RULE_CHANGED] = Cause.PLAN_CHANGED


def preview(session: Session, activity: Activity, change: Change, *, now: datetime) -> Comparison:
    """What a change would do to the plan as it is now. Nothing is stored. Raises as `apply`, except PlanChanged."""
    plan = find_plan(session, activity.id)
    _refuse(session, activity, plan, change)
    if plan is None:
        return Comparison()
    return outcome(current_plan(session, activity, plan, now=now), change).effect


def apply(
    session: Session,
    activity_id: int,
    change: Change,
    *,
    expected_version: int | None,
    by: int | None,
    now: datetime,
    anyway: bool = False,
) -> Comparison:
    """Make a change, with as few other changes as possible. `by` is a person.

    `expected_version` is the version of the plan that someone looked at, None if there was none; for Unpin and
    UndoKeepApart it does not matter. `anyway` lets a swap break a rule. People can be pinned and kept apart before
    there is a plan. Raises PlanChanged, NoPlan, RuleBroken for a swap that breaks a rule, PinImpossible,
    ExclusionImpossible, MemberUnknown, ActivityReadOnly, and what `outcome` raises.
    """
    activity = hold(session, activity_id)
    activities.refuse_read_only(session, activity)
    plan = find_plan(session, activity_id)
    leaves_groups = isinstance(change, Unpin | UndoKeepApart)
    if not leaves_groups and plan is None and expected_version:
        raise NoPlan(activity_id)
    if not leaves_groups and plan is not None and plan.version != (expected_version or 0):
        raise PlanChanged(plan.id, plan.version)
    _refuse(session, activity, plan, change)
    if plan is None or leaves_groups:
        decisions.record(session, activity, change, by=by, now=now)
        return Comparison()
    hold_groups(session, plan)
    stored = load(session, plan)
    made = outcome(current_plan(session, activity, plan, now=now, stored=stored), change)
    if isinstance(change, Swap) and not anyway and made.effect.newly_broken:
        raise RuleBroken(plan.id, made.effect.newly_broken)
    decisions.record(session, activity, change, by=by, now=now)
    usual = Cause.MADE_ROOM if isinstance(change, Absent | UndoAbsent | LeaveOut) else Cause.PLAN_CHANGED
    _store(session, plan, stored, made, now, usual=usual)
    if isinstance(change, LeaveOut):
        _tell_left_behind(session, plan, made, now)
    return made.effect


def follow_course(session: Session, activity_id: int, *, now: datetime) -> Comparison:
    """Bring the plan up to date with roster and rounds, with as few changes as possible. It can be repeated safely.

    A newcomer is paired with someone who lost a partner; otherwise a pair becomes a trio. Groups that have begun and
    rounds that are over stay; so do groups that break a newer rule, until someone mends the plan.
    """
    activity = hold(session, activity_id)
    plan = find_plan(session, activity_id)
    if plan is None or activities.is_read_only(session, activity):
        return Comparison()
    hold_groups(session, plan)
    stored = load(session, plan)
    made = up_to_date(current_plan(session, activity, plan, now=now, stored=stored))
    _store(session, plan, stored, made, now)
    _tell_left_behind(session, plan, made, now)
    return made.effect


def place_at_launch(session: Session, visit: Visit, *, now: datetime) -> None:
    """Place a learner within seconds who launches and has no group although the plan may have room."""
    activity = activities.activity_of(session, visit.placement_id)
    if activity is None or visit.member_id is None or visit.role != CourseRole.LEARNER or visit.is_preview:
        return
    if Alone.COMING in why_alone(session, activity, visit.member_id, now=now).values():
        tell_plans(session, activity.course_id, now=now, institution_id=activity.institution_id)


def begin(session: Session, group_id: int, *, now: datetime) -> None:
    """Record that the group has begun, so that it is not changed any more. `Step.begins_group` says what begins it."""
    session.execute(update(Group).where(Group.id == group_id, Group.begun_at.is_(None)).values(begun_at=now))


def _refuse(session: Session, activity: Activity, plan: Plan | None, change: Change) -> None:
    decisions.refuse(session, activity, change)
    if plan is None and not isinstance(change, Pin | Unpin | KeepApart | UndoKeepApart):
        raise NoPlan(activity.id)


def _store(
    session: Session, plan: Plan, stored: Stored, made: Outcome, now: datetime, *, usual: Cause = Cause.MADE_ROOM
) -> None:
    """Store the groups that differ, and note why members of a published plan have other partners.

    `usual` is the cause for people whose group could have stayed as it was.
    """
    if not made.effect.touched and made.after.unpaired == stored.schedule.unpaired:
        return
    store_changes(session, plan, stored, made.after)
    touch(session, plan, now)
    if plan.state == "published":
        activities.completion_changed(session, plan.activity_id, made.effect.moved, now=now)
        moves = [(stored.rounds[number - 1].id, person, cause) for number, person, cause in _causes(made, usual)]
        note_moves(session, plan, moves, now)


def _tell_left_behind(session: Session, plan: Plan, made: Outcome, now: datetime) -> None:
    """Recompute the progress of everyone in a group that someone left: less is asked of them."""
    if plan.state == "published":
        gone = made.current.gone
        rounds = made.current.schedule.rounds
        left_behind = {person for groups in rounds for group in groups if gone & set(group) for person in group}
        activities.completion_changed(session, plan.activity_id, left_behind, now=now)


def _causes(made: Outcome, usual: Cause) -> list[tuple[int, int, Cause]]:
    """The round, the member and the cause for every member of today who has other partners in a round."""
    current = made.current
    known = current.seated | {missing.person for missing in current.schedule.unpaired}
    before, after = current.schedule_for(current.course), replace(made.after, course=current.course)
    causes = {**CAUSES, engine.Cause.MADE_ROOM: usual}
    return [
        (moved.round, moved.person, causes[moved.cause] if moved.person in known else Cause.JOINED)
        for moved in engine.changes(before, after)
        if moved.cause in causes
    ]
