"""Templates that designers save for their course or for the institution."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy import update as change
from sqlalchemy.orm import Session

from lti_tool.activities import rules
from lti_tool.activities.errors import TemplateChanged, TemplateUnknown
from lti_tool.activities.models import Activity, SavedTemplate
from lti_tool.activities.rules.saved import TemplateContent, rubric_content, rubric_from, taken_over
from lti_tool.activities.service.lookup import settings_of
from lti_tool.activities.service.setup import InUse, Saved, update
from lti_tool.rubrics.models import Rubric
from lti_tool.rubrics.rules import RubricDraft

ACTIVITY: Final = "activity"
RUBRIC: Final = "rubric"


def templates_for(
    session: Session, course_id: int, *, holds: str = ACTIVITY, are_withdrawn: bool = False
) -> list[SavedTemplate]:
    """The templates that designers of this course may begin with, newest first; or those that were withdrawn.

    One of a kind that this version does not have is not among them. `holds` is ACTIVITY, or RUBRIC for the library of
    rubrics.
    """
    withdrawn = SavedTemplate.withdrawn_at.is_not(None)
    rows = session.scalars(
        select(SavedTemplate)
        .where(_is_for(course_id), SavedTemplate.holds == holds, withdrawn if are_withdrawn else ~withdrawn)
        .order_by(SavedTemplate.saved_at.desc(), SavedTemplate.id.desc())
    )
    return [row for row in rows if holds == RUBRIC or row.settings["kind"] in rules.KINDS]


def template_for(session: Session, course_id: int, template_id: int) -> SavedTemplate:
    """A template that designers of this course see, withdrawn or not. Raises TemplateUnknown."""
    template = session.scalar(select(SavedTemplate).where(_is_for(course_id), SavedTemplate.id == template_id))
    if template is None:
        raise TemplateUnknown(template_id)
    return template


def template_named(session: Session, course_id: int, typed: str, *, holds: str = ACTIVITY) -> SavedTemplate:
    """The template that is offered and whose id a form says, in whatever form it says it. Raises TemplateUnknown."""
    template = next((one for one in templates_for(session, course_id, holds=holds) if str(one.id) == typed), None)
    if template is None:
        raise TemplateUnknown(typed)
    return template


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
    _save_version(session, template, content, expected_version=expected_version, by=by, now=now)
    began_with(session, activity, template)


def save_rubric(
    session: Session,
    course_id: int,
    rubric: RubricDraft,
    *,
    title: str,
    is_for_institution: bool,
    by: int,
    now: datetime,
) -> SavedTemplate:
    """A new rubric in the library of a course, or of the institution."""
    template = SavedTemplate(
        holds=RUBRIC, course_id=None if is_for_institution else course_id, title=title, version=0, saved_by_id=by
    )
    _write(template, rubric_content(rubric), by=by, now=now)
    session.add(template)
    session.flush()
    return template


def save_rubric_version(
    session: Session, template: SavedTemplate, rubric: RubricDraft, *, expected_version: int, by: int, now: datetime
) -> None:
    """A new version of a rubric in a library. What was begun with an earlier one stays as it is.

    Raises TemplateChanged when somebody saved a version since `expected_version`.
    """
    _save_version(session, template, rubric_content(rubric), expected_version=expected_version, by=by, now=now)


@dataclass(frozen=True, slots=True)
class Use:
    """An activity whose rubric began with one of a library."""

    title: str
    course_id: int
    version: int


def uses_of(session: Session, template_ids: Iterable[int]) -> dict[int, list[Use]]:
    """Where the rubrics of a library are used now, by template."""
    rows = session.execute(
        select(Rubric.saved_template_id, Activity.title, Activity.course_id, Rubric.saved_template_version)
        .join(Activity, Activity.rubric_id == Rubric.id)
        .where(Rubric.saved_template_id.in_(list(template_ids)))
        .order_by(Activity.title, Activity.id)
    )
    uses: dict[int, list[Use]] = {}
    for template_id, title, course_id, version in rows:
        uses.setdefault(template_id or 0, []).append(Use(title, course_id, version or 0))
    return uses


def _save_version(
    session: Session,
    template: SavedTemplate,
    content: TemplateContent,
    *,
    expected_version: int,
    by: int,
    now: datetime,
) -> None:
    session.refresh(template, with_for_update=True)
    if template.version != expected_version:
        raise TemplateChanged(template.id)
    _write(template, content, by=by, now=now)
    session.flush()


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
    template = session.scalar(
        select(SavedTemplate).where(
            _is_for(activity.course_id),
            SavedTemplate.id == activity.saved_template_id,
            SavedTemplate.withdrawn_at.is_(None),
        )
    )
    return template if template is not None and template.settings["kind"] == activity.kind else None


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
