"""The first page of a visit, for learners, staff and others."""

import re
from datetime import timedelta
from fractions import Fraction

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState, Release, RoundDates
from lti_tool.launch.models import Course, Member, Person
from lti_tool.pairing import service
from lti_tool.pairing.models import Plan
from lti_tool.progress.service import progress_of
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.factories.activities import an_activity
from tests.factories.feedback import a_classroom
from tests.factories.pairing import a_pin, a_published_plan, make, propose
from tests.factories.people import a_placement
from tests.fakes.clock import FakeClock
from tests.functional.classroom import World
from tests.functional.teaching import a_school


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient) -> World:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
    return World(open_session, clock, client, room)


def test_a_learner_sees_what_now_with_whom_and_by_when(world: World) -> None:
    page = world.browser("Mette").get().text
    assert "Observe Jonas and give feedback by" in page
    assert "in 7 days" in page
    assert page.index("Write down what you observe") < page.index("What counts")
    assert "0 of 2 done" in page


def test_who_is_observed_first_is_said(world: World) -> None:
    assert "You are observed first" in world.browser("Mette").get().text
    assert "Mette is observed first" in world.browser("Jonas").get().text


NEW, OTHERS = "You have not worked together before.", "Partners change from round to round."


def test_where_no_rule_says_why_learners_read_that_they_are_new_to_each_other(world: World) -> None:
    assert f"Why you work together: {NEW}" in world.browser("Mette").get().text


def test_nobody_is_told_that_they_are_new_to_each_other_who_met_in_another_activity(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        other = an_activity(session, room.course, a_placement(session, room.course), now=clock.now())
        propose(session, other.id, seed=1, by=None, now=clock.now())
        service.publish(session, other.id, expected_version=1, now=clock.now())
    world = World(open_session, clock, client, room)

    page = world.browser("Mette").get().text

    assert NEW not in page
    assert "Why you work together" not in page


def test_who_meets_again_after_others_reads_only_that_partners_change(app: Flask, kit: Kit, clock: FakeClock) -> None:
    soon, later, last = (clock.now() + timedelta(days=days) for days in (1, 9, 17))
    dates = [(clock.now(), soon), (soon, later), (later, last)]
    school = a_school(app, kit, clock, 4, rounds=dates)
    with kit.open_session(school.institution_id) as session:
        couples = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 1), (2, 3))]
        for number, round_couples in enumerate(couples, start=1):
            for one, other in round_couples:
                members = [school.group.learners[one].id, school.group.learners[other].id]
                make(session, school.group, a_pin(members, number), clock.now())
        a_published_plan(session, school.group, clock.now())

    assert f"Why you work together: {NEW}" in school.learner(0).get("/").text
    clock.advance(timedelta(days=2))
    assert f"Why you work together: {NEW}" in school.learner(0).get("/").text
    clock.advance(timedelta(days=8))
    page = school.learner(0).get("/").text
    assert f"Why you work together: {OTHERS}" in page
    assert NEW not in page


def test_who_has_given_waits_for_the_partner_by_name(world: World) -> None:
    world.gives("Mette", "Jonas")
    page = world.browser("Mette").get().text
    assert "Your part is done. Jonas has not given feedback yet." in page
    assert "waiting for Jonas" in page


def test_whoever_has_not_written_learns_only_that_feedback_is_there(world: World) -> None:
    world.gives("Mette", "Jonas", strengths="S-SECRET")
    page = world.browser("Jonas").get().text
    assert "given, not shown yet" in page
    assert "Observe Mette and give feedback" in page
    assert "S-SECRET" not in page


def test_released_feedback_is_the_next_thing(world: World) -> None:
    world.gives("Mette", "Jonas")
    world.gives("Jonas", "Mette")
    page = world.browser("Mette").get().text
    assert "Jonas has given you feedback. Read it" in page
    assert "1 of 2 done" in page


def test_an_overdue_task_is_said_without_blame(world: World, clock: FakeClock) -> None:
    clock.advance(timedelta(days=8))
    page = world.browser("Mette").get().text
    assert "It is still welcome" in page
    assert "overdue" in page


