"""What happens to a score: each product's rules, as pure functions on plain values."""

import html
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sandbox_lms.people import Role
from sandbox_lms.records import Grade

CANVAS_SUBMISSION = "https://canvas.instructure.com/lti/submission"
LOOKS_LIKE_A_DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
NOT_FINAL = {"NotReady", "Failed", "Pending"}


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a score is to go."""

    item_number: int
    maximum: float
    grade: Grade | None
    role: Role | None
    """What the person is in the course; None: not in it."""
    is_active: bool
    is_known: bool
    """Whether there is any such account."""
    is_locked: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to a score, and the cell's new content when it changed."""

    status: int
    reason: str | None = None
    grade: Grade | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A score that has all its parts."""

    person: str
    timestamp: datetime
    activity_progress: str
    grading_progress: str
    given: float | None
    maximum: float | None
    comment: str
    submission: Mapping[str, Any]


Rules = Callable[[Cell, bytes], Verdict]


def read_score(body: bytes) -> Score | None:
    """The score in a request, or None when a part is missing or makes no sense."""
    try:
        sent = json.loads(body, parse_constant=_no_constant)
        moment = str(sent["timestamp"])
        if not LOOKS_LIKE_A_DATE.match(moment):
            return None
        timestamp = datetime.fromisoformat(moment)
        given = _number(sent.get("scoreGiven"))
        maximum = _number(sent.get("scoreMaximum"))
        if given is not None and maximum is None:
            return None
        submission = sent.get(CANVAS_SUBMISSION)
        return Score(
            person=str(sent["userId"]),
            timestamp=timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC),
            activity_progress=str(sent["activityProgress"]),
            grading_progress=str(sent["gradingProgress"]),
            given=given,
            maximum=maximum,
            comment=str(sent.get("comment") or ""),
            submission=submission if isinstance(submission, Mapping) else {},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def person_of(body: bytes) -> str:
    """Whom a score is about, as far as that can be read."""
    try:
        return str(json.loads(body)["userId"])
    except (ValueError, KeyError, TypeError):
        return ""


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError(value)
    return number


def _scaled(score: Score, cell: Cell) -> float | None:
    """The points in the column's own scale. A maximum of 0 is taken as "no scale"."""
    if score.given is None or not score.maximum:
        return score.given
    return round(score.given * cell.maximum / score.maximum, 5)


def _recorded(cell: Cell, score: Score, points: float | None, comment: str, *, clips: bool = True) -> Grade:
    grade = replace(cell.grade or Grade())
    grade.raw = points
    grade.activity_progress, grade.grading_progress = score.activity_progress, score.grading_progress
    if grade.is_overridden:
        return grade
    grade.shown = min(max(points, 0.0), cell.maximum) if clips and points is not None else points
    grade.comment = comment if points is not None else ""
    grade.timestamp = score.timestamp
    return grade


def moodle(cell: Cell, body: bytes) -> Verdict:
    """Moodle 4.5.6: whole seconds, and whatever is not final wipes the grade."""
    incorrect = Verdict(400, "Incorrect score received" + body.decode("utf-8", "replace"))
    score = read_score(body)
    if score is None:
        return incorrect
    if not score.person.isdigit():
        return Verdict(500)
    if cell.role is not Role.LEARNER:
        return incorrect
    stored = cell.grade.timestamp if cell.grade else None
    if stored is not None and int(stored.timestamp()) >= int(score.timestamp.timestamp()):
        where = f"item {cell.item_number} and user {score.person}"
        return Verdict(409, f"Refusing score with an earlier timestamp for {where}")
    if cell.is_locked:
        return Verdict(500)
    points = _scaled(score, cell) if score.grading_progress == "FullyGraded" else None
    grade = _recorded(cell, score, points, score.comment)
    if points is None and not grade.is_overridden:
        grade.timestamp = None
    return Verdict(200, grade=grade)


def canvas(cell: Cell, body: bytes) -> Verdict:
    """Canvas: sub-second timestamps, only active learners, and submissions that count attempts."""
    score = read_score(body)
    if score is None:
        return Verdict(400, "Invalid score: a required parameter is missing or malformed")
    if cell.role is not Role.LEARNER or not cell.is_active:
        return Verdict(422, "User not found in course or is not a student")
    before = cell.grade.timestamp if cell.grade else None
    if before is not None and score.timestamp < before:
        return Verdict(400, f"Provided timestamp of {score.timestamp.isoformat()} before last updated timestamp")
    makes_submission = score.submission.get("new_submission", True) is not False
    old = cell.grade or Grade()
    is_kept = bool(score.submission.get("prioritize_non_tool_grade")) and old.is_overridden
    wipes = score.grading_progress in NOT_FINAL or score.given is None
    if is_kept or (wipes and score.submission.get("preserve_score")):
        grade = replace(old, timestamp=score.timestamp)
    else:
        # A tool's score replaces a teacher's, unless the tool asked to give way.
        unbound = replace(cell, grade=replace(old, is_overridden=False))
        grade = _recorded(unbound, score, None if wipes else _scaled(score, cell), score.comment, clips=False)
    grade.attempts = old.attempts + int(makes_submission)
    return Verdict(200, grade=grade)


def blackboard(cell: Cell, body: bytes) -> Verdict:
    """Blackboard: people who left are unknown, comments keep only their line breaks."""
    score = read_score(body)
    if score is None:
        return Verdict(400, "Invalid score")
    if cell.role is None or not cell.is_active:
        return Verdict(400, f"User could not be found: {score.person}")
    if _is_older(cell, score):
        return Verdict(409, "A newer score is already recorded")
    kept = re.sub(r"<(?!br\s*/?>)[^>]*>", "", score.comment)
    points = _scaled(score, cell) if score.grading_progress == "FullyGraded" else None
    return Verdict(200, grade=_recorded(cell, score, points, html.unescape(kept), clips=False))


def brightspace(cell: Cell, body: bytes) -> Verdict:
    """Brightspace: unknown, not enrolled and not gradable are told apart; the maximum clips."""
    score = read_score(body)
    if score is None:
        return Verdict(400, "Invalid score")
    if not cell.is_known:
        return Verdict(404, "User in requested score does not exist")
    if cell.role is None or not cell.is_active:
        return Verdict(403, "User in requested score is not enrolled in the org unit")
    if cell.role is not Role.LEARNER:
        return Verdict(422, "User in requested score can not be graded")
    if _is_older(cell, score):
        return Verdict(409, "A newer score is already recorded")
    points = _scaled(score, cell) if score.grading_progress == "FullyGraded" else None
    return Verdict(200, grade=_recorded(cell, score, points, score.comment))


def _is_older(cell: Cell, score: Score) -> bool:
    return cell.grade is not None and cell.grade.timestamp is not None and score.timestamp < cell.grade.timestamp


RULES: dict[str, Rules] = {
    "moodle": moodle,
    "canvas": canvas,
    "blackboard": blackboard,
    "brightspace": brightspace,
}
