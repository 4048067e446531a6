"""The rubric editor: what was typed, as typed, and what each of its buttons does.

Everything stays text until `read`, so that a page with mistakes shows exactly what the person wrote. The buttons work
without a script: each sends the whole form, `press` answers with the changed form.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

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

Item = TypeVar("Item")

# One more than may be kept, so that a form with too many is refused with words and not cut in silence.
MOST_READ: Final = 20


@dataclass(frozen=True, slots=True)
class LevelText:
    """A level as typed."""

    label: str = ""
    description: str = ""
    points: str = ""


@dataclass(frozen=True, slots=True)
class CriterionText:
    """A criterion as typed."""

    name: str = ""
    description: str = ""
    levels: tuple[LevelText, ...] = ()


@dataclass(frozen=True, slots=True)
class RubricText:
    """A rubric as typed."""

    title: str = ""
    criteria: tuple[CriterionText, ...] = ()
    use_points: bool = False
    """Without it whatever stands in the fields for points counts for nothing."""


WORDS_FOR_FLAWS: Final[dict[Flaw, str]] = {
    Flaw.NO_CRITERION: N_("Add at least one criterion to the rubric."),
    Flaw.TOO_MANY_CRITERIA: N_("A rubric has at most 10 criteria. Remove some."),
    Flaw.NAME_MISSING: N_("Give this criterion a name."),
    Flaw.NAME_TOO_LONG: N_("Shorten this name to 255 characters."),
    Flaw.NAME_TWICE: N_("Another criterion has this name. Give each its own."),
    Flaw.DESCRIPTION_TOO_LONG: N_("Shorten this description to 2,000 characters."),
    Flaw.TOO_FEW_LEVELS: N_("A criterion needs at least two levels."),
    Flaw.TOO_MANY_LEVELS: N_("A criterion has at most six levels. Remove some."),
    Flaw.LABEL_MISSING: N_("Give this level a label."),
    Flaw.LABEL_TOO_LONG: N_("Shorten this label to 255 characters."),
    Flaw.LABEL_TWICE: N_("Another level of this criterion has this label. Give each its own."),
    Flaw.POINTS_OUT_OF_RANGE: N_("Points are a whole number from 0 to 1000."),
}

_FIELD: Final = {
    Flaw.NAME_MISSING: "name",
    Flaw.NAME_TOO_LONG: "name",
    Flaw.NAME_TWICE: "name",
    Flaw.DESCRIPTION_TOO_LONG: "description",
    Flaw.LABEL_MISSING: "label",
    Flaw.LABEL_TOO_LONG: "label",
    Flaw.LABEL_TWICE: "label",
    Flaw.POINTS_OUT_OF_RANGE: "points",
}


def typed(fields: Mapping[str, str]) -> RubricText:
    """What the rubric part of a form holds. Gaps in the numbering close."""
    return RubricText(
        title=fields.get("rubric-title", "").strip(),
        criteria=tuple(
            _criterion_typed(fields, f"c{place}") for place in range(MOST_READ) if f"c{place}-name" in fields
        ),
        use_points="use_points" in fields,
    )


def shown(draft: RubricDraft) -> RubricText:
    """A kept rubric as the form shows it."""
    use_points = any(level.points for criterion in draft.criteria for level in criterion.levels)
    return RubricText(
        title=draft.title,
        criteria=tuple(
            CriterionText(
                criterion.name,
                criterion.description,
                tuple(
                    LevelText(level.label, level.description, str(level.points) if use_points else "")
                    for level in criterion.levels
                ),
            )
            for criterion in draft.criteria
        ),
        use_points=use_points,
    )


def read(text: RubricText) -> tuple[RubricDraft, dict[str, str]]:
    """The rubric that was typed, and a sentence (marked for translation) for each field that keeps it from use."""
    draft = RubricDraft(
        title=text.title,
        criteria=tuple(
            CriterionDraft(
                criterion.name,
                criterion.description,
                tuple(
                    LevelDraft(level.label, level.description, _points(level.points) if text.use_points else 0)
                    for level in criterion.levels
                ),
            )
            for criterion in text.criteria
        ),
    )
    problems: dict[str, str] = {}
    for problem in check(draft):
        problems.setdefault(_field(problem), WORDS_FOR_FLAWS[problem.flaw])
    return draft, problems


def press(text: RubricText, button: str) -> tuple[RubricText, str] | None:
    """The form after one of the editor's buttons, and the id of the field where typing goes on.

    None when `button` is none of the editor's. A button that no longer fits (its criterion is gone) changes nothing.
    """
    match = re.fullmatch(r"(add|remove|up|down)-(criterion|level)(?:-(\d{1,2}))?(?:-(\d{1,2}))?", button)
    if match is None:
        return None
    verb, noun = match[1], match[2]
    numbers = [int(number) for number in match.groups()[2:] if number is not None]
    if noun == "criterion":
        return _press_criterion(text, verb, numbers)
    if not numbers or numbers[0] >= len(text.criteria):
        return text, "rubric"
    return _press_level(text, verb, numbers[0], numbers[1:])


def _press_criterion(text: RubricText, verb: str, numbers: Sequence[int]) -> tuple[RubricText, str]:
    criteria = text.criteria
    if verb == "add":
        if len(criteria) >= MOST_CRITERIA:
            return text, "rubric"
        # A new criterion mostly wants the same ladder as the one before it.
        ladder = tuple(LevelText(level.label, "", level.points) for level in criteria[-1].levels) if criteria else ()
        new = CriterionText(levels=ladder or (LevelText(), LevelText()))
        return replace(text, criteria=(*criteria, new)), f"c{len(criteria)}-name"
    if not numbers or numbers[0] >= len(criteria):
        return text, "rubric"
    place = numbers[0]
    if verb == "remove":
        left = criteria[:place] + criteria[place + 1 :]
        return replace(text, criteria=left), f"c{min(place, len(left) - 1)}-name" if left else "add-criterion"
    moved, place = _moved(criteria, place, verb)
    return replace(text, criteria=moved), f"c{place}-name"


def _press_level(text: RubricText, verb: str, place: int, numbers: Sequence[int]) -> tuple[RubricText, str]:
    criterion = text.criteria[place]
    levels = criterion.levels
    if verb == "add":
        if len(levels) >= MOST_LEVELS:
            return text, f"c{place}-name"
        focus = len(levels)
        levels = (*levels, LevelText(points=_next_points(levels) if text.use_points else ""))
    else:
        if not numbers or numbers[0] >= len(levels):
            return text, f"c{place}-name"
        focus = numbers[0]
        if verb == "remove":
            if len(levels) <= FEWEST_LEVELS:
                return text, f"c{place}-name"
            levels = levels[:focus] + levels[focus + 1 :]
            focus = min(focus, len(levels) - 1)
        else:
            levels, focus = _moved(levels, focus, verb)
    changed = replace(criterion, levels=levels)
    criteria = (*text.criteria[:place], changed, *text.criteria[place + 1 :])
    return replace(text, criteria=criteria), f"c{place}-l{focus}-label"


def _moved(items: tuple[Item, ...], place: int, verb: str) -> tuple[tuple[Item, ...], int]:
    target = place - 1 if verb == "up" else place + 1
    if not 0 <= target < len(items):
        return items, place
    order = list(items)
    order[place], order[target] = order[target], order[place]
    return tuple(order), target


def _next_points(levels: Sequence[LevelText]) -> str:
    known = [_points(level.points) for level in levels]
    return str(max(known, default=-1) + 1)


def _criterion_typed(fields: Mapping[str, str], at: str) -> CriterionText:
    return CriterionText(
        name=fields.get(f"{at}-name", "").strip(),
        description=fields.get(f"{at}-description", "").strip(),
        levels=tuple(
            LevelText(
                label=fields.get(f"{at}-l{number}-label", "").strip(),
                description=fields.get(f"{at}-l{number}-description", "").strip(),
                points=fields.get(f"{at}-l{number}-points", "").strip(),
            )
            for number in range(MOST_READ)
            if f"{at}-l{number}-label" in fields
        ),
    )


def _points(value: str) -> int:
    """A whole number; nothing typed means 0; -1, which the rules refuse, for anything else."""
    if not value:
        return 0
    return int(value) if re.fullmatch(r"[0-9]{1,6}", value) else -1


def _field(problem: RubricProblem) -> str:
    if problem.criterion is None:
        return "rubric-title" if problem.flaw is Flaw.NAME_TOO_LONG else "rubric"
    at = f"c{problem.criterion}"
    if problem.level is None:
        return f"{at}-{_FIELD.get(problem.flaw, 'levels')}"
    return f"{at}-l{problem.level}-{_FIELD[problem.flaw]}"
