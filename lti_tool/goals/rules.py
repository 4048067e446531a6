"""What a form takes, when a goal is vague, how its line runs, and which round is the present one."""

import calendar
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from lti_tool.errors import N_
from lti_tool.feedback.rules import clean
from lti_tool.support.addresses import host_of
from lti_tool.support.failures import AddressRefused

LONGEST: Final = 10_000
LONGEST_TITLE: Final = 300
LONGEST_ADDRESS: Final = 2_000
EARLIEST_YEAR: Final = 2000
LATEST_YEAR: Final = 2200
FEWEST_WORDS: Final = 5
"""A goal in fewer words says hardly what will be different."""
FAR: Final = 100
"""Days after which a date is no longer about a month ahead."""


class Area(StrEnum):
    """What a goal is about."""

    COMMUNICATION = "communication"
    LEADERSHIP = "leadership"
    TOOL = "tool"
    OTHER = "other"


class GoalState(StrEnum):
    """Where a goal stands; a reached or dropped one can be taken up again."""

    OPEN = "open"
    REACHED = "reached"
    DROPPED = "dropped"


class ActionState(StrEnum):
    """Where an action stands."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Became(StrEnum):
    """What looking back at an action made of it."""

    DONE = "done"
    MOVED = "moved"
    DROPPED = "dropped"


# ---- forms -----------------------------------------------------------------------------------------------------------


class FieldKind(StrEnum):
    """What may be typed into a field."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    AREA = "area"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class Field:
    """One question: the column that holds the answer, and its name on the page."""

    key: str
    name: str
    kind: FieldKind = FieldKind.TEXT
    is_required: bool = False
    longest: int = LONGEST


@dataclass(frozen=True, slots=True)
class Form:
    """Questions that are sent together, each under the form's key and its own."""

    key: str
    fields: tuple[Field, ...]

    def sent_as(self, field: Field) -> str:
        """The name under which a page sends the field."""
        return f"{self.key}_{field.key}"


GOAL: Final = Form(
    "goal",
    (
        Field("area", N_("What it is about"), FieldKind.AREA),
        Field("area_words", N_("In your own words, what it is about"), longest=LONGEST_TITLE),
        Field("words", N_("Your goal"), is_required=True),
        Field("measure", N_("How you will know")),
        Field("start", N_("Value now"), FieldKind.NUMBER),
        Field("target", N_("Value to reach"), FieldKind.NUMBER),
        Field("target_on", N_("By when"), FieldKind.DAY),
    ),
)
CHECK_IN: Final = Form(
    "check_in",
    (
        Field("value", N_("Value today"), FieldKind.NUMBER),
        Field("how", N_("How it is going"), is_required=True),
        Field("support", N_("Support you want")),
    ),
)
ACTION: Final = Form(
    "action",
    (
        Field("words", N_("What you will do"), is_required=True),
        Field("due_on", N_("By when"), FieldKind.DAY),
        Field("sign", N_("How you will see that it worked")),
    ),
)
MOVE: Final = Form("move", (Field("due_on", N_("New date"), FieldKind.DAY, is_required=True),))
DROP: Final = Form("drop", (Field("why", N_("Why you drop it"), is_required=True),))
QUESTION: Final = Form("question", (Field("text", N_("Your question or answer"), is_required=True),))
WIN: Final = Form("win", (Field("text", N_("What went well"), is_required=True),))
REMARK: Final = Form("remark", (Field("text", N_("Your line"), is_required=True),))
RESOURCE: Final = Form(
    "resource",
    (
        Field("title", N_("Title"), is_required=True, longest=LONGEST_TITLE),
        Field("address", N_("Web address"), FieldKind.ADDRESS, longest=LONGEST_ADDRESS),
        Field("use", N_("How you will use it")),
    ),
)
OUTCOME: Final = Form("outcome", (Field("outcome", N_("What came of it"), is_required=True),))
FORMS: Final = (GOAL, CHECK_IN, ACTION, MOVE, DROP, QUESTION, WIN, REMARK, RESOURCE, OUTCOME)


class Flaw(StrEnum):
    """What is wrong with what was typed."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    NO_NUMBER = "no_number"
    NO_DAY = "no_day"
    NO_ADDRESS = "no_address"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Problem:
    """A field of a form, and what is wrong with it."""

    form: Form
    field: Field
    flaw: Flaw


@dataclass(frozen=True, slots=True)
class Reading:
    """What a form amounts to: values by column, or problems."""

    values: Mapping[str, Any]
    problems: tuple[Problem, ...]


class _Unreadable(ValueError):
    """A field that says nothing of its kind."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw = flaw


