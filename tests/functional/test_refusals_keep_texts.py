"""No refusal of a form answers without the text that was typed into it, whatever the form and whatever the reason."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import ActivityState
from lti_tool.goals.rules import FORMS as GOAL_FORMS
from lti_tool.jobs.schedule import PURGE
from lti_tool.launch.models import Course, Member
from lti_tool.pairing.models import Plan, Seat
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from lti_tool.web.database import RaceLost
from lti_tool.web.kept import MOST_KEPT, KeptText, note_author, typed
from lti_tool.web.visits import Visit, VisitKind, VisitOver
from lti_tool.wiring import Services
from lti_tool.workspace import personal_data
from tests.factories.feedback import TEXTS
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school
from tests.functional.test_bad_input import path_of, rules_of, visitors

TEXT = "Typed for an hour, with a break at noon."
FIELDS = {
    **dict.fromkeys(
        ("strengths", "note_draft", "heard", "will_use", "offers", "title", "name", "text", "words", "reason"), TEXT
    ),
    **{form.sent_as(field): TEXT for form in GOAL_FORMS for field in form.fields},
    **dict.fromkeys(("practice_title", "practice_text", "hidden_why", "certificate_name", "withdrawn_why"), TEXT),
    "a-field-that-comes-later": TEXT,
    "do": "give",
    "wish": "extend",
    "day": "2020-01-01",
}
HOLD_NO_TEXT = ("plan.", "plan_changes.", "pairing_rules.", "progress.allow")
"""Forms of choices, numbers and dates that answer a refusal with their own page."""


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    school = a_school(app, kit, clock, learners=4)
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
    return school


def nothing_more(school: School) -> None:
    """The course as it is: refused are roles that may not, and numbers that name nothing."""


def closed(school: School) -> None:
    change(school, update(Activity).values(state=ActivityState.CLOSED, closed_at=school.clock.now()))


def not_ready(school: School) -> None:
    change(school, update(Activity).values(state=ActivityState.DRAFT))


def course_over(school: School) -> None:
    change(school, update(Course).values(ended_at=school.clock.now()))


def regrouped(school: School) -> None:
    change(school, delete(Seat))


def unpublished(school: School) -> None:
    change(school, delete(Plan))


def not_yet_open(school: School) -> None:
    change(school, update(Round).values(opens_at=school.clock.now() + timedelta(days=1)))


def without_activity(school: School) -> None:
    change(school, update(Activity).values(placement_id=None))


def visit_ran_out(school: School) -> None:
    school.clock.advance(timedelta(hours=13))


def visit_revoked(school: School) -> None:
    change(school, update(Visit).values(revoked_at=school.clock.now()))


def role_changed(school: School) -> None:
    change(school, update(Visit).values(role="observer"))


REASONS: list[Callable[[School], None]] = [nothing_more, closed, regrouped, visit_ran_out, role_changed]
RARER_REASONS: list[Callable[[School], None]] = [
    not_ready,
    course_over,
    unpublished,
    not_yet_open,
    without_activity,
    visit_revoked,
]


def change(school: School, statement: Any) -> None:
    with school.kit.open_session(school.institution_id) as session:
        session.execute(statement.execution_options(synchronize_session=False))


@pytest.mark.parametrize(
    "reason",
    [*REASONS, *(pytest.param(one, marks=pytest.mark.nightly) for one in RARER_REASONS)],
    ids=lambda reason: reason.__name__,
)
def test_no_form_is_refused_without_its_text(app: Flask, school: School, reason: Callable[[School], None]) -> None:
    whos = visitors(school)
    reason(school)
    # Who may do nothing at all is refused alike in every state of the course.
    told = set(whos) if reason is nothing_more else {"learner", "instructor", "placing"}
    silent = []
    for who in sorted(told):
        for rule in rules_of(app, "POST"):
            numbers = (school.group.learners[1].id, 2**31 - 1) if "<int:" in rule.rule else (1,)
            for number in numbers:
                answer = whos[who].send(path_of(rule, number, "k"), **FIELDS)
                is_refused = answer.status_code >= 400 and not rule.endpoint.startswith(HOLD_NO_TEXT)
                if is_refused and TEXT not in answer.text:
                    silent.append((who, rule.endpoint, answer.status_code))
    assert silent == []


def test_a_form_that_is_not_proved_to_be_ours_is_shown_and_not_kept(app: Flask, school: School) -> None:
    learner = school.learner(0)
    client = app.test_client()
    client.set_cookie(f"__Host-tandem-{learner.key}", learner.secret, secure=True)
    for rule in rules_of(app, "POST"):
        path = f"/v/{learner.key}{path_of(rule, 1, 'k')}"
        answer = client.post(path, data=FIELDS, headers={"Accept": "text/html"}, base_url="https://localhost")
        assert answer.status_code == (410 if rule.endpoint == "visit.enter" else 400)
        assert TEXT in answer.text
        assert "It could not be saved" in answer.text
    assert kept(school) == []


def kept(school: School) -> list[KeptText]:
    with school.kit.open_session(school.institution_id) as session:
        return list(session.scalars(select(KeptText).order_by(KeptText.id)))


def replace_partner(school: School) -> tuple[Visitor, str]:
    """A learner has the form for their partner open, and gets another partner."""
    with school.kit.open_session(school.institution_id) as session:
        one, other = session.scalars(
            select(Seat.member_id).join(Round, Round.id == Seat.round_id).where(Round.number == 1).order_by(Seat.id)
        ).all()[:2]
    places = {member.id: place for place, member in enumerate(school.group.learners)}
    learner = school.learner(places[one])
    path = f"/round/1/for/{other}"
    assert learner.get(path).status_code == 200
    change(school, update(Member).where(Member.id == other).values(status="inactive"))
    change(school, delete(Seat).where(Seat.member_id == other))
    return learner, path


def test_the_text_for_a_partner_who_was_replaced_is_shown_with_what_to_do_and_kept(school: School) -> None:
    learner, path = replace_partner(school)

    answer = learner.send(path, **TEXTS, do="give")

    assert answer.status_code == 404
    assert "You do not work together in this round" in answer.text
    assert "Go back to the activity to see who you work with." in answer.text
    assert re.search(r"<label[^>]*>Strengths</label>\s*<textarea[^>]*readonly>You waited", answer.text)
    assert "One of your texts could not be saved. It is kept for you." in learner.get("/").text
    page = learner.get("/kept").text
    assert all(text in page for text in TEXTS.values())
    [row] = kept(school)
    assert "It is kept for you" not in learner.post(f"/kept/{row.id}/delete").text
    assert kept(school) == []
    assert "could not be saved" not in learner.get("/").text


def test_an_autosave_that_is_refused_is_kept_once_however_often_it_is_sent(school: School) -> None:
    learner, path = replace_partner(school)
    for send in range(2):
        answer = school.app.test_client().post(
            f"/v/{learner.key}{path}/save",
            data={"strengths": "You waited", "base.strengths": "0", "device": "d1"},
            headers={"Authorization": f"Bearer {learner.secret}", "Accept": "application/json"},
        )
        assert answer.status_code == 404, send
        assert answer.json["is_kept"] is True
        assert answer.json["typed"] == {"strengths": "You waited"}
    assert [row.texts for row in kept(school)] == [[{"field": "strengths", "text": "You waited"}]]


def test_nobody_else_sees_or_deletes_what_is_kept(school: School) -> None:
    learner, path = replace_partner(school)
    learner.send(path, strengths="S-SECRET", do="save")
    [row] = kept(school)
    others = [one for one in visitors(school).values() if one.member.person_id != row.person_id]
    assert others
    for other in others:
        assert "S-SECRET" not in other.get("/kept").text
        other.send(f"/kept/{row.id}/delete")
    assert len(kept(school)) == 1


def test_text_of_a_visit_that_ran_out_waits_at_the_next_one(school: School) -> None:
    learner = school.learner(0)
    school.clock.advance(timedelta(hours=13))
    answer = learner.send("/round/1/for/1", strengths=TEXT, do="give")
    assert answer.status_code == 401
    assert "It is kept for you" in answer.text
    assert TEXT in school.learner(0).get("/kept").text


def test_what_was_saved_as_it_was_typed_and_then_sent_whole_is_kept_once(school: School) -> None:
    learner, path = replace_partner(school)
    learner.send(f"{path}/save", strengths="You waited")
    learner.send(path, strengths="You waited", effect="Calm.", do="give")
    learner.send(f"{path}/save", effect="Calm.")
    [row] = kept(school)
    assert [one["field"] for one in row.texts] == ["strengths", "effect"]


@pytest.mark.parametrize("end", ["revoked", "preview", "wrong secret"])
def test_what_has_no_certain_author_is_shown_and_not_kept(school: School, end: str) -> None:
    learner = school.somebody("learner", is_preview=end == "preview")
    if end == "revoked":
        visit_revoked(school)
    if end == "wrong secret":
        learner = Visitor(learner.app, learner.key, "guessed", learner.member)
    answer = learner.send("/round/1/for/1", strengths=TEXT, do="give")
    assert answer.status_code >= 400
    assert TEXT in answer.text
    assert kept(school) == []


def test_an_author_is_not_remembered_from_an_attempt_that_lost_a_race(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = school.learner(0)

    def overtaken(visit: Visit) -> None:
        def over(*_: object, **__: object) -> None:
            raise VisitOver(learner.key)

        note_author(visit)
        monkeypatch.setattr("lti_tool.web.access.find_visit", over)
        raise RaceLost("StaleDataError")

    monkeypatch.setattr("lti_tool.web.access.note_author", overtaken)
    answer = learner.send("/round/1/for/1", strengths=TEXT, do="give")
    assert answer.status_code == 401
    assert TEXT in answer.text
    assert kept(school) == []
    with school.kit.open_session() as session:
        assert session.scalars(select(AuditEntry.person_id)).all() == [None]


@pytest.mark.parametrize("place", ["kept", "error_pages"])
def test_a_race_lost_over_what_is_kept_still_lets_the_text_be_shown(
    school: School, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def overtaken(*_: object, **__: object) -> None:
        raise RaceLost("StaleDataError")

    learner = school.learner(0)
    monkeypatch.setattr(f"lti_tool.web.{place}.transaction", overtaken)
    answer = learner.send("/about-you", offers=TEXT)
    assert answer.status_code == 409
    assert "The groups have already been made" in answer.text
    assert TEXT in answer.text


def test_a_database_that_is_away_still_lets_the_text_be_shown(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("", {}, Exception())

    learner = school.learner(0)
    monkeypatch.setattr("lti_tool.web.access.find_visit", away)
    monkeypatch.setattr("lti_tool.web.kept.transaction", away)
    answer = learner.send("/round/1/for/1", strengths=TEXT, do="give")
    assert answer.status_code == 503
    assert TEXT in answer.text
    assert "It could not be saved. Copy it" in answer.text


def test_an_answer_that_comes_after_the_groups_were_made_is_not_dropped_in_silence(school: School) -> None:
    answer = school.learner(0).send("/about-you", offers=TEXT)
    assert answer.status_code == 409
    assert "The groups have already been made" in answer.text
    assert TEXT in answer.text


def test_no_secret_of_a_launch_is_ever_shown_again(app: Flask) -> None:
    for path in ("/lti/launch", "/lti/register", "/lti/launch/confirm"):
        secrets = {"id_token": "A.B-SECRET", "state": "A B-SECRET", "registration_token": "A B-SECRET"}
        answer = app.test_client().post(path, data={**secrets, "invite": "A B-SECRET"}, headers={"Accept": "text/html"})
        assert answer.status_code >= 400
        assert "B-SECRET" not in answer.text


def test_choices_and_numbers_are_no_texts_unless_their_field_takes_text(app: Flask) -> None:
    fields = {
        "release": "at_once",
        "version": "3",
        "strengths": "calm",
        "criteria-2-levels-1-label": "often",
        "who": "7",
        "x": "Ja",
    }
    with app.test_request_context("/v/k/setup", method="POST", data=fields):
        g.visit_key = "k"
        assert [one.field for one in typed()] == ["strengths", "criteria-2-levels-1-label", "x"]


def test_kept_texts_are_few_and_go_with_the_person(school: School, kit: Kit) -> None:
    learner, path = replace_partner(school)
    for number in range(MOST_KEPT + 3):
        school.clock.advance(timedelta(minutes=1))
        learner.send(path, strengths=f"You waited {number} times", do="save")
    rows = kept(school)
    assert len(rows) == MOST_KEPT
    assert rows[-1].texts == [{"field": "strengths", "text": f"You waited {MOST_KEPT + 2} times"}]
    with kit.open_session(school.institution_id) as session:
        told = personal_data.everything_about(session, rows[0].person_id)
        assert told["kept_texts"][-1]["strengths"] == f"You waited {MOST_KEPT + 2} times"
        personal_data.erase(session, rows[0].person_id, now=school.clock.now())
    assert kept(school) == []


def test_kept_texts_leave_after_a_week(school: School, services: Services) -> None:
    learner, path = replace_partner(school)
    learner.send(path, strengths="You waited", do="save")
    for days, left in ((6, 1), (2, 0)):
        school.clock.advance(timedelta(days=days))
        services.handlers[PURGE](services.kit, None)
        assert len(kept(school)) == left


def test_a_placing_visit_without_a_course_keeps_texts_too(school: School) -> None:
    designer = school.somebody("instructor", kind=VisitKind.INSTITUTION, course_id=None, frame_origins=[])
    designer.send("/setup", title=TEXT)
    assert TEXT in designer.get("/kept").text
