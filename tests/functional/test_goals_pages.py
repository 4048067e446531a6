"""What learners and staff do with goals, actions, wins and the shelf in a browser that runs no script."""

import re
from datetime import timedelta

import pytest
from flask import g, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import RoundDates
from lti_tool.goals import service
from lti_tool.goals.models import Action, CheckIn, Goal, Remark, Resource, Win
from lti_tool.launch.models import Course, Member
from lti_tool.pairing.models import Seat
from lti_tool.support.db import OpenSession
from lti_tool.web.kept import KeptText
from tests.factories.feedback import a_classroom
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World

CLEAR = {
    "goal_area": "communication",
    "goal_words": "I ask three open questions in every team meeting",
    "goal_measure": "I count them in my notes",
    "goal_start": "1",
    "goal_target": "3,5",
    "goal_target_on": "2026-12-02",
}


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    """Mette works with Jonas and then with Femke; Oliver is alone."""
    now = clock.now()
    dates = (RoundDates(due_at=now + timedelta(days=7)), RoundDates(due_at=now + timedelta(days=14)))
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", "Oliver", now=now, rounds=dates)
    return World(open_session, clock, client, room)


def number_of(world: World, model: type, **values: object) -> int:
    with world.open_session(world.room.institution.id) as session:
        return session.scalars(select(model.id).filter_by(**values).order_by(model.id.desc())).first()


def sets_a_goal(world: World, who: str = "Mette", **changes: str) -> int:
    page = world.browser(who).post("/goals/new", **{**CLEAR, **changes})
    assert "Your goal is set." in page.text, page.text
    return number_of(world, Goal)


def writes_an_action(world: World, who: str = "Mette", **changes: str) -> int:
    fields = {"action_words": "Ask Jonas first", "action_due_on": "2026-11-10", "action_sign": "He answers", **changes}
    assert "Your action is written down." in world.browser(who).post("/goals/actions", **fields).text
    return number_of(world, Action)


def version_on(page: str, address: str) -> str:
    found = re.search(rf'action="[^"]*{address}".*?name="version" value="(\d+)"', page, re.DOTALL)
    assert found is not None, page
    return found[1]


def test_a_goal_comes_along_from_another_course_of_its_owner_and_of_nobody_else(world: World) -> None:
    with world.open_session(world.room.institution.id) as session:
        course = session.get_one(Course, world.room.course.id)
        elsewhere = Course(
            deployment_id=course.deployment_id, context_id="elsewhere", title="Leading", created_at=world.clock.now()
        )
        session.add(elsewhere)
        session.flush()
        for name in ("Mette", "Jonas"):
            person_id = session.get_one(Member, world.room.members[name].id).person_id
            member = Member(course_id=elsewhere.id, person_id=person_id, role="learner", created_at=world.clock.now())
            session.add(member)
            session.flush()
            common = {"course_id": elsewhere.id, "owner_id": member.id, "created_at": world.clock.now()}
            session.add(Goal(words=f"What {name} wants", target=3.0, worded_at=world.clock.now(), **common))
    mine, theirs = (number_of(world, Goal, words=f"What {name} wants") for name in ("Mette", "Jonas"))
    mette = world.browser("Mette")
    page = mette.get("/goals").text
    assert "You have 1 goal in another course" in page
    assert "Leading" in page
    assert "What Jonas wants" not in page
    assert mette.post(f"/goals/{theirs}/bring").status_code == 404
    page = mette.post(f"/goals/{mine}/bring")
    assert "It is here now, too. Only you can read it." in page.text
    assert "What Mette wants" in page.text
    assert "in another course" not in mette.get("/goals").text
    here = number_of(world, Goal, words="What Mette wants", course_id=world.room.course.id)
    assert mette.post(f"/goals/{here}/bring").status_code == 404, "it is here already"
    assert "What Mette wants" not in world.browser("Jonas").get("/goals").text


def looks_back(browser: Browser, action_id: int, do: str, **fields: str) -> str:
    version = version_on(browser.get("/goals").text, f"/goals/actions/{action_id}")
    return browser.post(f"/goals/actions/{action_id}", do=do, version=version, **fields).text


def test_empty_pages_say_what_they_are_for(world: World) -> None:
    page = world.browser("Mette").get("/goals").text
    for words in ("No open actions", "What do you want from working together?", "Nothing logged yet", "shelf is empty"):
        assert words in page
    assert "Jonas can read what you write here." in page
    assert "only you can read what you write here" in world.browser("Oliver").get("/goals").text


