"""What a launch leaves in the database: its deployment, person, course, placement and member."""

from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.orm import Session

from lti_tool.jobs import queue
from lti_tool.launch.errors import DeploymentParked, DeploymentRefused, ParkedFacts
from lti_tool.launch.models import Course, LockedOut, Member, Person, Placement
from lti_tool.launch.rules.context import (
    ROSTER_PAUSE,
    LaunchContext,
    Message,
    framing_origins,
    roster_due_at,
    service_origins,
)
from lti_tool.launch.rules.notices import is_subscription_due
from lti_tool.registration.models import Deployment, NewDeployments, ParkedDeployment, Registration
from lti_tool.registration.rules.registrations import MOST_FRAME_ORIGINS
from lti_tool.support.addresses import origin_of
from lti_tool.support.crypto import new_secret
from lti_tool.support.db import across_institutions, find_or_add, served_institution

ROSTER_CHANGED: Final = "pairing.roster_changed"
SUBSCRIBE: Final = "launch.subscribe"
UPDATE_AFTER: Final = timedelta(minutes=1)
"""How old a last-seen time must be to be updated: else the launches of a class would queue for one row."""


def park_deployment(session: Session, facts: ParkedFacts, *, now: datetime) -> None:
    """Put a deployment on the approval list, or record that it launched again."""
    query = select(ParkedDeployment).where(
        ParkedDeployment.registration_id == facts.registration_id, ParkedDeployment.lti_id == facts.lti_id
    )
    parked = find_or_add(
        session,
        query,
        lambda: ParkedDeployment(
            registration_id=facts.registration_id, lti_id=facts.lti_id, first_seen_at=now, last_seen_at=now
        ),
    )
    parked.last_seen_at = now
    parked.platform_name, parked.platform_guid = facts.platform_name, facts.platform_guid


def deployment_of(session: Session, context: LaunchContext, registration: Registration, *, now: datetime) -> Deployment:
    """The deployment that launched, added if the registration lets new ones join.

    Raises DeploymentRefused or DeploymentParked.
    """
    query = select(Deployment).where(
        Deployment.registration_id == registration.id, Deployment.lti_id == context.deployment_id
    )
    with across_institutions(session):
        deployment = session.scalar(query)
        if deployment is not None:
            return deployment
        policy = NewDeployments(registration.new_deployments)
        if policy is NewDeployments.REFUSE:
            raise DeploymentRefused("deployment_id", registration_id=registration.id)
        institution_id = registration.institution_id
        # If several customers share a client id, it does not say whose deployment this is.
        if policy is NewDeployments.PARK or institution_id is None:
            platform = context.platform
            raise DeploymentParked(ParkedFacts(registration.id, context.deployment_id, platform.name, platform.guid))
        return find_or_add(
            session,
            query,
            lambda: Deployment(
                institution_id=institution_id,
                registration_id=registration.id,
                lti_id=context.deployment_id,
                created_at=now,
            ),
        )


def person_of(session: Session, context: LaunchContext, registration: Registration, *, now: datetime) -> Person:
    """The person who launched, updated with what the platform says about them."""
    facts = context.person
    claimed = {
        "name": facts.name or " ".join(part for part in (facts.given_name, facts.family_name) if part) or None,
        "given_name": facts.given_name,
        "family_name": facts.family_name,
        "email": facts.email,
        "sourced_id": facts.sourced_id,
        "locale": context.locale,
    }
    query = select(Person).where(Person.registration_id == registration.id, Person.sub == facts.sub)

    def make() -> Person:
        return Person(registration_id=registration.id, sub=facts.sub, is_administrator=False, created_at=now, **claimed)

    person = find_or_add(session, query, make)
    if person.erased_at is not None:
        # They begin again as a new person; what they gave to partners before stays without a name.
        person.sub = f"erased {new_secret()}"
        session.flush()
        person = find_or_add(session, query, make)
    for name, value in claimed.items():
        # A value that the platform leaves out this time is kept.
        if value:
            setattr(person, name, value)
    return person


