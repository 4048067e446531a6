"""Letters due at once and two workers, of which one is killed: nobody gets two, and at most one gets none."""

import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select

from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.jobs.worker import Worker
from lti_tool.reminders import handlers
from lti_tool.reminders.models import Letter
from lti_tool.settings import Settings
from lti_tool.support.kit import Kit
from tests.factories.mail import a_class_with_letters
from tests.fakes.clock import FakeClock
from tests.fakes.mail_server import MailServer

pytestmark = pytest.mark.store

WORKER = """
import sys, time
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
for models in Path("lti_tool").glob("*/models*"):
    import_module(f"lti_tool.{models.parent.name}.models")
from lti_tool.jobs.worker import Worker
from lti_tool.settings import MailServer, Settings
from lti_tool.wiring import build

database, key, port, now = sys.argv[1:]
begun = time.monotonic()

class Clock:
    def now(self):
        return datetime.fromisoformat(now) + timedelta(seconds=time.monotonic() - begun)

settings = replace(Settings(), base_url="http://localhost:8000", development=True, database_url=database,
                   secret_keys=(key,), smtp_url=MailServer("127.0.0.1", int(port)), mail_from="tandem@school.example")
services = build(settings, clock=Clock())
sent = Worker(services.kit, {"reminders.letter": services.handlers["reminders.letter"]}, threads=8).run_until_idle()
print(sent)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize("learners", [24, pytest.param(5000, marks=pytest.mark.nightly)])
def test_nobody_gets_two_letters_however_workers_end(
    kit: Kit, settings: Settings, clock: FakeClock, learners: int
) -> None:
    with kit.open_session() as session:
        group = a_class_with_letters(session, learners, clock.now(), due_in=timedelta(days=1))
        institution_id = group.course.institution_id
        session.execute(delete(Job))  # what publishing the groups leads to is not of interest here
        payload = {"activity_id": group.activity.id}
        queue.enqueue(session, handlers.LOOK, payload, institution_id=institution_id, now=clock.now())
    # Before the workers begin, since one that finds nothing to do ends.
    assert Worker(kit, {handlers.LOOK: handlers.look}).run_one()

    def worker(port: int, later: timedelta = timedelta(0)) -> subprocess.Popen[str]:
        moment = (clock.now() + later).isoformat()
        arguments = [settings.database_url, settings.secret_keys[0], str(port), moment]
        return subprocess.Popen([sys.executable, "-c", WORKER, *arguments], stdout=subprocess.PIPE, text=True)

    with MailServer() as sink:
        # The server takes its time over one letter, so that a worker is killed between sending and writing it down.
        sink.behave = lambda stage: time.sleep(0.5) if stage == "END" and sink.seen == learners // 4 else None
        with worker(sink.port) as doomed, worker(sink.port) as other:
            while sink.seen < learners // 4:
                assert doomed.poll() is None
                time.sleep(0.01)
            doomed.send_signal(signal.SIGKILL)
            told = other.communicate()[0]
        assert int(told.split()[0]) > 0  # both had a share
        with worker(sink.port, timedelta(minutes=10)) as last:
            last.communicate()
            assert last.returncode == 0
        sent = Counter(address for address, _ in sink.letters)
        assert max(sent.values()) == 1
        assert sink.seen >= learners - 1
    with kit.open_session(institution_id) as session:
        states = Counter(session.scalars(select(Letter.state)))
        assert states.total() == learners
        assert states["sending"] <= 1
        assert session.scalar(select(func.count()).where(Job.state.in_(("waiting", "running")))) == 0
    # In kilobytes; a worker without work takes about 100,000.
    assert int(told.split()[-1]) < 400_000
