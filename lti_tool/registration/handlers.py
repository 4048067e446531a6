"""Background work on keys and tokens."""

from datetime import timedelta

from sqlalchemy import delete

from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.registration.models import AccessToken
from lti_tool.registration.service import keys
from lti_tool.support.kit import Kit

UPKEEP = "registration.upkeep"


def upkeep(kit: Kit, _: JobContext) -> None:
    """Delete signing keys that nobody can meet any more, and tokens that ran out a day ago."""
    now = kit.clock.now()
    with kit.open_session() as session:
        keys.delete_retired(session, now=now)
        session.execute(delete(AccessToken).where(AccessToken.expires_at < now - timedelta(days=1)))


HANDLERS: dict[str, Handler] = {UPKEEP: upkeep}
PERIODIC: dict[str, timedelta] = {UPKEEP: timedelta(days=1)}
