"""Activities from draft to close, their copies, and what a launch finds at its placement."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.activities import service
from lti_tool.activities.errors import (
    ActivityChanged,
    ActivityInvalid,
    ActivityReadOnly,
    ActivityUnknown,
    RoundInUse,
    StepNotPossible,
)
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import ActivityState, CertificateTerms, Completion, ReflectionDays, RoundDates, kind_of
from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.activities.service import InUse, Saved
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Course, Placement
from lti_tool.launch.rules.context import LaunchContext, Message, PersonFacts, PlatformFacts, Services
from lti_tool.launch.rules.roles import Roles
from lti_tool.registration.models import Registration
from lti_tool.rubrics.models import Rubric
from lti_tool.support.db import OpenSession
from lti_tool.web.visits import Visit
from tests.factories.activities import an_activity, observation_rubric, observation_settings
from tests.factories.people import (
    a_course,
    a_deployment,
    a_member,
    a_person,
    a_placement,
    a_registration,
    a_visit,
    an_institution,
)
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


@pytest.fixture
def now(clock: FakeClock) -> datetime:
    return clock.now()


@pytest.fixture
def here(open_session: OpenSession) -> Iterator[tuple[Session, Registration, Course]]:
    """A course in an institution, in one transaction."""
    with open_session() as session:
        registration = a_registration(session, an_institution(session))
        yield session, registration, a_course(session, a_deployment(session, registration))


def launched(
    session: Session, registration: Registration, course: Course, placement: Placement, now: datetime, **custom: str
) -> None:
    """What a learner's launch of this placement does to activities."""
    member = a_member(session, course, a_person(session, registration))
    visit, _ = a_visit(session, member, registration, now=now, placement_id=placement.id)
    service.after_launch(session, visit, a_context(custom), now)


def a_context(custom: dict[str, str]) -> LaunchContext:
    return LaunchContext(
        message=Message.RESOURCE_LINK,
        deployment_id="1",
        target_link_uri="https://tandem.example/lti/launch",
        person=PersonFacts("1"),
        roles=Roles(None, False, False),
        course=None,
        link=None,
        services=Services(),
        platform=PlatformFacts(),
        custom=custom,
    )


Here = tuple[Session, Registration, Course]


# Keeping


def test_settings_come_back_as_they_were_kept(here: Here, now: datetime) -> None:
    session, _, course = here
    settings = observation_settings(
        now,
        completion=Completion.from_json({"acknowledge": 0, "write_notes": 2, "meet": 1}, kind_of("observation")),
        rounds=(RoundDates(now, now + timedelta(days=1)), RoundDates()),
        staff_read_feedback=True,
        finds_partners=True,
        reflection_days=ReflectionDays(now.date(), Rhythm.WEEKLY, "the team meeting"),
        certificate=CertificateTerms("Coaching", "", {"observer": Decimal("1.5")}),
    )
    activity = service.create_draft(session, course.id, settings, observation_rubric(), by=None, now=now)
    session.expire_all()
    assert service.settings_of(session, activity) == settings
    assert service.rubric_draft_of(session, activity) == observation_rubric()
    assert (activity.state, activity.placement_id) == ("draft", None)


def test_settings_against_the_rules_are_not_kept(here: Here, now: datetime) -> None:
    session, _, course = here
    with pytest.raises(ActivityInvalid):
        service.create_draft(
            session, course.id, observation_settings(now, title=""), observation_rubric(), by=None, now=now
        )


def updated(session: Session, activity: Activity, now: datetime, *, in_use: InUse = InUse(), **values: object) -> Saved:  # noqa: B008 (frozen)
    return service.update(
        session,
        activity,
        replace(service.settings_of(session, activity), **values),
        service.rubric_draft_of(session, activity),
        expected_version=activity.version,
        in_use=in_use,
        by=1,
        now=now,
    )


