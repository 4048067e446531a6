"""When and where a group meets: propose, accept, change, cancel; remind a partner who does not answer."""

from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.rules import kind_of
from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.activities.service import activity_at, is_read_only
from lti_tool.errors import NotFound
from lti_tool.meetings import forms, service, wording
from lti_tool.meetings.forms import NAMES, Reading, TimesText
from lti_tool.meetings.rules.calendar import Status, as_calendar
from lti_tool.meetings.rules.times import LENGTHS
from lti_tool.meetings.service import Planned
from lti_tool.support.zones import zone_label
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer
from lti_tool.web.i18n import zone_of_reader

pages = Blueprint("meetings", __name__)

__all__ = ["NAMES", "pages"]

FILE: Final = "meeting"


@pages.get("/round/<int:number>/time")
@on_visit(may="take part")
def show(here: Here, number: int) -> ResponseReturnValue:
    """How the meeting of one's group in a round stands, and the form to propose times."""
    return _page(here, _planned(here, number), TimesText())


@pages.post("/round/<int:number>/time")
@on_visit(may="take part")
def act(here: Here, number: int) -> ResponseReturnValue:
    """Every button of that page, and those beside a round on the first page."""
    planned = _planned(here, number)
    wish, _, what = request.form.get("do", "").partition(":")
    if wish == "propose":
        return _propose(here, planned)
    said = _do(here, planned, wish, int(what) if what.isdecimal() and len(what) < 10 else 0)
    if request.form.get("from") == "home":
        return redirect(url_for("home.show", said=said, _anchor=f"round-{number}"), code=303)
    if request.form.get("from") == "meeting":
        return redirect(url_for("meeting.show", number=number), code=303)
    return redirect(url_for(".show", number=number, said=said), code=303)


def _propose(here: Here, planned: Planned) -> ResponseReturnValue:
    text = forms.typed(request.form, request.form.getlist("offers"))
    reading = forms.read(text, zone=zone_of_reader(planned.activity.time_zone), now=here.now)
    if reading.problems:
        return make_response(_page(here, planned, text, reading), 422)
    service.propose(here.session, planned, reading.wanted, now=here.now)
    return redirect(url_for(".show", number=planned.round.number, said="proposed"), code=303)


def _do(here: Here, planned: Planned, wish: str, number: int) -> str:
    """One of the small buttons. Returns what the page is told about it."""
    match wish:
        case "accept":
            return "agreed" if service.accept(here.session, planned, number, now=here.now) else "accepted"
        case "withdraw":
            service.withdraw(here.session, planned, now=here.now)
            return "withdrawn"
        case "cancel":
            service.cancel(here.session, planned, now=here.now)
            return "canceled"
        case "take_up":
            return "agreed" if service.take_up(here.session, planned, now=here.now) else "proposed"
        case "skip" | "unskip":
            service.skip_date(here.session, planned, number, now=here.now, undo=wish == "unskip")
            return "skipped" if wish == "skip" else "taken_up"
        case _:
            raise NotFound("button", wish[:20])


@pages.post("/round/<int:number>/nudge/<int:member_id>")
@on_visit(may="take part")
def nudge(here: Here, number: int, member_id: int) -> ResponseReturnValue:
    """Remind a partner who does not answer, go on without them, or say that they have answered."""
    planned, now = _planned(here, number), here.now
    said = wish = request.form.get("do", "")
    match wish:
        case "answered":
            service.answer_nudge(here.session, planned, member_id, now=now)
        case "alone":
            service.go_on_alone(here.session, planned, member_id, now=now)
        case "together":
            service.work_together(here.session, planned, member_id, now=now)
        case "change":
            asked = service.ask_for_partner(here.session, planned, member_id, by=here.person_id, now=now)
            said = f"change_{asked.value}"
        case _:
            service.nudge(here.session, planned, member_id, now=now)
            said = "nudged"
    return redirect(url_for("home.show", said=said, _anchor=f"round-{number}"), code=303)


@pages.post("/round/<int:number>/here")
@on_visit(may="take part")
def come_back(here: Here, number: int) -> ResponseReturnValue:
    """Say that one is there again, after a partner got somebody else."""
    activity = activity_at(here.session, here.placement_id)
    is_placed = service.come_back(here.session, activity, number, here.member_id or 0, by=here.person_id, now=here.now)
    said = "back_placed" if is_placed else "back_waiting"
    return redirect(url_for("home.show", said=said, _anchor=f"round-{number}"), code=303)


@pages.post("/round/<int:number>/time/file")
@on_visit(may="take part")
def take_along(here: Here, number: int) -> ResponseReturnValue:
    """Offer the meeting with all its dates as a calendar file."""
    planned = _planned(here, number)
    return offer(here, FILE, round_id=planned.round.id, title=planned.activity.title)


@builds(pages, FILE)
def build_file(here: Here, details: dict[str, Any]) -> Response:
    """The meeting of one round as a calendar file. One that is off tells calendars to drop it."""
    held = service.events_of(here.session, here.member_id or 0, now=here.now, round_id=details["round_id"])
    if not held:
        raise NotFound("meeting", details["round_id"])
    host = urlsplit(here.kit.settings.base_url).hostname or "tandem"
    is_off = all(one.status is Status.CANCELED for one in held)
    answer = make_response(
        as_calendar(wording.calendar_events(held, host=host), name=details["title"], is_canceled=is_off)
    )
    answer.headers["Content-Type"] = f"text/calendar; charset=utf-8; method={'CANCEL' if is_off else 'PUBLISH'}"
    answer.headers["Content-Disposition"] = 'attachment; filename="meeting.ics"'
    return answer


def _planned(here: Here, number: int) -> Planned:
    activity = activity_at(here.session, here.placement_id)
    return service.find_planned(here.session, activity, number, here.member_id or 0)


def _page(here: Here, planned: Planned, text: TimesText, reading: Reading | None = None) -> str:
    activity = planned.activity
    zone = zone_of_reader(activity.time_zone)
    view = service.of_groups(here.session, [planned.group_id], now=here.now)[planned.group_id]
    nudges = service.nudges_of(here.session, activity, planned.member_id)
    read_only = is_read_only(here.session, activity)
    minutes = int(text.minutes) if text.minutes.isdecimal() and int(text.minutes) in LENGTHS else LENGTHS[0]
    suits = service.offered(here.session, planned, minutes=minutes, now=here.now) if not read_only else ()
    problems = reading.problems if reading is not None else {}
    return render_template(
        "meetings/time.html",
        activity=activity,
        kind=kind_of(activity.kind),
        round=planned.round,
        meeting=wording.shown(view, planned.member_id, zone, nudges, now=here.now, is_read_only=read_only),
        offers=[(one.isoformat(), wording.clock_words(one, zone, here.now)) for one in suits],
        lengths=[(minutes, wording.length_words(minutes)) for minutes in LENGTHS],
        rhythms=[(rhythm.value, gettext(wording.RHYTHMS[rhythm])) for rhythm in Rhythm],
        zone=zone_label(zone.key),
        text=text,
        problems=problems,
        summary=[(field, gettext(sentence)) for field, sentence in problems.items()],
        twice={
            number: [wording.offset_words(one, zone) for one in moments]
            for number, moments in (reading.twice.items() if reading is not None else ())
        },
        said=request.args.get("said"),
    )
