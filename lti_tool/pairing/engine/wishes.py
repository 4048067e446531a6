"""Who would rather work together: every wish, each with the points that it gives couples.

That someone was left out or was in a group of three before is no wish, because it is not about a couple: the engine
looks after these people by itself, from `Course.left_out` and `Course.in_trios`.

A new wish is a class here, its name in `ALL`, its tests, and its sentences in `pairing/wording.py`.
"""

from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from lti_tool.pairing.engine.people import People, Places, Points
from lti_tool.pairing.engine.rules import ByValue, difference, same_name, shared_names, ways_to_help

HOUR: Final = 60
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish(ByValue):
    """Says how welcome a couple is."""

    attribute: str
    weight: int
    """Points for each step, or once, as the wish says. At least 1."""

    @property
    def most(self) -> int:
        """The most points that a couple can get."""
        return self.weight

    def points(self, people: People, first: Places, second: Places) -> Points:
        """For each couple (first[i], second[i]), 0 … `most`. Symmetric. 0 where a value is unknown."""
        known = self.known(people)
        return np.where(known[first] & known[second], self.worth(people, first, second), 0)

    @abstractmethod
    def worth(self, people: People, first: Places, second: Places) -> Points:
        """As `points`, for couples whose values are known; for others any answer will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatherSame(Wish):
    """The weight once, where both have the same name: one department, group or cohort."""

    WORD = "same"

    def worth(self, people: People, first: Places, second: Places) -> Points:
        return self.weight * same_name(people, self.attribute, first, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatherOther(Wish):
    """The weight once, where the two have different names: another department, group or cohort."""

    WORD = "other"

    def worth(self, people: People, first: Places, second: Places) -> Points:
        return self.weight * ~same_name(people, self.attribute, first, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Capped(Wish):
    """A wish that counts steps up to a limit."""

    cap: int
    """In points, not in steps: weight 3 and cap 9 count three steps."""

    @property
    def most(self) -> int:
        return self.cap


@dataclass(frozen=True, slots=True, kw_only=True)
class RatherGap(_Capped):
    """The weight for each step by which the experience of the two differs, up to `cap` points in all."""

    WORD = "gap"

    attribute: str = "experience"

    def worth(self, people: People, first: Places, second: Places) -> Points:
        return np.minimum(self.weight * difference(people, self.attribute, first, second), self.cap)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraShared(_Capped):
    """The weight for each name that the two share beyond the first (time slots, languages), up to `cap` points."""

    WORD = "extra_shared"

    def worth(self, people: People, first: Places, second: Places) -> Points:
        extra = np.maximum(shared_names(people, self.attribute, first, second) - 1, 0)
        worth: Points = np.minimum(self.weight * extra, self.cap)
        return worth


@dataclass(frozen=True, slots=True, kw_only=True)
class OffersFit(Wish):
    """The weight for each of the two who offers something that the other needs: once or twice."""

    READS = ("attribute", "needs")
    name = "offers"

    attribute: str = "offers"
    needs: str = "needs"

    @property
    def most(self) -> int:
        return 2 * self.weight

    def points(self, people: People, first: Places, second: Places) -> Points:
        # Where one side of a value is unknown, the other may help all the same.
        return self.worth(people, first, second)

    def worth(self, people: People, first: Places, second: Places) -> Points:
        return self.weight * ways_to_help(people, self, self.reads, first, second)


@dataclass(frozen=True, slots=True, kw_only=True)
class NearInTime(Wish):
    """The weight for each full hour by which the clocks of the two are nearer than `hours`.

    The attribute is a number: how many minutes the person's standard time is ahead of UTC (negative in the west), which
    `minutes_ahead` gives for the name of a zone. Distance is that of the clocks: 13 hours ahead and 11 behind are 0
    apart, for it is the same time of another day.
    """

    WORD = "near"

    attribute: str = "utc_offset"
    hours: int = 6

    @property
    def most(self) -> int:
        return self.weight * self.hours

    def worth(self, people: People, first: Places, second: Places) -> Points:
        apart = difference(people, self.attribute, first, second) % DAY
        nearer: Points = np.maximum(self.hours * HOUR - np.minimum(apart, DAY - apart), 0) // HOUR
        return self.weight * nearer


ALL: Final[tuple[type[Wish], ...]] = (RatherOther, RatherSame, RatherGap, OffersFit, ExtraShared, NearInTime)


def minutes_ahead(zone: str) -> int | None:
    """How far the standard time of a zone such as `Europe/Oslo` is ahead of UTC; None when no such zone is known.

    Whoever makes a course calls this: planning must not depend on the time zone tables of the machine it runs on.
    """
    try:
        clock = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    winter_and_summer = [datetime(2026, month, 1, tzinfo=UTC).astimezone(clock).utcoffset() for month in (1, 7)]
    return min(int(ahead.total_seconds()) // 60 for ahead in winter_and_summer if ahead is not None)