def test_every_save_raises_the_version_and_an_older_page_is_told(here: Here, now: datetime) -> None:
    session, _, course = here
    activity = an_activity(session, course, None, now=now)
    seen = activity.version
    updated(session, activity, now, rounds=(RoundDates(),))
    assert activity.version > seen
    with pytest.raises(ActivityChanged) as conflict:
        service.update(
            session,
            activity,
            observation_settings(now, title="Mine"),
            observation_rubric(),
            expected_version=seen,
            in_use=InUse(),
            by=2,
            now=now,
        )
    assert conflict.value.changed_by_id == 1
    assert activity.title != "Mine"


def test_rounds_that_people_work_in_cannot_go(here: Here, now: datetime) -> None:
    session, _, course = here
    activity = an_activity(session, course, None, now=now, rounds=(RoundDates(),) * 3)
    updated(session, activity, now, in_use=InUse(rounds=2), rounds=(RoundDates(),) * 2)
    assert [row.number for row in service.rounds_of(session, activity.id)] == [1, 2]
    with pytest.raises(RoundInUse):
        updated(session, activity, now, in_use=InUse(rounds=2), rounds=(RoundDates(),))


def test_a_kept_round_keeps_its_identity_when_its_dates_change(here: Here, now: datetime) -> None:
    session, _, course = here
    activity = an_activity(session, course, None, now=now)
    before = [row.id for row in service.rounds_of(session, activity.id)]
    due = now + timedelta(days=3)
    updated(session, activity, now, rounds=(RoundDates(None, due), RoundDates()))
    rows = service.rounds_of(session, activity.id)
    assert [row.id for row in rows] == before
    assert rows[0].due_at == due


def test_a_changed_rubric_is_a_new_version_once_feedback_began(here: Here, now: datetime) -> None:
    session, _, course = here
    activity = an_activity(session, course, None, now=now)
    first = activity.rubric_id
    changed = replace(observation_rubric(), title="Other")

    def save(in_use: InUse) -> Saved:
        settings = service.settings_of(session, activity)
        return service.update(
            session, activity, settings, changed, expected_version=activity.version, in_use=in_use, by=1, now=now
        )

    assert save(InUse(has_feedback=True)) is Saved.NEW_RUBRIC
    assert activity.rubric_id != first
    assert save(InUse(has_feedback=True)) is Saved.SAVED
    assert session.get_one(Rubric, first).title == observation_rubric().title


def test_a_closed_activity_and_one_of_a_finished_course_cannot_be_changed(here: Here, now: datetime) -> None:
    session, _, course = here
    activity = an_activity(session, course, None, now=now)
    service.close(session, activity, by=1, now=now)
    with pytest.raises(ActivityReadOnly):
        updated(session, activity, now, title="New")
    service.reopen(session, activity, by=1, now=now)
    updated(session, activity, now, title="New")
    course.ended_at = now
    session.flush()
    with pytest.raises(ActivityReadOnly):
        updated(session, activity, now, title="Newer")
    with pytest.raises(ActivityReadOnly):
        service.confirm(session, activity, by=1, now=now)


def test_life_goes_from_draft_to_ready_to_closed_and_back(here: Here, now: datetime) -> None:
    session, _, course = here
    activity = an_activity(session, course, None, now=now, state=ActivityState.DRAFT)
    with pytest.raises(StepNotPossible):
        service.close(session, activity, by=1, now=now)
    service.confirm(session, activity, by=1, now=now)
    service.close(session, activity, by=1, now=now)
    assert (activity.state, activity.closed_at) == ("closed", now)
    service.reopen(session, activity, by=1, now=now)
    assert (activity.state, activity.closed_at) == ("ready", None)


def test_another_courses_draft_is_not_there(here: Here, now: datetime) -> None:
    session, registration, course = here
    draft = an_activity(session, course, None, now=now, state=ActivityState.DRAFT)
    other = a_course(session, a_deployment(session, registration))
    assert service.draft_for_key(session, course.id, draft.key) is draft
    with pytest.raises(ActivityUnknown):
        service.draft_for_key(session, other.id, draft.key)
    assert service.open_drafts(session, other.id) == []


# Whose completion changes


def jobs(session: Session) -> list[str]:
    return list(session.scalars(select(Job.name).where(Job.state == "waiting")))


