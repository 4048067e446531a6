"""From progress to a score: what is sent, when, and what a platform's answer means. Plain values only.

A score is kept as its share of the maximum in millionths, so that it can be compared exactly.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final, Protocol

from lti_tool.activities.rules import ScoreMode
from lti_tool.progress.rules import with_points
from lti_tool.registration.errors import Denial
from lti_tool.registration.rules.registrations import are_apart

WHOLE = 1_000_000
PAUSE_UNSAID = timedelta(seconds=30)
MOST_CONFLICTS = 1
"""How often a score is sent again after the platform called it outdated."""
GIVES_UP_ON_500 = 4
"""Attempts after which the status by which a platform says "locked" is taken to mean that."""


class Progress(Protocol):
    """What the completion checklist says of one learner."""

    @property
    def fraction(self) -> Fraction: ...

    @property
    def is_complete(self) -> bool: ...

    @property
    def is_excused_from_all(self) -> bool: ...

    @property
    def points(self) -> Fraction | None: ...


# What to send


@dataclass(frozen=True, slots=True)
class Scoring:
    """An activity's settings for its score."""

    mode: ScoreMode
    zero_at_close: bool = False
    is_closed: bool = False
    points_share: int = 0
    """How many percent of the score follow the rubric points that somebody was given."""


class Step(StrEnum):
    """What follows from a learner's progress."""

    NOTHING = "nothing"
    SEND = "send"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and the share to send or to ask about. ASK without a share asks about removing the score."""

    step: Step
    share: int | None = None


def due_share(progress: Progress, scoring: Scoring) -> int | None:
    """The share that this progress earns now; None if nothing is to be sent.

    None until the checklist is complete, or until the first step that counts if the score is proportional. A 0 is sent
    only at the close, if the designer chose so and the learner had something to do: in Moodle a 0 already completes
    "receive a grade".
    """
    if scoring.mode is ScoreMode.NONE:
        return None
    share: int | None = None
    if progress.is_complete or (scoring.mode is ScoreMode.PROPORTIONAL and progress.fraction > 0):
        done = Fraction(1) if progress.is_complete else progress.fraction
        worth = with_points(done, progress.points, scoring.points_share, is_final=scoring.is_closed)
        share = max(1, min(int(worth * WHOLE), WHOLE))
    if share is None and scoring.is_closed and scoring.zero_at_close and not progress.is_excused_from_all:
        return 0
    return share


def score_to_send(progress: Progress, scoring: Scoring, reported: int | None) -> Decision:
    """Decide what to send next. `reported` is the share that the platform may already have.

    A score is raised without asking. If progress was lost, staff are asked before it is lowered.
    """
    share = due_share(progress, scoring)
    if scoring.mode is ScoreMode.NONE or share == reported:
        return Decision(Step.NOTHING)
    if reported is None or (share is not None and share > reported):
        return Decision(Step.SEND, share)
    return Decision(Step.ASK, share)


def points(share: int, maximum: int) -> int | float:
    """The share in the activity's points, as an integer if it is whole."""
    exact = Fraction(share * maximum, WHOLE)
    return int(exact) if exact.denominator == 1 else round(float(exact), 4)


def share_of(result_score: float, result_maximum: float) -> int:
    """A result of the gradebook as a share, on any scale."""
    return 0 if result_maximum <= 0 else round(result_score / result_maximum * WHOLE)


def is_lower(share: int, result_score: float, result_maximum: float) -> bool:
    """Whether sending this score would lower what the gradebook holds."""
    return share < share_of(result_score, result_maximum) and not is_same_score(share, result_score, result_maximum)


def is_same_score(share: int, result_score: float, result_maximum: float) -> bool:
    """Whether a result of the gradebook equals this score, on any scale."""
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
    """How far the platform's clock is ahead of ours, by its latest answer. Never too much: the header shows whole
    seconds, rounded down.
    """
    return before if date is None else date - now


def _floor(moment: datetime, step: timedelta) -> datetime:
    start = moment.replace(minute=0, second=0, microsecond=0)
    return start + (moment - start) // step * step


# What the answer means


class Kind(StrEnum):
    """What to do about an answer."""

    DELIVERED = "delivered"
    FOUND = "found"
    """Not sent: an earlier attempt had arrived."""
    RETRY = "retry"
    THROTTLED = "throttled"
    CONFLICT = "conflict"
    WAITS = "waits"
    """Refused for now. Sent again after a pause, which grows."""
    REFUSED = "refused"
    """Refused for good, in words about this score or person."""
    GONE = "gone"


