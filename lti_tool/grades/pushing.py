"""Send one score: claim it, and record what became of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.grades import rules
from lti_tool.grades.gateway import Result
from lti_tool.grades.models import LineItem, ScoreAttempt, ScoreState
from lti_tool.grades.places import Place, place_of
from lti_tool.grades.rules import Kind, Reason, Verdict
from lti_tool.jobs import queue
from lti_tool.launch.models import Course, Member, Person
from lti_tool.registration.models import Deployment, Registration
from lti_tool.support.kit import Kit

PUSH = "grades.push"
IN_FLIGHT = timedelta(minutes=3)
"""Longer than a token request, a score and a result may take together."""
LOOKS_AGAIN = timedelta(days=1)
LOOKS_AT_NAMED = timedelta(hours=1)
COLUMN_REASONS = {
    "none": Reason.NO_COLUMN,
    "declined": Reason.NO_COLUMN,
    "readonly": Reason.NOT_ALLOWED,
    "deleted": Reason.COLUMN_GONE,
}


@dataclass(frozen=True, slots=True)
class Push:
    """One score to post now. Until its outcome is recorded nobody else posts this score."""

    score_id: int
    place: Place
    url: str
    sub: str = field(repr=False)
    share: int
    at: datetime
    offset: timedelta | None
    before: int | None
    """What an earlier post may have left there, whose outcome is not known."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The score may not be posted yet."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class NeedsColumn:
    """The column has to be looked for first, and made (`makes`) unless it was deleted: that may have been meant."""

    line_item_id: int
    makes: bool


def ask_for_push(session: Session, score: ScoreState, *, now: datetime, due_at: datetime | None = None) -> None:
    """Have the score sent in the background. Asking again while it waits changes nothing."""
    queue.enqueue(
        session,
        PUSH,
        {"score_id": score.id},
        institution_id=score.institution_id,
        now=now,
        due_at=due_at,
        unique_key=f"{PUSH}:{score.id}",
    )


def begin_push(session: Session, kit: Kit, score_id: int, *, now: datetime) -> Push | Wait | NeedsColumn | None:
    """Claim the score and its next timestamp; or say what it waits for. None where there is nothing to send."""
    score = session.scalar(select(ScoreState).where(ScoreState.id == score_id).with_for_update())
    if score is None or score.state != "waiting":
        return None
    line = session.get_one(LineItem, score.line_item_id)
    place = place_of(session, kit, line)
    held = _held_by(session, place, session.get_one(Member, score.member_id))
    if held is not None:
        hold(session, score.id, held, now=now, is_final=held is Reason.COURSE_OVER)
        return None
    if line.state == "linked" and line.url is not None:
        return _claim(session, score, line, line.url, place, now=now)
    if _is_worth_looking(line, place, now=now):
        return NeedsColumn(line.id, line.state != "deleted")
    score.reason = COLUMN_REASONS.get(line.state, Reason.NO_COLUMN)
    return None


def _claim(
    session: Session, score: ScoreState, line: LineItem, url: str, place: Place, *, now: datetime
) -> Push | Wait:
    for until in (line.held_until, score.in_flight_until):
        if until is not None and until > now:
            return Wait(until - now)
    known = None if line.clock_offset_ms is None else timedelta(milliseconds=line.clock_offset_ms)
    stamp = rules.next_stamp(now, known or timedelta(0), score.stamp, place.gradebook.platform.timestamp_step)
    if stamp.at is None:
        return Wait(stamp.wait)
    before = score.trying
    score.trying, score.stamp, score.in_flight_until = score.wanted, stamp.at, now + IN_FLIGHT
    session.flush()
    member = session.get_one(Member, score.member_id)
    sub = session.get_one(Person, member.person_id).sub
    return Push(score.id, place, url, sub, score.wanted, stamp.at, known, before)


