"""What becomes of jobs is the same whether a worker of ours runs them or Celery, with either broker."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from threading import Event, Lock

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import MAX_ATTEMPTS, GiveUp, Handler, JobContext, RetryLater
from lti_tool.jobs.worker import Worker
from lti_tool.support.kit import Kit
from tests.engines import KINDS, URLS, Broker, ByCelery, Runs
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store("postgresql")

Make = Callable[..., Runs]


@pytest.fixture(scope="module")
def brokers() -> Iterator[Callable[[str], Broker]]:
    """Each broker with its worker, from the first test on that needs it."""
    serving: dict[str, Broker] = {}
    with ExitStack() as stack:

        def broker(kind: str) -> Broker:
            if kind not in serving:
                serving[kind] = Broker(URLS[kind])
                stack.enter_context(serving[kind].serving())
            return serving[kind]

        yield broker


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
        queue.enqueue(
            session, name, payload, institution_id=None, now=kit.clock.now(), unique_key=key, calls=calls
        )


def jobs(kit: Kit) -> list[Job]:
    with kit.open_session() as session:
        return list(session.scalars(select(Job).order_by(Job.id)))


def the_job(kit: Kit) -> Job:
    [job] = jobs(kit)
    return job


def test_a_job_that_ends_well_is_done(kit: Kit, engine_for: Make) -> None:
    ran: list[JobContext] = []
    put(kit, n=7, calls=3)
    assert engine_for(kit, work=lambda _, job: ran.append(job)).run_until_idle() == 1
    assert [(job.name, job.payload, job.attempts, job.lane) for job in ran] == [("work", {"n": 7}, 1, 3)]
    assert the_job(kit).state == "done"
