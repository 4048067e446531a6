"""A worker that is killed amid its work loses nothing."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.jobs.worker import Worker
from lti_tool.settings import Settings
from lti_tool.support.kit import Kit
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store

DOOMED = """
import sys, time
from dataclasses import replace
from pathlib import Path
from importlib import import_module
for models in Path("lti_tool").glob("*/models.py"):
    import_module(f"lti_tool.{models.parent.name}.models")
from lti_tool.jobs.worker import Worker
from lti_tool.settings import Settings
from lti_tool.wiring import build

kit = build(replace(Settings(), base_url="http://localhost:8000", development=True, database_url=sys.argv[1],
                    secret_keys=(sys.argv[2],))).kit

def work(kit, job):
    if job.payload["n"] == 3:
        print("begun", flush=True)
        time.sleep(60)

Worker(kit, {"work": work}).run_until_idle()
"""


def test_what_a_killed_worker_held_is_done_by_the_next(kit: Kit, settings: Settings, clock: FakeClock) -> None:
    now = datetime.now(UTC)  # the other process reads it too
    with kit.open_session() as session:
        for n in range(8):
            queue.enqueue(session, "work", {"n": n}, institution_id=None, now=now - timedelta(seconds=60 - n))
    arguments = [sys.executable, "-c", DOOMED, settings.database_url, settings.secret_keys[0]]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as doomed:
        assert doomed.stdout is not None
        assert doomed.stdout.readline() == "begun\n"
        doomed.send_signal(signal.SIGKILL)
    ran: list[int] = []
    next_worker = Worker(kit, {"work": lambda _, job: ran.append(job.payload["n"])})
    clock.set(now + timedelta(seconds=30))
    next_worker.run_until_idle()
    assert ran == [4, 5, 6, 7]
    clock.set(now + queue.LEASE + timedelta(minutes=2))
    next_worker.run_until_idle()
    assert ran == [4, 5, 6, 7, 3]
    with kit.open_session() as session:
        assert set(session.scalars(select(Job.state))) == {"done"}
