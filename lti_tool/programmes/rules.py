"""Where somebody is on a path of activities, and how the dates of all of them move together."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from lti_tool.activities.rules import RoundDates, deadline, local_parts, opening
from lti_tool.activities.rules.rhythm import WEEK, Week, after_free_weeks, monday_of, week_of
from lti_tool.activities.rules.saved import start_of

MOST_STEPS: Final = 12
LONGEST_TITLE: Final = 255
MOST_WEEKS: Final = 104
"""So far dates can be moved at once, in either direction."""


@dataclass(frozen=True, slots=True)
class Step:
    """An activity of a programme, and whether it has to be complete for the programme's certificate."""

    activity_id: int
    counts: bool = True


# ---- where somebody is -----------------------------------------------------------------------------------------------


class Where(StrEnum):
    """How a step of the path stands for one learner."""

    DONE = "done"
    NOW = "now"
    """The first step on which there is something to do, or else the first that is not done."""
    OPEN = "open"
    COMING = "coming"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an activity stands for one learner."""

    is_open: bool
    """They can come in, and its first round has opened."""
    is_over: bool
    """It is closed, so nothing can be done in it."""
    is_complete: bool
    has_next: bool
    """There is something that they can do."""


def places_on(path: Sequence[Standing]) -> list[Where]:
    """How each step stands. Exactly one is now, if one is open at all; the order locks nobody out."""
    usual = [
        Where.DONE if one.is_complete else Where.OVER if one.is_over else Where.OPEN if one.is_open else Where.COMING
        for one in path
    ]
    going = [number for number, where in enumerate(usual) if where is Where.OPEN]
    current = next((number for number in going if path[number].has_next), going[0] if going else None)
    return [Where.NOW if number == current else where for number, where in enumerate(usual)]


# ---- dates -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timetable:
    """The dates of one activity."""

    activity_id: int
    zone: str
    rounds: tuple[RoundDates, ...]
    begun: int = 0
    """So many rounds, from the first on, have begun and stay as they are."""
    asks_first_on: date | None = None
    """The first day on which learners are asked to reflect, where it is still to come."""

    @property
    def moving(self) -> tuple[RoundDates, ...]:
        """The rounds that have not begun."""
        return self.rounds[self.begun :]

    def days(self) -> list[date]:
        """Every day that moves, by clocks there."""
        moments = [moment for dates in self.moving for moment in (dates.opens_at, dates.due_at) if moment is not None]
        return [*(local_parts(moment, self.zone)[0] for moment in moments), *filter(None, [self.asks_first_on])]


def rounds_begun(rounds: Sequence[RoundDates], worked_in: int, now: datetime) -> int:
    """How many rounds, from the first on, have begun: they opened, are over, or somebody works in one (`worked_in`: the
    highest such number) or in a later one.
    """
    by_date = max(
        (
            number
            for number, dates in enumerate(rounds, start=1)
            if any(moment is not None and moment <= now for moment in (dates.opens_at, dates.due_at))
        ),
        default=0,
    )
    return max(by_date, worked_in)


def first_day(path: Iterable[Timetable]) -> date | None:
    """The day on which the rounds that have not begun start; None where they have no dates."""
    starts = (day for one in path for day in (_start_of(one), one.asks_first_on))
    return min((day for day in starts if day is not None), default=None)


def _start_of(timetable: Timetable) -> date | None:
    opens_at = timetable.moving[0].opens_at if timetable.moving else None
    return (
        local_parts(opens_at, timetable.zone)[0] if opens_at is not None else start_of(timetable.moving, timetable.zone)
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """The dates of a path after a move, and the free weeks that put some of them off."""

    path: tuple[Timetable, ...]
    skipped: frozenset[Week]


def moved(path: Sequence[Timetable], start: date, *, free: Collection[Week], skipped: Collection[Week] = ()) -> Moved:
    """Let the rounds that have not begun start on this day.

    Weekdays, times and gaps stay, over all activities together. What would fall into a free week goes on by whole
    weeks, and all that is later with it, as `rhythm.days_in_rhythm` does. `skipped`: the weeks that put these dates off
    when they were last moved; those gaps close again.
    """
    before = first_day(path)
    if before is None:
        return Moved(tuple(path), frozenset())
    # A start on another weekday moves every date by as many days; after that only whole weeks move.
    days = timedelta(days=start.weekday() - before.weekday())
    weeks = sorted({monday_of(day + days) for day in [before, *(day for one in path for day in one.days())]})
    jumped: set[Week] = set()
    new = {weeks[0]: _put_off(monday_of(start), free, jumped)}
    for earlier, week in pairwise(weeks):
        between = (earlier + number * WEEK for number in range(1, (week - earlier) // WEEK))
        gap = (week - earlier) // WEEK - sum(week_of(one) in skipped for one in between)
        new[week] = _put_off(new[earlier] + max(gap, 1) * WEEK, free, jumped)

    def day_after(day: date) -> date:
        shifted = day + days
        return new[monday_of(shifted)] + (shifted - monday_of(shifted))

    return Moved(tuple(_with_days(one, day_after) for one in path), frozenset(jumped))


def _put_off(monday: date, free: Collection[Week], jumped: set[Week]) -> date:
    later = after_free_weeks(monday, free)
    jumped.update(week_of(monday + number * WEEK) for number in range((later - monday) // WEEK))
    return later


def _with_days(timetable: Timetable, day_after: Callable[[date], date]) -> Timetable:
    def changed(dates: RoundDates) -> RoundDates:
        opens_at, due_at = dates.opens_at, dates.due_at
        if opens_at is not None:
            day, at = local_parts(opens_at, timetable.zone)
            opens_at = opening(day_after(day), at, timetable.zone)
        if due_at is not None:
            day, at = local_parts(due_at, timetable.zone)
            due_at = deadline(day_after(day), at, timetable.zone)
        return RoundDates(opens_at, due_at)

    return replace(
        timetable,
        rounds=(*timetable.rounds[: timetable.begun], *map(changed, timetable.moving)),
        asks_first_on=day_after(timetable.asks_first_on) if timetable.asks_first_on is not None else None,
    )


class Flaw(StrEnum):
    """What keeps dates from being moved."""

    NOTHING_MOVES = "nothing_moves"
    """Every round has begun, or has no dates."""
    PAST = "past"
    BEFORE_BEGUN = "before_begun"
    """A round would be due before one that has begun, which it followed until now."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A flaw, and the round it is about."""

    flaw: Flaw
    activity_id: int = 0
    round: int = 0


def problems_of(before: Sequence[Timetable], after: Sequence[Timetable], *, now: datetime) -> list[Problem]:
    """Everything that speaks against these dates, in the order of the path."""
    if first_day(before) is None:
        return [Problem(Flaw.NOTHING_MOVES)]
    problems = []
    latest_begun: datetime | None = None
    for old, new in zip(before, after, strict=True):
        today = local_parts(now, new.zone)[0]
        for number, (was, becomes) in enumerate(zip(old.rounds, new.rounds, strict=True), start=1):
            if number <= old.begun:
                latest_begun = max(filter(None, (latest_begun, was.due_at)), default=None)
                continue
            opens, due = becomes.opens_at, becomes.due_at
            if (opens and local_parts(opens, new.zone)[0] < today) or (due and due <= now):
                problems.append(Problem(Flaw.PAST, new.activity_id, number))
            elif latest_begun and was.due_at and due and due < latest_begun <= was.due_at:
                problems.append(Problem(Flaw.BEFORE_BEGUN, new.activity_id, number))
    return problems
