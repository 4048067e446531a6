"""What a member's calendar holds, and the private address under which a calendar program reads it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.launch.models import Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.meetings.errors import CalendarBusy, CalendarUnknown
from lti_tool.meetings.models import Acceptance, Appointment, CalendarAddress, MeetingGroup, MeetingTime
from lti_tool.meetings.rules.calendar import Status
from lti_tool.meetings.rules.standing import TimeView
from lti_tool.meetings.service.following import end_acceptances
from lti_tool.meetings.service.reading import time_view
from lti_tool.pairing.models import Plan, Seat, published_seats
from lti_tool.support.crypto import fingerprint, new_secret
from lti_tool.support.db import across_institutions, serve

MOST_READS: Final = 60
"""So often an address is answered within an hour. Calendar programs ask every few minutes at most."""
WITHIN: Final = timedelta(hours=1)
KEPT_UNREAD: Final = timedelta(days=365)
"""An address that no calendar has read for so long is deleted."""
PAST: Final = timedelta(days=400)
"""Meetings that began before that are left out of a calendar."""


@dataclass(frozen=True, slots=True)
class Held:
    """A time that stands in a member's calendar, and what is said of it there."""

    uid: str
    sequence: int
    changed_at: datetime
    time: TimeView
    status: Status
    activity_title: str
    round_number: int
    partners: tuple[str | None, ...]
    """Names as the pages show them; of a meeting that is off nobody's."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A member's calendar, to be worded."""

    events: tuple[Held, ...]
    locale: str | None


def make_address(session: Session, member_id: int, *, now: datetime) -> str:
    """A new address for a member's calendar in place of the one before. Returns its secret part, which is not kept."""
    give_up_address(session, member_id)
    secret = new_secret()
    session.add(
        CalendarAddress(
            member_id=member_id, token_hash=fingerprint(secret), made_at=now, read_at=now, counts_from=now, reads=0
        )
    )
    session.flush()
    return secret


def give_up_address(session: Session, member_id: int) -> None:
    """Have the address of a member's calendar, if there is one, lead nowhere from now on."""
    gone = delete(CalendarAddress).where(CalendarAddress.member_id == member_id)
    session.execute(gone.execution_options(synchronize_session=False))


def address_made_at(session: Session, member_id: int) -> datetime | None:
    """When the member's calendar got its address; None where it has none."""
    return session.scalar(select(CalendarAddress.made_at).where(CalendarAddress.member_id == member_id))


def open_feed(session: Session, secret: str, *, now: datetime) -> Feed:
    """The calendar with this address; binds the session to its institution. Raises CalendarUnknown or CalendarBusy."""
    with across_institutions(session):
        row = session.scalar(
            select(CalendarAddress).where(CalendarAddress.token_hash == fingerprint(secret)).with_for_update()
        )
    if row is None:
        raise CalendarUnknown
    serve(session, row.institution_id)
    if now - row.counts_from >= WITHIN or now < row.counts_from:
        row.counts_from, row.reads = now, 0
    if row.reads >= MOST_READS:
        raise CalendarBusy
    row.reads += 1
    row.read_at = now
    session.flush()
    locale = session.scalar(
        select(Person.reads_in).join(Member, Member.person_id == Person.id).where(Member.id == row.member_id)
    )
    return Feed(events_of(session, row.member_id, now=now), locale)


def events_of(session: Session, member_id: int, *, now: datetime, round_id: int | None = None) -> tuple[Held, ...]:
    """Everything that stands in a member's calendar, or what does of one round, by moment.

    Writes down first whether they have left a group since.
    """
    end_acceptances(session, Acceptance.member_id == member_id, now=now)
    rows = session.execute(
        select(Appointment, MeetingTime, Acceptance.ended_at, MeetingGroup.group_id, Activity, Round)
        .join(MeetingTime, MeetingTime.meeting_id == Appointment.id)
        .join(Acceptance, Acceptance.time_id == MeetingTime.id)
        .join(Round, Round.id == Appointment.round_id)
        .join(Activity, Activity.id == Round.activity_id)
        .outerjoin(MeetingGroup, MeetingGroup.meeting_id == Appointment.id)
        .where(
            Acceptance.member_id == member_id,
            MeetingTime.state.in_(("agreed", "canceled", "replaced")),
            MeetingTime.settled_at.is_not(None),
            MeetingTime.settled_at > now - PAST,
            *([] if round_id is None else [Appointment.round_id == round_id]),
        )
        # What took the place of another time counts more than that.
        .order_by(MeetingTime.state != "replaced", MeetingTime.settled_at, MeetingTime.id)
    ).all()
    latest = {row.Appointment.id: row for row in rows}
    groups = _groups(session, {row.group_id for row in latest.values() if row.group_id is not None})
    accepted = _accepted(session, {row.MeetingTime.id for row in latest.values()})
    held = []
    for meeting, time, ended_at, group_id, activity, round_ in latest.values():
        present = groups.get(group_id, {})
        is_off = time.state != "agreed" or ended_at is not None or member_id not in present or len(present) < 2
        is_agreed = not is_off and present.keys() <= accepted.get(time.id, set())
        status = Status.CANCELED if is_off else Status.CONFIRMED if is_agreed else Status.TENTATIVE
        view = time_view(time, accepted.get(time.id, ()), tuple(present), due_at=round_.due_at)
        partners = () if is_off else tuple(name for one, name in present.items() if one != member_id)
        held.append(
            Held(
                meeting.uid, meeting.sequence, meeting.changed_at, view, status, activity.title, round_.number, partners
            )
        )
    return tuple(sorted(held, key=lambda one: (one.time.starts_at, one.uid)))


def _groups(session: Session, group_ids: set[int]) -> dict[int, dict[int, str | None]]:
    """Who is in these groups, in order of turn, with names as partners see them."""
    rows = session.execute(
        published_seats(Seat.group_id, Seat.member_id, Person.name, Member.course_id)
        .join(Member, Member.id == Seat.member_id)
        .join(Person, Person.id == Member.person_id)
        .where(Seat.group_id.in_(group_ids), Plan.state == "published", Member.takes_part)
        .order_by(Seat.group_id, Seat.turn)
    ).all()
    if not rows:
        return {}
    names = told_apart(session, rows[0].course_id, {row.member_id: row.name for row in rows}, for_staff=False)
    groups: dict[int, dict[int, str | None]] = {}
    for row in rows:
        groups.setdefault(row.group_id, {})[row.member_id] = names[row.member_id]
    return groups


def _accepted(session: Session, time_ids: set[int]) -> dict[int, set[int]]:
    accepted: dict[int, set[int]] = {}
    for time_id, member_id in session.execute(
        select(Acceptance.time_id, Acceptance.member_id).where(
            Acceptance.time_id.in_(time_ids), Acceptance.ended_at.is_(None)
        )
    ):
        accepted.setdefault(time_id, set()).add(member_id)
    return accepted
