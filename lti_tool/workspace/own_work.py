"""A learner's own work in a course, as a file that can be read without Tandem."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from babel.dates import format_datetime
from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import Audience, Step, kind_for
from lti_tool.activities.service import activities_of_course
from lti_tool.certificates import service as certificates
from lti_tool.errors import NotAllowed
from lti_tool.feedback import service as feedback
from lti_tool.feedback.models import Entry
from lti_tool.feedback.rules import NOTE_DRAFT
from lti_tool.feedback.service import Exchange
from lti_tool.feedback.wording import labeled
from lti_tool.goals import service as goals
from lti_tool.launch.models import Course, Person
from lti_tool.meetings import service as meetings
from lti_tool.practices import service as practices
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer
from lti_tool.web.i18n import zone_of_reader

pages = Blueprint("own_work", __name__)

OWN_WORK: Final = "own work"


@dataclass(frozen=True, slots=True)
class Text:
    """One entry, as its reader may see it."""

    step: Step
    is_own: bool
    partner: str | None
    is_to_partners: bool
    texts: Mapping[str, str]
    """Texts by the name of their field, to be translated."""
    levels: tuple[tuple[str, str], ...]
    """Criteria of the rubric, and what was answered to them."""
    notes: tuple[tuple[datetime, str], ...]
    """The reader's own notes, if they are the author."""
    is_given: bool
    answer: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Piece:
    """What was written between two people, or to nobody in particular, in one round."""

    round_number: int
    texts: tuple[Text, ...]


@pages.post("/own-work")
@on_visit(may="take part")
def download_own_work(here: Here) -> ResponseReturnValue:
    """Offer a learner their own work in the course as a file."""
    if here.is_preview or here.member_id is None:
        raise NotAllowed("own work", here.visit.key)
    return offer(here, OWN_WORK)


@builds(pages, OWN_WORK)
def build_own_work(here: Here, _: dict[str, Any]) -> Response:
    """One page with what the person wrote in the course, what was released to them, and both sides' answers.

    What they are asked to assess themselves before is left out until then.
    """
    dated, own = _dated(), [here.member_id or 0]
    taken = [
        (activity, _pieces(here, activity), _dates(here, activity), _between(here, activity))
        for activity in activities_of_course(here.session, here.course_id)
    ]
    page = render_template(
        "home/own_work.html",
        course=here.session.get_one(Course, here.course_id),
        person=here.session.get_one(Person, here.person_id),
        activities=[(activity, *written) for activity, *written in taken if any(written)],
        own=goals.texts_of(here.session, own) | {"practices": practices.texts_of(here.session, own)},
        certificates=[one for one in certificates.texts_of(here.session, own) if not one["withdrawn"]],
        now=here.now,
        dated=dated,
        told_on=lambda text: dated(datetime.fromisoformat(text), None),
    )
    answer = make_response(page)
    answer.headers["Content-Type"] = "text/html; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="my-peer-coaching.html"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _dated() -> Callable[[datetime, str | None], str]:
    """Show whole dates in the person's time zone: "near" and "far" would be wrong when the file is read."""

    def dated(moment: datetime, zone: str | None = None) -> str:
        local = moment.astimezone(zone_of_reader(zone))
        return str(format_datetime(local, "long", locale=str(get_locale() or "en")))

    return dated


def _between(here: Here, activity: Activity) -> list[tuple[datetime, Mapping[str, str]]]:
    """What the person wrote about what happened between meetings, oldest first."""
    between = kind_for(activity).between
    return [
        (occasion.created_at, feedback.named(between.form if between is not None else None, occasion.fields))
        for occasion in reversed(feedback.occasions_of(here.session, activity.id, here.member_id or 0))
    ]


def _dates(here: Here, activity: Activity) -> list[tuple[int, datetime]]:
    """When the person's groups agreed to meet: the number of the round and a moment, those left out not among them."""
    views = meetings.of_member(here.session, activity, here.member_id or 0, now=here.now)
    return [
        (number, date.starts_at)
        for number, view in views.items()
        if view.agreed is not None
        for date in view.agreed.dates
        if not date.is_skipped
    ]


def _pieces(here: Here, activity: Activity) -> list[Piece]:
    kind = kind_for(activity)
    own_first = feedback.rounds_for_own_view(here.session, activity, here.member_id or 0)
    pieces = []
    for exchange in labeled(feedback.exchanges_of(here.session, activity, here.member_id or 0, now=here.now)):
        texts = []
        for step in kind.steps:
            if step.form is None or step.is_answer:
                continue
            answer = kind.answer_to(step)
            if (entry := exchange.mine.get(step.key)) is not None:
                texts.append(_text(here, exchange, step, entry, answer=_words(answer, exchange.theirs)))
            entry = exchange.to_read(step)
            if entry is not None and not feedback.waits_for_own_view(entry, own_first):
                # What the receiver only began to answer is theirs, not the author's.
                texts.append(_text(here, exchange, step, entry, answer=_words(answer, exchange.mine, is_own=True)))
        if texts:
            pieces.append(Piece(exchange.round.number, tuple(texts)))
    return pieces


def _words(step: Step | None, entries: Mapping[str, Entry], *, is_own: bool = False) -> dict[str, str]:
    """An answer by the names of its fields; empty where there is none."""
    entry = entries.get(step.key) if step is not None else None
    if step is None or entry is None:
        return {}
    audience = None if is_own else Audience.RECIPIENT
    return feedback.named(step.form, feedback.draft_fields(entry) if is_own else entry.fields, audience)


def _text(here: Here, exchange: Exchange, step: Step, entry: Entry, *, answer: Mapping[str, str]) -> Text:
    is_own = entry.author_id in {here.member_id, None}
    fields = feedback.draft_fields(entry) if is_own else dict(entry.fields)
    texts = feedback.named(step.form, fields, None if is_own else Audience.RECIPIENT)
    if is_own and step.form is not None and step.form.notes is not None and fields.get(NOTE_DRAFT, "").strip():
        texts[step.form.notes.question] = fields[NOTE_DRAFT]
    notes = feedback.notes_of(here.session, entry) if is_own else []
    return Text(
        step,
        is_own,
        exchange.partner_name,
        entry.recipient_id is not None,
        texts,
        levels=tuple(
            feedback.rubric_in_words(
                here.session, entry.rubric_id, fields, words_only=bool(exchange.unnamed) and not is_own
            ).items()
        ),
        notes=tuple((note.at, note.text) for note in notes if note.removed_at is None),
        is_given=entry.submitted_at is not None,
        answer=answer,
    )
