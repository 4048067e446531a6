"""Moments that clocks show once, twice or never; dates of a rhythm over a change of clocks; what may be proposed."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.meetings.rules.slots import MOST_OFFERED, NOTICE, offers
from lti_tool.meetings.rules.times import (
    DATES_WITHOUT_END,
    MOST_DATES,
    Flaw,
    Wanted,
    dates_of,
    flaws_of,
    is_link,
    moments_at,
)

STOCKHOLM, NEW_YORK = ZoneInfo("Europe/Stockholm"), ZoneInfo("America/New_York")
ZONES = st.sampled_from(
    ["Europe/Stockholm", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "UTC"]
).map(ZoneInfo)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2034, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  Hypothesis wants bounds without a zone
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def test_a_time_exists_once_twice_or_not_at_all() -> None:
    half_past_two = time(2, 30)
    assert moments_at(date(2027, 3, 27), half_past_two, STOCKHOLM) == (datetime(2027, 3, 27, 1, 30, tzinfo=UTC),)
    assert moments_at(date(2027, 3, 28), half_past_two, STOCKHOLM) == ()
    assert moments_at(date(2027, 10, 31), half_past_two, STOCKHOLM) == (
        datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
        datetime(2027, 10, 31, 1, 30, tzinfo=UTC),
    )


@given(MOMENTS, ZONES)
def test_every_moment_is_found_by_what_clocks_show_at_it(moment: datetime, zone: ZoneInfo) -> None:
    local = moment.astimezone(zone)
    assert moment in moments_at(local.date(), local.time().replace(fold=0), zone)


def test_a_weekly_meeting_stays_at_two_when_clocks_change() -> None:
    starts_at = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
    found = dates_of(starts_at, 45, STOCKHOLM, Rhythm.WEEKLY, until=starts_at + timedelta(days=15))
    assert [one.starts_at.hour for one in found] == [12, 13, 13]
    assert [one.starts_at.astimezone(STOCKHOLM).time() for one in found] == [time(14)] * 3
    assert all(one.ends_at - one.starts_at == timedelta(minutes=45) for one in found)


def test_a_date_at_an_hour_that_is_left_out_moves_on_by_that_hour() -> None:
    starts_at = moments_at(date(2027, 3, 21), time(2, 30), STOCKHOLM)[0]
    found = dates_of(starts_at, 45, STOCKHOLM, Rhythm.WEEKLY, until=starts_at + timedelta(days=15))
    assert [one.starts_at.astimezone(STOCKHOLM).time() for one in found] == [time(2, 30), time(3, 30), time(2, 30)]


@given(MOMENTS, ZONES, st.sampled_from(Rhythm), st.integers(0, 300))
def test_dates_of_a_rhythm_lie_within_the_round_on_one_weekday_and_hour(
    starts_at: datetime, zone: ZoneInfo, rhythm: Rhythm, days: int
) -> None:
    until = starts_at + timedelta(days=days)
    found = dates_of(starts_at, 60, zone, rhythm, until=until)
    assert found[0].starts_at == starts_at
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert len(found) <= MOST_DATES
    assert all(one.starts_at < other.starts_at <= until for one, other in pairwise(found))
    local = [one.starts_at.astimezone(zone) for one in found]
    assert len({one.weekday() for one in local}) == 1 or any(one.hour < 2 for one in local)
    usual = local[0].time()
    odd = [one for one in local if one.time().replace(fold=0) != usual.replace(fold=0)]
    assert all(not moments_at(one.date(), usual.replace(fold=0), zone) for one in odd)


def test_a_rhythm_without_an_end_and_one_without_room() -> None:
    assert len(dates_of(NOW, 45, STOCKHOLM, Rhythm.WEEKLY, until=None)) == DATES_WITHOUT_END
    assert len(dates_of(NOW, 45, STOCKHOLM, Rhythm.WEEKLY, until=NOW - timedelta(days=1))) == 1
    [only] = dates_of(NOW, 45, STOCKHOLM, None, until=None, skipped=[1])
    assert only.is_skipped


@pytest.mark.parametrize(
    ("wanted", "flaw"),
    [
        ([], Flaw.NO_TIME),
        ([Wanted(NOW + timedelta(hours=one)) for one in (1, 2, 3, 4)], Flaw.TOO_MANY),
        ([Wanted(NOW)], Flaw.PASSED),
        ([Wanted(NOW + timedelta(days=500))], Flaw.TOO_FAR),
        ([Wanted(NOW + timedelta(days=1), minutes=46)], Flaw.LENGTH),
        ([Wanted(NOW + timedelta(days=1), place="x" * 501)], Flaw.PLACE_TOO_LONG),
        ([Wanted(NOW + timedelta(days=1), place="ftp://files.example")], Flaw.NO_LINK),
    ],
)
def test_what_cannot_be_proposed(wanted: list[Wanted], flaw: Flaw) -> None:
    assert flaws_of(wanted, now=NOW) == (flaw,)


@pytest.mark.parametrize("place", ["https://video.example/a", "HTTP://video.example", "https://[::1]:80/a"])
def test_http_addresses_are_links(place: str) -> None:
    assert is_link(place)


@pytest.mark.parametrize(
    "place",
    ["", "Room 4", "javascript:alert(1)", "data:text/html,x", "https://", "https://a@b", "https://x y", "http://[::1"],
)
def test_anything_else_is_none(place: str) -> None:
    assert not is_link(place)


def test_what_suits_all_is_an_overlap_of_their_own_mornings_and_evenings() -> None:
    slots = [(["mon-am", "tue-pm"], STOCKHOLM), (["tue-am"], NEW_YORK)]
    until = NOW + timedelta(days=9)
    # 13 to 17 in Stockholm and 9 to 12 in New York share the two hours from 15:00 in Stockholm.
    assert offers(slots, now=NOW, until=until, minutes=60) == (
        datetime(2026, 11, 3, 14, tzinfo=UTC),
        datetime(2026, 11, 10, 14, tzinfo=UTC),
    )
    assert offers(slots, now=NOW, until=until, minutes=180) == ()


def test_nothing_is_offered_where_somebody_said_nothing_or_nothing_in_common() -> None:
    assert offers([(["mon-am"], STOCKHOLM), ([], STOCKHOLM)], now=NOW, until=None, minutes=15) == ()
    assert offers([(["mon-am"], STOCKHOLM), (["mon-pm"], STOCKHOLM)], now=NOW, until=None, minutes=15) == ()
    assert offers([], now=NOW, until=None, minutes=15) == ()


SLOTS = st.sets(st.sampled_from([f"{day}-{part}" for day in ("mon", "wed", "sat") for part in ("am", "pm", "eve")]))


@given(MOMENTS, st.lists(st.tuples(SLOTS, ZONES), min_size=2, max_size=4), st.sampled_from([15, 45, 120]))
def test_every_offer_is_within_the_hours_that_each_one_named(
    now: datetime, slots: list[tuple[set[str], ZoneInfo]], minutes: int
) -> None:
    found = offers(slots, now=now, until=now + timedelta(days=10), minutes=minutes)
    assert len(found) <= MOST_OFFERED
    hours = {"am": (9, 12), "pm": (13, 17), "eve": (18, 21)}
    for moment in found:
        assert now + NOTICE <= moment <= now + timedelta(days=10)
        for names, zone in slots:
            local, end = moment.astimezone(zone), (moment + timedelta(minutes=minutes)).astimezone(zone)
            day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()]
            assert any(
                time(first) <= local.time() and end.time() <= time(last)
                for part, (first, last) in hours.items()
                if f"{day}-{part}" in names
            )
