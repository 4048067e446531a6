"""Polls of a meeting are answered in front of the app, on both databases, as the app would."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from lti_tool.feedback.service import save_draft, version_of
from lti_tool.support.db import OpenSession
from lti_tool.workspace.listening import LISTENS_FOR, Listening
from tests.factories.feedback import Classroom, a_classroom
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock) -> Classroom:
    with open_session() as session:
        return a_classroom(session, "Mette", "Jonas", now=clock.now(), kind="reflection")


def test_a_listener_is_told_that_nothing_has_changed_until_something_has(
    engine: Engine, open_session: OpenSession, clock: FakeClock, room: Classroom
) -> None:
    def app(_: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"asked"]

    listening = Listening(app, engine, clock.now)

    def asks(version: str, key: str = "key", secret: str = "secret", **environ: str) -> str:
        said: list[str] = []
        asked = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": f"/v/{key}/round/1/meeting/changes",
            "HTTP_IF_NONE_MATCH": f'"{version}"',
            "HTTP_AUTHORIZATION": f"Bearer {secret}",
        }
        listening({**asked, **environ}, lambda status, _: said.append(status[:3]))
        return said[0]

    with open_session(room.institution.id) as session:
        task = room.task(session, "Mette", "Jonas")
        group_id = task.group_id or 0
        version = version_of(session, group_id)
    assert asks(version) == "200"
    listening.let_in(("key", "secret", 1), group_id)
    assert asks(version) == "304"
    by_cookie = {"HTTP_AUTHORIZATION": "", "HTTP_COOKIE": "__Host-tandem-key=secret"}
    assert asks(version, **by_cookie) == "304"
    for other in ({"secret": "guess"}, {"key": "other"}, {"REQUEST_METHOD": "POST"}, {"HTTP_IF_NONE_MATCH": ""}):
        assert asks(version, **other) == "200", other

    with open_session(room.institution.id) as session:
        save_draft(
            session, room.task(session, "Mette", "Jonas"), {"strengths": "Calm"}, {}, device="d", now=clock.now()
        )
        newer = version_of(session, group_id)
    assert (asks(version), asks(newer)) == ("200", "304")
    clock.advance(LISTENS_FOR + timedelta(seconds=1))
    assert asks(newer) == "200"
