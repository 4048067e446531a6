"""From progress to a score: what is sent, when, and what a platform's answer means. Plain values only.

A score is kept as its share of the maximum in millionths, so that it can be compared exactly.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from lti_tool.activities.rules import ScoreMode

WHOLE = 1_000_000
PAUSE_UNSAID = timedelta(seconds=30)
MOST_CONFLICTS = 1
"""How often a score that the platform calls outdated is sent once more."""
GIVES_UP_ON_500 = 4
"""Attempts after which a platform that says "locked" by a 500 is taken at its word."""

_PERSON_UNKNOWN = re.compile(r"\buser\b[^.:{]{0,60}(does not exist|not found|could not be found|not enrolled)")


class Progress(Protocol):
    """What the completion checklist says of one learner."""

    @property
    def fraction(self) -> Fraction: ...

    @property
    def is_complete(self) -> bool: ...

    @property
    def is_excused_from_all(self) -> bool: ...


# What to send


@dataclass(frozen=True, slots=True)
class Scoring:
    """An activity's settings for its score."""

    mode: ScoreMode
    zero_at_close: bool = False
    is_closed: bool = False


class Step(StrEnum):
    """What follows from a learner's progress."""

    NOTHING = "nothing"
    SEND = "send"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and with ASK and SEND the share in question. An ASK without a share would take the score away."""

    step: Step
    share: int | None = None


def due_share(progress: Progress, scoring: Scoring) -> int | None:
    """The share that this progress is worth now; None where nothing is to be sent for it.

    Nothing until the checklist is complete, or with a proportional score until something counts. A 0 only at the close,
    where the designer chose it and something was asked: a 0 already completes "receive a grade" in Moodle.
    """
    if scoring.mode is ScoreMode.NONE:
        return None
    share: int | None = None
    if progress.is_complete:
        share = WHOLE
    elif scoring.mode is ScoreMode.PROPORTIONAL and progress.fraction > 0:
        share = max(1, min(int(progress.fraction * WHOLE), WHOLE))
    if share is None and scoring.is_closed and scoring.zero_at_close and not progress.is_excused_from_all:
        return 0
    return share


def score_to_send(progress: Progress, scoring: Scoring, told: int | None) -> Decision:
    """Decide what the platform is to be told next. `told` is the share that it may already have.

    A score only ever rises by itself. Where progress was lost, a person of staff is asked.
    """
    share = due_share(progress, scoring)
    if scoring.mode is ScoreMode.NONE or share == told:
        return Decision(Step.NOTHING)
    if told is None or (share is not None and share > told):
        return Decision(Step.SEND, share)
    return Decision(Step.ASK, share)


def points(share: int, maximum: int) -> int | float:
    """The share in the activity's own points, as JSON writes it: whole where it is whole."""
    exact = Fraction(share * maximum, WHOLE)
    return int(exact) if exact.denominator == 1 else round(float(exact), 4)


def is_same_score(share: int, result_score: float, result_maximum: float) -> bool:
    """Whether a result in the gradebook is this score, whatever scale it is shown in."""
    if result_maximum <= 0:
        return False
    return abs(result_score / result_maximum - share / WHOLE) < 0.0005


# When to send


@dataclass(frozen=True, slots=True)
class Stamp:
    """The timestamp that a score may carry now, or how long to wait for one."""

    at: datetime | None
    wait: timedelta = timedelta(0)


def next_stamp(now: datetime, offset: timedelta, last: datetime | None, step: timedelta) -> Stamp:
    """A timestamp later than the last by at least one step, and not ahead of the platform's clock.

    `offset` is by how much the platform's clock was ahead of ours. A score with a timestamp from the platform's future
    is accepted by some, and then blocks every later one until that moment has passed.
    """
    platform_now = _floor(min(now, now + offset), step)
    if last is None:
        return Stamp(platform_now)
    earliest = _floor(last, step) + step
    if earliest <= platform_now:
        return Stamp(platform_now)
    # Half a step more, since the platform's clock is known to the second only.
    return Stamp(None, earliest - min(now, now + offset) + step / 2)


def offset_of(date: datetime | None, now: datetime, before: timedelta | None) -> timedelta | None:
    """By how much the platform's clock is ahead of ours, as its latest answer shows. Never too much: the header shows
    whole seconds, rounded down.
    """
    return before if date is None else date - now


def _floor(moment: datetime, step: timedelta) -> datetime:
    start = moment.replace(minute=0, second=0, microsecond=0)
    return start + (moment - start) // step * step


# What the answer means


class Kind(StrEnum):
    """What to do about an answer."""

    DELIVERED = "delivered"
    RETRY = "retry"
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    REFUSED = "refused"
    GONE = "gone"


class Reason(StrEnum):
    """Why a score is not in the gradebook. Each has its sentence in the ledger."""

    NOT_GRADABLE = "not gradable"
    NOT_ENROLLED = "not enrolled"
    NO_ATTEMPTS_LEFT = "no attempts left"
    LOCKED = "locked"
    NEWER_GRADE = "newer grade"
    NOT_ALLOWED = "not allowed"
    NOT_UNDERSTOOD = "not understood"
    COLUMN_GONE = "column gone"
    NO_COLUMN = "no column"
    COURSE_OVER = "course over"
    LEFT = "left"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    TROUBLE = "trouble"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer to a score means."""

    kind: Kind
    reason: Reason | None = None
    after: timedelta | None = None


def judge(  # noqa: PLR0911 - a table of answers
    status: int, words: str, *, after: timedelta | None = None, attempts: int = 1, locked_status: int | None = None
) -> Verdict:
    """Read a platform's answer to a score. `words` are its reason line and body in lower case; they are never kept."""
    if 200 <= status < 300:
        return Verdict(Kind.DELIVERED)
    if status == 429 or (status == 403 and "rate limit" in words):
        return Verdict(Kind.THROTTLED, Reason.BUSY, after or PAUSE_UNSAID)
    if status == 409 or (status == 400 and "timestamp" in words and "before" in words and "last updated" in words):
        return Verdict(Kind.CONFLICT, Reason.NEWER_GRADE)
    if status == locked_status and attempts >= GIVES_UP_ON_500:
        return Verdict(Kind.REFUSED, Reason.LOCKED)
    if status >= 500 or status in {408, 425}:
        return Verdict(Kind.RETRY, Reason.TROUBLE, after)
    if status in {404, 410}:
        if _PERSON_UNKNOWN.search(words):
            return Verdict(Kind.REFUSED, Reason.NOT_ENROLLED)
        return Verdict(Kind.GONE, Reason.COLUMN_GONE)
    return Verdict(Kind.REFUSED, _refusal(status, words))


def _refusal(status: int, words: str) -> Reason:
    if "attempt" in words:
        return Reason.NO_ATTEMPTS_LEFT
    if _PERSON_UNKNOWN.search(words):
        return Reason.NOT_ENROLLED
    # Moodle says no more than "incorrect score" of people who have no grades in the course.
    if status == 422 or "not a student" in words or words.startswith("incorrect score"):
        return Reason.NOT_GRADABLE
    return Reason.NOT_ALLOWED if status in {401, 403, 405} else Reason.NOT_UNDERSTOOD
