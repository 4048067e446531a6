"""Rosters on real databases: launches and the roster meet, and nobody is doubled."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from lti_tool.jobs.models import Job
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.rules.roles import CourseRole
from lti_tool.launch.service.arrivals import ROSTER_CHANGED
from lti_tool.registration.models import Registration
from lti_tool.roster import service, store
from lti_tool.roster.models import RosterSync
from lti_tool.roster.rules import RosterRow
from lti_tool.roster.service import readings
from lti_tool.roster.service.members import unlisted
from lti_tool.roster.service.readings import Step
from lti_tool.support.kit import Kit
from tests.factories.people import a_course, a_deployment, a_member, a_person, a_registration, an_institution
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
ROWS = {str(number): RosterRow(str(number), CourseRole.LEARNER, name=f"Ann {number}") for number in range(40)}


@pytest.fixture
def course(kit: Kit) -> Course:
    with kit.open_session() as session:
        registration = a_registration(session, an_institution(session))
        url = f"{registration.platform_origins[0]}/members"
        return a_course(session, a_deployment(session, registration), memberships_url=url)


def begin(kit: Kit, course: Course) -> Step:
    with kit.open_session(course.institution_id) as session:
        step = readings.next_step(session, course.id, now=kit.clock.now())
        assert step is not None
        return step


def keep(kit: Kit, course: Course, step: Step) -> int:
    with kit.open_session(course.institution_id) as session:
        return readings.keep(session, step, ROWS, now=kit.clock.now())


def test_a_page_that_is_kept_twice_counts_once(kit: Kit, course: Course) -> None:
    step = begin(kit, course)
    assert [keep(kit, course, step) for _ in range(2)] == [40, 0]
    with kit.open_session(course.institution_id) as session:
        assert session.get_one(RosterSync, step.sync_id).seen == 40


def test_who_is_listed_as_having_left_stays_left_when_the_page_is_kept_twice(
    kit: Kit, course: Course, clock: FakeClock
) -> None:
    first = begin(kit, course)
    with kit.open_session(course.institution_id) as session:
        readings.keep(session, first, ROWS, now=kit.clock.now())
        readings.turn_page(session, first, None, new=40, now=kit.clock.now())
    clock.advance(timedelta(days=1))
    second = begin(kit, course)
    rows = {**ROWS, "7": replace(ROWS["7"], is_active=False)}
    with kit.open_session(course.institution_id) as session:
        for _ in range(2):
            readings.keep(session, second, rows, now=kit.clock.now())
        readings.turn_page(session, second, None, new=40, now=kit.clock.now())
        left = session.scalars(
            select(Person.sub)
            .join(Member, Member.person_id == Person.id)
            .where(Member.status == "inactive", Member.left_at.is_not(None))
        )
        assert left.all() == ["7"]


def test_plans_are_told_when_staff_name_somebody_as_staff_or_as_a_learner(kit: Kit, course: Course) -> None:
    keep(kit, course, begin(kit, course))

    def told() -> int:
        with kit.open_session() as session:
            jobs = session.scalars(select(Job).where(Job.name == ROSTER_CHANGED)).all()
            for job in jobs:
                session.delete(job)
            return len(jobs)

    told()
    with kit.open_session(course.institution_id) as session:
        member_id = service.learners_to_pair(session, course.id)[0]
        service.name_as_staff(session, course.id, member_id, now=kit.clock.now())
    assert told() == 1
    with kit.open_session(course.institution_id) as session:
        service.name_as_staff(session, course.id, member_id, now=kit.clock.now())
    assert told() == 0
    with kit.open_session(course.institution_id) as session:
        service.take_back_as_learner(session, course.id, member_id, now=kit.clock.now())
    assert told() == 1
    with kit.open_session(course.institution_id) as session:
        service.take_back_as_learner(session, course.id, member_id, now=kit.clock.now())
    assert told() == 0


def test_who_launches_while_the_roster_is_written_is_not_doubled(kit: Kit, course: Course) -> None:
    step = begin(kit, course)

    def launch() -> None:
        with kit.open_session(course.institution_id) as session:
            store.add_missing(
                session,
                Person,
                [
                    {
                        "institution_id": course.institution_id,
                        "registration_id": step.registration_id,
                        "sub": sub,
                        "is_administrator": False,
                        "created_at": kit.clock.now(),
                    }
                    for sub in ROWS
                ],
            )

    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(launch) for _ in range(3)]
        waiting.append(threads.submit(keep, kit, course, step))
        for one in waiting:
            one.result()
    with kit.open_session(course.institution_id) as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 40
        assert session.scalar(select(func.count()).select_from(Member)) == 40


def test_a_reading_under_way_is_continued_and_not_doubled(kit: Kit, course: Course) -> None:
    first = begin(kit, course)
    with kit.open_session(course.institution_id) as session:
        readings.turn_page(session, first, f"{first.url}&page=2", new=40, now=kit.clock.now())
    second = begin(kit, course)
    assert (second.sync_id, second.is_first) == (first.sync_id, False)
    assert second.url == f"{first.url}&page=2"


def test_another_institution_sees_nobody(kit: Kit, course: Course) -> None:
    keep(kit, course, begin(kit, course))
    with kit.open_session() as session:
        other = an_institution(session)
        assert session.scalars(select(Member)).all() == []
    assert other.id != course.institution_id


def test_who_launched_and_stands_in_no_finished_roster_is_told_apart_from_who_still_may(
    kit: Kit, course: Course, clock: FakeClock
) -> None:
    with kit.open_session(course.institution_id) as session:
        registration = session.scalars(select(Registration)).one()

        def launched(name: str, **values: object) -> int:
            person = a_person(session, registration, name=name)
            seen = {"in_roster_at": None, "created_at": clock.now(), "last_launch_at": clock.now(), **values}
            return a_member(session, course, person, **seen).id

        lacking = launched("Before")
        swept = launched("Swept", status="inactive")
        launched("Staff", ever_staff=True)
        launched("Test", is_test=True)
        launched("Listed", in_roster_at=clock.now())
        launched("Never here", last_launch_at=None)
        clock.advance(timedelta(minutes=1))
        session.add(RosterSync(course_id=course.id, state="finished", started_at=clock.now(), next_url=""))
        clock.advance(timedelta(minutes=1))
        launched("After")
        said = launched("After, and left out", is_taken_in=False)
        session.flush()

        found = [(one.member_id, one.is_taken_in) for one in unlisted(session, course.id)]

    assert found == [(lacking, None), (swept, None), (said, False)]


def test_whom_staff_take_in_is_paired_until_the_roster_knows_better(kit: Kit, course: Course) -> None:
    with kit.open_session(course.institution_id) as session:
        registration = session.scalars(select(Registration)).one()
        person = a_person(session, registration, sub="1")
        member_id = a_member(session, course, person, in_roster_at=None, status="inactive").id
        service.say_of_unlisted(session, course.id, member_id, takes_part=True, now=kit.clock.now())
        assert service.learners_to_pair(session, course.id) == [member_id]
        service.say_of_unlisted(session, course.id, member_id, takes_part=False, now=kit.clock.now())
        assert service.learners_to_pair(session, course.id) == []
    keep(kit, course, begin(kit, course))
    with kit.open_session(course.institution_id) as session:
        assert session.get_one(Member, member_id).is_taken_in is None
        assert member_id in service.learners_to_pair(session, course.id)
