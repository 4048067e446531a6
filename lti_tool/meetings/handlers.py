"""Jobs of this feature: calendars follow the groups."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from lti_tool.jobs.queue import JobContext
from lti_tool.meetings import service
from lti_tool.support.db import across_institutions
from lti_tool.support.kit import Kit


def follow_groups(kit: Kit, _: JobContext) -> None:
    """Cancel meetings in the calendars of people who are no longer in the group that agreed on them."""
    is_any_left = True
    while is_any_left:
        with kit.open_session() as session, across_institutions(session):
            is_any_left = service.follow_groups(session, now=kit.clock.now()) > 0


HANDLERS: Final[dict[str, Callable[[Kit, JobContext], None]]] = {"meetings.follow_groups": follow_groups}
PERIODIC: Final[dict[str, timedelta]] = {"meetings.follow_groups": timedelta(minutes=15)}
