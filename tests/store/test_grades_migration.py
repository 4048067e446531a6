"""Scores and pauses of the version before go on living."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from lti_tool.settings import Settings
from lti_tool.support import schema
from tests.factories.old_database import AT, ROWS, an_old_database

pytestmark = pytest.mark.store

OWN: dict[str, object] = {"institution_id": 1}
SCORES: dict[str, dict[str, object]] = {
    "person": {**OWN, "registration_id": 1, "sub": "7", "is_administrator": False, "created_at": AT},
    "member": {
        **OWN,
        "course_id": 1,
        "person_id": 1,
        "role": "learner",
        "ever_staff": False,
        "is_test": False,
        "status": "active",
        "created_at": AT,
    },
    "line_item": {**OWN, "activity_id": 1, "state": "linked", "url": "https://lms.example/1"},
    "score_state": {
        **OWN,
        "line_item_id": 1,
        "member_id": 1,
        "state": "refused",
        "reason": "not allowed",
        "wanted": 1000000,
        "conflicts": 0,
        "changed_at": AT,
    },
    "score_attempt": {**OWN, "score_id": 1, "at": AT, "share": 1000000, "outcome": "refused", "status": 403},
    "job": {
        **OWN,
        "name": "grades.push",
        "payload": "{}",
        "state": "waiting",
        "due_at": AT,
        "created_at": AT,
        "attempts": 0,
        "claims": 0,
    },
}


@pytest.fixture
def is_database_empty() -> bool:
    return True


@pytest.fixture
def old(settings: Settings) -> Iterator[Engine]:
    """A database of the version before, with a platform that a refusal paused and a score that it refused."""
    with an_old_database(settings, "0003", {**ROWS, **SCORES}) as engine:
        with engine.begin() as connection:
            connection.execute(
                text("UPDATE registration SET paused_at = :at, paused_because = 'credentials_refused'"), {"at": AT}
            )
        yield engine


def one(engine: Engine, statement: str) -> tuple[object, ...]:
    with engine.connect() as connection:
        return tuple(connection.execute(text(statement)).one())


def test_what_a_refusal_stopped_goes_on_after_the_upgrade(old: Engine) -> None:
    schema.upgrade(old, "0005")
    assert one(old, "SELECT paused_at, paused_because FROM registration") == (None, None)
    assert one(old, "SELECT state, reason, looks FROM score_state") == ("waiting", "not allowed", 0)
    assert one(old, "SELECT job.lane, lane.turn FROM job JOIN lane ON lane.lane = job.lane") == (0, 0)


def test_the_version_before_knows_every_word_after_a_downgrade(old: Engine) -> None:
    schema.upgrade(old, "0005")
    with old.begin() as connection:
        connection.execute(text("UPDATE score_state SET reason = 'no access'"))
        connection.execute(text("UPDATE score_attempt SET reason = 'blocked', outcome = 'waits'"))
    schema.downgrade(old, "0003")
    assert one(old, "SELECT state, reason FROM score_state") == ("waiting", "not understood")
    assert one(old, "SELECT outcome, reason FROM score_attempt") == ("refused", "not understood")