def record(
    session: Session,
    push: Push,
    verdict: Verdict,
    *,
    now: datetime,
    status: int | None = None,
    date: datetime | None = None,
    never_left: bool = False,
    result: Result | None = None,
) -> None:
    """Write what became of a push into the ledger, and what follows from it.

    `never_left` says that the score certainly did not reach the platform. `result` is what the gradebook holds, where
    a conflict made us look.
    """
    score = session.get_one(ScoreState, push.score_id)
    line = session.get_one(LineItem, score.line_item_id)
    offset = rules.offset_of(date, now, push.offset)
    line.clock_offset_ms = None if offset is None else round(offset.total_seconds() * 1000)
    session.add(
        ScoreAttempt(
            score_id=score.id, at=now, share=push.share, outcome=verdict.kind, reason=verdict.reason, status=status
        )
    )
    score.in_flight_until = None
    if line.url != push.url:
        # Another column took its place meanwhile, and what this one says is of no use any more.
        if score.state == "waiting":
            ask_for_push(session, score, now=now)
        session.flush()
        return
    score.reason, score.changed_at = verdict.reason, now
    match verdict.kind:
        case Kind.DELIVERED:
            _delivered(session, score, push, now=now)
        case Kind.THROTTLED:
            score.trying = push.before
            line.held_until = now + (verdict.after or rules.PAUSE_UNSAID)
        case Kind.RETRY:
            line.held_until = line.held_until if verdict.after is None else now + verdict.after
            score.trying = push.before if never_left else score.trying
        case Kind.CONFLICT:
            _conflict(score, push, result)
        case Kind.REFUSED:
            score.trying = push.before
            score.state = "refused" if score.wanted == push.share and score.state == "waiting" else score.state
        case Kind.GONE:
            score.trying = push.before
            line.state = "deleted"
    session.flush()


def _delivered(session: Session, score: ScoreState, push: Push, *, now: datetime) -> None:
    score.sent, score.sent_at, score.trying, score.conflicts = push.share, now, None, 0
    if score.state == "waiting" and score.wanted == push.share:
        score.state = "delivered"
    elif score.state == "waiting":
        ask_for_push(session, score, now=now)
    course = session.get_one(Course, push.place.course_id)
    session.get_one(Deployment, course.deployment_id).last_score_at = now


def _conflict(score: ScoreState, push: Push, result: Result | None) -> None:
    """Something newer is there that is not this score. It is sent once more, later than what is there."""
    score.trying = push.before
    score.conflicts += 1
    if score.conflicts > rules.MOST_CONFLICTS and score.state == "waiting":
        score.state = "refused"
    elif result is not None and result.at is not None and (score.stamp is None or result.at > score.stamp):
        score.stamp = result.at


def never_left(session: Session, push: Push) -> None:
    """Take back that the score may have reached the platform."""
    session.get_one(ScoreState, push.score_id).trying = push.before


def _held_by(session: Session, place: Place, member: Member) -> Reason | None:
    if session.get_one(Course, place.course_id).ended_at is not None:
        return Reason.COURSE_OVER
    if session.get_one(Registration, place.gradebook.registration_id).paused_at is not None:
        return Reason.PAUSED
    return Reason.LEFT if member.status != "active" else None


def hold(session: Session, score_id: int, reason: Reason, *, now: datetime, is_final: bool = False) -> None:
    """Say why a score that was not posted still waits, or (`is_final`) will not be sent by itself."""
    score = session.get_one(ScoreState, score_id)
    score.in_flight_until = None
    if score.state == "waiting":
        score.reason, score.changed_at = reason, now
        score.state = "refused" if is_final else "waiting"


def _is_worth_looking(line: LineItem, place: Place, *, now: datetime) -> bool:
    if line.state == "unknown" or line.checked_at is None:
        return True
    is_newly_named = place.claimed_url is not None and place.claimed_url != line.url
    return is_newly_named or now - line.checked_at > LOOKS_AGAIN
