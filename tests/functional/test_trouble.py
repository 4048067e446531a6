"""Trouble beneath the pages: long texts, two at once, a lost database, a full disk. Nothing is lost or half done."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from lti_tool.feedback.models import Entry, Note
from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.jobs.worker import Worker
from lti_tool.pairing.models import Plan
from lti_tool.support.kit import Kit
from lti_tool.web.database import db
from lti_tool.wiring import Services
from tests.factories.feedback import TEXTS
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school


@pytest.fixture
def school(app: Flask, kit: Kit, clock: FakeClock) -> School:
    return a_school(app, kit, clock, learners=2)


@pytest.fixture
def planned(school: School, kit: Kit, clock: FakeClock) -> School:
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
    return school


def writing(school: School) -> str:
    return f"/round/1/for/{school.group.learners[1].id}"


def count(school: School, model: type) -> int:
    with school.kit.open_session(school.institution_id) as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def at_once(posts: list[tuple[Visitor, str, dict[str, str]]]) -> list[TestResponse]:
    with ThreadPoolExecutor(len(posts)) as threads:
        return list(threads.map(lambda post: post[0].send(post[1], **post[2]), posts))


def test_a_text_far_too_long_is_refused_with_its_limit_and_what_was_saved_stays(planned: School) -> None:
    learner = planned.learner(0)
    assert learner.send(writing(planned), strengths="Kept", do="save").status_code == 303
    answer = learner.send(writing(planned), strengths="x" * 50_001, do="save")
    assert answer.status_code == 413
    assert "shorten" in answer.text
    assert "Kept" in learner.get(writing(planned)).text
    assert learner.send(writing(planned), strengths="x" * 3_000_000).status_code == 413


def test_a_long_text_that_drafts_take_is_kept_and_named_when_it_is_given(planned: School) -> None:
    learner = planned.learner(0)
    page = learner.post(writing(planned), **{**TEXTS, "strengths": "y" * 12_000}, do="give")
    assert "shorten it to" in page.text
    assert "y" * 12_000 in page.text


@pytest.mark.store
def test_two_givings_at_once_are_one(planned: School) -> None:
    one, other = planned.learner(0), planned.learner(0)
    fields = {**TEXTS, "note_draft": "A note", "do": "give"}
    answers = at_once([(visitor, writing(planned), fields) for visitor in (one, other, one, other)])
    assert {answer.status_code for answer in answers} == {303}
    assert (count(planned, Entry), count(planned, Note)) == (1, 1)


@pytest.mark.store
def test_two_proposals_at_once_leave_one_plan(school: School) -> None:
    one, other = school.somebody("instructor"), school.somebody("instructor")
    answers = at_once([(visitor, "/plan/propose", {}) for visitor in (one, other)])
    assert {answer.status_code for answer in answers} <= {303, 409}
    assert count(school, Plan) == 1


@pytest.mark.store
def test_a_connection_that_is_lost_is_replaced_unnoticed_or_named(
    planned: School, app: Flask, engine: Engine, database_kind: str
) -> None:
    learner = planned.learner(0)
    learner.get("/")
    if database_kind == "postgresql":
        with engine.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
    else:
        with app.app_context():
            db.engine.dispose()
    assert learner.send(writing(planned), strengths="After it", do="save").status_code == 303
    assert "After it" in learner.get(writing(planned)).text


def test_a_database_that_is_away_has_its_own_page(planned: School, engine: Engine) -> None:
    learner = planned.learner(0)
    before = learner.get("/")
    assert before.status_code == 200
    with planned.app.app_context():
        db.engine.dispose()
    engine.dispose()
    database = Path(str(engine.url.database))
    away = database.rename(database.with_name("away.db"))
    database.mkdir()
    try:
        for answer in (learner.get("/"), learner.send(writing(planned), strengths="x", do="save")):
            assert answer.status_code == 503
            assert "cannot reach its database" in answer.text
            assert "sqlite" not in answer.text.lower()
    finally:
        database.rmdir()
        away.rename(database)
    assert learner.get("/").status_code == 200


@pytest.fixture
def full_disk(planned: School, engine: Engine) -> Iterator[None]:
    """The database takes no page more on any connection; what it holds can be read."""
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: object, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    with planned.app.app_context():
        engines = [engine, db.engine]
    for one in engines:
        event.listen(one, "checkout", limit)
    yield
    for one in engines:
        event.remove(one, "checkout", limit)
        with one.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000")


def test_a_full_disk_has_its_own_page_and_leaves_nothing_half_done(planned: School, full_disk: None) -> None:
    learner = planned.learner(0)
    before = (count(planned, Entry), count(planned, Job))
    long = dict.fromkeys(TEXTS, "z" * 9000)
    answer = learner.send(writing(planned), **long, do="give")
    assert answer.status_code == 503
    assert "Nothing you saved is lost" in answer.text
    assert (count(planned, Entry), count(planned, Job)) == before
    assert learner.get("/").status_code == 200


def test_a_job_that_met_a_full_disk_is_tried_again(services: Services, kit: Kit, clock: FakeClock) -> None:
    calls = []

    def writes(_: Kit, __: queue.JobContext) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with kit.open_session() as session:
        queue.enqueue(session, "writes", {}, institution_id=None, now=clock.now())
    worker = Worker(kit, {"writes": writes}, chance=lambda: 0.5)
    worker.run_until_idle()
    with kit.open_session() as session:
        [job] = session.scalars(select(Job)).all()
        assert (job.state, job.error) == ("waiting", "OperationalError")
        clock.set(job.due_at)
    worker.run_until_idle()
    assert len(calls) == 2