def read(form: Form, sent: Mapping[str, str]) -> Reading:
    """What was typed into a form, as values of its columns, and every problem in the order of the page."""
    values: dict[str, Any] = {}
    problems = []
    for field in form.fields:
        text = clean(sent.get(form.sent_as(field), "")).strip()
        try:
            values[field.key] = _value(field, text)
        except _Unreadable as why:
            problems.append(Problem(form, field, why.flaw))
    return Reading(values, tuple(problems))


def _value(field: Field, text: str) -> Any:
    if field.is_required and not text:
        raise _Unreadable(Flaw.MISSING)
    if len(text) > field.longest:
        raise _Unreadable(Flaw.TOO_LONG)
    match field.kind:
        case FieldKind.NUMBER:
            return _number(text)
        case FieldKind.DAY:
            return _day(text)
        case FieldKind.AREA if text and text not in set(Area):
            raise _Unreadable(Flaw.UNKNOWN)
        case FieldKind.ADDRESS if text:
            return _address(text)
    return text


_NUMBER: Final = re.compile(r"[-−+]?[0-9]{1,12}([.,][0-9]{1,6})?")


def _number(text: str) -> float | None:
    if not text:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise _Unreadable(Flaw.NO_NUMBER)
    return float(text.replace(",", ".").replace("−", "-"))


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _Unreadable(Flaw.NO_DAY) from None
    if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
        raise _Unreadable(Flaw.NO_DAY)
    return day


def _address(text: str) -> str:
    try:
        host_of(text)
    except AddressRefused:
        raise _Unreadable(Flaw.NO_ADDRESS) from None
    return text


def typed(value: Any) -> str:
    """A value as a person would type it into its field."""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def as_typed(form: Form, row: object) -> dict[str, str]:
    """The answers that a row holds to a form, by column, as a person would type them."""
    return {field.key: typed(getattr(row, field.key)) for field in form.fields}


# ---- goals -----------------------------------------------------------------------------------------------------------


def month_ahead(day: date) -> date:
    """The same day of the next month, or its last one where it is shorter."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


class Hint(StrEnum):
    """A question that would sharpen a goal."""

    WHAT_WILL_BE_DIFFERENT = "what_will_be_different"
    HOW_WILL_YOU_KNOW = "how_will_you_know"
    WHERE_ARE_YOU_NOW = "where_are_you_now"
    HOW_FAR = "how_far"
    WHAT_CHANGES = "what_changes"
    BY_WHEN = "by_when"
    NEARER = "nearer"


VAGUE: Final = frozenset(
    [
        *("better", "more", "improve", "improving", "good", "well", "try", "somehow", "often"),
        *("bättre", "mer", "förbättra", "bra", "försöka", "oftare"),
        *("bedre", "mere", "forbedre", "god", "prøve", "oftere"),
        *("beter", "meer", "verbeteren", "goed", "proberen", "vaker"),
    ]
)
"""Words that name a direction and no place, in the languages that are planned."""


def hints_of(goal: Mapping[str, Any], today: date) -> dict[str, Hint]:
    """For each field of a goal that leaves something open, the question that would sharpen it. Never a refusal."""
    hints: dict[str, Hint] = {}
    words = re.findall(r"\w+", goal["words"].casefold())
    is_counted = any(letter.isdigit() for letter in goal["words"] + goal["measure"]) or goal["target"] is not None
    if not is_counted and (len(words) < FEWEST_WORDS or not VAGUE.isdisjoint(words)):
        hints["words"] = Hint.WHAT_WILL_BE_DIFFERENT
    if not goal["measure"]:
        hints["measure"] = Hint.HOW_WILL_YOU_KNOW
    start, target = goal["start"], goal["target"]
    if start is None and target is not None:
        hints["start"] = Hint.WHERE_ARE_YOU_NOW
    elif start is not None and target is None:
        hints["target"] = Hint.HOW_FAR
    elif start is not None and start == target:
        hints["target"] = Hint.WHAT_CHANGES
    if goal["target_on"] is None:
        hints["target_on"] = Hint.BY_WHEN
    elif (goal["target_on"] - today).days > FAR:
        hints["target_on"] = Hint.NEARER
    return hints


@dataclass(frozen=True, slots=True)
class Point:
    """A value on a day, and where it is drawn."""

    day: date
    value: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a goal: from its start to its target, and what the check-ins said."""

    start: Point
    target: Point
    values: tuple[Point, ...]

    @property
    def now(self) -> float:
        """The value of the last check-in, or the start."""
        return (self.values[-1] if self.values else self.start).value

    @property
    def path(self) -> str:
        """The points from the start over all check-ins, as SVG writes them."""
        return " ".join(f"{point.x:g},{point.y:g}" for point in (self.start, *self.values))


