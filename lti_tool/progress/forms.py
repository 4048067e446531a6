"""More time, or leave to skip a round, as staff type it."""

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final

from lti_tool.activities.rules import deadline

EARLIEST_YEAR: Final = 2000
LATEST_YEAR: Final = 2200


class Wish(StrEnum):
    """What staff want for a member in a round."""

    EXTEND = "extend"
    EXCUSE = "excuse"
    TAKE_BACK = "take_back"


class Flaw(StrEnum):
    """What is wrong with what was typed."""

    NO_WISH = "no_wish"
    NO_DATE = "no_date"
    NO_TIME = "no_time"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class AllowanceText:
    """The form as typed."""

    wish: str = ""
    day: str = ""
    clock: str = ""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What typed text amounts to: a new date, an excuse, or neither (both taken back)."""

    due_at: datetime | None = None
    is_excused: bool = False


def read(text: AllowanceText, *, zone: str, now: datetime) -> Allowed | Flaw:
    """What was meant, or what is wrong. A date without a time ends at 23:59 in the activity's zone."""
    if text.wish == Wish.EXCUSE:
        return Allowed(is_excused=True)
    if text.wish == Wish.TAKE_BACK:
        return Allowed()
    if text.wish != Wish.EXTEND:
        return Flaw.NO_WISH
    due_at = _moment(text, zone)
    if isinstance(due_at, datetime) and due_at <= now:
        return Flaw.PASSED
    return due_at if isinstance(due_at, Flaw) else Allowed(due_at)


def _moment(text: AllowanceText, zone: str) -> datetime | Flaw:
    try:
        day = date.fromisoformat(text.day.strip())
    except ValueError:
        return Flaw.NO_DATE
    try:
        clock = time.fromisoformat(text.clock.strip()).replace(tzinfo=None) if text.clock.strip() else None
    except ValueError:
        return Flaw.NO_TIME
    return deadline(day, clock, zone) if EARLIEST_YEAR <= day.year <= LATEST_YEAR else Flaw.NO_DATE
