"""Pages of goals, actions, wins and the shelf: for learners their words, for staff counts."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.activities.service import activity_at
from lti_tool.errors import NotAllowed, NotFound
from lti_tool.feedback.errors import PreviewOnly
from lti_tool.goals import forms, rules, service
from lti_tool.goals.errors import ChangedMeanwhile, Refused
from lti_tool.goals.forms import NAMES, Attempt
from lti_tool.goals.rules import Became, GoalState
from lti_tool.goals.service import GoalPage, Place
from lti_tool.roster import service as roster
from lti_tool.web.access import Here, current_here, on_visit
from lti_tool.web.i18n import zone_of_reader
from lti_tool.web.pages import address_of, unsent_store

pages = Blueprint("goals", __name__)

__all__ = ["NAMES", "pages"]

PEOPLE_A_PAGE: Final = 50
FORTNIGHT: Final = timedelta(days=14)
"""An action is proposed to be done within."""


@pages.app_template_filter("can_be_taken_back")
def can_be_taken_back(written_at: datetime) -> bool:
    """Whether its author can still take back what was written at this moment."""
    here = current_here()
    return here is not None and rules.can_be_taken_back(written_at, now=here.now)


# ---- goals -----------------------------------------------------------------------------------------------------------


@pages.get("/goals")
@on_visit(may="take part")
def show(here: Here) -> ResponseReturnValue:
    """Goals, open actions, wins and the shelf, as far as the member sees them; for staff how many there are."""
    return _figures(here) if here.is_staff else _board(here)


@pages.get("/goals/new")
@on_visit(may="take part")
def new(here: Here) -> ResponseReturnValue:
    """The form of a new goal; a month ahead is proposed."""
    place, today = _place(here), _today(here)
    return _goal_form(here, place, Attempt("goal", {"goal_target_on": rules.month_ahead(today).isoformat()}))


@pages.post("/goals/new")
@on_visit(may="take part")
def set_goal(here: Here) -> ResponseReturnValue:
    """Set a goal, however vague."""
    place = _writing(here)
    if request.form.get("do") == "back":
        return _goal_form(here, place, Attempt("goal", request.form), is_typed=True)
    try:
        goal = service.set_goal(here.session, place, request.form, now=here.now)
    except Refused as refused:
        attempt = Attempt("goal", request.form, forms.sentences(refused.problems))
        return _goal_form(here, place, attempt, is_typed=True), 422
    return redirect(url_for(".show_goal", goal_id=goal.id, said="set"), code=303)


@pages.get("/goals/<int:goal_id>")
@on_visit(may="take part")
def show_goal(here: Here, goal_id: int) -> ResponseReturnValue:
    """One goal: its line, questions beside it, check-ins, who sees it, and the words that it had before."""
    return _goal(here, goal_id)


@pages.get("/goals/<int:goal_id>/sharpen")
@on_visit(may="take part")
def sharpening(here: Here, goal_id: int) -> ResponseReturnValue:
    """The form of a goal with what would sharpen it."""
    place = _place(here)
    page = _own_page(here, place, goal_id)
    return _goal_form(here, place, Attempt("goal", _stored(page)), page=page)


@pages.post("/goals/<int:goal_id>/sharpen")
@on_visit(may="take part")
def sharpen(here: Here, goal_id: int) -> ResponseReturnValue:
    """Give a goal other words; those that it had are kept."""
    place = _writing(here)
    if request.form.get("do") == "back":
        page = _own_page(here, place, goal_id)
        return _goal_form(here, place, Attempt("goal", request.form), page=page, is_typed=True)
    try:
        service.sharpen(here.session, place, goal_id, request.form, expected_version=_number("version"), now=here.now)
    except Refused as refused:
        attempt = Attempt("goal", request.form, forms.sentences(refused.problems))
        return _goal_form(here, place, attempt, page=_own_page(here, place, goal_id), is_typed=True), 422
    except ChangedMeanwhile:
        attempt = Attempt("goal", request.form, is_changed=True)
        return _goal_form(here, place, attempt, page=_own_page(here, place, goal_id), is_typed=True), 409
    return redirect(url_for(".show_goal", goal_id=goal_id, said="sharpened"), code=303)


@pages.post("/goals/<int:goal_id>/bring")
@on_visit(may="take part")
def bring_along(here: Here, goal_id: int) -> ResponseReturnValue:
    """Set a goal of one's own from another course here, too."""
    goal = service.bring_along(here.session, _writing(here), goal_id, now=here.now)
    return redirect(url_for(".show_goal", goal_id=goal.id, said="brought"), code=303)


