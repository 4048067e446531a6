"""Keep a plan up to date: with the roster, with rounds, with who turns up, and with who turns out to be staff."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.service import completion_changed
from lti_tool.launch.rules.roles import CourseRole
from lti_tool.launch.service.arrivals import tell_plans
from lti_tool.pairing import foreseeing
from lti_tool.pairing.applying import held, keep, refuse_changed
from lti_tool.pairing.comparing import Comparison
from lti_tool.pairing.errors import AbsenceImpossible
from lti_tool.pairing.foreseeing import Foreseen, Present, look
from lti_tool.pairing.keeping import find_plan, hold, hold_to_change
from lti_tool.pairing.matched import why_alone
from lti_tool.pairing.models import Absence, Group, Plan, Seat
from lti_tool.pairing.rules import Alone, Cause
from lti_tool.roster import service as roster
from lti_tool.web.visits import Visit


@dataclass(frozen=True, slots=True)
class Changes:
    """What keeping up with a course did to a plan, as member ids."""

    left: Set[int] = frozenset()
    joined: Set[int] = frozenset()
    moved: Set[int] = frozenset()
    """Everybody who has other partners than before in some round."""


def follow_course(session: Session, activity_id: int, *, now: datetime) -> Changes:
    """Bring the plan up to date with roster and rounds, changing as few groups as possible. Repeating is harmless.

    A newcomer joins whoever lost a partner, else a pair becomes a trio; who lost a partner is treated alike. Groups in
    which somebody has begun to write, and rounds whose date is over, are left alone; so are groups that break a rule
    which came after them, until somebody has them mended.
    """
    activity = hold(session, activity_id)
    plan = find_plan(session, activity_id)
    if plan is None or activities.is_read_only(session, activity):
        return Changes()
    # A group that begins while we look is waited for here, or waits for us.
    session.execute(select(Group.id).where(Group.plan_id == plan.id).with_for_update())
    present = look(session, activity, plan, now=now)
    return _keep_up(session, foreseeing.brought_up_to_date(present), now)


def preview_leave_out(session: Session, plan: Plan, member_id: int, *, now: datetime) -> Comparison:
    """What leaving out a learner who is staff would do. Raises MemberUnknown of somebody of another course."""
    activity = session.get_one(Activity, plan.activity_id)
    roster.member_of(session, activity.course_id, member_id)
    return foreseeing.left_out(look(session, activity, plan, now=now), member_id).effect


def leave_out(session: Session, plan: Plan, member_id: int, *, expected_version: int, now: datetime) -> Comparison:
    """Say that somebody whom the platform lists as a learner is staff, so that nobody is paired with them.

    Raises PlanChanged, MemberUnknown, and ActivityReadOnly.
    """
    present = held(session, plan, expected_version, now)
    roster.name_as_staff(session, present.activity.course_id, member_id, now=now)
    foreseen = foreseeing.left_out(present, member_id)
    _keep_up(session, foreseen, now)
    return foreseen.effect


def _keep_up(session: Session, foreseen: Foreseen, now: datetime) -> Changes:
    present, effect = foreseen.present, keep(session, foreseen, now, usual=Cause.MADE_ROOM)
    if present.plan.state == "published":
        # Whoever stays in a group with somebody who left is asked for less, though nothing of the plan changed.
        rounds = present.stored.schedule.rounds
        left_behind = {one for groups in rounds for group in groups if present.gone & set(group) for one in group}
        completion_changed(session, present.plan.activity_id, left_behind, now=now)
    joined = {one for groups in foreseen.after.rounds for group in groups for one in group} - present.seated
    return Changes(present.gone & effect.moved, joined, effect.moved)


def place_at_launch(session: Session, visit: Visit, *, now: datetime) -> None:
    """Have a learner placed within seconds who launches and stands in no group although the plan may have room."""
    activity = activities.activity_of(session, visit.placement_id)
    if activity is None or visit.member_id is None or visit.role != CourseRole.LEARNER or visit.is_preview:
        return
    if Alone.COMING in why_alone(session, activity, visit.member_id, now=now).values():
        tell_plans(session, activity.course_id, now=now, institution_id=activity.institution_id)


def preview_absent(session: Session, plan: Plan, group_id: int, member_id: int, *, now: datetime) -> Comparison:
    """What it would do if somebody did not turn up in the round of this group. Raises AbsenceImpossible."""
    present = look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
    return foreseeing.stepped_in(present, member_id, _round_of(session, present, group_id, member_id)).effect


def report_absent(
    session: Session,
    plan: Plan,
    group_id: int,
    member_id: int,
    *,
    expected_version: int,
    by: int | None,
    now: datetime,
) -> Comparison:
    """Staff say that somebody does not turn up in one round: whoever would be alone gets a partner, where one is free.

    Raises PlanChanged, AbsenceImpossible (nobody of that group, it has begun, the round is over), ActivityReadOnly.
    """
    present = held(session, plan, expected_version, now)
    number = _round_of(session, present, group_id, member_id)
    foreseen = foreseeing.stepped_in(present, member_id, number)
    round_id = present.stored.rounds[number - 1].id
    session.add(Absence(round_id=round_id, member_id=member_id, said_by_id=by, said_at=now))
    session.flush()
    return keep(session, foreseen, now, usual=Cause.MADE_ROOM)


def _round_of(session: Session, present: Present, group_id: int, member_id: int) -> int:
    """The number of the round in which this member sits in this group. Raises AbsenceImpossible."""
    round_id = session.scalar(
        select(Seat.round_id).where(
            Seat.group_id == group_id, Seat.member_id == member_id, Seat.plan_id == present.plan.id
        )
    )
    number = next((at for at, one in enumerate(present.stored.rounds, start=1) if one.id == round_id), None)
    if number is None:
        raise AbsenceImpossible("no group")
    return number


def take_back_absence(
    session: Session, plan: Plan, round_number: int, member_id: int, *, expected_version: int, now: datetime
) -> Comparison:
    """They turn up after all, and are placed again. Raises PlanChanged and ActivityReadOnly."""
    activity = hold_to_change(session, plan.activity_id)
    refuse_changed(session, plan, expected_version)
    rounds = select(Round.id).where(Round.activity_id == activity.id, Round.number == round_number)
    session.execute(delete(Absence).where(Absence.round_id.in_(rounds), Absence.member_id == member_id))
    present = look(session, activity, plan, now=now)
    return keep(session, foreseeing.supposing(present), now, usual=Cause.MADE_ROOM)


def begin(session: Session, group_id: int, *, now: datetime) -> None:
    """Record that somebody in the group has begun to write, so that it is not changed any more."""
    session.execute(update(Group).where(Group.id == group_id, Group.begun_at.is_(None)).values(begun_at=now))
