"""The language of a page comes from the launch, where there is a catalog for it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask, g
from sqlalchemy import select

from lti_tool.app import create_app
from lti_tool.launch.models import Person
from lti_tool.support.db import OpenSession
from lti_tool.web.i18n import choose_language, show_moment, zone_of
from lti_tool.web.visits import Visit
from lti_tool.wiring import Services
from tests.catalogs import a_catalog
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World


@pytest.fixture
def swedish(services: Services, tmp_path: Path) -> Flask:
    """The app with a Swedish catalog of one sentence."""
    a_catalog(tmp_path, "sv", {"There is nothing here": "Här finns ingenting"})
    a_catalog(tmp_path, "da", {"There is nothing here": "Her er ingenting"}, is_offered=False)
    return create_app(services, translations=tmp_path)


@pytest.mark.parametrize(
    ("launched_in", "browser", "chosen"),
    [
        ("sv", "", "sv"),
        ("sv-SE", "en", "sv"),
        ("en", "sv", "en"),
        (None, "sv,en;q=0.5", "sv"),
        ("xx-nonsense", "", "en"),
        ("fi", "", "en"),
        ("fi", "sv-FI", "sv"),
        ("da", "", "en"),
    ],
)
def test_the_launch_chooses_then_the_browser(
    swedish: Flask, launched_in: str | None, browser: str, chosen: str
) -> None:
    with swedish.test_request_context(headers={"Accept-Language": browser}):
        g.locale = launched_in
        assert choose_language() == chosen


def test_a_page_speaks_the_language_it_has(swedish: Flask) -> None:
    answer = swedish.test_client().get("/nowhere", headers={"Accept-Language": "sv"})
    assert '<html lang="sv"' in answer.text
    assert "Här finns ingenting" in answer.text


def test_a_person_keeps_the_language_that_they_chose(
    swedish: Flask, open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), groups=(("Mette", "Jonas"),))
    world = World(open_session, clock, swedish.test_client(), room)
    mette, in_another_tab = world.browser("Mette"), world.browser("Mette")
    page = mette.get("/help?said=no").text
    assert ('<html lang="en"' in page, "Svenska</button>" in page, "Dansk" in page) == (True, True, False)

    answer = mette.post("/language", language="sv", page="help")
    assert answer.request.path == f"/v/{mette.key}/help"
    assert '<html lang="sv"' in answer.text
    assert 'aria-current="true">Svenska' in answer.text
    assert '<html lang="sv"' in in_another_tab.get("/").text
    with open_session(room.institution.id) as session:
        person = session.get_one(Person, room.members["Mette"].person_id)
        assert (person.language, person.reads_in) == ("sv", "sv")
        assert session.scalar(select(Person.reads_in).where(Person.id == person.id)) == "sv"
    assert '<html lang="en"' in world.browser("Jonas").get("/").text
    assert mette.post("/language", language="da").status_code == 404


def test_a_language_without_a_catalog_falls_back_to_english(app: Flask) -> None:
    answer = app.test_client().get("/nowhere", headers={"Accept-Language": "fi"})
    assert '<html lang="en"' in answer.text


MOMENT = datetime(2026, 11, 5, 22, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Europe/Stockholm", "Thu 5 Nov, 23:59"),
        ("UTC", "Thu 5 Nov, 22:59 UTC"),
        ("99", "Thu 5 Nov, 22:59 UTC"),
        (None, "Thu 5 Nov, 22:59 UTC"),
        ("Europe/London", "Thu 5 Nov, 22:59"),
    ],
)
def test_a_date_in_universal_time_says_so(app: Flask, zone: str | None, shown: str) -> None:
    with app.test_request_context():
        text = str(show_moment(MOMENT, zone_of(None, zone), MOMENT))
    assert f'>{shown}<span class="not-on-paper"> (' in text


@pytest.mark.parametrize(
    ("own", "shown_in"), [("Asia/Tokyo", "Asia/Tokyo"), ("99", "Europe/Oslo"), (None, "Europe/Oslo")]
)
def test_dates_are_the_readers_own_before_the_activity_s(own: str | None, shown_in: str) -> None:
    assert zone_of(Visit(time_zone=own), "Europe/Oslo").key == shown_in
