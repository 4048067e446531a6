"""Forms that a button saves lose nothing that was typed: not on a reload, not when the visit ends."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import delete, select, update

from lti_tool.activities.models import Activity
from lti_tool.attributes import service as attributes
from lti_tool.launch.models import Member
from lti_tool.pairing.models import Plan
from lti_tool.support.db import OpenSession, across_institutions
from lti_tool.support.kit import Kit
from lti_tool.web.visits import Visit, issue_entry
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock

KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('tandem.text.'))"
NOTICE = "[data-unsent-notice]"


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock) -> Classroom:
    with open_session() as session:
        return a_classroom(session, "Mette", "Jonas", now=clock.now(), groups=())


Open = Callable[..., Page]


@pytest.fixture
def open_page(context: BrowserContext, url: str, room: Classroom, open_session: OpenSession, kit: Kit) -> Open:
    """Open a page in a new visit of a person."""

    def begin(who: str, path: str) -> Page:
        with open_session(room.institution.id) as session:
            member = session.get_one(Member, room.members[who].id)
            now = kit.clock.now()
            visit, secret = a_visit(session, member, room.registration, now=now, placement_id=room.placement.id)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(f"{url}/v/{visit.key}{path}?c={code}")
        return page

    return begin


def kept(page: Page) -> list[str]:
    found: list[str] = page.evaluate(f"{KEPT}.map((name) => localStorage.getItem(name))")
    return found


def typed(page: Page) -> None:
    """Wait until what was typed is sealed and kept."""
    page.wait_for_function(f"{KEPT}.length > 0")
    page.wait_for_timeout(200)


def test_a_reload_of_the_set_up_page_brings_everything_back(open_page: Open, room: Classroom, kit: Kit) -> None:
    page = open_page("Ingrid", "/setup")
    page.get_by_label("Title").fill("Typed, not saved")
    page.get_by_role("button", name="Add a criterion").click()
    page.get_by_label("Criterion 7", exact=True).fill("Courage")
    typed(page)
    assert not any("Courage" in one for one in kept(page)), "nobody else who uses this browser can read it"
    page.reload()
    expect(page.locator(NOTICE)).to_contain_text("Your unsaved text from last time is back")
    expect(page.get_by_label("Title")).to_have_value("Typed, not saved")
    expect(page.get_by_label("Criterion 7", exact=True)).to_have_value("Courage")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert kept(page) == []
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Typed, not saved")
    expect(page.locator(NOTICE)).to_be_hidden()


def test_text_that_was_brought_back_can_be_let_go(open_page: Open) -> None:
    page = open_page("Ingrid", "/setup")
    before = page.get_by_label("Title").input_value()
    page.get_by_label("Title").fill("Never mind")
    typed(page)
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Never mind")
    page.get_by_role("button", name="Discard it").click()
    expect(page.get_by_label("Title")).to_have_value(before)
    assert kept(page) == []


def test_what_somebody_saved_since_is_not_replaced_in_silence(
    open_page: Open, open_session: OpenSession, room: Classroom
) -> None:
    page = open_page("Ingrid", "/setup")
    page.get_by_label("Title").fill("Mine")
    typed(page)
    with open_session(room.institution.id) as session:
        session.execute(update(Activity).values(title="Theirs", version=Activity.version + 1))
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Theirs")
    expect(page.locator(NOTICE)).to_contain_text("unsaved text from before")
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_label("Title")).to_have_value("Mine")
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", name="saved this activity while you were working on it")).to_be_visible()


def test_text_of_an_ended_visit_comes_back_with_the_next_one(
    open_page: Open, open_session: OpenSession, clock: FakeClock
) -> None:
    page = open_page("Ingrid", "/setup")
    page.get_by_label("Title").fill("Typed too late")
    typed(page)
    with open_session() as session, across_institutions(session):
        for visit in session.scalars(select(Visit)):
            visit.revoked_at = clock.now()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your visit has ended")
    again = open_page("Ingrid", "/setup")
    expect(again.get_by_label("Title")).to_have_value("Typed too late")


def test_a_look_at_the_preview_loses_nothing_and_saving_there_ends_it(open_page: Open) -> None:
    page = open_page("Ingrid", "/setup")
    page.get_by_label("Title").fill("Looked at")
    typed(page)
    page.get_by_role("button", name="See it as a learner").click()
    expect(page.get_by_role("heading", name="What learners will see")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Title")).to_have_value("Looked at")
    page.get_by_role("button", name="See it as a learner").click()
    # The page before has that button, too.
    expect(page.get_by_role("heading", name="What learners will see")).to_be_visible()
    page.get_by_role("button", name="Save changes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert kept(page) == []


def test_a_reload_of_the_questionnaire_brings_everything_back(
    open_page: Open, open_session: OpenSession, room: Classroom, clock: FakeClock
) -> None:
    with open_session(room.institution.id) as session:
        session.execute(delete(Plan))
        attributes.ask_for(session, room.course.id, ["languages", "slots", "offers"], now=clock.now())
    page = open_page("Mette", "/about-you")
    page.get_by_label("What could others learn from you?").fill("Listening")
    page.locator('input[name="languages"]').first.check()
    typed(page)
    page.reload()
    expect(page.locator(NOTICE)).to_contain_text("Your unsaved text from last time is back")
    expect(page.get_by_label("What could others learn from you?")).to_have_value("Listening")
    expect(page.locator('input[name="languages"]').first).to_be_checked()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved, thank you.")).to_be_visible()
    assert kept(page) == []


def test_who_would_rather_not_answer_leaves_nothing_behind(
    open_page: Open, open_session: OpenSession, room: Classroom, clock: FakeClock
) -> None:
    with open_session(room.institution.id) as session:
        session.execute(delete(Plan))
        attributes.ask_for(session, room.course.id, ["offers"], now=clock.now())
    page = open_page("Mette", "/about-you")
    page.get_by_label("What could others learn from you?").fill("Listening")
    typed(page)
    page.get_by_role("button", name="No, thanks").click()
    expect(page.get_by_role("heading", name="About you")).to_be_hidden()
    assert kept(page) == []


def test_rules_and_what_is_typed_of_a_learner_come_back_too(open_page: Open, room: Classroom) -> None:
    rules = open_page("Ingrid", "/plan/rules")
    rules.get_by_label("Groups of three").check()
    typed(rules)
    rules.reload()
    expect(rules.locator(NOTICE)).to_contain_text("Your unsaved text from last time is back")
    expect(rules.get_by_label("Groups of three")).to_be_checked()
    rules.get_by_role("button", name="Save", exact=True).last.click()
    expect(rules.get_by_text("Saved. Existing groups")).to_be_visible()
    learner = open_page("Ingrid", f"/people/{room.members['Mette'].id}")
    learner.get_by_label("Department").fill("Nursing")
    typed(learner)
    learner.reload()
    expect(learner.get_by_label("Department")).to_have_value("Nursing")
    learner.get_by_role("button", name="Save").click()
    expect(learner.get_by_text("Saved.")).to_be_visible()
    assert kept(learner) == []
