"""From an empty LMS to a grade, in every world of cookies and storage."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect

from lti_tool.registration.service import institution_named
from lti_tool.registration.service.invitations import invite
from sandbox_lms import PROFILES, SandboxLms
from tests.browser.conftest import OpenBrowser, Tool
from tests.browser.journey import Journey
from tests.browser.worlds import ALLOWED, BLOCKED, register_by_hand, under_way, without_storage

TITLE = "Observe a lesson"


def invitation(tool: Tool) -> str:
    kit = tool.services.kit
    with kit.open_session() as session:
        institution = institution_named(session, "Sandbox University", now=kit.clock.now())
        _, secret = invite(session, institution.id, now=kit.clock.now(), lifetime=timedelta(days=1))
    return f"{tool.url}/lti/register?{urlencode({'invite': secret})}"


def begin(lms: SandboxLms, tool: Tool, browser: Browser, size: tuple[int, int] = (1280, 900), **how: bool) -> Journey:
    context = browser.contexts[0]
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    return Journey(lms, tool, context, page, **how)


def from_pairs_to_grades(journey: Journey) -> None:
    """The path after placing: plan, feedback both ways, answers, grade."""
    journey.publishes_a_plan(TITLE)
    partner = journey.partner_of("learner01", TITLE)
    journey.gives_feedback("learner01", TITLE, "You waited until everybody had tied the first knot.")
    journey.gives_feedback(partner, TITLE, "Your question made all of us think.")
    journey.answers("learner01", TITLE, reads="Your question made all of us think.")
    journey.sees_the_grade("learner01", TITLE, "100")


@pytest.mark.parametrize(
    ("policy", "size"),
    [(BLOCKED, (1280, 900)), (ALLOWED, (390, 844))],
    ids=["blocked-wide", "allowed-phone"],
)
def test_a_newcomer_gets_from_an_empty_lms_to_a_grade(
    lms: SandboxLms, tool: Tool, open_browser: OpenBrowser, policy: str, size: tuple[int, int]
) -> None:
    journey = begin(lms, tool, open_browser(policy), size, is_looking=True)
    journey.registers_the_tool(invitation(tool))
    journey.switches_it_on()
    journey.places_an_activity(TITLE)
    from_pairs_to_grades(journey)


@pytest.mark.usefixtures("no_cookies")
def test_the_whole_path_works_with_local_storage_only(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> None:
    register_by_hand(lms, tool)
    journey = begin(lms, tool, open_browser(BLOCKED))
    journey.places_an_activity(TITLE)
    from_pairs_to_grades(journey)
    goes_back_and_reloads(journey)


@pytest.mark.usefixtures("no_cookies")
def test_the_whole_path_works_with_platform_storage_only(
    lms: SandboxLms, tool: Tool, open_browser: OpenBrowser
) -> None:
    lms.profile = PROFILES["canvas"]
    register_by_hand(lms, tool)
    journey = begin(lms, tool, open_browser(BLOCKED))
    without_storage(journey.context, tool)
    journey.places_an_activity(TITLE)
    from_pairs_to_grades(journey)
    goes_back_and_reloads(journey)


def goes_back_and_reloads(journey: Journey) -> None:
    """Links, back and reload inside the frame keep the visit."""
    journey.opens("designer", TITLE)
    journey.arrives(TITLE)
    journey.inside.get_by_role("link", name="Progress", exact=True).click()
    heading = journey.inside.get_by_role("heading", level=1)
    expect(heading).not_to_have_text(TITLE)
    journey.frame.evaluate("history.back()")
    expect(heading).to_have_text(TITLE)
    journey.frame.evaluate("location.reload()")
    expect(heading).to_have_text(TITLE)


def test_a_download_needs_no_cookie(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> None:
    under_way(lms, tool, TITLE)
    journey = begin(lms, tool, open_browser(BLOCKED))
    journey.opens("designer", TITLE)
    journey.arrives(TITLE)
    journey.inside.get_by_role("link", name="Progress", exact=True).click()
    with journey.page.expect_download() as waiting:
        journey.inside.get_by_role("button", name="Download").click()
    text = waiting.value.path().read_text(encoding="utf-8-sig")
    assert lms.people["learner01"].name in text


def test_two_tabs_with_two_people_never_mix(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> None:
    under_way(lms, tool, TITLE)
    journey = begin(lms, tool, open_browser(BLOCKED))
    journey.opens("designer", TITLE)
    journey.arrives(TITLE)
    staff = journey.page
    learner = Journey(lms, tool, journey.context, journey.context.new_page())
    learner.opens("learner01", TITLE)
    learner.arrives(TITLE)
    # The first tab goes on as the designer, although the browser's newest visit is a learner's.
    Journey(lms, tool, journey.context, staff).inside.get_by_role("link", name="Progress", exact=True).click()
    expect(staff.frame_locator("iframe[name=tool]").get_by_role("heading", level=1)).to_be_visible()
    learner.frame.evaluate("location.reload()")
    expect(learner.inside.get_by_text("What counts")).to_be_visible()
    expect(learner.inside.get_by_role("link", name="Progress", exact=True)).to_have_count(0)
