"""The ledger: what staff see of all scores, and a learner of their own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ScoreMode
from lti_tool.grades import rules
from lti_tool.grades.errors import ScoreUnknown
from lti_tool.grades.models import LineItem, ScoreAttempt, ScoreState, push_key
from lti_tool.grades.rules import Reason
from lti_tool.jobs import queue
from lti_tool.launch.models import Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.roster.service.links import may_open


@dataclass(frozen=True, slots=True)
class OwnState:
    """What one learner sees of their own score."""

    kind: str
    """ungraded, nothing yet, on its way, delivered, held up."""
    reason: Reason | None
    points: int | float | None
    """What the gradebook has, or will have once the score arrives."""
    maximum: int
    at: datetime | None


def own_state(session: Session, activity_id: int, member_id: int) -> OwnState:
    """What this learner sees of their score in this activity."""
    activity = session.get_one(Activity, activity_id)
    maximum = activity.score_maximum
    row = session.execute(
        select(LineItem, ScoreState)
        .outerjoin(ScoreState, and_(ScoreState.line_item_id == LineItem.id, ScoreState.member_id == member_id))
        .where(LineItem.activity_id == activity_id)
    ).first()
    line, score = row if row is not None else (None, None)
    if activity.score_mode == ScoreMode.NONE or (line is not None and line.state == "declined"):
        return OwnState("ungraded", None, None, maximum, None)
    if score is None or score.reason == Reason.WITHDRAWN:
        return OwnState("nothing yet", None, None, maximum, None)
    reason = None if score.reason is None else Reason(score.reason)
    if score.state in {"delivered", "asks"} and score.sent is not None:
        return OwnState("delivered", None, rules.points(score.sent, maximum), maximum, score.sent_at)
    kind = "held up" if score.state == "refused" or reason not in _SOON_OVER else "on its way"
    return OwnState(kind, reason, rules.points(score.wanted, maximum), maximum, None)


_SOON_OVER = {None, Reason.BUSY, Reason.TROUBLE, Reason.UNREACHABLE, Reason.NEWER_GRADE, Reason.LEFT}


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One learner in the ledger."""

    member_id: int
    name: str | None
    is_active: bool
    score: ScoreState | None
    next_attempt_at: datetime | None = None
    """When a waiting score is sent next by itself."""


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """A page of the ledger: its rows, how many learners fit the filter, and how many scores are in each state."""

    rows: list[LedgerRow]
    count: int
    by_state: dict[str, int]


_STATE: Any = case(
    (ScoreState.id.is_(None), "nothing"),
    (and_(ScoreState.state == "waiting", ScoreState.reason.is_not(None)), "held"),
    else_=ScoreState.state,
)
"""The state of a score as the ledger names it: a score that waits for a reason is `held`."""
_BY_TROUBLE: Any = case({"refused": 0, "asks": 1, "held": 2, "waiting": 3, "nothing": 4}, value=_STATE, else_=5)


def ledger(
    session: Session,
    activity: Activity,
    *,
    page: int,
    size: int = 50,
    text: str = "",
    state: str | None = None,
    by_trouble: bool = False,
) -> LedgerPage:
    """One page of the ledger, ordered by name, or with scores in trouble first (`by_trouble`).

    Scores of people who left stay in it. `text`: a part of the name; `state`: one that the ledger names. The number of
    queries does not depend on the size.
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
                and_(Member.takes_part, may_open(activity.placement_id or 0)),
            ),
        )
    )
    by_state = dict(session.execute(joined.with_only_columns(_STATE, func.count()).group_by(_STATE)).all())
    matching = joined
    if text.strip():
        matching = matching.where(Member.id.in_(_named(session, activity.course_id, text.strip().casefold())))
    if state is not None:
        matching = matching.where(state == _STATE)
    count = session.scalar(matching.with_only_columns(func.count())) or 0
    order = (_BY_TROUBLE, ScoreState.waits_since) if by_trouble else ()
    learners = session.execute(
        matching.order_by(*order, func.lower(Person.name), Member.id).limit(size).offset((page - 1) * size)
    ).all()
    due = queue.due_dates(session, [push_key(score.id) for _, _, score in learners if score is not None])
    names = told_apart(session, activity.course_id, {member.id: name for member, name, _ in learners})
    rows = [
        LedgerRow(member.id, names[member.id], member.status == "active", score, _next_attempt(score, due))
        for member, _, score in learners
    ]
    return LedgerPage(rows, count, by_state)


def _named(session: Session, course_id: int, text: str) -> list[int]:
    """Members with this text in their name. Compared in Python, since SQLite ignores case for ASCII letters only."""
    names = session.execute(
        select(Member.id, Person.name)
        .join(Person, Person.id == Member.person_id)
        .where(Member.course_id == course_id, Person.name.is_not(None))
    )
    return [member_id for member_id, name in names if text in (name or "").casefold()]


def _next_attempt(score: ScoreState | None, due: Mapping[str, datetime]) -> datetime | None:
    return due.get(push_key(score.id)) if score is not None and score.state == "waiting" else None


def column_of(session: Session, activity_id: int) -> LineItem | None:
    """The activity's line item; None while nothing was ever to be sent."""
    return session.scalar(select(LineItem).where(LineItem.activity_id == activity_id))


def ledger_row(session: Session, activity_id: int, score_id: int) -> LedgerRow:
    """One learner's row of the ledger. Raises ScoreUnknown."""
    score = score_in(session, activity_id, score_id)
    member = session.get_one(Member, score.member_id)
    name = session.get_one(Person, member.person_id).name
    due = queue.due_dates(session, [push_key(score.id)])
    names = told_apart(session, member.course_id, {member.id: name})
    return LedgerRow(member.id, names[member.id], member.status == "active", score, _next_attempt(score, due))


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
