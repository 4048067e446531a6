"""A table goes up from inside the frame, with and without script; its pages are held against axe."""

from typing import TypedDict

import pytest
from playwright.sync_api import Page, expect

from sandbox_lms import SandboxLms
from tests.browser.conftest import OpenBrowser, Tool
from tests.browser.journey import Journey
from tests.browser.test_every_page import follow, in_a_tab, look
from tests.browser.test_without_script import PlainJourney
from tests.browser.worlds import BLOCKED, under_way

TITLE = "Observe a lesson"


class File(TypedDict):
    name: str
    mimeType: str
    buffer: bytes


def table(text: str) -> File:
    """A file as a spreadsheet program of Northern Europe writes it."""
    return {"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode("cp1252")}


def goes_to_people(journey: Journey) -> None:
    journey.inside.get_by_role("link", name="Plan", exact=True).click()
    journey.arrives("Who works with whom")
    journey.inside.get_by_role("link", name="What is known about learners").click()
    journey.arrives("What is known about learners")


def opens_people(journey: Journey) -> None:
    """The page of what is known, once the roster has come."""
    under_way(journey.lms, journey.tool, TITLE, is_published=False)
    journey.opens("designer", TITLE)
    journey.arrives(TITLE)
    goes_to_people(journey)


def test_a_table_is_uploaded_inside_the_frame(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> None:
    context = open_browser(BLOCKED).contexts[0]
    context.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    journey = Journey(lms, tool, context, context.new_page())
    one, two = (lms.people[name].name for name in ("learner01", "learner02"))
    opens_people(journey)
    inside = journey.inside

    inside.get_by_label("Table with what you know").set_input_files(
        table(f"Name;Department;Experience;Shoes\n{one};Försäljning;3;44\n{two};Ekonomi;many;\nNobody Known;Sälj;1;\n")
    )
    inside.get_by_role("button", name="Upload and check").click()
    journey.arrives("Check the table")
    expect(inside.get_by_text("in Windows-1252, separated by semicolons")).to_be_visible()
    expect(inside.get_by_text("Line 3: Experience is not a whole number.")).to_be_visible()
    inside.get_by_label("Line 4: Nobody Known").select_option(label=lms.people["learner03"].name)
    inside.get_by_role("button", name="Check again with these choices").click()
    expect(inside.get_by_text("people get something new")).to_be_visible()
    journey.look()
    inside.get_by_role("button", name="Import, and leave out 1 error").click()

    expect(inside.get_by_text("Imported: 3 people.")).to_be_visible()
    expect(inside.get_by_text("Department: Försäljning", exact=False).first).to_be_visible()
    journey.look()


def test_a_table_is_uploaded_without_script(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> None:
    context = open_browser("script blocked").contexts[0]
    context.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    journey = PlainJourney(lms, tool, context, context.new_page(), is_looking=True)
    opens_people(journey)

    journey.inside.get_by_label("Table with what you know").set_input_files(
        table(f"Name;Cohort\n{lms.people['learner01'].name};Höst\n")
    )
    journey.inside.get_by_role("button", name="Upload and check").click()
    journey.arrives("Check the table")
    journey.inside.get_by_role("button", name="Import the table").click()

    expect(journey.inside.get_by_text("Imported: 1 person.")).to_be_visible()


@pytest.fixture
def page(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> Page:
    """What is known, in a tab of its own, with the questions switched on."""
    context = open_browser(BLOCKED).contexts[0]
    context.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    journey = Journey(lms, tool, context, context.new_page())
    opens_people(journey)
    for box in journey.inside.get_by_role("checkbox").all():
        box.check()
    journey.inside.get_by_role("button", name="Save the questions").click()
    expect(journey.inside.get_by_text("Saved. Learners find the questions")).to_be_visible()
    journey.opens("learner01", TITLE)
    journey.arrives(TITLE)
    journey.inside.get_by_role("link", name="Answer a few questions").click()
    journey.arrives("About you")
    journey.look()
    journey.inside.locator("main").get_by_text("Swedish", exact=True).click()
    journey.inside.get_by_role("checkbox", name="Monday, morning").check()
    journey.inside.get_by_role("button", name="Save").click()
    expect(journey.inside.get_by_text("Saved, thank you")).to_be_visible()
    journey.look()
    journey.opens("designer", TITLE)
    journey.arrives(TITLE)
    goes_to_people(journey)
    return in_a_tab(journey, journey.inside.get_by_role("button", name="Open in a new tab"))


def test_the_pages_of_what_is_known(page: Page, lms: SandboxLms) -> None:
    follow(page, "Plan", "Who works with whom")
    follow(page, "What is known about learners", "What is known about learners")
    page.get_by_text("What the columns mean").click()
    look(page)
    name = lms.people["learner01"].name
    follow(page, name, name)
    page.get_by_label("Experience").fill("much")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Back to everyone").click()
    follow(page, "Delete all of it", "Delete what is known about learners")
    page.get_by_role("link", name="Keep it").click()
    page.get_by_label("Table with what you know").set_input_files(table("Shoes\n44\n"))
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("heading", level=1, name="How the table is read")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Discard the table").click()
    page.get_by_label("Table with what you know").set_input_files(
        table(f"Name;Shoes;Cohort\n{name};44;A\nNobody;4;B\n")
    )
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("heading", level=1, name="Check the table")).to_be_visible()
    look(page)
