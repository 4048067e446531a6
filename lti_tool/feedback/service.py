"""Write, give, release and answer feedback. All times and identities come in as arguments."""

import contextlib
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ScalarSelect, and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Release
from lti_tool.activities.service import completion_changed
from lti_tool.feedback import rules
from lti_tool.feedback.drafts import Saved, as_draft, aside_rows, asides_of, checked, note_save
from lti_tool.feedback.errors import (
    ActivityClosed,
    FeedbackIncomplete,
    FeedbackReleased,
    NotYourPartner,
    RoundNotOpen,
    TextTooLong,
)
from lti_tool.feedback.models import Feedback, Note
from lti_tool.feedback.reading import (
    Assignment,
    draft_fields,
    find_feedback,
    levels_by_criterion,
    moments_of,
    notes_of,
    problems_of,
    rubric_id_of,
    rubric_of,
)
from lti_tool.jobs import queue
from lti_tool.launch.models import Course
from lti_tool.pairing import service as pairing
from lti_tool.rubrics.models import Criterion

BATCH = 1000
"""Feedback released in one transaction; a job that meets more asks for another turn."""


def open_feedback(session: Session, task: Assignment, *, now: datetime) -> Feedback:
    """The author's feedback, locked until the transaction ends; made when there is none.

    Raises RoundNotOpen, ActivityClosed, and NotYourPartner where the groups changed a moment ago: the rule is kept
    here, whatever the page showed.
    """
    _refuse_closed(task, now=now)
    if task.group_id is not None:
        pairing.begin(session, task.group_id, now=now)
    if find_feedback(session, task) is None:
        # From here on the group stays as it is; it may have been another when the task was looked up.
        if not pairing.share_group(session, task.group_id or 0, task.author_id, task.recipient_id):
            raise NotYourPartner(task.round.number, task.author_id, task.recipient_id)
        # Two tabs may get here at the same moment; the second finds what the first made.
        with contextlib.suppress(IntegrityError), session.begin_nested():
            session.add(
                Feedback(
                    activity_id=task.activity.id,
                    round_id=task.round.id,
                    group_id=task.group_id,
                    author_id=task.author_id,
                    recipient_id=task.recipient_id,
                    rubric_id=task.activity.rubric_id,
                    is_open_to_staff=task.activity.staff_read_feedback,
                    version=1,
                    created_at=now,
                    saved_at=now,
                )
            )
    return _lock_pair(session, task.round.id, task.author_id, task.recipient_id)[task.author_id]


def _refuse_closed(task: Assignment, *, now: datetime) -> None:
    if not task.takes_texts:
        raise ActivityClosed(task.activity.id)
    if not task.is_open(now):
        raise RoundNotOpen(task.round.id)


def _is_untouched(session: Session, task: Assignment, typed: Mapping[str, str]) -> bool:
    """Whether nothing is written for the partner yet and a form holds nothing either."""
    if find_feedback(session, task) is not None:
        return False
    marks = _marks_of_rubric(session, rubric_id_of(task, None))
    return not any(text.strip() for text in checked(typed, {*rules.TEXTS, rules.NOTE_DRAFT, *marks}).values())


def save_draft(
    session: Session,
    task: Assignment,
    typed: Mapping[str, str],
    bases: Mapping[str, int],
    *,
    device: str,
    now: datetime,
) -> Saved:
    """Keep what was typed, without judging it. `bases` is the version of each field that the device had seen.

    A text from another device that this one never saw is kept aside. After giving, texts wait as a correction; after
    the release they stay there, for the author's eyes, since the receiver has read what was given.
    An empty form begins nothing. Raises RoundNotOpen, ActivityClosed, TextTooLong.
    """
    if _is_untouched(session, task, typed):
        _refuse_closed(task, now=now)
        return Saved(0, now, {}, (), has_conflict=False)
    feedback = open_feedback(session, task, now=now)
    notes = {f"{rules.NOTE}{note.id}": note for note in notes_of(session, feedback)}
    marks = _marks_of_rubric(session, rubric_id_of(task, feedback))
    typed = checked(typed, {*rules.TEXTS, rules.NOTE_DRAFT, *marks, *notes})
    fields = draft_fields(feedback, notes.values())
    merged = rules.merge(as_draft(feedback, fields), typed, bases, device=device, now=now)
    if merged.changed or merged.has_conflict:
        _write(feedback, notes, merged.changed)
        note_save(feedback, merged, now=now)
        session.flush()
    newer = rules.newer_than_seen(draft_fields(feedback, notes.values()), merged.stamps, bases, device=device)
    released = is_released(session, task, feedback, now=now)
    return Saved(feedback.version, feedback.saved_at, newer, merged.aside, merged.has_conflict, released)


