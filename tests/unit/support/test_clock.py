from datetime import UTC, datetime, timedelta, timezone

import pytest

from lti_tool.support.clock import Clock, SystemClock
from tests.fakes.clock import FakeClock


def test_the_system_clock_is_aware_and_in_utc():
    before = datetime.now(UTC)

    now = SystemClock().now()

    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_a_fake_clock_stands_still_until_it_is_moved():
    clock = FakeClock()
    began: datetime = clock.now()

    clock.advance(timedelta(hours=1))

    assert clock.now() == began + timedelta(hours=1)


def test_a_fake_clock_can_be_set_in_any_zone_and_tells_utc():
    clock: Clock = FakeClock(datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=1))))

    assert clock.now() == datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert clock.now().tzinfo is UTC


def test_a_fake_clock_refuses_what_no_clock_does():
    with pytest.raises(ValueError):
        FakeClock(datetime(2026, 3, 2))  # noqa: DTZ001 - that it is naive is the point
    with pytest.raises(ValueError):
        FakeClock().advance(timedelta(seconds=-1))
