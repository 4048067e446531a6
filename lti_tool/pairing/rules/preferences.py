"""What a designer wants of groups: their shape, which rules hold in what order, what is wished for. Plain data.

`read` takes the form that the database keeps and that a page may send, `check` says field by field what is wrong, and
`to_engine` makes the engine's own rules and wishes.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Final, TypeVar

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Kind, Shape
from lti_tool.pairing.errors import PreferencesInvalid, Problem

NAMES: Final = ("department", "group", "cohort")
"""Attributes with one name a person."""
LISTS: Final = ("languages", "slots")
"""Attributes with several names a person, of which two people may have some in common."""
HIGHEST_PRIORITY: Final = 99
HIGHEST_WEIGHT: Final = 100
MOST_STEPS: Final = 100
USUAL_STEPS: Final = 3
MOST_CHOICES: Final = 20
SIZES: Final = {Kind.PAIRS: range(2, 3), Kind.TRIOS: range(3, 4), Kind.CIRCLES: range(3, 7), Kind.RINGS: range(3, 7)}

Number = Annotated[int, BeforeValidator(lambda value: 0 if value is None else value)]
"""A whole number that may be left empty, which is out of every range."""


class RuleKind(StrEnum):
    """What a rule demands. "Never again" and keeping two people apart are not in this list: see `Preferences`."""

    REPORTING_LINE = "reporting_line"
    """Never a person's manager nor anybody above them."""
    SAME = "same"
    OTHER = "other"
    SHARE = "share"
    """At least so many names in common: languages, time slots."""
    GAP = "gap"
    """A difference of experience, at least and at most."""
    OFFERS_MEET_NEEDS = "offers_meet_needs"


class WishKind(StrEnum):
    """What a wish gives points for."""

    SAME = "same"
    OTHER = "other"
    GAP = "gap"
    """`weight` for each step of difference, up to `cap` steps."""
    EXTRA_SHARED = "extra_shared"
    """`weight` for each name in common beyond the first, up to `cap` names."""
    NEAR_IN_TIME = "near_in_time"
    OFFERS_FIT = "offers_fit"


ATTRIBUTES: Final[Mapping[str, tuple[str, ...]]] = {
    RuleKind.REPORTING_LINE: ("manager",),
    RuleKind.SAME: NAMES,
    RuleKind.OTHER: NAMES,
    RuleKind.SHARE: LISTS,
    RuleKind.GAP: ("experience",),
    RuleKind.OFFERS_MEET_NEEDS: ("offers",),
    WishKind.EXTRA_SHARED: LISTS,
    WishKind.NEAR_IN_TIME: ("time_zone",),
    WishKind.OFFERS_FIT: ("offers",),
}
"""The attributes that a kind of rule or wish may look at; the first is the usual one."""
OPPOSITES: Final[Mapping[str, str]] = {RuleKind.SAME: RuleKind.OTHER, RuleKind.OTHER: RuleKind.SAME}


class Flaw(StrEnum):
    """What can be wrong with one field."""

    WRONG_FORM = "wrong form"
    """Not the kind of value that belongs there."""
    UNKNOWN_KIND = "unknown kind"
    UNKNOWN_ATTRIBUTE = "unknown attribute"
    LISTED_TWICE = "listed twice"
    TOO_MANY = "too many"
    SIZE = "size"
    """Pairs are 2, trios 3, circles and rings 3 to 6."""
    OUT_OF_RANGE = "out of range"
    CONTRADICTS = "contradicts another"
    """The same and another department."""
    GAP_EMPTY = "gap empty"
    """Neither at least nor at most is given, or at least is more than at most."""


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """One rule that holds, with its parameters."""

    kind: RuleKind
    attribute: str = ""
    """Empty: the usual one of the kind."""
    at_least: int | None = None
    """Of `SHARE`: how many names (1 if None). Of `GAP`: the smallest difference."""
    at_most: int | None = None
    """Of `GAP`: the largest difference."""
    both_ways: bool = False
    """Of `OFFERS_MEET_NEEDS`: each offers what the other needs."""
    unknown_is_allowed: bool = True
    """Whether two people may meet when what the rule needs is unknown of one of them."""
    priority: int | None = None
    """1 is relaxed first, 99 last; None: the rule's usual one. A reporting line is never relaxed."""

    @property
    def name(self) -> str:
        """The name that the engine gives this rule; unique in an activity."""
        return self.to_engine()[0].name

    @property
    def looks_at(self) -> str:
        """The attribute that it looks at."""
        return self.attribute or ATTRIBUTES[self.kind][0]

    def to_engine(self) -> tuple[engine.Rule, ...]:
        """The engine's rule, and for a reporting line that must be known the rule that says so."""
        options: dict[str, Any] = {"attribute": self.looks_at, "unknown_is_allowed": self.unknown_is_allowed}
        if self.priority is not None:
            options["priority"] = self.priority
        match self.kind:
            case RuleKind.REPORTING_LINE:
                return (engine.ReportingLine(), *(() if self.unknown_is_allowed else (engine.Known(**options),)))
            case RuleKind.SAME:
                return (engine.Same(**options),)
            case RuleKind.OTHER:
                return (engine.Other(**options),)
            case RuleKind.SHARE:
                return (engine.Share(**options, at_least=self.at_least or 1),)
            case RuleKind.GAP:
                return (engine.ExperienceGap(**options, at_least=self.at_least, at_most=self.at_most),)
            case RuleKind.OFFERS_MEET_NEEDS:
                return (engine.OffersMeetNeeds(**options, both_ways=self.both_ways),)

    def without(self, rule: str) -> tuple["RuleChoice", ...]:
        """This choice with one of its rules switched off: nothing, or a reporting line that need not be known."""
        names = [made.name for made in self.to_engine()]
        if rule not in names:
            return (self,)
        return () if rule == names[0] else (replace(self, unknown_is_allowed=True),)

    def flaws(self) -> Iterator[tuple[str, Flaw]]:
        """What is wrong with its numbers: field and flaw."""
        if self.priority is not None and not 1 <= self.priority <= HIGHEST_PRIORITY:
            yield "priority", Flaw.OUT_OF_RANGE
        lowest = 0 if self.kind is RuleKind.GAP else 1
        for field, value in (("at_least", self.at_least), ("at_most", self.at_most)):
            if value is not None and not lowest <= value <= MOST_STEPS:
                yield field, Flaw.OUT_OF_RANGE
        if self.kind is RuleKind.GAP:
            least, most = self.at_least, self.at_most
            if (least is None and most is None) or (least is not None and most is not None and least > most):
                yield "at_least", Flaw.GAP_EMPTY


