"""Feedback without names on pages: what givers, the receiver and staff read."""

import html
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.rules import Release
from lti_tool.feedback import handlers, service
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service import find_task
from lti_tool.jobs.queue import JobContext
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.factories.feedback import a_classroom, publish
from tests.factories.people import a_member, a_person
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World
from tests.functional.designing import a_designer, fields_of

FOUR = ("Ada", "Ben", "Cem", "Dan")
GIVERS = FOUR[1:]


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        how = {"release": Release.AT_ONCE, "anonymous_feedback": True}
        room = a_classroom(session, *FOUR, "Eva", now=clock.now(), groups=(FOUR,), **how)
    return World(open_session, clock, client, room)


def all_give(world: World, kit: Kit) -> None:
    for place, author in enumerate(GIVERS, start=1):
        world.gives(author, "Ada", strengths=f"Strength number {place}.")
        world.clock.advance(timedelta(hours=1))
    work(world, kit)


def work(world: World, kit: Kit) -> None:
    payload = {"round_id": world.room.rounds[0].id, "recipient_id": world.room.members["Ada"].id}
    handlers.release(kit, JobContext(1, "feedback.release", payload, world.room.institution.id, 1))


def entries(session: Session) -> list[Entry]:
    return list(session.scalars(select(Entry).where(Entry.alias.is_not(None)).order_by(Entry.id)))


def aliases(world: World) -> list[int]:
    with world.open_session(world.room.institution.id) as session:
        return [entry.alias or 0 for entry in entries(session)]


def test_from_the_first_word_to_the_answer(world: World, kit: Kit) -> None:
    ben, ada = world.browser("Ben"), world.browser("Ada")
    page = html.unescape(ben.get(world.writing("Ada")).text)
    assert "You are not named to Ada" in page
    assert "how, can still tell who you are" in page
    assert "they read it and see who wrote it" in page
    assert "that person is not told who wrote what" in html.unescape(ben.get("/round/1/meeting").text)
    own = world.gives("Ben", "Ada", strengths="You listen.")
    assert "You are not named to Ada" in ben.get(f"/feedback/{own}").text
    assert "1 of 3 have given you feedback" in ada.get("/feedback").text
    assert "1 of 3 have given you feedback" in ada.get("/").text
    assert "You listen" not in ada.get("/feedback").text
    for author in ("Cem", "Dan"):
        world.gives(author, "Ada")
    work(world, kit)

    page = ada.get("/feedback").text
    assert page.count("from Anonymous") == 3
    assert not any(re.search(rf"\b{name}\b", page) for name in GIVERS)
    page = ada.get("/round/1/feedback").text
    assert "3 people" in page
    assert not any(re.search(rf"\b{name}\b", page) for name in GIVERS)
    alias = aliases(world)[0]
    page = ada.get(f"/feedback/{alias}").text
    assert "You are not told who wrote this" in page
    assert "You listen." in page
    assert ada.get(f"/feedback/{own}").status_code == 404, "its id would lead to who wrote it"
    assert ben.get(f"/feedback/{alias}").status_code == 404

    answered = ada.post(f"/feedback/{alias}/answer", do="send", heard="That I listen", will_use="Listen on").text
    assert re.search(r"Sent\. Anonymous \d will see what you heard", answered)
    page = ada.get("/").text
    assert re.search(r"Read what Anonymous \d tells you.*?answered", page, re.DOTALL)
    assert "Read what Ben tells you" not in page
    ada.post(f"/growth/{alias}/next_time_1", do="goal")
    assert "A goal of yours" in ada.get("/growth").text
    world.clock.advance(timedelta(days=8))
    assert "That I listen" in world.browser("Ben").get(f"/feedback/{own}").text


def test_a_text_without_a_name_is_not_offered_to_the_library_by_either_of_the_two(world: World, kit: Kit) -> None:
    """Whoever is asked to consent could be told from when and whether they do."""
    own = world.gives("Ben", "Ada", strengths="You listen.")
    for author in ("Cem", "Dan"):
        world.gives(author, "Ada")
    work(world, kit)
    for who, number in (("Ada", aliases(world)[0]), ("Ben", own)):
        browser = world.browser(who)
        page = browser.get(f"/feedback/{number}").text
        assert "You listen." in page
        assert "Offer it to the course library" not in page
        assert "You listen." not in browser.get(f"/practices/new?entry={number}").text


