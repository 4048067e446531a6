"""Propose times, accept one, change it, cancel it: only by members of the group, while the activity is open."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.activities.service import refuse_read_only
from lti_tool.meetings.errors import NobodyToMeet, NotYourMeeting, TimeGone, TimePassed, TimesUnfit
from lti_tool.meetings.models import Acceptance, Appointment, MeetingGroup, MeetingTime
from lti_tool.meetings.rules.times import Wanted, flaws_of
from lti_tool.meetings.service.following import end_acceptances
from lti_tool.meetings.service.nudges import settle_nudges
from lti_tool.meetings.service.reading import Planned, present_in, time_view
from lti_tool.pairing.models import Group
from lti_tool.support.crypto import new_secret


def propose(session: Session, planned: Planned, wanted: Sequence[Wanted], *, now: datetime) -> None:
    """Propose these times in place of what the member proposed before. What is agreed stands until another is.

    Raises TimesUnfit, NobodyToMeet, NotYourMeeting or ActivityReadOnly.
    """
    flaws = flaws_of(wanted, now=now)
    if flaws:
        raise TimesUnfit(flaws)
    meeting, present = _hold(session, planned, now)
    if len(present) < 2:
        raise NobodyToMeet(planned.group_id)
    _drop_proposals(session, meeting, by=planned.member_id, now=now)
    settle_nudges(session, planned.round.id, recipient_id=planned.member_id, now=now)
    for proposal in wanted:
        time = MeetingTime(
            meeting_id=meeting.id,
            by_id=planned.member_id,
            proposed_at=now,
            starts_at=proposal.starts_at,
            minutes=proposal.minutes,
            time_zone=proposal.time_zone,
            place=proposal.place,
            rhythm=proposal.rhythm,
        )
        session.add(time)
        session.flush()
        _note_acceptance(session, time, planned.member_id, now)
    session.flush()


def accept(session: Session, planned: Planned, time_id: int, *, now: datetime) -> bool:
    """Accept a time. Returns whether it is agreed with that: everybody in the group has accepted it.

    Raises TimeGone, TimePassed, NotYourMeeting or ActivityReadOnly.
    """
    meeting, present = _hold(session, planned, now)
    time = session.scalar(select(MeetingTime).where(MeetingTime.id == time_id, MeetingTime.meeting_id == meeting.id))
    if time is None or time.state not in {"proposed", "agreed"}:
        raise TimeGone(time_id)
    view = time_view(time, (), present, due_at=planned.round.due_at)
    if view.next_date(now) is None:
        raise TimePassed(time_id)
    is_new = _note_acceptance(session, time, planned.member_id, now)
    settle_nudges(session, planned.round.id, recipient_id=planned.member_id, now=now)
    accepted = session.scalars(
        select(Acceptance.member_id).where(Acceptance.time_id == time.id, Acceptance.ended_at.is_(None))
    )
    if len(present) < 2 or not set(present) <= set(accepted):
        return False
    before = _agreed(session, meeting)
    if before is time and not is_new:
        return True
    if before is not None and before is not time:
        before.state, before.settled_at, before.settled_by_id = "replaced", now, planned.member_id
        session.flush()
    _settle(session, meeting, time, "agreed", by=planned.member_id, now=now)
    _drop_proposals(session, meeting, now=now)
    return True


def withdraw(session: Session, planned: Planned, *, now: datetime) -> None:
    """Take back what the member proposed and is not agreed. Raises NotYourMeeting or ActivityReadOnly."""
    meeting, _ = _hold(session, planned, now)
    _drop_proposals(session, meeting, by=planned.member_id, now=now)


def cancel(session: Session, planned: Planned, *, now: datetime) -> None:
    """Cancel the agreed time with all its dates.

    Raises TimeGone where there is none, NotYourMeeting or ActivityReadOnly.
    """
    meeting, _ = _hold(session, planned, now)
    time = _agreed(session, meeting)
    if time is None:
        raise TimeGone(0)
    _settle(session, meeting, time, "canceled", by=planned.member_id, now=now)


def take_up(session: Session, planned: Planned, *, now: datetime) -> bool:
    """Take up what was canceled last. Whoever canceled it undoes that; anybody else proposes the same again.

    Returns whether it is agreed with that. Raises TimeGone, TimePassed, NotYourMeeting or ActivityReadOnly.
    """
    meeting, present = _hold(session, planned, now)
    time = session.scalars(
        select(MeetingTime)
        .where(MeetingTime.meeting_id == meeting.id, MeetingTime.state == "canceled")
        .order_by(MeetingTime.settled_at.desc(), MeetingTime.id.desc())
        .limit(1)
    ).first()
    if time is None or _agreed(session, meeting) is not None:
        raise TimeGone(0)
    view = time_view(time, (), present, due_at=planned.round.due_at)
    ahead = view.next_date(now)
    if ahead is None:
        raise TimePassed(time.id)
    if time.settled_by_id == planned.member_id:
        _settle(session, meeting, time, "agreed", by=planned.member_id, now=now)
        return True
    rhythm = Rhythm(time.rhythm) if time.rhythm else None
    again = Wanted(ahead.starts_at, time.minutes, time.place, time.time_zone, rhythm)
    propose(session, planned, [again], now=now)
    return False


def skip_date(session: Session, planned: Planned, number: int, *, now: datetime, undo: bool = False) -> None:
    """Leave out one date of an agreed rhythm, or have it take place after all.

    Raises TimeGone where there is no such date, NotYourMeeting or ActivityReadOnly.
    """
    meeting, present = _hold(session, planned, now)
    time = _agreed(session, meeting)
    dates = time_view(time, (), present, due_at=planned.round.due_at).dates if time is not None else ()
    if time is None or time.rhythm is None or number not in {one.number for one in dates}:
        raise TimeGone(number)
    time.skipped = sorted({*time.skipped} - {number} if undo else {*time.skipped, number})
    _touch(session, meeting, now)


def _hold(session: Session, planned: Planned, now: datetime) -> tuple[Appointment, tuple[int, ...]]:
    """The group's meeting, made if there is none, and who is in the group. Both are locked: who changes the meeting at
    the same moment goes after.
    """
    refuse_read_only(session, planned.activity)
    session.get(Group, planned.group_id, with_for_update={"key_share": True})
    present = present_in(session, planned.group_id)
    if planned.member_id not in present:
        raise NotYourMeeting(planned.round.number, planned.member_id)
    meeting = session.scalar(
        select(Appointment)
        .join(MeetingGroup, MeetingGroup.meeting_id == Appointment.id)
        .where(MeetingGroup.group_id == planned.group_id)
        .execution_options(populate_existing=True)
    )
    if meeting is None:
        meeting = Appointment(round_id=planned.round.id, uid=new_secret(16), changed_at=now)
        session.add(meeting)
        session.flush()
        session.add(MeetingGroup(meeting_id=meeting.id, group_id=planned.group_id))
        session.flush()
    end_acceptances(session, MeetingTime.meeting_id == meeting.id, now=now)
    return meeting, present


def _agreed(session: Session, meeting: Appointment) -> MeetingTime | None:
    return session.scalar(
        select(MeetingTime).where(MeetingTime.meeting_id == meeting.id, MeetingTime.state == "agreed")
    )


def _settle(session: Session, meeting: Appointment, time: MeetingTime, state: str, *, by: int, now: datetime) -> None:
    time.state, time.settled_at, time.settled_by_id = state, now, by
    _touch(session, meeting, now)


def _touch(session: Session, meeting: Appointment, now: datetime) -> None:
    """Have calendars follow a change."""
    meeting.sequence += 1
    meeting.changed_at = now
    session.flush()


def _note_acceptance(session: Session, time: MeetingTime, member_id: int, now: datetime) -> bool:
    """Returns whether the member had not accepted it before."""
    row = session.scalar(select(Acceptance).where(Acceptance.time_id == time.id, Acceptance.member_id == member_id))
    if row is None:
        session.add(Acceptance(time_id=time.id, member_id=member_id, at=now))
    elif row.ended_at is not None:
        row.at, row.ended_at = now, None
    else:
        return False
    session.flush()
    return True


def _drop_proposals(session: Session, meeting: Appointment, *, by: int | None = None, now: datetime) -> None:
    """Let go of what is proposed: by this member, or by anybody."""
    dropped = update(MeetingTime).where(MeetingTime.meeting_id == meeting.id, MeetingTime.state == "proposed")
    if by is not None:
        dropped = dropped.where(MeetingTime.by_id == by)
    session.execute(dropped.values(state="dropped", settled_at=now))
