"""What the gradebook should hold, what staff decide about it, and which waiting scores are sent again."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, String, and_, cast, exists, literal, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ScoreMode
from lti_tool.grades import rules
from lti_tool.grades.errors import NothingAsked
from lti_tool.grades.models import NO_SCORE, LineItem, ScoreState, push_key
from lti_tool.grades.rules import Progress, Reason, Scoring, Step
from lti_tool.grades.service.columns import ask_for_column
from lti_tool.grades.service.ledger import column_of, score_in
from lti_tool.grades.service.places import line_item_of
from lti_tool.grades.service.pushing import LOOKS_AGAIN, LOOKS_AT_NAMED, ask_for_push
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Course, Member, Placement
from lti_tool.registration.models import Deployment, Registration
from lti_tool.roster.service import ask_for_sync
from lti_tool.support.db import across_institutions

POINTS_CHANGED = "grades.points_changed"
WOKEN_AT_ONCE = 500


# From progress to a score


def note_progress(session: Session, activity: Activity, member_id: int, progress: Progress, *, now: datetime) -> None:
    """Decide what follows from a learner's progress: a score to send, a question to staff, or nothing.

    The job that sends the score is enqueued in the same transaction.
    """
    scoring = _scoring(activity)
    member = session.get(Member, member_id)
    if member is None or not member.is_learner:
        return
    line = column_of(session, activity.id) if scoring.mode is ScoreMode.NONE else line_item_of(session, activity.id)
    if line is None:
        return
    score = session.scalar(
        select(ScoreState)
        .where(ScoreState.line_item_id == line.id, ScoreState.member_id == member_id)
        .with_for_update()
    )
    reported = score.reported if score is not None else None
    decision = rules.score_to_send(progress, scoring, reported)
    if decision.step is Step.SEND and decision.share is not None:
        _set_wanted(session, line, score, member_id, decision.share, now=now)
    elif score is not None and decision.step is Step.ASK:
        asked = NO_SCORE if decision.share is None else decision.share
        if score.asked != asked or score.state == "waiting":
            score.state, score.reason, score.asked, score.changed_at = "asks", None, asked, now
            score.wanted = score.wanted if reported is None else reported
    elif score is not None:
        _settle_as_reported(session, score, reported, now=now)
    session.flush()


def members_to_check(session: Session, activity: Activity, summaries: Mapping[int, Progress]) -> list[int]:
    """The members whose progress may change a score or a question, in ascending order.

    `summaries`: progress by member id. All scores are compared with one query, so that few members are left to be
    checked one by one.
    """
    scoring = _scoring(activity)
    line = column_of(session, activity.id)
    query = select(ScoreState.member_id, ScoreState.state, ScoreState.sent, ScoreState.trying).where(
        ScoreState.line_item_id == (line.id if line is not None else None)
    )
    reported = {
        row.member_id: row.sent if row.trying is None else row.trying
        for row in session.execute(query)
        if row.state == "delivered"
    }
    unsettled = {row.member_id for row in session.execute(query)} - reported.keys()
    to_decide = {
        member_id
        for member_id, progress in summaries.items()
        if rules.score_to_send(progress, scoring, reported.get(member_id)).step is not Step.NOTHING
    }
    return sorted(to_decide | unsettled)


def _scoring(activity: Activity) -> Scoring:
    is_closed = activity.closed_at is not None
    return Scoring(ScoreMode(activity.score_mode), activity.zero_at_close, is_closed, activity.points_share)


def _set_wanted(
    session: Session, line: LineItem, score: ScoreState | None, member_id: int, share: int, *, now: datetime
) -> None:
    if score is None:
        score = ScoreState(line_item_id=line.id, member_id=member_id, state="waiting", wanted=share, changed_at=now)
        session.add(score)
        session.flush()
    elif score.state == "refused" and score.wanted == share and score.reason != Reason.WITHDRAWN:
        # The platform refused this score for good, so only a person sends it again.
        return
    else:
        if score.wanted == share and score.state == "waiting" and score.waits_since is not None:
            return  # Refused for now: a job sends it again after its pause.
        if score.wanted != share or score.state != "waiting":
            score.changed_at, score.conflicts, score.reason = now, 0, None
        score.state, score.wanted, score.asked = "waiting", share, None
    ask_for_push(session, score, now=now)


def _settle_as_reported(session: Session, score: ScoreState, reported: int | None, *, now: datetime) -> None:
    """End what waits to be sent or asked: the platform has this progress already."""
    if reported is None:
        if score.reason != Reason.WITHDRAWN:
            score.state, score.reason, score.asked, score.changed_at = "refused", Reason.WITHDRAWN, None, now
        return
    score.asked = None
    if score.state == "asks" or score.wanted != reported:
        score.state, score.reason, score.wanted, score.changed_at = "delivered", None, reported, now
        _send_if_unsure(session, score, now=now)


def _send_if_unsure(session: Session, score: ScoreState, *, now: datetime) -> None:
    """Send the score again if the result of its last post is not known."""
    if score.trying is not None or score.sent is None:
        score.state, score.conflicts = "waiting", 0
        ask_for_push(session, score, now=now)


def record_course_state(session: Session, course_id: int, *, is_there: bool, now: datetime) -> None:
    """Record whether the course is over. It is while none of its services is there; then it is read-only."""
    course = session.get_one(Course, course_id)
    if is_there and course.ended_at is not None:
        course.ended_at = None
        ask_for_sync(session, course_id, now=now)
    elif not is_there:
        course.ended_at = course.ended_at or now


# What staff do


def send_again(session: Session, activity_id: int, score_id: int, *, now: datetime) -> None:
    """Send one score again, unless progress was lost before it was ever sent. Raises ScoreUnknown."""
    score = score_in(session, activity_id, score_id)
    _send_again(session, [score] if score.reason != Reason.WITHDRAWN else [], now=now, by_hand=True)
    look_again(session, activity_id, now=now)


def send_all_again(session: Session, activity_id: int, *, now: datetime) -> int:
    """Send every score that is not in the gradebook. Returns how many."""
    line = line_item_of(session, activity_id)
    scores = session.scalars(
        select(ScoreState).where(
            ScoreState.line_item_id == line.id,
            ScoreState.state.in_(("waiting", "refused")),
            or_(ScoreState.reason.is_(None), ScoreState.reason != Reason.WITHDRAWN),
        )
    ).all()
    _send_again(session, scores, now=now, by_hand=True)
    look_again(session, activity_id, now=now)
    return len(scores)


def look_again(session: Session, activity_id: int, *, now: datetime) -> None:
    """Look for the column again if there is none. A deleted column is not made anew."""
    line = line_item_of(session, activity_id)
    if line.state != "linked":
        ask_for_column(session, line, makes=line.state != "deleted", now=now)


def recreate_column(session: Session, activity_id: int, *, now: datetime) -> None:
    """Find or make the column, even if it was deleted or declined, and send every score to it."""
    line = line_item_of(session, activity_id)
    ask_for_column(session, line, makes=True, is_asked=True, now=now)


def answer_question(session: Session, activity_id: int, score_id: int, *, lowers: bool, now: datetime) -> None:
    """Staff decide whether a score follows progress that was lost. Raises ScoreUnknown, NothingAsked.

    A score cannot be lowered to none at all: what is not final would wipe it in ways that differ by platform.
    """
    score = score_in(session, activity_id, score_id)
    if score.state != "asks":
        raise NothingAsked(score_id)
    score.reason = None
    if lowers and score.asked is not None and score.asked != NO_SCORE:
        score.wanted, score.asked = score.asked, None
        score.state, score.conflicts, score.changed_at = "waiting", 0, now
        ask_for_push(session, score, now=now)
    else:
        score.state, score.changed_at = "delivered", now
        _send_if_unsure(session, score, now=now)


def _send_again(session: Session, scores: Sequence[ScoreState], *, now: datetime, by_hand: bool = False) -> None:
    for score in scores:
        score.state, score.reason, score.conflicts, score.changed_at = "waiting", None, 0, now
        score.waits_since, score.looks, score.reads_first = None, 0, by_hand or score.reads_first
        ask_for_push(session, score, now=now)


# What is sent again without anyone asking


def wake(session: Session, *, now: datetime) -> int:
    """Send scores of all institutions whose obstacle is gone. Returns how many.

    The registration was resumed, the person is back, the course goes on, a launch has named a column, or a day has
    passed since the last search for one. Also scores that wait without a job that would send them.
    """
    waits = ScoreState.state == "waiting"
    key = literal(push_key("")) + cast(ScoreState.id, String)
    has_job = exists().where(Job.unique_key == key, Job.state.in_(("waiting", "running")))
    may_move: list[ColumnElement[bool]] = [
        and_(waits, ScoreState.reason == Reason.PAUSED),
        and_(waits, ScoreState.reason == Reason.LEFT, Member.status == "active"),
        and_(ScoreState.state == "refused", ScoreState.reason == Reason.COURSE_OVER),
        and_(
            waits,
            LineItem.state != "linked",
            ScoreState.reason.in_((Reason.NO_COLUMN, Reason.COLUMN_GONE, Reason.NOT_ALLOWED)),
            or_(LineItem.checked_at.is_(None), LineItem.checked_at < now - LOOKS_AGAIN),
        ),
        and_(
            waits,
            LineItem.state == "linked",
            or_(ScoreState.reason.is_(None), ScoreState.reason.not_in((Reason.PAUSED, Reason.LEFT))),
            ~has_job,
        ),
        # Grades were turned on in the LMS: a launch has named the column since the last search.
        and_(
            waits,
            ScoreState.reason == Reason.NO_COLUMN,
            LineItem.url.is_(None),
            Placement.line_item_url.is_not(None),
            LineItem.checked_at < now - LOOKS_AT_NAMED,
        ),
    ]
    with across_institutions(session):
        scores = session.scalars(
            select(ScoreState)
            .join(LineItem, LineItem.id == ScoreState.line_item_id)
            .join(Activity, Activity.id == LineItem.activity_id)
            .outerjoin(Placement, Placement.id == Activity.placement_id)
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
