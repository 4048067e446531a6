"""What a designer wants of the groups: their shape, the rules that hold, and the wishes. Plain data.

`read` takes the form that the database stores and that a page may send, and says which fields are wrong; `to_engine`
makes the engine's rules and wishes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError, ValidationInfo

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Kind, Shape
from lti_tool.pairing.errors import PreferencesInvalid

NAMES: Final = ("department", "group", "cohort")
"""Attributes with one name for each person."""
LISTS: Final = ("languages", "slots")
"""Attributes with several names for each person."""
MOST_STEPS: Final = 3
"""How many steps of difference, or names beyond the first, count in a wish."""
MOST_CHOICES: Final = 20
SIZES: Final = {Kind.PAIRS: range(2, 3), Kind.TRIOS: range(3, 4), Kind.CIRCLES: range(3, 7), Kind.RINGS: range(3, 7)}

Number = Annotated[int, BeforeValidator(lambda value: 0 if value is None else value)]
"""A whole number; an empty field is read as 0, which is out of every range."""
Steps = Annotated[int, Field(ge=0, le=100)]


class RuleKind(StrEnum):
    """What a rule requires. "Never again" and keeping two people apart are fields of `Preferences`."""

    REPORTING_LINE = "reporting_line"
    """Never a person's manager or anyone above them."""
    OTHER = "other"
    SAME = "same"
    SHARE = "share"
    """At least this many names in common: languages, time slots."""
    GAP = "gap"
    """A difference in experience, at least and at most."""
    OFFERS_MEET_NEEDS = "offers_meet_needs"


class WishKind(StrEnum):
    """What a wish gives points for."""

    OTHER = "other"
    SAME = "same"
    GAP = "gap"
    """`weight` for each step of difference, up to `MOST_STEPS`."""
    EXTRA_SHARED = "extra_shared"
    """`weight` for each name in common beyond the first, up to `MOST_STEPS`."""
    NEAR_IN_TIME = "near_in_time"
    OFFERS_FIT = "offers_fit"


RULES: Final[Mapping[RuleKind, tuple[type[engine.Rule], tuple[str, ...]]]] = {
    RuleKind.REPORTING_LINE: (engine.ReportingLine, ("manager",)),
    RuleKind.OTHER: (engine.Other, NAMES),
    RuleKind.SAME: (engine.Same, NAMES),
    RuleKind.SHARE: (engine.Share, LISTS),
    RuleKind.GAP: (engine.ExperienceGap, ("experience",)),
    RuleKind.OFFERS_MEET_NEEDS: (engine.OffersMeetNeeds, ("offers",)),
}
"""The engine's rule for each kind, and the attributes that it can compare; the first is the usual one."""
WISHES: Final[Mapping[WishKind, tuple[type[engine.Wish], tuple[str, ...]]]] = {
    WishKind.OTHER: (engine.RatherOther, NAMES),
    WishKind.SAME: (engine.RatherSame, NAMES),
    WishKind.GAP: (engine.RatherGap, ("experience",)),
    WishKind.EXTRA_SHARED: (engine.ExtraShared, LISTS),
    WishKind.NEAR_IN_TIME: (engine.NearInTime, ("time_zone",)),
    WishKind.OFFERS_FIT: (engine.OffersFit, ("offers",)),
}
"""The same for wishes."""
OPPOSITES: Final[Mapping[str, str]] = {RuleKind.SAME: RuleKind.OTHER, RuleKind.OTHER: RuleKind.SAME}


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """A rule that holds, with its parameters."""

    kind: RuleKind
    attribute: str = ""
    """Empty: the usual one of the kind."""
    at_least: Steps | None = None
    """For `SHARE`: how many names (1 if None). For `GAP`: the smallest difference."""
    at_most: Steps | None = None
    """For `GAP`: the largest difference."""
    both_ways: bool = False
    """For `OFFERS_MEET_NEEDS`: each offers what the other needs."""
    unknown_is_allowed: bool = True
    """Whether two people may meet if what the rule needs is unknown for one of them."""
    priority: Annotated[int, Field(ge=1, le=99)] | None = None
    """1 is relaxed first, 99 last; None: the usual one of the rule. A reporting line is never relaxed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "attribute", self.attribute or RULES[self.kind][1][0])

    def to_engine(self) -> tuple[engine.Rule, ...]:
        """The engine's rule, and for a reporting line that must be known the rule that says so."""
        options: dict[str, Any] = {"attribute": self.attribute, "unknown_is_allowed": self.unknown_is_allowed}
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
        return (RULES[self.kind][0](**options),)

    def without(self, rule: str) -> tuple["RuleChoice", ...]:
        """This choice without one of its rules: nothing, or a reporting line that need not be known."""
        names = [made.name for made in self.to_engine()]
        if rule not in names:
            return (self,)
        return () if rule == names[0] else (replace(self, unknown_is_allowed=True),)