@pages.post("/goals/<int:goal_id>/state")
@on_visit(may="take part")
def end_goal(here: Here, goal_id: int) -> ResponseReturnValue:
    """Say that a goal is reached or dropped, or take it up again."""
    place, state = _writing(here), GoalState(_pressed(GoalState))
    service.end_goal(here.session, place, goal_id, state, now=here.now)
    return redirect(url_for(".show_goal", goal_id=goal_id, said=state.value), code=303)


@pages.post("/goals/<int:goal_id>/show")
@on_visit(may="take part")
def show_to(here: Here, goal_id: int) -> ResponseReturnValue:
    """Show a goal to a group of one's own, or hide it from one."""
    place, group_id = _writing(here), _number("group")
    if request.form.get("do") == "hide":
        service.hide(here.session, place, goal_id, group_id)
        said = "hidden"
    else:
        service.show(here.session, place, goal_id, group_id, now=here.now)
        said = "shown"
    return redirect(url_for(".show_goal", goal_id=goal_id, said=said, _anchor="who"), code=303)


@pages.post("/goals/<int:goal_id>/question")
@on_visit(may="take part")
def ask(here: Here, goal_id: int) -> ResponseReturnValue:
    """Write a question, or an answer to one, beside a goal."""
    place = _writing(here)
    try:
        service.ask(here.session, place, goal_id, request.form, now=here.now)
    except Refused as refused:
        return _goal(here, goal_id, _attempt("question", refused))
    return redirect(url_for(".show_goal", goal_id=goal_id, said="asked", _anchor="questions"), code=303)


@pages.post("/goals/<int:goal_id>/check-in")
@on_visit(may="take part")
def check_in(here: Here, goal_id: int) -> ResponseReturnValue:
    """Say how a goal stands."""
    place = _writing(here)
    try:
        service.check_in(here.session, place, goal_id, request.form, now=here.now)
    except Refused as refused:
        return _goal(here, goal_id, _attempt("check_in", refused))
    return redirect(url_for(".show_goal", goal_id=goal_id, said="checked_in", _anchor="check-ins"), code=303)


# ---- actions, wins, the shelf ----------------------------------------------------------------------------------------


@pages.post("/goals/actions")
@on_visit(may="take part")
def write_action(here: Here) -> ResponseReturnValue:
    """Write down what one will do."""
    place = _writing(here)
    return _saved(
        here, "action", "written", lambda: service.write_action(here.session, place, request.form, now=here.now)
    )


@pages.post("/goals/actions/<int:action_id>")
@on_visit(may="take part")
def look_back(here: Here, action_id: int) -> ResponseReturnValue:
    """An action of one's own is done, moved to another date or dropped; or that is undone."""
    place = _writing(here)
    if request.form.get("do") == "undo":
        service.take_up(here.session, place, action_id, now=here.now)
        return _back("taken_up")
    became = Became(_pressed(Became))
    form = {Became.MOVED: "move", Became.DROPPED: "drop", Became.DONE: "done"}[became]
    return _saved(
        here,
        f"{form}:{action_id}",
        became.value,
        lambda: service.look_back(
            here.session, place, action_id, became, request.form, expected_version=_number("version"), now=here.now
        ),
        action=action_id,
    )


