"""Reports are added to a database in which people gave feedback; going back refuses to lose one."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, ROWS, add, add_a_pair, an_old_database

pytestmark = pytest.mark.store
BEFORE = "0014"


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before: one text was released, one was not."""
    with an_old_database(settings, "0003", ROWS) as engine:
        schema.upgrade(engine, BEFORE)
        with engine.begin() as connection:
            add_a_pair(connection)
            for author, recipient, released_at in ((1, 2, AT), (2, 1, None)):
                place = {"activity_id": 1, "round_id": 1, "group_id": 1, "author_id": author}
                kept = {"step": "give_feedback", "fields": "{}", "version": 1, "stamps": "{}", "kept_aside": "[]"}
                times = {"created_at": AT, "saved_at": AT, "submitted_at": AT, "released_at": released_at}
                row = {"institution_id": 1, "recipient_id": recipient, "is_open_to_staff": False}
                add(connection, "entry", {**place, **kept, **times, **row})
        yield engine


def test_what_was_released_counts_as_read(old: Engine) -> None:
    schema.upgrade(old, "0015")
    with old.connect() as connection:
        rows = connection.execute(text("SELECT author_id, read_at IS NULL, withheld_at IS NULL FROM entry")).all()
        assert {row[0]: (bool(row[1]), bool(row[2])) for row in rows} == {1: (False, True), 2: (True, True)}
        assert not connection.execute(text("SELECT assistants_moderate FROM activity")).scalar_one()
    places = {index["name"] for index in inspect(old).get_indexes("entry")}
    assert {"uq_entry_to_partner", "uq_entry_to_nobody", "uq_entry_of_group"} <= places


def test_a_report_is_not_lost_by_going_back(old: Engine) -> None:
    schema.upgrade(old, "0015")
    report = {"activity_id": 1, "round_id": 1, "entry_id": 1, "reporter_id": 2, "reported_id": 1, "concern": "hurts"}
    state = {"words": "", "original": "{}", "hidden": "[]", "opened_at": AT, "outcome": "open", "reason": ""}
    with old.begin() as connection:
        add(connection, "report", {"institution_id": 1, **report, **state, "version": 1})
    with pytest.raises(RuntimeError, match="reports of"):
        schema.downgrade(old, BEFORE)
    with old.begin() as connection:
        connection.execute(text("DELETE FROM report"))
    schema.downgrade(old, BEFORE)
    assert "report" not in inspect(old).get_table_names()
