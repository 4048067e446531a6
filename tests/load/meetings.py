"""What a poll and a save of a meeting cost, beside a page of Flask that looks up a session: CPU in one process.

`python -m tests.load.meetings [--groups 200]` prints medians over interleaved turns, on SQLite and, where it can be
reached, on PostgreSQL.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask, Response, session
from flask.testing import FlaskClient
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


def null_page() -> FlaskClient:
    """A page that reads a signed session and says nothing."""
    app = Flask("null")
    app.secret_key = "null"

    @app.get("/in")
    def enter() -> str:
        session["visit"] = "1"
        return ""

    @app.get("/poll")
    def poll() -> Response:
        return Response(status=304 if session["visit"] else 401)

    client = app.test_client()
    client.get("/in")
    return client


def measured(name: str, url: str, groups: int) -> None:
    """Fill a database with groups that are in their meetings, and time what their pages ask for."""
    services = build(Settings.from_env({**DEVELOPMENT, "LTI_TOOL_DATABASE_URL": url}))
    app = create_app(services)
    Base.metadata.create_all(services.engine)
    now = services.kit.clock.now()
    names = [f"Learner {number}" for number in range(2 * groups)]
    with services.kit.open_session() as database:
        pairs = tuple(zip(names[::2], names[1::2], strict=True))
        room = a_classroom(database, *names, now=now, groups=pairs, kind="reflection")
        visits = [
            a_visit(database, room.members[name], room.registration, now=now, placement_id=room.placement.id)
            for name in names
        ]
    client, null = app.test_client(), null_page()
    pages = [(f"/v/{visit.key}/round/1", {"Authorization": f"Bearer {secret}"}) for visit, secret in visits]
    etags: dict[int, str] = {}
    for number, (address, headers) in enumerate(pages):
        answer = client.post(f"{address}/step/talk_goals/save", data={"talk_goal_1": f"Goal {number}"}, headers=headers)
        assert answer.status_code == 200, answer.text
    for number, (address, headers) in enumerate(pages):
        etags[number] = client.get(f"{address}/meeting/changes", headers=headers).headers["ETag"]

    def poll(turn: int) -> int:
        number = turn % groups
        address, headers = pages[number]
        wanted = {**headers, "If-None-Match": etags[number]}
        return client.get(f"{address}/meeting/changes", headers=wanted).status_code

    def save(turn: int) -> int:
        # The first half of the groups only listens.
        address, headers = pages[groups + turn % groups]
        typed = {"win_or_challenge": f"Words {turn} {time.monotonic()}"}
        return client.post(f"{address}/step/check_in/save", data=typed, headers=headers).status_code

    def news(turn: int) -> int:
        address, headers = pages[turn % len(pages)]
        return client.get(f"{address}/meeting/changes", headers=headers).status_code

    def nothing(turn: int) -> int:
        return null.get("/poll").status_code

    wanted: dict[str, tuple[Callable[[int], int], int]] = {
        "null page with a session": (nothing, 304),
        "poll, nothing new": (poll, 304),
        "poll, news": (news, 200),
        "save of a field": (save, 200),
    }
    figures: dict[str, list[float]] = {title: [] for title in wanted}
    for turn in range(TURNS):
        for title, (ask, status) in wanted.items():
            begun = time.process_time()
            for number in range(REQUESTS_A_TURN):
                assert ask(turn * REQUESTS_A_TURN + number) == status, title
            figures[title].append((time.process_time() - begun) / REQUESTS_A_TURN * 1000)
    usual = statistics.median(figures["null page with a session"])
    print(f"{name}, {groups} groups of two; CPU of the web process, median of {TURNS} turns (lowest to highest)")
    for title, turns in figures.items():
        median = statistics.median(turns)
        print(f"  {title:30} {median:6.2f} ms ({min(turns):.2f} to {max(turns):.2f}), {median / usual:4.1f} x null")
    services.engine.dispose()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--groups", type=int, default=200)
    groups = asked.parse_args().groups
    with tempfile.TemporaryDirectory() as folder:
        measured("SQLite", f"sqlite:///{Path(folder) / 'meetings.db'}", groups)
    server = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    name = "tandem_meetings"
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    measured("PostgreSQL", POSTGRES.rsplit("/", 1)[0].replace("+psycopg", "") + f"/{name}", groups)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


if __name__ == "__main__":
    main()
