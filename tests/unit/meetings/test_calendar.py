"""Calendar files, read back with the library that calendar programs resemble."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from lti_tool.meetings.rules.calendar import CalendarEvent, Status, as_calendar

STARTS = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)


def event(starts_at: datetime = STARTS, zone: str = "Europe/Stockholm", **values: object) -> CalendarEvent:
    said = {"uid": "a-1@tandem.example", "sequence": 3, "title": "Observe", "text": "Round 1.", **values}
    return CalendarEvent(
        changed_at=STARTS, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=45), time_zone=zone, **said
    )


def parsed(raw: bytes) -> Calendar:
    read = Calendar.from_ical(raw)
    assert isinstance(read, Calendar)
    return read


def test_a_meeting_is_read_back_as_it_was_written() -> None:
    title = "Öva, lyssna; fråga\\svara"
    raw = as_calendar(
        [event(title=title, place="https://video.example/a", link="https://video.example/a")], name="Peer coaching"
    )
    calendar = parsed(raw)
    assert (calendar["version"], calendar["method"]) == ("2.0", "PUBLISH")
    [one] = calendar.walk("VEVENT")
    assert (one["uid"], one["sequence"], one["status"]) == ("a-1@tandem.example", 3, "CONFIRMED")
    assert one["summary"] == title
    assert one["url"] == one["location"] == "https://video.example/a"
    assert one["dtstart"].dt == STARTS
    assert one["dtend"].dt - one["dtstart"].dt == timedelta(minutes=45)


def test_the_zone_has_its_real_rules_on_both_sides_of_a_change_of_clocks() -> None:
    raw = as_calendar([event(), event(STARTS + timedelta(days=7, hours=1))], name="Peer coaching")
    assert b"DTSTART;TZID=Europe/Stockholm:20261024T140000" in raw
    assert b"DTSTART;TZID=Europe/Stockholm:20261031T140000" in raw
    [zone] = parsed(raw).walk("VTIMEZONE")
    written = zone.to_tz()
    for moment in (STARTS, STARTS + timedelta(days=7, hours=1), STARTS + timedelta(days=180)):
        offset = moment.astimezone(ZoneInfo("Europe/Stockholm")).utcoffset()
        assert written.utcoffset(moment.replace(tzinfo=None) + offset) == offset


def test_the_second_pass_of_an_hour_is_told_in_utc_since_its_clock_would_mean_the_first() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    raw = as_calendar([event(first), event(first + timedelta(hours=1))], name="x")
    assert b"DTSTART;TZID=Europe/Stockholm:20261025T023000" in raw
    assert b"DTSTART:20261025T013000Z" in raw


def test_what_is_off_says_so_and_a_file_of_it_takes_it_out() -> None:
    raw = as_calendar([event(status=Status.CANCELED)], name="x", is_canceled=True)
    assert b"METHOD:CANCEL\r\n" in raw
    assert b"STATUS:CANCELLED\r\n" in raw


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT-3", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_zones_of_every_sort_are_read_back(zone: str) -> None:
    raw = as_calendar([event(zone=zone)], name="x")
    [one] = parsed(raw).walk("VEVENT")
    assert one["dtstart"].dt.astimezone(UTC) == STARTS


@given(st.text(max_size=300), st.text(max_size=300))
def test_lines_are_folded_and_end_alike_whatever_people_type(title: str, place: str) -> None:
    raw = as_calendar([event(title=title, place=place)], name=title)
    lines = raw.split(b"\r\n")
    assert lines[-1] == b""
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(len(line) for line in lines) <= 75
    for line in lines:
        line.decode()
    assert len(parsed(raw).walk("VEVENT")) == 1
