"""A database as an older version left it, with one row in each table that a test needs."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.support.db import make_engine

AT = "2026-11-01 08:00:00+00:00"
ROWS: dict[str, dict[str, object]] = {
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
}
PLAN: dict[str, object] = {
    "institution_id": 1,
    "activity_id": 1,
    "state": "draft",
    "seed": 1,
    "engine": "circle/1",
    "created_at": AT,
    "changed_at": AT,
    "version": 3,
}


@contextmanager
def an_old_database(settings: Settings, version: str, rows: dict[str, dict[str, object]]) -> Iterator[Engine]:
    """The empty database of these settings brought to a version, with these rows: one in each table, its id 1."""
    engine = make_engine(settings.sqlalchemy_url)
    schema.upgrade(engine, version)
    with engine.begin() as connection:
        for table, values in rows.items():
            add(connection, table, {"id": 1, **values})
    try:
        yield engine
    finally:
        engine.dispose()


def add(connection: Connection, table: str, values: dict[str, object]) -> None:
    names = ", ".join(values)
    connection.execute(
        text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})"), values
    )


def add_a_pair(connection: Connection) -> None:
    """Two learners who share a group in round 1 of a published plan."""
    for number in (1, 2):
        person = {"registration_id": 1, "sub": f"s{number}", "is_administrator": False, "created_at": AT}
        member = {"course_id": 1, "person_id": number, "role": "learner", "status": "active", "created_at": AT}
        flags = {"ever_staff": False, "is_test": False}
        add(connection, "person", {"id": number, "institution_id": 1, **person})
        add(connection, "member", {"id": number, "institution_id": 1, **member, **flags})
    plan = {"kind": "pairs", "size": 2, "effort": "", "unpaired": "[]", "proofs": "[]", **PLAN}
    add(connection, "plan", {"id": 1, **plan, "state": "published"})
    add(connection, "round", {"id": 1, "institution_id": 1, "activity_id": 1, "number": 1})
    add(connection, "group_", {"id": 1, "institution_id": 1, "plan_id": 1, "round_id": 1, "number": 1})
