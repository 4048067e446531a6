"""The page on which a member gets a private address for their calendar, and gives it up."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.service import activity_of
from lti_tool.meetings import service
from lti_tool.meetings.errors import CalendarUnknown
from lti_tool.web.access import Here, on_visit

pages = Blueprint("calendar", __name__)


@pages.get("/calendar")
@on_visit(may="take part")
def show(here: Here) -> ResponseReturnValue:
    """What a private calendar address is, and whether one exists."""
    return _page(here, said=request.args.get("said"))


@pages.post("/calendar")
@on_visit(may="take part")
def make(here: Here) -> ResponseReturnValue:
    """Make an address in place of the one before, shown this once; or give it up."""
    member_id = _member_id(here)
    if request.form.get("do") == "give_up":
        service.give_up_address(here.session, member_id)
        return redirect(url_for(".show", said="given_up"), code=303)
    secret = service.make_address(here.session, member_id, now=here.now)
    path = url_for("calendar_feed.read", secret=secret)
    return _page(here, address=f"{here.kit.settings.base_url}{path}")


def _member_id(here: Here) -> int:
    if here.member_id is None or here.is_preview:
        raise CalendarUnknown
    return here.member_id


def _page(here: Here, *, address: str | None = None, said: str | None = None) -> str:
    activity = activity_of(here.session, here.placement_id)
    return render_template(
        "meetings/calendar.html",
        address=address,
        made_at=service.address_made_at(here.session, _member_id(here)),
        zone=activity.time_zone if activity is not None else None,
        said=said,
    )
