"""Plans that were made before there were rules go on living."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine

pytestmark = pytest.mark.store

AT = "2026-11-01 08:00:00+00:00"
ROWS = {
    "institution": {"name": "North", "created_at": AT},
    "registration": {
        "institution_id": 1,
        "title": "LMS",
        "issuer": "https://lms.example",
        "client_id": "one",
        "auth_login_url": "https://lms.example/a",
        "auth_token_url": "https://lms.example/t",
        "key_set_url": "https://lms.example/k",
        "platform_origins": "[]",
        "new_deployments": "park",
        "require_browser_binding": False,
        "first_administrator_awaited": False,
        "created_at": AT,
    },
    "deployment": {"institution_id": 1, "registration_id": 1, "lti_id": "1", "created_at": AT},
    "course": {"institution_id": 1, "deployment_id": 1, "context_id": "1", "gradebook_scopes": "[]", "created_at": AT},
    "rubric": {"institution_id": 1, "course_id": 1, "title": "Teaching", "version": 1, "created_at": AT},
    "activity": {
        "institution_id": 1,
        "key": "k",
        "course_id": 1,
        "kind": "observation",
        "title": "Observe",
        "instructions": "",
        "rubric_id": 1,
        "time_zone": "UTC",
        "state": "ready",
        "completion": "{}",
        "score_mode": "none",
        "score_maximum": 100,
        "zero_at_close": False,
        "release": "at_once",
        "staff_read_feedback": False,
        "created_at": AT,
        "changed_at": AT,
        "version": 1,
    },
    "plan": {
        "institution_id": 1,
        "activity_id": 1,
        "state": "draft",
        "seed": 1,
        "engine": "circle/1",
        "created_at": AT,
        "changed_at": AT,
        "version": 3,
    },
}


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with a plan in it."""
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine, "0002")
    with engine.begin() as connection:
        for table, values in ROWS.items():
            add(connection, table, {"id": 1, **values})
    yield engine
    engine.dispose()


def add(connection: Connection, table: str, values: dict[str, object]) -> None:
    names = ", ".join(values)
    connection.execute(
        text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})"), values
    )


def another(connection: Connection, number: int, **values: object) -> None:
    new = {"kind": "pairs", "size": 2, "effort": "", "unpaired": "[]", "proofs": "[]"}
    add(connection, "plan", {**ROWS["plan"], **new, "id": number, **values})


def test_an_old_plan_is_one_of_pairs_of_which_nothing_else_is_known(old: Engine) -> None:
    schema.upgrade(old)

    with old.connect() as connection:
        [row] = connection.execute(text("SELECT kind, size, effort, state, version FROM plan"))
    assert tuple(row) == ("pairs", 2, "", "draft", 3)


@pytest.mark.parametrize("flaw", [{"state": "draft"}, {"state": "strange"}, {"state": "published", "kind": "heaps"}])
def test_the_database_still_refuses_what_no_plan_may_be(old: Engine, flaw: dict[str, str]) -> None:
    schema.upgrade(old)

    with pytest.raises(IntegrityError), old.begin() as connection:
        another(connection, 2, **flaw)
    with old.begin() as connection:
        another(connection, 2, state="previous")
        another(connection, 3, state="published")
    with pytest.raises(IntegrityError), old.begin() as connection:
        another(connection, 4, state="previous")


def test_taking_the_migration_back_keeps_the_draft_and_drops_the_one_before_it(old: Engine) -> None:
    schema.upgrade(old)
    with old.begin() as connection:
        another(connection, 2, state="previous")

    schema.downgrade(old, "0002")

    with old.connect() as connection:
        assert connection.execute(text("SELECT id, state FROM plan")).all() == [(1, "draft")]
    with pytest.raises(IntegrityError), old.begin() as connection:
        add(connection, "plan", {**ROWS["plan"], "id": 2, "state": "previous"})
