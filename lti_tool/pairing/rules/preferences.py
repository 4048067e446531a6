"""What a designer wants of the groups: their shape, the rules that hold, and the wishes. Plain data.

`read` takes the form that the database stores and that a page may send, `check` says which fields are wrong, and
`to_engine` makes the engine's rules and wishes.
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
"""Attributes with one name for each person."""
LISTS: Final = ("languages", "slots")
"""Attributes with several names for each person."""
PRIORITIES: Final = range(1, 100)
WEIGHTS: Final = range(1, 101)
MOST_STEPS: Final = 100
USUAL_STEPS: Final = 3
MOST_CHOICES: Final = 20
SIZES: Final = {Kind.PAIRS: range(2, 3), Kind.TRIOS: range(3, 4), Kind.CIRCLES: range(3, 7), Kind.RINGS: range(3, 7)}

Number = Annotated[int, BeforeValidator(lambda value: 0 if value is None else value)]
"""A whole number; an empty field is read as 0, which is out of every range."""


class RuleKind(StrEnum):
    """What a rule requires. "Never again" and keeping two people apart are fields of `Preferences`."""

    REPORTING_LINE = "reporting_line"
    """Never a person's manager or anyone above them."""
    SAME = "same"
    OTHER = "other"
    SHARE = "share"
    """At least this many names in common: languages, time slots."""
    GAP = "gap"
    """A difference in experience, at least and at most."""
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
"""The attributes that a kind of rule or wish can compare; the first is the usual one."""
OPPOSITES: Final[Mapping[str, str]] = {RuleKind.SAME: RuleKind.OTHER, RuleKind.OTHER: RuleKind.SAME}
RULES: Final[Mapping[RuleKind, type[engine.Rule]]] = {
    RuleKind.SAME: engine.Same,
    RuleKind.OTHER: engine.Other,
    RuleKind.SHARE: engine.Share,
    RuleKind.GAP: engine.ExperienceGap,
    RuleKind.OFFERS_MEET_NEEDS: engine.OffersMeetNeeds,
}
WISHES: Final[Mapping[WishKind, type[engine.Wish]]] = {
    WishKind.SAME: engine.RatherSame,
    WishKind.OTHER: engine.RatherOther,
    WishKind.GAP: engine.RatherGap,
    WishKind.EXTRA_SHARED: engine.ExtraShared,
    WishKind.NEAR_IN_TIME: engine.NearInTime,
    WishKind.OFFERS_FIT: engine.OffersFit,
}


class Flaw(StrEnum):
    """What can be wrong with a field."""

    WRONG_FORM = "wrong form"
    """The value has the wrong type."""
    UNKNOWN_KIND = "unknown kind"
    UNKNOWN_ATTRIBUTE = "unknown attribute"
    LISTED_TWICE = "listed twice"
    TOO_MANY = "too many"
    SIZE = "size"
    """Pairs have 2 people, trios 3, circles and rings 3 to 6."""
    OUT_OF_RANGE = "out of range"
    CONTRADICTS = "contradicts another"
    """The same and another department."""
    GAP_EMPTY = "gap empty"
    """Neither at least nor at most is given, or at least is more than at most."""


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """A rule that holds, with its parameters."""

    kind: RuleKind
    attribute: str = ""
    """Empty: the usual one of the kind."""
    at_least: int | None = None
    """For `SHARE`: how many names (1 if None). For `GAP`: the smallest difference."""
    at_most: int | None = None
    """For `GAP`: the largest difference."""
    both_ways: bool = False
    """For `OFFERS_MEET_NEEDS`: each offers what the other needs."""
    unknown_is_allowed: bool = True
    """Whether two people may meet if what the rule needs is unknown for one of them."""
    priority: int | None = None
    """1 is relaxed first, 99 last; None: the usual one of the rule. A reporting line is never relaxed."""

    @property
    def looks_at(self) -> str:
        """The attribute that it compares."""
        return self.attribute or ATTRIBUTES[self.kind][0]

    def to_engine(self) -> tuple[engine.Rule, ...]:
        """The engine's rule, and for a reporting line that must be known the rule that says so."""
        options: dict[str, Any] = {"attribute": self.looks_at, "unknown_is_allowed": self.unknown_is_allowed}
        if self.priority is not None:
            options["priority"] = self.priority
        match self.kind:
            case RuleKind.REPORTING_LINE:
                return (engine.ReportingLine(), *(() if self.unknown_is_allowed else (engine.Known(**options),)))
            case RuleKind.SHARE:
                options["at_least"] = self.at_least or 1
            case RuleKind.GAP:
                options |= {"at_least": self.at_least, "at_most": self.at_most}
            case RuleKind.OFFERS_MEET_NEEDS:
                options["both_ways"] = self.both_ways
        return (RULES[self.kind](**options),)

    def without(self, rule: str) -> tuple["RuleChoice", ...]:
        """This choice without one of its rules: nothing, or a reporting line that need not be known."""
        names = [made.name for made in self.to_engine()]
        if rule not in names:
            return (self,)
        return () if rule == names[0] else (replace(self, unknown_is_allowed=True),)

    def flaws(self) -> Iterator[tuple[str, Flaw]]:
        """Fields whose numbers are wrong, and why."""
        least, most = self.at_least, self.at_most
        steps = range(0 if self.kind is RuleKind.GAP else 1, MOST_STEPS + 1)
        numbers = (("priority", self.priority, PRIORITIES), ("at_least", least, steps), ("at_most", most, steps))
        yield from ((field, Flaw.OUT_OF_RANGE) for field, value, values in numbers if value not in {None, *values})
        is_empty = (least is None and most is None) or (least is not None and most is not None and least > most)
        if self.kind is RuleKind.GAP and is_empty:
            yield "at_least", Flaw.GAP_EMPTY


