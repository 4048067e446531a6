"""Move activities through their life: open, close, reopen, archive."""

from datetime import datetime

from sqlalchemy import update as change
from sqlalchemy.orm import Session

from lti_tool.activities.errors import ActivityReadOnly
from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState, Transition, state_after
from lti_tool.activities.service.lookup import is_course_over
from lti_tool.activities.service.setup import tell, touch
from lti_tool.jobs import queue
from lti_tool.launch.models import Placement


def confirm(session: Session, activity: Activity, *, by: int, now: datetime) -> None:
    """Let learners in: a draft is ready, a copy has been looked at. Raises StepNotPossible or ActivityReadOnly."""
    _refuse_ended(session, activity)
    _take(session, activity, Transition.CONFIRM, by=by, now=now)


def close(session: Session, activity: Activity, *, by: int, now: datetime) -> None:
    """End it: everything can be read, nothing changed, and a zero goes out where the designer chose that."""
    _take(session, activity, Transition.CLOSE, by=by, now=now)
    tell(session, activity, now)
    # What the close let people read stays readable, also if it is opened again in a moment.
    queue.enqueue(session, "feedback.release", {}, institution_id=None, now=now, unique_key="feedback.release:close")


def reopen(session: Session, activity: Activity, *, by: int, now: datetime) -> None:
    """Undo a close. Raises StepNotPossible or ActivityReadOnly."""
    _refuse_ended(session, activity)
    _take(session, activity, Transition.REOPEN, by=by, now=now)
    tell(session, activity, now)


def archive(session: Session, placement_id: int, *, now: datetime) -> None:
    """Remember that the link is gone from its course. What was written stays; a launch brings the placement back."""
    session.execute(
        change(Placement).where(Placement.id == placement_id, Placement.gone_at.is_(None)).values(gone_at=now)
    )


def _take(session: Session, activity: Activity, transition: Transition, *, by: int, now: datetime) -> None:
    session.refresh(activity, with_for_update=True)
    activity.state = state_after(activity.state, transition)
    activity.closed_at = (activity.closed_at or now) if activity.state == ActivityState.CLOSED else None
    touch(session, activity, by=by, now=now)


def _refuse_ended(session: Session, activity: Activity) -> None:
    if is_course_over(session, activity):
        raise ActivityReadOnly(activity.id)
