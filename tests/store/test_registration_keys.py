"""Our signing keys on both databases: one is active at any time, and a rotation never surprises a platform."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from lti_tool.registration.errors import KeyTooYoung, NoSigningKey
from lti_tool.registration.models import ToolKey
from lti_tool.registration.service import keys
from lti_tool.support.crypto import KeyRing, Undecipherable
from lti_tool.support.db import OpenSession
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store


@pytest.fixture
def secrets() -> KeyRing:
    return KeyRing([KeyRing.generate_key()])


def published(open_session: OpenSession, clock: FakeClock) -> list[str]:
    with open_session() as session:
        return [key["kid"] for key in keys.public_keys(session, now=clock.now())]


def signs(open_session: OpenSession, secrets: KeyRing) -> str:
    with open_session() as session:
        return keys.signing_key(session, secrets).kid


def test_processes_that_start_together_make_one_key(
    open_session: OpenSession, secrets: KeyRing, clock: FakeClock
) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def start() -> None:
        try:
            barrier.wait(10)
            with open_session() as session:
                keys.ensure_signing_key(session, secrets, now=clock.now())
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert published(open_session, clock) == [signs(open_session, secrets)]


def test_without_a_key_nothing_can_be_signed(open_session: OpenSession, secrets: KeyRing) -> None:
    with open_session() as session, pytest.raises(NoSigningKey):
        keys.signing_key(session, secrets)


def test_a_whole_rotation_keeps_every_key_published_that_anybody_may_still_meet(
    open_session: OpenSession, secrets: KeyRing, clock: FakeClock
) -> None:
    with open_session() as session:
        keys.ensure_signing_key(session, secrets, now=clock.now())
    first = signs(open_session, secrets)

    def rotate(*, force: bool = False) -> keys.Rotation:
        with open_session() as session:
            return keys.rotate(session, secrets, now=clock.now(), force=force)

    step = rotate()
    second = step.published
    assert second is not None
    assert step.ready_at == clock.now() + timedelta(hours=24)
    assert published(open_session, clock) == [first, second]
    assert signs(open_session, secrets) == first

    clock.advance(timedelta(hours=23, minutes=59))
    assert rotate().promoted is None
    assert signs(open_session, secrets) == first

    clock.advance(timedelta(minutes=1))
    assert rotate().promoted == second
    assert signs(open_session, secrets) == second
    assert published(open_session, clock) == [second, first]

    clock.advance(timedelta(days=14) - timedelta(seconds=1))
    assert published(open_session, clock) == [second, first]
    clock.advance(timedelta(seconds=1))
    assert published(open_session, clock) == [second]
    third = rotate().published
    with open_session() as session:
        assert set(session.scalars(select(ToolKey.kid))) == {second, third}


def test_the_next_key_can_be_forced(open_session: OpenSession, secrets: KeyRing, clock: FakeClock) -> None:
    with open_session() as session:
        keys.ensure_signing_key(session, secrets, now=clock.now())
        keys.publish_next(session, secrets, now=clock.now())
        with pytest.raises(KeyTooYoung):
            keys.promote_next(session, now=clock.now())
    with open_session() as session:
        step = keys.rotate(session, secrets, now=clock.now(), force=True)
    assert step.promoted == signs(open_session, secrets)


def test_two_rotations_at_once_publish_one_key(open_session: OpenSession, secrets: KeyRing, clock: FakeClock) -> None:
    with open_session() as session:
        keys.ensure_signing_key(session, secrets, now=clock.now())
    barrier = threading.Barrier(2)

    def publish() -> None:
        barrier.wait(10)
        with open_session() as session:
            keys.publish_next(session, secrets, now=clock.now())

    threads = [threading.Thread(target=publish) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(published(open_session, clock)) == 2


def test_private_keys_lie_sealed(open_session: OpenSession, secrets: KeyRing, clock: FakeClock) -> None:
    with open_session() as session:
        keys.ensure_signing_key(session, secrets, now=clock.now())
        stored = session.scalars(select(ToolKey)).one()
        assert "PRIVATE" not in stored.private_key
        assert stored.public_key.keys() == {"kty", "n", "e", "alg", "use", "kid"}
        with pytest.raises(Undecipherable):
            keys.signing_key(session, KeyRing([KeyRing.generate_key()]))