@dataclass(frozen=True, slots=True)
class WishChoice:
    """One wish and how much it weighs."""

    kind: WishKind
    attribute: str = ""
    weight: Number = 1
    cap: int | None = None
    """Of `GAP` and `EXTRA_SHARED`: how many steps or names count at most; None: `USUAL_STEPS`."""

    @property
    def name(self) -> str:
        """The name that the engine gives this wish; unique in an activity."""
        return self.to_engine().name

    @property
    def looks_at(self) -> str:
        """The attribute that it looks at."""
        return self.attribute or ATTRIBUTES[self.kind][0]

    def to_engine(self) -> engine.Wish:
        """The engine's wish."""
        options: dict[str, Any] = {"attribute": self.looks_at, "weight": self.weight}
        cap = self.weight * (USUAL_STEPS if self.cap is None else self.cap)
        match self.kind:
            case WishKind.SAME:
                return engine.RatherSame(**options)
            case WishKind.OTHER:
                return engine.RatherOther(**options)
            case WishKind.GAP:
                return engine.RatherGap(**options, cap=cap)
            case WishKind.EXTRA_SHARED:
                return engine.ExtraShared(**options, cap=cap)
            case WishKind.NEAR_IN_TIME:
                return engine.NearInTime(weight=self.weight)
            case WishKind.OFFERS_FIT:
                return engine.OffersFit(**options)

    def flaws(self) -> Iterator[tuple[str, Flaw]]:
        """What is wrong with its numbers: field and flaw."""
        if not 1 <= self.weight <= HIGHEST_WEIGHT:
            yield "weight", Flaw.OUT_OF_RANGE
        if self.cap is not None and not 1 <= self.cap <= MOST_STEPS:
            yield "cap", Flaw.OUT_OF_RANGE


@dataclass(frozen=True, slots=True)
class Preferences:
    """Everything that a designer wants of an activity's groups. The default asks for pairs and nothing else."""

    kind: Kind = Kind.PAIRS
    size: Number = 2
    rules: tuple[RuleChoice, ...] = ()
    wishes: tuple[WishChoice, ...] = ()
    not_again: bool = False
    """Whether "never the same partner again" is a rule; else a repeat is only avoided where it can be."""
    should_not_holds: bool = True
    """Whether couples who should avoid each other are kept apart like those who must never meet."""
    history_counts: bool = True
    """Whether other activities of the course count: who met, who began how often, who was left out."""

    @property
    def shape(self) -> Shape:
        """The shape of groups, as the engine has it."""
        return Shape(self.kind, self.size)

    @property
    def reads(self) -> frozenset[str]:
        """The attributes that have a say, by the engine's names."""
        rules, wishes = self.to_engine()
        reads = [rule.reads for rule in rules] + [wish.reads for wish in wishes]
        return frozenset(chain.from_iterable(reads))

    def to_engine(self) -> tuple[tuple[engine.Rule, ...], tuple[engine.Wish, ...]]:
        """The engine's rules and wishes, in the order of the lists; who is kept apart is not among them."""
        rules = [rule for choice in self.rules for rule in choice.to_engine()]
        if self.not_again:
            rules.append(engine.NotAgain())
        return tuple(rules), tuple(choice.to_engine() for choice in self.wishes)

    def without(self, *rules: str) -> "Preferences":
        """The same with these rules switched off, by their names in the engine; other names change nothing."""
        wanted = self
        for rule in sorted(rules):
            wanted = replace(
                wanted,
                rules=tuple(kept for choice in wanted.rules for kept in choice.without(rule)),
                not_again=wanted.not_again and rule != engine.NotAgain().name,
                should_not_holds=wanted.should_not_holds and rule != engine.ShouldNot(couples=()).name,
            )
        return wanted

    def to_json(self) -> dict[str, Any]:
        """Plain values; `read` takes them back."""
        return {**asdict(self), "rules": [asdict(rule) for rule in self.rules], "wishes": [*map(asdict, self.wishes)]}


