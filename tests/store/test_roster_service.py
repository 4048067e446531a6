"""Rosters on real databases: launches and the roster meet, and nobody is doubled."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.rules import CourseRole
from lti_tool.roster import service
from lti_tool.roster.models import RosterSync
from lti_tool.roster.rules import RosterRow
from lti_tool.roster.service import Step
from lti_tool.support.kit import Kit
from tests.factories.people import a_course, a_deployment, a_registration, an_institution

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
        step = service.next_step(session, course.id, now=kit.clock.now())
        assert step is not None
        return step


def keep(kit: Kit, course: Course, step: Step) -> int:
    with kit.open_session(course.institution_id) as session:
        return service.keep(session, step, ROWS, now=kit.clock.now())


def test_a_page_that_is_kept_twice_counts_once(kit: Kit, course: Course) -> None:
    step = begin(kit, course)
    assert [keep(kit, course, step) for _ in range(2)] == [40, 0]
    with kit.open_session(course.institution_id) as session:
        assert session.get_one(RosterSync, step.sync_id).seen == 40


def test_who_launches_while_the_roster_is_written_is_not_doubled(kit: Kit, course: Course) -> None:
    step = begin(kit, course)

    def launch() -> None:
        with kit.open_session(course.institution_id) as session:
            service._insert(
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
        waiting.append(threads.submit(keep, kit, course, step))  # type: ignore[arg-type]
        for one in waiting:
            one.result()
    with kit.open_session(course.institution_id) as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 40
        assert session.scalar(select(func.count()).select_from(Member)) == 40


def test_a_reading_under_way_is_continued_and_not_doubled(kit: Kit, course: Course) -> None:
    first = begin(kit, course)
    with kit.open_session(course.institution_id) as session:
        service.turn_page(session, first, f"{first.url}&page=2", new=40, now=kit.clock.now())
    second = begin(kit, course)
    assert (second.sync_id, second.is_first) == (first.sync_id, False)
    assert second.url == f"{first.url}&page=2"


def test_another_institution_sees_nobody(kit: Kit, course: Course) -> None:
    keep(kit, course, begin(kit, course))
    with kit.open_session() as session:
        other = an_institution(session)
        assert session.scalars(select(Member)).all() == []
    assert other.id != course.institution_id
