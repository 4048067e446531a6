"""Workers killed amid scores and rosters while a fifth of all calls fails: all is right in the end, and about once."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func, select

from lti_tool.activities.models import Activity
from lti_tool.grades import service as grades
from lti_tool.grades.models import ScoreState
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import LEASE
from lti_tool.launch.models import Member, Person
from lti_tool.roster import service as roster
from lti_tool.roster.models import RosterSync
from lti_tool.settings import Settings
from lti_tool.support.kit import Kit
from sandbox_lms import Person as LmsPerson
from sandbox_lms import scores
from sandbox_lms.faults import Fault, Faults
from sandbox_lms.scores import Cell, Verdict
from tests.contract.campus import Campus, a_campus
from tests.contract.test_gradebook_scores import Progress, place
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store

WORKER = """
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
for models in Path("lti_tool").glob("*/models.py"):
    import_module(f"lti_tool.{models.parent.name}.models")
from lti_tool.jobs.worker import Worker
from lti_tool.settings import Settings
from lti_tool.support.http import Outbound
from lti_tool.wiring import build

url, key, port, ahead = sys.argv[1:]

class Ahead:
    by = timedelta(seconds=float(ahead))
    def now(self):
        return datetime.now(UTC) + self.by

clock = Ahead()
settings = replace(Settings(), base_url="http://localhost:8000", development=True, database_url=url, secret_keys=(key,))
services = build(settings, clock=clock)
http = Outbound((("127.0.0.1", int(port)),), development=True, pause=lambda _: None)
worker = Worker(replace(services.kit, http=http), services.handlers, threads=4)
worker.start()
for line in sys.stdin:
    clock.by = timedelta(seconds=float(line))
worker.stop()
"""
"""A worker whose clock is as far ahead as it is told, and that ends when nobody talks to it any more."""

PATIENCE: Final = timedelta(minutes=30)


class RunningClock(FakeClock):
    """The machine's clock, ahead by what a test says."""

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    def advance(self, by: timedelta) -> datetime:
        self.by += by
        return self.now()


