"""Activities as they are kept: by placement, key or course, with their settings."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.errors import ActivityReadOnly, ActivityUnknown
from lti_tool.activities.kinds import kind_of
from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import (
    ActivitySettings,
    ActivityState,
    CertificateTerms,
    Completion,
    ReflectionDays,
    Release,
    RoundDates,
    ScoreMode,
    To,
    scenario_of,
    why_not_ready,
)
from lti_tool.launch.models import Course, Placement
from lti_tool.rubrics import service as rubrics
from lti_tool.rubrics.rules import RubricDraft


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
        completion=Completion.from_json(activity.completion, kind_of(activity.kind)),
        score_mode=ScoreMode(activity.score_mode),
        score_maximum=activity.score_maximum,
        points_share=activity.points_share,
        zero_at_close=activity.zero_at_close,
        release=Release(activity.release),
        staff_read_feedback=activity.staff_read_feedback,
        anonymous_feedback=activity.anonymous_feedback,
        shows_hints=activity.shows_hints,
        letters_a_week=activity.letters_a_week,
        feedback_to=To(activity.feedback_to) if activity.feedback_to is not None else None,
        guided_rounds=activity.guided_rounds,
        assistants_moderate=activity.assistants_moderate,
        scenario=scenario_of(activity),
        finds_partners=activity.finds_partners,
        reflection_days=ReflectionDays.from_json(activity.reflection_days),
        certificate=CertificateTerms.from_json(activity.certificate),
        survey=tuple(activity.survey) if activity.survey is not None else None,
        language=activity.language,
    )


def settings_in_force(session: Session, activity: Activity) -> ActivitySettings | None:
    """The settings that learners work under; None while they cannot come in."""
    return settings_of(session, activity) if why_not_ready(activity.state) is None else None


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
    return activity.state == ActivityState.CLOSED or is_course_over(session, activity)


def is_course_over(session: Session, activity: Activity) -> bool:
    """Whether the activity's course has ended."""
    return session.get_one(Course, activity.course_id).ended_at is not None
