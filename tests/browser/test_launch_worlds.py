"""A launch in a real browser, in every world of kept and lost secrets."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from lti_tool.support.db import across_institutions
from lti_tool.web.audit import AuditEntry
from lti_tool.web.visits import Visit
from sandbox_lms import PROFILES, ResourceLink, SandboxLms
from tests.browser.conftest import OpenBrowser, Tool
from tests.browser.worlds import ALLOWED, BLOCKED, NOTHING, register_by_hand, without_storage


@dataclass
class Course:
    """An activity in the LMS, and the tool behind it."""

    lms: SandboxLms
    tool: Tool
    link: ResourceLink

    @property
    def activity(self) -> str:
        return f"{self.lms.url}/courses/course-1/activities/{self.link.number}"

    def open_as(self, context: BrowserContext, who: str = "learner01") -> Page:
        """The activity's page, as this person."""
        context.set_default_timeout(15_000)
        page = context.new_page()
        context.request.post(f"{self.lms.url}/be", form={"person": who})
        page.goto(self.activity)
        return page

    def visits(self) -> int:
        with self.tool.services.kit.open_session() as session, across_institutions(session):
            return len(session.scalars(select(Visit)).all())

    def refusals(self) -> list[str]:
        with self.tool.services.kit.open_session() as session:
            entries = session.scalars(select(AuditEntry).where(AuditEntry.what != "launch")).all()
            return [entry.details["error"] for entry in entries]


def set_up(lms: SandboxLms, tool: Tool) -> Course:
    known = register_by_hand(lms, tool)
    return Course(lms, tool, lms.add_link(lms.course(), known, title="Observe a lesson"))


@pytest.fixture
def course(lms: SandboxLms, tool: Tool) -> Course:
    return set_up(lms, tool)


def arrives(page: Page, course: Course) -> None:
    page.wait_for_function("() => window.frames.length > 0")
    frame = next(one for one in page.frames if one != page.main_frame and one.name == "tool")
    frame.wait_for_url(f"{course.tool.url}/v/**")
    assert course.visits() == 1
    assert course.refusals() == []


@pytest.mark.parametrize("policy", [BLOCKED, ALLOWED])
def test_a_partitioned_cookie_proves_the_browser(course: Course, open_browser: OpenBrowser, policy: str) -> None:
    context = open_browser(policy).contexts[0]
    page = course.open_as(context)
    arrives(page, course)


def test_the_browser_tells_its_time_zone_where_the_platform_does_not(
    course: Course, open_browser: OpenBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Moodle, as the sandbox plays it, says "99".
    monkeypatch.setenv("TZ", "America/Montevideo")
    arrives(course.open_as(open_browser(BLOCKED).contexts[0]), course)
    with course.tool.services.kit.open_session() as session, across_institutions(session):
        assert session.scalars(select(Visit.time_zone)).all() == ["America/Montevideo"]


@pytest.mark.parametrize("policy", [BLOCKED, ALLOWED])
@pytest.mark.usefixtures("no_cookies")
def test_local_storage_proves_the_browser(course: Course, open_browser: OpenBrowser, policy: str) -> None:
    page = course.open_as(open_browser(policy).contexts[0])
    arrives(page, course)


@pytest.mark.parametrize("profile", ["canvas", "brightspace"])
@pytest.mark.usefixtures("no_cookies")
def test_platform_storage_proves_the_browser(
    tool: Tool, lms: SandboxLms, open_browser: OpenBrowser, profile: str
) -> None:
    lms.profile = PROFILES[profile]
    course = set_up(lms, tool)
    context = open_browser(BLOCKED).contexts[0]
    without_storage(context, tool)
    page = course.open_as(context)
    arrives(page, course)


@pytest.mark.parametrize("behavior", ["silent", "wrong_origin", "missing_frame"])
@pytest.mark.usefixtures("no_cookies")
def test_platform_storage_that_is_not_to_be_trusted_is_not(
    tool: Tool, lms: SandboxLms, open_browser: OpenBrowser, behavior: str
) -> None:
    lms.profile = PROFILES["canvas"]
    lms.storage_behavior = behavior
    course = set_up(lms, tool)
    context = open_browser(BLOCKED).contexts[0]
    without_storage(context, tool)
    page = course.open_as(context)
    expect(page.frame_locator("[name=tool]").get_by_role("button", name="Open in a new tab")).to_be_visible()
    assert course.visits() == 0


def test_a_browser_that_keeps_nothing_ends_at_the_page_that_names_the_setting(
    course: Course, open_browser: OpenBrowser
) -> None:
    context = open_browser(NOTHING).contexts[0]
    page = course.open_as(context)
    button = page.frame_locator("[name=tool]").get_by_role("button", name="Open in a new tab")
    with context.expect_page() as opened:
        button.click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text(
        "Your browser does not save anything for this site"
    )
    assert course.visits() == 0
    assert course.refusals() == ["StorageBlocked"]


@pytest.mark.usefixtures("no_cookies")
def test_the_new_tab_keeps_what_the_frame_could_not(course: Course, open_browser: OpenBrowser) -> None:
    context = open_browser(BLOCKED).contexts[0]
    context.add_init_script(
        """if (window.parent !== window) for (const name of ["localStorage", "sessionStorage"])
          Object.defineProperty(window, name, { get() { throw new DOMException("no", "SecurityError"); } });"""
    )
    page = course.open_as(context)
    button = page.frame_locator("[name=tool]").get_by_role("button", name="Open in a new tab")
    with context.expect_page() as opened:
        button.click()
    opened.value.wait_for_url(f"{course.tool.url}/v/**")
    assert course.visits() == 1
    assert course.refusals() == []
