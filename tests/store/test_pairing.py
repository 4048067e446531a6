"""Plans in the database: proposing, publishing, changing, and keeping up with a course."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.errors import ActivityReadOnly
from lti_tool.activities.models import Activity, Round
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import JobContext
from lti_tool.pairing import engine, handlers, service
from lti_tool.pairing.errors import (
    ChangeImpossible,
    NoPlan,
    PlanChanged,
    PlanError,
)
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.pairing.rules.changes import Change, Do
from lti_tool.pairing.store import load
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from tests.factories.pairing import Class, a_class, a_learner, a_published_plan, a_swap, an_activity, make, propose
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


def groups(session: Session, plan: Plan, number: int) -> set[frozenset[int]]:
    return {frozenset(group) for group in load(session, plan).schedule.rounds[number - 1]}


def jobs(session: Session, name: str) -> list[Job]:
    return list(session.scalars(select(Job).where(Job.name == name, Job.state == "waiting")))


def group_of(session: Session, plan: Plan, member_id: int, number: int) -> Group:
    return session.scalars(
        select(Group)
        .join(Seat, Seat.group_id == Group.id)
        .join(Round, Round.id == Group.round_id)
        .where(Seat.plan_id == plan.id, Seat.member_id == member_id, Round.number == number)
    ).one()


def leave(session: Session, member_id: int, clock: FakeClock, group: Class) -> None:
    member = next(one for one in group.learners if one.id == member_id)
    member.status, member.left_at = "inactive", clock.now()
    session.flush()


def test_a_draft_groups_every_learner_in_every_round_and_learners_do_not_see_it(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 7)

        plan = propose(session, group.activity.id, seed=3, by=None, now=clock.now())

        for number in (1, 2):
            assert sorted(map(len, groups(session, plan, number))) == [2, 2, 3]
            assert frozenset().union(*groups(session, plan, number)) == {one.id for one in group.learners}
        assert service.published_groups(session, group.activity.id, member_id=group.learners[0].id) == []
        assert jobs(session, "progress.changed") == []


def test_other_features_read_the_groups_of_a_published_plan_only(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 5)
        activity_id, one = group.activity.id, group.learners[0].id
        plan = propose(session, activity_id, seed=3, by=None, now=clock.now())
        assert service.published_groups(session, activity_id) == []
        assert service.with_published_plan(session, [activity_id]) == frozenset()
        service.publish(session, activity_id, expected_version=plan.version, now=clock.now())

        everybody = service.published_groups(session, activity_id)

        schedule = load(session, plan).schedule
        assert [(of.round_number, of.members) for of in everybody] == [
            (number, members) for number, of in enumerate(schedule.rounds, start=1) for members in of
        ]
        own = service.published_groups(session, activity_id, member_id=one)
        assert [of.id for of in own] == [of.id for of in everybody if one in of.members]
        assert {one, *own[0].partners_of(one)} == set(own[0].members)
        assert service.with_published_plan(session, [activity_id, activity_id + 1]) == {activity_id}


def test_proposing_again_keeps_the_former_draft_for_comparison_and_no_other(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 12)
        oldest = propose(session, group.activity.id, seed=3, by=None, now=clock.now())
        first = propose(session, group.activity.id, seed=1, by=None, now=clock.now())
        before = groups(session, first, 1)

        second = propose(session, group.activity.id, seed=2, by=None, now=clock.now())

        kept = dict(session.execute(select(Plan.state, Plan.id)).all())
        assert kept == {"draft": second.id, "previous": first.id}
        assert groups(session, second, 1) != before
        assert oldest.version < first.version < second.version


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_learners_cannot_be_paired(open_session: OpenSession, clock: FakeClock, count: int) -> None:
    with open_session() as session:
        group = a_class(session, count)

        with pytest.raises(ChangeImpossible, match="too few learners"):
            propose(session, group.activity.id, seed=1, by=None, now=clock.now())


def test_publishing_shows_groups_and_has_progress_worked_out(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)

        a_published_plan(session, group, clock.now())

        me = group.learners[0].id
        views = service.published_groups(session, group.activity.id, member_id=me)
        assert [view.round_number for view in views] == [1, 2]
        assert (views[0].members[0] == me) != (views[1].members[0] == me)
        assert [job.payload for job in jobs(session, "progress.everybody_changed")] == [
            {"activity_id": group.activity.id}
        ]


def test_a_plan_that_changed_since_the_page_was_read_is_not_published(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        plan = propose(session, group.activity.id, seed=1, by=None, now=clock.now())
        seen = plan.version
        seats = session.scalars(select(Seat).order_by(Seat.round_id, Seat.group_id, Seat.turn)).all()
        make(session, group, a_swap(session, seats[0].id, seats[2].id), clock.now(), version=seen)

        with pytest.raises(PlanChanged):
            service.publish(session, group.activity.id, expected_version=seen, now=clock.now())


def test_a_draft_that_misses_somebody_is_not_published_before_it_is_brought_up_to_date(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        plan = propose(session, group.activity.id, seed=1, by=None, now=clock.now())
        late = a_learner(session, group.registration, group.course, "Late")

        with pytest.raises(ChangeImpossible, match="out of date"):
            service.publish(session, group.activity.id, expected_version=plan.version, now=clock.now())
        changes = service.follow_course(session, group.activity.id, now=clock.now())

        assert {person for _, person in changes.newly_paired} == {late.id}
        assert service.publish(session, group.activity.id, expected_version=plan.version, now=clock.now())


def test_a_published_plan_is_taken_back_until_somebody_begins(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        plan = a_published_plan(session, group, clock.now())
        with pytest.raises(ChangeImpossible, match="published"):
            propose(session, group.activity.id, seed=1, by=None, now=clock.now())

        service.take_back(session, group.activity.id, expected_version=plan.version, now=clock.now())
        assert plan.state == "draft"
        assert plan.published_at is None

        service.publish(session, group.activity.id, expected_version=plan.version, now=clock.now())
        service.begin(session, group_of(session, plan, group.learners[0].id, 1).id, now=clock.now())
        with pytest.raises(ChangeImpossible, match="plan begun"):
            service.take_back(session, group.activity.id, expected_version=plan.version, now=clock.now())


def test_nothing_is_taken_back_that_was_never_published(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)

        with pytest.raises(NoPlan):
            service.take_back(session, group.activity.id, expected_version=1, now=clock.now())


def test_a_closed_activity_takes_no_plan(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4, state="closed")

        with pytest.raises(ActivityReadOnly):
            propose(session, group.activity.id, seed=1, by=None, now=clock.now())


def test_two_people_change_places_in_one_round_only(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 6)
        plan = a_published_plan(session, group, clock.now())
        session.execute(select(Job))
        one = group.learners[0].id
        seats = session.scalars(
            select(Seat).join(Round, Round.id == Seat.round_id).where(Round.number == 1, Seat.plan_id == plan.id)
        ).all()
        mine = next(seat for seat in seats if seat.member_id == one)
        other = next(seat for seat in seats if seat.group_id != mine.group_id)
        other_member, version, second_round = other.member_id, plan.version, groups(session, plan, 2)
        my_group, my_turn = mine.group_id, mine.turn

        make(session, group, a_swap(session, mine.id, other.id), clock.now(), version=version)

        assert plan.version == version + 1
        assert groups(session, plan, 2) == second_round
        now_there = session.scalars(select(Seat).where(Seat.group_id == my_group, Seat.turn == my_turn)).one()
        assert now_there.member_id == other_member
        assert len(jobs(session, "progress.changed")) == 4


def test_partners_and_people_of_begun_groups_do_not_change_places(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        a_published_plan(session, group, clock.now())
        seats = session.scalars(select(Seat).order_by(Seat.round_id, Seat.group_id, Seat.turn)).all()
        together, apart = (seats[0], seats[1]), (seats[0], seats[2])
        late = a_learner(session, group.registration, group.course, "Late")
        alone, no_round = (
            Change(Do.SWAP, (seats[0].member_id, late.id), 1),
            Change(Do.SWAP, (seats[0].member_id, seats[2].member_id), 3),
        )
        for swap in (a_swap(session, *(seat.id for seat in together)), alone, no_round):
            with pytest.raises(ChangeImpossible):
                make(session, group, swap, clock.now())

        service.begin(session, seats[2].group_id, now=clock.now())

        with pytest.raises(ChangeImpossible):
            make(session, group, a_swap(session, apart[0].id, apart[1].id), clock.now())


def test_a_late_joiner_is_placed_in_every_round_that_is_not_over(open_session: OpenSession, clock: FakeClock) -> None:
    past, soon = clock.now() - timedelta(days=1), clock.now() + timedelta(days=5)
    with open_session() as session:
        group = a_class(session, 4, rounds=[(None, past), (None, soon)])
        plan = a_published_plan(session, group, clock.now() - timedelta(days=3))
        first = groups(session, plan, 1)
        late = a_learner(session, group.registration, group.course, "Late")

        changes = service.follow_course(session, group.activity.id, now=clock.now())

        assert changes.newly_paired == ((2, late.id),)
        assert groups(session, plan, 1) == first
        assert sorted(map(len, groups(session, plan, 2))) == [2, 3]
        assert [
            view.round_number for view in service.published_groups(session, group.activity.id, member_id=late.id)
        ] == [2]
        assert {job.payload["member_id"] for job in jobs(session, "progress.changed")} == changes.moved
        assert service.follow_course(session, group.activity.id, now=clock.now()).moved == set()


def test_a_late_joiner_meets_the_one_whose_partner_left(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 6, rounds=[()])
        plan = a_published_plan(session, group, clock.now())
        gone = group.learners[0].id
        widow = next(iter(next(one for one in groups(session, plan, 1) if gone in one) - {gone}))
        others = {one for one in groups(session, plan, 1) if gone not in one}
        leave(session, gone, clock, group)
        late = a_learner(session, group.registration, group.course, "Late")

        changes = service.follow_course(session, group.activity.id, now=clock.now())

        assert groups(session, plan, 1) == others | {frozenset((widow, late.id))}
        assert changes.moved == {gone, widow, late.id}


def test_a_group_that_has_begun_is_left_alone_and_its_people_are_told(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 4, rounds=[()])
        plan = a_published_plan(session, group, clock.now())
        before = groups(session, plan, 1)
        for one in group.learners:
            service.begin(session, group_of(session, plan, one.id, 1).id, now=clock.now())
        leave(session, group.learners[0].id, clock, group)
        version = plan.version

        service.follow_course(session, group.activity.id, now=clock.now())

        assert groups(session, plan, 1) == before
        assert plan.version == version
        concerned = next(one for one in before if group.learners[0].id in one)
        assert {job.payload["member_id"] for job in jobs(session, "progress.changed")} == concerned


def test_a_round_that_was_added_gets_groups_of_people_who_have_not_met(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 7, rounds=[()])
        plan = a_published_plan(session, group, clock.now())
        session.add(Round(activity_id=group.activity.id, number=2))
        session.flush()

        service.follow_course(session, group.activity.id, now=clock.now())

        assert sorted(map(len, groups(session, plan, 2))) == [2, 2, 3]


def test_people_who_meet_in_another_activity_of_the_course_are_kept_apart_here(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 8, rounds=[()])
        other = a_published_plan(session, group, clock.now())
        second = an_activity(session, group.course, [()])

        plan = propose(session, second.id, seed=1, by=None, now=clock.now())

        assert not groups(session, other, 1) & groups(session, plan, 1)
        assert service.current_plan(session, second, plan, now=clock.now()).repeats == 0


def test_the_job_brings_every_plan_of_a_course_up_to_date(
    kit: Kit, open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        a_published_plan(session, group, clock.now())
        second = an_activity(session, group.course)
        propose(session, second.id, seed=1, by=None, now=clock.now())
        late = a_learner(session, group.registration, group.course, "Late").id
        institution_id, course_id, both = group.course.institution_id, group.course.id, (group.activity.id, second.id)

    job = JobContext(1, "pairing.roster_changed", {"course_id": course_id}, institution_id, 1)
    handlers.HANDLERS["pairing.roster_changed"](kit, job)

    with open_session(institution_id) as session:
        for activity_id in both:
            plan = service.find_plan(session, activity_id)
            assert plan is not None
            assert late in {one for members in groups(session, plan, 1) for one in members}


def test_a_stored_plan_passes_the_checker_when_it_is_read_back(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 9)
        plan = a_published_plan(session, group, clock.now())

        course = engine.Course(tuple(one.id for one in group.learners))

        assert engine.verify(course, load(session, plan).schedule) == []


def test_a_group_that_was_begun_keeps_its_first_moment(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)
        plan = a_published_plan(session, group, clock.now())
        row = group_of(session, plan, group.learners[0].id, 1)
        first = clock.now()
        service.begin(session, row.id, now=first)

        service.begin(session, row.id, now=clock.advance(timedelta(hours=1)))
        session.refresh(row)

        assert row.begun_at == first
        assert service.current_plan(session, group.activity, plan, now=clock.now()).fixed


def test_of_two_who_propose_at_once_one_is_told_that_the_plan_changed(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 8)
        institution_id, activity_id = group.course.institution_id, group.activity.id
    both_ready = Barrier(2)

    def ask(seed: int) -> str:
        both_ready.wait(timeout=30)
        try:
            with open_session(institution_id) as session:
                propose(session, activity_id, seed=seed, by=None, now=clock.now(), expected_version=0)
        except PlanError as refusal:
            return type(refusal).__name__
        return "proposed"

    with ThreadPoolExecutor(2) as threads:
        outcomes = sorted(threads.map(ask, (1, 2)))

    assert outcomes == ["PlanChanged", "proposed"]
    with open_session(institution_id) as session:
        [plan] = session.scalars(select(Plan))
        assert sorted(map(len, groups(session, plan, 1))) == [2, 2, 2, 2]


def test_of_two_who_publish_at_once_one_is_told_that_the_plan_changed(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        version = propose(session, group.activity.id, seed=1, by=None, now=clock.now()).version
        institution_id, activity_id = group.course.institution_id, group.activity.id
    both_ready = Barrier(2)

    def publish(_: int) -> str:
        both_ready.wait(timeout=30)
        try:
            with open_session(institution_id) as session:
                service.publish(session, activity_id, expected_version=version, now=clock.now())
        except PlanError as refusal:
            return type(refusal).__name__
        return "published"

    with ThreadPoolExecutor(2) as threads:
        outcomes = sorted(threads.map(publish, (1, 2)))

    assert outcomes == ["NoPlan", "published"]


def test_a_plan_goes_with_its_activity(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4)
        a_published_plan(session, group, clock.now())

        session.delete(session.get_one(Activity, group.activity.id))
        session.flush()

        assert session.scalars(select(Plan.id)).all() == []
        assert session.scalars(select(Seat.id)).all() == []


def test_who_has_no_group_is_the_same_on_the_home_page_as_on_the_plan(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        now = clock.now()
        group = a_class(session, 4, rounds=[(None, now - timedelta(days=1)), (), ()])
        plan = a_published_plan(session, group, now)
        late = a_learner(session, group.registration, group.course, "Late").id

        found = service.unplaced(session, group.activity, plan, now=now)

        assert [(missing.member_id, missing.round_number) for missing in found] == [(late, 2), (late, 3)]
        current = service.current_plan(session, group.activity, plan, now=now)
        assert found == list(current.unplaced_ahead)
