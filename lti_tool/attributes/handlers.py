"""Background work on attributes."""

from lti_tool.attributes.service.groups import take_groups
from lti_tool.errors import ToolError
from lti_tool.jobs.queue import Handler, JobContext, RetryLater
from lti_tool.roster.errors import RosterThrottled
from lti_tool.roster.service import course_groups, groups
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

log = get_logger(__name__)


def read_groups(kit: Kit, job: JobContext) -> None:
    """Read what the platform's groups are called, and give learners their group.

    A service that fails is asked again after the next reading of the roster. Until then people keep the groups that
    they have.
    """
    course_id = job.number("course_id")
    with kit.open_session(job.institution) as session:
        service = groups.service_of(session, course_id)
    if service is None:
        return
    try:
        named = course_groups(kit, service)
    except RosterThrottled as throttled:
        raise RetryLater(throttled.after) from None
    except ToolError as failure:
        # Not raised: the platform would count as down, and its roster would wait.
        log.warning("groups not read", course_id=course_id, error=type(failure).__name__)
        return
    with kit.open_session(job.institution) as session:
        groups.keep_names(session, course_id, named)
        take_groups(session, course_id, now=kit.clock.now())


HANDLERS: dict[str, Handler] = {groups.READ_GROUPS: read_groups}
