"""What polls and saves of meetings cost, and how long people wait for them. Run: python -m tests.load.meetings

Without more, it prints the CPU of one process for a poll and a save, beside a page of Flask that looks up a session:
medians over interleaved turns. With `--together SECONDS` it serves the same meetings by two web processes: every member
has the page open and polls as static/meeting.js does, and one of each group types, with a save every three seconds. It
prints how long the answers took, beside those of the null page in the same run. On SQLite and on PostgreSQL.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, session
from sqlalchemy import create_engine, text

from lti_tool.app import create_app
from lti_tool.settings import Settings
from lti_tool.support.db import Base
from lti_tool.wiring import build
from tests.factories.feedback import a_classroom
from tests.factories.people import a_visit
from tests.shared import DEVELOPMENT, POSTGRES

TURNS = 7
REQUESTS_A_TURN = 60
PORT = 8653
PROCESSES, THREADS = 2, 4
POLL_EVERY, SAVE_EVERY = 1.5, 3.0
WARM_UP = 10.0
NULL_PAGES = 10

Address = tuple[str, dict[str, str]]
"""Where the page of a member's round stands, and the header that proves their visit."""


def null_app() -> Flask:
    """A page that reads a signed session and says nothing."""
    app = Flask("null")
    app.secret_key = "null"

    @app.get("/null/in")
    def enter() -> str:
        session["visit"] = "1"
        return ""

    @app.get("/null/poll")
    def poll() -> Response:
        return Response(status=304 if session["visit"] else 401)

    return app


