"""Pages of a large course ask the database no more questions than those of a small one."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from lti_tool.feedback.models import Feedback, Note
from lti_tool.grades.models import ScoreState
from lti_tool.grades.places import line_item_of
from lti_tool.pairing import service as pairing
from lti_tool.support.kit import Kit
from lti_tool.web.database import db
from tests.factories.pairing import a_published_plan
from tests.fakes.clock import FakeClock
from tests.functional.teaching import School, a_school

SMALL, LARGE = 6, 60
"""More than a page of any list."""


def a_busy_school(app: Flask, kit: Kit, clock: FakeClock, learners: int) -> School:
    """Everybody has written to their partner in round 1, and a score was refused."""
    due = clock.now() + timedelta(days=7), clock.now() + timedelta(days=14)
    school = a_school(app, kit, clock, learners, rounds=[(None, due[0]), (None, due[1])])
    activity = school.group.activity
    with kit.open_session(school.institution_id) as session:
        plan = a_published_plan(session, school.group, clock.now())
        line = line_item_of(session, activity.id)
        for view in pairing.groups_in_round(session, plan, 1):
            people = [seat.member_id for seat in view.seats]
            for author, recipient in zip(people, people[1:] + people[:1], strict=True):
                feedback = Feedback(
                    activity_id=activity.id,
                    round_id=school.group.rounds[0].id,
                    group_id=view.id,
                    author_id=author,
                    recipient_id=recipient,
                    strengths="Calm",
                    version=1,
                    created_at=clock.now(),
                    saved_at=clock.now(),
                    submitted_at=clock.now(),
                )
                session.add(feedback)
                session.flush()
                session.add(Note(feedback_id=feedback.id, at=clock.now(), text="A question"))
                session.add(
                    ScoreState(
                        line_item_id=line.id,
                        member_id=author,
                        state="refused",
                        reason="not gradable",
                        wanted=1_000_000,
                        changed_at=clock.now(),
                    )
                )
    return school


def questions(school: School, role: str, path: str) -> int:
    """How many statements a page takes, the second time, when what is kept for good is there."""
    visitor = school.learner(0) if role == "learner" else school.somebody(role)
    assert visitor.get(path).status_code == 200
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    with school.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert visitor.get(path).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(asked)


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("instructor", "/"),
        ("instructor", "/plan"),
        ("instructor", "/people"),
        ("instructor", "/plan/effect?do=mend"),
        ("instructor", "/progress"),
        ("instructor", "/grades"),
        ("instructor", "/setup"),
        ("learner", "/"),
        ("learner", "/about-you"),
        ("learner", "/feedback"),
    ],
)
def test_a_page_asks_as_much_of_a_large_course_as_of_a_small_one(
    app: Flask, kit: Kit, clock: FakeClock, role: str, path: str
) -> None:
    small, large = (questions(a_busy_school(app, kit, clock, size), role, path) for size in (SMALL, LARGE))
    assert 0 < large <= small <= 30
