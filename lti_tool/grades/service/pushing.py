"""Send one score: claim it before the post, and record the result after it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.grades import rules
from lti_tool.grades.gateway import Result
from lti_tool.grades.models import PUSH, LineItem, ScoreAttempt, ScoreState, push_key
from lti_tool.grades.rules import Kind, Reason, Verdict
from lti_tool.grades.service.places import Place, place_of, registration_of_line
from lti_tool.jobs import queue
from lti_tool.launch.models import Course, Member, Person
from lti_tool.registration.models import Deployment, Registration
from lti_tool.registration.rules.registrations import is_left_to_people, pause_after
from lti_tool.support.kit import Kit

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
    """One score to post now. No one else posts it until its result is recorded."""

    score_id: int
    place: Place
    url: str
    sub: str = field(repr=False)
    share: int
    at: datetime
    offset: timedelta | None
    before: int | None
    """The share of an earlier post whose result is not known: the gradebook may have it."""
    reads_first: bool
    """A person asked for this post, so the gradebook is read first: nothing in it is lowered without asking."""

    @property
    def may_be_there(self) -> bool:
        """Whether the same score was posted before without a known result."""
        return self.before == self.share


@dataclass(frozen=True, slots=True)
class Wait:
    """The score may not be posted yet."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class NeedsColumn:
    """The column has to be found first, or made if `makes`. A deleted one is not made: it may have been deleted on
    purpose.
    """

    line_item_id: int
    makes: bool


def ask_for_push(session: Session, score: ScoreState, *, now: datetime, due_at: datetime | None = None) -> None:
    """Enqueue a job that sends the score. Asking again while that waits changes nothing."""
    queue.enqueue(
        session,
        PUSH,
        {"score_id": score.id},
        institution_id=score.institution_id,
        now=now,
        due_at=due_at,
        unique_key=push_key(score.id),
        calls=registration_of_line(session, session.get_one(LineItem, score.line_item_id)),
    )


def begin_push(session: Session, kit: Kit, score_id: int, *, now: datetime) -> Push | Wait | NeedsColumn | None:
    """Claim the score and its next timestamp, or say what it waits for. None if there is nothing to send."""
    score = session.scalar(select(ScoreState).where(ScoreState.id == score_id).with_for_update())
    if score is None or score.state != "waiting":
        return None
    line = session.get_one(LineItem, score.line_item_id)
    place = place_of(session, kit, line)
    held = _obstacle(session, place, session.get_one(Member, score.member_id))
    if held is not None:
        hold(session, score.id, held, now=now, is_final=held is Reason.COURSE_OVER)
        return None
    if line.state == "linked" and line.url is not None:
        return _claim(session, score, line, line.url, place, now=now)
    if _may_search_column(line, place, now=now):
        return NeedsColumn(line.id, line.state != "deleted")
    score.reason = COLUMN_REASONS.get(line.state, Reason.NO_COLUMN)
    return None


