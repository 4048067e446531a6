"""Letters: who gets one now, what it says, and what became of it. Nothing here sends."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState
from lti_tool.launch.models import Course, LockedOut, Member, Person, Placement
from lti_tool.registration.models import Deployment, Institution, Registration
from lti_tool.reminders.errors import LinkUnreadable
from lti_tool.reminders.models import Letter, MailPreference, MailServer, Reminder
from lti_tool.reminders.rules import (
    APART,
    Rule,
    Told,
    Waiting,
    course_address,
    day_of,
    is_decent,
    is_deliverable,
    worth_telling,
)
from lti_tool.reminders.service.waiting import waiting_in
from lti_tool.support.crypto import fingerprint
from lti_tool.support.db import find_or_add
from lti_tool.support.zones import read_zone

SERVER: Final = 1
PAUSE: Final = timedelta(minutes=5)
"""So long a mail server that failed is left alone, by all workers together."""
UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Section:
    """What a letter says about one activity."""

    course: str
    activity: str
    link: str | None
    """Where the course is in the platform."""
    platform: str
    time_zone: str
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter that is written down and has to be sent now."""

    id: int
    person_id: int
    address: str = field(repr=False)
    locale: str | None
    zone: ZoneInfo
    sections: tuple[Section, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class MailStanding:
    """Whether somebody gets letters, and if not, why."""

    is_on: bool
    """The institution sends letters, and the operator named a mail server."""
    has_address: bool
    stopped_at: datetime | None
    refused_at: datetime | None

    @property
    def gets_letters(self) -> bool:
        return self.is_on and self.has_address and self.stopped_at is None and self.refused_at is None


def open_activities(*columns: Any) -> Any:
    """A query about activities of which letters may remind: open, in a course that is not over, with a link that
    learners can open, and in an institution that sends letters. `Activity`, `Course` and `Placement` are joined.
    """
    return (
        select(*columns)
        .select_from(Activity)
        .join(Course, Course.id == Activity.course_id)
        .join(Placement, Placement.id == Activity.placement_id)
        .join(Institution, Institution.id == Activity.institution_id)
        .where(
            Activity.state == ActivityState.READY,
            Course.ended_at.is_(None),
            Placement.gone_at.is_(None),
            Placement.opens_for_nobody.is_(False),
            Institution.sends_letters,
        )
    )


def people_to_write_to(session: Session, activity_id: int, *, now: datetime) -> list[int]:
    """People whom a letter should tell something about this activity at this moment.

    A filter that asks little; `begin` decides, with all of a person's activities.
    """
    activity = session.scalar(open_activities(Activity).where(Activity.id == activity_id))
    if activity is None:
        return []
    usual = session.get_one(Institution, activity.institution_id).time_zone
    people = {}
    for person_id, member_id, zone, address, preference, last_at in session.execute(_receivers(activity)):
        if _is_due(address, preference, last_at, _zone(zone, usual, activity.time_zone), now=now):
            people[member_id] = person_id
    if not people:
        return []
    told = _told(session, activity.id)
    return [
        people[one]
        for one, waiting in waiting_in(session, activity, now=now)
        if one in people and worth_telling(waiting, told.get(one, ()), a_week=activity.letters_a_week, now=now)
    ]


def _receivers(activity: Activity) -> Any:
    last_at = select(func.max(Letter.made_at)).where(Letter.person_id == Person.id).correlate(Person).scalar_subquery()
    locked = select(LockedOut.member_id).where(LockedOut.placement_id == activity.placement_id)
    return (
        select(Person.id, Member.id, Person.time_zone, Person.email, MailPreference, last_at)
        .join(Member, Member.person_id == Person.id)
        .outerjoin(MailPreference, MailPreference.person_id == Person.id)
        .where(Member.course_id == activity.course_id, Member.takes_part, Person.email.is_not(None))
        .where(Member.id.not_in(locked), or_(MailPreference.id.is_(None), MailPreference.stopped_at.is_(None)))
    )


def _is_due(
    address: str | None,
    preference: MailPreference | None,
    last_at: datetime | None,
    zone: ZoneInfo,
    *,
    now: datetime,
) -> bool:
    if not is_deliverable(address) or not is_decent(now, zone):
        return False
    if last_at is not None and (last_at > now - APART or day_of(last_at, zone) == day_of(now, zone)):
        return False
    return preference is None or (
        preference.stopped_at is None and preference.refused_mark != fingerprint(address or "")
    )


def _zone(*names: str | None) -> ZoneInfo:
    """The first of these zones that is known."""
    return next((zone for zone in (read_zone(name) for name in names if name) if zone is not None), UTC)


def begin(session: Session, person_id: int, *, now: datetime) -> Outgoing | None:
    """Write down a letter to a person with all that is worth telling now. None if there is nothing to send.

    Once this transaction is committed the letter counts as sent, whatever happens to the worker: a letter that is lost
    is better than one that comes twice.
    """
    person = session.get(Person, person_id, with_for_update={"key_share": True})
    if person is None or person.email is None:
        return None
    preference = session.scalar(select(MailPreference).where(MailPreference.person_id == person_id))
    last_at = session.scalar(select(func.max(Letter.made_at)).where(Letter.person_id == person_id))
    rows = session.execute(
        open_activities(Activity, Course, Member.id, Registration, Institution.time_zone)
        .join(Member, Member.course_id == Course.id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .join(Registration, Registration.id == Deployment.registration_id)
        .outerjoin(LockedOut, (LockedOut.placement_id == Activity.placement_id) & (LockedOut.member_id == Member.id))
        .where(Member.person_id == person_id, Member.takes_part, LockedOut.id.is_(None))
        .order_by(Course.id, Activity.created_at, Activity.id)
    ).all()
    if not rows:
        return None
    zone = _zone(person.time_zone, rows[0].time_zone, rows[0].Activity.time_zone)
    if not _is_due(person.email, preference, last_at, zone, now=now):
        return None
    sections: list[Section] = []
    told_now: list[tuple[int, int, Waiting]] = []
    for activity, course, member_id, registration, _ in rows:
        waiting = dict(waiting_in(session, activity, now=now, member_id=member_id)).get(member_id, ())
        told = _told(session, activity.id, member_id).get(member_id, ())
        worth = worth_telling(waiting, told, a_week=activity.letters_a_week, now=now)
        if worth:
            link = course_address(
                registration.platform_family,
                registration.issuer,
                registration.platform_origins,
                course.context_id,
                course.memberships_url,
            )
            where = (course.title or course.label or "", activity.title, link, registration.title, activity.time_zone)
            sections.append(Section(*where, worth))
            told_now += [(activity.id, member_id, one) for one in worth]
    if not sections:
        return None
    letter = Letter(person_id=person_id, day=day_of(now, zone), state="sending", made_at=now)
    session.add(letter)
    session.flush()
    _write_down(session, letter, told_now, now=now)
    return Outgoing(letter.id, person_id, person.email, person.reads_in, zone, tuple(sections))


def _write_down(session: Session, letter: Letter, told: Iterable[tuple[int, int, Waiting]], *, now: datetime) -> None:
    for activity_id, member_id, waiting in told:
        if waiting.act_id is not None:
            for row in session.scalars(
                select(Reminder).where(Reminder.act_id == waiting.act_id, Reminder.member_id == member_id)
            ):
                row.letter_id = letter.id
            continue
        place = {"activity_id": activity_id, "member_id": member_id, "round_number": waiting.round}
        session.add(Reminder(rule=waiting.rule, mark=waiting.mark, at=now, letter_id=letter.id, **place))
    session.flush()


def settle(session: Session, outgoing: Outgoing, state: str) -> None:
    """Record what became of a letter: `sent`, or `refused` for this day."""
    letter = session.get(Letter, outgoing.id)
    if letter is not None:
        letter.state = state


def refuse_address(session: Session, outgoing: Outgoing, *, now: datetime) -> None:
    """Note that the address takes no letters. None is sent until the platform names another."""
    settle(session, outgoing, "refused")
    _mark_refused(session, outgoing.person_id, outgoing.address, now=now)


def bounced(session: Session, person_id: int, addresses: Collection[str], *, now: datetime) -> bool:
    """Note that a letter came back because its address does not exist. False if none of these addresses, in lower case,
    is the person's now.
    """
    person = session.get(Person, person_id)
    if person is None or person.email is None or person.email.lower() not in addresses:
        return False
    _mark_refused(session, person_id, person.email, now=now)
    return True


def _mark_refused(session: Session, person_id: int, address: str, *, now: datetime) -> None:
    preference = _preference(session, person_id)
    preference.refused_at, preference.refused_mark = now, fingerprint(address)


def tear_up(session: Session, outgoing: Outgoing) -> None:
    """Forget a letter that was certainly not sent, so that it can be written anew."""
    for row in session.scalars(select(Reminder).where(Reminder.letter_id == outgoing.id)):
        if row.act_id is not None:
            row.letter_id = None
        else:
            session.delete(row)
    session.flush()
    letter = session.get(Letter, outgoing.id)
    if letter is not None:
        session.delete(letter)


def _told(session: Session, activity_id: int, member_id: int | None = None) -> dict[int, list[Told]]:
    """What letters told about an activity, by member."""
    which = [Reminder.activity_id == activity_id, Reminder.letter_id.is_not(None)]
    if member_id is not None:
        which.append(Reminder.member_id == member_id)
    rows = session.execute(
        select(Reminder.member_id, Reminder.rule, Reminder.round_number, Reminder.mark, Reminder.at).where(*which)
    )
    told: dict[int, list[Told]] = defaultdict(list)
    for each_id, rule, number, mark, at in rows:
        told[each_id].append(Told((Rule(rule), number, mark), at))
    return told


def name_of(institution_id: int, person_id: int) -> bytes:
    """What the link that stops letters says, sealed."""
    return f"letters {institution_id} {person_id}".encode()


def named_in(name: bytes) -> tuple[int, int]:
    """The institution and the person of `name_of`. Raises LinkUnreadable."""
    parts = re.fullmatch(rb"letters ([0-9]{1,18}) ([0-9]{1,18})", name)
    if parts is None:
        raise LinkUnreadable
    return int(parts[1]), int(parts[2])


# ---- who wants letters -----------------------------------------------------------------------------------------------


def _preference(session: Session, person_id: int) -> MailPreference:
    query = select(MailPreference).where(MailPreference.person_id == person_id)
    return find_or_add(session, query, lambda: MailPreference(person_id=person_id))


def stop(session: Session, person_id: int, *, now: datetime) -> None:
    """Send this person no more letters. Doing it twice changes nothing."""
    preference = _preference(session, person_id)
    preference.stopped_at = preference.stopped_at or now


def take_up(session: Session, person_id: int) -> None:
    """Send this person letters again, also to an address that was refused before."""
    preference = _preference(session, person_id)
    preference.stopped_at = preference.refused_at = preference.refused_mark = None


def standing_of(session: Session, person_id: int, *, has_server: bool) -> MailStanding:
    """Whether this person gets letters."""
    person = session.get_one(Person, person_id)
    preference = session.scalar(select(MailPreference).where(MailPreference.person_id == person_id))
    is_refused = preference is not None and preference.refused_mark == fingerprint(person.email or "")
    return MailStanding(
        is_on=has_server and session.get_one(Institution, person.institution_id).sends_letters,
        has_address=is_deliverable(person.email),
        stopped_at=preference.stopped_at if preference is not None else None,
        refused_at=preference.refused_at if preference is not None and is_refused else None,
    )


def count_letters(session: Session, *, since: datetime) -> dict[str, int]:
    """How many letters were written since then, by state; `no address` are people whose address is refused."""
    rows = session.execute(select(Letter.state, func.count()).where(Letter.made_at > since).group_by(Letter.state))
    refused = select(func.count()).select_from(MailPreference).where(MailPreference.refused_at.is_not(None))
    return {**dict(rows.all()), "no address": session.scalar(refused) or 0}


# ---- how the mail server does ----------------------------------------------------------------------------------------


def mail_trouble(session: Session) -> MailServer | None:
    """Since when the mail server fails, and how; None while it works."""
    row = session.get(MailServer, SERVER)
    return row if row is not None and row.failing_since is not None else None


def rest_of(session: Session, *, now: datetime) -> timedelta | None:
    """How long to leave the mail server alone; None: try it now, and say so by `note_try` in the same transaction."""
    row = session.get(MailServer, SERVER)
    if row is None or row.failing_since is None:
        return None
    # Locked, so that of many workers one tries a server that failed.
    row = session.get_one(MailServer, SERVER, with_for_update=True, populate_existing=True)
    if row.failing_since is not None and row.tried_at is not None and now - PAUSE < row.tried_at <= now:
        return row.tried_at + PAUSE - now
    return None


def note_try(session: Session, *, now: datetime) -> None:
    """Keep other workers from trying a mail server that failed until this try has ended, or for a while."""
    row = session.get(MailServer, SERVER)
    if row is not None and row.failing_since is not None:
        row.tried_at = now


def note_server(session: Session, error: str | None, *, now: datetime) -> None:
    """Record that the mail server took a letter (`error` is None), or how it failed."""
    row = session.get(MailServer, SERVER)
    if row is None and error is None:
        return
    if row is None:
        row = find_or_add(session, select(MailServer).where(MailServer.id == SERVER), lambda: MailServer(id=SERVER))
    if error is None:
        row.failing_since = row.error = None
    else:
        row.failing_since, row.tried_at, row.error = row.failing_since or now, now, error[:64]
