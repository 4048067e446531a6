"""Pages of a large course ask the database no more questions than those of a small one."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from lti_tool.feedback.models import Entry, Note
from lti_tool.grades.models import ScoreState
from lti_tool.grades.service.places import line_item_of
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
        for view in pairing.groups_in_plan(session, plan, 1):
            people = [seat.member_id for seat in view.seats]
            for author, recipient in zip(people, people[1:] + people[:1], strict=True):
                feedback = Entry(
                    activity_id=activity.id,
                    round_id=school.group.rounds[0].id,
                    group_id=view.id,
                    step="give_feedback",
                    author_id=author,
                    recipient_id=recipient,
                    fields={"strengths": "Calm"},
                    version=1,
                    created_at=clock.now(),
                    saved_at=clock.now(),
                    submitted_at=clock.now(),
                )
                session.add(feedback)
                session.flush()
                session.add(Note(entry_id=feedback.id, at=clock.now(), text="A question"))
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page took from the database."""

    statements: int
    rows: int


def asked(school: School, role: str, path: str) -> Asked:
    """What a page takes the second time, when what is kept for good is there."""
    visitor = school.learner(0) if role == "learner" else school.somebody(role)
    assert visitor.get(path).status_code == 200
    statements: list[str] = []
    rows: list[object] = []

    def count_row(_: object, row: object) -> object:
        rows.append(row)
        return row

    def note(_c: object, cursor: Any, statement: str, *_: object) -> None:
        statements.append(statement)
        cursor.row_factory = count_row

    with school.app.app_context():
        engine = db.engine
    event.listen(engine, "after_cursor_execute", note)
    try:
        assert visitor.get(path).status_code == 200
    finally:
        event.remove(engine, "after_cursor_execute", note)
    return Asked(len(statements), len(rows))


@pytest.mark.parametrize(
    ("role", "path", "rows_each"),
    [
        ("instructor", "/", 4),
        ("instructor", "/plan", 7),
        ("instructor", "/people", 2),
        ("instructor", "/plan/effect?do=mend", 5),
        ("instructor", "/progress", 5),
        ("instructor", "/grades", 1),
        ("instructor", "/figures", 7),
        ("instructor", "/figures/steps?row=1-give_feedback&column=done", 8),
        ("instructor", "/closing-report", 7),
        ("instructor", "/setup", 0),
        ("learner", "/", 0),
        ("learner", "/about-you", 0),
        ("learner", "/feedback", 0),
    ],
)
def test_a_page_asks_as_much_of_a_large_course_as_of_a_small_one(
    app: Flask, kit: Kit, clock: FakeClock, role: str, path: str, rows_each: int
) -> None:
    """As many statements, and for each learner no more rows than it has to look at: a seat in each of two rounds, and
    what they are called where they are listed or searched."""
    small, large = (asked(a_busy_school(app, kit, clock, size), role, path) for size in (SMALL, LARGE))

    assert 0 < large.statements <= small.statements <= 32
    assert (large.rows - small.rows) / (LARGE - SMALL) <= rows_each