@pages.post("/goals/wins")
@on_visit(may="take part")
def log_win(here: Here) -> ResponseReturnValue:
    """Log something that went well."""
    place = _writing(here)
    return _saved(here, "win", "logged", lambda: service.log_win(here.session, place, request.form, now=here.now))


@pages.post("/goals/wins/<int:win_id>")
@on_visit(may="take part")
def answer_win(here: Here, win_id: int) -> ResponseReturnValue:
    """Answer a win with a line."""
    place = _writing(here)
    return _saved(
        here,
        f"win-remark:{win_id}",
        "answered",
        lambda: service.answer_win(here.session, place, win_id, request.form, now=here.now),
    )


@pages.post("/goals/shelf")
@on_visit(may="take part")
def put_on_shelf(here: Here) -> ResponseReturnValue:
    """Put something on the shelf of one's group, or of the course; staff on that of the course."""
    place, for_course = _writing(here), here.is_staff or request.form.get("for") == "course"
    return _saved(
        here,
        "resource",
        "put",
        lambda: service.put_on_shelf(here.session, place, request.form, for_course=for_course, now=here.now),
    )


@pages.post("/goals/shelf/<int:resource_id>")
@on_visit(may="take part")
def tell_outcome(here: Here, resource_id: int) -> ResponseReturnValue:
    """Say what came of something that one put on the shelf."""
    place = _writing(here)
    return _saved(
        here,
        f"outcome:{resource_id}",
        "told",
        lambda: service.tell_outcome(
            here.session, place, resource_id, request.form, expected_version=_number("version")
        ),
    )


@pages.post("/goals/shelf/<int:resource_id>/remark")
@on_visit(may="take part")
def remark_on_resource(here: Here, resource_id: int) -> ResponseReturnValue:
    """Write a line beside something on the shelf."""
    place = _writing(here)
    return _saved(
        here,
        f"resource-remark:{resource_id}",
        "remarked",
        lambda: service.remark_on_resource(here.session, place, resource_id, request.form, now=here.now),
    )


@pages.post("/goals/take-back")
@on_visit(may="take part")
def take_back(here: Here) -> ResponseReturnValue:
    """Take back a check-in, a win or a remark of one's own, or bring it back."""
    what, row_id, undo = request.form.get("what", ""), _number("id"), request.form.get("do") == "undo"
    service.take_back(here.session, _writing(here), what, row_id, now=here.now, undo=undo)
    return _back("brought_back") if undo else _back("took_back", taken=f"{what}:{row_id}")


# ---- what they share -------------------------------------------------------------------------------------------------


def _saved(
    here: Here, at: str, said: str, write: Callable[[], object], *, action: int | None = None
) -> ResponseReturnValue:
    """Go back to where the form stood, or show it again with what was typed and what keeps it from being taken."""
    try:
        write()
    except Refused as refused:
        return _again(here, _attempt(at, refused), 422)
    except ChangedMeanwhile:
        return _again(here, Attempt(at, request.form, is_changed=True), 409)
    return _back(said, action=action)


def _attempt(at: str, refused: Refused) -> Attempt:
    return Attempt(at, request.form, forms.sentences(refused.problems))


def _again(here: Here, attempt: Attempt, status: int) -> ResponseReturnValue:
    page = _figures(here, attempt) if here.is_staff else _board(here, attempt)
    return page, status


def _back(said: str, **more: Any) -> ResponseReturnValue:
    """The page on which the form stood, where it says so, with what was done."""
    values = {name: value for name, value in {"said": said, **more}.items() if value is not None}
    return redirect(address_of(request.form.get("back", ""), **values) or url_for(".show", **values), code=303)


def _place(here: Here) -> Place:
    """Where the member works now; the group that a form names is looked up among theirs."""
    if here.member_id is None:
        raise NotAllowed("goals", here.visit.key)
    activity = activity_at(here.session, here.placement_id)
    group_id = _number("in_group") or None
    return service.place_of(here.session, activity, here.member_id, now=here.now, group_id=group_id)


