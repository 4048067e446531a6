"""Every page that the journey does not meet, wide and narrow, light and dark, held against axe."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from lti_tool.registration.service import institution_named
from lti_tool.registration.service.invitations import invite
from sandbox_lms import SandboxLms
from tests.browser.conftest import OpenBrowser, Tool
from tests.browser.journey import COLORS, EVERYTHING, Journey, violations
from tests.browser.worlds import BLOCKED, under_way

TITLE = "Observe a lesson"
WIDTHS = (1280, 320)
LENGTHEN = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  window.lengthened = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest("script, style, textarea, svg") || !node.data.trim()) continue;
    window.lengthened.push([node, node.data]);
    node.data = node.data.replace(/[\\p{L}]{2,}/gu, (word) => word + word.slice(-Math.ceil(word.length * 0.4)));
  }
}"""
TOO_WIDE = """() => {
  const page = document.documentElement;
  const cut = [...document.querySelectorAll("button, .btn, summary, label, th, legend, .tabs a")].filter((one) => {
    const style = getComputedStyle(one);
    return one.clientWidth > 1 && style.overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1;
  });
  const wide = page.scrollWidth > page.clientWidth ? [`page by ${page.scrollWidth - page.clientWidth}`] : [];
  return [...wide, ...cut.map((one) => one.textContent.trim())];
}"""


