"""What stands at a link when "Select content" was used there once more."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState
from lti_tool.support.crypto import new_secret


def chosen_instead(session: Session, standing: Activity, key: str | None) -> Activity | None:
    """The activity that the link names now, where it is not the one that stands there and nobody has decided yet.

    `key` is what the link carried at the launch. Only activities of this course that stand nowhere are looked at.
    """
    if not key or key in {standing.key, standing.origin_key}:
        return None
    return session.scalar(
        select(Activity).where(
            Activity.key == key, Activity.course_id == standing.course_id, Activity.placement_id.is_(None)
        )
    )


def take_its_place(session: Session, standing: Activity, chosen: Activity, *, by: int, now: datetime) -> None:
    """Put the chosen activity where the other stands, which becomes a draft. Nobody may have begun to work in it."""
    placement_id = standing.placement_id
    standing.placement_id = None
    _becomes_draft(standing, by=by, now=now)
    session.flush()
    chosen.placement_id = placement_id
    session.flush()


def keep_standing(session: Session, standing: Activity, chosen: Activity, *, by: int, now: datetime) -> None:
    """Leave the activity where it stands: the link's key means it from now on.

    The chosen one becomes a draft with a key of its own, so that the link still finds what stands there when the draft
    is deleted, and a duplicate of the link is not given the draft.
    """
    standing.origin_key, chosen.key = chosen.key, new_secret(16)
    _becomes_draft(chosen, by=by, now=now)
    session.flush()


def _becomes_draft(activity: Activity, *, by: int, now: datetime) -> None:
    activity.state, activity.closed_at = ActivityState.DRAFT, None
    activity.changed_by_id, activity.changed_at = by, now
