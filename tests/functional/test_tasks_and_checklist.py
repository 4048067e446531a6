"""The list of tasks and the list of what counts say the same of the same thing, at every moment."""

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from lti_tool.activities.models import Activity, Allowance
from lti_tool.activities.rules import ActivityState, RoundDates
from lti_tool.launch.models import Member
from lti_tool.support.db import OpenSession
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World

STATE = re.compile(r'class="state state-(\w+)"><span[^>]*></span>([^<]*)</span>')


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        dates = (RoundDates(clock.now() + timedelta(days=1), clock.now() + timedelta(days=7)),)
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), rounds=dates)
        room.activity.completion = {"give_feedback": True, "acknowledge": True, "minimum_notes": 1}
    return World(open_session, clock, client, room)


def lists(page: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """How each task stands in the round's list, and in the list of what counts."""
    tasks, _, counted = page.partition('id="complete"')
    return STATE.findall(tasks), STATE.findall(counted)


def test_both_lists_agree_at_every_moment(world: World, clock: FakeClock) -> None:
    seen = []

    def agree() -> None:
        for who in ("Mette", "Jonas"):
            page = world.browser(who).get().text
            tasks, counted = lists(page)
            # Who is excused from everything has no list of what counts.
            assert tasks == counted or (counted == [] and "You do not need to do anything here" in page)
            assert len(tasks) == 3
            seen.extend(word for _, word in tasks)

    def change(**values: object) -> None:
        with world.open_session(world.room.institution.id) as session:
            for name, value in values.items():
                setattr(session.get_one(Activity, world.room.activity.id), name, value)

    agree()
    clock.advance(timedelta(days=2))
    agree()
    mette = world.browser("Mette")
    mette.post(world.writing("Jonas"), do="save", strengths="Half")
    agree()
    world.gives("Mette", "Jonas", note_draft="asks and waits")
    agree()
    with world.open_session(world.room.institution.id) as session:
        session.add(
            Allowance(
                round_id=world.room.rounds[0].id,
                member_id=world.room.members["Jonas"].id,
                due_at=None,
                is_excused=True,
                given_by_id=world.room.members["Ingrid"].person_id,
                given_at=clock.now(),
            )
        )
    agree()
    with world.open_session(world.room.institution.id) as session:
        session.query(Allowance).delete()
    clock.advance(timedelta(days=8))
    agree()
    late = world.gives("Jonas", "Mette", note_draft="waits")
    agree()
    mette = world.browser("Mette")
    mette.post(f"/feedback/{late}/answer", do="send", heard="I wait.", will_use="One breath.")
    agree()
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Member, world.room.members["Jonas"].id).status = "inactive"
    agree()
    change(state=ActivityState.CLOSED, closed_at=clock.now())
    agree()

    assert {
        "not open yet", "not yet", "started", "given", "given after the due date", "written", "overdue", "not needed",
        "waiting for Jonas", "given, not shown yet", "ready to read", "answered",
    } <= set(seen)  # fmt: skip


@pytest.mark.parametrize(
    ("own", "activity", "shown"),
    [
        ("America/New_York", "Europe/Stockholm", "America/New_York"),
        (None, "Europe/Stockholm", "Europe/Stockholm"),
        ("99", "Europe/Stockholm", "Europe/Stockholm"),
        ("Nowhere/Land", "Europe/Stockholm", "Europe/Stockholm"),
    ],
)
def test_times_beside_saved_texts_and_notes_are_the_readers_own(
    world: World, clock: FakeClock, own: str | None, activity: str, shown: str
) -> None:
    clock.advance(timedelta(days=2))
    mette = world.browser("Mette", time_zone=own)
    path = f"/v/{mette.key}{world.writing('Jonas')}"
    mette.post(world.writing("Jonas"), do="add_note", note_draft="asks and waits")
    now = f"{clock.now().astimezone(ZoneInfo(shown)):%H:%M}"

    page = mette.get(world.writing("Jonas")).text

    assert re.search(rf'<time class="hint"[^>]*>[^<]*{now}</time>', page)
    assert re.search(rf"Last saved [^<]*{now}", page)
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    saved = mette.client.post(f"{path}/save", data={"form_token": token[1], "strengths": "Half"})
    assert saved.json["clock"] == now
