"""The page on which staff propose groups, look at them, change and publish them."""

import secrets
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_of, rounds_of
from lti_tool.errors import N_
from lti_tool.launch.models import Course
from lti_tool.pairing import rules, service
from lti_tool.pairing.errors import (
    WORDS,
    NoPlan,
    PlanBegun,
    PlanChanged,
    PlanError,
    PlanFlawed,
    PlanPublished,
    SwapImpossible,
    TooFewLearners,
)
from lti_tool.pairing.models import Plan
from lti_tool.roster import service as roster
from lti_tool.web.access import Here, on_visit

pages = Blueprint("plan", __name__)

MOST_DRAWN: Final = 40
"""With more people around the circle, lines and numbers run into each other; the table tells the same."""
GROUPS_A_PAGE: Final = 60
PEOPLE_A_PAGE: Final = 60

REFUSALS: Final[dict[type[PlanError], str]] = {
    PlanChanged: N_("The plan has changed since you opened this page. This is how it is now. Repeat what you wanted."),
    PlanFlawed: N_(
        "People joined or left since these groups were proposed. Bring the plan up to date, then publish it."
    ),
    PlanBegun: N_("People have begun to work in their groups, so the plan cannot be taken back any more."),
    PlanPublished: N_("The plan is published already. Take it back first if you want to propose other groups."),
    SwapImpossible: N_("Choose two people in different groups of this round, neither of which has begun."),
    TooFewLearners: N_("Two learners are needed. Read the roster again when they have joined the course."),
    NoPlan: N_("There is no such plan any more. This is how it is now."),
}


@pages.get("/plan")
@on_visit(may="see the plan")
def show_plan(here: Here) -> ResponseReturnValue:
    """The plan as it stands, or what is missing for one."""
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        return redirect(url_for("setup.show"))
    return _page(here, activity)


@pages.post("/plan/draft")
@on_visit(may="change a plan")
def draft(here: Here) -> ResponseReturnValue:
    """Propose groups, in place of an earlier proposal."""
    activity = _activity(here)
    try:
        seed = secrets.randbelow(2**31)
        version = _number("version")
        service.request_draft(
            here.session, activity.id, seed=seed, by=here.person_id, now=here.now, expected_version=version
        )
    except PlanError as refusal:
        return _page(here, activity, refusal)
    return redirect(url_for(".show_plan", said="proposed"), code=303)


@pages.post("/plan/publish")
@on_visit(may="publish a plan")
def publish(here: Here) -> ResponseReturnValue:
    """Show the draft to learners."""
    activity = _activity(here)
    try:
        service.publish(here.session, activity.id, expected_version=_number("version"), now=here.now)
    except PlanError as refusal:
        return _page(here, activity, refusal)
    return redirect(url_for(".show_plan", said="published"), code=303)


@pages.post("/plan/undo")
@on_visit(may="publish a plan")
def undo(here: Here) -> ResponseReturnValue:
    """Take the published plan back."""
    activity = _activity(here)
    try:
        service.undo_publish(here.session, activity.id, expected_version=_number("version"), now=here.now)
    except PlanError as refusal:
        return _page(here, activity, refusal)
    return redirect(url_for(".show_plan", said="undone"), code=303)


@pages.post("/plan/swap")
@on_visit(may="move a member")
def swap(here: Here) -> ResponseReturnValue:
    """Let two people of a round change places."""
    activity = _activity(here)
    plan = service.find_plan(here.session, activity.id)
    try:
        if plan is None:
            raise NoPlan(activity.id)
        seats = _number("one"), _number("other")
        service.swap(here.session, plan, *seats, expected_version=_number("version"), now=here.now)
    except PlanError as refusal:
        return _page(here, activity, refusal, field="one")
    return redirect(url_for(".show_plan", said="swapped", round=_number("round")), code=303)


@pages.post("/plan/update")
@on_visit(may="move a member")
def update(here: Here) -> ResponseReturnValue:
    """Place who joined, and give new partners to those whose partner left."""
    activity = _activity(here)
    changes = service.follow_course(here.session, activity.id, now=here.now)
    said = "updated" if changes.moved else "unchanged"
    return redirect(url_for(".show_plan", said=said), code=303)


@pages.post("/plan/leave-out")
@on_visit(may="change a plan")
def leave_out(here: Here) -> ResponseReturnValue:
    """Say that somebody whom the platform lists as a learner is staff, so that nobody is paired with them."""
    activity = _activity(here)
    roster.name_as_staff(here.session, here.course_id, _number("member"), now=here.now)
    service.follow_course(here.session, activity.id, now=here.now)
    return redirect(url_for(".show_plan", said="left-out"), code=303)


