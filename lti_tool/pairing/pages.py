"""The page on which staff propose groups, look at them, compare, publish and take back."""

import contextlib
import secrets
from itertools import groupby
from typing import Any, Final

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at, activity_of, rounds_of
from lti_tool.pairing import plan_page, plan_words, service
from lti_tool.pairing.errors import NoPlan, PlanError
from lti_tool.pairing.models import Plan
from lti_tool.pairing.plan_page import number_of
from lti_tool.roster import service as roster
from lti_tool.support.spreadsheet import as_csv, delimiter_for
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer
from lti_tool.web.i18n import reader_locale

pages = Blueprint("plan", __name__)

GROUPS_COMPARED: Final = 40
TABLE: Final = "plan"


@pages.get("/plan")
@on_visit(may="see the plan")
def show_plan(here: Here) -> ResponseReturnValue:
    """The plan as it stands, or what is missing for one."""
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        return redirect(url_for("setup.show"))
    return plan_page.page(here, activity)


@pages.post("/plan/draft")
@on_visit(may="change a plan")
def draft(here: Here) -> ResponseReturnValue:
    """Propose groups around what is pinned; the proposal before is kept for comparison."""
    activity = activity_at(here.session, here.placement_id)
    seed = secrets.randbelow(2**31)
    version = number_of("version")
    try:
        service.request_draft(
            here.session,
            activity.id,
            seed=seed,
            by=here.person_id,
            now=here.now,
            expected_version=version,
            improve=request.form.get("improve") == "1",
        )
    except PlanError as refusal:
        return plan_page.page(here, activity, refusal)
    # What is worked out in the background is told of by the page itself.
    said = None if service.drafting_of(here.session, activity.id) is not None else "proposed"
    return redirect(url_for(".show_plan", said=said), code=303)