def settings_for(url: str) -> dict[str, str]:
    """The environment of a tool with this database."""
    return {**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": url}


def in_their_meetings(url: str, groups: int) -> list[Address]:
    """Fill a database with groups of two in a meeting. The first of each group comes first, then the second ones."""
    services = build(Settings.from_env(settings_for(url)))
    Base.metadata.create_all(services.engine)
    now = services.kit.clock.now()
    names = [f"Learner {number}" for number in range(2 * groups)]
    with services.kit.open_session() as database:
        pairs = tuple(zip(names[::2], names[1::2], strict=True))
        room = a_classroom(database, *names, now=now, groups=pairs, kind="reflection")
        visits = [
            a_visit(database, room.members[name], room.registration, now=now, placement_id=room.placement.id)
            for name in names[::2] + names[1::2]
        ]
        addresses = [(f"/v/{visit.key}/round/1", {"Authorization": f"Bearer {secret}"}) for visit, secret in visits]
    services.engine.dispose()
    return addresses


# ---- the CPU of one process ------------------------------------------------------------------------------------------


def measure(name: str, url: str, groups: int) -> None:
    """Time what the pages of these meetings ask for, one request after the other."""
    pages = in_their_meetings(url, groups)
    services = build(Settings.from_env(settings_for(url)))
    client, null = create_app(services).test_client(), null_app().test_client()
    null.get("/null/in")
    for number, (address, headers) in enumerate(pages):
        typed = {"win_or_challenge": f"Words {number}"}
        assert client.post(f"{address}/step/check_in/save", data=typed, headers=headers).status_code == 200
    etags: dict[int, str] = {}

    def let_in(turn: int) -> None:
        """What a browser does twice a minute; after it, polls cost less for a while."""
        for number in range(turn * REQUESTS_A_TURN, (turn + 1) * REQUESTS_A_TURN):
            address, headers = pages[number % groups]
            etags[number % groups] = client.get(f"{address}/meeting/changes", headers=headers).headers["ETag"]

    def poll(number: int) -> int:
        address, headers = pages[number % groups]
        wanted = {**headers, "If-None-Match": etags[number % groups]}
        return client.get(f"{address}/meeting/changes", headers=wanted).status_code

    def save(number: int) -> int:
        address, headers = pages[groups + number % groups]
        typed = {"win_or_challenge": f"Words {number} {time.monotonic()}"}
        return client.post(f"{address}/step/check_in/save", data=typed, headers=headers).status_code

    def news(number: int) -> int:
        address, headers = pages[number % groups]
        return client.get(f"{address}/meeting/changes", headers=headers).status_code

    def nothing(_: int) -> int:
        return null.get("/null/poll").status_code

    wanted: dict[str, tuple[Callable[[int], int], int]] = {
        "null page with a session": (nothing, 304),
        "poll, nothing new": (poll, 304),
        "poll, news": (news, 200),
        "save of a field": (save, 200),
    }
    figures: dict[str, list[float]] = defaultdict(list)
    for turn in range(TURNS):
        let_in(turn)
        for title, (ask, status) in wanted.items():
            begun = time.process_time()
            for number in range(turn * REQUESTS_A_TURN, (turn + 1) * REQUESTS_A_TURN):
                assert ask(number) == status, title
            figures[title].append((time.process_time() - begun) / REQUESTS_A_TURN * 1000)
    usual = statistics.median(figures["null page with a session"])
    print(f"{name}, {groups} groups of two; CPU of the web process, median of {TURNS} turns (lowest to highest)")
    for title, turns in figures.items():
        median = statistics.median(turns)
        print(f"  {title:30} {median:6.2f} ms ({min(turns):.2f} to {max(turns):.2f}), {median / usual:4.1f} x null")
    services.engine.dispose()


# ---- everybody at once, by two processes -----------------------------------------------------------------------------


def served() -> Callable[..., Iterable[bytes]]:
    """What the web processes serve: the tool, and the null page beside it."""
    tool, null = create_app(build(Settings.from_env(os.environ))), null_app()

    def both(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        app = null if environ["PATH_INFO"].startswith("/null/") else tool
        return app(environ, start_response)

    return both


@contextmanager
def web_processes(url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Serve the tool by `PROCESSES` processes of gunicorn, as `lti-tool serve` does."""
    options = f"-w {PROCESSES} --threads {THREADS} -k gthread -b 127.0.0.1:{PORT} --keep-alive 30 --log-level warning"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options.split(), "--no-control-socket", "tests.load.meetings:served()"],
            env={**os.environ, **settings_for(url)},
            stdout=out,
            stderr=out,
        )
        try:
            yield server
        finally:
            server.terminate()
            server.wait(20)


@dataclass
class Line:
    """One kept-open connection of a browser."""

    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, str], float]:
        """Status, headers and seconds until the whole answer was there. A line that was closed is opened again."""
        body = urlencode(form or {}).encode()
        sent = {"Host": "localhost", **headers}
        if form is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        wire = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
        begun = time.perf_counter()
        for _ in range(2):
            if self.reader is None or self.writer is None:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", PORT)
            try:
                self.writer.write(wire)
                lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                break
            except (ConnectionError, asyncio.IncompleteReadError):
                self.reader = self.writer = None
        else:
            return 0, {}, time.perf_counter() - begun
        got = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        status = int(lines[0].split(" ")[1])
        if status != 304:
            await self.reader.readexactly(int(got.get("content-length", "0")))
        seconds = time.perf_counter() - begun
        if got.get("connection", "").lower() == "close":
            self.writer.close()
            self.reader = self.writer = None
        return status, got, seconds


async def everybody(
    addresses: list[Address], seconds: float
) -> tuple[dict[str, list[float]], Counter[tuple[str, int]]]:
    """Let all pages poll and half of them type; the seconds of each answer after the warm-up, and statuses of all."""
    begun = time.perf_counter()
    ends_at = begun + WARM_UP + seconds
    figures: dict[str, list[float]] = defaultdict(list)
    statuses: Counter[tuple[str, int]] = Counter()

    def note(what: str, status: int, took: float) -> None:
        statuses[what, status] += 1
        if time.perf_counter() > begun + WARM_UP:
            figures[what].append(took * 1000)

    async def follows(number: int, address: Address) -> None:
        path, proof = address
        line, etag = Line(), ""
        await asyncio.sleep(POLL_EVERY * number / len(addresses))
        while time.perf_counter() < ends_at:
            status, got, took = await line.ask("GET", f"{path}/meeting/changes", {**proof, "If-None-Match": etag})
            etag = got.get("etag", etag)
            note("poll, news" if status == 200 else "poll, nothing new", status, took)
            await asyncio.sleep(POLL_EVERY)

    async def types(number: int, address: Address) -> None:
        path, proof = address
        line = Line()
        await asyncio.sleep(SAVE_EVERY * number / len(addresses) * 2)
        while time.perf_counter() < ends_at:
            due = time.perf_counter() + SAVE_EVERY
            form = {"win_or_challenge": f"Words {due}", "device": f"d{number}"}
            status, _, took = await line.ask("POST", f"{path}/step/check_in/save", proof, form)
            note("save of a field", status, took)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def looks_at_nothing(number: int) -> None:
        line = Line()
        _, got, _ = await line.ask("GET", "/null/in", {})
        cookie = got["set-cookie"].split(";")[0]
        await asyncio.sleep(POLL_EVERY * number / NULL_PAGES)
        while time.perf_counter() < ends_at:
            status, _, took = await line.ask("GET", "/null/poll", {"Cookie": cookie})
            note("null page with a session", status, took)
            await asyncio.sleep(POLL_EVERY)

    typing = addresses[: len(addresses) // 2]
    await asyncio.gather(
        *(follows(*each) for each in enumerate(addresses)),
        *(types(*each) for each in enumerate(typing)),
        *(looks_at_nothing(number) for number in range(NULL_PAGES)),
    )
    return figures, statuses


def _browsers(addresses: list[Address], seconds: float) -> tuple[dict[str, list[float]], Counter[tuple[str, int]]]:
    return asyncio.run(everybody(addresses, seconds))


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process and its children used."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ticks = os.sysconf("SC_CLK_TCK")
    spent = 0.0
    for one in (str(pid), *children):
        parts = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        spent += (int(parts[11]) + int(parts[12])) / ticks
    return spent


def serve_together(name: str, url: str, groups: int, seconds: float, log: Path) -> None:
    """All meetings at once: how long each kind of answer took, and what the processes said."""
    addresses = in_their_meetings(url, groups)
    with web_processes(url, log) as server:
        time.sleep(8)
        before, begun = cpu_of(server.pid), time.perf_counter()
        # In a process of its own, so that the browsers cost the servers no time but that of the machine.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            figures, statuses = pool.apply(_browsers, (addresses, seconds))
        spent = (cpu_of(server.pid) - before) / (time.perf_counter() - begun)
    print(f"{name}, {groups} meetings with both pages open, one of each group typing; {PROCESSES} web processes,")
    print(
        f"  {seconds:.0f} s after {WARM_UP:.0f} s to warm up; the processes had {spent:.2f} of {os.cpu_count()} cores"
    )
    for title, took in sorted(figures.items()):
        at = statistics.quantiles(took, n=20) if len(took) > 1 else [took[0]] * 19
        rate = len(took) / seconds
        print(f"  {title:30} median {at[9]:7.1f} ms, p95 {at[18]:7.1f} ms, {rate:6.1f} a second")
    print(f"  statuses: {dict(sorted(statuses.items()))}")
    said = log.read_text(errors="replace")
    print(
        f"  'database is locked' in the log: {said.count('database is locked')}; tracebacks: {said.count('Traceback')}"
    )


# ---- both ------------------------------------------------------------------------------------------------------------


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--groups", type=int, default=200)
    asked.add_argument("--together", type=float, metavar="SECONDS")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:

        def run(name: str, url: str) -> None:
            if given.together:
                serve_together(name, url, given.groups, given.together, Path(folder) / f"{name}.log")
            else:
                measure(name, url, given.groups)

        run("SQLite", f"sqlite:///{Path(folder) / 'meetings.db'}")
        server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
        database = "tandem_meetings"
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {database}"))
        run("PostgreSQL", POSTGRES.rsplit("/", 1)[0].replace("+psycopg", "") + f"/{database}")
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {database} WITH (FORCE)"))


if __name__ == "__main__":
    main()
