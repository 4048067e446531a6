"""On a phone: a reflection saves itself and comes to the meeting by a tap; staff unfold one learner of many."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.activities.rules import KINDS, Completion
from lti_tool.launch.models import Member
from lti_tool.meetings import service as meetings
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import issue_entry
from tests.browser.journey import violations
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.people import a_visit

Open = Callable[[str, str], Page]


@pytest.fixture
def room(open_session: OpenSession, kit: Kit) -> Classroom:
    """Mette has waited for Jonas for two days."""
    now = kit.clock.now()
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=now, kind="reflection")
        room.activity.completion = Completion.usual(KINDS["reflection"]).to_json()
        planned = meetings.find_planned(session, room.activity, 1, room.members["Mette"].id)
        meetings.nudge(session, planned, room.members["Jonas"].id, now=now - timedelta(days=2))
    return room


@pytest.fixture
def open_page(context: BrowserContext, url: str, room: Classroom, open_session: OpenSession, kit: Kit) -> Open:
    def begin(who: str, path: str) -> Page:
        with open_session(room.institution.id) as session:
            member, now = session.get_one(Member, room.members[who].id), kit.clock.now()
            visit, secret = a_visit(session, member, room.registration, now=now, placement_id=room.placement.id)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{url}/v/{visit.key}{path}?c={code}")
        return page

    return begin


def look(page: Page) -> None:
    assert violations(page) == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_reflection_saves_itself_and_is_brought_to_the_meeting(open_page: Open) -> None:
    page = open_page("Mette", "/")
    page.get_by_role("button", name="Something just happened: reflect").click()
    page.get_by_label("What happened?").fill("The budget meeting")
    expect(page.locator("[data-saved-for=happened]")).to_contain_text("Saved")
    look(page)
    page.reload()
    expect(page.get_by_label("What happened?")).to_have_value("The budget meeting")
    page.get_by_role("button", name="Bring it to the meeting in round 1").click()
    expect(page.get_by_text("It is here now.")).to_be_visible()
    expect(page.get_by_label("What happened?")).to_have_value("The budget meeting")


def test_a_learner_goes_on_alone_by_one_tap(open_page: Open) -> None:
    page = open_page("Mette", "/")
    page.get_by_role("button", name="Go on alone").click()
    expect(page.get_by_text("You go on without Jonas.")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Work with Jonas after all").click()
    expect(page.get_by_text("Everything that you do together counts again.")).to_be_visible()


def test_staff_unfold_the_steps_of_one_learner(open_page: Open) -> None:
    page = open_page("Ingrid", "/progress")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="Mette"))
    steps = row.get_by_role("cell")
    expect(steps).to_have_count(0)
    row.locator("summary").click()
    expect(steps.filter(has_text="To do").first).to_be_visible()
    look(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(row.locator("summary")).to_be_hidden()
    expect(page.get_by_role("row").filter(has_text="Jonas").get_by_role("cell").first).to_be_visible()
