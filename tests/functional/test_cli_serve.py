"""`lti-tool serve` as a process of its own, from an empty folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests
from sqlalchemy import select

from lti_tool.jobs import queue
from lti_tool.jobs.models import Job
from lti_tool.registration.handlers import UPKEEP
from lti_tool.support.clock import SystemClock
from lti_tool.support.db import make_engine, session_opener
from tests.shared import reserved_port


def wait_for(url: str, process: subprocess.Popen[bytes]) -> requests.Response:
    for _ in range(1_200):
        assert process.poll() is None, "it ended by itself"
        try:
            return requests.get(url, timeout=60)
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError("it never answered")


def test_serving_needs_nothing_but_a_folder(tmp_path: Path) -> None:
    port = reserved_port()
    database = f"sqlite:///{tmp_path}/tandem.db"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LTI_TOOL_")} | {
        "LTI_TOOL_DEVELOPMENT": "1",
        "LTI_TOOL_BASE_URL": f"http://localhost:{port}",
        "LTI_TOOL_DATABASE_URL": database,
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lti_tool", "serve", "--port", str(port)], env=environment, stdout=log, stderr=log
        )
        try:
            assert wait_for(f"http://127.0.0.1:{port}/health", process).text == "ok\n"
            published = requests.get(f"http://127.0.0.1:{port}/lti/jwks", timeout=60).json()
            assert [key["alg"] for key in published["keys"]] == ["RS256"]
            assert (tmp_path / "tandem.keys").stat().st_mode & 0o077 == 0

            engine = make_engine(database)
            open_session = session_opener(engine)
            with open_session() as session:
                queue.enqueue(session, UPKEEP, {}, institution_id=None, now=SystemClock().now(), unique_key="mine")
            for _ in range(1_200):
                with open_session() as session:
                    done = session.scalars(select(Job.unique_key).where(Job.state == "done")).all()
                if "mine" in done:
                    break
                time.sleep(0.1)
            engine.dispose()
            assert "mine" in done, "the embedded worker did not run it"
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
