"""Everything typed is kept as it is typed: one way to save for every form, and what two devices make of one text."""

import contextlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities.rules import FieldKind, Form
from lti_tool.activities.service import completion_changed
from lti_tool.feedback import rules
from lti_tool.feedback.errors import ActivityClosed, NotYourPartner, RoundNotOpen, TextTooLong
from lti_tool.feedback.models import ALIASES, Entry, Note, Occasion
from lti_tool.feedback.service.moderation import DRAFTS, mark_read
from lti_tool.feedback.service.tasks import (
    Task,
    draft_fields,
    find_entry,
    notes_of,
    place_of,
    questions_of,
    rubric_id_of,
)
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Seat
from lti_tool.rubrics.rules import Asked

MEETING: Final = "meeting"
"""Names the notes of the meeting among those that can be copied."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save made of a draft."""

    version: int
    saved_at: datetime
    newer: Mapping[str, tuple[str, int]]
    """Fields that another device changed meanwhile, with their versions."""
    aside: tuple[rules.Aside, ...]
    has_conflict: bool
    is_read: bool = False
    """The receiver has read what was given, so what was saved now goes nowhere."""


def open_entry(session: Session, task: Task, *, now: datetime) -> Entry:
    """The task's entry, locked until the transaction ends; made when there is none.

    Raises RoundNotOpen, ActivityClosed, and NotYourPartner where the groups changed a moment ago: the rule is kept
    here, whatever the page showed.
    """
    refuse_closed(task, now=now)
    if task.answers is not None:
        _make_release_lasting(session, task.answers, now=now)
    elif task.group_id is not None and task.step.begins_group:
        pairing.begin(session, task.group_id, now=now)
    elif task.group_id is not None:
        pairing.hold_group(session, task.group_id)
    if find_entry(session, task) is None:
        # From here on the group stays as it is; it may have been another when the task was looked up.
        partner_id = task.recipient_id or task.author_id
        is_member_asked = task.answers is None and not task.is_facilitated
        if is_member_asked and not pairing.share_group(session, task.group_id or 0, task.author_id, partner_id):
            raise NotYourPartner(task.round.number, task.author_id, task.recipient_id)
        # Two tabs may get here at the same moment; the second finds what the first made.
        with contextlib.suppress(IntegrityError), session.begin_nested():
            session.add(
                Entry(
                    activity_id=task.activity.id,
                    round_id=task.round.id,
                    group_id=task.group_id,
                    author_id=None if task.step.is_shared else task.author_id,
                    recipient_id=task.recipient_id,
                    alias=ALIASES[secrets.randbelow(len(ALIASES))] if task.is_anonymous else None,
                    step=task.step.key,
                    rubric_id=rubric_id_of(task, None) if task.form.has_marks else None,
                    is_open_to_staff=task.activity.staff_read_feedback,
                    version=1,
                    created_at=now,
                    saved_at=now,
                )
            )
    return lock(session, task)[task.author_id]


def lock(session: Session, task: Task) -> dict[int, Entry]:
    """The task's entry and, of a mutual step, its counterpart, by who writes; locked in an order without deadlocks."""
    place = and_(*place_of(task))
    if task.step.is_mutual:
        counterpart = and_(Entry.author_id == task.recipient_id, Entry.recipient_id == task.author_id)
        place = or_(place, and_(Entry.round_id == task.round.id, Entry.step == task.step.key, counterpart))
    rows = session.scalars(
        select(Entry).where(place).order_by(Entry.id).with_for_update().execution_options(populate_existing=True)
    )
    return {entry.author_id or task.author_id: entry for entry in rows}


def refuse_closed(task: Task, *, now: datetime) -> None:
    """Raise ActivityClosed or RoundNotOpen where nothing is taken now."""
    if not task.takes_texts:
        raise ActivityClosed(task.activity.id)
    if not task.is_open(now):
        raise RoundNotOpen(task.round.id)


def _make_release_lasting(session: Session, entry: Entry, *, now: datetime) -> None:
    """What somebody answers was read and stays readable. Past the version, which counts what its author saves."""
    if entry.released_at is None:
        session.execute(update(Entry).where(Entry.id == entry.id, Entry.released_at.is_(None)).values(released_at=now))
    mark_read(session, entry, now=now)


