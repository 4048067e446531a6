"""Brings a database to the schema of this version, and says how far it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from lti_tool.support.db import Base

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate up to a revision in one transaction. Several processes may call it at once on one database."""
    with _migrating(engine) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Migrate down to a revision in one transaction."""
    with _migrating(engine) as connection:
        command.downgrade(_config(connection), revision)


def write_revision(engine: Engine, message: str, revision: str) -> None:
    """Write a migration from the difference between the models and this database."""
    with engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=revision)


def is_current(engine: Engine) -> bool:
    """Whether the database has every migration of this version."""
    with engine.connect() as connection:
        reached = set(MigrationContext.configure(connection).get_current_heads())
    return reached == set(ScriptDirectory.from_config(_config()).get_heads())


def differences(engine: Engine) -> list[object]:
    """Differences between the models and the database; empty if the migrations match the models."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        return list(compare_metadata(context, Base.metadata))


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A transaction during which no other process migrates."""
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if is_sqlite:
            # SQLite alters a table by copying and dropping it, and the drop would delete the rows that refer to it.
            # This works outside a transaction only.
            _foreign_keys(connection, "OFF")
        try:
            with connection.begin():
                # SQLite's BEGIN IMMEDIATE already keeps others out; PostgreSQL needs to be told.
                if not is_sqlite:
                    connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7261001)")
                yield connection
        finally:
            if is_sqlite:
                _foreign_keys(connection, "ON")


def _foreign_keys(connection: Connection, state: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys={state}")
    cursor.close()
