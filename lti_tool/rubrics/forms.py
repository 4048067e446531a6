"""The rubric editor: what was typed, as typed, and what each of its buttons does.

Everything stays text until `read`, so that a page with mistakes shows exactly what the person wrote. The buttons work
without a script: each sends the whole form, and `press` changes it. What it was before goes along in the form, so that
the last changes can be undone.

A row of WTForms has a `name`, `label` and `description` of its own. Ours are read from its `data`, or as `row["name"]`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from flask_babel import gettext
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, FieldList, Form, FormField, StringField, TextAreaField

from lti_tool.errors import N_
from lti_tool.rubrics.rules import (
    FEWEST_LEVELS,
    LONGEST_NAME,
    MOST_CRITERIA,
    MOST_LEVELS,
    WITH_OPTIONS,
    Comment,
    CriterionDraft,
    Flaw,
    LevelDraft,
    Options,
    Question,
    Remark,
    RubricDraft,
    RubricProblem,
    check,
    remark_on,
)

# One more than may be kept, so that a form with too many is refused with words and not cut in silence.
MOST_READ: Final = 40
MOST_UNDONE: Final = 10
LONGEST_UNDONE: Final = 200_000
"""Changes that can be undone, and how many characters they may have in all."""


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
    question = StringField(filters=[_tidy])
    levels = FieldList(FormField(LevelForm), max_entries=MOST_READ)
    options = TextAreaField(filters=[_tidy])
    """One on each line."""
    share = StringField(filters=[_tidy])
    """Points to be shared out among the options."""
    lowest = StringField(filters=[_tidy])
    lowest_words = StringField(filters=[_tidy])
    highest = StringField(filters=[_tidy])
    highest_words = StringField(filters=[_tidy])
    comment = StringField(filters=[_tidy])
    weight = StringField(filters=[_tidy])
    seat = StringField(filters=[_tidy])
    rounds = StringField(filters=[_tidy])
    """Numbers with commas between them; empty for all rounds."""


class RubricForm(Form):
    """A rubric as typed."""

    title = StringField(name="rubric-title", filters=[_tidy])
    use_points = BooleanField()
    """Whether points count. If not, the fields for points are ignored."""
    criteria = FieldList(FormField(CriterionForm), max_entries=MOST_READ)
    before = StringField(name="rubric-before")
    """What the form was before each of the last changes, one encoded form on each line, the oldest first."""
    origin = StringField(name="rubric-from", filters=[_tidy])
    """The rubric of a library that this one began with, and its version: `<id>.<version>`."""


QUESTIONS: Final[dict[Question, str]] = {
    Question.LEVELS: N_("Levels in words"),
    Question.SCALE: N_("Number scale"),
    Question.CHOICE: N_("One choice"),
    Question.CHOICES: N_("Several choices"),
    Question.SHORT: N_("Short text"),
    Question.LONG: N_("Long text"),
    Question.SHARE: N_("Points to share out"),
    Question.RANKING: N_("Ranking"),
}
COMMENTS: Final[dict[Comment, str]] = {
    Comment.NONE: N_("No comment"),
    Comment.OPTIONAL: N_("Comment possible"),
    Comment.REQUIRED: N_("Comment required"),
}
REMARKS: Final[dict[Remark, str]] = {
    Remark.NO_POINTS: N_("No level has points, so this criterion adds none."),
    Remark.SAME_POINTS: N_("All levels have the same points, so it makes no difference which is chosen."),
    Remark.DESCENDING: N_("The first level has the most points. That is fine if the best level comes first."),
}

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
    Flaw.SCALE_UNUSABLE: ("lowest", N_("A scale goes from a smaller to a larger whole number, between 0 and 10.")),
    Flaw.TOO_FEW_OPTIONS: ("options", N_("Write at least two options, each on a line of its own.")),
    Flaw.TOO_MANY_OPTIONS: ("options", N_("A question has at most ten options. Remove some.")),
    Flaw.OPTION_TOO_LONG: ("options", N_("Shorten each option to 255 characters.")),
    Flaw.OPTION_TWICE: ("options", N_("Two options are the same. Make each different.")),
    Flaw.NOTHING_TO_SHARE: ("share", N_("The points to share are a whole number from 1 to 1000.")),
    Flaw.WEIGHT_OUT_OF_RANGE: ("weight", N_("A weight is a whole number from 0 to 100.")),
    Flaw.ROUND_UNKNOWN: (
        "rounds",
        N_("Write numbers of rounds with commas between them, such as 1, 3. Leave it empty for all."),
    ),
}
"""The field where a flaw is shown, and its sentence."""


def typed(fields: Mapping[str, str]) -> RubricForm:
    """What the rubric part of a form holds. Gaps in the numbering close."""
    # WTForms reads numbers in names with `int`, which fails on names that nobody's browser sends, such as "criteria-²".
    return RubricForm(MultiDict({name: text for name, text in fields.items() if name.isascii() and len(name) < 99}))


def shown(draft: RubricDraft, origin: tuple[int, int] | None = None) -> RubricForm:
    """A kept rubric as the form shows it. `origin`: the saved one that it began with, and in which version."""
    use_points = any(level.points for criterion in draft.criteria for level in criterion.levels)
    return RubricForm(
        data={
            "title": draft.title,
            "use_points": use_points,
            "criteria": [_criterion_shown(criterion, use_points=use_points) for criterion in draft.criteria],
            "origin": ".".join(map(str, origin or ())),
        }
    )


def replaced(form: RubricForm, draft: RubricDraft, origin: tuple[int, int] | None = None) -> RubricForm:
    """The form with this rubric in place of what is typed, which can be brought back."""
    fresh = shown(draft, origin)
    fresh.before.data = _before_and(form)
    return fresh


def extended(form: RubricForm, draft: RubricDraft) -> RubricForm:
    """The form with the criteria of this rubric below those that are typed."""
    more = shown(draft).data
    rows = [*form.data["criteria"], *more["criteria"]][:MOST_READ]
    fresh = RubricForm(
        data=form.data
        | {
            "title": form.data["title"] or draft.title,
            "use_points": form.data["use_points"] or more["use_points"],
            "criteria": rows,
        }
    )
    fresh.before.data = _before_and(form)
    return fresh


def origin_of(form: RubricForm) -> tuple[int, int] | None:
    """The saved rubric that the form says it began with, and in which version."""
    match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})", form.origin.data or "", re.ASCII)
    return (int(match[1]), int(match[2])) if match else None


def read(form: RubricForm, *, rounds: int | None = None) -> tuple[RubricDraft, dict[str, str]]:
    """The rubric that was typed, and a sentence (marked for translation) for each field that keeps it from use.

    `rounds` is how many the activity has.
    """
    draft = RubricDraft(
        title=form.title.data or "",
        criteria=tuple(_criterion_read(row, use_points=form.use_points.data) for row in form.criteria.data),
    )
    problems: dict[str, str] = {}
    for problem in check(draft):
        field, sentence = FLAWS[problem.flaw]
        problems.setdefault(_field_id(problem, field), sentence)
    for place, criterion in enumerate(draft.criteria):
        if rounds is not None and max(criterion.rounds, default=0) > rounds:
            problems.setdefault(f"criteria-{place}-rounds", ROUND_MISSING)
    return draft, problems


ROUND_MISSING: Final = N_("The activity has no such round. Change the numbers, or add the round.")


@dataclass(frozen=True, slots=True)
class RowAside:
    """What the editor says beside a criterion."""

    unusual: str = ""
    """In short, what of its smaller settings is not as usual."""
    remark: str = ""
    """On its points; marked for translation."""


def asides_of(form: RubricForm, seats: Mapping[str, str]) -> list[RowAside]:
    """What is said beside each criterion. `seats` is what they are called."""
    asides = []
    for row, draft in zip(form.criteria.data, read(form)[0].criteria, strict=True):
        remark = remark_on(draft.levels) if form.use_points.data and draft.question is Question.LEVELS else None
        unusual = (
            seats.get(draft.seat, ""),
            gettext("rounds: %(numbers)s", numbers=row["rounds"]) if row["rounds"] else "",
            gettext(COMMENTS[draft.comment]) if draft.comment is not Comment.NONE else "",
            gettext("weight %(number)s", number=row["weight"]) if draft.weight != 1 else "",
        )
        asides.append(RowAside(", ".join(filter(None, unusual)), REMARKS[remark] if remark else ""))
    return asides


def _criterion_shown(draft: CriterionDraft, *, use_points: bool) -> dict[str, Any]:
    options = draft.options
    return {
        "name": draft.name,
        "description": draft.description,
        "question": draft.question,
        "levels": [
            {
                "label": level.label,
                "description": level.description,
                "points": str(level.points) if use_points else "",
            }
            for level in draft.levels
        ],
        "options": "\n".join(options.choices),
        "share": str(options.points),
        "lowest": str(options.lowest),
        "lowest_words": options.lowest_words,
        "highest": str(options.highest),
        "highest_words": options.highest_words,
        "comment": draft.comment,
        "weight": str(draft.weight),
        "seat": draft.seat,
        "rounds": ", ".join(map(str, draft.rounds)),
    }


def _criterion_read(row: Mapping[str, Any], *, use_points: bool) -> CriterionDraft:
    question = Question(row["question"]) if row["question"] in set(Question) else Question.LEVELS
    usual = Options()
    options = Options(
        choices=tuple(filter(None, map(str.strip, row["options"].splitlines()))) if question in WITH_OPTIONS else (),
        points=_whole(row["share"], empty=usual.points) if question is Question.SHARE else usual.points,
    )
    if question is Question.SCALE:
        options = Options(
            lowest=_whole(row["lowest"], empty=usual.lowest),
            lowest_words=row["lowest_words"],
            highest=_whole(row["highest"], empty=usual.highest),
            highest_words=row["highest_words"],
        )
    return CriterionDraft(
        row["name"],
        row["description"],
        tuple(
            LevelDraft(level["label"], level["description"], _whole(level["points"]) if use_points else 0)
            for level in row["levels"]
        )
        if question is Question.LEVELS
        else (),
        question,
        options,
        _whole(row["weight"], empty=1),
        Comment(row["comment"]) if row["comment"] in set(Comment) else Comment.NONE,
        row["seat"][:32],
        tuple(sorted({_whole(number) for number in re.split(r"[,;\s]+", row["rounds"]) if number})),
    )


def press(form: RubricForm, button: str) -> str | None:
    """Change the form as one of the editor's buttons says. Returns the id of the field where typing goes on.

    None when `button` is none of the editor's. A button that no longer fits (its criterion is gone) changes nothing.
    """
    if button == "undo-rubric":
        return _undo(form)
    match = re.fullmatch(r"(add|remove|up|down|copy|kind)-(criterion|level)(?:-(\d{1,2}))?(?:-(\d{1,2}))?", button)
    if match is None or button.startswith(("copy-level", "kind-level")):
        return None
    before, was = _before_and(form), urlencode(list(sent(form)))
    focus = _press(form, match[1], match[2], *(int(digits) if digits else None for digits in match.groups()[2:]))
    if urlencode(list(sent(form))) != was:
        form.before.data = before
    return focus


def _press(form: RubricForm, verb: str, noun: str, place: int | None, number: int | None) -> str:
    criteria: Any = form.criteria
    if noun == "criterion" and verb in {"copy", "kind"}:
        return _copied(criteria, place) if verb == "copy" else _of_kind(criteria, place)
    if noun == "criterion":
        # A new criterion mostly wants the same ladder as the one before it that has one.
        ladders = [row["levels"] for row in criteria.data if row["levels"]]
        ladder = [level | {"description": ""} for level in ladders[-1]] if ladders else []
        focus = _pressed(criteria, verb, place, {"levels": ladder or [{}, {}]}, fewest=0, most=MOST_CRITERIA)
        fallback = "rubric" if len(criteria) else "add-criterion"
        return fallback if focus is None else f"{criteria[focus].id}-name"
    if place is None or place >= len(criteria):
        return "rubric"
    levels = criteria[place].levels
    added = {"points": _next_points(levels.data) if form.use_points.data else ""}
    focus = _pressed(levels, verb, number, added, fewest=FEWEST_LEVELS, most=MOST_LEVELS)
    return f"{criteria[place].id}-name" if focus is None else f"{levels[focus].id}-label"


def _copied(criteria: Any, place: int | None) -> str:
    if place is None or place >= len(criteria) or len(criteria) >= MOST_CRITERIA:
        return "rubric"
    names = {row["name"] for row in criteria.data}
    name = criteria[place].data["name"][: LONGEST_NAME - 5]
    free = next(new for number in range(2, MOST_READ + 2) if (new := f"{name} ({number})") not in names)
    criteria.insert_entry(place + 1, criteria[place].data | {"name": free})
    return f"{criteria[place + 1].id}-name"


def _of_kind(criteria: Any, place: int | None) -> str:
    """Show the fields of another type of question; those of the type before stay in the form."""
    if place is None or place >= len(criteria):
        return "rubric"
    row = criteria[place]
    while row.data["question"] in {"", Question.LEVELS} and len(row.levels) < FEWEST_LEVELS:
        row.levels.append_entry({})
    return f"{row.id}-question"


def _undo(form: RubricForm) -> str:
    *older, last = (form.before.data or "").splitlines() or [""]
    if last:
        fields = typed(dict(parse_qsl(last, keep_blank_values=True)))
        form.process(data=fields.data | {"before": "\n".join(older)})
    return "rubric"


def _before_and(form: RubricForm) -> str:
    """What `before` says once this form is changed."""
    versions = [*(form.before.data or "").splitlines(), urlencode(list(sent(form)))][-MOST_UNDONE:]
    while sum(map(len, versions)) > LONGEST_UNDONE:
        del versions[0]
    return "\n".join(versions)


def sent(form: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """What a browser sends of a form, field by field, but for what the form was before."""
    for field in form:
        if isinstance(field, FieldList | FormField):
            yield from sent(field)
        elif isinstance(field, BooleanField):
            if field.data:
                yield field.name, "1"
        elif field.name != "rubric-before":
            yield field.name, field.data or ""


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
    return str(max((_whole(level["points"]) for level in levels), default=-1) + 1)


def _whole(value: str, *, empty: int = 0) -> int:
    """A whole number; -1, which the rules refuse, for anything else."""
    if not value:
        return empty
    return int(value) if re.fullmatch(r"[0-9]{1,6}", value) else -1


def _field_id(problem: RubricProblem, field: str) -> str:
    if problem.criterion is None:
        return "rubric-title" if field else "rubric"
    level = "" if problem.level is None else f"levels-{problem.level}-"
    return f"criteria-{problem.criterion}-{level}{field}"
