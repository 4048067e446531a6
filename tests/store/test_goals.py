"""Goals, actions, wins and the shelf as they are kept: whose they are, who sees them, and what is counted."""

from collections.abc import Callable
from datetime import UTC, date, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import RoundDates
from lti_tool.goals import service
from lti_tool.goals.errors import ChangedMeanwhile, GoalsClosed, NotForStaff, NotShown, NotYourGroup, Refused
from lti_tool.goals.models import Action, CheckIn, Goal, GoalShare, GoalVersion, LookBack, Remark, Resource, Win
from lti_tool.goals.rules import Became, GoalState
from lti_tool.goals.service import Board, Done, Figures
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Course
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.progress.service import progress_of, summaries_of_all
from lti_tool.support.db import OpenSession
from lti_tool.workspace.setup import is_in_use
from tests.factories.activities import an_activity
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.goals import GOAL, a_goal, a_resource, a_win, an_action, place
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
WEEK = timedelta(days=7)


@pytest.fixture
def count_statements() -> Callable[[Session], list[str]]:
    """Begins to note the statements of a session's connection."""

    def begin(session: Session) -> list[str]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(session.connection(), "before_cursor_execute", note)
        return seen

    return begin


def two_rounds(session: Session, clock: FakeClock) -> Classroom:
    """Mette works with Jonas in the first round and with Femke in the second; Oliver is alone in both."""
    now = clock.now()
    dates = (RoundDates(due_at=now + WEEK), RoundDates(due_at=now + 2 * WEEK))
    room = a_classroom(session, "Mette", "Jonas", "Femke", "Oliver", now=now, rounds=dates)
    second = session.scalars(select(Group).where(Group.round_id == room.rounds[1].id)).one()
    session.execute(
        update(Seat)
        .where(Seat.group_id == second.id, Seat.member_id == room.members["Jonas"].id)
        .values(member_id=room.members["Femke"].id)
    )
    session.expire_all()
    return room


def group_of(session: Session, room: Classroom, number: int) -> int:
    return session.scalars(select(Group.id).where(Group.round_id == room.rounds[number - 1].id)).one()


def board(session: Session, room: Classroom, who: str, clock: FakeClock) -> Board:
    return service.board_of(session, place(session, room, who, clock), zone=UTC)


def sees(session: Session, room: Classroom, who: str, goal: Goal, clock: FakeClock) -> bool:
    listed = goal.id in {one.goal.id for one in board(session, room, who, clock).goals}
    where = place(session, room, who, clock)
    try:
        service.goal_page(session, where, goal.id, zone=UTC, today=clock.now().date())
    except NotShown:
        assert not listed
        return False
    assert listed
    return True


