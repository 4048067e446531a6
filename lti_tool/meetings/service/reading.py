"""How the meetings of groups stand, as plain data."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
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


@dataclass(frozen=True, slots=True)
class _Place:
    """What is known of a group besides its times."""

    course_id: int
    round_number: int
    due_at: datetime | None
    members: tuple[int, ...]


def find_planned(session: Session, activity: Activity, round_number: int, member_id: int) -> Planned:
    """The member's group in this round of the published plan. Raises NotYourMeeting."""
    for group in pairing.published_groups(session, activity.id, member_id=member_id):
        if group.round_number == round_number:
            return Planned(activity, session.get_one(Round, group.round_id), group.id, member_id)
    raise NotYourMeeting(round_number, member_id)


def of_member(session: Session, activity: Activity, member_id: int, *, now: datetime) -> dict[int, MeetingView]:
    """The meetings of a member's groups in the published plan, by round number."""
    groups = pairing.published_groups(session, activity.id, member_id=member_id)
    return {one.round_number: one for one in of_groups(session, [group.id for group in groups], now=now).values()}


def of_groups(session: Session, group_ids: Collection[int], *, now: datetime) -> dict[int, MeetingView]:
    """How the meetings of these groups stand, by group; groups of no published plan are left out.

    The number of queries does not depend on how many groups are asked for, up to 10,000 at once.
    """
    places: dict[int, _Place] = {}
    names: dict[int, str | None] = {}
    times: dict[int, list[MeetingTime]] = defaultdict(list)
    accepted: dict[int, set[int]] = defaultdict(set)
    for batch in in_batches(group_ids):
        found, named = _places(session, batch)
        places |= found
        names |= named
        rows = session.execute(
            select(MeetingGroup.group_id, MeetingTime)
            .join(MeetingTime, MeetingTime.meeting_id == MeetingGroup.meeting_id)
            .where(MeetingGroup.group_id.in_(batch), MeetingTime.state.in_(STANDING))
            .order_by(MeetingTime.settled_at.desc(), MeetingTime.id.desc())
        )
        for group_id, row in rows:
            times[group_id].append(row)
        for time_id, member_id in session.execute(
            select(Acceptance.time_id, Acceptance.member_id)
            .join(MeetingTime, MeetingTime.id == Acceptance.time_id)
            .join(MeetingGroup, MeetingGroup.meeting_id == MeetingTime.meeting_id)
            .where(MeetingGroup.group_id.in_(batch), Acceptance.ended_at.is_(None))
        ):
            accepted[time_id].add(member_id)
    views = {}
    for group_id, place in places.items():
        own = [time_view(row, accepted[row.id], place.members, due_at=place.due_at) for row in times[group_id]]
        called = {member_id: names[member_id] for member_id in place.members}
        views[group_id] = meeting_view(group_id, place.round_number, place.members, called, own, now=now)
    return views


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


def _places(session: Session, group_ids: Collection[int]) -> tuple[dict[int, _Place], Mapping[int, str | None]]:
    rows = session.execute(
        published_seats(Seat.group_id, Seat.member_id, Member.takes_part, Person.name)
        .add_columns(Activity.course_id, Round.number, Round.due_at)
        .join(Member, Member.id == Seat.member_id)
        .join(Person, Person.id == Member.person_id)
        .join(Activity, Activity.id == Plan.activity_id)
        .where(Seat.group_id.in_(group_ids))
        .order_by(Seat.group_id, Seat.turn)
    ).all()
    members: dict[int, list[int]] = defaultdict(list)
    named: dict[int, dict[int, str | None]] = defaultdict(dict)
    for group_id, member_id, takes_part, name, course_id, *_ in rows:
        members[group_id] += [member_id] if takes_part else []
        named[course_id][member_id] = name
    places = {
        group_id: _Place(course_id, number, due_at, tuple(members[group_id]))
        for group_id, _, _, _, course_id, number, due_at in rows
    }
    names: dict[int, str | None] = {}
    for course_id, known in named.items():
        names |= told_apart(session, course_id, known, for_staff=False)
    return places, names
