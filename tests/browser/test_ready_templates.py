"""A designer on a phone chooses a role-play, writes its scenario, ticks what counts, and makes a template of it."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import issue_entry
from tests.browser.journey import COLORS, EVERYTHING, violations
from tests.factories.people import (
    a_course,
    a_deployment,
    a_member,
    a_person,
    a_placement,
    a_registration,
    a_visit,
    an_institution,
)

WIDTH = 390


@pytest.fixture
def page(context: BrowserContext, url: str, open_session: OpenSession, kit: Kit) -> Page:
    """The page of an instructor at a link that nothing stands at yet."""
    with open_session() as session:
        registration = a_registration(session, an_institution(session))
        course = a_course(session, a_deployment(session, registration))
        member = a_member(session, course, a_person(session, registration), "instructor")
        now = kit.clock.now()
        place = a_placement(session, course).id
        visit, secret = a_visit(session, member, registration, now=now, placement_id=place)
        code = issue_entry(session, visit, secret, kit.secrets, now=now)
    page = context.new_page()
    page.set_viewport_size({"width": WIDTH, "height": 844})
    page.goto(f"{url}/v/{visit.key}/setup?c={code}")
    return page


def look(page: Page, heading: str) -> None:
    """The page is there, axe finds no fault, and nothing scrolls sideways."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    # The bar with the main button covers what is scrolled under it.
    page.evaluate("window.scrollTo(0, 0)")
    for scheme, rules in (("light", EVERYTHING), ("dark", COLORS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page, rules) == [], f"{heading}, {scheme}"
    page.emulate_media(color_scheme="light")
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{heading}: scrolls sideways"


def test_a_role_play_is_chosen_and_set_up_on_a_phone(page: Page) -> None:
    look(page, "What should people do together?")
    expect(page.get_by_role("img", name="Who meets whom")).to_have_count(9)
    page.locator("#template-role_play").locator("..").get_by_text("What happens").click()
    look(page, "What should people do together?")
    page.get_by_role("button", name="Use this template Role-play").click()
    look(page, "Set up: Role-play")

    public = page.get_by_label("What everyone reads")
    public.fill("At the door")
    page.get_by_role("button", name="A client who complains").click()
    expect(public).not_to_have_value("At the door")
    expect(page.get_by_text("Your own text is set aside until you save this page.")).to_be_visible()
    look(page, "Set up: Role-play")
    page.get_by_role("button", name="Bring my own text back").click()
    expect(public).to_have_value("At the door")

    page.locator("summary", has_text="More: ").click()
    page.get_by_label("Check in: a win or a challenge").check()
    expect(page.locator("#checklist")).to_contain_text("Check in: a win or a challenge")
    page.get_by_label("Swap seats within each round").uncheck()
    expect(page.locator("#checklist")).not_to_contain_text("Swap seats")
    look(page, "Set up: Role-play")

    page.get_by_role("button", name="Save, and make a template of it").click()
    look(page, "Save as a template")
    page.get_by_label("Name of the template").fill("Doors")
    page.get_by_role("button", name="Save the template").click()
    expect(page.get_by_text("The template is saved.")).to_be_visible()
    expect(page.get_by_label("What everyone reads")).to_have_value("At the door")
    page.get_by_role("link", name="Templates of your own").click()
    look(page, "Templates of your own")
    page.get_by_role("button", name="Withdraw Doors").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    look(page, "Templates of your own")
