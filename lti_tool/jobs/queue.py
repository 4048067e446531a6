"""Put work into the outbox, claim it, and record how it went."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeAlias, cast

from sqlalchemy import ColumnElement, CursorResult, Insert, Table, and_, case, exists, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from lti_tool.errors import ToolError
from lti_tool.jobs.models import Job, Lane
from lti_tool.support.db import Base
from lti_tool.support.kit import Kit

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"

LEASE = timedelta(minutes=2)
SOON = timedelta(minutes=2)
MAX_ATTEMPTS = 15
"""Attempts of a job. With `backoff` they take about two days: long enough for a platform that is down over a weekend
night.
"""
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=6)
CLOCK_RAN_AHEAD = timedelta(hours=1)
"""A lease that ends further ahead than this was given by a clock that ran ahead, and counts as over."""
DOWN_AFTER = 3
"""After this many failures in a row a platform counts as down. When it answers again, what failed is tried at once."""
OWN = 0
"""The lane of work that calls no platform."""
MAIL = -1
"""The lane of letters: a mail server that hangs holds no more of the threads than a platform that does."""
DOCUMENTS = -2
"""The lane of PDFs, so that thousands of them take turns with our other work."""
CALL_NOBODY = (OWN, DOCUMENTS)
_CLAIMING = 7_214_083
"""The key of a PostgreSQL lock: workers claim one at a time, because two could fill the same place."""


class RetryLater(ToolError):
    """Raised by a handler whose work cannot be done yet. Does not count as a failed attempt."""

    def __init__(self, after: timedelta) -> None:
        super().__init__(after)
        self.after = after


class GiveUp(ToolError):
    """Raised by a handler if trying again would never help. The reason is a word, never personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class JobContext:
    """The job that a handler runs."""

    id: int
    name: str
    payload: Mapping[str, Any]
    institution_id: int | None
    attempts: int
    """1 at the first attempt."""
    lane: int = OWN

    def number(self, key: str) -> int:
        """A whole number of the payload. Raises GiveUp if it is missing."""
        value = self.payload.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise GiveUp("malformed payload")
        return value

    @property
    def institution(self) -> int:
        """The institution that the job belongs to. Raises GiveUp if it names none."""
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
    calls: int = OWN,
) -> None:
    """Write a job in the caller's transaction. `calls` is the registration whose platform the job will call.

    While one with the same unique key waits, no second is made: it takes the newest payload and the earliest time.
    A job with a unique key never runs beside another with the same key.
    """
    enqueue_all(
        session, name, {unique_key: payload}, institution_id=institution_id, now=now, due_at=due_at, calls=calls
    )


def enqueue_all(
    session: Session,
    name: str,
    payloads: Mapping[str | None, Mapping[str, JSON]],
    *,
    institution_id: int | None,
    now: datetime,
    due_at: datetime | None = None,
    calls: int = OWN,
) -> None:
    """Write several jobs of one name as `enqueue` writes one, by unique key, with one statement."""
    if not payloads:
        return
    _open_lane(session, calls)
    shared = {
        "name": name,
        "lane": calls,
        "institution_id": institution_id,
        "state": "waiting",
        "due_at": due_at or now,
        "created_at": now,
        "attempts": 0,
        "claims": 0,
    }
    rows = [{**shared, "payload": dict(payload), "unique_key": key} for key, payload in payloads.items()]
    # Past the unit of work, which would look at each row: jobs are no rows of anybody's session.
    session.connection().execute(_upsert(session.get_bind().dialect.name), rows)


@cache
def _upsert(dialect: str) -> Insert:
    statement: Any = (postgresql if dialect == "postgresql" else sqlite).insert(cast("Table", Job.__table__))
    new = statement.excluded
    upsert: Insert = statement.on_conflict_do_update(
        index_elements=["unique_key"],
        index_where=text("state = 'waiting'"),
        set_={
            "payload": new.payload,
            "lane": new.lane,
            "due_at": case((new.due_at < Job.due_at, new.due_at), else_=Job.due_at),
            "attempts": 0,
        },
    )
    return upsert


