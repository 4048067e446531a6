"""Going on alone, occasions and words taken back come to a database that is in use, and can be taken away again."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Engine, inspect, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine, session_opener
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
MIGRATION = import_module("lti_tool.migrations.versions.0020_gone_and_between")
AT = "2026-11-02"
NEW = (
    "INSERT INTO nudge (id, institution_id, round_id, author_id, recipient_id, since, at, alone_at) SELECT 1,"
    f" institution_id, round_id, member_id, member_id + 1, '{AT}', '{AT}', '{AT}' FROM seat WHERE turn = 1",
    "INSERT INTO win (id, institution_id, course_id, author_id, text, at) SELECT member.id, institution_id, course_id,"
    f" member.id, 'Kept', '{AT}' FROM member",
    f"UPDATE win SET removed_at = '{AT}' WHERE id = (SELECT min(id) FROM win)",
    "INSERT INTO occasion (id, institution_id, activity_id, author_id, fields, version, stamps, kept_aside, created_at,"
    f" saved_at) SELECT 1, institution_id, 1, member_id, '{{}}', 1, '{{}}', '[]', '{AT}', '{AT}' FROM seat"
    " WHERE turn = 1",
)


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def used(settings: Settings, clock: FakeClock) -> Iterator[Engine]:
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine)
    with session_opener(engine)() as session:
        a_classroom(session, "Mette", "Jonas", now=clock.now())
    with engine.begin() as connection:
        for statement in NEW:
            connection.execute(text(statement))
    yield engine
    engine.dispose()


def test_what_was_written_between_meetings_is_not_lost_and_the_rest_is_taken_back(used: Engine) -> None:
    with pytest.raises(RuntimeError, match="between meetings"):
        schema.downgrade(used, MIGRATION.down_revision)
    with used.begin() as connection:
        connection.execute(text("DELETE FROM occasion"))
    schema.downgrade(used, MIGRATION.down_revision)
    assert "occasion" not in inspect(used).get_table_names()
    with used.connect() as connection:
        # A win that its author took back would be shown again.
        assert connection.execute(text("SELECT count(*) FROM win")).scalar_one() == 2
        assert connection.execute(text("SELECT count(*) FROM nudge")).scalar_one() == 1
    schema.upgrade(used)
    assert schema.differences(used) == []
    with used.connect() as connection:
        assert not connection.execute(text("SELECT finds_partners FROM activity")).scalar_one()
        assert connection.execute(text("SELECT alone_at FROM nudge")).scalar_one() is None
