"""A course where people observe each other: an activity, a published plan, and what they write."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import RoundDates
from lti_tool.activities.service import rounds_of
from lti_tool.feedback import service
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service import Task, find_task, rubric_of
from lti_tool.launch.models import Course, Member, Placement
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.registration.models import Institution, Registration
from lti_tool.rubrics.rules import MARK
from tests.factories.activities import an_activity
from tests.factories.people import (
    a_course,
    a_deployment,
    a_member,
    a_person,
    a_placement,
    a_registration,
    an_institution,
)

TEXTS = {
    "observed_what": "The first ten minutes",
    "observed_at": "Monday, room 4",
    "strengths": "You waited after each question.",
    "next_time_1": "write the question on the board",
    "next_time_2": "",
    "behavior": "You asked twice and waited.",
    "effect": "Four people answered who had been quiet.",
    "suggestion": "Wait one breath longer.",
}


@dataclass(frozen=True, slots=True)
class Classroom:
    """Members by first name, in one course with one activity."""

    institution: Institution
    registration: Registration
    course: Course
    placement: Placement
    activity: Activity
    rounds: list[Round]
    members: dict[str, Member]

    def task(self, session: Session, author: str, recipient: str, round_number: int = 1) -> Task:
        """What the author has to write for the receiver."""
        pair = (self.members[author].id, self.members[recipient].id)
        return find_task(session, self.activity, round_number, *pair)


def a_classroom(
    session: Session,
    *names: str,
    now: datetime,
    groups: tuple[tuple[str, ...], ...] = (("Mette", "Jonas"),),
    rounds: tuple[RoundDates, ...] | None = None,
    **settings: Any,
) -> Classroom:
    """Learners of these names and an instructor called Ingrid; `groups` hold in every round, one due in a week."""
    institution = an_institution(session)
    registration = a_registration(session, institution)
    course = a_course(session, a_deployment(session, registration))
    placement = a_placement(session, course)
    activity = an_activity(
        session, course, placement, now=now, rounds=rounds or (RoundDates(due_at=now + timedelta(days=7)),), **settings
    )
    members = {name: a_member(session, course, a_person(session, registration, name=name)) for name in names}
    members["Ingrid"] = a_member(session, course, a_person(session, registration, name="Ingrid"), "instructor")
    made = rounds_of(session, activity.id)
    publish(session, activity, made, [[members[name] for name in group] for group in groups], now=now)
    return Classroom(institution, registration, course, placement, activity, made, members)


def publish(
    session: Session, activity: Activity, rounds: list[Round], groups: list[list[Member]], *, now: datetime
) -> Plan:
    """The same groups in every round, published."""
    plan = Plan(
        activity_id=activity.id,
        state="published",
        seed=1,
        engine="by hand",
        created_at=now,
        published_at=now,
        changed_at=now,
    )
    session.add(plan)
    session.flush()
    for round_ in rounds:
        for number, members in enumerate(groups, start=1):
            group = Group(plan_id=plan.id, round_id=round_.id, number=number)
            session.add(group)
            session.flush()
            for turn, member in enumerate(members, start=1):
                seat = Seat(plan_id=plan.id, round_id=round_.id, group_id=group.id, member_id=member.id, turn=turn)
                session.add(seat)
    session.flush()
    return plan


def complete_fields(session: Session, task: Task, **changes: str) -> dict[str, str]:
    """Everything that feedback needs: texts, and the first level of each criterion."""
    rubric = rubric_of(session, task.activity.rubric_id)
    marks = {f"{MARK}{criterion.id}": str(criterion.levels[0].id) for criterion in rubric.criteria}
    return {**TEXTS, **marks, **changes}


def given(session: Session, task: Task, *, now: datetime, **changes: str) -> Entry:
    """Complete feedback that was given."""
    fields = complete_fields(session, task, **changes)
    service.save_draft(session, task, fields, {}, device="", now=now)
    return service.give(session, task, now=now)
