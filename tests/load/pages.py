"""What pages and actions of a large course cost. Run: python -m tests.load.pages [--learners N] [--profile NAME]

Builds a course on SQLite with a published plan of four rounds, in which half of the people gave feedback in round 1,
and an institution with so many activities in all. Prints for each page, for saving what is typed and for giving
feedback: the median CPU time of this process, the 95th percentile on the clock, and that of a page without any work
that has as many bytes, asked for in turn.
"""

import argparse
import cProfile
import gc
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path

from flask import Flask
from sqlalchemy import func, insert, select
from werkzeug.test import TestResponse

from lti_tool.activities.models import Round
from lti_tool.app import create_app
from lti_tool.feedback.models import Entry
from lti_tool.grades.models import ScoreState  # noqa: F401 - its table is made with the others
from lti_tool.launch.models import Person
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Seat
from lti_tool.registration.models import Deployment
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import Base, make_engine
from lti_tool.web.visits import VisitKind
from lti_tool.wiring import build
from tests.factories.activities import an_activity
from tests.factories.pairing import a_published_plan
from tests.factories.people import a_course, a_placement
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, Visitor, a_school

TIMES = 20
ROUNDS = 4
PAGES = {
    "overview": ("instructor", "/"),
    "plan": ("instructor", "/plan"),
    "progress": ("instructor", "/progress"),
    "figures": ("instructor", "/figures"),
    "closing report": ("instructor", "/closing-report"),
    "people": ("instructor", "/people"),
    "grades": ("instructor", "/grades"),
    "home": ("learner", "/"),
    "feedback": ("learner", "/feedback"),
    "courses": ("lead", "/institution/courses"),
    "courses in trouble": ("lead", "/institution/courses?show=trouble"),
}


def a_busy_school(url: str, learners: int) -> School:
    """The course, and the tool that serves it."""
    clock = FakeClock(datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    settings = Settings.from_env(
        {
            "LTI_TOOL_DEVELOPMENT": "1",
            "LTI_TOOL_BASE_URL": "http://localhost:8000",
            "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
            "LTI_TOOL_WORKER": "separate",
            "LTI_TOOL_DATABASE_URL": url,
        }
    )
    engine = make_engine(settings.sqlalchemy_url)
    Base.metadata.create_all(engine)
    services = build(settings, clock=clock, engine=engine)
    app = create_app(services)
    weeks = [clock.now() + timedelta(weeks=number) for number in range(1, ROUNDS + 1)]
    school = a_school(app, services.kit, clock, learners, rounds=[(None, week) for week in weeks])
    with services.kit.open_session(school.institution_id) as session:
        a_published_plan(session, school.group, clock.now())
        seats = session.execute(
            select(Seat.group_id, Seat.round_id, Seat.member_id)
            .join(Round, Round.id == Seat.round_id)
            .where(Round.number == 1)
            .order_by(Seat.group_id, Seat.turn)
        ).all()
        given = {
            "activity_id": school.group.activity.id,
            "step": "give_feedback",
            "fields": {"strengths": "Calm"},
            "version": 1,
            "created_at": clock.now(),
            "saved_at": clock.now(),
            "submitted_at": clock.now(),
            "institution_id": school.institution_id,
        }
        rows = [
            {
                **given,
                "round_id": one.round_id,
                "group_id": one.group_id,
                "author_id": one.member_id,
                "recipient_id": other.member_id,
            }
            for one, other in pairwise(seats)
            if one.group_id == other.group_id
        ]
        session.execute(insert(Entry), rows)
    return school


def add_activities(school: School, count: int) -> None:
    """Other courses of the institution, each with an activity."""
    with school.kit.open_session(school.institution_id) as session:
        deployment = session.get_one(Deployment, school.group.course.deployment_id)
        for number in range(count):
            course = a_course(session, deployment, title=f"Course {number}")
            an_activity(session, course, a_placement(session, course), now=school.clock.now())


def measure(name: str, act: Callable[[], TestResponse], profile: str | None) -> None:
    page = act().data
    null = Flask("null")
    null.add_url_rule("/", "null", lambda: page)
    client = null.test_client()
    client.get("/")
    spent, clocked, nulls = [], [], []
    for _ in range(TIMES):
        began, at = time.process_time(), time.perf_counter()
        act()
        spent.append(time.process_time() - began)
        clocked.append(time.perf_counter() - at)
        at = time.perf_counter()
        client.get("/")
        nulls.append(time.perf_counter() - at)
    slowest, null_slowest = (statistics.quantiles(one, n=20)[-1] * 1000 for one in (clocked, nulls))
    print(
        f"{name:20} {statistics.median(spent) * 1000:8.1f} ms CPU   p95 {slowest:8.1f} ms   "
        f"null page p95 {null_slowest:6.1f} ms   {len(page):9,} bytes"
    )
    if profile == name:
        profiler = cProfile.Profile()
        profiler.runcall(act)
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)


def asked_for(visitor: Visitor, path: str) -> TestResponse:
    answer = visitor.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer


def acts(school: School) -> dict[str, Callable[[], TestResponse]]:
    """Somebody types, and gives their feedback and takes a word of it back and gives it again."""
    author = school.group.learners[1].id
    with school.kit.open_session(school.institution_id) as session:
        view = next(
            one
            for one in pairing.published_groups(session, school.group.activity.id, member_id=author)
            if one.round_number == 2
        )
    visitor, path = school.learner(1), f"/round/2/for/{view.partners_of(author)[0]}"
    texts = {
        "next_time_1": "Pause",
        "behavior": "Asked",
        "effect": "Thought",
        "suggestion": "Wait",
    }
    number = count()

    def autosave() -> TestResponse:
        answer = visitor.send(f"{path}/save", strengths=f"Calm {next(number)}")
        assert answer.status_code == 200
        return answer

    def give() -> TestResponse:
        answer = visitor.send(path, do="give", strengths=f"Calm {next(number)}", **texts)
        assert answer.status_code == 303
        return answer

    return {"autosave": autosave, "give": give}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, default=2100)
    parser.add_argument("--activities", type=int, default=500)
    parser.add_argument("--profile")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        school = a_busy_school(f"sqlite:///{Path(folder)}/tandem.db", asked.learners)
        add_activities(school, asked.activities - 1)
        gc.collect()  # as `lti-tool serve` does
        gc.freeze()
        visitors = {
            "instructor": school.somebody("instructor"),
            "learner": school.learner(0),
            "lead": school.somebody("instructor", kind=VisitKind.INSTITUTION, frame_origins=[]),
        }
        with school.kit.open_session(school.institution_id) as session:
            session.get_one(Person, session.scalar(select(func.max(Person.id)))).is_administrator = True
        for name, (role, path) in PAGES.items():
            if asked.profile in (None, name):
                measure(name, lambda role=role, path=path: asked_for(visitors[role], path), asked.profile)
        for name, act in acts(school).items():
            if asked.profile in (None, name):
                measure(name, act, asked.profile)


if __name__ == "__main__":
    main()
