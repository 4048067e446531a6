"""Calendar files of a meeting, and the private address that needs no visit."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from lti_tool.launch.models import Person
from lti_tool.meetings.models import CalendarAddress
from lti_tool.meetings.service.calendars import KEPT_UNREAD, MOST_READS, open_feed
from lti_tool.pairing.models import Group, Seat
from lti_tool.support.db import OpenSession
from lti_tool.web.audit import AuditEntry
from lti_tool.wiring import Services
from lti_tool.workspace import personal_data
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World
from tests.functional.test_meeting_times import TIME, press, proposes


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        room = a_classroom(
            session, "Mette", "Jonas", now=clock.now(), groups=(("Mette", "Jonas"),), title="Öva, och se"
        )
    return World(open_session, clock, client, room)


@pytest.fixture
def mette(world: World) -> Browser:
    return world.browser("Mette")


def agreed(world: World, mette: Browser, **fields: str) -> None:
    proposes(mette, **fields)
    press(world.browser("Jonas"), "Accept")


def address(who: Browser) -> str:
    """A new address, as the page shows it once."""
    found = re.search(r'value="(http://localhost:8000(/calendar/[^"]+\.ics))"', who.post("/calendar", do="make").text)
    assert found is not None
    assert found[1] not in who.get("/calendar").text
    return found[2]


def read(world: World, path: str, **headers: str) -> TestResponse:
    """As a calendar program does: without a cookie or a visit."""
    return world.client.application.test_client().get(path, headers=headers)


def events(answer: TestResponse) -> list[dict[str, object]]:
    assert answer.status_code == 200
    assert answer.mimetype == "text/calendar"
    return [dict(one) for one in Calendar.from_ical(answer.data).walk("VEVENT")]


def test_a_meeting_is_a_file_and_once_canceled_a_file_that_takes_it_out(world: World, mette: Browser) -> None:
    assert mette.post(f"{TIME}/file").status_code == 404
    agreed(world, mette, place="https://video.example/room")
    answer = mette.post(f"{TIME}/file")
    [event] = events(answer)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
    assert event["DTSTART"].dt == datetime(2026, 11, 3, 13, 0, tzinfo=UTC)
    assert (event["SUMMARY"], event["STATUS"], event["SEQUENCE"]) == ("Öva, och se with Jonas", "CONFIRMED", 1)
    assert event["LOCATION"] == event["URL"] == "https://video.example/room"
    press(mette, "Cancel this meeting")
    answer = mette.post(f"{TIME}/file")
    [gone] = events(answer)
    assert answer.headers["Content-Type"].endswith("method=CANCEL")
    assert (gone["UID"], gone["STATUS"], gone["SEQUENCE"]) == (event["UID"], "CANCELLED", 2)


def test_a_rhythm_is_a_file_with_all_its_dates(world: World, mette: Browser) -> None:
    with world.open_session(world.room.institution.id) as session:
        session.merge(world.room.rounds[0]).due_at = world.clock.now() + timedelta(days=30)
    agreed(world, mette, rhythm="fortnightly")
    press(mette, "Skip")
    found = events(mette.post(f"{TIME}/file"))
    assert [one["DTSTART"].dt.day for one in found] == [3, 17, 1]
    assert [one["STATUS"] for one in found] == ["CANCELLED", "CONFIRMED", "CONFIRMED"]
    assert len({one["UID"] for one in found}) == 3


def test_an_address_is_read_without_a_visit_and_follows_every_change(world: World, mette: Browser) -> None:
    path = address(mette)
    assert events(read(world, path)) == []
    agreed(world, mette)
    first = read(world, path)
    [event] = events(first)
    assert "Set-Cookie" not in first.headers
    assert "Jonas" in event["SUMMARY"]
    assert read(world, path, **{"If-None-Match": first.headers["ETag"]}).status_code == 304
    proposes(world.browser("Jonas"), "2026-11-05", "09:00")
    press(mette, "Accept")
    [moved] = events(read(world, path))
    assert (moved["UID"], moved["SEQUENCE"]) == (event["UID"], 2)
    assert moved["DTSTART"].dt == datetime(2026, 11, 5, 8, 0, tzinfo=UTC)


def test_when_the_group_is_gone_the_calendar_shows_it_as_canceled(world: World, mette: Browser) -> None:
    path = address(mette)
    agreed(world, mette)
    with world.open_session(world.room.institution.id) as session:
        group = session.scalars(select(Seat.group_id).distinct()).one()
        session.execute(delete(Seat))
        session.execute(delete(Group).where(Group.id == group))
    [event] = events(read(world, path))
    assert (event["STATUS"], event["SUMMARY"], event["SEQUENCE"]) == ("CANCELLED", "Öva, och se: canceled", 2)


def test_an_address_is_renewed_and_given_up(world: World, mette: Browser) -> None:
    old = address(mette)
    new = address(mette)
    assert read(world, old).status_code == 404
    assert read(world, new).status_code == 200
    assert "no longer works" in mette.post("/calendar", do="give_up").text
    assert read(world, new).status_code == 404
    assert "Get an address" in mette.get("/calendar").text


def test_guesses_and_hurry_are_answered_shortly_and_fill_no_record(world: World, mette: Browser) -> None:
    path = address(mette)
    for _ in range(MOST_READS):
        assert read(world, path).status_code == 200
    busy = read(world, path)
    assert (busy.status_code, busy.headers["Retry-After"], busy.data) == (429, "3600", b"")
    assert read(world, "/calendar/guess.ics").status_code == 404
    with world.open_session() as session:
        assert session.scalars(select(AuditEntry)).all() == []


def test_a_preview_makes_no_address(world: World) -> None:
    preview = world.browser("Ingrid", role="learner", is_preview=True)
    assert preview.get("/calendar").status_code == 404
    assert preview.post("/calendar", do="make").status_code == 404


def test_an_erased_person_has_no_calendar(world: World, mette: Browser) -> None:
    path = address(mette)
    with world.open_session(world.room.institution.id) as session:
        personal_data.erase(session, world.room.members["Mette"].person_id, now=world.clock.now())
    assert read(world, path).status_code == 404


def test_the_calendar_speaks_the_persons_language_where_it_is_there(world: World, mette: Browser) -> None:
    path = address(mette)

    def says(**values: str) -> None:
        with world.open_session(world.room.institution.id) as session:
            session.execute(update(Person).values(**values))

    says(locale="xx-nonsense")
    assert read(world, path).status_code == 200
    says(language="da")
    with world.open_session() as session:
        feed = open_feed(session, path.removeprefix("/calendar/").removesuffix(".ics"), now=world.clock.now())
        assert feed.locale == "da"


def test_an_address_that_nobody_reads_is_deleted_after_a_year(world: World, mette: Browser, services: Services) -> None:
    path = address(mette)
    world.clock.advance(KEPT_UNREAD + timedelta(days=1))
    services.handlers["jobs.purge"](services.kit, None)
    with world.open_session(world.room.institution.id) as session:
        assert session.scalars(select(CalendarAddress)).all() == []
    assert read(world, path).status_code == 404
