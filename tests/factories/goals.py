"""Goals, actions, wins and resources of people in a classroom."""

from typing import Any

from sqlalchemy.orm import Session

from lti_tool.goals import service
from lti_tool.goals.models import Action, Goal, Resource, Win
from lti_tool.goals.service import Place
from tests.factories.feedback import Classroom
from tests.fakes.clock import FakeClock

GOAL = {
    "goal_area": "communication",
    "goal_words": "I ask three open questions in every team meeting",
    "goal_measure": "I count them in my notes",
    "goal_start": "1",
    "goal_target": "3",
    "goal_target_on": "2026-12-02",
}


def place(session: Session, room: Classroom, who: str, clock: FakeClock, group_id: int | None = None) -> Place:
    """Where this member works now."""
    return service.place_of(session, room.activity, room.members[who].id, now=clock.now(), group_id=group_id)


def a_goal(session: Session, room: Classroom, who: str, clock: FakeClock, **sent: str) -> Goal:
    return service.set_goal(session, place(session, room, who, clock), {**GOAL, **sent}, now=clock.now())


def an_action(session: Session, room: Classroom, who: str, clock: FakeClock, words: str = "Ask first") -> Action:
    sent = {"action_words": words, "action_due_on": "2026-11-20", "action_sign": "She answers"}
    return service.write_action(session, place(session, room, who, clock), sent, now=clock.now())


def a_win(session: Session, room: Classroom, who: str, clock: FakeClock, text: str = "Everybody spoke") -> Win:
    return service.log_win(session, place(session, room, who, clock), {"win_text": text}, now=clock.now())


def a_resource(
    session: Session, room: Classroom, who: str, clock: FakeClock, *, for_course: bool = False, **sent: Any
) -> Resource:
    fields = {"resource_title": "A book", "resource_address": "https://example.org", "resource_use": "Daily", **sent}
    where = place(session, room, who, clock)
    return service.put_on_shelf(session, where, fields, for_course=for_course, now=clock.now())
