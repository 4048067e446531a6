"""A learner reports a text that hurts, staff decide, and both read what came of it."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.activities.rules import Release
from lti_tool.reports.models import Report
from lti_tool.support.db import OpenSession
from tests.factories.feedback import TEXTS, a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World

HURT = "You are hopeless. Wait one breath longer."


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.AT_ONCE)
    return World(open_session, clock, client, room)


def ingrid(world: World) -> Browser:
    return world.browser("Ingrid", role="instructor")


def report_id(world: World) -> int:
    with world.open_session(world.room.institution.id) as session:
        return session.scalars(select(Report.id)).one()


def version(world: World) -> str:
    with world.open_session(world.room.institution.id) as session:
        return str(session.scalars(select(Report.version)).one())


def test_from_report_to_decision(world: World) -> None:
    text = world.gives("Mette", "Jonas", suggestion=HURT)
    jonas, mette = world.browser("Jonas"), world.browser("Mette")
    assert "Does something here hurt? Report it" in jonas.get(f"/feedback/{text}").text
    assert TEXTS["strengths"] in jonas.get("/feedback").text
    page = jonas.post(f"/feedback/{text}/report", words="The last part.").text
    assert "Choose what is wrong" in page
    assert "The last part." in page
    page = jonas.post(f"/feedback/{text}/report", concern="hurts", words="The last part.").text
    assert "Thank you for telling us." in page
    assert "Mette is not told who reported it" in page
    assert jonas.get(f"/feedback/{text}").status_code == 404
    assert TEXTS["strengths"] not in jonas.get("/feedback").text, "not in the list either"
    assert "About your report on what Mette wrote in round 1" in jonas.get("/").text
    assert "hopeless" in mette.get(f"/feedback/{text}").text, "its author keeps it"
    assert "instructors are looking" not in mette.get("/").text, "staff have not told her"
    assert mette.get(f"/feedback/{text}/review").status_code == 404

    staff, number = ingrid(world), report_id(world)
    assert "1 report waits for your decision" in staff.get("/").text
    assert "Jonas about Mette" in staff.get("/reports").text
    page = staff.get(f"/reports/{number}").text
    assert "You are hopeless." in page
    assert "The last part." in page
    page = staff.post(f"/reports/{number}", do="tell_author", version=version(world)).text
    assert "Mette now reads that the text is under review." in page
    home = mette.get("/").text
    assert "Your instructors are looking at this text." in home
    assert "Jonas" not in mette.get(f"/feedback/{text}/review").text, "the reporter is not named"

    kept = {"outcome": "passages_hidden", "reason": "Words about the person, not the lesson."}
    page = staff.post(f"/reports/{number}", do="decide", version=version(world), **kept).text
    assert "Tick at least one passage to hide" in page
    assert "Words about the person" in page
    page = staff.post(f"/reports/{number}", do="decide", version=version(world), passage="suggestion:0", **kept).text
    assert "Decided. Both of them read it on their first page." in page
    page = jonas.get(f"/feedback/{text}").text
    assert "[…] Wait one breath longer." in page
    assert "hopeless" not in page
    assert "hid passages" in jonas.get("/").text
    assert "Words about the person" in mette.get(f"/feedback/{text}/review").text


def test_the_giver_reports_a_hurtful_answer(world: World) -> None:
    text = world.gives("Mette", "Jonas")
    jonas, mette = world.browser("Jonas"), world.browser("Mette")
    jonas.post(f"/feedback/{text}/answer", do="send", heard="That you are a fool", will_use="Nothing", usefulness="1")
    assert "Report it" not in mette.get(f"/feedback/{text}").text, "the answer is read after the round"
    world.clock.advance(timedelta(days=7))
    jonas, mette = world.browser("Jonas"), world.browser("Mette")
    page = mette.get(f"/feedback/{text}").text
    assert "That you are a fool" in page
    answer = page.partition('/report"')[0].rpartition("/feedback/")[2]
    mette.post(f"/feedback/{answer}/report", concern="hurts")
    assert "That you are a fool" not in mette.get(f"/feedback/{text}").text
    assert "That you are a fool" in jonas.get(f"/feedback/{text}").text
    assert "That you are a fool" in ingrid(world).get(f"/reports/{report_id(world)}").text


def test_others_cannot_see_or_send_anything(world: World) -> None:
    text = world.gives("Mette", "Jonas")
    world.browser("Jonas").post(f"/feedback/{text}/report", concern="hurts")
    number, mette = report_id(world), world.browser("Mette")
    for path in ("/reports", f"/reports/{number}"):
        assert mette.get(path).status_code == 403
    assert mette.get(f"/feedback/{text}/report").status_code == 404, "one does not report oneself"
    assert mette.post(f"/feedback/{text}/report", concern="hurts").status_code == 404
    assistant = world.browser("Ingrid", role="assistant")
    assert assistant.get("/reports").status_code == 403
    assert "waits for your decision" not in assistant.get("/").text


def test_a_report_is_taken_back_by_one_button(world: World) -> None:
    text = world.gives("Mette", "Jonas", suggestion=HURT)
    jonas = world.browser("Jonas")
    jonas.post(f"/feedback/{text}/report", concern="hurts")
    page = jonas.post(f"/feedback/{text}/report", do="take_back").text
    assert "Your report is taken back." in page
    assert "hopeless" in jonas.get(f"/feedback/{text}").text
    assert "No reports" in ingrid(world).get("/reports").text


def test_what_happened_in_a_meeting_is_reported_in_words(world: World) -> None:
    jonas, mette = world.browser("Jonas"), world.room.members["Mette"].id
    assert f"/round/1/for/{mette}/report" in jonas.get("/").text
    path = f"/round/1/for/{mette}/report"
    assert "Say in a few words what happened" in jonas.post(path, concern="threatens").text
    assert "Thank you for telling us." in jonas.post(path, concern="threatens", words="She shouted.").text
    number = report_id(world)
    page = ingrid(world).post(f"/reports/{number}", do="decide", version=version(world), reason="We talked.").text
    assert "Dealt with" in page
    assert "We talked." in jonas.get(path).text
    assert "About " not in world.browser("Mette").get("/").text, "staff talk to her in person"


def test_what_was_read_is_added_to_in_the_page(world: World) -> None:
    text = world.gives("Mette", "Jonas")
    mette, jonas = world.browser("Mette"), world.browser("Jonas")
    assert "Change it" in mette.get(f"/feedback/{text}").text
    jonas.get(f"/feedback/{text}")
    page = mette.get(f"/feedback/{text}").text
    assert "Change it" not in page
    page = mette.post(world.writing("Jonas"), do="add_later", addition_draft="And your voice carried.").text
    assert "Added. Jonas can read it now." in page
    assert "And your voice carried." in jonas.get(f"/feedback/{text}").text
