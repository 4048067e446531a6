"""Meetings come to a database that is in use, and can be taken back without touching what was there."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Connection, Engine, inspect, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine, session_opener
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
MIGRATION = import_module("lti_tool.migrations.versions.0012_when_groups_meet")
NEW = (
    "INSERT INTO meeting (id, institution_id, round_id, uid, sequence, changed_at) "
    "SELECT 1, institution_id, id, 'u', 1, '2026-11-02' FROM round",
    "INSERT INTO meeting_group (id, institution_id, meeting_id, group_id) SELECT 1, institution_id, 1, id FROM group_",
    "INSERT INTO meeting_time (id, institution_id, meeting_id, by_id, proposed_at, starts_at, minutes, time_zone,"
    " place, skipped, state) SELECT 1, institution_id, 1, member_id, '2026-11-02', '2026-11-03', 45, 'UTC', 'Room 4',"
    " '[]', 'agreed' FROM seat WHERE turn = 1",
    "INSERT INTO acceptance (id, institution_id, time_id, member_id, at) "
    "SELECT id, institution_id, 1, member_id, '2026-11-02' FROM seat",
    "INSERT INTO nudge (id, institution_id, round_id, author_id, recipient_id, since, at) SELECT 1, institution_id,"
    " round_id, member_id, member_id + 1, '2026-11-02', '2026-11-02' FROM seat WHERE turn = 1",
    "INSERT INTO calendar_address (id, institution_id, member_id, token_hash, made_at, read_at, counts_from, reads) "
    "SELECT 1, institution_id, member_id, 'h', '2026-11-02', '2026-11-02', '2026-11-02', 0 FROM seat WHERE turn = 1",
)
KEPT = ("round", "plan", "group_", "seat", "member", "activity")


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def used(settings: Settings, clock: FakeClock) -> Iterator[Engine]:
    """A database in which a pair has a meeting."""
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine)
    with session_opener(engine)() as session:
        a_classroom(session, "Mette", "Jonas", now=clock.now())
    with engine.begin() as connection:
        # The version before asks of everybody alike.
        connection.execute(text("UPDATE criterion SET seat = ''"))
        for statement in NEW:
            connection.execute(text(statement))
    yield engine
    engine.dispose()


def rows(connection: Connection, table: str) -> int:
    found: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    return found


def test_meetings_are_taken_back_and_what_was_there_stays(used: Engine) -> None:
    with used.connect() as connection:
        before = {table: rows(connection, table) for table in KEPT}
    schema.downgrade(used, MIGRATION.down_revision)
    assert set(MIGRATION.TABLES).isdisjoint(inspect(used).get_table_names())
    with used.connect() as connection:
        assert {table: rows(connection, table) for table in KEPT} == before
    schema.upgrade(used)
    assert schema.differences(used) == []
    with used.connect() as connection:
        assert {rows(connection, table) for table in MIGRATION.TABLES} == {0}


def test_a_meeting_outlives_its_group_and_goes_with_its_round(used: Engine) -> None:
    with used.begin() as connection:
        connection.execute(text("DELETE FROM group_"))
        assert (rows(connection, "meeting_group"), rows(connection, "acceptance")) == (0, 2)
        connection.execute(text("DELETE FROM round"))
        assert {rows(connection, table) for table in ("meeting", "meeting_time", "acceptance", "nudge")} == {0}
