"""What the gradebook should hold, and what became of telling it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ScoreMode
from lti_tool.grades import rules
from lti_tool.grades.errors import NothingAsked
from lti_tool.grades.gateway import Column, Gradebook, Result
from lti_tool.grades.models import NO_SCORE, LineItem, ScoreAttempt, ScoreState
from lti_tool.grades.reading import column_of, score_in
from lti_tool.grades.rules import Kind, Progress, Reason, Scoring, Step, Verdict
from lti_tool.jobs import queue
from lti_tool.launch.models import Course, Member, Person, Placement
from lti_tool.launch.platforms import platform_of
from lti_tool.launch.rules import CourseRole
from lti_tool.registration.models import Deployment, Registration
from lti_tool.roster.service import ask_for_sync
from lti_tool.support.db import across_institutions, served_institution
from lti_tool.support.kit import Kit

PROGRESS_CHANGED = "progress.changed"
PUSH = "grades.push"
FIND_COLUMN = "grades.column"
CHECK_COURSE = "grades.check_course"
IN_FLIGHT = timedelta(minutes=3)
"""Longer than a token request, a score and a result may take together."""
SEARCH = timedelta(minutes=6)
LOOKS_AGAIN = timedelta(days=1)
WOKEN_AT_ONCE = 500
COLUMN_REASONS = {"none": Reason.NO_COLUMN, "readonly": Reason.NOT_ALLOWED, "deleted": Reason.COLUMN_GONE}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an activity's scores go, and all that is needed to look for the column there."""

    line_item_id: int
    course_id: int
    gradebook: Gradebook
    state: str
    url: str | None
    claimed_url: str | None
    """What the last launch said the column is."""
    container: str | None
    resource_link_id: str | None
    resource_id: str
    title: str
    maximum: int


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


# From progress to what is wanted


def note_progress(session: Session, activity: Activity, member_id: int, progress: Progress, *, now: datetime) -> None:
    """Take a learner's progress into account: a score to send, a question to staff, or nothing.

    The job that sends is written in the same transaction.
    """
    scoring = Scoring(ScoreMode(activity.score_mode), activity.zero_at_close, activity.closed_at is not None)
    member = session.get(Member, member_id)
    if member is None or member.ever_staff or member.is_test or member.role != CourseRole.LEARNER:
        return
    line = column_of(session, activity.id) if scoring.mode is ScoreMode.NONE else line_item_of(session, activity.id)
    if line is None:
        return
    score = session.scalar(
        select(ScoreState)
        .where(ScoreState.line_item_id == line.id, ScoreState.member_id == member_id)
        .with_for_update()
    )
    told = score.told if score is not None else None
    decision = rules.score_to_send(progress, scoring, told)
    if decision.step is Step.SEND and decision.share is not None:
        _want(session, line, score, member_id, decision.share, now=now)
    elif score is not None and decision.step is Step.ASK:
        asked = NO_SCORE if decision.share is None else decision.share
        if score.asked != asked or score.state == "waiting":
            score.state, score.reason, score.asked, score.changed_at = "asks", None, asked, now
            score.wanted = score.wanted if told is None else told
    elif score is not None:
        _settle(session, score, told, now=now)
    session.flush()


def look_later(session: Session, activity_id: int, member_id: int, *, at: datetime, now: datetime) -> None:
    """Have a learner's progress looked at again at that time, or sooner where that was asked for before."""
    queue.enqueue(
        session,
        PROGRESS_CHANGED,
        {"activity_id": activity_id, "member_id": member_id},
        institution_id=served_institution(session),
        now=now,
        due_at=at,
        unique_key=f"{PROGRESS_CHANGED}:{activity_id}:{member_id}:later",
    )


def line_item_of(session: Session, activity_id: int) -> LineItem:
    """The activity's place in the gradebook, known or not. Two who ask at once get the same."""
    wanted = select(LineItem).where(LineItem.activity_id == activity_id)
    found = session.scalar(wanted)
    if found is None:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        row = {"institution_id": served_institution(session), "activity_id": activity_id, "state": "unknown"}
        session.execute(dialect.insert(LineItem).on_conflict_do_nothing(), [row])
        found = session.scalars(wanted).one()
    return found


def _want(
    session: Session, line: LineItem, score: ScoreState | None, member_id: int, share: int, *, now: datetime
) -> None:
    if score is None:
        score = ScoreState(line_item_id=line.id, member_id=member_id, state="waiting", wanted=share, changed_at=now)
        session.add(score)
        session.flush()
    elif score.state == "refused" and score.wanted == share and score.reason != Reason.WITHDRAWN:
        # The platform said no to this very score; only a person sends it again.
        return
    else:
        if score.wanted != share or score.state != "waiting":
            score.changed_at, score.conflicts, score.reason = now, 0, None
        score.state, score.wanted, score.asked = "waiting", share, None
    ask_for_push(session, score, now=now)


