"""Staff see how good feedback is in figures, and not a word of it."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from lti_tool.activities.rules import Release
from lti_tool.quality import service
from lti_tool.quality.rules import Measure
from lti_tool.support.db import OpenSession
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World

NAMES = ("Mette", "Jonas", "Sara", "Omar", "Lena", "Tom")
ROUND_IN_A_TRIO = (("Mette", "Jonas"), ("Jonas", "Sara"), ("Sara", "Mette"))


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        groups = (("Mette", "Jonas", "Sara"), ("Omar", "Lena", "Tom"))
        room = a_classroom(session, *NAMES, now=clock.now(), groups=groups, release=Release.AT_ONCE)
    return World(open_session, clock, client, room)


def test_figures_say_how_many_people_stand_behind_them_and_nothing_that_was_written(world: World) -> None:
    world.gives("Mette", "Jonas", strengths="Great job")
    world.gives("Jonas", "Mette")
    page = world.browser("Ingrid").get("/quality").text
    assert "too few people" in page
    assert "100 %" not in page
    feedback_id = world.gives("Sara", "Jonas", next_time_1="Nothing, keep it up")
    answer = {"heard": "SECRET", "will_use": "more", "usefulness": "2"}
    world.browser("Jonas").post(f"/feedback/{feedback_id}/answer", do="send", **answer)
    page = world.browser("Ingrid").get("/quality").text
    row = re.search(r'<th scope="row">Round 1</th>(.*?)</tr>', page, re.DOTALL)
    assert row is not None
    shares = re.findall(r'(\d+) % <span class="hint">(\d) people', row[1])
    assert shares == [("67", "3"), ("67", "3"), ("100", "3")]
    for word in ("SECRET", "Great job", "keep it up", "You waited"):
        assert word not in page
    assert world.browser("Mette").get("/quality").status_code == 403


def test_groups_of_three_have_figures_of_their_own_unless_they_tell_of_the_rest(world: World) -> None:
    for author, recipient in (*ROUND_IN_A_TRIO, ("Omar", "Lena")):
        world.gives(author, recipient)
    assert "No figures: no group has three people or more" in world.browser("Ingrid").get("/quality").text
    world.gives("Lena", "Tom")
    world.gives("Tom", "Omar")
    page = world.browser("Ingrid").get("/quality").text
    assert "Omar, Lena, Tom" in re.sub(r"\s+", " ", page)


def test_who_got_nothing_is_named_once_the_round_is_over(world: World) -> None:
    world.gives("Mette", "Jonas")
    assert "No round is over yet." in world.browser("Ingrid").get("/quality").text
    world.clock.advance(timedelta(days=8))
    page = world.browser("Ingrid").get("/quality").text
    listed = page.split('id="without"')[1].split("</section>")[0]
    assert {name for name in NAMES if f">{name}<" in listed} == set(NAMES) - {"Jonas"}


def test_the_time_from_the_meeting_is_counted_from_what_members_said(world: World, open_session: OpenSession) -> None:
    for name in ("Mette", "Jonas", "Sara"):
        world.browser(name).post("/round/1/meeting/confirm/meet", do="confirm")
    world.clock.advance(timedelta(hours=5))
    for author, recipient in ROUND_IN_A_TRIO:
        world.gives(author, recipient)
    with open_session(world.room.institution.id) as session:
        quality = service.quality_of(session, session.merge(world.room.activity), now=world.clock.now())
        figure = quality.whole[Measure.HOURS]
        assert figure is not None
        assert (figure.value, figure.people) == (5, 3)


def test_the_figures_are_made_without_reading_a_text(world: World, open_session: OpenSession) -> None:
    for author, recipient in ROUND_IN_A_TRIO:
        world.gives(author, recipient)
    with open_session(world.room.institution.id) as session:
        activity = session.merge(world.room.activity)
        asked: list[str] = []
        event.listen(session.connection(), "before_cursor_execute", lambda *call: asked.append(call[2]))
        service.quality_of(session, activity, now=world.clock.now())
        assert len(asked) <= 6
        assert [statement for statement in asked if "fields" in statement or "correction" in statement] == []
