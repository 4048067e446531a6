"""Read a course's roster into members, page by page, and end membership where a complete reading says so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, func, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.jobs import queue
from lti_tool.launch.models import Course, Member, Person, Placement
from lti_tool.launch.rules.platforms import platform_of
from lti_tool.launch.rules.roles import CourseRole
from lti_tool.launch.service.arrivals import registration_of, tell_plans
from lti_tool.launch.service.naming import told_apart
from lti_tool.registration.models import Deployment, Registration
from lti_tool.registration.rules.registrations import is_left_to_people, next_address, owns, pause_after
from lti_tool.roster import rules
from lti_tool.roster.models import RosterSync
from lti_tool.roster.rules import Membership, RosterRow
from lti_tool.roster.service.groups import ask_for_groups
from lti_tool.roster.service.links import ask_about_links
from lti_tool.roster.store import keep_enrollments, members_listed, people_listed
from lti_tool.support.db import across_institutions, served_institution

SYNC = "roster.sync"
CHECK_COURSE = "grades.check_course"
LONGEST_READING = timedelta(days=1)
"""A reading older than this starts again: links to pages expire, and its first pages are out of date."""
FRESH_FOR = timedelta(hours=12)
LAUNCHED_LATELY = timedelta(days=1)
REFRESHED_AT_ONCE = 50
FAILED_FOR_NOW = ("refused", "gone", "unreachable", "no access", "credentials", "clock", "key set")
"""Failures that may pass. No later reading would change the others."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next page to read of one reading."""

    sync_id: int
    course_id: int
    registration_id: int
    url: str
    is_first: bool
    names_are_escaped: bool
    with_groups: bool = False
    """Whether the course's groups are read, too."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A complete reading that would end so many memberships that staff have to confirm it."""

    sync_id: int
    ending: tuple[tuple[int, str | None], ...]
    """Learners whose membership would end: member id and name."""
    unread: int
    """Entries that could not be understood."""


def ask_for_sync(session: Session, course_id: int, *, now: datetime, due_at: datetime | None = None) -> None:
    """Enqueue a job that reads the roster. Asking again while that waits changes nothing."""
    queue.enqueue(
        session,
        SYNC,
        {"course_id": course_id},
        institution_id=served_institution(session),
        now=now,
        due_at=due_at,
        unique_key=f"{SYNC}:{course_id}",
        calls=registration_of(session, session.get_one(Course, course_id)),
    )


def refresh(session: Session, *, now: datetime) -> int:
    """Enqueue readings for courses launched within a day and not read for twelve hours, at most REFRESHED_AT_ONCE.

    Covers all institutions. Returns how many were enqueued.
    """
    last = (
        select(RosterSync.course_id, func.max(RosterSync.started_at).label("started_at"))
        .group_by(RosterSync.course_id)
        .subquery()
    )
    launched = select(Placement.course_id).where(Placement.last_launch_at > now - LAUNCHED_LATELY)
    with across_institutions(session):
        courses = session.execute(
            select(Course.id, Course.institution_id, Deployment.registration_id)
            .join(Deployment, Deployment.id == Course.deployment_id)
            .outerjoin(last, last.c.course_id == Course.id)
            .where(
                Course.memberships_url.is_not(None),
                Course.ended_at.is_(None),
                Course.id.in_(launched),
                # A reading that began in the future was stamped by a clock that ran ahead.
                or_(
                    last.c.started_at.is_(None),
                    last.c.started_at < now - FRESH_FOR,
                    last.c.started_at > now + FRESH_FOR,
                ),
            )
            .order_by(last.c.started_at, Course.id)
            .limit(REFRESHED_AT_ONCE)
        ).all()
    for number, course in enumerate(courses):
        queue.enqueue(
            session,
            SYNC,
            {"course_id": course.id},
            institution_id=course.institution_id,
            now=now,
            due_at=now + number * timedelta(seconds=10),
            unique_key=f"{SYNC}:{course.id}",
            calls=course.registration_id,
        )
    return len(courses)


