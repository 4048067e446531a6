"""Days in a rhythm: weekly, every second week or monthly, around weeks that are kept free."""

import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from enum import StrEnum
from itertools import count
from typing import Final, TypeAlias

Week: TypeAlias = tuple[int, int]
"""A year and a week's number in it, as ISO 8601 counts weeks."""

WEEK: Final = timedelta(weeks=1)
MOST_FREE: Final = 60
"""Weeks that can be kept free. A year has 53 at most."""
LAST_DAY: Final = date(2200, 12, 31)

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_WEEK = re.compile(r"(?:(\d{4})[-\s]*)?(?:weeks?|vecka|uge|uke|kw|w|v)?[.\s]*(\d{1,2})", re.ASCII | re.IGNORECASE)
_TO = re.compile(r"\s*(?:–|—|-|\bto\b)\s*")


class Rhythm(StrEnum):
    """How often something comes round."""

    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    MONTHLY = "monthly"


class WeeksUnreadable(ValueError):
    """A part of the text names no week. `part` is that part."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


def week_of(day: date) -> Week:
    """The week of a day."""
    return day.isocalendar()[:2]


def days_in_rhythm(first: date, rhythm: Rhythm, free: Collection[Week] = ()) -> Iterator[date]:
    """The first day and all that follow, in order, none of them in a free week.

    A day that falls into a free week moves on by whole weeks. Weekly and every second week count on from there. Monthly
    keeps the weekday and its place in the month ("second Tuesday"); a fifth one is the last.
    """
    if rhythm is Rhythm.MONTHLY:
        yield from _monthly(first, free)
        return
    step = WEEK if rhythm is Rhythm.WEEKLY else 2 * WEEK
    day = after_free_weeks(first, free)
    while day <= LAST_DAY:
        yield day
        day = after_free_weeks(day + step, free)


def _monthly(first: date, free: Collection[Week]) -> Iterator[date]:
    latest = date.min
    for months in count():
        year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
        if year > LAST_DAY.year:
            return
        day = after_free_weeks(_same_weekday(first, year, month + 1), free)
        if day > latest:
            yield day
            latest = day


def _same_weekday(first: date, year: int, month: int) -> date:
    """The day of a month with the weekday of `first` and its place among these weekdays; of a fifth the last one."""
    begin = date(year, month, 1)
    day = begin + timedelta(days=(first.weekday() - begin.weekday()) % 7) + (first.day - 1) // 7 * WEEK
    return day if day.month == month else day - WEEK


def after_free_weeks(day: date, free: Collection[Week]) -> date:
    """This day, or the same weekday of the first week after it that is not free."""
    while week_of(day) in free:
        day += WEEK
    return day


def read_weeks(text: str, *, near: date) -> frozenset[Week]:
    """The weeks that somebody names: "52, 53", "v. 44", "2027-W8", "51-1", "2026-12-24", with commas between.

    A number without a year is the next such week from that of `near` on. Raises WeeksUnreadable.
    """
    weeks: set[Week] = set()
    for part in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        weeks |= set(_weeks_in(part, near))
        if len(weeks) > MOST_FREE:
            raise WeeksUnreadable(part)
    return frozenset(weeks)


def _weeks_in(part: str, near: date) -> Iterator[Week]:
    monday = _monday(part, near)
    if monday is not None:
        yield week_of(monday)
        return
    # A day that does not exist is none, though "2026-02-30" could also be read as the weeks from 2 to 30.
    for between in () if _DATE.fullmatch(part) else _TO.finditer(part):
        first = _monday(part[: between.start()], near)
        last = _monday(part[between.end() :], first) if first is not None else None
        if first is not None and last is not None and first <= last <= first + MOST_FREE * WEEK:
            yield from (week_of(first + number * WEEK) for number in range((last - first) // WEEK + 1))
            return
    raise WeeksUnreadable(part)


def monday_of(day: date) -> date:
    """The Monday of the week of a day."""
    return day - timedelta(days=day.weekday())


def _monday(text: str, near: date) -> date | None:
    """The Monday of the week that a date or a week's number means; None for anything else."""
    try:
        if match := _DATE.fullmatch(text.strip()):
            return monday_of(date(int(match[1]), int(match[2]), int(match[3])))
        if match := _WEEK.fullmatch(text.strip()):
            year, week = week_of(near)
            number = int(match[2])
            return date.fromisocalendar(int(match[1] or (year if number >= week else year + 1)), number, 1)
    except (ValueError, OverflowError):
        return None
    return None
