"""Plans that were made before there were rules go on living."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import PLAN, ROWS, add, an_old_database

pytestmark = pytest.mark.store
BEFORE, AFTER = "0002", "0003"


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with a plan in it."""
    with an_old_database(settings, BEFORE, {**ROWS, "plan": PLAN}) as engine:
        yield engine


def another(connection: Connection, number: int, **values: object) -> None:
    new = {"kind": "pairs", "size": 2, "effort": "", "unpaired": "[]", "proofs": "[]"}
    add(connection, "plan", {**PLAN, **new, "id": number, **values})


def test_an_old_plan_is_one_of_pairs_of_which_nothing_else_is_known(old: Engine) -> None:
    schema.upgrade(old, AFTER)

    with old.connect() as connection:
        [row] = connection.execute(text("SELECT kind, size, state, version FROM plan"))
    assert tuple(row) == ("pairs", 2, "draft", 3)


@pytest.mark.parametrize("flaw", [{"state": "draft"}, {"state": "strange"}, {"state": "published", "kind": "heaps"}])
def test_the_database_still_refuses_what_no_plan_may_be(old: Engine, flaw: dict[str, str]) -> None:
    schema.upgrade(old, AFTER)

    with pytest.raises(IntegrityError), old.begin() as connection:
        another(connection, 2, **flaw)
    with old.begin() as connection:
        another(connection, 2, state="previous")
        another(connection, 3, state="published")
    with pytest.raises(IntegrityError), old.begin() as connection:
        another(connection, 4, state="previous")


def test_taking_the_migration_back_keeps_the_draft_and_drops_the_one_before_it(old: Engine) -> None:
    schema.upgrade(old, AFTER)
    with old.begin() as connection:
        another(connection, 2, state="previous")

    schema.downgrade(old, BEFORE)

    with old.connect() as connection:
        assert connection.execute(text("SELECT id, state FROM plan")).all() == [(1, "draft")]
    with pytest.raises(IntegrityError), old.begin() as connection:
        add(connection, "plan", {**PLAN, "id": 2, "state": "previous"})
