"""Rather somebody whose clock shows about the same time."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from lti_tool.pairing.engine.people import People, Places, Points
from lti_tool.pairing.engine.wishes.wish import Wish

HOUR: Final = 60
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class NearInTime(Wish):
    """The weight for each full hour by which the two are nearer than `hours`.

    The attribute is a number: how many minutes the person's standard time is ahead of UTC (negative in the west), which
    `minutes_ahead` gives for the name of a zone. Distance is that of the clocks: 13 hours ahead and 11 behind are 0
    apart, for it is the same time of another day.
    """

    attribute: str = "utc_offset"
    hours: int = 6

    @property
    def name(self) -> str:
        return f"near:{self.attribute}"

    @property
    def most(self) -> int:
        return self.weight * self.hours

    def points(self, people: People, one: Places, other: Places) -> Points:
        minutes = people.numbers(self.attribute)
        known = minutes.known[one] & minutes.known[other]
        apart = np.abs(minutes.values[one] - minutes.values[other]) % DAY
        nearer = np.maximum(self.hours * HOUR - np.minimum(apart, DAY - apart), 0) // HOUR
        return np.where(known, self.weight * nearer, 0)


def minutes_ahead(zone: str) -> int | None:
    """How far the standard time of a zone such as `Europe/Oslo` is ahead of UTC; None when no such zone is known.

    For who makes a course: the planning itself must not depend on the time zone tables of the machine it runs on.
    """
    try:
        found = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    winter_and_summer = [datetime(2026, month, 1, tzinfo=UTC).astimezone(found).utcoffset() for month in (1, 7)]
    return min(int(ahead.total_seconds()) // 60 for ahead in winter_and_summer if ahead is not None)
