"""Several activities of a course as one programme: made, arranged, moved, copied, walked through, and certified."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules import CertificateTerms, Completion, RoundDates, kind_of
from lti_tool.activities.rules.saved import content_of
from lti_tool.certificates.models import Certificate
from lti_tool.jobs.worker import Worker
from lti_tool.launch.models import Placement
from lti_tool.pairing import service as pairing
from lti_tool.pairing.rules import preferences
from lti_tool.programmes import service
from lti_tool.programmes.models import Programme
from lti_tool.programmes.rules import Step
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from lti_tool.web.visits import VisitKind
from lti_tool.wiring import Services
from tests.factories.activities import an_activity, observation_rubric, observation_settings
from tests.factories.feedback import a_classroom, given, publish
from tests.factories.people import a_course, a_deployment, a_member, a_person, a_placement, a_visit
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World
from tests.functional.designing import Designer, a_designer, answer_page, claims_of
from tests.functional.guests import text_of

GIVEN_COUNTS = Completion.from_json({"give_feedback": 1, "acknowledge": 0}, kind_of("observation"))
TERMS = CertificateTerms("", "Center", {"observed": Decimal(1), "observer": Decimal(1)})


class Course(World):
    """A course with "Observation", in which Mette and Jonas work, and "Rehearsal", a week and two weeks later."""

    second_id: int

    def ingrid(self) -> Browser:
        return self.browser("Ingrid")

    def made(self) -> int:
        """A programme of both activities."""
        with self.open_session(self.room.institution.id) as session:
            steps = [Step(self.room.activity.id), Step(self.second_id)]
            by = self.room.members["Ingrid"].person_id
            return service.make(session, self.room.course.id, "Lead well", steps, by=by, now=self.clock.now()).id

    def version(self, programme_id: int) -> str:
        with self.open_session(self.room.institution.id) as session:
            return str(session.get_one(Programme, programme_id).version)

    def press(self, programme_id: int, do: str, **fields: str) -> Any:
        fields = {"version": self.version(programme_id), **fields}
        return self.ingrid().post(f"/programmes/{programme_id}", do=do, **fields)

    def titles(self, programme_id: int) -> list[str]:
        with self.open_session(self.room.institution.id) as session:
            return [one.activity.title for one in service.stages_of(session, programme_id)]

    def due(self) -> list[list[date | None]]:
        """The due days of all rounds, by activity."""
        with self.open_session(self.room.institution.id) as session:
            rows = [activities.rounds_of(session, id_) for id_ in (self.room.activity.id, self.second_id)]
            return [[row.due_at.date() if row.due_at else None for row in rounds] for rounds in rows]

    def moves(self, programme_id: int, **fields: str) -> tuple[str, Any]:
        """The preview, and what confirming it answers."""
        ingrid = self.ingrid()
        query = "&".join(f"{name}={value}" for name, value in fields.items())
        page = ingrid.get(f"/programmes/{programme_id}/dates?{query}").text
        seen = re.search(r'name="seen" value="([^"]+)"', page)
        return page, ingrid.post(f"/programmes/{programme_id}/dates", seen=seen[1] if seen else "", **fields)

    def gives(self, author: str, recipient: str, *, second: bool = False, **changes: str) -> int:
        with self.open_session(self.room.institution.id) as session:
            activity = session.get_one(Activity, self.second_id if second else self.room.activity.id)
            rounds = activities.rounds_of(session, activity.id)
            for round_ in rounds:
                task = replace(self.room, activity=activity).task(session, author, recipient, round_.number)
                given(session, task, now=self.clock.now(), **changes)
        return len(rounds)


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> Course:
    start = clock.now()
    with open_session() as session:
        rounds = tuple(RoundDates(due_at=start + timedelta(days=7 * number)) for number in (1, 2))
        settings: Any = {"title": "Observation", "completion": GIVEN_COUNTS, "certificate": TERMS}
        room = a_classroom(session, "Mette", "Jonas", now=start, rounds=rounds, **settings)
        later = (RoundDates(due_at=start + timedelta(days=21)),)
        second = an_activity(
            session,
            room.course,
            a_placement(session, room.course),
            now=start,
            rounds=later,
            **{**settings, "title": "Rehearsal"},
        )
        members = [room.members[name] for name in ("Mette", "Jonas")]
        publish(session, second, activities.rounds_of(session, second.id), [members], now=start)
        third = a_placement(session, room.course)
        an_activity(session, room.course, third, now=start, title="Circle of friends")
    world = Course(open_session, clock, client, room)
    world.second_id = second.id
    return world


# ---- made and arranged -----------------------------------------------------------------------------------------------


def test_an_instructor_makes_a_programme_and_arranges_it_by_buttons(world: Course) -> None:
    ingrid = world.ingrid()
    assert "Make a program" in ingrid.get("/programmes").text
    for fields in ({"title": " ", "activity": str(world.second_id)}, {"title": "Lead well"}):
        assert ingrid.post("/programmes", **fields).status_code == 422
    page = ingrid.post("/programmes", title="Lead well", activity=str(world.second_id))
    assert "Learners see it as their path" in page.text
    with world.open_session(world.room.institution.id) as session:
        programme_id = session.scalars(select(Programme.id)).one()
    world.press(programme_id, "add", activity=str(world.room.activity.id))
    assert world.titles(programme_id) == ["Rehearsal", "Observation"]
    world.press(programme_id, f"up:{world.room.activity.id}")
    assert world.titles(programme_id) == ["Observation", "Rehearsal"]
    page = world.press(programme_id, f"remove:{world.second_id}")
    assert world.titles(programme_id) == ["Observation"]
    assert "Its activities were arranged." in text_of(page)
    world.press(programme_id, "undo")
    assert world.titles(programme_id) == ["Observation", "Rehearsal"]
    assert "is dissolved" in world.press(programme_id, "dissolve").text
    world.press(programme_id, "undo")
    assert world.titles(programme_id) == ["Observation", "Rehearsal"]


def test_an_activity_is_in_one_programme_only_and_of_this_course(world: Course) -> None:
    first = world.made()
    ingrid = world.ingrid()
    with world.open_session(world.room.institution.id) as session:
        third = session.scalars(select(Activity.id).where(Activity.title == "Circle of friends")).one()
        elsewhere = a_course(session, a_deployment(session, world.room.registration))
        foreign = an_activity(session, elsewhere, a_placement(session, elsewhere), now=world.clock.now()).id
    assert ingrid.post("/programmes", title="Other", activity=str(third)).status_code == 200
    for taken in (world.second_id, foreign):
        answer = world.press(first + 1, "add", activity=str(taken))
        assert (answer.status_code, "cannot be added" in answer.text) == (409, True)
    assert world.titles(first + 1) == ["Circle of friends"]


def test_two_who_arrange_it_at_once_do_not_overwrite_each_other(world: Course) -> None:
    programme_id = world.made()
    seen = world.version(programme_id)
    world.press(programme_id, f"up:{world.second_id}")
    answer = world.press(programme_id, f"remove:{world.second_id}", version=seen)
    assert answer.status_code == 409
    assert "Ingrid changed this program in the meantime" in text_of(answer)
    assert world.titles(programme_id) == ["Rehearsal", "Observation"]


def test_assistants_see_it_and_learners_do_not(world: Course) -> None:
    programme_id = world.made()
    assistant = world.browser("Ingrid", role="assistant")
    page = assistant.get(f"/programmes/{programme_id}")
    assert "round 1 runs" in page.text
    assert "Move up" not in page.text
    assert assistant.post(f"/programmes/{programme_id}", do="dissolve", version="1").status_code == 403
    assert world.browser("Mette").get(f"/programmes/{programme_id}").status_code == 403


def test_a_closing_report_is_about_all_activities_of_a_programme(world: Course, services: Services) -> None:
    programme_id = world.made()
    path = f"/programmes/{programme_id}/closing-report"
    world.gives("Mette", "Jonas")
    ingrid = world.ingrid()

    page = ingrid.get(path)
    assert "Closing report: Lead well" in text_of(page)
    assert page.text.count("<h3>Where people stand</h3>") == 2
    assert not [name for name in ("Mette", "Jonas") if name in page.text]
    assert "Closing report" in ingrid.get(f"/programmes/{programme_id}").text
    assert "being made" in ingrid.post(f"{path}/pdf").text
    Worker(services.kit, services.handlers).run_until_idle()
    assert "A PDF was made" in world.ingrid().get(path).text
    made = world.ingrid().post(f"{path}/pdf", do="download")
    text = "".join(one.extract_text() for one in PdfReader(io.BytesIO(made.data)).pages)
    assert "Observation" in text
    assert "Rehearsal" in text
    assert "A PDF was made" not in world.ingrid().get("/closing-report").text


def test_staff_see_who_is_behind_over_all_activities(world: Course) -> None:
    programme_id = world.made()
    world.clock.advance(timedelta(days=8))
    said = text_of(world.ingrid().get(f"/programmes/{programme_id}"))
    assert "Who is behind Jonas Observation Mette Observation" in said
    assert "2 are past a due date" in said
    world.clock.advance(timedelta(days=14))
    said = text_of(world.ingrid().get(f"/programmes/{programme_id}"))
    assert "Mette Observation , Rehearsal" in said


# ---- dates -----------------------------------------------------------------------------------------------------------


def test_dates_move_together_around_free_weeks_and_back(world: Course) -> None:
    before = world.due()
    assert before == [[date(2026, 11, 9), date(2026, 11, 16)], [date(2026, 11, 23)]]
    programme_id = world.made()
    page, answer = world.moves(programme_id, how="weeks", weeks="1", direction="later", free="48")
    assert "until now due" in page
    assert world.due() == [[date(2026, 11, 16), date(2026, 11, 30)], [date(2026, 12, 7)]]
    assert "The dates have moved" in answer.text
    with world.open_session(world.room.institution.id) as session:
        assert "programme dates moved" in set(session.scalars(select(AuditEntry.what)))
    world.press(programme_id, "undo")
    assert world.due() == before


def test_what_has_begun_stays_and_nothing_moves_before_it_or_into_the_past(world: Course) -> None:
    programme_id = world.made()
    world.clock.advance(timedelta(days=8))
    before = world.due()
    page, answer = world.moves(programme_id, how="weeks", weeks="2", direction="earlier", free="")
    assert "would lie in the past" in page
    assert (answer.status_code, world.due()) == (422, before)
    page, _ = world.moves(programme_id, how="start", start="2026-11-20", free="")
    assert "has begun, stays" in page
    assert world.due()[0][0] == before[0][0]
    for wrong in ({"start": "2026-11-01"}, {"start": "soon"}, {"start": "2026-12-01", "free": "the holidays"}):
        page, answer = world.moves(programme_id, how="start", **wrong)
        assert "Nothing has moved yet" in page, wrong
    after = world.due()
    world.moves(programme_id, how="weeks", weeks="999", direction="later")
    assert world.due() == after


def test_dates_that_changed_since_they_were_shown_are_shown_again(world: Course) -> None:
    programme_id = world.made()
    before = world.due()
    fields = {"how": "weeks", "weeks": "1", "direction": "later"}
    answer = world.ingrid().post(f"/programmes/{programme_id}/dates", seen="1.0", **fields)
    assert (answer.status_code, "Something changed in the meantime" in answer.text) == (409, True)
    assert world.due() == before


def test_undo_leaves_what_was_changed_again(world: Course) -> None:
    programme_id = world.made()
    world.moves(programme_id, how="weeks", weeks="1", direction="later")
    with world.open_session(world.room.institution.id) as session:
        later = datetime(2026, 12, 24, 12, tzinfo=UTC)
        activities.rounds_of(session, world.second_id)[0].due_at = later
    page = world.press(programme_id, "undo")
    assert "Undone as far as possible" in page.text
    assert world.due() == [[date(2026, 11, 9), date(2026, 11, 16)], [date(2026, 12, 24)]]


# ---- a learner's path ------------------------------------------------------------------------------------------------


def test_the_home_of_any_activity_shows_the_path_and_one_next_action(world: Course) -> None:
    mette = world.browser("Mette")
    assert "Lead well" not in mette.get("/").text
    world.made()
    said = text_of(mette.get("/"))
    assert "Lead well This is step 1 of 2. The order is a suggestion. 1. Observation now 2. Rehearsal" in said
    assert "Next on your path" not in said
    world.gives("Mette", "Jonas")
    said = text_of(mette.get("/"))
    assert "Next on your path is “Rehearsal”" in said
    assert "1. Observation done" in said
    path = re.search(r"/v/[\w-]+(/also/\d+)", mette.get("/").text)
    assert path is not None
    assert mette.post(path[1]).status_code == 200, "not locked"
    with world.open_session(world.room.institution.id) as session:
        second = session.get_one(Activity, world.second_id)
        session.get_one(Placement, second.placement_id).gone_at = world.clock.now()
    said = text_of(mette.get("/"))
    assert "This is step 1 of 1." in said, "an activity whose link was deleted is not on the way"


def test_an_activity_that_is_not_ready_is_coming(world: Course) -> None:
    world.made()
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.second_id).state = "unconfirmed"
    page = world.browser("Mette").get("/")
    assert "2. Rehearsal coming" in text_of(page)
    assert "/also/" not in page.text[: page.text.index("Also in this course")]


# ---- one certificate -------------------------------------------------------------------------------------------------


def test_one_certificate_for_all_of_it_with_the_hours_of_each(world: Course) -> None:
    programme_id = world.made()
    page = world.press(programme_id, "save", title="Lead well", gives_certificate="on")
    assert "Saved." in page.text
    mette = world.browser("Mette")
    world.gives("Mette", "Jonas")
    page = mette.get("/").text
    assert "Get your certificate" not in page
    assert "Once all activities of the program are done, you can get a certificate." in page
    assert mette.post("/certificate", do="issue", certificate_name="Mette").status_code == 409, "not for one activity"
    assert mette.post("/programme-certificate", do="issue", certificate_name="Mette").status_code == 409
    assert "in all activities of the program" in mette.get("/programme-certificate").text

    world.gives("Mette", "Jonas", second=True)
    assert "You have done everything that counts in “Lead well”." in mette.get("/").text
    page = mette.post("/programme-certificate", do="preview", certificate_name="Mette").text
    assert "Observed: 3 h" in page
    page = mette.post("/programme-certificate", do="issue", certificate_name="Mette").text
    assert "Only you and your instructors see it" in page
    assert "/programme-certificate/badge" in page
    mette.post("/programme-certificate/publish", do="publish")
    with world.open_session(world.room.institution.id) as session:
        certificate = session.scalars(select(Certificate)).one()
        assert (certificate.activity_id, certificate.programme_id) == (None, programme_id)
        assert (certificate.title, certificate.issuer) == ("Lead well", "Center")
    assert "Lead well" in world.client.get(f"/certificates/{certificate.key}").text
    assert "For the program" in world.ingrid().get("/certificates").text
    world.press(programme_id, "dissolve")
    assert "Lead well" in world.client.get(f"/certificates/{certificate.key}").text, "what was issued stays"


def test_an_activity_that_does_not_count_or_whose_link_is_gone_is_not_asked_for(world: Course) -> None:
    programme_id = world.made()
    world.press(programme_id, "save", title="Lead well", gives_certificate="on")
    world.gives("Mette", "Jonas")
    mette = world.browser("Mette")
    world.press(programme_id, f"counts:{world.second_id}")
    assert "Get your certificate" in mette.get("/").text
    world.press(programme_id, f"counts:{world.second_id}")
    assert "Get your certificate" not in mette.get("/").text
    with world.open_session(world.room.institution.id) as session:
        second = session.get_one(Activity, world.second_id)
        session.get_one(Placement, second.placement_id).gone_at = world.clock.now()
    assert "Get your certificate" in mette.get("/").text


# ---- copied ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def source(app: Flask, kit: Kit, clock: FakeClock) -> Callable[..., tuple[Designer, int]]:
    """A designer in a dialog or at a link, and a programme of another course of the institution."""

    def begun(kind: VisitKind = VisitKind.PLACING, *, is_offered: bool = True, **asked: object) -> tuple[Designer, int]:
        dina = a_designer(app, kit, clock, kind=kind, **asked)
        now = clock.now()
        with kit.open_session(dina.institution_id) as session:
            course = a_course(session, a_deployment(session, dina.registration), title="Client A")
            kept = content_of(observation_settings(now), observation_rubric(), {})
            template = SavedTemplate(
                holds="activity",
                title="Ours",
                version=3,
                settings=kept.settings,
                rubric=kept.rubric,
                preferences={},
                saved_at=now,
            )
            session.add(template)
            session.flush()
            made = []
            for number, title in enumerate(("Observation", "Rehearsal"), start=1):
                dates = (RoundDates(now + timedelta(days=7 * number), now + timedelta(days=7 * number + 4)),)
                one = an_activity(session, course, a_placement(session, course), now=now, title=title, rounds=dates)
                one.saved_template_id, one.saved_template_version = template.id, 2
                circles = preferences.read({"kind": "circles", "size": 4})
                pairing.save_preferences(session, one.id, circles, expected_version=0, by=None, now=now)
                made.append(Step(one.id))
            programme = service.make(session, course.id, "Lead well", made, by=1, now=now)
            programme.is_offered = is_offered
            return dina, programme.id

    return begun


def copies(dina: Designer, programme_id: int, start: str = "2027-02-10", free: str = "") -> Any:
    page = dina.get(f"/programmes/{programme_id}/copy?how=start&start={start}&free={free}").text
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen is not None, page
    return dina.post(f"/programmes/{programme_id}/copy", how="start", start=start, free=free, seen=seen[1])


def copied(dina: Designer) -> list[Activity]:
    return [one for one in dina.activities() if one.course_id == dina.course.id]


def test_a_programme_is_copied_with_new_dates_and_placed_at_once(source: Callable[..., tuple[Designer, int]]) -> None:
    dina, programme_id = source()
    chooser = dina.get("/setup").text
    assert "Client A" in chooser
    page = text_of(dina.get(f"/programmes/{programme_id}/copy"))
    assert "Keeps version 2 of the template “Ours”. Its settings will offer version 3." in page
    assert copied(dina) == []

    answer = dina.follow(copies(dina, programme_id, free="7"))
    first, second = copied(dina)
    [one], [two] = dina.rounds(first), dina.rounds(second)
    assert (one.opens_at.date(), two.opens_at.date()) == (date(2027, 2, 10), date(2027, 2, 24)), "week 7 is free"
    assert (first.state, first.saved_template_version, first.placement_id) == ("unconfirmed", 2, None)
    with dina.kit.open_session(dina.institution_id) as session:
        saved = pairing.preferences_of(session, session.get_one(Activity, first.id))
        assert (saved.preferences.kind, saved.version) == ("circles", 1)
        made = session.scalars(select(Programme).where(Programme.course_id == dina.course.id)).one()
    assert "“Lead well” waits to be placed" in text_of(answer)
    page = answer_page(dina, dina.post(f"/programmes/{made.id}/place"))
    items = claims_of(dina, page)["https://purl.imsglobal.org/spec/lti-dl/claim/content_items"]
    assert [item["custom"]["activity"] for item in items] == [first.key, second.key]
    assert [item["title"] for item in items] == ["Observation", "Rehearsal"]


def test_a_dialog_for_one_link_takes_one_after_the_other(source: Callable[..., tuple[Designer, int]]) -> None:
    dina, programme_id = source(accepts_multiple=False)
    page = dina.follow(copies(dina, programme_id))
    assert "Your platform takes one activity at a time." in page.text
    made = re.search(r"programme-(\d+)", page.text)
    assert made is not None
    assert dina.post(f"/programmes/{made[1]}/place").status_code == 303, "several are not sent"
    assert f"/setup/drafts/{copied(dina)[0].key}" in page.text


def test_a_link_without_an_activity_takes_one_of_the_copies(source: Callable[..., tuple[Designer, int]]) -> None:
    dina, programme_id = source(VisitKind.ACTIVITY)
    page = dina.follow(copies(dina, programme_id))
    path = re.search(r'action="/v/[\w-]+(/programmes/\d+/here/\d+)"', page.text)
    assert path is not None
    settings = dina.follow(dina.post(path[1]))
    assert 'value="Observation"' in settings.text
    assert dina.placement is not None
    assert [one.placement_id for one in copied(dina)] == [dina.placement.id, None]
    assert dina.post(path[1]).status_code == 404, "it has its place"


def test_what_is_not_offered_is_for_those_who_teach_there(
    source: Callable[..., tuple[Designer, int]], clock: FakeClock
) -> None:
    dina, programme_id = source(is_offered=False)
    assert "Client A" not in dina.get("/setup").text
    assert dina.get(f"/programmes/{programme_id}/copy").status_code == 404
    with dina.kit.open_session(dina.institution_id) as session:
        course_id = session.get_one(Programme, programme_id).course_id
        person = session.get_one(type(a_person(session, dina.registration)), dina.visit.person_id)
        a_member(session, session.get_one(type(dina.course), course_id), person, "instructor")
    assert "Client A" in dina.get("/setup").text


def test_what_cannot_come_is_said_before_and_left_out(source: Callable[..., tuple[Designer, int]]) -> None:
    dina, programme_id = source()
    with dina.kit.open_session(dina.institution_id) as session:
        session.scalars(select(SavedTemplate)).one().withdrawn_at = dina.kit.clock.now()
        session.scalars(select(Activity).order_by(Activity.id)).first().kind = "gone"
    said = text_of(dina.get(f"/programmes/{programme_id}/copy"))
    assert "Observation This kind of activity is no longer offered. is left out" in said
    assert "Its template is not there for this course" in said
    dina.follow(copies(dina, programme_id))
    assert [one.title for one in copied(dina)] == ["Rehearsal"]


def test_a_programme_that_changed_is_shown_again_before_it_is_copied(
    source: Callable[..., tuple[Designer, int]],
) -> None:
    dina, programme_id = source()
    answer = dina.post(f"/programmes/{programme_id}/copy", how="start", start="2027-02-10", free="", seen="0")
    assert (answer.status_code, copied(dina)) == (409, [])


def test_in_a_copied_course_the_programme_is_suggested_again(world: Course) -> None:
    world.made()
    with world.open_session(world.room.institution.id) as session:
        course = a_course(session, a_deployment(session, world.room.registration))
        teacher = a_member(session, course, a_person(session, world.room.registration), "instructor")
        sources = [world.second_id, None, world.room.activity.id]
        for title, source_id in zip(("Second", "Own", "First"), sources, strict=True):
            placement = a_placement(session, course)
            copy = an_activity(session, course, placement, now=world.clock.now(), title=title)
            copy.copied_from_id = source_id
        visit, secret = a_visit(
            session, teacher, world.room.registration, now=world.clock.now(), placement_id=placement.id
        )
    world.client.set_cookie(f"__Host-tandem-{visit.key}", secret, secure=True)
    page = Browser(world.client, visit.key).get("/programmes").text
    assert 'value="Lead well"' in page
    boxes = re.findall(r'name="activity" value="\d+"( checked)?>\s*<span dir="auto">(\w+)', page)
    assert boxes == [(" checked", "First"), (" checked", "Second"), ("", "Own")]


def test_nobody_of_another_institution_finds_it(
    source: Callable[..., tuple[Designer, int]], app: Flask, kit: Kit, clock: FakeClock
) -> None:
    _, programme_id = source()
    stranger = a_designer(app, kit, clock, kind=VisitKind.PLACING)
    assert "Lead well" not in stranger.get("/setup").text
    assert stranger.get(f"/programmes/{programme_id}/copy").status_code == 404
