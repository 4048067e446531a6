"""Threads that look for due jobs until they are told to stop."""

import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from lti_tool.jobs import queue, schedule
from lti_tool.jobs.queue import Claim
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

POLL = timedelta(milliseconds=500)
AFTER_TROUBLE = timedelta(seconds=5)
TURNS_EVERY = timedelta(seconds=20)

log = get_logger(__name__)


class Loop(ABC):
    """What a worker and a relay have in common. Any number of both may share a database.

    Periodic jobs are written by whichever of them comes first.
    """

    def __init__(self, kit: Kit, periodic: Mapping[str, timedelta] | None = None, *, threads: int) -> None:
        self._kit, self._periodic = kit, periodic or {}
        self._stopping = threading.Event()
        self._threads = [self._thread(self._work, str(number)) for number in range(threads)]
        if self._periodic:
            self._threads.append(self._thread(self._turns, "turns"))

    @abstractmethod
    def run_one(self) -> bool:
        """Do something about one job that is due. False if there is none."""

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
        """Take every job that is due, in this thread. Returns how many there were."""
        for count in range(at_most):
            if not self.run_one():
                return count
        return at_most

    def _claim(self, **how: Any) -> Claim | None:
        """Claim a job, as `queue.claim` says, if any is due."""
        with self._kit.open_session() as session:
            # On SQLite a claim takes the only write lock, so nobody may try one each time they look.
            session.connection(execution_options={"sqlite_begin": "DEFERRED"})
            if not queue.is_anything_due(session, now=self._kit.clock.now()):
                return None
        with self._kit.open_session() as session:
            return queue.claim(session, now=self._kit.clock.now(), **how)

    def _thread(self, target: Callable[[], None], name: str) -> threading.Thread:
        return threading.Thread(target=target, name=f"{type(self).__name__.lower()}-{name}", daemon=True)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = timedelta(0) if self.run_one() else POLL
            except Exception as trouble:  # a database that is away for a while must not end the worker
                log_trouble(trouble)
                pause = AFTER_TROUBLE
            if pause:
                self._stopping.wait(pause.total_seconds())

    def _turns(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._kit.open_session() as session:
                    schedule.take_turns(session, self._periodic, now=self._kit.clock.now())
            except Exception as trouble:  # as above
                log.error("schedule in trouble", error=type(trouble).__name__, where=innermost_place(trouble))
            self._stopping.wait(TURNS_EVERY.total_seconds())


def log_trouble(trouble: Exception) -> None:
    """Say that the database or the broker cannot be used, without a text that may quote rows."""
    log.error("worker in trouble", error=type(trouble).__name__, where=innermost_place(trouble))


def innermost_place(failure: BaseException) -> str:
    """The innermost place in our own code."""
    frames = [frame for frame in traceback.extract_tb(failure.__traceback__) if "lti_tool" in frame.filename]
    return f"{frames[-1].name}:{frames[-1].lineno}" if frames else "elsewhere"
