"""Two members of a group have the page of their meeting open at once, on a phone and on a desk."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.launch.models import Member
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import issue_entry
from tests.browser.journey import violations
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock

Enter = Callable[[str], Page]
SHOTS = os.environ.get("TANDEM_TEST_SHOTS")
"""A folder for pictures of what the tests see."""


@pytest.fixture
def kind() -> str:
    return "reflection"


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock, kind: str) -> Classroom:
    with open_session() as session:
        names = ("Mette", "Jonas", "Ada") if kind == "circle" else ("Mette", "Jonas")
        guided = {"guided_rounds": 1} if kind == "circle" else {}
        return a_classroom(session, *names, now=clock.now(), groups=(names,), kind=kind, **guided)


@pytest.fixture
def launch(context: BrowserContext, url: str, room: Classroom, open_session: OpenSession, kit: Kit) -> Enter:
    """Come in as somebody, in a tab of the size of a phone for all but Jonas."""

    def begin(who: str) -> Page:
        with open_session(room.institution.id) as session:
            member = session.get_one(Member, room.members[who].id)
            now = kit.clock.now()
            visit, secret = a_visit(session, member, room.registration, now=now, placement_id=room.placement.id)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.set_viewport_size({"width": 1280, "height": 800} if who == "Jonas" else {"width": 390, "height": 844})
        page.goto(f"{url}/v/{visit.key}/?c={code}")
        return page

    return begin


@pytest.fixture
def enter(launch: Enter) -> Enter:
    """Open the meeting as one of its members."""

    def begin(who: str) -> Page:
        page = launch(who)
        page.get_by_role("link", name="Open the meeting").click()
        expect(page.get_by_role("heading", name="Meeting in round 1")).to_be_visible()
        return page

    return begin


def unfold(page: Page, heading: str) -> None:
    page.locator("summary", has_text=heading).first.click()


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def test_a_partner_s_words_appear_while_i_type(enter: Enter) -> None:
    mette, jonas = enter("Mette"), enter("Jonas")
    for page in (mette, jonas):
        unfold(page, "Check-in")
        unfold(page, "Action plan")
    mette.get_by_label("A win or a challenge since last time").fill("The workshop went well")
    expect(jonas.locator("#check_in-theirs")).to_contain_text("The workshop went well")

    plan = "What each of us does until next time"
    jonas.get_by_label(plan).fill("Jonas asks for help on Monday.")
    expect(mette.get_by_label(plan)).to_have_value("Jonas asks for help on Monday.")
    expect(mette.locator("#plan_words-writer")).to_contain_text("Jonas wrote here last")

    # Both write on it in the same second: what either typed is there in the end, for both.
    mette.get_by_label(plan).press_sequentially(" Mette listens.")
    jonas.get_by_label(plan).press("Home")
    jonas.get_by_label(plan).press_sequentially("First: ")
    for page in (mette, jonas):
        expect(page.get_by_label(plan)).to_have_value("First: Jonas asks for help on Monday. Mette listens.")
    shoot(mette, "meeting-390")
    shoot(jonas, "meeting-1280")
    assert violations(mette) == []
    assert mette.evaluate("document.documentElement.scrollWidth") <= 390


def test_one_tap_says_that_we_have_met(enter: Enter) -> None:
    mette, jonas = enter("Mette"), enter("Jonas")
    unfold(jonas, "Close")
    unfold(mette, "Close")
    mette.get_by_role("button", name="We have met").click()
    expect(mette.get_by_role("button", name="Undo: held")).to_be_visible()
    expect(jonas.locator("#meet-state")).to_contain_text("held")
    shoot(jonas, "met-1280")


@pytest.mark.parametrize("kind", ["circle"])
def test_all_screens_show_one_timer(enter: Enter, kind: str) -> None:
    mette, jonas = enter("Mette"), enter("Jonas")
    for page in (mette, jonas):
        unfold(page, "The case")
    mette.get_by_role("button", name="Begin The case").click()
    expect(jonas.locator(".timer")).to_contain_text("left")
    expect(mette.locator(".timer")).to_contain_text("left")
    shoot(mette, "circle-390")
    assert violations(mette) == []


@pytest.mark.parametrize("kind", ["circle"])
def test_staff_take_the_facilitators_seat_and_leave_it(launch: Enter, enter: Enter, kind: str) -> None:
    mette, ingrid = enter("Mette"), launch("Ingrid")
    mette.get_by_role("button", name="I agree").click()
    expect(mette.get_by_role("button", name="Undo: agreed")).to_be_visible()
    ingrid.goto(f"{ingrid.url.split('?')[0].rstrip('/')}/meetings")
    shoot(ingrid, "meetings-390")
    ingrid.get_by_role("button", name="Take the seat").click()
    expect(ingrid.get_by_role("heading", name="You facilitate a meeting in round 1")).to_be_visible()
    expect(mette.locator("#who")).to_contain_text("Ingrid from the staff facilitates this meeting")
    unfold(mette, "Check-in")
    mette.get_by_label("A win or a challenge since last time").fill("The workshop went well")
    unfold(ingrid, "Check-in")
    expect(ingrid.locator("#check_in-group")).to_contain_text("The workshop went well")
    ingrid.get_by_role("button", name="Begin The case").click()
    expect(ingrid.locator(".timer")).to_contain_text("left")
    unfold(mette, "The case")
    expect(mette.locator(".timer")).to_contain_text("left")
    for page, name in ((ingrid, "facilitator-390"), (mette, "facilitated-390")):
        shoot(page, name)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    ingrid.get_by_role("button", name="Leave the seat").click()
    expect(ingrid.get_by_role("button", name="Take the seat")).to_be_visible()
    expect(mette.locator("#who")).not_to_contain_text("from the staff facilitates")
