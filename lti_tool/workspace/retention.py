"""How long data is kept, and what the next deletions would take. Counts only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from lti_tool.attributes.models import UPLOAD_KEPT, AttributeUpload
from lti_tool.errors import N_
from lti_tool.jobs.models import Job
from lti_tool.jobs.schedule import OWN_EXPIRIES
from lti_tool.launch.models import Member, Person
from lti_tool.meetings.models import CalendarAddress
from lti_tool.meetings.service.calendars import KEPT_UNREAD
from lti_tool.reminders.models import LETTERS_KEPT, Reminder
from lti_tool.settings import Settings
from lti_tool.support.db import served_institution
from lti_tool.web.audit import AuditEntry
from lti_tool.web.kept import KEPT_FOR, KeptText
from lti_tool.web.visits import KEPT_AFTER_END, Visit
from lti_tool.workspace.first_administrator import is_registrar

SOON: Final = timedelta(days=7)
LONG: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Retention:
    """One kind of data that is deleted by itself."""

    what: str
    days: int
    """0 means less than one."""
    kept: int
    soon: int
    """How many of them are deleted within SOON."""
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class StayingPeople:
    """People whom nothing deletes but an erasure."""

    known: int
    left_long_ago: int
    """In no course any more, and not opened for LONG."""


def retentions(session: Session, settings: Settings, *, now: datetime) -> list[Retention]:
    """What the hourly deletion takes from the institution of the session, kind by kind."""
    own_entries = AuditEntry.institution_id == served_institution(session)
    uploads = N_("Uploaded tables that were not imported")
    return [
        _retention(session, N_("Entries of the record"), AuditEntry.at, settings.audit_retention, own_entries, now=now),
        _retention(session, N_("Visits that have ended"), Visit.expires_at, KEPT_AFTER_END, now=now),
        _retention(session, uploads, AttributeUpload.created_at, UPLOAD_KEPT, now=now),
        _retention(session, N_("Texts of refused forms"), KeptText.at, KEPT_FOR, now=now),
        _retention(session, N_("Unread calendar addresses"), CalendarAddress.read_at, KEPT_UNREAD, now=now),
        _retention(session, N_("Reminders and letters"), Reminder.at, LETTERS_KEPT, now=now),
        *_background_work(session, now),
    ]


def _background_work(session: Session, now: datetime) -> Iterator[Retention]:
    words = (N_("Finished background work"), N_("Failed background work"))
    for what, expiry in zip(words, OWN_EXPIRIES, strict=True):
        own = [Job.institution_id == served_institution(session), *([] if expiry.where is None else [expiry.where])]
        yield _retention(session, what, expiry.column, expiry.after, *own, now=now)


def _retention(
    session: Session, what: str, column: Any, after: timedelta, *where: ColumnElement[bool], now: datetime
) -> Retention:
    kept, oldest = session.execute(select(func.count(column), func.min(column)).where(*where)).one()
    soon = session.scalar(select(func.count()).where(column < now + SOON - after, *where)) or 0
    return Retention(what, after.days, kept, soon, oldest)


def staying_people(session: Session, *, now: datetime) -> StayingPeople:
    """How many people are known, and how many of them came and went long ago."""
    people = select(func.count()).select_from(Person).where(Person.erased_at.is_(None), ~is_registrar())
    recent_membership = (
        select(Member.id)
        .where(
            Member.person_id == Person.id,
            (Member.status == "active") | (func.coalesce(Member.left_at, Member.created_at) > now - LONG),
        )
        .exists()
    )
    return StayingPeople(
        session.scalar(people) or 0,
        session.scalar(people.where(~recent_membership, Person.created_at < now - LONG)) or 0,
    )
