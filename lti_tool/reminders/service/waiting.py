"""What waits for everybody in an activity, or for one member."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from lti_tool.activities.models import Activity, Round
from lti_tool.launch.models import Member
from lti_tool.meetings import service as meetings
from lti_tool.meetings.models import Acceptance, MeetingGroup, MeetingTime
from lti_tool.pairing.models import Move, Plan, Seat, published_seats
from lti_tool.progress import service as progress
from lti_tool.progress.models import StaffAct
from lti_tool.reminders.models import Reminder
from lti_tool.reminders.rules import STAFF_FOR, News, Rule, Waiting, waiting_for


def waiting_in(
    session: Session, activity: Activity, *, now: datetime, member_id: int | None = None
) -> Iterator[tuple[int, tuple[Waiting, ...]]]:
    """What waits for each member for whom something does, one after the other, what staff sent first.

    The number of queries is constant. Who has nothing to do is not reminded by staff either.
    """
    news = _news(session, activity, member_id, now=now)
    from_staff = _from_staff(session, activity.id, member_id, now=now)
    nothing = News({}, {})
    for each_id, done, unread in progress.standings(session, activity, now, member_id):
        waiting = waiting_for(done, unread, news.get(each_id, nothing), now=now)
        if done.next is not None:
            waiting = (*from_staff.get(each_id, ()), *waiting)
        if waiting:
            yield each_id, waiting


def _of(statement: Any, column: InstrumentedAttribute[int], member_id: int | None) -> Any:
    """The rows of this member, or all."""
    return statement if member_id is None else statement.where(column == member_id)


def _news(session: Session, activity: Activity, member_id: int | None, *, now: datetime) -> dict[int, News]:
    seats = published_seats(Seat.member_id, Member.last_launch_at, Plan.published_at)
    seats = seats.join(Member, Member.id == Seat.member_id).where(Plan.activity_id == activity.id).distinct()
    moves = (
        select(Move.member_id, Round.number, Move.at)
        .join(Plan, Plan.id == Move.plan_id)
        .join(Round, Round.id == Move.round_id)
        .where(Plan.activity_id == activity.id, Plan.state == "published")
    )
    times = (
        published_seats(Seat.member_id, Round.number, MeetingTime.id)
        .join(MeetingGroup, MeetingGroup.group_id == Seat.group_id)
        .join(MeetingTime, MeetingTime.meeting_id == MeetingGroup.meeting_id)
        .outerjoin(Acceptance, and_(Acceptance.time_id == MeetingTime.id, Acceptance.member_id == Seat.member_id))
        .where(Plan.activity_id == activity.id, MeetingTime.state == "proposed", MeetingTime.starts_at > now)
        .where(Acceptance.id.is_(None))
    )
    moved: dict[int, dict[int, datetime]] = defaultdict(dict)
    for each_id, number, at in session.execute(_of(moves, Move.member_id, member_id)):
        moved[each_id][number] = at
    proposed: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for each_id, number, time_id in session.execute(_of(times, Seat.member_id, member_id)):
        proposed[each_id][number].append(time_id)
    waits: dict[int, dict[int, datetime]] = defaultdict(dict)
    for wait in meetings.waits_in(session, activity.id):
        if wait.is_open and wait.alone_at is None:
            own = waits[wait.recipient_id]
            own[wait.round_number] = min(own.get(wait.round_number, wait.since), wait.since)
    return {
        one: News(proposed.get(one, {}), waits.get(one, {}), published_at, moved.get(one), seen_at)
        for one, seen_at, published_at in session.execute(_of(seats, Seat.member_id, member_id))
    }


def _from_staff(
    session: Session, activity_id: int, member_id: int | None, *, now: datetime
) -> dict[int, tuple[Waiting, ...]]:
    """What staff sent lately; of several to one member, the last."""
    rows = session.execute(
        _of(
            select(Reminder.member_id, StaffAct.id, StaffAct.words)
            .join(StaffAct, StaffAct.id == Reminder.act_id)
            .where(Reminder.activity_id == activity_id, Reminder.at > now - STAFF_FOR, StaffAct.undone_at.is_(None))
            .order_by(Reminder.at, Reminder.id),
            Reminder.member_id,
            member_id,
        )
    )
    return {one: (Waiting(Rule.STAFF, mark=str(act_id), words=words, act_id=act_id),) for one, act_id, words in rows}
