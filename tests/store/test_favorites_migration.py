"""Questions that members keep are added to a database that has people in it, and taken away again."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, ROWS, add, an_old_database

pytestmark = pytest.mark.store
BEFORE, AFTER = "0013", "0014"


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with a member."""
    with an_old_database(settings, "0003", ROWS) as engine:
        schema.upgrade(engine, BEFORE)
        person = {"registration_id": 1, "sub": "s1", "is_administrator": False, "created_at": AT}
        member = {"course_id": 1, "person_id": 1, "role": "learner", "status": "active", "created_at": AT}
        with engine.begin() as connection:
            add(connection, "person", {"id": 1, "institution_id": 1, **person})
            add(connection, "member", {"id": 1, "institution_id": 1, **member, "ever_staff": False, "is_test": False})
        yield engine


def test_a_question_is_kept_once_for_a_member_and_the_table_goes_with_the_migration(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    kept = {"institution_id": 1, "member_id": 1, "question": "What else?", "at": AT}
    with old.begin() as connection:
        add(connection, "favorite_question", kept)
    with pytest.raises(IntegrityError), old.begin() as connection:
        add(connection, "favorite_question", kept)
    schema.downgrade(old, BEFORE)
    assert "favorite_question" not in inspect(old).get_table_names()
    with old.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM member")).scalar_one() == 1
    schema.upgrade(old, AFTER)
