"""What a designer wants of groups: their shape, which rules hold in what order, what is wished for. Plain data.

`read` takes the form that the database keeps and that a page may send, `check` says field by field what is wrong, and
`to_engine` makes the engine's own rules and wishes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from lti_tool.pairing.engine import Kind, Shape
from lti_tool.pairing.engine.rules import (
    ExperienceGap,
    Known,
    NotAgain,
    OffersMeetNeeds,
    Other,
    ReportingLine,
    Rule,
    Same,
    Share,
    ShouldNot,
)
from lti_tool.pairing.engine.wishes import (
    ExtraShared,
    NearInTime,
    OffersFit,
    RatherGap,
    RatherOther,
    RatherSame,
    Wish,
)
from lti_tool.pairing.errors import PreferencesInvalid, Problem

Word = TypeVar("Word", bound=StrEnum)

NAMES: Final = ("department", "group", "cohort")
"""Attributes with one name a person."""
LISTS: Final = ("languages", "slots")
"""Attributes with several names a person, of which two people may have some in common."""
MOST_CHOICES: Final = 20
HIGHEST_PRIORITY: Final = 99
HIGHEST_WEIGHT: Final = 100
MOST_STEPS: Final = 100
USUAL_STEPS: Final = 3
SIZES: Final = {Kind.PAIRS: range(2, 3), Kind.TRIOS: range(3, 4), Kind.CIRCLES: range(3, 7), Kind.RINGS: range(3, 7)}


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


@dataclass(frozen=True, slots=True)
class Preferences:
    """Everything that a designer wants of an activity's groups. The default asks for pairs and nothing else."""

    kind: Kind = Kind.PAIRS
    size: int = 2
    rules: tuple[RuleChoice, ...] = ()
    wishes: tuple[WishChoice, ...] = ()
    not_again: bool = False
    """Whether "never the same partner again" is a rule; else a repeat is only avoided where it can be."""
    should_not_holds: bool = True
    """Whether couples of whom somebody said "rather not" are kept apart like those of whom they said "never"."""
    history_counts: bool = True
    """Whether other activities of the course count: who met, who began how often, who was left out."""

    @property
    def shape(self) -> Shape:
        return Shape(self.kind, self.size)

    @property
    def reads(self) -> frozenset[str]:
        """The attributes that have a say, by the engine's names."""
        rules, wishes = self.to_engine()
        return frozenset(name for rule in rules for name in rule.reads) | {
            name for wish in wishes for name in wish.reads
        }

    def to_engine(self) -> tuple[tuple[Rule, ...], tuple[Wish, ...]]:
        """The engine's rules and wishes, in the order of the lists; who must not meet whom is not among them."""
        rules = [rule for one in self.rules for rule in one.to_engine()]
        if self.not_again:
            rules.append(NotAgain())
        return tuple(rules), tuple(one.to_engine() for one in self.wishes)

    def without(self, rule: str) -> "Preferences":
        """The same with one rule switched off, by its name in the engine; unchanged where none has that name."""
        return replace(
            self,
            rules=tuple(kept for one in self.rules for kept in one.without(rule)),
            not_again=self.not_again and rule != NotAgain().name,
            should_not_holds=self.should_not_holds and rule != ShouldNot(couples=()).name,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values; `read` takes them back."""
        return {
            **asdict(self),
            "rules": [asdict(one) for one in self.rules],
            "wishes": [asdict(one) for one in self.wishes],
        }


def read(kept: Mapping[str, Any]) -> Preferences:
    """The preferences that these plain values say; absent fields have their defaults.

    Raises PreferencesInvalid, which names every field that is wrong, and does not guess.
    """
    reader = _Reader([])
    shape = reader.word(kept, "kind", "", Kind, Kind.PAIRS)
    found = Preferences(
        kind=shape,
        size=reader.number(kept, "size", "", SIZES[shape][0]) or 0,
        rules=tuple(reader.rule(one, f"rules.{at}.") for at, one in enumerate(reader.rows(kept, "rules"))),
        wishes=tuple(reader.wish(one, f"wishes.{at}.") for at, one in enumerate(reader.rows(kept, "wishes"))),
        not_again=reader.truth(kept, "not_again", "", False),
        should_not_holds=reader.truth(kept, "should_not_holds", "", True),
        history_counts=reader.truth(kept, "history_counts", "", True),
    )
    problems = tuple(reader.problems) or check(found)
    if problems:
        raise PreferencesInvalid(problems)
    return found


def check(preferences: Preferences) -> tuple[Problem, ...]:
    """What is wrong, with the field it concerns: `size`, `rules.0.attribute`, `wishes.2.weight`."""
    return tuple(_problems(preferences))


def _problems(preferences: Preferences) -> Iterator[Problem]:
    if preferences.size not in SIZES[preferences.kind]:
        yield Problem("size", Flaw.SIZE)
    yield from _list_problems("rules", preferences.rules)
    yield from _list_problems("wishes", preferences.wishes)
    for at, rule in enumerate(preferences.rules):
        yield from (Problem(f"rules.{at}.{field}", flaw) for field, flaw in _rule_flaws(rule))
    for at, wish in enumerate(preferences.wishes):
        if not 1 <= wish.weight <= HIGHEST_WEIGHT:
            yield Problem(f"wishes.{at}.weight", Flaw.OUT_OF_RANGE)
        if wish.cap is not None and not 1 <= wish.cap <= MOST_STEPS:
            yield Problem(f"wishes.{at}.cap", Flaw.OUT_OF_RANGE)


def _list_problems(name: str, choices: Sequence[RuleChoice | WishChoice]) -> Iterator[Problem]:
    if len(choices) > MOST_CHOICES:
        yield Problem(name, Flaw.TOO_MANY)
    seen: set[tuple[str, str]] = set()
    for at, choice in enumerate(choices):
        is_rule = isinstance(choice, RuleChoice)
        if choice.looks_at not in ATTRIBUTES[choice.kind]:
            yield Problem(f"{name}.{at}.attribute", Flaw.UNKNOWN_ATTRIBUTE)
        elif (choice.kind, choice.looks_at) in seen:
            yield Problem(f"{name}.{at}.kind", Flaw.LISTED_TWICE)
        elif is_rule and (OPPOSITES.get(choice.kind, ""), choice.looks_at) in seen:
            yield Problem(f"{name}.{at}.kind", Flaw.CONTRADICTS)
        seen.add((choice.kind, choice.looks_at))


def _rule_flaws(rule: RuleChoice) -> Iterator[tuple[str, Flaw]]:
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


@dataclass(frozen=True, slots=True)
class _Reader:
    """Takes values of the right form, and notes each that is not."""

    problems: list[Problem]

    def rule(self, kept: Mapping[str, Any], path: str) -> RuleChoice:
        return RuleChoice(
            kind=self.word(kept, "kind", path, RuleKind, None),
            attribute=self.text(kept, "attribute", path),
            at_least=self.number(kept, "at_least", path, None),
            at_most=self.number(kept, "at_most", path, None),
            both_ways=self.truth(kept, "both_ways", path, False),
            unknown_is_allowed=self.truth(kept, "unknown_is_allowed", path, True),
            priority=self.number(kept, "priority", path, None),
        )

    def wish(self, kept: Mapping[str, Any], path: str) -> WishChoice:
        return WishChoice(
            kind=self.word(kept, "kind", path, WishKind, None),
            attribute=self.text(kept, "attribute", path),
            weight=self.number(kept, "weight", path, 1) or 0,
            cap=self.number(kept, "cap", path, None),
        )

    def rows(self, kept: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
        found = kept.get(field, [])
        if not isinstance(found, list | tuple) or not all(isinstance(one, Mapping) for one in found):
            self.problems.append(Problem(field, Flaw.WRONG_FORM))
            return []
        return list(found)

    def word(self, kept: Mapping[str, Any], field: str, path: str, words: type[Word], usual: Word | None) -> Word:
        try:
            return words(kept[field]) if field in kept or usual is None else usual
        except (KeyError, ValueError):
            self.problems.append(Problem(path + field, Flaw.UNKNOWN_KIND))
            return next(iter(words))

    def text(self, kept: Mapping[str, Any], field: str, path: str) -> str:
        found = kept.get(field, "")
        if isinstance(found, str):
            return found
        self.problems.append(Problem(path + field, Flaw.WRONG_FORM))
        return ""

    def number(self, kept: Mapping[str, Any], field: str, path: str, usual: int | None) -> int | None:
        found = kept.get(field, usual)
        if found is None or (isinstance(found, int) and not isinstance(found, bool)):
            return found
        self.problems.append(Problem(path + field, Flaw.WRONG_FORM))
        return usual

    def truth(self, kept: Mapping[str, Any], field: str, path: str, usual: bool) -> bool:
        found = kept.get(field, usual)
        if isinstance(found, bool):
            return found
        self.problems.append(Problem(path + field, Flaw.WRONG_FORM))
        return usual