@dataclass(frozen=True, slots=True)
class WishChoice:
    """A wish and how much it weighs."""

    kind: WishKind
    attribute: str = ""
    weight: Number = 1
    cap: int | None = None
    """For `GAP` and `EXTRA_SHARED`: how many steps or names count at most; None: `USUAL_STEPS`."""

    @property
    def looks_at(self) -> str:
        """The attribute that it compares."""
        return self.attribute or ATTRIBUTES[self.kind][0]

    def to_engine(self) -> engine.Wish:
        """The engine's wish."""
        options: dict[str, Any] = {"attribute": self.looks_at, "weight": self.weight}
        if self.kind is WishKind.NEAR_IN_TIME:
            del options["attribute"]
        if self.kind in {WishKind.GAP, WishKind.EXTRA_SHARED}:
            options["cap"] = self.weight * (USUAL_STEPS if self.cap is None else self.cap)
        return WISHES[self.kind](**options)

    def flaws(self) -> Iterator[tuple[str, Flaw]]:
        """Fields whose numbers are wrong, and why."""
        if self.weight not in WEIGHTS:
            yield "weight", Flaw.OUT_OF_RANGE
        if self.cap is not None and not 1 <= self.cap <= MOST_STEPS:
            yield "cap", Flaw.OUT_OF_RANGE


@dataclass(frozen=True, slots=True)
class Preferences:
    """Everything that a designer wants of an activity's groups. The default is pairs without rules or wishes."""

    kind: Kind = Kind.PAIRS
    size: Number = 2
    rules: tuple[RuleChoice, ...] = ()
    wishes: tuple[WishChoice, ...] = ()
    not_again: bool = False
    """Whether "never the same partner again" is a rule; otherwise repeats are only avoided where possible."""
    should_not_holds: bool = True
    """Whether "avoid pairing" holds like "never together" for the people whom staff named."""
    history_counts: bool = True
    """Whether other activities of the course count: who met, who began how often, who was left out."""

    @property
    def shape(self) -> Shape:
        """The shape of groups for the engine."""
        return Shape(self.kind, self.size)

    @property
    def reads(self) -> frozenset[str]:
        """The attributes that rules and wishes read, by their names in the engine."""
        rules, wishes = self.to_engine()
        return frozenset(chain(*(rule.reads for rule in rules), *(wish.reads for wish in wishes)))

    def to_engine(self) -> tuple[tuple[engine.Rule, ...], tuple[engine.Wish, ...]]:
        """The engine's rules and wishes, in order, without the people who are kept apart."""
        rules = [rule for choice in self.rules for rule in choice.to_engine()]
        if self.not_again:
            rules.append(engine.NotAgain())
        return tuple(rules), tuple(choice.to_engine() for choice in self.wishes)

    def going_round(self, *, is_ring: bool) -> "Preferences":
        """The same, with rings in the place of larger groups where each member writes to the next one. In pairs both
        write to each other anyway.
        """
        return replace(self, kind=Kind.RINGS) if is_ring and self.kind is not Kind.PAIRS else self

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
        """Plain values that `read` accepts."""
        return {**asdict(self), "rules": [asdict(rule) for rule in self.rules], "wishes": [*map(asdict, self.wishes)]}


