"""Background work on plans."""

from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.pairing import service
from lti_tool.roster.service import ROSTER_CHANGED
from lti_tool.support.kit import Kit


def roster_changed(kit: Kit, job: JobContext) -> None:
    """Bring every plan of the course up to date with who is in it, one activity in a transaction."""
    with kit.open_session(job.institution) as session:
        planned = service.planned_activities(session, job.number("course_id"))
    for activity_id in planned:
        with kit.open_session(job.institution) as session:
            service.follow_course(session, activity_id, now=kit.clock.now())


HANDLERS: dict[str, Handler] = {ROSTER_CHANGED: roster_changed}
