"""A partner does not answer: after a day a learner goes on alone or gets another partner, and loses nothing."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import KINDS, Completion
from lti_tool.launch.models import Member
from lti_tool.pairing import service as pairing
from lti_tool.progress import service as progress
from lti_tool.progress.rules import State
from lti_tool.support.db import OpenSession
from lti_tool.workspace.personal_data import everything_about
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World

DAY = timedelta(days=1)


@pytest.fixture
def kind() -> str:
    return "reflection"


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient, kind: str) -> World:
    """The round is due in a week."""
    with open_session() as session:
        pairs = (("Mette", "Jonas"), ("Femke", "Zoë"))
        room = a_classroom(session, "Mette", "Jonas", "Femke", "Zoë", now=clock.now(), groups=pairs, kind=kind)
        room.activity.completion = Completion.usual(KINDS[kind]).to_json()
    return World(open_session, clock, client, room)


def presses(world: World, who: str, partner: str, wish: str = "", status: int = 200) -> str:
    answer = world.browser(who).post(f"/round/1/nudge/{world.room.members[partner].id}", do=wish)
    assert answer.status_code == status, answer.text
    return answer.text


def states(world: World, who: str) -> dict[str, State]:
    with world.open_session(world.room.institution.id) as session:
        done = progress.progress_of(session, world.room.activity.id, world.room.members[who].id, world.clock.now())
    return {item.step.key: item.state for item in done.items}


def groups(world: World) -> list[set[str]]:
    names = {member.id: name for name, member in world.room.members.items()}
    with world.open_session(world.room.institution.id) as session:
        found = pairing.published_groups(session, world.room.activity.id)
        return [{names[one] for one in group.members} for group in found]


def change(world: World, **values: bool) -> None:
    with world.open_session(world.room.institution.id) as session:
        activity = session.get_one(Activity, world.room.activity.id)
        for name, value in values.items():
            setattr(activity, name, value)


def test_after_a_day_a_learner_goes_on_alone_and_completes_the_round(world: World) -> None:
    presses(world, "Mette", "Jonas", "alone", status=409)
    page = presses(world, "Mette", "Jonas")
    assert "you can go on without them" in page
    assert "Go on alone" not in page
    presses(world, "Mette", "Jonas", "alone", status=409)
    assert states(world, "Mette")["meet"] is State.OPEN

    world.clock.advance(DAY)
    assert "Go on alone" in world.browser("Mette").get().text
    page = presses(world, "Mette", "Jonas", "alone")

    assert "You go on without Jonas." in page
    assert "Look back by yourself" in page
    stands = states(world, "Mette")
    assert stands.pop("reflect") is State.OPEN
    assert set(stands.values()) == {State.EXCUSED}
    world.browser("Mette").post("/round/1/step/reflect/save", happened="A long meeting")
    assert "You have done everything here" in world.browser("Mette").get().text
    # Nothing is taken from whoever did not answer, and nothing changes for others.
    assert "Mette goes on alone in round 1." in world.browser("Jonas").get().text
    assert states(world, "Jonas")["meet"] is State.OPEN
    assert "Goes on without Jonas" in world.browser("Ingrid").get(f"/progress/{world.room.members['Mette'].id}").text


def test_whoever_answers_too_late_takes_nothing_from_the_learner_and_can_still_be_met(world: World) -> None:
    presses(world, "Mette", "Jonas")
    world.clock.advance(DAY)
    presses(world, "Mette", "Jonas", "alone")
    presses(world, "Jonas", "Mette", "answered")
    page = world.browser("Mette").get().text
    assert "Jonas has answered in the meantime." in page
    assert states(world, "Mette")["meet"] is State.EXCUSED

    presses(world, "Mette", "Jonas", "together")

    assert states(world, "Mette")["meet"] is State.OPEN
    assert "You go on without" not in world.browser("Mette").get().text


@pytest.mark.parametrize("kind", ["role_play"])
def test_where_a_kind_makes_no_sense_alone_the_round_does_not_count_once_it_is_over(world: World) -> None:
    presses(world, "Mette", "Jonas")
    world.clock.advance(DAY)
    assert "Go on alone" not in world.browser("Mette").get().text
    presses(world, "Mette", "Jonas", "alone", status=409)
    assert states(world, "Mette")["give_feedback"] is State.OPEN

    world.clock.advance(timedelta(days=7))

    assert set(states(world, "Mette").values()) == {State.EXCUSED}
    assert states(world, "Jonas")["give_feedback"] is State.MISSED
    assert states(world, "Femke")["give_feedback"] is State.MISSED


def test_staff_read_who_asks_for_another_partner_and_change_the_groups_by_one_tap(world: World) -> None:
    presses(world, "Mette", "Jonas")
    world.clock.advance(DAY)

    page = presses(world, "Mette", "Jonas", "change")

    assert "Your instructors see that you would like another partner." in page
    assert {"Mette", "Jonas"} in groups(world)
    assert "1 learner asks for another partner" in world.browser("Ingrid").get().text
    listed = world.browser("Ingrid").get("/progress").text
    assert "Who asks for another partner" in listed
    jonas = world.room.members["Jonas"].id
    address = f"/plan/effect?do=absent&who={jonas}&round=1"
    assert address.replace("&", "&amp;") in listed
    version = world.browser("Ingrid").get(address).text.split('name="version" value="')[1].split('"')[0]
    world.browser("Ingrid").post("/plan/change", do="absent", who=str(jonas), round="1", version=version)
    assert groups(world) == [{"Mette", "Femke", "Zoë"}]
    assert "Who asks for another partner" not in world.browser("Ingrid").get("/progress").text


def test_where_the_designer_allows_it_another_partner_comes_at_once_and_the_first_can_come_back(world: World) -> None:
    change(world, finds_partners=True)
    presses(world, "Mette", "Jonas")
    world.clock.advance(DAY)

    page = presses(world, "Mette", "Jonas", "change")

    assert "The groups have changed, and you have a partner." in page
    assert not any({"Mette", "Jonas"} <= group for group in groups(world))
    assert any("Mette" in group and len(group) > 1 for group in groups(world))
    home = world.browser("Jonas").get().text
    assert "Your partner could not reach you and works with someone else in this round." in home
    assert "Your instructors marked you as absent" not in home
    assert "Good to have you back." in world.browser("Jonas").post("/round/1/here").text
    assert any("Jonas" in group and len(group) > 1 for group in groups(world))
    assert world.browser("Jonas").post("/round/1/here").status_code == 409


def test_a_group_that_has_begun_stays_and_staff_are_told(world: World) -> None:
    change(world, finds_partners=True)
    world.browser("Mette").post("/round/1/step/check_in/save", win_or_challenge="I am here")
    presses(world, "Mette", "Jonas")
    world.clock.advance(DAY)
    assert "Your instructors see that you would like another partner." in presses(world, "Mette", "Jonas", "change")
    assert {"Mette", "Jonas"} in groups(world)


def test_proposing_another_time_is_an_answer(world: World) -> None:
    presses(world, "Mette", "Jonas")
    world.browser("Jonas").post("/round/1/time", **{"day-1": "2026-11-05", "clock-1": "14:00", "do": "propose"})
    assert "is waiting for your answer" not in world.browser("Jonas").get().text
    world.clock.advance(DAY)
    presses(world, "Mette", "Jonas", "alone", status=409)


def test_whoever_leaves_in_the_middle_keeps_what_they_wrote_and_the_others_keep_the_page(world: World) -> None:
    world.browser("Jonas").post("/round/1/step/check_in/save", win_or_challenge="My last words here")
    world.browser("Mette").post("/round/1/step/talk_goals/save", talk_goal_1="To listen")
    with world.open_session(world.room.institution.id) as session:
        session.get_one(Member, world.room.members["Jonas"].id).status = "inactive"
        pairing.follow_course(session, world.room.activity.id, now=world.clock.now())
    page = world.browser("Mette").get("/round/1/meeting")
    assert page.status_code == 200
    assert "My last words here" in page.text
    assert "no longer in the course" in page.text
    saved = world.browser("Mette").post("/round/1/step/talk_goals/save", talk_goal_1="To listen longer")
    assert saved.status_code == 200
    with world.open_session(world.room.institution.id) as session:
        texts = str(everything_about(session, world.room.members["Jonas"].person_id))
    assert "My last words here" in texts