def save_draft(
    session: Session,
    task: Task,
    typed: Mapping[str, str],
    bases: Mapping[str, int],
    *,
    device: str,
    now: datetime,
    started_from: Mapping[str, str] | None = None,
) -> Saved:
    """Keep what was typed, without judging it. `bases` is the version of each field that the device had seen, and
    `started_from` its text then, where the page sends it.

    A text from another device that this one never saw is put together with the new one, or kept aside. After giving,
    texts wait as a correction; once the receiver has read what was given they stay there, for the author's eyes. What
    is written in a meeting counts from the first word. An empty form begins nothing.
    Raises RoundNotOpen, ActivityClosed, TextTooLong.
    """
    device = _device_in(task, device)
    entry = find_entry(session, task)
    if entry is None and not any(
        text.strip() for text in checked(task.form, questions_of(session, task, None), typed).values()
    ):
        refuse_closed(task, now=now)
        return Saved(0, now, {}, (), has_conflict=False)
    entry = open_entry(session, task, now=now)
    notes = {f"{rules.NOTE}{note.id}": note for note in notes_of(session, entry)}
    questions = questions_of(session, task, entry)
    typed = checked(task.form, questions, typed, notes)
    fields = draft_fields(entry, notes.values())
    draft = rules.Draft(fields, stamps_of(entry), asides_of(entry), entry.version)
    merged = rules.merge(
        draft, typed, bases, device=device, now=now, choices=_choices(task.form, questions), started_from=started_from
    )
    if merged.changed or merged.has_conflict:
        _write(task, entry, notes, merged.changed)
        entry.version += 1
        entry.saved_at = now
        entry.stamps = {name: [stamp.version, stamp.device] for name, stamp in merged.stamps.items()}
        entry.kept_aside = aside_rows(merged.aside)
        if task.step.is_live and entry.submitted_at is None:
            entry.submitted_at = now
            completion_changed(session, entry.activity_id, concerned(session, task, entry), now=now)
        session.flush()
    newer = rules.newer_than_seen(draft_fields(entry, notes.values()), merged.stamps, bases, device=device)
    # Of a text that was put together with somebody else's, the page does not know the whole yet.
    newer |= {
        name: (text, entry.version)
        for name, text in merged.changed.items()
        if name in (started_from or {}) and text != typed[name]
    }
    # An answer can be changed as long as the activity is open.
    is_read = not task.step.is_answer and entry.read_at is not None
    return Saved(entry.version, entry.saved_at, newer, merged.aside, merged.has_conflict, is_read)


def settle_aside(session: Session, task: Task, key: str, *, use: bool, device: str, now: datetime) -> None:
    """Take a text that was kept aside in place of the present one, which is then kept aside; or let it go."""
    if find_entry(session, task) is None:
        return
    entry = open_entry(session, task, now=now)
    notes = {f"{rules.NOTE}{note.id}": note for note in notes_of(session, entry)}
    asides = asides_of(entry)
    chosen = next((one for one in asides if one.key == key), None)
    if chosen is None:
        return
    device = _device_in(task, device)
    left = [one for one in asides if one.key != key]
    if use:
        present = draft_fields(entry, notes.values()).get(chosen.field, "")
        if present.strip():
            left.append(rules.Aside(chosen.field, present, now))
        _put(task, entry, notes, chosen.field, chosen.text, device=device, now=now)
    else:
        entry.version += 1
    entry.kept_aside = aside_rows(left)
    session.flush()


def add_note(session: Session, task: Task, text: str, *, at: datetime, device: str, now: datetime) -> Note | None:
    """Write down a note with its moment and empty the draft of one; a blank text makes none.

    A moment that has not come yet, by a device whose clock is ahead, counts as now. Raises TextTooLong and what
    `open_entry` raises.
    """
    field, text = task.form.notes, rules.clean(text).strip()
    if field is not None and len(text) > field.longest:
        raise TextTooLong(rules.NOTE_DRAFT, len(text))
    if not text or field is None:
        refuse_closed(task, now=now)
        return None
    entry = open_entry(session, task, now=now)
    note = Note(entry_id=entry.id, at=min(at, now), text=text)
    session.add(note)
    _put(task, entry, {}, rules.NOTE_DRAFT, "", device=device, now=now)
    session.flush()
    return note


def notes_to_copy(session: Session, task: Task, notes: Iterable[Note]) -> dict[str, str]:
    """What the author noted for themselves in the meeting, and these notes, by a name for `copy_note`."""
    own = [step for step in task.kind.steps if step.is_live and step.form is not None and not step.form.audience]
    of_meeting = session.scalars(
        select(Entry).where(
            Entry.group_id == task.group_id,
            Entry.author_id == task.author_id,
            Entry.recipient_id.is_(None),
            Entry.step.in_([step.key for step in own if not step.is_shared]),
        )
    )
    text = "\n".join(text for entry in of_meeting for text in entry.fields.values() if text.strip())
    return ({MEETING: text} if text else {}) | {str(note.id): note.text for note in notes if note.removed_at is None}


