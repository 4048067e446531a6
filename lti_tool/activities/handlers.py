"""Background work on activities."""

from collections.abc import Mapping
from datetime import timedelta

from lti_tool.activities import service
from lti_tool.errors import ToolError
from lti_tool.jobs.queue import Handler, JobContext, RetryLater
from lti_tool.registration.errors import RegistrationPaused, TokenRefused
from lti_tool.roster.errors import RosterError, RosterRefused, RosterThrottled
from lti_tool.roster.service import has_link, links, who_may_open
from lti_tool.roster.service.links import LinkQuestion
from lti_tool.support.http import CallFailed
from lti_tool.support.kit import Kit

PURGE = "activities.purge_drafts"


def check_links(kit: Kit, job: JobContext) -> None:
    """Ask the platform about the links of a course: archive those that it does not have any more, and keep who may open
    the others. A link that it does not answer for is asked about again with the job's next attempt.
    """
    course_id, now = job.number("course_id"), kit.clock.now()
    with kit.open_session(job.institution) as session:
        question = links.question_of(session, course_id, now=now)
    if question is None:
        return
    failed: ToolError | None = None
    for placement_id, resource_link_id in question.links:
        try:
            _check_link(kit, job, question, placement_id, resource_link_id)
        except RosterThrottled as throttled:
            raise RetryLater(throttled.after) from None
        except (RegistrationPaused, TokenRefused):
            return  # The next complete roster has the links asked for again.
        except RosterRefused:
            continue
        except (RosterError, CallFailed) as failure:
            failed = failure
    if failed is not None:
        raise failed


def _check_link(kit: Kit, job: JobContext, question: LinkQuestion, placement_id: int, resource_link_id: str) -> None:
    asked_at = kit.clock.now()
    may_open: set[str] | None = set()
    if question.tells_who:
        may_open = who_may_open(kit, question.roster, resource_link_id)
    elif not has_link(kit, question.roster, resource_link_id):
        may_open = None
    with kit.open_session(job.institution) as session:
        if may_open is None:
            service.archive(session, placement_id, now=asked_at)
        elif question.tells_who:
            links.keep_access(session, placement_id, may_open, asked_at=asked_at, now=kit.clock.now())


def purge_drafts(kit: Kit, _: JobContext) -> None:
    """Delete drafts that nobody placed."""
    with kit.open_session() as session:
        service.purge_drafts(session, now=kit.clock.now())


HANDLERS: dict[str, Handler] = {
    links.CHECK_LINKS: check_links,
    PURGE: purge_drafts,
}
PERIODIC: Mapping[str, timedelta] = {PURGE: timedelta(days=1)}
