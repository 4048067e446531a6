"""Goals are added to a database that has people in it, and nobody's words are lost by going back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, ROWS, add, add_a_pair, an_old_database

pytestmark = pytest.mark.store
BEFORE = "0010"
NEW = {"goal", "goal_version", "goal_share", "check_in", "action", "look_back", "win", "resource", "remark"}
GOAL = {"id": 1, "institution_id": 1, "course_id": 1, "owner_id": 1, "round_id": 1, "state": "open", "version": 1}
WORDS = {"area": "tool", "area_words": "", "words": "Ask first", "measure": "", "start": 1.5, "target": 3}


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with a pair in a round."""
    with an_old_database(settings, "0003", ROWS) as engine:
        schema.upgrade(engine, BEFORE)
        with engine.begin() as connection:
            add_a_pair(connection)
        yield engine


def a_goal(engine: Engine) -> None:
    with engine.begin() as connection:
        add(connection, "goal", {**GOAL, **WORDS, "target_on": "2026-12-01", "created_at": AT, "worded_at": AT})
        add(connection, "goal_share", {"institution_id": 1, "goal_id": 1, "group_id": 1, "at": AT})
        add(connection, "remark", {"institution_id": 1, "author_id": 2, "goal_id": 1, "text": "How often?", "at": AT})


def test_everything_that_was_there_stays_and_goals_find_their_places(old: Engine) -> None:
    schema.upgrade(old, "0011")
    a_goal(old)
    with old.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM member")).scalar_one() == 2
        assert connection.execute(text("SELECT start FROM goal")).scalar_one() == 1.5
    assert set(inspect(old).get_table_names()) >= NEW


@pytest.mark.parametrize(
    "broken",
    [
        {"goal_id": None},
        {"goal_id": 1, "win_id": 1},
        {"goal_id": 7},
    ],
    ids=["beside nothing", "beside two things", "beside what is not there"],
)
def test_a_remark_stands_beside_one_thing(old: Engine, broken: dict[str, object]) -> None:
    schema.upgrade(old, "0011")
    a_goal(old)
    with pytest.raises(Exception, match=r"(?i)check|foreign"), old.begin() as connection:
        add(connection, "remark", {"institution_id": 1, "author_id": 1, "text": "x", "at": AT, **broken})


def test_words_keep_the_version_from_being_taken_back(old: Engine) -> None:
    schema.upgrade(old, "0011")
    a_goal(old)
    with pytest.raises(RuntimeError, match="there is a goal"):
        schema.downgrade(old, BEFORE)
    with old.begin() as connection:
        connection.execute(text("DELETE FROM goal"))
        assert connection.execute(text("SELECT count(*) FROM remark")).scalar_one() == 0
    schema.downgrade(old, BEFORE)
    assert NEW.isdisjoint(inspect(old).get_table_names())
    with old.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM member")).scalar_one() == 2
