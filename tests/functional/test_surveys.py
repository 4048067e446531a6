"""The survey before and after an activity: asked, answered, compared, and shown to nobody."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import RoundDates
from lti_tool.launch.models import Member
from lti_tool.support.db import OpenSession
from lti_tool.workspace.personal_data import erase, everything_about
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World

LEARNERS = ("Mette", "Jonas", "Femke", "Oliver")


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    now = clock.now()
    dates = (RoundDates(due_at=now + timedelta(days=7)),)
    with open_session() as session:
        room = a_classroom(session, *LEARNERS, now=now, rounds=dates, survey=("I ask customers first.",))
    return World(open_session, clock, client, room)


def answers(world: World, who: str, moment: str, value: int) -> None:
    page = world.browser(who).post(f"/survey/{moment}", **{f"item-{place}": str(value) for place in range(6)})
    assert "Thank you. Your answers are saved." in page.text


def test_it_is_asked_at_both_ends_and_compared_for_everyone_together(world: World) -> None:
    assert "How are things for you before you begin?" in world.browser("Mette").get("/").text
    for place, who in enumerate(LEARNERS[:3]):
        answers(world, who, "before", 2 + place % 2)
    assert "How are things for you before you begin?" not in world.browser("Mette").get("/").text
    staff = world.browser("Ingrid", role="instructor")
    assert "3 people answered before" in staff.get("/survey-results").text
    assert "too few people" in staff.get("/survey-results").text

    world.clock.advance(timedelta(days=8))
    staff = world.browser("Ingrid", role="instructor")
    assert "How are things for you now?" in world.browser("Mette").get("/").text
    assert world.browser("Oliver").post("/survey/before", **{"item-0": "5"}).status_code == 409
    for who in LEARNERS[:2]:
        answers(world, who, "after", 4)
    assert "too few people" in staff.get("/survey-results").text
    answers(world, LEARNERS[2], "after", 4)
    page = staff.get("/survey-results").text
    assert page.count("+1.7") == 6
    assert "I ask customers first." in page
    assert "Mette" not in page
    assert world.browser("Mette").get("/survey-results").status_code == 403


def test_an_empty_form_and_a_survey_that_is_not_asked_are_refused_kindly(world: World) -> None:
    mette = world.browser("Mette")
    page = mette.post("/survey/before", **{"item-0": "9"})
    assert page.status_code == 422
    assert "Choose an answer to one sentence at least" in page.text
    assert mette.get("/survey/sometime").status_code == 404
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).survey = None
    assert mette.get("/survey/before").status_code == 404
    assert "before you begin" not in mette.get("/").text


def test_answers_are_their_owners_and_go_with_them(world: World) -> None:
    answers(world, "Mette", "before", 4)
    with world.open_session(world.room.institution.id) as session:
        person_id = session.get_one(Member, world.room.members["Mette"].id).person_id
        assert len(everything_about(session, person_id)["surveys"]) == 6
        erase(session, person_id, now=world.clock.now())
        assert everything_about(session, person_id)["surveys"] == []
