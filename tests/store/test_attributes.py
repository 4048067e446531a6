"""What is known of learners in the database: whose word counts, reporting lines, deleting, and what a launch brings."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.attributes import service
from lti_tool.attributes.models import (
    AttributeUpload,
    MemberAttribute,
    Outsider,
    Questionnaire,
    QuestionnaireAnswer,
)
from lti_tool.attributes.rules.catalogue import NOBODY, Source
from lti_tool.attributes.service import reading
from lti_tool.launch.models import Person
from lti_tool.launch.rules.context import read_context
from lti_tool.launch.rules.values import LTI
from lti_tool.support.db import OpenSession
from lti_tool.web.visits import VisitKind
from tests.factories.pairing import Class, a_class
from tests.factories.people import a_member, a_person, a_visit
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


def count(session: Session, model: type) -> int:
    return session.scalar(select(func.count(model.id))) or 0


def launched(session: Session, school_class: Class, place: int, clock: FakeClock, **about: str) -> None:
    """A learner's launch that carries these custom parameters."""
    member = school_class.learners[place]
    visit, _ = a_visit(session, member, school_class.registration, now=clock.now(), kind=VisitKind.ACTIVITY)
    context = read_context(
        {
            "sub": "1",
            f"{LTI}message_type": "LtiResourceLinkRequest",
            f"{LTI}version": "1.3.0",
            f"{LTI}deployment_id": "1",
            f"{LTI}target_link_uri": "https://tool.example/lti/launch",
            f"{LTI}roles": [],
            f"{LTI}resource_link": {"id": "1"},
            f"{LTI}custom": {f"tandem_{name}": value for name, value in about.items()},
        }
    )
    service.after_launch(session, visit, context, clock.now())