def next_step(session: Session, course_id: int, *, now: datetime) -> Step | None:
    """What to read next: the page at which a reading stopped, or the first page of a new one.

    None if the course has no roster service or is over, or if the address is not the platform's own.
    """
    course = session.get(Course, course_id)
    if course is None or course.memberships_url is None or course.ended_at is not None:
        return None
    registration = session.scalars(
        select(Registration)
        .join(Deployment, Deployment.registration_id == Registration.id)
        .where(Deployment.id == course.deployment_id)
    ).one()
    platform = platform_of(registration.platform_family)
    sync = session.scalar(
        select(RosterSync).where(RosterSync.course_id == course_id, RosterSync.state == "running").with_for_update()
    )
    if sync is not None:
        sync.looks_again_at = None
    if sync is not None and abs(now - sync.started_at) > LONGEST_READING:
        stop(session, sync.id, "too old", now=now)
        sync = None
    if sync is None:
        url = rules.with_limit(course.memberships_url, platform.roster_page)
        url = rules.with_groups(url) if course.groups_url is not None else url
        sync = RosterSync(course_id=course_id, state="running", started_at=now, next_url=url)
        session.add(sync)
        session.flush()
    if not owns(registration, sync.next_url):
        stop(session, sync.id, "foreign address", now=now)
        return None
    return Step(
        sync.id,
        course_id,
        registration.id,
        sync.next_url,
        is_first=sync.page == 0,
        names_are_escaped=platform.escapes_roster_names,
        with_groups=course.groups_url is not None,
    )


def keep(session: Session, step: Step, rows: Mapping[str, RosterRow], *, now: datetime) -> int:
    """Write what a page says about these people. Returns how many this reading lists for the first time.

    Writing a page twice changes nothing more. A known name is kept if the page has none. People whose data was erased
    stay out until they launch again.
    """
    sync = session.get_one(RosterSync, step.sync_id)
    people = people_listed(session, step.registration_id, rows, now=now)
    members = members_listed(session, step.course_id, people, rows, now=now)
    new = 0
    groups: dict[int, tuple[str, ...]] = {}
    for person in people:
        row, member = rows[person.sub], members.get(person.id)
        if member is None:
            continue
        was_listed = member.in_roster_at is not None
        is_known = was_listed or member.last_launch_at is not None
        before = _membership_of(member) if is_known else None
        listed_already = member.in_roster_at == sync.started_at
        known = before
        if before is not None and member.ends_in_roster_at == sync.started_at:
            # This reading has already listed them as having left: a second such line must not bring them back.
            known = replace(before, is_active=False)
        after = rules.membership_after(known, row, listed_already=listed_already)
        if after is None:
            continue
        member.role, member.ever_staff, member.is_test = after.role, after.ever_staff, after.is_test
        if row.role is not None and row.role.is_staff:
            member.named_staff_at = None  # Known for certain now.
        member.ends_in_roster_at = None
        if member.status == "active" and not after.is_active:
            # Memberships end when the reading is complete and it is known how many would end.
            member.ends_in_roster_at = sync.started_at
            after = replace(after, is_active=True)
        member.status = "active" if after.is_active else "inactive"
        member.left_at = None if after.is_active else (member.left_at or now)
        member.in_roster_at = sync.started_at
        for key in ("name", "given_name", "family_name", "email", "sourced_id"):
            if (given := getattr(row, key)) is not None:
                setattr(person, key, given)
        person.name = person.name or row.given_name or row.family_name
        # Plans follow the roster, so people known from launches only are new to them.
        in_plans = before if was_listed or member.is_taken_in else None
        member.is_taken_in = None
        sync.changes_pairing = sync.changes_pairing or rules.changes_pairing(in_plans, after)
        new += not listed_already
        if row.groups is not None:
            groups[member.id] = row.groups if member.is_learner else ()
    sync.seen += new
    session.flush()
    keep_enrollments(session, step.course_id, groups)
    return new


