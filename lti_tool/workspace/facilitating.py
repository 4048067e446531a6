"""The page of a meeting for a member of staff who has the facilitator's seat of the group."""

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.service import activity_at
from lti_tool.feedback import service as feedback
from lti_tool.feedback.service import Meeting
from lti_tool.web.access import Here, on_visit
from lti_tool.workspace.meeting import clock_of, running, start_clock, summary_of

pages = Blueprint("facilitating", __name__)


@pages.post("/round/<int:number>/group/<int:group_id>/seat")
@on_visit(may="facilitate")
def take(here: Here, number: int, group_id: int) -> ResponseReturnValue:
    """Take the facilitator's seat, which opens this group's meeting and no other."""
    activity = activity_at(here.session, here.placement_id)
    feedback.take_seat(here.session, activity, group_id, here.member_id or 0, is_staff=here.is_staff, now=here.now)
    return redirect(url_for(".show", number=number, group_id=group_id), code=303)


@pages.post("/round/<int:number>/group/<int:group_id>/seat/leave")
@on_visit(may="facilitate")
def leave(here: Here, number: int, group_id: int) -> ResponseReturnValue:
    """Leave the seat, which closes the meeting at once."""
    activity = activity_at(here.session, here.placement_id)
    feedback.leave_seat(here.session, activity, group_id, here.member_id or 0, now=here.now)
    return redirect(url_for("meeting.of_all_groups", round=number), code=303)


@pages.get("/round/<int:number>/group/<int:group_id>/meeting")
@on_visit(may="facilitate")
def show(here: Here, number: int, group_id: int) -> ResponseReturnValue:
    """What the group reads of its meeting, with the timer and the facilitator's prompts."""
    return _page(_meeting(here, number, group_id))


@pages.get("/round/<int:number>/group/<int:group_id>/meeting/changes")
@on_visit(may="facilitate")
def changes(here: Here, number: int, group_id: int) -> ResponseReturnValue:
    """The page once more, of which the script takes what is live; 304 while nothing has changed."""
    meeting = _meeting(here, number, group_id)
    if request.headers.get("If-None-Match") == f'"{meeting.version}"':
        return Response(status=304)
    answer = Response(_page(meeting))
    answer.set_etag(meeting.version)
    return answer


@pages.post("/round/<int:number>/group/<int:group_id>/meeting/clock")
@on_visit(may="facilitate")
def set_clock(here: Here, number: int, group_id: int) -> ResponseReturnValue:
    """Begin a timed step of the method, or stop the timer, for all screens of the group."""
    part = start_clock(here, _meeting(here, number, group_id), request.form.get("step", ""))
    return redirect(url_for(".show", number=number, group_id=group_id, part=part, _anchor=part), code=303)


def _meeting(here: Here, number: int, group_id: int) -> Meeting:
    activity = activity_at(here.session, here.placement_id)
    member_id = here.member_id or 0
    return feedback.facilitated_meeting(here.session, activity, number, group_id, member_id, is_staff=here.is_staff)


def _page(meeting: Meeting) -> str:
    steps = {step.key: step for step in meeting.kind.steps}
    return render_template(
        "meeting/facilitate.html",
        meeting=meeting,
        kind=meeting.kind,
        activity=meeting.activity,
        shown_of=lambda part: [
            step
            for key in part.steps
            if (step := steps[key]).is_live and step.form is not None and (step.is_confirmation or step.form.audience)
        ],
        running=running(meeting),
        clock=clock_of(meeting.activity),
        summary=lambda part: summary_of(meeting, part, steps),
    )
