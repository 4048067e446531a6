"""A reported text is set aside at once, staff decide, and nobody's dates run meanwhile."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Allowance
from lti_tool.activities.rules import Release
from lti_tool.feedback import rules as feedback_rules
from lti_tool.feedback import service as feedback
from lti_tool.feedback.errors import FeedbackHidden, FeedbackRead
from lti_tool.feedback.models import Entry
from lti_tool.progress import service as progress
from lti_tool.progress.rules import Item, State
from lti_tool.reports import service
from lti_tool.reports.errors import NothingToReport, NotModerator, ReportDecided, ReportHidden, ReportRefused
from lti_tool.reports.models import Report, ReportEvent
from lti_tool.reports.rules import Outcome
from lti_tool.support.db import OpenSession
from tests.factories.feedback import Classroom, a_classroom, given
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
DAY = timedelta(days=1)
HURT = "You are hopeless. Wait one breath longer."


def a_hurtful_text(session: Session, clock: FakeClock, **settings: object) -> tuple[Classroom, Entry]:
    """Mette wrote something that hurts Jonas, who can read it."""
    room = a_classroom(session, "Mette", "Jonas", "Sara", now=clock.now(), release=Release.AT_ONCE, **settings)
    return room, given(session, room.task(session, "Mette", "Jonas"), now=clock.now(), suggestion=HURT)


def person(room: Classroom, name: str) -> int:
    return room.members[name].person_id


def reported(session: Session, room: Classroom, entry: Entry, clock: FakeClock, by: str = "Jonas") -> Report:
    subject = service.subject_of_text(session, room.course.id, entry.id, room.members[by].id, now=clock.now())
    return service.report(session, subject, "hurts", "Read the last part.", by=person(room, by), now=clock.now())


def decide(session: Session, room: Classroom, report: Report, clock: FakeClock, outcome: str, *passages: str) -> None:
    by, seen = person(room, "Ingrid"), report.version
    service.decide(session, report, outcome, "Be kind.", passages, seen_version=seen, by=by, now=clock.now())


def readable_by(session: Session, room: Classroom, entry: Entry, name: str, clock: FakeClock) -> bool:
    reader = feedback_rules.Reader(room.members[name].id, is_staff=name == "Ingrid")
    try:
        feedback.read_entry(session, entry.id, reader, room.course.id, now=clock.now())
    except FeedbackHidden:
        return False
    return True


def test_a_reported_text_is_read_by_its_author_alone(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock, staff_read_feedback=True)
        assert [readable_by(session, room, entry, name, clock) for name in ("Mette", "Jonas", "Ingrid")] == [True] * 3
        report = reported(session, room, entry, clock)
        seen = {name: readable_by(session, room, entry, name, clock) for name in ("Mette", "Jonas", "Ingrid", "Sara")}
        assert seen == {"Mette": True, "Jonas": False, "Ingrid": False, "Sara": False}
        assert all(item["texts"] == {} or item["direction"] == "given" for item in texts_of(session, room, "Jonas"))
        assert reported(session, room, entry, clock).id == report.id, "reported twice, it is one report"
        task = room.task(session, "Mette", "Jonas")
        feedback.save_draft(session, task, {"suggestion": "Never said"}, {}, device="", now=clock.now())
        with pytest.raises(FeedbackRead):
            feedback.give(session, task, now=clock.now())
        assert report.original["suggestion"] == HURT


def texts_of(session: Session, room: Classroom, name: str) -> list[dict[str, object]]:
    return feedback.texts_of(session, person(room, name))


def test_only_its_receiver_reports_a_text_and_only_once_it_can_be_read(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", "Sara", now=clock.now())
        entry = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        for name in ("Jonas", "Mette", "Sara"):
            with pytest.raises(NothingToReport):
                reported(session, room, entry, clock, by=name)
        given(session, room.task(session, "Jonas", "Mette"), now=clock.now())
        reported(session, room, entry, clock)


def test_hidden_passages_are_gone_for_everybody_and_come_back(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        report = reported(session, room, entry, clock)
        decide(session, room, report, clock, Outcome.PASSAGES_HIDDEN, "suggestion:0")
        assert entry.fields["suggestion"] == "[…] Wait one breath longer."
        assert readable_by(session, room, entry, "Jonas", clock)
        decide(session, room, report, clock, Outcome.HIDDEN)
        assert not readable_by(session, room, entry, "Jonas", clock)
        decide(session, room, report, clock, Outcome.RESTORED)
        assert entry.fields["suggestion"] == HURT
        assert readable_by(session, room, entry, "Jonas", clock)
        acts = session.scalars(select(ReportEvent.act).order_by(ReportEvent.id)).all()
        assert acts == ["reported", "passages_hidden", "hidden", "restored"]


def test_what_was_added_later_is_set_aside_and_hidden_with_it(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        feedback.mark_read(session, entry, now=clock.now())
        feedback.add_later(session, room.task(session, "Mette", "Jonas"), "And a fool.", now=clock.now())
        report = reported(session, room, entry, clock)
        assert report.original["addition-0"] == "And a fool."
        decide(session, room, report, clock, Outcome.PASSAGES_HIDDEN, "addition-0:0")
        assert [one["text"] for one in entry.additions] == ["[…]"]
        assert "addition-0" not in entry.fields


def test_a_decision_made_a_moment_ago_is_not_overwritten(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        report = reported(session, room, entry, clock)
        seen, by = report.version, person(room, "Ingrid")
        decide(session, room, report, clock, Outcome.RESTORED)
        with pytest.raises(ReportDecided):
            service.decide(session, report, Outcome.HIDDEN, "No.", seen_version=seen, by=by, now=clock.now())
        with pytest.raises(ReportDecided):
            service.take_back(session, report, by=person(room, "Jonas"), now=clock.now())
        with pytest.raises(ReportRefused):
            decide(session, room, report, clock, Outcome.PASSAGES_HIDDEN, "suggestion:77")


def test_a_report_taken_back_is_gone_for_staff(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        report = reported(session, room, entry, clock)
        assert service.open_reports(session, room.activity, "instructor") == 1
        service.take_back(session, report, by=person(room, "Jonas"), now=clock.now())
        assert readable_by(session, room, entry, "Jonas", clock)
        assert service.reports_of(session, room.activity, "instructor") == []
        with pytest.raises(ReportHidden):
            service.read_report(session, room.activity, "instructor", report.id, by=1, now=clock.now())


def test_assistants_know_nothing_unless_the_activity_says_so(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        report, by = reported(session, room, entry, clock), person(room, "Ingrid")
        assert service.open_reports(session, room.activity, "assistant") == 0
        with pytest.raises(NotModerator):
            service.read_report(session, room.activity, "assistant", report.id, by=by, now=clock.now())
        room.activity.assistants_moderate = True
        for _ in range(2):
            view = service.read_report(session, room.activity, "assistant", report.id, by=by, now=clock.now())
        assert [event.act for event in view.events] == ["reported", "read"], "who opened it is noted once an hour"
        assert (view.reporter_name, view.reported_name) == ("Jonas", "Mette")


def test_nobodys_dates_run_while_staff_decide(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        due_at = room.rounds[0].due_at
        assert due_at is not None
        clock.advance(6 * DAY)
        report = reported(session, room, entry, clock)
        clock.advance(5 * DAY)
        states = {item.step.key: item.state for item in checklist(session, room, "Jonas", clock)}
        assert states["give_feedback"] is State.OPEN, "without the report it would be missed"
        assert states["acknowledge"] is State.EXCUSED
        decide(session, room, report, clock, Outcome.RESTORED)
        allowed = session.execute(select(Allowance.member_id, Allowance.due_at)).all()
        assert dict(allowed) == {room.members[name].id: due_at + 5 * DAY for name in ("Mette", "Jonas")}
        states = {item.step.key: item.state for item in checklist(session, room, "Jonas", clock)}
        assert states["acknowledge"] is State.OPEN


def checklist(session: Session, room: Classroom, name: str, clock: FakeClock) -> list[Item]:
    _, tasks = progress.progress_and_tasks_of(session, room.activity.id, room.members[name].id, clock.now())
    return list(tasks.items)


def test_the_author_learns_of_it_when_staff_say_so_and_never_from_whom(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        report = reported(session, room, entry, clock)
        mette, jonas = room.members["Mette"].id, room.members["Jonas"].id
        assert service.news_of(session, room.activity, mette, now=clock.now()) == []
        with pytest.raises(NothingToReport):
            service.report_for_author(session, room.course.id, entry.id, mette)
        service.tell_author(session, report, by=person(room, "Ingrid"), now=clock.now())
        (news,) = service.news_of(session, room.activity, mette, now=clock.now())
        assert (news.partner_id, news.partner_name, news.is_reporter) == (None, None, False)
        (own,) = service.news_of(session, room.activity, jonas, now=clock.now())
        assert (own.partner_name, own.is_reporter, own.outcome) == ("Mette", True, "open")
        with pytest.raises(NothingToReport):
            service.report_for_author(session, room.course.id, entry.id, jonas)


def test_what_happened_can_be_reported_without_a_text(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        mette, jonas, sara = (room.members[name].id for name in ("Mette", "Jonas", "Sara"))
        subject = service.subject_of_meeting(session, room.activity, 1, jonas, mette)
        with pytest.raises(ReportRefused):
            service.report(session, subject, "hurts", "", by=person(room, "Jonas"), now=clock.now())
        report = service.report(session, subject, "hurts", "She shouted.", by=person(room, "Jonas"), now=clock.now())
        assert readable_by(session, room, entry, "Jonas", clock), "no text is touched"
        decide(session, room, report, clock, Outcome.TALKED)
        assert service.news_of(session, room.activity, mette, now=clock.now()) == [], "staff talk to them in person"
        with pytest.raises(NothingToReport):
            service.subject_of_meeting(session, room.activity, 1, sara, mette)


def test_an_erased_reporter_leaves_the_decision_and_none_of_their_words(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
        report = reported(session, room, entry, clock)
        (own,) = service.texts_of(session, {room.members["Jonas"].id})
        assert (own["direction"], own["words"], own["concern"]) == ("given", "Read the last part.", "hurts")
        assert service.texts_of(session, {room.members["Mette"].id}) == [], "nothing was decided"
        decide(session, room, report, clock, Outcome.HIDDEN)
        (theirs,) = service.texts_of(session, {room.members["Mette"].id})
        assert (theirs["direction"], theirs["reason"], "words" in theirs) == ("received", "Be kind.", False)
        service.erase_texts_of(session, {room.members["Jonas"].id})
        session.refresh(report)
        assert (report.words, report.outcome) == ("", Outcome.HIDDEN)


def test_a_text_that_its_author_changes_while_it_is_reported_is_one_text(
    open_session: OpenSession, clock: FakeClock
) -> None:
    """Whoever is quicker: what was reported is what stands there, and nobody but its author reads it any more."""
    with open_session() as session:
        room, entry = a_hurtful_text(session, clock)
    begin = Barrier(2)
    refused: list[FeedbackRead] = []

    def reports() -> None:
        begin.wait(20)
        with open_session(room.institution.id) as session:
            reported(session, room, entry, clock)

    def changes() -> None:
        begin.wait(20)
        try:
            with open_session(room.institution.id) as session:
                task = room.task(session, "Mette", "Jonas")
                feedback.save_draft(session, task, {"suggestion": "Never said"}, {}, device="", now=clock.now())
                feedback.give(session, task, now=clock.now())
        except FeedbackRead as error:
            refused.append(error)

    threads = [Thread(target=act) for act in (reports, changes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with open_session(room.institution.id) as session:
        kept, report = session.get_one(Entry, entry.id), session.scalars(select(Report)).one()
        assert kept.withheld_at is not None
        assert report.original["suggestion"] == kept.fields["suggestion"] == (HURT if refused else "Never said")
        assert not readable_by(session, room, entry, "Jonas", clock)
