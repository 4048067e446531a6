"""Several people and jobs that touch one plan at the same moment, and proposals that take long."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from sqlalchemy import select

from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import JobContext, RetryLater
from lti_tool.launch.models import Member
from lti_tool.pairing import engine, handlers, service
from lti_tool.pairing.errors import PlanChanged, PlanError
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules import proposing
from lti_tool.pairing.rules.changes import Change, Do
from lti_tool.pairing.store import load
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from tests.factories.pairing import Class, a_class, a_draft, a_learner, a_published_plan, make
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What came of each: "done", or the name of the refusal."""
    ready = Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        ready.wait(timeout=30)
        try:
            act()
        except PlanError as refusal:
            return type(refusal).__name__
        return "done"

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def verified(open_session: OpenSession, group: Class) -> Plan:
    """The plan, after it passed the checker with what holds today."""
    with open_session(group.course.institution_id) as session:
        plan = service.find_plan(session, group.activity.id)
        assert plan is not None
        course = service.conditions_of(session, group.activity).course(plan.shape)
        assert engine.verify(course, load(session, plan).schedule) == []
        return plan


def test_a_roster_job_and_a_designer_do_not_corrupt_a_plan(
    kit: Kit, open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 20)
        plan = a_published_plan(session, group, clock.now())
        pair = load(session, plan).schedule.rounds[1][0]
        a_learner(session, group.registration, group.course, "Late")
        session.get_one(Member, group.learners[7].id).status = "inactive"
        version, institution_id = plan.version, group.course.institution_id

    def forbid() -> None:
        with open_session(institution_id) as session:
            make(session, group, Change(Do.NEVER, tuple(pair[:2])), clock.now(), version=version)

    def follow() -> None:
        job = JobContext(1, "pairing.roster_changed", {"course_id": group.course.id}, institution_id, 1)
        handlers.HANDLERS["pairing.roster_changed"](kit, job)

    outcomes = at_once(forbid, follow)

    assert outcomes in (["done", "done"], ["PlanChanged", "done"])
    verified(open_session, group)


def test_of_two_who_pin_at_once_one_is_told_that_the_plan_changed(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 12)
        version, institution_id = a_draft(session, group, clock.now()).version, group.course.institution_id
        ids = [one.id for one in group.learners]

    def pin(one: int, other: int) -> Callable[[], None]:
        def act() -> None:
            with open_session(institution_id) as session:
                make(session, group, Change(Do.ALWAYS, (ids[one], ids[other])), clock.now(), version=version)

        return act

    outcomes = at_once(pin(0, 1), pin(0, 2), pin(3, 4))

    assert sorted(outcomes) == ["PlanChanged", "PlanChanged", "done"]
    verified(open_session, group)
    with open_session(institution_id) as session:
        assert len(service.pins_of(session, group.activity.id)) == 1


def test_a_proposal_is_not_kept_when_the_course_changed_while_it_was_worked_out(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 6)
        institution_id = group.course.institution_id
    with open_session(institution_id) as session:
        asked = service.basis_of(session, group.activity.id)
    schedule = proposing.work_out(asked, seed=1)
    with open_session(institution_id) as session:
        a_learner(session, group.registration, group.course, "Late")

    with open_session(institution_id) as session, pytest.raises(PlanChanged):
        service.keep(session, asked, schedule, by=None, now=clock.now())


