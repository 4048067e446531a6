"""Feedback without names comes to a database that is in use; going back refuses to name anybody."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine, session_opener
from tests.factories.feedback import a_classroom, given
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
MIGRATION = import_module("lti_tool.migrations.versions.0022_anonymous_feedback")


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def used(settings: Settings, clock: FakeClock) -> Iterator[Engine]:
    """A classroom with named feedback."""
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine)
    with session_opener(engine)() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
    yield engine
    engine.dispose()


def test_going_back_names_nobody_and_loses_nothing(used: Engine) -> None:
    schema.downgrade(used, MIGRATION.down_revision)
    assert "alias" not in {column["name"] for column in inspect(used).get_columns("entry")}
    schema.upgrade(used)
    assert schema.differences(used) == []
    with used.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM entry WHERE alias IS NULL")).scalar_one() == 1
        assert not connection.execute(text("SELECT anonymous_feedback FROM activity")).scalar_one()
    with used.begin() as connection:
        connection.execute(text("UPDATE entry SET alias = 1073741824"))
    with pytest.raises(RuntimeError, match="would name"):
        schema.downgrade(used, MIGRATION.down_revision)


@pytest.mark.parametrize("change", ["alias = 7", "alias = 1073741824, recipient_id = NULL"])
def test_an_alias_is_no_id_and_stands_where_somebody_receives(used: Engine, change: str) -> None:
    with pytest.raises(IntegrityError), used.begin() as connection:
        connection.execute(text(f"UPDATE entry SET {change}"))
