"""What people do with feedback in a browser that runs no script."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import KINDS, Craft, Release, RoundDates
from lti_tool.feedback.models import Entry, Note
from lti_tool.rubrics.models import Level
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from tests.factories.feedback import TEXTS, a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
    return World(open_session, clock, client, room)


def test_the_first_line_says_who_reads_it_and_when(world: World) -> None:
    page = world.browser("Mette").get(world.writing("Jonas")).text
    assert "Jonas can read this once you have both given feedback, or on" in page
    assert "your instructors see that you gave it, not what it says" in page


def test_feedback_is_given_with_plain_forms(world: World, open_session: OpenSession) -> None:
    mette = world.browser("Mette")
    page = mette.post(world.writing("Jonas"), do="give", **TEXTS, **world.levels())
    assert page.status_code == 200
    assert "Feedback given. You can still change it until Jonas has read it." in page.text
    with open_session(world.room.institution.id) as session:
        feedback = session.scalars(select(Entry)).one()
        assert feedback.submitted_at is not None
        assert sum(name.startswith("mark-") for name in feedback.fields) == 6


def test_what_is_missing_is_said_and_nothing_is_lost(world: World) -> None:
    mette = world.browser("Mette")
    page = mette.post(world.writing("Jonas"), do="give", strengths="You <b>waited</b>.").text
    assert "Write one thing to try next time" in page
    assert 'href="#next_time_1"' in page
    assert "Choose a level for “Purpose and structure”" in page
    assert "You &lt;b&gt;waited&lt;/b&gt;." in page
    assert "You &lt;b&gt;waited&lt;/b&gt;." in mette.get(world.writing("Jonas")).text


def test_adding_a_note_keeps_the_moment_and_everything_else_that_was_typed(
    world: World, open_session: OpenSession, clock: FakeClock
) -> None:
    began = clock.now() - timedelta(minutes=4)
    fields = {"note_draft": "asks and waits", "note_at": began.isoformat(), "strengths": "Half typed"}
    page = world.browser("Mette").post(world.writing("Jonas"), do="add_note", **fields)
    assert "Note added." in page.text
    assert "asks and waits" in page.text
    assert "Half typed" in page.text
    with open_session(world.room.institution.id) as session:
        assert session.scalars(select(Note.at)).all() == [began]


def test_a_note_is_removed_and_brought_back(world: World, open_session: OpenSession) -> None:
    mette = world.browser("Mette")
    mette.post(world.writing("Jonas"), do="add_note", note_draft="asks and waits")
    with open_session(world.room.institution.id) as session:
        note_id = session.scalars(select(Note.id)).one()
    removed = mette.post(world.writing("Jonas"), do=f"remove_note:{note_id}").text
    assert f'value="restore_note:{note_id}"' in removed
    assert "data-note-text" not in removed
    assert "data-note-text" in mette.post(world.writing("Jonas"), do=f"restore_note:{note_id}").text


def test_two_devices_keep_both_texts(world: World) -> None:
    phone, laptop = world.browser("Mette"), world.browser("Mette")
    phone.post(world.writing("Jonas"), do="save", base="0", strengths="From the phone")
    page = laptop.post(world.writing("Jonas"), do="save", base="0", strengths="From the laptop").text
    assert "Another version of your text, replaced from a second device" in page
    key = re.search(r'value="use_aside:(\w+)"', page)
    assert key is not None
    page = laptop.post(world.writing("Jonas"), do=f"use_aside:{key[1]}", base="9", strengths="From the laptop").text
    assert re.search(r'<textarea[^>]*id="strengths"[^>]*>From the phone</textarea>', page)


def autosave(browser: Browser, world: World, **fields: str) -> TestResponse:
    token = re.search(r'name="form_token" value="([^"]+)"', browser.get("/").text)
    assert token is not None
    return browser.client.post(
        f"/v/{browser.key}{world.writing('Jonas')}/save",
        data={"form_token": token[1], **fields},
        headers={"Accept": "application/json"},
    )


def test_a_field_is_saved_as_it_is_typed(world: World) -> None:
    mette = world.browser("Mette")
    answer = autosave(mette, world, **{"strengths": "Calm", "base.strengths": "0", "device": "d1"})
    assert answer.json is not None
    assert answer.json["clock"] == "10:00", "in the time zone of the launch"
    later = autosave(mette, world, **{"effect": "Smiles", "base.effect": "0", "base.strengths": "0", "device": "d2"})
    assert later.json is not None
    assert later.json["newer"]["strengths"]["text"] == "Calm"


def test_a_save_after_the_visit_ended_says_so_in_json(world: World, clock: FakeClock) -> None:
    mette = world.browser("Mette")
    page = mette.get("/").text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    assert token is not None
    clock.advance(timedelta(hours=13))
    answer = mette.client.post(
        f"/v/{mette.key}{world.writing('Jonas')}/save",
        data={"form_token": token[1], "strengths": "Calm"},
        headers={"Accept": "application/json"},
    )
    assert answer.status_code == 401
    assert answer.json is not None
    assert answer.json["error"] == "Your visit has ended"


def test_a_form_that_is_not_ours_changes_nothing(world: World, open_session: OpenSession) -> None:
    mette = world.browser("Mette")
    path = f"/v/{mette.key}{world.writing('Jonas')}"
    assert mette.client.post(path, data={"strengths": "forged"}).status_code == 400
    with open_session(world.room.institution.id) as session:
        assert session.scalars(select(Entry)).all() == []


def test_looking_at_the_form_writes_nothing(world: World, open_session: OpenSession) -> None:
    assert world.browser("Mette").get(world.writing("Jonas")).status_code == 200
    with open_session(world.room.institution.id) as session:
        assert session.scalars(select(Entry)).all() == []


def test_unsent_text_is_kept_under_a_name_that_is_one_persons_own(world: World, kit: Kit) -> None:
    def names(who: str, whom: str) -> tuple[str, ...]:
        page = world.browser(who).get(world.writing(whom)).text
        return tuple(re.findall(r'data-store(?:-key)?="([^"]+)"', page))

    mine = names("Mette", "Jonas")
    assert len(mine) == 2
    assert mine == names("Mette", "Jonas"), "the same at the next visit"
    assert not set(mine) & set(names("Jonas", "Mette"))


def test_the_receiver_reads_strengths_first_and_answers(world: World, open_session: OpenSession) -> None:
    feedback_id = world.gives("Mette", "Jonas")
    world.gives("Jonas", "Mette")
    jonas = world.browser("Jonas")
    page = jonas.get(f"/feedback/{feedback_id}").text
    assert page.index("You waited after each question.") < page.index("write the question on the board")
    assert "Level 1 of 4" in page
    missing = jonas.post(f"/feedback/{feedback_id}/answer", do="send", heard="that I wait").text
    assert "Write what you will use" in missing
    assert "that I wait" in missing
    fields = {"heard": "that I wait", "will_use": "the board", "usefulness": "3"}
    assert "Sent." in jonas.post(f"/feedback/{feedback_id}/answer", do="send", **fields).text
    with open_session(world.room.institution.id) as session:
        answer = session.scalars(select(Entry).where(Entry.step == "acknowledge")).one()
        assert answer.fields["usefulness"] == "3"
    mette = world.browser("Mette")
    before = mette.get(f"/feedback/{feedback_id}").text
    assert "that I wait" not in before
    assert "Jonas has answered. You can read it when the round is over" in before
    world.clock.advance(timedelta(days=7))
    assert "that I wait" in world.browser("Mette").get(f"/feedback/{feedback_id}").text


def test_an_instructor_releases_one_by_one_or_all_and_reads_no_word(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.BY_INSTRUCTOR)
    world = World(open_session, clock, client, room)
    assert (
        "Jonas can read this once your instructors release it."
        in world.browser("Mette").get(world.writing("Jonas")).text
    )
    first, second = world.gives("Mette", "Jonas"), world.gives("Jonas", "Mette")
    assert "once your instructors release it" in world.browser("Jonas").get("/").text
    ingrid = world.browser("Ingrid")
    assert "2 pieces of feedback wait until an instructor releases them." in ingrid.get("/").text
    page = ingrid.get("/feedback/waiting").text
    assert "From Mette for Jonas" in page
    assert "You waited" not in page
    assert ingrid.get(f"/feedback/{first}").status_code == 404
    assert "1 piece of feedback is released" in ingrid.post("/feedback/waiting", entry=str(first)).text
    assert "You waited" in world.browser("Jonas").get(f"/feedback/{first}").text
    assert world.browser("Mette").get(f"/feedback/{second}").status_code == 404
    assert "Nothing waits" in ingrid.post("/feedback/waiting", do="all").text
    assert world.browser("Mette").get(f"/feedback/{second}").status_code == 200
    assert world.browser("Mette").get("/feedback/waiting").status_code == 403


def test_an_instructor_releases_for_several_at_once_and_takes_back_what_nobody_has_read(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.BY_INSTRUCTOR)
    world = World(open_session, clock, client, room)
    to_jonas, to_mette = world.gives("Mette", "Jonas"), world.gives("Jonas", "Mette")
    everyone = [room.members[name].id for name in ("Mette", "Jonas")]
    ingrid = world.browser("Ingrid")

    preview = ingrid.post("/acts", do="release", who=everyone).text
    assert "Do it for 2 learners" in preview
    assert world.browser("Jonas").get(f"/feedback/{to_jonas}").status_code == 404
    page = ingrid.post("/acts", do="release", who=everyone, confirmed="1").text

    assert "Feedback released: 2 learners" in page
    assert "You waited" in world.browser("Jonas").get(f"/feedback/{to_jonas}").text
    [act] = set(re.findall(r"/acts/([0-9]+)/undo", page))
    assert "Undone for 1 of 2." in world.browser("Ingrid").post(f"/acts/{act}/undo").text
    assert world.browser("Jonas").get(f"/feedback/{to_jonas}").status_code == 200
    assert world.browser("Mette").get(f"/feedback/{to_mette}").status_code == 404


@pytest.mark.parametrize("who", ["Jonas", "Ingrid"])
def test_nobody_reads_what_is_not_released_to_them(world: World, who: str) -> None:
    feedback_id = world.gives("Mette", "Jonas")
    answer = world.browser(who).get(f"/feedback/{feedback_id}")
    assert answer.status_code == 404
    assert "You waited" not in answer.text


def test_only_the_receiver_answers(world: World) -> None:
    feedback_id = world.gives("Mette", "Jonas")
    world.gives("Jonas", "Mette")
    answer = world.browser("Mette").post(f"/feedback/{feedback_id}/answer", do="send", heard="x", will_use="y")
    assert answer.status_code == 404


def test_a_round_that_is_not_open_can_be_looked_at_and_not_written_in(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    tomorrow = clock.now() + timedelta(days=1)
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), rounds=(RoundDates(tomorrow),))
    world = World(open_session, clock, client, room)
    mette = world.browser("Mette")
    page = mette.get(world.writing("Jonas")).text
    assert "This round opens on" in page
    assert '<fieldset class="m-0" disabled>' in page
    assert mette.post(world.writing("Jonas"), do="save", strengths="Too early").status_code == 409


def test_who_corrects_before_the_release_is_told_so(world: World) -> None:
    feedback_id = world.gives("Mette", "Jonas")
    mette = world.browser("Mette")
    assert "Change it" in mette.get(f"/feedback/{feedback_id}").text
    assert "you can still change it" in mette.get(world.writing("Jonas")).text
    page = mette.post(world.writing("Jonas"), do="give", strengths="Better said").text
    assert "Better said" in page


def test_feedback_that_was_read_has_no_form_any_more(world: World) -> None:
    feedback_id = world.gives("Mette", "Jonas")
    world.gives("Jonas", "Mette")
    assert world.browser("Mette").get(world.writing("Jonas")).status_code == 200
    world.browser("Jonas").get(f"/feedback/{feedback_id}")
    answer = world.browser("Mette").get(world.writing("Jonas"))
    assert answer.status_code == 303
    assert answer.location.endswith(f"/feedback/{feedback_id}")


def test_names_and_texts_in_any_script_arrive_as_they_were_written(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    with open_session() as session:
        room = a_classroom(
            session, "نور", "<i>李</i>", now=clock.now(), groups=(("نور", "<i>李</i>"),), release=Release.AT_ONCE
        )
    world = World(open_session, clock, client, room)
    feedback_id = world.gives("نور", "<i>李</i>", strengths="شكرا \u202e</textarea><script>x</script>")
    page = world.browser("<i>李</i>").get(f"/feedback/{feedback_id}").text
    assert "نور" in page
    assert "شكرا" in page
    assert "<script>x" not in page
    assert "<i>李" not in page


def test_a_preview_shows_the_questions_and_takes_nothing(world: World, open_session: OpenSession) -> None:
    ingrid = world.browser("Ingrid", role="learner", is_preview=True)
    page = ingrid.get("/round/1/for/0")
    assert "What worked well?" in page.text
    ingrid.post(world.writing("Mette"), do="save", strengths="Played")
    with open_session(world.room.institution.id) as session:
        assert session.scalars(select(Entry)).all() == []


def test_far_too_long_a_text_says_so(world: World) -> None:
    answer = world.browser("Mette").post(world.writing("Jonas"), do="save", strengths="x" * 60_000)
    assert answer.status_code == 413
    shorter = world.browser("Mette").post(world.writing("Jonas"), do="give", strengths="x" * 10_001).text
    assert "Strengths: shorten it to 10000 characters" in shorter


def test_points_of_levels_are_read_by_staff_and_by_nobody_else(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    with open_session() as session:
        room = a_classroom(
            session, "Mette", "Jonas", now=clock.now(), release=Release.AT_ONCE, staff_read_feedback=True
        )
        for level in session.scalars(select(Level)):
            level.points = 7
    world = World(open_session, clock, client, room)
    given = world.browser("Mette").post(world.writing("Jonas"), do="give", **TEXTS, **world.levels())
    address = given.request.path.partition("/v/")[2].partition("/")[2]
    assert "(7 points)" in world.browser("Ingrid").get(f"/{address}").text
    for learner in ("Mette", "Jonas"):
        page = world.browser(learner).get(f"/{address}")
        assert "Purpose and structure" in page.text
        assert "7 point" not in page.text


def test_hints_stand_beside_what_is_saved_until_the_writer_hides_them(world: World) -> None:
    mette = world.browser("Mette")
    page = mette.post(world.writing("Jonas"), do="save", strengths="You are so smart").text
    assert "This is about the person." in page.split('data-hint-for="strengths"')[1].split("</p>")[0]
    page = mette.post(world.writing("Jonas"), do="hide_hints", effect="Typed before").text
    assert "data-hint-for" not in page
    assert "Typed before" in page
    assert "data-hint-for" in mette.post(world.writing("Jonas"), do="show_hints").text


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_examples_and_hints_for_its_feedback(
    kind: str, open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), kind=kind)
    world = World(open_session, clock, client, room)
    step = next(one.key for one in KINDS[kind].steps if one.is_to_partners and one.form and one.form.of_craft(*Craft))
    address = f"{world.writing('Jonas')}/step/{step}"
    page = world.browser("Mette").post(address, do="save", strengths="You are so smart").text
    assert page.count('class="example"') == 2
    assert "This is about the person." in page


def test_without_the_setting_there_are_no_hints(world: World, open_session: OpenSession) -> None:
    with open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).shows_hints = False
    page = world.browser("Mette").post(world.writing("Jonas"), do="save", strengths="You are so smart").text
    assert "data-hint" not in page
    assert "hints" not in page.lower().replace("hints.js", "")


def test_notes_of_the_observation_and_of_the_meeting_are_copied_by_one_tap(world: World) -> None:
    mette = world.browser("Mette")
    mette.post("/round/1/step/own_notes", do="save", my_notes="Asked me twice")
    mette.post(world.writing("Jonas"), do="add_note", note_draft="waits ten seconds")
    page = mette.get(world.writing("Jonas")).text
    note = re.search(r'value="copy:strengths:(\d+)"', page)
    assert note is not None
    mette.post(world.writing("Jonas"), do=f"copy:strengths:{note[1]}", strengths="You have time.")
    mette.post(world.writing("Jonas"), do=f"copy:strengths:{note[1]}")
    page = mette.post(world.writing("Jonas"), do="copy:strengths:meeting").text
    assert re.search(r'<textarea[^>]*id="strengths"[^>]*>You have time.\nwaits ten seconds\nAsked me twice<', page)
    other = world.browser("Jonas").get(world.writing("Mette")).text
    assert "Asked me twice" not in other
    assert "waits ten seconds" not in other
