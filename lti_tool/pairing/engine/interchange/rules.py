"""The constraints, weights and locks of an instance, as rules, wishes and locks of a course."""

from collections.abc import Callable
from typing import Any, Final

from lti_tool.pairing.engine.course import Lock, PersonId
from lti_tool.pairing.engine.interchange.people import NAMES, NUMBERS, SETS, People
from lti_tool.pairing.engine.interchange.reader import LARGEST, Reader, at
from lti_tool.pairing.engine.rules import Exclusions, Other, ReportingLine, Rule, Same, Share
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap, RatherOther, RatherSame, Wish

MOST_POINTS: Final = 1_000_000

Written = dict[str, Any]


def rules_of(reader: Reader, people: People, written: object) -> tuple[Rule, ...]:
    """The hard constraints. Whose value is not known fits nobody in `share_any`, `same` and `differ`."""
    found: dict[str, Rule] = {}
    excluded: list[tuple[PersonId, PersonId]] = []
    for number, one in enumerate(reader.listed("constraints", written)):
        path = at("constraints", number)
        constraint = reader.named(path, one)
        kind = constraint.get("type")
        if kind == "exclude":
            excluded += _excluded(reader, people, path, constraint)
            continue
        make = RULES.get(kind) if isinstance(kind, str) else None
        if make is None:
            reader.mistake(at(path, "type"), f"{kind!r} is no constraint; there are {', '.join([*RULES, 'exclude'])}")
            continue
        rule = make(reader, path, constraint)
        if rule is not None:
            found[rule.name] = rule
    if excluded:
        found["exclude"] = Exclusions(couples=tuple(excluded))
    return tuple(found.values())


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


def locks_of(reader: Reader, people: People, written: object, rounds: int) -> tuple[Lock, ...]:
    """Who must be together in which round. Two locks on one person in a round are a mistake."""
    found: dict[tuple[int, PersonId], tuple[PersonId, ...]] = {}
    locks: list[Lock] = []
    for number, one in enumerate(reader.listed("locked", written)):
        path = at("locked", number)
        entry = reader.named(path, one)
        reader.warn_of_others(path, entry, {"round", "members"})
        round_ = reader.number(at(path, "round"), entry.get("round"), least=1, most=rounds)
        names = reader.members(path, entry)
        members = [one for one in (people.known(reader, path, name) for name in names) if one is not None]
        if len(names) not in {2, 3}:
            reader.mistake(path, "two or three members are needed")
        group = tuple(sorted(one for one in members if one not in people.left))
        for person in group:
            if found.setdefault((round_, person), group) != group:
                reader.mistake(path, f"{people.names[person]!r} is locked twice in round {round_}")
        if len(group) > 1:
            locks.append(Lock(group, round_))
    return tuple(dict.fromkeys(locks))
