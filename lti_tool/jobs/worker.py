"""Threads that claim jobs, run them outside any transaction, and record the result."""

import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta

from lti_tool.jobs import queue
from lti_tool.jobs.loop import Loop, innermost_place
from lti_tool.jobs.queue import LEASE, MAX_ATTEMPTS, Claim, GiveUp, Handler, RetryLater
from lti_tool.support.http import hosts_that_answer
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

RANDOM = secrets.SystemRandom()

log = get_logger(__name__)


class Worker(Loop):
    """Runs jobs until it is stopped. Any number of workers may share a database, in one process or in many.

    A handler runs at least once for each job, and never beside another job with the same unique key. It opens its own
    short transactions. Whatever it raises becomes a later attempt, except GiveUp. One platform never holds more than
    half of the threads (of a single thread, that one), so that one that hangs leaves the others room. A worker without
    threads looks for no jobs and runs those that `take_up` names.
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
        super().__init__(kit, periodic, threads=threads)
        self._handlers, self._chance = handlers, chance
        self._most_per_platform = max(1, threads // 2)
        self._held: dict[int, Claim] = {}
        self._lock = threading.Lock()
        self._threads.append(self._thread(self._renew, "leases"))

    def run_one(self) -> bool:
        """Claim one job and run it. False when nothing is due."""
        held = self._claim(most_per_platform=self._most_per_platform)
        return held is not None and self._hold_and_run(held)

    def take_up(self, job_id: int, fence: int) -> bool:
        """Run the job that a relay claimed and sent. False, and nothing happens, if that claim is over."""
        with self._kit.open_session() as session:
            held = queue.take_up(session, job_id, fence, now=self._kit.clock.now())
        return held is not None and self._hold_and_run(held)

    def _hold_and_run(self, held: Claim) -> bool:
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
                where=innermost_place(failure),
            )
        with self._kit.open_session() as session:
            now = self._kit.clock.now()
            if again_in is not None:
                queue.put_back(session, held, error, due_at=now + again_in, now=now)
            elif error is not None:
                queue.fail(session, held, error, now=now)
            else:
                queue.finish(session, held, now=now, was_answered=bool(answers))

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


class UnknownJob(Exception):
    """No handler has this name."""
