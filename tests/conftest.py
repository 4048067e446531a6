"""What every test may ask for: a clock, a database, the tool, and somebody who launches it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, text

from lti_tool.app import create_app
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import Base, OpenSession, make_engine, session_opener
from lti_tool.support.kit import Kit
from lti_tool.wiring import Services, build
from tests.fakes.clock import FakeClock

# Tables exist only once their modules were imported.
for models in (Path(__file__).parent.parent / "lti_tool").glob("*/models.py"):
    import_module(f"lti_tool.{models.parent.name}.models")

POSTGRES = os.environ.get("TANDEM_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2026, 11, 2, 9, 0, tzinfo=UTC))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked `store` run on SQLite and on PostgreSQL; all others on SQLite."""
    if "database_kind" in metafunc.fixturenames:
        is_store = metafunc.definition.get_closest_marker("store") is not None
        metafunc.parametrize("database_kind", ["sqlite", "postgresql"] if is_store else ["sqlite"], indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, tmp_path: Path) -> Iterator[str]:
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path}/tandem.db"
        return
    name = f"tandem_test_{os.getpid()}_{os.urandom(4).hex()}"
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield POSTGRES.rsplit("/", 1)[0].replace("+psycopg", "") + f"/{name}"
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings.from_env(
        {
            "LTI_TOOL_DEVELOPMENT": "1",
            "LTI_TOOL_BASE_URL": "http://localhost:8000",
            "LTI_TOOL_DATABASE_URL": database_url,
            "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
            "LTI_TOOL_WORKER": "separate",
        }
    )


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings.sqlalchemy_url)
    Base.metadata.create_all(engine)
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
