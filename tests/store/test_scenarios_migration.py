"""Activities of the version before have no scenario and no saved template, and no text is lost on the way back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, ROWS, add, an_old_database

pytestmark = pytest.mark.store
OLDEST, BEFORE, AFTER = "0003", "0010", "0013"


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    with an_old_database(settings, OLDEST, ROWS) as engine:
        schema.upgrade(engine, BEFORE)
        yield engine


def test_an_old_activity_has_no_scenario_and_keeps_its_settings(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.connect() as connection:
        assert connection.execute(text("SELECT title, scenario FROM activity")).one() == ("Observe", None)
    schema.downgrade(old, BEFORE)
    with old.connect() as connection:
        assert connection.execute(text("SELECT title FROM activity")).scalar_one() == "Observe"


def test_a_scenario_is_not_lost_by_taking_the_migration_back(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.begin() as connection:
        connection.execute(text("UPDATE activity SET scenario = :kept"), {"kept": '{"public": "P", "briefs": {}}'})
    with pytest.raises(RuntimeError, match=r"scenarios of \[1\] would be lost"):
        schema.downgrade(old, BEFORE)
    with old.begin() as connection:
        connection.execute(text("UPDATE activity SET scenario = NULL"))
    schema.downgrade(old, BEFORE)


def test_a_saved_template_is_not_lost_by_taking_the_migration_back(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    template = {"institution_id": 1, "title": "T", "version": 1, "saved_at": AT}
    with old.begin() as connection:
        add(connection, "saved_template", {**template, "settings": "{}", "rubric": "{}", "preferences": "{}"})
    with pytest.raises(RuntimeError, match="saved templates of"):
        schema.downgrade(old, BEFORE)
