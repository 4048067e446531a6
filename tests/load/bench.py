"""`make bench`: what a launch costs, beside a tool that checks nothing and a minimal pylti1p3 tool, in one run."""

import contextlib
import json
import math
import os
import platform as machine
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import psycopg

from lti_tool.support.crypto import KeyRing
from tests.load.client import Answer, Client, Post, running_client
from tests.load.platform import Platform, new_key, running_platform

POSTGRES = os.environ.get("TANDEM_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
ROUNDS = 5
THREADS = 4
SETTINGS = (1, 2)
"""Processes of each server."""
WARM_UP = 48
SECONDS_A_TURN = 1.0
FEWEST, MOST = 80, 800
NEW_LEARNERS = 4
"""Every fourth learner is new to the tool."""
STARTUP_SECONDS = 30


@dataclass
class Contender:
    """One tool under one server setting, and what its turns measured."""

    title: str
    port: int
    target: str
    accepted: int
    """The status of a launch that ended well."""
    refuses_forgeries: bool
    refuses_replays: bool
    postgres: str | None = None
    launches_a_turn: int = WARM_UP
    seen: int = 0
    turns: "list[Turn]" = field(default_factory=list)

    def learner(self) -> str:
        """Whoever comes next; all but every fourth were here before, once the warm-up is over."""
        self.seen += 1
        return f"new-{self.seen}" if self.seen % NEW_LEARNERS == 0 else f"learner-{self.seen % WARM_UP}"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of one contender measured."""

    rate: float
    login_p95: float
    launch_p95: float
    cpu: float
    """Milliseconds of the server's processes for one launch, login included."""
    database_cpu: float
    """The same for PostgreSQL's processes, as far as this machine tells."""


def main() -> None:
    started = time.monotonic()
    print(
        f"Python {machine.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the start"
    )
    print(
        f"{ROUNDS} interleaved rounds; median (lowest to highest). A launch is POST /lti/login and POST /lti/launch.\n"
    )
    with running_platform() as platform, running_client() as client, tempfile.TemporaryDirectory() as folder:
        for workers in SETTINGS:
            with contextlib.ExitStack() as stack:
                contenders = [
                    stack.enter_context(contender) for contender in _contenders(platform, workers, Path(folder))
                ]
                for contender in contenders:
                    _warm_up(contender, platform, client, workers)
                for _ in range(ROUNDS):
                    for contender in contenders:
                        contender.turns.append(_turn(contender, platform, client, workers))
            _report(contenders, workers)
    print(EXPLANATION)
    print(f"\nThe whole run took {time.monotonic() - started:.0f} s; load average {os.getloadavg()[0]:.1f} at the end.")


# ---- one turn --------------------------------------------------------------------------------------------------------


def _warm_up(contender: Contender, platform: Platform, client: Client, workers: int) -> None:
    """Let every returning learner be known, see that the tool checks what the report says, and size the turns."""
    client.connect(contender.port, workers, THREADS)
    _check(contender, platform, client)
    turn = _turn(contender, platform, client, workers)
    contender.launches_a_turn = max(FEWEST, min(MOST, round(turn.rate * SECONDS_A_TURN)))


def _check(contender: Contender, platform: Platform, client: Client) -> None:
    _, [login] = client.send([Post("/lti/login", platform.login(contender.target, "mallory"))])
    asked, cookies = platform.asked_for(_text(login)), login.cookies()
    forged = Post("/lti/launch", platform.launch(asked, contender.target, "mallory", key=new_key()), cookies)
    honest = Post("/lti/launch", platform.launch(asked, contender.target, "mallory"), cookies)
    answers = [client.send([post])[1][0].status for post in (forged, honest, honest)]
    accepted = contender.accepted
    expected = [not contender.refuses_forgeries, True, not contender.refuses_replays]
    if [status == accepted for status in answers] != expected or max(answers) >= 500:
        raise SystemExit(f"{contender.title} answered a forged, an honest and a replayed launch with {answers}")


def _turn(contender: Contender, platform: Platform, client: Client, workers: int) -> Turn:
    """All logins, then, with tokens signed while no watch runs, all launches."""
    client.connect(contender.port, workers, THREADS)
    learners = [contender.learner() for _ in range(contender.launches_a_turn)]
    logins = [Post("/lti/login", platform.login(contender.target, learner)) for learner in learners]
    cpu, database_cpu = client.cpu(), _database_cpu(contender)
    login_seconds, begun = client.send(logins)
    launches = [
        Post("/lti/launch", platform.launch(platform.asked_for(_text(answer)), contender.target, learner), cookies)
        for learner, answer in zip(learners, begun, strict=True)
        if (cookies := answer.cookies())
    ]
    launch_seconds, landed = client.send(launches)
    cpu, database_cpu = client.cpu() - cpu, _database_cpu(contender) - database_cpu
    wrong = [answer.status for answer in landed if answer.status != contender.accepted]
    if wrong or len(landed) != len(learners):
        raise SystemExit(f"{contender.title}: {len(landed)} of {len(learners)} launched, others answered {wrong[:5]}")
    return Turn(
        rate=len(learners) / (login_seconds + launch_seconds),
        login_p95=_p95(begun),
        launch_p95=_p95(landed),
        cpu=cpu * 1000 / len(learners),
        database_cpu=database_cpu * 1000 / len(learners),
    )


def _text(answer: Answer) -> str:
    return answer.head + answer.body


def _p95(answers: Sequence[Answer]) -> float:
    ordered = sorted(answer.seconds for answer in answers)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] * 1000


