"""Invented learners of the demo, who do their part once a plan is published, so that there is something to follow."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lti_tool.activities.kinds.form import Craft, Field, FieldKind
from lti_tool.activities.models import Activity
from lti_tool.activities.rules import kind_for
from lti_tool.errors import ToolError
from lti_tool.feedback import service as feedback
from lti_tool.feedback.models import Entry
from lti_tool.feedback.rules import USEFULNESS, Reader
from lti_tool.feedback.service import Task, find_task
from lti_tool.goals import service as goals
from lti_tool.pairing import service as pairing
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules.views import PublishedGroup
from lti_tool.rubrics.rules import MARK
from lti_tool.support.db import across_institutions
from lti_tool.support.kit import Kit

IDLE: Final = 4
"""Every fourth learner does nothing."""
TEXTS: Final = {
    Craft.STRENGTH: "You waited after each question until someone answered.",
    Craft.GROWTH: "Next time try to write the question on the board before you ask it.",
    Craft.NOTICED: "You asked twice and waited.",
    Craft.EFFECT: "Four people answered who had been quiet.",
    Craft.ADJUSTMENT: "Wait one breath longer.",
}
OTHER_TEXT: Final = "The first ten minutes of our meeting on Monday"


def do_their_part(kit: Kit) -> int:
    """Let learners do what round 1 asks, in each activity with a published plan in which no one has written yet.

    The group of the first learner is left alone: that is whom a person plays. Returns for how many people it was done.
    """
    with kit.open_session() as session, across_institutions(session):
        waiting = session.execute(
            select(Activity.institution_id, Activity.id).where(
                exists().where(Plan.activity_id == Activity.id, Plan.state == "published"),
                ~exists().where(Entry.activity_id == Activity.id),
            )
        ).all()
    count = 0
    for institution_id, activity_id in waiting:
        with kit.open_session(institution_id) as session:
            count += _in_activity(session, session.get_one(Activity, activity_id), now=kit.clock.now())
    return count


def _in_activity(session: Session, activity: Activity, *, now: datetime) -> int:
    groups = [group for group in pairing.published_groups(session, activity.id) if group.round_number == 1]
    played = min((member for group in groups for member in group.members), default=0)
    busy = [group for group in groups if played not in group.members]
    count = 0
    for group in busy:
        for place, member in enumerate(group.members):
            if (group.members[0] + place) % IDLE:
                # What a kind does not have, or a designer left out, is left out here too.
                with suppress(ToolError), session.begin_nested():
                    _set_goal(session, activity, member, place, now)
                for task in _own_tasks(session, activity, group, member):
                    with suppress(ToolError), session.begin_nested():
                        _write(session, task, place, now)
                count += 1
    for entry in session.scalars(select(Entry).where(Entry.activity_id == activity.id, Entry.released_at.is_not(None))):
        if entry.recipient_id is not None and entry.id % IDLE:
            with suppress(ToolError), session.begin_nested():
                reader = Reader(entry.recipient_id, is_staff=False)
                shown = feedback.read_entry(
                    session, entry.number_for(entry.recipient_id), reader, activity.course_id, now=now
                )
                _write(session, feedback.answer_task(shown), entry.id, now)
    return count


def _own_tasks(session: Session, activity: Activity, group: PublishedGroup, member: int) -> Iterator[Task]:
    kind = kind_for(activity)
    for step in kind.steps:
        if step.form is None or step.is_answer or step.is_shared:
            continue
        receivers = group.partners_of(member) if step.is_to_partners else (None,)
        for receiver in receivers:
            with suppress(ToolError):
                yield find_task(session, activity, 1, member, receiver, step_key=step.key)


def _write(session: Session, task: Task, place: int, now: datetime) -> None:
    if task.step.is_confirmation:
        feedback.confirm(session, task, now=now)
        return
    typed = {field.key: _text(field, place) for field in task.form.texts}
    rubric = feedback.rubric_of(session, task.activity.rubric_id)
    for number, criterion in enumerate(rubric.criteria):
        if criterion.levels:
            level = criterion.levels[(place + number) % len(criterion.levels)]
            typed[f"{MARK}{criterion.id}"] = str(level.id)
    feedback.save_draft(session, task, typed, {}, device="", now=now)
    feedback.give(session, task, now=now)


def _text(field: Field, place: int) -> str:
    if field.kind is FieldKind.CHOICE:
        return str(2 + place % 3) if field.key == USEFULNESS else field.choices[place % len(field.choices)].value
    if field.kind is FieldKind.NUMBER:
        return str(field.lowest)
    return TEXTS[field.craft] if field.craft is not None else OTHER_TEXT


def _set_goal(session: Session, activity: Activity, member: int, place: int, now: datetime) -> None:
    where = goals.place_of(session, activity, member, now=now)
    day = (now + timedelta(days=28)).date().isoformat()
    goal = goals.set_goal(
        session,
        where,
        {
            "goal_area": "communication",
            "goal_words": "I ask three open questions in every team meeting",
            "goal_measure": "I count them in my notes",
            "goal_start": "0",
            "goal_target": "3",
            "goal_target_on": day,
        },
        now=now,
    )
    how = {"check_in_value": str(1 + place % 3), "check_in_how": "It gets easier."}
    goals.check_in(session, where, goal.id, how, now=now)
    wanted = {"action_words": "Write two questions on a card", "action_due_on": day, "action_sign": "I use it"}
    goals.write_action(session, where, wanted, now=now)
