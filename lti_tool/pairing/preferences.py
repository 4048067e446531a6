"""What a designer wants of groups: their shape, which rules hold in what order, what is wished for. Plain data.

`read` takes the form that the database keeps and that a page may send, `check` says field by field what is wrong, and
`to_engine` makes the engine's own rules and wishes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeVar

from lti_tool.pairing.choices import (
    ATTRIBUTES,
    Flaw,
    RuleChoice,
    RuleKind,
    WishChoice,
    WishKind,
    rule_flaws,
    wish_flaws,
)
from lti_tool.pairing.engine import Kind, Shape
from lti_tool.pairing.engine.rules import NotAgain, Rule, ShouldNot
from lti_tool.pairing.engine.wishes import Wish
from lti_tool.pairing.errors import PreferencesInvalid, Problem

__all__ = ["ATTRIBUTES", "Flaw", "Preferences", "RuleChoice", "RuleKind", "WishChoice", "WishKind", "check", "read"]

Word = TypeVar("Word", bound=StrEnum)

MOST_CHOICES: Final = 20
SIZES: Final = {Kind.PAIRS: range(2, 3), Kind.TRIOS: range(3, 4), Kind.CIRCLES: range(3, 7), Kind.RINGS: range(3, 7)}
OPPOSITES: Final[Mapping[str, str]] = {RuleKind.SAME: RuleKind.OTHER, RuleKind.OTHER: RuleKind.SAME}


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
    unread = {_place(problem) for problem in reader.problems}
    problems = reader.problems + [problem for problem in check(found) if _place(problem) not in unread]
    if problems:
        raise PreferencesInvalid(tuple(problems))
    return found


def _place(problem: Problem) -> str:
    """The part that is judged as one: a rule, a wish, the shape, or the field itself."""
    return "shape" if problem.field in {"kind", "size"} else problem.field.rpartition(".")[0] or problem.field


def check(preferences: Preferences) -> tuple[Problem, ...]:
    """What is wrong, with the field it concerns: `size`, `rules.0.attribute`, `wishes.2.weight`."""
    return tuple(_problems(preferences))


def _problems(preferences: Preferences) -> Iterator[Problem]:
    if preferences.size not in SIZES[preferences.kind]:
        yield Problem("size", Flaw.SIZE)
    yield from _list_problems("rules", preferences.rules)
    yield from _list_problems("wishes", preferences.wishes)
    for at, rule in enumerate(preferences.rules):
        yield from (Problem(f"rules.{at}.{field}", flaw) for field, flaw in rule_flaws(rule))
    for at, wish in enumerate(preferences.wishes):
        yield from (Problem(f"wishes.{at}.{field}", flaw) for field, flaw in wish_flaws(wish))


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
