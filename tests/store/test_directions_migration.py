"""Activities of the version before go on as they were: nobody facilitates, and feedback goes where its kind has it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, PLAN, ROWS, add, an_old_database

pytestmark = pytest.mark.store
BEFORE, AFTER = "0015", "0016"


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with a group and a member of staff."""
    with an_old_database(settings, "0003", ROWS) as engine:
        schema.upgrade(engine, BEFORE)
        with engine.begin() as connection:
            own = {"id": 1, "institution_id": 1}
            person = {"registration_id": 1, "sub": "s", "is_administrator": False, "created_at": AT}
            member = {"course_id": 1, "person_id": 1, "role": "instructor", "status": "active", "created_at": AT}
            add(connection, "person", {**own, **person})
            add(connection, "member", {**own, **member, "ever_staff": True, "is_test": False})
            plan = {"kind": "circles", "size": 4, "effort": "", "unpaired": "[]", "proofs": "[]", **PLAN}
            add(connection, "plan", {"id": 1, **plan, "state": "published"})
            add(connection, "round", {**own, "activity_id": 1, "number": 1})
            add(connection, "group_", {**own, "plan_id": 1, "round_id": 1, "number": 1})
        yield engine


def test_an_old_activity_is_not_guided_and_has_its_direction_from_its_kind(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.connect() as connection:
        assert connection.execute(text("SELECT feedback_to, guided_rounds FROM activity")).one() == (None, 0)


def test_one_of_the_staff_at_a_time_has_a_seat_and_going_back_loses_no_text(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    seat = {"institution_id": 1, "group_id": 1, "member_id": 1, "taken_at": AT}
    with old.begin() as connection:
        connection.execute(text("UPDATE activity SET feedback_to = 'next', guided_rounds = 2"))
        add(connection, "facilitation", {**seat, "left_at": AT})
        add(connection, "facilitation", seat)
    with pytest.raises(IntegrityError), old.begin() as connection:
        add(connection, "facilitation", seat)
    with pytest.raises(IntegrityError), old.begin() as connection:
        connection.execute(text("UPDATE activity SET feedback_to = 'elsewhere'"))
    schema.downgrade(old, BEFORE)
    assert "facilitation" not in inspect(old).get_table_names()
    with old.connect() as connection:
        assert connection.execute(text("SELECT title FROM activity")).scalar_one() == "Observe"
    schema.upgrade(old, AFTER)
