"""What one person wrote and may read, for their export, and what is removed when they are erased."""

from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.feedback import rules
from lti_tool.feedback.models import Acknowledgement, AnswerDraft, Feedback, Note, PartnerNote
from lti_tool.launch.models import Member
from lti_tool.rubrics.models import Criterion, Level


def texts_of(session: Session, person_id: int) -> list[dict[str, Any]]:
    """Everything in feedback that is a person's own: what they wrote, drafts included, and what was released to them.

    Plain values only (texts, numbers, ISO times), oldest first, names of partners left out.
    """
    own = set(session.scalars(select(Member.id).where(Member.person_id == person_id)))
    rows = session.execute(
        select(Feedback, Activity.title, Round.number, Acknowledgement)
        .select_from(Feedback)
        .join(Activity, Activity.id == Feedback.activity_id)
        .join(Round, Round.id == Feedback.round_id)
        .outerjoin(Acknowledgement, Acknowledgement.feedback_id == Feedback.id)
        .where(
            or_(
                Feedback.author_id.in_(own),
                Feedback.recipient_id.in_(own) & Feedback.released_at.is_not(None),
            )
        )
        .order_by(Feedback.created_at, Feedback.id)
    )
    return [
        {
            "activity": title,
            "round": number,
            **_own_view(session, feedback, answer, is_author=feedback.author_id in own),
        }
        for feedback, title, number, answer in rows
    ]


def notes_to_partners_of(session: Session, person_id: int) -> list[dict[str, Any]]:
    """What a person told partners before they met, and what partners told them; names of partners left out."""
    own = set(session.scalars(select(Member.id).where(Member.person_id == person_id)))
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


def _own_view(
    session: Session, feedback: Feedback, answer: Acknowledgement | None, *, is_author: bool
) -> dict[str, Any]:
    view: dict[str, Any] = {
        "direction": "given" if is_author else "received",
        "given_at": feedback.submitted_at.isoformat() if feedback.submitted_at else None,
        "released_at": feedback.released_at.isoformat() if feedback.released_at else None,
        **{name: getattr(feedback, name) for name in rules.TEXTS},
        "levels": _levels_in_words(session, feedback),
        "acknowledgement": None,
    }
    if is_author:
        notes = session.scalars(select(Note).where(Note.feedback_id == feedback.id).order_by(Note.at, Note.id))
        view["notes"] = [{"at": note.at.isoformat(), "text": note.text} for note in notes]
        view["not_given"] = {
            **(feedback.correction or {}),
            rules.NOTE_DRAFT: feedback.note_draft,
            "kept_aside": [{"field": one["field"], "text": one["text"]} for one in feedback.kept_aside],
        }
    if answer is not None:
        view["acknowledgement"] = {
            "heard": answer.heard,
            "will_use": answer.will_use,
            "usefulness": answer.usefulness,
            "at": answer.at.isoformat(),
        }
    elif not is_author:
        begun = session.scalar(select(AnswerDraft).where(AnswerDraft.feedback_id == feedback.id))
        view["acknowledgement"] = dict(begun.fields) if begun is not None else None
    return view


def _levels_in_words(session: Session, feedback: Feedback) -> dict[str, str]:
    chosen = [int(level) for level in feedback.marks.values()]
    rows = session.execute(
        select(Criterion.name, Level.label)
        .join(Level, Level.criterion_id == Criterion.id)
        .where(Level.id.in_(chosen))
        .order_by(Criterion.position)
    )
    return dict(rows.all())


def erase_texts_of(session: Session, person_id: int) -> None:
    """Remove what only this person could see: drafts, notes, texts kept aside, answers that were begun.

    What was given stays, since it is the partner's record too; the page shows it without a name from then on.
    """
    own = set(session.scalars(select(Member.id).where(Member.person_id == person_id)))
    written = select(Feedback.id).where(Feedback.author_id.in_(own))
    received = select(Feedback.id).where(Feedback.recipient_id.in_(own))
    is_draft: ColumnElement[bool] = Feedback.submitted_at.is_(None)
    for statement in (
        delete(Note).where(Note.feedback_id.in_(written)),
        delete(PartnerNote).where(PartnerNote.author_id.in_(own)),
        delete(AnswerDraft).where(AnswerDraft.feedback_id.in_(received)),
        delete(Feedback).where(Feedback.author_id.in_(own), is_draft),
        update(Feedback)
        .where(Feedback.author_id.in_(own))
        .values(note_draft="", correction=None, kept_aside=[], stamps={}),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