def course_of(session: Session, context: LaunchContext, deployment: Deployment, *, now: datetime) -> Course:
    """The course of the launch, updated with its title and services.

    If it was over, a job asks whether it still is: some platforms open links of courses whose services are gone.
    """
    facts, services = context.course, context.services
    if facts is None:
        raise TypeError("a launch without a course")
    course = find_or_add(
        session,
        select(Course).where(Course.deployment_id == deployment.id, Course.context_id == facts.id),
        lambda: Course(deployment_id=deployment.id, context_id=facts.id, gradebook_scopes=[], created_at=now),
    )
    course.title = facts.title or course.title
    course.label = facts.label or course.label
    course.memberships_url = services.memberships_url or course.memberships_url
    course.line_items_url = services.line_items_url or course.line_items_url
    # Only a click on a link shows what was granted; other messages may leave the claim out.
    if services.gradebook_scopes or context.message is Message.RESOURCE_LINK:
        course.gradebook_scopes = list(services.gradebook_scopes)
    if services.groups_url or context.message is Message.RESOURCE_LINK:
        course.groups_url, course.group_sets_url = services.groups_url, services.group_sets_url
    if course.ended_at is not None:
        queue.enqueue(
            session,
            "grades.check_course",
            {"course_id": course.id},
            institution_id=course.institution_id,
            now=now,
            unique_key=f"grades.check_course:{course.id}",
            calls=deployment.registration_id,
        )
    return course


def registration_of(session: Session, course: Course) -> int:
    """The id of the registration whose platform has the course. Jobs that call it share one lane."""
    return session.get_one(Deployment, course.deployment_id).registration_id


def placement_of(session: Session, context: LaunchContext, course: Course, *, now: datetime) -> Placement | None:
    """The placement of the link that was clicked; None for a launch without a link.

    A review may name no link, only the column of the grade that was clicked.
    """
    link = context.link
    if link is None:
        column = context.services.line_item_url if context.message is Message.SUBMISSION_REVIEW else None
        has_column = (Placement.course_id == course.id) & (Placement.line_item_url == column)
        return session.scalar(select(Placement).where(has_column)) if column is not None else None
    placement = find_or_add(
        session,
        select(Placement).where(Placement.course_id == course.id, Placement.resource_link_id == link.id),
        lambda: Placement(course_id=course.id, resource_link_id=link.id, created_at=now),
    )
    placement.title = link.title or placement.title
    placement.line_item_url = context.services.line_item_url
    placement.gone_at = None
    if is_update_due(placement.last_launch_at, now):
        placement.last_launch_at = now
    return placement


def member_of(
    session: Session, context: LaunchContext, course: Course, person: Person, *, now: datetime
) -> Member | None:
    """The person's membership, updated with the role of this launch; None without a role.

    Whoever was staff once counts as staff from then on.
    """
    role = context.roles.course
    if role is None:
        return None
    member = find_or_add(
        session,
        select(Member).where(Member.course_id == course.id, Member.person_id == person.id),
        lambda: Member(
            course_id=course.id,
            person_id=person.id,
            role=role,
            ever_staff=False,
            is_test=False,
            status="active",
            created_at=now,
            last_launch_at=now,
            left_at=None,
        ),
    )
    is_new = member.in_roster_at is None and member.created_at == now
    was_to_pair = not is_new and _takes_part_in_plans(member, course)
    member.role = role
    member.ever_staff = member.ever_staff or role.is_staff
    if role.is_staff:
        member.named_staff_at = None  # Known for certain now.
    member.is_test = member.is_test or context.roles.is_test_person
    member.status, member.left_at = "active", None
    member.last_launch_at = now
    if _takes_part_in_plans(member, course) != was_to_pair:
        # The next roster will not differ for this member, so plans must be told now.
        tell_plans(session, course.id, institution_id=course.institution_id, now=now)
    return member


def record_access(session: Session, placement: Placement, member: Member, *, now: datetime) -> None:
    """Record that a learner could open the link, whatever the roster said before."""
    if not member.is_learner:
        return
    placement.opens_for_nobody = False
    let_in = session.execute(
        delete(LockedOut).where(LockedOut.placement_id == placement.id, LockedOut.member_id == member.id)
    )
    if cast("CursorResult[Any]", let_in).rowcount:
        tell_plans(session, placement.course_id, institution_id=placement.institution_id, now=now)