def test_a_month_ahead_is_proposed(world: World) -> None:
    assert 'value="2026-12-02"' in world.browser("Mette").get("/goals/new").text


def test_a_goal_is_set_and_its_line_is_drawn_with_the_figures_as_a_table(world: World) -> None:
    goal_id = sets_a_goal(world)
    mette = world.browser("Mette")
    page = mette.post(
        f"/goals/{goal_id}/check-in", check_in_value="2", check_in_how="I dared", check_in_support="Count with me"
    ).text
    assert "Your check-in is saved." in page
    assert 'aria-label="From 1 to 3.5: 2 now"' in page
    table = page[page.index("<table") : page.index("</table>")]
    assert all(words in table for words in ("I dared", "Count with me", "The beginning"))
    assert "Count with me" in world.browser("Jonas").get("/goals").text


def test_a_vague_goal_gets_questions_beside_its_fields_and_is_kept_all_the_same(world: World) -> None:
    blank = dict.fromkeys(("goal_measure", "goal_start", "goal_target", "goal_target_on"), "")
    goal_id = sets_a_goal(world, **blank, goal_words="Better meetings")
    page = world.browser("Mette").get(f"/goals/{goal_id}").text
    for hint in (
        "What would someone see you do?",
        "How will you know that you have reached it?",
        "A date about a month ahead",
    ):
        assert hint in page


def test_what_cannot_be_taken_is_shown_again_with_everything_that_was_typed(world: World) -> None:
    fields = {**CLEAR, "goal_words": "", "goal_target": "three", "goal_measure": "A <b>list</b>"}
    page = world.browser("Mette").post("/goals/new", **fields)
    assert page.status_code == 422
    assert "Fill in “Your goal”" in page.text
    assert 'href="#goal-goal_target"' in page.text
    assert "A &lt;b&gt;list&lt;/b&gt;" in page.text
    assert 'value="three"' in page.text


def test_unsent_text_comes_back_by_the_form_itself(world: World) -> None:
    mette = world.browser("Mette")
    assert "data-unsent" in mette.get("/goals/new").text
    page = mette.post("/goals/new", do="back", goal_words="Half a goal")
    assert (page.status_code, "Half a goal" in page.text) == (200, True)
    assert number_of(world, Goal) is None


def test_a_partner_asks_and_the_owner_sharpens_and_looks_at_the_words_before(world: World) -> None:
    goal_id = sets_a_goal(world, goal_words="Listen more to my colleagues")
    page = world.browser("Jonas").post(f"/goals/{goal_id}/question", question_text="In which meetings?").text
    assert "A goal of Mette" in page
    mette = world.browser("Mette")
    form = mette.get(f"/goals/{goal_id}/sharpen").text
    assert "In which meetings?" in form
    version = version_on(form, f"/goals/{goal_id}/sharpen")
    page = mette.post(f"/goals/{goal_id}/sharpen", **CLEAR, version=version).text
    assert "1 earlier wording" in page
    assert "Listen more to my colleagues" in page
    assert "In which meetings?" in page
    assert "Jonas" in page
    assert "/sharpen" not in world.browser("Jonas").get(f"/goals/{goal_id}").text


def test_two_devices_that_sharpen_one_goal_see_both_texts(world: World) -> None:
    goal_id = sets_a_goal(world)
    phone, laptop = world.browser("Mette"), world.browser("Mette")
    version = version_on(phone.get(f"/goals/{goal_id}/sharpen").text, f"/goals/{goal_id}/sharpen")
    phone.post(f"/goals/{goal_id}/sharpen", **{**CLEAR, "goal_words": "From the phone"}, version=version)
    page = laptop.post(f"/goals/{goal_id}/sharpen", **{**CLEAR, "goal_words": "From the laptop"}, version=version)
    assert page.status_code == 409
    assert "From the phone" in page.text
    assert "From the laptop" in page.text
    newer = version_on(page.text, f"/goals/{goal_id}/sharpen")
    page = laptop.post(f"/goals/{goal_id}/sharpen", **{**CLEAR, "goal_words": "From the laptop"}, version=newer)
    assert "Saved." in page.text


