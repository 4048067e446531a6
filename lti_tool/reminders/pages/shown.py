"""When whom was reminded, and why: for a learner their own reminders and letters, for staff everybody's."""

from typing import Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.service import activity_at
from lti_tool.errors import NotAllowed
from lti_tool.pairing import service as pairing
from lti_tool.reminders import service
from lti_tool.reminders.wording import RULES, SHORT
from lti_tool.web.access import Here, on_visit

pages = Blueprint("reminders", __name__)

A_PAGE: Final = 50


@pages.get("/reminders")
@on_visit(may="take part")
def show(here: Here) -> ResponseReturnValue:
    """One's own reminders and whether letters come; for staff who was reminded when, and by what rule."""
    activity = activity_at(here.session, here.placement_id)
    has_server = here.kit.settings.smtp_url is not None
    if here.is_staff:
        page = min(max(request.args.get("page", 1, type=int), 1), 10_000)
        who = request.args.get("who", type=int)
        given = (
            service.given_in(here.session, activity.id, most=A_PAGE + 1, after=(page - 1) * A_PAGE)
            if who is None
            else service.reminders_of(here.session, activity.id, who, most=A_PAGE)
        )
        return render_template(
            "reminders/of_all.html",
            activity=activity,
            given=given[:A_PAGE],
            page=page,
            has_more=len(given) > A_PAGE,
            names=pairing.names_of(here.session, {one.member_id for one in given}),
            is_on=service.standing_of(here.session, here.person_id, has_server=has_server).is_on,
            trouble=service.mail_trouble(here.session),
            short=SHORT,
        )
    return render_template(
        "reminders/own.html",
        activity=activity,
        given=service.reminders_of(here.session, activity.id, here.member_id or 0, most=A_PAGE),
        standing=service.standing_of(here.session, here.person_id, has_server=has_server),
        rules=RULES,
        said=request.args.get("said"),
    )


@pages.post("/reminders")
@on_visit(may="take part")
def decide(here: Here) -> ResponseReturnValue:
    """Stop letters to oneself, or have them come again."""
    if here.is_staff:
        raise NotAllowed("letters", here.role)
    activity_at(here.session, here.placement_id)
    wants = request.form.get("do") == "again"
    if wants:
        service.take_up(here.session, here.person_id)
    else:
        service.stop(here.session, here.person_id, now=here.now)
    return redirect(url_for(".show", said="again" if wants else "stopped"), code=303)
