"""Dates as people type them in a time zone, and the moments they mean."""

from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from lti_tool.support.zones import read_zone

END_OF_DAY: Final = time(23, 59)


def opening(day: date, at: time | None, zone: str) -> datetime:
    """The moment at which something opens there: midnight where no time is given."""
    return _moment(day, at or time(0, 0), zone, fold=0)


def deadline(day: date, at: time | None, zone: str) -> datetime:
    """The moment at which something is due there: 23:59 where no time is given.

    An hour that comes twice when clocks go back counts in people's favor, so its second pass is meant.
    """
    return _moment(day, at or END_OF_DAY, zone, fold=1)


def _moment(day: date, at: time, zone: str, *, fold: int) -> datetime:
    time_zone = ZoneInfo(zone)
    local = datetime.combine(day, at, tzinfo=time_zone)
    moment = local.replace(fold=fold).astimezone(UTC)
    if moment.astimezone(time_zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # Clocks jump over this time. As before the jump (fold 0), it lands as long after the gap as it lay inside.
    return local.replace(fold=0).astimezone(UTC)


def local_parts(moment: datetime, zone: str) -> tuple[date, time]:
    """Day and time of a moment as clocks there show it, to the minute."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.date(), local.time().replace(second=0, microsecond=0)


def usable_zone(*wanted: str | None) -> str:
    """The first of these that means a time zone, by the zone's own name; UTC where none does."""
    return next((zone.key for zone in (read_zone(name or "") for name in wanted) if zone is not None), "UTC")
