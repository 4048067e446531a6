"""Hints while somebody types: the browser's rules are those of the server, and no text is sent for them."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lti_tool.activities.rules import Craft
from lti_tool.hints.rules import all_lists, hints_of
from lti_tool.launch.models import Member
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import issue_entry
from tests.browser.journey import violations
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock
from tests.unit.hints.corpus import sentences

Open = Callable[[], Page]
SCRIPT = Path(__file__).parent.parent.parent / "lti_tool/static/hints.js"
ODD = (
    "You’re  so LAZY",
    "you_are lazy",
    "É\u0301tait-ce bien? Ça va",
    "İstanbul ß ſ ﬁne ½ ² ٣ 五",
    "you are — lazy",
    "nothing.",
    "“keep it up”",
    "don''t 'change' it",
    "\u200byou are\u00a0weak",
    "Ångström åäö AÅ",
)


def test_the_browser_gives_the_hints_that_the_server_gives(context: BrowserContext) -> None:
    page = context.new_page()
    page.evaluate("window.tandem = {}")
    page.add_script_tag(path=SCRIPT)
    texts = [(one.text, one.craft, one.language) for one in sentences()]
    texts += [(text, craft, of_page) for text in ODD for craft in Craft for of_page in ("en", "nb", "de")]
    found = page.evaluate(
        "([texts, lists]) => texts.map((each) => window.tandem.hintsOf(...each, lists))",
        [texts, all_lists()],
    )
    drifted = [(each, ours) for each, ours in zip(texts, found, strict=True) if hints_of(*each) != ours]
    assert drifted == []


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock) -> Classroom:
    with open_session() as session:
        return a_classroom(session, "Mette", "Jonas", now=clock.now())


@pytest.fixture
def writing(context: BrowserContext, url: str, room: Classroom, open_session: OpenSession, kit: Kit) -> Open:
    """Open Mette's feedback for Jonas on a phone."""

    def begin() -> Page:
        with open_session(room.institution.id) as session:
            member, now = session.get_one(Member, room.members["Mette"].id), kit.clock.now()
            visit, secret = a_visit(session, member, room.registration, now=now, placement_id=room.placement.id)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(f"{url}/v/{visit.key}/round/1/for/{room.members['Jonas'].id}?c={code}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    return begin


def test_a_hint_comes_while_one_types_and_can_be_hidden(writing: Open) -> None:
    page = writing()
    expect(page.get_by_label("What worked well?")).to_be_visible()
    page.route("**/save", lambda route: route.abort())
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    hint = page.locator("[data-hint-for=strengths]")
    page.get_by_label("What worked well?").fill("You are so smart")
    expect(hint).to_contain_text("This is about the person.")
    page.get_by_label("What worked well?").fill("You asked Anna what she had tried, and waited.")
    expect(hint).to_be_empty()
    page.get_by_label("What worked well?").fill("Du är snäll")
    expect(hint).to_contain_text("This is about the person.")
    assert violations(page) == []
    assert [each for each in sent if "smart" in each and "/save" not in each] == []
    page.unroute("**/save")
    page.get_by_role("button", name="Hide hints").click()
    expect(page.get_by_text("Hints are hidden")).to_be_visible()
    expect(page.locator("[data-hint-for]")).to_have_count(0)
    page.get_by_role("button", name="Show hints while I write").click()
    expect(page.locator("[data-hint-for=strengths]")).to_contain_text("This is about the person.")
