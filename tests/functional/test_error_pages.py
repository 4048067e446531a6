"""What an error page says, where its reference is found, and how one gets back to the course."""

from contextlib import suppress
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from lti_tool.support.db import across_institutions
from lti_tool.support.kit import Kit
from lti_tool.web.audit import SAMPLE_AFTER, AuditEntry
from lti_tool.web.visits import Visit
from tests.fakes.clock import FakeClock
from tests.functional.launching import BASE_URL, reference_on
from tests.functional.teaching import School, a_school

COURSE = "https://lms.example/course/view.php?id=7"


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    return a_school(app, kit, clock, learners=2)


def entry_of(kit: Kit, page: TestResponse) -> AuditEntry:
    with kit.open_session() as session:
        return session.scalars(select(AuditEntry).where(AuditEntry.reference == reference_on(page.text))).one()


def returning(session: Session, key: str) -> None:
    """Let the platform have said where the course of this visit is."""
    with across_institutions(session):
        session.scalars(select(Visit).where(Visit.key == key)).one().return_url = COURSE


def test_the_root_address_says_what_this_is(school: School) -> None:
    page = school.app.test_client().get("/", base_url=BASE_URL)
    assert page.status_code == 200
    assert "This is Tandem" in page.text
    assert "<code>" not in page.text


def test_every_reference_on_an_error_page_is_found_in_the_record_and_the_page_leads_back(
    school: School, kit: Kit, clock: FakeClock
) -> None:
    teacher = school.somebody("instructor")
    with kit.open_session() as session:
        returning(session, teacher.key)
    large = "x" * (3 * 1024 * 1024)
    pages = {
        403: teacher.get("/institution"),
        404: teacher.get("/progress/999999"),
        413: teacher.send("/setup", title=large),
    }
    clock.advance(timedelta(hours=13))
    pages[401] = teacher.get("/")
    for status, page in pages.items():
        assert page.status_code == status
        entry = entry_of(kit, page)
        assert (entry.what, entry.details["status"]) == ("error page", status)
        assert entry.institution_id is not None
        assert entry.person_id is not None
        assert f'href="{COURSE}"' in page.text


def test_whoever_cannot_show_a_visits_secret_is_not_led_to_its_course(school: School, kit: Kit) -> None:
    learner = school.learner(0)
    with kit.open_session() as session:
        returning(session, learner.key)
    stranger = school.app.test_client()
    page = stranger.get(f"/v/{learner.key}/", headers={"Authorization": "Bearer made-up"}, base_url=BASE_URL)
    assert page.status_code == 401
    assert "course/view.php" not in page.text


def test_addresses_of_nobody_stand_in_the_record_when_a_person_saw_the_page(school: School, kit: Kit) -> None:
    client = school.app.test_client()
    page = client.get("/nothing-here", headers={"Accept": "text/html"}, base_url=BASE_URL)
    assert entry_of(kit, page).details["status"] == 404
    client.get("/wp-login.php", base_url=BASE_URL)
    with kit.open_session() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.what == "error page")).all()) == 1


def test_what_nobody_expected_is_in_the_log_even_where_its_page_fails(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    learner = school.learner(0)
    monkeypatch.setattr("lti_tool.web.access.find_visit", fail)
    monkeypatch.setattr("lti_tool.web.error_pages.render_template", fail)
    with capture_logs() as logs, suppress(ZeroDivisionError):
        learner.get("/")
    assert [entry["error"] for entry in logs if entry["event"] == "unexpected"] == ["ZeroDivisionError"]


def test_in_a_flood_every_page_shows_a_reference_that_is_found(school: School, kit: Kit) -> None:
    client = school.app.test_client()
    for _ in range(3 * SAMPLE_AFTER):
        page = client.get("/nothing-here", headers={"Accept": "text/html"}, base_url=BASE_URL)
        assert entry_of(kit, page).what == "error page"
    with kit.open_session() as session:
        assert len(session.scalars(select(AuditEntry)).all()) < 2 * SAMPLE_AFTER