def test_the_engine_gets_plain_values_by_name_and_member(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        one, two, three = a_class(session, 3).learners
        service.put(
            session,
            {
                one.id: {"department": {"name": "Sales"}, "experience": {"number": 4}, "languages": {"names": ["en"]}},
                two.id: {"department": {"name": "sales"}, "offers": {"names": ["excel"]}, "slots": {"names": []}},
                three.id: {"needs": {"names": ["Excel", "Talks"]}, "manager": {"member": one.id}},
            },
            Source.CSV,
            now=clock.now(),
        )

        found = service.attributes_of(session, one.course_id)

    assert found == {
        "department": {one.id: "Sales", two.id: "Sales"},
        "experience": {one.id: 4},
        "languages": {one.id: frozenset({"en"})},
        "slots": {two.id: frozenset()},
        "offers": {two.id: frozenset({"Excel"})},
        "needs": {three.id: frozenset({"Excel", "Talks"})},
        "manager": {three.id: one.id},
    }


def test_a_reporting_line_runs_through_people_who_are_not_in_the_course(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        one, two, top, free = group.learners
        course = one.course_id
        boss = service.find_manager(session, course, "Boss@example.org")
        again = service.find_manager(session, course, " boss@EXAMPLE.org ")
        session.get_one(Outsider, boss["outsider"]).manager = {"member": top.id}
        service.put(
            session,
            {one.id: {"manager": boss}, two.id: {"manager": again}, free.id: {"manager": NOBODY}},
            Source.CSV,
            now=clock.now(),
        )

        lines = service.attributes_of(session, course)["manager"]

    outside = lines[one.id]
    assert isinstance(outside, int)
    assert outside < 0
    assert lines == {one.id: outside, two.id: outside, outside: top.id, free.id: None}


def test_a_manager_who_joins_the_course_later_is_that_member(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        one, two = group.learners
        boss = service.find_manager(session, one.course_id, "boss@example.org")
        service.put(session, {one.id: {"manager": boss}}, Source.CSV, now=clock.now())
        joined = a_member(
            session, group.course, a_person(session, group.registration, name="The Boss", email="Boss@Example.org")
        )

        assert service.attributes_of(session, one.course_id)["manager"] == {one.id: joined.id}
        assert two.id not in service.attributes_of(session, one.course_id)["manager"]


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        (Source.LAUNCH, Source.QUESTIONNAIRE, True),
        (Source.QUESTIONNAIRE, Source.LAUNCH, False),
        (Source.QUESTIONNAIRE, Source.CSV, True),
        (Source.CSV, Source.QUESTIONNAIRE, False),
        (Source.CSV, Source.STAFF, True),
        (Source.STAFF, Source.CSV, True),
        (Source.STAFF, Source.LAUNCH, False),
        (Source.LAUNCH, Source.LAUNCH, True),
    ],
)
def test_staff_win_over_the_learner_and_the_learner_over_the_platform(
    open_session: OpenSession, clock: FakeClock, first: Source, second: Source, wins: bool
) -> None:
    with open_session() as session:
        one = a_class(session, 1).learners[0]
        service.put(session, {one.id: {"experience": {"number": 1}}}, first, now=clock.now())

        changed = service.put(session, {one.id: {"experience": {"number": 2}}}, second, now=clock.now())

        known = reading.values_of_members(session, [one.id])[one.id]["experience"]
        assert changed == wins
        assert known.value == {"number": 2 if wins else 1}
        assert known.source == (second if wins else first)


def test_a_launch_tells_what_the_institution_lets_it_tell(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        one, two = group.learners
        session.get_one(Person, two.person_id).sourced_id = "HR-2"

        launched(
            session,
            group,
            0,
            clock,
            department="Sales",
            group='["Section 1, M-T", "Section 2"]',
            languages="svenska, en",
            experience="3",
            time_zone="Europe/Oslo",
            manager="HR-2",
            shoe_size="44",
            needs="$Person.needs",
        )
        launched(session, group, 1, clock, experience="many", manager="HR-2", cohort="")

        known = {key: value.value for key, value in reading.values_of_members(session, [one.id])[one.id].items()}
        assert known == {
            "department": {"name": "Sales"},
            "group": {"name": "Section 1, M-T"},
            "languages": {"names": ["en", "sv"]},
            "experience": {"number": 3},
            "time_zone": {"name": "Europe/Oslo"},
            "manager": {"member": two.id},
        }
        assert reading.values_of_members(session, [two.id])[two.id] == {}


@pytest.mark.parametrize("named", ["Boss@EXAMPLE.org", "The Boss", "boss, the", "THE BOSS", "hr-9"])
def test_a_manager_whom_a_launch_names_is_found_however_they_are_written(
    open_session: OpenSession, clock: FakeClock, named: str
) -> None:
    with open_session() as session:
        group = a_class(session, 1)
        person = a_person(session, group.registration, name="The Boss", email="boss@example.org", sourced_id="hr-9")
        boss = a_member(session, group.course, person, "instructor")

        launched(session, group, 0, clock, manager=named)

        assert service.attributes_of(session, boss.course_id)["manager"] == {group.learners[0].id: boss.id}


def test_a_launch_of_staff_tells_nothing(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 1)
        group.learners[0].ever_staff = True
        launched(session, group, 0, clock, department="Sales")
        assert count(session, MemberAttribute) == 0


def test_one_attribute_or_everything_is_deleted_at_once(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        one, two = a_class(session, 2).learners
        boss = service.find_manager(session, one.course_id, "boss@example.org")
        both = {"department": {"name": "Sales"}, "experience": {"number": 1}, "manager": boss}
        service.put(session, {one.id: both, two.id: both}, Source.CSV, now=clock.now())
        service.answer(session, two.id, {"needs": {"names": ["Talks"]}}, now=clock.now())

        assert service.delete_all(session, one.course_id, "department") == 2
        assert "department" not in service.attributes_of(session, one.course_id)
        assert count(session, Outsider) == 1
        assert service.delete_all(session, one.course_id, "manager") == 2
        assert count(session, Outsider) == 0
        assert service.delete_all(session, one.course_id) == 3
        assert count(session, MemberAttribute) == count(session, QuestionnaireAnswer) == 0


def test_deleting_leaves_other_courses_alone(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        one = a_class(session, 1).learners[0]
        service.put(session, {one.id: {"experience": {"number": 1}}}, Source.CSV, now=clock.now())
    with open_session() as session:
        other = a_class(session, 1).learners[0]
        service.put(session, {other.id: {"experience": {"number": 1}}}, Source.CSV, now=clock.now())
        service.delete_all(session, other.course_id)
    with open_session(one.institution_id) as session:
        assert count(session, MemberAttribute) == 1


def test_a_person_is_forgotten_also_where_they_were_named_as_a_manager(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        one, two = group.learners
        boss = service.find_manager(session, one.course_id, "boss@example.org")
        joined = a_member(session, group.course, a_person(session, group.registration, email="boss@example.org"))
        service.put(
            session,
            {one.id: {"manager": boss}, joined.id: {"department": {"name": "Sales"}}, two.id: {"manager": NOBODY}},
            Source.CSV,
            now=clock.now(),
        )
        service.answer(session, joined.id, {"needs": {"names": ["Talks"]}}, now=clock.now())
        for person in (joined.person_id, two.person_id):
            session.add(
                AttributeUpload(
                    key=str(person), course_id=one.course_id, created_by_id=person, created_at=clock.now(), sheet={}
                )
            )
        session.flush()

        service.forget_person(session, joined.person_id)

        assert reading.values_of_members(session, [joined.id])[joined.id] == {}
        assert count(session, QuestionnaireAnswer) == count(session, AttributeUpload) == 0
        assert "boss" not in session.scalars(select(Outsider.name)).one()
        assert set(service.attributes_of(session, one.course_id)["manager"]) == {one.id, two.id}


def test_outsiders_whom_nobody_needs_are_forgotten(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        one, _ = a_class(session, 2).learners
        boss = service.find_manager(session, one.course_id, "boss@example.org")
        above = service.find_manager(session, one.course_id, "above@example.org")
        service.find_manager(session, one.course_id, "unneeded@example.org")
        session.get_one(Outsider, boss["outsider"]).manager = above
        service.put(session, {one.id: {"manager": boss}}, Source.CSV, now=clock.now())

        service.forget_outsiders(session, one.course_id)

        assert sorted(session.scalars(select(Outsider.name))) == ["above@example.org", "boss@example.org"]


def test_learners_are_asked_only_what_was_switched_on_and_until_they_answered(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        one, two = a_class(session, 2).learners
        assert not service.asks(session, one.id, one.course_id).is_open

        service.ask_for(session, one.course_id, ["slots", "languages", "manager", "nonsense"], now=clock.now())

        assert service.asks(session, one.id, one.course_id).asked == ("languages", "slots")
        service.answer(session, one.id, {"slots": {"names": ["mon-am"]}, "languages": None}, now=clock.now())
        service.skip(session, two.id, now=clock.now())
        assert service.asks(session, one.id, one.course_id).is_answered
        assert not service.asks(session, two.id, one.course_id).is_open
        assert reading.answers(session, one.course_id) == (1, 1)

        service.take_back(session, one.id)
        assert service.asks(session, one.id, one.course_id).is_open
        assert reading.values_of_members(session, [one.id])[one.id] == {}
        service.ask_for(session, one.course_id, [], now=clock.now() + timedelta(days=1))
        assert not service.asks(session, one.id, one.course_id).is_open
        assert count(session, Questionnaire) == 1


def test_taking_back_ones_own_words_leaves_what_others_said(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        one = a_class(session, 1).learners[0]
        service.put(session, {one.id: {"department": {"name": "Sales"}}}, Source.STAFF, now=clock.now())
        service.answer(session, one.id, {"needs": {"names": ["Talks"]}}, now=clock.now())

        service.take_back(session, one.id)

        assert set(reading.values_of_members(session, [one.id])[one.id]) == {"department"}


def test_an_export_holds_a_persons_own_values_in_words(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        one, two = a_class(session, 2).learners
        service.put(
            session,
            {one.id: {"manager": {"member": two.id}, "languages": {"names": ["en", "sv"]}}},
            Source.CSV,
            now=clock.now(),
        )

        found = reading.values_of_person(session, one.person_id)

        assert [(value["attribute"], value["value"]) for value in found] == [
            ("manager", "Mette Sørensen 2"),
            ("languages", "en; sv"),
        ]
        assert reading.values_of_person(session, two.person_id) == []


def test_several_who_write_at_once_do_not_stumble_over_each_other(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        members = [one.id for one in group.learners]
        institution, course = group.course.institution_id, group.course.id
    together = Barrier(4)

    def write(number: int) -> None:
        together.wait()
        with open_session(institution) as session:
            boss = service.find_manager(session, course, "boss@example.org")
            order = members if number % 2 else members[::-1]
            source = Source.CSV if number % 2 else Source.LAUNCH
            service.put(session, {one: {"manager": boss} for one in order}, source, now=clock.now())
            service.ask_for(session, course, ["needs"], now=clock.now())
            service.skip(session, members[0], now=clock.now())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    with open_session(institution) as session:
        assert count(session, Outsider) == count(session, Questionnaire) == count(session, QuestionnaireAnswer) == 1
        assert set(session.scalars(select(MemberAttribute.source))) == {Source.CSV}
        assert count(session, MemberAttribute) == 4
