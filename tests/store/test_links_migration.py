"""Links and columns that were there before the platform was asked who may open them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, ROWS, an_old_database

pytestmark = pytest.mark.store
BEFORE, AFTER = "0003", "0009"
PLACEMENT: dict[str, object] = {"institution_id": 1, "course_id": 1, "resource_link_id": "1", "created_at": AT}
LINE_ITEM: dict[str, object] = {"institution_id": 1, "activity_id": 1, "state": "none"}


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with a link and a column in it."""
    rows = {**ROWS, "placement": PLACEMENT, "line_item": LINE_ITEM}
    with an_old_database(settings, BEFORE, rows) as engine:
        yield engine


def test_an_old_link_opens_for_everybody_and_an_old_column_has_no_points(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.connect() as connection:
        assert not connection.execute(text("SELECT opens_for_nobody FROM placement")).scalar_one()
        assert connection.execute(text("SELECT state, maximum FROM line_item")).one() == ("none", None)
        assert connection.execute(text("SELECT count(*) FROM locked_out")).scalar_one() == 0


def test_declined_grades_become_a_missing_column_when_the_migration_is_taken_back(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.begin() as connection:
        connection.execute(text("UPDATE line_item SET state = 'declined', maximum = 20"))
    schema.downgrade(old, BEFORE)
    with old.connect() as connection:
        assert connection.execute(text("SELECT state FROM line_item")).scalar_one() == "none"