def test_a_text_that_stays_hidden_says_so_and_its_author_can_be_named(world: World, kit: Kit) -> None:
    own = world.gives("Ben", "Ada", strengths="You listen.")
    world.clock.advance(timedelta(days=8))
    work(world, kit)
    ada, ben = world.browser("Ada"), world.browser("Ben")
    assert "One person gave you feedback without their name" in ada.get("/feedback").text
    assert "You can give it with your name" in ben.get("/").text
    assert "Give it with my name" in ben.get(f"/feedback/{own}").text
    assert world.browser("Cem").post(f"/feedback/{own}/name").status_code == 404
    assert "Ada can read it now, with your name." in ben.post(f"/feedback/{own}/name").text
    assert "You listen." in ada.get(f"/feedback/{own}").text
    assert "from Ben" in ada.get("/feedback").text


def test_a_report_tells_staff_who_wrote_it_and_the_reporter_not(world: World, kit: Kit) -> None:
    all_give(world, kit)
    alias, ada = aliases(world)[0], world.browser("Ada")
    page = ada.get(f"/feedback/{alias}/report").text
    assert "Report what someone in your group wrote" in page
    assert "Your instructors see who wrote it. You are not told." in page
    ada.post(f"/feedback/{alias}/report", concern="hurts")
    page = ada.get("/").text
    assert f"/feedback/{alias}/report" in page
    staff = world.browser("Ingrid", role="instructor")
    assert "Ada about Ben" in staff.get("/reports").text
    assert "nor who wrote it" in staff.get(staff_report(staff.get("/reports").text)).text


def staff_report(page: str) -> str:
    found = re.search(r"/reports/\d+", page)
    assert found is not None
    return found[0]


def test_the_form_says_where_it_cannot_be(world: World, kit: Kit) -> None:
    with world.open_session() as session:
        room = a_classroom(
            session,
            "Kai",
            "Lea",
            "Mio",
            now=world.clock.now(),
            groups=(("Kai", "Lea", "Mio"),),
            anonymous_feedback=True,
            release=Release.AT_ONCE,
        )
    small = World(world.open_session, world.clock, world.client, room)
    page = html.unescape(small.browser("Kai").get(small.writing("Lea")).text)
    assert "Your name is on it" in page
    assert "You are not named" not in page


def test_a_designer_chooses_it_where_it_can_be_kept_and_before_anybody_wrote(
    app: Flask, kit: Kit, clock: FakeClock
) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.ACTIVITY)
    path, fields = designer.start("circle")
    assert "Feedback is given without names" in designer.get(path).text
    refused = designer.post(path, **{**fields, "anonymous_feedback": "1", "release": "by_instructor", "do": "save"})
    assert refused.status_code == 422
    assert "Anonymous feedback is shown together and not piece by piece" in refused.text
    asked = {**fields, "anonymous_feedback": "1", "feedback_to": "partners"}
    assert "Robin is not told who wrote what" in designer.post(path, **asked, do="preview").text
    saved = designer.follow(designer.post(path, **asked, do="open"))
    (activity,) = designer.activities()
    assert activity.anonymous_feedback
    with kit.open_session(designer.institution_id) as session:
        ada = a_member(session, designer.course, a_person(session, designer.registration))
        ben = a_member(session, designer.course, a_person(session, designer.registration))
        rounds = activities.rounds_of(session, activity.id)
        publish(session, activity, rounds, [[ada, ben]], now=clock.now())
        task = find_task(session, activity, 1, ada.id, step_key="agree")
        service.confirm(session, task, now=clock.now())
    turned_off = {name: value for name, value in fields_of(saved.text).items() if name != "anonymous_feedback"}
    answer = designer.post(path, **turned_off, do="save")
    assert answer.status_code == 409
    assert "So this stays as it is here." in answer.text
    assert designer.activities()[0].anonymous_feedback


def test_in_pairs_the_settings_say_in_plain_words_that_it_cannot_be(app: Flask, kit: Kit, clock: FakeClock) -> None:
    designer = a_designer(app, kit, clock, kind=VisitKind.ACTIVITY)
    path, fields = designer.start("reflection")
    assert "people know who wrote what, so it cannot be anonymous" in designer.get(path).text
    refused = designer.post(path, **fields, anonymous_feedback="1", do="save")
    assert refused.status_code == 422
    assert "Feedback cannot be anonymous where fewer than three people" in refused.text
