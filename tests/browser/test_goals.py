"""Two partners on their phones: a wish becomes a goal, an action is looked back at, a win is answered."""

from collections.abc import Callable

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

Open = Callable[..., Page]


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock) -> Classroom:
    with open_session() as session:
        return a_classroom(session, "Mette", "Jonas", now=clock.now())


@pytest.fixture
def open_page(context: BrowserContext, url: str, room: Classroom, open_session: OpenSession, kit: Kit) -> Open:
    """Open the goals of a person on a phone, in a frame; or in a window of their own, which may be dark."""

    def begin(who: str, *, is_dark: bool = False) -> Page:
        with open_session(room.institution.id) as session:
            member, now = session.get_one(Member, room.members[who].id), kit.clock.now()
            origins = {"frame_origins": []} if is_dark else {}
            place = room.placement.id
            visit, secret = a_visit(session, member, room.registration, now=now, placement_id=place, **origins)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.emulate_media(color_scheme="dark" if is_dark else "light", reduced_motion="reduce")
        page.goto(f"{url}/v/{visit.key}/goals?c={code}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    return begin


def look(page: Page) -> None:
    """Everything unfolded: no fault that axe knows, nothing that scrolls sideways, nothing too small for a thumb."""
    page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    assert violations(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{page.url} scrolls sideways"
    low = page.evaluate(
        "[...document.querySelectorAll('main :is(button, summary, .btn)')]"
        ".filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44).map((one) => one.innerText)"
    )
    assert low == []


def test_two_partners_with_a_goal_an_action_and_a_win(open_page: Open) -> None:
    mette, jonas = open_page("Mette"), open_page("Jonas", is_dark=True)
    look(mette)
    mette.get_by_role("link", name="Set a goal").click()
    look(mette)
    mette.get_by_label("What do you want to reach?").fill("Better meetings")
    mette.get_by_label("Value to reach").fill("three")
    mette.get_by_role("button", name="Save the goal").click()
    expect(mette.get_by_role("alert")).to_contain_text("Value to reach: type a number")
    expect(mette.get_by_label("What do you want to reach?")).to_have_value("Better meetings")
    look(mette)
    mette.get_by_label("Value to reach").fill("3")
    mette.get_by_role("button", name="Save the goal").click()
    expect(mette.get_by_text("Your goal is set. Jonas can read it.")).to_be_visible()
    expect(mette.get_by_text("How will you know that you have reached it?")).to_be_visible()
    look(mette)

    jonas.reload()
    jonas.get_by_role("link", name="Better meetings").click()
    jonas.get_by_label("Your question").fill("What would Anna see you do?")
    jonas.get_by_role("button", name="Write it beside the goal").click()
    expect(jonas.get_by_text("Your text is now beside the goal.")).to_be_visible()
    look(jonas)

    mette.reload()
    expect(mette.get_by_text("What would Anna see you do?")).to_be_visible()
    mette.get_by_role("link", name="Sharpen it").click()
    mette.get_by_label("What do you want to reach?").fill("I ask three open questions in every meeting")
    mette.get_by_label("How will you know").fill("I count them")
    mette.get_by_label("Value now").fill("1")
    mette.get_by_role("button", name="Save the goal").click()
    expect(mette.get_by_text("1 earlier wording")).to_be_visible()
    mette.get_by_text("Check in", exact=True).click()
    mette.get_by_label("Value today").fill("2")
    mette.get_by_label("How is it going?").fill("Two on Monday")
    mette.get_by_label("What support do you want?").fill("A sign when I interrupt")
    mette.get_by_role("button", name="Save the check-in").click()
    expect(mette.get_by_role("img", name="From 1 to 3: 2 now")).to_be_visible()
    look(mette)

    mette.get_by_role("link", name="Back to goals and actions").click()
    mette.get_by_text("Write down an action").click()
    mette.get_by_label("What will you do?").fill("Ask Anna first")
    mette.get_by_role("button", name="Write it down").click()
    expect(mette.get_by_text("Your action is written down.")).to_be_visible()
    mette.get_by_role("button", name="Done").click()
    expect(mette.get_by_text("Done. Well done.")).to_be_visible()
    mette.get_by_role("button", name="Undo").click()
    expect(mette.get_by_text("The action is open again.")).to_be_visible()
    mette.get_by_text("Log a win").click()
    mette.get_by_label("What went well?").fill("Everybody spoke")
    mette.get_by_role("button", name="Log it").click()
    expect(mette.get_by_text("Your win is logged.")).to_be_visible()
    look(mette)

    jonas.get_by_role("link", name="Back to goals and actions").click()
    expect(jonas.get_by_text("A sign when I interrupt")).to_be_visible()
    expect(jonas.get_by_text("Ask Anna first")).to_be_visible()
    jonas.locator("summary", has_text="Answer").click()
    jonas.get_by_label("Your line").first.fill("It changed the hour")
    jonas.get_by_role("button", name="Send the line").first.click()
    expect(jonas.get_by_text("Your line is now beside the win.")).to_be_visible()
    look(jonas)


def test_a_goal_that_was_typed_and_not_saved_is_there_after_a_reload(open_page: Open) -> None:
    page = open_page("Mette")
    page.get_by_role("link", name="Set a goal").click()
    page.get_by_label("What do you want to reach?").fill("Half a thought")
    page.wait_for_function("Object.keys(localStorage).some((name) => name.startsWith('tandem.text.'))")
    page.reload()
    expect(page.get_by_label("What do you want to reach?")).to_have_value("Half a thought")
    page.get_by_role("button", name="Save the goal").click()
    expect(page.get_by_text("Your goal is set.")).to_be_visible()
    page.get_by_role("link", name="Back to goals and actions").click()
    page.get_by_role("link", name="Set a goal").click()
    expect(page.get_by_label("What do you want to reach?")).to_have_value("")
