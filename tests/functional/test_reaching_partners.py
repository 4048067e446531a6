"""How learners reach a partner from their first page: by mail where that is allowed, else by a note."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState
from lti_tool.feedback.models import PartnerNote
from lti_tool.feedback.service.partner_notes import LONGEST
from lti_tool.launch.models import Member, Person
from lti_tool.pairing.models import Seat
from lti_tool.progress import service as progress
from lti_tool.registration.models import Institution
from lti_tool.support.db import OpenSession
from lti_tool.web.audit import AuditEntry
from lti_tool.web.visits import VisitKind
from lti_tool.workspace import personal_data
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World

PLACE = "Monday at ten,\nroom <4>?"


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        room = a_classroom(
            session, "Mette", "Jonas", "Femke", "Zoë", now=clock.now(), groups=(("Mette", "Jonas"), ("Femke", "Zoë"))
        )
        for name in ("Mette", "Jonas"):
            session.get_one(Person, room.members[name].person_id).email = f"{name.lower()}@campus.example"
    return World(open_session, clock, client, room)


def allow_addresses(world: World) -> None:
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Institution, world.room.institution.id).shows_addresses = True


def tells(world: World, author: str, recipient: str, text: str) -> str:
    return world.browser(author).post(f"{world.writing(recipient)}/tell", partner_note=text).text


def notes(world: World) -> list[str]:
    with world.open_session(world.room.institution.id) as session:
        return list(session.scalars(select(PartnerNote.text).order_by(PartnerNote.id)))


def test_no_address_is_shown_unless_the_institution_allows_it(world: World) -> None:
    assert "@campus.example" not in world.browser("Mette").get().text
    allow_addresses(world)
    page = world.browser("Mette").get().text
    assert 'href="mailto:jonas@campus.example"' in page
    assert "They also see your address" in page
    assert "mette@campus.example" not in page


def test_only_the_own_partners_address_is_shown_and_to_nobody_who_looks_otherwise(world: World) -> None:
    allow_addresses(world)
    assert "@campus.example" not in world.browser("Femke").get().text
    assert "@campus.example" not in world.browser("Ingrid").get().text
    assert "@campus.example" not in world.browser("Ingrid", role="learner", is_preview=True).get().text


def test_where_the_platform_tells_no_address_a_note_takes_its_place(world: World) -> None:
    allow_addresses(world)
    page = world.browser("Femke").get().text
    assert "mailto:" not in page
    assert "Write a note to Zoë" in page


def test_after_the_due_date_partners_reach_each_other_by_notes_alone(world: World) -> None:
    allow_addresses(world)
    tells(world, "Jonas", "Mette", PLACE)
    world.clock.advance(timedelta(days=8))
    page = world.browser("Mette").get().text
    assert "mailto:" not in page
    assert "Write a note to Jonas" in page
    assert "Monday at ten" in page
    assert "Your partner sees it on their first page." in tells(world, "Mette", "Jonas", "Still on Friday?")
    assert "Still on Friday?" in world.browser("Jonas").get().text


def test_who_was_given_more_time_sees_the_address_until_then(world: World) -> None:
    allow_addresses(world)
    with world.open_session(world.room.institution.id) as session:
        progress.allow(
            session,
            world.room.activity,
            1,
            [world.room.members["Mette"].id],
            due_at=world.clock.now() + timedelta(days=14),
            is_excused=False,
            by=1,
            now=world.clock.now(),
        )
    world.clock.advance(timedelta(days=8))
    page = world.browser("Mette").get().text
    assert 'href="mailto:jonas@campus.example"' in page
    assert "They also see your address" not in page
    assert "mailto:" not in world.browser("Jonas").get().text
    world.clock.advance(timedelta(days=8))
    assert "mailto:" not in world.browser("Mette").get().text


def test_the_address_of_a_partner_who_left_the_course_is_not_shown(world: World) -> None:
    allow_addresses(world)
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Member, world.room.members["Jonas"].id).status = "inactive"
    page = world.browser("Mette").get().text
    assert "mailto:" not in page
    assert "Write a note to Jonas" not in page


def test_a_closed_activity_offers_no_way_to_a_partner(world: World) -> None:
    allow_addresses(world)
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).state = ActivityState.CLOSED
    page = world.browser("Mette").get().text
    assert "mailto:" not in page
    assert "Write a note to Jonas" not in page


def test_a_note_stands_on_the_partners_first_page_and_nowhere_else(world: World) -> None:
    page = tells(world, "Mette", "Jonas", PLACE)
    assert "Your partner sees it on their first page." in page
    assert "Your note to Jonas" in page

    theirs = world.browser("Jonas").get().text

    assert "Mette tells you:" in theirs
    assert "Monday at ten,\nroom &lt;4&gt;?" in theirs
    for other in ("Femke", "Ingrid"):
        assert "Monday at ten" not in world.browser(other).get().text


def test_a_new_note_takes_the_place_of_the_old_one_and_an_empty_one_takes_it_away(world: World) -> None:
    tells(world, "Mette", "Jonas", "Monday?")
    tells(world, "Mette", "Jonas", "Tuesday!")
    assert notes(world) == ["Tuesday!"]
    tells(world, "Mette", "Jonas", "  ")
    assert notes(world) == []
    assert "Mette tells you:" not in world.browser("Jonas").get().text


def test_a_note_that_is_too_long_is_refused_with_its_text(world: World) -> None:
    answer = world.browser("Mette").post(f"{world.writing('Jonas')}/tell", partner_note="x" * LONGEST + " end")
    assert answer.status_code == 413
    assert "Shorten it to 500 characters" in answer.text
    assert "x end" in answer.text
    assert notes(world) == []


def test_nobody_tells_anything_to_somebody_outside_of_the_group_or_after_the_close(world: World) -> None:
    answer = world.browser("Mette").post(f"{world.writing('Femke')}/tell", partner_note=PLACE)
    assert answer.status_code == 404
    assert "Monday at ten" in answer.text
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).state = ActivityState.CLOSED
    assert world.browser("Mette").post(f"{world.writing('Jonas')}/tell", partner_note=PLACE).status_code == 409
    assert notes(world) == []


def test_whoever_takes_a_partners_place_does_not_read_their_note(world: World) -> None:
    tells(world, "Mette", "Jonas", PLACE)
    with world.open_session(world.room.institution.id) as session:
        jonas, femke = (world.room.members[name].id for name in ("Jonas", "Femke"))
        group = session.scalars(select(Seat.group_id).where(Seat.member_id == jonas)).one()
        session.execute(delete(Seat).where(Seat.member_id.in_([jonas])))
        seat = session.scalars(select(Seat).where(Seat.member_id == femke)).one()
        seat.group_id, seat.turn = group, 2
    assert "Monday at ten" not in world.browser("Femke").get().text
    assert "Monday at ten" not in world.browser("Jonas").get().text


def test_notes_are_exported_and_go_with_their_author(world: World) -> None:
    tells(world, "Mette", "Jonas", PLACE)
    tells(world, "Jonas", "Mette", "Gladly")
    mette = world.room.members["Mette"].person_id
    with world.open_session(world.room.institution.id) as session:
        told = personal_data.everything_about(session, mette)["notes_to_partners"]
        assert [(one["direction"], one["text"]) for one in told] == [("given", PLACE), ("received", "Gladly")]
        personal_data.erase(session, mette, now=world.clock.now())
    assert notes(world) == ["Gladly"]


def test_an_administrator_allows_addresses_and_takes_it_back(world: World) -> None:
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Person, world.room.members["Ingrid"].person_id).is_administrator = True
    tab = world.browser("Ingrid", kind=VisitKind.INSTITUTION, frame_origins=[])

    def is_allowed() -> bool:
        with world.open_session(world.room.institution.id) as session:
            return session.get_one(Institution, world.room.institution.id).shows_addresses

    def post(**fields: str) -> int:
        page = tab.get("/institution/people").text
        token = page.split('name="form_token" value="')[1].split('"')[0]
        path = f"/v/{tab.key}/institution/people/addresses"
        return tab.client.post(path, data={"form_token": token, **fields}, headers={"Accept": "text/html"}).status_code

    assert not is_allowed()
    assert "Partners see each other’s e-mail address" in tab.get("/institution/people").text
    assert post(shows_addresses="1") == 303
    assert is_allowed()
    assert "checked" in tab.get("/institution/people").text
    assert post() == 303
    assert not is_allowed()
    with world.open_session(world.room.institution.id) as session:
        entries = session.scalars(select(AuditEntry.what).order_by(AuditEntry.id)).all()
    assert entries == ["addresses shown", "addresses hidden"]