def test_a_large_course_is_planned_in_the_background(
    kit: Kit, open_session: OpenSession, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_INLINE", 10)
    with open_session() as session:
        group = a_class(session, 6)
        institution_id, person = group.course.institution_id, group.learners[0].person_id

        asked = service.request_proposal(session, group.activity.id, seed=5, by=person, now=clock.now())

        assert asked is None
        waiting = service.proposal_request(session, group.activity.id)
        assert waiting is not None
        assert (waiting.refusal, waiting.asked_at) == (None, clock.now())
        [job] = session.scalars(select(Job).where(Job.name == "pairing.draft"))
        context = JobContext(job.id, job.name, job.payload, institution_id, 1)

    handlers.HANDLERS["pairing.draft"](kit, context)
    handlers.HANDLERS["pairing.draft"](kit, context)

    with open_session(institution_id) as session:
        assert service.proposal_request(session, group.activity.id) is None
        [plan] = session.scalars(select(Plan))
        assert (plan.state, plan.seed, plan.created_by_id) == ("draft", 5, person)
        assert len(load(session, plan).schedule.rounds[1]) == 3


def test_a_proposal_in_the_background_that_comes_to_nothing_says_why(
    kit: Kit, open_session: OpenSession, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_INLINE", 10)
    with open_session() as session:
        group = a_class(session, 6)
        institution_id = group.course.institution_id
        service.request_proposal(session, group.activity.id, seed=5, by=None, now=clock.now())
    with open_session(institution_id) as session:
        for one in group.learners:
            session.get_one(Member, one.id).status = "inactive"

    job = JobContext(1, "pairing.draft", {"activity_id": group.activity.id}, institution_id, 1)
    for _ in range(2):
        handlers.HANDLERS["pairing.draft"](kit, job)

    with open_session(institution_id) as session:
        over = service.proposal_request(session, group.activity.id)
        assert over is not None
        assert over.refusal == "too few learners"
        assert session.scalars(select(Plan.id)).all() == []


def test_a_proposal_that_somebody_made_meanwhile_stands(
    kit: Kit, open_session: OpenSession, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_INLINE", 10)
    with open_session() as session:
        group = a_class(session, 6)
        institution_id = group.course.institution_id
        service.request_proposal(session, group.activity.id, seed=5, by=None, now=clock.now())
    with open_session(institution_id) as session:
        made = a_published_plan(session, group, clock.now()).id

    job = JobContext(1, "pairing.draft", {"activity_id": group.activity.id}, institution_id, 1)
    handlers.HANDLERS["pairing.draft"](kit, job)

    with open_session(institution_id) as session:
        assert service.proposal_request(session, group.activity.id) is None
        assert [(plan.id, plan.state) for plan in session.scalars(select(Plan))] == [(made, "published")]


def test_a_course_that_changes_meanwhile_is_planned_again(
    kit: Kit, open_session: OpenSession, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_INLINE", 10)
    with open_session() as session:
        group = a_class(session, 6)
        institution_id = group.course.institution_id
        service.request_proposal(session, group.activity.id, seed=5, by=None, now=clock.now())
    has_joined, propose = Event(), proposing.work_out

    def while_somebody_joins(asked: proposing.Basis, **how: object) -> engine.Schedule:
        if not has_joined.is_set():
            has_joined.set()
            with open_session(institution_id) as session:
                a_learner(session, group.registration, group.course, "Late")
        return propose(asked, **how)

    monkeypatch.setattr(proposing, "work_out", while_somebody_joins)
    job = JobContext(1, "pairing.draft", {"activity_id": group.activity.id}, institution_id, 1)

    with pytest.raises(RetryLater):
        handlers.HANDLERS["pairing.draft"](kit, job)
    handlers.HANDLERS["pairing.draft"](kit, job)

    with open_session(institution_id) as session:
        [plan] = session.scalars(select(Plan))
        assert sorted(map(len, load(session, plan).schedule.rounds[0])) == [2, 2, 3]


def test_one_activity_that_cannot_follow_keeps_no_other_from_following(
    kit: Kit, open_session: OpenSession, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        institution_id = group.course.institution_id
        a_draft(session, group, clock.now())
    followed: list[int] = []

    def follow(_session: object, activity_id: int, **_: object) -> None:
        followed.append(activity_id)
        if activity_id == 1:
            raise PlanChanged(activity_id)

    monkeypatch.setattr(service, "planned_activities", lambda *_: [1, 2, 3])
    monkeypatch.setattr(service, "follow_course", follow)
    job = JobContext(1, "pairing.roster_changed", {"course_id": group.course.id}, institution_id, 1)

    with pytest.raises(PlanChanged):
        handlers.HANDLERS["pairing.roster_changed"](kit, job)

    assert followed == [1, 2, 3]
