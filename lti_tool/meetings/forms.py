"""Times as typed, the moments they mean, and what is wrong with them in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.errors import N_
from lti_tool.launch.rules.values import clean
from lti_tool.meetings.rules.times import MOST_TIMES, USUAL_MINUTES, Flaw, Wanted, flaws_of, moments_at

LONGEST_READ: Final = 4000
"""Characters of a place that are read, so that one that is too long can be shortened."""

NAMES: Final = {
    "day-": N_("Date"),
    "clock-": N_("Time"),
    "place": N_("Place or link"),
}
"""What pages call a field whose text could not be taken."""

FLAWS: Final[dict[Flaw, str]] = {
    Flaw.NO_TIME: N_("Choose or type at least one time."),
    Flaw.TOO_MANY: N_("Propose at most three times at once."),
    Flaw.PASSED: N_("This time is over. Choose a later one."),
    Flaw.TOO_FAR: N_("This is more than a year ahead. Choose an earlier time."),
    Flaw.LENGTH: N_("Choose a length from the list."),
    Flaw.PLACE_TOO_LONG: N_("Shorten the place to 500 characters."),
    Flaw.NO_LINK: N_("A link must begin with https:// or http://. Anything else can be written as a place, in words."),
}
DATE_UNREADABLE: Final = N_("Write the date as year-month-day, such as 2026-12-24.")
CLOCK_UNREADABLE: Final = N_("Write the time as hours:minutes, such as 14:30.")
NO_SUCH_TIME: Final = N_("Clocks go forward then, so this time does not exist on that day. Choose another one.")
COMES_TWICE: Final = N_("Clocks go back then, so this time comes twice on that day. Choose which one you mean.")

_FIELD: Final = {Flaw.LENGTH: "minutes", Flaw.PLACE_TOO_LONG: "place", Flaw.NO_LINK: "place"}


@dataclass(frozen=True, slots=True)
class RowText:
    """One time as typed."""

    day: str = ""
    clock: str = ""
    turn: str = ""
    """Which of the two is meant where the time comes twice: "first" or "second"."""

    @property
    def is_empty(self) -> bool:
        return not self.day and not self.clock


@dataclass(frozen=True, slots=True)
class TimesText:
    """The form as typed."""

    rows: tuple[RowText, ...] = (RowText(),) * MOST_TIMES
    chosen: tuple[str, ...] = ()
    """Offered moments that were ticked."""
    minutes: str = str(USUAL_MINUTES)
    place: str = ""
    rhythm: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What typed text amounts to. With problems it must not be kept."""

    wanted: tuple[Wanted, ...]
    problems: dict[str, str] = field(default_factory=dict)
    """Field id to a sentence (marked for translation), in the order of the page."""
    twice: dict[int, tuple[datetime, datetime]] = field(default_factory=dict)
    """By number of a row the two moments that its time can mean."""


def typed(fields: Mapping[str, str], chosen: list[str]) -> TimesText:
    """What the form holds."""
    return TimesText(
        rows=tuple(
            RowText(*(fields.get(f"{name}-{number}", "").strip() for name in ("day", "clock", "turn")))
            for number in range(1, MOST_TIMES + 1)
        ),
        chosen=tuple(dict.fromkeys(one for one in chosen if _moment(one) is not None)),
        minutes=fields.get("minutes", str(USUAL_MINUTES)).strip(),
        place=clean(fields.get("place", ""), LONGEST_READ),
        rhythm=fields.get("rhythm", ""),
    )


def read(text: TimesText, *, zone: ZoneInfo, now: datetime) -> Reading:
    """The times that were meant, on the clocks of a zone, with a sentence for each field that keeps them from use."""
    problems: dict[str, str] = {}
    twice: dict[int, tuple[datetime, datetime]] = {}
    moments: list[tuple[str, datetime]] = []
    for chosen in text.chosen:
        moment = _moment(chosen)
        if moment is not None:
            moments.append(("offers", moment))
    for number, row in enumerate(text.rows, start=1):
        meant = _row(row, number, zone, problems, twice)
        if meant is not None:
            moments.append((f"day-{number}", meant))
    minutes = int(text.minutes) if text.minutes.isdecimal() and len(text.minutes) < 5 else 0
    rhythm = Rhythm(text.rhythm) if text.rhythm in set(Rhythm) else None
    wanted = tuple(Wanted(moment, minutes, text.place, zone.key, rhythm) for _, moment in moments)
    for (where, _), time_wanted in zip(moments, wanted, strict=True):
        for flaw in flaws_of([time_wanted], now=now):
            problems.setdefault(_FIELD.get(flaw, where), FLAWS[flaw])
    for flaw in flaws_of(wanted, now=now):
        if flaw is Flaw.TOO_MANY or (flaw is Flaw.NO_TIME and not problems):
            problems.setdefault("day-1", FLAWS[flaw])
    return Reading(wanted, problems, twice)


def _row(
    row: RowText,
    number: int,
    zone: ZoneInfo,
    problems: dict[str, str],
    twice: dict[int, tuple[datetime, datetime]],
) -> datetime | None:
    if row.is_empty:
        return None
    day, clock = _day(row.day), _clock(row.clock)
    if day is None:
        problems[f"day-{number}"] = DATE_UNREADABLE
    if clock is None:
        problems[f"clock-{number}"] = CLOCK_UNREADABLE
    if day is None or clock is None:
        return None
    moments = moments_at(day, clock, zone)
    if not moments:
        problems[f"clock-{number}"] = NO_SUCH_TIME
        return None
    if len(moments) == 1:
        return moments[0]
    twice[number] = (moments[0], moments[-1])
    if row.turn not in {"first", "second"}:
        problems[f"turn-{number}"] = COMES_TWICE
        return None
    return moments[row.turn == "second"]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date.min.year < day.year < date.max.year else None


def _clock(text: str) -> time | None:
    written = text.replace(".", ":")
    try:
        clock = time.fromisoformat(f"0{written}" if written[1:2] == ":" else written)
    except ValueError:
        return None
    return clock.replace(tzinfo=None, second=0, microsecond=0)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)
