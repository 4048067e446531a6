"""Set up activities, keep them, and move them through their life."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy import update as change
from sqlalchemy.orm import Session

from lti_tool.activities import rules
from lti_tool.activities.errors import (
    ActivityChanged,
    ActivityInvalid,
    ActivityReadOnly,
    ActivityUnknown,
    RoundInUse,
    StepNotPossible,
)
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import (
    ActivitySettings,
    ActivityState,
    Completion,
    Release,
    RoundDates,
    ScoreMode,
    Step,
    state_after,
)
from lti_tool.jobs import queue
from lti_tool.launch.models import Course, Placement
from lti_tool.launch.service.arrivals import registration_of, tell_plans
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.models import Rubric
from lti_tool.rubrics.rules import RubricDraft
from lti_tool.support.crypto import new_secret
from lti_tool.support.db import across_institutions, served_institution

PROGRESS_CHANGED = "progress.changed"
"""The job that works out one member's completion."""
SETTINGS_CHANGED = "activities.settings_changed"
"""The job that works out everybody's."""
FEW = 100
"""Up to so many people are named in jobs of their own; beyond, one job looks at everybody."""
POINTS_CHANGED = "grades.points_changed"


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
) -> Saved:
    """Keep changed settings. Whatever may change somebody's completion is worked out again in the background.

    Raises ActivityChanged when somebody saved since `expected_version`, RoundInUse when a round that people work in
    would go, ActivityReadOnly, ActivityInvalid or RubricInvalid.
    """
    session.refresh(activity, with_for_update=True)
    refuse_read_only(session, activity)
    if activity.version != expected_version:
        raise ActivityChanged(activity.id, activity.changed_by_id)
    before = settings_in_force(session, activity)
    _refuse_flaws(settings, now, before)
    current = rubrics.rubric_of(session, activity.rubric_id)
    kept = rubrics.save_rubric(
        session, activity.course_id, rubric, now=now, current=current, is_used=in_use.has_feedback
    )
    if activity.placement_id is not None and activity.score_maximum != settings.score_maximum:
        _tell_points(session, activity, now)
    _write(activity, settings)
    _write_rounds(session, activity, settings.rounds, in_use=in_use.rounds)
    activity.rubric_id = kept.id
    _touch(session, activity, by=by, now=now)
    if before is not None and _weighs_differently(before, settings):
        _tell(session, activity, now)
    return Saved.SAVED if kept.id == current.id else Saved.NEW_RUBRIC


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
    _touch(session, activity, by=by, now=now)


def confirm(session: Session, activity: Activity, *, by: int, now: datetime) -> None:
    """Let learners in: a draft is ready, a copy has been looked at. Raises StepNotPossible or ActivityReadOnly."""
    _refuse_ended(session, activity)
    _take(session, activity, Step.CONFIRM, by=by, now=now)


def close(session: Session, activity: Activity, *, by: int, now: datetime) -> None:
    """End it: everything can be read, nothing changed, and a zero goes out where the designer chose that."""
    _take(session, activity, Step.CLOSE, by=by, now=now)
    _tell(session, activity, now)
    # What the close let people read stays readable, also if it is opened again in a moment.
    queue.enqueue(session, "feedback.release", {}, institution_id=None, now=now, unique_key="feedback.release:close")


def reopen(session: Session, activity: Activity, *, by: int, now: datetime) -> None:
    """Undo a close. Raises StepNotPossible or ActivityReadOnly."""
    _refuse_ended(session, activity)
    _take(session, activity, Step.REOPEN, by=by, now=now)
    _tell(session, activity, now)


def activity_of(session: Session, placement_id: int | None) -> Activity | None:
    """The activity that stands at this placement, if one does."""
    if placement_id is None:
        return None
    return session.scalar(select(Activity).where(Activity.placement_id == placement_id))


def activity_at(session: Session, placement_id: int | None) -> Activity:
    """The activity that stands at this placement. Raises ActivityUnknown where none does."""
    activity = activity_of(session, placement_id)
    if activity is None:
        raise ActivityUnknown(placement_id)
    return activity


def activity_for_key(session: Session, key: str) -> Activity | None:
    """The activity that a link with this key means, in the session's institution. Never another institution's.

    That is the one with the key, or else the first placed one that was kept where the link named another.
    """
    named = session.scalar(select(Activity).where(Activity.key == key))
    if named is not None:
        return named
    kept = select(Activity).where(Activity.origin_key == key, Activity.placement_id.is_not(None))
    return session.scalars(kept.order_by(Activity.id).limit(1)).first()


def draft_for_key(session: Session, course_id: int, key: str) -> Activity:
    """An activity of this course that stands nowhere yet. Raises ActivityUnknown."""
    activity = activity_for_key(session, key)
    if activity is None or activity.course_id != course_id or activity.placement_id is not None:
        raise ActivityUnknown(key)
    return activity


def open_drafts(session: Session, course_id: int) -> list[Activity]:
    """Activities of this course that somebody began and nobody placed, newest first."""
    return list(
        session.scalars(
            select(Activity)
            .where(
                Activity.course_id == course_id,
                Activity.placement_id.is_(None),
                Activity.state == ActivityState.DRAFT,
            )
            .order_by(Activity.changed_at.desc())
            .limit(5)
        )
    )


def activities_of_course(session: Session, course_id: int) -> list[Activity]:
    """Every activity of a course that was placed, oldest first, those included whose link is gone."""
    return list(
        session.scalars(
            select(Activity)
            .where(Activity.course_id == course_id, Activity.placement_id.is_not(None))
            .order_by(Activity.created_at, Activity.id)
        )
    )


