"""What every test may ask for: a clock, a database, the tool, and somebody who launches it."""

import gc
import io
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import settings as hypothesis_settings
from sqlalchemy import Engine

import sandbox_lms.keys
from lti_tool.pairing.pages import plan
from lti_tool.settings import Settings
from lti_tool.support import crypto, log
from lti_tool.support.db import OpenSession, session_opener
from lti_tool.support.kit import Kit
from lti_tool.wiring import Services, build
from tests.fakes.clock import FakeClock
from tests.shared import DEVELOPMENT, Databases, InTurn, engine_at, in_memory, serving

# Tables exist only once their modules were imported.
for models in (Path(__file__).parent.parent / "lti_tool").glob("*/models*"):
    import_module(f"lti_tool.{models.parent.name}.models")

# At night there is time: tests that say how many examples they want ask for more then.
# The same examples in every run, so that a change is what makes a test fail; other ones each night.
hypothesis_settings.register_profile("every run", derandomize=True)
hypothesis_settings.register_profile("nightly", deadline=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "every run"))

# With the values of all variables, as structlog prints tracebacks by itself, one takes up to a minute.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


LOGGING = structlog.get_config()


def pytest_collection_finish() -> None:
    """Spare the garbage collector what every test module made: going through it took a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(autouse=True)
def _logging_begins_anew() -> Iterator[None]:
    """A test that sets up logging, as each command does, changes nothing for the next one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    log.clear()
    structlog.configure(**LOGGING)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def logged() -> io.StringIO:
    """Everything that is logged, as the program logs it."""
    stream = io.StringIO()
    log.set_up("json", "INFO", stream)
    return stream


@pytest.fixture(scope="session")
def made_in_turn() -> Iterator[list[InTurn[Any]]]:
    """The keys of the tool and those of the sandbox, which never are the same, and the seeds of plans: 1, 2, 3 …

    With a seed by chance a test could pass for most groups, and fail one night for others.
    """
    own, theirs = InTurn(crypto.generate_private_key), InTurn(sandbox_lms.keys.new_key)
    seeds = InTurn(count(1).__next__)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crypto, "generate_private_key", own)
        patch.setattr(sandbox_lms.keys, "new_key", theirs)
        patch.setattr(plan, "new_seed", seeds)
        yield [own, theirs, seeds]


@pytest.fixture(autouse=True)
def _begin_anew(made_in_turn: list[InTurn[Any]]) -> None:
    for made in made_in_turn:
        made.begin_anew()


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


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    with TemporaryDirectory(prefix="tandem-test-", dir=in_memory()) as folder:
        databases = Databases(Path(folder))
        yield databases
        databases.close()


@pytest.fixture
def is_database_empty() -> bool:
    """Whether the database of a test starts without tables."""
    return False


@pytest.fixture
def database_url(database_kind: str, databases: Databases, is_database_empty: bool) -> Iterator[str]:
    if database_kind == "sqlite":
        yield databases.sqlite(is_empty=is_database_empty)
        return
    with databases.postgresql(is_empty=is_database_empty) as url:
        yield url


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings.from_env({**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": database_url})


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = engine_at(settings.sqlalchemy_url)
    yield engine
    # Each SQLite database is another file.
    if engine.dialect.name == "sqlite":
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
    with serving(services) as app:
        yield app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()
