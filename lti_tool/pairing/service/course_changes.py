"""Keep plans up to date with the roster and rounds of the course, with launches, and with groups that begin."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.launch.rules.roles import CourseRole
from lti_tool.launch.service.arrivals import tell_plans
from lti_tool.pairing.models import Group
from lti_tool.pairing.rules import Alone
from lti_tool.pairing.rules.changes import up_to_date
from lti_tool.pairing.service.changes import store_outcome, tell_left_behind
from lti_tool.pairing.service.conditions import current_plan
from lti_tool.pairing.service.reasons import why_alone
from lti_tool.pairing.store.plans import find_plan, hold, hold_groups, load
from lti_tool.web.visits import Visit


@dataclass(frozen=True, slots=True)
class CourseChanges:
    """Member ids of the people for whom a plan changed when it was brought up to date."""

    left: Set[int] = frozenset()
    joined: Set[int] = frozenset()
    moved: Set[int] = frozenset()
    """Everyone who has other partners than before in some round."""


def follow_course(session: Session, activity_id: int, *, now: datetime) -> CourseChanges:
    """Bring the plan up to date with roster and rounds, with as few changes as possible. It can be repeated safely.

    A newcomer is paired with someone who lost a partner; otherwise a pair becomes a trio. Groups that have begun and
    rounds that are over stay; so do groups that break a newer rule, until someone mends the plan.
    """
    activity = hold(session, activity_id)
    plan = find_plan(session, activity_id)
    if plan is None or activities.is_read_only(session, activity):
        return CourseChanges()
    hold_groups(session, plan)
    stored = load(session, plan)
    made = up_to_date(current_plan(session, activity, plan, now=now, stored=stored))
    store_outcome(session, plan, stored, made, now)
    tell_left_behind(session, plan, made, now)
    seated = {person for groups in made.after.rounds for group in groups for person in group}
    return CourseChanges(made.current.gone & made.effect.moved, seated - made.current.seated, made.effect.moved)


def place_at_launch(session: Session, visit: Visit, *, now: datetime) -> None:
    """Place a learner within seconds who launches and has no group although the plan may have room."""
    activity = activities.activity_of(session, visit.placement_id)
    if activity is None or visit.member_id is None or visit.role != CourseRole.LEARNER or visit.is_preview:
        return
    if Alone.COMING in why_alone(session, activity, visit.member_id, now=now).values():
        tell_plans(session, activity.course_id, now=now, institution_id=activity.institution_id)


def begin(session: Session, group_id: int, *, now: datetime) -> None:
    """Record that someone in the group has begun to write, so that it is not changed any more."""
    session.execute(update(Group).where(Group.id == group_id, Group.begun_at.is_(None)).values(begun_at=now))
