"""A partner does not answer: a reminder on their first page, and a mark for staff. Nothing is taken from anybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.service import refuse_read_only
from lti_tool.launch.models import Member
from lti_tool.meetings.errors import AskedToday, NotYourMeeting
from lti_tool.meetings.models import Nudge
from lti_tool.meetings.service.reading import Planned, present_in
from lti_tool.pairing.models import Plan, Seat, published_seats

EVERY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NudgeView:
    """A reminder between two people who share a group, not answered yet."""

    round_number: int
    author_id: int
    recipient_id: int
    since: datetime
    can_be_repeated: bool


def nudge(session: Session, planned: Planned, partner_id: int, *, now: datetime) -> None:
    """Remind a partner that the member waits for an answer.

    Raises AskedToday, NotYourMeeting where the two share no group in the round, or ActivityReadOnly.
    """
    refuse_read_only(session, planned.activity)
    # Locked, so that a button pressed twice reminds once.
    session.get(Member, planned.member_id, with_for_update={"key_share": True})
    present = present_in(session, planned.group_id)
    if partner_id == planned.member_id or not {partner_id, planned.member_id} <= set(present):
        raise NotYourMeeting(planned.round.number, partner_id)
    row = session.scalar(
        select(Nudge).where(
            Nudge.round_id == planned.round.id,
            Nudge.author_id == planned.member_id,
            Nudge.recipient_id == partner_id,
        )
    )
    if row is None:
        place = {"round_id": planned.round.id, "author_id": planned.member_id, "recipient_id": partner_id}
        session.add(Nudge(**place, since=now, at=now))
    elif now - row.at < EVERY:
        raise AskedToday(partner_id)
    else:
        row.since = now if row.answered_at is not None else row.since
        row.at, row.answered_at = now, None
    session.flush()


def answer_nudge(session: Session, planned: Planned, partner_id: int, *, now: datetime) -> None:
    """Say that the two have found each other, whoever of them was waiting. Raises ActivityReadOnly."""
    refuse_read_only(session, planned.activity)
    settle_nudges(session, planned.round.id, author_id=planned.member_id, recipient_id=partner_id, now=now)
    settle_nudges(session, planned.round.id, author_id=partner_id, recipient_id=planned.member_id, now=now)


def settle_nudges(
    session: Session, round_id: int, *, recipient_id: int, now: datetime, author_id: int | None = None
) -> None:
    """Note that the recipient has answered: this author, or everybody who waits for them in the round."""
    answered = update(Nudge).where(
        Nudge.round_id == round_id, Nudge.recipient_id == recipient_id, Nudge.answered_at.is_(None)
    )
    if author_id is not None:
        answered = answered.where(Nudge.author_id == author_id)
    session.execute(answered.values(answered_at=now).execution_options(synchronize_session=False))


def nudges_of(session: Session, activity: Activity, member_id: int, *, now: datetime) -> list[NudgeView]:
    """Reminders to and from a member that nobody has answered, by round; only between people who share the group."""
    author, recipient = aliased(Seat), aliased(Seat)
    rows = session.execute(
        select(Round.number, Nudge)
        .join(Round, Round.id == Nudge.round_id)
        .join(author, (author.round_id == Nudge.round_id) & (author.member_id == Nudge.author_id))
        .join(recipient, (recipient.group_id == author.group_id) & (recipient.member_id == Nudge.recipient_id))
        .join(Plan, Plan.id == author.plan_id)
        .where(
            Round.activity_id == activity.id,
            Plan.state == "published",
            Nudge.answered_at.is_(None),
            or_(Nudge.author_id == member_id, Nudge.recipient_id == member_id),
        )
        .order_by(Round.number, Nudge.since)
    )
    return [
        NudgeView(number, row.author_id, row.recipient_id, row.since, now - row.at >= EVERY) for number, row in rows
    ]


def waiting_since(session: Session, activity_id: int) -> dict[int, datetime]:
    """Who of an activity waits for an answer of a present partner, and since when at the longest; for staff."""
    partner = aliased(Seat)
    rows = session.execute(
        published_seats(Nudge.author_id, func.min(Nudge.since))
        .join(Nudge, (Nudge.round_id == Seat.round_id) & (Nudge.author_id == Seat.member_id))
        .join(partner, (partner.group_id == Seat.group_id) & (partner.member_id == Nudge.recipient_id))
        .join(Member, Member.id == Nudge.recipient_id)
        .where(Plan.activity_id == activity_id, Nudge.answered_at.is_(None), Member.takes_part)
        .group_by(Nudge.author_id)
    )
    return dict(rows.all())
