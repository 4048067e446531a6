"""Read a course's roster into members, page by page, and end membership where a complete reading says so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
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
from lti_tool.roster.rules import RosterRow, Standing
from lti_tool.roster.service.links import ask_about_links
from lti_tool.support.db import across_institutions, served_institution

SYNC = "roster.sync"
CHECK_COURSE = "grades.check_course"
LONGEST_READING = timedelta(days=1)
"""A reading older than this starts anew: page links do not live for ever, and what the first pages said is stale."""
FRESH_FOR = timedelta(hours=12)
LAUNCHED_LATELY = timedelta(days=1)
REFRESHED_AT_ONCE = 50
FAILED_FOR_NOW = ("refused", "gone", "unreachable", "no access", "credentials", "clock", "key set")
"""Failures that may pass. Others are answers that no later reading changes."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next page to read of one reading."""

    sync_id: int
    course_id: int
    registration_id: int
    url: str
    is_first: bool
    names_are_escaped: bool


@dataclass(frozen=True, slots=True)
class Doubt:
    """A complete reading that would end so much that a person has to say whether it is true."""

    sync_id: int
    ending: tuple[tuple[int, str | None], ...]
    """Learners who would be taken out: id of the member, and name."""
    unread: int
    """Entries that could not be understood."""


def ask_for_sync(session: Session, course_id: int, *, now: datetime, due_at: datetime | None = None) -> None:
    """Have the roster read in the background. Asking again while it waits changes nothing."""
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
    """Ask for the rosters of courses launched within a day and not read for twelve hours, some at a time.

    Looks at every institution. Returns how many were asked for.
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
                # A reading that began ahead of now was stamped by a clock that ran ahead.
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
    """What to read next: the page where a reading was cut short, or the first page of a new one.

    None where the course has no roster service, is over, or its address is not the platform's own.
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
        sync = RosterSync(course_id=course_id, state="running", started_at=now, next_url=url)
        session.add(sync)
        session.flush()
    if not owns(registration, sync.next_url):
        stop(session, sync.id, "foreign address", now=now)
        return None
    return Step(sync.id, course_id, registration.id, sync.next_url, sync.page == 0, platform.escapes_roster_names)


def keep(session: Session, step: Step, rows: Mapping[str, RosterRow], *, now: datetime) -> int:
    """Take these people into the course. Returns how many this reading had not listed before. Repeating is harmless.

    A name that we know is never replaced by none; people whose data was erased stay out until they launch again.
    """
    sync = session.get_one(RosterSync, step.sync_id)
    people = _people(session, step.registration_id, rows, now=now)
    members = _members(session, step.course_id, people, rows, now=now)
    new = 0
    for person in people:
        row, member = rows[person.sub], members.get(person.id)
        if member is None:
            continue
        was_listed = member.in_roster_at is not None
        is_known = was_listed or member.last_launch_at is not None
        before = _standing(member) if is_known else None
        listed_already = member.in_roster_at == sync.started_at
        known = before
        if before is not None and member.ends_in_roster_at == sync.started_at:
            # This reading has listed them as having left. Listed so twice, they do not come back.
            known = replace(before, is_active=False)
        after = rules.standing_after(known, row, listed_already=listed_already)
        if after is None:
            continue
        member.role, member.ever_staff, member.is_test = after.role, after.ever_staff, after.is_test
        if row.role is not None and row.role.is_staff:
            member.named_staff_at = None  # Known for certain now.
        member.ends_in_roster_at = None
        if member.status == "active" and not after.is_active:
            # They are taken out at the end, when it is known how many would be.
            member.ends_in_roster_at = sync.started_at
            after = replace(after, is_active=True)
        member.status = "active" if after.is_active else "inactive"
        member.left_at = None if after.is_active else (member.left_at or now)
        member.in_roster_at = sync.started_at
        for key in ("name", "given_name", "family_name", "email", "sourced_id"):
            if (given := getattr(row, key)) is not None:
                setattr(person, key, given)
        person.name = person.name or row.given_name or row.family_name
        # Who was known from launches alone is news to plans, which go by the roster.
        in_plans = before if was_listed or member.is_taken_in else None
        member.is_taken_in = None
        sync.changes_pairing = sync.changes_pairing or rules.changes_pairing(in_plans, after)
        new += not listed_already
    sync.seen += new
    session.flush()
    return new


def turn_page(session: Session, step: Step, next_url: str | None, *, new: int, unread: int = 0, now: datetime) -> None:
    """Record that a page is done: ask for the next, or end the reading and take out who was not listed."""
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
    """Give up a reading, and begin another at that time. What it learned of those it listed stays; nobody is taken out
    because of it.
    """
    sync = session.get_one(RosterSync, sync_id)
    sync.state, sync.failure, sync.finished_at, sync.looks_again_at = "failed", failure, now, looks_again_at
    if looks_again_at is not None:
        ask_for_sync(session, sync.course_id, now=now, due_at=looks_again_at)
    _tell_pairing(session, sync, now=now)
    session.flush()


def put_off(session: Session, sync_id: int, until: datetime) -> None:
    """Note until when the platform asked us to wait."""
    session.get_one(RosterSync, sync_id).looks_again_at = until