@pages.get("/plan/compare")
@on_visit(may="see the plan")
def compare(here: Here) -> ResponseReturnValue:
    """The draft beside the draft before it."""
    activity = activity_at(here.session, here.placement_id)
    effect = service.compare(here.session, activity)
    plan = service.find_plan(here.session, activity.id, "draft")
    if effect is None or plan is None:
        return redirect(url_for(".show_plan"), code=303)
    rounds = effect.rounds
    shown = rounds[min(max(number_of("round"), 1), len(rounds)) - 1] if rounds else None
    pages_of_groups = (
        max(-(-len(shown.new) // GROUPS_COMPARED), -(-len(shown.gone) // GROUPS_COMPARED), 1) if shown else 1
    )
    at = min(max(number_of("page"), 1), pages_of_groups)
    part = slice((at - 1) * GROUPS_COMPARED, at * GROUPS_COMPARED)
    named = [*shown.gone[part], *shown.new[part]] if shown is not None else []
    context: dict[str, Any] = {
        "activity": activity,
        "plan": plan,
        "effect": effect,
        "round": shown,
        "gone": shown.gone[part] if shown is not None else (),
        "new": shown.new[part] if shown is not None else (),
        "page": at,
        "pages_of_groups": pages_of_groups,
        "figures": plan_page.figures(here),
        "names": service.names_of(here.session, {one for group in named for one in group}),
    }
    return render_template("pairing/compare.html", **context)


@pages.get("/plan/print")
@on_visit(may="see the plan")
def on_paper(here: Here) -> ResponseReturnValue:
    """All rounds on one page, made for paper."""
    activity, plan = _activity_and_plan(here)
    found = service.all_groups(here.session, plan)
    standing = service.standing(here.session, activity, plan, now=here.now)
    context: dict[str, Any] = {
        "activity": activity,
        "plan": plan,
        "rounds": rounds_of(here.session, activity.id),
        "groups": {number: list(of) for number, of in groupby(found, key=lambda group: group.round_number)},
        "alone": {number: list(of) for number, of in groupby(standing.unplaced, key=lambda one: one.round_number)},
        "names": service.names_of(here.session, {one.member_id for one in standing.unplaced}),
    }
    return render_template("pairing/print.html", **context)


@pages.post("/plan/export")
@on_visit(may="see the plan")
def export(here: Here) -> ResponseReturnValue:
    """Offer the plan as a table."""
    _, plan = _activity_and_plan(here)
    return offer(here, TABLE, plan_id=plan.id)


@builds(pages, TABLE)
def build_table(here: Here, details: dict[str, Any]) -> Response:
    """The plan as CSV: a line for everybody in every round."""
    plan = here.session.get(Plan, details["plan_id"])
    if plan is None:
        # The groups were proposed anew meanwhile.
        raise NoPlan(details["plan_id"])
    activity = here.session.get_one(Activity, plan.activity_id)
    standing = service.standing(here.session, activity, plan, now=here.now)
    groups = service.all_groups(here.session, plan)
    people = {seat.member_id for group in groups for seat in group.seats} | set(standing.learners)
    names = service.names_of(here.session, people)
    table = plan_words.as_table(plan, groups, standing.unplaced, names, activity.time_zone)
    answer = make_response(as_csv(*table, delimiter_for(reader_locale())))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="plan.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _activity_and_plan(here: Here) -> tuple[Activity, Plan]:
    activity = activity_at(here.session, here.placement_id)
    plan = service.find_plan(here.session, activity.id)
    if plan is None:
        raise NoPlan(activity.id)
    return activity, plan


@pages.post("/plan/drop")
@on_visit(may="change a plan")
def drop(here: Here) -> ResponseReturnValue:
    """Go back to the proposal before."""
    activity = activity_at(here.session, here.placement_id)
    try:
        service.drop_draft(here.session, activity.id, expected_version=number_of("version"), now=here.now)
    except PlanError as refusal:
        return plan_page.page(here, activity, refusal)
    return redirect(url_for(".show_plan", said="dropped"), code=303)


@pages.post("/plan/publish")
@on_visit(may="publish a plan")
def publish(here: Here) -> ResponseReturnValue:
    """Show the draft to learners."""
    activity = activity_at(here.session, here.placement_id)
    try:
        service.publish(here.session, activity.id, expected_version=number_of("version"), now=here.now)
    except PlanError as refusal:
        return plan_page.page(here, activity, refusal)
    return redirect(url_for(".show_plan", said="published"), code=303)


@pages.post("/plan/undo")
@on_visit(may="publish a plan")
def undo(here: Here) -> ResponseReturnValue:
    """Take the published plan back."""
    activity = activity_at(here.session, here.placement_id)
    try:
        service.undo_publish(here.session, activity.id, expected_version=number_of("version"), now=here.now)
    except PlanError as refusal:
        return plan_page.page(here, activity, refusal)
    return redirect(url_for(".show_plan", said="undone"), code=303)


@pages.post("/plan/update")
@on_visit(may="move a member")
def update(here: Here) -> ResponseReturnValue:
    """Place who joined, and give new partners to those whose partner left."""
    activity = activity_at(here.session, here.placement_id)
    changes = service.follow_course(here.session, activity.id, now=here.now)
    said = "updated" if changes.moved else "unchanged"
    return redirect(url_for(".show_plan", said=said), code=303)


@pages.post("/plan/take-in")
@on_visit(may="change a plan")
def take_in(here: Here) -> ResponseReturnValue:
    """Take back that somebody is staff."""
    activity = activity_at(here.session, here.placement_id)
    roster.take_back_as_learner(here.session, here.course_id, number_of("member"), now=here.now)
    service.follow_course(here.session, activity.id, now=here.now)
    return redirect(url_for(".show_plan", said="taken-in"), code=303)


@pages.post("/plan/unlisted")
@on_visit(may="move a member")
def say_of_unlisted(here: Here) -> ResponseReturnValue:
    """Pair somebody who launched and whom the roster does not list, or leave them out."""
    activity = activity_at(here.session, here.placement_id)
    takes_part = request.form.get("do") == "pair"
    roster.say_of_unlisted(here.session, here.course_id, number_of("member"), takes_part=takes_part, now=here.now)
    # Where rules and pins cannot all be had, what was said counts all the same; the page of the plan tells of those.
    with contextlib.suppress(PlanError), here.session.begin_nested():
        service.follow_course(here.session, activity.id, now=here.now)
    said = "unlisted-paired" if takes_part else "unlisted-out"
    return redirect(url_for(".show_plan", _anchor="unlisted", said=said), code=303)


@pages.post("/plan/roster")
@on_visit(may="see the plan")
def read_roster(here: Here) -> ResponseReturnValue:
    """Have the roster read again."""
    roster.ask_for_sync(here.session, here.course_id, now=here.now)
    return redirect(url_for(".show_plan", said="reading"), code=303)


@pages.post("/plan/doubted-roster")
@on_visit(may="change a plan")
def answer_doubt(here: Here) -> ResponseReturnValue:
    """Say whether people left, as a roster has it that would end much."""
    is_true = request.form.get("means") == "left"
    roster.answer_doubt(here.session, here.course_id, number_of("reading"), is_true=is_true, now=here.now)
    return redirect(url_for(".show_plan", said="answered"), code=303)
