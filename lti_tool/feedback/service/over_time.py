"""What one member received in all activities of a course, for a look at it over time."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Craft, Form, Step, kind_for
from lti_tool.feedback import rules
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service.release import anonymous_order, is_counterpart, is_readable
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.rubrics.models import Criterion, Level


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


def received_in_course(session: Session, course_id: int, member_id: int, *, now: datetime) -> list[Received]:
    """What was given to this member in the course and they can read, oldest round first; two queries."""
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
    found = []
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
            found.append(Received(entry, step, step.form, activity, round_, name, place))
    return found


def _in_order(row: Any) -> tuple[Any, ...]:
    """Oldest round first, and in a round what is named by its time, then what is not by its alias."""
    entry = row.Entry
    by_time = (False, entry.submitted_at, entry.id) if entry.alias is None else (True, *anonymous_order(entry))
    return row.Activity.id, row.Round.number, *by_time


@dataclass(frozen=True, slots=True)
class LevelSeen:
    """A level that somebody chose: where it stands on its ladder, counted from 1, and what it is called."""

    place: int
    steps: int
    label: str


def levels_over_time(session: Session, received: Iterable[Received]) -> dict[str, dict[int, LevelSeen]]:
    """For each criterion by name, the level in each of these by its place in the list. Levels of anonymous feedback
    are shown together only.
    """
    chosen = [rules.chosen_levels(one.entry.fields) if one.entry.alias is None else {} for one in received]
    ladders = _ladders(session, {criterion for each in chosen for criterion in each})
    seen: dict[str, dict[int, LevelSeen]] = {}
    for place, each in enumerate(chosen):
        for criterion_id, level_id in each.items():
            name, levels = ladders.get(criterion_id, ("", {}))
            if level_id in levels:
                seen.setdefault(name, {})[place] = levels[level_id]
    return seen


def places_of_levels(session: Session, fields: Mapping[str, str]) -> list[int]:
    """Where the chosen levels stand on their ladders, in the order of the criteria."""
    chosen = rules.chosen_levels(fields)
    ladders = _ladders(session, chosen.keys())
    known = ((ladders.get(criterion, ("", {}))[1], level) for criterion, level in sorted(chosen.items()))
    return [levels[level].place for levels, level in known if level in levels]


def _ladders(session: Session, criteria: Collection[int]) -> dict[int, tuple[str, dict[int, LevelSeen]]]:
    rows = session.execute(
        select(Criterion.id, Criterion.name, Level.id.label("level_id"), Level.label)
        .join(Level, Level.criterion_id == Criterion.id)
        .where(Criterion.id.in_(criteria))
        .order_by(Criterion.id, Level.position)
    ).all()
    by_criterion: dict[int, list[tuple[int, str]]] = {}
    names = {}
    for row in rows:
        names[row.id] = row.name
        by_criterion.setdefault(row.id, []).append((row.level_id, row.label))
    return {
        criterion: (
            names[criterion],
            {level: LevelSeen(place, len(levels), label) for place, (level, label) in enumerate(levels, start=1)},
        )
        for criterion, levels in by_criterion.items()
    }
