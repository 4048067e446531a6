"""The plan's page: groups are proposed, looked at, compared, published, taken back, printed and downloaded here."""

import contextlib
import secrets
from collections.abc import Callable
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import local_parts
from lti_tool.activities.service import activity_at, activity_of, rounds_of
from lti_tool.attributes.rules.matching import key_of
from lti_tool.pairing import service
from lti_tool.pairing.engine import Kind, Reason
from lti_tool.pairing.errors import NoPlan, PlanError
from lti_tool.pairing.models import Plan
from lti_tool.pairing.pages import plan_view
from lti_tool.pairing.pages.plan_view import plan_of
from lti_tool.roster import service as roster
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer, table
from lti_tool.web.lists import number_of, page_of

pages = Blueprint("plan", __name__)

GROUPS_COMPARED: Final = 40
TABLE: Final = "plan"


def new_seed() -> int:
    """The chance in a new proposal, so that asking again gives other groups."""
    return secrets.randbelow(2**31)


@pages.get("/plan")
@on_visit(may="see the plan")
def show_plan(here: Here) -> ResponseReturnValue:
    """Show the plan, or what is missing for one."""
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        return redirect(url_for("setup.show"))
    return plan_view.page(here, activity)


@pages.post("/plan/propose")
@on_visit(may="change a plan")
def propose(here: Here) -> ResponseReturnValue:
    """Propose groups that keep the pins; the earlier proposal is kept for comparison."""
    activity = activity_at(here.session, here.placement_id)
    try:
        service.request_proposal(
            here.session,
            activity.id,
            seed=new_seed(),
            by=here.person_id,
            now=here.now,
            expected_version=number_of("version"),
        )
    except PlanError as refusal:
        return plan_view.page(here, activity, refusal)
    # The page itself shows a proposal that is worked out in the background.
    said = None if service.proposal_request(here.session, activity.id) is not None else "proposed"
    return redirect(url_for(".show_plan", said=said), code=303)


@pages.get("/plan/compare")
@on_visit(may="see the plan")
def compare(here: Here) -> ResponseReturnValue:
    """Show the proposal beside the earlier one."""
    activity = activity_at(here.session, here.placement_id)
    effect = service.compare_proposals(here.session, activity)
    plan = service.find_plan(here.session, activity.id, "draft")
    if effect is None or plan is None:
        return redirect(url_for(".show_plan"), code=303)
    rounds = effect.rounds
    shown = rounds[min(max(number_of("round"), 1), len(rounds)) - 1] if rounds else None
    gone, new = (shown.gone, shown.new) if shown is not None else ((), ())
    page = page_of(max(len(gone), len(new)), GROUPS_COMPARED)
    gone, new = gone[page.part], new[page.part]
    context: dict[str, Any] = {
        "activity": activity,
        "plan": plan,
        "effect": effect,
        "round": shown,
        "gone": gone,
        "new": new,
        "page": page.number,
        "pages_of_groups": page.count,
        "figures": plan_view.figures(here),
        "names": service.names_of(here.session, {person for group in (*gone, *new) for person in group}),
    }
    return render_template("pairing/compare.html", **context)


@pages.post("/plan/drop")
@on_visit(may="change a plan")
def drop(here: Here) -> ResponseReturnValue:
    """Go back to the earlier proposal."""
    return _done(here, service.drop_proposal, said="dropped")


@pages.post("/plan/publish")
@on_visit(may="publish a plan")
def publish(here: Here) -> ResponseReturnValue:
    """Show the proposal to learners."""
    return _done(here, service.publish, said="published")


@pages.post("/plan/take-back")
@on_visit(may="publish a plan")
def take_back(here: Here) -> ResponseReturnValue:
    """Turn the published plan into a proposal again."""
    return _done(here, service.take_back, said="undone")


def _done(here: Here, act: Callable[..., Plan], said: str) -> ResponseReturnValue:
    """Do something with the whole plan, in the version that the page showed."""
    activity = activity_at(here.session, here.placement_id)
    try:
        act(here.session, activity.id, expected_version=number_of("version"), now=here.now)
    except PlanError as refusal:
        return plan_view.page(here, activity, refusal)
    return redirect(url_for(".show_plan", said=said), code=303)


@pages.post("/plan/update")
@on_visit(may="move a member")
def update(here: Here) -> ResponseReturnValue:
    """Place people who joined, and give new partners to those whose partner left."""
    activity = activity_at(here.session, here.placement_id)
    changes = service.follow_course(here.session, activity.id, now=here.now)
    return redirect(url_for(".show_plan", said="updated" if changes.moved else "unchanged"), code=303)


@pages.post("/plan/take-in")
@on_visit(may="change a plan")
def take_in(here: Here) -> ResponseReturnValue:
    """Pair someone again who was left out as staff."""
    activity = activity_at(here.session, here.placement_id)
    roster.take_back_as_learner(here.session, here.course_id, number_of("member"), now=here.now)
    service.follow_course(here.session, activity.id, now=here.now)
    return redirect(url_for(".show_plan", said="taken-in"), code=303)


