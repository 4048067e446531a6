"""Counts of goals and actions, without a word of them: for the checklist, for staff, and for set-up."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Round
from lti_tool.goals import rules
from lti_tool.goals.models import Action, CheckIn, Goal, LookBack, Resource, Win
from lti_tool.launch.models import Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.roster.service import who_takes_part


@dataclass(frozen=True, slots=True)
class Done:
    """What one member did in one round, and how many open actions of earlier rounds there were to look back at."""

    goals_set: int = 0
    check_ins: int = 0
    actions_written: int = 0
    look_backs: int = 0
    to_look_back_at: int = 0
    reached: Mapping[str, datetime] = field(default_factory=dict, compare=False)
    """By name of one of these counts, when it was first more than nothing; of look backs, when the last was made."""


def done_in(session: Session, activity_id: int, member_id: int | None = None) -> dict[tuple[int, int], Done]:
    """What members, or one of them, did in the rounds of an activity, by round number and member.

    Left out is who did nothing and had nothing to look back at.
    """
    asked: dict[str, Select[Any]] = {
        "goals_set": _by_round(Goal, Goal.owner_id, Goal.created_at),
        "check_ins": _by_round(CheckIn, Goal.owner_id, CheckIn.at)
        .join(Goal, Goal.id == CheckIn.goal_id)
        .where(CheckIn.removed_at.is_(None)),
        "actions_written": _by_round(Action, Action.owner_id, Action.created_at),
    }
    done: dict[tuple[int, int], Done] = defaultdict(Done)
    for name, statement in asked.items():
        owner = Action.owner_id if name == "actions_written" else Goal.owner_id
        whose = (owner == member_id,) if member_id is not None else ()
        for row in session.execute(statement.where(Round.activity_id == activity_id, *whose)):
            place = row.number, row.owner_id
            reached = {**done[place].reached, name: row.first_at}
            done[place] = replace(done[place], **{name: row.count_}, reached=reached)
    dates = select(Round.number, Round.opens_at, Round.due_at).where(Round.activity_id == activity_id)
    rounds = rules.turns_of(
        [(row.number, row.opens_at, row.due_at) for row in session.execute(dates.order_by(Round.number))]
    )
    for owner_id, actions in _actions(session, activity_id, member_id).items():
        for number, (count, left) in rules.look_backs(actions, rounds).items():
            place = number, owner_id
            reached = dict(done[place].reached)
            if (last_at := rules.looked_back_at(actions, number)) is not None:
                reached["look_backs"] = last_at
            done[place] = replace(done[place], look_backs=count, to_look_back_at=left, reached=reached)
    return dict(done)


def _actions(session: Session, activity_id: int, member_id: int | None) -> dict[int, list[rules.WrittenAction]]:
    """The actions that were written in the activity, by owner."""
    looked_at_in = (
        select(LookBack.action_id, func.max(Round.number).label("number"), func.max(LookBack.at).label("at"))
        .join(Round, Round.id == LookBack.round_id)
        .where(Round.activity_id == activity_id)
        .group_by(LookBack.action_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Action.owner_id,
            Round.number,
            Action.created_at,
            Action.state,
            looked_at_in.c.number.label("last"),
            looked_at_in.c.at.label("looked_at"),
        )
        .join(Round, Round.id == Action.round_id)
        .outerjoin(looked_at_in, looked_at_in.c.action_id == Action.id)
        .where(Round.activity_id == activity_id, *((Action.owner_id == member_id,) if member_id is not None else ()))
    )
    actions: dict[int, list[rules.WrittenAction]] = defaultdict(list)
    for row in rows:
        is_open = row.state == rules.ActionState.OPEN
        written = rules.WrittenAction(row.number, row.created_at, is_open, row.last or 0, row.looked_at)
        actions[row.owner_id].append(written)
    return actions


def _by_round(model: Any, owner: Any, at: Any) -> Select[Any]:
    return (
        select(Round.number, owner.label("owner_id"), func.count().label("count_"), func.min(at).label("first_at"))
        .select_from(model)
        .join(Round, Round.id == model.round_id)
        .group_by(Round.number, owner)
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """How much there is of a member, or of a whole course, for staff."""

    goals: int = 0
    checked_in: int = 0
    """Goals with a check-in at least."""
    actions_open: int = 0
    actions_done: int = 0


def figures_of(session: Session, course_id: int, members: Collection[int]) -> dict[int, Figures]:
    """Counts of each of these members."""
    counts: dict[int, dict[str, int]] = {member_id: {} for member_id in members}
    for name, statement in _counts(course_id).items():
        model = Action if name.startswith("actions") else Goal
        rows = statement.add_columns(model.owner_id).where(model.owner_id.in_(members)).group_by(model.owner_id)
        for count, member_id in session.execute(rows):
            counts[member_id][name] = count
    return {member_id: Figures(**each) for member_id, each in counts.items()}


def totals_of(session: Session, course_id: int) -> Figures:
    """Counts of the whole course."""
    return Figures(**{name: session.scalar(statement) or 0 for name, statement in _counts(course_id).items()})


def learners_by_name(session: Session, course_id: int, *, page: int, size: int) -> dict[int, str | None]:
    """One page of the learners of a course, with their names as staff read them."""
    rows = session.execute(
        select(Member.id, Person.name)
        .join(Person, Person.id == Member.person_id)
        .where(Member.id.in_(who_takes_part(session, course_id)))
        .order_by(Person.name, Member.id)
        .limit(size)
        .offset((page - 1) * size)
    ).all()
    return told_apart(session, course_id, {row.id: row.name for row in rows})


def _counts(course_id: int) -> dict[str, Select[Any]]:
    goals = select(func.count()).select_from(Goal).where(Goal.course_id == course_id)
    actions = select(func.count()).select_from(Action).where(Action.course_id == course_id)
    return {
        "goals": goals,
        "checked_in": goals.where(Goal.id.in_(select(CheckIn.goal_id).where(CheckIn.removed_at.is_(None)))),
        "actions_open": actions.where(Action.state == rules.ActionState.OPEN),
        "actions_done": actions.where(Action.state == rules.ActionState.DONE),
    }


def last_round_in_use(session: Session, activity_id: int) -> int:
    """The number of the last round of an activity in which something of this feature was written; 0 without one."""
    last = select(func.max(Round.number)).where(Round.activity_id == activity_id)
    models = (Goal, CheckIn, Action, LookBack, Win, Resource)
    return max(session.scalar(last.join(model, model.round_id == Round.id)) or 0 for model in models)
