"""Periodic jobs, and the deletion of rows that are kept for a limited time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Session

from lti_tool.jobs import queue
from lti_tool.jobs.models import Job, Tick
from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.support.db import Base, across_institutions
from lti_tool.support.kit import Kit

PURGE = "jobs.purge"
PERIODIC: Mapping[str, timedelta] = {PURGE: timedelta(hours=1)}
"""What `jobs` itself does periodically. Features add theirs in wiring."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """Rows to delete when `column` is longer ago than `after`."""

    model: type[Base]
    column: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]
    after: timedelta
    where: ColumnElement[bool] | None = None


OWN_EXPIRIES = (
    Expiry(Job, Job.finished_at, timedelta(days=2), Job.state == "done"),
    Expiry(Job, Job.finished_at, timedelta(days=30), Job.state == "failed"),
)


def take_turns(session: Session, periodic: Mapping[str, timedelta], *, now: datetime) -> list[str]:
    """Enqueue every periodic job that is due, once, however many workers ask. Returns their names."""
    return [name for name, every in periodic.items() if _take_turn(session, name, every, now=now)]


def purge(expiries: Sequence[Expiry]) -> Handler:
    """A handler that deletes the expired rows of every institution, and the outbox's own old jobs."""

    def run(kit: Kit, _: JobContext) -> None:
        """Delete the expired rows of every table."""
        for expiry in (*OWN_EXPIRIES, *expiries):
            with kit.open_session() as session, across_institutions(session):
                statement = delete(expiry.model).where(expiry.column < kit.clock.now() - expiry.after)
                if expiry.where is not None:
                    statement = statement.where(expiry.where)
                session.execute(statement.execution_options(synchronize_session=False))

    return run


def _take_turn(session: Session, name: str, every: timedelta, *, now: datetime) -> bool:
    turn = int(now.timestamp() // every.total_seconds())
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement: Any = dialect.insert(Tick).values(name=name, turn=turn)
    taken = session.execute(
        statement.on_conflict_do_update(
            index_elements=[Tick.name],
            set_={"turn": statement.excluded.turn},
            # A turn that lies ahead was taken while a clock was wrong. One ahead may be another machine's clock.
            where=or_(Tick.turn < turn, Tick.turn > turn + 1),
        ).returning(Tick.name)
    )
    if taken.first() is None:
        return False
    queue.enqueue(session, name, {}, institution_id=None, now=now, unique_key=f"turn:{name}")
    return True