@pytest.mark.parametrize(
    ("values", "tells"),
    [
        ({"title": "Other"}, False),
        ({"staff_read_feedback": True}, False),
        ({"completion": Completion({"give_feedback": 1})}, True),
        ({"rounds": (RoundDates(),)}, True),
        ({"score_maximum": 10}, True),
    ],
)
def test_only_what_weighs_differently_is_worked_out_again(
    here: Here, now: datetime, values: dict[str, object], tells: bool
) -> None:
    session, _, course = here
    activity = an_activity(session, course, a_placement(session, course), now=now)
    updated(session, activity, now, **values)
    assert (service.EVERYBODY_CHANGED in jobs(session)) is tells


def test_a_draft_tells_nobody(here: Here, now: datetime) -> None:
    session, _, course = here
    activity = an_activity(session, course, None, now=now, state=ActivityState.DRAFT)
    updated(session, activity, now, rounds=(RoundDates(),))
    assert jobs(session) == []


# What a launch finds


def test_a_plain_link_and_an_unknown_key_get_nothing(here: Here, now: datetime) -> None:
    session, registration, course = here
    placement = a_placement(session, course)
    launched(session, registration, course, placement, now)
    launched(session, registration, course, placement, now, activity="made-up")
    assert service.activity_of(session, placement.id) is None


def test_another_institutions_key_is_unknown(open_session: OpenSession, now: datetime) -> None:
    with open_session() as session:
        registration = a_registration(session, an_institution(session))
        theirs = an_activity(session, a_course(session, a_deployment(session, registration)), None, now=now)
    with open_session() as session:
        registration = a_registration(session, an_institution(session))
        course = a_course(session, a_deployment(session, registration))
        placement = a_placement(session, course)
        launched(session, registration, course, placement, now, activity=theirs.key)
        assert service.activity_of(session, placement.id) is None


def test_an_activity_lands_where_its_link_is_first_opened(here: Here, now: datetime) -> None:
    session, registration, course = here
    activity = an_activity(session, course, None, now=now)
    placement = a_placement(session, course)
    for _ in range(2):
        launched(session, registration, course, placement, now, activity=activity.key)
    assert service.activity_of(session, placement.id) is activity
    assert activity.state == "ready"
    assert session.scalar(select(func.count()).select_from(Activity)) == 1


def test_a_duplicate_in_the_course_is_a_copy_with_its_own_key_and_rubric(here: Here, now: datetime) -> None:
    session, registration, course = here
    first = an_activity(session, course, a_placement(session, course), now=now)
    placement = a_placement(session, course)
    launched(session, registration, course, placement, now, activity=first.key)
    second = service.activity_of(session, placement.id)
    assert second is not None
    assert (second.state, second.copied_from_id, second.created_by_id) == ("unconfirmed", first.id, None)
    assert second.key != first.key
    assert second.rubric_id != first.rubric_id
    assert service.settings_of(session, second) == service.settings_of(session, first)


def test_a_copied_course_starts_with_past_dates_cleared(here: Here, now: datetime) -> None:
    session, registration, course = here
    first = an_activity(session, course, a_placement(session, course), now=now)
    copied = a_course(session, a_deployment(session, registration))
    placement = a_placement(session, copied)
    next_year = now + timedelta(days=365)
    launched(session, registration, copied, placement, next_year, activity=first.key)
    copy = service.activity_of(session, placement.id)
    assert copy is not None
    assert copy.course_id == copied.id
    assert service.settings_of(session, copy).rounds == (RoundDates(), RoundDates())


def test_a_copy_of_a_course_never_opened_is_a_copy_too(here: Here, now: datetime) -> None:
    session, registration, course = here
    never_opened = an_activity(session, course, None, now=now)
    copied = a_course(session, a_deployment(session, registration))
    placement = a_placement(session, copied)
    launched(session, registration, copied, placement, now, activity=never_opened.key)
    copy = service.activity_of(session, placement.id)
    assert copy is not None
    assert copy.id != never_opened.id
    assert never_opened.placement_id is None


