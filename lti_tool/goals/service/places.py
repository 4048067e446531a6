"""Where a member works on goals: the round and group they are in now, and whether anything is taken there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.service import completion_changed, rounds_of
from lti_tool.feedback.rules import may_write
from lti_tool.goals import rules
from lti_tool.goals.errors import GoalsClosed, NotForStaff, NotYourGroup, Refused
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Plan, Seat, published_seats
from lti_tool.pairing.rules.views import GroupView


@dataclass(frozen=True, slots=True)
class Place:
    """An activity of the course as one member has it now."""

    activity: Activity
    member: Member
    round: Round | None
    group: GroupView | None
    partners: Mapping[int, str | None]
    """Names of the others in the group, by member."""
    is_closed: bool
    """Whether nothing can be written: the activity is closed or not ready, or the course is over."""

    @property
    def takes_part(self) -> bool:
        """Whether this member may have goals, actions and wins: a learner, or whoever has a seat in the group."""
        return self.member.takes_part or (self.group is not None and self.member.status == "active")

    @property
    def course_id(self) -> int:
        return self.activity.course_id

    @property
    def group_id(self) -> int | None:
        return self.group.id if self.group is not None else None

    @property
    def round_id(self) -> int | None:
        return self.round.id if self.round is not None else None


def place_of(
    session: Session, activity: Activity, member_id: int, *, now: datetime, group_id: int | None = None
) -> Place:
    """The present round of the activity and the member's group in it, or that group of theirs and its round.

    Raises NotYourGroup where they have no seat in the group that is named.
    """
    rounds = rounds_of(session, activity.id)
    groups = pairing.published_groups(session, activity.id, member_id=member_id)
    if group_id is None:
        present = rules.present_round([(round_.opens_at, round_.due_at) for round_ in rounds], now)
        round_ = rounds[present] if present is not None else None
        group = next((group for group in groups if round_ is not None and group.round_id == round_.id), None)
    else:
        group = next((group for group in groups if group.id == group_id), None)
        if group is None:
            raise NotYourGroup(group_id, member_id)
        round_ = next(round_ for round_ in rounds if round_.id == group.round_id)
    ended_at = session.get_one(Course, activity.course_id).ended_at
    return Place(
        activity,
        session.get_one(Member, member_id),
        round_,
        group,
        names_of(session, activity.course_id, group.partners_of(member_id) if group is not None else ()),
        not may_write(state=activity.state, is_course_over=ended_at is not None),
    )


def names_of(session: Session, course_id: int, members: Collection[int]) -> dict[int, str | None]:
    """Names by member, as other learners read them; None where there is none."""
    if not members:
        return {}
    rows = session.execute(
        select(Member.id, Person.name).join(Person, Person.id == Member.person_id).where(Member.id.in_(members))
    )
    return told_apart(session, course_id, dict(rows.all()), for_staff=False)


def own_groups(member_id: int) -> Select[Any]:
    """Ids of the groups of published plans in which the member has a seat."""
    return published_seats(Seat.group_id).where(Seat.member_id == member_id)


def partners_by_group(session: Session, course_id: int, member_id: int) -> dict[int, dict[int, str | None]]:
    """The member's groups in the course, latest round first, each with the names of the others in it."""
    partner_seat = aliased(Seat)
    rows = session.execute(
        published_seats(Seat.group_id, partner_seat.member_id)
        .join(Activity, Activity.id == Plan.activity_id)
        .join(partner_seat, partner_seat.group_id == Seat.group_id)
        .where(Activity.course_id == course_id, Seat.member_id == member_id, partner_seat.member_id != member_id)
        .order_by(Round.id.desc(), partner_seat.turn)
    ).all()
    names = names_of(session, course_id, {partner for _, partner in rows})
    groups: dict[int, dict[int, str | None]] = {}
    for group_id, partner in rows:
        groups.setdefault(group_id, {})[partner] = names[partner]
    return groups


def refuse_closed(place: Place, *, learners_only: bool = True) -> None:
    """Raise GoalsClosed or NotForStaff where this member may write nothing here."""
    if place.is_closed:
        raise GoalsClosed(place.activity.id)
    if learners_only and not place.takes_part:
        raise NotForStaff(place.member.id)


def values_of(reading: rules.Reading) -> dict[str, Any]:
    """The values of a form. Raises Refused where something is wrong with it."""
    if reading.problems:
        raise Refused(reading.problems)
    return dict(reading.values)


def record_writing(
    session: Session,
    place: Place,
    *,
    now: datetime,
    in_group: bool = True,
    also_in: Collection[int | None] = (),
) -> None:
    """Store what was written, let the group begin, and have the member's completion worked out again.

    `also_in` are rounds, perhaps of other activities of the course, in which it counts as well.
    """
    if in_group and place.group is not None:
        pairing.begin(session, place.group.id, now=now)
    session.flush()
    rounds = [round_id for round_id in also_in if round_id is not None]
    elsewhere = session.scalars(select(Round.activity_id).where(Round.id.in_(rounds))) if rounds else ()
    for activity_id in sorted({place.activity.id, *elsewhere}):
        completion_changed(session, activity_id, {place.member.id}, now=now)
