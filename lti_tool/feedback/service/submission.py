"""Give what was written: to a partner, to the group, or as done."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from lti_tool.activities.service import completion_changed
from lti_tool.feedback import rules
from lti_tool.feedback.errors import FeedbackIncomplete, FeedbackRead, NotReadYet, TextTooLong
from lti_tool.feedback.models import Entry, Note
from lti_tool.feedback.service.drafts import add_note, concerned, lock, open_entry, refuse_closed
from lti_tool.feedback.service.release import release_after
from lti_tool.feedback.service.tasks import Task, draft_fields, find_entry, problems_of, questions_of


def give(session: Session, task: Task, *, now: datetime) -> Entry:
    """Give what the draft holds, or correct what was given; release it and its counterpart if the rule says so.

    Giving twice changes nothing. It can be corrected until its receiver has read it. The progress of everybody
    concerned is looked at again, in this transaction.
    Raises FeedbackIncomplete, RoundNotOpen, ActivityClosed, FeedbackRead.
    """
    if find_entry(session, task) is None:
        refuse_closed(task, now=now)
        raise FeedbackIncomplete(problems_of(session, task, None))
    entry = open_entry(session, task, now=now)
    if entry.submitted_at is not None and not entry.correction:
        return entry
    # An answer may be changed, but not one that was reported. Its author is not told more than that it was read.
    if entry.withheld_at is not None or (entry.read_at is not None and not task.step.is_answer):
        raise FeedbackRead(entry.id)
    if problems := problems_of(session, task, entry):
        raise FeedbackIncomplete(problems)
    fields = draft_fields(entry)
    questions = questions_of(session, task, entry)
    answers = [asked.tidy(fields) for asked in questions]
    add_note(session, task, fields.get(rules.NOTE_DRAFT, ""), at=entry.saved_at, device="", now=now)
    entry.fields = {
        **rules.tidy(task.form, fields),
        **{name: text for answer in answers for name, text in answer.items()},
    }
    if task.step.is_to_partners:
        places = (asked.reply(entry.fields).step for asked in questions)
        entry.counted = rules.counted(task.form, entry.fields, [step for step in places if step is not None])
    entry.correction = None
    entry.kept_aside = []
    entry.submitted_at = entry.submitted_at or now
    entry.saved_at = now
    entry.version += 1
    session.execute(
        delete(Note)
        .where(Note.entry_id == entry.id, Note.removed_at.is_not(None))
        .execution_options(synchronize_session=False)
    )
    session.flush()
    release_after(session, task, lock(session, task), now=now)
    completion_changed(session, entry.activity_id, concerned(session, task, entry), now=now)
    return entry


def add_later(session: Session, task: Task, text: str, *, now: datetime) -> None:
    """Add a text to what its receiver has read already. A blank one adds nothing.

    Raises NotReadYet, TextTooLong, RoundNotOpen, ActivityClosed.
    """
    text = rules.clean(text).strip()
    if len(text) > rules.LONGEST_ADDITION:
        raise TextTooLong(rules.ADDITION_DRAFT, len(text))
    entry = open_entry(session, task, now=now)
    if entry.read_at is None:
        raise NotReadYet(entry.id)
    if text:
        entry.additions = [*entry.additions, {"at": now.isoformat(), "text": text}]
    entry.fields = {name: value for name, value in entry.fields.items() if name != rules.ADDITION_DRAFT}
    entry.correction = {
        name: value for name, value in (entry.correction or {}).items() if name != rules.ADDITION_DRAFT
    } or None
    entry.saved_at = now
    entry.version += 1
    session.flush()


def confirm(session: Session, task: Task, *, now: datetime) -> None:
    """Say that a step is done in which there is nothing to write. Said twice, it changes nothing.

    Raises RoundNotOpen, ActivityClosed, NotYourPartner.
    """
    entry = open_entry(session, task, now=now)
    is_in_another_group = entry.group_id != task.group_id
    if entry.submitted_at is None or is_in_another_group:
        # What was said to people of a group that changed before it began is said to those of the new one.
        entry.group_id = task.group_id or entry.group_id
        entry.submitted_at = entry.saved_at = now
        entry.version += 1
        session.flush()
        completion_changed(session, entry.activity_id, concerned(session, task, entry), now=now)


def take_back(session: Session, task: Task, *, now: datetime) -> None:
    """Undo `confirm`. Raises ActivityClosed, RoundNotOpen."""
    refuse_closed(task, now=now)
    entry = find_entry(session, task)
    if entry is not None and task.step.is_confirmation and entry.submitted_at is not None:
        entry = lock(session, task)[task.author_id]
        entry.submitted_at = None
        entry.saved_at = now
        entry.version += 1
        session.flush()
        completion_changed(session, entry.activity_id, concerned(session, task, entry), now=now)
