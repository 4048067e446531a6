"""What a rubric is before it is kept, and what keeps it from use. A rubric has criteria; each asks one question."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

MOST_CRITERIA = 30
"""Those of all seats and rounds together."""
FEWEST_LEVELS = 2
MOST_LEVELS = 6
FEWEST_OPTIONS = 2
MOST_OPTIONS = 10
HIGHEST_ON_SCALE = 10
MOST_WEIGHT = 100
LONGEST_NAME = 255
LONGEST_DESCRIPTION = 2000
MOST_POINTS = 1000


class Question(StrEnum):
    """How a criterion is answered."""

    LEVELS = "levels"
    """One of its levels, described in words."""
    SCALE = "scale"
    """A number, with words at both ends."""
    CHOICE = "choice"
    CHOICES = "choices"
    """Any number of options."""
    SHORT = "short"
    LONG = "long"
    """A text of one line, or of several."""
    SHARE = "share"
    """A number of points, shared out among the options."""
    RANKING = "ranking"
    """Every option gets a place."""


WITH_OPTIONS = frozenset({Question.CHOICE, Question.CHOICES, Question.SHARE, Question.RANKING})


class Comment(StrEnum):
    """Whether a text goes with the answer."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class LevelDraft:
    """One way in which a criterion can be met."""

    label: str
    description: str = ""
    points: int = 0
    """For staff to read; a score uses them only where the designer says so."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a question offers that has no levels."""

    choices: tuple[str, ...] = ()
    lowest: int = 1
    highest: int = 5
    lowest_words: str = ""
    highest_words: str = ""
    """What both ends of a scale mean."""
    points: int = 10
    """To be shared out."""


@dataclass(frozen=True, slots=True)
class CriterionDraft:
    """One thing to look at, with its levels in the order in which they are shown."""

    name: str
    description: str = ""
    levels: tuple[LevelDraft, ...] = ()
    question: Question = Question.LEVELS
    options: Options = Options()
    weight: int = 1
    """How much it counts among the others where points reach a score."""
    comment: Comment = Comment.NONE
    seat: str = ""
    """The key of the seat whose holder it is about; empty for everybody."""
    rounds: tuple[int, ...] = ()
    """The rounds in which it is asked, in ascending order; empty for all."""


@dataclass(frozen=True, slots=True)
class RubricDraft:
    """A whole rubric as plain values."""

    title: str
    criteria: tuple[CriterionDraft, ...] = ()

    @property
    def has_points(self) -> bool:
        """Whether any answer can give points."""
        return any(
            one.weight > 0 and (one.question is Question.SCALE or any(level.points for level in one.levels))
            for one in self.criteria
        )


def plain(draft: RubricDraft, seats: Iterable[str]) -> RubricDraft:
    """The rubric for an activity with these seats: a criterion about any other is about everybody."""
    known = set(seats)
    return replace(
        draft,
        criteria=tuple(
            criterion if criterion.seat in known else replace(criterion, seat="") for criterion in draft.criteria
        ),
    )


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
    SCALE_UNUSABLE = "scale unusable"
    TOO_FEW_OPTIONS = "too few options"
    TOO_MANY_OPTIONS = "too many options"
    OPTION_TOO_LONG = "option too long"
    OPTION_TWICE = "option twice"
    NOTHING_TO_SHARE = "no points to share"
    WEIGHT_OUT_OF_RANGE = "weight out of range"
    ROUND_UNKNOWN = "round unknown"


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
    # What is about different seats, or asked in different rounds, may have one name.
    repeated = _repeated([f"{one.name} {one.seat} {one.rounds}" if one.name else "" for one in draft.criteria])
    for place, criterion in enumerate(draft.criteria):
        problems += [RubricProblem(flaw, place) for flaw in _criterion_flaws(criterion, place in repeated)]
        if criterion.question is Question.LEVELS:
            problems += _level_problems(criterion.levels, place)
    return problems


class Remark(StrEnum):
    """What a designer may want to know about the points of a criterion, though it keeps nobody from using them."""

    NO_POINTS = "no points"
    SAME_POINTS = "same points"
    DESCENDING = "descending"


def remark_on(levels: Sequence[LevelDraft]) -> Remark | None:
    """What is unusual about the points of these levels."""
    points = [level.points for level in levels]
    if not any(points):
        return Remark.NO_POINTS
    if len(set(points)) == 1:
        return Remark.SAME_POINTS
    return Remark.DESCENDING if points == sorted(points, reverse=True) else None


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
    if not 0 <= criterion.weight <= MOST_WEIGHT:
        flaws.append(Flaw.WEIGHT_OUT_OF_RANGE)
    if any(number < 1 for number in criterion.rounds):
        flaws.append(Flaw.ROUND_UNKNOWN)
    if criterion.question is Question.LEVELS:
        if len(criterion.levels) < FEWEST_LEVELS:
            flaws.append(Flaw.TOO_FEW_LEVELS)
        if len(criterion.levels) > MOST_LEVELS:
            flaws.append(Flaw.TOO_MANY_LEVELS)
    return flaws + _option_flaws(criterion.question, criterion.options)


def _option_flaws(question: Question, options: Options) -> list[Flaw]:
    flaws = []
    if question is Question.SCALE:
        if not 0 <= options.lowest < options.highest <= HIGHEST_ON_SCALE:
            flaws.append(Flaw.SCALE_UNUSABLE)
        if max(len(options.lowest_words), len(options.highest_words)) > LONGEST_NAME:
            flaws.append(Flaw.OPTION_TOO_LONG)
    if question in WITH_OPTIONS:
        if len(options.choices) < FEWEST_OPTIONS:
            flaws.append(Flaw.TOO_FEW_OPTIONS)
        if len(options.choices) > MOST_OPTIONS:
            flaws.append(Flaw.TOO_MANY_OPTIONS)
        if any(len(choice) > LONGEST_NAME for choice in options.choices):
            flaws.append(Flaw.OPTION_TOO_LONG)
        if _repeated(options.choices):
            flaws.append(Flaw.OPTION_TWICE)
    if question is Question.SHARE and not 1 <= options.points <= MOST_POINTS:
        flaws.append(Flaw.NOTHING_TO_SHARE)
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
