"""The commands of config/compose.yaml, run outside a container with a database and a broker that goes away."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotThere
from sqlalchemy import select

from lti_tool.certificates.service import PDF
from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.registration.handlers import UPKEEP
from lti_tool.settings import Settings
from lti_tool.support.clock import SystemClock
from lti_tool.support.db import OpenSession
from tests.architecture.test_config import OURS
from tests.functional.test_cli_serve import wait_for
from tests.shared import reserved_port

pytestmark = pytest.mark.store("postgresql")


@pytest.fixture
def is_database_empty() -> bool:
    return True


class Redises:
    """A Redis of our own, since the one of this machine is not ours to stop."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = reserved_port(), folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program is not None, "make services installs it"
        self._process = subprocess.Popen(
            [program, "--port", str(self.port), "--save", "", "--dir", str(self._folder)], stdout=subprocess.DEVNULL
        )
        client = Redis(port=self.port)
        until(lambda: _answers(client))
        client.close()

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except NotThere:
        return False


def until(holds: Callable[[], bool], seconds: int = 240) -> None:
    for _ in range(seconds * 10):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it never happened")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redises]:
    redis = Redises(tmp_path)
    redis.start()
    yield redis
    redis.kill()


def test_web_relay_and_celery_do_the_work_together_and_outlast_their_broker(
    tmp_path: Path, settings: Settings, open_session: OpenSession, redis: Redises
) -> None:
    port = reserved_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LTI_TOOL_")} | {
        "LTI_TOOL_DEVELOPMENT": "1",
        "LTI_TOOL_BASE_URL": f"http://localhost:{port}",
        "LTI_TOOL_DATABASE_URL": settings.database_url,
        "LTI_TOOL_SECRET_KEYS": settings.secret_keys[0],
        "LTI_TOOL_JOBS": "celery",
        "LTI_TOOL_BROKER_URL": f"redis://127.0.0.1:{redis.port}/0",
        "LTI_TOOL_LOG_FORMAT": "json",
    }

    def command(name: str) -> list[str]:
        program, *words = OURS[name]["command"]
        return [str(Path(sys.executable).parent / program), *(str(port) if word == "8000" else word for word in words)]

    def put(name: str, lane: int) -> Callable[[], bool]:
        """Ask for a job. Returns how to see whether it was run."""
        key = f"{name} {time.monotonic()}"
        with open_session() as session:
            queue.enqueue(session, name, {}, institution_id=None, now=SystemClock().now(), unique_key=key, calls=lane)

        def was_run() -> bool:
            with open_session() as session:
                state, error = session.execute(select(Job.state, Job.error).where(Job.unique_key == key)).one()
            # The one for a PDF says that there is no certificate.
            return (state, error) in {("done", None), ("failed", "malformed payload")}

        return was_run

    with ExitStack() as stack:
        log = stack.enter_context((tmp_path / "log").open("wb"))

        def start(name: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(command(name), env=environment, cwd=tmp_path, stdout=log, stderr=log)
            stack.callback(process.wait, 60)
            stack.callback(process.send_signal, signal.SIGTERM)
            return process

        assert subprocess.run(command("migrate"), env=environment, cwd=tmp_path, check=False).returncode == 0
        web = start("web")
        own = put(UPKEEP, queue.OWN)
        assert wait_for(f"http://127.0.0.1:{port}/health", web).text == "ok\n"
        processes = {"web": web, **{name: start(name) for name in ("relay", "calls", "own")}}

        def was_run_at_last() -> bool:
            """Look, and start again what ended, as systemd does: Celery 5.7.0 ends if Redis is lost amid an answer."""
            for name, process in processes.items():
                if process.poll() is not None:
                    assert name in {"calls", "own"}
                    processes[name] = start(name)
            return waiting()

        # Run by the process that serves its queue.
        until(own)
        until(put(PDF, queue.DOCUMENTS))
        until(put(PDF, 1))
        redis.kill()
        waiting = put(UPKEEP, queue.OWN)
        time.sleep(1)
        assert not waiting()
        redis.start()
        until(was_run_at_last)
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        ended = {name: process.wait(60) for name, process in processes.items()}
        # Those that did something since; one that begins anew is simply ended.
        assert (ended["web"], ended["relay"], ended["own"]) == (0, 0, 0)
    lines = (tmp_path / "log").read_text()
    assert "postgresql://" not in lines
    assert settings.secret_keys[0] not in lines
