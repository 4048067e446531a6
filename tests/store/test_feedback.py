"""Feedback as it is kept: drafts, giving, release, answers, and what other people cannot reach."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from lti_tool.activities.kinds.blocks import AGREE
from lti_tool.activities.kinds.form import LONGEST
from lti_tool.activities.kinds.observation import GIVE_FEEDBACK
from lti_tool.activities.models import Allowance
from lti_tool.activities.rules import Release, RoundDates
from lti_tool.feedback import handlers, rules, service
from lti_tool.feedback.errors import (
    ActivityClosed,
    FeedbackHidden,
    FeedbackIncomplete,
    FeedbackRead,
    NotReadYet,
    NotYourPartner,
    RoundNotOpen,
    TextTooLong,
)
from lti_tool.feedback.models import Entry, Note
from lti_tool.feedback.service import Shown, Task, answer_task, asides_of
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import JobContext
from lti_tool.launch.models import Member
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from tests.factories.feedback import Classroom, a_classroom, complete_fields, given
from tests.factories.pairing import a_swap
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store

DAY = timedelta(days=1)


@pytest.fixture
def count_statements() -> Callable[[Session], list[str]]:
    """Begins to note the statements of a session's connection."""

    def begin(session: Session) -> list[str]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(session.connection(), "before_cursor_execute", note)
        return seen

    return begin


def jobs(session: Session, name: str) -> list[dict[str, int]]:
    return [dict(job.payload) for job in session.scalars(select(Job).where(Job.name == name).order_by(Job.id))]


def save(session: Session, task: Task, clock: FakeClock, base: int = 0, device: str = "a", **typed: str) -> None:
    service.save_draft(session, task, typed, dict.fromkeys(typed, base), device=device, now=clock.now())


def shown_to(session: Session, room: Classroom, feedback: Entry, who: str, clock: FakeClock) -> Shown:
    member = room.members[who]
    reader = rules.Reader(member.id, member.role == "instructor")
    return service.read_entry(session, feedback.id, reader, room.course.id, now=clock.now())


def test_what_is_typed_is_kept_as_a_draft_that_only_its_author_reads(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), staff_read_feedback=True)
        task = room.task(session, "Mette", "Jonas")
        save(session, task, clock, strengths="Half a thought")
        feedback = service.find_entry(session, task)
        assert feedback is not None
        assert feedback.fields["strengths"] == "Half a thought"
        assert feedback.submitted_at is None
        assert shown_to(session, room, feedback, "Mette", clock).entry is feedback
        for other in ("Jonas", "Ingrid"):
            with pytest.raises(FeedbackHidden):
                shown_to(session, room, feedback, other, clock)


