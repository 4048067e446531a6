"""A time as somebody proposes it, the moments it means, and what is wrong with it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import count, islice
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lti_tool.activities.rules.rhythm import Rhythm, days_in_rhythm

MOST_TIMES: Final = 3
"""So many times a member proposes at once."""
MOST_DATES: Final = 26
"""Dates of a rhythm: half a year of weeks."""
DATES_WITHOUT_END: Final = 12
"""Dates of a rhythm in a round that has no due date."""
USUAL_MINUTES: Final = 45
LENGTHS: Final = (15, 30, 45, 60, 90, 120, 180)
LONGEST_PLACE: Final = 500
FARTHEST: Final = timedelta(days=400)

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:\S", re.IGNORECASE)


class Flaw(StrEnum):
    """Why a time cannot be proposed."""

    NO_TIME = "no_time"
    TOO_MANY = "too_many"
    PASSED = "passed"
    TOO_FAR = "too_far"
    LENGTH = "length"
    PLACE_TOO_LONG = "place_too_long"
    NO_LINK = "no_link"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A time to propose."""

    starts_at: datetime
    minutes: int = USUAL_MINUTES
    place: str = ""
    time_zone: str = "UTC"
    rhythm: Rhythm | None = None


@dataclass(frozen=True, slots=True)
class DateOf:
    """One date of a time: the first is number 1, and the only one where there is no rhythm."""

    number: int
    starts_at: datetime
    ends_at: datetime
    is_skipped: bool = False


def flaws_of(wanted: Collection[Wanted], *, now: datetime) -> tuple[Flaw, ...]:
    """Everything that speaks against proposing these times together."""
    flaws: list[Flaw] = []
    if not wanted:
        flaws.append(Flaw.NO_TIME)
    if len(wanted) > MOST_TIMES:
        flaws.append(Flaw.TOO_MANY)
    for proposal in wanted:
        if proposal.starts_at <= now:
            flaws.append(Flaw.PASSED)
        if proposal.starts_at > now + FARTHEST:
            flaws.append(Flaw.TOO_FAR)
        if proposal.minutes not in LENGTHS:
            flaws.append(Flaw.LENGTH)
        if len(proposal.place) > LONGEST_PLACE:
            flaws.append(Flaw.PLACE_TOO_LONG)
        if looks_like_an_address(proposal.place) and not is_link(proposal.place):
            flaws.append(Flaw.NO_LINK)
    return tuple(dict.fromkeys(flaws))


def looks_like_an_address(place: str) -> bool:
    """Whether a place is meant as an address rather than as words: no gap in it, and a scheme in front."""
    return not re.search(r"\s", place) and _SCHEME.match(place) is not None


def is_link(place: str) -> bool:
    """Whether a place is an http or https address that a page may link to."""
    if not looks_like_an_address(place):
        return False
    try:
        parts = urlsplit(place)
        host = parts.hostname
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and parts.username is None


def moments_at(day: date, clock: time, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The moments at which clocks in a zone show this: usually one; none in an hour that is left out when clocks go
    forward, two in an hour that comes again when they go back.
    """
    moments: list[datetime] = []
    for fold in (0, 1):
        local = datetime.combine(day, clock, tzinfo=zone).replace(fold=fold)
        moment = local.astimezone(UTC)
        shows = moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
        if shows and moment not in moments:
            moments.append(moment)
    return tuple(moments)


def dates_of(
    starts_at: datetime,
    minutes: int,
    zone: ZoneInfo,
    rhythm: Rhythm | None,
    *,
    until: datetime | None,
    skipped: Collection[int] = (),
) -> tuple[DateOf, ...]:
    """The first date and those that follow in the rhythm until the round is due, at the same hour on the clocks of the
    zone. The first date is there also when it lies after that.
    """
    length = timedelta(minutes=minutes)
    if rhythm is None:
        return (DateOf(1, starts_at, starts_at + length, 1 in skipped),)
    return tuple(
        DateOf(number, moment, moment + length, number in skipped)
        for number, moment in enumerate(_moments(starts_at, zone, rhythm, until), start=1)
    )


def _moments(starts_at: datetime, zone: ZoneInfo, rhythm: Rhythm, until: datetime | None) -> Iterator[datetime]:
    local = starts_at.astimezone(zone)
    clock = local.time().replace(fold=0)
    most = DATES_WITHOUT_END if until is None else MOST_DATES
    for number, day in zip(count(1), islice(days_in_rhythm(local.date(), rhythm), most), strict=False):
        if number == 1:
            moment = starts_at
        else:
            # Of an hour that comes twice the first is meant; one that is left out moves on by as much as clocks do.
            moment = datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
            if until is not None and moment > until:
                return
        yield moment
