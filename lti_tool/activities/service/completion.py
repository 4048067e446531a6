"""Have completion looked at again, by jobs of `progress`, which comes later than most that changes completion."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from lti_tool.jobs import queue
from lti_tool.support.db import served_institution

PROGRESS_CHANGED: Final = "progress.changed"
"""The job that works out one member's completion."""
EVERYBODY_CHANGED: Final = "progress.everybody_changed"
"""The job that works out everybody's."""
FEW: Final = 100
"""Up to so many people are named in jobs of their own; beyond, one job looks at everybody."""


def completion_changed(
    session: Session,
    activity_id: int,
    members: Collection[int] | None = None,
    *,
    now: datetime,
    institution_id: int | None = None,
) -> None:
    """Have the completion of these members, or of everybody, worked out again once this transaction is committed.

    `institution_id` is for sessions that serve several.
    """
    if members is None or len(members) > FEW:
        _look_at_everybody(session, activity_id, now=now)
        return
    queue.enqueue_all(
        session,
        PROGRESS_CHANGED,
        {
            f"{PROGRESS_CHANGED}:{activity_id}:{member_id}": {"activity_id": activity_id, "member_id": member_id}
            for member_id in sorted(members)
        },
        institution_id=institution_id or served_institution(session),
        now=now,
    )


def completion_changes_at(session: Session, activity_id: int, moment: datetime, *, now: datetime) -> None:
    """Have everybody's completion worked out again just after this moment, or sooner if that was asked for before."""
    _look_at_everybody(session, activity_id, now=now, due_at=moment + timedelta(seconds=1))


def _look_at_everybody(session: Session, activity_id: int, *, now: datetime, due_at: datetime | None = None) -> None:
    queue.enqueue(
        session,
        EVERYBODY_CHANGED,
        {"activity_id": activity_id},
        institution_id=served_institution(session),
        now=now,
        due_at=due_at,
        unique_key=f"{EVERYBODY_CHANGED}:{activity_id}{'' if due_at is None else ':later'}",
    )
