"""A page that waits for the roster looks again by itself, and never under somebody's hands."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.jobs.models import Job
from lti_tool.roster import service as roster
from lti_tool.roster.models import RosterSync
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import issue_entry
from tests.factories.pairing import Class, a_class, a_published_plan
from tests.factories.people import a_member, a_person, a_visit
from tests.fakes.clock import FakeClock


@pytest.fixture
def group(open_session: OpenSession) -> Class:
    with open_session() as session:
        found = a_class(session, 4)
        found.course.memberships_url = "https://lms.example/members"
        roster.ask_for_sync(session, found.course.id, now=FakeClock().now())
        return found


@pytest.fixture
def page(context: BrowserContext, url: str, group: Class, open_session: OpenSession, kit: Kit) -> Page:
    """An instructor's first page while the roster is being read."""
    with open_session(group.course.institution_id) as session:
        member = a_member(session, group.course, a_person(session, group.registration), "instructor")
        now = kit.clock.now()
        visit, secret = a_visit(session, member, group.registration, now=now, placement_id=group.activity.placement_id)
        code = issue_entry(session, visit, secret, kit.secrets, now=now)
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.clock.install()
    page.goto(f"{url}/v/{visit.key}/?c={code}")
    return page


def half_a_minute_passes(page: Page) -> None:
    """Longer than a page ever waits before it looks again."""
    page.clock.fast_forward(31_000)


def is_read(open_session: OpenSession, group: Class, kit: Kit) -> None:
    with open_session(group.course.institution_id) as session:
        for job in session.query(Job):
            session.delete(job)
        now = kit.clock.now()
        session.add(
            RosterSync(
                course_id=group.course.id, state="finished", started_at=now, finished_at=now, next_url="", seen=4
            )
        )


def test_the_first_page_knows_the_learners_without_being_opened_again(
    page: Page, open_session: OpenSession, group: Class, kit: Kit
) -> None:
    expect(page.get_by_text("Tandem is reading the roster")).to_be_visible()
    is_read(open_session, group, kit)
    half_a_minute_passes(page)
    expect(page.get_by_text("4 learners are waiting for partners.")).to_be_visible()
    expect(page.get_by_text("Tandem is reading the roster")).not_to_be_visible()


def test_a_part_that_is_served_open_does_not_keep_the_page_from_looking_again(
    page: Page, open_session: OpenSession, group: Class, kit: Kit
) -> None:
    with open_session(group.course.institution_id) as session:
        a_published_plan(session, group, kit.clock.now())
    page.get_by_role("link", name="Plan").click()
    page.get_by_text("Find someone, or show only some groups").click()
    page.get_by_label("Show", exact=True).select_option("pinned")
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_label("Find someone", exact=True)).to_be_visible()
    expect(page.get_by_text("The roster is being read")).to_be_visible()
    is_read(open_session, group, kit)
    half_a_minute_passes(page)
    expect(page.get_by_text("The roster is being read")).not_to_be_visible()


def test_what_somebody_types_is_still_there_when_the_roster_was_read(
    page: Page, open_session: OpenSession, group: Class, kit: Kit
) -> None:
    page.get_by_role("link", name="Plan").click()
    expect(page.get_by_text("The roster is being read")).to_be_visible()
    page.evaluate(
        """() => {
            const field = document.createElement("textarea");
            field.id = "typed";
            document.getElementById("main").append(field);
        }"""
    )
    page.locator("#typed").fill("Half a sentence")
    page.locator("#typed").blur()
    is_read(open_session, group, kit)
    for _ in range(3):
        half_a_minute_passes(page)
    expect(page.locator("#typed")).to_have_value("Half a sentence")
    page.locator("#typed").fill("")
    page.locator("#typed").blur()
    half_a_minute_passes(page)
    expect(page.get_by_text("The roster is being read")).not_to_be_visible()
