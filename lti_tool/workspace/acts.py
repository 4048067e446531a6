"""What staff do for several learners at once: first whom it touches, then the act, then one click to undo it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at, refuse_read_only, rounds_of
from lti_tool.errors import N_, NotAllowed
from lti_tool.feedback import service as feedback
from lti_tool.grades.models import LineItem, ScoreState
from lti_tool.grades.service import scores
from lti_tool.launch.rules.values import clean
from lti_tool.pairing import service as pairing
from lti_tool.progress import forms, service
from lti_tool.progress.forms import AllowanceText, Flaw
from lti_tool.progress.models import StaffAct
from lti_tool.progress.pages import FLAWS
from lti_tool.progress.rules import Show, Summary, What
from lti_tool.progress.service import Learner
from lti_tool.reminders import service as reminders
from lti_tool.web import audit
from lti_tool.web.access import Here, on_visit
from lti_tool.web.i18n import page_language

pages = Blueprint("acts", __name__)

NAMES: Final = {"words": N_("Your own sentence"), "day": N_("New date"), "clock": N_("Time")}
LONGEST_WORDS: Final = 1000
MOST_LISTED: Final = 20
OFFERED: Final[Mapping[What, str]] = {
    What.REMIND: N_("Remind them"),
    What.EXTEND: N_("More time"),
    What.EXCUSE: N_("Excuse from a round"),
    What.SEND: N_("Send their scores again"),
    What.RELEASE: N_("Release the feedback they received"),
}
NAMED: Final[Mapping[What, str]] = {
    What.REMIND: N_("Reminded"),
    What.EXTEND: N_("More time"),
    What.EXCUSE: N_("Excused"),
    What.TAKE_BACK: N_("More time or excuse taken back"),
    What.SEND: N_("Scores sent again"),
    What.RELEASE: N_("Feedback released"),
}
BY_INSTRUCTORS: Final = frozenset({What.RELEASE})
FINAL: Final = frozenset({What.SEND})
"""Acts that cannot be undone: the gradebook keeps what it was sent."""


class Why(StrEnum):
    """Why an act leaves somebody out."""

    NOTHING_TO_DO = "nothing_to_do"
    LEFT = "left"
    EXCUSED = "excused"
    LATER = "later"
    NO_SCORE = "no_score"
    NO_FEEDBACK = "no_feedback"


WHY: Final[Mapping[Why, str]] = {
    Why.NOTHING_TO_DO: N_("has nothing to do now"),
    Why.LEFT: N_("has left the course"),
    Why.EXCUSED: N_("is excused already"),
    Why.LATER: N_("has until later already"),
    Why.NO_SCORE: N_("has no score that is missing in the gradebook"),
    Why.NO_FEEDBACK: N_("has no feedback waiting for you"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """An act as somebody asks for it. `what` is None until they have chosen."""

    what: What | None
    chosen: tuple[int, ...]
    number: int
    words: str
    text: AllowanceText


@dataclass(slots=True)
class Touched:
    """Whom an act touches, with what it changes for them, and whom it leaves out, and why."""

    people: dict[int, Any] = field(default_factory=dict)
    left_out: dict[int, Why] = field(default_factory=dict)

    def sort(self, member_id: int, why: Why | None, what: Any = None) -> None:
        if why is None:
            self.people[member_id] = what
        else:
            self.left_out[member_id] = why


@pages.get("/acts")
@on_visit(may="extend")
def choose(here: Here) -> ResponseReturnValue:
    """What can be done for the learners that the address names, and what staff did lately."""
    activity = activity_at(here.session, here.placement_id)
    return _form(here, activity, _asked(here, activity))


@pages.post("/acts")
@on_visit(may="extend")
def act(here: Here) -> ResponseReturnValue:
    """Show whom an act touches; once that was confirmed, do it."""
    activity = activity_at(here.session, here.placement_id)
    refuse_read_only(here.session, activity)
    asked = _asked(here, activity)
    if "back" in request.form:
        return _form(here, activity, asked)
    if asked.what is None or not asked.chosen:
        problem = gettext("Choose what to do") if asked.what is None else gettext("Choose at least one learner")
        return _form(here, activity, asked, problem)
    if asked.what in BY_INSTRUCTORS and not here.is_instructor:
        raise NotAllowed(asked.what, here.role)
    meant = forms.read(asked.text, zone=activity.time_zone, now=here.now)
    if asked.what in {What.EXTEND, What.EXCUSE} and isinstance(meant, Flaw):
        return _form(here, activity, asked, gettext(FLAWS[meant]))
    if len(asked.words) > LONGEST_WORDS:
        return _form(here, activity, asked, gettext("Shorten your sentence to 1,000 characters"))
    due_at = meant.due_at if not isinstance(meant, Flaw) else None
    people = service.learners(here.session, asked.chosen, language=page_language())
    touched = _touched(here, activity, asked, due_at, people)
    if "confirmed" not in request.form or not touched.people:
        return render_template(
            "acts/preview.html",
            activity=activity,
            asked=asked,
            due_at=due_at,
            people=people,
            touched=touched,
            most=MOST_LISTED,
            offered=OFFERED,
            why=WHY,
            is_final=asked.what in FINAL,
        )
    done = _do(here, activity, asked, due_at, touched)
    _record(here, done, "staff act done")
    return redirect(url_for(".choose", said="done", act=done.id, _anchor="lately"), code=303)


@pages.post("/acts/<int:act_id>/undo")
@on_visit(may="extend")
def undo(here: Here, act_id: int) -> ResponseReturnValue:
    """Undo what staff did, as far as nothing was built on it since."""
    activity = activity_at(here.session, here.placement_id)
    refuse_read_only(here.session, activity)
    done = service.act_of(here.session, activity, act_id)
    what = What(done.what)
    if what in FINAL or (what in BY_INSTRUCTORS and not here.is_instructor):
        raise NotAllowed(what, here.role)
    if done.undone_at is None:
        undone = _undo(here, activity, done)
        done.undone_at = here.now
        _record(here, done, "staff act undone", undone=undone)
        return redirect(url_for(".choose", said="undone", undone=undone, of=len(done.before)), code=303)
    return redirect(url_for(".choose"), code=303)


def _asked(here: Here, activity: Activity) -> Asked:
    values = request.values
    what = next((one for one in OFFERED if one == values.get("do")), None)
    wish = {What.EXTEND: "extend", What.EXCUSE: "excuse"}.get(what, "") if what is not None else ""
    text = AllowanceText(wish, *(values.get(name, "")[:10] for name in ("day", "clock")))
    numbers = [round_.number for round_ in rounds_of(here.session, activity.id)]
    number = values.get("round", 0, type=int)
    current = number if number in numbers else numbers[0]
    # Line breaks are the writer's; what would hide or turn text around is not.
    words = "\n".join(clean(line, LONGEST_WORDS + 1) for line in values.get("words", "")[:5000].splitlines()).strip()
    return Asked(what, _chosen(here, activity, current), current, words, text)


def _chosen(here: Here, activity: Activity, number: int) -> tuple[int, ...]:
    """Whom the form or the address names, as far as they take part: by ticks, as a group, or by how they stand."""
    names = [*request.values.getlist("who"), *(request.form.getlist("left_out") if "back" in request.form else ())]
    ids = {int(one) for one in names if one.isdecimal() and len(one) < 10}
    scope = request.values.get("scope", "")
    if scope not in set(Show) and scope != "group":
        return tuple(service.learners_among(here.session, activity, ids))
    if scope == "group":
        groups = pairing.published_groups(here.session, activity.id)
        mates = {
            one for group in groups if group.round_number == number and ids & {*group.members} for one in group.members
        }
        return tuple(service.learners_among(here.session, activity, mates | ids))
    summaries = service.summaries_of_all(here.session, activity.id, here.now)
    return tuple(one for one, summary in summaries.items() if scope in (Show.ALL, summary.belongs))


def _touched(
    here: Here, activity: Activity, asked: Asked, due_at: datetime | None, people: Mapping[int, Learner]
) -> Touched:
    touched = Touched()
    if asked.what in {What.EXTEND, What.EXCUSE}:
        given = service.allowances_in_round(here.session, activity.id, asked.number)
        for each_id in people:
            row = given.get(each_id)
            is_later = row is not None and due_at is not None and row.due_at is not None and row.due_at >= due_at
            is_excused = row is not None and row.is_excused
            touched.sort(each_id, Why.EXCUSED if is_excused else Why.LATER if is_later else None)
    elif asked.what is What.REMIND:
        summaries = service.summaries_of_all(here.session, activity.id, here.now)
        for each_id, person in people.items():
            touched.sort(each_id, Why.LEFT if not person.is_active else _why_not_reminded(summaries.get(each_id)))
    elif asked.what is What.SEND:
        missing = _missing_scores(here, activity)
        for each_id in people:
            touched.sort(each_id, None if each_id in missing else Why.NO_SCORE, missing.get(each_id))
    else:
        held: dict[int, list[int]] = {}
        for waiting in feedback.waiting_for_instructor(here.session, activity):
            held.setdefault(waiting.recipient_id, []).append(waiting.entry_id)
        for each_id in people:
            touched.sort(each_id, None if each_id in held else Why.NO_FEEDBACK, held.get(each_id))
    return touched


def _why_not_reminded(summary: Summary | None) -> Why | None:
    has_something = summary is not None and summary.belongs in {Show.BEHIND, Show.TO_DO}
    return None if has_something else Why.NOTHING_TO_DO


def _missing_scores(here: Here, activity: Activity) -> dict[int, int]:
    """The numbers of scores that are not in the gradebook, by member."""
    rows = here.session.execute(
        select(ScoreState.member_id, ScoreState.id)
        .join(LineItem, LineItem.id == ScoreState.line_item_id)
        .where(LineItem.activity_id == activity.id, ScoreState.state.in_(("waiting", "refused")))
    )
    return {row.member_id: row.id for row in rows}


def _do(here: Here, activity: Activity, asked: Asked, due_at: datetime | None, touched: Touched) -> StaffAct:
    session, by, now = here.session, here.person_id, here.now
    members = list(touched.people)
    match asked.what:
        case What.EXTEND | What.EXCUSE:
            is_excused = asked.what is What.EXCUSE
            return service.allow(
                session, activity, asked.number, members, due_at=due_at, is_excused=is_excused, by=by, now=now
            )
        case What.REMIND:
            return reminders.remind(session, activity, members, asked.words, by=by, now=now)
        case What.SEND:
            for score_id in touched.people.values():
                scores.send_again(session, activity.id, score_id, now=now)
            return service.note_act(session, activity, What.SEND, dict.fromkeys(members), by=by, now=now)
        case _:
            ids = [one for held in touched.people.values() for one in held]
            feedback.release_by_instructor(session, activity, ids, now=now)
            return service.note_act(session, activity, What.RELEASE, touched.people, by=by, now=now)


def _undo(here: Here, activity: Activity, done: StaffAct) -> int:
    """Returns for how many people it was undone."""
    match What(done.what):
        case What.REMIND:
            people, mailed = reminders.take_back(here.session, done)
            return people - mailed
        case What.RELEASE:
            ids = [one for held in done.before.values() for one in held]
            back = feedback.take_back_release(here.session, activity, ids, now=here.now)
            return sum(bool(back.intersection(held)) for held in done.before.values())
        case _:
            return service.undo_allowances(here.session, activity, done, now=here.now)


def _record(here: Here, done: StaffAct, what: str, **more: Any) -> None:
    audit.record(
        here.session,
        what,
        now=here.now,
        institution_id=here.visit.institution_id,
        course_id=here.course_id,
        person_id=here.person_id,
        act=done.what,
        people=len(done.before),
        **more,
    )


def _form(here: Here, activity: Activity, asked: Asked, problem: str = "") -> ResponseReturnValue:
    lately = service.acts_in(here.session, activity.id, most=MOST_LISTED)
    page = render_template(
        "acts/choose.html",
        activity=activity,
        asked=asked,
        people=service.learners(here.session, asked.chosen, language=page_language()),
        rounds=rounds_of(here.session, activity.id),
        problem=problem,
        undone=[request.args.get(name, 0, type=int) for name in ("undone", "of")],
        offered={one: words for one, words in OFFERED.items() if here.is_instructor or one not in BY_INSTRUCTORS},
        lately=lately,
        named=NAMED,
        can_undo=lambda done: _can_undo(here, done),
        most=MOST_LISTED,
        longest=LONGEST_WORDS,
        letters=reminders.standing_of(
            here.session, here.person_id, has_server=here.kit.settings.smtp_url is not None
        ).is_on,
    )
    return page, 422 if problem else 200


def _can_undo(here: Here, done: StaffAct) -> bool:
    what = What(done.what)
    return done.undone_at is None and what not in FINAL and (here.is_instructor or what not in BY_INSTRUCTORS)
