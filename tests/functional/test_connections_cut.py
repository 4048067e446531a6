"""PostgreSQL ends our connections amid everything: what was acknowledged is there, and the tool goes on by itself."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Lock, Thread

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, text

from lti_tool.feedback.service import find_entry, find_task, notes_of
from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import LEASE, JobContext
from lti_tool.jobs.worker import Worker
from lti_tool.settings import Settings
from lti_tool.support.kit import Kit
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import Visitor, a_school
from tests.functional.test_at_once import groups

# SQLite has no server that could end a connection.
pytestmark = pytest.mark.store("postgresql")


@contextmanager
def connections_cut(settings: Settings, times: int) -> Iterator[Event]:
    """Our database's connections are ended so many times, a moment apart. The event says that it is over."""
    engine = create_engine(settings.sqlalchemy_url, isolation_level="AUTOCOMMIT")
    cut = text(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    over = Event()

    def work() -> None:
        with engine.connect() as connection:
            for _ in range(times):
                connection.execute(cut)
                time.sleep(0.05)
        over.set()

    thread = Thread(target=work)
    thread.start()
    try:
        yield over
    finally:
        thread.join(600)
        engine.dispose()


@pytest.mark.parametrize(("people", "cuts"), [(4, 10), pytest.param(24, 400, marks=pytest.mark.nightly)])
def test_notes_that_were_acknowledged_outlast_connections_that_are_cut(
    app: Flask, kit: Kit, clock: FakeClock, settings: Settings, people: int, cuts: int
) -> None:
    school = a_school(app, kit, clock, learners=people)
    with kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
    partner = {one: other for group in groups(school) for one, other in zip(group, group[1:] + group[:1], strict=True)}
    writers = [school.learner(place) for place in range(people)]
    refused = Counter[int]()

    def write_notes(visitor: Visitor, over: Event) -> set[str]:
        """Write notes until a while after the last cut. Returns those that the tool said it has."""
        member_id, acknowledged, number = visitor.member.id, set[str](), 0
        while not over.is_set() or number == 0 or f"note {number}" not in acknowledged:
            number += 1
            answer = visitor.send(
                f"/round/1/for/{partner[member_id]}", device="one", do="add_note", note_draft=f"note {number}"
            )
            if answer.status_code == 303:
                acknowledged.add(f"note {number}")
            else:
                refused[answer.status_code] += 1
        return acknowledged

    def kept(visitor: Visitor) -> set[str]:
        member_id = visitor.member.id
        with kit.open_session(school.institution_id) as session:
            task = find_task(session, school.group.activity, 1, member_id, partner[member_id])
            feedback = find_entry(session, task)
            assert feedback is not None
            return {note.text for note in notes_of(session, feedback)}

    with connections_cut(settings, cuts) as over, ThreadPoolExecutor(people) as threads:
        acknowledged = list(threads.map(lambda visitor: write_notes(visitor, over), writers))

    # In between people were told that the records cannot be reached, and never that we failed.
    assert set(refused) <= {503}
    for visitor, notes in zip(writers, acknowledged, strict=True):
        assert notes <= kept(visitor)
        assert visitor.get("/").status_code == 200


@pytest.mark.parametrize(("jobs", "cuts"), [(40, 6), pytest.param(2_000, 300, marks=pytest.mark.nightly)])
def test_a_worker_whose_connections_are_cut_does_all_its_work_and_little_of_it_twice(
    kit: Kit, clock: FakeClock, settings: Settings, jobs: int, cuts: int
) -> None:
    with kit.open_session() as session:
        for number in range(jobs):
            queue.enqueue(session, "work", {"n": number}, institution_id=None, now=clock.now())
    done, guard = Counter[int](), Lock()

    def work(_: Kit, job: JobContext) -> None:
        time.sleep(0.01)
        with guard:
            done[job.number("n")] += 1

    def are_left() -> bool:
        with kit.open_session() as session:
            return session.scalar(select(Job.id).where(Job.state != "done").limit(1)) is not None

    threads = 4
    worker = Worker(kit, {"work": work}, threads=threads)
    worker.start()
    with connections_cut(settings, cuts) as over:
        over.wait(600)
    end = time.monotonic() + 300
    while are_left():
        assert time.monotonic() < end
        # What a worker held when it was cut off comes back when its lease is over.
        clock.advance(LEASE + timedelta(seconds=1))
        time.sleep(0.5)
    worker.stop()

    assert set(done) == set(range(jobs))
    assert done.total() <= jobs + cuts * threads
