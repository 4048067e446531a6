"""Acceptances end when people are no longer in the group that agreed: calendars are told that it is off."""

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from lti_tool.launch.models import Member
from lti_tool.meetings.models import Acceptance, Appointment, MeetingGroup, MeetingTime
from lti_tool.pairing.models import Plan, Seat

BATCH: Final = 500


def follow_groups(session: Session, *, now: datetime) -> int:
    """End acceptances of agreed times by people who left their group, BATCH at most, of all institutions in sight.

    Returns how many meetings that concerned.
    """
    return end_acceptances(session, MeetingTime.state == "agreed", now=now)


def end_acceptances(session: Session, which: ColumnElement[bool], *, now: datetime) -> int:
    """The same for acceptances of which this is true; their times are joined."""
    is_there = (
        select(Seat.id)
        .join(MeetingGroup, MeetingGroup.group_id == Seat.group_id)
        .join(Plan, Plan.id == Seat.plan_id)
        .join(Member, Member.id == Seat.member_id)
        .where(
            MeetingGroup.meeting_id == MeetingTime.meeting_id,
            Seat.member_id == Acceptance.member_id,
            Plan.state == "published",
            Member.takes_part,
        )
        .exists()
    )
    rows = session.execute(
        select(Acceptance.id, MeetingTime.meeting_id)
        .join(MeetingTime, MeetingTime.id == Acceptance.time_id)
        .where(Acceptance.ended_at.is_(None), ~is_there, which)
        .order_by(Acceptance.id)
        .limit(BATCH)
    ).all()
    meetings = {row.meeting_id for row in rows}
    if rows:
        ended = update(Acceptance).where(Acceptance.id.in_([row.id for row in rows])).values(ended_at=now)
        session.execute(ended.execution_options(synchronize_session=False))
        raised = update(Appointment).where(Appointment.id.in_(meetings))
        raised = raised.values(sequence=Appointment.sequence + 1, changed_at=now)
        session.execute(raised.execution_options(synchronize_session=False))
        session.expire_all()
    return len(meetings)
