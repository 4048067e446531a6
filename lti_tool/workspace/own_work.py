"""What a learner takes along: their own work in a course, as one page that can be read without us."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from babel.dates import format_datetime
from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activities_of_course
from lti_tool.errors import NotAllowed
from lti_tool.feedback import reading, rules
from lti_tool.feedback.models import Acknowledgement, Feedback
from lti_tool.feedback.pages import NAMES
from lti_tool.launch.models import Course, Person
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer
from lti_tool.web.i18n import zone_of_reader

pages = Blueprint("own_work", __name__)

OWN_WORK: Final = "own work"


@dataclass(frozen=True, slots=True)
class Text:
    """Feedback in one direction, as its reader may see it."""

    texts: tuple[tuple[str, str], ...]
    """Names (to translate) and what stands there."""
    levels: tuple[tuple[str, str], ...]
    notes: tuple[tuple[datetime, str], ...]
    """The reader's own, where they are the author."""
    given_at: datetime | None
    answer: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """What two people told each other in one round."""

    round_number: int
    partner: str | None
    mine: Text | None
    theirs: Text | None


@pages.post("/own-work")
@on_visit(may="take part")
def take_along(here: Here) -> ResponseReturnValue:
    """Offer a learner their own work in the course as a file."""
    if here.is_preview or here.member_id is None:
        raise NotAllowed("own work", here.visit.key)
    return offer(here, OWN_WORK)


@builds(pages, OWN_WORK)
def build_own_work(here: Here, _: dict[str, Any]) -> Response:
    """One page with what the person wrote in the course, what was released to them, and both sides' answers."""
    found = [(activity, _pieces(here, activity)) for activity in activities_of_course(here.session, here.course_id)]
    page = render_template(
        "home/own_work.html",
        course=here.session.get_one(Course, here.course_id),
        person=here.session.get_one(Person, here.person_id),
        activities=[(activity, pieces) for activity, pieces in found if pieces],
        now=here.now,
        dated=_dated(),
    )
    answer = make_response(page)
    answer.headers["Content-Type"] = "text/html; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="my-peer-coaching.html"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _dated() -> Callable[[datetime, str | None], str]:
    """Whole dates in the person's time zone: what is near or far today is not when the file is read."""

    def dated(moment: datetime, zone: str | None = None) -> str:
        local = moment.astimezone(zone_of_reader(zone))
        return str(format_datetime(local, "long", locale=str(get_locale() or "en")))

    return dated


def _pieces(here: Here, activity: Activity) -> list[Piece]:
    pieces = []
    for one in reading.exchanges_of(here.session, activity, here.member_id or 0, now=here.now):
        mine = _text(here, activity, one.mine, one.answer_to_mine, is_own=True) if one.mine else None
        theirs = None
        if one.theirs is not None and one.is_theirs_released:
            theirs = _text(here, activity, one.theirs, one.answer_to_theirs, is_own=False)
        if mine is not None or theirs is not None:
            pieces.append(Piece(one.round.number, one.partner_name, mine, theirs))
    return pieces


def _text(here: Here, activity: Activity, feedback: Feedback, sent: Acknowledgement | None, *, is_own: bool) -> Text:
    fields = {name: str(getattr(feedback, name)) for name in rules.TEXTS}
    if is_own:
        fields = reading.draft_fields(feedback)
    # What the receiver only began to answer is theirs, not the author's.
    begun = None if is_own else reading.find_answer_draft(here.session, feedback.id)
    answer = reading.answer_fields(begun, sent)
    rubric = reading.rubric_of(here.session, feedback.rubric_id or activity.rubric_id)
    chosen = rules.marks_of(fields, reading.levels_by_criterion(rubric)) if is_own else feedback.marks
    return Text(
        texts=_named(fields, (*rules.TEXTS, rules.NOTE_DRAFT)),
        levels=tuple(
            (criterion.name, level.label)
            for criterion in rubric.criteria
            for level in criterion.levels
            if str(chosen.get(str(criterion.id))) == str(level.id)
        ),
        notes=tuple(
            (note.at, note.text)
            for note in (reading.notes_of(here.session, feedback) if is_own else ())
            if note.removed_at is None
        ),
        given_at=feedback.submitted_at,
        answer=_named(answer, rules.ANSWER_TEXTS),
    )


def _named(fields: dict[str, str], order: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((NAMES[name], fields[name]) for name in order if fields.get(name, "").strip())
