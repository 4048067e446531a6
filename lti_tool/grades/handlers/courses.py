"""The job that asks whether a course is over."""

from lti_tool.grades.handlers.columns import retry_when_token_is_due
from lti_tool.grades.service import scores
from lti_tool.grades.service.places import gradebook_of
from lti_tool.jobs.queue import JobContext
from lti_tool.launch.models import Course
from lti_tool.registration.errors import TokenRefused
from lti_tool.roster.service import has_roster
from lti_tool.support.kit import Kit


def check_course(kit: Kit, job: JobContext) -> None:
    """Ask every service of a course whether it still exists. If all are gone, the course is over; if one is back, it
    goes on.
    """
    course_id = job.number("course_id")
    with kit.open_session(job.institution) as session:
        course = session.get(Course, course_id)
        if course is None:
            return
        gradebook = gradebook_of(session, kit, course)
        container, memberships = course.line_items_url, course.memberships_url
    answers = []
    try:
        if container is not None and gradebook.reads_columns:
            answers.append(gradebook.is_there(container))
        if memberships is not None:
            answers.append(has_roster(kit, gradebook.registration_id, course_id, memberships))
    except TokenRefused as refusal:
        raise retry_when_token_is_due(kit, refusal) from None
    if answers:
        with kit.open_session(job.institution) as session:
            scores.record_course_state(session, course_id, is_there=any(answers), now=kit.clock.now())
