"""Actions are written, looked back at and taken up again."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.goals import rules
from lti_tool.goals.errors import ChangedMeanwhile, NotShown
from lti_tool.goals.models import Action, LookBack
from lti_tool.goals.service.places import Place, record_writing, refuse_closed, values_of


def write_action(session: Session, place: Place, sent: Mapping[str, str], *, now: datetime) -> Action:
    """Write down what this member will do. Raises GoalsClosed, NotForStaff, Refused."""
    refuse_closed(place)
    action = Action(
        course_id=place.course_id,
        owner_id=place.member.id,
        round_id=place.round_id,
        group_id=place.group_id,
        created_at=now,
        changed_at=now,
        **values_of(rules.read(rules.ACTION, sent)),
    )
    session.add(action)
    record_writing(session, place, now=now)
    return action


def look_back(
    session: Session,
    place: Place,
    action_id: int,
    became: rules.Became,
    sent: Mapping[str, str],
    *,
    expected_version: int,
    now: datetime,
) -> None:
    """Say that an open action of one's own is done, moved to another date, or dropped for a reason.

    Raises GoalsClosed, NotShown, Refused, and ChangedMeanwhile where it is not open or was saved since that version.
    """
    refuse_closed(place)
    action = _own(session, place, action_id)
    values = {}
    if became is not rules.Became.DONE:
        values = values_of(rules.read(rules.MOVE if became is rules.Became.MOVED else rules.DROP, sent))
    if action.version != expected_version or action.state != rules.ActionState.OPEN:
        raise ChangedMeanwhile("action", action_id)
    session.add(
        LookBack(action_id=action.id, round_id=place.round_id, at=now, became=became.value, due_on_before=action.due_on)
    )
    if became is not rules.Became.MOVED:
        action.state = rules.ActionState(became.value)
    for column, value in values.items():
        setattr(action, column, value)
    action.changed_at = now
    record_writing(session, place, now=now, in_group=False, also_in=(action.round_id,))


def take_up(session: Session, place: Place, action_id: int, *, now: datetime) -> None:
    """Undo the last look back at an action of one's own. Without one nothing changes."""
    refuse_closed(place)
    action = _own(session, place, action_id)
    last = session.scalars(
        select(LookBack).where(LookBack.action_id == action_id).order_by(LookBack.id.desc()).limit(1)
    ).first()
    if last is None:
        return
    action.state, action.why, action.due_on = rules.ActionState.OPEN, "", last.due_on_before
    action.changed_at = now
    session.delete(last)
    record_writing(session, place, now=now, in_group=False, also_in=(action.round_id, last.round_id))


def _own(session: Session, place: Place, action_id: int) -> Action:
    action = session.scalar(
        select(Action)
        .where(Action.id == action_id, Action.owner_id == place.member.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if action is None:
        raise NotShown("action", action_id)
    return action
