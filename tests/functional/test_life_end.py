"""A course that is over, and a tool that is switched off."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lti_tool.launch.models import Person
from lti_tool.registration.models import Registration
from lti_tool.web.audit import AuditEntry
from lti_tool.web.visits import VisitKind
from lti_tool.wiring import Services
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock
from tests.functional.guests import PROOF, Guest, text_of
from tests.functional.launching import BASE_URL
from tests.functional.living import Life, a_life

ONE, TWO = "learner01", "learner02"


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, "canvas", learners=2) as life:
        yield life


def is_over(life: Life) -> None:
    """Links still open, and every service answers 404."""
    life.lms.faults.roster(404, times=None)
    life.lms.faults.line_items(404, times=None)
    life.lms.faults.scores(404, times=None)


def downloaded(guest: Guest) -> TestResponse:
    answer = guest.send("/own-work")
    assert answer.status_code == 303, answer.text
    return guest.browser.client.get(answer.headers["Location"], base_url=BASE_URL, headers=PROOF)


def test_a_course_that_is_over_stops_its_calls_and_is_read_only(life: Life) -> None:
    life.begin()
    life.gives(ONE, TWO)
    is_over(life)
    life.clock.advance(timedelta(hours=13))
    life.launch(ONE)
    life.run_for(timedelta(hours=1))
    assert life.course().ended_at is not None
    asked = len(life.lms.requests_seen)
    life.periodically("roster.refresh", "grades.wake")
    assert len(life.lms.requests_seen) == asked

    learner = life.launch(TWO)
    assert "This course is over" in text_of(learner.landing)
    refused = learner.send(life.writing(TWO, ONE), strengths="Too late", do="save")
    assert refused.status_code == 409
    designer = life.launch("designer")
    for path in (
        "/setup/reopen",
        "/plan/propose",
        "/plan/change",
        "/plan/take-back",
        f"/progress/{life.member(ONE).id}/allow/1",
    ):
        assert designer.send(path, wish="excuse").status_code == 403, path


def test_feedback_that_waited_for_a_partner_is_shown_when_the_course_is_over(life: Life) -> None:
    """Else it would wait for ever: nobody can give anything any more."""
    life.begin()
    life.gives(ONE, TWO, strengths="Seen after all")
    is_over(life)
    life.clock.advance(timedelta(hours=13))
    life.launch(ONE)
    life.run()
    learner = life.launch(TWO)
    assert "Seen after all" in text_of(learner.get("/feedback"))
    assert "Seen after all" in downloaded(learner).text


def test_a_course_that_goes_on_is_found_alive_at_a_launch(life: Life) -> None:
    life.begin()
    is_over(life)
    life.clock.advance(timedelta(hours=13))
    life.launch(ONE)
    life.run()
    assert life.course().ended_at is not None
    life.lms.faults.clear()
    life.clock.advance(timedelta(hours=13))
    life.launch(ONE)
    life.run()
    assert life.course().ended_at is None
    life.completes(ONE, TWO)
    assert (life.shown(ONE), life.shown(TWO)) == (100, 100)


def test_learners_take_their_own_work_with_them_and_nobody_else_s(life: Life) -> None:
    life.begin()
    guest = life.launch(ONE)
    guest.post(life.writing(ONE, TWO), note_draft="A note <b>of my own</b>", do="add_note")
    life.gives(ONE, TWO, strengths="Said by One")
    assert "Said by One" not in downloaded(life.launch(TWO)).text
    life.gives(TWO, ONE, strengths="Said by Two\nin two lines")
    life.answers(ONE, TWO)
    life.launch(TWO).post(f"/feedback/{life.feedback_id(ONE, TWO)}/answer", heard="Begun, not sent", do="save")
    is_over(life)
    life.clock.advance(timedelta(hours=13))
    life.launch(ONE)
    life.run()

    mine = life.launch(ONE)
    assert "Download my work" in mine.landing.text
    file = downloaded(mine)
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["Cache-Control"] == "no-store"
    for text in ("Said by One", "Said by Two<br>in two lines", "I heard it.", "A note &lt;b&gt;of my own&lt;/b&gt;"):
        assert text in file.text
    assert "Begun, not sent" not in file.text
    theirs = downloaded(life.launch(TWO)).text
    assert "Begun, not sent" in theirs
    assert "of my own" not in theirs


def test_staff_who_look_as_learners_have_nothing_to_take(life: Life) -> None:
    life.begin()
    assert life.launch("designer", as_learner=True).send("/own-work").status_code == 403


def test_refused_credentials_stop_calls_alone_raise_one_alarm_and_a_click_looks_again(life: Life) -> None:
    life.begin()
    life.lms.revoke_tokens()
    life.lms.faults.token(400, times=None, body='{"error": "invalid_client"}')
    life.completes(ONE, TWO)
    life.run_for(timedelta(hours=4))
    with life.look() as session:
        alarms = select(func.count()).select_from(AuditEntry).where(AuditEntry.what == "token refused")
        assert session.scalar(alarms) == 1
    asked = len(life.lms.requests_seen)
    life.run_for(timedelta(hours=3))
    assert len(life.lms.requests_seen) <= asked + 2
    assert (life.score(ONE).state, life.score(ONE).reason) == ("waiting", "credentials")
    assert "points are on their way" not in text_of(life.launch(ONE).landing)

    life.lms.faults.clear()
    with life.services.kit.open_session(life.institution_id) as session:
        session.scalars(select(Person).where(Person.sub == life.person("designer").sub)).one().is_administrator = True
        registration = session.get_one(Registration, life.registration_id)
        visit, secret = a_visit(
            session,
            life.member("designer"),
            registration,
            now=life.clock.now(),
            kind=VisitKind.INSTITUTION,
            frame_origins=[],
        )
    page, bearer = life.app.test_client(), {**PROOF, "Authorization": f"Bearer {secret}"}
    shown = text_of(page.get(f"/v/{visit.key}/institution", headers=bearer))
    assert "It does not accept Tandem's credentials." in shown
    assert "2 scores have not reached the gradebook." in shown
    click = f"/v/{visit.key}/institution/registrations/{registration.id}/look-again"
    assert page.post(click, headers=bearer).status_code == 303
    life.run()
    assert (life.shown(ONE), life.shown(TWO)) == (100, 100)
