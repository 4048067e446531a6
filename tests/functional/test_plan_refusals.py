"""What cannot be done with a plan is refused with the names, the round and the rule that are in the way."""

import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.jobs.queue import JobContext
from lti_tool.pairing import engine, handlers, service
from lti_tool.pairing.engine import Breach, Course, Schedule, Violation
from lti_tool.pairing.models import Pin, PinnedMember, Plan, Seat
from lti_tool.pairing.rules import comparing, proposing
from lti_tool.pairing.rules.preferences import RuleChoice, RuleKind, WishChoice, WishKind
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

    assert "You keep Åsa Lindqvist 1, Mette Sørensen 2 together in round 2" in said
    assert "but a rule forbids it: They work in the same department." in said
    assert "under “What you decided”, on this page" in said


def test_pins_that_want_one_person_twice_are_named(school: School, instructor: Visitor) -> None:
    keep_together(school, 0, 1)
    keep_together(school, 0, 2, number=None)

    said = refused(instructor, school)

    assert "You keep Åsa Lindqvist 1 together with different people in round 1" in said
    assert "Åsa Lindqvist 1, Mette Sørensen 2; Åsa Lindqvist 1, Jonas Haugen 3" in said


def test_a_pin_of_more_people_than_a_group_can_have_is_named(school: School, instructor: Visitor) -> None:
    keep_together(school, 0, 1, 2)

    said = refused(instructor, school)

    assert "You keep Åsa Lindqvist 1, Mette Sørensen 2, Jonas Haugen 3 together in round 1" in said
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


LONGER = "Look longer for better groups"


def test_a_longer_look_is_offered_where_it_can_be_and_runs_in_the_background(
    school: School, instructor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposing, "is_improver_here", lambda: True)
    assert LONGER in instructor.get("/plan").text

    page = instructor.post("/plan/propose", version=plan_of(school).version, improve="1")

    assert "Groups are being worked out" in page.text
    with school.kit.open_session(school.institution_id) as session:
        asked = service.proposal_request(session, school.group.activity.id)
        assert asked is not None
        assert asked.improve


