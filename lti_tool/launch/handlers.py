"""Background work on launches."""

from lti_tool.jobs.queue import GiveUp, Handler, JobContext
from lti_tool.launch.service import notices
from lti_tool.launch.service.arrivals import SUBSCRIBE
from lti_tool.support.kit import Kit


def subscribe(kit: Kit, job: JobContext) -> None:
    """Ask the platform of a deployment for its notices of copied courses."""
    url = job.payload.get("url")
    if not isinstance(url, str):
        raise GiveUp("malformed payload")
    handler = f"{kit.settings.base_url}/lti/notices"
    notices.subscribe(kit, job.institution, job.number("deployment_id"), url, handler)


HANDLERS: dict[str, Handler] = {SUBSCRIBE: subscribe}
