"""The links of a course that the platform still has, and who may open them."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.orm import Session

from lti_tool.jobs import queue
from lti_tool.launch.models import Course, LockedOut, Member, Person, Placement
from lti_tool.launch.rules.platforms import platform_of
from lti_tool.launch.service.arrivals import tell_plans
from lti_tool.registration.models import Deployment, Registration
from lti_tool.roster import rules
from lti_tool.roster.gateway import CourseRoster
from lti_tool.support.db import in_batches, served_institution

CHECK_LINKS = "activities.check_links"
QUIET_FOR = timedelta(days=1)
MOST_LINKS = 50


@dataclass(frozen=True, slots=True)
class LinkQuestion:
    """The links of a course to ask the platform about: placement id and resource link id."""

    roster: CourseRoster
    links: tuple[tuple[int, str], ...]
    tells_who: bool
    """Whether the answer tells who may open a link, or only that the link is there."""


def ask_about_links(session: Session, course_id: int, *, now: datetime) -> None:
    """Enqueue a job that asks the platform about the course's links. Called after a reading, when members are known."""
    question = question_of(session, course_id, now=now)
    if question is not None and question.links:
        queue.enqueue(
            session,
            CHECK_LINKS,
            {"course_id": course_id},
            institution_id=served_institution(session),
            now=now,
            unique_key=f"{CHECK_LINKS}:{course_id}",
            calls=question.roster.registration_id,
        )


def question_of(session: Session, course_id: int, *, now: datetime) -> LinkQuestion | None:
    """What to ask; None if the course has no roster service or is over.

    If the platform tells who may open a link, all links are asked about; else those that nobody opened for a day, since
    no message tells us that a link was deleted.
    """
    course = session.get_one(Course, course_id)
    if course.memberships_url is None or course.ended_at is not None:
        return None
    deployment = session.get_one(Deployment, course.deployment_id)
    registration = session.get_one(Registration, deployment.registration_id)
    platform = platform_of(registration.platform_family)
    wanted = select(Placement.id, Placement.resource_link_id).where(
        Placement.course_id == course_id, Placement.gone_at.is_(None)
    )
    if not platform.filters_roster_by_link:
        wanted = wanted.where(Placement.last_launch_at < now - QUIET_FOR)
    links = session.execute(wanted.order_by(Placement.last_launch_at).limit(MOST_LINKS)).all()
    roster = CourseRoster(
        course_id,
        registration.id,
        list(registration.platform_origins),
        course.memberships_url,
        platform.roster_page,
    )
    return LinkQuestion(roster, tuple((one.id, one.resource_link_id) for one in links), platform.filters_roster_by_link)


def keep_access(
    session: Session, placement_id: int, may_open: Set[str], *, asked_at: datetime, now: datetime
) -> frozenset[int]:
    """Record who may open a link, and tell plans if that changed. Returns the members who are locked out.

    Members who launched since `asked_at` are not locked out, whatever the answer says.
    """
    placement = session.get_one(Placement, placement_id)
    learners = session.execute(
        select(Member.id, Person.sub, Member.last_launch_at)
        .join(Person, Person.id == Member.person_id)
        .where(
            Member.course_id == placement.course_id,
            Member.takes_part,
            Member.in_roster_at.is_not(None),
        )
    ).all()
    refused = rules.locked_out({one.id: one.sub for one in learners}, may_open)
    launched_since = {one.id for one in learners if one.last_launch_at is not None and one.last_launch_at >= asked_at}
    kept_out = (refused or frozenset()) - launched_since
    placement.opens_for_nobody = refused is None
    before = locked_out(session, placement_id)
    for batch in in_batches(sorted(before - kept_out)):
        session.execute(delete(LockedOut).where(LockedOut.placement_id == placement_id, LockedOut.member_id.in_(batch)))
    session.add_all(
        LockedOut(placement_id=placement_id, member_id=one, found_at=now) for one in sorted(kept_out - before)
    )
    if kept_out != before:
        tell_plans(session, placement.course_id, now=now)
    session.flush()
    return kept_out


def locked_out(session: Session, placement_id: int | None) -> frozenset[int]:
    """The members who may not open this link."""
    if placement_id is None:
        return frozenset()
    return frozenset(session.scalars(select(LockedOut.member_id).where(LockedOut.placement_id == placement_id)))


def may_open(placement_id: int) -> ColumnElement[bool]:
    """A condition for queries: the member may open this link."""
    return Member.id.not_in(select(LockedOut.member_id).where(LockedOut.placement_id == placement_id))


@dataclass(frozen=True, slots=True)
class Access:
    """The learners who may not open a link."""

    is_hidden: bool = False
    """No learner may open it."""
    kept_out: Mapping[int, str | None] = field(default_factory=dict)
    """Names by member id of those who may not, if others may."""


def access_to(session: Session, placement_id: int | None) -> Access:
    """Who may not open this link, with names. Takes one query."""
    rows = session.execute(
        select(Placement.opens_for_nobody, Member.id, Person.name)
        .select_from(Placement)
        .outerjoin(LockedOut, LockedOut.placement_id == Placement.id)
        .outerjoin(
            Member,
            and_(Member.id == LockedOut.member_id, Member.takes_part),
        )
        .outerjoin(Person, Person.id == Member.person_id)
        .where(Placement.id == placement_id)
        .order_by(func.lower(Person.name), Member.id)
    ).all()
    return Access(any(row[0] for row in rows), {row[1]: row[2] for row in rows if row[1] is not None})