class Storm(Faults):
    """One call in five fails, in any of these ways, for as long as the LMS runs."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._chance, self._guard = random.Random(seed), threading.Lock()

    def take(self, endpoint: str, page: int = 1) -> Fault | None:
        with self._guard:
            if endpoint == "jwks" or self._chance.random() >= 0.2:
                return None
            ways = [
                Fault(endpoint, status=500),
                Fault(endpoint, status=503),
                Fault(endpoint, status=429, headers={"Retry-After": "2"}),
                Fault(endpoint, drops="before"),
                Fault(endpoint, drops="after"),
                Fault(endpoint, replaces_body=True, body="<html>oops", content_type="text/html"),
            ]
            if endpoint == "roster":
                ways.append(Fault(endpoint, break_after_page=0))
            return self._chance.choice(ways)


class Crew:
    """The tool's worker, a process of its own, which a test kills and starts again."""

    def __init__(self, campus: Campus, clock: RunningClock, settings: Settings) -> None:
        self._campus, self._clock, self._settings = campus, clock, settings
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        ahead = str(self._clock.by.total_seconds())
        arguments = [self._settings.database_url, self._settings.secret_keys[0], str(self._campus.lms.port), ahead]
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def kill(self) -> None:
        """kill -9. What it held is free for the next one once its lease is over."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.kill()
            process.stdin.close()
            process.wait(60)

    def kill_once(self, count: Callable[[], int], enough: int) -> None:
        """Start, kill when so much is counted, and let the lease pass."""
        self.start()
        self._wait(lambda: count() >= enough)
        self.kill()
        self._clock.advance(LEASE * 2)

    def work_to_the_end(self) -> None:
        """Run until no job waits, letting the clock jump over every pause."""
        self.start()
        self._wait(self._is_done)
        self.kill()

    def _wait(self, is_time: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE.total_seconds()
        while not is_time():
            assert self._process is not None
            assert self._process.poll() is None, "the worker ended by itself"
            assert time.monotonic() < end, "the work never ended"
            self._skip_pauses()
            time.sleep(0.01)

    def _skip_pauses(self) -> None:
        """Where every job waits for its time, let it come."""
        with self._campus.kit.open_session() as session:
            session.connection(execution_options={"sqlite_begin": "DEFERRED"})
            is_running = session.scalar(select(Job.id).where(Job.state == "running").limit(1)) is not None
            due: datetime | None = session.scalar(select(func.min(Job.due_at)).where(Job.state == "waiting"))
        if is_running or due is None or due <= self._clock.now():
            return
        self._clock.advance(due - self._clock.now())
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{self._clock.by.total_seconds()}\n")
        self._process.stdin.flush()

    def _is_done(self) -> bool:
        with self._campus.kit.open_session() as session:
            session.connection(execution_options={"sqlite_begin": "DEFERRED"})
            return session.scalar(select(Job.id).where(Job.state.in_(["waiting", "running"])).limit(1)) is None


@contextmanager
def a_stormy_campus(kit: Kit, settings: Settings) -> Iterator[tuple[Campus, Crew]]:
    clock = RunningClock()
    with a_campus(replace(kit, clock=clock), clock, "canvas") as campus:
        crew = Crew(campus, clock, settings)
        try:
            yield campus, crew
        finally:
            crew.kill()


def note(campus: Campus, activity_id: int, member_ids: dict[str, int], fractions: dict[str, Fraction]) -> None:
    """What people have done by now, by sub."""
    for some in [list(fractions)[at : at + 100] for at in range(0, len(fractions), 100)]:
        with campus.open() as session:
            activity = session.get_one(Activity, activity_id)
            for sub in some:
                progress = Progress(fractions[sub], fractions[sub] == 1)
                grades.note_progress(session, activity, member_ids[sub], progress, now=campus.clock.now())


@pytest.mark.parametrize(("people", "kills"), [(20, 1), pytest.param(2_000, 5, marks=pytest.mark.nightly)])
def test_scores_are_right_and_sent_about_once_however_often_a_worker_is_killed(
    kit: Kit, settings: Settings, monkeypatch: pytest.MonkeyPatch, people: int, kills: int
) -> None:
    taken: dict[str, list[float]] = defaultdict(list)
    judge = scores.RULES["canvas"]

    def judge_and_write_down(cell: Cell, body: bytes) -> Verdict:
        verdict, score = judge(cell, body), scores.read_score(body)
        if verdict.status == 200 and score is not None and score.given is not None and score.maximum:
            taken[score.person].append(round(100 * score.given / score.maximum, 3))
        return verdict

    monkeypatch.setitem(scores.RULES, "canvas", judge_and_write_down)
    with a_stormy_campus(kit, settings) as (campus, crew):
        learners: list[LmsPerson] = campus.lms.fill_course(campus.lms.course(), people)
        campus.sync()
        graded = place(campus, score_mode="proportional")
        ids = {sub: member.id for sub, member in campus.members().items()}
        first = {person.sub: Fraction(at % 19 + 1, 20) for at, person in enumerate(learners)}
        note(campus, graded.activity_id, ids, first)
        campus.lms.faults = Storm(people)

        for turn in range(1, kills + 1):
            crew.kill_once(lambda: sum(map(len, taken.values())), people * turn // (kills + 2))
        # Some get further while their first score is on its way, or has just arrived.
        later = {person.sub: Fraction(1) for person in learners[::3]}
        note(campus, graded.activity_id, ids, later)
        crew.work_to_the_end()

        wanted = {sub: [100 * one for one in dict.fromkeys((first[sub], later.get(sub, first[sub])))] for sub in first}
        shown = {person.sub: campus.lms.score_of(graded.link, person) for person in learners}
        assert shown == {sub: pytest.approx(float(values[-1]), abs=0.01) for sub, values in wanted.items()}
        with campus.open() as session:
            assert Counter(session.scalars(select(ScoreState.state))) == {"delivered": people}
    for sub, sent in taken.items():
        # Never another value, and never an older one after a newer one.
        assert set(sent) <= set(map(float, wanted[sub])), sub
        assert sent == sorted(sent)
    again = sum(len(sent) - len(set(sent)) for sent in taken.values())
    assert again <= kills * 2 + people // 50


@pytest.mark.parametrize(("people", "kills"), [(300, 1), pytest.param(20_000, 4, marks=pytest.mark.nightly)])
def test_a_roster_is_read_whole_and_nobody_is_doubled_however_often_a_worker_is_killed(
    kit: Kit, settings: Settings, people: int, kills: int
) -> None:
    with a_stormy_campus(kit, settings) as (campus, crew):
        campus.lms.fill_course(campus.lms.course(), people)
        with campus.open() as session:
            roster.ask_for_sync(session, campus.course_id, now=campus.clock.now())
        campus.lms.faults = Storm(people)

        pages = people // 50
        for turn in range(1, kills + 1):
            crew.kill_once(lambda: campus.seen("/memberships"), pages * turn // (kills + 1))
        crew.work_to_the_end()

        enrolled = {one.person.sub: one.role.value for one in campus.lms.course().enrolments.values()}
        with campus.open() as session:
            listed = session.execute(
                select(Person.sub, Member.role)
                .join(Member, Member.person_id == Person.id)
                .where(Member.status == "active")
            ).all()
            reading = session.scalars(select(RosterSync).order_by(RosterSync.id.desc())).first()
            assert session.scalar(select(func.count()).select_from(Person)) == len(enrolled)
        assert len(listed) == len(enrolled)
        assert {one.sub: one.role for one in listed} == enrolled
        assert reading is not None
        assert reading.failure is None
