"""What the ledger shows to staff, and a learner of their own score."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ScoreMode
from lti_tool.grades import rules
from lti_tool.grades.errors import ScoreUnknown
from lti_tool.grades.models import LineItem, ScoreAttempt, ScoreState
from lti_tool.grades.rules import Reason
from lti_tool.launch.models import Member, Person
from lti_tool.launch.naming import told_apart
from lti_tool.launch.rules import CourseRole


@dataclass(frozen=True, slots=True)
class OwnState:
    """What one learner may know of their own score."""

    kind: str
    """ungraded, nothing yet, on its way, delivered, held up."""
    reason: Reason | None
    points: int | float | None
    """What the gradebook has, or will have where it is on its way."""
    maximum: int
    at: datetime | None


def own_state(session: Session, activity_id: int, member_id: int) -> OwnState:
    """What the gradebook has for this learner, in terms that a page can word."""
    activity = session.get_one(Activity, activity_id)
    maximum = activity.score_maximum
    if activity.score_mode == ScoreMode.NONE:
        return OwnState("ungraded", None, None, maximum, None)
    score = session.scalar(
        select(ScoreState)
        .join(LineItem, LineItem.id == ScoreState.line_item_id)
        .where(LineItem.activity_id == activity_id, ScoreState.member_id == member_id)
    )
    if score is None or score.reason == Reason.WITHDRAWN:
        return OwnState("nothing yet", None, None, maximum, None)
    reason = None if score.reason is None else Reason(score.reason)
    if score.state in {"delivered", "asks"} and score.sent is not None:
        return OwnState("delivered", None, rules.points(score.sent, maximum), maximum, score.sent_at)
    kind = "held up" if score.state == "refused" or reason in _NEEDS_SOMEBODY else "on its way"
    return OwnState(kind, reason, rules.points(score.wanted, maximum), maximum, None)


_NEEDS_SOMEBODY = {Reason.NO_COLUMN, Reason.COLUMN_GONE, Reason.NOT_ALLOWED, Reason.PAUSED}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One learner in the ledger."""

    member_id: int
    name: str | None
    is_active: bool
    score: ScoreState | None


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """A page of the ledger, and how all scores stand."""

    rows: list[LedgerRow]
    count: int
    by_state: dict[str, int]


def ledger(session: Session, activity: Activity, *, page: int, size: int = 50) -> LedgerPage:
    """One page of the ledger, by name; as many questions to the database whatever its size. Scores of people who left
    stay in it.
    """
    joined: Any = (
        select(Member, Person.name, ScoreState)
        .join(Person, Person.id == Member.person_id)
        .outerjoin(LineItem, LineItem.activity_id == activity.id)
        .outerjoin(ScoreState, and_(ScoreState.member_id == Member.id, ScoreState.line_item_id == LineItem.id))
        .where(
            Member.course_id == activity.course_id,
            or_(
                ScoreState.id.is_not(None),
                and_(
                    Member.role == CourseRole.LEARNER,
                    Member.ever_staff.is_(False),
                    Member.is_test.is_(False),
                    Member.status == "active",
                ),
            ),
        )
    )
    counts = session.execute(joined.with_only_columns(ScoreState.state, func.count()).group_by(ScoreState.state)).all()
    by_state = {state or "nothing": number for state, number in counts}
    found = session.execute(
        joined.order_by(func.lower(Person.name), Member.id).limit(size).offset((page - 1) * size)
    ).all()
    names = told_apart(session, activity.course_id, {member.id: name for member, name, _ in found})
    rows = [LedgerRow(member.id, names[member.id], member.status == "active", score) for member, _, score in found]
    return LedgerPage(rows, sum(by_state.values()), by_state)


def column_of(session: Session, activity_id: int) -> LineItem | None:
    """The activity's place in the gradebook; None while nothing was ever to be sent."""
    return session.scalar(select(LineItem).where(LineItem.activity_id == activity_id))


def ledger_row(session: Session, activity_id: int, score_id: int) -> LedgerRow:
    """One learner's place in the ledger. Raises ScoreUnknown."""
    score = score_in(session, activity_id, score_id)
    member = session.get_one(Member, score.member_id)
    name = session.get_one(Person, member.person_id).name
    names = told_apart(session, member.course_id, {member.id: name})
    return LedgerRow(member.id, names[member.id], member.status == "active", score)


def attempts_of(session: Session, activity_id: int, score_id: int) -> list[ScoreAttempt]:
    """Every attempt to send this score, newest first. Raises ScoreUnknown."""
    score = score_in(session, activity_id, score_id)
    return list(
        session.scalars(
            select(ScoreAttempt)
            .where(ScoreAttempt.score_id == score.id)
            .order_by(ScoreAttempt.at.desc(), ScoreAttempt.id.desc())
        )
    )


def score_in(session: Session, activity_id: int, score_id: int) -> ScoreState:
    """A score of this activity. Raises ScoreUnknown."""
    score = session.scalar(
        select(ScoreState)
        .join(LineItem, LineItem.id == ScoreState.line_item_id)
        .where(ScoreState.id == score_id, LineItem.activity_id == activity_id)
    )
    if score is None:
        raise ScoreUnknown(score_id)
    return score
