"""Who has done which cards of the warm-up."""

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import Completion, CountedBy, kind_of
from lti_tool.activities.service import completion_changed, open_activities
from lti_tool.craft.models import CardDone
from lti_tool.craft.rules.cards import CARDS
from lti_tool.launch.models import Member


def cards_done(session: Session, member_id: int) -> frozenset[str]:
    """The keys of the cards that a member has done."""
    return frozenset(session.scalars(select(CardDone.card).where(CardDone.member_id == member_id)))


def mark_done(session: Session, member_id: int, card: str, *, now: datetime) -> None:
    """Note that a member has done a card; once all are done, have what counts of it worked out in their course."""
    with suppress(IntegrityError), session.begin_nested():
        session.add(CardDone(member_id=member_id, card=card, at=now))
    if cards_done(session, member_id) >= {card.key for card in CARDS}:
        for activity in open_activities(session, session.get_one(Member, member_id).course_id):
            if asks_for_warm_up(activity):
                completion_changed(session, activity.id, {member_id}, now=now)


def asks_for_warm_up(activity: Activity) -> bool:
    """Whether the warm-up counts in an activity."""
    kind = kind_of(activity.kind)
    completion = Completion.from_json(activity.completion, kind)
    return any(completion.of(step) for step in kind.steps if step.counted_by is CountedBy.WARM_UP)


def done_in(session: Session, course_id: int, member_id: int | None = None) -> dict[int, datetime]:
    """The members of a course, or the one of them, who have done every card, with the moment of the last."""
    rows = session.execute(
        select(CardDone.member_id, func.max(CardDone.at))
        .join(Member, Member.id == CardDone.member_id)
        .where(Member.course_id == course_id, CardDone.card.in_([card.key for card in CARDS]))
        .where(*((CardDone.member_id == member_id,) if member_id is not None else ()))
        .group_by(CardDone.member_id)
        .having(func.count() == len(CARDS))
    )
    return {row.member_id: row[1] for row in rows}


def texts_of(session: Session, members: Collection[int]) -> list[dict[str, Any]]:
    """The cards that these members have done, for their owner; what they wrote in them is kept nowhere."""
    rows = session.scalars(select(CardDone).where(CardDone.member_id.in_(members)).order_by(CardDone.id))
    return [{"card": row.card, "at": row.at.isoformat(timespec="seconds")} for row in rows]


def erase_of(session: Session, members: Iterable[int]) -> None:
    """Forget which cards these members have done."""
    session.execute(delete(CardDone).where(CardDone.member_id.in_(list(members))))