def turn_page(session: Session, step: Step, next_url: str | None, *, new: int, unread: int = 0, now: datetime) -> None:
    """Record that a page is done. Enqueue the next one, or end the reading and the memberships it does not list."""
    sync = session.get_one(RosterSync, step.sync_id)
    sync.page += 1
    sync.unread += unread
    if next_url is None:
        _finish(session, sync, now=now)
        return
    sync.barren_pages = 0 if new else sync.barren_pages + 1
    course = session.get_one(Course, step.course_id)
    registration = session.get_one(Registration, step.registration_id)
    next_url = next_address(registration, sync.next_url, next_url)
    if next_url == sync.next_url or sync.barren_pages >= rules.MAX_BARREN_PAGES or sync.page >= rules.MAX_PAGES:
        stop(session, sync.id, "pages without end", now=now)
    elif not owns(registration, next_url):
        stop(session, sync.id, "foreign address", now=now)
    else:
        sync.next_url = next_url
        ask_for_sync(session, course.id, now=now)


def stop(
    session: Session, sync_id: int, failure: str, *, now: datetime, looks_again_at: datetime | None = None
) -> None:
    """Give up a reading, and begin another one at `looks_again_at`. No membership ends; what was written stays."""
    sync = session.get_one(RosterSync, sync_id)
    sync.state, sync.failure, sync.finished_at, sync.looks_again_at = "failed", failure, now, looks_again_at
    if looks_again_at is not None:
        ask_for_sync(session, sync.course_id, now=now, due_at=looks_again_at)
    _tell_plans(session, sync, now=now)
    session.flush()


def note_wait(session: Session, sync_id: int, until: datetime) -> None:
    """Record until when the platform asked us to wait."""
    session.get_one(RosterSync, sync_id).looks_again_at = until


def next_reading_at(session: Session, course_id: int, *, now: datetime) -> datetime | None:
    """When to read again after a failure: after minutes, hours, then daily, for a month after the last success.

    None after that month: then the next launch has the roster read.
    """
    done = select(func.max(RosterSync.started_at)).where(
        RosterSync.course_id == course_id, RosterSync.state.in_(("finished", "asks"))
    )
    last = session.scalar(done)
    failed = select(func.count(), func.min(RosterSync.finished_at)).where(
        RosterSync.course_id == course_id, RosterSync.state == "failed", RosterSync.failure.in_(FAILED_FOR_NOW)
    )
    row = session.execute(failed if last is None else failed.where(RosterSync.started_at > last)).one()
    count, since = row
    return None if since is not None and is_left_to_people(since, now) else now + pause_after(count + 1)


def ask_whether_course_is_over(session: Session, course_id: int, *, now: datetime) -> None:
    """Have every service of the course asked whether it is there: it is over only if all are gone."""
    queue.enqueue(
        session,
        CHECK_COURSE,
        {"course_id": course_id},
        institution_id=served_institution(session),
        now=now,
        unique_key=f"{CHECK_COURSE}:{course_id}",
        calls=registration_of(session, session.get_one(Course, course_id)),
    )


def latest(session: Session, course_id: int) -> RosterSync | None:
    """The newest reading of the course's roster, whatever became of it."""
    return session.scalar(
        select(RosterSync)
        .where(RosterSync.course_id == course_id)
        .order_by(RosterSync.started_at.desc(), RosterSync.id.desc())
        .limit(1)
    )


def is_being_read(session: Session, course_id: int, *, now: datetime) -> bool:
    """Whether the course's roster is being read, or is about to be."""
    return queue.is_coming(session, f"{SYNC}:{course_id}", now=now)


def is_first_reading(session: Session, course_id: int, *, now: datetime) -> bool:
    """Whether the roster is being read and never was before, so that who is in the course is not known yet."""
    before = select(RosterSync.id).where(RosterSync.course_id == course_id, RosterSync.state != "running").limit(1)
    return is_being_read(session, course_id, now=now) and session.scalar(before) is None


def doubt(session: Session, course_id: int) -> Doubt | None:
    """What is not believed of the newest reading without a person's word; None where nothing waits for one."""
    sync = session.scalar(select(RosterSync).where(RosterSync.course_id == course_id, RosterSync.state == "asks"))
    if sync is None:
        return None
    ending = session.execute(
        select(Member.id, Person.name)
        .join(Person, Person.id == Member.person_id)
        .where(Member.course_id == course_id, Member.takes_part, Member.in_roster_at.is_not(None), *_to_end(sync))
        .order_by(func.lower(Person.name), Member.id)
    )
    names = told_apart(session, course_id, {row.id: row.name for row in ending})
    return Doubt(sync.id, tuple(names.items()), sync.unread)


