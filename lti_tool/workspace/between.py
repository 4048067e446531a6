"""Something happened between meetings: reflect on it at any time, for oneself, and bring it to the next meeting."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import kind_of
from lti_tool.activities.service import activity_at, is_read_only
from lti_tool.feedback import service as feedback
from lti_tool.feedback.errors import PreviewOnly
from lti_tool.feedback.forms import versions_seen
from lti_tool.feedback.models import Occasion
from lti_tool.feedback.pages import clock_of, device_of, saved_in_words
from lti_tool.feedback.rules import Aside
from lti_tool.feedback.service import Saved
from lti_tool.web.access import Here, on_visit
from lti_tool.web.pages import unsent_store

pages = Blueprint("between", __name__)


@pages.post("/between")
@on_visit(may="take part")
def begin(here: Here) -> ResponseReturnValue:
    """Begin to reflect on something that just happened."""
    activity = activity_at(here.session, here.placement_id)
    if here.is_preview or here.member_id is None:
        raise PreviewOnly
    occasion = feedback.begin_occasion(here.session, activity, here.member_id, now=here.now)
    return redirect(url_for(".show", occasion_id=occasion.id), code=303)


@pages.get("/between/<int:occasion_id>")
@on_visit(may="take part")
def show(here: Here, occasion_id: int) -> ResponseReturnValue:
    """The questions, with what is written so far."""
    activity, occasion = _found(here, occasion_id)
    asides: dict[str, list[Aside]] = {}
    for aside in feedback.asides_of(occasion):
        asides.setdefault(aside.field, []).append(aside)
    return render_template(
        "feedback/occasion.html",
        activity=activity,
        occasion=occasion,
        filled={
            "form": feedback.form_of_occasions(activity),
            "fields": occasion.fields,
            "problems": (),
            "asides": asides,
        },
        can_write=not is_read_only(here.session, activity),
        next_meeting=feedback.next_meeting(here.session, activity, occasion.author_id, now=here.now),
        store=unsent_store(here, f"between:{occasion.id}"),
        clock=clock_of(activity),
        said=request.args.get("said"),
    )


@pages.post("/between/<int:occasion_id>")
@on_visit(may="take part")
def act(here: Here, occasion_id: int) -> ResponseReturnValue:
    """Every button of that page: all of it is saved first."""
    activity, occasion = _found(here, occasion_id)
    _save(here, activity, occasion)
    wish, _, what = request.form.get("do", "save").partition(":")
    device, now = device_of(here), here.now
    if wish == "bring" and what.isdecimal() and len(what) < 4:
        step = feedback.bring_to_meeting(here.session, activity, occasion, int(what), device=device, now=now)
        part = next((part.key for part in kind_of(activity.kind).meeting if step in part.steps), None)
        where: dict[str, Any] = {"number": int(what), "part": part, "said": "brought", "_anchor": part}
        return redirect(url_for("meeting.show", **where), code=303)
    if wish in {"use_aside", "drop_aside"}:
        feedback.settle_aside_of(
            here.session, activity, occasion, what, use=wish == "use_aside", device=device, now=now
        )
    said = wish if wish in {"use_aside", "drop_aside"} else "saved"
    return redirect(url_for(".show", occasion_id=occasion_id, said=said), code=303)


@pages.post("/between/<int:occasion_id>/save")
@on_visit(may="take part")
def autosave(here: Here, occasion_id: int) -> ResponseReturnValue:
    """Keep what is typed as it is typed."""
    activity, occasion = _found(here, occasion_id)
    return saved_in_words(_save(here, activity, occasion), activity)


def _found(here: Here, occasion_id: int) -> tuple[Activity, Occasion]:
    activity = activity_at(here.session, here.placement_id)
    return activity, feedback.find_occasion(here.session, activity, occasion_id, here.member_id or 0)


def _save(here: Here, activity: Activity, occasion: Occasion) -> Saved:
    seen = versions_seen(request.form)
    return feedback.save_occasion(
        here.session, activity, occasion, request.form, seen, device=device_of(here), now=here.now
    )
