"""The declarative base, column types, and the wall between institutions."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Protocol, TypeVar, cast

from sqlalchemy import (
    DateTime,
    Dialect,
    Engine,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    Select,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidRequestError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Mapper,
    ORMExecuteState,
    Session,
    mapped_column,
    sessionmaker,
    with_loader_criteria,
)
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError
from sqlalchemy.sql import ClauseElement, FromClause, visitors
from sqlalchemy.types import JSON, TypeDecorator

from lti_tool.errors import ToolError


class TenantForgotten(ToolError):
    """A statement touched an institution's table in a session that serves no institution yet."""


class TenantMismatch(ToolError):
    """A row of one institution was about to be written in a session that serves another."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time. Naive values are refused, since nobody can know what they mean."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        # SQLite drops the zone, so the value is normalized before it is written.
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table. Constraint names are fixed so that migrations can address them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON, list[str]: JSON}


Row = TypeVar("Row", bound=Base)


class Tenant:
    """Mixin of every table that belongs to one institution.

    Such a table has `institution_id` and a unique `(institution_id, id)`, to which `within` points, so that the
    database itself refuses a row that refers to another institution's.
    """

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id"), index=True)


def tenant_key() -> UniqueConstraint:
    """The key that composite foreign keys of other tenant tables refer to; goes into `__table_args__`."""
    return UniqueConstraint("institution_id", "id")


def within(column: str, table: str, *, ondelete: str | None = "CASCADE") -> ForeignKeyConstraint:
    """A reference that cannot leave the institution: the table's `institution_id` must be this row's."""
    return ForeignKeyConstraint(
        ["institution_id", column], [f"{table}.institution_id", f"{table}.id"], ondelete=ondelete
    )


class OpenSession(Protocol):
    """Opens a session that commits when its block ends well and rolls back when it does not."""

    def __call__(self, institution_id: int | None = None) -> AbstractContextManager[Session]: ...


def serve(session: Session, institution_id: int) -> Session:
    """Bind a session to one institution for the rest of its life: every query sees that institution's rows only."""
    bound = session.info.setdefault("institution_id", institution_id)
    if bound != institution_id:
        raise TenantMismatch(bound, institution_id)
    # Made once for all of the session's statements.
    session.info["own_rows"] = with_loader_criteria(
        Tenant, lambda entity: entity.institution_id == institution_id, include_aliases=True
    )
    return session


def served_institution(session: Session) -> int:
    """The institution that the session serves. Raises TenantForgotten where none was named."""
    bound: int | None = session.info.get("institution_id")
    if bound is None:
        raise TenantForgotten
    return bound


@contextmanager
def across_institutions(session: Session) -> Iterator[Session]:
    """Let the session see the rows of all institutions: for commands of the operator, and to find the institution of a
    launch.
    """
    before = session.info.get("across", False)
    session.info["across"] = True
    try:
        yield session
    finally:
        session.info["across"] = before


_tenant_tables: Final[set[FromClause]] = set()


@event.listens_for(Tenant, "after_mapper_constructed", propagate=True)
def _remember_table(mapper: Mapper[Any], _: type[Any]) -> None:
    _tenant_tables.add(mapper.local_table)


def _touches_a_tenant(state: ORMExecuteState) -> bool:
    return any(
        isinstance(element, Table) and element in _tenant_tables
        for element in visitors.iterate(cast(ClauseElement, state.statement))
    )


def _keep_to_the_institution(state: ORMExecuteState) -> None:
    if state.session.info.get("across") or state.is_column_load or state.is_relationship_load:
        return
    institution_id = state.session.info.get("institution_id")
    if institution_id is None or not state.is_orm_statement:
        # Criteria reach ORM statements only, so a bare table is treated like a forgotten institution.
        if _touches_a_tenant(state):
            raise TenantForgotten(str(state.statement)[:200])
        return
    state.statement = state.statement.options(state.session.info["own_rows"])


