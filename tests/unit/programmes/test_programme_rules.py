"""Dates of several activities that move together, and where somebody is on the path."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.rules import RoundDates, deadline, local_parts, opening
from lti_tool.activities.rules.rhythm import week_of
from lti_tool.programmes.rules import (
    Flaw,
    Problem,
    Standing,
    Timetable,
    Where,
    first_day,
    moved,
    places_on,
    problems_of,
    rounds_begun,
)

ZONE = "Europe/Stockholm"
NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def a_round(opens: date | None, due: date | None) -> RoundDates:
    return RoundDates(opens and opening(opens, None, ZONE), due and deadline(due, None, ZONE))


def weekly(activity_id: int, first: date, number: int, begun: int = 0) -> Timetable:
    """Rounds that open on Mondays and are due on Fridays."""
    mondays = [first + timedelta(weeks=week) for week in range(number)]
    rounds = tuple(a_round(day, day + timedelta(days=4)) for day in mondays)
    return Timetable(activity_id, ZONE, rounds, begun)


def opens(one: Timetable) -> list[date]:
    return [local_parts(dates.opens_at, ZONE)[0] for dates in one.rounds if dates.opens_at is not None]


def test_weekdays_times_and_gaps_stay_over_all_activities() -> None:
    path = [weekly(1, date(2026, 11, 9), 2), weekly(2, date(2026, 11, 23), 2)]
    after = moved(path, date(2027, 1, 11), free=()).path
    assert opens(after[0]) + opens(after[1]) == [date(2027, 1, 11) + timedelta(weeks=number) for number in range(4)]
    due = after[1].rounds[1].due_at
    assert due is not None
    assert local_parts(due, ZONE) == (date(2027, 2, 5), time(23, 59))


def test_a_free_week_puts_off_all_that_is_later_and_a_later_move_closes_the_gap() -> None:
    path = [weekly(1, date(2026, 12, 7), 2), weekly(2, date(2026, 12, 21), 1)]
    around = moved(path, date(2026, 12, 14), free={(2026, 52), (2026, 53)})
    assert opens(around.path[0]) == [date(2026, 12, 14), date(2027, 1, 4)]
    assert opens(around.path[1]) == [date(2027, 1, 11)]
    assert around.skipped == {(2026, 52), (2026, 53)}
    back = moved(around.path, date(2026, 12, 7), free=(), skipped=around.skipped).path
    assert list(back) == path
    copied = moved(around.path, date(2027, 2, 8), free=(), skipped=around.skipped).path
    assert [*opens(copied[0]), *opens(copied[1])] == [date(2027, 2, 8), date(2027, 2, 15), date(2027, 2, 22)]


def test_a_free_week_between_rounds_of_every_second_week_changes_nothing() -> None:
    path = [Timetable(1, ZONE, (a_round(date(2026, 11, 9), None), a_round(date(2026, 11, 23), None)))]
    after = moved(path, date(2026, 11, 16), free={(2026, 48)})
    assert (opens(after.path[0]), after.skipped) == ([date(2026, 11, 16), date(2026, 11, 30)], frozenset())


def test_a_start_on_another_weekday_moves_every_day_by_as_much() -> None:
    after = moved([weekly(1, date(2026, 11, 9), 2)], date(2026, 11, 18), free=()).path
    assert opens(after[0]) == [date(2026, 11, 18), date(2026, 11, 25)]


def test_clocks_that_change_leave_the_time_of_day() -> None:
    path = [Timetable(1, ZONE, (a_round(None, date(2026, 10, 20)),))]
    due = moved(path, first_day(path) + timedelta(weeks=2), free=()).path[0].rounds[0].due_at
    assert due == datetime(2026, 11, 3, 22, 59, tzinfo=UTC)


@given(
    st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=5), min_size=1, max_size=4),
    st.integers(0, 400),
    st.sets(st.integers(0, 60), max_size=8),
)
def test_the_order_stays_and_no_moved_date_is_in_a_free_week(
    days: list[list[int]], start: int, free_weeks: set[int]
) -> None:
    base = date(2026, 11, 2)
    path = [
        Timetable(number, ZONE, tuple(a_round(base + timedelta(days=day), None) for day in sorted(own)))
        for number, own in enumerate(days)
    ]
    free = {week_of(base + timedelta(weeks=week)) for week in free_weeks}
    after = moved(path, base + timedelta(days=start), free=free)
    was = [day for one in path for day in one.days()]
    becomes = [day for one in after.path for day in one.days()]
    assert not {week_of(day) for day in becomes} & free
    by_old = [new for _, new in sorted(zip(was, becomes, strict=True))]
    assert by_old == sorted(by_old)
    assert len(set(was)) == len(set(becomes))


def test_what_has_begun_stays() -> None:
    one = weekly(1, date(2026, 10, 26), 3)
    assert rounds_begun(one.rounds, 0, NOW) == 2
    assert rounds_begun(one.rounds, 3, NOW) == 3
    assert rounds_begun((a_round(None, date(2026, 11, 9)),), 0, NOW) == 0
    stays = weekly(1, date(2026, 10, 26), 3, begun=2)
    after = moved([stays], date(2026, 11, 30), free=()).path
    assert opens(after[0]) == [date(2026, 10, 26), date(2026, 11, 2), date(2026, 11, 30)]
    assert problems_of([stays], after, now=NOW) == []


def test_problems_name_the_round() -> None:
    before = [weekly(1, date(2026, 11, 9), 2)]
    after = moved(before, date(2026, 10, 26), free=()).path
    assert problems_of(before, after, now=NOW) == [Problem(Flaw.PAST, 1, 1)]
    assert problems_of([weekly(1, date(2026, 11, 9), 2, begun=2)], before, now=NOW) == [Problem(Flaw.NOTHING_MOVES)]
    began_early = [weekly(1, date(2026, 12, 7), 1, begun=1), weekly(2, date(2026, 12, 14), 1)]
    after = moved(began_early, date(2026, 11, 16), free=()).path
    assert problems_of(began_early, after, now=NOW) == [Problem(Flaw.BEFORE_BEGUN, 2, 1)]


def test_one_step_is_now_and_nothing_is_locked() -> None:
    done = Standing(is_open=True, is_over=False, is_complete=True, has_next=False)
    waits = Standing(is_open=True, is_over=False, is_complete=False, has_next=False)
    has_next = Standing(is_open=True, is_over=False, is_complete=False, has_next=True)
    coming = Standing(is_open=False, is_over=False, is_complete=False, has_next=False)
    over = Standing(is_open=True, is_over=True, is_complete=False, has_next=False)
    assert places_on([done, waits, has_next, coming]) == [Where.DONE, Where.OPEN, Where.NOW, Where.COMING]
    assert places_on([over, waits, coming]) == [Where.OVER, Where.NOW, Where.COMING]
    assert places_on([done, coming]) == [Where.DONE, Where.COMING]
