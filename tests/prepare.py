"""Finds, starts or installs what the tests need from the machine: Chromium, PostgreSQL, two brokers, Pango and fonts.

Prints `NAME=value` lines for the environment of the test run. Fails at once, naming the package, where something is
missing and this account may not install it.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from ctypes.util import find_library
from pathlib import Path
from typing import TypeVar

import psycopg
from kombu import Connection
from playwright.sync_api import sync_playwright

Found = TypeVar("Found")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SERVERS = (
    "postgresql://postgres@127.0.0.1:5432/postgres",
    "postgresql://postgres:postgres@127.0.0.1:5432/postgres",
    "postgresql:///postgres",
)


def chromium() -> str | None:
    """The path of a Chromium that starts, the system's or Playwright's own."""
    named = os.environ.get("TANDEM_TEST_CHROMIUM")
    if named:
        return named
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def postgres() -> str | None:
    """The URL of a PostgreSQL server in which we may create databases."""
    named = os.environ.get("TANDEM_TEST_POSTGRES")
    for url in (named,) if named else SERVERS:
        with contextlib.suppress(psycopg.Error), psycopg.connect(url, connect_timeout=3) as connection:
            connection.execute("SELECT 1")
            return url
    return None


def start_postgres() -> str | None:
    """Start an installed server that does not run, and let this account in."""
    if os.geteuid() or not shutil.which("pg_ctlcluster"):
        return None
    for cluster in sorted(Path("/etc/postgresql").glob("*/*")):
        subprocess.run(
            ["pg_ctlcluster", "--skip-systemctl-redirect", cluster.parent.name, cluster.name, "start"],
            check=False,
            stdout=sys.stderr,
        )
    role = "CREATE ROLE root SUPERUSER LOGIN"
    for _ in range(20):
        with contextlib.suppress(subprocess.SubprocessError):
            subprocess.run(["su", "postgres", "-c", f"psql -qc '{role}'"], check=False, capture_output=True, timeout=10)
        if url := postgres():
            return url
        time.sleep(0.5)
    return None


def broker(variable: str, url: str) -> Callable[[], str | None]:
    """Finds a broker in which we may make queues."""

    def find() -> str | None:
        named = os.environ.get(variable, url)
        try:
            with Connection(named, connect_timeout=3) as connection:
                connection.connect()
        except Exception:  # each library has errors of its own
            return None
        return named

    return find


redis = broker("TANDEM_TEST_REDIS", "redis://127.0.0.1:6379/0")
rabbitmq = broker("TANDEM_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")


def start_with(find: Callable[[], str | None], *command: str) -> Callable[[], str | None]:
    """Starts an installed server that does not run."""

    def start() -> str | None:
        if not shutil.which(command[0]):
            return None
        subprocess.run(command, check=False, stdout=sys.stderr, timeout=60)
        for _ in range(60):
            if url := find():
                return url
            time.sleep(0.5)
        return None

    return start


start_redis = start_with(redis, "redis-server", "--daemonize", "yes", "--bind", "127.0.0.1", "--save", "")
start_rabbitmq = start_with(rabbitmq, "rabbitmq-server", "-detached")


def pango() -> str | None:
    """The library that draws the text of PDFs."""
    return find_library("pangoft2-1.0")


def font_for(language: str) -> Callable[[], str | None]:
    """Finds a font that has the letters of a language."""

    def find() -> str | None:
        listed = subprocess.run(["fc-list", f":lang={language}", "file"], check=False, capture_output=True, text=True)
        return listed.stdout.strip() or None

    return find


def install(package: str) -> bool:
    """Install a Debian package, where this machine and account allow it."""
    if os.geteuid() or not shutil.which("apt-get"):
        return False
    print(f"Installing {package} …", file=sys.stderr)
    quiet = {"env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, "stdout": sys.stderr}
    subprocess.run(["apt-get", "update", "-qq"], check=False, **quiet)
    return subprocess.run(["apt-get", "install", "-qq", "-y", package], check=False, **quiet).returncode == 0


def require(package: str, find: Callable[[], Found | None], *otherwise: Callable[[], Found | None]) -> Found:
    """What `find` finds, after whatever else had to be tried. Ends the run where nothing helps."""
    found = find()
    if found is None:
        for attempt in otherwise:
            found = attempt() or find()
            if found is not None:
                break
    if found is None and install(package):
        found = find() or next(filter(None, (attempt() for attempt in otherwise)), None)
    if found is None:
        sys.exit(f"The tests need {package}, which is not here and cannot be installed by this account. Install it.")
    return found


def own_browser() -> str | None:
    """Playwright's own browser, where its download can be reached."""
    if not os.geteuid() and shutil.which("apt-get"):
        return None
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, stdout=sys.stderr)
    return chromium()


if __name__ == "__main__":
    print(f"TANDEM_TEST_CHROMIUM={require('chromium', chromium, own_browser)}")
    print(f"TANDEM_TEST_POSTGRES={require('postgresql', postgres, start_postgres)}")
    print(f"TANDEM_TEST_REDIS={require('redis-server', redis, start_redis)}")
    print(f"TANDEM_TEST_RABBITMQ={require('rabbitmq-server', rabbitmq, start_rabbitmq)}")
    require("libpangoft2-1.0-0", pango)
    require("fonts-dejavu-core", font_for("ar"))
    require("fonts-wqy-microhei", font_for("zh-cn"))