def test_a_begun_text_is_gone_on_with(world: World) -> None:
    mette = world.browser("Mette")
    mette.post(world.writing("Jonas"), do="save", strengths="Half")
    page = mette.get().text
    assert "Continue writing" in page
    assert "started" in page


def test_before_the_plan_is_published_the_page_says_who_acts(world: World, open_session: OpenSession) -> None:
    with open_session(world.room.institution.id) as session:
        session.execute(delete(Plan))
    assert "You are not paired yet." in world.browser("Mette").get().text


def test_before_a_round_opens_the_page_says_when(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    rounds = (RoundDates(clock.now() + timedelta(days=2), clock.now() + timedelta(days=9)),)
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), rounds=rounds)
    page = World(open_session, clock, client, room).browser("Mette").get().text
    assert "Nothing to do yet: round 1 with Jonas opens on" in page
    assert "not open yet" in page


@pytest.mark.parametrize("state", [ActivityState.DRAFT, ActivityState.UNCONFIRMED])
def test_a_learner_is_told_kindly_that_it_is_not_ready(
    world: World, open_session: OpenSession, state: ActivityState
) -> None:
    set_state(world, open_session, state)
    page = world.browser("Mette").get().text
    assert "This is not ready yet" in page
    assert "Jonas" not in page


def set_state(world: World, open_session: OpenSession, state: ActivityState) -> None:
    with open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).state = state


def test_a_placement_without_activity_sends_the_designer_to_set_up(world: World, open_session: OpenSession) -> None:
    with open_session(world.room.institution.id) as session:
        session.get_one(Activity, world.room.activity.id).placement_id = None
    assert world.browser("Ingrid").get().location.endswith("/setup")
    assert "This is not ready yet" in world.browser("Mette").get().text


def test_a_closed_activity_can_be_read_and_asks_for_nothing(
    world: World, open_session: OpenSession, clock: FakeClock
) -> None:
    world.gives("Mette", "Jonas")
    with open_session(world.room.institution.id) as session:
        activity = session.get_one(Activity, world.room.activity.id)
        activity.state, activity.closed_at = ActivityState.CLOSED, clock.now()
    page = world.browser("Jonas").get().text
    assert "This activity is closed." in page
    assert "Write down what you observe" not in page
    assert "Read what Mette tells you" in page


def test_a_course_that_is_over_can_be_read(world: World, open_session: OpenSession, clock: FakeClock) -> None:
    with open_session(world.room.institution.id) as session:
        session.get_one(Course, world.room.course.id).ended_at = clock.now()
    assert "This course is over." in world.browser("Mette").get().text


def test_staff_who_look_as_a_learner_see_an_example(world: World) -> None:
    page = world.browser("Ingrid", role="learner", is_preview=True).get().text
    assert "Nothing you do here is saved" in page
    assert "you are not paired" in page


def test_staff_see_what_needs_them(world: World, open_session: OpenSession, clock: FakeClock) -> None:
    world.gives("Mette", "Jonas")
    clock.advance(timedelta(days=8))
    page = world.browser("Ingrid").get().text
    assert "1 of 2 learners is past a due date." in page
    assert "Remind them, or give more time" in page
    assert '/progress#behind"' in page
    assert "<b>1 of 2</b>feedback given" in page
    assert "<b>1 of 2</b>has completed everything" in page
    assert "suddenly missing" not in page
    with open_session(world.room.institution.id) as session:
        session.execute(delete(Plan))
    assert "2 learners are waiting for partners." in world.browser("Ingrid").get().text


def test_staff_of_a_copy_are_asked_to_look_at_it(world: World, open_session: OpenSession) -> None:
    set_state(world, open_session, ActivityState.UNCONFIRMED)
    assert "This is a copy." in world.browser("Ingrid").get().text
    assert "until an instructor opens the activity" in world.browser("Ingrid", role="assistant").get().text


def test_an_observer_of_the_course_sees_nothing_of_anybody(world: World) -> None:
    page = world.browser("Ingrid", role="observer").get().text
    assert "Nothing to see here" in page
    assert "Jonas" not in page


