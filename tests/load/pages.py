"""What pages and actions of a large course cost. Run: python -m tests.load.pages [--learners N] [--profile NAME]

Builds a course on SQLite with a published plan of four rounds, in which half of the people gave feedback in round 1,
and prints the median CPU time of this process for each page, for saving what is typed and for giving feedback.
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

from sqlalchemy import insert, select

from lti_tool.activities.models import Round
from lti_tool.app import create_app
from lti_tool.feedback.models import Entry
from lti_tool.grades.models import ScoreState  # noqa: F401 - its table is made with the others
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Seat
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import Base, make_engine
from lti_tool.wiring import build
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, a_school

TIMES = 5
ROUNDS = 4
PAGES = {
    "overview": ("instructor", "/"),
    "plan": ("instructor", "/plan"),
    "progress": ("instructor", "/progress"),
    "figures": ("instructor", "/figures"),
    "people": ("instructor", "/people"),
    "grades": ("instructor", "/grades"),
    "home": ("learner", "/"),
    "feedback": ("learner", "/feedback"),
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


def measure(name: str, act: Callable[[], object], profile: str | None) -> None:
    act()
    spent = []
    for _ in range(TIMES):
        began = time.process_time()
        act()
        spent.append(time.process_time() - began)
    print(f"{name:20} {statistics.median(spent) * 1000:8.1f} ms")
    if profile == name:
        profiler = cProfile.Profile()
        profiler.runcall(act)
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)


def acts(school: School) -> dict[str, Callable[[], object]]:
    """Somebody types, and gives their feedback and takes a word of it back and gives it again."""
    author = school.group.learners[1].id
    with school.kit.open_session(school.institution_id) as session:
        view = next(
            one for one in pairing.groups_of(session, author, school.group.activity.id) if one.round_number == 2
        )
    visitor, path = school.learner(1), f"/round/2/for/{view.partners[0].member_id}"
    texts = {
        "next_time_1": "Pause",
        "behavior": "Asked",
        "effect": "Thought",
        "suggestion": "Wait",
    }
    number = count()

    def autosave() -> None:
        assert visitor.send(f"{path}/save", strengths=f"Calm {next(number)}").status_code == 200

    def give() -> None:
        assert visitor.send(path, do="give", strengths=f"Calm {next(number)}", **texts).status_code == 303

    return {"autosave": autosave, "give": give}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, default=2000)
    parser.add_argument("--profile")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        school = a_busy_school(f"sqlite:///{Path(folder)}/tandem.db", asked.learners)
        gc.collect()  # as `lti-tool serve` does
        gc.freeze()
        visitors = {"instructor": school.somebody("instructor"), "learner": school.learner(0)}
        for name, (role, path) in PAGES.items():
            if asked.profile in (None, name):
                measure(name, lambda role=role, path=path: visitors[role].get(path), asked.profile)
        for name, act in acts(school).items():
            if asked.profile in (None, name):
                measure(name, act, asked.profile)


if __name__ == "__main__":
    main()
