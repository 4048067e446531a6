"""Grades on real databases: one column, one score, one post at a time, whoever asks at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import TypeVar

import pytest
from sqlalchemy import delete, func, select

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.feedback.models import Entry
from lti_tool.grades import service
from lti_tool.grades.gateway import Column, Result
from lti_tool.grades.models import LineItem, ScoreAttempt, ScoreState
from lti_tool.grades.rules import WHOLE, Kind, Reason, Verdict
from lti_tool.grades.service import columns, pushing
from lti_tool.grades.service.columns import SEARCH
from lti_tool.grades.service.places import Place, line_item_of
from lti_tool.grades.service.pushing import IN_FLIGHT, Push, Wait
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import JobContext
from lti_tool.launch.models import Member
from lti_tool.pairing import service as pairing
from lti_tool.progress.handlers import everybody_changed
from lti_tool.support.kit import Kit
from tests.factories.pairing import Class, a_class, a_published_plan
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    fraction: Fraction
    is_complete: bool = False
    is_excused_from_all: bool = False
    points: Fraction | None = None


DONE, HALF = Progress(Fraction(1), True), Progress(Fraction(1, 2))


@pytest.fixture
def group(kit: Kit) -> Class:
    with kit.open_session() as session:
        return a_class(session, 2)


def at_once(count: int, act: Callable[[], T]) -> list[T]:
    with ThreadPoolExecutor(count) as threads:
        return [one.result() for one in [threads.submit(act) for _ in range(count)]]


def note(kit: Kit, group: Class, progress: Progress = DONE) -> None:
    with kit.open_session(group.course.institution_id) as session:
        activity = session.get_one(Activity, group.activity.id)
        service.note_progress(session, activity, group.learners[0].id, progress, now=kit.clock.now())


def link(kit: Kit, group: Class) -> int:
    """A column that is there."""
    with kit.open_session(group.course.institution_id) as session:
        line = line_item_of(session, group.activity.id)
        line.url, line.state = "https://lms.example/lineitems/1", "linked"
        return line.id


def the_score(kit: Kit, group: Class) -> ScoreState:
    with kit.open_session(group.course.institution_id) as session:
        return session.scalars(select(ScoreState)).one()


def begin(kit: Kit, group: Class) -> object:
    score_id = the_score(kit, group).id
    with kit.open_session(group.course.institution_id) as session:
        return pushing.begin_push(session, kit, score_id, now=kit.clock.now())


def finish(kit: Kit, group: Class, push: Push, verdict: Verdict, **more: object) -> None:
    with kit.open_session(group.course.institution_id) as session:
        pushing.record(session, push, verdict, now=kit.clock.now(), **more)


def a_push(kit: Kit, group: Class) -> Push:
    push = begin(kit, group)
    assert isinstance(push, Push)
    return push


def test_progress_noted_at_once_makes_one_score_and_one_job(kit: Kit, group: Class) -> None:
    link(kit, group)
    note(kit, group)
    at_once(6, lambda: note(kit, group))
    with kit.open_session(group.course.institution_id) as session:
        assert session.scalar(select(func.count()).select_from(ScoreState)) == 1
        assert session.scalar(select(func.count()).select_from(Job).where(Job.name == "grades.push")) == 1


@pytest.mark.parametrize("values", [{"is_test": True}, {"ever_staff": True}, {"role": "instructor"}], ids=str)
def test_nobody_but_learners_gets_a_score(kit: Kit, group: Class, values: dict[str, object]) -> None:
    with kit.open_session(group.course.institution_id) as session:
        member = session.get_one(Member, group.learners[0].id)
        for name, value in values.items():
            setattr(member, name, value)
    link(kit, group)
    note(kit, group)
    with kit.open_session(group.course.institution_id) as session:
        assert session.scalars(select(ScoreState)).all() == []
    assert jobs(kit, group) == 0


def looked_at(kit: Kit, group: Class) -> set[int]:
    """Who is looked at alone once everybody's completion was worked out."""
    with kit.open_session(group.course.institution_id) as session:
        session.execute(delete(Job))
    payload = {"activity_id": group.activity.id}
    context = JobContext(1, activities.EVERYBODY_CHANGED, payload, group.course.institution_id, 1)
    everybody_changed(service, kit, context)
    with kit.open_session(group.course.institution_id) as session:
        waiting = session.scalars(select(Job).where(Job.name == activities.PROGRESS_CHANGED))
        return {job.payload["member_id"] for job in waiting}