def add_note(session: Session, task: Assignment, text: str, *, at: datetime, device: str, now: datetime) -> Note | None:
    """Write down a moment of the observation and empty the draft of a note; a blank text makes none.

    A moment that has not come yet, by a device whose clock is ahead, counts as now. Raises TextTooLong and what
    `open_feedback` raises.
    """
    text = rules.clean(text).strip()
    if len(text) > rules.LONGEST:
        raise TextTooLong(rules.NOTE_DRAFT, len(text))
    if not text:
        _refuse_closed(task, now=now)
        return None
    feedback = open_feedback(session, task, now=now)
    note = Note(feedback_id=feedback.id, at=min(at, now), text=text)
    session.add(note)
    _put(feedback, {}, rules.NOTE_DRAFT, "", device=device, now=now)
    session.flush()
    return note


def remove_note(session: Session, task: Assignment, note_id: int, *, now: datetime, undo: bool = False) -> None:
    """Take a note away, or bring it back."""
    if find_feedback(session, task) is None:
        return
    feedback = open_feedback(session, task, now=now)
    session.execute(
        update(Note)
        .where(Note.id == note_id, Note.feedback_id == feedback.id)
        .values(removed_at=None if undo else now)
        .execution_options(synchronize_session=False)
    )


def settle_aside(session: Session, task: Assignment, key: str, *, use: bool, device: str, now: datetime) -> None:
    """Take a text that was kept aside in place of the present one, which is then kept aside; or let it go."""
    if find_feedback(session, task) is None:
        return
    feedback = open_feedback(session, task, now=now)
    notes = {f"{rules.NOTE}{note.id}": note for note in notes_of(session, feedback)}
    asides = asides_of(feedback)
    chosen = next((one for one in asides if one.key == key), None)
    if chosen is None:
        return
    left = [one for one in asides if one.key != key]
    if use:
        present = draft_fields(feedback, notes.values()).get(chosen.field, "")
        if present.strip():
            left.append(rules.Aside(chosen.field, present, now))
        _put(feedback, notes, chosen.field, chosen.text, device=device, now=now)
    else:
        feedback.version += 1
    feedback.kept_aside = aside_rows(left)
    session.flush()


def give(session: Session, task: Assignment, *, now: datetime) -> Feedback:
    """Give what the draft holds, or correct what was given; release it and its counterpart if the rule says so.

    Giving twice changes nothing. Both members' progress is looked at again, in this transaction.
    Raises FeedbackIncomplete, RoundNotOpen, ActivityClosed, FeedbackReleased.
    """
    if find_feedback(session, task) is None:
        _refuse_closed(task, now=now)
        raise FeedbackIncomplete(problems_of(session, task, None))
    feedback = open_feedback(session, task, now=now)
    if feedback.submitted_at is not None and not feedback.correction:
        return feedback
    if is_released(session, task, feedback, now=now):
        raise FeedbackReleased(feedback.id)
    if problems := problems_of(session, task, feedback):
        raise FeedbackIncomplete(problems)
    fields = draft_fields(feedback)
    rubric = levels_by_criterion(rubric_of(session, rubric_id_of(task, feedback)))
    add_note(session, task, feedback.note_draft, at=feedback.saved_at, device="", now=now)
    for name, text in rules.tidy(fields).items():
        setattr(feedback, name, text)
    feedback.marks = rules.marks_of(fields, rubric)
    feedback.correction = None
    feedback.kept_aside = []
    feedback.submitted_at = feedback.submitted_at or now
    feedback.saved_at = now
    feedback.version += 1
    session.execute(
        delete(Note)
        .where(Note.feedback_id == feedback.id, Note.removed_at.is_not(None))
        .execution_options(synchronize_session=False)
    )
    session.flush()
    pair = _lock_pair(session, task.round.id, task.author_id, task.recipient_id)
    for one in pair.values():
        back = pair.get(one.recipient_id)
        back_at = back.submitted_at if back is not None else None
        moments = moments_of(one, back_at, task.round, task.activity, task.course_ended_at)
        if one.released_at is None and rules.is_released(task.activity.release, moments, now=now):
            one.released_at = now
    if feedback.released_at is None and task.round.due_at is not None:
        queue.enqueue(
            session,
            "feedback.release",
            {"round_id": task.round.id},
            institution_id=feedback.institution_id,
            now=now,
            due_at=task.round.due_at,
            unique_key=f"feedback.release:{task.round.id}",
        )
    completion_changed(session, feedback.activity_id, {feedback.author_id, feedback.recipient_id}, now=now)
    return feedback


