"""Brokers and processes that fail: whatever Redis, RabbitMQ or Celery lose, no job is lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

import lti_tool.celery
from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import LEASE
from lti_tool.jobs.relay import BrokerDown, Relay
from lti_tool.settings import Settings
from lti_tool.support.kit import Kit
from tests.engines import URLS, Broker, ByCelery
from tests.fakes.clock import FakeClock
from tests.shared import reserved_port

pytestmark = pytest.mark.store("postgresql")

DOOMED = """
import sys, time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
for models in Path("lti_tool").glob("*/models*"):
    import_module(f"lti_tool.{models.parent.name}.models")
from lti_tool.celery import Engine, make_app, sender, serve_jobs
from lti_tool.jobs.relay import Relay
from lti_tool.jobs.worker import Worker
from lti_tool.settings import Settings
from lti_tool.wiring import build

database, key, broker, prefix = sys.argv[1:5]
settings = replace(Settings(), base_url="http://localhost:8000", development=True, database_url=database,
                   secret_keys=(key,), broker_url=broker)
app = make_app(settings, prefix=prefix)
for declared in app.amqp.queues.values():
    declared.queue_arguments = {"x-expires": 600_000}

def work(kit, job):
    if job.payload["n"] == 3:
        print("begun", flush=True)
        time.sleep(60)

def make():
    kit = build(settings).kit
    return Worker(kit, {"work": work}, threads=0), Relay(kit, sender(app, prefix=prefix))

serve_jobs(app, Engine(make).run)
app.conf.worker_redirect_stdouts = False
app.worker_main(["worker", "--pool", "prefork", "--concurrency", "2", "--loglevel", "CRITICAL",
                 "--without-gossip", "--without-mingle"])
"""


@pytest.fixture(params=URLS)
def broker(request: pytest.FixtureRequest, brokers: Callable[[str], Broker]) -> Broker:
    """One from which our Celery worker takes."""
    return brokers(request.param)


@pytest.fixture
def unserved(broker: Broker) -> Iterator[Broker]:
    """The same broker, with queues from which nobody takes."""
    unserved = Broker(broker.url, "unserved.")
    yield unserved
    unserved.empty(delete=True)


def put(kit: Kit, number: int = 1, now: datetime | None = None, **payload: str) -> None:
    with kit.open_session() as session:
        for n in range(number):
            queue.enqueue(session, "work", {"n": n, **payload}, institution_id=None, now=now or kit.clock.now())


def states(kit: Kit) -> list[tuple[str, int]]:
    with kit.open_session() as session:
        return [(job.state, job.attempts) for job in session.scalars(select(Job).order_by(Job.id))]


def test_what_an_emptied_broker_lost_is_sent_again(
    kit: Kit, clock: FakeClock, broker: Broker, unserved: Broker
) -> None:
    put(kit, 3)
    assert Relay(kit, unserved.send).run_until_idle() == 3
    assert unserved.messages("own") == 3
    unserved.empty()
    engine = ByCelery(broker, kit, {"work": lambda *_: None})
    assert engine.run_until_idle() == 0
    clock.advance(LEASE)
    assert engine.run_until_idle() == 3
    assert states(kit) == [("done", 1)] * 3


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_is_down_delays_a_job_and_no_more(
    kit: Kit, brokers: Callable[[str], Broker], scheme: str
) -> None:
    put(kit)
    down = Broker(f"{scheme}://127.0.0.1:{reserved_port()}/")
    with pytest.raises(BrokerDown):
        Relay(kit, down.send).run_one()
    assert states(kit) == [("waiting", 0)]
    assert ByCelery(brokers("redis"), kit, {"work": lambda *_: None}).run_until_idle() == 1


def test_a_connection_that_broke_unnoticed_costs_nothing(kit: Kit, broker: Broker) -> None:
    put(kit, 2)
    with broker.app.producer_pool.acquire() as producer:
        assert producer.connection.default_channel is not None  # reading it connects
        connection = producer.connection
    engine = ByCelery(broker, kit, {"work": lambda *_: None})
    if broker.url.startswith("amqp"):
        connection.connection.transport.sock.close()
    else:
        connection.default_channel.client.connection_pool.disconnect()
    assert engine.run_until_idle() == 2


def test_a_queue_that_nobody_serves_does_not_fill_the_broker(
    kit: Kit, clock: FakeClock, unserved: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lti_tool.celery, "FULL", 2)
    put(kit, 3)
    relay = Relay(kit, unserved.send)
    with capture_logs() as logs:
        for _ in range(3):
            assert relay.run_until_idle() == 3
            clock.advance(LEASE)
    assert unserved.messages("own") == 2
    assert {(entry["event"], entry["queue"]) for entry in logs} == {("queue is full", "own")}


def test_a_message_holds_numbers_only(kit: Kit, unserved: Broker) -> None:
    put(kit, secret="Åsa Öberg")
    Relay(kit, unserved.send).run_one()
    with unserved.app.connection_for_read() as connection, connection.channel() as channel:
        message = unserved.app.amqp.queues[f"{unserved.prefix}own"](channel).get()
        assert message is not None
        with kit.open_session() as session:
            job = session.scalars(select(Job)).one()
        assert message.payload[:2] == [[job.id, job.claims], {}]
        # What Celery's tools show of it.
        assert (message.headers["shadow"], message.headers["argsrepr"]) == ("work", f"({job.id}, {job.claims})")
        assert "berg" not in repr((message.headers, message.properties, message.body))


@pytest.mark.store("sqlite")
@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"LTI_TOOL_JOBS": "celery"}, "LTI_TOOL_BROKER_URL is required"),
        ({"LTI_TOOL_BROKER_URL": "redis://localhost"}, "set LTI_TOOL_JOBS=celery"),
    ],
)
def test_celery_does_not_start_with_settings_that_do_not_name_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], says: str
) -> None:
    for name, value in {"LTI_TOOL_DEVELOPMENT": "1", **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=says):
        lti_tool.celery.__getattr__("app")


def test_what_a_killed_celery_worker_held_is_done_by_another(
    kit: Kit, settings: Settings, clock: FakeClock, broker: Broker, unserved: Broker
) -> None:
    now = datetime.now(UTC)  # the other process reads it too
    clock.set(now)
    put(kit, 8, now - timedelta(seconds=60))
    arguments = [settings.database_url, settings.secret_keys[0], unserved.url, unserved.prefix]
    # In a group of its own, so that the pool's processes end with it.
    with subprocess.Popen(
        [sys.executable, "-c", DOOMED, *arguments], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as doomed:
        try:
            assert doomed.stdout is not None
            Relay(replace(kit, settings=replace(kit.settings, worker_threads=4)), unserved.send).run_until_idle()
            assert "begun\n" in doomed.stdout
        finally:
            with suppress(ProcessLookupError):
                os.killpg(doomed.pid, signal.SIGKILL)
    ran: list[int] = []
    engine = ByCelery(broker, kit, {"work": lambda _, job: ran.append(job.number("n"))})
    clock.set(now + timedelta(seconds=30))
    assert engine.run_until_idle() == 0
    clock.set(now + LEASE + timedelta(minutes=2))
    engine.run_until_idle()
    assert 3 in ran
    assert {state for state, _ in states(kit)} == {"done"}
    assert states(kit)[3] == ("done", 2)