def test_a_goal_is_seen_in_the_group_in_which_it_was_set_and_by_nobody_else(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        who = ("Mette", "Jonas", "Femke", "Oliver", "Ingrid")
        assert [sees(session, room, one, goal, clock) for one in who] == [True, True, False, False, False]
        assert session.get_one(Group, group_of(session, room, 1)).begun_at == clock.now()


def test_later_partners_see_a_goal_only_by_its_owners_choice(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        clock.advance(WEEK)
        assert not sees(session, room, "Femke", goal, clock)
        page = service.goal_page(
            session, place(session, room, "Mette", clock), goal.id, zone=UTC, today=clock.now().date()
        )
        assert [list(people.values()) for people in page.shown_to.values()] == [["Jonas"]]
        assert [list(people.values()) for people in page.not_shown_to.values()] == [["Femke"]]
        for _ in range(2):
            service.show(
                session, place(session, room, "Mette", clock), goal.id, group_of(session, room, 2), now=clock.now()
            )
        assert sees(session, room, "Femke", goal, clock)
        service.hide(session, place(session, room, "Mette", clock), goal.id, group_of(session, room, 1))
        assert not sees(session, room, "Jonas", goal, clock)
        assert sees(session, room, "Femke", goal, clock)


def test_a_goal_is_shown_to_ones_own_groups_only_and_by_its_owner_only(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal, second = a_goal(session, room, "Mette", clock), group_of(session, room, 2)
        with pytest.raises(NotShown):
            service.show(session, place(session, room, "Jonas", clock), goal.id, second, now=clock.now())
        theirs = a_goal(session, room, "Jonas", clock)
        with pytest.raises(NotYourGroup):
            service.show(session, place(session, room, "Jonas", clock), theirs.id, second, now=clock.now())


def test_who_is_no_longer_in_the_group_keeps_their_own_and_sees_nothing_else(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        own = a_goal(session, room, "Jonas", clock, goal_words="My own goal")
        service.ask(session, place(session, room, "Jonas", clock), goal.id, {"question_text": "Why?"}, now=clock.now())
        session.execute(delete(Seat).where(Seat.member_id == room.members["Jonas"].id))
        assert sees(session, room, "Jonas", own, clock)
        assert not sees(session, room, "Jonas", goal, clock)
        with pytest.raises(NotShown):
            service.ask(session, place(session, room, "Jonas", clock), goal.id, {"question_text": "?"}, now=clock.now())
        assert session.scalars(select(Remark.text)).all() == ["Why?"]


def test_a_plan_that_is_not_published_shows_nothing(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        session.execute(update(Plan).values(state="draft"))
        assert not sees(session, room, "Jonas", goal, clock)


def test_every_wording_is_kept_and_the_same_words_make_none(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        where = place(session, room, "Mette", clock)
        service.sharpen(session, where, goal.id, GOAL, expected_version=99, now=clock.now())
        clock.advance(timedelta(hours=1))
        sharper = {**GOAL, "goal_words": "Sharper", "goal_target": "4.5"}
        service.sharpen(session, where, goal.id, sharper, expected_version=goal.version, now=clock.now())
        page = service.goal_page(session, where, goal.id, zone=UTC, today=date(2026, 11, 2))
        assert [(one.words, one.target) for one in page.versions] == [(GOAL["goal_words"], 3.0)]
        assert (page.view.goal.words, page.view.goal.target) == ("Sharper", 4.5)
        assert page.versions[0].worded_at < page.view.goal.worded_at
        with pytest.raises(ChangedMeanwhile):
            service.sharpen(session, where, goal.id, GOAL, expected_version=1, now=clock.now())


def test_two_who_sharpen_at_the_same_moment_lose_nothing(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        version, institution_id = goal.version, room.institution.id
    together = Barrier(2)
    refused: list[str] = []

    def sharpen(words: str) -> None:
        together.wait()
        try:
            with open_session(institution_id) as session:
                service.sharpen(
                    session,
                    place(session, room, "Mette", clock),
                    goal.id,
                    {**GOAL, "goal_words": words},
                    expected_version=version,
                    now=clock.now(),
                )
        except ChangedMeanwhile:
            refused.append(words)

    threads = [Thread(target=sharpen, args=(words,)) for words in ("From the phone", "From the laptop")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_session(institution_id) as session:
        stored = session.scalars(select(Goal.words)).one()
        assert [stored, *refused] in (["From the phone", "From the laptop"], ["From the laptop", "From the phone"])
        assert session.scalars(select(GoalVersion.words)).all() == [GOAL["goal_words"]]


def test_a_goal_is_ended_and_taken_up_again_by_its_owner(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        with pytest.raises(NotShown):
            service.end_goal(session, place(session, room, "Jonas", clock), goal.id, GoalState.REACHED, now=clock.now())
        where = place(session, room, "Mette", clock)
        service.end_goal(session, where, goal.id, GoalState.REACHED, now=clock.now())
        assert (goal.state, goal.ended_at) == ("reached", clock.now())
        service.end_goal(session, where, goal.id, GoalState.OPEN, now=clock.now())
        assert (goal.state, goal.ended_at) == ("open", None)


def test_what_is_wrong_with_a_form_is_said_and_nothing_is_kept(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        with pytest.raises(Refused) as refused:
            a_goal(session, room, "Mette", clock, goal_words=" ", goal_start="x")
        assert [one.field.key for one in refused.value.problems] == ["words", "start"]
        assert session.scalars(select(Goal)).all() == []


def test_staff_have_no_goals_and_a_seat_gives_them_that_of_the_group(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        for write in (a_goal, an_action, a_win):
            with pytest.raises(NotForStaff):
                write(session, room, "Ingrid", clock)
        first, ingrid = session.get_one(Group, group_of(session, room, 1)), room.members["Ingrid"]
        seat = {"plan_id": first.plan_id, "round_id": first.round_id, "group_id": first.id, "turn": 3}
        session.add(Seat(member_id=ingrid.id, **seat))
        session.flush()
        assert sees(session, room, "Ingrid", goal, clock)


@pytest.mark.parametrize("over", ["activity", "course"])
def test_nothing_is_taken_once_it_is_over(open_session: OpenSession, clock: FakeClock, over: str) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal, action = a_goal(session, room, "Mette", clock), an_action(session, room, "Mette", clock)
        win, shelved = a_win(session, room, "Mette", clock), a_resource(session, room, "Mette", clock)
        if over == "activity":
            session.execute(update(Activity).values(state="closed"))
        else:
            session.execute(update(Course).values(ended_at=clock.now()))
        session.expire_all()
        where, now = place(session, room, "Mette", clock), clock.now()
        text = {"question_text": "x", "check_in_how": "x", "remark_text": "x", "outcome_outcome": "x"}
        for write in (
            lambda: a_goal(session, room, "Mette", clock),
            lambda: service.sharpen(session, where, goal.id, GOAL, expected_version=1, now=now),
            lambda: service.end_goal(session, where, goal.id, GoalState.REACHED, now=now),
            lambda: service.show(session, where, goal.id, group_of(session, room, 1), now=now),
            lambda: service.hide(session, where, goal.id, group_of(session, room, 1)),
            lambda: service.ask(session, where, goal.id, text, now=now),
            lambda: service.check_in(session, where, goal.id, text, now=now),
            lambda: an_action(session, room, "Mette", clock),
            lambda: service.look_back(session, where, action.id, Became.DONE, {}, expected_version=1, now=now),
            lambda: service.take_up(session, where, action.id, now=now),
            lambda: a_win(session, room, "Mette", clock),
            lambda: service.answer_win(session, where, win.id, text, now=now),
            lambda: a_resource(session, room, "Mette", clock),
            lambda: service.tell_outcome(session, where, shelved.id, text, expected_version=1),
            lambda: service.remark_on_resource(session, where, shelved.id, text, now=now),
        ):
            with pytest.raises(GoalsClosed):
                write()
        assert len(board(session, room, "Jonas", clock).goals) == 1


def test_an_action_is_seen_in_its_group_and_changed_by_its_owner_alone(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        action = an_action(session, room, "Mette", clock)
        assert [len(board(session, room, who, clock).actions) for who in ("Mette", "Jonas", "Femke", "Oliver")] == [
            1,
            1,
            0,
            0,
        ]
        jonas = place(session, room, "Jonas", clock)
        with pytest.raises(NotShown):
            service.look_back(session, jonas, action.id, Became.DONE, {}, expected_version=1, now=clock.now())
        with pytest.raises(NotShown):
            service.take_up(session, jonas, action.id, now=clock.now())


def test_every_look_back_can_be_undone_in_turn(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        action = an_action(session, room, "Mette", clock)
        where, now = place(session, room, "Mette", clock), clock.now()
        moved, dropped = {"move_due_on": "2026-12-24"}, {"drop_why": "The room is gone"}
        service.look_back(session, where, action.id, Became.MOVED, moved, expected_version=action.version, now=now)
        service.look_back(session, where, action.id, Became.DROPPED, dropped, expected_version=action.version, now=now)
        assert (action.state, action.why, action.due_on) == ("dropped", "The room is gone", date(2026, 12, 24))
        with pytest.raises(ChangedMeanwhile):
            service.look_back(session, where, action.id, Became.DONE, {}, expected_version=action.version, now=now)
        service.take_up(session, where, action.id, now=now)
        assert (action.state, action.why, action.due_on) == ("open", "", date(2026, 12, 24))
        for _ in range(2):
            service.take_up(session, where, action.id, now=now)
        assert (action.state, action.due_on) == ("open", date(2026, 11, 20))
        assert session.scalars(select(LookBack)).all() == []


def test_a_group_has_before_it_what_its_people_left_open_together(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal, action = a_goal(session, room, "Mette", clock), an_action(session, room, "Mette", clock)
        an_action(session, room, "Jonas", clock, "Of Jonas")
        a_win(session, room, "Mette", clock)
        clock.advance(WEEK)
        an_action(session, room, "Femke", clock, "Of Femke")
        first, second = group_of(session, room, 1), group_of(session, room, 2)
        mette, femke, oliver = (room.members[who].id for who in ("Mette", "Femke", "Oliver"))

        mine = service.for_group(session, second, mette)
        assert [(one.action.words, one.is_mine, one.is_from_before) for one in mine.actions] == [
            ("Ask first", True, True),
            ("Of Femke", False, False),
        ]
        assert ([one.goal.id for one in mine.goals], mine.wins) == ([goal.id], ())
        hers = service.for_group(session, second, femke)
        assert ([one.action.words for one in hers.actions], hers.goals) == (["Of Femke"], ())
        before = service.for_group(session, first, mette)
        assert {one.action.id for one in before.actions} >= {action.id}
        assert [one.row.text for one in before.wins] == ["Everybody spoke"]
        with pytest.raises(NotYourGroup):
            service.for_group(session, second, oliver)


def test_a_page_takes_as_many_queries_for_much_as_for_little(
    open_session: OpenSession, clock: FakeClock, count_statements: Callable[[Session], list[str]]
) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        group_id, mette = group_of(session, room, 1), room.members["Mette"].id

        def fill() -> None:
            for who in ("Mette", "Jonas"):
                goal = a_goal(session, room, who, clock)
                where = place(session, room, who, clock)
                service.check_in(session, where, goal.id, {"check_in_how": "x", "check_in_value": "2"}, now=clock.now())
                an_action(session, room, who, clock)
                win = a_win(session, room, who, clock)
                service.answer_win(session, where, win.id, {"remark_text": "x"}, now=clock.now())
                a_resource(session, room, who, clock)

        def asked(read: Callable[[], Any]) -> int:
            session.expire_all()
            session.info.pop(("marks", room.course.id, False), None)
            before = len(seen)
            read()
            return len(seen) - before

        fill()
        seen = count_statements(session)
        pages = (
            lambda: service.for_group(session, group_id, mette),
            lambda: board(session, room, "Mette", clock),
            lambda: service.own_board(session, room.course.id, mette, zone=UTC),
        )
        little = [asked(read) for read in pages]
        for _ in range(5):
            fill()
        assert [asked(read) for read in pages] == little
        assert little[0] <= 12
        assert little[2] <= 3


def test_what_was_done_is_counted_by_round_and_member(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        mette, oliver = room.members["Mette"].id, room.members["Oliver"].id
        goal, action = a_goal(session, room, "Mette", clock), an_action(session, room, "Mette", clock)
        a_goal(session, room, "Oliver", clock)
        clock.advance(WEEK)
        where = place(session, room, "Mette", clock)
        for _ in range(2):
            service.check_in(session, where, goal.id, {"check_in_how": "Well"}, now=clock.now())
        service.look_back(session, where, action.id, Became.DONE, {}, expected_version=1, now=clock.now())
        assert service.done_in(session, room.activity.id) == {
            (1, mette): Done(goals_set=1, actions_written=1),
            (1, oliver): Done(goals_set=1),
            (2, mette): Done(check_ins=2, look_backs=1, to_look_back_at=1),
        }
        assert service.done_in(session, room.activity.id, oliver) == {(1, oliver): Done(goals_set=1)}
        assert service.totals_of(session, room.course.id) == Figures(2, 1, 0, 1)
        assert service.figures_of(session, room.course.id, [mette, oliver]) == {
            mette: Figures(1, 1, 0, 1),
            oliver: Figures(1),
        }
        named = service.learners_by_name(session, room.course.id, page=2, size=2)
        assert list(named.values()) == ["Mette", "Oliver"]
        looked_at = {job.payload["member_id"] for job in session.scalars(select(Job)) if job.name == "progress.changed"}
        assert looked_at == {mette, oliver}


def test_the_checklist_counts_what_is_done_with_goals_and_actions(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        room.activity.kind = "goals"
        room.activity.completion = {"goal_set": 1, "action_written": 1, "look_back": 1, "give_feedback": 0, "meet": 0}
        room.activity.completion |= {"agree": 0, "acknowledge": 0, "action_plan": 0, "wish": 0}
        room.rounds[1].opens_at = clock.now() + WEEK
        mette, oliver = room.members["Mette"].id, room.members["Oliver"].id

        def stand(member_id: int) -> dict[tuple[str, int], str]:
            items = progress_of(session, room.activity.id, member_id, clock.now()).items
            summaries = summaries_of_all(session, room.activity.id, clock.now())
            assert summaries[member_id].done == sum(item.counts and item.state == "done" for item in items)
            return {(item.step.key, item.round): item.state.value for item in items}

        first, moved = (an_action(session, room, "Mette", clock) for _ in range(2))
        a_goal(session, room, "Oliver", clock)
        assert stand(mette) == {
            ("goal_set", 1): "open",
            ("action_written", 1): "done",
            ("look_back", 2): "waiting",
            ("action_written", 2): "waiting",
        }
        assert stand(oliver)["goal_set", 1] == "done", "without a partner too"
        clock.advance(WEEK)
        assert stand(mette)["look_back", 2] == "open"
        assert stand(room.members["Femke"].id)["look_back", 2] == "excused"
        where = place(session, room, "Mette", clock)
        service.look_back(session, where, first.id, Became.DONE, {}, expected_version=1, now=clock.now())
        assert stand(mette)["look_back", 2] == "started"
        later = {"move_due_on": "2026-12-01"}
        service.look_back(session, where, moved.id, Became.MOVED, later, expected_version=1, now=clock.now())
        a_goal(session, room, "Mette", clock)
        done = stand(mette)
        assert (done["look_back", 2], done["goal_set", 1]) == ("done", "done"), "a goal counts whenever it is set"


def test_goals_are_read_for_a_checklist_only_where_they_count(
    open_session: OpenSession, clock: FakeClock, count_statements: Callable[[Session], list[str]]
) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        seen = count_statements(session)
        progress_of(session, room.activity.id, room.members["Mette"].id, clock.now())
        assert seen
        assert not any("FROM goal" in statement or "FROM action" in statement for statement in seen)


def test_completion_is_worked_out_again_wherever_an_action_counts(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        action = an_action(session, room, "Mette", clock)
        other = an_activity(session, room.course, None, now=clock.now())
        where = service.place_of(session, other, room.members["Mette"].id, now=clock.now())

        def looked_at() -> set[int]:
            jobs = session.scalars(select(Job).where(Job.name == "progress.changed")).all()
            seen = {job.payload["activity_id"] for job in jobs}
            session.execute(delete(Job))
            return seen

        assert looked_at() == {room.activity.id}
        service.look_back(session, where, action.id, Became.DONE, {}, expected_version=1, now=clock.now())
        assert looked_at() == {room.activity.id, other.id}
        service.take_up(session, place(session, room, "Mette", clock), action.id, now=clock.now())
        assert looked_at() == {room.activity.id, other.id}


def test_a_round_in_which_somebody_set_a_goal_is_in_use(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        session.execute(delete(Plan))
        assert not is_in_use(session, room.activity.id)
        clock.advance(WEEK)
        a_goal(session, room, "Oliver", clock)
        assert service.last_round_in_use(session, room.activity.id) == 2
        assert is_in_use(session, room.activity.id)


def test_without_a_group_what_is_written_is_ones_own(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Oliver", clock)
        an_action(session, room, "Oliver", clock)
        a_win(session, room, "Oliver", clock)
        a_resource(session, room, "Oliver", clock)
        assert session.scalars(select(GoalShare)).all() == []
        assert sees(session, room, "Oliver", goal, clock)
        seen = board(session, room, "Mette", clock)
        assert (seen.goals, seen.actions, seen.wins, seen.resources) == ((), (), (), ())


def test_the_shelf_of_the_course_is_everybodys_and_staff_add_to_it(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        a_resource(session, room, "Ingrid", clock, for_course=True)
        with pytest.raises(NotForStaff):
            a_resource(session, room, "Ingrid", clock)
        [shelved] = board(session, room, "Oliver", clock).resources
        assert (shelved.row.title, shelved.author, shelved.is_mine) == ("A book", "Ingrid", False)
        ours = a_resource(session, room, "Jonas", clock)
        with pytest.raises(NotShown):
            service.remark_on_resource(
                session, place(session, room, "Oliver", clock), ours.id, {"remark_text": "?"}, now=clock.now()
            )
        with pytest.raises(NotShown):
            service.tell_outcome(
                session, place(session, room, "Mette", clock), ours.id, {"outcome_outcome": "?"}, expected_version=1
            )


def test_erasing_takes_what_is_ones_own_and_leaves_what_stands_beside_others(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        where = place(session, room, "Mette", clock)
        service.sharpen(
            session, where, goal.id, {**GOAL, "goal_words": "Sharper"}, expected_version=goal.version, now=clock.now()
        )
        service.check_in(session, where, goal.id, {"check_in_how": "Well"}, now=clock.now())
        action = an_action(session, room, "Mette", clock)
        service.look_back(session, where, action.id, Became.DONE, {}, expected_version=1, now=clock.now())
        a_win(session, room, "Mette", clock)
        a_resource(session, room, "Mette", clock, for_course=True)
        theirs = a_goal(session, room, "Jonas", clock, goal_words="Of Jonas")
        service.ask(session, where, theirs.id, {"question_text": "Asked by Mette"}, now=clock.now())
        own = [room.members["Mette"].id]
        told = service.texts_of(session, own)
        assert [one["words"] for one in told["goals"]] == ["Sharper"]
        assert told["goals"][0]["words_before"][0]["words"] == GOAL["goal_words"]
        assert [one["text"] for one in told["remarks"]] == ["Asked by Mette"]
        for _ in range(2):
            service.erase_texts_of(session, own)
        assert session.scalars(select(Goal.words)).all() == ["Of Jonas"]
        for model in (GoalVersion, CheckIn, Action, LookBack, Win):
            assert session.scalars(select(model)).all() == [], model.__name__
        assert session.scalars(select(Remark.text)).all() == ["Asked by Mette"]
        shelved = session.scalars(select(Resource)).one()
        assert (shelved.title, shelved.address, shelved.use) == ("A book", "https://example.org", "")


def test_goals_come_along_into_another_activity_of_the_course(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = two_rounds(session, clock)
        goal = a_goal(session, room, "Mette", clock)
        an_action(session, room, "Mette", clock)
        session.execute(update(Activity).values(state="closed"))
        session.expire_all()
        other = an_activity(session, room.course, None, now=clock.now())
        where = service.place_of(session, other, room.members["Mette"].id, now=clock.now())
        service.check_in(session, where, goal.id, {"check_in_how": "Still going"}, now=clock.now())
        seen = service.board_of(session, where, zone=UTC)
        assert [one.is_from_before for one in seen.actions] == [True]
        assert (1, room.members["Mette"].id) in service.done_in(session, other.id)
