"""Meetings as calendar programs read them (RFC 5545), with the real rules of their time zones."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from unicodedata import category
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone

PRODUCT: Final = "-//Tandem//Peer coaching//EN"
AROUND: Final = timedelta(days=400)
"""For so long before and after its meetings a calendar holds the rules of a zone."""


class Status(StrEnum):
    """Whether a meeting takes place."""

    CONFIRMED = "CONFIRMED"
    TENTATIVE = "TENTATIVE"
    CANCELED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One date of a meeting, with what is said of it."""

    uid: str
    sequence: int
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    title: str
    text: str
    place: str = ""
    link: str = ""
    status: Status = Status.CONFIRMED


def as_calendar(events: Iterable[CalendarEvent], *, name: str, is_canceled: bool = False) -> bytes:
    """A calendar with these events. `is_canceled`: it tells programs that hold them to drop them."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if is_canceled else "PUBLISH")
    calendar.add("x-wr-calname", _line(name))
    listed = list(events)
    for zone in _zones(listed):
        calendar.add_component(zone)
    for event in listed:
        calendar.add_component(_event(event))
    return bytes(calendar.to_ical())


def _event(event: CalendarEvent) -> Event:
    entry = Event()
    entry.add("uid", event.uid)
    entry.add("sequence", event.sequence)
    entry.add("dtstamp", event.changed_at)
    entry.add("last-modified", event.changed_at)
    entry.add("dtstart", _on_clocks(event.starts_at, event.time_zone))
    entry.add("dtend", _on_clocks(event.ends_at, event.time_zone))
    entry.add("summary", _line(event.title))
    entry.add("description", _line(event.text))
    entry.add("status", event.status)
    if event.place:
        entry.add("location", _line(event.place))
    if event.link:
        entry.add("url", event.link)
    return entry


def _line(text: str) -> str:
    """A text without the characters that would break a line of the file or that it may not have."""
    return "".join(" " if category(letter) in {"Cc", "Cs", "Zl", "Zp"} else letter for letter in text)


def _on_clocks(moment: datetime, time_zone: str) -> datetime:
    """The moment as clocks there show it. RFC 5545 reads an hour that comes twice as its first pass, so a moment in the
    second is told in UTC.
    """
    local = moment.astimezone(ZoneInfo(time_zone))
    return moment.astimezone(UTC) if local.fold else local


def _zones(events: Iterable[CalendarEvent]) -> list[Timezone]:
    """The zones of these events. A time in UTC needs none."""
    days: dict[str, list[date]] = defaultdict(list)
    for event in events:
        if event.time_zone != "UTC":
            days[event.time_zone] += [event.starts_at.date(), event.ends_at.date()]
    return [_zone(name, min(known) - AROUND, max(known) + AROUND) for name, known in sorted(days.items())]


def _zone(name: str, first: date, last: date) -> Timezone:
    zone = Timezone.from_tzid(name, first_date=first, last_date=last)
    zone.pop("comment", None)
    return zone
