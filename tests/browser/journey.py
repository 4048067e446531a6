"""What people do with an activity, from the LMS's pages to the tool's inside its iframe."""

from dataclasses import dataclass
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Error, Frame, FrameLocator, Page, expect

from sandbox_lms import SandboxLms
from tests.browser.conftest import Tool

AXE = Axe().axe_script
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
COLORS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
"""What can be wrong in another color scheme and at the same width: all other rules look at the same elements again."""
LOOK = """options => axe.run(options).then(({ violations }) =>
  violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)}`))"""


def violations(page: Page | Frame, rules: dict[str, Any] = EVERYTHING) -> list[str]:
    """What axe finds wrong with a page by these rules, each rule with the first element that breaks it."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    # To describe what has no fault, and where it stands, takes three quarters of the time; to fetch all style sheets
    # again, for the sake of sounds that no page of ours has, half of the rest.
    options = {"runOnly": rules, "resultTypes": ["violations"], "selectors": False, "preload": False}
    found: list[str] = page.evaluate(LOOK, options)
    return found


@dataclass
class Journey:
    """One browser, in which one after another is somebody else.

    `is_looking` holds every page on the way against axe, which takes as long as the way itself: one journey of each
    width does it for all others.
    """

    lms: SandboxLms
    tool: Tool
    context: BrowserContext
    page: Page
    is_looking: bool = False

    @property
    def inside(self) -> FrameLocator:
        """The tool's page inside the LMS's."""
        return self.page.frame_locator("iframe[name=tool]")

    @property
    def frame(self) -> Frame:
        found = self.page.frame(name="tool")
        assert found is not None
        return found

    def is_now(self, username: str) -> None:
        """Be this person in the LMS."""
        self.page.goto(f"{self.lms.url}/")
        self.context.request.post(f"{self.lms.url}/be", form={"person": username})

    def look(self) -> None:
        """Hold the tool's page against axe, with its contrast rule, and against sideways scrolling."""
        assert self._violations() == []
        wider = self.frame.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, "the page scrolls sideways"

    def _violations(self) -> list[str]:
        # A frame that came from another process may lose the place in which a script runs while it settles; axe then
        # starts anew on the page that is there.
        for _ in range(10):
            self.frame.wait_for_load_state()
            try:
                return violations(self.frame)
            except Error:
                self.page.wait_for_timeout(300)
        return violations(self.frame)

    def arrives(self, heading: str) -> None:
        """The page with this heading is shown."""
        expect(self.inside.get_by_role("heading", level=1, name=heading)).to_be_visible()
        expect(self.inside.get_by_role("link", name="Back to the course")).to_be_hidden()
        self.passes()

    def passes(self) -> None:
        """Look at the page on the way, if this journey does."""
        if self.is_looking:
            self.look()

    # the administrator

    def registers_the_tool(self, invitation: str) -> None:
        self.is_now("admin")
        self.page.goto(f"{self.lms.url}/admin/register")
        self.page.get_by_label("Registration link").fill(invitation)
        self.page.get_by_role("button", name="Open the tool's page").click()
        inside = self.page.frame_locator("#tool")
        inside.get_by_role("button", name="Register", exact=True).click()
        expect(inside.get_by_role("heading", level=1)).to_contain_text("is connected")
        inside.get_by_role("button", name="Back to the LMS").click()
        self.page.wait_for_url("**/admin")
        self.page.get_by_role("button", name="Activate").click()

    # the designer

    def switches_it_on(self) -> None:
        self.is_now("designer")
        self.page.goto(f"{self.lms.url}/courses/course-1/tools")
        self.page.get_by_role("button", name="Switch on").click()

    def places_an_activity(self, title: str) -> None:
        """One round, everything else as the template has it."""
        self.is_now("designer")
        self.page.goto(f"{self.lms.url}/courses/course-1/add")
        self.page.get_by_text("Select content").click()
        self.arrives("What should people do together?")
        self.inside.get_by_role("button", name="Use this template Observation and feedback").click()
        self.arrives("Set up")
        self.inside.get_by_label("Title").fill(title)
        remove = self.inside.get_by_role("button", name="Remove round 2")
        if remove.count():
            remove.click()
            expect(remove).to_have_count(0)
        self.inside.get_by_role("button", name="Place in course").click()
        save = self.page.get_by_role("button", name="Save and return")
        expect(save.or_(self.page.get_by_role("link", name=title, exact=True))).to_be_visible()
        if save.count():
            save.click()
        expect(self.page.get_by_role("link", name=title, exact=True)).to_be_visible()

    def opens(self, username: str, title: str) -> None:
        """Open the activity from the course, as this person."""
        self.is_now(username)
        self.page.goto(f"{self.lms.url}/courses/course-1")
        self.page.get_by_role("link", name=title, exact=True).click()

    def publishes_a_plan(self, title: str) -> None:
        self.opens("designer", title)
        self.arrives(title)
        self.inside.get_by_role("link", name="Plan", exact=True).click()
        self.arrives("Who works with whom")
        propose = self.inside.get_by_role("button", name="Propose groups")
        for _ in range(20):
            if propose.count():
                break
            self.page.wait_for_timeout(500)
            self.inside.get_by_role("link", name="Plan", exact=True).click()
        propose.click()
        expect(self.inside.get_by_text("Learners do not see it yet").first).to_be_visible()
        self.passes()
        self.inside.get_by_role("button", name="Publish the plan").click()
        expect(self.inside.get_by_text("The plan is published")).to_be_visible()

    # the learners

    def partner_of(self, username: str, title: str) -> str:
        """The username of the person this learner is told to observe."""
        self.opens(username, title)
        self.arrives(title)
        sentence = self.inside.locator(".now .lead").inner_text()
        return next(person.username for person in self.lms.people.values() if person.name in sentence)

    def gives_feedback(self, username: str, title: str, strength: str) -> None:
        self.opens(username, title)
        self.arrives(title)
        self.inside.get_by_role("link", name="Write down what you observe").click()
        self.arrives("Feedback for")
        inside = self.inside
        inside.get_by_label("New note").fill("They looked up and waited.")
        inside.get_by_role("button", name="Add note").click()
        expect(inside.get_by_text("They looked up and waited.").first).to_be_visible()
        inside.get_by_label("What worked well?").fill(strength)
        inside.get_by_label("Next time, try …").fill("Let one of them show it to the others.")
        inside.get_by_label("What did you notice?").fill("Two people at the back stopped.")
        inside.get_by_label("What effect did it have?").fill("They lost the thread.")
        inside.get_by_label("One adjustment you suggest").fill("Walk round once before going on.")
        for group in inside.locator("fieldset:has(input[type=radio])").all():
            solid = group.locator("label").filter(has_text="Solid")
            if solid.count() == 1:
                solid.click()
        inside.get_by_role("button", name="Give feedback").click()
        expect(inside.get_by_text("Given.", exact=False).first).to_be_visible()
        self.passes()

    def answers(self, username: str, title: str, *, reads: str) -> None:
        self.opens(username, title)
        self.arrives(title)
        self.inside.get_by_role("link", name="Read the feedback").click()
        expect(self.inside.get_by_text(reads)).to_be_visible()
        self.passes()
        self.inside.get_by_label("What I heard").fill("That waiting helps.")
        self.inside.get_by_label("What I will use").fill("Count to five.")
        self.inside.get_by_label("Useful", exact=True).check()
        self.inside.get_by_role("button", name="Send answer").click()
        expect(self.inside.get_by_text("That waiting helps.")).to_be_visible()

    # the gradebook

    def sees_the_grade(self, username: str, title: str, points: str) -> None:
        """The LMS's own gradebook shows it, as soon as the tool's worker has sent it."""
        self.is_now("designer")
        name = self.lms.people[username].name
        row = self.page.get_by_role("row").filter(has_text=name)
        for _ in range(40):
            self.page.goto(f"{self.lms.url}/courses/course-1/gradebook")
            if points in row.inner_text():
                return
            self.page.wait_for_timeout(500)
        raise AssertionError(f"no {points} for this learner: {row.inner_text()}")
