"""What a launched link finds: its activity, or a copy of the activity that the link was copied from."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy import update as change
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.activities import rules
from lti_tool.activities.models import Activity
from lti_tool.activities.rules import ActivityState, Relative
from lti_tool.activities.service import lookup, setup
from lti_tool.launch.models import Course, Placement
from lti_tool.launch.rules.context import LaunchContext
from lti_tool.launch.service.notices import origin_contexts
from lti_tool.rubrics.models import Rubric
from lti_tool.web.visits import Visit


def after_launch(session: Session, visit: Visit, context: LaunchContext, now: datetime) -> None:
    """Give the placement that was launched its activity, in the launch's transaction.

    Three cases: an activity of this course that stands nowhere yet lands here; one that stands elsewhere was copied
    with its link, so this placement gets a copy of its settings that waits for an instructor's look; a link without a
    key, or with one that this institution does not know, gets nothing and is offered to an instructor to set up.
    """
    if visit.placement_id is None or visit.course_id is None:
        return
    placement = session.get_one(Placement, visit.placement_id)
    if placement.gone_at is not None:
        placement.gone_at = None
    key = context.custom.get("activity")
    if not key or lookup.activity_of(session, placement.id) is not None:
        return
    named = lookup.activity_for_key(session, key)
    if named is None:
        return
    if named.course_id == visit.course_id and _land(session, named, placement):
        return
    source = (_sources(session, named, key, placement, context.custom) or [named])[0]
    try:
        with session.begin_nested():
            _copy(session, source, placement, origin_key=key, now=now)
    except IntegrityError:
        # Somebody else's launch of the same new link was quicker; its copy stands here now.
        pass


def possible_sources(session: Session, copy: Activity, custom: Mapping[str, str]) -> list[Activity]:
    """What an unconfirmed copy may be a copy of, where more than one activity comes into question.

    `custom`: the custom parameters of a launch of its link.
    """
    if copy.state != ActivityState.UNCONFIRMED or copy.placement_id is None or copy.origin_key is None:
        return []
    named = lookup.activity_for_key(session, copy.origin_key)
    if named is None:
        return []
    placement = session.get_one(Placement, copy.placement_id)
    sources = _sources(session, named, copy.origin_key, placement, custom, own_id=copy.id)
    return sources if len(sources) > 1 else []


def copy_again(session: Session, copy: Activity, source: Activity, *, by: int, now: datetime) -> None:
    """Let an unconfirmed copy begin anew as a copy of another activity. Raises StepNotPossible."""
    settings = rules.copy_of(lookup.settings_of(session, source), now=now)
    setup.begin_again(session, copy, settings, lookup.rubric_draft_of(session, source), by=by, now=now)
    copy.copied_from_id = source.id
    _began_alike(session, copy, source)


def copy_to(
    session: Session, source: Activity, course_id: int, settings: rules.ActivitySettings, *, by: int, now: datetime
) -> Activity:
    """A copy with these settings for a course, at no link yet; it waits for an instructor's look. `by` is a person.

    Raises ActivityInvalid or RubricInvalid.
    """
    rubric = lookup.rubric_draft_of(session, source)
    copy = setup.create_draft(session, course_id, settings, rubric, by=by, now=now, state=ActivityState.UNCONFIRMED)
    copy.copied_from_id = source.id
    _began_alike(session, copy, source)
    session.flush()
    return copy


def land(session: Session, activity: Activity, placement: Placement) -> bool:
    """Put an activity that stands nowhere at a link without one. False where another came first."""
    return lookup.activity_of(session, placement.id) is None and _land(session, activity, placement)


def _land(session: Session, activity: Activity, placement: Placement) -> bool:
    """Put an activity that stands nowhere at this placement. False when it stands elsewhere, also since just now."""
    landed = session.execute(
        change(Activity)
        .where(Activity.id == activity.id, Activity.placement_id.is_(None))
        .values(placement_id=placement.id)
        .execution_options(synchronize_session=False)
    )
    session.refresh(activity)
    return bool(getattr(landed, "rowcount", 0)) or activity.placement_id == placement.id


def _sources(
    session: Session,
    named: Activity,
    key: str,
    placement: Placement,
    custom: Mapping[str, str],
    *,
    own_id: int | None = None,
) -> list[Activity]:
    """The activities that a copied link with this key may have been copied from, the likeliest first.

    Only `named`, which the key means, and those that came from it are looked at. The history could be typed by hand;
    the key could not.
    """
    keys = {named.key, key}
    family = [
        Relative(
            activity.id,
            activity.course_id,
            link_id=other.resource_link_id,
            context_id=course.context_id,
            link_title=other.title or "",
            title=activity.title,
        )
        for activity, other, course in session.execute(
            select(Activity, Placement, Course)
            .join(Placement, Placement.id == Activity.placement_id)
            .join(Course, Course.id == Activity.course_id)
            .where(Activity.origin_key.in_(keys) | (Activity.id == named.id), Activity.id != (own_id or 0))
            .order_by(Activity.id)
        )
    ]
    source_ids = rules.likely_sources(
        family,
        course_id=placement.course_id,
        home_id=named.course_id,
        links=rules.history(custom.get("resource_link_id_history")),
        contexts=[
            *rules.history(custom.get("context_id_history")),
            *origin_contexts(session, session.get_one(Course, placement.course_id)),
        ],
        title=placement.title,
    )
    return [session.get_one(Activity, id_) for id_ in source_ids]


def _copy(session: Session, source: Activity, placement: Placement, *, origin_key: str, now: datetime) -> Activity:
    copy = setup.create_draft(
        session,
        placement.course_id,
        rules.copy_of(lookup.settings_of(session, source), now=now),
        lookup.rubric_draft_of(session, source),
        by=None,
        now=now,
        placement_id=placement.id,
        state=ActivityState.UNCONFIRMED,
    )
    copy.copied_from_id, copy.origin_key = source.id, origin_key
    _began_alike(session, copy, source)
    session.flush()
    return copy


def _began_alike(session: Session, copy: Activity, source: Activity) -> None:
    """Let a copy know the saved template of its source, and that of its source's rubric."""
    copy.saved_template_id, copy.saved_template_version = source.saved_template_id, source.saved_template_version
    own_rubric, source_rubric = (session.get_one(Rubric, activity.rubric_id) for activity in (copy, source))
    own_rubric.saved_template_id, own_rubric.saved_template_version = (
        source_rubric.saved_template_id,
        source_rubric.saved_template_version,
    )