def _settle(session: Session, score: ScoreState, told: int | None, *, now: datetime) -> None:
    """Progress is where the platform was told it is: nothing else is to be sent or asked any more."""
    if told is None:
        if score.reason != Reason.WITHDRAWN:
            score.state, score.reason, score.asked, score.changed_at = "refused", Reason.WITHDRAWN, None, now
        return
    score.asked = None
    if score.state == "asks" or score.wanted != told:
        score.state, score.reason, score.wanted, score.changed_at = "delivered", None, told, now
        _make_sure(session, score, now=now)


def _make_sure(session: Session, score: ScoreState, *, now: datetime) -> None:
    """Send again what the platform may not have: nobody knows what became of the last post."""
    if score.trying is not None or score.sent is None:
        score.state, score.conflicts = "waiting", 0
        ask_for_push(session, score, now=now)


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


# Sending


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


# The column


def place_of(session: Session, kit: Kit, line: LineItem) -> Place:
    """All about where this activity's scores go."""
    activity = session.get_one(Activity, line.activity_id)
    course = session.get_one(Course, activity.course_id)
    placement = None if activity.placement_id is None else session.get_one(Placement, activity.placement_id)
    return Place(
        line_item_id=line.id,
        course_id=course.id,
        gradebook=gradebook_of(session, kit, course),
        state=line.state,
        url=line.url,
        claimed_url=placement.line_item_url if placement is not None else None,
        container=course.line_items_url,
        resource_link_id=placement.resource_link_id if placement is not None else None,
        resource_id=activity.key,
        title=activity.title,
        maximum=activity.score_maximum,
    )


def gradebook_of(session: Session, kit: Kit, course: Course) -> Gradebook:
    """The course's gradebook, as far as its launches said that we may use it."""
    registration = session.get_one(Registration, session.get_one(Deployment, course.deployment_id).registration_id)
    return Gradebook(
        kit,
        registration.id,
        list(registration.platform_origins),
        platform_of(registration.platform_family),
        frozenset(course.gradebook_scopes),
    )


def _is_worth_looking(line: LineItem, place: Place, *, now: datetime) -> bool:
    if line.state == "unknown" or line.checked_at is None:
        return True
    is_newly_named = place.claimed_url is not None and place.claimed_url != line.url
    return is_newly_named or now - line.checked_at > LOOKS_AGAIN


def begin_search(session: Session, kit: Kit, line_item_id: int, *, now: datetime) -> Place | Wait:
    """Become the only one who looks for the column, and perhaps makes it; or how long somebody else may take."""
    claimed = session.execute(
        update(LineItem)
        .where(
            LineItem.id == line_item_id,
            or_(LineItem.searched_by_until.is_(None), LineItem.searched_by_until <= now),
        )
        .values(searched_by_until=now + SEARCH)
        .returning(LineItem.id)
    ).first()
    if claimed is None:
        return Wait(timedelta(seconds=10))
    line = session.get_one(LineItem, line_item_id, populate_existing=True)
    return place_of(session, kit, line)


def end_search(
    session: Session,
    place: Place,
    state: str,
    column: Column | None,
    date: datetime | None,
    *,
    now: datetime,
    not_before: datetime | None = None,
    besides: int | None = None,
) -> None:
    """Record what the search found. All scores are sent to a column that is not the one we knew; to the one we knew
    what waits is sent, not before the given time. The score `besides` is being sent already.
    """
    line = session.get_one(LineItem, place.line_item_id)
    line.searched_by_until, line.checked_at, line.state = None, now, state
    offset = rules.offset_of(date, now, None)
    if offset is not None:
        line.clock_offset_ms = round(offset.total_seconds() * 1000)
    if column is not None:
        is_another = line.url is not None and line.url != column.url
        line.url, line.label = column.url, column.label or line.label
        if is_another:
            not_before = None
            _forget_what_was_told(session, line, now=now)
    waiting = select(ScoreState).where(ScoreState.line_item_id == line.id, ScoreState.state == "waiting")
    for score in session.scalars(waiting):
        if state == "linked":
            score.reason = None
            if score.id != besides:
                ask_for_push(session, score, now=now, due_at=not_before)
        else:
            score.reason, score.changed_at = COLUMN_REASONS.get(state, Reason.NO_COLUMN), now
    session.flush()


def release_search(session: Session, line_item_id: int) -> None:
    """Let others look for the column, after a search that broke off."""
    session.get_one(LineItem, line_item_id).searched_by_until = None


def _forget_what_was_told(session: Session, line: LineItem, *, now: datetime) -> None:
    session.execute(
        update(ScoreState)
        .where(ScoreState.line_item_id == line.id)
        .values(
            state=case((ScoreState.state == "delivered", "waiting"), else_=ScoreState.state),
            sent=None,
            sent_at=None,
            trying=None,
            stamp=None,
            conflicts=0,
            changed_at=now,
        )
        .execution_options(synchronize_session="fetch")
    )


