"""The survey as its learners fill it in, and what staff see of it."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at
from lti_tool.errors import NotFound
from lti_tool.surveys import rules, service
from lti_tool.surveys.rules import Moment
from lti_tool.web.access import Here, on_visit

pages = Blueprint("surveys", __name__)


@pages.get("/survey/<moment>")
@on_visit(may="take part")
def show(here: Here, moment: str) -> ResponseReturnValue:
    """The questions, with what the member answered so far. Raises NotFound where the activity asks nothing."""
    activity, asked = _asked(here, moment)
    answers = service.answers_of(here.session, activity, here.member_id or 0).get(asked, {})
    return _page(activity, asked, answers)


@pages.post("/survey/<moment>")
@on_visit(may="take part")
def answer(here: Here, moment: str) -> ResponseReturnValue:
    """Keep the answers; what is left out stays open."""
    activity, asked = _asked(here, moment)
    values = {}
    for place, item in enumerate(rules.items_of(activity.survey or ())):
        typed = request.form.get(f"item-{place}", "")
        if typed in {str(value) for value in rules.SCALE}:
            values[item.key] = int(typed)
    if not values:
        return _page(activity, asked, {}, is_empty=True), 422
    service.answer(here.session, activity, here.member_id or 0, asked, values, now=here.now)
    return redirect(url_for("home.show", said="surveyed"), code=303)


@pages.get("/survey-results")
@on_visit(may="see progress")
def results(here: Here) -> ResponseReturnValue:
    """What changed, for staff; never who answered what."""
    activity = activity_at(here.session, here.placement_id)
    if activity.survey is None:
        raise NotFound("survey", activity.id)
    return render_template(
        "surveys/results.html",
        activity=activity,
        results=service.results_of(here.session, activity),
        scale=rules.SCALE,
    )


def _asked(here: Here, moment: str) -> tuple[Activity, Moment]:
    activity = activity_at(here.session, here.placement_id)
    if activity.survey is None or moment not in set(Moment):
        raise NotFound("survey", moment)
    return activity, Moment(moment)


def _page(activity: Activity, moment: Moment, answers: dict[str, int], *, is_empty: bool = False) -> str:
    return render_template(
        "surveys/show.html",
        activity=activity,
        moment=moment,
        items=rules.items_of(activity.survey or ()),
        scale=rules.SCALE,
        answers=answers,
        is_empty=is_empty,
    )
