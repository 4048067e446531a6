"""Templates that designers save for their course or for the institution."""

from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy import update as change
from sqlalchemy.orm import Session

from lti_tool.activities import rules
from lti_tool.activities.errors import TemplateChanged, TemplateUnknown
from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules.saved import TemplateContent, rubric_from, taken_over
from lti_tool.activities.service.lookup import settings_of
from lti_tool.activities.service.setup import InUse, Saved, update


def templates_for(session: Session, course_id: int, *, are_withdrawn: bool = False) -> list[SavedTemplate]:
    """The templates that designers of this course may begin with, newest first; or those that were withdrawn.

    One of a kind that this version does not have is not among them.
    """
    withdrawn = SavedTemplate.withdrawn_at.is_not(None)
    rows = session.scalars(
        select(SavedTemplate)
        .where(_is_for(course_id), withdrawn if are_withdrawn else ~withdrawn)
        .order_by(SavedTemplate.saved_at.desc(), SavedTemplate.id.desc())
    )
    return [row for row in rows if row.settings["kind"] in rules.KINDS]


def template_for(session: Session, course_id: int, template_id: int) -> SavedTemplate:
    """A template that designers of this course see, withdrawn or not. Raises TemplateUnknown."""
    found = session.scalar(select(SavedTemplate).where(_is_for(course_id), SavedTemplate.id == template_id))
    if found is None:
        raise TemplateUnknown(template_id)
    return found


def template_named(session: Session, course_id: int, typed: str) -> SavedTemplate:
    """The template that is offered and whose id a form says, in whatever form it says it. Raises TemplateUnknown."""
    found = next((one for one in templates_for(session, course_id) if str(one.id) == typed), None)
    if found is None:
        raise TemplateUnknown(typed)
    return found


def save_template(
    session: Session,
    activity: Activity,
    content: TemplateContent,
    *,
    title: str,
    is_for_institution: bool,
    by: int,
    now: datetime,
) -> SavedTemplate:
    """A new template with what this activity is now. The activity counts as begun with it."""
    template = SavedTemplate(
        course_id=None if is_for_institution else activity.course_id, title=title, version=0, saved_by_id=by
    )
    _write(template, content, by=by, now=now)
    session.add(template)
    session.flush()
    began_with(session, activity, template)
    return template


def save_version(
    session: Session,
    activity: Activity,
    template: SavedTemplate,
    content: TemplateContent,
    *,
    expected_version: int,
    by: int,
    now: datetime,
) -> None:
    """A new version of a template. Activities that began with an earlier one stay as they are and are offered this one.

    Raises TemplateChanged when somebody saved a version since `expected_version`.
    """
    session.refresh(template, with_for_update=True)
    if template.version != expected_version:
        raise TemplateChanged(template.id)
    _write(template, content, by=by, now=now)
    session.flush()
    began_with(session, activity, template)


def rename_template(session: Session, template: SavedTemplate, title: str) -> None:
    """Call a template otherwise. Titles of activities stay."""
    template.title = title
    session.flush()


def withdraw_template(session: Session, template: SavedTemplate, *, now: datetime) -> None:
    """Offer a template no longer. Activities that began with it stay as they are."""
    template.withdrawn_at = template.withdrawn_at or now
    session.flush()


def restore_template(session: Session, template: SavedTemplate) -> None:
    """Offer a withdrawn template again."""
    template.withdrawn_at = None
    session.flush()


def began_with(session: Session, activity: Activity, template: SavedTemplate) -> None:
    """Remember with which version of a template an activity began. Pages of the activity that are open stay current."""
    session.execute(
        change(Activity)
        .where(Activity.id == activity.id)
        .values(saved_template_id=template.id, saved_template_version=template.version)
        .execution_options(synchronize_session=False)
    )
    session.refresh(activity)


def template_of(session: Session, activity: Activity) -> SavedTemplate | None:
    """The saved template that an activity began with, as far as designers of its course see it."""
    if activity.saved_template_id is None:
        return None
    found = session.scalar(
        select(SavedTemplate).where(
            _is_for(activity.course_id),
            SavedTemplate.id == activity.saved_template_id,
            SavedTemplate.withdrawn_at.is_(None),
        )
    )
    return found if found is not None and found.settings["kind"] == activity.kind else None


def newer_template(session: Session, activity: Activity) -> SavedTemplate | None:
    """The template that an activity began with, where it has a newer version."""
    template = template_of(session, activity)
    return template if template is not None and template.version > (activity.saved_template_version or 0) else None


def take_over(
    session: Session,
    activity: Activity,
    template: SavedTemplate,
    *,
    expected_version: int,
    in_use: InUse,
    by: int,
    now: datetime,
) -> Saved:
    """Bring an activity to the newest version of its template; rounds and dates stay.

    Raises what `update` raises.
    """
    saved = update(
        session,
        activity,
        taken_over(settings_of(session, activity), template.settings, now=now),
        rubric_from(template.rubric),
        expected_version=expected_version,
        in_use=in_use,
        by=by,
        now=now,
    )
    began_with(session, activity, template)
    session.flush()
    return saved


def _write(template: SavedTemplate, content: TemplateContent, *, by: int, now: datetime) -> None:
    template.version += 1
    template.settings, template.rubric = dict(content.settings), dict(content.rubric)
    template.preferences = dict(content.preferences)
    template.saved_by_id, template.saved_at = by, now


def _is_for(course_id: int) -> ColumnElement[bool]:
    return or_(SavedTemplate.course_id.is_(None), SavedTemplate.course_id == course_id)
