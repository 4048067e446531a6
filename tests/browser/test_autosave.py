"""Nothing that is typed gets lost: saved as it is typed, kept through a lost connection and an ended visit."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import delete, select

from lti_tool.feedback.models import Entry
from lti_tool.feedback.service import asides_of
from lti_tool.launch.models import Member
from lti_tool.pairing.models import Seat
from lti_tool.support.db import OpenSession, across_institutions
from lti_tool.support.kit import Kit
from lti_tool.web.visits import Visit, issue_entry
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock

KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('tandem.text.'))"


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock) -> Classroom:
    with open_session() as session:
        return a_classroom(session, "Mette", "Jonas", now=clock.now())


Write = Callable[[str, str], Page]


@pytest.fixture
def write(context: BrowserContext, url: str, room: Classroom, open_session: OpenSession, kit: Kit) -> Write:
    """Open a new visit of a person in a new tab, at the form for the other."""

    def begin(who: str, whom: str) -> Page:
        with open_session(room.institution.id) as session:
            member = session.get_one(Member, room.members[who].id)
            now = kit.clock.now()
            visit, secret = a_visit(session, member, room.registration, now=now, placement_id=room.placement.id)
            code = issue_entry(session, visit, secret, kit.secrets, now=now)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.goto(f"{url}/v/{visit.key}/?c={code}")
        page.get_by_role("link", name="Write down what you observe").or_(
            page.get_by_role("link", name="Continue writing")
        ).click()
        expect(page.get_by_role("heading", name=f"Feedback for {whom}")).to_be_visible()
        return page

    return begin


def strengths(page: Page) -> str:
    return page.get_by_label("What worked well?").input_value()


def saved(page: Page, field: str = "strengths") -> None:
    expect(page.locator(f'[data-saved-for="{field}"]')).to_contain_text("Saved")


def end_all_visits(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session, across_institutions(session):
        for visit in session.scalars(select(Visit)):
            visit.revoked_at = clock.now()


def test_a_field_is_saved_without_a_button_and_survives_a_reload(write: Write) -> None:
    page = write("Mette", "Jonas")
    page.get_by_label("What worked well?").fill("You waited.")
    page.get_by_label("Solid").first.check()
    saved(page)
    page.reload()
    expect(page.get_by_label("What worked well?")).to_have_value("You waited.")
    expect(page.get_by_label("Solid").first).to_be_checked()
    assert page.evaluate(KEPT) == []


def test_a_lost_connection_is_said_and_made_up_for(write: Write, context: BrowserContext) -> None:
    page = write("Mette", "Jonas")
    context.set_offline(True)
    page.get_by_label("What worked well?").fill("Typed in a tunnel.")
    place = page.locator('[data-saved-for="strengths"]')
    expect(place).to_contain_text("Not saved yet")
    kept = page.evaluate(f"{KEPT}.map((name) => localStorage.getItem(name))")
    assert len(kept) == 1
    assert "tunnel" not in kept[0], "nobody else who uses this browser can read it"
    context.set_offline(False)
    saved(page)
    assert page.evaluate(KEPT) == []


def test_text_of_an_ended_visit_comes_back_with_the_next_one(
    write: Write, open_session: OpenSession, clock: FakeClock, room: Classroom
) -> None:
    page = write("Mette", "Jonas")
    end_all_visits(open_session, clock)
    page.get_by_label("What worked well?").fill("Typed too late.")
    expect(page.locator("[data-autosave-notice]")).to_contain_text("Open the activity again from your course")
    other = write("Jonas", "Mette")
    other.wait_for_timeout(300)
    assert strengths(other) == ""
    again = write("Mette", "Jonas")
    expect(again.get_by_label("What worked well?")).to_have_value("Typed too late.")
    expect(again.locator("[data-autosave-notice]")).to_contain_text("Your unsaved text from last time is back")
    saved(again)
    with open_session(room.institution.id) as session:
        assert [one.fields["strengths"] for one in session.scalars(select(Entry))] == ["Typed too late."]
    assert again.evaluate(KEPT) == []


def test_text_for_a_partner_who_was_replaced_is_shown_with_the_refusal_and_kept(
    write: Write, open_session: OpenSession, room: Classroom
) -> None:
    page = write("Mette", "Jonas")
    with open_session(room.institution.id) as session:
        session.execute(delete(Seat).where(Seat.member_id == room.members["Jonas"].id))
    page.get_by_label("What worked well?").fill("You waited for Jonas.")
    expect(page.locator("[data-autosave-notice]")).to_contain_text("Your text is kept for you")
    page.get_by_role("button", name="Give feedback").click()
    expect(page.get_by_role("heading", name="You do not work together in this round")).to_be_visible()
    expect(page.get_by_label("Strengths")).to_have_value("You waited for Jonas.")
    page.get_by_role("link", name="Back to the activity").click()
    page.get_by_role("link", name="Show").click()
    expect(page.get_by_label("Strengths")).to_have_value("You waited for Jonas.")
    page.get_by_role("button", name="Discard it").click()
    expect(page.get_by_text("Nothing is kept")).to_be_visible()


def test_unsent_text_is_forgotten_after_seven_days(write: Write, open_session: OpenSession, clock: FakeClock) -> None:
    page = write("Mette", "Jonas")
    end_all_visits(open_session, clock)
    page.get_by_label("What worked well?").fill("A week old.")
    expect(page.locator("[data-autosave-notice]")).to_be_visible()
    week = timedelta(days=7, minutes=1) / timedelta(milliseconds=1)
    page.evaluate(
        f"""{KEPT}.forEach((name) => {{
            const kept = JSON.parse(localStorage.getItem(name));
            localStorage.setItem(name, JSON.stringify({{...kept, at: kept.at - {week:.0f}}}));
        }})"""
    )
    again = write("Mette", "Jonas")
    again.wait_for_timeout(300)
    assert strengths(again) == ""
    assert again.evaluate(KEPT) == []


def test_a_second_device_replaces_nothing_in_silence(write: Write, open_session: OpenSession, room: Classroom) -> None:
    first, second = write("Mette", "Jonas"), write("Mette", "Jonas")
    first.get_by_label("What worked well?").fill("From the first.")
    saved(first)
    second.get_by_label("What worked well?").fill("From the second.")
    expect(second.locator("[data-autosave-notice]")).to_contain_text("Both texts are kept.")
    second.get_by_role("link", name="Show both").click()
    expect(second.locator(".quote")).to_have_text("From the first.")
    with open_session(room.institution.id) as session:
        feedback = session.scalars(select(Entry)).one()
        assert feedback.fields["strengths"] == "From the second."
        assert [one.text for one in asides_of(feedback)] == ["From the first."]


def test_a_field_that_another_device_filled_appears_here(write: Write) -> None:
    first, second = write("Mette", "Jonas"), write("Mette", "Jonas")
    first.get_by_label("What worked well?").fill("From the first.")
    saved(first)
    second.get_by_label("What effect did it have?").fill("People smiled.")
    expect(second.get_by_label("What worked well?")).to_have_value("From the first.")


def test_a_note_that_was_added_is_not_offered_again(write: Write) -> None:
    page = write("Mette", "Jonas")
    page.get_by_label("New note").fill("asks and waits")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("[data-note-text]")).to_have_text("asks and waits")
    expect(page.get_by_label("New note")).to_have_value("")
    assert page.evaluate(KEPT) == []


def test_the_next_note_can_be_typed_at_once(write: Write) -> None:
    page = write("Mette", "Jonas")
    page.get_by_label("New note").fill("asks and waits")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_label("New note")).to_be_focused()
    page.keyboard.type("two people whisper")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("[data-note-text]")).to_have_text(["asks and waits", "two people whisper"])


def test_pressing_enter_in_a_line_saves_and_does_no_harm(write: Write) -> None:
    page = write("Mette", "Jonas")
    page.get_by_label("New note").fill("asks and waits")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("[data-note-text]")).to_have_text("asks and waits")
    line = page.get_by_label("When and where")
    line.fill("Room 4")
    line.press("Enter")
    expect(page.get_by_text("Saved. Only you can read it so far.")).to_be_visible()
    expect(page.locator("[data-note-text]")).to_have_text("asks and waits")
    expect(page.get_by_label("When and where")).to_have_value("Room 4")


def test_leaving_at_once_after_typing_loses_nothing(write: Write) -> None:
    page = write("Mette", "Jonas")
    page.get_by_label("What worked well?").fill("Typed and gone.")
    page.get_by_role("link", name="Back to the activity").click()
    page.get_by_role("link", name="Continue writing").or_(
        page.get_by_role("link", name="Write down what you observe")
    ).click()
    expect(page.get_by_label("What worked well?")).to_have_value("Typed and gone.")
