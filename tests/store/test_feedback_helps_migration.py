"""Hints, release by an instructor and growth points come to a database that has an activity, and go again."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, ROWS, add, an_old_database

pytestmark = pytest.mark.store
BEFORE, AFTER = "0016", "0017"


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with an activity and a member."""
    with an_old_database(settings, "0003", ROWS) as engine:
        schema.upgrade(engine, BEFORE)
        person = {"registration_id": 1, "sub": "s1", "is_administrator": False, "created_at": AT}
        member = {"course_id": 1, "person_id": 1, "role": "learner", "status": "active", "created_at": AT}
        with engine.begin() as connection:
            add(connection, "person", {"id": 1, "institution_id": 1, **person})
            add(connection, "member", {"id": 1, "institution_id": 1, **member, "ever_staff": False, "is_test": False})
        yield engine


def test_an_old_activity_shows_hints_and_keeps_its_release_both_ways(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.connect() as connection:
        assert connection.execute(text("SELECT release, shows_hints FROM activity")).one() == ("at_once", True)
        assert connection.execute(text("SELECT hides_hints FROM member")).scalar_one() in (False, 0)
    schema.downgrade(old, BEFORE)
    assert "growth_point" not in inspect(old).get_table_names()
    with old.connect() as connection:
        assert connection.execute(text("SELECT release FROM activity")).scalar_one() == "at_once"
        assert connection.execute(text("SELECT count(*) FROM member")).scalar_one() == 1
    schema.upgrade(old, AFTER)


def test_what_an_instructor_holds_back_is_not_shown_by_taking_the_migration_back(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.begin() as connection:
        connection.execute(text("UPDATE activity SET release = 'by_instructor'"))
    with pytest.raises(RuntimeError, match=r"activities \[1\] is released by an instructor"):
        schema.downgrade(old, BEFORE)
