"""Feedback without names: shown together or not at all, by a number that tells nothing, and kept as it was promised."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.errors import AnonymityPromised
from lti_tool.activities.models import Activity
from lti_tool.activities.rules import Release
from lti_tool.feedback import handlers, rules, service
from lti_tool.feedback.errors import FeedbackHidden
from lti_tool.feedback.models import Entry
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import JobContext
from lti_tool.launch.models import Member
from lti_tool.progress import service as progress
from lti_tool.progress.rules import State
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from tests.factories.activities import observation_rubric
from tests.factories.feedback import Classroom, a_classroom, given
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store

FOUR = ("Ada", "Ben", "Cem", "Dan")
DAY = timedelta(days=1)


@pytest.fixture
def room(open_session: OpenSession, clock: FakeClock) -> Classroom:
    with open_session() as session:
        return a_room(session, clock)


def a_room(session: Session, clock: FakeClock, *names: str, **settings: Any) -> Classroom:
    names = names or FOUR
    anonymous = {"release": Release.AT_ONCE, "anonymous_feedback": True, **settings}
    return a_classroom(session, *names, now=clock.now(), groups=(names,), **anonymous)


@pytest.fixture
def work(open_session: OpenSession, kit: Kit, clock: FakeClock) -> Callable[[], None]:
    """Does the jobs of feedback that are due, and its sweep."""

    def run() -> None:
        with open_session() as session:
            due = session.scalars(
                select(Job).where(Job.name == "feedback.release", Job.state == "waiting", Job.due_at <= clock.now())
            ).all()
            for job in due:
                job.state, job.finished_at = "done", clock.now()
        for job in due:
            handlers.release(kit, JobContext(job.id, job.name, job.payload, job.institution_id, 1))
        handlers.release(kit, JobContext(0, "feedback.release", {}, None, 1))

    return run


def gives(session: Session, room: Classroom, author: str, clock: FakeClock, recipient: str = "Ada") -> Entry:
    return given(session, room.task(session, author, recipient), now=clock.now(), strengths=f"Seen by {author}.")


def received(session: Session, room: Classroom, clock: FakeClock, who: str = "Ada") -> list[service.Exchange]:
    found = service.exchanges_of(session, room.activity, room.members[who].id, now=clock.now())
    return [one for one in found if one.unnamed or one.theirs]


def pools(session: Session, room: Classroom, clock: FakeClock) -> list[service.Pool]:
    return service.pools_of(session, room.activity, room.members["Ada"].id, now=clock.now())


def read(session: Session, room: Classroom, number: int, who: str, clock: FakeClock) -> service.Shown:
    reader = rules.Reader(room.members[who].id, is_staff=who == "Ingrid")
    return service.read_entry(session, number, reader, room.course.id, now=clock.now())


def test_nothing_is_shown_before_everybody_gave_and_then_all_of_it_without_a_name(
    open_session: OpenSession, clock: FakeClock, room: Classroom, work: Callable[[], None]
) -> None:
    ids = {}
    for author in ("Dan", "Ben", "Cem"):
        with open_session(room.institution.id) as session:
            assert received(session, room, clock) == []
            (pool,) = pools(session, room, clock)
            assert (pool.given, pool.asked) == (len(ids), 3)
            ids[author] = gives(session, room, author, clock).id
        clock.advance(timedelta(hours=1))
        work()
    with open_session(room.institution.id) as session:
        found = received(session, room, clock)
        aliases = [one.partner_id for one in found]
        assert [one.unnamed for one in found] == [1, 2, 3]
        assert [one.partner_name for one in found] == [None] * 3
        assert aliases == sorted(aliases), "an order by chance, whoever was first"
        assert not {room.members[name].id for name in FOUR} & set(aliases)
        for author, number in ids.items():
            with pytest.raises(FeedbackHidden):
                read(session, room, number, "Ada", clock)
            assert read(session, room, number, author, clock).recipient_name == "Ada"
        for alias in aliases:
            assert read(session, room, alias or 0, "Ada", clock).author_name is None
            for who in ("Ben", "Cem", "Dan", "Ingrid"):
                with pytest.raises(FeedbackHidden):
                    read(session, room, alias or 0, who, clock)
        own = service.texts_of(session, room.members["Ada"].person_id)
        texts = [one for one in own if one["direction"] == "received"]
        assert [one["given_at"] for one in texts] == [None] * 3
        assert [one["levels"] for one in texts] == [{}] * 3
        assert pools(session, room, clock) == []


def test_with_fewer_than_three_it_stays_hidden_until_its_author_agrees_to_be_named(
    open_session: OpenSession, clock: FakeClock, room: Classroom, work: Callable[[], None]
) -> None:
    ada = room.members["Ada"].id

    def answers(session: Session) -> list[State]:
        done = progress.progress_of(session, room.activity.id, ada, clock.now())
        return [item.state for item in done.items if item.step.is_answer]

    with open_session(room.institution.id) as session:
        ben, cem = (gives(session, room, author, clock).id for author in ("Ben", "Cem"))
        shown = read(session, room, ben, "Ben", clock)
        service.give_with_name(session, shown, room.members["Ben"].id, now=clock.now())
        assert session.get_one(Entry, ben).alias is not None, "while others may still give, it is kept for them"
        assert answers(session) == [State.WAITING] * 3
    clock.advance(8 * DAY)
    work()
    with open_session(room.institution.id) as session:
        assert received(session, room, clock) == []
        assert answers(session) == [State.EXCUSED] * 3, "nobody has to answer what they cannot read"
        shown = read(session, room, ben, "Ben", clock)
        assert shown.is_held
        with pytest.raises(FeedbackHidden):
            service.give_with_name(session, shown, room.members["Cem"].id, now=clock.now())
        service.give_with_name(session, shown, room.members["Ben"].id, now=clock.now())
        (one,) = received(session, room, clock)
        assert (one.partner_name, one.unnamed) == ("Ben", 0)
        assert read(session, room, ben, "Ada", clock).author_name == "Ben"
        assert session.get_one(Entry, cem).released_at is None, "nobody is named by another's wish"


def test_what_comes_late_waits_for_two_more(
    open_session: OpenSession, clock: FakeClock, work: Callable[[], None]
) -> None:
    with open_session() as session:
        room = a_room(session, clock, *FOUR, "Eva")
        for author in ("Ben", "Cem", "Dan"):
            gives(session, room, author, clock)
    work()
    with open_session(room.institution.id) as session:
        assert received(session, room, clock) == [], "Eva may still give"
    clock.advance(8 * DAY)
    work()
    with open_session(room.institution.id) as session:
        assert len(received(session, room, clock)) == 3
        gives(session, room, "Eva", clock)
    work()
    with open_session(room.institution.id) as session:
        assert len(received(session, room, clock)) == 3, "it would be known to be Eva’s"
        (pool,) = pools(session, room, clock)
        assert (pool.given, pool.is_over) == (1, True)


def test_in_a_group_of_three_it_is_named_and_a_promise_outlives_a_change_of_the_group(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_room(session, clock, "Ada", "Ben", "Cem")
        assert not room.task(session, "Ben", "Ada").is_anonymous
        assert gives(session, room, "Ben", clock).alias is None
    with open_session() as session:
        room = a_room(session, clock)
        assert gives(session, room, "Ben", clock).alias is not None
        session.execute(update(Member).where(Member.id == room.members["Dan"].id).values(status="inactive"))
        assert room.task(session, "Ben", "Ada").is_anonymous, "as he was told"
        assert not room.task(session, "Cem", "Ada").is_anonymous, "two could be told apart"


def test_of_two_who_give_at_the_same_moment_neither_keeps_the_others_back(
    open_session: OpenSession, clock: FakeClock, room: Classroom, work: Callable[[], None]
) -> None:
    with open_session(room.institution.id) as session:
        gives(session, room, "Ben", clock)
    barrier = Barrier(2)

    def give(author: str) -> None:
        barrier.wait(20)
        with open_session(room.institution.id) as session:
            gives(session, room, author, clock)

    threads = [Thread(target=give, args=(author,)) for author in ("Cem", "Dan")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    work()
    with open_session(room.institution.id) as session:
        assert len(received(session, room, clock)) == 3


def test_the_setting_cannot_change_once_somebody_wrote(
    open_session: OpenSession, clock: FakeClock, room: Classroom
) -> None:
    with open_session(room.institution.id) as session:
        activity = session.get_one(Activity, room.activity.id)
        settings = activities.settings_of(session, activity)

        def save(is_anonymous: bool, has_feedback: bool) -> None:
            changed = replace(settings, anonymous_feedback=is_anonymous)
            in_use = activities.InUse(has_feedback=has_feedback, rounds=1)
            how = {"expected_version": activity.version, "in_use": in_use, "by": 1, "now": clock.now()}
            activities.update(session, activity, changed, observation_rubric(), **how)

        with pytest.raises(AnonymityPromised):
            save(is_anonymous=False, has_feedback=True)
        save(is_anonymous=True, has_feedback=True)
        save(is_anonymous=False, has_feedback=False)
        with pytest.raises(AnonymityPromised):
            save(is_anonymous=True, has_feedback=True)