@pages.post("/plan/take-in")
@on_visit(may="change a plan")
def take_in(here: Here) -> ResponseReturnValue:
    """Take back that somebody is staff."""
    activity = _activity(here)
    roster.take_back_as_learner(here.session, here.course_id, _number("member"))
    service.follow_course(here.session, activity.id, now=here.now)
    return redirect(url_for(".show_plan", said="taken-in"), code=303)


@pages.post("/plan/roster")
@on_visit(may="see the plan")
def read_roster(here: Here) -> ResponseReturnValue:
    """Have the roster read again."""
    roster.ask_for_sync(here.session, here.course_id, now=here.now)
    return redirect(url_for(".show_plan", said="reading"), code=303)


@pages.post("/plan/empty-roster")
@on_visit(may="change a plan")
def answer_empty_roster(here: Here) -> ResponseReturnValue:
    """Say what it means that the roster lists no learner any more."""
    everybody_left = request.form.get("means") == "left"
    roster.answer_empty_roster(here.session, here.course_id, everybody_left=everybody_left, now=here.now)
    return redirect(url_for(".show_plan", said="answered"), code=303)


def _activity(here: Here) -> Activity:
    activity = activity_of(here.session, here.placement_id)
    if activity is None:
        raise NoPlan(here.placement_id)
    return activity


def _words(refusal: PlanError) -> str:
    return REFUSALS.get(type(refusal)) or WORDS[type(refusal)].what_to_do


def _number(field: str) -> int:
    """A whole number of the form; 0, which names nothing, for anything else."""
    text = request.form.get(field, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _page(here: Here, activity: Activity, refusal: PlanError | None = None, field: str = "plan") -> ResponseReturnValue:
    if refusal is not None:
        # It changed nothing, but what was loaded before may be older than what it was refused for.
        here.session.expire_all()
    rounds = rounds_of(here.session, activity.id)
    plan = service.find_plan(here.session, activity.id)
    course = here.session.get_one(Course, here.course_id)
    context: dict[str, Any] = {
        "activity": activity,
        "rounds": rounds,
        "plan": plan,
        "course": course,
        "is_read_only": activity.state == "closed" or course.ended_at is not None,
        "sync": roster.latest(here.session, here.course_id),
        "asks": roster.empty_roster(here.session, here.course_id),
        "not_paired": service.not_paired(here.session, here.course_id),
        "learner_count": len(roster.learners_to_pair(here.session, here.course_id)),
        "problems": [(field, gettext(_words(refusal)))] if refusal is not None else [],
        "said": None if refusal is not None else request.args.get("said"),
    }
    if plan is not None:
        context |= _groups(here, activity, plan, len(rounds))
    return render_template("pairing/plan.html", **context), 409 if refusal is not None else 200


def _groups(here: Here, activity: Activity, plan: Plan, rounds: int) -> dict[str, Any]:
    number = min(max(request.values.get("round", 1, type=int), 1), max(rounds, 1))
    groups = service.groups_in_round(here.session, plan, number)
    standing = service.standing(here.session, activity, plan, now=here.now)
    people = sorted({one for groups in standing.schedule.rounds for group in groups for one in group})
    names = service.names_of(here.session, {*people, *standing.learners})
    people.sort(key=lambda one: ((names.get(one) or "").casefold(), one))
    shown = rules.rows(people, standing.schedule)
    last = max(-(-len(groups) // GROUPS_A_PAGE), -(-len(shown) // PEOPLE_A_PAGE), 1)
    page = min(max(request.args.get("page", 1, type=int), 1), last)
    return {
        "number": number,
        "groups": groups,
        "shown_groups": groups[(page - 1) * GROUPS_A_PAGE : page * GROUPS_A_PAGE],
        "page": page,
        "pages_of_groups": -(-len(groups) // GROUPS_A_PAGE),
        "standing": standing,
        "names": names,
        "picture": rules.draw(people, standing.schedule) if 2 <= len(people) <= MOST_DRAWN else None,
        "table": shown[(page - 1) * PEOPLE_A_PAGE : page * PEOPLE_A_PAGE],
        "pages_of_people": -(-len(shown) // PEOPLE_A_PAGE),
        "numbers": {one: place for place, one in enumerate(people, start=1)},
        "spread": rules.spread(shown),
        "to_leave_out": sorted((names.get(one) or "", one) for one in standing.learners),
        "has_begun": service.has_begun(here.session, plan),
        "waiting": [one for one in standing.unplaced if not one.is_over],
    }
