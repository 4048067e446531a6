"""What one member received in all activities of a course, for a look at it over time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Craft, Form, Step, kind_for
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service.exchanges import rounds_for_own_view, waits_for_own_view
from lti_tool.feedback.service.release import anonymous_order, is_counterpart, is_readable
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.rules import Asked, Question


@dataclass(frozen=True, slots=True)
class Received:
    """Feedback that its receiver can read."""

    entry: Entry
    step: Step
    form: Form
    activity: Activity
    round: Round
    author_name: str | None
    place: int = 0
    """Where the author is not named: their place among such in the round, counted from 1."""

    def texts(self, *crafts: Craft) -> dict[str, str]:
        """What it says in the fields that ask for one of these, by key."""
        texts = {field.key: self.entry.fields.get(field.key, "").strip() for field in self.form.of_craft(*crafts)}
        return {key: text for key, text in texts.items() if text}


def received_in_course(
    session: Session, course_id: int, member_id: int, *, now: datetime
) -> tuple[list[Received], list[Received]]:
    """What was given to this member in the course and they can read, oldest round first, and apart from it what they
    are asked to assess themselves before; two queries, and three more for each activity that asks for that.
    """
    back = aliased(Entry)
    rows = session.execute(
        select(Entry, back.submitted_at, Activity, Round, Person.name, Course.ended_at)
        .select_from(Entry)
        .join(Activity, Activity.id == Entry.activity_id)
        .join(Course, Course.id == Activity.course_id)
        .join(Round, Round.id == Entry.round_id)
        .join(Member, Member.id == Entry.author_id)
        .join(Person, Person.id == Member.person_id)
        .outerjoin(back, is_counterpart(back))
        .where(Activity.course_id == course_id, Entry.recipient_id == member_id, Entry.submitted_at.is_not(None))
    ).all()
    named = {entry.author_id: name for entry, _, _, _, name, _ in rows if entry.author_id is not None}
    names = told_apart(session, course_id, named, for_staff=False)
    received = []
    places: Counter[int] = Counter()
    for entry, back_at, activity, round_, _, ended_at in sorted(rows, key=_in_order):
        step = kind_for(activity).step(entry.step)
        if step is None or step.form is None or step.is_answer:
            continue
        is_unnamed = entry.alias is not None
        places[round_.id] += is_unnamed
        if is_readable(entry, back_at, round_, activity, ended_at, now=now):
            name = names[entry.author_id or 0] if not is_unnamed else None
            place = places[round_.id] if is_unnamed else 0
            received.append(Received(entry, step, step.form, activity, round_, name, place))
    activities = {one.activity.id: one.activity for one in received}
    rounds = {number for one in activities.values() for number in rounds_for_own_view(session, one, member_id)}
    held = [one for one in received if waits_for_own_view(one.entry, rounds)]
    return [one for one in received if one not in held], held


def _in_order(row: Any) -> tuple[Any, ...]:
    """Oldest round first, and in a round what is named by its time, then what is not by its alias."""
    entry = row.Entry
    by_time = (False, entry.submitted_at, entry.id) if entry.alias is None else (True, *anonymous_order(entry))
    return row.Activity.id, row.Round.number, *by_time


@dataclass(frozen=True, slots=True)
class LevelSeen:
    """What somebody chose on a ladder of levels or on a scale: its place, counted from 1, and what it is called."""

    place: int
    steps: int
    label: str
    ends: str
    """Of a scale, with their words; empty where the levels have words themselves."""


def levels_over_time(session: Session, received: Iterable[Received]) -> dict[str, dict[int, LevelSeen]]:
    """For each criterion by name, the level or number in each of these by its place in the list.

    One load for each version of a rubric. What anonymous feedback chose is shown together only.
    """
    questions: dict[int, list[Asked]] = {}
    seen: dict[str, dict[int, LevelSeen]] = {}
    for place, item in enumerate(received):
        rubric_id = item.entry.rubric_id
        if rubric_id is None:
            continue
        if rubric_id not in questions:
            questions[rubric_id] = rubrics.questions_of(rubrics.rubric_of(session, rubric_id))
        for asked in questions[rubric_id]:
            reply = asked.reply(item.entry.fields)
            if reply.step is not None:
                ends = asked.ends if asked.draft.question is Question.SCALE else ""
                level = LevelSeen(reply.step, reply.steps, asked.offered[reply.step - 1][1], ends)
                seen.setdefault(asked.draft.name, {})[place] = level
    return seen
