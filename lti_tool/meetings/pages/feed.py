"""A member's meetings at their private address: for calendar programs, without a visit or a cookie."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, g, make_response, request
from flask_babel import gettext

from lti_tool.meetings import service, wording
from lti_tool.meetings.errors import CalendarBusy, CalendarUnknown
from lti_tool.meetings.rules.calendar import as_calendar
from lti_tool.web.access import kit
from lti_tool.web.database import transaction

pages = Blueprint("calendar_feed", __name__)


@pages.get("/calendar/<secret>.ics")
def read(secret: str) -> Response:
    """The meetings of whoever has this address, for a calendar program."""
    tools = kit()
    try:
        with transaction() as session:
            feed = service.open_feed(session, secret, now=tools.clock.now())
    except CalendarUnknown:
        # A program reads this, so it gets no page; and guesses fill no record.
        return Response(status=404)
    except CalendarBusy:
        return Response(status=429, headers={"Retry-After": "3600"})
    g.locale = feed.locale
    host = urlsplit(tools.settings.base_url).hostname or "tandem"
    events = wording.calendar_events(feed.events, host=host)
    answer = make_response(as_calendar(events, name=gettext("Peer coaching")))
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