def _claim(
    session: Session, score: ScoreState, line: LineItem, url: str, place: Place, *, now: datetime
) -> Push | Wait:
    if line.held_until is not None and line.held_until > now:
        score.reason = Reason.BUSY
        return Wait(line.held_until - now)
    if score.in_flight_until is not None and score.in_flight_until > now:
        return Wait(score.in_flight_until - now)
    clock_offset = None if line.clock_offset_ms is None else timedelta(milliseconds=line.clock_offset_ms)
    stamp = rules.next_stamp(now, clock_offset or timedelta(0), score.stamp, place.gradebook.platform.timestamp_step)
    if stamp.at is None:
        return Wait(stamp.wait)
    before = score.trying
    score.trying, score.stamp, score.in_flight_until = score.wanted, stamp.at, now + IN_FLIGHT
    session.flush()
    member = session.get_one(Member, score.member_id)
    sub = session.get_one(Person, member.person_id).sub
    return Push(score.id, place, url, sub, score.wanted, stamp.at, clock_offset, before, score.reads_first)


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
) -> timedelta | None:
    """Write the result of a push into the ledger, and update the score.

    `never_left`: the score certainly did not reach the platform. `result`: what the gradebook holds, if a conflict made
    us read it. Returns the pause before a score that was refused for now is sent again; None after a month, when only a
    person sends it.
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
        # The column was replaced during the post, so this result says nothing about the new one.
        if score.state == "waiting":
            ask_for_push(session, score, now=now)
        session.flush()
        return None
    score.reason, score.changed_at = verdict.reason, now
    pause: timedelta | None = None
    match verdict.kind:
        case Kind.DELIVERED | Kind.FOUND:
            _delivered(session, score, push, now=now)
        case Kind.THROTTLED:
            score.trying = push.before
            line.held_until = now + (verdict.after or rules.PAUSE_UNSAID)
        case Kind.RETRY:
            line.held_until = line.held_until if verdict.after is None else now + verdict.after
            score.trying = push.before if never_left else score.trying
            score.waits_since = score.waits_since or now
        case Kind.CONFLICT:
            _conflict(score, push, result)
        case Kind.WAITS:
            score.trying = push.before if never_left or status is not None else score.trying
            pause = _count_refusal(score, now=now, after=verdict.after)
        case Kind.REFUSED:
            score.trying = push.before
            score.state = "refused" if score.wanted == push.share and score.state == "waiting" else score.state
        case Kind.GONE:
            score.trying = push.before
            line.state = "deleted"
            pause = _count_refusal(score, now=now)
    session.flush()
    return pause


def _count_refusal(score: ScoreState, *, now: datetime, after: timedelta | None = None) -> timedelta | None:
    score.waits_since = score.waits_since or now
    score.looks += 1
    if is_left_to_people(score.waits_since, now):
        score.state = "refused" if score.state == "waiting" else score.state
        return None
    return max(after or timedelta(0), pause_after(score.looks))


def _delivered(session: Session, score: ScoreState, push: Push, *, now: datetime) -> None:
    score.sent, score.sent_at, score.trying, score.conflicts = push.share, now, None, 0
    score.waits_since, score.looks, score.reads_first = None, 0, False
    if score.state == "waiting" and score.wanted == push.share:
        score.state = "delivered"
    elif score.state == "waiting":
        ask_for_push(session, score, now=now)
    course = session.get_one(Course, push.place.course_id)
    session.get_one(Deployment, course.deployment_id).last_score_at = now


def _conflict(score: ScoreState, push: Push, result: Result | None) -> None:
    """The gradebook has another, newer score. Ours is sent once more, with a later timestamp."""
    score.trying = push.before
    score.conflicts += 1
    if score.conflicts > rules.MOST_CONFLICTS and score.state == "waiting":
        score.state = "refused"
    elif result is not None and result.at is not None and (score.stamp is None or result.at > score.stamp):
        score.stamp = result.at


def ask_about_higher(session: Session, push: Push, result: Result, *, now: datetime) -> None:
    """Ask staff what the score should be, since the gradebook has a higher one. It keeps that until they answer.

    If the score changed while we looked, the question is out of date, and the new score is sent instead.
    """
    score = session.get_one(ScoreState, push.score_id)
    share = min(rules.share_of(result.score, result.maximum), rules.WHOLE)
    score.in_flight_until, score.trying = None, None
    score.sent, score.sent_at, score.changed_at = share, result.at or now, now
    if score.state != "waiting":
        return
    if score.wanted != push.share:
        ask_for_push(session, score, now=now)
        return
    score.reads_first = False
    score.state, score.reason, score.wanted, score.asked = "asks", Reason.HIGHER_THERE, share, push.share


def never_left(session: Session, push: Push) -> None:
    """Record that the score did not reach the platform after all."""
    session.get_one(ScoreState, push.score_id).trying = push.before


def _obstacle(session: Session, place: Place, member: Member) -> Reason | None:
    if session.get_one(Course, place.course_id).ended_at is not None:
        return Reason.COURSE_OVER
    if session.get_one(Registration, place.gradebook.registration_id).paused_at is not None:
        return Reason.PAUSED
    return Reason.LEFT if member.status != "active" else None


def hold(session: Session, score_id: int, reason: Reason, *, now: datetime, is_final: bool = False) -> None:
    """Record why a score that was not posted waits, or (`is_final`) why only a person sends it."""
    score = session.get_one(ScoreState, score_id)
    score.in_flight_until = None
    if score.state == "waiting":
        score.reason, score.changed_at = reason, now
        score.state = "refused" if is_final else "waiting"


def hold_for_now(session: Session, score_id: int, reason: Reason, *, now: datetime) -> bool:
    """Record what a score waits for that may end at any time. False after a month: then only a person sends it."""
    score = session.get_one(ScoreState, score_id)
    score.waits_since = score.waits_since or now
    is_over = is_left_to_people(score.waits_since, now)
    hold(session, score_id, reason, now=now, is_final=is_over)
    return not is_over


def _may_search_column(line: LineItem, place: Place, *, now: datetime) -> bool:
    if line.state == "unknown" or line.checked_at is None:
        return True
    is_newly_named = place.claimed_url is not None and place.claimed_url != line.url
    return is_newly_named or now - line.checked_at > LOOKS_AGAIN