def note_course(session: Session, course_id: int, *, is_there: bool, now: datetime) -> None:
    """Take into account what the course's services answered: where all are gone it is read-only, until one is back."""
    course = session.get_one(Course, course_id)
    if is_there and course.ended_at is not None:
        course.ended_at = None
        ask_for_sync(session, course_id, now=now)
    elif not is_there:
        course.ended_at = course.ended_at or now


def ask_whether_course_is_over(session: Session, course_id: int, *, now: datetime) -> None:
    """Have every service of the course asked in the background."""
    queue.enqueue(
        session,
        CHECK_COURSE,
        {"course_id": course_id},
        institution_id=served_institution(session),
        now=now,
        unique_key=f"{CHECK_COURSE}:{course_id}",
    )


# What people of staff do


def send_again(session: Session, activity_id: int, score_id: int, *, now: datetime) -> None:
    """Send one score again, unless progress was lost before it was ever sent. Raises ScoreUnknown."""
    score = score_in(session, activity_id, score_id)
    _send_again(session, [score] if score.reason != Reason.WITHDRAWN else [], now=now)
    look_again(session, activity_id, now=now)


def send_all_again(session: Session, activity_id: int, *, now: datetime) -> int:
    """Send every score again that is not in the gradebook. Returns how many."""
    line = line_item_of(session, activity_id)
    scores = session.scalars(
        select(ScoreState).where(
            ScoreState.line_item_id == line.id,
            ScoreState.state.in_(("waiting", "refused")),
            or_(ScoreState.reason.is_(None), ScoreState.reason != Reason.WITHDRAWN),
        )
    ).all()
    _send_again(session, scores, now=now)
    look_again(session, activity_id, now=now)
    return len(scores)


def look_again(session: Session, activity_id: int, *, now: datetime) -> None:
    """Have a column that is not linked looked for once more. Makes none where one was deleted."""
    line = line_item_of(session, activity_id)
    if line.state != "linked":
        _ask_for_column(session, line, makes=line.state != "deleted", now=now)


def recreate_column(session: Session, activity_id: int, *, now: datetime) -> None:
    """Have the column found or made anew, and every score sent to it."""
    line = line_item_of(session, activity_id)
    _ask_for_column(session, line, makes=True, now=now)


def answer_question(session: Session, activity_id: int, score_id: int, *, lowers: bool, now: datetime) -> None:
    """Staff decide whether a score follows progress that was lost. Raises ScoreUnknown, NothingAsked.

    A score cannot be lowered to none at all: what is not final would wipe it in ways that differ by platform.
    """
    score = score_in(session, activity_id, score_id)
    if score.state != "asks":
        raise NothingAsked(score_id)
    if lowers and score.asked is not None and score.asked != NO_SCORE:
        score.wanted, score.asked = score.asked, None
        score.state, score.conflicts, score.changed_at = "waiting", 0, now
        ask_for_push(session, score, now=now)
    else:
        score.state, score.changed_at = "delivered", now
        _make_sure(session, score, now=now)


def _send_again(session: Session, scores: Sequence[ScoreState], *, now: datetime) -> None:
    for score in scores:
        score.state, score.reason, score.conflicts, score.changed_at = "waiting", None, 0, now
        ask_for_push(session, score, now=now)


def _ask_for_column(session: Session, line: LineItem, *, makes: bool, now: datetime) -> None:
    queue.enqueue(
        session,
        FIND_COLUMN,
        {"line_item_id": line.id, "makes": makes},
        institution_id=line.institution_id,
        now=now,
        unique_key=f"{FIND_COLUMN}:{line.id}:{makes}",
    )


# What can move again by itself


def wake(session: Session, *, now: datetime) -> int:
    """Send scores whose obstacle is gone: the registration was resumed, the person is back, the course goes on, or a
    day has passed since a column was last looked for. Looks at every institution. Returns how many.
    """
    waits = ScoreState.state == "waiting"
    may_move: list[ColumnElement[bool]] = [
        and_(waits, ScoreState.reason == Reason.PAUSED),
        and_(waits, ScoreState.reason == Reason.LEFT, Member.status == "active"),
        and_(ScoreState.state == "refused", ScoreState.reason == Reason.COURSE_OVER),
        and_(
            waits,
            ScoreState.reason.in_((Reason.NO_COLUMN, Reason.COLUMN_GONE, Reason.NOT_ALLOWED)),
            or_(LineItem.checked_at.is_(None), LineItem.checked_at < now - LOOKS_AGAIN),
        ),
    ]
    with across_institutions(session):
        scores = session.scalars(
            select(ScoreState)
            .join(LineItem, LineItem.id == ScoreState.line_item_id)
            .join(Member, Member.id == ScoreState.member_id)
            .join(Course, Course.id == Member.course_id)
            .join(Deployment, Deployment.id == Course.deployment_id)
            .join(Registration, Registration.id == Deployment.registration_id)
            .where(or_(*may_move), Registration.paused_at.is_(None), Course.ended_at.is_(None))
            .order_by(ScoreState.id)
            .limit(WOKEN_AT_ONCE)
        ).all()
        _send_again(session, scores, now=now)
        session.flush()
    return len(scores)
