"""Notes that the checklist asks for: asked for where they are written, and never a way to be locked out."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState
from lti_tool.feedback.models import Entry
from lti_tool.pairing.models import Group
from lti_tool.progress.service import progress_of
from lti_tool.support.db import OpenSession
from tests.factories.feedback import TEXTS, a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World

ASKS_FOR_TWO = {"give_feedback": True, "acknowledge": True, "write_notes": 2}


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
    world = World(open_session, clock, client, room)
    ask_for(world, ASKS_FOR_TWO)
    return world


def ask_for(world: World, completion: dict[str, object]) -> None:
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).completion = completion


def is_complete(world: World, who: str) -> bool:
    with world.open_session(world.room.institution.id) as session:
        return progress_of(session, world.room.activity.id, world.room.members[who].id, world.clock.now()).is_complete


def test_the_form_says_how_many_notes_are_asked_for_and_feedback_is_not_taken_without_them(world: World) -> None:
    mette = world.browser("Mette")
    assert "At least 2 notes are needed." in mette.get(world.writing("Jonas")).text

    page = mette.post(world.writing("Jonas"), do="give", **TEXTS, **world.levels()).text

    assert "Add 2 more notes" in page
    assert 'href="#note_draft"' in page
    assert TEXTS["strengths"] in page
    assert "Write down what you observe" not in mette.get().text
    assert "Continue writing" in mette.get().text


def test_a_note_that_is_typed_and_not_added_counts(world: World) -> None:
    mette = world.browser("Mette")
    mette.post(world.writing("Jonas"), do="add_note", note_draft="asks and waits")
    page = mette.post(world.writing("Jonas"), do="give", note_draft="and smiles", **TEXTS, **world.levels())
    assert "Feedback given." in page.text


def test_notes_that_are_asked_for_later_can_be_added_to_feedback_that_was_read(world: World, clock: FakeClock) -> None:
    ask_for(world, {**ASKS_FOR_TWO, "write_notes": 0})
    given = world.gives("Mette", "Jonas")
    theirs = world.gives("Jonas", "Mette")
    mette = world.browser("Mette")
    world.browser("Jonas").get(f"/feedback/{given}")
    mette.post(f"/feedback/{theirs}/answer", do="send", heard="I wait.", will_use="One breath.")
    assert is_complete(world, "Mette")
    ask_for(world, ASKS_FOR_TWO)
    clock.advance(timedelta(days=8))
    mette = world.browser("Mette")

    home = mette.get().text
    assert "It still needs 2 notes about what you saw." in home
    assert "Your feedback for Jonas was due" not in home
    page = mette.client.get(
        f"/v/{mette.key}{world.writing('Jonas')}?notes=1", headers={"Accept": "text/html"}, follow_redirects=True
    )
    assert page.request.path.endswith(f"/feedback/{given}")
    assert 'name="note_draft"' in page.text
    for text in ("asks and waits", "and smiles"):
        page = mette.post(world.writing("Jonas"), do="add_note", note_draft=text)
        assert "Note added." in page.text
        assert text in page.text

    assert is_complete(world, "Mette")
    home = mette.get().text
    assert "overdue" not in home
    assert "It still needs" not in home


def test_the_receiver_never_sees_the_notes(world: World) -> None:
    ask_for(world, {**ASKS_FOR_TWO, "write_notes": 0})
    given = world.gives("Mette", "Jonas", note_draft="N-SECRET")
    world.gives("Jonas", "Mette")
    assert "N-SECRET" in world.browser("Mette").get(f"/feedback/{given}").text
    theirs = world.browser("Jonas").get(f"/feedback/{given}").text
    assert "N-SECRET" not in theirs
    assert 'name="note_draft"' not in theirs


def test_a_closed_activity_shows_notes_and_takes_none(world: World, clock: FakeClock) -> None:
    ask_for(world, {**ASKS_FOR_TWO, "write_notes": 0})
    given = world.gives("Mette", "Jonas", note_draft="asks and waits")
    with world.open_session(world.room.institution.id) as session:
        activity = session.get_one(Activity, world.room.activity.id)
        activity.state, activity.closed_at = ActivityState.CLOSED, clock.now()
    page = world.browser("Mette").get(f"/feedback/{given}").text
    assert "asks and waits" in page
    assert 'name="note_draft"' not in page


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "give"},
        {"do": "save", "strengths": "  \n"},
        {"do": "add_note", "note_draft": " "},
        {"do": "remove_note:1"},
        {"do": "use_aside:abc"},
    ],
    ids=lambda fields: fields["do"],
)
def test_an_empty_form_begins_nothing(world: World, fields: dict[str, str]) -> None:
    mette = world.browser("Mette")
    page = mette.post(world.writing("Jonas"), **fields)
    mette.client.post(f"/v/{mette.key}{world.writing('Jonas')}/save", data=fields)
    assert page.status_code == 200
    if fields["do"] == "give":
        assert "Write at least one strength" in page.text
    with world.open_session(world.room.institution.id) as session:
        assert session.scalars(select(Entry)).all() == []
        assert session.scalars(select(Group.begun_at)).all() == [None]
    assert "Write down what you observe" in mette.get().text


def test_one_word_begins_the_group(world: World) -> None:
    world.browser("Mette").post(world.writing("Jonas"), do="save", strengths="You waited")
    with world.open_session(world.room.institution.id) as session:
        assert session.scalars(select(Group.begun_at)).all() == [world.clock.now()]
