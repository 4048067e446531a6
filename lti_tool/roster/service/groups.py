"""The groups that a course has on its platform: sections, classes, teams."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from lti_tool.jobs import queue
from lti_tool.launch.models import Course, Member
from lti_tool.launch.service.arrivals import registration_of
from lti_tool.registration.models import Registration
from lti_tool.roster import rules
from lti_tool.roster.gateway import GroupsService
from lti_tool.roster.models import NO_SET, CourseGroup, GroupEnrollment
from lti_tool.roster.rules import NamedGroup
from lti_tool.support.db import served_institution

READ_GROUPS: Final = "attributes.read_groups"
NO_GROUPS: Final = "-"
"""The choice to use no groups of the platform."""


@dataclass(frozen=True, slots=True)
class GroupSet:
    """A set of groups that people's group may be taken from."""

    id: str
    name: str | None
    """None for groups that are in no set, and where the platform does not name it."""
    groups: int
    learners: int
    """Learners who are in one of its groups."""


def ask_for_groups(session: Session, course_id: int, *, now: datetime) -> None:
    """Enqueue a job that reads what the groups are called. Called after a reading of the roster.

    It is a job of its own, so that a failing service harms no roster.
    """
    if service_of(session, course_id) is None:
        return
    queue.enqueue(
        session,
        READ_GROUPS,
        {"course_id": course_id},
        institution_id=served_institution(session),
        now=now,
        unique_key=f"{READ_GROUPS}:{course_id}",
        calls=registration_of(session, session.get_one(Course, course_id)),
    )


def service_of(session: Session, course_id: int) -> GroupsService | None:
    """Where the course's groups are; None if the platform grants no such service, or the course is over."""
    course = session.get_one(Course, course_id)
    if course.groups_url is None or course.ended_at is not None:
        return None
    registration = session.get_one(Registration, registration_of(session, course))
    origins = list(registration.platform_origins)
    return GroupsService(course_id, registration.id, origins, course.groups_url, course.group_sets_url)


def keep_names(session: Session, course_id: int, named: Mapping[str, NamedGroup]) -> None:
    """Record what the groups that people are in are called. Those that the platform has no more are deleted."""
    for group in session.scalars(select(CourseGroup).where(CourseGroup.course_id == course_id)):
        described = named.get(group.lti_id)
        if described is None:
            session.execute(delete(CourseGroup).where(CourseGroup.id == group.id))
            continue
        if described.is_hidden:
            session.execute(delete(GroupEnrollment).where(GroupEnrollment.group_id == group.id))
        group.name, group.is_hidden = described.name, described.is_hidden
        group.set_id, group.set_name = described.set_id or NO_SET, described.set_name
    session.flush()


def sets_of(session: Session, course_id: int) -> list[GroupSet]:
    """The sets of groups that are not hidden, by name."""
    rows = session.execute(
        select(
            CourseGroup.set_id,
            func.max(CourseGroup.set_name),
            func.count(CourseGroup.id.distinct()),
            func.count(Member.id.distinct()),
        )
        .outerjoin(GroupEnrollment, GroupEnrollment.group_id == CourseGroup.id)
        .outerjoin(Member, (Member.id == GroupEnrollment.member_id) & Member.takes_part)
        .where(CourseGroup.course_id == course_id, CourseGroup.name.is_not(None), CourseGroup.is_hidden.is_(False))
        .group_by(CourseGroup.set_id)
    )
    return sorted((GroupSet(*row) for row in rows), key=lambda one: (one.name is None, one.name or "", one.id))


def chosen_set(session: Session, course_id: int, sets: Collection[GroupSet]) -> str | None:
    """The set that people's group is taken from: the one chosen, else the one with most learners; None for none."""
    course = session.get_one(Course, course_id)
    if course.groups_url is None or course.group_set == NO_GROUPS:
        return None
    counts = {one.id: one.learners for one in sets}
    return course.group_set if course.group_set in counts else rules.usual_set(counts)


def are_used(session: Session, course_id: int) -> bool:
    """Whether people's group comes from the service, so that what a launch says of it does not count."""
    return chosen_set(session, course_id, sets_of(session, course_id)) is not None


def groups_of_learners(session: Session, course_id: int, set_id: str) -> dict[int, str | None]:
    """The group of every learner of the course in this set, by member id. Of several the first by name counts."""
    rows = session.execute(
        select(Member.id, CourseGroup.name)
        .join(GroupEnrollment, GroupEnrollment.member_id == Member.id)
        .join(CourseGroup, CourseGroup.id == GroupEnrollment.group_id)
        .where(
            CourseGroup.course_id == course_id,
            CourseGroup.set_id == set_id,
            CourseGroup.name.is_not(None),
            CourseGroup.is_hidden.is_(False),
        )
    )
    groups: dict[int, str | None] = dict.fromkeys(
        session.scalars(select(Member.id).where(Member.course_id == course_id, Member.is_learner))
    )
    for member_id, name in rows:
        groups[member_id] = min(str(name), groups.get(member_id) or str(name))
    return groups


def choose_set(session: Session, course_id: int, set_id: str) -> None:
    """Take people's group from this set from now on, or from none (NO_GROUPS)."""
    session.get_one(Course, course_id).group_set = set_id
    session.flush()


def groups_of_members(session: Session, members: Collection[int]) -> dict[int, list[str]]:
    """All groups that these members have on the platform, by member id, as a person's own data shows them."""
    rows = session.execute(
        select(GroupEnrollment.member_id, CourseGroup.name)
        .join(CourseGroup, CourseGroup.id == GroupEnrollment.group_id)
        .where(GroupEnrollment.member_id.in_(members), CourseGroup.name.is_not(None))
        .order_by(CourseGroup.name, CourseGroup.id)
    )
    groups: dict[int, list[str]] = {}
    for member_id, name in rows:
        groups.setdefault(member_id, []).append(str(name))
    return groups


def forget(session: Session, members: Collection[int]) -> None:
    """Delete in which groups these members are."""
    session.execute(
        delete(GroupEnrollment)
        .where(GroupEnrollment.member_id.in_(members))
        .execution_options(synchronize_session=False)
    )
