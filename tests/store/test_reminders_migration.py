"""Reminders come to a database that is in use; going back refuses to forget who stopped letters."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from lti_tool.reminders import service
from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine, session_opener
from tests.factories.pairing import a_class
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
MIGRATION = import_module("lti_tool.migrations.versions.0024_reminders")


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def used(settings: Settings, clock: FakeClock) -> Iterator[Engine]:
    """A class of the version before, and somebody who stopped letters since."""
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine)
    with session_opener(engine)() as session:
        group = a_class(session, 1)
        service.stop(session, group.learners[0].person_id, now=clock.now())
        service.remind(session, group.activity, [group.learners[0].id], "Hello", by=1, now=clock.now())
    yield engine
    engine.dispose()


def test_who_stopped_letters_is_not_forgotten_by_going_back(used: Engine) -> None:
    with pytest.raises(RuntimeError, match="stopped letters"):
        schema.downgrade(used, MIGRATION.down_revision)
    with used.begin() as connection:
        connection.execute(text("UPDATE mail_preference SET stopped_at = NULL"))
    schema.downgrade(used, MIGRATION.down_revision)
    schema.upgrade(used)
    assert schema.differences(used) == []
    with used.connect() as connection:
        assert connection.execute(text("SELECT letters_a_week FROM activity")).scalar_one() == 2
        assert not connection.execute(text("SELECT sends_letters FROM institution")).scalar_one()


def test_the_database_refuses_reminders_without_a_cause_and_two_letters_a_day(used: Engine) -> None:
    for statement in (
        "UPDATE reminder SET rule = 'overdue'",
        "UPDATE reminder SET act_id = NULL",
        "UPDATE activity SET letters_a_week = 6",
        "UPDATE mail_preference SET refused_at = stopped_at",
        "INSERT INTO letter (institution_id, person_id, day, state, made_at) "
        "SELECT 1, 1, CAST('2026-11-02' AS DATE), 'sent', stopped_at FROM mail_preference "
        "UNION ALL SELECT 1, 1, CAST('2026-11-02' AS DATE), 'sent', stopped_at FROM mail_preference",
    ):
        with pytest.raises(IntegrityError), used.begin() as connection:
            connection.execute(text(statement))
