"""The constraints and weights of an instance, as rules and wishes of a course."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.interchange.people import NAMES, NUMBERS, SETS, People
from lti_tool.pairing.engine.interchange.reader import LARGEST, Reader, at
from lti_tool.pairing.engine.rules import Exclusions, Other, ReportingLine, Rule, RuleByValue, Same, Share
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap, RatherOther, RatherSame, Wish

MOST_POINTS: Final = 1_000_000

Written = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint as it is written, and the rule that it is."""

    path: str
    words: str
    """Its type, and the attribute if it has one."""
    rule: Rule

    @property
    def said(self) -> str:
        """How sentences call it: `constraints[0] (not_manager)`."""
        return f"{self.path} ({self.words})"


def constraints_of(reader: Reader, people: People, written: object) -> tuple[Constraint, ...]:
    """The hard constraints. Whose value is not known fits nobody in `share_any`, `same` and `differ`."""
    found = []
    for number, one in enumerate(reader.listed("constraints", written)):
        path = at("constraints", number)
        constraint = reader.named(path, one)
        kind = constraint.get("type")
        if kind == "exclude":
            couples = _excluded(reader, people, path, constraint)
            if couples:
                found.append(Constraint(path, kind, Exclusions(couples=tuple(couples))))
            continue
        make = RULES.get(kind) if isinstance(kind, str) else None
        if make is None:
            reader.mistake(at(path, "type"), f"{kind!r} is no constraint; there are {', '.join([*RULES, 'exclude'])}")
            continue
        rule = make(reader, path, constraint)
        if rule is not None:
            attribute = f" {rule.attribute}" if isinstance(rule, RuleByValue) else ""
            found.append(Constraint(path, f"{kind}{attribute}", rule))
    return tuple(found)


def rules_of(constraints: Iterable[Constraint]) -> tuple[Rule, ...]:
    """Each rule once, and all that is excluded as one rule."""
    rules = {one.rule.name: one.rule for one in constraints if not isinstance(one.rule, Exclusions)}
    excluded = [couple for one in constraints if isinstance(one.rule, Exclusions) for couple in one.rule.couples]
    return (*rules.values(), *([Exclusions(couples=tuple(excluded))] if excluded else []))


def _not_manager(reader: Reader, path: str, written: Written) -> Rule:
    reader.warn_of_others(path, written, {"type"})
    return ReportingLine()


def _share(reader: Reader, path: str, written: Written) -> Rule | None:
    attribute = _attribute(reader, path, written, SETS)
    return Share(attribute=attribute, unknown_is_allowed=False) if attribute else None


def _same(reader: Reader, path: str, written: Written) -> Rule | None:
    attribute = _attribute(reader, path, written, NAMES)
    return Same(attribute=attribute, unknown_is_allowed=False) if attribute else None


def _differ(reader: Reader, path: str, written: Written) -> Rule | None:
    attribute = _attribute(reader, path, written, NAMES)
    return Other(attribute=attribute, unknown_is_allowed=False) if attribute else None


RULES: Final[dict[str, Callable[[Reader, str, Written], Rule | None]]] = {
    "not_manager": _not_manager,
    "share_any": _share,
    "differ": _differ,
    "same": _same,
}


def _excluded(reader: Reader, people: People, path: str, written: Written) -> list[tuple[PersonId, PersonId]]:
    reader.warn_of_others(path, written, {"type", "pairs"})
    found = []
    for number, couple in enumerate(reader.listed(at(path, "pairs"), written.get("pairs"))):
        here = at(at(path, "pairs"), number)
        names = reader.members(here, couple)
        members = [one for one in (people.known(reader, here, name) for name in names) if one is not None]
        if len(names) != 2:
            reader.mistake(here, "two people are needed")
        elif len(members) == 2:
            found.append((members[0], members[1]))
    return found


def wishes_of(reader: Reader, people: People, written: object) -> tuple[Wish, ...]:
    """The soft constraints; those that are there twice add up. A weight of 0 is no wish."""
    found: list[Wish] = []
    for number, one in enumerate(reader.listed("weights", written)):
        path = at("weights", number)
        entry = reader.named(path, one)
        kind = entry.get("type")
        if not isinstance(kind, str) or kind not in WEIGHTS:
            reader.mistake(at(path, "type"), f"{kind!r} is no weight; there are {', '.join(WEIGHTS)}")
            continue
        forms, fields = WEIGHTS[kind]
        attribute = _attribute(reader, path, entry, forms, fields)
        weight = reader.number(at(path, "weight"), entry.get("weight"), least=0, most=MOST_POINTS)
        cap = MOST_POINTS
        if "cap" in fields and "cap" in entry:
            cap = reader.number(at(path, "cap"), entry["cap"], least=0, most=LARGEST)
        if attribute and weight and cap:
            found.append(_wish(kind, attribute, weight, _reachable(people, kind, attribute, weight, cap)))
    return tuple(found)


WEIGHTS: Final[dict[str, tuple[tuple[str, ...], frozenset[str]]]] = {
    "differ": (NAMES, frozenset({"type", "attribute", "weight"})),
    "same": (NAMES, frozenset({"type", "attribute", "weight"})),
    "gap": (NUMBERS, frozenset({"type", "attribute", "weight", "cap"})),
    "extra_shared": (SETS, frozenset({"type", "attribute", "weight", "cap"})),
}
"""For each type the attributes that it may look at, and the fields that it has."""


def _wish(kind: str, attribute: str, weight: int, cap: int) -> Wish:
    if kind == "differ":
        return RatherOther(attribute=attribute, weight=weight)
    if kind == "same":
        return RatherSame(attribute=attribute, weight=weight)
    if kind == "gap":
        return RatherGap(attribute=attribute, weight=weight, cap=cap)
    return ExtraShared(attribute=attribute, weight=weight, cap=cap)


def _reachable(people: People, kind: str, attribute: str, weight: int, cap: int) -> int:
    """A cap that is never reached would make all other numbers needlessly large."""
    values = people.attributes.get(attribute, {}).values()
    if kind == "gap":
        numbers = [one for one in values if isinstance(one, int)]
        return max(1, min(cap, weight * (max(numbers) - min(numbers)))) if numbers else 1
    return max(1, min(cap, weight * max((len(one) for one in values if isinstance(one, frozenset)), default=1)))


def _attribute(
    reader: Reader, path: str, written: Written, forms: tuple[str, ...], fields: frozenset[str] | None = None
) -> str:
    reader.warn_of_others(path, written, fields or {"type", "attribute"})
    attribute = written.get("attribute")
    if attribute not in forms:
        reader.mistake(at(path, "attribute"), f"one of these is needed: {', '.join(forms)}")
        return ""
    return str(attribute)
