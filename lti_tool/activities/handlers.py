"""Background work on activities."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select

from lti_tool.activities import service
from lti_tool.activities.models import Activity
from lti_tool.jobs import queue
from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.launch.models import CourseRole, Member
from lti_tool.support.kit import Kit

PURGE = "activities.purge_drafts"
AT_ONCE = 500


def settings_changed(kit: Kit, job: JobContext) -> None:
    """Have the completion of every learner worked out again, some hundreds in a transaction."""
    activity_id, last = job.number("activity_id"), 0
    while True:
        with kit.open_session(job.institution) as session:
            members = session.scalars(
                select(Member.id)
                .join(Activity, Activity.course_id == Member.course_id)
                .where(Activity.id == activity_id, Member.id > last, Member.role == CourseRole.LEARNER)
                .order_by(Member.id)
                .limit(AT_ONCE)
            ).all()
            for member_id in members:
                queue.enqueue(
                    session,
                    "progress.changed",
                    {"activity_id": activity_id, "member_id": member_id},
                    institution_id=job.institution,
                    now=kit.clock.now(),
                    unique_key=f"progress.changed:{activity_id}:{member_id}",
                )
        if len(members) < AT_ONCE:
            return
        last = members[-1]


def purge_drafts(kit: Kit, _: JobContext) -> None:
    """Delete drafts that nobody placed."""
    with kit.open_session() as session:
        service.purge_drafts(session, now=kit.clock.now())


HANDLERS: dict[str, Handler] = {service.SETTINGS_CHANGED: settings_changed, PURGE: purge_drafts}
PERIODIC: Mapping[str, timedelta] = {PURGE: timedelta(days=1)}