Choice = TypeVar("Choice", RuleChoice, WishChoice)

_WHOLE: Final = TypeAdapter(Preferences)
_RULE: Final = TypeAdapter(RuleChoice)
_WISH: Final = TypeAdapter(WishChoice)


def read(kept: Mapping[str, Any]) -> Preferences:
    """The preferences that these plain values say; absent fields have their defaults.

    Raises PreferencesInvalid, which names every field that is wrong, and does not guess.
    """
    problems: list[Problem] = []
    rules, wishes = _rows(_RULE, kept, "rules", problems), _rows(_WISH, kept, "wishes", problems)
    head = {field: value for field, value in kept.items() if field not in {"rules", "wishes"}}
    try:
        found = _WHOLE.validate_json(json.dumps(_sized(head)), strict=True)
    except ValidationError as refusal:
        problems += _problems(refusal, "")
        flawed = {problem.field for problem in problems}
        readable = {field: value for field, value in head.items() if field not in flawed}
        found = _WHOLE.validate_json(json.dumps(_sized(readable)), strict=True)
    is_shape_read = not any(problem.field in {"kind", "size"} for problem in problems)
    problems += [
        problem for problem in _check(found, rules, wishes) if is_shape_read or problem.field not in {"kind", "size"}
    ]
    if problems:
        raise PreferencesInvalid(tuple(problems))
    return replace(
        found,
        rules=tuple(rule for rule in rules if rule is not None),
        wishes=tuple(wish for wish in wishes if wish is not None),
    )


def check(preferences: Preferences) -> tuple[Problem, ...]:
    """What is wrong, with the field it concerns: `size`, `rules.0.attribute`, `wishes.2.weight`."""
    return tuple(_check(preferences, preferences.rules, preferences.wishes))


def _sized(kept: dict[str, Any]) -> dict[str, Any]:
    """The values with the usual size of their kind, where they say none."""
    kind = kept.get("kind")
    return {"size": SIZES[Kind(kind)].start if kind in list(Kind) else 2, **kept}


def _rows(
    adapter: TypeAdapter[Choice], kept: Mapping[str, Any], field: str, problems: list[Problem]
) -> list[Choice | None]:
    """The rules or wishes in their order, with None in the place of each that cannot be read."""
    rows = kept.get(field, [])
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        problems.append(Problem(field, Flaw.WRONG_FORM))
        return []
    found: list[Choice | None] = []
    for at, row in enumerate(rows):
        try:
            found.append(adapter.validate_json(json.dumps(row), strict=True))
        except ValidationError as refusal:
            problems += _problems(refusal, f"{field}.{at}.")
            found.append(None)
    return found


def _problems(refusal: ValidationError, path: str) -> list[Problem]:
    return [
        Problem(path + str(error["loc"][0]), Flaw.UNKNOWN_KIND if error["loc"][0] == "kind" else Flaw.WRONG_FORM)
        for error in refusal.errors(include_url=False)
    ]


def _check(
    preferences: Preferences, rules: Sequence[RuleChoice | None], wishes: Sequence[WishChoice | None]
) -> Iterator[Problem]:
    if preferences.size not in SIZES[preferences.kind]:
        yield Problem("size", Flaw.SIZE)
    yield from _check_list("rules", rules)
    yield from _check_list("wishes", wishes)


def _check_list(name: str, choices: Sequence[RuleChoice | WishChoice | None]) -> Iterator[Problem]:
    if len(choices) > MOST_CHOICES:
        yield Problem(name, Flaw.TOO_MANY)
    seen: set[tuple[str, str]] = set()
    for at, choice in enumerate(choices):
        if choice is None:
            continue
        is_rule = isinstance(choice, RuleChoice)
        if choice.looks_at not in ATTRIBUTES[choice.kind]:
            yield Problem(f"{name}.{at}.attribute", Flaw.UNKNOWN_ATTRIBUTE)
        elif (choice.kind, choice.looks_at) in seen:
            yield Problem(f"{name}.{at}.kind", Flaw.LISTED_TWICE)
        elif is_rule and (OPPOSITES.get(choice.kind, ""), choice.looks_at) in seen:
            yield Problem(f"{name}.{at}.kind", Flaw.CONTRADICTS)
        seen.add((choice.kind, choice.looks_at))
        yield from (Problem(f"{name}.{at}.{field}", flaw) for field, flaw in choice.flaws())