def next_look(session: Session, course_id: int, *, now: datetime) -> datetime | None:
    """When to begin another reading after one that failed: minutes, hours, then daily, for a month after the last that
    did not. None after that: the next launch has the roster read.
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
    """The roster answered 404. Have the other services asked, since only all of them together mean the end."""
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
        .where(Member.course_id == course_id, Member.takes_part, Member.in_roster_at.is_not(None), *_missing(sync))
        .order_by(func.lower(Person.name), Member.id)
    )
    names = told_apart(session, course_id, {row.id: row.name for row in ending})
    return Doubt(sync.id, tuple(names.items()), sync.unread)


def answer_doubt(session: Session, course_id: int, sync_id: int, *, is_true: bool, now: datetime) -> None:
    """A person of staff says whether people left, as this reading has it, or the platform is mistaken.

    Does nothing where the roster was read again meanwhile: the newer reading asks for itself if it has to.
    """
    sync = session.get(RosterSync, sync_id, with_for_update=True)
    if sync is None or sync.course_id != course_id or sync.state != "asks":
        return
    if is_true:
        _sweep(session, sync, now=now)
        sync.state = "finished"
    else:
        sync.state, sync.failure = "failed", "taken for a mistake"
    _tell_pairing(session, sync, now=now)
    session.flush()


def _standing(member: Member) -> Standing:
    return Standing(CourseRole(member.role), member.ever_staff, member.status == "active", member.is_test)


def _insert(session: Session, model: type[Person] | type[Member], rows: list[dict[str, Any]]) -> None:
    """Add rows, leaving those alone that a launch added meanwhile."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    if rows:
        session.execute(dialect.insert(model).on_conflict_do_nothing(), rows)


def _people(session: Session, registration_id: int, rows: Mapping[str, RosterRow], *, now: datetime) -> list[Person]:
    wanted = select(Person).where(Person.registration_id == registration_id, Person.sub.in_(rows))
    known = {person.sub for person in session.scalars(wanted)}
    _insert(
        session,
        Person,
        [
            {
                "institution_id": served_institution(session),
                "registration_id": registration_id,
                "sub": sub,
                "is_administrator": False,
                "created_at": now,
            }
            for sub, row in rows.items()
            if sub not in known and row.role is not None
        ],
    )
    return [person for person in session.scalars(wanted) if person.erased_at is None]


def _members(
    session: Session, course_id: int, people: list[Person], rows: Mapping[str, RosterRow], *, now: datetime
) -> dict[int, Member]:
    """The members by person. Nobody becomes one whose entry names no role in the course."""
    wanted = select(Member).where(Member.course_id == course_id, Member.person_id.in_([person.id for person in people]))
    known = {member.person_id for member in session.scalars(wanted)}
    _insert(
        session,
        Member,
        [
            {
                "institution_id": served_institution(session),
                "course_id": course_id,
                "person_id": person.id,
                "role": rows[person.sub].role,
                "ever_staff": False,
                "is_test": False,
                "status": "inactive",
                "created_at": now,
            }
            for person in people
            if person.id not in known and rows[person.sub].role is not None
        ],
    )
    return {member.person_id: member for member in session.scalars(wanted)}


def _finish(session: Session, sync: RosterSync, *, now: datetime) -> None:
    _set_aside_older_question(session, sync)
    sync.finished_at = now
    listed_learner = [Member.course_id == sync.course_id, Member.takes_part, Member.in_roster_at.is_not(None)]
    counted = select(func.count()).select_from(Member).where(*listed_learner)
    learners, leaving = session.scalar(counted) or 0, session.scalar(counted.where(*_missing(sync))) or 0
    if rules.must_ask(leaving, learners, unread=sync.unread):
        sync.state = "asks"
    else:
        _sweep(session, sync, now=now)
        sync.state = "finished"
        ask_about_links(session, sync.course_id, now=now)
    if _somebody_came_meanwhile(session, sync):
        ask_for_sync(session, sync.course_id, now=now)
    course = session.get_one(Course, sync.course_id)
    session.get_one(Deployment, course.deployment_id).last_roster_at = now
    _tell_pairing(session, sync, now=now)
    session.flush()


def _somebody_came_meanwhile(session: Session, sync: RosterSync) -> bool:
    """Whether a learner launched for the first time while the roster was read: their page may have been read before."""
    came = select(Member.id).where(
        Member.course_id == sync.course_id,
        Member.takes_part,
        Member.in_roster_at.is_(None),
        Member.created_at > sync.started_at,
        Member.last_launch_at.is_not(None),
    )
    return session.scalar(came.limit(1)) is not None


def _set_aside_older_question(session: Session, sync: RosterSync) -> None:
    session.execute(
        update(RosterSync)
        .where(RosterSync.course_id == sync.course_id, RosterSync.state == "asks", RosterSync.id != sync.id)
        .values(state="failed", failure="read again")
    )


def _missing(sync: RosterSync) -> tuple[ColumnElement[bool], ...]:
    """Whom a complete reading ends: active members whom it does not list or lists as having left, except those who
    launched after it was begun.

    People whom no roster ever listed stay as long as the platform lets them in: an LMS's administrators open courses
    that they are not enrolled in, and some rosters leave learners out.
    """
    return (
        Member.status == "active",
        Member.is_test.is_(False),
        or_(Member.in_roster_at < sync.started_at, Member.ends_in_roster_at == sync.started_at),
        or_(Member.last_launch_at.is_(None), Member.last_launch_at < sync.started_at),
    )


def _sweep(session: Session, sync: RosterSync, *, now: datetime) -> None:
    """Take out whom a complete and believed roster ends."""
    swept = session.execute(
        update(Member)
        .where(Member.course_id == sync.course_id, *_missing(sync))
        .values(status="inactive", left_at=now, ends_in_roster_at=None)
        .execution_options(synchronize_session="fetch")
    )
    if _rowcount(swept):
        sync.changes_pairing = True


def _rowcount(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0


def _tell_pairing(session: Session, sync: RosterSync, *, now: datetime) -> None:
    if sync.changes_pairing:
        tell_plans(session, sync.course_id, now=now, institution_id=sync.institution_id)
