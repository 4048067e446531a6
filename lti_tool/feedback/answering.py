"""The receiver's answer to feedback: what I heard, what I will use, how useful it was."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.service import completion_changed
from lti_tool.feedback import rules
from lti_tool.feedback.drafts import Saved, as_draft, aside_rows, asides_of, checked, note_save
from lti_tool.feedback.errors import ActivityClosed, FeedbackHidden, FeedbackIncomplete
from lti_tool.feedback.models import Acknowledgement, AnswerDraft, Feedback
from lti_tool.feedback.reading import Shown, answer_fields, find_answer_draft

FIELDS = frozenset({*rules.ANSWER_TEXTS, "usefulness"})


def save_answer(
    session: Session, shown: Shown, typed: Mapping[str, str], bases: Mapping[str, int], *, device: str, now: datetime
) -> Saved:
    """Keep an acknowledgement as it is typed. Raises ActivityClosed, FeedbackHidden, TextTooLong."""
    draft, sent = _open(session, shown, now=now)
    fields = answer_fields(draft, sent)
    merged = rules.merge(as_draft(draft, fields), checked(typed, FIELDS), bases, device=device, now=now)
    if merged.changed or merged.has_conflict:
        # Only now: a save that arrives after the answer was sent, with the same words, begins no new draft.
        session.add(draft)
        draft.fields = {**draft.fields, **merged.changed}
        note_save(draft, merged, now=now)
        session.flush()
    newer = rules.newer_than_seen({**fields, **merged.changed}, merged.stamps, bases, device=device)
    return Saved(draft.version, draft.saved_at, newer, merged.aside, merged.has_conflict)


def settle_answer_aside(session: Session, shown: Shown, key: str, *, use: bool, device: str, now: datetime) -> None:
    """Take a text that was kept aside in place of the present one, which is then kept aside; or let it go."""
    draft, sent = _open(session, shown, now=now)
    asides = asides_of(draft)
    chosen = next((one for one in asides if one.key == key), None)
    if chosen is None:
        return
    left = [one for one in asides if one.key != key]
    draft.version += 1
    if use:
        present = answer_fields(draft, sent).get(chosen.field, "")
        if present.strip():
            left.append(rules.Aside(chosen.field, present, now))
        draft.fields = {**draft.fields, chosen.field: chosen.text}
        draft.stamps = {**draft.stamps, chosen.field: [draft.version, device]}
    draft.kept_aside = aside_rows(left)
    session.flush()


def acknowledge(session: Session, shown: Shown, *, now: datetime) -> Acknowledgement:
    """Send the receiver's answer as the draft holds it, or change the one that was sent.

    Raises FeedbackIncomplete, ActivityClosed, FeedbackHidden.
    """
    draft, answer = _open(session, shown, now=now)
    fields = answer_fields(draft, answer)
    usefulness = int(fields["usefulness"]) if fields["usefulness"].isdecimal() else None
    if problems := rules.problems_of_answer(fields["heard"], fields["will_use"], usefulness):
        raise FeedbackIncomplete(problems)
    if answer is None:
        answer = Acknowledgement(feedback_id=shown.feedback.id, at=now)
        session.add(answer)
    answer.heard, answer.will_use, answer.usefulness = fields["heard"].strip(), fields["will_use"].strip(), usefulness
    if draft in session:
        session.delete(draft)
    session.flush()
    written = shown.feedback
    completion_changed(session, written.activity_id, {written.author_id, written.recipient_id}, now=now)
    return answer


def _open(session: Session, shown: Shown, *, now: datetime) -> tuple[AnswerDraft, Acknowledgement | None]:
    if not shown.is_released:
        raise FeedbackHidden(shown.feedback.id)
    if not shown.takes_answers:
        raise ActivityClosed(shown.activity.id)
    # The feedback's row stands in for the draft's, which may not exist yet: two devices wait for each other here.
    session.execute(select(Feedback.id).where(Feedback.id == shown.feedback.id).with_for_update())
    if shown.feedback.released_at is None:
        shown.feedback.released_at = now
    sent = session.scalar(select(Acknowledgement).where(Acknowledgement.feedback_id == shown.feedback.id))
    draft = find_answer_draft(session, shown.feedback.id) or AnswerDraft(
        feedback_id=shown.feedback.id, fields={}, stamps={}, kept_aside=[], version=1, saved_at=now
    )
    return draft, sent
