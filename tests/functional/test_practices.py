"""A group shares what worked: offered, previewed, agreed to, taken over, and gone once somebody takes consent back."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from lti_tool.activities.models import Activity
from lti_tool.feedback import service as feedback
from lti_tool.launch.models import Member
from lti_tool.practices.models import Practice
from lti_tool.support.db import OpenSession
from lti_tool.workspace import personal_data
from tests.factories.feedback import a_classroom
from tests.factories.goals import a_resource, a_win
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World

OFFER = {"practice_kind": "practice", "practice_title": "Count to five", "practice_from": "group"}
TEXT = "Jonas counted to five before he spoke."
KINDER = "Count to five before you speak."


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    """Mette and Jonas are a group; Oliver is in the course."""
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", "Oliver", now=clock.now())
    return World(open_session, clock, client, room)


def practice(world: World) -> Practice:
    with world.open_session(world.room.institution.id) as session:
        return session.scalars(select(Practice).order_by(Practice.id.desc())).first()


def version(page: str) -> str:
    shown = re.search(r'name="version" value="(\d+)"', page)
    assert shown is not None, page
    return shown[1]


def shares(world: World, text: str = KINDER) -> tuple[Browser, Browser, str]:
    """Mette offers a practice of the group, and Jonas agrees."""
    mette, jonas = world.browser("Mette"), world.browser("Jonas")
    mette.post("/practices/new", do="send", practice_text=text, **OFFER)
    path = f"/practices/{practice(world).id}"
    jonas.post(f"{path}/consent", do="agree", version=version(jonas.get(path).text))
    return mette, jonas, path


def test_from_an_offer_to_all_courses_and_back(world: World) -> None:
    mette, jonas, oliver = (world.browser(name) for name in ("Mette", "Jonas", "Oliver"))
    page = mette.post("/practices/new", do="preview", practice_text=TEXT, **OFFER).text
    assert "What others will see" in page
    assert "It mentions" in page
    assert "Jonas" in page.split("It mentions")[1].split("Are these")[0]
    assert practice(world) is None, "nothing is sent before the preview"
    page = mette.post("/practices/new", do="back", practice_text=TEXT, **OFFER).text
    assert TEXT in page
    page = mette.post("/practices/new", do="preview", practice_text=KINDER, **OFFER).text
    assert "It mentions" not in page
    page = mette.post("/practices/new", do="send", practice_text=KINDER, **OFFER).text
    assert "1 of 2 people agree" in page

    path = f"/practices/{practice(world).id}"
    assert oliver.get(path).status_code == 404
    assert "Count to five" not in oliver.get("/practices").text
    assert "Your group wants to share" in jonas.get("/").text
    page = jonas.post(f"{path}/consent", do="agree", version=version(jonas.get(path).text)).text
    assert "It is in the course library now." in page
    assert "Your group wants to share" not in jonas.get("/").text
    page = oliver.get("/practices").text
    assert "from a group of this course" in page
    assert KINDER in page
    assert "Mette" not in page

    staff = world.browser("Ingrid", role="instructor")
    page = staff.post(f"{path}/institution", do="bring", version=version(staff.get(path).text)).text
    assert "Every course of the institution can read it now." in page

    page = jonas.post(f"{path}/consent", do="take_back").text
    assert "No one else can read it now." in page
    page = oliver.get(path)
    assert (page.status_code, "This is no longer shared" in page.text) == (404, True)
    assert staff.post(f"{path}/institution", do="keep").status_code == 404
    assert staff.post(f"{path}/hide", hidden_why="No.").status_code == 404
    assert "someone in your group does not want it to be" in mette.get("/").text
    assert "Count to five" not in staff.get("/practices").text


def test_what_jonas_reads_is_what_he_agrees_to(world: World) -> None:
    mette, jonas, path = shares(world)
    seen = str(practice(world).version)
    change = {**OFFER, "practice_text": TEXT, "version": version(mette.get(f"{path}/edit").text)}
    page = mette.post(f"{path}/edit", do="preview", **change).text
    assert "Save and ask everyone again" in page
    assert KINDER in world.browser("Oliver").get(path).text, "a preview changes nothing"
    mette.post(f"{path}/edit", do="send", **change)
    assert world.browser("Oliver").get(path).status_code == 404
    page = jonas.post(f"{path}/consent", do="agree", version=seen)
    assert (page.status_code, "changed a moment ago" in page.text) == (409, True)
    assert world.browser("Oliver").get(path).status_code == 404
    assert jonas.get(f"{path}/edit").status_code == 403


def test_staff_hide_a_practice_with_a_reason_for_its_owner(world: World) -> None:
    mette, jonas, path = shares(world)
    staff = world.browser("Ingrid", role="instructor")
    page = staff.post(f"{path}/hide", hidden_why=" ")
    assert (page.status_code, "Say briefly why you hide it" in page.text) == (422, True)
    assert "The course cannot read it now." in staff.post(f"{path}/hide", hidden_why="It names a school.").text
    assert world.browser("Oliver").get(path).status_code == 404
    assert "It names a school." in mette.get(path).text
    assert "It names a school." not in jonas.get(path).text
    assert "Your instructors hid" in mette.get("/").text
    assert jonas.post(f"{path}/hide", do="show").status_code == 403
    assert jonas.post(f"{path}/institution", do="bring", version="1").status_code == 403
    assert "The course can read it again." in staff.post(f"{path}/hide", do="show").text


def test_an_offer_begins_with_a_win_or_a_resource_of_ones_own(world: World, clock: FakeClock) -> None:
    with world.open_session(world.room.institution.id) as session:
        win = a_win(session, world.room, "Mette", clock, "Everybody spoke").id
        shelf = a_resource(session, world.room, "Mette", clock, resource_title="Humble Inquiry").id
    mette, jonas = world.browser("Mette"), world.browser("Jonas")
    board = mette.get("/goals").text
    assert f"practices/new?win={win}" in board
    assert f"practices/new?resource={shelf}" in board
    assert "practices/new" not in jonas.get("/goals").text
    assert "Everybody spoke" in mette.get(f"/practices/new?win={win}").text
    assert "Humble Inquiry" in mette.get(f"/practices/new?resource={shelf}").text
    assert "Everybody spoke" not in jonas.get(f"/practices/new?win={win}").text
    fields = {**OFFER, "practice_from": "me", "practice_text": "Everybody spoke"}
    mette.post("/practices/new", do="send", win=str(win), **fields)
    assert practice(world).is_from_group, "the group of a win is asked, whatever the form says"


def test_what_is_missing_is_said_and_nothing_is_stored(world: World) -> None:
    mette = world.browser("Mette")
    page = mette.post("/practices/new", do="send", practice_title="Only a title")
    assert page.status_code == 422
    for sentence in ("Choose what it is", "Write what others can use", "Only a title"):
        assert sentence in page.text
    assert practice(world) is None
    preview = world.browser("Ingrid", role="learner", is_preview=True)
    assert preview.post("/practices/new", do="send", practice_text=KINDER, **OFFER).status_code == 403


def test_consent_can_be_taken_back_after_the_end_and_nothing_else_changes(world: World) -> None:
    mette, jonas, path = shares(world)
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).state = "closed"
    assert mette.get(f"{path}/edit").status_code == 409
    assert mette.get("/practices/new").status_code == 409
    assert "Offer something" not in mette.get("/practices").text
    assert "No one else can read it now." in jonas.post(f"{path}/consent", do="take_back").text
    assert "It is deleted." in mette.post(f"{path}/consent", do="delete", version=version(mette.get(path).text)).text
    assert practice(world) is None


def test_it_is_in_the_export_and_in_ones_own_file_and_goes_with_the_person(world: World) -> None:
    shares(world)
    with world.open_session(world.room.institution.id) as session:
        (own,) = personal_data.everything_about(session, world.room.members["Mette"].person_id)["practices"]
        assert own["text"] == KINDER
        assert own.keys() - personal_data.LABELS.keys() == set()
        personal_data.erase(session, world.room.members["Jonas"].person_id, now=world.clock.now())
        assert session.scalars(select(Practice)).all() == []


def written(world: World, author: str, recipient: str | None, step: str, **texts: str) -> int:
    """What somebody wrote in a step, given and read."""
    with world.open_session(world.room.institution.id) as session:
        ids = {name: member.id for name, member in world.room.members.items()}
        task = feedback.find_task(
            session, world.room.activity, 1, ids[author], ids[recipient] if recipient else None, step_key=step
        )
        feedback.save_draft(session, task, texts, {}, device="a", now=world.clock.now())
        entry = feedback.find_entry(session, task)
        entry.submitted_at = entry.released_at = entry.submitted_at or world.clock.now()
        return entry.id


def test_an_offer_begins_with_feedback_and_asks_only_the_two_who_know_it(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", "Oliver", now=clock.now(), groups=(("Mette", "Jonas", "Oliver"),))
    world = World(open_session, clock, client, room)
    entry = written(world, "Jonas", "Mette", "give_feedback", strengths="Oliver fell silent.", observed_at="Room 4")
    mette, jonas, oliver = (world.browser(name) for name in ("Mette", "Jonas", "Oliver"))
    link = f"/practices/new?entry={entry}"
    assert "Oliver fell silent." not in mette.get(link).text, "nothing goes round the page on which it is read"
    assert link in mette.get(f"/feedback/{entry}").text
    page = mette.get(link).text
    assert "Oliver fell silent." in page
    assert "Room 4" not in page
    assert "Oliver fell silent." in jonas.get(link).text
    assert "Oliver fell silent." not in oliver.get(link).text
    fields = {**OFFER, "practice_from": "me", "practice_text": "Oliver fell silent.", "entry": str(entry)}
    page = mette.post("/practices/new", do="preview", **fields).text
    assert "It mentions" in page, "the third one of the group is not asked, and must not be named"
    assert "1 other person is asked" in page
    mette.post("/practices/new", do="send", **fields | {"practice_text": KINDER})
    path = f"/practices/{practice(world).id}"
    assert oliver.get(path).status_code == 404
    jonas.post(f"{path}/consent", do="agree", version=version(jonas.get(path).text))
    assert KINDER in oliver.get(path).text


def test_without_the_other_one_feedback_stays_between_the_two(world: World) -> None:
    entry = written(world, "Jonas", "Mette", "give_feedback", strengths="You waited.")
    mette = world.browser("Mette")
    mette.get(f"/feedback/{entry}")
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Member, world.room.members["Jonas"].id).status = "inactive"
    page = mette.get(f"/practices/new?entry={entry}")
    assert (page.status_code, "Your group cannot be asked" in page.text) == (409, True)


def test_what_somebody_learned_at_work_of_others_can_be_offered_from_the_meeting(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), kind="cross_training")
    world = World(open_session, clock, client, room)
    entry = written(world, "Mette", None, "shadowed", surprised="They begin with the last page.", reuse="So will I.")
    mette, jonas = world.browser("Mette"), world.browser("Jonas")
    link = f"/practices/new?entry={entry}"
    assert link in mette.get("/round/1/meeting").text
    assert link not in jonas.get("/round/1/meeting").text
    page = mette.get(link).text
    assert "They begin with the last page.\n\nSo will I." in page
    assert "everyone in the group is asked" in page
    assert "They begin" not in jonas.get(link).text