@pages.post("/plan/unlisted")
@on_visit(may="move a member")
def say_of_unlisted(here: Here) -> ResponseReturnValue:
    """Pair someone who launched and is not on the roster, or leave them out."""
    activity = activity_at(here.session, here.placement_id)
    takes_part = request.form.get("do") == "pair"
    roster.say_of_unlisted(here.session, here.course_id, number_of("member"), takes_part=takes_part, now=here.now)
    # If rules and pins contradict each other, the decision still counts; the plan's page shows the contradiction.
    with contextlib.suppress(PlanError), here.session.begin_nested():
        service.follow_course(here.session, activity.id, now=here.now)
    said = "unlisted-paired" if takes_part else "unlisted-out"
    return redirect(url_for(".show_plan", _anchor="unlisted", said=said), code=303)


@pages.post("/plan/roster")
@on_visit(may="see the plan")
def read_roster(here: Here) -> ResponseReturnValue:
    """Read the roster again."""
    roster.ask_for_sync(here.session, here.course_id, now=here.now)
    return redirect(url_for(".show_plan", said="reading"), code=303)


@pages.post("/plan/doubted-roster")
@on_visit(may="change a plan")
def answer_doubt(here: Here) -> ResponseReturnValue:
    """Decide whether the many people who are missing from a roster have left."""
    is_true = request.form.get("means") == "left"
    roster.answer_doubt(here.session, here.course_id, number_of("reading"), is_true=is_true, now=here.now)
    return redirect(url_for(".show_plan", said="answered"), code=303)


# ---- on paper and as a table ----------------------------------------------------------------------------------------


@pages.get("/plan/print")
@on_visit(may="see the plan")
def on_paper(here: Here) -> ResponseReturnValue:
    """All rounds on one page, made for paper."""
    activity = activity_at(here.session, here.placement_id)
    plan = plan_of(here, activity)
    groups = service.groups_in_plan(here.session, plan)
    current, by_round = service.current_plan(here.session, activity, plan, now=here.now), attrgetter("round_number")
    context: dict[str, Any] = {
        "activity": activity,
        "plan": plan,
        "rounds": rounds_of(here.session, activity.id),
        "groups": {number: list(some) for number, some in groupby(groups, by_round)},
        "alone": {number: list(some) for number, some in groupby(current.unplaced, by_round)},
        "names": service.names_of(here.session, current.known),
    }
    return render_template("pairing/print.html", **context)


@pages.post("/plan/export")
@on_visit(may="see the plan")
def export(here: Here) -> ResponseReturnValue:
    """Offer the plan as a table."""
    plan = plan_of(here, activity_at(here.session, here.placement_id))
    return offer(here, TABLE, plan_id=plan.id)


@builds(pages, TABLE)
def build_table(here: Here, details: dict[str, Any]) -> Response:
    """The plan as CSV: a line for everyone in every round, with or without a group; times are local to the activity."""
    plan = here.session.get(Plan, details["plan_id"])
    if plan is None:
        # Other groups have been proposed since.
        raise NoPlan(details["plan_id"])
    activity = here.session.get_one(Activity, plan.activity_id)
    current = service.current_plan(here.session, activity, plan, now=here.now)
    groups = service.groups_in_plan(here.session, plan)
    names = service.names_of(here.session, current.known)
    rounds = {round_.number: round_ for round_ in rounds_of(here.session, activity.id)}
    header = [
        gettext("Round"),
        gettext("Opens"),
        gettext("Due"),
        gettext("Group"),
        gettext("Learner"),
        gettext("Tandem key"),
        gettext("Works with"),
        gettext("Observed first"),
        gettext("Has begun"),
    ]
    yes, no = gettext("yes"), gettext("no")

    def at(moment: datetime | None) -> str:
        return "{} {:%H:%M}".format(*local_parts(moment, activity.time_zone)) if moment is not None else ""

    def name(member_id: int) -> str:
        return names.get(member_id) or str(gettext("Learner %(number)s", number=member_id))

    lines: list[list[object]] = []
    for group in groups:
        when = [group.round_number, at(rounds[group.round_number].opens_at), at(group.due_at), group.number]
        for member in group.members:
            partners = ", ".join(map(name, group.partners_of(member)))
            begins = "" if plan.kind == Kind.RINGS else yes if member == group.members[0] else no
            lines.append([*when, name(member), key_of(member), partners, begins, yes if group.begun_at else no])
    for missing in current.unplaced:
        why = gettext("is absent") if missing.reason is Reason.ABSENT else gettext("without a partner")
        about = [name(missing.member_id), key_of(missing.member_id), why]
        lines.append([missing.round_number, "", "", "", *about, "", ""])
    return table("plan", header, lines)