def test_only_those_whose_score_may_change_are_looked_at_after_everybodys_completion_changed(
    kit: Kit, group: Class, clock: FakeClock
) -> None:
    one, other = (learner.id for learner in group.learners)
    with kit.open_session(group.course.institution_id) as session:
        a_published_plan(session, group, clock.now())
    assert looked_at(kit, group) == set()
    with kit.open_session(group.course.institution_id) as session:
        activity = session.get_one(Activity, group.activity.id)
        activity.completion = {"give_feedback": True, "acknowledge": False, "write_notes": 0}
        for round_ in group.rounds:
            view = next(
                view
                for view in pairing.published_groups(session, activity.id, member_id=one)
                if view.round_number == round_.number
            )
            session.add(
                Entry(
                    activity_id=activity.id,
                    round_id=round_.id,
                    group_id=view.id,
                    step="give_feedback",
                    author_id=one,
                    recipient_id=other,
                    version=1,
                    created_at=clock.now(),
                    saved_at=clock.now(),
                    submitted_at=clock.now(),
                )
            )
    assert looked_at(kit, group) == {one}

    note(kit, group)
    assert looked_at(kit, group) == {one}, "its score still waits"
    with kit.open_session(group.course.institution_id) as session:
        score = session.scalars(select(ScoreState)).one()
        score.state, score.sent = "delivered", WHOLE
    assert looked_at(kit, group) == set()


def test_everybodys_completion_is_worked_out_again_by_one_job_when_a_round_ends(
    kit: Kit, group: Class, clock: FakeClock
) -> None:
    ends_at = clock.now() + timedelta(days=3)
    with kit.open_session(group.course.institution_id) as session:
        session.get_one(Round, group.rounds[0].id).due_at = ends_at

    looked_at(kit, group)

    with kit.open_session(group.course.institution_id) as session:
        [later] = session.scalars(select(Job).where(Job.due_at > clock.now()))
        assert (later.name, later.due_at) == (activities.EVERYBODY_CHANGED, ends_at + timedelta(seconds=1))


def test_an_activity_has_one_place_in_the_gradebook(kit: Kit, group: Class) -> None:
    def ask() -> int:
        with kit.open_session(group.course.institution_id) as session:
            return line_item_of(session, group.activity.id).id

    assert len(set(at_once(6, ask))) == 1
    with kit.open_session(group.course.institution_id) as session:
        assert session.scalar(select(func.count()).select_from(LineItem)) == 1


def test_one_at_a_time_looks_for_the_column(kit: Kit, group: Class, clock: FakeClock) -> None:
    line_id = link(kit, group)

    def look() -> Place | Wait:
        with kit.open_session(group.course.institution_id) as session:
            return columns.begin_search(session, kit, line_id, now=clock.now())

    found = at_once(6, look)
    assert sum(isinstance(one, Place) for one in found) == 1
    clock.advance(SEARCH)
    assert isinstance(look(), Place)


def test_one_post_of_a_score_is_in_flight(kit: Kit, group: Class, clock: FakeClock) -> None:
    link(kit, group)
    note(kit, group)
    found = at_once(6, lambda: begin(kit, group))
    assert sum(isinstance(one, Push) for one in found) == 1
    assert sum(isinstance(one, Wait) for one in found) == 5
    clock.advance(IN_FLIGHT)
    assert isinstance(begin(kit, group), Push)


def test_a_post_whose_fate_is_unknown_counts_as_told(kit: Kit, group: Class) -> None:
    link(kit, group)
    note(kit, group)
    finish(kit, group, a_push(kit, group), Verdict(Kind.RETRY, Reason.UNREACHABLE))
    note(kit, group, HALF)
    assert the_score(kit, group).state == "asks"


def test_a_post_that_never_left_counts_for_nothing(kit: Kit, group: Class) -> None:
    link(kit, group)
    note(kit, group)
    finish(kit, group, a_push(kit, group), Verdict(Kind.RETRY, Reason.UNREACHABLE), never_left=True)
    note(kit, group, HALF)
    assert the_score(kit, group).reason == Reason.WITHDRAWN


