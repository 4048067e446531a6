"""Store rubrics, and never change one that feedback refers to."""

from dataclasses import asdict
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from lti_tool.errors import NotFound
from lti_tool.rubrics import rules
from lti_tool.rubrics.errors import RubricInvalid
from lti_tool.rubrics.models import Criterion, Level, Rubric
from lti_tool.rubrics.rules import (
    Asked,
    Comment,
    CriterionDraft,
    LevelDraft,
    Options,
    Question,
    RubricDraft,
)

_OPTIONS: Final = TypeAdapter(Options)


def save_rubric(
    session: Session,
    course_id: int,
    draft: RubricDraft,
    *,
    now: datetime,
    current: Rubric | None = None,
    is_used: bool = False,
    origin: tuple[int, int] | None = None,
) -> Rubric:
    """Keep this rubric and return it. `origin`: the saved template that it began with, and in which version.

    With `current`: an unchanged rubric is returned as it is; one that people may be writing with (`is_used`) stays as
    it was and the change becomes a new version; any other is changed in place. Raises RubricInvalid.
    """
    problems = rules.check(draft)
    if problems:
        raise RubricInvalid(tuple(problem.flaw for problem in problems))
    saved_id, saved_version = origin or (None, None)
    if current is not None and draft_of(current) == draft:
        current.saved_template_id, current.saved_template_version = saved_id, saved_version
        return current
    if current is None or is_used:
        rubric = Rubric(
            course_id=course_id,
            title=draft.title,
            created_at=now,
            version=1 if current is None else current.version + 1,
            replaces_id=current.id if current is not None else None,
        )
        session.add(rubric)
    else:
        rubric = current
        rubric.title = draft.title
        rubric.criteria.clear()
        # Old rows must be gone before new ones take their places, or the unique positions collide.
        session.flush()
    rubric.saved_template_id, rubric.saved_template_version = saved_id, saved_version
    rubric.criteria.extend(_criterion(place, criterion) for place, criterion in enumerate(draft.criteria, start=1))
    session.flush()
    return rubric


def rubric_of(session: Session, rubric_id: int) -> Rubric:
    """A rubric with its criteria and levels loaded. Raises NotFound."""
    rubric = session.get(Rubric, rubric_id, options=[selectinload(Rubric.criteria).selectinload(Criterion.levels)])
    if rubric is None:
        raise NotFound("rubric", rubric_id)
    return rubric


def is_version_of(session: Session, rubric_id: int, current_id: int) -> bool:
    """Whether this is the current rubric of an activity, or a version that it had before."""
    version: int | None = current_id
    while version is not None and version > rubric_id:
        version = session.scalar(select(Rubric.replaces_id).where(Rubric.id == version))
    return version == rubric_id


def origin_of(rubric: Rubric) -> tuple[int, int] | None:
    """The saved template that a rubric began with, and in which version."""
    if rubric.saved_template_id is None:
        return None
    return rubric.saved_template_id, rubric.saved_template_version or 0


def draft_of(rubric: Rubric) -> RubricDraft:
    """The rubric as plain values, for a form or a copy."""
    return RubricDraft(title=rubric.title, criteria=tuple(_draft(criterion) for criterion in rubric.criteria))


def questions_of(rubric: Rubric) -> list[Asked]:
    """The criteria as people answer them, in order."""
    return [
        Asked(criterion.id, _draft(criterion), tuple(level.id for level in criterion.levels))
        for criterion in rubric.criteria
    ]


def _draft(criterion: Criterion) -> CriterionDraft:
    return CriterionDraft(
        criterion.name,
        criterion.description,
        tuple(LevelDraft(level.label, level.description, level.points) for level in criterion.levels),
        Question(criterion.question),
        _OPTIONS.validate_python(criterion.options or {}),
        criterion.weight,
        Comment(criterion.comment),
        criterion.seat,
        tuple(criterion.rounds),
    )


def _criterion(place: int, draft: CriterionDraft) -> Criterion:
    return Criterion(
        position=place,
        name=draft.name,
        description=draft.description,
        question=draft.question,
        options=None if draft.options == Options() else asdict(draft.options) | {"choices": [*draft.options.choices]},
        weight=draft.weight,
        comment=draft.comment,
        seat=draft.seat,
        rounds=list(draft.rounds),
        levels=[
            Level(position=number, label=level.label, description=level.description, points=level.points)
            for number, level in enumerate(draft.levels, start=1)
        ],
    )