@pytest.mark.parametrize("why", ["too many choices", "another shape", "not installed"])
def test_a_longer_look_is_not_offered_where_it_gives_nothing(
    school: School, instructor: Visitor, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr(proposing, "is_improver_here", lambda: why != "not installed")
    if why == "too many choices":
        monkeypatch.setattr("lti_tool.pairing.engine.improver.MOST_CHOICES", 29)
    if why == "another shape":
        with school.kit.open_session(school.institution_id) as session:
            want(session, school.group, kind=engine.Kind.TRIOS, size=3)

    assert LONGER not in instructor.get("/plan").text


def test_a_longer_look_without_what_it_takes_is_refused_in_words(
    school: School, instructor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proposing, "is_improver_here", lambda: False)

    answer = instructor.send("/plan/propose", version=plan_of(school).version, improve="1")

    assert answer.status_code == 409
    assert "is not installed here. Propose other groups without it" in answer.text


def work_it_out(school: School) -> None:
    """The worker's part of a proposal that somebody waits for."""
    job = JobContext(1, service.PROPOSE, {"activity_id": school.group.activity.id}, school.institution_id, 1)
    handlers.propose(school.kit, job)


def looks_without_the_improver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer look finds what a usual one finds."""
    monkeypatch.setattr(proposing, "is_improver_here", lambda: True)
    monkeypatch.setattr(proposing, "look_longer", lambda asked, _draft, seed: proposing.work_out(asked, seed=seed))


def a_better_proposal_is_found(school: School, instructor: Visitor) -> Plan:
    """The groups are as bad as can be, and a longer look finds better ones. Returns the plan before."""
    with school.kit.open_session(school.institution_id) as session:
        plan = plan_of(school)
        want(session, school.group, wishes=(WishChoice(WishKind.OTHER, "department", 10),))
        worst = [(1, 2), (3, 4), (5, 6)]
        seats = session.scalars(
            select(Seat).where(Seat.plan_id == plan.id).order_by(Seat.round_id, Seat.group_id)
        ).all()
        for seat in seats:
            session.delete(seat)
        session.flush()
        for at, seat in enumerate(seats):
            person = school.group.learners[worst[at % 6 // 2][at % 2] - 1].id
            session.add(
                Seat(plan_id=plan.id, round_id=seat.round_id, group_id=seat.group_id, member_id=person, turn=seat.turn)
            )
    instructor.post("/plan/propose", version=plan_of(school).version, improve="1")
    work_it_out(school)
    return plan


def test_a_longer_look_says_in_numbers_what_is_better(
    school: School, instructor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_without_the_improver(monkeypatch)

    plan = a_better_proposal_is_found(school, instructor)

    page = instructor.get("/plan").text
    assert plan_of(school).id != plan.id
    assert "Better groups were found" in page
    assert re.search(r"Pairs who have met before: \d+, was \d+; Points for wishes: \d+, was \d+", page)
    instructor.post("/plan/publish", version=plan_of(school).version)
    assert "Better groups were found" not in instructor.get("/plan").text


def test_points_for_wishes_are_shown_to_those_who_may_see_attributes_only(
    school: School, instructor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_without_the_improver(monkeypatch)
    a_better_proposal_is_found(school, instructor)
    assistant = school.somebody("assistant")

    for path in ("/plan", "/plan/compare"):
        assert "Points for wishes" in instructor.get(path).text
        page = assistant.get(path).text
        assert "Pairs who have met before" in page
        assert "Points for wishes" not in page


def test_better_groups_are_no_news_once_somebody_changed_them(
    school: School, instructor: Visitor, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_without_the_improver(monkeypatch)
    a_better_proposal_is_found(school, instructor)
    assert "Better groups were found" in instructor.get("/plan").text
    clock.advance(timedelta(minutes=1))
    with school.kit.open_session(school.institution_id) as session:
        first, second, *_ = service.groups_in_plan(session, plan_of(school), 1)
    swapped = {"do": "swap", "who": [first.seats[0].member_id, second.seats[0].member_id], "round": 1, "anyway": "1"}

    instructor.post("/plan/change", version=plan_of(school).version, **swapped)

    assert "Better groups were found" not in instructor.get("/plan").text


def test_a_longer_look_that_finds_nothing_better_leaves_the_draft_and_says_so(
    school: School, instructor: Visitor, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks_without_the_improver(monkeypatch)
    before = plan_of(school)
    instructor.post("/plan/propose", version=before.version, improve="1")

    work_it_out(school)

    page = instructor.get("/plan").text
    assert (plan_of(school).id, plan_of(school).version) == (before.id, before.version)
    assert "No better groups were found" in page
    assert "could not be made" not in page
    assert LONGER in page
    clock.advance(timedelta(minutes=1))
    instructor.post("/plan/publish", version=before.version)
    assert "No better groups were found" not in instructor.get("/plan").text


def test_a_longer_look_improves_the_draft_and_a_new_proposal_and_takes_the_better(school: School) -> None:
    pytest.importorskip("ortools")
    with school.kit.open_session(school.institution_id) as session:
        want(session, school.group, wishes=(WishChoice(WishKind.OTHER, "department", 10),))
        asked = service.basis_of(session, school.group.activity.id)
        draft = service.proposal_as_it_is(session, asked)
    assert draft is not None

    found = proposing.look_longer(asked, draft, seed=3)

    assert "+cp-sat" in found.engine
    assert engine.verify(asked.course, found) == []
    assert not comparing.is_better(asked.course, draft, found)


def test_a_worker_without_what_a_longer_look_takes_says_so_on_the_page(
    school: School, instructor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_missing(*_: object, **__: object) -> Schedule:
        raise engine.ImproverMissing

    monkeypatch.setattr(proposing, "is_improver_here", lambda: True)
    monkeypatch.setattr(engine, "plan", is_missing)
    before = plan_of(school)
    instructor.post("/plan/propose", version=before.version, improve="1")

    work_it_out(school)

    assert "is not installed here. Propose other groups without it" in instructor.get("/plan").text
    assert plan_of(school).id == before.id