Form = TypeVar("Form", Preferences, RuleChoice, WishChoice)
Choice = TypeVar("Choice", RuleChoice, WishChoice)

_WHOLE: Final = TypeAdapter(Preferences)
_RULE: Final = TypeAdapter(RuleChoice)
_WISH: Final = TypeAdapter(WishChoice)


def read(kept: Mapping[str, Any]) -> Preferences:
    """The preferences in these plain values; absent fields have their defaults.

    Raises PreferencesInvalid, which names every field that is wrong.
    """
    problems: list[Problem] = []
    rules, wishes = _rows(_RULE, kept, "rules", problems), _rows(_WISH, kept, "wishes", problems)
    head = {field: value for field, value in kept.items() if field not in {"rules", "wishes"}}
    wanted = _read(_WHOLE, _with_size(head), "", problems)
    if wanted is None:
        flawed = {problem.field for problem in problems}
        if flawed & {"kind", "size"}:
            flawed |= {"kind", "size"}
        wanted = _read(_WHOLE, {field: value for field, value in head.items() if field not in flawed}, "", [])
    problems += _check(wanted or Preferences(), rules, wishes)
    if wanted is None or problems:
        raise PreferencesInvalid(tuple(problems))
    return replace(
        wanted,
        rules=tuple(rule for rule in rules if rule is not None),
        wishes=tuple(wish for wish in wishes if wish is not None),
    )


def check(preferences: Preferences) -> tuple[Problem, ...]:
    """What is wrong, with the field it concerns: `size`, `rules.0.attribute`, `wishes.2.weight`."""
    return tuple(_check(preferences, preferences.rules, preferences.wishes))


def _with_size(values: dict[str, Any]) -> dict[str, Any]:
    """The values with the usual size of their kind, if they have no size."""
    kind = values.get("kind")
    return {"size": SIZES[Kind(kind)].start if kind in list(Kind) else 2, **values}


def _rows(
    adapter: TypeAdapter[Choice], kept: Mapping[str, Any], field: str, problems: list[Problem]
) -> list[Choice | None]:
    """The rules or wishes in order, with None for each that cannot be read."""
    rows = kept.get(field, [])
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        problems.append(Problem(field, Flaw.WRONG_FORM))
        return []
    return [_read(adapter, row, f"{field}.{number}.", problems) for number, row in enumerate(rows)]


def _read(adapter: TypeAdapter[Form], values: Mapping[str, Any], path: str, problems: list[Problem]) -> Form | None:
    """What the values say, or None after adding what is wrong to `problems`."""
    try:
        return adapter.validate_json(json.dumps(values), strict=True)
    except ValidationError as refusal:
        fields = [str(error["loc"][0]) for error in refusal.errors(include_url=False)]
    problems += [Problem(path + name, Flaw.UNKNOWN_KIND if name == "kind" else Flaw.WRONG_FORM) for name in fields]
    return None


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
    for number, choice in enumerate(choices):
        if choice is None:
            continue
        at, is_rule = f"{name}.{number}", isinstance(choice, RuleChoice)
        if choice.looks_at not in ATTRIBUTES[choice.kind]:
            yield Problem(f"{at}.attribute", Flaw.UNKNOWN_ATTRIBUTE)
        elif (choice.kind, choice.looks_at) in seen:
            yield Problem(f"{at}.kind", Flaw.LISTED_TWICE)
        elif is_rule and (OPPOSITES.get(choice.kind, ""), choice.looks_at) in seen:
            yield Problem(f"{at}.kind", Flaw.CONTRADICTS)
        seen.add((choice.kind, choice.looks_at))
        yield from (Problem(f"{at}.{field}", flaw) for field, flaw in choice.flaws())
