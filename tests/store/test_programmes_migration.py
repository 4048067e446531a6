"""Programmes come to a database that is in use; going back refuses to lose one."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from lti_tool.certificates.models import Certificate
from lti_tool.programmes import service
from lti_tool.programmes.rules import Step
from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine, session_opener
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
MIGRATION = import_module("lti_tool.migrations.versions.0029_programmes")


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def used(settings: Settings, clock: FakeClock) -> Iterator[Engine]:
    """A classroom in a programme, with a certificate for each of both."""
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine)
    with session_opener(engine)() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        steps = [Step(room.activity.id)]
        programme = service.make(session, room.course.id, "Lead well", steps, by=1, now=clock.now())
        own = {"member_id": room.members["Mette"].id, "institution_id": room.institution.id}
        words = {"name": "Mette", "title": "Coaching", "issuer": "University", "hours": [], "locale": "en"}
        for key, completed in (("a", {"activity_id": room.activity.id}), ("p", {"programme_id": programme.id})):
            session.add(Certificate(**own, **words, **completed, key=key, issued_at=clock.now(), pdf_state="waiting"))
    yield engine
    engine.dispose()


def test_a_programme_is_not_lost_by_going_back(used: Engine) -> None:
    for what in ("certificate WHERE programme_id IS NOT NULL", "programme_step"):
        with pytest.raises(RuntimeError, match="programmes"):
            schema.downgrade(used, MIGRATION.down_revision)
        with used.begin() as connection:
            connection.execute(text(f"DELETE FROM {what}"))
    schema.downgrade(used, MIGRATION.down_revision)
    assert not {"programme", "programme_step"} & set(inspect(used).get_table_names())
    schema.upgrade(used)
    assert schema.differences(used) == []
    with used.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM certificate")).scalar_one() == 1


def test_the_database_refuses_what_no_certificate_is(used: Engine) -> None:
    for statement in (
        "UPDATE certificate SET programme_id = NULL",
        "UPDATE certificate SET programme_id = (SELECT id FROM programme)",
        "UPDATE programme_step SET position = 0",
    ):
        with pytest.raises(IntegrityError), used.begin() as connection:
            connection.execute(text(statement))
