"""Wins are logged, and answered by whoever sees them."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lti_tool.goals import rules
from lti_tool.goals.errors import NotShown
from lti_tool.goals.models import Remark, Win
from lti_tool.goals.service.places import Place, own_groups, record_writing, refuse_closed, values_of


def log_win(session: Session, place: Place, sent: Mapping[str, str], *, now: datetime) -> Win:
    """Log something that went well. Raises GoalsClosed, NotForStaff, Refused."""
    refuse_closed(place)
    win = Win(
        course_id=place.course_id,
        author_id=place.member.id,
        round_id=place.round_id,
        group_id=place.group_id,
        at=now,
        **values_of(rules.read(rules.WIN, sent)),
    )
    session.add(win)
    record_writing(session, place, now=now)
    return win


def answer_win(session: Session, place: Place, win_id: int, sent: Mapping[str, str], *, now: datetime) -> None:
    """Write a line beside a win that this member sees. Raises NotShown, Refused."""
    refuse_closed(place)
    seen = (
        Win.removed_at.is_(None),
        or_(Win.author_id == place.member.id, Win.group_id.in_(own_groups(place.member.id))),
    )
    if session.scalar(select(Win.id).where(Win.id == win_id, Win.course_id == place.course_id, *seen)) is None:
        raise NotShown("win", win_id)
    text = values_of(rules.read(rules.REMARK, sent))["text"]
    session.add(Remark(author_id=place.member.id, win_id=win_id, text=text, at=now))
    session.flush()