class Reason(StrEnum):
    """Why a score is not in the gradebook. The ledger has a sentence for each."""

    NOT_GRADABLE = "not gradable"
    NOT_ENROLLED = "not enrolled"
    NO_ATTEMPTS_LEFT = "no attempts left"
    LOCKED = "locked"
    NEWER_GRADE = "newer grade"
    HIGHER_THERE = "higher there"
    NOT_ALLOWED = "not allowed"
    NO_ACCESS = "no access"
    CREDENTIALS = "credentials"
    CLOCK = "clock"
    KEY_SET = "key set"
    BLOCKED = "blocked"
    NOT_UNDERSTOOD = "not understood"
    COLUMN_GONE = "column gone"
    NOT_FOUND = "not found"
    NO_COLUMN = "no column"
    COURSE_OVER = "course over"
    LEFT = "left"
    PAUSED = "paused"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    TROUBLE = "trouble"
    WITHDRAWN = "withdrawn"


OF_DENIAL: Final[Mapping[Denial, Reason]] = {
    Denial.CREDENTIALS: Reason.CREDENTIALS,
    Denial.CLOCK: Reason.CLOCK,
    Denial.KEY_SET: Reason.KEY_SET,
    Denial.SCOPE: Reason.NOT_ALLOWED,
    Denial.UNCLEAR: Reason.NO_ACCESS,
}
"""Why a score waits while the platform grants no token."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer to a score means."""

    kind: Kind
    reason: Reason | None = None
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the table of refusals: the first whose status and words fit counts."""

    statuses: frozenset[int] | None
    words: re.Pattern[str] | None
    kind: Kind
    reason: Reason


def _row(statuses: set[int] | None, words: str | None, kind: Kind, reason: Reason) -> _Row:
    pattern = None if words is None else re.compile(words)
    return _Row(None if statuses is None else frozenset(statuses), pattern, kind, reason)


_REFUSALS: Final = (
    # Moodle says no more than this of people who have no grades in the course. It stands in the reason line.
    _row({400}, r"^incorrect score", Kind.REFUSED, Reason.NOT_GRADABLE),
    # A firewall, maintenance, a proxy: no gradebook answers with a web page.
    _row(None, r"<html|<!doctype html", Kind.WAITS, Reason.BLOCKED),
    _row(
        {400, 403, 422},
        r"maximum number of (?:allowed )?attempts|no (?:more )?attempts",
        Kind.REFUSED,
        Reason.NO_ATTEMPTS_LEFT,
    ),
    # Canvas says so of everybody while the course is not published.
    _row(
        {400, 403, 404, 422},
        r"\buser\b[^.:{]{0,60}(?:does not exist|not found|could not be found|not enrolled)|not a student",
        Kind.WAITS,
        Reason.NOT_ENROLLED,
    ),
    _row({400, 403, 422}, r"can ?not be graded", Kind.REFUSED, Reason.NOT_GRADABLE),
    _row({404, 410}, None, Kind.GONE, Reason.COLUMN_GONE),
    _row({401}, None, Kind.WAITS, Reason.NO_ACCESS),
    _row({403, 405}, None, Kind.WAITS, Reason.NOT_ALLOWED),
    _row(None, None, Kind.WAITS, Reason.NOT_UNDERSTOOD),
)
"""What each refusal means. Only one that is about this score or person for good ends the attempts."""


def judge(
    status: int,
    words: str,
    *,
    after: timedelta | None = None,
    attempts: int = 1,
    locked_status: int | None = None,
    clock_offset: timedelta | None = None,
) -> Verdict:
    """Read a platform's answer to a score. `words` are its reason line and body in lower case; they are never kept."""
    if 200 <= status < 300:
        return Verdict(Kind.DELIVERED)
    if status == 429 or (status == 403 and "rate limit" in words):
        return Verdict(Kind.THROTTLED, Reason.BUSY, after or PAUSE_UNSAID)
    if status == 409 or (status == 400 and "timestamp" in words and "before" in words and "last updated" in words):
        return Verdict(Kind.CONFLICT, Reason.NEWER_GRADE)
    if status == locked_status and attempts >= GIVES_UP_ON_500:
        return Verdict(Kind.WAITS, Reason.LOCKED, after)
    if status >= 500 or status in {408, 425}:
        return Verdict(Kind.RETRY, Reason.TROUBLE if after is None else Reason.BUSY, after)
    row = next(row for row in _REFUSALS if _fits(row, status, words))
    is_by_clock = row.reason in {Reason.NO_ACCESS, Reason.NOT_UNDERSTOOD} and are_apart(clock_offset)
    return Verdict(row.kind, Reason.CLOCK if is_by_clock else row.reason, after)


def _fits(row: _Row, status: int, words: str) -> bool:
    is_status = row.statuses is None or status in row.statuses
    return is_status and (row.words is None or row.words.search(words) is not None)
