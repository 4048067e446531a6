"""Growth points that somebody received, made a goal or an action of their own, and what became of them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities.rules import Craft
from lti_tool.feedback import service as feedback
from lti_tool.feedback.rules import Reader
from lti_tool.goals import rules
from lti_tool.goals.errors import NotShown
from lti_tool.goals.models import Action, Goal, GrowthPoint
from lti_tool.goals.service.places import Place, record_writing, refuse_closed

FORTNIGHT: Final = timedelta(days=14)
TO_TRY: Final = (Craft.GROWTH, Craft.ADJUSTMENT)
"""What can be made a goal or an action."""


@dataclass(frozen=True, slots=True)
class Became:
    """What a growth point is now: a goal or an action."""

    goal: Goal | None
    action: Action | None


def adopt_point(
    session: Session, place: Place, number: int, field: str, *, as_goal: bool, today: date, now: datetime
) -> Became:
    """Make something to try, from feedback that this member received, a goal or an action that only they see.

    `number` is the feedback as addresses name it for them.
    What was taken up before stays what it is. Raises GoalsClosed, NotForStaff, FeedbackHidden, and NotShown where they
    did not receive it or it says nothing there.
    """
    refuse_closed(place)
    reader = Reader(place.member.id, is_staff=False)
    shown = feedback.read_entry(session, number, reader, place.course_id, now=now)
    form, entry_id = shown.step.form, shown.entry.id
    known = {one.key for one in form.of_craft(*TO_TRY)} if form is not None else set()
    text = shown.entry.fields.get(field, "").strip()
    if shown.entry.recipient_id != place.member.id or field not in known or not text:
        raise NotShown("growth point", number)
    before = became(session, [entry_id]).get((entry_id, field))
    if before is not None:
        return before
    goal, action = None, None
    common = {"course_id": place.course_id, "owner_id": place.member.id, "round_id": place.round_id, "words": text}
    if as_goal:
        goal = Goal(created_at=now, worded_at=now, target_on=rules.month_ahead(today), **common)
    else:
        action = Action(created_at=now, changed_at=now, due_on=today + FORTNIGHT, **common)
    try:
        with session.begin_nested():
            session.add(goal or action)
            session.flush()
            session.add(
                GrowthPoint(
                    entry_id=entry_id,
                    field=field,
                    goal_id=goal.id if goal is not None else None,
                    action_id=action.id if action is not None else None,
                    at=now,
                )
            )
    except IntegrityError:
        # A second tap was quicker; its goal or action stands.
        return became(session, [entry_id])[entry_id, field]
    record_writing(session, place, now=now, in_group=False)
    return Became(goal, action)


def became(session: Session, entries: Collection[int]) -> dict[tuple[int, str], Became]:
    """What the growth points of these entries were made, by entry and field."""
    rows = session.execute(
        select(GrowthPoint, Goal, Action)
        .outerjoin(Goal, Goal.id == GrowthPoint.goal_id)
        .outerjoin(Action, Action.id == GrowthPoint.action_id)
        .where(GrowthPoint.entry_id.in_(entries))
    )
    return {(taken.entry_id, taken.field): Became(goal, action) for taken, goal, action in rows}
