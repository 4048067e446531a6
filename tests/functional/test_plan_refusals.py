"""What cannot be done with a plan is refused with the names, the round and the rule that are in the way."""

import re
from types import SimpleNamespace

import pytest
from flask import Flask

from lti_tool.pairing import engine, service
from lti_tool.pairing.engine import Breach, Course, Schedule, Violation
from lti_tool.pairing.models import Pin, PinnedMember, Plan
from lti_tool.pairing.rules import proposing
from lti_tool.pairing.rules.preferences import RuleChoice, RuleKind
from lti_tool.support.kit import Kit
from tests.factories.pairing import a_draft, know, want
from tests.factories.people import LONG_AGO
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    """Six learners, the first two of one department, with a draft."""
    school = a_school(app, kit, clock, 6)
    with kit.open_session(school.institution_id) as session:
        know(session, school.group.learners, "department", ["Sales", "Sales", "Care", "Care", "Care", "IT"])
        a_draft(session, school.group, clock.now())
    return school


@pytest.fixture
def instructor(school: School) -> Visitor:
    return school.somebody("instructor")


def keep_together(school: School, *places: int, number: int | None = 1) -> None:
    """Pin these learners, whatever stands against it."""
    group = school.group
    with school.kit.open_session(school.institution_id) as session:
        round_id = group.rounds[number - 1].id if number is not None else None
        pin = Pin(activity_id=group.activity.id, round_id=round_id, said_by_id=None, said_at=LONG_AGO)
        session.add(pin)
        session.flush()
        session.add_all(PinnedMember(pin_id=pin.id, member_id=group.learners[place].id) for place in places)


def wants_other_departments(school: School) -> None:
    with school.kit.open_session(school.institution_id) as session:
        want(session, school.group, rules=(RuleChoice(RuleKind.OTHER, "department"),))


def plan_of(school: School) -> Plan:
    with school.kit.open_session(school.institution_id) as session:
        plan = service.find_plan(session, school.group.activity.id)
        assert plan is not None
        return plan


def refused(visitor: Visitor, school: School) -> str:
    """What is said when other groups are proposed and cannot be."""
    before = plan_of(school)
    answer = visitor.send("/plan/propose", version=before.version)
    assert answer.status_code == 409
    assert (plan_of(school).id, plan_of(school).version) == (before.id, before.version)
    summary = re.search(r'role="alert".*?</ul>', answer.text, re.S)
    assert summary is not None
    return summary[0]


def test_a_pin_against_a_rule_is_named_with_its_people_its_round_and_the_rule(
    school: School, instructor: Visitor
) -> None:
    keep_together(school, 0, 1, number=2)
    wants_other_departments(school)

    said = refused(instructor, school)

    assert "You keep Åsa Lindqvist 1 and Mette Sørensen 2 together in round 2" in said
    assert "but a rule forbids it: They work in the same department." in said
    assert "under “What you decided”, on this page" in said


def test_pins_that_want_one_person_twice_are_named(school: School, instructor: Visitor) -> None:
    keep_together(school, 0, 1)
    keep_together(school, 0, 2, number=None)

    said = refused(instructor, school)

    assert "You keep Åsa Lindqvist 1 together with different people in round 1" in said
    assert "Åsa Lindqvist 1 and Mette Sørensen 2; Åsa Lindqvist 1 and Jonas Haugen 3" in said


def test_a_pin_of_more_people_than_a_group_can_have_is_named(school: School, instructor: Visitor) -> None:
    keep_together(school, 0, 1, 2)

    said = refused(instructor, school)

    assert "You keep Åsa Lindqvist 1, Mette Sørensen 2, and Jonas Haugen 3 together in round 1" in said
    assert "can have so many people" in said


def test_a_large_course_is_told_so_at_once_and_not_after_work_in_the_background(
    school: School, instructor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lti_tool.pairing.service.MOST_INLINE", 3)
    keep_together(school, 0, 1)
    wants_other_departments(school)

    assert "but a rule forbids it: They work in the same department." in refused(instructor, school)
    with school.kit.open_session(school.institution_id) as session:
        assert service.proposal_request(session, school.group.activity.id) is None


def test_a_proposal_that_does_not_pass_the_check_says_so_and_nothing_of_people_who_joined(
    school: School, instructor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finds_something(course: Course, schedule: Schedule) -> list[Violation]:
        return [Violation(Breach.RULE, 1, course.people[:2])]

    monkeypatch.setattr(proposing, "engine", SimpleNamespace(**{**vars(engine), "verify": finds_something}))

    said = refused(instructor, school)

    assert "did not pass our check, so nothing was changed. Try again" in said
    assert "joined" not in said


def test_points_for_wishes_are_shown_to_those_who_may_see_attributes_only(school: School, instructor: Visitor) -> None:
    instructor.post("/plan/propose", version=plan_of(school).version)

    page = school.somebody("assistant").get("/plan/compare").text

    assert "Points for wishes" in instructor.get("/plan/compare").text
    assert "Pairs who have met before" in page
    assert "Points for wishes" not in page
