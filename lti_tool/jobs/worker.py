"""Threads that claim jobs, run them outside any transaction, and record the result."""

import secrets
import threading
import traceback
from collections.abc import Callable, Mapping
from datetime import timedelta

from lti_tool.jobs import queue, schedule
from lti_tool.jobs.queue import LEASE, MAX_ATTEMPTS, Claim, GiveUp, Handler, RetryLater
from lti_tool.support.http import hosts_that_answer
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

RANDOM = secrets.SystemRandom()
POLL = timedelta(milliseconds=500)
AFTER_TROUBLE = timedelta(seconds=5)
TURNS_EVERY = timedelta(seconds=20)

log = get_logger(__name__)


class Worker:
    """Runs jobs until it is stopped. Any number of workers may share a database, in one process or in many.

    A handler runs at least once for each job, and never beside another job with the same unique key. It opens its own
    short transactions. Whatever it raises becomes a later attempt, except GiveUp. One platform never holds more than
    half of the threads (of a single thread, that one), so that one that hangs leaves the others room.
    """

    def __init__(
        self,
        kit: Kit,
        handlers: Mapping[str, Handler],
        periodic: Mapping[str, timedelta] | None = None,
        *,
        threads: int = 2,
        chance: Callable[[], float] = RANDOM.random,
    ) -> None:
        self._kit, self._handlers, self._chance = kit, handlers, chance
        self._periodic = periodic or {}
        self._most_per_platform = max(1, threads // 2)
        self._stopping = threading.Event()
        self._held: dict[int, Claim] = {}
        self._lock = threading.Lock()
        self._threads = [
            *(threading.Thread(target=self._work, name=f"worker-{number}", daemon=True) for number in range(threads)),
            threading.Thread(target=self._renew, name="worker-leases", daemon=True),
        ]
        if self._periodic:
            self._threads.append(threading.Thread(target=self._turns, name="worker-turns", daemon=True))

    def start(self) -> None:
        """Start the threads. After a fork, call it in the child process."""
        for thread in self._threads:
            thread.start()

    def stop(self, patience: timedelta = timedelta(seconds=30)) -> None:
        """Take no more jobs, and wait for those that run. A job that takes longer is run again by another worker when
        its lease ends.
        """
        self._stopping.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(patience.total_seconds())

    def run_until_idle(self, at_most: int = 100_000) -> int:
        """Run every job that is due, in this thread. Returns how many ran."""
        for count in range(at_most):
            if not self.run_one():
                return count
        return at_most

    def run_one(self) -> bool:
        """Claim one job and run it. False when nothing is due."""
        with self._kit.open_session() as session:
            # On SQLite a claim takes the only write lock, so an idle worker must not try one each time it looks.
            session.connection(execution_options={"sqlite_begin": "DEFERRED"})
            if not queue.is_anything_due(session, now=self._kit.clock.now()):
                return False
        with self._kit.open_session() as session:
            held = queue.claim(session, now=self._kit.clock.now(), most_per_platform=self._most_per_platform)
        if held is None:
            return False
        with self._lock:
            self._held[held.context.id] = held
        try:
            self._run(held)
        finally:
            with self._lock:
                self._held.pop(held.context.id, None)
        return True

    def _run(self, held: Claim) -> None:
        job = held.context
        handler = self._handlers.get(job.name)
        again_in: timedelta | None = None
        error: str | None = None
        answers: list[str] = []
        try:
            if handler is None:
                # During an upgrade an older worker may meet a job that only newer ones know.
                raise UnknownJob
            with hosts_that_answer(answers):
                handler(self._kit, job)
        except RetryLater as answer:
            again_in = answer.after
        except GiveUp as answer:
            error = answer.reason
            log.warning("job given up", job=job.name, job_id=job.id, reason=answer.reason)
        except Exception as failure:  # the one place that answers for every handler
            error = type(failure).__name__
            if job.attempts < MAX_ATTEMPTS:
                again_in = queue.backoff(job.attempts, chance=self._chance())
            # No message and no traceback text: they may quote names, rows and answers.
            log.warning(
                "job failed",
                job=job.name,
                job_id=job.id,
                error=error,
                attempt=job.attempts,
                where=_innermost_place(failure),
            )
        with self._kit.open_session() as session:
            now = self._kit.clock.now()
            if again_in is not None:
                queue.put_back(session, held, error, due_at=now + again_in, now=now)
            elif error is not None:
                queue.fail(session, held, error, now=now)
            else:
                queue.finish(session, held, now=now, was_answered=bool(answers))

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = timedelta(0) if self.run_one() else POLL
            except Exception as trouble:  # a database that is away for a while must not end the worker
                log.error("worker in trouble", error=type(trouble).__name__, where=_innermost_place(trouble))
                pause = AFTER_TROUBLE
            if pause:
                self._stopping.wait(pause.total_seconds())

    def _renew(self) -> None:
        while not self._stopping.wait(LEASE.total_seconds() / 4):
            self.renew_leases()

    def renew_leases(self) -> None:
        """Hold the jobs that are running for another lease. A thread does so often enough for the longest of them."""
        with self._lock:
            held = list(self._held.values())
        for claim in held:
            try:
                with self._kit.open_session() as session:
                    queue.renew(session, claim, now=self._kit.clock.now())
            except Exception as trouble:  # the next round may succeed; the lease outlasts three
                log.error("lease not renewed", job_id=claim.context.id, error=type(trouble).__name__)

    def _turns(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._kit.open_session() as session:
                    schedule.take_turns(session, self._periodic, now=self._kit.clock.now())
            except Exception as trouble:  # as above
                log.error("schedule in trouble", error=type(trouble).__name__, where=_innermost_place(trouble))
            self._stopping.wait(TURNS_EVERY.total_seconds())


class UnknownJob(Exception):
    """No handler has this name."""


def _innermost_place(failure: BaseException) -> str:
    """The innermost place in our own code."""
    frames = [frame for frame in traceback.extract_tb(failure.__traceback__) if "lti_tool" in frame.filename]
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else "elsewhere"
