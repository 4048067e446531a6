"""Goals, actions, wins and the shelf in an export, in the file that a learner takes along, and after an erasure."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.goals import service
from lti_tool.goals.models import Goal, Remark
from lti_tool.goals.rules import Became
from lti_tool.support.db import OpenSession
from lti_tool.workspace import personal_data
from tests.factories.feedback import a_classroom
from tests.factories.goals import GOAL, a_goal, a_resource, a_win, an_action, place
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World

HERS = (
    "Sharper words",
    GOAL["goal_words"],
    "Two questions on Tuesday",
    "A sign when I interrupt",
    "Which meetings?",
    "Ask Anna first",
    "No time left",
    "Everybody spoke",
    "It changed the hour",
    "Humble Inquiry",
    "One question a day",
    "Asked of Jonas",
)
"""What Mette wrote, and what was written beside it."""


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    """Mette and Jonas have written everything that there is."""
    now = clock.now()
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=now)
        goal = a_goal(session, room, "Mette", clock)
        theirs = a_goal(session, room, "Jonas", clock, goal_words="Words of Jonas")
        mette, jonas = (place(session, room, who, clock) for who in ("Mette", "Jonas"))
        sharper = {**GOAL, "goal_words": "Sharper words"}
        service.sharpen(session, mette, goal.id, sharper, expected_version=goal.version, now=now)
        told = {"check_in_how": "Two questions on Tuesday", "check_in_support": "A sign when I interrupt"}
        service.check_in(session, mette, goal.id, told, now=now)
        service.ask(session, jonas, goal.id, {"question_text": "Which meetings?"}, now=now)
        service.ask(session, mette, theirs.id, {"question_text": "Asked of Jonas"}, now=now)
        action = an_action(session, room, "Mette", clock, "Ask Anna first")
        dropped = {"drop_why": "No time left"}
        service.look_back(session, mette, action.id, Became.DROPPED, dropped, expected_version=1, now=now)
        win = a_win(session, room, "Mette", clock)
        service.answer_win(session, jonas, win.id, {"remark_text": "It changed the hour"}, now=now)
        texts = {"resource_title": "Humble Inquiry", "resource_use": "One question a day"}
        a_resource(session, room, "Mette", clock, **texts)
    return World(open_session, clock, client, room)


def keys_of(value: Any) -> set[str]:
    match value:
        case dict():
            return set(value) | {key for inner in value.values() for key in keys_of(inner)}
        case list():
            return {key for inner in value for key in keys_of(inner)}
    return set()


def test_an_export_holds_them_with_a_label_for_every_word_and_no_name_of_a_partner(world: World) -> None:
    with world.open_session(world.room.institution.id) as session:
        everything = personal_data.everything_about(session, world.room.members["Mette"].person_id)
    text = json.dumps(everything)
    assert [one for one in HERS if one not in text] == []
    assert "Words of Jonas" not in text
    sections = {name: everything[name] for name in ("goals", "actions", "wins", "resources", "remarks")}
    assert "Jonas" not in json.dumps(sections).replace("Asked of Jonas", "")
    assert keys_of(sections) - personal_data.LABELS.keys() == set()


def test_a_learner_takes_them_along(world: World) -> None:
    mette = world.browser("Mette")
    assert "Take your work with you" in mette.get("/").text
    link = mette.post("/own-work", follow=False).headers["Location"]
    page = mette.client.get(link, headers={"Accept": "text/html"}).text
    assert [one for one in HERS if one not in page] == []
    assert "Words of Jonas" not in page
    assert "You have not written anything yet" not in page


def test_erasing_leaves_to_the_partner_what_stands_beside_their_goal_without_a_name(world: World) -> None:
    with world.open_session(world.room.institution.id) as session:
        personal_data.erase(session, world.room.members["Mette"].person_id, now=world.clock.now())
    with world.open_session(world.room.institution.id) as session:
        theirs = session.scalars(select(Goal)).one()
        assert [(one.goal_id, one.text) for one in session.scalars(select(Remark))] == [(theirs.id, "Asked of Jonas")]
    page = world.browser("Jonas").get(f"/goals/{theirs.id}").text
    assert "Asked of Jonas" in page
    assert "Your partner," in page
    shelf = world.browser("Jonas").get("/goals").text
    assert "Humble Inquiry" in shelf
    assert "One question a day" not in shelf
