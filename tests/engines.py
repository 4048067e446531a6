"""The ways to run background jobs: in the process itself, and by Celery with a real broker and a worker beside us."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from threading import Condition
from typing import ClassVar, Protocol

from celery.contrib.testing.worker import start_worker

from lti_tool.celery import Engine, make_app, sender, serve_jobs, waiting
from lti_tool.jobs.queue import Claim, Handler
from lti_tool.jobs.relay import QUEUES, Relay
from lti_tool.jobs.worker import Worker
from lti_tool.settings import Settings
from lti_tool.support.kit import Kit

URLS = {
    "redis": os.environ.get("TANDEM_TEST_REDIS", "redis://127.0.0.1:6379/0"),
    "rabbitmq": os.environ.get("TANDEM_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//"),
}
KINDS = ("embedded", *URLS)
LONGEST = 30
"""Seconds that a message may take. Only a test that fails waits so long."""


class Runs(Protocol):
    """What runs the jobs of a test."""

    def run_until_idle(self) -> int:
        """Run what is due now. Returns how many jobs ran."""
        ...


class Broker:
    """A broker of this machine with queues of our own, and a Celery worker that takes from them in threads."""

    lent: "ClassVar[Broker | None]" = None
    """The broker of the test that runs. Celery keeps the tasks of the last worker of a process for all of them."""

    def __init__(self, url: str, name: str = "") -> None:
        self.url = url
        self.prefix = f"tandem-test-{os.getpid()}.{name}"
        self.app = make_app(replace(Settings(), broker_url=url), prefix=self.prefix)
        for queue in self.app.amqp.queues.values():
            # What a test run that is killed leaves behind goes away by itself.
            queue.queue_arguments = {"x-expires": 600_000}
        self.app.conf.worker_hijack_root_logger = False
        self._send = sender(self.app, prefix=self.prefix)
        self._engine: Engine | None = None
        self._change = Condition()
        self._sent = self._came = self._ran = 0
        serve_jobs(self.app, lambda *numbers: Broker.lent and Broker.lent.run(*numbers))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Take messages until the block ends."""
        how = {"pool": "threads", "concurrency": 4, "perform_ping_check": False, "loglevel": "CRITICAL"}
        try:
            # Two workers of one process would share one event loop. Without one, Redis is asked every two seconds.
            with start_worker(self.app, use_eventloop=self.url.startswith("redis"), **how):
                yield
        finally:
            self.empty(delete=True)

    @contextmanager
    def lent_to(self, engine: Engine) -> Iterator[None]:
        """Let messages run jobs of this engine."""
        self._engine, self._sent, self._came, self._ran = engine, 0, 0, 0
        Broker.lent = self
        try:
            yield
        finally:
            Broker.lent = None

    def send(self, held: Claim, queue: str) -> None:
        with self._change:
            self._sent += 1
        try:
            self._send(held, queue)
        except BaseException:
            with self._change:
                self._sent -= 1
            raise

    def messages(self, queue: str) -> int:
        """How many messages wait."""
        return waiting(self.app)[self.prefix + queue]

    def wait(self) -> int:
        """Wait until everything came that was sent. Returns how many jobs ran so far."""
        with self._change:
            assert self._change.wait_for(lambda: self._came >= self._sent, LONGEST), "a message did not come"
            return self._ran

    def empty(self, *, delete: bool = False) -> None:
        """Lose all messages, as a broker does that is emptied."""
        with self.app.connection_for_write() as connection, connection.channel() as channel:
            for name in QUEUES:
                with suppress(*connection.channel_errors):
                    channel.queue_purge(self.prefix + name)
                    if delete:
                        channel.queue_delete(self.prefix + name)
            if delete:
                with suppress(*connection.channel_errors):
                    channel.exchange_delete(f"{self.prefix}tandem")
                if self.url.startswith("redis"):
                    # Redis keeps the names of queues.
                    for key in channel.client.keys(f"_kombu.binding*.{self.prefix}tandem"):
                        channel.client.delete(key)

    def run(self, job_id: int, fence: int) -> None:
        has_run = self._engine is not None and self._engine.run(job_id, fence)
        with self._change:
            self._came += 1
            self._ran += has_run
            self._change.notify_all()


class ByCelery:
    """A relay of this thread, a broker, and its worker."""

    def __init__(self, broker: Broker, kit: Kit, handlers: Mapping[str, Handler]) -> None:
        self.broker = broker
        worker = Worker(kit, handlers, threads=0, chance=lambda: 0.5)
        self.relay = Relay(kit, broker.send)
        self.engine = Engine(lambda: (worker, self.relay))
        self.stop = worker.stop

    def run_until_idle(self) -> int:
        with self.broker.lent_to(self.engine):
            while self.relay.run_until_idle():
                self.broker.wait()
            self.stop()
            return self.broker.wait()
