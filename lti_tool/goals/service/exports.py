"""What one person wrote here, for their export and their own file, and what goes when they are erased."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.goals import rules
from lti_tool.goals.models import Action, CheckIn, Goal, GoalVersion, LookBack, Remark, Resource, Win
from lti_tool.launch.models import Course

WIN = ("text",)
RESOURCE = ("title", "address", "use", "outcome")


def texts_of(session: Session, own: list[int]) -> dict[str, list[dict[str, Any]]]:
    """Goals, actions, wins, resources and remarks of a person's memberships, as plain values, oldest first.

    With what partners wrote beside the goals, wins and resources, without names.
    """
    return {
        "goals": _goals(session, own),
        "actions": _actions(session, own),
        "wins": _posts(session, Win, Remark.win_id, own, WIN),
        "resources": _posts(session, Resource, Remark.resource_id, own, RESOURCE),
        "remarks": _remarks(session, own),
    }


def _goals(session: Session, own: list[int]) -> list[dict[str, Any]]:
    rows = _with_course(session, Goal, Goal.owner_id, own)
    ids = [goal.id for goal, _ in rows]
    versions = _beside(session, GoalVersion, GoalVersion.goal_id, ids)
    check_ins = _beside(session, CheckIn, CheckIn.goal_id, ids)
    remarks = _beside(session, Remark, Remark.goal_id, ids)
    return [
        {
            "course": title,
            "at": _moment(goal.created_at),
            "state": goal.state,
            **rules.as_typed(rules.GOAL, goal),
            "words_before": [
                {"at": _moment(before.worded_at), **rules.as_typed(rules.GOAL, before)} for before in versions[goal.id]
            ],
            "check_ins": [
                {"at": _moment(told.at), **rules.as_typed(rules.CHECK_IN, told), **_taken_back(told)}
                for told in check_ins[goal.id]
            ],
            "beside": _lines(remarks[goal.id], own),
        }
        for goal, title in rows
    ]


def _actions(session: Session, own: list[int]) -> list[dict[str, Any]]:
    rows = _with_course(session, Action, Action.owner_id, own)
    looks = _beside(session, LookBack, LookBack.action_id, [action.id for action, _ in rows])
    return [
        {
            "course": title,
            "at": _moment(action.created_at),
            "state": action.state,
            **rules.as_typed(rules.ACTION, action),
            "why": action.why,
            "looked_back": [{"at": _moment(look.at), "became": look.became} for look in looks[action.id]],
        }
        for action, title in rows
    ]


def _posts(session: Session, model: Any, parent: Any, own: list[int], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = _with_course(session, model, model.author_id, own)
    remarks = _beside(session, Remark, parent, [row.id for row, _ in rows])
    return [
        {
            "course": title,
            "at": _moment(row.at),
            **{column: getattr(row, column) for column in columns},
            **_taken_back(row),
            "beside": _lines(remarks[row.id], own),
        }
        for row, title in rows
    ]


def _remarks(session: Session, own: list[int]) -> list[dict[str, Any]]:
    """What these members wrote beside what others wrote."""
    statement = select(Remark).where(Remark.author_id.in_(own)).order_by(Remark.id)
    for column, owner in (
        (Remark.goal_id, Goal.owner_id),
        (Remark.win_id, Win.author_id),
        (Remark.resource_id, Resource.author_id),
    ):
        theirs = select(owner.class_.id).where(owner.in_(own))
        statement = statement.where(or_(column.is_(None), column.not_in(theirs)))
    return [
        {"at": _moment(remark.at), "text": remark.text, **_taken_back(remark)} for remark in session.scalars(statement)
    ]


def _with_course(session: Session, model: Any, owner: Any, own: list[int]) -> list[tuple[Any, str | None]]:
    rows = session.execute(
        select(model, Course.title).join(Course, Course.id == model.course_id).where(owner.in_(own)).order_by(model.id)
    )
    return [(row, title) for row, title in rows]


def _beside(session: Session, model: Any, parent: Any, ids: list[int]) -> dict[int, list[Any]]:
    """Rows by what they stand beside, oldest first."""
    rows: dict[int, list[Any]] = defaultdict(list)
    for row in session.scalars(select(model).where(parent.in_(ids)).order_by(model.id)):
        rows[getattr(row, parent.key)].append(row)
    return rows


def _lines(remarks: Iterable[Remark], own: list[int]) -> list[dict[str, str]]:
    return [
        {
            "at": _moment(remark.at),
            "direction": "given" if remark.author_id in own else "received",
            "text": remark.text,
            **_taken_back(remark),
        }
        for remark in remarks
        if remark.removed_at is None or remark.author_id in own
    ]


def _taken_back(row: Any) -> dict[str, str]:
    """When its author took it back, of what was."""
    removed_at = getattr(row, "removed_at", None)
    return {"taken_back": _moment(removed_at)} if removed_at is not None else {}


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def erase_texts_of(session: Session, own: list[int]) -> None:
    """Remove the goals, actions and wins of a person's memberships, with everything beside them.

    What they wrote beside the goals and wins of others is those people's record and stays, without a name. So do the
    title and address of a resource; how they used it is removed.
    """
    for statement in (
        delete(Goal).where(Goal.owner_id.in_(own)),
        delete(Action).where(Action.owner_id.in_(own)),
        delete(Win).where(Win.author_id.in_(own)),
        delete(Remark).where(Remark.author_id.in_(own), Remark.removed_at.is_not(None)),
        update(Resource).where(Resource.author_id.in_(own)).values(use="", outcome="", version=Resource.version + 1),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
