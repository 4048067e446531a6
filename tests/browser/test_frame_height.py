"""In a platform that listens, the frame is as high as its page: nothing scrolls inside something that scrolls."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Frame, Page, expect

from sandbox_lms import SandboxLms
from tests.browser.conftest import OpenBrowser, Tool
from tests.browser.worlds import BLOCKED, register_by_hand
from tests.shared import in_english


@pytest.fixture
def lms() -> Iterator[SandboxLms]:
    with in_english(SandboxLms(profile="canvas")).running() as lms:
        yield lms


def holds(frame: Frame, condition: str) -> None:
    """Wait until this is true in the frame. Its policy lets no page wait by itself."""
    for _ in range(200):
        if frame.evaluate(condition):
            return
        frame.page.wait_for_timeout(50)
    raise AssertionError(condition)


def settled(page: Page, frame: Frame) -> float:
    """The height of the frame once nothing is left to scroll in it."""
    holds(frame, "innerHeight >= document.documentElement.scrollHeight")
    box = page.locator("#tool").bounding_box()
    assert box is not None
    return box["height"]


def test_the_frame_follows_its_page(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> None:
    link = lms.add_link(lms.course(), register_by_hand(lms, tool), title="Observe a lesson")
    context = open_browser(BLOCKED).contexts[0]
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 800})
    context.request.post(f"{lms.url}/be", form={"person": "designer"})
    page.goto(f"{lms.url}/courses/course-1/activities/{link.number}")
    inside = page.frame_locator("#tool")
    expect(inside.get_by_role("heading", level=1)).to_have_text("What should people do together?")
    frame = page.frame("tool")
    assert frame is not None
    choosing = settled(page, frame)
    assert choosing > 800, "a long page is not cut off"

    # Far down the page one goes on to another, and sees it from its beginning.
    last = inside.get_by_role("button", name="Use this template").last
    last.scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 300
    last.click()
    expect(inside.get_by_role("heading", level=1)).to_have_text("Set up: Observe a lesson")
    setting_up = settled(page, frame)
    expect(inside.get_by_role("heading", level=1)).to_be_in_viewport()
    assert page.evaluate("scrollY") < 300

    # What opens or closes on the page is followed, too.
    inside.locator("details:not([open]) > summary").first.click()
    holds(frame, f"innerHeight > {setting_up}")
    assert settled(page, frame) > setting_up
    inside.locator("details[open] > summary").first.click()
    holds(frame, f"innerHeight <= {setting_up}")

    # A short page gets a short frame again.
    inside.get_by_role("link", name="Help").click()
    expect(inside.get_by_role("heading", level=1)).not_to_have_text("Set up: Observe a lesson")
    assert settled(page, frame) < setting_up
