"""Programme leads see in one list how the activities of all their courses go, as counts."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import RoundDates
from lti_tool.launch.models import Person
from lti_tool.pairing.models import Group
from lti_tool.support.db import OpenSession
from lti_tool.web.database import db
from lti_tool.web.visits import VisitKind
from tests.factories.activities import an_activity
from tests.factories.feedback import a_classroom, publish
from tests.factories.lived import live_through
from tests.factories.people import a_course, a_deployment, a_placement
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World

NAMES = ("Mette", "Jonas", "Sara", "Omar")


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    now = clock.now()
    with open_session() as session:
        rounds = tuple(RoundDates(due_at=now + timedelta(days=days)) for days in (7, 14))
        room = a_classroom(session, *NAMES, now=now, groups=(NAMES[:2], NAMES[2:]), rounds=rounds)
        session.get_one(Person, room.members["Ingrid"].person_id).is_administrator = True
        live_through(session, room.activity, since=now)
        begun = session.scalars(select(Group).where(Group.round_id == room.rounds[0].id)).first()
        assert begun is not None
        begun.begun_at = now
    return World(open_session, clock, client, room)


def lead(world: World) -> Browser:
    top: dict[str, Any] = {"kind": VisitKind.INSTITUTION, "frame_origins": [], "role": "instructor"}
    return world.browser("Ingrid", **top)


def test_it_counts_what_happened_and_names_nobody(world: World) -> None:
    page = lead(world).get("/institution/courses").text
    for words in ("1 of 4 groups have begun.", "2 meetings were held.", "3 pieces of feedback were given."):
        assert words in page, words
    assert "not begin before" not in page
    assert not [name for name in NAMES if name in page]


def test_courses_with_groups_behind_are_found_once_a_round_is_over(world: World) -> None:
    assert "No group is behind" in lead(world).get("/institution/courses?show=behind").text
    world.clock.advance(timedelta(days=8))
    page = lead(world).get("/institution/courses?show=behind").text
    assert "1 did not begin before its round was over." in page
    assert "Running, with groups behind" in page
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).state = "closed"
    assert "No group is behind" in lead(world).get("/institution/courses?show=behind").text


def test_many_courses_take_as_many_statements_as_one(world: World) -> None:
    def statements() -> int:
        browser = lead(world)
        assert browser.get("/institution/courses").status_code == 200
        asked: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            asked.append(statement)

        with world.client.application.app_context():
            engine = db.engine
        event.listen(engine, "after_cursor_execute", note)
        try:
            assert browser.get("/institution/courses").status_code == 200
        finally:
            event.remove(engine, "after_cursor_execute", note)
        return len(asked)

    few = statements()
    with world.open_session(world.room.institution.id) as session:
        deployment = a_deployment(session, world.room.registration)
        for number in range(12):
            course = a_course(session, deployment, title=f"Course {number}")
            activity = an_activity(session, course, a_placement(session, course), now=world.clock.now())
            publish(session, activity, [], [], now=world.clock.now())
    assert "Course 11" in lead(world).get("/institution/courses").text
    assert statements() == few
