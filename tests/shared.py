"""What the tests of one worker share, because making it for each of them takes longer than the tests themselves."""

import os
import shutil
import socket
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, cached_property
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from flask import Flask
from psycopg import Connection, OperationalError, connect
from psycopg.sql import SQL, Identifier
from sqlalchemy import create_engine, text

from lti_tool.app import create_app
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import Base, make_engine
from lti_tool.web.database import db
from lti_tool.wiring import Services
from sandbox_lms import SandboxLms

Made = TypeVar("Made")

OTHERS = (
    "FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
ROOM = 1_000_000_000
"""Bytes: a container often has 64,000,000 there, and the largest course of a test takes as much."""
MOST_WAITING = 12
"""Connections that may wait for the next test."""
POSTGRES = os.environ.get("TANDEM_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
DEVELOPMENT = {
    "LTI_TOOL_DEVELOPMENT": "1",
    "LTI_TOOL_BASE_URL": "http://localhost:8000",
    "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
    "LTI_TOOL_WORKER": "separate",
}


engine_at = cache(make_engine)
"""One engine for each address, which remembers the SQL of statements that other tests sent."""
_apps: dict[str, Flask] = {}
_lent: set[str] = set()


@contextmanager
def serving(services: Services) -> Iterator[Flask]:
    """Lend the web application with these collaborators, whose database is that of their settings.

    One for each database is made, since compiling 120 addresses and 80 templates takes a second. Between requests it
    keeps nothing but the address of its database.
    """
    url = services.kit.settings.sqlalchemy_url
    if url in _lent:
        raise RuntimeError("A test that needs a second application on its database makes that by itself")
    app = _apps.get(url)
    if app is None:
        app = _apps[url] = create_app(services)
        app.testing = True
        # Tests read the error page, as people do.
        app.config["PROPAGATE_EXCEPTIONS"] = False
    app.extensions["tandem"] = services.kit
    _lent.add(url)
    try:
        yield app
    finally:
        _lent.remove(url)
        with app.app_context():
            db.engine.dispose()


def in_english(lms: SandboxLms) -> SandboxLms:
    """The same LMS, in which everybody reads English: some have languages of their own, so that the demo shows them."""
    for person in lms.people.values():
        person.locale = "en"
    return lms


def reserved_port() -> int:
    """A port of this machine for a server of ours, which no other program is given until this one ends."""
    holder = socket.socket()
    # So that a server may listen there while the holder keeps others away by not listening.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    _holders.append(holder)
    return int(holder.getsockname()[1])


_holders: list[socket.socket] = []
port_of_the_lms = cache(reserved_port)
"""One for all tests of a worker, so that a copy of what an LMS knows holds right addresses."""


class InTurn(Generic[Made]):
    """Stands in for a function that makes something new, such as a key, and takes long for it.

    Each test gets the same things in the same order, and within a test none twice.
    """

    def __init__(self, make: Callable[..., Made]) -> None:
        self._make = make
        self._made: dict[Hashable, list[Made]] = {}
        self._turns: dict[Hashable, int] = {}
        self._lock = Lock()

    def begin_anew(self) -> None:
        self._turns.clear()

    def __call__(self, *args: Hashable, **values: Hashable) -> Made:
        kind = (args, *sorted(values.items()))
        with self._lock:
            made = self._made.setdefault(kind, [])
            turn = self._turns.get(kind, 0)
            if turn == len(made):
                made.append(self._make(*args, **values))
            self._turns[kind] = turn + 1
            return made[turn]


def in_memory() -> Path | None:
    """A folder without a disk, for which each test would wait three times, where there is one with room."""
    folder = Path("/dev/shm")
    has_room = folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM
    return folder if has_room else None


class Databases:
    """Lends a fresh database of each kind to one test at a time, always at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def _file(self) -> Path:
        """What each SQLite database is copied from: building forty tables for each test takes far longer."""
        file = self._folder / "tables.db"
        build_tables(f"sqlite:///{file}")
        return file

    @cached_property
    def _server(self) -> "PostgresServer":
        return PostgresServer()

    def sqlite(self, *, is_empty: bool) -> str:
        file = self._folder / "tandem.db"
        # A new file each time, so that a connection which the last test left open writes to no other test.
        for left in self._folder.glob("tandem.db*"):
            left.unlink()
        if not is_empty:
            shutil.copyfile(self._file, file)
        return f"sqlite:///{file}"

    @contextmanager
    def postgresql(self, *, is_empty: bool) -> Iterator[str]:
        lend = self._server.without_tables if is_empty else self._server.with_tables
        with lend() as url:
            yield url

    def close(self) -> None:
        if "_server" in self.__dict__:
            self._server.close()


class PostgresServer:
    """Keeps two databases, one with our tables and one without, and leaves them as new after each test.

    To delete the rows takes 10 ms, to make a database 500.
    """

    LARGEST = 40_000_000
    """Bytes beyond which a database is replaced, since deleted rows keep their space; an empty one has 10,000,000."""

    def __init__(self) -> None:
        self._server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
        self._own = f"tandem_test_{os.getpid()}"
        self._tables: dict[str, str] = {}
        """What each database's tables are like, by its name."""
        self._cleaner: Connection | None = None

    @contextmanager
    def with_tables(self) -> Iterator[str]:
        name = self._own
        if name not in self._tables:
            self._create(name)
            build_tables(self._url(name))
            self._tables[name] = self._tables_in(self._cleaning())
        yield self._url(name)
        if not self._delete_rows():
            self._drop(name)

    @contextmanager
    def without_tables(self) -> Iterator[str]:
        name = f"{self._own}_empty"
        if name not in self._tables:
            self._create(name)
            self._tables[name] = ""
        yield self._url(name)
        with connect(self._url(name), autocommit=True) as connection:
            connection.execute(f"SELECT pg_terminate_backend(pid, 10000) {OTHERS}")
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")

    def close(self) -> None:
        for name in list(self._tables):
            self._drop(name)
        self._server.dispose()

    def _delete_rows(self) -> bool:
        """Leave empty tables whose ids begin anew. False if a test changed the tables or left them large."""
        connection = self._cleaning()
        # Connections that wait in a pool for the next test know its tables already; what else a test left is ended.
        connection.execute(
            f"""SELECT pg_terminate_backend(pid, 10000) {OTHERS} AND (
                state IS DISTINCT FROM 'idle'
                OR pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')
                OR (SELECT count(*) {OTHERS}) > {MOST_WAITING})"""
        )
        if self._tables_in(connection) != self._tables[self._own]:
            return False
        connection.execute(
            SQL("; ").join(
                [
                    *(SQL("DELETE FROM {}").format(Identifier(one.name)) for one in Base.metadata.sorted_tables[::-1]),
                    SQL("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S'"),
                ]
            )
        )
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return size is not None and size[0] <= self.LARGEST

    def _cleaning(self) -> Connection:
        """A connection that outlasts tests, and is made again after one that ended all."""
        if self._cleaner is not None:
            with suppress(OperationalError):
                self._cleaner.execute("SELECT 1")
                return self._cleaner
            self._cleaner.close()
        self._cleaner = connect(self._url(self._own), autocommit=True)
        return self._cleaner

    @staticmethod
    def _tables_in(connection: Connection) -> str:
        row = connection.execute(
            "SELECT string_agg(concat_ws(' ', oid, relname, relnatts, relchecks, relhastriggers), ',' ORDER BY oid) "
            "FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchone()
        return str(row)

    def _create(self, name: str) -> None:
        self._execute(f"CREATE DATABASE {name} TEMPLATE template0")
        # What a test needs to outlast is a killed process, not a server without power.
        self._execute(f"ALTER DATABASE {name} SET synchronous_commit = off")

    def _drop(self, name: str) -> None:
        del self._tables[name]
        if self._cleaner is not None:
            self._cleaner.close()
            self._cleaner = None
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    @staticmethod
    def _url(name: str) -> str:
        return POSTGRES.rsplit("/", 1)[0].replace("+psycopg", "") + f"/{name}"

    def _execute(self, statement: str) -> None:
        with self._server.connect() as connection:
            connection.execute(text(statement))


def build_tables(url: str) -> None:
    engine = make_engine(Settings.from_env({**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": url}).sqlalchemy_url)
    Base.metadata.create_all(engine)
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            # All in one file, so that a copy is whole.
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
