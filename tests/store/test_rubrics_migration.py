"""Old rubrics ask for levels, of everybody in every round; no other question is lost on the way back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, ROWS, add, an_old_database

pytestmark = pytest.mark.store
BEFORE, AFTER = "0017", "0019"


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with a criterion."""
    with an_old_database(settings, "0003", ROWS) as engine:
        schema.upgrade(engine, BEFORE)
        with engine.begin() as connection:
            criterion = {"institution_id": 1, "rubric_id": 1, "position": 9, "name": "Voice", "description": ""}
            add(connection, "criterion", criterion)
        yield engine


def test_an_old_criterion_asks_for_a_level_and_goes_back_as_it_was(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    columns = "question, options, weight, comment, seat"
    with old.connect() as connection:
        row = connection.execute(text(f"SELECT {columns} FROM criterion WHERE name = 'Voice'")).one()
        assert tuple(row) == ("levels", None, 1, "none", "")
        assert connection.execute(text("SELECT points_share FROM activity")).scalar_one() == 0
    schema.downgrade(old, BEFORE)
    with old.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM criterion WHERE name = 'Voice'")).scalar_one() == 1
    schema.upgrade(old, AFTER)


@pytest.mark.parametrize("change", ["question = 'scale'", "comment = 'required'", "seat = 'coach'"])
def test_a_question_that_the_version_before_cannot_ask_is_not_lost(old: Engine, change: str) -> None:
    schema.upgrade(old, AFTER)
    with old.begin() as connection:
        connection.execute(text(f"UPDATE criterion SET {change} WHERE name = 'Voice'"))
    with pytest.raises(RuntimeError, match=r"rubrics \[1\] have questions"):
        schema.downgrade(old, BEFORE)


def test_saved_rubrics_and_shares_of_points_are_not_lost(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    kept = {"institution_id": 1, "title": "T", "version": 1, "saved_at": AT, "settings": "{}", "rubric": "{}"}
    with old.begin() as connection:
        add(connection, "saved_template", {**kept, "preferences": "{}", "holds": "rubric"})
    with pytest.raises(RuntimeError, match="saved rubrics"):
        schema.downgrade(old, BEFORE)
    with old.begin() as connection:
        connection.execute(text("DELETE FROM saved_template"))
        connection.execute(text("UPDATE activity SET points_share = 20"))
    with pytest.raises(RuntimeError, match="shares of points"):
        schema.downgrade(old, BEFORE)
