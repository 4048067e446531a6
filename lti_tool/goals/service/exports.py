"""What one person wrote here, for their export and their own file, and what goes when they are erased."""

from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.goals import rules
from lti_tool.goals.models import Action, CheckIn, Goal, GoalVersion, LookBack, Remark, Resource, Win
from lti_tool.launch.models import Course, Member


def texts_of(session: Session, person_id: int) -> dict[str, list[dict[str, Any]]]:
    """A person's goals, actions, wins, resources and remarks in all courses, as plain values, oldest first.

    With what partners wrote beside the goals and wins, without names.
    """
    own = list(session.scalars(select(Member.id).where(Member.person_id == person_id)))
    return {
        "goals": goals_of(session, own),
        "actions": _actions(session, own),
        "wins": _posts(session, Win, own, ("text",)),
        "resources": _posts(session, Resource, own, ("title", "address", "use", "outcome")),
        "remarks": remarks_of(session, own),
    }


def goals_of(session: Session, own: list[int]) -> list[dict[str, Any]]:
    """The goals of these members with every wording and check-in."""
    goals = session.execute(
        select(Goal, Course.title)
        .join(Course, Course.id == Goal.course_id)
        .where(Goal.owner_id.in_(own))
        .order_by(Goal.id)
    ).all()
    ids = [goal.id for goal, _ in goals]
    versions: dict[int, list[GoalVersion]] = {}
    for version in session.scalars(select(GoalVersion).where(GoalVersion.goal_id.in_(ids)).order_by(GoalVersion.id)):
        versions.setdefault(version.goal_id, []).append(version)
    told: dict[int, list[CheckIn]] = {}
    for one in session.scalars(select(CheckIn).where(CheckIn.goal_id.in_(ids)).order_by(CheckIn.id)):
        told.setdefault(one.goal_id, []).append(one)
    beside: dict[int, list[Remark]] = {}
    for remark in session.scalars(select(Remark).where(Remark.goal_id.in_(ids)).order_by(Remark.id)):
        beside.setdefault(remark.goal_id or 0, []).append(remark)
    return [
        {
            "course": title,
            "at": goal.created_at.isoformat(timespec="seconds"),
            "state": goal.state,
            **_named(rules.GOAL, goal),
            "words_before": [
                {"at": one.worded_at.isoformat(timespec="seconds"), **_named(rules.GOAL, one)}
                for one in versions.get(goal.id, [])
            ],
            "check_ins": [
                {"at": one.at.isoformat(timespec="seconds"), **_named(rules.CHECK_IN, one)}
                for one in told.get(goal.id, [])
            ],
            "beside": _lines(beside.get(goal.id, []), own),
        }
        for goal, title in goals
    ]


def _actions(session: Session, own: list[int]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Action, Course.title)
        .join(Course, Course.id == Action.course_id)
        .where(Action.owner_id.in_(own))
        .order_by(Action.id)
    )
    return [
        {
            "course": title,
            "at": action.created_at.isoformat(timespec="seconds"),
            "state": action.state,
            **_named(rules.ACTION, action),
            "why": action.why,
            "looked_back": [
                {"at": look.at.isoformat(timespec="seconds"), "became": look.became}
                for look in session.scalars(
                    select(LookBack).where(LookBack.action_id == action.id).order_by(LookBack.id)
                )
            ],
        }
        for action, title in rows.all()
    ]


def _posts(session: Session, model: Any, own: list[int], columns: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(model, Course.title)
        .join(Course, Course.id == model.course_id)
        .where(model.author_id.in_(own))
        .order_by(model.id)
    ).all()
    beside: dict[int, list[Remark]] = {}
    parent = Remark.win_id if model is Win else Remark.resource_id
    for remark in session.scalars(select(Remark).where(parent.in_([row.id for row, _ in rows])).order_by(Remark.id)):
        beside.setdefault((remark.win_id if model is Win else remark.resource_id) or 0, []).append(remark)
    return [
        {
            "course": title,
            "at": row.at.isoformat(timespec="seconds"),
            **{column: getattr(row, column) for column in columns},
            "beside": _lines(beside.get(row.id, []), own),
        }
        for row, title in rows
    ]


def remarks_of(session: Session, own: list[int]) -> list[dict[str, Any]]:
    """What these members wrote beside what others wrote."""
    goals, wins, resources = (
        select(Goal.id).where(Goal.owner_id.in_(own)),
        select(Win.id).where(Win.author_id.in_(own)),
        select(Resource.id).where(Resource.author_id.in_(own)),
    )
    rows = session.scalars(
        select(Remark)
        .where(Remark.author_id.in_(own))
        .where(or_(Remark.goal_id.is_(None), Remark.goal_id.not_in(goals)))
        .where(or_(Remark.win_id.is_(None), Remark.win_id.not_in(wins)))
        .where(or_(Remark.resource_id.is_(None), Remark.resource_id.not_in(resources)))
        .order_by(Remark.id)
    )
    return [{"at": one.at.isoformat(timespec="seconds"), "text": one.text} for one in rows]


def _lines(remarks: list[Remark], own: list[int]) -> list[dict[str, str]]:
    return [
        {
            "at": one.at.isoformat(timespec="seconds"),
            "direction": "given" if one.author_id in own else "received",
            "text": one.text,
        }
        for one in remarks
    ]


def _named(form: rules.Form, row: Any) -> dict[str, str]:
    """The answers of a form by column, as they would be typed."""
    return {field.key: rules.typed(getattr(row, field.key)) for field in form.fields}


def erase_texts_of(session: Session, person_id: int) -> None:
    """Remove a person's goals, actions and wins with everything beside them.

    What they wrote beside the goals and wins of others is those people's record and stays, without a name. So does the
    title and address of a resource; how they used it is removed.
    """
    own = list(session.scalars(select(Member.id).where(Member.person_id == person_id)))
    for statement in (
        delete(Goal).where(Goal.owner_id.in_(own)),
        delete(Action).where(Action.owner_id.in_(own)),
        delete(Win).where(Win.author_id.in_(own)),
        update(Resource).where(Resource.author_id.in_(own)).values(use="", outcome="", version=Resource.version + 1),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
