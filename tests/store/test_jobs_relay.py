"""A relay claims jobs for those who take them up later. What happens to a message in between loses and doubles none."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lti_tool.jobs import queue, relay
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import LEASE, MAX_ATTEMPTS, Claim
from lti_tool.jobs.relay import BrokerDown, Relay
from lti_tool.jobs.worker import Worker
from lti_tool.support.kit import Kit
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


class Post:
    """A broker that keeps what it is sent, or fails."""

    def __init__(self) -> None:
        self.sent: list[tuple[Claim, str]] = []
        self.is_down = False

    def send(self, held: Claim, to: str) -> None:
        if self.is_down:
            raise ConnectionError
        self.sent.append((held, to))

    @property
    def numbers(self) -> list[tuple[int, int]]:
        return [(held.context.id, held.fence) for held, _ in self.sent]


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def ran() -> list[int]:
    return []


@pytest.fixture
def worker(kit: Kit, ran: list[int]) -> Worker:
    return Worker(kit, {"work": lambda _, job: ran.append(job.attempts)}, threads=0)


def put(kit: Kit, name: str = "work", calls: int = queue.OWN, number: int = 1) -> None:
    with kit.open_session() as session:
        payloads: dict[str | None, Any] = {f"{name}:{calls}:{n}": {} for n in range(number)}
        queue.enqueue_all(session, name, payloads, institution_id=None, now=kit.clock.now(), calls=calls)


def the_job(kit: Kit) -> Job:
    with kit.open_session() as session:
        return session.scalars(select(Job)).one()


def test_a_message_that_comes_twice_runs_its_job_once(kit: Kit, post: Post) -> None:
    meanwhile: list[bool] = []
    put(kit)
    assert Relay(kit, post.send).run_until_idle() == 1
    [numbers] = post.numbers
    worker = Worker(kit, {"work": lambda *_: meanwhile.append(worker.take_up(*numbers))}, threads=0)
    assert [worker.take_up(*numbers) for _ in range(2)] == [True, False]
    assert meanwhile == [False]
    assert the_job(kit).state == "done"


def test_what_nobody_takes_up_is_sent_again_when_its_lease_is_over_and_counts_as_no_attempt(
    kit: Kit, clock: FakeClock, post: Post, worker: Worker, ran: list[int]
) -> None:
    put(kit)
    relay = Relay(kit, post.send)
    for _ in range(MAX_ATTEMPTS + 1):
        assert relay.run_until_idle() == 1
        assert relay.run_until_idle() == 0
        clock.advance(LEASE)
    assert not any(worker.take_up(*numbers) for numbers in post.numbers)
    assert relay.run_until_idle() == 1
    assert worker.take_up(*post.numbers[-1])
    assert ran == [1]


def test_a_job_that_kills_whoever_takes_it_up_is_given_up(kit: Kit, clock: FakeClock, post: Post) -> None:
    put(kit)
    relay = Relay(kit, post.send)
    for _ in range(MAX_ATTEMPTS):
        assert relay.run_one()
        with kit.open_session() as session:
            assert queue.take_up(session, *post.numbers[-1], now=clock.now()) is not None
        clock.advance(LEASE)
    assert not relay.run_one()
    assert (the_job(kit).state, the_job(kit).error) == ("failed", "worker died")


def test_while_the_broker_is_down_jobs_wait_as_they_did(kit: Kit, post: Post, worker: Worker, ran: list[int]) -> None:
    put(kit)
    relay = Relay(kit, post.send)
    post.is_down = True
    for _ in range(3):
        with pytest.raises(BrokerDown):
            relay.run_one()
        assert (the_job(kit).state, the_job(kit).attempts) == ("waiting", 0)
    # A worker of ours needs no broker.
    assert worker.run_until_idle() == 1
    assert ran == [1]


def test_what_waits_at_the_broker_counts_for_the_limit_of_its_platform(
    kit: Kit, clock: FakeClock, post: Post, worker: Worker
) -> None:
    put(kit, calls=1, number=5)
    put(kit, calls=2)
    relays = [Relay(kit, post.send) for _ in range(2)]
    assert sum(relay.run_until_idle() for relay in relays) == 3
    assert sorted(held.context.lane for held, _ in post.sent) == [1, 1, 2]
    # Nor does a worker of ours go beyond it.
    assert worker.run_until_idle() == 0
    first = next(held for held, _ in post.sent if held.context.lane == 1)
    assert worker.take_up(first.context.id, first.fence)
    assert sum(relay.run_until_idle() for relay in relays) == 1


def test_of_work_that_calls_nobody_no_more_is_sent_than_can_be_overtaken_soon(
    kit: Kit, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "MOST_OF_OTHERS", 3)
    put(kit, number=5)
    put(kit, calls=queue.DOCUMENTS, number=5)
    Relay(kit, post.send).run_until_idle()
    assert sorted(to for _, to in post.sent) == ["documents"] * 3 + ["own"] * 3


@pytest.mark.parametrize(
    ("name", "calls", "to"),
    [
        ("pairing.draft", queue.OWN, "own"),
        ("grades.push", 4, "grades"),
        ("grades.check_course", 4, "grades"),
        ("roster.sync", 4, "rosters"),
        ("roster.refresh", queue.OWN, "own"),
        ("reminders.letter", queue.MAIL, "letters"),
        ("certificates.pdf", queue.DOCUMENTS, "documents"),
    ],
)
@pytest.mark.store("sqlite")
def test_each_concern_has_a_queue(kit: Kit, post: Post, name: str, calls: int, to: str) -> None:
    put(kit, name, calls)
    Relay(kit, post.send).run_until_idle()
    assert [where for _, where in post.sent] == [to]


def test_periodic_jobs_are_sent_once_however_many_relays_run(kit: Kit, post: Post) -> None:
    relays = [Relay(kit, post.send, {"upkeep": timedelta(hours=1)}) for _ in range(3)]
    for each in relays:
        each.start()
    for each in relays:
        each.stop()
    for each in relays:
        each.run_until_idle()
    assert [held.context.name for held, _ in post.sent] == ["upkeep"]