def claim(
    session: Session,
    *,
    now: datetime,
    lease: timedelta = LEASE,
    most_per_platform: int | None = None,
    most_of_others: int | None = None,
    begins: bool = True,
) -> Claim | None:
    """Take a job that may run now, in a transaction of its own; None when there is none.

    Lanes take turns; within a lane the job comes first that is due longest. At most `most_per_platform` jobs that call
    one platform are held at a time, in all workers together, and `most_of_others` in a lane that calls nobody. No two
    workers get the same job: one claims at a time. A job that does not begin yet is held until somebody takes it up.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_CLAIMING)))
    while True:
        job = _next_job(session, now=now, most_per_platform=most_per_platform, most_of_others=most_of_others)
        if job is None:
            return None
        job.claims += 1
        if job.attempts < MAX_ATTEMPTS:
            break
        # Only a job whose worker died each time gets here, and it may be what killed them.
        job.state, job.finished_at, job.leased_until, job.error = "failed", now, None, "worker died"
        session.flush()
    attempt = job.attempts + 1
    job.attempts += begins
    job.state, job.leased_until = "running", now + lease
    latest = select(func.max(Lane.turn)).scalar_subquery()
    session.execute(update(Lane).where(Lane.lane == job.lane).values(turn=latest + 1))
    session.flush()
    return Claim(_context(job, attempt), job.claims, now + lease)


def take_up(session: Session, job_id: int, fence: int, *, now: datetime, lease: timedelta = LEASE) -> Claim | None:
    """Begin a job that was claimed to begin later. None if that claim is over: somebody began it already, or the lease
    ended meanwhile and the job is or will be claimed anew.
    """
    job = session.scalars(
        update(Job)
        .where(Job.id == job_id, Job.claims == fence, Job.state == "running", ~_is_over(Job.leased_until, now))
        .values(attempts=Job.attempts + 1, claims=Job.claims + 1, leased_until=now + lease)
        .returning(Job)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return None if job is None else Claim(_context(job, job.attempts), job.claims, now + lease)


def _context(job: Job, attempt: int) -> JobContext:
    return JobContext(job.id, job.name, dict(job.payload), job.institution_id, attempt, job.lane)


def _next_job(
    session: Session, *, now: datetime, most_per_platform: int | None, most_of_others: int | None
) -> Job | None:
    lanes = select(Lane.lane).where(exists().where(Job.lane == Lane.lane, _is_due(now))).order_by(Lane.turn, Lane.lane)
    busy = aliased(Job)
    held = (
        select(func.count())
        .where(busy.lane == Lane.lane, busy.state == "running", ~_is_over(busy.leased_until, now))
        .scalar_subquery()
    )
    if most_per_platform is not None:
        lanes = lanes.where(or_(Lane.lane.in_(CALL_NOBODY), held < most_per_platform))
    if most_of_others is not None:
        lanes = lanes.where(or_(Lane.lane.not_in(CALL_NOBODY), held < most_of_others))
    for lane in session.scalars(lanes).all():
        job = session.scalar(
            select(Job)
            .where(Job.lane == lane, _is_due(now))
            .order_by(Job.due_at, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if job is not None:
            return job
    return None


def is_anything_due(session: Session, *, now: datetime) -> bool:
    """Whether `claim` might find something; cheap enough to ask often."""
    return session.scalar(select(Job.id).where(_is_due(now)).limit(1)) is not None


def is_coming(session: Session, unique_key: str, *, now: datetime) -> bool:
    """Whether the job with this key runs or is due soon; a job that waits long for its next attempt does not count."""
    soon = and_(Job.state == "waiting", Job.due_at <= now + SOON)
    wanted = select(Job.id).where(Job.unique_key == unique_key, or_(Job.state == "running", soon)).limit(1)
    return session.scalar(wanted) is not None


def due_dates(session: Session, keys: Iterable[str]) -> dict[str, datetime]:
    """When the waiting jobs with these unique keys run next, by key."""
    rows = session.execute(select(Job.unique_key, Job.due_at).where(Job.unique_key.in_(keys), Job.state == "waiting"))
    return {key: due_at for key, due_at in rows if key is not None}


def pull_forward(session: Session, registration_id: int, *, now: datetime) -> None:
    """Let all jobs that wait to call this platform run now, because the cause of the wait may be over."""
    _make_due(session, Job.lane == registration_id, now=now)


def renew(session: Session, held: Claim, *, now: datetime, lease: timedelta = LEASE) -> bool:
    """Hold the job longer. False when another worker has it by now."""
    return _record(session, held, leased_until=now + lease)


def finish(session: Session, held: Claim, *, now: datetime, was_answered: bool = True) -> bool:
    """Record that the job is done. False when another worker has it by now.

    `was_answered`: the job called its platform, and the platform answered. Where it was down before, what failed there
    is tried at once instead of after the rest of its pause. It runs at the usual pace: so many at a time, and not
    before a time that the platform asked for.
    """
    if not _record(session, held, state="done", finished_at=now, leased_until=None, error=None):
        return False
    lane = held.context.lane
    if lane not in CALL_NOBODY and was_answered:
        failures = session.scalar(select(Lane.failures).where(Lane.lane == lane)) or 0
        if failures >= DOWN_AFTER:
            _make_due(session, Job.lane == lane, Job.error.is_not(None), now=now)
        if failures:
            session.execute(update(Lane).where(Lane.lane == lane).values(failures=0))
    return True


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
            is_recorded = _record(
                session, held, state="waiting", due_at=due_at, leased_until=None, error=error, attempts=attempts
            )
    except IntegrityError:
        is_recorded = _record(session, held, state="done", finished_at=now, leased_until=None, error="superseded")
    if is_recorded and error is not None and held.context.lane not in CALL_NOBODY:
        session.execute(update(Lane).where(Lane.lane == held.context.lane).values(failures=Lane.failures + 1))
    return is_recorded


def backoff(attempts: int, *, chance: float) -> timedelta:
    """How long to wait after this many attempts: about 10 s, then 2.5 times longer each, 6 hours at most.

    `chance` (0 to 1) spreads the attempts of jobs that failed together over half of the pause.
    """
    pause = min(FIRST_PAUSE * 2.5 ** min(attempts - 1, 20), LONGEST_PAUSE)
    return pause * (0.75 + 0.5 * chance)


def _insert(session: Session, model: type[Base]) -> Any:
    """An INSERT with ON CONFLICT, which SQLAlchemy has in a dialect of its own for each database."""
    return (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(model)


def _open_lane(session: Session, lane: int) -> None:
    """Make sure that workers know the lane. Asked once in a transaction or savepoint: many jobs are written at a time,
    and a savepoint that is rolled back takes its lanes along.
    """
    session.connection()  # begins the transaction, if none has begun
    known: set[tuple[object, int]] = session.info.setdefault("lanes", set())
    opened = (session.get_nested_transaction() or session.get_transaction(), lane)
    if opened not in known:
        session.execute(_insert(session, Lane).values(lane=lane, turn=0, failures=0).on_conflict_do_nothing())
        known.add(opened)


def _make_due(session: Session, *conditions: ColumnElement[bool], now: datetime) -> None:
    session.execute(
        update(Job)
        .where(*conditions, Job.state == "waiting", Job.due_at > now)
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def _is_over(leased_until: Any, now: datetime) -> Any:
    return or_(leased_until <= now, leased_until > now + CLOCK_RAN_AHEAD)


def _is_due(now: datetime) -> Any:
    twin = aliased(Job)
    # Also while its lease is over: whoever takes that one up again must not meet this one.
    runs_already = exists().where(twin.unique_key == Job.unique_key, twin.state == "running", twin.id != Job.id)
    return or_(
        and_(Job.state == "waiting", Job.due_at <= now, ~runs_already),
        and_(Job.state == "running", _is_over(Job.leased_until, now)),
    )


def _record(session: Session, held: Claim, **values: Any) -> bool:
    result = session.execute(
        update(Job)
        .where(Job.id == held.context.id, Job.claims == held.fence, Job.state == "running")
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(cast("CursorResult[Any]", result).rowcount)
