"""Background work on launches."""

from lti_tool.errors import ToolError
from lti_tool.jobs.queue import GiveUp, Handler, JobContext
from lti_tool.launch.gateway import notices
from lti_tool.launch.service.arrivals import SUBSCRIBE
from lti_tool.registration.models import Deployment, Registration
from lti_tool.registration.rules.registrations import owns
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

log = get_logger(__name__)


def subscribe(kit: Kit, job: JobContext) -> None:
    """Ask the platform of a deployment for its notices of copied courses. If that fails, a launch a day later does."""
    deployment_id, url = job.number("deployment_id"), job.payload.get("url")
    if not isinstance(url, str):
        raise GiveUp("malformed payload")
    with kit.open_session(job.institution) as session:
        deployment = session.get(Deployment, deployment_id)
        registration = session.get(Registration, deployment.registration_id) if deployment is not None else None
        if registration is None or not owns(registration, url):
            return
        registration_id = registration.id
    try:
        status = notices.subscribe(kit, registration_id, url, f"{kit.settings.base_url}/lti/notices")
    except ToolError as failure:
        # Not raised: the platform would count as down, and its scores and rosters would wait.
        log.warning("notices not asked for", registration_id=registration_id, error=type(failure).__name__)
        return
    if not 200 <= status < 300:
        log.warning("notices refused", registration_id=registration_id, status_code=status)
        return
    with kit.open_session(job.institution) as session:
        session.get_one(Deployment, deployment_id).notices_url = url


HANDLERS: dict[str, Handler] = {SUBSCRIBE: subscribe}
