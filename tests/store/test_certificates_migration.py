"""Certificates come to a database that is in use; going back refuses to lose one."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from lti_tool.activities.rules import CertificateTerms
from lti_tool.certificates.models import Certificate
from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine, session_opener
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
MIGRATION = import_module("lti_tool.migrations.versions.0025_certificates")


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def used(settings: Settings, clock: FakeClock) -> Iterator[Engine]:
    """A classroom with a certificate."""
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine)
    with session_opener(engine)() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), certificate=CertificateTerms("Coaching"))
        own = {
            "activity_id": room.activity.id,
            "member_id": room.members["Mette"].id,
            "institution_id": room.institution.id,
        }
        words = {"name": "Mette", "title": "Coaching", "issuer": "University", "hours": [], "locale": "en"}
        session.add(Certificate(**own, **words, key="k", issued_at=clock.now(), pdf_state="waiting"))
    yield engine
    engine.dispose()


def test_a_certificate_is_not_lost_by_going_back(used: Engine) -> None:
    with pytest.raises(RuntimeError, match="certificates"):
        schema.downgrade(used, MIGRATION.down_revision)
    with used.begin() as connection:
        connection.execute(text("DELETE FROM certificate"))
    schema.downgrade(used, MIGRATION.down_revision)
    assert not {"certificate", "credential_key"} & set(inspect(used).get_table_names())
    schema.upgrade(used)
    assert schema.differences(used) == []
    with used.connect() as connection:
        assert connection.execute(text("SELECT certificate FROM activity")).scalar_one() is None
        assert connection.execute(text("SELECT count(*) FROM seat")).scalar_one() == 2


def test_the_database_refuses_what_no_certificate_is(used: Engine) -> None:
    for statement in (
        "UPDATE certificate SET withdrawn_at = issued_at",
        "UPDATE certificate SET published_at = issued_at, taken_back_at = issued_at",
        "UPDATE certificate SET pdf_state = 'ready'",
    ):
        with pytest.raises(IntegrityError), used.begin() as connection:
            connection.execute(text(statement))
