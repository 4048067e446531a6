"""What is kept about one person's meetings: handed over, and erased."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.meetings.models import Acceptance, Appointment, CalendarAddress, MeetingTime, Nudge


def everything_of(session: Session, members: Collection[int]) -> dict[str, list[dict[str, Any]]]:
    """Times that these members proposed or accepted, reminders to and from them, and their calendars' addresses.

    The members are one person's, in all their courses.
    """
    times = session.execute(
        select(Activity.title, Round.number, MeetingTime, Acceptance.at)
        .select_from(Acceptance)
        .join(MeetingTime, MeetingTime.id == Acceptance.time_id)
        .join(Appointment, Appointment.id == MeetingTime.meeting_id)
        .join(Round, Round.id == Appointment.round_id)
        .join(Activity, Activity.id == Round.activity_id)
        .where(Acceptance.member_id.in_(members))
        .order_by(MeetingTime.id)
    )
    nudges = session.execute(
        select(Activity.title, Round.number, Nudge)
        .select_from(Nudge)
        .join(Round, Round.id == Nudge.round_id)
        .join(Activity, Activity.id == Round.activity_id)
        .where(or_(Nudge.author_id.in_(members), Nudge.recipient_id.in_(members)))
        .order_by(Nudge.id)
    )
    addresses = session.scalars(select(CalendarAddress).where(CalendarAddress.member_id.in_(members)))
    return {
        "meetings": [
            {
                "activity": title,
                "round": number,
                "starts": _moment(time.starts_at),
                "minutes": time.minutes,
                "place": time.place,
                "rhythm": time.rhythm,
                "state": time.state,
                "proposed_by_you": time.by_id in members,
                "accepted": _moment(at),
            }
            for title, number, time, at in times
        ],
        "reminders": [
            {
                "activity": title,
                "round": number,
                "direction": "given" if row.author_id in members else "received",
                "since": _moment(row.since),
                "at": _moment(row.at),
                "answered": _moment(row.answered_at),
                "alone_since": _moment(row.alone_at),
                "asked_for_another_partner": _moment(row.change_asked_at),
            }
            for title, number, row in nudges
        ],
        "calendar_addresses": [{"made": _moment(row.made_at), "last_read": _moment(row.read_at)} for row in addresses],
    }


def forget(session: Session, members: Collection[int]) -> None:
    """Delete what only these members' meetings held: their calendars, reminders, and what they proposed.

    What was agreed is the partners' record too: it stays, without the place they typed.
    """
    for statement in (
        delete(CalendarAddress).where(CalendarAddress.member_id.in_(members)),
        delete(Nudge).where(or_(Nudge.author_id.in_(members), Nudge.recipient_id.in_(members))),
        delete(MeetingTime).where(MeetingTime.by_id.in_(members), MeetingTime.state.in_(("proposed", "dropped"))),
        update(MeetingTime).where(MeetingTime.by_id.in_(members)).values(place=""),
        delete(Acceptance).where(Acceptance.member_id.in_(members)),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
