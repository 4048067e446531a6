"""Who has no partner reads why and what to do, and is placed at once where that is possible."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, update

from lti_tool.activities.models import Round
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Member
from lti_tool.pairing import service
from lti_tool.pairing.models import Plan, Seat
from lti_tool.support.kit import Kit
from lti_tool.wiring import Services
from tests.factories.pairing import a_learner, a_published_plan, an_absence
from tests.fakes.clock import FakeClock
from tests.functional.guests import Guest, text_of
from tests.functional.living import Life, a_life
from tests.functional.teaching import School, a_school

LEARNERS = {"learner01", "learner02", "learner03", "learner04"}
AS_SOON_AS = "As soon as you have a partner"


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    school = a_school(app, kit, clock, learners=4, rounds=((),))
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
    return school


def home(school: School, place: int = 0) -> str:
    return text_of(school.learner(place).get("/"))


def test_before_a_plan_is_published_the_instructors_act(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        session.execute(delete(Plan))
    page = home(school)
    assert "You are not paired yet." in page
    assert AS_SOON_AS in page


def test_who_was_marked_as_not_turning_up_reads_so_and_what_to_do(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        plan = service.find_plan(session, school.group.activity.id, "published")
        group = service.published_groups(session, school.group.activity.id, member_id=school.group.learners[0].id)[0]
        service.apply(
            session,
            plan.activity_id,
            an_absence(session, group.id, school.group.learners[0].id),
            expected_version=plan.version,
            by=None,
            now=school.clock.now(),
        )
    page = home(school)
    assert "You have no partner in round 1." in page
    assert "Your instructors marked you as absent from it" in page
    assert "tell them, and they can place you again" in page
    assert AS_SOON_AS not in page


def test_of_a_later_round_it_is_said_at_that_round(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, learners=4)
    with kit.open_session(school.institution_id) as session:
        plan = a_published_plan(session, school.group, clock.now())
        one = school.group.learners[0].id
        groups = service.published_groups(session, school.group.activity.id, member_id=one)
        service.apply(
            session,
            plan.activity_id,
            an_absence(session, groups[1].id, one),
            expected_version=plan.version,
            by=None,
            now=clock.now(),
        )
    page = home(school)
    assert "and give feedback." in page
    assert "Round 2 No partner. Your instructors marked you as absent from it" in page


def test_who_was_there_too_late_for_a_round_reads_that_it_does_not_count(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        late = a_learner(session, school.group.registration, school.group.course, "Late", in_roster_at=None)
        session.get_one(Member, late.id).in_roster_at = school.clock.now()
        session.execute(
            update(Round).where(Round.number == 1).values(due_at=school.clock.now() - timedelta(days=1)),
            execution_options={"synchronize_session": False},
        )
        service.follow_course(session, school.group.activity.id, now=school.clock.now())
        visitor = school._visit(session, late)
    page = text_of(visitor.get("/"))
    assert "No partner. The round ended before you could be placed. It does not count against you." in page


def test_who_cannot_be_placed_reads_that_nobody_is_left(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        for group in service.groups_in_plan(session, service.find_plan(session, school.group.activity.id), 1):
            service.begin(session, group.id, now=school.clock.now())
        late = a_learner(session, school.group.registration, school.group.course, "Late")
        service.follow_course(session, school.group.activity.id, now=school.clock.now())
        visitor = school._visit(session, late)
    page = text_of(visitor.get("/"))
    assert "There is no one to pair you with in round 1 yet." in page
    assert "Your instructors can see this and place you" in page
    assert AS_SOON_AS not in page


def test_whoever_is_being_placed_is_told_so_and_the_page_looks_again(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        session.execute(delete(Seat).where(Seat.member_id == school.group.learners[0].id))
    answer = school.learner(0).get("/")
    assert "Tandem is finding you a partner." in text_of(answer)
    assert "data-look-again" in answer.text


def test_a_test_person_of_the_lms_is_told_that_it_is_one(school: School) -> None:
    visitor = school.somebody("learner")
    with school.kit.open_session(school.institution_id) as session:
        session.get_one(Member, visitor.member.id).is_test = True
    assert "A test person is never paired." in text_of(visitor.get("/"))


# ---- over the real protocol ------------------------------------------------------------------------------------------


@pytest.fixture
def life(services: Services, clock: FakeClock) -> Iterator[Life]:
    with a_life(services, clock, learners=4) as life:
        yield life


def paired(life: Life) -> set[str]:
    return {one for group in life.groups() for one in group}


def launches_unlisted(life: Life) -> Guest:
    """Somebody may open the link, and the roster service never lists them."""
    life.enrol("extra")
    guest = life.launch("extra")
    life.lms.unenrol(life.lms.course(), life.person("extra"))
    return guest


def test_a_late_joiner_is_placed_by_one_launch_however_lately_the_roster_was_read(life: Life) -> None:
    life.begin()
    life.enrol("learner07")
    life.clock.advance(timedelta(seconds=30))
    late = life.launch("learner07")
    assert "Tandem is reading your course’s roster" in text_of(late.landing)
    assert "data-look-again" in late.landing.text
    life.run()
    assert paired(life) == LEARNERS | {"learner07"}
    assert "Observe" in text_of(late.get("/"))


def test_a_learner_who_stands_in_no_group_is_placed_by_launching(life: Life) -> None:
    life.begin()
    member_id = life.member("learner01").id
    with life.services.kit.open_session(life.institution_id) as session:
        session.execute(delete(Job).where(Job.state == "waiting"))
        session.execute(delete(Seat).where(Seat.member_id == member_id))
    life.launch("learner01")
    life.run()
    assert paired(life) == LEARNERS


def test_whom_the_list_lacks_is_told_so_and_the_instructor_pairs_them(life: Life) -> None:
    life.begin()
    designer = life.launch("designer")
    extra = list_lacks(life)

    page = text_of(launches_unlisted(life).landing)
    assert "You are not on your course’s roster" in page
    assert "can pair you with one click" in page
    assert AS_SOON_AS not in page
    assert "1 person opened this activity but is not on the roster." in text_of(life.launch("designer").landing)
    designer = life.launch("designer")
    assert "1 person opened this activity but is not on the roster" in text_of(designer.get("/progress"))
    plan = text_of(designer.get("/plan"))
    assert "Not on the roster" in plan
    assert "Extra" in plan

    answer = designer.post("/plan/unlisted", member=str(extra), do="pair")
    assert "They take part now" in text_of(answer)
    life.run()
    assert paired(life) == LEARNERS | {"extra"}
    assert "opened this activity but is not on the roster" not in text_of(designer.get("/"))
    # A later roster that still lacks them takes nothing back, and one that has them ends the matter.
    life.clock.advance(timedelta(hours=13))
    life.launch("designer")
    life.run()
    assert paired(life) == LEARNERS | {"extra"}
    life.enrol("extra")
    life.clock.advance(timedelta(hours=13))
    life.launch("designer")
    life.run()
    assert life.member("extra").is_taken_in is None
    assert paired(life) == LEARNERS | {"extra"}


def test_whom_the_list_lacks_can_be_left_out_and_taken_in_again(life: Life) -> None:
    life.begin()
    designer = life.launch("designer")
    extra = list_lacks(life)
    designer = life.launch("designer")
    designer.post("/plan/unlisted", member=str(extra), do="leave-out")
    assert "opened this activity but is not on the roster" not in text_of(designer.get("/"))
    page = text_of(launches_unlisted(life).landing)
    assert "Your instructors decided that you do not take part in this activity." in page
    life.run()
    assert paired(life) == LEARNERS
    designer.post("/plan/unlisted", member=str(extra), do="pair")
    assert paired(life) == LEARNERS | {"extra"}


def list_lacks(life: Life) -> int:
    """Somebody launches several times over hours, and no roster ever has them."""
    for _ in range(3):
        launches_unlisted(life)
        life.run()
        life.clock.advance(timedelta(hours=2))
        life.launch("designer")
        life.run()
    assert paired(life) == LEARNERS
    return life.member("extra").id


def test_nobody_but_staff_decides_and_only_of_whom_the_list_lacks(life: Life) -> None:
    life.begin()
    extra = list_lacks(life)
    assert life.launch("learner01").post("/plan/unlisted", member=str(extra), do="pair").status_code == 403
    designer = life.launch("designer")
    assert designer.post("/plan/unlisted", member="999999", do="pair").status_code == 404
    designer.post("/plan/unlisted", member=str(life.member("learner01").id), do="leave-out")
    assert life.member("learner01").is_taken_in is None
    assert paired(life) == LEARNERS
