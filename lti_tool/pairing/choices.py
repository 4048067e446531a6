"""The rules and wishes that a designer may choose, with their parameters. Plain data that makes the engine's own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from lti_tool.pairing.engine.rules import ExperienceGap, Known, OffersMeetNeeds, Other, ReportingLine, Rule, Same, Share
from lti_tool.pairing.engine.wishes import (
    ExtraShared,
    NearInTime,
    OffersFit,
    RatherGap,
    RatherOther,
    RatherSame,
    Wish,
)

NAMES: Final = ("department", "group", "cohort")
"""Attributes with one name a person."""
LISTS: Final = ("languages", "slots")
"""Attributes with several names a person, of which two people may have some in common."""
HIGHEST_PRIORITY: Final = 99
HIGHEST_WEIGHT: Final = 100
MOST_STEPS: Final = 100
USUAL_STEPS: Final = 3


class RuleKind(StrEnum):
    """What a rule demands. `NOT_AGAIN` and who must not meet whom are not in this list: see `Preferences`."""

    REPORTING_LINE = "reporting_line"
    """Never the own manager nor anybody above them."""
    SAME = "same"
    OTHER = "other"
    SHARE = "share"
    """So many names in common: languages, time slots."""
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
    WishKind.SAME: NAMES,
    WishKind.OTHER: NAMES,
    WishKind.GAP: ("experience",),
    WishKind.EXTRA_SHARED: LISTS,
    WishKind.NEAR_IN_TIME: ("time_zone",),
    WishKind.OFFERS_FIT: ("offers",),
}
"""The attributes that a kind may look at; the first is its own where there is no choice."""


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
    """Left empty it is the kind's own."""
    at_least: int | None = None
    """Of `SHARE`: how many names (1 if None). Of `GAP`: the smallest difference."""
    at_most: int | None = None
    """Of `GAP`: the largest difference."""
    both_ways: bool = False
    """Of `OFFERS_MEET_NEEDS`: each offers what the other needs."""
    unknown_is_allowed: bool = True
    """What becomes of a couple of whom one is not known enough."""
    priority: int | None = None
    """1 gives way first, 99 last; None: the rule's usual one. A reporting line never gives way."""

    @property
    def name(self) -> str:
        """The name that the engine gives this rule; unique in an activity."""
        return self.to_engine()[0].name

    @property
    def looks_at(self) -> str:
        return self.attribute or ATTRIBUTES[self.kind][0]

    def to_engine(self) -> tuple[Rule, ...]:
        """The engine's rule, and for a reporting line that must be known the rule that says so."""
        options: dict[str, Any] = {"attribute": self.looks_at, "unknown_is_allowed": self.unknown_is_allowed}
        if self.priority is not None:
            options["priority"] = self.priority
        match self.kind:
            case RuleKind.REPORTING_LINE:
                return (ReportingLine(), *(() if self.unknown_is_allowed else (Known(**options),)))
            case RuleKind.SAME:
                return (Same(**options),)
            case RuleKind.OTHER:
                return (Other(**options),)
            case RuleKind.SHARE:
                return (Share(**options, at_least=self.at_least or 1),)
            case RuleKind.GAP:
                return (ExperienceGap(**options, at_least=self.at_least, at_most=self.at_most),)
            case RuleKind.OFFERS_MEET_NEEDS:
                return (OffersMeetNeeds(**options, both_ways=self.both_ways),)

    def without(self, rule: str) -> tuple["RuleChoice", ...]:
        """This choice with one of its rules switched off: nothing, or a line that need not be known."""
        names = [one.name for one in self.to_engine()]
        if rule not in names:
            return (self,)
        return () if rule == names[0] else (replace(self, unknown_is_allowed=True),)


@dataclass(frozen=True, slots=True)
class WishChoice:
    """One wish and how much it weighs."""

    kind: WishKind
    attribute: str = ""
    weight: int = 1
    cap: int | None = None
    """Of `GAP` and `EXTRA_SHARED`: how many steps or names count at most; None: `USUAL_STEPS`."""

    @property
    def name(self) -> str:
        """The name that the engine gives this wish; unique in an activity."""
        return self.to_engine().name

    @property
    def looks_at(self) -> str:
        return self.attribute or ATTRIBUTES[self.kind][0]

    def to_engine(self) -> Wish:
        """The engine's wish."""
        options: dict[str, Any] = {"attribute": self.looks_at, "weight": self.weight}
        cap = self.weight * (USUAL_STEPS if self.cap is None else self.cap)
        match self.kind:
            case WishKind.SAME:
                return RatherSame(**options)
            case WishKind.OTHER:
                return RatherOther(**options)
            case WishKind.GAP:
                return RatherGap(**options, cap=cap)
            case WishKind.EXTRA_SHARED:
                return ExtraShared(**options, cap=cap)
            case WishKind.NEAR_IN_TIME:
                return NearInTime(weight=self.weight)
            case WishKind.OFFERS_FIT:
                return OffersFit(**options)


def wish_flaws(wish: WishChoice) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with a wish's numbers: field and word."""
    if not 1 <= wish.weight <= HIGHEST_WEIGHT:
        yield "weight", Flaw.OUT_OF_RANGE
    if wish.cap is not None and not 1 <= wish.cap <= MOST_STEPS:
        yield "cap", Flaw.OUT_OF_RANGE


def rule_flaws(rule: RuleChoice) -> Iterator[tuple[str, Flaw]]:
    """What is wrong with a rule's numbers: field and word."""
    if rule.priority is not None and not 1 <= rule.priority <= HIGHEST_PRIORITY:
        yield "priority", Flaw.OUT_OF_RANGE
    lowest = 0 if rule.kind is RuleKind.GAP else 1
    for field, value in (("at_least", rule.at_least), ("at_most", rule.at_most)):
        if value is not None and not lowest <= value <= MOST_STEPS:
            yield field, Flaw.OUT_OF_RANGE
    if rule.kind is RuleKind.GAP:
        least, most = rule.at_least, rule.at_most
        if (least is None and most is None) or (least is not None and most is not None and least > most):
            yield "at_least", Flaw.GAP_EMPTY
