"""How the meetings of groups stand, as plain data."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.launch.models import Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.meetings.errors import NotYourMeeting
from lti_tool.meetings.models import Acceptance, MeetingGroup, MeetingTime
from lti_tool.meetings.rules.standing import MeetingView, TimeView, meeting_view
from lti_tool.meetings.rules.times import dates_of
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Plan, Seat, published_seats
from lti_tool.support.db import in_batches

STANDING: Final = ("proposed", "agreed", "canceled")
"""States of times that say how a meeting stands."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A member's place in a round: the group whose meeting it is, and who asks."""

    activity: Activity
    round: Round
    group_id: int
    member_id: int


def find_planned(session: Session, activity: Activity, round_number: int, member_id: int) -> Planned:
    """The member's group in this round of the published plan. Raises NotYourMeeting."""
    for group in pairing.published_groups(session, activity.id, member_id=member_id):
        if group.round_number == round_number:
            return Planned(activity, session.get_one(Round, group.round_id), group.id, member_id)
    raise NotYourMeeting(round_number, member_id)


def of_member(session: Session, activity: Activity, member_id: int, *, now: datetime) -> dict[int, MeetingView]:
    """The meetings of a member's groups in the published plan, by round number; in one query."""
    own = published_seats(Seat.group_id).where(Plan.activity_id == activity.id, Seat.member_id == member_id)
    return {one.round_number: one for one in _views(session, Seat.group_id.in_(own), now=now)}


def of_groups(session: Session, group_ids: Collection[int], *, now: datetime) -> dict[int, MeetingView]:
    """How the meetings of these groups stand, by group; groups of no published plan are left out.

    One query, and one more for names that several people share, for up to 10,000 groups at once.
    """
    return {
        one.group_id: one
        for batch in in_batches(group_ids)
        for one in _views(session, Seat.group_id.in_(batch), now=now)
    }


def _views(session: Session, which: ColumnElement[bool], *, now: datetime) -> list[MeetingView]:
    """The meetings of all groups of which this is true. A row is a seat beside each time that stands for its group."""
    rows = session.execute(
        published_seats(Seat.group_id, Seat.member_id, Member.takes_part, Member.course_id, Person.name)
        .add_columns(Round.number, Round.due_at, MeetingTime, Acceptance.id.label("acceptance_id"))
        .join(Member, Member.id == Seat.member_id)
        .join(Person, Person.id == Member.person_id)
        .outerjoin(MeetingGroup, MeetingGroup.group_id == Seat.group_id)
        .outerjoin(
            MeetingTime, and_(MeetingTime.meeting_id == MeetingGroup.meeting_id, MeetingTime.state.in_(STANDING))
        )
        .outerjoin(
            Acceptance,
            and_(
                Acceptance.time_id == MeetingTime.id,
                Acceptance.member_id == Seat.member_id,
                Acceptance.ended_at.is_(None),
            ),
        )
        .where(which)
        .order_by(Seat.group_id, MeetingTime.settled_at.desc(), MeetingTime.id.desc(), Seat.turn)
    ).all()
    return [
        _view(session, group_id, list(of_group), now=now)
        for group_id, of_group in groupby(rows, key=lambda row: row.group_id)
    ]


def _view(session: Session, group_id: int, rows: Sequence[Any], *, now: datetime) -> MeetingView:
    here = [row for row in rows if row.takes_part]
    names = {row.member_id: row.name for row in here}
    accepted: dict[int, set[int]] = defaultdict(set)
    for row in here:
        if row.acceptance_id is not None:
            accepted[row.MeetingTime.id].add(row.member_id)
    times = {row.MeetingTime.id: row.MeetingTime for row in rows if row.MeetingTime is not None}
    members, due_at = tuple(names), rows[0].due_at
    return meeting_view(
        group_id,
        rows[0].number,
        told_apart(session, rows[0].course_id, names, for_staff=False),
        [time_view(time, accepted[time.id], members, due_at=due_at) for time in times.values()],
        members=members,
        due_at=due_at,
        now=now,
    )


def time_view(
    row: MeetingTime, accepted: Collection[int], members: Collection[int], *, due_at: datetime | None
) -> TimeView:
    """A kept time beside who is in the group now."""
    rhythm = Rhythm(row.rhythm) if row.rhythm else None
    zone = ZoneInfo(row.time_zone)
    return TimeView(
        id=row.id,
        by_id=row.by_id,
        state=row.state,
        minutes=row.minutes,
        place=row.place,
        time_zone=row.time_zone,
        rhythm=rhythm,
        dates=dates_of(row.starts_at, row.minutes, zone, rhythm, until=due_at, skipped=row.skipped),
        accepted=frozenset(accepted) & frozenset(members),
        missing=tuple(one for one in members if one not in accepted),
        settled_by_id=row.settled_by_id,
    )


def present_in(session: Session, group_id: int) -> tuple[int, ...]:
    """Who is in a group of a published plan and in the course, in order of turn."""
    statement = published_seats(Seat.member_id).join(Member, Member.id == Seat.member_id)
    return tuple(session.scalars(statement.where(Seat.group_id == group_id, Member.takes_part).order_by(Seat.turn)))
