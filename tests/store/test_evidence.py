"""Figures are the same on both databases, and a report is kept once however often it is asked for."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import RoundDates
from lti_tool.evidence import service
from lti_tool.evidence.models import ClosingReport
from lti_tool.jobs.models import Job
from lti_tool.meetings.models import MeetingTime
from lti_tool.support import paper
from lti_tool.support.db import OpenSession
from lti_tool.support.paper import PdfState
from tests.factories.feedback import Classroom, a_classroom
from tests.factories.lived import live_through
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
NAMES = ("Mette", "Jonas", "Sara", "Omar", "Lena", "Tom")


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock) -> Classroom:
    now = clock.now()
    with open_session() as session:
        rounds = tuple(RoundDates(due_at=now + timedelta(days=days)) for days in (7, 14))
        groups = (NAMES[:3], NAMES[3:])
        room = a_classroom(session, *NAMES, now=now, groups=groups, rounds=rounds, survey=())
        live_through(session, room.activity, since=now - timedelta(days=7))
        return room


def test_every_figure_is_counted(open_session: OpenSession, clock: FakeClock, room: Classroom) -> None:
    with open_session(room.institution.id) as session:
        part = service.part_of(session, session.get_one(Activity, room.activity.id), now=clock.now())
    counted = {table.figure.key: [[cell.value for cell in row.cells] for row in table.rows] for table in part.tables}
    assert counted["meetings"] == [[2, 2], [2, 0]]
    assert counted["delays"] == [[2, 3, 0, 0, 30.0]]
    assert counted["usefulness"] == [[0.5, 4], [0.5, 4]]
    assert counted["actions"] == [[2, 2, 1, 1]]
    assert counted["goals"] == [[1], [2], [2], [1]]
    assert counted["fairness"][1] == [1, 1, 1, 0, 6]
    assert counted["sharing"] == [[4], [2], [0], [0], [0]]
    assert [row[:2] for row in counted["survey"]] == [[2.5, 4]] * 5


def test_a_rhythm_counts_with_every_date_that_is_not_skipped(
    open_session: OpenSession, clock: FakeClock, room: Classroom
) -> None:
    with open_session(room.institution.id) as session:
        time = session.scalars(select(MeetingTime).order_by(MeetingTime.starts_at.desc())).first()
        assert time is not None
        time.starts_at, time.rhythm, time.skipped = clock.now(), "weekly", [2]
        facts = service.facts_of(session, session.get_one(Activity, room.activity.id), now=clock.now())
    days = [meeting.planned_on for meeting in facts.meetings if len(meeting.planned_on) > 1]
    today = clock.now().date()
    assert days == [(today, today + timedelta(days=14))]


def test_a_report_that_is_asked_for_again_takes_the_place_of_the_one_before(
    open_session: OpenSession, clock: FakeClock, room: Classroom
) -> None:
    with open_session(room.institution.id) as session:
        activity = session.get_one(Activity, room.activity.id)
        for document in ("old", "new"):
            report = service.keep_document(session, activity, document, can_print=True, now=clock.now())
        paper.keep_pdf(session, ClosingReport, report.id, "old", (b"old", PdfState.READY))
        assert service.pdf_of(session, activity) is None
        assert paper.waiting_document(session, ClosingReport, report.id) == "new"
        paper.keep_pdf(session, ClosingReport, report.id, "new", (b"new", PdfState.READY))
        assert service.pdf_of(session, activity) == b"new"
        assert paper.waiting_document(session, ClosingReport, report.id) is None
        assert len(session.scalars(select(Job).where(Job.name == service.PDF)).all()) == 1


def test_a_report_is_not_ready_without_its_pdf(open_session: OpenSession, clock: FakeClock, room: Classroom) -> None:
    def keep() -> None:
        with open_session(room.institution.id) as session:
            row = {"activity_id": room.activity.id, "made_at": clock.now(), "pdf_state": "ready"}
            session.add(ClosingReport(**row))

    with pytest.raises(IntegrityError):
        keep()
