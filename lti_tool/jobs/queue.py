"""Put work into the outbox, claim it, and record how it went."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias, cast

from sqlalchemy import CursorResult, Insert, and_, case, exists, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from lti_tool.errors import ToolError
from lti_tool.jobs.models import Job
from lti_tool.support.kit import Kit

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"

LEASE = timedelta(minutes=2)
SOON = timedelta(minutes=2)
MAX_ATTEMPTS = 15
"""With `backoff` this keeps trying for about two days: long enough for a platform that is down over a weekend night."""
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=6)


class RetryLater(ToolError):
    """A handler's answer that the work cannot be done yet. Does not count as a failed attempt."""

    def __init__(self, after: timedelta) -> None:
        super().__init__(after)
        self.after = after


class GiveUp(ToolError):
    """A handler's answer that trying again would never help. The reason is a word, never personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a handler is told about the job it runs."""

    id: int
    name: str
    payload: Mapping[str, Any]
    institution_id: int | None
    attempts: int
    """1 at the first attempt."""

    def number(self, key: str) -> int:
        """A whole number of the payload. Gives the job up when it is not there."""
        value = self.payload.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise GiveUp("malformed payload")
        return value

    @property
    def institution(self) -> int:
        """The institution that the job belongs to. Gives the job up when it names none."""
        if self.institution_id is None:
            raise GiveUp("no institution")
        return self.institution_id


Handler: TypeAlias = Callable[[Kit, JobContext], None]


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker holds until `leased_until`, and the proof that it does."""

    context: JobContext
    fence: int
    leased_until: datetime = field(compare=False)


def enqueue(
    session: Session,
    name: str,
    payload: Mapping[str, JSON],
    *,
    institution_id: int | None,
    now: datetime,
    due_at: datetime | None = None,
    unique_key: str | None = None,
) -> None:
    """Write a job in the caller's transaction.

    While one with the same unique key waits, no second is made: it takes the newest payload and the earliest time.
    A job with a unique key never runs beside another with the same key.
    """
    statement = _insert(session).values(
        name=name,
        payload=dict(payload),
        institution_id=institution_id,
        unique_key=unique_key,
        state="waiting",
        due_at=due_at or now,
        created_at=now,
        attempts=0,
        claims=0,
    )
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Job.unique_key],
            index_where=text("state = 'waiting'"),
            set_={
                "payload": new.payload,
                "due_at": case((new.due_at < Job.due_at, new.due_at), else_=Job.due_at),
                "attempts": 0,
            },
        )
    )


def claim(session: Session, *, now: datetime, lease: timedelta = LEASE) -> Claim | None:
    """Take the job that is due longest, in a transaction of its own; None when nothing is due.

    No two workers get the same job: SQLite lets one writer in at a time, PostgreSQL skips rows that another holds.
    """
    while True:
        job = session.scalar(
            select(Job).where(_is_due(now)).order_by(Job.due_at, Job.id).limit(1).with_for_update(skip_locked=True)
        )
        if job is None:
            return None
        job.attempts += 1
        job.claims += 1
        job.state, job.leased_until = "running", now + lease
        session.flush()
        if job.attempts <= MAX_ATTEMPTS:
            break
        # Only a job whose worker died each time gets here, and it may be what killed them.
        job.state, job.finished_at, job.leased_until, job.error = "failed", now, None, "worker died"
        session.flush()
    context = JobContext(job.id, job.name, dict(job.payload), job.institution_id, job.attempts)
    return Claim(context, job.claims, now + lease)


def is_anything_due(session: Session, *, now: datetime) -> bool:
    """Whether `claim` might find something; cheap enough to ask often."""
    return session.scalar(select(Job.id).where(_is_due(now)).limit(1)) is not None


def is_coming(session: Session, unique_key: str, *, now: datetime) -> bool:
    """Whether the job with this key runs, or is about to: not one that waits for its next attempt much later."""
    soon = and_(Job.state == "waiting", Job.due_at <= now + SOON)
    wanted = select(Job.id).where(Job.unique_key == unique_key, or_(Job.state == "running", soon)).limit(1)
    return session.scalar(wanted) is not None


def renew(session: Session, held: Claim, *, now: datetime, lease: timedelta = LEASE) -> bool:
    """Hold the job longer. False when another worker has it by now."""
    return _record(session, held, leased_until=now + lease)


def finish(session: Session, held: Claim, *, now: datetime) -> bool:
    """Record that the job is done. False when another worker has it by now."""
    return _record(session, held, state="done", finished_at=now, leased_until=None, error=None)


def fail(session: Session, held: Claim, error: str, *, now: datetime) -> bool:
    """Record that the job failed for good. False when another worker has it by now."""
    return _record(session, held, state="failed", finished_at=now, leased_until=None, error=error[:128])


def put_back(session: Session, held: Claim, error: str | None, *, due_at: datetime, now: datetime) -> bool:
    """Let the job wait for its next attempt; without an error this attempt does not count.

    Where a newer job with the same key waits already, that one does the work and this one is done.
    """
    attempts = held.context.attempts if error is not None else held.context.attempts - 1
    try:
        with session.begin_nested():
            return _record(
                session, held, state="waiting", due_at=due_at, leased_until=None, error=error, attempts=attempts
            )
    except IntegrityError:
        return _record(session, held, state="done", finished_at=now, leased_until=None, error="superseded")


def backoff(attempts: int, *, chance: float) -> timedelta:
    """How long to wait after this many attempts: about 10 s, then 2.5 times longer each, 6 hours at most.

    `chance` (0 to 1) spreads the attempts of jobs that failed together over half of the pause.
    """
    pause = min(FIRST_PAUSE * 2.5 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return pause * (0.75 + 0.5 * chance)


def _insert(session: Session) -> Any:
    """An INSERT that knows ON CONFLICT, which SQLAlchemy spells by dialect."""
    dialect = session.get_bind().dialect.name
    insert: Insert = (postgresql if dialect == "postgresql" else sqlite).insert(Job)
    return insert


def _is_due(now: datetime) -> Any:
    twin = aliased(Job)
    # Also while its lease is over: whoever takes that one up again must not meet this one.
    runs_already = exists().where(twin.unique_key == Job.unique_key, twin.state == "running", twin.id != Job.id)
    return or_(
        and_(Job.state == "waiting", Job.due_at <= now, ~runs_already),
        and_(Job.state == "running", Job.leased_until <= now),
    )


def _record(session: Session, held: Claim, **values: Any) -> bool:
    result = session.execute(
        update(Job)
        .where(Job.id == held.context.id, Job.claims == held.fence, Job.state == "running")
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(cast("CursorResult[Any]", result).rowcount)
