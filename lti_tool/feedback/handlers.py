"""Jobs of this feature: feedback is released when its time comes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from lti_tool.activities.models import Activity, Round
from lti_tool.feedback import service
from lti_tool.feedback.models import Entry
from lti_tool.jobs import queue
from lti_tool.jobs.queue import JobContext
from lti_tool.support.db import across_institutions
from lti_tool.support.kit import Kit


def release(kit: Kit, job: JobContext) -> None:
    """Release what became due: of one round, or without an institution (the periodic sweep) of all.

    Pages go by the rule and not by this job, so that a worker that is late keeps nothing from anybody; the job is
    what makes the release lasting and lets progress be looked at again.
    """
    now = kit.clock.now()
    if job.institution_id is None:
        released = service.BATCH
        while released == service.BATCH:
            with kit.open_session() as session, across_institutions(session):
                released = service.release_due(session, now=now)
        with kit.open_session() as session, across_institutions(session):
            service.release_pools(session, now=now)
        return
    round_id = job.number("round_id")
    with kit.open_session(job.institution_id) as session:
        while service.release_due(session, now=now, round_id=round_id) == service.BATCH:
            pass
        recipient_id = job.number("recipient_id") if "recipient_id" in job.payload else None
        service.release_pools(session, now=now, round_id=round_id, recipient_id=recipient_id)
        moved_to = session.scalar(
            select(Round.due_at)
            .join(Activity, Activity.id == Round.activity_id)
            .join(Entry, Entry.round_id == Round.id)
            .where(Round.id == round_id, Round.due_at > now)
            .where(Entry.submitted_at.is_not(None), Entry.released_at.is_(None), Entry.recipient_id.is_not(None))
            .limit(1)
        )
        if moved_to is not None:
            queue.enqueue(
                session,
                "feedback.release",
                {"round_id": round_id},
                institution_id=job.institution_id,
                now=now,
                due_at=moved_to,
                unique_key=f"feedback.release:{round_id}",
            )


HANDLERS: Final[dict[str, Callable[[Kit, JobContext], None]]] = {"feedback.release": release}
PERIODIC: Final[dict[str, timedelta]] = {"feedback.release": timedelta(minutes=5)}