def test_a_second_device_overwrites_nothing_in_silence(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task = room.task(session, "Mette", "Jonas")
        save(session, task, clock, device="phone", strengths="From the phone")
        saved = service.save_draft(
            session,
            task,
            {"strengths": "From the laptop"},
            {"strengths": 0, "effect": 0},
            device="laptop",
            now=clock.now(),
        )
        assert saved.has_conflict
        assert [one.text for one in saved.aside] == ["From the phone"]
        service.settle_aside(session, task, saved.aside[0].key, use=True, device="laptop", now=clock.now())
        feedback = service.find_entry(session, task)
        assert feedback is not None
        assert feedback.fields["strengths"] == "From the phone"
        assert [one.text for one in asides_of(feedback)] == ["From the laptop"]
        service.settle_aside(session, task, asides_of(feedback)[0].key, use=False, device="laptop", now=clock.now())
        assert asides_of(feedback) == ()


def test_a_device_is_told_what_another_one_saved(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task = room.task(session, "Mette", "Jonas")
        save(session, task, clock, device="phone", effect="People smiled")
        typed, bases = {"strengths": "Calm"}, {"strengths": 0, "effect": 0}
        saved = service.save_draft(session, task, typed, bases, device="laptop", now=clock.now())
        assert {name: text for name, (text, _) in saved.newer.items()} == {"effect": "People smiled"}


def test_two_first_saves_at_once_make_one_draft_with_both_texts(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task = room.task(session, "Mette", "Jonas")
    institution_id, together = room.institution.id, Barrier(2)
    failures: list[BaseException] = []

    def type_into(field: str) -> None:
        together.wait()
        try:
            with open_session(institution_id) as session:
                save(session, task, clock, device=field, **{field: f"typed into {field}"})
        except BaseException as failure:
            failures.append(failure)

    threads = [Thread(target=type_into, args=(field,)) for field in ("strengths", "effect")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with open_session(institution_id) as session:
        feedback = session.scalars(select(Entry)).one()
        assert (feedback.fields["strengths"], feedback.fields["effect"]) == (
            "typed into strengths",
            "typed into effect",
        )


def test_two_who_give_at_the_same_moment_both_get_to_read(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        tasks = [room.task(session, "Mette", "Jonas"), room.task(session, "Jonas", "Mette")]
        for task in tasks:
            save(session, task, clock, **complete_fields(session, task))
    institution_id, together = room.institution.id, Barrier(2)

    def give(task: Task) -> None:
        together.wait()
        with open_session(institution_id) as session:
            service.give(session, task, now=clock.now())

    threads = [Thread(target=give, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_session(institution_id) as session:
        assert [one.released_at for one in session.scalars(select(Entry))] == [clock.now(), clock.now()]


def test_giving_needs_everything_and_says_what_is_missing(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task = room.task(session, "Mette", "Jonas")
        save(session, task, clock, **complete_fields(session, task, strengths=" "))
        with pytest.raises(FeedbackIncomplete) as refused:
            service.give(session, task, now=clock.now())
        assert refused.value.problems == (rules.Problem("strengths", rules.Flaw.MISSING),)


def test_giving_looks_again_at_the_progress_of_both(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        told = {job["member_id"] for job in jobs(session, "progress.changed")}
        assert told == {room.members["Mette"].id, room.members["Jonas"].id}


def test_giving_twice_changes_nothing(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task = room.task(session, "Mette", "Jonas")
        first = given(session, task, now=clock.now())
        version, at = first.version, first.submitted_at
        clock.advance(DAY)
        again = service.give(session, task, now=clock.now())
        assert (again.id, again.version, again.submitted_at) == (first.id, version, at)


def test_feedback_is_released_to_both_when_the_second_gives(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        first = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        with pytest.raises(FeedbackHidden):
            shown_to(session, room, first, "Jonas", clock)
        second = given(session, room.task(session, "Jonas", "Mette"), now=clock.now())
        assert first.released_at == second.released_at == clock.now()
        assert shown_to(session, room, first, "Jonas", clock).is_released


def test_a_partner_who_never_writes_keeps_feedback_from_nobody(
    open_session: OpenSession, kit: Kit, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        job = session.scalars(select(Job).where(Job.name == "feedback.release")).one()
        assert job.due_at == room.rounds[0].due_at
    clock.advance(8 * DAY)
    with open_session(room.institution.id) as session:
        assert shown_to(session, room, feedback, "Jonas", clock).is_released, "pages do not wait for the worker"
    handlers.release(kit, JobContext(job.id, job.name, job.payload, room.institution.id, 1))
    with open_session(room.institution.id) as session:
        assert session.get_one(Entry, feedback.id).released_at == clock.now()


def test_a_release_job_whose_date_moved_waits_for_the_new_date(
    open_session: OpenSession, kit: Kit, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        job = session.scalars(select(Job).where(Job.name == "feedback.release")).one()
        job.state, job.finished_at = "done", clock.now()
        room.rounds[0].due_at = later = clock.now() + 20 * DAY
    clock.advance(8 * DAY)
    handlers.release(kit, JobContext(job.id, job.name, job.payload, room.institution.id, 1))
    with open_session(room.institution.id) as session:
        assert session.get_one(Entry, feedback.id).released_at is None
        waiting = session.scalars(select(Job).where(Job.name == "feedback.release", Job.state == "waiting")).one()
        assert waiting.due_at == later


def test_the_sweep_releases_in_every_institution(open_session: OpenSession, kit: Kit, clock: FakeClock) -> None:
    made = []
    for _ in range(2):
        with open_session() as session:
            room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.AT_DUE)
            made.append((room.institution.id, given(session, room.task(session, "Mette", "Jonas"), now=clock.now()).id))
    clock.advance(8 * DAY)
    handlers.release(kit, JobContext(1, "feedback.release", {}, None, 1))
    for institution_id, feedback_id in made:
        with open_session(institution_id) as session:
            assert session.get_one(Entry, feedback_id).released_at == clock.now()


def test_a_correction_before_the_release_takes_effect_when_it_is_given(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task = room.task(session, "Mette", "Jonas")
        feedback = given(session, task, now=clock.now())
        save(session, task, clock, base=feedback.version, strengths="Better said")
        assert feedback.fields["strengths"] == "You waited after each question.", "half a correction is never released"
        service.give(session, task, now=clock.now())
        assert feedback.fields["strengths"] == "Better said"
        assert feedback.correction is None


def test_released_feedback_can_be_corrected_until_it_is_read(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.AT_ONCE)
        task = room.task(session, "Mette", "Jonas")
        feedback = given(session, task, now=clock.now())
        assert feedback.released_at == clock.now()
        assert not service.save_draft(session, task, {"strengths": "In time"}, {}, device="", now=clock.now()).is_read
        service.give(session, task, now=clock.now())
        assert feedback.fields["strengths"] == "In time"
        with pytest.raises(NotReadYet):
            service.add_later(session, task, "One more thing", now=clock.now())


def test_what_was_read_can_be_added_to(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.AT_ONCE)
        task = room.task(session, "Mette", "Jonas")
        feedback = given(session, task, now=clock.now())
        service.mark_read(session, feedback, now=clock.now())
        service.save_draft(session, task, {"addition_draft": "One more"}, {}, device="", now=clock.now())
        assert feedback.fields["addition_draft"] == "One more"
        service.add_later(session, task, "One more thing", now=clock.now())
        service.add_later(session, task, "  ", now=clock.now())
        assert [one["text"] for one in feedback.additions] == ["One more thing"]
        assert "addition_draft" not in feedback.fields


def test_after_it_was_read_a_change_stays_with_its_author(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.AT_ONCE)
        task = room.task(session, "Mette", "Jonas")
        feedback = given(session, task, now=clock.now())
        service.mark_read(session, feedback, now=clock.now())
        saved = service.save_draft(session, task, {"strengths": "Too late"}, {}, device="", now=clock.now())
        assert saved.is_read
        with pytest.raises(FeedbackRead):
            service.give(session, task, now=clock.now())
        assert feedback.fields["strengths"] == "You waited after each question."
        assert feedback.correction == {"strengths": "Too late"}


def test_before_a_round_opens_nothing_is_taken(open_session: OpenSession, clock: FakeClock) -> None:
    rounds = (RoundDates(clock.now() + DAY, clock.now() + 2 * DAY),)
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), rounds=rounds)
        task = room.task(session, "Mette", "Jonas")
        with pytest.raises(RoundNotOpen):
            save(session, task, clock, strengths="Too early")
        clock.advance(DAY)
        save(session, task, clock, strengths="In time")


def test_a_passed_date_locks_nobody_out_and_is_shown(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        clock.advance(30 * DAY)
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        assert shown_to(session, room, feedback, "Jonas", clock).is_late


def test_who_was_given_more_time_is_not_late(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        session.add(
            Allowance(
                round_id=room.rounds[0].id,
                member_id=room.members["Mette"].id,
                due_at=clock.now() + 40 * DAY,
                given_by_id=room.members["Ingrid"].id,
                given_at=clock.now(),
            )
        )
        session.flush()
        clock.advance(30 * DAY)
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        assert not shown_to(session, room, feedback, "Jonas", clock).is_late


@pytest.mark.parametrize("ends", ["activity", "course"])
def test_what_is_over_can_be_read_and_not_changed(ends: str, open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.AT_ONCE)
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        if ends == "activity":
            room.activity.state, room.activity.closed_at = "closed", clock.now()
        else:
            room.course.ended_at = clock.now()
        session.flush()
        with pytest.raises(ActivityClosed):
            save(session, room.task(session, "Mette", "Jonas"), clock, strengths="Once more")
        shown = shown_to(session, room, feedback, "Jonas", clock)
        with pytest.raises(ActivityClosed):
            service.save_draft(session, answer_task(shown), {"heard": "That"}, {}, device="", now=clock.now())


def test_only_partners_of_the_round_may_write(open_session: OpenSession, clock: FakeClock) -> None:
    groups = (("Mette", "Jonas"), ("Femke", "Oliver"))
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", "Femke", "Oliver", now=clock.now(), groups=groups)
        for author, recipient in (("Mette", "Femke"), ("Mette", "Mette"), ("Ingrid", "Mette")):
            with pytest.raises(NotYourPartner):
                room.task(session, author, recipient)
        with pytest.raises(NotYourPartner):
            room.task(session, "Mette", "Jonas", round_number=2)


def test_everybody_in_a_trio_writes_to_both_and_reads_only_their_own(
    open_session: OpenSession, clock: FakeClock
) -> None:
    trio = ("Mette", "Jonas", "Femke")
    with open_session() as session:
        room = a_classroom(session, *trio, now=clock.now(), groups=(trio,), release=Release.AT_ONCE)
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        with pytest.raises(FeedbackHidden):
            shown_to(session, room, feedback, "Femke", clock)
        mine = service.exchanges_of(session, room.activity, room.members["Mette"].id, now=clock.now())
        assert [(one.partner_name, one.given(GIVE_FEEDBACK) is not None) for one in mine] == [
            ("Jonas", True),
            ("Femke", False),
        ]


def test_what_was_written_for_a_former_partner_stays_readable(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        save(session, room.task(session, "Mette", "Jonas"), clock, strengths="Begun")
        session.scalars(select(Plan)).one().state = "draft"
        session.flush()
        task = room.task(session, "Mette", "Jonas")
        assert service.find_entry(session, task) is not None
        with pytest.raises(ActivityClosed):
            save(session, task, clock, strengths="More")
        mine = service.exchanges_of(session, room.activity, room.members["Mette"].id, now=clock.now())
        theirs = service.exchanges_of(session, room.activity, room.members["Jonas"].id, now=clock.now())
        assert [one.is_current for one in mine] == [False]
        assert theirs == [], "a draft is its author's alone"


def test_a_group_begins_with_a_word_or_with_having_met_and_not_with_the_agreement(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        mette = room.members["Mette"].id

        def begun_after(act: Callable[[Task], object], step: str) -> bool:
            """Whether the group has begun once Mette has done this, and nothing else."""
            with session.begin_nested() as alone:
                act(service.find_task(session, room.activity, 1, mette, step_key=step))
                at = session.scalars(select(Group.begun_at)).one()
                alone.rollback()
            assert at in {None, clock.now()}
            return at is not None

        def confirm(task: Task) -> None:
            service.confirm(session, task, now=clock.now())

        assert not begun_after(confirm, "agree")
        assert begun_after(confirm, "meet")
        assert begun_after(lambda task: save(session, task, clock, agreed_too="Phones away"), "own_rules")
        assert not begun_after(lambda task: save(session, task, clock, agreed_too=" "), "own_rules")
        save(session, room.task(session, "Mette", "Jonas"), clock, strengths="Begun")
        assert session.scalars(select(Group.begun_at)).one() == clock.now()


def test_who_agreed_and_then_got_another_group_agrees_with_its_people(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(
            session, "Mette", "Jonas", "Femke", "Ali", now=clock.now(), groups=(("Mette", "Jonas"), ("Femke", "Ali"))
        )
        mette = room.members["Mette"].id

        def has_agreed() -> bool:
            meeting = service.find_meeting(session, room.activity, 1, mette)
            return meeting.is_done(AGREE)

        def agree() -> None:
            task = service.find_task(session, room.activity, 1, mette, step_key="agree")
            service.confirm(session, task, now=clock.now())

        agree()
        assert has_agreed()
        seats = {seat.member_id: seat for seat in session.scalars(select(Seat))}
        one, other = (seats[room.members[name].id] for name in ("Mette", "Femke"))
        # Moved by hand: which of two rows goes on as whose group is not the matter here.
        one.group_id, one.turn, other.group_id, other.turn = other.group_id, 3, one.group_id, 3
        session.flush()
        assert not has_agreed()
        agree()
        assert has_agreed()
        assert len(session.scalars(select(Entry)).all()) == 1


def test_staff_read_only_what_was_written_under_that_promise(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        private = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        room.activity.staff_read_feedback = True
        session.flush()
        told = given(session, room.task(session, "Jonas", "Mette"), now=clock.now())
        with pytest.raises(FeedbackHidden):
            shown_to(session, room, private, "Ingrid", clock)
        assert shown_to(session, room, told, "Ingrid", clock).entry is told


def test_notes_keep_their_moment_and_can_be_taken_back(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task = room.task(session, "Mette", "Jonas")
        began = clock.now()
        clock.advance(timedelta(minutes=3))
        save(session, task, clock, note_draft="asks a quest")
        note = service.add_note(session, task, "asks a question", at=began, device="a", now=clock.now())
        ahead = service.add_note(session, task, "clock ahead", at=began + DAY, device="a", now=clock.now())
        assert note is not None
        assert ahead is not None
        assert (note.at, ahead.at) == (began, clock.now())
        feedback = service.find_entry(session, task)
        assert feedback is not None
        assert feedback.fields["note_draft"] == ""
        save(session, task, clock, **{f"note-{note.id}": "asks an open question"})
        assert note.text == "asks an open question"
        service.remove_note(session, task, note.id, now=clock.now())
        service.remove_note(session, task, ahead.id, now=clock.now())
        service.remove_note(session, task, ahead.id, now=clock.now(), undo=True)
        save(session, task, clock, **complete_fields(session, task))
        service.give(session, task, now=clock.now())
        assert session.scalars(select(Note.text)).all() == ["clock ahead"], "giving forgets what was removed"


def test_a_note_that_was_not_added_is_added_when_feedback_is_given(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        given(session, room.task(session, "Mette", "Jonas"), now=clock.now(), note_draft="still here")
        assert session.scalars(select(Note.text)).all() == ["still here"]


def test_nobody_changes_the_notes_of_others(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task, other = room.task(session, "Mette", "Jonas"), room.task(session, "Jonas", "Mette")
        note = service.add_note(session, task, "mine", at=clock.now(), device="", now=clock.now())
        assert note is not None
        save(session, other, clock, **{f"note-{note.id}": "yours"})
        service.remove_note(session, other, note.id, now=clock.now())
        session.refresh(note)
        assert (note.text, note.removed_at) == ("mine", None)


def test_far_too_long_a_text_is_refused_and_one_that_must_be_shortened_is_kept(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        task = room.task(session, "Mette", "Jonas")
        save(session, task, clock, strengths="x" * (LONGEST + 1))
        with pytest.raises(TextTooLong):
            save(session, task, clock, strengths="x" * (rules.LONGEST_DRAFT + 1))


def test_the_receiver_answers_and_may_change_the_answer(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.AT_ONCE)
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        shown = shown_to(session, room, feedback, "Jonas", clock)
        typed = {"heard": "that I wait", "usefulness": "4"}
        service.save_draft(session, answer_task(shown), typed, {}, device="", now=clock.now())
        with pytest.raises(FeedbackIncomplete):
            service.give(session, answer_task(shown), now=clock.now())
        service.save_draft(session, answer_task(shown), {"will_use": "one breath"}, {}, device="", now=clock.now())
        sent = service.give(session, answer_task(shown), now=clock.now())
        told = {name: text for name, text in sent.fields.items() if text}
        assert told == {"heard": "that I wait", "will_use": "one breath", "usefulness": "4"}
        assert sent.correction is None
        late = {"heard": "that I wait", "will_use": "one breath"}
        service.save_draft(session, answer_task(shown), late, {}, device="", now=clock.now())
        assert sent.correction is None, "a late save of the same words begins no draft"
        service.save_draft(session, answer_task(shown), {"heard": "that I wait longer"}, {}, device="", now=clock.now())
        service.give(session, answer_task(shown), now=clock.now())
        assert sent.fields["heard"] == "that I wait longer"


@pytest.mark.parametrize("is_due", [True, False])
def test_the_giver_reads_the_answer_after_the_round(open_session: OpenSession, clock: FakeClock, is_due: bool) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.AT_ONCE)
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        shown = shown_to(session, room, feedback, "Jonas", clock)
        typed = {"heard": "that I wait", "will_use": "one breath", "see_differently": "I saw two of them smile"}
        service.save_draft(session, answer_task(shown), typed, {}, device="", now=clock.now())
        sent = service.give(session, answer_task(shown), now=clock.now())
        clock.advance(timedelta(days=7 if is_due else 6))
        assert shown_to(session, room, feedback, "Mette", clock).is_answer_released is is_due
        assert service.release_due(session, now=clock.now()) == is_due
        assert (sent.released_at is not None) is is_due


def test_what_waits_for_an_instructor_is_released_by_one_and_by_nothing_else(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), release=Release.BY_INSTRUCTOR)
        first = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        given(session, room.task(session, "Jonas", "Mette"), now=clock.now())
        assert session.scalars(select(Job).where(Job.name == "feedback.release")).all() == []
        clock.advance(timedelta(days=30))
        room.activity.state, room.activity.closed_at = "closed", clock.now()
        assert service.release_due(session, now=clock.now()) == 0
        with pytest.raises(FeedbackHidden):
            shown_to(session, room, first, "Jonas", clock)
        assert service.waiting_for_instructor(session, room.activity)[0].entry_id == first.id
        assert service.release_by_instructor(session, room.activity, [first.id], now=clock.now()) == 1
        assert shown_to(session, room, first, "Jonas", clock).is_released
        assert service.release_by_instructor(session, room.activity, None, now=clock.now()) == 1
        assert service.waiting_for_instructor(session, room.activity) == []


def test_nobody_answers_what_they_cannot_read_yet(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        shown = shown_to(session, room, feedback, "Mette", clock)
        with pytest.raises(FeedbackHidden):
            service.save_draft(session, answer_task(shown), {"heard": "x"}, {}, device="", now=clock.now())


def test_feedback_of_another_course_is_not_there(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        feedback = given(session, room.task(session, "Mette", "Jonas"), now=clock.now())
        reader = rules.Reader(room.members["Mette"].id, False)
        with pytest.raises(FeedbackHidden):
            service.read_entry(session, feedback.id, reader, room.course.id + 1, now=clock.now())


def exported(open_session: OpenSession, room: Classroom, who: str) -> str:
    with open_session(room.institution.id) as session:
        person_id = session.get_one(Member, room.members[who].id).person_id
        return repr(service.texts_of(session, person_id))


def test_an_export_holds_what_a_person_wrote_and_may_read(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now())
        given(session, room.task(session, "Mette", "Jonas"), now=clock.now(), strengths="S-MINE", note_draft="N-MINE")
        save(session, room.task(session, "Jonas", "Mette"), clock, strengths="S-DRAFT")
    assert "S-MINE" in exported(open_session, room, "Mette")
    assert "N-MINE" in exported(open_session, room, "Mette")
    assert "S-DRAFT" not in exported(open_session, room, "Mette")
    assert "S-DRAFT" in exported(open_session, room, "Jonas")
    assert "S-MINE" not in exported(open_session, room, "Jonas"), "not released yet"


def test_erasing_a_person_leaves_the_partners_record(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", "Femke", now=clock.now(), groups=(("Mette", "Jonas", "Femke"),))
        room.activity.release = Release.AT_ONCE
        kept = given(session, room.task(session, "Mette", "Jonas"), now=clock.now(), note_draft="a note")
        save(session, room.task(session, "Mette", "Femke"), clock, strengths="Only begun")
        service.erase_texts_of(session, room.members["Mette"].person_id)
        assert session.scalars(select(Entry.id)).all() == [kept.id]
        assert session.scalars(select(Note)).all() == []
        assert (
            shown_to(session, room, kept, "Jonas", clock).entry.fields["strengths"] == "You waited after each question."
        )


def test_nothing_is_written_for_a_partner_whom_a_repair_has_just_taken_away(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        pairs = (("Mette", "Jonas"), ("Femke", "Oliver"))
        room = a_classroom(session, "Mette", "Jonas", "Femke", "Oliver", now=clock.now(), groups=pairs)
        task = room.task(session, "Mette", "Jonas")
        seats = {seat.member_id: seat for seat in session.scalars(select(Seat))}
        plan = session.scalars(select(Plan)).one()
        one, other = (seats[room.members[name].id].id for name in ("Jonas", "Oliver"))
        pairing.apply(
            session,
            plan.activity_id,
            a_swap(session, one, other),
            expected_version=plan.version,
            now=clock.now(),
            by=None,
        )
        with pytest.raises(NotYourPartner), session.begin_nested():
            save(session, task, clock, strengths="Calm")
        assert session.scalars(select(Entry)).all() == []
        assert set(session.scalars(select(Group.begun_at))) == {None}
        save(session, room.task(session, "Mette", "Oliver"), clock, strengths="Calm")


def test_what_a_member_sees_of_all_rounds_takes_few_queries(
    open_session: OpenSession, clock: FakeClock, count_statements: Callable[[Session], list[str]]
) -> None:
    rounds = tuple(RoundDates(due_at=clock.now() + number * DAY) for number in range(1, 7))
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), rounds=rounds)
        for number in range(1, 7):
            given(session, room.task(session, "Mette", "Jonas", number), now=clock.now())
        session.expunge_all()
        statements = count_statements(session)
        found = service.exchanges_of(session, room.activity, room.members["Mette"].id, now=clock.now())
        assert [one.round.number for one in found] == [1, 2, 3, 4, 5, 6]
        assert len(statements) == 5
