"""Counts of goals and actions, without a word of them: for the checklist, for staff, and for set-up."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Round
from lti_tool.goals.models import Action, CheckIn, Goal, LookBack, Resource, Win
from lti_tool.goals.rules import ActionState
from lti_tool.launch.models import Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.roster.service import who_takes_part


@dataclass(frozen=True, slots=True)
class Done:
    """What one member did in one round."""

    goals_set: int = 0
    check_ins: int = 0
    actions_written: int = 0
    actions_looked_back_at: int = 0


def done_in(session: Session, activity_id: int) -> dict[tuple[int, int], Done]:
    """What members did in the rounds of an activity, by round number and member; who did nothing is left out."""
    asked: dict[str, Select[Any]] = {
        "goals_set": _by_round(Goal, Goal.owner_id),
        "check_ins": _by_round(CheckIn, Goal.owner_id).join(Goal, Goal.id == CheckIn.goal_id),
        "actions_written": _by_round(Action, Action.owner_id),
        "actions_looked_back_at": _by_round(LookBack, Action.owner_id).join(Action, Action.id == LookBack.action_id),
    }
    done: dict[tuple[int, int], Done] = defaultdict(Done)
    for name, statement in asked.items():
        for number, member_id, count in session.execute(statement.where(Round.activity_id == activity_id)):
            place = number, member_id
            done[place] = replace(done[place], **{name: count})
    return dict(done)


def _by_round(model: Any, owner: Any) -> Select[Any]:
    return (
        select(Round.number, owner, func.count())
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
        "checked_in": goals.where(Goal.id.in_(select(CheckIn.goal_id))),
        "actions_open": actions.where(Action.state == ActionState.OPEN),
        "actions_done": actions.where(Action.state == ActionState.DONE),
    }


def last_round_in_use(session: Session, activity_id: int) -> int:
    """The number of the last round of an activity in which something of this feature was written; 0 without one."""
    last = select(func.max(Round.number)).where(Round.activity_id == activity_id)
    models = (Goal, CheckIn, Action, LookBack, Win, Resource)
    return max(session.scalar(last.join(model, model.round_id == Round.id)) or 0 for model in models)
