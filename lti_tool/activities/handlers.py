"""Background work on activities."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select

from lti_tool.activities import service
from lti_tool.activities.models import Activity
from lti_tool.jobs import queue
from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.launch.models import Course, CourseRole, Member
from lti_tool.registration.errors import RegistrationPaused, TokenRefused
from lti_tool.registration.models import Deployment
from lti_tool.roster import gateway
from lti_tool.roster import service as roster
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


def check_links(kit: Kit, job: JobContext) -> None:
    """Ask the platform for links that nobody opened for a day, and archive those that it does not have any more."""
    course_id, now = job.number("course_id"), kit.clock.now()
    with kit.open_session(job.institution) as session:
        course = session.get_one(Course, course_id)
        url, deployment_id = course.memberships_url, course.deployment_id
        registration_id = session.get_one(Deployment, deployment_id).registration_id
        links = [(one.id, one.resource_link_id) for one in roster.quiet_links(session, course_id, now=now)]
    if url is None:
        return
    for placement_id, resource_link_id in links:
        try:
            is_there = gateway.has_link(kit, registration_id, course_id, url, resource_link_id)
        except (RegistrationPaused, TokenRefused):
            return  # The next complete roster has the links asked for again.
        if not is_there:
            with kit.open_session(job.institution) as session:
                service.archive(session, placement_id, now=now)


def purge_drafts(kit: Kit, _: JobContext) -> None:
    """Delete drafts that nobody placed."""
    with kit.open_session() as session:
        service.purge_drafts(session, now=kit.clock.now())


HANDLERS: dict[str, Handler] = {
    service.SETTINGS_CHANGED: settings_changed,
    roster.CHECK_LINKS: check_links,
    PURGE: purge_drafts,
}
PERIODIC: Mapping[str, timedelta] = {PURGE: timedelta(days=1)}