def _database_cpu(contender: Contender) -> float:
    """CPU seconds of the PostgreSQL processes that serve this database; 0 where this machine does not show them."""
    if contender.postgres is None:
        return 0.0
    with psycopg.connect(contender.postgres) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    ticks = 0
    for (pid,) in rows:
        with contextlib.suppress(OSError):
            # After the name in brackets, which may hold blanks, user and system time are the 12th and 13th field.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# ---- servers ---------------------------------------------------------------------------------------------------------


def _contenders(
    platform: Platform, workers: int, folder: Path
) -> Iterator[contextlib.AbstractContextManager[Contender]]:
    sqlite = f"sqlite:///{folder}/tandem-{workers}.db"
    yield _running("Tandem, SQLite", "tandem", platform, workers, database=sqlite)
    yield _running("null Flask tool", "null", platform, workers)
    yield _running("minimal pylti1p3 tool", "minimal", platform, workers)
    if _postgres_is_there():
        yield _running_on_postgres(platform, workers)
    else:
        print("PostgreSQL cannot be reached (TANDEM_TEST_POSTGRES), so Tandem runs on SQLite only.\n")


@contextlib.contextmanager
def _running(
    title: str, tool: str, platform: Platform, workers: int, *, database: str | None = None
) -> Iterator[Contender]:
    """One tool under gunicorn on a free port of loopback, ready to answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening, tempfile.TemporaryFile() as log:
        port = listening.getsockname()[1]
        base_url = f"http://localhost:{port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LTI_TOOL_")}
        if database is not None:
            environment |= {
                "LTI_TOOL_DEVELOPMENT": "1",
                "LTI_TOOL_BASE_URL": base_url,
                "LTI_TOOL_DATABASE_URL": database,
                "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
                "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": platform.url.removeprefix("http://"),
                "LTI_TOOL_WORKER": "separate",
                "LTI_TOOL_LOG_FORMAT": "json",
            }
        arguments = [tool, json.dumps(platform.facts()), base_url, listening.fileno(), workers, THREADS]
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.load.server", *map(str, arguments)],
            env=environment,
            pass_fds=[listening.fileno()],
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(server, port, log)
            is_real = tool != "null"
            accepted = 303 if tool == "tandem" else 200
            postgres = database if database and database.startswith("postgresql") else None
            yield Contender(title, port, f"{base_url}/lti/launch", accepted, is_real, tool == "tandem", postgres)
        finally:
            server.terminate()
            server.wait(15)


@contextlib.contextmanager
def _running_on_postgres(platform: Platform, workers: int) -> Iterator[Contender]:
    name = f"tandem_bench_{os.getpid()}_{workers}"
    server = _postgres_url()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            database = f"{server.rsplit('/', 1)[0]}/{name}"
            with _running("Tandem, PostgreSQL", "tandem", platform, workers, database=database) as contender:
                yield contender
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _postgres_url() -> str:
    return POSTGRES.replace("+psycopg", "")


def _postgres_is_there() -> bool:
    try:
        psycopg.connect(_postgres_url(), connect_timeout=3).close()
    except psycopg.Error:
        return False
    return True


def _wait_for(server: "subprocess.Popen[bytes]", port: int, log: IO[bytes]) -> None:
    until = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < until and server.poll() is None:
        # The socket listens already, so this waits for the first process that accepts.
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as line:
            line.settimeout(STARTUP_SECONDS)
            line.sendall(b"GET /load-run/worker HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            if line.recv(64):
                return
    log.seek(0)
    raise SystemExit(f"The server did not start:\n{log.read().decode(errors='replace')[-2000:]}")


# ---- report ----------------------------------------------------------------------------------------------------------


def _report(contenders: Sequence[Contender], workers: int) -> None:
    rates = {contender.title: statistics.median(turn.rate for turn in contender.turns) for contender in contenders}
    print(f"gunicorn gthread, {workers} process{'es' if workers > 1 else ''} of {THREADS} threads, all of them busy")
    print(_row("", "launches/s", "p95 login, ms", "p95 launch, ms", "CPU/launch, ms", "of null", "of minimal"))
    for contender in contenders:
        turns, rate = contender.turns, rates[contender.title]
        print(
            _row(
                contender.title,
                _spread([turn.rate for turn in turns]),
                _spread([turn.login_p95 for turn in turns]),
                _spread([turn.launch_p95 for turn in turns]),
                _spread([turn.cpu for turn in turns]),
                f"{rate / rates['null Flask tool']:.2f}",
                f"{rate / rates['minimal pylti1p3 tool']:.2f}",
            )
        )
        if contender.postgres:
            print(_row("  and in PostgreSQL", "", "", "", _spread([turn.database_cpu for turn in turns]), "", ""))
    print()


def _row(first: str, *others: str) -> str:
    widths = (23, 24, 24, 22, 10, 12)
    cells = "".join(cell.rjust(width) for cell, width in zip(others, widths, strict=True))
    return (first.ljust(22) + cells).rstrip()


def _spread(values: Sequence[float]) -> str:
    median, lowest, highest = (_short(value) for value in (statistics.median(values), min(values), max(values)))
    return f"{median} ({lowest} to {highest})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


EXPLANATION = f"""\
All three got the same recorded Moodle launch (one learner in {NEW_LEARNERS} new to the tool), the same keys, the same
server, the same client. Tokens are signed while no watch runs; the client is a process of its own on this machine.

Tandem   every check; course, person and member in the database; state and nonce used once, in whatever process; an
         audit row and a visit; ends in a redirect. Three transactions. Not counted: the page after it, and the question
         of the login page's script whether the cookie was kept. Jobs are written down and not worked on meanwhile.
null     two routes that check and keep nothing: Flask and gunicorn alone.
minimal  pylti1p3 2.0.0 as documented, storage in the memory of one process, platform keys cached for two hours. It
         refuses a forged token and takes a replayed one. With two processes it works here only because each connection
         stays with its process.

CPU is user and system time of the server's processes for a login and its launch; "of null" and "of minimal" are
ratios of launches/s. Each tool was first sent a forged and a replayed launch, to see that it does as said here."""


if __name__ == "__main__":
    main()
