"""A pair agrees on a time on two phones, held against axe on every page."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.attributes.models import MemberAttribute
from lti_tool.launch.models import Member
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import issue_entry
from tests.browser.journey import COLORS, EVERYTHING, violations
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock

PHONE = {"width": 390, "height": 844}
Open = Callable[..., Page]


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock) -> Classroom:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        for name in ("Mette", "Jonas"):
            session.add(
                MemberAttribute(
                    member_id=room.members[name].id,
                    attribute="slots",
                    value={"names": ["wed-pm", "fri-am"]},
                    source="questionnaire",
                    changed_at=clock.now(),
                )
            )
        return room


@pytest.fixture
def open_page(context: BrowserContext, url: str, room: Classroom, open_session: OpenSession, kit: Kit) -> Open:
    """The first page of somebody's visit, on a phone."""

    def begin(who: str, **values: object) -> Page:
        with open_session(room.institution.id) as session:
            member = session.get_one(Member, room.members[who].id)
            now = kit.clock.now()
            place = room.placement.id
            visit, secret = a_visit(session, member, room.registration, now=now, placement_id=place, **values)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.set_viewport_size(PHONE)
        page.goto(f"{url}/v/{visit.key}/?c={code}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    return begin


def look(page: Page) -> None:
    """No fault that axe knows, light and dark, and nothing that scrolls sideways."""
    page.wait_for_load_state()
    for scheme, rules in (("light", EVERYTHING), ("dark", COLORS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page, rules) == [], f"{scheme}: {page.url}"
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{page.url} scrolls sideways"


def test_a_pair_finds_a_time_on_two_phones(open_page: Open) -> None:
    mette = open_page("Mette")
    expect(mette.get_by_text("No time yet.")).to_be_visible()
    look(mette)
    mette.get_by_role("button", name="Jonas does not answer").click()
    expect(mette.get_by_text("You have been waiting for Jonas")).to_be_visible()
    look(mette)
    mette.get_by_role("link", name="Propose a time").click()
    expect(mette.get_by_role("heading", level=1, name="Time and place, round 1")).to_be_visible()
    look(mette)
    mette.get_by_role("button", name="Propose", exact=True).click()
    expect(mette.get_by_role("link", name="Choose or type at least one time.")).to_be_visible()
    look(mette)
    mette.get_by_label("Wed 4 Nov, 13:00").check()
    mette.get_by_label("Date").first.fill("2026-11-05")
    mette.get_by_label("Time", exact=True).first.fill("16:30")
    mette.get_by_label("How often").select_option("weekly")
    mette.get_by_label("Place or link").fill("https://video.example/our-room")
    mette.get_by_role("button", name="Propose", exact=True).click()
    expect(mette.get_by_text("Proposed by you. Waiting for Jonas.")).to_be_visible()
    look(mette)

    jonas = open_page("Jonas", time_zone="America/New_York")
    expect(jonas.get_by_text("Mette is waiting for your answer about round 1.")).to_be_visible()
    expect(jonas.get_by_text("There: Wed 4 Nov, 13:00 (Europe/Stockholm)")).to_be_visible()
    look(jonas)
    jonas.get_by_role("button", name="Accept Wed 4 Nov, 07:00").click()
    expect(jonas.get_by_text("Agreed: Wed 4 Nov, 07:00 (America/New_York).")).to_be_visible()
    expect(jonas.get_by_text("is waiting for your answer")).to_have_count(0)
    look(jonas)
    jonas.get_by_role("link", name="Time and place").click()
    expect(jonas.get_by_role("heading", name="All dates")).to_be_visible()
    look(jonas)
    with jonas.expect_download() as file:
        jonas.get_by_role("button", name="Download the calendar file").click()
    assert file.value.suggested_filename == "meeting.ics"
    jonas.get_by_role("link", name="Have your calendar follow").click()
    look(jonas)
    jonas.get_by_role("button", name="Get an address").click()
    expect(jonas.get_by_label("Your address.")).to_have_value(re.compile(r"/calendar/[\w-]{43}\.ics$"))
    look(jonas)

    mette.bring_to_front()
    mette.reload()
    mette.get_by_role("button", name="Cancel all dates").click()
    expect(mette.get_by_text("You canceled: Wed 4 Nov, 13:00 (Europe/Stockholm).")).to_be_visible()
    look(mette)
    mette.get_by_role("button", name="Undo").click()
    expect(mette.get_by_text("Agreed: Wed 4 Nov, 13:00 (Europe/Stockholm).")).to_be_visible()
