"""What a worker of ours does beside what every engine does (test_jobs_engines)."""

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from sqlalchemy import select

from lti_tool.jobs import queue, schedule
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.jobs.worker import Worker
from lti_tool.support.http import Purpose, TooSlow
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from tests.factories.registration import json_answer, reaching
from tests.fakes.clock import FakeClock
from tests.fakes.web_server import WebServer


def put(kit: Kit, name: str = "work", secret: str = "") -> None:
    with kit.open_session() as session:
        queue.enqueue(session, name, {"secret": secret}, institution_id=None, now=kit.clock.now())


def the_job(kit: Kit) -> Job:
    with kit.open_session() as session:
        return session.scalars(select(Job)).one()


def worker(kit: Kit, handler: Handler) -> Worker:
    return Worker(kit, {"work": handler}, chance=lambda: 0.5)


def test_a_handler_runs_outside_any_transaction(kit: Kit) -> None:
    put(kit)

    def write(kit: Kit, _: JobContext) -> None:
        # Would wait for ever on SQLite while the claim's transaction was open.
        with kit.open_session() as session:
            queue.enqueue(session, "other", {}, institution_id=None, now=kit.clock.now())

    worker(kit, write).run_one()
    with kit.open_session() as session:
        assert {job.name for job in session.scalars(select(Job))} == {"work", "other"}


def test_threads_run_jobs_until_they_are_stopped(kit: Kit) -> None:
    ran = Event()
    running = worker(kit, lambda *_: ran.set())
    running.start()
    put(kit)
    assert ran.wait(20)
    running.stop()
    assert the_job(kit).state == "done"


def test_stop_waits_for_the_job_that_runs(kit: Kit) -> None:
    begun, may_end = Event(), Event()

    def slow(_: Kit, __: JobContext) -> None:
        begun.set()
        assert may_end.wait(20)

    put(kit)
    running = worker(kit, slow)
    running.start()
    assert begun.wait(20)
    may_end.set()
    running.stop()
    assert the_job(kit).state == "done"


def test_a_job_that_outlasts_its_lease_stays_with_its_worker(kit: Kit, clock: FakeClock) -> None:
    taken_by_another: list[bool] = []

    def long(_: Kit, __: JobContext) -> None:
        for _ in range(4):
            clock.advance(queue.LEASE / 2)
            holder.renew_leases()
        taken_by_another.append(worker(kit, lambda *_: None).run_one())

    holder = worker(kit, long)
    put(kit)
    holder.run_one()
    assert taken_by_another == [False]
    assert the_job(kit).state == "done"


def test_upkeep_deletes_what_is_over_and_nothing_else(kit: Kit, clock: FakeClock) -> None:
    old, fresh = clock.now() - timedelta(days=91), clock.now() - timedelta(days=89)
    with kit.open_session() as session:
        for at in (old, fresh):
            session.add(AuditEntry(at=at, what="launch", reference="ABC", details={}))
        queue.enqueue(session, schedule.PURGE, {}, institution_id=None, now=clock.now())
        session.add(
            Job(
                name="done long ago",
                payload={},
                state="done",
                due_at=old,
                created_at=old,
                finished_at=datetime(2026, 1, 1, tzinfo=UTC),
            )
        )
    purge = schedule.purge([schedule.Expiry(AuditEntry, AuditEntry.at, timedelta(days=90))])
    Worker(kit, {schedule.PURGE: purge}).run_until_idle()
    with kit.open_session() as session:
        assert [entry.at for entry in session.scalars(select(AuditEntry))] == [fresh]
        assert [job.name for job in session.scalars(select(Job))] == [schedule.PURGE]


def test_only_an_answer_of_the_platform_says_that_it_answers_again(kit: Kit, clock: FakeClock) -> None:
    def put_calling(key: str) -> None:
        with kit.open_session() as session:
            queue.enqueue(session, "work", {}, institution_id=None, now=clock.now(), calls=1, unique_key=key)

    def states() -> dict[str | None, str]:
        with kit.open_session() as session:
            return {job.unique_key: job.state for job in session.scalars(select(Job))}

    def is_down(_: Kit, __: JobContext) -> None:
        raise TooSlow("lms.example")

    def asks(kit: Kit, _: JobContext) -> None:
        kit.http.get(server.url("/"), Purpose.SCORE)

    with WebServer(lambda _: json_answer({})) as server:
        kit = reaching(kit, server.port)
        for key in "abc":
            put_calling(key)
        assert worker(kit, is_down).run_until_idle() == 3
        put_calling("d")
        assert worker(kit, lambda *_: None).run_until_idle() == 1
        assert states() == {"a": "waiting", "b": "waiting", "c": "waiting", "d": "done"}
        put_calling("e")
        assert worker(kit, asks).run_until_idle() == 4
        assert set(states().values()) == {"done"}


@pytest.mark.store
def test_two_workers_share_the_work_and_run_nothing_twice(kit: Kit) -> None:
    seen: list[int] = []
    for _ in range(30):
        put(kit)
    both = [worker(kit, lambda _, job: seen.append(job.id)) for _ in range(2)]
    for one in both:
        one.start()
    with kit.open_session() as session:
        session.execute(select(Job.id))
    for _ in range(400):
        with kit.open_session() as session:
            if not session.scalars(select(Job.id).where(Job.state != "done")).first():
                break
        Event().wait(0.05)
    for one in both:
        one.stop()
    assert len(seen) == len(set(seen)) == 30
