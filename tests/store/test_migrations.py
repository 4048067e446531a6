"""The migrations build what the models say, and can be taken back."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, inspect

from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine

pytestmark = pytest.mark.store


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def empty(settings: Settings) -> Iterator[Engine]:
    engine = make_engine(settings.sqlalchemy_url)
    yield engine
    engine.dispose()


def test_an_empty_database_migrated_up_matches_the_models(empty: Engine) -> None:
    assert not schema.is_current(empty)
    schema.upgrade(empty)
    assert schema.is_current(empty)
    assert schema.differences(empty) == []


def test_migrations_can_be_taken_back_and_repeated(empty: Engine) -> None:
    schema.upgrade(empty)
    schema.downgrade(empty)
    assert set(inspect(empty).get_table_names()) <= {"alembic_version"}
    schema.upgrade(empty)
    assert schema.differences(empty) == []
