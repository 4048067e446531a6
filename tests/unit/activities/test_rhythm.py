"""Days in a rhythm, around weeks that are kept free."""

import contextlib
from datetime import date, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.rules.rhythm import Rhythm, WeeksUnreadable, days_in_rhythm, read_weeks, week_of

FIRSTS = st.dates(date(2020, 1, 1), date(2090, 12, 31))


def days(first: date, rhythm: Rhythm, number: int, free: frozenset[tuple[int, int]] = frozenset()) -> list[str]:
    return [day.isoformat() for day in islice(days_in_rhythm(first, rhythm, free), number)]


def test_a_rhythm_counts_in_weeks_or_keeps_its_place_in_the_month() -> None:
    tuesday = date(2026, 9, 8)
    assert days(tuesday, Rhythm.WEEKLY, 3) == ["2026-09-08", "2026-09-15", "2026-09-22"]
    assert days(tuesday, Rhythm.FORTNIGHTLY, 3) == ["2026-09-08", "2026-09-22", "2026-10-06"]
    assert days(tuesday, Rhythm.MONTHLY, 5) == ["2026-09-08", "2026-10-13", "2026-11-10", "2026-12-08", "2027-01-12"]


def test_a_fifth_weekday_is_the_last_where_a_month_has_four() -> None:
    assert days(date(2026, 8, 31), Rhythm.MONTHLY, 4) == ["2026-08-31", "2026-09-28", "2026-10-26", "2026-11-30"]


def test_free_weeks_are_skipped_and_weeks_count_on_from_there() -> None:
    free = frozenset({(2026, 44), (2026, 52), (2026, 53)})
    assert days(date(2026, 10, 20), Rhythm.WEEKLY, 2, free) == ["2026-10-20", "2026-11-03"]
    assert days(date(2026, 12, 8), Rhythm.FORTNIGHTLY, 3, free) == ["2026-12-08", "2027-01-05", "2027-01-19"]
    assert days(date(2026, 9, 28), Rhythm.MONTHLY, 3, free) == ["2026-09-28", "2026-11-02", "2026-11-23"]


@given(FIRSTS, st.sampled_from(Rhythm), st.sets(st.integers(0, 50), max_size=12))
def test_every_day_is_later_keeps_its_weekday_and_stands_in_no_free_week(
    first: date, rhythm: Rhythm, weeks_ahead: set[int]
) -> None:
    free = {week_of(first + timedelta(weeks=number)) for number in weeks_ahead}
    found = list(islice(days_in_rhythm(first, rhythm, free), 12))
    assert len(found) == 12
    assert all(one < other for one, other in pairwise(found))
    assert {day.weekday() for day in found} == {first.weekday()}
    assert free.isdisjoint(week_of(day) for day in found)


@given(FIRSTS)
def test_without_free_weeks_each_month_has_one_day(first: date) -> None:
    found = list(islice(days_in_rhythm(first, Rhythm.MONTHLY), 24))
    months = [day.year * 12 + day.month for day in found]
    assert months == list(range(months[0], months[0] + 24))


def test_days_end_with_the_calendar() -> None:
    assert len(list(days_in_rhythm(date(2200, 12, 20), Rhythm.MONTHLY))) == 1
    assert len(list(days_in_rhythm(date(2200, 12, 20), Rhythm.WEEKLY))) == 2


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("", set()),
        ("44", {(2026, 44)}),
        ("week 52, v. 8; W9", {(2026, 52), (2027, 8), (2027, 9)}),
        ("2027-W8\n2027-9", {(2027, 8), (2027, 9)}),
        ("2026-12-24", {(2026, 52)}),
        ("52-1", {(2026, 52), (2026, 53), (2027, 1)}),
        ("2026-12-21 – 2027-01-03", {(2026, 52), (2026, 53)}),
        ("week 7 to 8", {(2027, 7), (2027, 8)}),
    ],
)
def test_free_weeks_are_read_as_people_write_them(text: str, weeks: set[tuple[int, int]]) -> None:
    assert read_weeks(text, near=date(2026, 9, 1)) == weeks


@pytest.mark.parametrize("text", ["autumn", "54", "0", "2027-W53", "2026-02-30", "5-3-2", "9999-W53", "1000"])
def test_what_names_no_week_is_said(text: str) -> None:
    with pytest.raises(WeeksUnreadable) as refused:
        read_weeks(f"44, {text}", near=date(2026, 9, 1))
    assert refused.value.part == text


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(WeeksUnreadable):
        read_weeks(text, near=date(2026, 9, 1))
