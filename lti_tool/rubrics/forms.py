"""The rubric editor: what was typed, as typed, and what each of its buttons does.

Everything stays text until `read`, so that a page with mistakes shows exactly what the person wrote. The buttons work
without a script: each sends the whole form, and `press` changes it.

A row of WTForms has a `name`, `label` and `description` of its own. Ours are read from its `data`, or as `row["name"]`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, FieldList, Form, FormField, StringField, TextAreaField

from lti_tool.errors import N_
from lti_tool.rubrics.rules import (
    FEWEST_LEVELS,
    MOST_CRITERIA,
    MOST_LEVELS,
    CriterionDraft,
    Flaw,
    LevelDraft,
    RubricDraft,
    RubricProblem,
    check,
)

# One more than may be kept, so that a form with too many is refused with words and not cut in silence.
MOST_READ: Final = 40


def _tidy(text: Any) -> str:
    return "" if text is None else str(text).strip()


class LevelForm(Form):
    """A level as typed."""

    label = StringField(filters=[_tidy])
    description = TextAreaField(filters=[_tidy])
    points = StringField(filters=[_tidy])


class CriterionForm(Form):
    """A criterion as typed."""

    name = StringField(filters=[_tidy])
    description = TextAreaField(filters=[_tidy])
    levels = FieldList(FormField(LevelForm), max_entries=MOST_READ)


class RubricForm(Form):
    """A rubric as typed."""

    title = StringField(name="rubric-title", filters=[_tidy])
    use_points = BooleanField()
    """Whether points count. If not, the fields for points are ignored."""
    criteria = FieldList(FormField(CriterionForm), max_entries=MOST_READ)


FLAWS: Final[dict[Flaw, tuple[str, str]]] = {
    Flaw.NO_CRITERION: ("", N_("Add at least one criterion to the rubric.")),
    Flaw.TOO_MANY_CRITERIA: ("", N_("A rubric has at most 30 criteria. Remove some.")),
    Flaw.NAME_MISSING: ("name", N_("Give this criterion a name.")),
    Flaw.NAME_TOO_LONG: ("name", N_("Shorten this name to 255 characters.")),
    Flaw.NAME_TWICE: ("name", N_("Another criterion has this name. Give each its own.")),
    Flaw.DESCRIPTION_TOO_LONG: ("description", N_("Shorten this description to 2,000 characters.")),
    Flaw.TOO_FEW_LEVELS: ("levels", N_("A criterion needs at least two levels.")),
    Flaw.TOO_MANY_LEVELS: ("levels", N_("A criterion has at most six levels. Remove some.")),
    Flaw.LABEL_MISSING: ("label", N_("Give this level a label.")),
    Flaw.LABEL_TOO_LONG: ("label", N_("Shorten this label to 255 characters.")),
    Flaw.LABEL_TWICE: ("label", N_("Another level of this criterion has this label. Give each its own.")),
    Flaw.POINTS_OUT_OF_RANGE: ("points", N_("Points are a whole number from 0 to 1000.")),
}
"""The field where a flaw is shown, and its sentence."""


def typed(fields: Mapping[str, str]) -> RubricForm:
    """What the rubric part of a form holds. Gaps in the numbering close."""
    # WTForms reads numbers in names with `int`, which fails on names that nobody's browser sends, such as "criteria-²".
    return RubricForm(MultiDict({name: text for name, text in fields.items() if name.isascii() and len(name) < 99}))


def shown(draft: RubricDraft) -> RubricForm:
    """A kept rubric as the form shows it."""
    use_points = any(level.points for criterion in draft.criteria for level in criterion.levels)
    form = RubricForm(data=asdict(draft), use_points=use_points)
    if not use_points:
        rows: Any = form.criteria
        for criterion in rows:
            for level in criterion.levels:
                level.points.data = ""
    return form


def read(form: RubricForm) -> tuple[RubricDraft, dict[str, str]]:
    """The rubric that was typed, and a sentence (marked for translation) for each field that keeps it from use."""
    draft = RubricDraft(
        title=form.title.data or "",
        criteria=tuple(
            CriterionDraft(
                criterion["name"],
                criterion["description"],
                tuple(
                    LevelDraft(
                        level["label"], level["description"], _points(level["points"]) if form.use_points.data else 0
                    )
                    for level in criterion["levels"]
                ),
            )
            for criterion in form.criteria.data
        ),
    )
    problems: dict[str, str] = {}
    for problem in check(draft):
        field, sentence = FLAWS[problem.flaw]
        problems.setdefault(_field_id(problem, field), sentence)
    return draft, problems


def press(form: RubricForm, button: str) -> str | None:
    """Change the form as one of the editor's buttons says. Returns the id of the field where typing goes on.

    None when `button` is none of the editor's. A button that no longer fits (its criterion is gone) changes nothing.
    """
    match = re.fullmatch(r"(add|remove|up|down)-(criterion|level)(?:-(\d{1,2}))?(?:-(\d{1,2}))?", button)
    if match is None:
        return None
    verb, noun = match[1], match[2]
    place, number = (int(digits) if digits else None for digits in match.groups()[2:])
    criteria: Any = form.criteria
    if noun == "criterion":
        # A new criterion mostly wants the same ladder as the one before it.
        ladder = [level | {"description": ""} for level in criteria[-1].data["levels"]] if len(criteria) else []
        focus = _pressed(criteria, verb, place, {"levels": ladder or [{}, {}]}, fewest=0, most=MOST_CRITERIA)
        fallback = "rubric" if len(criteria) else "add-criterion"
        return fallback if focus is None else f"{criteria[focus].id}-name"
    if place is None or place >= len(criteria):
        return "rubric"
    levels = criteria[place].levels
    added = {"points": _next_points(levels.data) if form.use_points.data else ""}
    focus = _pressed(levels, verb, number, added, fewest=FEWEST_LEVELS, most=MOST_LEVELS)
    return f"{criteria[place].id}-name" if focus is None else f"{levels[focus].id}-label"


def _pressed(
    rows: Any, verb: str, place: int | None, added: Mapping[str, Any], *, fewest: int, most: int
) -> int | None:
    """Change the rows. Returns the place to go on at; None where the button does not fit or no row is left."""
    if verb == "add":
        return None if len(rows) >= most else rows.append_entry(added).index
    if place is None or place >= len(rows) or (verb == "remove" and len(rows) <= fewest):
        return None
    row = rows.pop_entry(place)
    if verb != "remove":
        place = max(0, place - 1) if verb == "up" else place + 1
        rows.insert_entry(place, row.data)
    return min(place, len(rows) - 1) if len(rows) else None


def _next_points(levels: Sequence[Mapping[str, str]]) -> str:
    return str(max((_points(level["points"]) for level in levels), default=-1) + 1)


def _points(value: str) -> int:
    """A whole number; nothing typed means 0; -1, which the rules refuse, for anything else."""
    if not value:
        return 0
    return int(value) if re.fullmatch(r"[0-9]{1,6}", value) else -1


def _field_id(problem: RubricProblem, field: str) -> str:
    if problem.criterion is None:
        return "rubric-title" if field else "rubric"
    level = "" if problem.level is None else f"levels-{problem.level}-"
    return f"criteria-{problem.criterion}-{level}{field}"
