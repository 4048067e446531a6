"""Who launched and stands in no roster."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from lti_tool.launch.models import Course, Member, Person
from lti_tool.roster.models import RosterSync


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
