"""A rubric with every type of question: made, taken from a file, answered and read side by side in a browser."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy.orm import Session

from lti_tool.activities.rules import Completion, Release
from lti_tool.feedback import service
from lti_tool.rubrics.rules import Asked, Question
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import issue_entry
from tests.browser.test_every_page import look
from tests.factories.feedback import TEXTS, Classroom, a_classroom
from tests.factories.people import a_visit
from tests.unit.rubrics.test_rubric_forms import every_type

Open = Callable[[str, str], Page]
ASKED = {"give_feedback": 1, "acknowledge": 1, "self_assessment": 1}


@pytest.fixture
def room(open_session: OpenSession, kit: Kit) -> Classroom:
    draft = every_type()
    draft = replace(draft, criteria=tuple(replace(one, rounds=(), seat="") for one in draft.criteria))
    values = {"release": Release.AT_ONCE, "completion": Completion(ASKED)}
    with open_session() as session:
        return a_classroom(session, "Mette", "Jonas", now=kit.clock.now(), rubric=draft, **values)


@pytest.fixture
def open_as(context: BrowserContext, url: str, open_session: OpenSession, kit: Kit, room: Classroom) -> Open:
    def begin(name: str, path: str) -> Page:
        with open_session(room.institution.id) as session:
            now, place = kit.clock.now(), room.placement.id
            visit, secret = a_visit(session, room.members[name], room.registration, now=now, placement_id=place)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.goto(f"{url}/v/{visit.key}{path}?c={code}")
        expect(page.locator(".page-header")).to_be_visible()
        return page

    return begin


def answer_to(asked: Asked) -> dict[str, str]:
    """A right answer to a question of any type."""
    parts = [name for name, _ in asked.parts]
    match asked.draft.question:
        case Question.SHORT | Question.LONG:
            found = {asked.key: "In my own words"}
        case Question.SHARE:
            found = {parts[0]: str(asked.draft.options.points)}
        case Question.RANKING:
            found = {name: str(place) for place, name in enumerate(parts, start=1)}
        case Question.CHOICES:
            found = {parts[0]: "1"}
        case _:
            found = {asked.key: asked.offered[-1][0]}
    return {**found, asked.comment_key: "Because"}


def gives_everything(session: Session, room: Classroom, author: str, recipient: str | None, now: datetime) -> int:
    """A complete entry, to a partner or about oneself."""
    receiver = room.members[recipient].id if recipient else None
    key = None if recipient else "self_assessment"
    task = service.find_task(session, room.activity, 1, room.members[author].id, receiver, step_key=key)
    answers = {
        name: text for asked in service.questions_of(session, task, None) for name, text in answer_to(asked).items()
    }
    service.save_draft(session, task, {**TEXTS, **answers}, {}, device="", now=now)
    return service.give(session, task, now=now).id


def test_a_designer_makes_a_rubric_and_loses_nothing_by_a_reload_or_a_file(open_as: Open) -> None:
    page = open_as("Ingrid", "/setup")
    for place in (0, 2):
        page.locator("details.criterion > summary").nth(place).click()
    page.locator("#criteria-2-question").select_option("share")
    # The fields of the type come by themselves, and the list keeps the focus.
    expect(page.locator("#criteria-2-share")).to_be_visible()
    expect(page.locator("#criteria-2-question")).to_be_focused()
    page.get_by_role("button", name="Duplicate criterion 1").click()
    expect(page.locator("#criteria-1-name")).to_have_value("L (2)")
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.locator("#criteria-1-name")).to_have_value("S")
    page.locator("[name=rubric-title]").fill("Not saved yet")
    page.wait_for_timeout(500)
    page.reload()
    expect(page.get_by_text("Your unsaved text from last time is back.")).to_be_visible()
    expect(page.locator("[name=rubric-title]")).to_have_value("Not saved yet")
    page.get_by_role("button", name="Ready rubrics, library and files").click()
    expect(page.get_by_role("heading", level=1, name="Choose a rubric")).to_be_visible()
    for summary in ("For one seat or some rounds only", "Put this rubric into the library"):
        page.get_by_text(summary).click()
    look(page)
    page.get_by_role("button", name="Put it into the library").click()
    expect(
        page.get_by_role("status").filter(has_text="Version 1 of “Not saved yet” is in the library.")
    ).to_be_visible()
    table = {"name": "mine.csv", "mimeType": "text/csv", "buffer": b"criterion,level\nVoice,Quiet\n,Clear\n"}
    page.get_by_label("File with a rubric").set_input_files(table)
    page.get_by_role("button", name="Read the file").click()
    expect(page.locator("#criteria-0-name")).to_have_value("Voice")
    expect(page.locator("details.criterion")).to_have_count(1)
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.locator("details.criterion")).to_have_count(8)


def test_answers_of_every_type_are_saved_as_they_are_given_and_stand_beside_ones_own_view(
    open_as: Open, open_session: OpenSession, kit: Kit, room: Classroom
) -> None:
    page = open_as("Jonas", f"/round/1/for/{room.members['Mette'].id}")
    page.get_by_role("group", name="Cs", exact=True).get_by_text("Green, dark").click()
    page.get_by_role("group", name="P", exact=True).get_by_label("Red").fill("40")
    left = page.get_by_role("group", name="P", exact=True).get_by_role("status")
    expect(left).to_have_text("Points left: 60")
    page.get_by_role("group", name="P", exact=True).get_by_label("Blue").fill("70")
    expect(left).to_have_text("Points too many: 10")
    page.get_by_role("group", name="R", exact=True).get_by_label("Blue").select_option("1")
    page.get_by_role("group", name="S", exact=True).get_by_text("7", exact=True).click()
    page.get_by_label("Comment on “C”").fill("Because")
    expect(page.locator(".saved").filter(has_text="Saved")).not_to_have_count(0)
    page.wait_for_timeout(1500)
    page.reload()
    expect(page.get_by_role("group", name="Cs", exact=True).get_by_label("Green, dark")).to_be_checked()
    expect(page.get_by_role("group", name="P", exact=True).get_by_label("Red")).to_have_value("40")
    expect(page.get_by_role("group", name="R", exact=True).get_by_label("Blue")).to_have_value("1")
    expect(page.get_by_role("group", name="S", exact=True).get_by_label("7")).to_be_checked()
    expect(page.get_by_label("Comment on “C”")).to_have_value("Because")
    page.get_by_role("group", name="Cs", exact=True).get_by_text("Green, dark").click()
    page.wait_for_timeout(1500)
    page.reload()
    expect(page.get_by_role("group", name="Cs", exact=True).get_by_label("Green, dark")).not_to_be_checked()
    look(page)
    page.get_by_role("button", name="Give feedback").click()
    expect(page.get_by_role("alert")).to_contain_text("P: share out 100 points in all")
    look(page)
    with open_session(room.institution.id) as session:
        entry_id = gives_everything(session, room, "Mette", "Jonas", kit.clock.now())
    page = open_as("Jonas", f"/feedback/{entry_id}")
    page.get_by_role("link", name="Look at yourself").click()
    expect(page.get_by_role("heading", level=1, name="How I see myself")).to_be_visible()
    look(page)
    with open_session(room.institution.id) as session:
        gives_everything(session, room, "Jonas", None, kit.clock.now())
    page = open_as("Jonas", f"/feedback/{entry_id}")
    look(page)
    page.get_by_role("link", name="See it beside your own view").click()
    expect(page.get_by_role("img", name="L You: 2 of 2. Mette: 2 of 2.")).to_be_visible()
    look(page)
