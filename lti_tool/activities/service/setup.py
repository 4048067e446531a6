"""Set up activities: drafts, changed settings, copies that begin again."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.activities import rules
from lti_tool.activities.errors import (
    ActivityChanged,
    ActivityInvalid,
    AnonymityPromised,
    RoundInUse,
    StepNotPossible,
)
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import ActivitySettings, ActivityState, RoundDates
from lti_tool.activities.service.completion import completion_changed
from lti_tool.activities.service.lookup import refuse_read_only, rounds_of, settings_in_force, settings_of
from lti_tool.jobs import queue
from lti_tool.launch.models import Course
from lti_tool.launch.service.arrivals import registration_of, tell_plans
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.models import Rubric
from lti_tool.rubrics.rules import RubricDraft
from lti_tool.support.crypto import new_secret
from lti_tool.support.db import across_institutions, served_institution

POINTS_CHANGED: Final = "grades.points_changed"


class Saved(StrEnum):
    """What a save did, in a word for the page."""

    SAVED = "saved"
    NEW_RUBRIC = "new-rubric"
    """People go on with the rubric they began with; later feedback uses the new version."""


@dataclass(frozen=True, slots=True)
class InUse:
    """What learners have done already, which later features know and this one asks about."""

    has_feedback: bool = False
    """Feedback refers to the rubric, so a change makes a new version of it."""
    rounds: int = 0
    """The highest round in which people have groups or have written; it and those before it stay."""


def create_draft(
    session: Session,
    course_id: int,
    settings: ActivitySettings,
    rubric: RubricDraft,
    *,
    by: int | None,
    now: datetime,
    placement_id: int | None = None,
    state: ActivityState = ActivityState.DRAFT,
) -> Activity:
    """A new activity with its own rubric, in nobody's hands yet. `by` is a person.

    Raises ActivityInvalid or RubricInvalid.
    """
    _refuse_flaws(settings, now)
    kept = rubrics.save_rubric(session, course_id, rubric, now=now)
    activity = Activity(
        key=new_secret(16),
        course_id=course_id,
        placement_id=placement_id,
        rubric_id=kept.id,
        state=state,
        created_by_id=by,
        created_at=now,
        changed_by_id=by,
        changed_at=now,
    )
    _write(activity, settings)
    session.add(activity)
    session.flush()
    _write_rounds(session, activity, settings.rounds, in_use=0)
    return activity


def update(
    session: Session,
    activity: Activity,
    settings: ActivitySettings,
    rubric: RubricDraft,
    *,
    expected_version: int,
    in_use: InUse,
    by: int,
    now: datetime,
    rubric_origin: tuple[int, int] | None = None,
) -> Saved:
    """Keep changed settings. `rubric_origin`: the rubric of a library that the rubric began with, and its version.

    Whatever may change somebody's completion is worked out again in the background.

    Raises ActivityChanged when somebody saved since `expected_version`, RoundInUse when a round that people work in
    would go, AnonymityPromised when names would be shown or hidden although somebody has written, ActivityReadOnly,
    ActivityInvalid or RubricInvalid.
    """
    session.refresh(activity, with_for_update=True)
    refuse_read_only(session, activity)
    if activity.version != expected_version:
        raise ActivityChanged(activity.id, activity.changed_by_id)
    before = settings_in_force(session, activity)
    _refuse_flaws(settings, now, before)
    if in_use.has_feedback and settings.anonymous_feedback != activity.anonymous_feedback:
        raise AnonymityPromised(activity.id)
    current = rubrics.rubric_of(session, activity.rubric_id)
    kept = rubrics.save_rubric(
        session,
        activity.course_id,
        rubric,
        now=now,
        current=current,
        # Once groups are published, somebody may have the page open on which they answer it.
        is_used=in_use.has_feedback or in_use.rounds > 0,
        origin=rubric_origin,
    )
    if activity.placement_id is not None and activity.score_maximum != settings.score_maximum:
        _tell_points(session, activity, now)
    _write(activity, settings)
    _write_rounds(session, activity, settings.rounds, in_use=in_use.rounds)
    activity.rubric_id = kept.id
    touch(session, activity, by=by, now=now)
    if before is not None and _weighs_differently(before, settings):
        tell(session, activity, now)
    return Saved.SAVED if kept.id == current.id else Saved.NEW_RUBRIC


def move_dates(
    session: Session,
    activity: Activity,
    rounds: tuple[RoundDates, ...],
    asks_first_on: date | None,
    *,
    by: int,
    now: datetime,
) -> None:
    """Give the rounds other dates, as many as there are, and the days of reflection another beginning.

    Raises ActivityReadOnly or ActivityInvalid.
    """
    session.refresh(activity, with_for_update=True)
    refuse_read_only(session, activity)
    before = settings_of(session, activity)
    days = before.reflection_days
    settings = replace(
        before,
        rounds=rounds,
        reflection_days=replace(days, first_on=asks_first_on) if days is not None and asks_first_on else days,
    )
    _refuse_flaws(settings, now, before)
    _write(activity, settings)
    _write_rounds(session, activity, rounds, in_use=len(before.rounds))
    touch(session, activity, by=by, now=now)
    if rules.why_not_ready(activity.state) is None:
        tell(session, activity, now)


def begin_again(
    session: Session, activity: Activity, settings: ActivitySettings, rubric: RubricDraft, *, by: int, now: datetime
) -> None:
    """Replace everything in a copy that nobody has opened yet.

    Raises StepNotPossible, ActivityInvalid or RubricInvalid.
    """
    session.refresh(activity, with_for_update=True)
    if activity.state != ActivityState.UNCONFIRMED:
        raise StepNotPossible(activity.state, "begin again")
    _refuse_flaws(settings, now)
    rubrics.save_rubric(
        session, activity.course_id, rubric, now=now, current=rubrics.rubric_of(session, activity.rubric_id)
    )
    _write(activity, settings)
    _write_rounds(session, activity, settings.rounds, in_use=0)
    touch(session, activity, by=by, now=now)


def purge_drafts(session: Session, *, now: datetime) -> int:
    """Delete what was set up and never opened from a course, of every institution. Returns how many.

    A draft goes after 30 days. One that was handed to a course stays 400: its link may be opened months later.
    """
    with across_institutions(session):
        old = session.execute(
            select(Activity.id, Activity.rubric_id).where(
                Activity.placement_id.is_(None),
                (Activity.changed_at < now - rules.OFFERED_KEPT)
                | ((Activity.state == ActivityState.DRAFT) & (Activity.changed_at < now - rules.DRAFTS_KEPT)),
            )
        ).all()
        if not old:
            return 0
        session.execute(
            delete(Activity)
            .where(Activity.id.in_([row.id for row in old]), Activity.placement_id.is_(None))
            .execution_options(synchronize_session=False)
        )
        session.execute(
            delete(Rubric)
            .where(
                Rubric.id.in_([row.rubric_id for row in old]),
                ~select(Activity.id).where(Activity.rubric_id == Rubric.id).exists(),
            )
            .execution_options(synchronize_session=False)
        )
    return len(old)


def _write(activity: Activity, settings: ActivitySettings) -> None:
    activity.kind = settings.kind
    activity.title = settings.title
    activity.instructions = settings.instructions
    activity.time_zone = settings.time_zone
    activity.completion = settings.completion.to_json()
    activity.score_mode = settings.score_mode
    activity.score_maximum = settings.score_maximum
    activity.points_share = settings.points_share
    activity.zero_at_close = settings.zero_at_close
    activity.release = settings.release
    activity.staff_read_feedback = settings.staff_read_feedback
    activity.anonymous_feedback = settings.anonymous_feedback
    activity.shows_hints = settings.shows_hints
    activity.letters_a_week = settings.letters_a_week
    activity.feedback_to = settings.feedback_to
    activity.guided_rounds = settings.guided_rounds
    activity.assistants_moderate = settings.assistants_moderate
    activity.scenario = settings.scenario.to_json() if settings.scenario is not None else None
    activity.finds_partners = settings.finds_partners
    activity.reflection_days = settings.reflection_days.to_json() if settings.reflection_days is not None else None
    activity.certificate = settings.certificate.to_json() if settings.certificate is not None else None
    activity.survey = list(settings.survey) if settings.survey is not None else None
    activity.language = settings.language


def _write_rounds(session: Session, activity: Activity, wanted: tuple[RoundDates, ...], *, in_use: int) -> None:
    rows = {row.number: row for row in rounds_of(session, activity.id)}
    for number, dates in enumerate(wanted, start=1):
        row = rows.pop(number, None)
        if row is None:
            session.add(Round(activity_id=activity.id, number=number, opens_at=dates.opens_at, due_at=dates.due_at))
        else:
            row.opens_at, row.due_at = dates.opens_at, dates.due_at
    for number, row in rows.items():
        if number <= in_use:
            raise RoundInUse(activity.id, number)
        session.delete(row)
    session.flush()


def _weighs_differently(before: ActivitySettings, after: ActivitySettings) -> bool:
    """Whether somebody's completion or score may differ under the new settings."""
    return any(
        getattr(before, name) != getattr(after, name)
        for name in (
            "completion",
            "rounds",
            "feedback_to",
            "score_mode",
            "score_maximum",
            "points_share",
            "zero_at_close",
        )
    )


def touch(session: Session, activity: Activity, *, by: int, now: datetime) -> None:
    """Note who changed it last."""
    activity.changed_by_id, activity.changed_at = by, now
    session.flush()


def tell(session: Session, activity: Activity, now: datetime) -> None:
    """Have everybody's completion, and the plans of the course, follow a change."""
    completion_changed(session, activity.id, now=now)
    # A plan that learners see follows the rounds as it follows the roster.
    tell_plans(session, activity.course_id, now=now)


def _tell_points(session: Session, activity: Activity, now: datetime) -> None:
    """Have the column in the gradebook go to the activity's new points."""
    queue.enqueue(
        session,
        POINTS_CHANGED,
        {"activity_id": activity.id},
        institution_id=served_institution(session),
        now=now,
        unique_key=f"{POINTS_CHANGED}:{activity.id}",
        calls=registration_of(session, session.get_one(Course, activity.course_id)),
    )


def _refuse_flaws(settings: ActivitySettings, now: datetime, before: ActivitySettings | None = None) -> None:
    problems = rules.check(settings, now=now, before=before)
    if problems:
        raise ActivityInvalid(tuple(problem.flaw for problem in problems))
