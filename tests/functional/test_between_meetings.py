"""A learner reflects on what just happened, at any time and for themselves, and brings it to the next meeting."""

import re
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ReflectionDays
from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.feedback.models import Occasion
from lti_tool.pairing.models import Group
from lti_tool.support.db import OpenSession
from lti_tool.workspace.personal_data import erase, everything_about
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World

BUTTON = "Something just happened: reflect"


@pytest.fixture
def kind() -> str:
    return "reflection"


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient, kind: str) -> World:
    """It is Monday 2 November, 10:00 in Stockholm."""
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), kind=kind)
    return World(open_session, clock, client, room)


def begins(who: Browser) -> str:
    """Tap the button; the address of the page that opens."""
    answer = who.post("/between", follow=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].removeprefix(f"/v/{who.key}")


def change(world: World, days: ReflectionDays | None) -> None:
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).reflection_days = days.to_json() if days else None


def test_what_is_written_between_meetings_is_for_its_author_alone_and_leaves_the_group_as_it_is(world: World) -> None:
    mette = world.browser("Mette")
    assert BUTTON in mette.get().text
    page = begins(mette)
    assert begins(mette) == page
    saved = mette.post(f"{page}/save", happened="The budget meeting", base="1").get_json()
    assert saved["version"] == 2

    assert "The budget meeting" in mette.get().text
    assert "The budget meeting" in mette.get(page).text
    assert begins(mette) != page
    for other in ("Jonas", "Ingrid"):
        browser = world.browser(other)
        assert browser.get(page).status_code == 404
        assert browser.post(f"{page}/save", happened="Mine now").status_code == 404
        assert "The budget meeting" not in browser.get().text
        assert "The budget meeting" not in browser.get("/round/1/meeting").text
    with world.open_session(world.room.institution.id) as session:
        assert session.scalar(select(func.count()).where(Group.begun_at.is_not(None))) == 0


@pytest.mark.parametrize(("kind", "part"), [("reflection", "reflection"), ("goals", "opening"), ("circle", "opening")])
def test_one_tap_brings_it_to_the_next_meeting_once(world: World, part: str) -> None:
    mette = world.browser("Mette")
    page = begins(mette)
    fields = {"happened": "The budget meeting", "went_well": "I asked first", "base": "1"}
    answer = mette.post(page, follow=False, do="bring:1", **fields)
    assert answer.headers["Location"].endswith(f"/round/1/meeting?part={part}&said=brought#{part}")
    mette.post(page, do="bring:1", base="2")

    for text in ("The budget meeting", "I asked first"):
        assert mette.get("/round/1/meeting").text.count(text) >= 1
        assert world.browser("Jonas").get("/round/1/meeting").text.count(text) == 1
    assert "You brought it to round 1." in mette.get(page).text
    mette.post(page, happened="And another thing", base="9")
    assert "And another thing" not in world.browser("Jonas").get("/round/1/meeting").text


@pytest.mark.parametrize("kind", ["observation"])
def test_a_kind_that_asks_nothing_between_meetings_offers_nothing(world: World) -> None:
    assert BUTTON not in world.browser("Mette").get().text
    assert world.browser("Mette").post("/between").status_code == 404


def test_a_quiet_card_asks_on_the_days_that_the_designer_named(world: World) -> None:
    card = "After the team meeting: what do you take from it?"
    change(world, ReflectionDays(date(2026, 11, 3), Rhythm.WEEKLY, "the team meeting"))
    assert card not in world.browser("Mette").get().text
    world.clock.advance(timedelta(days=1))
    assert card in world.browser("Mette").get().text
    mette = world.browser("Mette")
    mette.post(f"{begins(mette)}/save", happened="We spoke in turns", base="1")
    assert card not in mette.get().text
    assert card in world.browser("Jonas").get().text
    world.clock.advance(timedelta(days=3))
    assert card not in world.browser("Jonas").get().text
    world.clock.advance(timedelta(days=4))
    assert card in world.browser("Mette").get().text


def test_it_is_handed_over_and_goes_with_its_author(world: World) -> None:
    mette = world.browser("Mette")
    mette.post(f"{begins(mette)}/save", happened="The budget meeting", base="1")
    person = world.room.members["Mette"].person_id
    with world.open_session(world.room.institution.id) as session:
        [told] = everything_about(session, person)["between_meetings"]
        assert list(told["texts"].values()) == ["The budget meeting"]
        erase(session, person, now=world.clock.now())
        assert session.scalar(select(func.count()).select_from(Occasion)) == 0


def test_two_devices_keep_both_texts(world: World) -> None:
    mette = world.browser("Mette")
    page = begins(mette)
    mette.post(f"{page}/save", happened="From the phone", base="1", device="phone")
    answer = mette.post(f"{page}/save", happened="From the desk", base="1", device="desk").get_json()
    assert answer["has_conflict"]
    shown = mette.get(page).text
    assert "From the phone" in shown
    assert "From the desk" in shown
    key = shown.split('value="use_aside:')[1].split('"')[0]
    shown = mette.post(page, do=f"use_aside:{key}", base="3").text
    assert re.search(r'<textarea[^>]*name="happened"[^>]*>From the phone<', shown)