def look(page: Page) -> None:
    """No fault that axe knows in either scheme, and nothing that scrolls sideways at 320 pixels."""
    page.wait_for_load_state()
    for scheme, rules in (("light", EVERYTHING), ("dark", COLORS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            # As high as the page, so that a bar which stays at the bottom covers nothing by chance.
            height = page.evaluate("document.documentElement.scrollHeight")
            page.set_viewport_size({"width": width, "height": height})
            assert violations(page, rules) == [], f"{scheme}, {width} pixels: {page.url}"
            wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wider <= 0, f"{page.url} scrolls sideways at {width} pixels"
    page.emulate_media(color_scheme="light", reduced_motion="no-preference")
    has_room_for_longer_words(page)
    page.set_viewport_size({"width": 1280, "height": 800})


def has_room_for_longer_words(page: Page) -> None:
    """Nothing scrolls sideways on a phone, and no button is cut, if words are 40 % longer, as in other languages."""
    page.evaluate(LENGTHEN)
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(TOO_WIDE) == [], f"{page.url} has no room for longer words at {width} pixels"
    page.evaluate("window.lengthened.forEach(([node, text]) => { node.data = text; })")


def in_a_tab(journey: Journey, button: Locator) -> Page:
    """The page that this button opens in a tab of its own."""
    with journey.context.expect_page() as waiting:
        button.click()
    waiting.value.wait_for_url("**/v/**")
    expect(waiting.value.get_by_role("heading", level=1)).to_be_visible()
    return waiting.value


def own_tab(journey: Journey, username: str) -> Page:
    """The page of this person; a tab behind another one gets no clicks, so the course's comes to the front first."""
    journey.page.bring_to_front()
    journey.opens(username, TITLE)
    journey.arrives(TITLE)
    return in_a_tab(journey, journey.inside.get_by_role("button", name="Open in a new tab"))


def follow(page: Page, name: str, heading: str) -> None:
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
    look(page)


def reminds_one(page: Page) -> None:
    """Tick somebody in the list, see whom a reminder touches, send it, and see who was reminded."""
    follow(page, "Back to everyone", "Progress")
    page.locator("input[name=who]").nth(2).check()
    page.get_by_role("button", name="Remind those I ticked").click()
    expect(page.get_by_role("heading", level=1, name="For several learners")).to_be_visible()
    page.get_by_label("Remind them").check()
    page.get_by_label("Your own sentence").fill("I look forward to your feedback.")
    look(page)
    page.get_by_role("button", name="See who is affected").click()
    expect(page.get_by_role("heading", level=1, name="Who is affected")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Do it for 1 learner").click()
    expect(page.get_by_text("Done. You can undo it below.")).to_be_visible()
    look(page)
    follow(page, "Back to everyone", "Progress")
    follow(page, "Who was reminded when", "Reminders")
    follow(page, "Back to everyone", "Progress")


def chooses_two_for_a_look(page: Page) -> None:
    """Tick two people whose groups have not begun, see the effect, leave it as it is, and find the two still ticked."""
    page.get_by_text("Why these people?").first.click()
    groups = page.locator(".groups > .group").filter(has_not_text="has begun")
    for index in range(2):
        groups.nth(index).locator("input[name=who]").first.check()
    expect(page.locator("[data-chosen]")).to_contain_text("Chosen:")
    page.get_by_role("button", name="See what it would change").click()
    expect(page.get_by_role("heading", level=1, name="What it would change")).to_be_visible()
    look(page)
    page.get_by_role("link", name="Leave it as it is").click()
    expect(page.locator(".groups input[name=who]:checked")).to_have_count(2)


@pytest.fixture
def journey(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> Journey:
    context = open_browser(BLOCKED).contexts[0]
    context.set_default_timeout(15_000)
    return Journey(lms, tool, context, context.new_page())


@pytest.fixture
def running(journey: Journey) -> Journey:
    """An activity in which the first learner has given feedback and the partner has not."""
    life = under_way(journey.lms, journey.tool, TITLE)
    [partner] = life.partners_of("learner01")
    life.gives("learner01", partner, strengths="You waited until everybody had tied the first knot.")
    return journey


def test_the_page_that_stops_letters(open_browser: OpenBrowser, tool: Tool) -> None:
    sealed = tool.services.kit.secrets.encrypt(b"letters 1 1")
    page = open_browser(BLOCKED).contexts[0].new_page()
    page.goto(f"{tool.url}/letters/{sealed}")
    look(page)
    page.get_by_role("button", name="Stop letters").click()
    expect(page.get_by_role("heading", level=1, name="You get no more letters")).to_be_visible()
    look(page)


def test_axe_tells_which_rules_a_page_breaks(open_browser: OpenBrowser, url: str) -> None:
    page = open_browser(BLOCKED).contexts[0].new_page()
    page.goto(url)
    assert violations(page) == []
    page.evaluate("document.querySelector('main').innerHTML += '<img src=x><input><p id=pale>Pale</p>'")
    page.evaluate("document.getElementById('pale').style.cssText = 'color: #ddd; background: #fff'")
    rules = {violation.partition(":")[0] for violation in violations(page)}
    assert rules == {"image-alt", "label", "color-contrast"}
    assert [violation.partition(":")[0] for violation in violations(page, COLORS)] == ["color-contrast"]


def test_the_pages_of_a_programme(running: Journey) -> None:
    page = own_tab(running, "designer")
    follow(page, "Programs", "Programs")
    page.get_by_label("Name of the program").fill("Lead well")
    page.get_by_label(TITLE).check()
    page.get_by_role("button", name="Make the program").click()
    expect(page.get_by_text("Made. Learners see it as their path from now on.")).to_be_visible()
    look(page)
    follow(page, "Move the dates", "Move the dates")
    page = own_tab(running, "learner01")
    expect(page.get_by_text("This is step 1 of 1.")).to_be_visible()
    look(page)


def test_the_pages_of_staff(running: Journey) -> None:
    page = own_tab(running, "designer")
    look(page)
    follow(page, "Progress", "Progress")
    follow(page, "Figures: in pictures", "Figures")
    page.get_by_text("How it is computed").first.click()
    page.locator(".figures a").first.click()
    expect(page.get_by_role("link", name="Back to the figures")).to_be_visible()
    look(page)
    follow(page, "Back to the figures", "Figures")
    follow(page, "Closing report", "Closing report")
    follow(page, "Progress", "Progress")
    follow(page, "Quality of feedback in numbers", "Quality of feedback")
    page.locator("main").get_by_role("link", name="Progress").click()
    expect(page.get_by_role("heading", level=1, name="Progress")).to_be_visible()
    follow(page, running.lms.people["learner01"].name, running.lms.people["learner01"].name)
    page.get_by_text("More time, or excuse from round 1").click()
    look(page)
    reminds_one(page)
    follow(page, "Plan", "Who works with whom")
    chooses_two_for_a_look(page)
    follow(page, "All rounds on one page", "Who works with whom")
    expect(page.get_by_role("button", name="Print")).to_be_visible()
    follow(page, "Plan", "Who works with whom")
    follow(page, "Pairing rules", "Pairing rules")
    page.locator(".fold-unknown summary").first.click()
    look(page)
    follow(page, "Grades", "Grades")
    follow(page, "Settings", "Set up")
    page.locator(".criterion summary").first.click()
    look(page)
    page.get_by_role("button", name="See it as a learner").click()
    expect(page.get_by_role("heading", level=1, name="What learners will see")).to_be_visible()
    look(page)


def test_the_pages_of_learners_and_of_their_scores(running: Journey) -> None:
    partner = running.partner_of("learner01", TITLE)
    running.gives_feedback(partner, TITLE, "Your question made all of us think.")
    page = own_tab(running, "learner01")
    look(page)
    follow(page, "Your reminders", "Your reminders")
    follow(page, "Back to the activity", TITLE)
    follow(page, "Your feedback over time", "Your feedback over time")
    page.get_by_role("button", name="Make it an action").first.click()
    expect(page.get_by_text("It is an action of yours now")).to_be_visible()
    look(page)
    follow(page, "Back to the activity", TITLE)
    offers_a_practice(page)
    follow(page, "Back to the activity", TITLE)
    follow(page, "Feedback you received", "Feedback you received")
    follow(page, "Read it all", "Feedback from")
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page)
    page.get_by_label("What I heard").fill("That waiting helps.")
    page.get_by_label("What I will use").fill("Count to five.")
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("link", name="See what is next")).to_be_visible()
    look(page)
    follow(page, "See what is next", TITLE)
    running.page.bring_to_front()
    running.tells_the_observer("learner01", TITLE)
    running.sees_the_grade("learner01", TITLE, "100")
    ledger = own_tab(running, "designer")
    follow(ledger, "Grades", "Grades")
    follow(ledger, running.lms.people["learner01"].name, running.lms.people["learner01"].name)


def offers_a_practice(page: Page) -> None:
    """Look at the course library, a form with a fault, the preview, and what the group is asked about."""
    follow(page, "Course library", "Course library")
    follow(page, "Offer something", "Offer something")
    page.get_by_role("button", name="See what others will see").click()
    expect(page.get_by_role("alert")).to_be_visible()
    look(page)
    page.get_by_label("Practice").check()
    page.get_by_label("Title").fill("Count to five")
    page.get_by_label("What others can use").fill("After a question, count to five before you speak.")
    page.get_by_role("button", name="See what others will see").click()
    expect(page.get_by_role("heading", level=1, name="What others will see")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Ask my group").click()
    expect(page.get_by_text("Everyone whom it concerns is asked now.")).to_be_visible()
    look(page)
    follow(page, "Back to the course library", "Course library")


def test_the_pages_of_a_certificate(running: Journey) -> None:
    partner = running.partner_of("learner01", TITLE)
    running.gives_feedback(partner, TITLE, "Your question made all of us think.")
    staff = own_tab(running, "designer")
    follow(staff, "Settings", "Set up")
    staff.get_by_label("Give a certificate").check()
    staff.get_by_text("What it says", exact=True).click()
    staff.locator("#hours-observer").fill("1,5")
    look(staff)
    staff.get_by_role("button", name="Save changes").click()
    expect(staff.get_by_text("Saved.")).to_be_visible()
    running.page.bring_to_front()
    page = own_tab(running, "learner01")
    page.get_by_role("link", name="Feedback you received").click()
    page.get_by_role("link", name="Read it all").click()
    page.get_by_label("What I heard").fill("That waiting helps.")
    page.get_by_label("What I will use").fill("Count to five.")
    page.get_by_role("button", name="Send answer").click()
    expect(page.get_by_role("link", name="See what is next")).to_be_visible()
    running.page.bring_to_front()
    running.tells_the_observer("learner01", TITLE)
    page = own_tab(running, "learner01")
    follow(page, "Get your certificate", "Your certificate")
    page.get_by_label("Your name as it should appear").fill("محمد الفاتح Åström")
    page.get_by_role("button", name="See the certificate").click()
    expect(page.get_by_role("heading", level=1, name="Is this right?")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Get the certificate").click()
    expect(page.get_by_text("Here is your certificate.")).to_be_visible()
    with page.expect_download() as file:
        page.get_by_role("button", name="Download the PDF").click()
    assert file.value.path().read_bytes()[:5] == b"%PDF-"
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_text("Published.")).to_be_visible()
    look(page)
    with page.expect_popup() as public:
        page.get_by_role("link", name="See it as others do").click()
    expect(public.value.get_by_text("valid today")).to_be_visible()
    look(public.value)
    running.page.bring_to_front()
    staff = own_tab(running, "designer")
    follow(staff, "Settings", "Set up")
    follow(staff, "See the certificate, and who has one", "Certificates")
    staff.get_by_text("Issued in error?").click()
    look(staff)
    staff.get_by_label("Why it is withdrawn").fill("It was the wrong course.")
    staff.get_by_role("button", name="Withdraw the certificate").click()
    expect(staff.get_by_text("Its holder reads why")).to_be_visible()
    look(staff)
    public.value.reload()
    expect(public.value.get_by_text("was withdrawn and is not valid")).to_be_visible()
    look(public.value)
    page.reload()
    expect(page.get_by_text("It was the wrong course.")).to_be_visible()
    look(page)


def test_the_pages_of_a_report(running: Journey) -> None:
    partner = running.partner_of("learner01", TITLE)
    running.gives_feedback(partner, TITLE, "Your question made all of us think.")
    page = own_tab(running, "learner01")
    page.get_by_role("link", name="Feedback you received").click()
    page.get_by_role("link", name="Read it all").click()
    follow(page, "Report it", "Report what")
    page.get_by_label("It hurts or humiliates").check()
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_text("Thank you for telling us.")).to_be_visible()
    look(page)
    running.page.bring_to_front()
    staff = own_tab(running, "designer")
    follow(staff, "Read it", "Reports")
    staff.locator("main .task-list a").click()
    look(staff)
    staff.get_by_label("Hide the whole text").check()
    staff.get_by_label("Explanation for both").fill("It is about the person and not about what was seen.")
    staff.get_by_role("button", name="Save the decision").click()
    expect(staff.get_by_text("Decided.")).to_be_visible()
    running.page.bring_to_front()
    author = own_tab(running, partner)
    follow(author, "Read more", "About what you wrote")


def an_invitation(tool: Tool) -> str:
    kit = tool.services.kit
    with kit.open_session() as session:
        institution = institution_named(session, "Sandbox University", now=kit.clock.now())
        _, secret = invite(session, institution.id, now=kit.clock.now(), lifetime=timedelta(days=1))
    return f"{tool.url}/lti/register?{urlencode({'invite': secret})}"


def asks_to_register(journey: Journey) -> Page:
    """The page that the LMS opens for a registration, in a tab of its own."""
    page = journey.page
    page.bring_to_front()
    journey.is_now("admin")
    page.goto(f"{journey.lms.url}/admin/register")
    page.get_by_label("Registration link").fill(an_invitation(journey.tool))
    page.get_by_role("button", name="Open the tool's page").click()
    expect(page.frame_locator("#tool").get_by_role("button", name="Register", exact=True)).to_be_visible()
    alone = journey.context.new_page()
    alone.goto(page.frames[1].url)
    return alone


def test_the_pages_of_an_institution(journey: Journey) -> None:
    alone = asks_to_register(journey)
    look(alone)
    alone.close()
    journey.registers_the_tool(an_invitation(journey.tool))
    journey.switches_it_on()
    journey.places_an_activity(TITLE)
    journey.opens("admin", TITLE)
    journey.arrives("Sandbox University")
    own = in_a_tab(journey, journey.inside.get_by_role("button", name="Open the institution's pages"))
    look(own)
    own.get_by_role("button", name="Yes, I look after it").click()
    expect(own.get_by_text("You look after Tandem here now.")).to_be_visible()
    look(own)
    own.get_by_role("button", name="Make a registration link").click()
    expect(own.get_by_label("Registration link")).to_be_visible()
    look(own)
    follow(own, "Personal data", "Personal data")
    own.get_by_label("Find a person").fill("Dalgaard")
    own.get_by_role("button", name="Find").click()
    expect(own.get_by_role("link", name="Dina Dalgaard")).to_be_visible()
    look(own)
    follow(own, "Dina Dalgaard", "Dina Dalgaard")
    follow(own, "Record", "Record")
    follow(own, "Courses", "Courses and activities")
    follow(own, "Administrators", "Administrators")
    own.get_by_label("Find a person").fill("Dalgaard")
    own.get_by_role("button", name="Find").click()
    expect(own.get_by_role("button", name="Make an administrator")).to_be_visible()
    look(own)
    own.get_by_role("button", name="Remove").click()
    expect(own.get_by_role("heading", level=1, name="Stop being an administrator?")).to_be_visible()
    look(own)
    follow(own, "Platforms", "Sandbox University")
    follow(own, "Pause …", "Pause")
    follow(own, "Platforms", "Sandbox University")
    follow(own, "Change", "Addresses of")
    registers_once_more(journey)


def registers_once_more(journey: Journey) -> None:
    """See what stands beside what, go on from there as an administrator, and take the new registration back."""
    page = asks_to_register(journey)
    expect(page.get_by_text("1 activity depends on it")).to_be_visible()
    look(page)
    page.get_by_role("button", name="Register", exact=True).click()
    expect(page.get_by_text("1 activity still opens through the old tool")).to_be_visible()
    look(page)
    with journey.context.expect_page() as waiting:
        page.get_by_role("button", name="Yes, open the institution's pages").click()
    waiting.value.wait_for_url("**/v/**")
    expect(waiting.value.get_by_text("for this visit only")).to_be_visible()
    look(waiting.value)
    page.bring_to_front()
    page.get_by_role("button", name="Take the new registration back").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("was taken back")
    look(page)


def test_refusals_and_pages_for_others(journey: Journey) -> None:
    under_way(journey.lms, journey.tool, TITLE, is_published=False)
    page = journey.context.new_page()
    for path in (
        "/",
        "/lti/launch",
        "/lti/login",
        "/lti/login/blocked",
        "/lti/login?iss=https://nobody.example&login_hint=1&target_link_uri=https://nobody.example",
        "/lti/register",
        "/v/nothing-here/",
        "/nothing-here",
    ):
        page.goto(f"{journey.tool.url}{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        look(page)
    page.close()
    look(own_tab(journey, "observer"))
    look(own_tab(journey, "learner01"))
    journey.page.bring_to_front()
    journey.lms.add_link(journey.lms.course(), journey.lms.tools[0], title="Not ready yet")
    journey.opens("learner01", "Not ready yet")
    journey.arrives("Peer coaching")
    journey.look()
