"""What becomes of jobs is the same whether a worker of ours runs them or Celery, with either broker."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Lock

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import MAX_ATTEMPTS, GiveUp, Handler, JobContext, RetryLater
from lti_tool.jobs.worker import Worker
from lti_tool.support.http import Purpose, TooSlow
from lti_tool.support.kit import Kit
from tests.engines import KINDS, Broker, ByCelery, Runs
from tests.factories.registration import json_answer, reaching
from tests.fakes.clock import FakeClock
from tests.fakes.web_server import WebServer

pytestmark = pytest.mark.store("postgresql")

Make = Callable[..., Runs]


@pytest.fixture(params=KINDS)
def engine_for(request: pytest.FixtureRequest, brokers: Callable[[str], Broker]) -> Make:
    """Makes an engine that runs jobs by these handlers."""

    def make(kit: Kit, **handlers: Handler) -> Runs:
        if request.param == "embedded":
            return Worker(kit, handlers, threads=4, chance=lambda: 0.5)
        return ByCelery(brokers(request.param), kit, handlers)

    return make


def put(kit: Kit, name: str = "work", *, key: str | None = None, calls: int = queue.OWN, **payload: int | str) -> None:
    with kit.open_session() as session:
        queue.enqueue(session, name, payload, institution_id=None, now=kit.clock.now(), unique_key=key, calls=calls)


def jobs(kit: Kit) -> list[Job]:
    with kit.open_session() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def the_job(kit: Kit) -> Job:
    [job] = jobs(kit)
    return job


def fail(_: Kit, __: JobContext) -> None:
    raise OSError("the disk is full, said Åsa")


def test_a_job_that_ends_well_is_done(kit: Kit, engine_for: Make) -> None:
    ran: list[JobContext] = []
    put(kit, n=7, calls=3)
    assert engine_for(kit, work=lambda _, job: ran.append(job)).run_until_idle() == 1
    assert [(job.name, job.payload, job.attempts, job.lane) for job in ran] == [("work", {"n": 7}, 1, 3)]
    assert the_job(kit).state == "done"


def test_a_handler_runs_outside_any_transaction_and_what_it_asks_for_is_done_too(kit: Kit, engine_for: Make) -> None:
    def write(kit: Kit, _: JobContext) -> None:
        put(kit, "next")

    ran: list[str] = []
    put(kit)
    assert engine_for(kit, work=write, next=lambda _, job: ran.append(job.name)).run_until_idle() == 2
    assert ran == ["next"]


def test_a_failure_is_tried_again_after_a_pause(kit: Kit, clock: FakeClock, engine_for: Make) -> None:
    put(kit)
    assert engine_for(kit, work=fail).run_until_idle() == 1
    job = the_job(kit)
    assert (job.state, job.attempts, job.error) == ("waiting", 1, "OSError")
    assert job.due_at == clock.now() + timedelta(seconds=10)


def test_a_failure_is_tried_again_only_so_often(kit: Kit, clock: FakeClock, engine_for: Make) -> None:
    put(kit)
    engine, ran = engine_for(kit, work=fail), 0
    for _ in range(MAX_ATTEMPTS + 2):
        ran += engine.run_until_idle()
        clock.advance(timedelta(hours=8))
    assert ran == MAX_ATTEMPTS
    assert the_job(kit).state == "failed"


def test_retry_later_waits_as_long_as_it_says_and_counts_as_no_attempt(
    kit: Kit, clock: FakeClock, engine_for: Make
) -> None:
    def wait(_: Kit, __: JobContext) -> None:
        raise RetryLater(timedelta(minutes=3))

    put(kit)
    engine = engine_for(kit, work=wait)
    for _ in range(2):
        assert engine.run_until_idle() == 1
        assert (the_job(kit).attempts, the_job(kit).due_at) == (0, clock.advance(timedelta(minutes=3)))


def test_give_up_is_final_and_keeps_its_reason(kit: Kit, engine_for: Make) -> None:
    def give_up(_: Kit, __: JobContext) -> None:
        raise GiveUp("no institution")

    put(kit)
    assert engine_for(kit, work=give_up).run_until_idle() == 1
    assert (the_job(kit).state, the_job(kit).error) == ("failed", "no institution")


def test_a_job_that_nobody_knows_waits_for_a_newer_worker(kit: Kit, engine_for: Make) -> None:
    put(kit, "from the future")
    engine_for(kit).run_until_idle()
    assert (the_job(kit).state, the_job(kit).error) == ("waiting", "UnknownJob")


def test_logs_hold_neither_payloads_nor_messages(kit: Kit, engine_for: Make) -> None:
    def quote(_: Kit, job: JobContext) -> None:
        raise ValueError(f"cannot use {job.payload['secret']}")

    put(kit, secret="Åsa Öberg")
    with capture_logs() as logs:
        engine_for(kit, work=quote).run_until_idle()
    assert [entry["event"] for entry in logs] == ["job failed"]
    assert "Åsa" not in repr(logs)


def test_jobs_that_are_asked_for_while_one_with_their_key_runs_become_one_that_runs_after_it(
    kit: Kit, engine_for: Make
) -> None:
    ran: list[int] = []

    def ask_again(kit: Kit, job: JobContext) -> None:
        ran.append(job.number("n"))
        if ran == [1]:
            put(kit, n=2, key="k")
            put(kit, n=3, key="k")

    put(kit, n=1, key="k")
    assert engine_for(kit, work=ask_again).run_until_idle() == 2
    assert ran == [1, 3]


def test_no_more_than_half_of_the_threads_call_one_platform_at_a_time(kit: Kit, engine_for: Make) -> None:
    at_once, most, guard, two_call, served = 0, 0, Lock(), Event(), Event()

    def call(_: Kit, job: JobContext) -> None:
        nonlocal at_once, most
        if job.lane == 2:
            assert two_call.wait(20)
            served.set()
            return
        with guard:
            at_once += 1
            most = max(most, at_once)
            if at_once == 2:
                two_call.set()
        # This platform does not answer until another one was served.
        assert served.wait(20)
        with guard:
            at_once -= 1

    for _ in range(6):
        put(kit, calls=1)
    put(kit, calls=2)
    engine = engine_for(kit, work=call)
    if isinstance(engine, Worker):
        engine.start()
        assert served.wait(20)
        engine.stop()
    engine.run_until_idle()
    assert {job.state for job in jobs(kit)} == {"done"}
    assert most == kit.settings.most_per_platform == 2


def test_what_failed_while_a_platform_was_down_is_tried_as_soon_as_it_answers(kit: Kit, engine_for: Make) -> None:
    is_down = True

    def call(kit: Kit, _: JobContext) -> None:
        if is_down:
            raise TooSlow("lms.example")
        kit.http.get(server.url("/"), Purpose.SCORE)

    with WebServer(lambda _: json_answer({})) as server:
        kit = reaching(kit, server.port)
        for _ in range(3):
            put(kit, calls=1)
        engine = engine_for(kit, work=call)
        assert engine.run_until_idle() == 3
        is_down = False
        put(kit, calls=1)
        assert engine.run_until_idle() == 4
    assert {job.state for job in jobs(kit)} == {"done"}


def test_what_was_done_after_a_lease_is_over_is_not_recorded(kit: Kit, clock: FakeClock, engine_for: Make) -> None:
    def give_up(_: Kit, __: JobContext) -> None:
        raise GiveUp("taken over")

    def slow(_: Kit, __: JobContext) -> None:
        clock.advance(queue.LEASE)
        assert Worker(kit, {"work": give_up}).run_one()

    put(kit)
    engine_for(kit, work=slow).run_until_idle()
    assert (the_job(kit).state, the_job(kit).error) == ("failed", "taken over")


def test_hundred_jobs_run_once_each(kit: Kit, engine_for: Make) -> None:
    ran: list[int] = []
    with kit.open_session() as session:
        for lane in (queue.OWN, queue.MAIL, queue.DOCUMENTS, 1, 2):
            payloads = {f"{lane}:{n}": {"n": n} for n in range(20)}
            queue.enqueue_all(session, "work", payloads, institution_id=None, now=kit.clock.now(), calls=lane)
    assert engine_for(kit, work=lambda _, job: ran.append(job.id)).run_until_idle() == 100
    assert len(set(ran)) == len(ran) == 100
