"""The course library comes to a database that is in use; going back refuses to lose a text."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from lti_tool.practices import service
from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine, session_opener
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
MIGRATION = import_module("lti_tool.migrations.versions.0021_practices")


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def used(settings: Settings, clock: FakeClock) -> Iterator[Engine]:
    """A classroom of the version before, and a practice since."""
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine)
    with session_opener(engine)() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        reader = service.Reader(room.members["Mette"].id, room.course.id, is_staff=False)
        service.offer(session, reader, service.Draft("practice", "Count", "To five"), None, now=clock.now())
    yield engine
    engine.dispose()


def test_a_practice_is_not_lost_by_going_back(used: Engine) -> None:
    with pytest.raises(RuntimeError, match="course library"):
        schema.downgrade(used, MIGRATION.down_revision)
    with used.begin() as connection:
        connection.execute(text("DELETE FROM practice"))
        assert connection.execute(text("SELECT count(*) FROM practice_consent")).scalar_one() == 0
    schema.downgrade(used, MIGRATION.down_revision)
    assert not {"practice", "practice_consent"} & set(inspect(used).get_table_names())
    schema.upgrade(used)
    assert schema.differences(used) == []
    with used.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM seat")).scalar_one() == 2


def test_the_database_refuses_two_answers_at_once_and_hiding_without_a_reason(used: Engine) -> None:
    for statement in (
        "UPDATE practice_consent SET declined_at = agreed_at",
        "UPDATE practice SET hidden_at = offered_at",
        "UPDATE practice SET kind = 'secret'",
    ):
        with pytest.raises(IntegrityError), used.begin() as connection:
            connection.execute(text(statement))