@dataclass(frozen=True, slots=True)
class WishChoice:
    """A wish and how much it weighs."""

    kind: WishKind
    attribute: str = ""
    weight: Annotated[Number, Field(ge=1, le=100)] = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "attribute", self.attribute or WISHES[self.kind][1][0])

    def to_engine(self) -> engine.Wish:
        """The engine's wish."""
        options: dict[str, Any] = {"attribute": self.attribute, "weight": self.weight}
        if self.kind is WishKind.NEAR_IN_TIME:
            del options["attribute"]
        if self.kind in {WishKind.GAP, WishKind.EXTRA_SHARED}:
            options["cap"] = self.weight * MOST_STEPS
        return WISHES[self.kind][0](**options)


Choice = TypeVar("Choice", RuleChoice, WishChoice)


def _fits(size: int, whole: ValidationInfo) -> int:
    if "kind" in whole.data and size not in SIZES[whole.data["kind"]]:
        raise ValueError("size")
    return size


def _known(choice: Choice) -> Choice:
    fitting = RULES[choice.kind] if isinstance(choice, RuleChoice) else WISHES[choice.kind]
    if choice.attribute not in fitting[1]:
        raise ValueError("unknown_attribute", "attribute")
    return choice


def _sound(choice: RuleChoice) -> RuleChoice:
    least, most = choice.at_least, choice.at_most
    is_empty = (least is None and most is None) or (least is not None and most is not None and least > most)
    if choice.kind is RuleKind.GAP and is_empty:
        raise ValueError("gap_empty", "at_least")
    if choice.kind is not RuleKind.GAP and 0 in {least, most}:
        raise ValueError("greater_than_equal", "at_least")
    return choice


def _compatible(choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
    seen: set[tuple[str, str]] = set()
    for number, choice in enumerate(choices):
        if (choice.kind, choice.attribute) in seen:
            raise ValueError("listed_twice", f"{number}.kind")
        if isinstance(choice, RuleChoice) and (OPPOSITES.get(choice.kind, ""), choice.attribute) in seen:
            raise ValueError("contradicts", f"{number}.kind")
        seen.add((choice.kind, choice.attribute))
    return choices


@dataclass(frozen=True, slots=True)
class Preferences:
    """Everything that a designer wants of an activity's groups. The default is pairs without rules or wishes."""

    kind: Kind = Kind.PAIRS
    size: Annotated[Number, AfterValidator(_fits)] = 2
    rules: Annotated[
        tuple[Annotated[RuleChoice, AfterValidator(_known), AfterValidator(_sound)], ...],
        Field(max_length=MOST_CHOICES),
        AfterValidator(_compatible),
    ] = ()
    wishes: Annotated[
        tuple[Annotated[WishChoice, AfterValidator(_known)], ...],
        Field(max_length=MOST_CHOICES),
        AfterValidator(_compatible),
    ] = ()
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
        values: dict[str, Any] = _PREFERENCES.dump_python(self, mode="json")
        return values


_PREFERENCES: Final = TypeAdapter(Preferences)


def read(kept: Mapping[str, Any]) -> Preferences:
    """The preferences in these plain values; absent fields have their defaults.

    Raises PreferencesInvalid, which names every field that is wrong: `size`, `rules.0.attribute`, `wishes.2.weight`.
    """
    kind = kept.get("kind")
    size = SIZES[Kind(kind)].start if kind in list(Kind) else 2
    try:
        return _PREFERENCES.validate_json(json.dumps({"size": size, **kept}), strict=True)
    except ValidationError as refusal:
        raise PreferencesInvalid(dict(map(_problem, refusal.errors(include_url=False)))) from None


def _problem(error: Mapping[str, Any]) -> tuple[str, str]:
    """The field and the flaw; our own errors carry its name, and the rest of the path where there is one."""
    name, *rest = error["ctx"]["error"].args if error["type"] == "value_error" else (error["type"],)
    return ".".join(map(str, (*error["loc"], *rest))), name
