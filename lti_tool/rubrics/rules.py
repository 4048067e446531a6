"""Rules for a usable rubric. A rubric has criteria; each criterion has levels, described in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MOST_CRITERIA = 10
FEWEST_LEVELS = 2
MOST_LEVELS = 6
LONGEST_NAME = 255
LONGEST_DESCRIPTION = 2000
MOST_POINTS = 1000


@dataclass(frozen=True, slots=True)
class LevelDraft:
    """One way in which a criterion can be met."""

    label: str
    description: str = ""
    points: int = 0
    """For staff to read, if they like; no score uses them."""


@dataclass(frozen=True, slots=True)
class CriterionDraft:
    """One thing to look at, with its levels in the order in which they are shown."""

    name: str
    description: str = ""
    levels: tuple[LevelDraft, ...] = ()


@dataclass(frozen=True, slots=True)
class RubricDraft:
    """A whole rubric as plain values."""

    title: str
    criteria: tuple[CriterionDraft, ...] = ()


class Flaw(StrEnum):
    """The ways in which a rubric breaks a rule."""

    NO_CRITERION = "no criterion"
    TOO_MANY_CRITERIA = "too many criteria"
    NAME_MISSING = "name missing"
    NAME_TOO_LONG = "name too long"
    NAME_TWICE = "name twice"
    DESCRIPTION_TOO_LONG = "description too long"
    TOO_FEW_LEVELS = "too few levels"
    TOO_MANY_LEVELS = "too many levels"
    LABEL_MISSING = "label missing"
    LABEL_TOO_LONG = "label too long"
    LABEL_TWICE = "label twice"
    POINTS_OUT_OF_RANGE = "points out of range"


@dataclass(frozen=True, slots=True)
class RubricProblem:
    """A flaw and where it is: nothing (the whole rubric), a criterion, or one of its levels, counted from 0."""

    flaw: Flaw
    criterion: int | None = None
    level: int | None = None


def check(draft: RubricDraft) -> list[RubricProblem]:
    """Everything that keeps people from using this rubric, in the order in which the form shows it."""
    problems: list[RubricProblem] = []
    if len(draft.title) > LONGEST_NAME:
        problems.append(RubricProblem(Flaw.NAME_TOO_LONG))
    if not draft.criteria:
        problems.append(RubricProblem(Flaw.NO_CRITERION))
    if len(draft.criteria) > MOST_CRITERIA:
        problems.append(RubricProblem(Flaw.TOO_MANY_CRITERIA))
    repeated = _repeated([criterion.name for criterion in draft.criteria])
    for place, criterion in enumerate(draft.criteria):
        problems += [RubricProblem(flaw, place) for flaw in _criterion_flaws(criterion, place in repeated)]
        problems += _level_problems(criterion.levels, place)
    return problems


def _criterion_flaws(criterion: CriterionDraft, is_repeated: bool) -> list[Flaw]:
    flaws = []
    if not criterion.name:
        flaws.append(Flaw.NAME_MISSING)
    if len(criterion.name) > LONGEST_NAME:
        flaws.append(Flaw.NAME_TOO_LONG)
    if is_repeated:
        flaws.append(Flaw.NAME_TWICE)
    if len(criterion.description) > LONGEST_DESCRIPTION:
        flaws.append(Flaw.DESCRIPTION_TOO_LONG)
    if len(criterion.levels) < FEWEST_LEVELS:
        flaws.append(Flaw.TOO_FEW_LEVELS)
    if len(criterion.levels) > MOST_LEVELS:
        flaws.append(Flaw.TOO_MANY_LEVELS)
    return flaws


def _level_problems(levels: Sequence[LevelDraft], criterion: int) -> list[RubricProblem]:
    problems = []
    repeated = _repeated([level.label for level in levels])
    for place, level in enumerate(levels):
        flaws = []
        if not level.label:
            flaws.append(Flaw.LABEL_MISSING)
        if len(level.label) > LONGEST_NAME:
            flaws.append(Flaw.LABEL_TOO_LONG)
        if place in repeated:
            flaws.append(Flaw.LABEL_TWICE)
        if len(level.description) > LONGEST_DESCRIPTION:
            flaws.append(Flaw.DESCRIPTION_TOO_LONG)
        if not 0 <= level.points <= MOST_POINTS:
            flaws.append(Flaw.POINTS_OUT_OF_RANGE)
        problems += [RubricProblem(flaw, criterion, place) for flaw in flaws]
    return problems


def _repeated(names: Sequence[str]) -> set[int]:
    """Places of names that an earlier place has too, however they are capitalized. Empty names do not count."""
    seen: set[str] = set()
    places = set()
    for place, name in enumerate(names):
        folded = " ".join(name.casefold().split())
        if folded and folded in seen:
            places.add(place)
        seen.add(folded)
    return places
