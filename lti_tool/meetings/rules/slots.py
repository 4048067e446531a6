"""Times that suit a whole group, from the times of the week that its members said they have."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from lti_tool.attributes.rules.values import DAYS

Stretch: TypeAlias = tuple[datetime, datetime]
"""From a moment until another."""

HOURS: Final = {"am": (time(9), time(12)), "pm": (time(13), time(17)), "eve": (time(18), time(21))}
"""What morning, afternoon and evening are, on the clocks of whoever said so."""
MOST_OFFERED: Final = 6
AHEAD: Final = timedelta(days=21)
NOTICE: Final = timedelta(hours=12)
"""Nothing is offered sooner than this: the others have to see it first."""


def offers(
    slots: Sequence[tuple[Collection[str], ZoneInfo]], *, now: datetime, until: datetime | None, minutes: int
) -> tuple[datetime, ...]:
    """At most MOST_OFFERED moments at which a meeting of that length suits everybody, soonest first, one a stretch.

    `slots` has for each member the names of their slots, such as "mon-am", and the zone in which they mean them.
    Nothing is offered where somebody said nothing.
    """
    if not slots or not all(names for names, _ in slots):
        return ()
    begin, end = now + NOTICE, min(now + AHEAD, until or now + AHEAD)
    common = _stretches(*slots[0], begin, end)
    for names, zone in slots[1:]:
        common = _overlaps(common, _stretches(names, zone, begin, end))
    length = timedelta(minutes=minutes)
    moments = []
    for first, last in common:
        starts_at = _next_half_hour(max(first, begin))
        if starts_at + length <= min(last, end):
            moments.append(starts_at)
    return tuple(moments[:MOST_OFFERED])


def _stretches(names: Collection[str], zone: ZoneInfo, begin: datetime, end: datetime) -> list[Stretch]:
    """When somebody has time, day by day. Zones reach from a day behind to a day ahead."""
    day = begin.date() - timedelta(days=1)
    stretches = []
    while day <= end.date() + timedelta(days=1):
        for part, (first, last) in HOURS.items():
            if f"{DAYS[day.weekday()]}-{part}" in names:
                stretches.append((_at(day, first, zone), _at(day, last, zone)))
        day += timedelta(days=1)
    return stretches


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def _overlaps(ours: Sequence[Stretch], theirs: Sequence[Stretch]) -> list[Stretch]:
    both = ((max(one[0], other[0]), min(one[1], other[1])) for one in ours for other in theirs)
    return sorted((first, last) for first, last in both if first < last)


def _next_half_hour(moment: datetime) -> datetime:
    """The moment itself, if it is a full or half hour in UTC, else the next one that is."""
    over = timedelta(minutes=moment.minute % 30, seconds=moment.second, microseconds=moment.microsecond)
    return moment if not over else moment + timedelta(minutes=30) - over
