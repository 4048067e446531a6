"""A plan published, feedback written and an answer sent by somebody who has no pointer."""

from typing import Literal

from playwright.sync_api import Locator, expect

from sandbox_lms import SandboxLms
from tests.browser.conftest import OpenBrowser, Tool
from tests.browser.journey import Journey
from tests.browser.worlds import BLOCKED, under_way

TITLE = "Observe a lesson"

# What a person sees of the focus: an outline, or the ring that fields draw instead of one.
IS_MARKED = """element => {
  const style = getComputedStyle(element);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 || style.boxShadow !== "none";
}"""


class Keyboard:
    """Tab, Enter, Space and letters in one journey's page."""

    def __init__(self, journey: Journey) -> None:
        self.journey = journey
        self.keys = journey.page.keyboard

    def reaches(self, wanted: Locator, *, within: int = 60) -> None:
        """Tab until this has the focus, and see that it shows."""
        for _ in range(within):
            if wanted.evaluate("element => element === document.activeElement"):
                assert wanted.evaluate(IS_MARKED), "the focus cannot be seen"
                return
            self.keys.press("Tab")
        raise AssertionError(f"{wanted} is not among the next {within} stops")

    def presses(self, name: str, role: Literal["button", "link"] = "button") -> None:
        self.reaches(self.journey.inside.get_by_role(role, name=name, exact=True).first)
        self.keys.press("Enter")

    def writes(self, label: str, text: str) -> None:
        self.reaches(self.journey.inside.get_by_label(label))
        self.keys.insert_text(text)

    def chooses(self, group: int, level: str) -> None:
        """The arrow keys go from level to level, as in every group of radio buttons."""
        field = self.journey.inside.locator(f"#mark-{group}")
        self.reaches(field.locator("input").first)
        self.keys.press("Space")
        wanted = field.get_by_role("radio", name=level)
        for _ in range(10):
            if wanted.is_checked():
                return
            self.keys.press("ArrowDown")
        raise AssertionError(f"no way to {level} with the arrow keys")

    def changes_the_places_of_two(self) -> None:
        groups = self.journey.inside.locator(".groups > .group")
        for place in range(2):
            self.reaches(groups.nth(place).locator("input[name=who]").first)
            self.keys.press("Space")
        self.presses("See what it would change")
        self.journey.arrives("What it would change")
        self.reaches(self.journey.inside.get_by_role("button", name="Do it").first)
        self.keys.press("Enter")
        expect(self.journey.inside.get_by_text("The two people have changed places")).to_be_visible()
        self.has_focus(".notice-done")

    def has_focus(self, selector: str) -> None:
        expect(self.journey.inside.locator(selector).and_(self.journey.inside.locator(":focus"))).to_be_visible()


def test_a_plan_and_feedback_need_no_pointer(lms: SandboxLms, tool: Tool, open_browser: OpenBrowser) -> None:
    under_way(lms, tool, TITLE, is_published=False)
    context = open_browser(BLOCKED).contexts[0]
    context.set_default_timeout(15_000)
    journey = Journey(lms, tool, context, context.new_page())
    hand = Keyboard(journey)

    journey.opens("designer", TITLE)
    journey.arrives(TITLE)
    hand.presses("Make a plan", "link")
    journey.arrives("Who works with whom")
    hand.presses("Propose groups")
    expect(journey.inside.get_by_text("Learners do not see it yet").first).to_be_visible()
    hand.has_focus(".notice-done")
    hand.changes_the_places_of_two()
    hand.presses("Publish the plan")
    expect(journey.inside.get_by_text("The plan is published")).to_be_visible()

    journey.opens("learner01", TITLE)
    journey.arrives(TITLE)
    hand.presses("Write down what you observe", "link")
    journey.arrives("Feedback for")
    hand.writes("New note", "They looked up and waited.")
    hand.presses("Add note")
    expect(journey.inside.get_by_text("They looked up and waited.").first).to_be_visible()
    hand.presses("Give feedback")
    hand.has_focus(".notice-error")
    hand.presses("Write at least one strength", "link")
    hand.has_focus("#strengths")
    hand.keys.insert_text("You waited until everybody had tied the first knot.")
    hand.writes("Next time, try …", "Let one of them show it to the others.")
    hand.writes("What did you notice?", "Two people at the back stopped.")
    hand.writes("What effect did it have?", "They lost the thread.")
    hand.writes("One adjustment you suggest", "Walk round once before going on.")
    for group in range(1, 5):
        hand.chooses(group, "Solid")
    hand.presses("Give feedback")
    hand.has_focus(".notice-done")
    hand.presses("See what is next", "link")
    journey.arrives(TITLE)