def _stamp_new_rows(session: Session, *_: object) -> None:
    institution_id = session.info.get("institution_id")
    for row in session.new:
        if not isinstance(row, Tenant):
            continue
        if row.institution_id is None:
            if institution_id is None:
                raise TenantForgotten(type(row).__name__)
            row.institution_id = institution_id
        elif institution_id is not None and row.institution_id != institution_id and not session.info.get("across"):
            raise TenantMismatch(type(row).__name__, row.institution_id, institution_id)


def in_batches(ids: Iterable[int], size: int = 10_000) -> Iterator[list[int]]:
    """Ids in lists short enough for one statement: SQLite takes 32,766 parameters, PostgreSQL's protocol 65,535."""
    waiting = iter(ids)
    while batch := list(islice(waiting, size)):
        yield batch


LOST: Final = frozenset(
    {
        "40001",  # serialization failure
        "40P01",  # deadlock detected
        "23505",  # unique violation
        "23503",  # foreign key violation
        "SQLITE_BUSY_SNAPSHOT",
        "SQLITE_CONSTRAINT_UNIQUE",
        "SQLITE_CONSTRAINT_PRIMARYKEY",
        "SQLITE_CONSTRAINT_FOREIGNKEY",
    }
)
"""The codes by which PostgreSQL (numbers) and SQLite (names) report that another transaction was quicker."""


def is_lost_race(error: BaseException) -> bool:
    """Whether another, quicker transaction is the reason for this error.

    Repeating the request may then succeed, or be refused by name, because it sees the result of the other transaction.
    Rows that were changed or removed after they were read count as well, and so does any error that follows because a
    lost race has ended the transaction.
    """
    match error:
        case StaleDataError() | ObjectDeletedError():
            return True
        case DBAPIError():
            orig = error.orig
            return not LOST.isdisjoint({getattr(orig, "sqlstate", None), getattr(orig, "sqlite_errorname", None)})
        case InvalidRequestError():
            before = error.__context__
            return str(error).startswith("Could not refresh") or (before is not None and is_lost_race(before))
    return False


def wall_between_institutions(session_factory: Any) -> None:
    """Put the wall into a session factory (a sessionmaker or a scoped session)."""
    event.listen(session_factory, "do_orm_execute", _keep_to_the_institution)
    event.listen(session_factory, "before_flush", _stamp_new_rows)


def _sqlite_pragmas(connection: DBAPIConnection, _: object) -> None:
    # The driver's own transaction handling starts writes late and breaks savepoints; BEGIN is sent by us instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "busy_timeout=15000", "foreign_keys=ON", "synchronous=NORMAL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Any) -> None:
    # IMMEDIATE takes the write lock at once. A deferred transaction that reads first and writes later fails with
    # "database is locked" without waiting, because its snapshot is stale.
    immediate = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {immediate}")


def prepare_engine(engine: Engine) -> Engine:
    """Give a SQLite engine the pragmas and transactions that several threads and processes need."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def make_engine(url: str) -> Engine:
    """An engine for the database at this SQLAlchemy URL, outside Flask: worker, commands, tests."""
    return prepare_engine(create_engine(url, **engine_options(url)))


def engine_options(url: str) -> dict[str, Any]:
    """Options of every engine. Parameters are hidden from error texts, because they hold what people typed."""
    options: dict[str, Any] = {"hide_parameters": True}
    if make_url(url).get_backend_name() != "sqlite":
        options["pool_pre_ping"] = True
    return options


def session_opener(engine: Engine) -> OpenSession:
    """A function that opens one transaction at a time on this engine, behind the wall between institutions."""
    factory = sessionmaker(engine, expire_on_commit=False)
    wall_between_institutions(factory)

    @contextmanager
    def open_session(institution_id: int | None = None) -> Iterator[Session]:
        with factory.begin() as session:
            if institution_id is not None:
                serve(session, institution_id)
            yield session

    return open_session


def find_or_add(session: Session, query: Select[Row], make: Callable[[], Row]) -> Row:
    """The row that the query finds, added if it is missing. Two transactions that add it at once get the same row."""
    # Rows that are not flushed yet are none that the query looks for, so they can wait.
    with session.no_autoflush:
        row = session.scalar(query)
    if row is not None:
        return row
    try:
        with session.begin_nested():
            row = make()
            session.add(row)
        return row
    except IntegrityError:
        return session.scalars(query).one()
