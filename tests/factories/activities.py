"""Activities with explicit values."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from lti_tool.activities import service
from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivitySettings, ActivityState, Completion
from lti_tool.activities.rules.templates import OBSERVATION_AND_FEEDBACK
from lti_tool.launch.models import Course, Placement
from lti_tool.rubrics.rules import RubricDraft


def as_written(text: str) -> str:
    return text


def observation_settings(now: datetime, **values: Any) -> ActivitySettings:
    """The template's settings in English, in Stockholm, with changes. Unless they say so, observers get no feedback."""
    usual = OBSERVATION_AND_FEEDBACK.settings(as_written, now=now, time_zone="Europe/Stockholm")
    one_way = Completion({**usual.completion.asked, "observer_feedback": 0})
    return replace(usual, **{"completion": one_way, **values})


def observation_rubric() -> RubricDraft:
    """The template's rubric in English."""
    return OBSERVATION_AND_FEEDBACK.rubric(as_written)


def an_activity(
    session: Session,
    course: Course,
    placement: Placement | None,
    *,
    now: datetime,
    state: ActivityState = ActivityState.READY,
    rubric: RubricDraft | None = None,
    **values: Any,
) -> Activity:
    """An activity from the template that stands at this placement, ready for learners unless said otherwise."""
    return service.create_draft(
        session,
        course.id,
        observation_settings(now, **values),
        rubric or observation_rubric(),
        by=None,
        now=now,
        placement_id=placement.id if placement is not None else None,
        state=state,
    )
