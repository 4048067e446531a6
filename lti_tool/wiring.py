"""The composition root: the only place where collaborators meet."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import Any

from sqlalchemy import Engine

from lti_tool.attributes.models import UPLOAD_KEPT, AttributeUpload
from lti_tool.errors import Words
from lti_tool.evidence.models import ClosingReport
from lti_tool.evidence.service import REPORT_KEPT
from lti_tool.grades import service as grades
from lti_tool.jobs import schedule
from lti_tool.jobs.schedule import Expiry
from lti_tool.launch.models import LaunchState, SeenNotice
from lti_tool.launch.service.notices import SEEN_FOR
from lti_tool.meetings.models import CalendarAddress
from lti_tool.meetings.service.calendars import KEPT_UNREAD
from lti_tool.progress import handlers as progress
from lti_tool.progress.models import StaffAct
from lti_tool.reminders.models import LETTERS_KEPT, Letter, Reminder
from lti_tool.settings import Settings
from lti_tool.support.clock import Clock, SystemClock
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import make_engine, session_opener
from lti_tool.support.http import Outbound
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from lti_tool.web.kept import KEPT_FOR, KeptText
from lti_tool.web.visits import KEPT_AFTER_END, Code, Visit

FEATURES = (
    "registration",
    "launch",
    "roster",
    "rubrics",
    "activities",
    "programmes",
    "attributes",
    "pairing",
    "meetings",
    "hints",
    "feedback",
    "goals",
    "craft",
    "surveys",
    "reports",
    "practices",
    "progress",
    "certificates",
    "reminders",
    "quality",
    "evidence",
    "grades",
)


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running tool: the kit, its engine, job handlers and the words for errors."""

    kit: Kit
    engine: Engine
    handlers: dict[str, Callable[..., None]]
    periodic: dict[str, timedelta]
    """How often each periodic job runs."""
    words: dict[type[Exception], Words]


def build(settings: Settings, *, clock: Clock | None = None, engine: Engine | None = None) -> Services:
    """Put the collaborators together. Tests pass their own clock and engine."""
    engine = engine or make_engine(settings.sqlalchemy_url)
    kit = Kit(
        settings=settings,
        clock=clock or SystemClock(),
        secrets=KeyRing.of(settings),
        http=Outbound.of(settings),
        open_session=session_opener(engine),
    )
    return Services(
        kit=kit,
        engine=engine,
        handlers={
            schedule.PURGE: schedule.purge(_expiries(settings)),
            **progress.handlers(grades),
            **_all("handlers", "HANDLERS"),
        },
        periodic={**schedule.PERIODIC, **_all("handlers", "PERIODIC")},
        words=_all("errors", "WORDS"),
    )


def _expiries(settings: Settings) -> list[Expiry]:
    """Rows to delete after a while, which would otherwise pile up with every launch."""
    return [
        Expiry(LaunchState, LaunchState.expires_at, timedelta(hours=1)),
        Expiry(SeenNotice, SeenNotice.at, SEEN_FOR),
        Expiry(Code, Code.expires_at, timedelta(hours=1)),
        Expiry(Visit, Visit.expires_at, KEPT_AFTER_END),
        Expiry(KeptText, KeptText.at, KEPT_FOR),
        Expiry(AttributeUpload, AttributeUpload.created_at, UPLOAD_KEPT),
        Expiry(CalendarAddress, CalendarAddress.read_at, KEPT_UNREAD),
        Expiry(Reminder, Reminder.at, LETTERS_KEPT),
        Expiry(Letter, Letter.made_at, LETTERS_KEPT),
        Expiry(ClosingReport, ClosingReport.made_at, REPORT_KEPT),
        Expiry(StaffAct, StaffAct.at, LETTERS_KEPT),
        Expiry(AuditEntry, AuditEntry.at, settings.audit_retention),
    ]


def _all(module: str, table: str) -> dict[Any, Any]:
    """Join the tables of this name of all features. Raises KeyError if two features have the same key."""
    joined: dict[Any, Any] = {}
    for feature in FEATURES:
        loaded = _module_of(feature, module)
        entries = getattr(loaded, table, {}) if loaded is not None else {}
        if joined.keys() & entries.keys():
            raise KeyError(joined.keys() & entries.keys())
        joined.update(entries)
    return joined


def _module_of(feature: str, module: str) -> ModuleType | None:
    name = f"lti_tool.{feature}.{module}"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None
