"""The outbox on real databases: one job is run by one worker, and none is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.jobs import queue, schedule
from lti_tool.jobs.models import Job, Lane
from lti_tool.jobs.queue import LEASE, MAX_ATTEMPTS, Claim
from lti_tool.support.db import OpenSession
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


def put(open_session: OpenSession, clock: FakeClock, **payload: Any) -> None:
    key = payload.pop("key", None)
    due_at = payload.pop("due_at", None)
    calls = payload.pop("calls", queue.OWN)
    with open_session() as session:
        queue.enqueue(
            session,
            "count",
            payload,
            institution_id=None,
            now=clock.now(),
            unique_key=key,
            due_at=due_at,
            calls=calls,
        )


def take(open_session: OpenSession, clock: FakeClock, most_per_platform: int | None = None) -> Claim | None:
    with open_session() as session:
        return queue.claim(session, now=clock.now(), most_per_platform=most_per_platform)


def waiting(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Job).where(Job.state == "waiting")) or 0


def must(claim: Claim | None) -> Claim:
    assert claim is not None
    return claim


def test_a_job_exists_only_if_its_cause_was_committed(open_session: OpenSession, clock: FakeClock) -> None:
    def write_and_fail() -> None:
        with open_session() as session:
            queue.enqueue(session, "count", {}, institution_id=None, now=clock.now())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert take(open_session, clock) is None


def test_jobs_come_in_the_order_in_which_they_fall_due(open_session: OpenSession, clock: FakeClock) -> None:
    put(open_session, clock, n=2, due_at=clock.now() - timedelta(seconds=1))
    put(open_session, clock, n=1, due_at=clock.now() - timedelta(seconds=2))
    put(open_session, clock, n=9, due_at=clock.now() + timedelta(seconds=1))
    assert [must(take(open_session, clock)).context.payload["n"] for _ in range(2)] == [1, 2]
    assert take(open_session, clock) is None


def test_platforms_take_turns_however_long_the_queue_of_one(open_session: OpenSession, clock: FakeClock) -> None:
    for n in range(6):
        put(open_session, clock, n=n, calls=1)
    clock.advance(timedelta(minutes=1))
    put(open_session, clock, n=10, calls=2)
    put(open_session, clock, n=20)
    put(open_session, clock, n=11, calls=2)
    taken = [must(take(open_session, clock)).context for _ in range(6)]
    assert {job.payload["n"] for job in taken[:3]} == {0, 10, 20}
    assert [job.lane for job in taken] == [0, 1, 2, 1, 2, 1]


def test_the_limit_per_platform_holds_in_all_workers_together(open_session: OpenSession, clock: FakeClock) -> None:
    for n in range(8):
        put(open_session, clock, n=n, calls=1)
    for n in range(3):
        put(open_session, clock, n=100 + n)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: take(open_session, clock, 2), range(8)))
    held = [one for one in found if one is not None]
    assert sorted(one.context.lane for one in held) == [0, 0, 0, 1, 1]
    assert take(open_session, clock, 2) is None
    with open_session() as session:
        queue.finish(session, next(one for one in held if one.context.lane == 1), now=clock.now())
    assert must(take(open_session, clock, 2)).context.lane == 1
    assert take(open_session, clock, 2) is None
    clock.advance(LEASE)
    assert take(open_session, clock, 2) is not None


def test_what_failed_while_a_platform_was_down_is_tried_as_soon_as_it_answers(
    open_session: OpenSession, clock: FakeClock
) -> None:
    later = clock.now() + timedelta(hours=1)
    for n in range(5):
        put(open_session, clock, n=n, calls=1)
    put(open_session, clock, n=7, calls=1, due_at=later)
    put(open_session, clock, n=8, calls=2)
    for _ in range(4):
        held = must(take(open_session, clock))
        error = "TooSlow" if held.context.lane == 1 else None
        with open_session() as session:
            queue.put_back(session, held, error, due_at=later, now=clock.now())
    last = [must(take(open_session, clock)) for _ in range(2)]
    assert take(open_session, clock) is None
    for held in last:
        with open_session() as session:
            queue.finish(session, held, now=clock.now())
    again = [must(take(open_session, clock)).context.payload["n"] for _ in range(3)]
    # Neither what was never due, nor what was told to wait, nor another platform's work.
    assert all(n < 5 for n in again)
    assert take(open_session, clock) is None


def a_platform_that_is_down(open_session: OpenSession, clock: FakeClock, jobs: int = 3) -> None:
    """Each of its jobs failed, and waits for an hour."""
    for n in range(jobs):
        put(open_session, clock, n=n, calls=1)
    for _ in range(jobs):
        held = must(take(open_session, clock))
        with open_session() as session:
            queue.put_back(session, held, "TooSlow", due_at=clock.now() + timedelta(hours=1), now=clock.now())


def test_a_job_that_made_no_call_does_not_say_that_its_platform_answers_again(
    open_session: OpenSession, clock: FakeClock
) -> None:
    a_platform_that_is_down(open_session, clock)
    put(open_session, clock, n=7, calls=1)
    with open_session() as session:
        held = must(queue.claim(session, now=clock.now()))
        assert queue.finish(session, held, now=clock.now(), was_answered=False)
    assert take(open_session, clock) is None
    put(open_session, clock, n=8, calls=1)
    with open_session() as session:
        assert queue.finish(session, must(queue.claim(session, now=clock.now())), now=clock.now())
    assert take(open_session, clock) is not None


def test_a_worker_that_lost_its_job_says_nothing_of_the_platform(open_session: OpenSession, clock: FakeClock) -> None:
    put(open_session, clock, n=0, calls=1)
    lost = must(take(open_session, clock))
    clock.advance(LEASE)
    held = must(take(open_session, clock))
    later = clock.now() + timedelta(hours=1)
    for _ in range(3):
        with open_session() as session:
            assert not queue.put_back(session, lost, "TooSlow", due_at=later, now=clock.now())
    with open_session() as session:
        assert session.scalars(select(Lane.failures).where(Lane.lane == 1)).one() == 0
    with open_session() as session:
        assert queue.finish(session, held, now=clock.now())
    a_platform_that_is_down(open_session, clock)
    with open_session() as session:
        assert not queue.finish(session, lost, now=clock.now())
    assert take(open_session, clock) is None


def test_a_job_written_after_a_savepoint_was_undone_is_claimed(open_session: OpenSession, clock: FakeClock) -> None:
    def enqueue(session: Session) -> None:
        queue.enqueue(session, "count", {}, institution_id=None, now=clock.now(), calls=1)

    with open_session() as session:
        savepoint = session.begin_nested()
        enqueue(session)
        savepoint.rollback()
        enqueue(session)
    assert must(take(open_session, clock)).context.lane == 1


def test_one_failure_among_successes_hurries_nothing(open_session: OpenSession, clock: FakeClock) -> None:
    put(open_session, clock, n=0, calls=1)
    put(open_session, clock, n=1, calls=1)
    with open_session() as session:
        held = must(queue.claim(session, now=clock.now()))
        queue.put_back(session, held, "TooSlow", due_at=clock.now() + timedelta(hours=1), now=clock.now())
    with open_session() as session:
        queue.finish(session, must(queue.claim(session, now=clock.now())), now=clock.now())
    assert take(open_session, clock) is None


def test_a_lease_of_a_clock_that_ran_ahead_is_over(open_session: OpenSession, clock: FakeClock) -> None:
    now = clock.now()
    clock.advance(timedelta(days=7))
    put(open_session, clock, n=1, due_at=now)
    assert take(open_session, clock) is not None
    clock.set(now)
    assert take(open_session, clock) is not None


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=7)])
def test_turns_that_a_clock_ran_ahead_to_are_taken_back(
    open_session: OpenSession, clock: FakeClock, ahead: timedelta
) -> None:
    periodic = {"upkeep": timedelta(hours=1), "wake": timedelta(minutes=10)}
    now = clock.now()
    for moment in (now + ahead, now):
        clock.set(moment)
        with open_session() as session:
            assert schedule.take_turns(session, periodic, now=clock.now()) == ["upkeep", "wake"]
            assert schedule.take_turns(session, periodic, now=clock.now()) == []
    assert must(take(open_session, clock)).context.name in periodic


def test_a_second_job_with_the_key_of_a_waiting_one_joins_it(open_session: OpenSession, clock: FakeClock) -> None:
    soon, late = clock.now() + timedelta(seconds=5), clock.now() + timedelta(hours=1)
    put(open_session, clock, n=1, key="k", due_at=late)
    put(open_session, clock, n=2, key="k", due_at=soon)
    put(open_session, clock, n=3, key="k", due_at=late)
    clock.set(soon)
    claimed = must(take(open_session, clock))
    assert claimed.context.payload == {"n": 3}
    assert take(open_session, clock) is None


def test_a_job_waits_while_another_with_its_key_runs(open_session: OpenSession, clock: FakeClock) -> None:
    put(open_session, clock, n=1, key="k")
    first = must(take(open_session, clock))
    put(open_session, clock, n=2, key="k")
    put(open_session, clock, n=3, key="other")
    assert must(take(open_session, clock)).context.payload == {"n": 3}
    assert take(open_session, clock) is None
    with open_session() as session:
        queue.finish(session, first, now=clock.now())
    assert must(take(open_session, clock)).context.payload == {"n": 2}


def test_a_job_that_is_put_back_gives_way_to_a_newer_one_with_its_key(
    open_session: OpenSession, clock: FakeClock
) -> None:
    put(open_session, clock, n=1, key="k")
    first = must(take(open_session, clock))
    put(open_session, clock, n=2, key="k")
    with open_session() as session:
        queue.put_back(session, first, "TooSlow", due_at=clock.now() + timedelta(hours=1), now=clock.now())
        assert waiting(session) == 1
    assert must(take(open_session, clock)).context.payload == {"n": 2}


def test_a_dead_workers_job_is_taken_up_when_its_lease_is_over(open_session: OpenSession, clock: FakeClock) -> None:
    put(open_session, clock, n=1)
    dead = must(take(open_session, clock))
    assert take(open_session, clock) is None
    clock.advance(LEASE)
    again = must(take(open_session, clock))
    assert again.context.id == dead.context.id
    assert again.context.attempts == 2
    with open_session() as session:
        assert not queue.finish(session, dead, now=clock.now())
        assert not queue.renew(session, dead, now=clock.now())
        assert queue.finish(session, again, now=clock.now())


def test_a_renewed_lease_keeps_the_job(open_session: OpenSession, clock: FakeClock) -> None:
    put(open_session, clock)
    held = must(take(open_session, clock))
    clock.advance(LEASE / 2)
    with open_session() as session:
        assert queue.renew(session, held, now=clock.now())
    clock.advance(LEASE / 2)
    assert take(open_session, clock) is None


def test_a_job_that_kills_its_worker_each_time_is_given_up(open_session: OpenSession, clock: FakeClock) -> None:
    put(open_session, clock)
    for _ in range(MAX_ATTEMPTS):
        assert take(open_session, clock) is not None
        clock.advance(LEASE)
    assert take(open_session, clock) is None
    with open_session() as session:
        assert session.scalars(select(Job)).one().state == "failed"


def test_an_attempt_without_error_does_not_count(open_session: OpenSession, clock: FakeClock) -> None:
    put(open_session, clock)
    held = must(take(open_session, clock))
    with open_session() as session:
        queue.put_back(session, held, None, due_at=clock.now(), now=clock.now())
    assert must(take(open_session, clock)).context.attempts == 1


def test_many_workers_never_get_the_same_job(open_session: OpenSession, clock: FakeClock) -> None:
    for n in range(40):
        put(open_session, clock, n=n)

    def drain(_: int) -> list[int]:
        mine: list[int] = []
        while (held := take(open_session, clock)) is not None:
            mine.append(held.context.payload["n"])
            with open_session() as session:
                queue.finish(session, held, now=clock.now())
        return mine

    with ThreadPoolExecutor(6) as threads:
        done = [n for mine in threads.map(drain, range(6)) for n in mine]
    assert sorted(done) == list(range(40))


def test_two_who_enqueue_with_one_key_at_once_make_one_job(open_session: OpenSession, clock: FakeClock) -> None:
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda n: put(open_session, clock, n=n, key="k"), range(12)))
    with open_session() as session:
        assert waiting(session) == 1


def test_a_turn_is_taken_once_however_many_workers_ask(open_session: OpenSession, clock: FakeClock) -> None:
    periodic = {"upkeep": timedelta(hours=1)}

    def ask(_: int) -> list[str]:
        with open_session() as session:
            return schedule.take_turns(session, periodic, now=clock.now())

    with ThreadPoolExecutor(4) as threads:
        assert [name for taken in threads.map(ask, range(8)) for name in taken] == ["upkeep"]
    assert ask(0) == []
    clock.advance(timedelta(hours=1))
    assert ask(0) == ["upkeep"]
