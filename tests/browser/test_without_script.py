"""The path of a designer and of learners in a browser that runs no script, where cookies are kept."""

from playwright.sync_api import expect

from sandbox_lms import SandboxLms
from tests.browser.conftest import OpenBrowser, Tool
from tests.browser.journey import Journey
from tests.browser.worlds import register_by_hand

TITLE = "Observe a lesson"


class PlainJourney(Journey):
    """A page that a script would leave by itself has a button here, and somebody who presses it."""

    def goes_on(self) -> None:
        """Press the one button of every page in between, until a page of the tool or of the LMS itself stands there."""
        frame = self.page.locator("iframe[name=tool]")
        between = self.inside.locator("#go button, .alone .btn, main > p > .button").filter(visible=True)
        expect(frame).to_be_visible()
        settled = 0
        for _ in range(100):
            if settled == 3 or not frame.count():
                return
            if between.count():
                settled, address = 0, self.frame.url
                between.click()
                for _ in range(50):
                    if self.page.frame(name="tool") is None or self.frame.url != address:
                        break
                    self.page.wait_for_timeout(100)
            elif self.inside.locator(".page-header").count():
                settled += 1
            self.page.wait_for_timeout(100)
        raise AssertionError(f"nothing to press on {self.frame.url}: {self.inside.locator('body').inner_text()}")

    def look(self) -> None:
        """Nothing here needs a script to be shown: what waits for one says so and is not met."""
        expect(self.inside.get_by_text("needs JavaScript")).to_have_count(0)

    def opens(self, username: str, title: str) -> None:
        super().opens(username, title)
        self.goes_on()

    def places_an_activity(self, title: str) -> None:
        self.is_now("designer")
        self.page.goto(f"{self.lms.url}/courses/course-1/add")
        self.page.get_by_text("Select content").click()
        self.goes_on()
        self.arrives("What should people do together?")
        self.inside.get_by_role("button", name="Use this template Observation and feedback").click()
        self.arrives("Set up")
        self.inside.get_by_label("Title").fill(title)
        self.inside.get_by_role("button", name="Remove round 2").click()
        expect(self.inside.get_by_role("button", name="Remove round 2")).to_have_count(0)
        self.inside.get_by_role("button", name="Place in course").click()
        self.goes_on()
        self.page.get_by_role("button", name="Save and return").click()
        expect(self.page.get_by_role("link", name=title, exact=True)).to_be_visible()


def test_the_whole_path_works_without_script(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> None:
    register_by_hand(lms, tool)
    # Blocked in the browser's settings: Playwright's own switch comes too late for a frame from another site.
    context = open_browser("script blocked").contexts[0]
    context.set_default_timeout(15_000)
    expect.set_options(timeout=15_000)
    journey = PlainJourney(lms, tool, context, context.new_page(), is_looking=True)
    journey.places_an_activity(TITLE)
    journey.publishes_a_plan(TITLE)
    partner = journey.partner_of("learner01", TITLE)
    journey.gives_feedback("learner01", TITLE, "You waited until everybody had tied the first knot.")
    journey.gives_feedback(partner, TITLE, "Your question made all of us think.")
    journey.answers("learner01", TITLE, reads="Your question made all of us think.")
    journey.sees_the_grade("learner01", TITLE, "100")
    # With a script this button opens the tab by itself; without one it leads to a link.
    journey.opens("learner01", TITLE)
    journey.inside.get_by_role("button", name="Open in a new tab").click()
    journey.arrives("Open in a new tab")
