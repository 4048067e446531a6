"""The dialogs of an LMS are small on a phone, and light on a dark computer."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import issue_entry
from tests.factories.pairing import a_class
from tests.factories.people import a_member, a_person, a_visit

Open = Callable[..., Page]
DARK_PAPER, LIGHT_PAPER = "rgb(22, 28, 28)", "rgb(251, 250, 247)"


@pytest.fixture
def open_page(context: BrowserContext, url: str, open_session: OpenSession, kit: Kit) -> Open:
    """An instructor's page at this path, in a frame or window of this size."""

    def begin(path: str, width: int, height: int, **values: Any) -> Page:
        with open_session() as session:
            group = a_class(session, 4)
            member = a_member(session, group.course, a_person(session, group.registration), "instructor")
            now = kit.clock.now()
            place = group.activity.placement_id
            visit, secret = a_visit(session, member, group.registration, now=now, placement_id=place, **values)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{url}/v/{visit.key}{path}?c={code}")
        expect(page.locator(".page-header")).to_be_visible()
        return page

    return begin


def test_the_buttons_of_the_set_up_leave_a_phones_dialog_to_the_form(open_page: Open) -> None:
    page = open_page("/setup", 374, 255)
    main = page.get_by_role("button", name="Save changes")
    for place in (200, 500, 900):
        page.evaluate(f"window.scrollTo(0, {place})")
        box = main.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 255, "the main button is in reach"
        assert box["height"] <= 52
    covered = page.evaluate(
        """() => [...Array(255).keys()].filter((y) => {
            const there = document.elementFromPoint(187, y);
            return there && there.closest(".action-bar");
        }).length"""
    )
    assert covered <= 52
    page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    expect(page.get_by_role("button", name="See it as a learner")).to_be_visible()


@pytest.mark.parametrize(("origins", "paper"), [(["https://lms.example"], LIGHT_PAPER), ([], DARK_PAPER)])
def test_only_a_window_of_its_own_follows_a_dark_computer(open_page: Open, origins: list[str], paper: str) -> None:
    page = open_page("/", 800, 600, frame_origins=origins)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == paper
