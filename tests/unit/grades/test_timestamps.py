"""The timestamps of scores: they rise, and are never ahead of the platform's clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.grades.rules import next_stamp, offset_of

NOON = datetime(2026, 11, 2, 12, 0, 0, 250_000, tzinfo=UTC)
SECOND, MILLISECOND = timedelta(seconds=1), timedelta(milliseconds=1)
STILL = timedelta(0)


def test_the_first_timestamp_is_now() -> None:
    assert next_stamp(NOON, STILL, None, MILLISECOND).at == NOON
    assert next_stamp(NOON, STILL, None, SECOND).at == NOON.replace(microsecond=0)


def test_where_whole_seconds_count_the_next_second_is_awaited() -> None:
    stamp = next_stamp(NOON, STILL, NOON - timedelta(milliseconds=200), SECOND)
    assert stamp.at is None
    assert next_stamp(NOON + stamp.wait, STILL, NOON, SECOND).at == NOON.replace(second=1, microsecond=0)


def test_where_milliseconds_count_nobody_waits_long() -> None:
    assert next_stamp(NOON, STILL, NOON - MILLISECOND, MILLISECOND).at == NOON


def test_a_platform_whose_clock_is_behind_gets_its_own_time() -> None:
    assert next_stamp(NOON, timedelta(minutes=-5), None, MILLISECOND).at == NOON - timedelta(minutes=5)


def test_a_platform_whose_clock_is_ahead_gets_ours() -> None:
    assert next_stamp(NOON, timedelta(minutes=5), None, MILLISECOND).at == NOON


def test_a_clock_that_was_set_back_is_waited_for() -> None:
    stamp = next_stamp(NOON, timedelta(minutes=-5), NOON, SECOND)
    assert stamp.at is None
    assert timedelta(minutes=5) < stamp.wait < timedelta(minutes=5, seconds=3)


@pytest.mark.parametrize("before", [None, timedelta(seconds=-3)])
def test_without_a_date_header_the_last_known_difference_stands(before: timedelta | None) -> None:
    assert offset_of(None, NOON, before) == before


def test_a_date_header_shows_the_platforms_clock() -> None:
    assert offset_of(NOON.replace(microsecond=0) - timedelta(seconds=7), NOON, None) == timedelta(seconds=-7.25)


moments = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda since: NOON + since)
spans = st.timedeltas(timedelta(hours=-2), timedelta(hours=2))
steps = st.sampled_from([SECOND, MILLISECOND])


@given(moments, spans, st.none() | spans, steps)
def test_a_timestamp_rises_and_is_never_ahead(
    now: datetime, offset: timedelta, since: timedelta | None, step: timedelta
) -> None:
    last = None if since is None else now - since
    stamp = next_stamp(now, offset, last, step)
    if stamp.at is None:
        assert stamp.wait > timedelta(0)
        return
    assert stamp.at <= now
    assert stamp.at <= now + offset
    if last is not None:
        assert int(stamp.at.timestamp() / step.total_seconds()) > int(last.timestamp() / step.total_seconds()) or (
            stamp.at - last >= step
        )


@given(moments, spans, spans, steps)
def test_after_the_wait_there_is_a_timestamp(
    now: datetime, offset: timedelta, since: timedelta, step: timedelta
) -> None:
    last = now - since
    stamp = next_stamp(now, offset, last, step)
    if stamp.at is None:
        assert next_stamp(now + stamp.wait, offset, last, step).at is not None
