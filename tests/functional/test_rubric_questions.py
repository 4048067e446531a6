"""Questions of every type without a script, a rubric that changes meanwhile, and one's own view beside it."""

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.activities.rules import Completion, Release, kind_of
from lti_tool.activities.service import InUse
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service import rubric_of
from lti_tool.reports.models import Report
from lti_tool.rubrics.rules import Comment, CriterionDraft, LevelDraft, RubricDraft
from lti_tool.support.db import OpenSession
from lti_tool.workspace import personal_data
from tests.factories.feedback import TEXTS, a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World
from tests.functional.guests import text_of
from tests.unit.rubrics.test_rubric_forms import every_type

OBSERVED = RubricDraft(
    "Short",
    (
        CriterionDraft("Voice", "", (LevelDraft("Quiet"), LevelDraft("Clear", "I heard it all"), LevelDraft("Strong"))),
        CriterionDraft("Only later", levels=(LevelDraft("A"), LevelDraft("B")), rounds=(2,)),
    ),
)
ASKED = {"give_feedback": 1, "acknowledge": 1, "self_assessment": 1}


def a_world(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient, rubric: RubricDraft, **settings: object
) -> World:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), rubric=rubric, **settings)
    return World(open_session, clock, client, room)


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    return a_world(open_session, clock, client, OBSERVED, release=Release.AT_ONCE, completion=Completion(ASKED))


def ids(world: World) -> dict[str, int]:
    with world.open_session(world.room.institution.id) as session:
        activity = session.get_one(Activity, world.room.activity.id)
        return {one.name: one.id for one in rubric_of(session, activity.rubric_id).criteria}


def level(world: World, criterion: str, label: str) -> dict[str, str]:
    with world.open_session(world.room.institution.id) as session:
        activity = session.get_one(Activity, world.room.activity.id)
        found = next(one for one in rubric_of(session, activity.rubric_id).criteria if one.name == criterion)
        return {f"mark-{found.id}": str(next(one.id for one in found.levels if one.label == label))}


def answers(world: World) -> dict[str, str]:
    at = ids(world)
    share = {f"mark-{at['P']}.0": "60", f"mark-{at['P']}.2": "40"}
    places = {f"mark-{at['R']}.{place}": str(3 - place) for place in range(3)}
    return {
        **level(world, "L", "B"),
        f"mark-{at['S']}": "7",
        f"mark-{at['C']}": "1",
        f"mark-{at['C']}.comment": "because of the light",
        f"mark-{at['Cs']}.0": "1",
        f"mark-{at['Sh']}": "one line",
        f"mark-{at['Lo']}": "several\nlines",
        **share,
        **places,
    }


