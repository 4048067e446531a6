"""Staff propose, look at, change and publish groups."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.jobs.models import Job
from lti_tool.launch.models import Member
from lti_tool.pairing import service
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.roster.models import RosterSync
from lti_tool.support.kit import Kit
from tests.factories.pairing import a_learner
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, a_school


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    return a_school(app, kit, clock)


def plan_of(school: School) -> Plan | None:
    with school.kit.open_session(school.institution_id) as session:
        return service.find_plan(session, school.group.activity.id)


def version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


def seats_of_round(school: School, number: int) -> list[Seat]:
    with school.kit.open_session(school.institution_id) as session:
        return list(
            session.scalars(
                select(Seat)
                .where(Seat.round_id == school.group.rounds[number - 1].id)
                .order_by(Seat.group_id, Seat.turn)
            )
        )


def members(seats: list[Seat], *places: int) -> list[int]:
    return [seats[place].member_id for place in places]


def test_an_instructor_proposes_looks_publishes_and_takes_back(school: School) -> None:
    instructor = school.somebody("instructor")
    assert "6 learners take part" in instructor.get("/plan").text

    draft = instructor.post("/plan/propose")
    assert "This is a proposal" in draft.text
    assert "6 learners will see who they work with" in draft.text
    assert draft.text.count('class="group"') == 3
    for learner in school.group.learners:
        assert f"Learner {learner.id}" not in draft.text
    assert "Åsa Lindqvist 1" in draft.text

    published = instructor.post("/plan/publish", version=version(draft.text))
    assert "The plan is published" in published.text
    taken_back = instructor.post("/plan/take-back", version=version(published.text))
    assert "The plan is a proposal again" in taken_back.text


def test_every_round_has_its_groups_and_the_picture_says_the_same_as_the_table(school: School) -> None:
    instructor = school.somebody("instructor")
    instructor.post("/plan/propose")

    second = instructor.get("/plan?round=2").text

    assert 'aria-current="page">Round 2' in second
    assert second.count('class="meeting meeting-') == 6 + 2
    _, _, partners = second.partition("Partners by round")
    assert partners.count('<th scope="row">') == 6


def test_proposing_again_gives_other_groups(school: School) -> None:
    instructor = school.somebody("instructor")
    page = instructor.post("/plan/propose").text
    first = plan_of(school)

    instructor.post("/plan/propose", version=version(page))

    second = plan_of(school)
    assert first is not None
    assert second is not None
    assert first.seed != second.seed


def test_two_people_change_places(school: School) -> None:
    instructor = school.somebody("instructor")
    page = instructor.post("/plan/propose").text
    seats = seats_of_round(school, 1)

    answer = instructor.post("/plan/change", do="swap", who=members(seats, 0, 2), version=version(page), round=1)

    assert "The two people have changed places" in answer.text
    after = {(seat.group_id, seat.turn): seat.member_id for seat in seats_of_round(school, 1)}
    assert after[seats[0].group_id, seats[0].turn] == seats[2].member_id
    assert after[seats[2].group_id, seats[2].turn] == seats[0].member_id


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ((), "Choose two people in different groups"),
        (("nonsense", "²"), "Choose two people in different groups"),
        ((0, 1), "Choose two people in different groups"),
        ((0, 2, 4), "Choose two people in different groups"),
    ],
)
def test_a_swap_that_cannot_be_is_explained_and_changes_nothing(
    school: School, who: tuple[int | str, ...], sentence: str
) -> None:
    instructor = school.somebody("instructor")
    page = instructor.post("/plan/propose").text
    seats = seats_of_round(school, 1)
    named = [seats[one].member_id if isinstance(one, int) else one for one in who]

    for answer in (
        instructor.post("/plan/change", do="swap", who=named, version=version(page), round=1),
        instructor.get("/plan/effect?" + urlencode({"do": "swap", "who": named, "round": 1}, doseq=True)),
    ):
        assert answer.status_code == 409
        assert sentence in answer.text
    assert [seat.id for seat in seats_of_round(school, 1)] == [seat.id for seat in seats]


def test_publishing_an_older_version_shows_the_new_one_instead(school: School) -> None:
    instructor = school.somebody("instructor")
    old = version(instructor.post("/plan/propose").text)
    seats = seats_of_round(school, 1)
    instructor.post("/plan/change", do="swap", who=members(seats, 0, 2), version=old, round=1)

    answer = instructor.post("/plan/publish", version=old)

    assert answer.status_code == 409
    assert "The plan has changed since you opened this page" in answer.text
    plan = plan_of(school)
    assert plan is not None
    assert plan.state == "draft"


def test_an_assistant_moves_people_and_does_not_publish(school: School) -> None:
    page = school.somebody("instructor").post("/plan/propose").text
    assistant = school.somebody("assistant")
    seats = seats_of_round(school, 1)

    assert "Publish the plan" not in assistant.get("/plan").text
    assert assistant.post("/plan/publish", version=version(page)).status_code == 403
    assert assistant.post("/plan/propose").status_code == 403
    moved = assistant.post("/plan/change", do="swap", who=members(seats, 0, 2), version=version(page), round=1)
    assert moved.status_code == 200


@pytest.mark.parametrize("role", ["learner", "observer"])
def test_nobody_else_sees_the_plan(school: School, role: str) -> None:
    visitor = school.somebody(role)

    assert visitor.get("/plan").status_code == 403
    assert visitor.post("/plan/propose").status_code == 403
    assert visitor.post("/plan/update").status_code == 403


def test_late_joiners_are_listed_and_placed(school: School) -> None:
    instructor = school.somebody("instructor")
    page = instructor.post("/plan/propose").text
    with school.kit.open_session(school.institution_id) as session:
        a_learner(session, school.group.registration, school.group.course, "Runa Berg")

    refused = instructor.post("/plan/publish", version=version(page))
    assert refused.status_code == 409
    assert "Bring the plan up to date" in refused.text
    assert "Runa Berg, round 1" in refused.text

    updated = instructor.post("/plan/update")
    assert "The plan is up to date" in updated.text
    assert "Without a group" not in updated.text
    assert "Runa Berg" in updated.text
    assert "Nothing needed to change" in instructor.post("/plan/update").text


def test_a_plan_in_which_somebody_began_is_not_taken_back(school: School, clock: FakeClock) -> None:
    instructor = school.somebody("instructor")
    page = instructor.post("/plan/publish", version=version(instructor.post("/plan/propose").text))
    with school.kit.open_session(school.institution_id) as session:
        group_id = session.scalars(select(Group.id).order_by(Group.id)).first()
        assert group_id is not None
        service.begin(session, group_id, now=clock.now())

    refused = instructor.post("/plan/take-back", version=version(page.text))

    assert refused.status_code == 409
    assert "People have begun to work" in refused.text
    assert "Take the plan back" not in instructor.get("/plan").text


@pytest.mark.parametrize(("learners", "sentence"), [(0, "No one to pair yet"), (1, "One learner so far")])
def test_too_few_learners_are_told_what_to_wait_for(
    app: Flask, kit: Kit, clock: FakeClock, learners: int, sentence: str
) -> None:
    school = a_school(app, kit, clock, learners)
    instructor = school.somebody("instructor")

    page = instructor.get("/plan").text
    refused = instructor.post("/plan/propose")

    assert sentence in page
    assert "Propose groups" not in page
    assert "The roster has not been read yet" in page
    assert refused.status_code == 409
    assert "Pairing needs at least two learners" in refused.text


def test_the_roster_is_read_again_on_request(school: School) -> None:
    assistant = school.somebody("assistant")

    answer = assistant.post("/plan/roster")

    assert "The roster is being read again." in answer.text
    assert "The roster is being read" in answer.text
    with school.kit.open_session(school.institution_id) as session:
        [job] = session.scalars(select(Job).where(Job.name == "roster.sync"))
        assert job.payload == {"course_id": school.group.course.id}


def test_a_roster_that_lacks_many_asks_the_instructor_with_names(school: School, clock: FakeClock) -> None:
    instructor = school.somebody("instructor")
    instructor.post("/plan/propose")
    with school.kit.open_session(school.institution_id) as session:
        sync = RosterSync(
            course_id=school.group.course.id,
            state="asks",
            started_at=clock.now() + timedelta(hours=1),
            finished_at=clock.now() + timedelta(hours=1),
            next_url="https://lms.example/members",
            unread=2,
        )
        session.add(sync)
        for member in session.scalars(select(Member).where(Member.course_id == sync.course_id)):
            member.last_launch_at, member.in_roster_at = None, clock.now()
    asked = instructor.get("/plan").text
    assert "The roster no longer lists 6 learners" in asked
    assert "2 entries of the roster could not be understood" in asked
    assert len(re.findall(r"<li>[^<]+</li>", asked[asked.index("Who is missing") :][:2000])) >= 6
    assert "6 learners have left" in asked
    assert "6 learners have left" not in school.somebody("assistant").get("/plan").text
    assert "6 learners are suddenly missing from the roster" in instructor.get("/").text

    answer = instructor.post("/plan/doubted-roster", reading=sync.id, means="mistake")

    assert "The roster no longer lists" not in answer.text
    assert "6 learners will see who they work with" in answer.text


def test_staff_and_observers_are_listed_as_not_paired(school: School) -> None:
    instructor = school.somebody("instructor")
    school.somebody("observer")

    page = instructor.post("/plan/propose").text

    assert "2 people on the roster are not paired" in page
    assert "teaches in this course" in page
    assert "observes the course" in page


def test_a_closed_activity_shows_its_plan_and_takes_no_change(app: Flask, kit: Kit, clock: FakeClock) -> None:
    school = a_school(app, kit, clock, state="closed")
    instructor = school.somebody("instructor")

    assert "can be read but not changed" in instructor.get("/plan").text
    assert instructor.post("/plan/propose").status_code == 403


def test_names_in_any_script_and_hostile_ones_are_shown_as_text(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        a_learner(session, school.group.registration, school.group.course, "<script>alert(1)</script>")
        nameless = a_learner(session, school.group.registration, school.group.course, "")
        nameless_id = nameless.id

    page = school.somebody("instructor").post("/plan/propose").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert f"Learner {nameless_id}" in page
    assert "نور حداد 6" in page


def test_an_instructor_leaves_out_whom_the_platform_wrongly_lists_as_a_learner_and_takes_it_back(
    school: School,
) -> None:
    instructor = school.somebody("instructor")
    instructor.post("/plan/propose")
    somebody = school.group.learners[0]

    page = instructor.post("/plan/change", do="leave-out", who=somebody.id, version=1).text
    assert "Left out." in page
    assert "5 learners will see who they work with" in page
    assert somebody.id not in {seat.member_id for seat in seats_of_round(school, 1)}
    assert "is staff, as an instructor decided here" in page

    page = instructor.post("/plan/take-in", member=somebody.id).text
    assert "6 learners will see who they work with" in page
    assert somebody.id in {seat.member_id for seat in seats_of_round(school, 1)}


def test_only_instructors_leave_people_out_and_only_of_their_own_course(school: School) -> None:
    school.somebody("instructor").post("/plan/propose")
    somebody = school.group.learners[0]
    asked = {"do": "leave-out", "version": 1}
    assert school.somebody("assistant").send("/plan/change", who=somebody.id, **asked).status_code == 403
    instructor = school.somebody("instructor")
    for answer in (
        instructor.get("/plan/effect?do=leave-out&who=999999"),
        instructor.send("/plan/change", who=999_999, **asked),
    ):
        assert answer.status_code == 409
        assert "Choose people of this course who take part." in answer.text
    assert somebody.id in {seat.member_id for seat in seats_of_round(school, 1)}