def test_a_goal_is_reached_and_taken_up_again(world: World) -> None:
    goal_id = sets_a_goal(world)
    mette = world.browser("Mette")
    page = mette.post(f"/goals/{goal_id}/state", do="reached").text
    assert "You reached it." in page
    assert "Undo" in page
    assert "The goal is open again." in mette.post(f"/goals/{goal_id}/state", do="open").text


def test_a_goal_is_hidden_from_a_partner_and_shown_again_by_one_button(world: World) -> None:
    goal_id = sets_a_goal(world)
    mette, jonas = world.browser("Mette"), world.browser("Jonas")
    page = mette.get(f"/goals/{goal_id}").text
    assert "Hide it from Jonas" in page
    assert "Show it to Jonas" not in page, "they are the same two people in both rounds"
    group = re.search(r'name="group" value="(\d+)">\s*<input[^>]*value="hide"', page)
    assert group is not None
    mette.post(f"/goals/{goal_id}/show", group=group[1], do="hide")
    assert jonas.get(f"/goals/{goal_id}").status_code == 404
    assert "Show it to Jonas" in mette.get(f"/goals/{goal_id}").text
    mette.post(f"/goals/{goal_id}/show", group=group[1], do="show")
    assert jonas.get(f"/goals/{goal_id}").status_code == 200


def test_nobody_else_sees_a_goal_or_writes_beside_it(world: World) -> None:
    goal_id = sets_a_goal(world)
    oliver = world.browser("Oliver")
    assert oliver.get(f"/goals/{goal_id}").status_code == 404
    assert CLEAR["goal_words"] not in oliver.get("/goals").text
    assert oliver.post(f"/goals/{goal_id}/question", question_text="And?").status_code == 404
    assert world.browser("Jonas").post(f"/goals/{goal_id}/check-in", check_in_how="For her").status_code == 404
    with world.open_session(world.room.institution.id) as session:
        assert session.scalars(select(Remark)).all() == []


def test_staff_see_counts_and_no_word(world: World) -> None:
    goal_id = sets_a_goal(world)
    writes_an_action(world)
    ingrid = world.browser("Ingrid")
    page = ingrid.get("/goals").text
    assert "goals set" in page
    assert CLEAR["goal_words"] not in page
    assert "Ask Jonas first" not in page
    assert ingrid.get(f"/goals/{goal_id}").status_code == 404
    assert ingrid.post("/goals/new", **CLEAR).status_code == 403


def test_an_action_is_done_and_taken_up_again(world: World) -> None:
    action_id = writes_an_action(world)
    mette = world.browser("Mette")
    page = looks_back(mette, action_id, "done")
    assert "Done. Well done." in page
    assert "1 action that is done or dropped" in page
    assert "The action is open again." in mette.post(f"/goals/actions/{action_id}", do="undo").text
    assert "No open actions" not in mette.get("/goals").text


def test_an_action_is_moved_and_dropped_with_a_word_why(world: World) -> None:
    action_id = writes_an_action(world)
    mette = world.browser("Mette")
    page = looks_back(mette, action_id, "moved", move_due_on="")
    assert "Fill in “New date”" in page
    assert "By Fri 20 Nov 2026." in looks_back(mette, action_id, "moved", move_due_on="2026-11-20")
    assert "Fill in “Why you drop it”" in looks_back(mette, action_id, "dropped", drop_why=" ")
    assert "The room is gone" in looks_back(mette, action_id, "dropped", drop_why="The room is gone")


def test_an_action_that_was_changed_elsewhere_keeps_what_was_typed(world: World) -> None:
    action_id = writes_an_action(world)
    mette = world.browser("Mette")
    version = version_on(mette.get("/goals").text, f"/goals/actions/{action_id}")
    looks_back(mette, action_id, "moved", move_due_on="2026-11-20")
    page = mette.post(f"/goals/actions/{action_id}", do="dropped", version=version, drop_why="No time")
    assert page.status_code == 409
    assert "No time" in page.text
    assert "Fri 20 Nov 2026" in page.text


def test_open_actions_come_back_first_in_the_next_round(world: World) -> None:
    writes_an_action(world)
    world.clock.advance(timedelta(days=8))
    writes_an_action(world, action_words="A new one", action_due_on="")
    page = world.browser("Mette").get("/goals").text
    assert "Look back first" in page
    assert page.index("Ask Jonas first") < page.index("A new one")
    assert "From an earlier round." in page
    assert "Ask Jonas first" in world.browser("Jonas").get("/goals").text


