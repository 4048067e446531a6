"""Select who of a course takes part, and store what staff say about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.rules.roles import CourseRole
from lti_tool.launch.service.arrivals import tell_plans
from lti_tool.launch.service.naming import told_apart
from lti_tool.roster.errors import MemberUnknown
from lti_tool.roster.models import RosterSync
from lti_tool.roster.service.links import may_open


def name_as_staff(session: Session, course_id: int, member_id: int, *, now: datetime) -> None:
    """Leave a member out of pairing whom the platform lists as a learner, because an instructor says they are staff.

    Moodle lists non-editing teachers as learners; their first launch shows their role. Raises MemberUnknown.
    """
    member = member_of(session, course_id, member_id)
    if member.role != CourseRole.LEARNER or member.ever_staff:
        return
    member.ever_staff, member.named_staff_at = True, now
    session.flush()
    tell_plans(session, course_id, now=now)


def take_back_as_learner(session: Session, course_id: int, member_id: int, *, now: datetime) -> None:
    """Undo `name_as_staff`. Does nothing for those whom the platform itself calls staff. Raises MemberUnknown."""
    member = member_of(session, course_id, member_id)
    if member.named_staff_at is not None:
        member.ever_staff, member.named_staff_at = False, None
        session.flush()
        tell_plans(session, course_id, now=now)


def member_of(session: Session, course_id: int, member_id: int) -> Member:
    """The member of this course with this id. Raises MemberUnknown."""
    member = session.get(Member, member_id)
    if member is None or member.course_id != course_id:
        raise MemberUnknown(member_id)
    return member


def say_of_unlisted(session: Session, course_id: int, member_id: int, *, takes_part: bool, now: datetime) -> None:
    """Staff say whether a member takes part whom the roster does not list. A later roster overrules them.

    Raises MemberUnknown.
    """
    member = member_of(session, course_id, member_id)
    if member.in_roster_at is not None or not member.is_learner:
        return
    member.is_taken_in = takes_part
    if takes_part:
        member.status, member.left_at = "active", None
    session.flush()
    tell_plans(session, course_id, now=now)


def learners_to_pair(session: Session, course_id: int, placement_id: int | None = None) -> list[int]:
    """Member ids of everybody who takes part in pairing, in ascending order."""
    return list(session.scalars(who_takes_part(session, course_id, placement_id).order_by(Member.id)))


def count_learners(session: Session, course_id: int, placement_id: int | None = None) -> int:
    """How many people take part in pairing."""
    taking_part = who_takes_part(session, course_id, placement_id).subquery()
    return session.scalar(select(func.count()).select_from(taking_part)) or 0


def who_takes_part(session: Session, course_id: int, placement_id: int | None = None) -> Select[int]:
    """Select the member ids of everyone who takes part in pairing.

    They are active learners of the roster, without test persons and without those ever known as staff, and those whom
    staff took in although the roster does not list them; without a roster service, learners known from launches.
    `placement_id`: only those whom the platform lets open this link.
    """
    course = session.get_one(Course, course_id)
    statement = select(Member.id).where(Member.course_id == course_id, Member.takes_part)
    if course.memberships_url is not None:
        statement = statement.where(or_(Member.in_roster_at.is_not(None), Member.is_taken_in.is_(True)))
    return statement if placement_id is None else statement.where(may_open(placement_id))


@dataclass(frozen=True, slots=True)
class Unlisted:
    """Somebody who launched as a learner and whom the roster does not list."""

    member_id: int
    name: str | None
    last_launch_at: datetime | None
    is_taken_in: bool | None
    """What staff said: that they take part, or do not; None while nobody has."""


def unlisted(session: Session, course_id: int) -> list[Unlisted]:
    """Learners who launched and whom a roster that was read to its end afterwards does not list, first comers first.

    Those among them who were swept out with it count, too: they come back with every launch.
    """
    course = session.get_one(Course, course_id)
    if course.memberships_url is None:
        return []
    was_read = (
        exists()
        .where(RosterSync.course_id == course_id, RosterSync.started_at >= Member.created_at)
        .where(RosterSync.state.in_(("finished", "asks")))
    )
    rows = session.execute(
        select(Member.id, Person.name, Member.last_launch_at, Member.is_taken_in)
        .join(Person, Person.id == Member.person_id)
        .where(
            Member.course_id == course_id,
            Member.is_learner,
            Member.in_roster_at.is_(None),
            Member.last_launch_at.is_not(None),
            Person.erased_at.is_(None),
            or_(Member.is_taken_in.is_not(None), was_read),
        )
        .order_by(Member.id)
    )
    return [Unlisted(*row) for row in rows]


class WhyNot(StrEnum):
    """Why a person on the roster is not paired."""

    TEACHES = "teaches"
    WAS_STAFF = "was_staff"
    """Once known as staff; as a learner they get a preview, never a partner."""
    NAMED_STAFF = "named_staff"
    """An instructor said that they are staff, which can be taken back."""
    OBSERVES = "observes"
    TEST_PERSON = "test_person"


@dataclass(frozen=True, slots=True)
class NotPaired:
    """A person on the roster who is not paired."""

    member_id: int
    name: str | None
    why: WhyNot


def not_paired(session: Session, course_id: int) -> list[NotPaired]:
    """People on the roster who are not paired on purpose, and why, without people who left."""
    rows = session.execute(
        select(Member, Person.name)
        .join(Person, Person.id == Member.person_id)
        .where(Member.course_id == course_id, Member.status == "active", Member.in_roster_at.is_not(None))
        .where(~Member.is_learner)
        .order_by(Member.id)
    )
    members = dict(rows.all())
    names = told_apart(session, course_id, {member.id: name for member, name in members.items()})
    return [NotPaired(member.id, names[member.id], _why_not(member)) for member in members]


def _why_not(member: Member) -> WhyNot:
    if member.is_test:
        return WhyNot.TEST_PERSON
    if member.role == CourseRole.OBSERVER:
        return WhyNot.OBSERVES
    if member.role != CourseRole.LEARNER:
        return WhyNot.TEACHES
    return WhyNot.WAS_STAFF if member.named_staff_at is None else WhyNot.NAMED_STAFF
