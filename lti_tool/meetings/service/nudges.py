"""A partner does not answer: a reminder on their first page, and a mark for staff. Nothing is taken from anybody."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.service import refuse_read_only
from lti_tool.launch.models import Member
from lti_tool.meetings.errors import AskedToday, NotYourMeeting
from lti_tool.meetings.models import Nudge
from lti_tool.meetings.rules.waiting import Wait
from lti_tool.meetings.service.reading import Planned, present_in
from lti_tool.pairing.models import Plan, Seat, published_seats

EVERY: Final = timedelta(days=1)


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
    row = find_nudge(session, planned, partner_id)
    if row is None:
        place = {"round_id": planned.round.id, "author_id": planned.member_id, "recipient_id": partner_id}
        session.add(Nudge(**place, since=now, at=now))
    elif now - row.at < EVERY:
        raise AskedToday(partner_id)
    else:
        if row.answered_at is not None:
            row.since, row.alone_at, row.change_asked_at = now, None, None
        row.at, row.answered_at = now, None
    session.flush()


def find_nudge(session: Session, planned: Planned, partner_id: int) -> Nudge | None:
    """The member's reminder to this partner in the round, answered or not."""
    return session.scalar(
        select(Nudge).where(
            Nudge.round_id == planned.round.id,
            Nudge.author_id == planned.member_id,
            Nudge.recipient_id == partner_id,
        )
    )


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


def nudges_of(session: Session, activity: Activity, member_id: int) -> list[Wait]:
    """Whom a member waits for and who waits for them, by round; only between people who share the group.

    Of what was answered only where somebody goes on alone.
    """
    stands = or_(Nudge.answered_at.is_(None), Nudge.alone_at.is_not(None))
    return _waits(session, activity.id, member_id, stands)


def waits_in(session: Session, activity_id: int, member_id: int | None = None) -> list[Wait]:
    """Everybody who waits or waited for a partner with whom they share a group; or one member, for their partners."""
    return _waits(session, activity_id, None, *((Nudge.author_id == member_id,) if member_id is not None else ()))


def requests_in(session: Session, activity_id: int) -> list[Wait]:
    """Who asks for another partner, and whose partner has not answered since; for staff."""
    return _waits(session, activity_id, None, Nudge.answered_at.is_(None), Nudge.change_asked_at.is_not(None))


def _waits(session: Session, activity_id: int, member_id: int | None, *which: ColumnElement[bool]) -> list[Wait]:
    author, recipient = aliased(Seat), aliased(Seat)
    statement = (
        select(Round.number, Nudge)
        .join(Round, Round.id == Nudge.round_id)
        .join(author, and_(author.round_id == Nudge.round_id, author.member_id == Nudge.author_id))
        .join(recipient, and_(recipient.group_id == author.group_id, recipient.member_id == Nudge.recipient_id))
        .join(Plan, Plan.id == author.plan_id)
        .where(Round.activity_id == activity_id, Plan.state == "published", *which)
        .order_by(Round.number, Nudge.since)
    )
    if member_id is not None:
        statement = statement.where(or_(Nudge.author_id == member_id, Nudge.recipient_id == member_id))
    return [wait_of(number, row) for number, row in session.execute(statement)]


def wait_of(number: int, row: Nudge) -> Wait:
    """A reminder as the rules take it."""
    moments = (row.since, row.at, row.answered_at, row.alone_at, row.change_asked_at)
    return Wait(number, row.author_id, row.recipient_id, *moments)


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