def copy_note(session: Session, task: Task, field: str, source: str, *, device: str, now: datetime) -> None:
    """Add one's own notes to what a field holds; what it holds already is not added again.

    Raises what `open_entry` raises.
    """
    entry = open_entry(session, task, now=now)
    text = notes_to_copy(session, task, notes_of(session, entry)).get(source, "").strip()
    before = draft_fields(entry).get(field, "").rstrip()
    if text and text not in before and field in {one.key for one in task.form.texts if one.craft is not None}:
        _put(task, entry, {}, field, f"{before}\n{text}".strip(), device=device, now=now)
        session.flush()


def remove_note(session: Session, task: Task, note_id: int, *, now: datetime, undo: bool = False) -> None:
    """Take a note away, or bring it back."""
    if find_entry(session, task) is None:
        return
    entry = open_entry(session, task, now=now)
    session.execute(
        update(Note)
        .where(Note.id == note_id, Note.entry_id == entry.id)
        .values(removed_at=None if undo else now)
        .execution_options(synchronize_session=False)
    )


def concerned(session: Session, task: Task, entry: Entry) -> set[int]:
    """Whose completion may be another now."""
    if task.step.is_shared:
        return set(session.scalars(select(Seat.member_id).where(Seat.group_id == entry.group_id)))
    return {task.author_id} | ({task.recipient_id} if task.recipient_id is not None else set())


def _device_in(task: Task, device: str) -> str:
    """The device as stamps name it: of a text that a group shares, with who writes on it."""
    return f"{task.author_id}.{device}" if task.step.is_shared else device


def stamps_of(entry: Entry | Occasion | None) -> dict[str, rules.Stamp]:
    """When and where each field last changed."""
    stamps = entry.stamps if entry is not None else {}
    return {name: rules.Stamp(int(at), str(device)) for name, (at, device) in stamps.items()}


def asides_of(entry: Entry | Occasion | None) -> tuple[rules.Aside, ...]:
    """Texts kept aside, oldest first."""
    if entry is None:
        return ()
    return tuple(rules.Aside(one["field"], one["text"], datetime.fromisoformat(one["at"])) for one in entry.kept_aside)


def aside_rows(aside: Iterable[rules.Aside]) -> list[dict[str, str]]:
    """Texts kept aside as the database has them."""
    return [{"field": one.field, "text": one.text, "at": one.at.isoformat()} for one in aside]


def _choices(form: Form, questions: Iterable[Asked]) -> set[str]:
    """The names of fields that hold no texts."""
    chosen = {field.key for field in form.texts if field.kind is FieldKind.CHOICE}
    return chosen | {name for asked in questions for name in asked.names() if name not in asked.texts()}


def checked(
    form: Form, questions: Iterable[Asked], typed: Mapping[str, str], notes: Collection[str] = ()
) -> dict[str, str]:
    """Those typed fields that the form asks for, cleaned; a choice that nobody was offered counts as none.

    `notes` names those that were added. Raises TextTooLong.
    """
    offered = {field.key: {one.value for one in field.choices} for field in form.texts if field.choices}
    answers = {name: asked for asked in questions for name in asked.names()}
    drafts = [rules.ADDITION_DRAFT, *([rules.NOTE_DRAFT] if form.notes is not None else [])]
    known = {*(field.key for field in form.texts), *drafts, *notes, *answers}
    cleaned = {name: rules.clean(text) for name, text in typed.items() if name in known}
    for name, text in cleaned.items():
        if len(text) > rules.LONGEST_DRAFT:
            raise TextTooLong(name, len(text))
        if name in offered and text not in offered[name]:
            cleaned[name] = ""
        elif name in answers:
            cleaned[name] = answers[name].usable(name, text)
    return cleaned


def _write(task: Task, entry: Entry, notes: Mapping[str, Note], changed: Mapping[str, str]) -> None:
    """Put fields where they live: notes in their rows, the rest in the entry, or its correction once it was given.

    What others read as it is typed needs no correction.
    """
    later = {}
    for name, text in changed.items():
        if name in notes:
            notes[name].text = text
        elif entry.submitted_at is not None and name not in DRAFTS and not task.step.is_read_as_written:
            later[name] = text
        else:
            entry.fields = {**entry.fields, name: text}
    if later:
        entry.correction = {**(entry.correction or {}), **later}


def _put(
    task: Task, entry: Entry, notes: Mapping[str, Note], name: str, text: str, *, device: str, now: datetime
) -> None:
    entry.version += 1
    entry.saved_at = now
    entry.stamps = {**entry.stamps, name: [entry.version, device]}
    _write(task, entry, notes, {name: text})
