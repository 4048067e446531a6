"""Saved templates on both databases: who sees them, versions, and what activities remember."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from lti_tool.activities import service
from lti_tool.activities.errors import TemplateChanged, TemplateUnknown
from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules.saved import TemplateContent, content_of
from lti_tool.activities.service import InUse
from lti_tool.launch.models import Course
from lti_tool.support.db import OpenSession
from tests.factories.activities import an_activity, observation_rubric
from tests.factories.people import a_course, a_deployment, a_registration, an_institution
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


@pytest.fixture
def now(clock: FakeClock) -> datetime:
    return clock.now()


@pytest.fixture
def courses(open_session: OpenSession) -> Iterator[tuple[Session, Course, Course]]:
    """Two courses of an institution, in one transaction."""
    with open_session() as session:
        deployment = a_deployment(session, a_registration(session, an_institution(session)))
        yield session, a_course(session, deployment), a_course(session, deployment)


def content(session: Session, activity: Activity) -> TemplateContent:
    return content_of(service.settings_of(session, activity), observation_rubric(), {})


def saved(session: Session, activity: Activity, now: datetime, *, is_for_institution: bool = False) -> SavedTemplate:
    return service.save_template(
        session,
        activity,
        content(session, activity),
        title="Ours",
        is_for_institution=is_for_institution,
        by=1,
        now=now,
    )


@pytest.mark.parametrize("is_for_institution", [False, True])
def test_a_template_is_seen_where_it_belongs(
    courses: tuple[Session, Course, Course], now: datetime, is_for_institution: bool
) -> None:
    session, here, elsewhere = courses
    template = saved(session, an_activity(session, here, None, now=now), now, is_for_institution=is_for_institution)
    assert service.templates_for(session, here.id) == [template]
    assert service.templates_for(session, elsewhere.id) == ([template] if is_for_institution else [])
    if not is_for_institution:
        with pytest.raises(TemplateUnknown):
            service.template_for(session, elsewhere.id, template.id)


def test_a_withdrawn_template_is_offered_no_more_until_it_is_brought_back(
    courses: tuple[Session, Course, Course], now: datetime
) -> None:
    session, here, _ = courses
    activity = an_activity(session, here, None, now=now)
    template = saved(session, activity, now)
    activity.saved_template_version = 0
    assert service.newer_template(session, activity) is template
    service.withdraw_template(session, template, now=now)
    assert service.templates_for(session, here.id) == []
    assert service.templates_for(session, here.id, are_withdrawn=True) == [template]
    assert service.newer_template(session, activity) is None
    service.restore_template(session, template)
    assert service.templates_for(session, here.id) == [template]


def test_versions_are_counted_and_an_older_page_is_told(courses: tuple[Session, Course, Course], now: datetime) -> None:
    session, here, _ = courses
    activity = an_activity(session, here, None, now=now)
    seen = activity.version
    template = saved(session, activity, now)
    service.save_version(session, activity, template, content(session, activity), expected_version=1, by=2, now=now)
    assert (template.version, activity.saved_template_version, template.saved_by_id) == (2, 2, 2)
    assert activity.version == seen, "an open page of the activity stays current"
    with pytest.raises(TemplateChanged):
        service.save_version(session, activity, template, content(session, activity), expected_version=1, by=1, now=now)


def test_taking_over_brings_settings_and_leaves_rounds(courses: tuple[Session, Course, Course], now: datetime) -> None:
    session, here, _ = courses
    source, other = (an_activity(session, here, None, now=now, title=title) for title in ("Theirs", "Mine"))
    template = saved(session, source, now)
    rounds = service.settings_of(session, other).rounds
    service.take_over(session, other, template, expected_version=other.version, in_use=InUse(), by=1, now=now)
    assert service.settings_of(session, other).title == "Theirs"
    assert service.settings_of(session, other).rounds == rounds
    assert (other.saved_template_id, other.saved_template_version) == (template.id, 1)