def test_a_copy_of_a_copy_has_the_settings_of_the_copy(here: Here, now: datetime) -> None:
    session, registration, course = here
    deployment = a_deployment(session, registration)
    first = an_activity(session, course, a_placement(session, course), now=now)
    second_course = a_course(session, deployment, context_id="second")
    second_place = a_placement(session, second_course)
    launched(session, registration, second_course, second_place, now, activity=first.key)
    second = service.activity_of(session, second_place.id)
    assert second is not None
    service.confirm(session, second, by=1, now=now)
    updated(session, second, now, title="Changed in the second year")
    third_course = a_course(session, deployment)
    third_place = a_placement(session, third_course)
    history = {"context_id_history": f"second,{course.context_id}"}
    launched(session, registration, third_course, third_place, now, activity=first.key, **history)
    third = service.activity_of(session, third_place.id)
    assert third is not None
    assert (third.title, third.copied_from_id) == ("Changed in the second year", second.id)


def test_a_link_that_was_deleted_and_is_launched_again_is_back(here: Here, now: datetime) -> None:
    session, registration, course = here
    placement = a_placement(session, course)
    service.archive(session, placement.id, now=now)
    session.refresh(placement)
    assert placement.gone_at == now
    launched(session, registration, course, placement, now)
    session.flush()
    session.refresh(placement)
    assert placement.gone_at is None


def test_many_who_open_a_new_copy_at_once_make_one(open_session: OpenSession, now: datetime) -> None:
    with open_session() as session:
        registration = a_registration(session, an_institution(session))
        deployment = a_deployment(session, registration)
        first_course, course = a_course(session, deployment), a_course(session, deployment)
        first = an_activity(session, first_course, a_placement(session, first_course), now=now)
        placement = a_placement(session, course)
        member = a_member(session, course, a_person(session, registration))
        visit, _ = a_visit(session, member, registration, now=now, placement_id=placement.id)
        visit_id = visit.id
    together = threading.Barrier(4)
    failures: list[Exception] = []

    def launch() -> None:
        try:
            together.wait(10)
            with open_session(first.institution_id) as session:
                own_visit = session.get_one(Visit, visit_id)
                service.after_launch(session, own_visit, a_context({"activity": first.key}), now)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=launch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    with open_session(first.institution_id) as session:
        assert session.scalars(select(Activity.copied_from_id).where(Activity.placement_id == placement.id)).all() == [
            first.id
        ]
        assert session.scalar(select(func.count()).select_from(Rubric)) == 2


# Drafts nobody placed


def test_drafts_go_after_thirty_days_and_offered_ones_after_four_hundred(
    open_session: OpenSession, now: datetime
) -> None:
    with open_session() as session:
        registration = a_registration(session, an_institution(session))
        course = a_course(session, a_deployment(session, registration))
        draft = an_activity(session, course, None, now=now, state=ActivityState.DRAFT)
        offered = an_activity(session, course, None, now=now)
        placed = an_activity(session, course, a_placement(session, course), now=now, state=ActivityState.DRAFT)
    institution_id = draft.institution_id

    def left(days: int) -> set[int]:
        with open_session() as session:
            service.purge_drafts(session, now=now + timedelta(days=days))
        with open_session(institution_id) as session:
            assert session.scalar(select(func.count()).select_from(Rubric)) == len(
                session.scalars(select(Activity.rubric_id)).all()
            )
            return set(session.scalars(select(Activity.id)))

    assert left(30) == {draft.id, offered.id, placed.id}
    assert left(31) == {offered.id, placed.id}
    assert left(401) == {placed.id}
    with open_session(institution_id) as session:
        assert set(session.scalars(select(Round.activity_id))) == {placed.id}


def test_the_last_zone_of_the_institution_is_offered_again(here: Here, now: datetime) -> None:
    session, _, course = here
    assert service.last_time_zone(session) is None
    an_activity(session, course, None, now=now, time_zone="Europe/Oslo")
    an_activity(session, course, None, now=now + timedelta(hours=1), time_zone="Europe/Amsterdam")
    assert service.last_time_zone(session) == "Europe/Amsterdam"
    assert datetime(2026, 11, 2, 9, 0, tzinfo=UTC) == now
