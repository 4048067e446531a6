"""What every test may ask for: a clock, a database, the tool, and somebody who launches it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine, create_engine, text

from lti_tool.app import create_app
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import Base, OpenSession, make_engine, session_opener
from lti_tool.support.kit import Kit
from lti_tool.wiring import Services, build
from tests.fakes.clock import FakeClock

# Tables exist only once their modules were imported.
for models in (Path(__file__).parent.parent / "lti_tool").glob("*/models*"):
    import_module(f"lti_tool.{models.parent.name}.models")

POSTGRES = os.environ.get("TANDEM_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")

# At night there is time: tests that say how many examples they want ask for more then.
# The same examples in every run, so that a change is what makes a test fail; other ones each night.
hypothesis_settings.register_profile("every run", derandomize=True)
hypothesis_settings.register_profile("nightly", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "every run"))

DEVELOPMENT = {
    "LTI_TOOL_DEVELOPMENT": "1",
    "LTI_TOOL_BASE_URL": "http://localhost:8000",
    "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
    "LTI_TOOL_WORKER": "separate",
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 2, 9, 0, tzinfo=UTC))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `store` run on SQLite and on PostgreSQL, or on those the mark names; all others on SQLite."""
    if "database_kind" in metafunc.fixturenames:
        store = metafunc.definition.get_closest_marker("store")
        kinds = ["sqlite"] if store is None else store.args or ["sqlite", "postgresql"]
        metafunc.parametrize("database_kind", kinds, indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


class Databases:
    """Makes databases by copying one that has the tables: building forty tables for each test takes far longer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
        self._own = f"tandem_test_{os.getpid()}"
        self._made = 0

    @cached_property
    def _file(self) -> Path:
        file = self._folder / "tables.db"
        self._build(f"sqlite:///{file}")
        return file

    @cached_property
    def _template(self) -> str:
        name = f"{self._own}_tables"
        self._execute(f"CREATE DATABASE {name}")
        self._build(self._url(name))
        return name

    def sqlite(self, file: Path, *, is_empty: bool) -> str:
        if not is_empty:
            shutil.copyfile(self._file, file)
        return f"sqlite:///{file}"

    @contextmanager
    def postgresql(self, *, is_empty: bool) -> Iterator[str]:
        self._made += 1
        name = f"{self._own}_{self._made}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {'template0' if is_empty else self._template}")
        yield self._url(name)
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        if "_template" in self.__dict__:
            self._execute(f"DROP DATABASE {self._template} WITH (FORCE)")
        self._server.dispose()

    @staticmethod
    def _build(url: str) -> None:
        engine = make_engine(Settings.from_env({**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": url}).sqlalchemy_url)
        Base.metadata.create_all(engine)
        if engine.dialect.name == "sqlite":
            with engine.connect() as connection:
                # All in one file, so that a copy is whole.
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()

    @staticmethod
    def _url(name: str) -> str:
        return POSTGRES.rsplit("/", 1)[0].replace("+psycopg", "") + f"/{name}"

    def _execute(self, statement: str) -> None:
        with self._server.connect() as connection:
            connection.execute(text(statement))


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    databases = Databases(tmp_path_factory.mktemp("tables"))
    yield databases
    databases.close()


@pytest.fixture
def is_database_empty() -> bool:
    """Whether the database of a test starts without tables."""
    return False


@pytest.fixture
def database_url(database_kind: str, databases: Databases, tmp_path: Path, is_database_empty: bool) -> Iterator[str]:
    if database_kind == "sqlite":
        yield databases.sqlite(tmp_path / "tandem.db", is_empty=is_database_empty)
        return
    with databases.postgresql(is_empty=is_database_empty) as url:
        yield url


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings.from_env({**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": database_url})


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings.sqlalchemy_url)
    yield engine
    engine.dispose()


@pytest.fixture
def services(settings: Settings, clock: FakeClock, engine: Engine) -> Services:
    return build(settings, clock=clock, engine=engine)


@pytest.fixture
def kit(services: Services) -> Kit:
    return services.kit


@pytest.fixture
def open_session(engine: Engine) -> OpenSession:
    return session_opener(engine)


@pytest.fixture
def app(services: Services) -> Iterator[Flask]:
    app = create_app(services)
    app.testing = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    from lti_tool.web.database import db  # noqa: PLC0415 - only to let go of its connections

    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
