"""Progress read from the database: for one, for all, and what staff allow."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import permutations, product
from random import Random

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.orm import Session

from lti_tool.activities.kinds.observation import GIVE_FEEDBACK, WRITE_NOTES
from lti_tool.activities.models import Allowance
from lti_tool.activities.rules import Release
from lti_tool.feedback import service as feedback
from lti_tool.feedback.models import Entry, Note
from lti_tool.feedback.service import rubric_of
from lti_tool.jobs.models import Job
from lti_tool.pairing import service as pairing
from lti_tool.progress import service
from lti_tool.progress.errors import LearnerUnknown
from lti_tool.progress.rules import State, WaitsFor, summary
from lti_tool.rubrics.rules import CriterionDraft, LevelDraft, Question, RubricDraft
from lti_tool.support.db import OpenSession
from tests.factories.feedback import TEXTS, a_classroom
from tests.factories.pairing import Class, a_class, a_published_plan, propose
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


def partner_of(session: Session, group: Class, member_id: int, number: int = 1) -> int:
    views = pairing.published_groups(session, group.activity.id, member_id=member_id)
    return next(view.partners_of(member_id)[0] for view in views if view.round_number == number)


def write(  # one feedback with explicit values
    session: Session,
    group: Class,
    author: int,
    recipient: int,
    *,
    at: datetime,
    is_given: bool = True,
    acknowledged_at: datetime | None = None,
    notes: int = 0,
    number: int | None = None,
) -> Entry:
    view = next(
        view
        for view in pairing.published_groups(session, group.activity.id, member_id=author)
        if recipient in view.partners_of(author) and number in {None, view.round_number}
    )
    feedback = Entry(
        activity_id=group.activity.id,
        round_id=next(one.id for one in group.rounds if one.number == view.round_number),
        group_id=view.id,
        step="give_feedback",
        author_id=author,
        recipient_id=recipient,
        fields={"strengths": "Clear voice"},
        version=1,
        created_at=at,
        saved_at=at,
        submitted_at=at if is_given else None,
    )
    session.add(feedback)
    session.flush()
    for number in range(notes):
        session.add(Note(entry_id=feedback.id, at=at, text=f"Note {number}"))
    if acknowledged_at is not None:
        session.add(
            Entry(
                activity_id=group.activity.id,
                round_id=feedback.round_id,
                group_id=view.id,
                step="acknowledge",
                author_id=recipient,
                recipient_id=author,
                fields={"heard": "…"},
                version=1,
                created_at=acknowledged_at,
                saved_at=acknowledged_at,
                submitted_at=acknowledged_at,
                released_at=acknowledged_at,
            )
        )
    session.flush()
    return feedback


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_before_a_plan_is_published_everybody_waits_for_a_partner(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 3)
        propose(session, group.activity.id, seed=1, by=None, now=clock.now())

        found = service.summaries_of_all(session, group.activity.id, clock.now())
        progress = service.progress_of(session, group.activity.id, group.learners[0].id, clock.now())

        assert found.keys() == {one.id for one in group.learners}
        assert {cell.state for one in found.values() for cell in one.cells.values()} == {State.WAITING}
        assert {item.waits_for for item in progress.items} == {WaitsFor.PARTNER}


def test_what_both_wrote_shows_in_both_checklists(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4, rounds=[()])
        a_published_plan(session, group, clock.now())
        one = group.learners[0].id
        other = partner_of(session, group, one)
        write(session, group, one, other, at=clock.now())

        mine = service.progress_of(session, group.activity.id, one, clock.now())
        theirs = service.progress_of(session, group.activity.id, other, clock.now())

        assert [item.state for item in mine.items] == [State.DONE, State.WAITING]
        assert theirs.items[1].waits_for is WaitsFor.OWN_FEEDBACK
        write(session, group, other, one, at=clock.now(), acknowledged_at=clock.now())
        mine = service.progress_of(session, group.activity.id, one, clock.now())
        theirs = service.progress_of(session, group.activity.id, other, clock.now())
        assert mine.is_complete
        assert (theirs.fraction, theirs.items[1].state) == (Fraction(1, 2), State.OPEN)


def test_one_and_all_give_the_same_answer(open_session: OpenSession, clock: FakeClock) -> None:
    due = clock.now() + timedelta(days=2)
    with open_session() as session:
        group = a_class(
            session,
            7,
            rounds=[(None, due), (due, None)],
            completion={"give_feedback": True, "acknowledge": True, "write_notes": 2},
        )
        a_published_plan(session, group, clock.now())
        one = group.learners[0].id
        write(session, group, one, partner_of(session, group, one), at=clock.now(), notes=3)
        group.learners[3].status = "inactive"
        service.allow(
            session, group.activity, 1, [group.learners[4].id], due_at=None, is_excused=True, by=1, now=clock.now()
        )
        for moment in (clock.now(), due + timedelta(hours=1)):
            found = service.summaries_of_all(session, group.activity.id, moment)

            assert found == {
                one.id: summary(service.progress_of(session, group.activity.id, one.id, moment))
                for one in group.learners
            }


def test_an_answer_to_late_feedback_counts_for_nobody_and_to_feedback_in_time_for_all(
    open_session: OpenSession, clock: FakeClock
) -> None:
    due = clock.now() + timedelta(days=2)
    with open_session() as session:
        group = a_class(session, 4, rounds=[(None, due)], release=Release.AT_ONCE.value)
        plan = a_published_plan(session, group, clock.now())
        couples = [list(view.members) for view in pairing.groups_in_plan(session, plan, 1)]
        for (author, recipient), hours in zip(couples, (-1, 1), strict=True):
            write(session, group, author, recipient, at=due + timedelta(hours=hours))
        moment = due + timedelta(hours=2)

        found = service.summaries_of_all(session, group.activity.id, moment)

        [in_time, late] = [found[recipient] for _, recipient in couples]
        assert in_time != late
        for _, recipient in couples:
            assert found[recipient] == summary(service.progress_of(session, group.activity.id, recipient, moment))


@pytest.mark.parametrize("seed", range(8))
def test_people_who_stand_alike_are_summed_up_alike(open_session: OpenSession, clock: FakeClock, seed: int) -> None:
    chance = Random(seed)
    start = clock.now()
    dates = [(None, start + timedelta(days=2)), (start + timedelta(days=1), start + timedelta(days=4)), (None, None)]
    with open_session() as session:
        group = a_class(
            session,
            11,
            rounds=dates,
            completion={"give_feedback": True, "acknowledge": True, "write_notes": chance.randint(0, 2)},
            release=chance.choice(list(Release)).value,
        )
        plan = a_published_plan(session, group, start)
        ids = [one.id for one in group.learners]
        for number in (1, 2, 3):
            for view in pairing.groups_in_plan(session, plan, number):
                people = list(view.members)
                for author, recipient in permutations(people, 2):
                    if chance.random() < 0.6:
                        write(
                            session,
                            group,
                            author,
                            recipient,
                            at=start + timedelta(days=chance.randint(0, 5)),
                            number=number,
                            notes=chance.randint(0, 3),
                            is_given=chance.random() < 0.7,
                            acknowledged_at=chance.choice([None, start + timedelta(days=5)]),
                        )
        for member_id, number in product(chance.sample(ids, 3), (1, 2)):
            extra = {"due_at": start + timedelta(days=6), "is_excused": chance.random() < 0.3}
            service.allow(session, group.activity, number, [member_id], by=1, now=start, **extra)
        for member in chance.sample(group.learners, 2):
            member.status = "inactive"
        session.flush()

        for day in range(8):
            moment = start + timedelta(days=day, hours=1)
            found = service.summaries_of_all(session, group.activity.id, moment)

            assert found == {one: summary(service.progress_of(session, group.activity.id, one, moment)) for one in ids}


def test_drafts_are_started_and_notes_are_counted(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(
            session, 2, rounds=[()], completion={"give_feedback": True, "acknowledge": False, "write_notes": 3}
        )
        a_published_plan(session, group, clock.now())
        one = group.learners[0].id
        feedback = write(session, group, one, partner_of(session, group, one), at=clock.now(), is_given=False, notes=3)
        session.scalars(select(Note)).first().removed_at = clock.now()
        session.flush()

        notes, giving = service.progress_of(session, group.activity.id, one, clock.now()).items

        assert (notes.step, notes.done, notes.state) == (WRITE_NOTES, 2, State.STARTED)
        assert (giving.step, giving.state) == (GIVE_FEEDBACK, State.STARTED)
        assert feedback.submitted_at is None


def test_a_partner_who_left_takes_their_steps_along(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 4, rounds=[()])
        a_published_plan(session, group, clock.now())
        one = group.learners[0].id
        other = partner_of(session, group, one)
        next(member for member in group.learners if member.id == other).status = "inactive"
        session.flush()

        progress = service.progress_of(session, group.activity.id, one, clock.now())

        assert {item.state for item in progress.items} == {State.EXCUSED}


def test_a_course_that_is_over_closes_what_is_open(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2, rounds=[()])
        a_published_plan(session, group, clock.now())
        group.course.ended_at = clock.now()
        session.flush()

        progress = service.progress_of(session, group.activity.id, group.learners[0].id, clock.now())

        assert progress.items[0].state is State.MISSED


def test_an_extension_is_given_changed_and_taken_back(open_session: OpenSession, clock: FakeClock) -> None:
    due, later = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)
    with open_session() as session:
        group = a_class(session, 4, rounds=[(None, due)])
        a_published_plan(session, group, clock.now() - timedelta(days=3))
        one = group.learners[0].id

        def state() -> State:
            return service.progress_of(session, group.activity.id, one, clock.now()).items[0].state

        assert state() is State.MISSED
        service.allow(session, group.activity, 1, [one], due_at=later, is_excused=False, by=1, now=clock.now())
        assert state() is State.OPEN
        told = {job.payload["member_id"] for job in session.scalars(select(Job).where(Job.name == "progress.changed"))}
        assert told == {one, partner_of(session, group, one)}

        service.allow(session, group.activity, 1, [one], due_at=None, is_excused=True, by=1, now=clock.now())
        assert state() is State.EXCUSED
        service.allow(session, group.activity, 1, [one], due_at=None, is_excused=False, by=1, now=clock.now())
        assert state() is State.MISSED
        assert session.scalars(select(Allowance.id)).all() == []


def test_nothing_is_allowed_to_somebody_who_does_not_take_part(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        group = a_class(session, 2)

        for number, member_id in ((1, 99_999), (9, group.learners[0].id)):
            with pytest.raises(LearnerUnknown):
                service.allow(
                    session, group.activity, number, [member_id], due_at=None, is_excused=True, by=1, now=clock.now()
                )


def test_reading_everybody_takes_as_many_queries_for_ten_as_for_three(
    engine: Engine, open_session: OpenSession, clock: FakeClock
) -> None:
    counts = []
    for size in (3, 10):
        with open_session() as session:
            group = a_class(session, size)
            a_published_plan(session, group, clock.now())
            session.expire_all()
            with counted(engine) as statements:
                found = service.summaries_of_all(session, group.activity.id, clock.now())
            assert len(found) == size
            counts.append(len(statements))

    assert counts[0] == counts[1] <= 9


def test_points_come_from_what_is_given_to_somebody_once_they_can_read_it(
    open_session: OpenSession, clock: FakeClock
) -> None:
    ladder = (LevelDraft("Low", points=0), LevelDraft("Middle", points=1), LevelDraft("High", points=4))
    rubric = RubricDraft("", (CriterionDraft("Voice", levels=ladder), CriterionDraft("Open", question=Question.SHORT)))
    now = clock.now()
    with open_session() as session:
        room = a_classroom(session, "Mette", "Jonas", now=now, rubric=rubric, points_share=40)
        first, second = rubric_of(session, room.activity.rubric_id).criteria
        mette, jonas = room.members["Mette"].id, room.members["Jonas"].id

        def gives(author: str, recipient: str, level: int) -> None:
            answers = {f"mark-{first.id}": str(first.levels[level].id), f"mark-{second.id}": "a line"}
            task = room.task(session, author, recipient)
            feedback.save_draft(session, task, {**TEXTS, **answers}, {}, device="", now=now)
            feedback.give(session, task, now=now)

        gives("Mette", "Jonas", 1)
        assert service.progress_of(session, room.activity.id, jonas, now).points is None
        gives("Jonas", "Mette", 2)
        assert service.progress_of(session, room.activity.id, jonas, now).points == Fraction(1, 4)
        assert service.progress_of(session, room.activity.id, mette, now).points == 1
        both = service.summaries_of_all(session, room.activity.id, now)
        assert (both[jonas].points, both[mette].points) == (Fraction(1, 4), 1)
        room.activity.points_share = 0
        session.flush()
        assert service.progress_of(session, room.activity.id, jonas, now).points is None