def tell_plans(session: Session, course_id: int, *, now: datetime, institution_id: int | None = None) -> None:
    """Enqueue a job by which every plan of the course follows who is in it.

    `institution_id`: needed in sessions that serve several.
    """
    queue.enqueue(
        session,
        ROSTER_CHANGED,
        {"course_id": course_id},
        institution_id=institution_id or served_institution(session),
        now=now,
        unique_key=f"{ROSTER_CHANGED}:{course_id}",
    )


def _takes_part_in_plans(member: Member, course: Course) -> bool:
    """Whether plans include this member: listed by the roster if the course has one, or taken in by staff."""
    is_listed = member.in_roster_at is not None or bool(member.is_taken_in) or course.memberships_url is None
    return is_listed and member.takes_part


def ask_for_roster(session: Session, course: Course, member: Member | None, *, now: datetime) -> None:
    """Enqueue a reading of the roster if it is old, or if it does not list whoever launched.

    For staff enqueue at least a check of links, since staff restrict, hide and delete activities.
    """
    if course.memberships_url is None:
        return
    asked_at = course.roster_asked_at
    is_staff = member is not None and member.ever_staff
    # Staff take no part in plans, so their launches need no reading of their own.
    is_listed = member is None or is_staff or member.in_roster_at is not None
    is_newcomer = member is not None and not is_listed and member.created_at == now
    due_at = roster_due_at(asked_at, is_listed=is_listed, is_newcomer=is_newcomer, now=now)
    if due_at is not None:
        course.roster_asked_at, job = due_at, "roster.sync"
    elif is_staff and asked_at is not None and now - asked_at >= ROSTER_PAUSE:
        due_at, job = now, "activities.check_links"
    else:
        return
    queue.enqueue(
        session,
        job,
        {"course_id": course.id},
        institution_id=course.institution_id,
        now=now,
        due_at=due_at,
        unique_key=f"{job}:{course.id}",
        calls=registration_of(session, course),
    )


def ask_for_notices(session: Session, deployment: Deployment, context: LaunchContext, *, now: datetime) -> None:
    """Enqueue a job that asks the platform for its notices of copied courses, where it offers them and that is due."""
    url = context.services.notices_url
    if url is None or not is_subscription_due(deployment.notices_url, deployment.notices_asked_at, url, now=now):
        return
    deployment.notices_asked_at = now
    queue.enqueue(
        session,
        SUBSCRIBE,
        {"deployment_id": deployment.id, "url": url},
        institution_id=deployment.institution_id,
        now=now,
        unique_key=f"{SUBSCRIBE}:{deployment.id}",
        calls=deployment.registration_id,
    )


def record_platform(registration: Registration, context: LaunchContext) -> None:
    """Record what a signed launch says about its platform: the product, and origins of its services and pages.

    Origins of pages are recorded only for a registration of one institution. Otherwise each of several institutions
    could let its own pages frame those of the others.
    """
    registration.platform_family = context.platform.family or registration.platform_family
    new = [origin for origin in service_origins(context) if origin not in registration.platform_origins]
    if new:
        registration.platform_origins = [*registration.platform_origins, *new]
    known = {*registration.platform_origins, *registration.frame_origins}
    frames = [origin for origin in framing_origins(context) if origin not in known]
    if frames and registration.institution_id is not None:
        registration.frame_origins = [*registration.frame_origins, *frames][-MOST_FRAME_ORIGINS:]


def frame_origins(registration: Registration, context: LaunchContext) -> list[str]:
    """The origins that may frame the pages of this visit."""
    origins = registration.platform_origins
    if len(origins) > MOST_FRAME_ORIGINS:
        # Many origins mean that customers share the registration: only this customer's may frame this visit.
        origins = [origin_of(registration.auth_login_url)]
    return sorted({*origins, *registration.frame_origins, *framing_origins(context)})


def is_update_due(last: datetime | None, now: datetime) -> bool:
    """Whether a last-seen time is old enough to be updated."""
    return last is None or now - last >= UPDATE_AFTER
