"""`lti-tool demo`: Tandem and the sandbox LMS as two programs that know each other only over LTI."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from types import FrameType
from urllib.parse import urlencode

from lti_tool.demo_learners import do_their_part
from lti_tool.registration.service import institution_named
from lti_tool.registration.service.invitations import invite
from lti_tool.settings import Settings
from lti_tool.support import schema
from lti_tool.wiring import build

TOOL_HOST = "localhost"
LMS_HOST = "127.0.0.1"
LOOKS_EVERY = 2
"""Seconds between two looks for a plan that was published."""
# Two names of one machine are two sites to a browser: the demo meets the rules for third-party cookies as they are.


def run(
    *,
    tool_port: int = 8000,
    lms_port: int = 8081,
    profile: str = "moodle",
    keep: Path | None = None,
    has_learners: bool = True,
) -> int:
    """Start both programs, print the LMS's address, and stop both at Ctrl-C. Returns an exit status.

    With `has_learners` most learners do their part by themselves once a plan is published.
    A port that is taken is replaced by a free one. Records live in `keep`, or in a folder that goes with the demo.
    The sandbox LMS stands in the checkout only, not in the installed package.
    """
    if importlib.util.find_spec("sandbox_lms") is None:
        print(
            "The demo needs the sandbox LMS, which is part of the source checkout: run `make demo` there.",
            file=sys.stderr,
        )
        return 2
    tool_port, lms_port = _free(tool_port), _free(lms_port)
    with tempfile.TemporaryDirectory(prefix="tandem-demo-") as folder:
        kept = keep or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LTI_TOOL_")} | {
            "LTI_TOOL_DEVELOPMENT": "1",
            "LTI_TOOL_BASE_URL": f"http://{TOOL_HOST}:{tool_port}",
            "LTI_TOOL_DATABASE_URL": f"sqlite:///{kept.resolve()}/tandem.db",
            "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": f"{LMS_HOST}:{lms_port}",
        }
        address = _invitation(Settings.from_env(environment))
        log = (kept / "demo.log").open("ab")
        programs = [
            subprocess.Popen(
                [*_python("-m", "lti_tool"), "serve", "--host", LMS_HOST, "--port", str(tool_port)],
                env=environment,
                stdout=log,
                stderr=log,
            ),
            subprocess.Popen(
                [*_python("-m", "sandbox_lms"), "--port", str(lms_port), "--profile", profile],
                env={**os.environ, "SANDBOX_LMS_REGISTRATION_URL": address},
                stdout=log,
                stderr=log,
            ),
        ]
        signal.signal(signal.SIGTERM, _stop)
        try:
            _wait_for(f"http://{LMS_HOST}:{tool_port}/health", programs)
            _wait_for(f"http://{LMS_HOST}:{lms_port}/", programs)
            if any(program.poll() is not None for program in programs):
                print(
                    f"One of the two programs did not start. The end of the log:\n{_tail(kept / 'demo.log')}",
                    file=sys.stderr,
                )
                return 1
            print(f"\n  Open  http://{LMS_HOST}:{lms_port}/\n", flush=True)
            print("  That page shows what to do first. Press Ctrl-C to stop the demo.", flush=True)
            print(f"  Log and records are in {kept}", flush=True)
            services = build(Settings.from_env(environment))
            while all(program.poll() is None for program in programs):
                time.sleep(LOOKS_EVERY)
                if has_learners and do_their_part(services.kit):
                    print("  Most learners have done their part by themselves. See Progress and Figures.", flush=True)
            print(f"One of the two programs stopped. The end of the log:\n{_tail(kept / 'demo.log')}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 0
        finally:
            for program in programs:
                program.terminate()
            for program in programs:
                program.wait(timeout=15)
            log.close()


def _invitation(settings: Settings) -> str:
    """Make the tool's records, and the address that an operator would send to the LMS's administrator."""
    services = build(settings)
    schema.upgrade(services.engine)
    now = services.kit.clock.now()
    with services.kit.open_session() as session:
        institution = institution_named(session, "Sandbox University", now=now)
        _, secret = invite(session, institution.id, now=now, lifetime=timedelta(days=7))
    services.engine.dispose()
    return f"{settings.base_url}/lti/register?{urlencode({'invite': secret})}"


def _python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _free(port: int) -> int:
    with socket.socket() as wanted:
        # As the servers do: else a port that was in use a moment ago looks taken.
        wanted.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            wanted.bind((LMS_HOST, port))
        except OSError:
            wanted.bind((LMS_HOST, 0))
        return int(wanted.getsockname()[1])


def _wait_for(url: str, programs: list[subprocess.Popen[bytes]]) -> None:
    for _ in range(150):
        if any(program.poll() is not None for program in programs):
            return
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - an address of our own making
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])
