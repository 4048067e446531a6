"""One login, one visit: however many threads and processes bring the same launch."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from lti_tool.jobs.models import Job
from lti_tool.launch.errors import LaunchSpent
from lti_tool.launch.models import Course, LaunchState, Member, Person, Placement
from lti_tool.launch.rules.bindings import LOGIN_LIFETIME
from lti_tool.launch.service.logins import claim_state
from lti_tool.settings import Settings
from lti_tool.support.crypto import fingerprint
from lti_tool.support.db import OpenSession, across_institutions
from tests.contract.launch_stage import Stage
from tests.factories.people import a_registration, an_institution
from tests.fakes.clock import FakeClock
from tests.functional.launching import Browser

pytestmark = pytest.mark.store


def counts(open_session: OpenSession) -> dict[str, int]:
    with open_session() as session, across_institutions(session):
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Person, Course, Placement, Member)
        }


def test_eight_posts_of_one_launch_open_one_visit(stage: Stage, launch_app: Flask) -> None:
    begun = stage.begin()
    token = stage.first.sign(stage.claims(begun))
    stage.launch()
    before, start, statuses = stage.visits(), threading.Barrier(8), []

    def post() -> None:
        browser = Browser(launch_app)
        browser.client.set_cookie(begun.cookie, begun.secret)
        start.wait(20)
        statuses.append(stage.post(begun, token, browser=browser).status_code)

    together(post)
    assert sorted(statuses) == [303] + [409] * 7
    assert stage.visits() == before + 1


def test_eight_proofs_of_one_launch_open_one_visit(stage: Stage, launch_app: Flask) -> None:
    begun = stage.begin()
    without_cookie = Browser(launch_app, keeps_cookies=False)
    page = stage.post(begun, stage.first.sign(stage.claims(begun)), browser=without_cookie)
    assert page.status_code == 200
    start, statuses = threading.Barrier(8), []

    def prove() -> None:
        start.wait(20)
        statuses.append(Browser(launch_app, keeps_cookies=False).confirm(begun.state, begun.secret).status_code)

    together(prove)
    assert sorted(statuses) == [303] + [409] * 7
    assert stage.visits() == 1


def test_a_class_that_arrives_at_once_makes_each_thing_once(
    stage: Stage, launch_app: Flask, open_session: OpenSession
) -> None:
    statuses: list[int] = []
    start = threading.Barrier(8)
    numbers = iter(range(8))

    def arrive() -> None:
        # Four people, each in two tabs.
        sub = f"person-{next(numbers) % 4}"
        browser = Browser(launch_app)
        begun = stage.begin(browser=browser)
        claims = stage.claims(begun) | {"sub": sub}
        start.wait(20)
        statuses.append(stage.post(begun, stage.first.sign(claims), browser=browser).status_code)

    together(arrive)
    assert statuses == [303] * 8
    assert stage.visits() == 8
    assert counts(open_session) == {"person": 4, "course": 1, "placement": 1, "member": 4}
    with open_session() as session:
        assert session.scalar(select(func.count()).select_from(Job).where(Job.name == "roster.sync")) == 1


def together(act: object, times: int = 8) -> None:
    threads = [threading.Thread(target=act) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


CLAIM = """
import sys, json
from datetime import datetime
from lti_tool.launch.errors import LaunchSpent
from lti_tool.launch.service.logins import claim_state
from lti_tool.support.db import make_engine, session_opener
import lti_tool.web.audit

asked = json.loads(sys.argv[1])
open_session = session_opener(make_engine(asked["url"]))
with open_session() as session:
    session.connection()
print("ready", flush=True)
sys.stdin.readline()
won = 0
for state_hash in asked["states"]:
    try:
        with open_session() as session:
            claim_state(session, state_hash, now=datetime.fromisoformat(asked["now"]))
            won += 1
    except LaunchSpent:
        pass
print(won, flush=True)
"""


def test_two_processes_never_use_one_login_twice(
    settings: Settings, open_session: OpenSession, clock: FakeClock, engine: object
) -> None:
    states = [fingerprint(f"state-{number}") for number in range(40)]
    with open_session() as session:
        registration = a_registration(session, an_institution(session))
        session.add_all(
            LaunchState(
                state_hash=state,
                nonce_hash="n",
                registration_id=registration.id,
                target_link_uri="http://localhost:8000/",
                secret_hash="s",
                expires_at=clock.now() + LOGIN_LIFETIME,
            )
            for state in states
        )
    asked = json.dumps({"url": settings.sqlalchemy_url, "states": states, "now": clock.now().isoformat()})
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    won = [int(process.communicate("go\n", timeout=60)[0]) for process in _started(processes)]
    assert sum(won) == len(states)


def _started(processes: list[subprocess.Popen[str]]) -> list[subprocess.Popen[str]]:
    """All off at once, before anybody waits for one of them."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return processes


def test_a_login_that_is_over_cannot_be_used(open_session: OpenSession, clock: FakeClock, stage: Stage) -> None:
    begun = stage.begin()
    clock.advance(LOGIN_LIFETIME)
    with open_session() as session, pytest.raises(LaunchSpent):
        claim_state(session, fingerprint(begun.state), now=clock.now())
    assert stage.post(begun, stage.first.sign(stage.claims(begun))).status_code == 401