def test_what_rose_while_it_was_sent_is_sent_next(kit: Kit, group: Class, clock: FakeClock) -> None:
    with kit.open_session(group.course.institution_id) as session:
        session.get_one(Activity, group.activity.id).score_mode = "proportional"
    link(kit, group)
    note(kit, group, HALF)
    push = a_push(kit, group)
    note(kit, group, DONE)
    finish(kit, group, push, Verdict(Kind.DELIVERED))
    score = the_score(kit, group)
    assert (score.state, score.sent, score.wanted) == ("waiting", WHOLE // 2, WHOLE)
    clock.advance(timedelta(seconds=2))
    assert a_push(kit, group).share == WHOLE


def test_what_was_undone_while_it_was_sent_becomes_a_question(kit: Kit, group: Class) -> None:
    link(kit, group)
    note(kit, group)
    push = a_push(kit, group)
    note(kit, group, HALF)
    finish(kit, group, push, Verdict(Kind.DELIVERED))
    score = the_score(kit, group)
    assert (score.state, score.sent) == ("asks", WHOLE)


def test_a_score_that_rose_while_the_gradebook_was_read_is_not_lost(kit: Kit, group: Class, clock: FakeClock) -> None:
    with kit.open_session(group.course.institution_id) as session:
        session.get_one(Activity, group.activity.id).score_mode = "proportional"
    link(kit, group)
    note(kit, group, HALF)
    push = a_push(kit, group)
    note(kit, group, DONE)
    drop_jobs(kit)
    with kit.open_session(group.course.institution_id) as session:
        pushing.ask_about_higher(session, push, Result(0.75, 1, None), now=kit.clock.now())
    score = the_score(kit, group)
    assert (score.state, score.wanted, score.sent) == ("waiting", WHOLE, WHOLE * 3 // 4)
    assert jobs(kit, group) == 1
    clock.advance(timedelta(seconds=5))
    assert a_push(kit, group).share == WHOLE


def test_a_score_that_was_lost_while_the_gradebook_was_read_stays_a_question(kit: Kit, group: Class) -> None:
    link(kit, group)
    note(kit, group)
    push = a_push(kit, group)
    note(kit, group, HALF)
    asked = the_score(kit, group)
    assert asked.state == "asks"
    with kit.open_session(group.course.institution_id) as session:
        pushing.ask_about_higher(session, push, Result(2, 1, None), now=kit.clock.now())
    score = the_score(kit, group)
    assert (score.state, score.wanted, score.asked) == ("asks", asked.wanted, asked.asked)


def jobs(kit: Kit, group: Class) -> int:
    with kit.open_session(group.course.institution_id) as session:
        waiting = select(func.count()).select_from(Job).where(Job.name == "grades.push", Job.state == "waiting")
        return session.scalar(waiting) or 0


def drop_jobs(kit: Kit) -> None:
    with kit.open_session() as session:
        session.execute(delete(Job))


def test_a_question_that_settles_itself_is_sent_where_its_fate_is_unknown(kit: Kit, group: Class) -> None:
    link(kit, group)
    note(kit, group)
    finish(kit, group, a_push(kit, group), Verdict(Kind.RETRY, Reason.UNREACHABLE))
    note(kit, group, HALF)
    drop_jobs(kit)
    note(kit, group)
    assert the_score(kit, group).state == "waiting"
    assert jobs(kit, group) == 1


def test_a_score_that_staff_keep_is_sent_where_its_fate_is_unknown(kit: Kit, group: Class, clock: FakeClock) -> None:
    link(kit, group)
    note(kit, group)
    finish(kit, group, a_push(kit, group), Verdict(Kind.RETRY, Reason.UNREACHABLE))
    note(kit, group, HALF)
    drop_jobs(kit)
    with kit.open_session(group.course.institution_id) as session:
        service.answer_question(session, group.activity.id, the_score(kit, group).id, lowers=False, now=kit.clock.now())
    assert (the_score(kit, group).state, the_score(kit, group).wanted) == ("waiting", WHOLE)
    assert jobs(kit, group) == 1


@pytest.mark.parametrize("told", [None, HALF])
def test_what_was_refused_and_is_not_deserved_any_more_is_not_sent_by_a_click(
    kit: Kit, group: Class, clock: FakeClock, told: Progress | None
) -> None:
    with kit.open_session(group.course.institution_id) as session:
        session.get_one(Activity, group.activity.id).score_mode = "proportional"
    link(kit, group)
    if told is not None:
        note(kit, group, told)
        finish(kit, group, a_push(kit, group), Verdict(Kind.DELIVERED))
        clock.advance(timedelta(seconds=5))
    note(kit, group, DONE)
    finish(kit, group, a_push(kit, group), Verdict(Kind.REFUSED, Reason.NOT_GRADABLE))
    note(kit, group, told or Progress(Fraction(0)))
    drop_jobs(kit)
    score_id = the_score(kit, group).id
    with kit.open_session(group.course.institution_id) as session:
        service.send_all_again(session, group.activity.id, now=kit.clock.now())
        service.send_again(session, group.activity.id, score_id, now=kit.clock.now())
    clock.advance(timedelta(seconds=5))
    found = begin(kit, group)
    assert found is None or (isinstance(found, Push) and found.share == WHOLE // 2)


def test_an_activity_that_stops_being_graded_sends_nothing_more(kit: Kit, group: Class) -> None:
    link(kit, group)
    note(kit, group)
    with kit.open_session(group.course.institution_id) as session:
        session.get_one(Activity, group.activity.id).score_mode = "none"
    note(kit, group)
    assert begin(kit, group) is None
    assert the_score(kit, group).reason == Reason.WITHDRAWN


def test_what_an_old_column_says_does_not_count_for_the_new_one(kit: Kit, group: Class, clock: FakeClock) -> None:
    line_id = link(kit, group)
    note(kit, group)
    push = a_push(kit, group)
    new = Column("https://lms.example/lineitems/2", "New", None, None)
    with kit.open_session(group.course.institution_id) as session:
        place = columns.begin_search(session, kit, line_id, now=kit.clock.now())
        assert isinstance(place, Place)
        columns.end_search(session, place, "linked", new, None, now=kit.clock.now())
    finish(kit, group, push, Verdict(Kind.DELIVERED))
    assert (the_score(kit, group).state, the_score(kit, group).sent) == ("waiting", None)
    clock.advance(timedelta(seconds=5))
    assert a_push(kit, group).url == new.url


def test_a_question_about_a_column_that_was_replaced_is_sent_when_staff_keep_the_score(kit: Kit, group: Class) -> None:
    line_id = link(kit, group)
    note(kit, group)
    finish(kit, group, a_push(kit, group), Verdict(Kind.DELIVERED))
    note(kit, group, HALF)
    new = Column("https://lms.example/lineitems/2", "New", None, None)
    with kit.open_session(group.course.institution_id) as session:
        place = columns.begin_search(session, kit, line_id, now=kit.clock.now())
        assert isinstance(place, Place)
        columns.end_search(session, place, "linked", new, None, now=kit.clock.now())
    with kit.open_session(group.course.institution_id) as session:
        score_id = the_score(kit, group).id
        service.answer_question(session, group.activity.id, score_id, lowers=False, now=kit.clock.now())
    assert a_push(kit, group).share == WHOLE


def test_timestamps_go_on_rising_in_a_column_whose_points_changed(kit: Kit, group: Class, clock: FakeClock) -> None:
    line_id = link(kit, group)
    note(kit, group)
    first = a_push(kit, group)
    finish(kit, group, first, Verdict(Kind.DELIVERED))
    same = Column(first.url, "Same", 20, None)
    with kit.open_session(group.course.institution_id) as session:
        place = columns.begin_search(session, kit, line_id, now=kit.clock.now())
        assert isinstance(place, Place)
        columns.end_search(session, place, "linked", same, None, now=kit.clock.now(), is_rescaled=True)
    assert isinstance(begin(kit, group), Wait)
    clock.advance(timedelta(seconds=5))
    assert a_push(kit, group).at > first.at


def test_timestamps_rise_over_attempts(kit: Kit, group: Class, clock: FakeClock) -> None:
    link(kit, group)
    note(kit, group)
    stamps = []
    for _ in range(4):
        push = a_push(kit, group)
        stamps.append(push.at)
        finish(kit, group, push, Verdict(Kind.RETRY, Reason.TROUBLE))
        assert isinstance(begin(kit, group), Wait)
        clock.advance(timedelta(seconds=2))
    assert stamps == sorted(set(stamps))
    with kit.open_session(group.course.institution_id) as session:
        assert session.scalar(select(func.count()).select_from(ScoreAttempt)) == 4


def test_the_cause_and_the_job_commit_together(kit: Kit, group: Class) -> None:
    link(kit, group)

    def note_and_fail() -> None:
        with kit.open_session(group.course.institution_id) as session:
            activity = session.get_one(Activity, group.activity.id)
            service.note_progress(session, activity, group.learners[0].id, DONE, now=kit.clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        note_and_fail()
    with kit.open_session(group.course.institution_id) as session:
        assert session.scalars(select(ScoreState)).all() == []
        assert session.scalars(select(Job)).all() == []