def test_a_win_is_logged_and_answered(world: World) -> None:
    world.browser("Mette").post("/goals/wins", win_text="Everybody spoke")
    page = world.browser("Jonas").post(f"/goals/wins/{number_of(world, Win)}", remark_text="I saw it!").text
    assert "Everybody spoke" in page
    assert "I saw it!" in world.browser("Mette").get("/goals").text
    assert "Everybody spoke" not in world.browser("Oliver").get("/goals").text


def test_the_shelf_of_a_group_and_of_the_course(world: World) -> None:
    mette = world.browser("Mette")
    refused = mette.post("/goals/shelf", resource_title="Bad", resource_address="javascript:alert(1)")
    assert refused.status_code == 422
    assert 'href="javascript' not in refused.text
    mette.post("/goals/shelf", resource_title="For us", resource_address="https://example.org/a", resource_use="Try")
    ours = number_of(world, Resource)
    mette.post("/goals/shelf", **{"for": "course"}, resource_title="For all")
    jonas, oliver = world.browser("Jonas").get("/goals").text, world.browser("Oliver").get("/goals").text
    assert ("For us" in jonas, "For all" in jonas) == (True, True)
    assert ("For us" in oliver, "For all" in oliver) == (False, True)
    assert 'href="https://example.org/a" target="_blank" rel="noopener noreferrer"' in jonas
    version = version_on(mette.get("/goals").text, f"/goals/shelf/{ours}")
    page = mette.post(f"/goals/shelf/{ours}", outcome_outcome="We used it", version=version).text
    assert "We used it" in page
    world.browser("Jonas").post(f"/goals/shelf/{ours}/remark", remark_text="In the next meeting")
    assert "In the next meeting" in mette.get("/goals").text
    assert "For all" in world.browser("Ingrid").get("/goals").text


def test_something_that_a_member_without_a_group_puts_on_the_shelf_is_theirs_alone(world: World) -> None:
    world.browser("Oliver").post("/goals/shelf", resource_title="Mine alone")
    assert "Mine alone" in world.browser("Oliver").get("/goals").text
    assert "Mine alone" not in world.browser("Mette").get("/goals").text


def test_a_closed_activity_can_be_read_and_not_written(world: World) -> None:
    goal_id = sets_a_goal(world)
    with world.open_session(world.room.institution.id) as session:
        session.execute(update(Activity).values(state="closed"))
    mette = world.browser("Mette")
    assert CLEAR["goal_words"] in mette.get(f"/goals/{goal_id}").text
    assert "<textarea" not in mette.get("/goals").text
    refused = mette.post(f"/goals/{goal_id}/question", question_text="What I wanted to say")
    assert refused.status_code == 409
    assert "What I wanted to say" in refused.text
    with world.open_session(world.room.institution.id) as session:
        assert [one.texts[0]["text"] for one in session.scalars(select(KeptText))] == ["What I wanted to say"]


def test_a_form_leads_back_to_the_page_on_which_it_stood(world: World) -> None:
    mette = world.browser("Mette")
    answer = mette.post("/goals/wins", follow=False, win_text="Small", back="feedback#top")
    assert answer.headers["Location"].endswith("/feedback?said=logged#top")
    for elsewhere in ("https://evil.example/", "//evil.example", "nothing/here", "../../v/x"):
        answer = mette.post("/goals/wins", follow=False, win_text="Small", back=elsewhere)
        assert answer.headers["Location"].endswith("/goals?said=logged")


def test_a_form_of_a_group_that_is_not_ones_own_is_refused(world: World) -> None:
    answer = world.browser("Mette").post("/goals/wins", win_text="Small", in_group="999")
    assert answer.status_code == 404
    assert "Small" in answer.text


def test_a_preview_shows_the_pages_and_keeps_nothing(world: World) -> None:
    ingrid = world.browser("Ingrid", role="learner", is_preview=True)
    assert "Set a goal" in ingrid.get("/goals").text
    assert ingrid.get("/goals/new").status_code == 200
    assert ingrid.post("/goals/new", **CLEAR).status_code == 403
    assert number_of(world, Goal) is None


def test_the_first_page_shows_open_actions_and_goals_with_their_lines(world: World) -> None:
    assert "A goal and small steps make it visible." in world.browser("Mette").get("/").text
    sets_a_goal(world)
    writes_an_action(world)
    page = world.browser("Mette").get("/").text
    assert "Ask Jonas first" in page
    assert 'aria-label="From 1 to 3.5: 1 now"' in page
    assert "Ask Jonas first" not in world.browser("Jonas").get("/").text