WIDTH: Final = 300
HEIGHT: Final = 80
MARGIN: Final = 10


def line_of(
    start: float | None,
    target: float | None,
    begun_on: date,
    target_on: date | None,
    values: Iterable[tuple[date, float]],
) -> Line | None:
    """Where the line of a goal runs in a picture of WIDTH by HEIGHT; None where start or target are no numbers."""
    if start is None or target is None:
        return None
    told = sorted(values, key=lambda day_and_value: day_and_value[0])
    last = max([begun_on, target_on or month_ahead(begun_on), *(day for day, _ in told)])
    first = min([begun_on, *(day for day, _ in told)])
    days = max((last - first).days, 1)
    lowest, highest = (
        min([start, target, *(value for _, value in told)]),
        max([start, target, *(value for _, value in told)]),
    )
    span = (highest - lowest) or 1.0

    def point(day: date, value: float) -> Point:
        x = MARGIN + (WIDTH - 2 * MARGIN) * (day - first).days / days
        y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - lowest) / span
        return Point(day, value, round(x, 1), round(y, 1))

    end = max(target_on or last, begun_on)
    return Line(point(begun_on, start), point(end, target), tuple(point(day, value) for day, value in told))


# ---- rounds ----------------------------------------------------------------------------------------------------------


TAKEN_BACK_WITHIN: Final = timedelta(days=1)
"""So long after writing, its author can take back a check-in, a win or a remark."""


def can_be_taken_back(written_at: datetime, *, now: datetime) -> bool:
    """Whether its author can still take it back, or bring it back."""
    return now < written_at + TAKEN_BACK_WITHIN


@dataclass(frozen=True, slots=True)
class WrittenAction:
    """When an action was written and last looked back at, without its words. Rounds by number."""

    round: int
    written_at: datetime
    is_open: bool
    looked_at_in: int = 0
    """The last round in which it was looked back at; 0: in none."""
    looked_at: datetime | None = None
    """When it was looked back at last."""


def looked_back_at(actions: Iterable[WrittenAction], number: int) -> datetime | None:
    """When the last look back was made at actions of rounds before this one; None without any."""
    counted = (action for action in actions if action.round < number <= action.looked_at_in)
    return max((action.looked_at for action in counted if action.looked_at is not None), default=None)


def look_backs(actions: Iterable[WrittenAction], rounds: Mapping[int, datetime | None]) -> dict[int, tuple[int, int]]:
    """For each round how many actions of earlier rounds were looked back at, and how many there were to look back at.

    `rounds` are as `turns_of` has them. What is written once a round has its turn is for the round that follows. A look
    back in a later round counts for the rounds before it too.
    """
    counts: dict[int, tuple[int, int]] = {}
    for action in actions:
        for number, turn_at in rounds.items():
            is_earlier = action.round < number and (turn_at is None or action.written_at < turn_at)
            is_looked_at = action.looked_at_in >= number
            if is_earlier and (is_looked_at or action.is_open):
                done, left = counts.get(number, (0, 0))
                counts[number] = (done + is_looked_at, left + 1)
    return counts


def turns_of(
    rounds: Sequence[tuple[int, datetime | None, datetime | None]],
) -> dict[int, datetime | None]:
    """From when each round has its turn, of rounds as (number, opens, due): when it opens, or the one before is due."""
    before = (None, *(due_at for _, _, due_at in rounds[:-1]))
    return {number: opens_at or due_at for (number, opens_at, _), due_at in zip(rounds, before, strict=True)}


def present_round(rounds: Sequence[tuple[datetime | None, datetime | None]], now: datetime) -> int | None:
    """The place of the round that runs now, of rounds as (opens, due): the first that is open and not over.

    Between rounds it is the last one that was open; before all of them the first.
    """
    opened = [place for place, (opens_at, _) in enumerate(rounds) if opens_at is None or opens_at <= now]
    running = (place for place in opened if (due_at := rounds[place][1]) is None or due_at > now)
    return next(running, opened[-1] if opened else 0 if rounds else None)