def release_due(session: Session, *, now: datetime, round_id: int | None = None) -> int:
    """Release what became due, of one round or of all that the session sees. Returns how many, BATCH at most."""
    back = _counterpart()
    is_due = or_(
        Round.due_at <= now,
        Activity.closed_at <= now,
        Course.ended_at <= now,
        Activity.release == Release.AT_ONCE,
        and_(Activity.release == Release.AT_DUE, Round.due_at.is_(None)),
        and_(Activity.release == Release.WHEN_BOTH_GAVE, back.is_not(None)),
    )
    found = session.execute(
        select(Feedback, back, Activity, Round, Course.ended_at)
        .select_from(Feedback)
        .join(Activity, Activity.id == Feedback.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Round, Round.id == Feedback.round_id)
        .where(Feedback.submitted_at.is_not(None), Feedback.released_at.is_(None), is_due)
        .where(Feedback.round_id == round_id if round_id is not None else Feedback.round_id.is_not(None))
        .order_by(Feedback.id)
        .limit(BATCH)
        .with_for_update(of=Feedback)
    ).all()
    released = 0
    for feedback, back_at, activity, round_, ended_at in found:
        if rules.is_released(activity.release, moments_of(feedback, back_at, round_, activity, ended_at), now=now):
            feedback.released_at = now
            completion_changed(
                session,
                feedback.activity_id,
                {feedback.author_id, feedback.recipient_id},
                now=now,
                institution_id=feedback.institution_id,
            )
            released += 1
    session.flush()
    return released


def _lock_pair(session: Session, round_id: int, one: int, other: int) -> dict[int, Feedback]:
    """What the two wrote to each other in a round, by author, locked in an order that cannot deadlock."""
    rows = session.scalars(
        select(Feedback)
        .where(
            Feedback.round_id == round_id,
            or_(
                and_(Feedback.author_id == one, Feedback.recipient_id == other),
                and_(Feedback.author_id == other, Feedback.recipient_id == one),
            ),
        )
        .order_by(Feedback.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {feedback.author_id: feedback for feedback in rows}


def _counterpart() -> ScalarSelect[datetime | None]:
    back = aliased(Feedback)
    return (
        select(back.submitted_at)
        .where(
            back.round_id == Feedback.round_id,
            back.author_id == Feedback.recipient_id,
            back.recipient_id == Feedback.author_id,
        )
        .correlate(Feedback)
        .scalar_subquery()
    )


def is_released(session: Session, task: Assignment, feedback: Feedback, *, now: datetime) -> bool:
    """Whether the receiver may read it now."""
    back_at = session.scalar(
        select(Feedback.submitted_at).where(
            Feedback.round_id == feedback.round_id,
            Feedback.author_id == feedback.recipient_id,
            Feedback.recipient_id == feedback.author_id,
        )
    )
    moments = moments_of(feedback, back_at, task.round, task.activity, task.course_ended_at)
    return rules.is_released(task.activity.release, moments, now=now)


def _marks_of_rubric(session: Session, rubric_id: int) -> list[str]:
    criteria = session.scalars(select(Criterion.id).where(Criterion.rubric_id == rubric_id))
    return [f"{rules.MARK}{criterion_id}" for criterion_id in criteria]


def _write(feedback: Feedback, notes: Mapping[str, Note], changed: Mapping[str, str]) -> None:
    """Put fields where they live: notes in their rows, the rest in columns, or in the correction once it was given."""
    later = {}
    for name, text in changed.items():
        if name in notes:
            notes[name].text = text
        elif name == rules.NOTE_DRAFT:
            feedback.note_draft = text
        elif feedback.submitted_at is not None:
            later[name] = text
        elif name.startswith(rules.MARK):
            others = {one: level for one, level in feedback.marks.items() if one != name.removeprefix(rules.MARK)}
            feedback.marks = others | ({name.removeprefix(rules.MARK): int(text)} if text else {})
        else:
            setattr(feedback, name, text)
    if later:
        feedback.correction = {**(feedback.correction or {}), **later}


def _put(feedback: Feedback, notes: Mapping[str, Note], name: str, text: str, *, device: str, now: datetime) -> None:
    feedback.version += 1
    feedback.saved_at = now
    feedback.stamps = {**feedback.stamps, name: [feedback.version, device]}
    _write(feedback, notes, {name: text})
