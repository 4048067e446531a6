"""Rubrics are kept, changed in place while nobody used them, and versioned once somebody did."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity
from lti_tool.activities.service import InUse
from lti_tool.errors import NotFound
from lti_tool.feedback.service import find_task, give, save_draft
from lti_tool.launch.models import Course
from lti_tool.rubrics import service
from lti_tool.rubrics.errors import RubricInvalid
from lti_tool.rubrics.models import Criterion, Level, Rubric
from lti_tool.rubrics.rules import RubricDraft
from lti_tool.support.db import OpenSession
from tests.factories.activities import observation_rubric
from tests.factories.feedback import TEXTS, a_classroom
from tests.factories.people import a_course, a_deployment, a_registration, an_institution
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


@pytest.fixture
def now(clock: FakeClock) -> datetime:
    return clock.now()


def a_course_anywhere(session: Session) -> Course:
    institution = an_institution(session)
    return a_course(session, a_deployment(session, a_registration(session, institution)))


def count(session: Session, model: type[Rubric] | type[Criterion] | type[Level]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_rubric_comes_back_as_it_was_saved(open_session: OpenSession, now: datetime) -> None:
    draft = observation_rubric()
    with open_session() as session:
        course = a_course_anywhere(session)
        rubric = service.save_rubric(session, course.id, draft, now=now)
        institution_id = rubric.institution_id
    with open_session(institution_id) as session:
        assert service.draft_of(service.rubric_of(session, rubric.id)) == draft


def test_a_rubric_nobody_used_changes_in_place_even_when_criteria_trade_places(
    open_session: OpenSession, now: datetime
) -> None:
    draft = observation_rubric()
    turned = RubricDraft("Turned", tuple(reversed(draft.criteria))[:2])
    with open_session() as session:
        course = a_course_anywhere(session)
        rubric = service.save_rubric(session, course.id, draft, now=now)
        same = service.save_rubric(session, course.id, turned, now=now, current=rubric)
        assert same is rubric
        institution_id = rubric.institution_id
    with open_session(institution_id) as session:
        assert service.draft_of(service.rubric_of(session, rubric.id)) == turned
        assert (count(session, Rubric), count(session, Criterion), count(session, Level)) == (1, 2, 8)


def test_a_used_rubric_stays_and_the_change_is_a_new_version(open_session: OpenSession, now: datetime) -> None:
    draft = observation_rubric()
    changed = replace(draft, title="Changed")
    with open_session() as session:
        course = a_course_anywhere(session)
        first = service.save_rubric(session, course.id, draft, now=now)
        second = service.save_rubric(session, course.id, changed, now=now, current=first, is_used=True)
        assert second.id != first.id
        assert (first.version, second.version) == (1, 2)
        assert service.draft_of(first) == draft
        assert service.draft_of(second) == changed


def test_saving_a_used_rubric_unchanged_makes_no_version(open_session: OpenSession, now: datetime) -> None:
    with open_session() as session:
        course = a_course_anywhere(session)
        first = service.save_rubric(session, course.id, observation_rubric(), now=now)
        again = service.save_rubric(session, course.id, observation_rubric(), now=now, current=first, is_used=True)
        assert again is first
        assert count(session, Rubric) == 1


def test_a_rubric_against_the_rules_is_not_kept(open_session: OpenSession, now: datetime) -> None:
    with open_session() as session:
        course = a_course_anywhere(session)
        with pytest.raises(RubricInvalid):
            service.save_rubric(session, course.id, RubricDraft("Empty"), now=now)
        assert count(session, Rubric) == 0


def test_a_rubric_of_another_institution_is_not_there(open_session: OpenSession, now: datetime) -> None:
    with open_session() as session:
        rubric = service.save_rubric(session, a_course_anywhere(session).id, observation_rubric(), now=now)
    with open_session() as session:
        a_course_anywhere(session)
        with pytest.raises(NotFound):
            service.rubric_of(session, rubric.id)


@pytest.mark.nightly
def test_two_hundred_people_write_while_the_rubric_changes_three_times(
    open_session: OpenSession, clock: FakeClock
) -> None:
    now, names = clock.now(), [f"P{number}" for number in range(200)]
    pairs = tuple(zip(names[::2], names[1::2], strict=True))
    with open_session() as session:
        room = a_classroom(session, *names, now=now, groups=pairs)
        institution_id = room.institution.id
    shown: dict[str, int] = {}
    for part in range(4):
        with open_session(institution_id) as session:
            activity = session.get_one(Activity, room.activity.id)
            # A quarter of the people open their page, and then the rubric changes under their hands.
            shown |= dict.fromkeys(names[part::4], activity.rubric_id)
            draft = observation_rubric()
            activities.update(
                session,
                activity,
                activities.settings_of(session, activity),
                replace(draft, criteria=(replace(draft.criteria[0], name=f"Version {part}"), *draft.criteria[1:])),
                expected_version=activity.version,
                in_use=InUse(rounds=1),
                by=room.members["Ingrid"].person_id,
                now=now,
            )
    for author, recipient in [*pairs, *((one, other) for other, one in pairs)]:
        with open_session(institution_id) as session:
            people = (room.members[author].id, room.members[recipient].id)
            task = find_task(session, session.get_one(Activity, room.activity.id), 1, *people, begun_with=shown[author])
            answers = {
                asked.key: asked.offered[1][0]
                for asked in service.questions_of(service.rubric_of(session, shown[author]))
            }
            save_draft(session, task, {**TEXTS, **answers}, {}, device="", now=now)
            entry = give(session, task, now=now)
            assert entry.rubric_id == shown[author]
            assert {name: text for name, text in entry.fields.items() if name.startswith("mark-")} == answers
    assert len(set(shown.values())) == 4