def test_a_review_shows_staff_that_learner_and_a_learner_their_own_feedback(
    world: World, open_session: OpenSession
) -> None:
    with open_session(world.room.institution.id) as session:
        sub = session.get_one(Person, world.room.members["Jonas"].person_id).sub
    staff = world.browser("Ingrid", kind=VisitKind.REVIEW, details={"reviewed_sub": sub}).get()
    assert staff.location.endswith(f"/progress/{world.room.members['Jonas'].id}")
    nobody = world.browser("Ingrid", kind=VisitKind.REVIEW, details={"reviewed_sub": "nobody"}).get()
    assert "This learner is not known here" in nobody.text
    own = world.browser("Jonas", kind=VisitKind.REVIEW, details={"reviewed_sub": sub}).get()
    assert own.location.endswith("/feedback")


def test_other_visits_go_where_they_belong(world: World) -> None:
    assert world.browser("Ingrid", kind=VisitKind.PLACING).get().location.endswith("/setup")
    assert "/institution" in world.browser("Ingrid", kind=VisitKind.INSTITUTION).get().location


def test_other_activities_of_the_course_are_a_click_away(
    world: World, open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session(world.room.institution.id) as session:
        course = session.get_one(Course, world.room.course.id)
        other = an_activity(session, course, a_placement(session, course), now=clock.now(), title="Second look")
        draft = an_activity(
            session, course, a_placement(session, course), now=clock.now(), title="Hidden", state=ActivityState.DRAFT
        )
    mette = world.browser("Mette")
    page = mette.get().text
    assert "Second look" in page
    assert "Hidden" not in page
    way = re.search(r'href="(/go/[^"]+)"', mette.post(f"/also/{other.id}").text)
    assert way is not None
    opened = world.client.get(way[1], follow_redirects=True)
    assert "<h1>Second look</h1>" in opened.text
    assert mette.post(f"/also/{draft.id + 100}").status_code == 404


def test_an_activity_of_another_course_is_not_opened(world: World, open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        elsewhere = a_classroom(session, "Femke", "Oliver", now=clock.now(), groups=(("Femke", "Oliver"),))
    assert world.browser("Mette").post(f"/also/{elsewhere.activity.id}").status_code == 404


def test_received_feedback_stands_on_one_page(world: World) -> None:
    empty = world.browser("Mette").get("/feedback").text
    assert "Nothing to read yet" in empty
    world.gives("Jonas", "Mette", strengths="S-FROM-JONAS")
    world.gives("Mette", "Jonas")
    assert "S-FROM-JONAS" in world.browser("Mette").get("/feedback").text


def test_a_level_that_several_saw_is_shown_from_three_people_on(
    open_session: OpenSession, clock: FakeClock, client: FlaskClient
) -> None:
    names = ("Mette", "Jonas", "Femke", "Oliver")
    with open_session() as session:
        room = a_classroom(session, *names, now=clock.now(), groups=(names,), release=Release.AT_ONCE)
    world = World(open_session, clock, client, room)
    for author in ("Jonas", "Femke"):
        world.gives(author, "Mette")
    assert "What several partners saw" not in world.browser("Mette").get("/feedback").text
    world.gives("Oliver", "Mette")
    assert "What several partners saw" in world.browser("Mette").get("/feedback").text


def test_the_checklist_shows_the_same_share_as_the_rule(world: World, open_session: OpenSession) -> None:
    world.gives("Mette", "Jonas")
    with open_session(world.room.institution.id) as session:
        done = progress_of(session, world.room.activity.id, world.room.members["Mette"].id, world.clock.now())
    assert done.fraction == Fraction(1, 2)
    assert "1 of 2 done" in world.browser("Mette").get().text


def test_people_without_a_name_are_called_partner(world: World, open_session: OpenSession) -> None:
    with open_session(world.room.institution.id) as session:
        session.get_one(Person, world.room.members["Jonas"].person_id).name = None
    world.gives("Mette", "Jonas")
    page = world.browser("Mette").get().text
    assert "Your part is done. Your partner has not given feedback yet." in page
    assert "None" not in page


def test_a_partner_who_left_is_said_and_asks_for_nothing(world: World, open_session: OpenSession) -> None:
    with open_session(world.room.institution.id) as session:
        session.get_one(Member, world.room.members["Jonas"].id).status = "inactive"
    page = world.browser("Mette").get().text
    assert "Jonas is no longer in the course." in page
    assert "not needed" in page