def open_activities(session: Session, course_id: int) -> list[Activity]:
    """Every activity of a course whose link is there, oldest first."""
    return list(
        session.scalars(
            select(Activity)
            .join(Placement, Placement.id == Activity.placement_id)
            .where(Activity.course_id == course_id, Placement.gone_at.is_(None))
            .order_by(Activity.created_at, Activity.id)
        )
    )


def rounds_of(session: Session, activity_id: int) -> list[Round]:
    """The rounds of an activity in order."""
    return list(session.scalars(select(Round).where(Round.activity_id == activity_id).order_by(Round.number)))


def settings_of(session: Session, activity: Activity) -> ActivitySettings:
    """Everything that a designer decided about this activity, except its rubric."""
    return ActivitySettings(
        kind=activity.kind,
        title=activity.title,
        instructions=activity.instructions,
        time_zone=activity.time_zone,
        rounds=tuple(RoundDates(row.opens_at, row.due_at) for row in rounds_of(session, activity.id)),
        completion=Completion.from_json(activity.completion),
        score_mode=ScoreMode(activity.score_mode),
        score_maximum=activity.score_maximum,
        zero_at_close=activity.zero_at_close,
        release=Release(activity.release),
        staff_read_feedback=activity.staff_read_feedback,
    )


def settings_in_force(session: Session, activity: Activity) -> ActivitySettings | None:
    """The settings that learners work under; None while they cannot come in."""
    return settings_of(session, activity) if rules.why_not_ready(activity.state) is None else None


def rubric_draft_of(session: Session, activity: Activity) -> RubricDraft:
    """The rubric of an activity as plain values."""
    return rubrics.draft_of(rubrics.rubric_of(session, activity.rubric_id))


def last_time_zone(session: Session) -> str | None:
    """The zone that the institution's designers chose last."""
    return session.scalar(select(Activity.time_zone).order_by(Activity.changed_at.desc(), Activity.id.desc()).limit(1))


def refuse_read_only(session: Session, activity: Activity) -> None:
    """Raise ActivityReadOnly where the activity is closed or its course is over."""
    if is_read_only(session, activity):
        raise ActivityReadOnly(activity.id)


def is_read_only(session: Session, activity: Activity) -> bool:
    """Whether the activity is closed or its course is over."""
    return activity.state == ActivityState.CLOSED or _has_ended(session, activity)


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


def archive(session: Session, placement_id: int, *, now: datetime) -> None:
    """Remember that the link is gone from its course. What was written stays; a launch brings the placement back."""
    session.execute(
        change(Placement).where(Placement.id == placement_id, Placement.gone_at.is_(None)).values(gone_at=now)
    )


def _write(activity: Activity, settings: ActivitySettings) -> None:
    activity.kind = settings.kind
    activity.title = settings.title
    activity.instructions = settings.instructions
    activity.time_zone = settings.time_zone
    activity.completion = settings.completion.to_json()
    activity.score_mode = settings.score_mode
    activity.score_maximum = settings.score_maximum
    activity.zero_at_close = settings.zero_at_close
    activity.release = settings.release
    activity.staff_read_feedback = settings.staff_read_feedback


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
        for name in ("completion", "rounds", "score_mode", "score_maximum", "zero_at_close")
    )


def _take(session: Session, activity: Activity, step: Step, *, by: int, now: datetime) -> None:
    session.refresh(activity, with_for_update=True)
    activity.state = state_after(activity.state, step)
    activity.closed_at = (activity.closed_at or now) if activity.state == ActivityState.CLOSED else None
    _touch(session, activity, by=by, now=now)


def completion_changed(
    session: Session,
    activity_id: int,
    members: Collection[int] | None = None,
    *,
    now: datetime,
    institution_id: int | None = None,
) -> None:
    """Have the completion of these members, or of everybody, worked out again once this transaction is committed.

    `institution_id` is for sessions that serve several.
    """
    if members is None or len(members) > FEW:
        _look_at_everybody(session, activity_id, now=now)
        return
    queue.enqueue_all(
        session,
        PROGRESS_CHANGED,
        {
            f"{PROGRESS_CHANGED}:{activity_id}:{member_id}": {"activity_id": activity_id, "member_id": member_id}
            for member_id in sorted(members)
        },
        institution_id=institution_id or served_institution(session),
        now=now,
    )


def completion_changes_at(session: Session, activity_id: int, moment: datetime, *, now: datetime) -> None:
    """Have everybody's completion worked out again just after this moment, or sooner if that was asked for before."""
    _look_at_everybody(session, activity_id, now=now, due_at=moment + timedelta(seconds=1))


def _look_at_everybody(session: Session, activity_id: int, *, now: datetime, due_at: datetime | None = None) -> None:
    queue.enqueue(
        session,
        SETTINGS_CHANGED,
        {"activity_id": activity_id},
        institution_id=served_institution(session),
        now=now,
        due_at=due_at,
        unique_key=f"{SETTINGS_CHANGED}:{activity_id}{'' if due_at is None else ':later'}",
    )


def _touch(session: Session, activity: Activity, *, by: int, now: datetime) -> None:
    activity.changed_by_id, activity.changed_at = by, now
    session.flush()


def _tell(session: Session, activity: Activity, now: datetime) -> None:
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


def _refuse_ended(session: Session, activity: Activity) -> None:
    if _has_ended(session, activity):
        raise ActivityReadOnly(activity.id)


def _has_ended(session: Session, activity: Activity) -> bool:
    return session.get_one(Course, activity.course_id).ended_at is not None
