"""What one person wrote and may read, for their export, and what is removed when they are erased."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Audience, Field, Form, kind_of
from lti_tool.feedback import rules
from lti_tool.feedback.models import Entry, FavoriteQuestion, Note, PartnerNote
from lti_tool.feedback.service.moderation import DRAFTS
from lti_tool.feedback.service.tasks import notes_of
from lti_tool.launch.models import Member
from lti_tool.pairing.models import Seat
from lti_tool.rubrics.models import Criterion, Level


def texts_of(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Everything written that is a person's own: by them, drafts included, by their groups, or released to them.

    Plain values only, oldest first, names of partners left out. What a form calls a field names its text.
    """
    own = _members(session, person_id)
    own_groups = select(Seat.group_id).where(Seat.member_id.in_(own))
    rows = session.execute(
        select(Entry, Activity.kind, Activity.title, Round.number)
        .select_from(Entry)
        .join(Activity, Activity.id == Entry.activity_id)
        .join(Round, Round.id == Entry.round_id)
        .where(
            or_(
                Entry.author_id.in_(own),
                and_(Entry.recipient_id.in_(own), Entry.released_at.is_not(None), Entry.withheld_at.is_(None)),
                and_(Entry.author_id.is_(None), Entry.group_id.in_(own_groups)),
            )
        )
        .order_by(Entry.created_at, Entry.id)
    )
    found = []
    for entry, kind_key, title, number in rows:
        step = kind_of(kind_key).step(entry.step)
        direction = "together" if entry.author_id is None else "given" if entry.author_id in own else "received"
        found.append(
            {
                "activity": title,
                "round": number,
                "step": step.words.name if step is not None else entry.step,
                "direction": direction,
                "given_at": entry.submitted_at.isoformat() if entry.submitted_at else None,
                "released_at": entry.released_at.isoformat() if entry.released_at else None,
                **_texts(session, entry, step.form if step is not None else None, is_own=direction != "received"),
            }
        )
    return found


def _texts(session: Session, entry: Entry, form: Form | None, *, is_own: bool) -> dict[str, Any]:
    view: dict[str, Any] = {
        "texts": named(form, entry.fields, None if is_own else Audience.RECIPIENT),
        "levels": _levels_in_words(session, entry.fields),
        "added_later": [{"at": added["at"], "text": added["text"]} for added in entry.additions],
    }
    if is_own:
        correction = entry.correction or {}
        view["counted"] = entry.counted
        view["notes"] = [{"at": note.at.isoformat(), "text": note.text} for note in notes_of(session, entry)]
        view["not_given"] = {
            **named(form, correction),
            **_levels_in_words(session, correction),
            **{key: entry.fields.get(key, "") for key in DRAFTS},
            "kept_aside": [{"field": _name(form, one["field"]), "text": one["text"]} for one in entry.kept_aside],
        }
    return view


def named(form: Form | None, fields: Mapping[str, str], audience: Audience | None = None) -> dict[str, str]:
    """Texts that are not empty, by what the form calls their fields, in its order; a choice in its words.

    `audience` is who reads; None is the author, who sees also what the form does not ask for any more.
    """
    known = form.texts if form is not None else ()
    found = {
        field.name: _in_words(field, fields[field.key])
        for field in known
        if fields.get(field.key, "").strip() and (audience is None or audience in field.seen_by)
    }
    if audience is None:
        others = fields.keys() - {field.key for field in known} - DRAFTS
        found |= {key: fields[key] for key in sorted(others) if fields[key].strip() and not key.startswith(rules.MARK)}
    return found


def _in_words(field: Field, text: str) -> str:
    return next((choice.label for choice in field.choices if choice.value == text), text)


def _name(form: Form | None, key: str) -> str:
    if form is not None and form.notes is not None and key.startswith((rules.NOTE_DRAFT, rules.NOTE)):
        return form.notes.question
    return next((field.name for field in form.texts if field.key == key), key) if form is not None else key


def _levels_in_words(session: Session, fields: Mapping[str, str]) -> dict[str, str]:
    chosen = [int(level) for name, level in fields.items() if name.startswith(rules.MARK) and level]
    rows = session.execute(
        select(Criterion.name, Level.label)
        .join(Level, Level.criterion_id == Criterion.id)
        .where(Level.id.in_(chosen))
        .order_by(Criterion.position)
    )
    return dict(rows.all())


def notes_to_partners_of(session: Session, person_id: int) -> list[dict[str, Any]]:
    """What a person told partners before they met, and what partners told them; names of partners left out."""
    own = _members(session, person_id)
    rows = session.execute(
        select(PartnerNote, Activity.title, Round.number)
        .join(Round, Round.id == PartnerNote.round_id)
        .join(Activity, Activity.id == Round.activity_id)
        .where(or_(PartnerNote.author_id.in_(own), PartnerNote.recipient_id.in_(own)))
        .order_by(PartnerNote.at, PartnerNote.id)
    )
    return [
        {
            "activity": title,
            "round": number,
            "direction": "given" if note.author_id in own else "received",
            "at": note.at.isoformat(),
            "text": note.text,
        }
        for note, title, number in rows
    ]


def erase_texts_of(session: Session, person_id: int) -> None:
    """Remove what only this person could see: drafts, notes, texts kept aside, and what was written to nobody.

    What was given to somebody stays, since it is the partner's record too; the page shows it without a name from then
    on. What a group wrote together is the group's.
    """
    own = _members(session, person_id)
    written = select(Entry.id).where(Entry.author_id.in_(own))
    private = [entry_id for entry_id, kind, step in _given(session, own) if _is_private(kind, step)]
    for statement in (
        delete(Note).where(Note.entry_id.in_(written)),
        delete(PartnerNote).where(PartnerNote.author_id.in_(own)),
        delete(FavoriteQuestion).where(FavoriteQuestion.member_id.in_(own)),
        delete(Entry).where(or_(and_(Entry.author_id.in_(own), Entry.submitted_at.is_(None)), Entry.id.in_(private))),
        update(Entry).where(Entry.author_id.in_(own)).values(correction=None, kept_aside=[], stamps={}),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
    for entry in session.scalars(select(Entry).where(Entry.author_id.in_(own))):
        if DRAFTS & entry.fields.keys():
            entry.fields = {name: text for name, text in entry.fields.items() if name not in DRAFTS}
    session.flush()


def _given(session: Session, own: set[int]) -> list[tuple[int, str, str]]:
    rows = session.execute(
        select(Entry.id, Activity.kind, Entry.step)
        .join(Activity, Activity.id == Entry.activity_id)
        .where(Entry.author_id.in_(own), Entry.submitted_at.is_not(None))
    )
    return [(entry_id, kind, step) for entry_id, kind, step in rows]


def _is_private(kind_key: str, step_key: str) -> bool:
    """Whether nobody but its author reads what is written in this step."""
    step = kind_of(kind_key).step(step_key)
    return step is not None and step.form is not None and not step.form.audience


def _members(session: Session, person_id: int) -> set[int]:
    return set(session.scalars(select(Member.id).where(Member.person_id == person_id)))
