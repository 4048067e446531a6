"""What feedback gives its receiver over time: growth points become goals and actions, and pages join things."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.activities.rules import Release
from lti_tool.goals.models import Action, Goal, GoalShare
from lti_tool.support.db import OpenSession
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    """A trio whose members read feedback at once."""
    with open_session() as session:
        room = a_classroom(
            session,
            *("Mette", "Jonas", "Sara"),
            now=clock.now(),
            groups=(("Mette", "Jonas", "Sara"),),
            release=Release.AT_ONCE,
        )
    return World(open_session, clock, client, room)


def test_a_growth_point_becomes_an_action_or_a_goal_by_one_tap_and_stays_private(
    world: World, open_session: OpenSession
) -> None:
    feedback_id = world.gives("Mette", "Jonas")
    jonas = world.browser("Jonas")
    page = jonas.get(f"/feedback/{feedback_id}").text
    assert f'action="/v/{jonas.key}/growth/{feedback_id}/next_time_1"' in page
    for _ in range(2):
        page = jonas.post(f"/growth/{feedback_id}/next_time_1", do="action", back=f"feedback/{feedback_id}").text
        assert "It is an action of yours now" in page
    assert "It is a goal of yours now" in jonas.post(f"/growth/{feedback_id}/suggestion", do="goal").text
    with open_session(world.room.institution.id) as session:
        action, goal = session.scalars(select(Action)).one(), session.scalars(select(Goal)).one()
        assert (action.words, action.group_id) == ("write the question on the board", None)
        assert goal.words == "Wait one breath longer."
        assert session.scalars(select(GoalShare)).all() == []
    for partner in ("Mette", "Sara"):
        assert "write the question on the board" not in world.browser(partner).get("/goals").text
    over_time = jonas.get("/growth").text
    assert re.search(r"An action of yours</a> .*?open", over_time, re.DOTALL)
    jonas.post(f"/goals/actions/{action.id}", do="done", version=str(action.version))
    assert re.search(r"An action of yours</a> .*?state-done", jonas.get("/growth").text, re.DOTALL)


@pytest.mark.parametrize(("who", "field"), [("Mette", "next_time_1"), ("Sara", "next_time_1"), ("Jonas", "strengths")])
def test_nobody_else_and_nothing_else_is_adopted(world: World, who: str, field: str, open_session: OpenSession) -> None:
    feedback_id = world.gives("Mette", "Jonas")
    assert world.browser(who).post(f"/growth/{feedback_id}/{field}", do="goal").status_code == 404
    with open_session(world.room.institution.id) as session:
        assert session.scalars(select(Goal)).all() == []


def test_strengths_that_came_again_and_levels_are_for_their_owner(world: World) -> None:
    world.gives("Mette", "Jonas", strengths="You waited after each question.")
    world.gives("Sara", "Jonas", strengths="Waiting so long gave me courage.")
    world.gives("Mette", "Sara", strengths="Your drawing.")
    page = world.browser("Jonas").get("/growth").text
    assert "waited: 2 times" in page
    assert page.count("Waiting so long gave me courage.") == 1
    assert "Your drawing." not in page
    assert "Purpose and structure: the levels of the table below" in page
    assert "waited" not in world.browser("Mette").get("/growth").text
    assert "Your feedback over time" in world.browser("Jonas").get("/").text


def test_feedback_of_several_people_in_one_round_reads_as_one_page(world: World) -> None:
    world.gives("Mette", "Jonas", strengths="You waited.")
    jonas = world.browser("Jonas")
    assert "on one page" not in jonas.get("/feedback").text
    world.gives("Sara", "Jonas", strengths="You drew it.")
    world.gives("Mette", "Sara", strengths="Not for Jonas.")
    assert "/round/1/feedback" in jonas.get("/feedback").text
    page = jonas.get("/round/1/feedback").text
    strengths, later = page.split("Next time, try")[0], page.split("Next time, try")[1]
    assert "You waited." in strengths
    assert "You drew it." in strengths
    assert "write the question on the board" in later
    assert "Not for Jonas." not in page
    assert world.browser("Mette").get("/round/1/feedback").status_code == 404
