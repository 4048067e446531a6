"""The observed tell the observer how the observing and the feedback helped, and the observer sees what comes of it."""

from datetime import timedelta

from flask.testing import FlaskClient

from lti_tool.activities.kinds.observation import OBSERVATION
from lti_tool.activities.rules import Completion, Release
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service import rubric_of
from lti_tool.support.db import OpenSession
from tests.factories.feedback import TEXTS, a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World

HELPED = {"strengths": "You told me the minute in which it happened.", "next_time_1": "ask me first how it was"}


def a_world(open_session: OpenSession, clock: FakeClock, client: FlaskClient, **settings: object) -> World:
    """Mette and Jonas observe each other, in an activity as a designer finds it."""
    values = {"completion": Completion.usual(OBSERVATION), "release": Release.AT_ONCE, **settings}
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), **values)
    return World(open_session, clock, client, room)


def marks(world: World, seat: str) -> dict[str, str]:
    """The highest level of each criterion that is asked about a seat; the empty one is everybody."""
    with world.open_session(world.room.institution.id) as session:
        criteria = rubric_of(session, world.room.activity.rubric_id).criteria
        return {f"mark-{one.id}": str(one.levels[-1].id) for one in criteria if one.seat == seat}


def path_for(world: World, whom: str, step: str = "") -> str:
    return f"/round/1/for/{world.room.members[whom].id}{f'/step/{step}' if step else ''}"


def test_feedback_on_observing_goes_back_and_is_a_picture_for_its_owner(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    world = a_world(open_session, clock, client)
    mette, jonas = world.browser("Mette"), world.browser("Jonas")
    assert "Tell Jonas how the observing and the feedback helped you" in mette.get().text
    previewed = world.browser("Ingrid", role="learner", is_preview=True).get(path_for(world, "Jonas")).text
    assert "Purpose and structure" in previewed
    assert "Noticing before judging" not in previewed
    # The rubric asks here about the observed, and there about the observer.
    form = jonas.get(path_for(world, "Mette")).text
    assert "Purpose and structure" in form
    assert "Noticing before judging" not in form
    page = jonas.post(path_for(world, "Mette"), **TEXTS, **marks(world, ""), do="give")
    assert "/feedback/" in page.request.path, page.text
    given = page.request.path.rpartition("/")[2]

    mette.get(f"/feedback/{given}")
    mette.post(f"/feedback/{given}/answer", heard="I heard it.", will_use="One breath.", do="send")
    assert "observer_feedback" in mette.get("/round/1/meeting").text
    form = mette.get(path_for(world, "Jonas", "observer_feedback")).text
    assert "Noticing before judging" in form
    assert "Purpose and structure" not in form
    short = mette.post(path_for(world, "Jonas", "observer_feedback"), **HELPED, do="give").text
    assert "Noticing before judging" in short, "its levels are asked for"
    mette.post(path_for(world, "Jonas", "observer_feedback"), **HELPED, **marks(world, "observer"), do="give")
    assert "2 of 3 done" in mette.get().text, "what is left is to observe Jonas"

    page = jonas.get("/feedback").text
    assert HELPED["strengths"] in page
    assert "About your observing" in page
    page = jonas.get("/growth").text
    assert HELPED["next_time_1"] in page
    assert "Noticing before judging" in page
    assert "Purpose and structure" not in page


def test_nobody_loses_by_an_observer_who_never_writes(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    world = a_world(open_session, clock, client)
    mette = world.browser("Mette")
    mette.post(path_for(world, "Jonas"), **TEXTS, **marks(world, ""), do="give")
    assert "1 of 3 done" in mette.get().text
    clock.advance(timedelta(days=8))
    assert "You have done everything here" in world.browser("Mette").get().text


def test_an_instructor_who_releases_feedback_releases_this_too(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    world = a_world(open_session, clock, client, release=Release.BY_INSTRUCTOR)
    mette, jonas, staff = world.browser("Mette"), world.browser("Jonas"), world.browser("Ingrid", role="instructor")
    mette.post(path_for(world, "Jonas", "observer_feedback"), **HELPED, **marks(world, "observer"), do="give")
    assert HELPED["strengths"] not in jonas.get("/feedback").text
    assert HELPED["strengths"] not in staff.get("/feedback/waiting").text
    staff.post("/feedback/waiting", do="all")
    assert HELPED["strengths"] in jonas.get("/feedback").text


def test_where_no_designer_asks_for_it_it_is_not_there(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    world = a_world(
        open_session,
        clock,
        client,
        completion=Completion.from_json({"give_feedback": 1, "acknowledge": 1}, OBSERVATION),
    )
    mette = world.browser("Mette")
    for page in ("/", "/round/1/meeting", "/feedback"):
        assert "About your observing" not in mette.get(page).text
        assert "how the observing and the feedback helped" not in mette.get(page).text
    assert mette.get(path_for(world, "Jonas", "observer_feedback")).status_code == 404
    mette.post(path_for(world, "Jonas", "observer_feedback"), **HELPED, do="save")
    with world.open_session(world.room.institution.id) as session:
        assert session.query(Entry).filter_by(step="observer_feedback").count() == 0
    # The rubric's questions about the observer are asked with the others then.
    assert "Noticing before judging" in mette.get(path_for(world, "Jonas")).text