def test_a_page_of_a_group_shows_the_parts_with_forms_that_lead_back_to_it(world: World) -> None:
    """As the page of a meeting includes them."""
    sets_a_goal(world)
    writes_an_action(world)
    app = world.client.application
    with world.open_session(world.room.institution.id) as session:
        mette = world.room.members["Mette"]
        group_id = session.scalars(
            select(Seat.group_id).where(Seat.member_id == mette.id, Seat.round_id == world.room.rounds[0].id)
        ).one()
        together = service.for_group(session, group_id, mette.id)
        with app.test_request_context("/"):
            g.visit_key, g.visit_secret = "key", "secret"
            page = render_template_string(
                '{% from "goals/_parts.html" import open_actions, goals_shown, add_action, add_win with context %}'
                "{{ open_actions(together.actions, true, group_id, back) }}{{ goals_shown(together.goals) }}"
                "{{ add_action(none, group_id, back) }}{{ add_win(group_id, back) }}",
                together=together,
                group_id=group_id,
                back="round/1/meeting#actions",
            )
    assert "Ask Jonas first" in page
    assert CLEAR["goal_words"] in page
    assert page.count(f'name="in_group" value="{group_id}"') == page.count("<form ") == 5
    assert page.count('name="back" value="round/1/meeting#actions"') == 5
    answer = world.browser("Mette").post(
        "/goals/wins", follow=False, win_text="Small", in_group=str(group_id), back="round/1/meeting#actions"
    )
    assert answer.headers["Location"].endswith("/round/1/meeting?said=logged#actions")


def takes_back(browser: Browser, what: str, row_id: int, **fields: str) -> TestResponse:
    return browser.post("/goals/take-back", what=what, id=str(row_id), **fields)


def test_a_check_in_is_taken_back_and_brought_back_by_its_owner_for_a_day(world: World) -> None:
    goal_id = sets_a_goal(world)
    page = world.browser("Mette").post(f"/goals/{goal_id}/check-in", check_in_value="3", check_in_how="I dared").text
    row_id = number_of(world, CheckIn)
    assert 'name="what" value="check_in"' in page
    assert 'name="what" value="check_in"' not in world.browser("Jonas").get(f"/goals/{goal_id}").text
    assert takes_back(world.browser("Jonas"), "check_in", row_id).status_code == 404

    page = takes_back(world.browser("Mette"), "check_in", row_id, back=f"goals/{goal_id}").text

    assert "Taken back. No one sees it anymore." in page
    assert "I dared" not in page
    assert 'aria-label="From 1 to 3.5: 1 now"' in page
    assert "I dared" not in world.browser("Jonas").get(f"/goals/{goal_id}").text
    page = takes_back(world.browser("Mette"), "check_in", row_id, back=f"goals/{goal_id}", do="undo").text
    assert "It is back." in page
    assert "I dared" in page
    world.clock.advance(timedelta(days=1))
    assert "Take it back" not in world.browser("Mette").get(f"/goals/{goal_id}").text
    assert takes_back(world.browser("Mette"), "check_in", row_id).status_code == 409


def test_a_win_and_a_line_beside_it_are_taken_back_by_whoever_wrote_them(world: World) -> None:
    world.browser("Mette").post("/goals/wins", win_text="I held the meeting")
    win_id = number_of(world, Win)
    world.browser("Jonas").post(f"/goals/wins/{win_id}", remark_text="Wrong win, sorry")
    remark_id = number_of(world, Remark)
    for who, what, row_id in (("Jonas", "win", win_id), ("Mette", "remark", remark_id), ("Mette", "goal", 1)):
        assert takes_back(world.browser(who), what, row_id).status_code == 404

    assert "Undo" in takes_back(world.browser("Jonas"), "remark", remark_id).text
    page = world.browser("Mette").get("/goals").text
    assert "I held the meeting" in page
    assert "Wrong win, sorry" not in page
    takes_back(world.browser("Mette"), "win", win_id)
    assert "I held the meeting" not in world.browser("Jonas").get("/goals").text
    assert world.browser("Jonas").post(f"/goals/wins/{win_id}", remark_text="Too late").status_code == 404
    with world.open_session(world.room.institution.id) as session:
        [told] = service.texts_of(session, [world.room.members["Mette"].id])["wins"]
    assert told["taken_back"]
    assert told["beside"] == []