def answer_doubt(session: Session, course_id: int, sync_id: int, *, is_true: bool, now: datetime) -> None:
    """Staff say whether people really left, or the platform is mistaken.

    Does nothing if the roster was read again since: a newer reading asks its own question.
    """
    sync = session.get(RosterSync, sync_id, with_for_update=True)
    if sync is None or sync.course_id != course_id or sync.state != "asks":
        return
    if is_true:
        _end_memberships(session, sync, now=now)
        sync.state = "finished"
    else:
        sync.state, sync.failure = "failed", "taken for a mistake"
    _tell_plans(session, sync, now=now)
    session.flush()


def _membership_of(member: Member) -> Membership:
    return Membership(CourseRole(member.role), member.ever_staff, member.status == "active", member.is_test)


def _finish(session: Session, sync: RosterSync, *, now: datetime) -> None:
    _drop_older_question(session, sync)
    sync.finished_at = now
    listed_learner = [Member.course_id == sync.course_id, Member.takes_part, Member.in_roster_at.is_not(None)]
    counted = select(func.count()).select_from(Member).where(*listed_learner)
    learners, leaving = session.scalar(counted) or 0, session.scalar(counted.where(*_to_end(sync))) or 0
    if rules.needs_confirmation(leaving, learners, unread=sync.unread):
        sync.state = "asks"
    else:
        _end_memberships(session, sync, now=now)
        sync.state = "finished"
        ask_about_links(session, sync.course_id, now=now)
        ask_for_groups(session, sync.course_id, now=now)
    if _has_newcomers(session, sync):
        ask_for_sync(session, sync.course_id, now=now)
    course = session.get_one(Course, sync.course_id)
    session.get_one(Deployment, course.deployment_id).last_roster_at = now
    _tell_plans(session, sync, now=now)
    session.flush()


def _has_newcomers(session: Session, sync: RosterSync) -> bool:
    """Whether a learner launched for the first time during the reading: their page may have been read before that."""
    newcomers = select(Member.id).where(
        Member.course_id == sync.course_id,
        Member.takes_part,
        Member.in_roster_at.is_(None),
        Member.created_at > sync.started_at,
        Member.last_launch_at.is_not(None),
    )
    return session.scalar(newcomers.limit(1)) is not None


def _drop_older_question(session: Session, sync: RosterSync) -> None:
    session.execute(
        update(RosterSync)
        .where(RosterSync.course_id == sync.course_id, RosterSync.state == "asks", RosterSync.id != sync.id)
        .values(state="failed", failure="read again")
    )


def _to_end(sync: RosterSync) -> tuple[ColumnElement[bool], ...]:
    """Which memberships a complete reading ends: active ones that it does not list, or lists as ended.

    Except for people who launched after it began, and people whom no roster ever listed: administrators of an LMS open
    courses in which they are not enrolled, and some rosters leave learners out.
    """
    return (
        Member.status == "active",
        Member.is_test.is_(False),
        or_(Member.in_roster_at < sync.started_at, Member.ends_in_roster_at == sync.started_at),
        or_(Member.last_launch_at.is_(None), Member.last_launch_at < sync.started_at),
    )


def _end_memberships(session: Session, sync: RosterSync, *, now: datetime) -> None:
    """End the memberships that a complete reading ends."""
    ended = session.execute(
        update(Member)
        .where(Member.course_id == sync.course_id, *_to_end(sync))
        .values(status="inactive", left_at=now, ends_in_roster_at=None)
        .execution_options(synchronize_session="fetch")
    )
    if _rowcount(ended):
        sync.changes_pairing = True


def _rowcount(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0


def _tell_plans(session: Session, sync: RosterSync, *, now: datetime) -> None:
    if sync.changes_pairing:
        tell_plans(session, sync.course_id, now=now, institution_id=sync.institution_id)
