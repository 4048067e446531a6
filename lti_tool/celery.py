"""Celery as the engine of background jobs: `celery -A lti_tool worker` runs what `lti-tool relay` sends.

A message holds the numbers of a job and of its claim, and no more. The job's row decides what is done, when, how often,
and how many jobs run at a time (`lti_tool.jobs`), so Celery neither retries nor keeps results. A message that comes
twice or late does nothing, and one that is lost is sent again.
"""

import os
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any, Final

from celery import Celery, signals

from lti_tool.jobs.loop import log_trouble
from lti_tool.jobs.queue import LEASE, Claim
from lti_tool.jobs.relay import OWN, QUEUES, Relay, Send
from lti_tool.jobs.worker import Worker
from lti_tool.settings import Settings, SettingsError
from lti_tool.support import log, schema
from lti_tool.wiring import build

PATIENCE: Final = 10
"""Seconds that Redis may take for an answer. The library for RabbitMQ notices a lost connection by itself."""
FULL: Final = 1000
"""Messages that a queue holds at most. Sent again and again, they would fill a broker whose queue nobody serves."""

TASK: Final = "tandem.job"

logger = log.get_logger(__name__)


def make_app(settings: Settings, *, prefix: str = "") -> Celery:
    """A Celery application for this broker. Tests that share one give their queues a prefix."""
    is_redis = settings.broker_url.startswith("redis")
    app = Celery("tandem", broker=settings.broker_url)
    app.conf.update(
        task_queues={prefix + name: {} for name in QUEUES},
        task_default_queue=prefix + OWN,
        task_default_exchange=prefix + "tandem",
        # A broker that restarts may lose messages: to write each to its disk takes longer than to send some again.
        task_default_delivery_mode="transient",
        task_create_missing_queues=False,
        accept_content=["json"],
        task_ignore_result=True,
        # A process that is killed leaves its messages to others. Whether they may run the job, its lease says.
        task_acks_late=True,
        # What waits at a busy process keeps an idle one from it.
        worker_prefetch_multiplier=1,
        worker_concurrency=settings.worker_threads,
        # A job that runs while the broker goes away comes to its end, since its row is all that it needs.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A relay that cannot connect says so and tries again by itself.
        broker_transport_options={"max_retries": 1, "interval_start": 0, "interval_step": 0}
        | ({"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE} if is_redis else {"confirm_publish": True}),
        # Without it RabbitMQ's certificate could name any host.
        broker_use_ssl={"server_hostname": None} if settings.broker_url.startswith("amqps") else None,
    )
    return app


def serve_jobs(app: Celery, run: Callable[[int, int], object]) -> None:
    """Let processes of this application run jobs. `run` gets the numbers of a job and of its claim."""

    def run_job(job_id: int, fence: int) -> None:
        run(job_id, fence)

    app.task(name=TASK, shared=False)(run_job)


def sender(app: Celery, *, prefix: str = "") -> Send:
    """How a relay sends claims through this application."""

    def send(held: Claim, queue: str) -> None:
        def attempt() -> None:
            waiting = app.amqp.queues[prefix + queue](producer.channel).queue_declare().message_count
            if waiting < FULL:
                app.send_task(
                    TASK,
                    (held.context.id, held.fence),
                    # What logs and Flower call it.
                    shadow=held.context.name,
                    queue=prefix + queue,
                    expires=LEASE.total_seconds(),
                    producer=producer,
                    retry=False,
                )
            else:
                # The claim stays, so that this is asked again when its lease is over and not at once.
                logger.error("queue is full", queue=queue, waiting=waiting)

        with app.producer_pool.acquire(block=True) as producer:
            # A connection that broke unnoticed shows it at the first attempt.
            producer.connection.ensure(producer, attempt, max_retries=1, interval_start=0, interval_step=0)()

    return send


def waiting(app: Celery) -> dict[str, int]:
    """How many messages wait in each queue. Raises whatever the broker's library raises."""
    with app.connection_for_write() as connection, connection.channel() as channel:
        queues = app.amqp.queues.items()
        return {name: int(queue(channel).queue_declare().message_count) for name, queue in queues}


class Engine:
    """Runs the jobs whose numbers a Celery process gets. Each process makes its own worker and relay, since connections
    and threads do not survive a fork.
    """

    def __init__(self, make: Callable[[], tuple[Worker, Relay]]) -> None:
        self._make = make
        self._parts: dict[int, tuple[Worker, Relay]] = {}
        self._lock = Lock()

    def run(self, job_id: int, fence: int) -> bool:
        """Run a job, and send the next one for which its end has made room. False if the message came twice or late.

        Raises nothing: Celery would log it with whatever it quotes.
        """
        has_run = False
        try:
            worker, relay = self._parts_here()
            has_run = worker.take_up(job_id, fence)
            if has_run:
                relay.run_one()
        except Exception as trouble:  # what was not recorded is done again when the lease is over
            log_trouble(trouble)
        return has_run

    def _parts_here(self) -> tuple[Worker, Relay]:
        process = os.getpid()
        with self._lock:
            if process not in self._parts:
                self._parts[process] = self._make()
                self._parts[process][0].start()
            return self._parts[process]


def __getattr__(name: str) -> Any:
    """Make `app` when Celery's command looks for it, from the settings in the environment."""
    if name != "app":
        raise AttributeError(name)
    return _app_of_this_process()


@cache
def _app_of_this_process() -> Celery:
    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as mistakes:
        raise SystemExit(str(mistakes)) from None
    if settings.jobs != "celery":
        raise SystemExit("Tandem's own workers run the jobs. For Celery set LTI_TOOL_JOBS=celery.")
    app = make_app(settings)

    def make() -> tuple[Worker, Relay]:
        services = build(settings)
        return Worker(services.kit, services.handlers, threads=0), Relay(services.kit, sender(app))

    def look_at_the_database(**_: object) -> None:
        engine = build(settings).engine
        if not schema.is_current(engine):
            raise SystemExit("The database is not up to date. Run: lti-tool migrate")
        engine.dispose()

    def set_up_logging(**_: object) -> None:
        log.set_up(settings.log_format, settings.log_level)

    serve_jobs(app, Engine(make).run)
    signals.worker_init.connect(look_at_the_database, weak=False)
    signals.setup_logging.connect(set_up_logging, weak=False)
    return app
