"""Open questions that a member keeps, in all meetings of the course."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.feedback.models import FavoriteQuestion


def favorites_of(session: Session, members: Collection[int]) -> list[FavoriteQuestion]:
    """The questions that these members keep, in the order in which they did."""
    kept = select(FavoriteQuestion).where(FavoriteQuestion.member_id.in_(members))
    return list(session.scalars(kept.order_by(FavoriteQuestion.id)))


def keep_question(session: Session, member_id: int, question: str, *, now: datetime) -> None:
    """Keep a question. One that is kept already stays so."""
    with suppress(IntegrityError), session.begin_nested():
        session.add(FavoriteQuestion(member_id=member_id, question=question, at=now))


def drop_question(session: Session, member_id: int, question: str) -> None:
    """Keep a question no longer."""
    session.execute(
        delete(FavoriteQuestion).where(FavoriteQuestion.member_id == member_id, FavoriteQuestion.question == question)
    )