def _writing(here: Here) -> Place:
    if here.is_preview:
        raise PreviewOnly
    return _place(here)


def _number(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _pressed(buttons: Iterable[str]) -> str:
    """The button that sent the form; one that no page has is refused."""
    pressed = request.form.get("do", "")
    if pressed not in set(buttons):
        raise NotFound("button", pressed)
    return pressed


def _zone(here: Here) -> ZoneInfo:
    return zone_of_reader(activity_at(here.session, here.placement_id).time_zone)


def _today(here: Here) -> date:
    return here.now.astimezone(_zone(here)).date()


def _board(here: Here, attempt: Attempt | None = None) -> str:
    place = _place(here)
    return render_template(
        "goals/show.html",
        place=place,
        board=service.board_of(here.session, place, zone=_zone(here)),
        proposed_on=_today(here) + FORTNIGHT,
        can_write=_can_write(here, place),
        elsewhere=service.goals_elsewhere(here.session, place) if _can_write(here, place) else [],
        attempt=attempt,
        said=request.args.get("said"),
        undo=request.args.get("action", type=int),
    )


def _figures(here: Here, attempt: Attempt | None = None) -> str:
    """For staff: counts of everybody, and the shelf of the course."""
    place = _place(here)
    count = roster.count_learners(here.session, here.course_id)
    last = max(-(-count // PEOPLE_A_PAGE), 1)
    page = min(max(request.args.get("page", 1, type=int), 1), last)
    people = service.learners_by_name(here.session, here.course_id, page=page, size=PEOPLE_A_PAGE)
    return render_template(
        "goals/figures.html",
        place=place,
        totals=service.totals_of(here.session, here.course_id),
        people=people,
        figures=service.figures_of(here.session, here.course_id, people.keys()),
        shelf=service.board_of(here.session, place, zone=_zone(here)).resources,
        page=page,
        pages=last,
        can_write=not place.is_closed,
        attempt=attempt,
        said=request.args.get("said"),
    )


def _can_write(here: Here, place: Place) -> bool:
    """Whether forms are shown: to whoever may send them, and in a preview."""
    return not place.is_closed and (place.takes_part or here.is_preview)


def _goal(here: Here, goal_id: int, attempt: Attempt | None = None) -> ResponseReturnValue:
    place, today = _place(here), _today(here)
    page = service.goal_page(here.session, place, goal_id, zone=_zone(here), today=today)
    shown = render_template(
        "goals/goal.html",
        place=place,
        page=page,
        areas=forms.AREAS,
        hints=forms.HINTS,
        can_write=_can_write(here, place),
        attempt=attempt,
        stores=[_store(here, None), _store(here, goal_id)],
        said=request.args.get("said"),
    )
    return shown, 422 if attempt is not None else 200


def _goal_form(
    here: Here, place: Place, attempt: Attempt, *, page: GoalPage | None = None, is_typed: bool = False
) -> str:
    goal = page.view.goal if page is not None else None
    return render_template(
        "goals/form.html",
        place=place,
        page=page,
        goal=goal,
        areas=forms.AREAS,
        hints=forms.HINTS,
        can_write=_can_write(here, place),
        attempt=attempt,
        is_typed=is_typed,
        store=_store(here, goal.id if goal is not None else None),
    )


def _own_page(here: Here, place: Place, goal_id: int) -> GoalPage:
    page = service.goal_page(here.session, place, goal_id, zone=_zone(here), today=_today(here))
    if not page.view.is_mine:
        raise NotAllowed("sharpen", goal_id)
    return page


def _stored(page: GoalPage) -> Mapping[str, str]:
    answers = rules.as_typed(rules.GOAL, page.view.goal)
    return {rules.GOAL.sent_as(field): answers[field.key] for field in rules.GOAL.fields}


def _store(here: Here, goal_id: int | None) -> dict[str, str]:
    """Where the browser keeps text of this form that was not saved."""
    return unsent_store(here, f"goal:{here.course_id}:{goal_id or 'new'}")
