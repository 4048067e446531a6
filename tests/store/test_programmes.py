"""Programmes in both databases: one per activity, changes one after the other, and what a removed activity leaves."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.activities.rules import RoundDates
from lti_tool.launch.models import Course
from lti_tool.programmes import rules, service
from lti_tool.programmes.errors import ProgrammeChanged, ProgrammeUnknown, StepRefused
from lti_tool.programmes.models import Programme, ProgrammeStep
from lti_tool.programmes.rules import Step
from lti_tool.registration.models import Institution
from lti_tool.support.db import OpenSession, is_lost_race
from tests.factories.activities import an_activity
from tests.factories.people import a_course, a_deployment, a_placement, a_registration, an_institution
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


def a_programme(session: Session, clock: FakeClock, number: int = 3) -> Programme:
    """So many activities with one round each, due a week apart."""
    course = a_course(session, a_deployment(session, a_registration(session, an_institution(session))))
    steps = []
    for week in range(1, number + 1):
        rounds = (RoundDates(due_at=clock.now() + timedelta(weeks=week)),)
        steps.append(
            Step(an_activity(session, course, a_placement(session, course), now=clock.now(), rounds=rounds).id)
        )
    return service.make(session, course.id, "Lead well", steps, by=1, now=clock.now())


def ids(session: Session, programme: Programme) -> list[int]:
    return [stage.activity.id for stage in service.stages_of(session, programme.id)]


def test_two_changes_at_once_leave_one(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        programme = a_programme(session, clock)
        before, institution_id = ids(session, programme), programme.institution_id
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def turn_around(order: list[int]) -> None:
        start.wait(10)
        try:
            with open_session(institution_id) as session:
                held = session.get_one(Programme, programme.id)
                steps = [Step(one) for one in order]
                service.arrange(session, held, steps, expected_version=1, by=1, now=clock.now())
                outcomes.append("arranged")
        except (ProgrammeChanged, DBAPIError) as error:
            outcomes.append("refused" if isinstance(error, ProgrammeChanged) or is_lost_race(error) else "failed")

    orders = (before[::-1], [before[1], before[0], before[2]])
    threads = [threading.Thread(target=turn_around, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["arranged", "refused"]
    with open_session(institution_id) as session:
        assert ids(session, session.get_one(Programme, programme.id)) in orders


def test_a_removed_activity_leaves_its_programme_and_is_not_restored(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        programme = a_programme(session, clock)
        first, second, third = ids(session, programme)
        service.arrange(session, programme, [Step(first)], expected_version=1, by=1, now=clock.now())
        session.execute(delete(Activity).where(Activity.id == second))
        assert not service.undo(session, programme, {}, expected_version=2, by=1, now=clock.now())
        assert ids(session, programme) == [first, third]
        session.execute(delete(Activity).where(Activity.id.in_([first, third])))
        assert session.scalars(select(ProgrammeStep)).all() == []
        assert service.programmes_of(session, programme.course_id) == []


def test_steps_are_of_the_course_few_and_each_only_once(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        programme = a_programme(session, clock)
        first, second, _ = ids(session, programme)
        for wrong in ([first, first], [first, 999_999], list(range(1, rules.MOST_STEPS + 2))):
            with pytest.raises(StepRefused):
                service.arrange(
                    session,
                    programme,
                    [Step(one) for one in wrong],
                    expected_version=programme.version,
                    by=1,
                    now=clock.now(),
                )
        with pytest.raises(StepRefused):
            service.make(session, programme.course_id, "Other", [Step(second)], by=1, now=clock.now())
        registration = a_registration(session, session.get_one(Institution, programme.institution_id))
        elsewhere = a_course(session, a_deployment(session, registration))
        with pytest.raises(ProgrammeUnknown):
            service.programme_in(session, elsewhere.id, programme.id)


def test_a_move_leaves_alone_what_is_closed_and_tells_plans(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        programme = a_programme(session, clock)
        session.get_one(Activity, ids(session, programme)[1]).state = "closed"
        session.flush()
        path = service.timetables_of(session, service.stages_of(session, programme.id), {}, now=clock.now())
        assert len(path) == 2
        day = rules.first_day(path)
        assert day is not None
        after = rules.moved(path, day + timedelta(weeks=1), free=())
        at = {"by": 1, "now": clock.now()}
        service.move(session, programme, path, after, free_weeks="", expected_version=programme.version, **at)
        due = [activities.rounds_of(session, one)[0].due_at for one in ids(session, programme)]
        assert due == [clock.now() + timedelta(weeks=week) for week in (2, 2, 4)]
        assert service.undo(session, programme, {}, expected_version=programme.version, **at)
        due = [activities.rounds_of(session, one)[0].due_at for one in ids(session, programme)]
        assert due == [clock.now() + timedelta(weeks=week) for week in (1, 2, 3)]
        session.get_one(Course, programme.course_id).ended_at = clock.now()
        session.flush()
        assert service.timetables_of(session, service.stages_of(session, programme.id), {}, now=clock.now()) == []