def test_every_type_is_answered_and_read_and_is_in_everybodys_exports(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    draft = every_type()
    draft = replace(draft, criteria=tuple(replace(one, rounds=(), seat="") for one in draft.criteria))
    world = a_world(open_session, clock, client, draft, release=Release.AT_ONCE)
    mette, path = world.browser("Mette"), world.writing("Jonas")
    half = mette.post(path, do="give", **TEXTS, **{f"mark-{ids(world)['P']}.0": "60"})
    shown = text_of(half)
    for told in ("Choose a level for “L”", "Answer “S”", "P: share out 100 points in all", "Write a comment on “C”"):
        assert told in shown
    assert 'value="60"' in half.text
    # A browser sends what stands behind a box only where the box is not ticked.
    ticked = f"mark-{ids(world)['Cs']}.1"
    assert re.search(rf'name="{re.escape(ticked)}" value="1"[^>]*checked', mette.post(path, **{ticked: "1"}).text)
    assert not re.search(rf'name="{re.escape(ticked)}" value="1"[^>]*checked', mette.post(path, **{ticked: ""}).text)
    assert "Feedback given" in mette.post(path, do="give", **TEXTS, **answers(world)).text
    with open_session(world.room.institution.id) as session:
        entry = session.scalars(select(Entry)).one()
        exported = str(personal_data.everything_about(session, world.room.members["Mette"].person_id))
    over_time = text_of(world.browser("Jonas").get("/growth"))
    assert "7 (0: never – 7: always)" in over_time
    assert "B (2 of 2)" in over_time
    read = text_of(world.browser("Jonas").get(f"/feedback/{entry.id}"))
    for told in ("7 (0: never – 7: always)", "Green, dark", "because of the light", "Red: 60", "1. Blue", "one line"):
        assert told in read
    own = world.browser("Mette").post("/own-work").text
    for told in ("Red: 60", "1. Blue", "because of the light"):
        assert told in own
        assert told in exported


def test_staff_see_to_which_question_a_reported_comment_belongs(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    draft = every_type()
    draft = replace(draft, criteria=tuple(replace(one, rounds=(), seat="") for one in draft.criteria))
    world = a_world(open_session, clock, client, draft, release=Release.AT_ONCE)
    world.browser("Mette").post(world.writing("Jonas"), do="give", **TEXTS, **answers(world))
    with open_session(world.room.institution.id) as session:
        entry_id = session.scalars(select(Entry.id)).one()
    world.browser("Jonas").post(f"/feedback/{entry_id}/report", concern="hurts")
    with open_session(world.room.institution.id) as session:
        report_id = session.scalars(select(Report.id)).one()
    page = world.browser("Ingrid", role="instructor").get(f"/reports/{report_id}").text
    assert re.search(r"<legend>C</legend>.{0,300}because of the light", page, re.DOTALL)


def change_rubric(world: World, draft: RubricDraft) -> None:
    with world.open_session(world.room.institution.id) as session:
        activity = session.get_one(Activity, world.room.activity.id)
        settings = activities.settings_of(session, activity)
        begun = InUse(has_feedback=False, rounds=1)
        by = world.room.members["Ingrid"].person_id
        activities.update(
            session,
            activity,
            settings,
            draft,
            expected_version=activity.version,
            in_use=begun,
            by=by,
            now=world.clock.now(),
        )


def test_who_has_the_page_open_while_the_rubric_changes_loses_nothing(world: World, open_session: OpenSession) -> None:
    mette, path = world.browser("Mette"), world.writing("Jonas")
    page = mette.get(path).text
    shown = re.search(r'name="rubric" value="(\d+)"', page)
    assert shown is not None
    typed = level(world, "Voice", "Clear")
    changed = replace(OBSERVED.criteria[0], name="Sound", comment=Comment.OPTIONAL)
    change_rubric(world, replace(OBSERVED, criteria=(changed,)))
    given = mette.post(path, do="give", rubric=shown[1], **TEXTS, **typed)
    assert "Feedback given" in given.text
    with open_session(world.room.institution.id) as session:
        entry = session.scalars(select(Entry)).one()
        assert {name: text for name, text in entry.fields.items() if name.startswith("mark-")} == typed
        assert entry.rubric_id == int(shown[1])
    # Who begins now has the new one, and a number that is no version of this activity's counts for nothing.
    jonas, other = world.browser("Jonas"), world.writing("Mette")
    assert "Sound" in jonas.get(other).text
    jonas.post(other, rubric="999999", strengths="S")
    assert "Sound" in jonas.get(other).text


def test_a_criterion_is_asked_in_its_rounds_only(world: World) -> None:
    page = world.browser("Mette").get(world.writing("Jonas")).text
    assert "Voice" in page
    assert "Only later" not in page


def test_own_view_comes_first_and_then_stands_beside_what_partners_say(world: World) -> None:
    given = world.gives("Mette", "Jonas", **level(world, "Voice", "Clear"))
    jonas = world.browser("Jonas")
    first = jonas.get(f"/feedback/{given}")
    assert "first say how you see yourself" in first.text
    assert TEXTS["strengths"] not in jonas.get("/feedback").text
    assert jonas.get("/round/1/feedback").status_code == 303
    over_time = jonas.get("/growth").text
    assert "First say how you see yourself" in over_time
    assert TEXTS["next_time_1"] not in over_time + jonas.post("/own-work").text
    assert TEXTS["strengths"] not in first.text
    assert TEXTS["strengths"] in jonas.get(f"/feedback/{given}?anyway=1").text
    assert jonas.get("/round/1/side-by-side").status_code == 404
    path = "/round/1/step/self_assessment"
    assert "Only you read this." in jonas.get(path).text
    assert "Choose a level for “Voice”" in jonas.post(path, do="give").text
    jonas.post(path, do="give", **level(world, "Voice", "Strong"))
    read = jonas.get(f"/feedback/{given}").text
    assert "See it beside your own view" in read
    assert TEXTS["next_time_1"] in jonas.get("/growth").text
    assert TEXTS["next_time_1"] in jonas.post("/own-work").text
    beside = text_of(jonas.get("/round/1/side-by-side"))
    assert "Strong 3 of 3" in beside
    assert "Clear 2 of 3" in beside
    assert "You: 3 of 3. Mette: 2 of 3." in beside
    # It is nobody else's.
    assert world.browser("Mette").get("/round/1/side-by-side").status_code == 404
    assert "Strong" not in world.browser("Mette").get("/").text


def test_who_is_not_asked_for_their_own_view_is_not_bothered_with_it(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    world = a_world(open_session, clock, client, OBSERVED, release=Release.AT_ONCE)
    given = world.gives("Mette", "Jonas", **level(world, "Voice", "Clear"))
    jonas = world.browser("Jonas")
    assert TEXTS["strengths"] in jonas.get(f"/feedback/{given}").text
    assert "see yourself" not in jonas.get("/").text
    assert all(kind_of(key).self_assessment for key in ("observation", "goals", "circle", "role_play"))
