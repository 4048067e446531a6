"""The interchange format `pairing/1`: an instance as JSON, read strictly. See docs/pairing-format.md.

Other programs name people by texts or numbers of their own; here they become 1, 2, 3 … in the order of those names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, NoReturn

from lti_tool.pairing.engine.course import Course, PersonId
from lti_tool.pairing.engine.interchange.locks import check_locks, locks_of
from lti_tool.pairing.engine.interchange.people import People, read_people
from lti_tool.pairing.engine.interchange.reader import InstanceFlawed, Name, Reader, alike, at, half_characters
from lti_tool.pairing.engine.interchange.rules import Constraint, constraints_of, rules_of, wishes_of
from lti_tool.pairing.engine.interchange.wording import first_of
from lti_tool.pairing.engine.interchange.wording import people as counted_people
from lti_tool.pairing.engine.rules import ReportingLine
from lti_tool.pairing.engine.schedule import Group


class InstanceKind(StrEnum):
    """What is asked for."""

    PAIRS = "pairs"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Instance:
    """What an instance says, with people as the engine knows them."""

    name: str
    kind: InstanceKind
    seed: int
    course: Course
    """Everybody who takes part: who left is not in it, who joined is."""
    names: Mapping[PersonId, Name]
    """What the instance calls its people, those who left included."""
    rounds: int = 1
    current: tuple[Group, ...] | None = None
    """Repair: the groups of the round that is running; the first is coach where roles are given."""
    has_roles: bool = False
    """Whether every group of `current` has roles."""
    left: frozenset[PersonId] = frozenset()
    joined: frozenset[PersonId] = frozenset()
    reviews_per_person: int = 0
    constraints: tuple[Constraint, ...] = ()
    """The rules of the course as the instance writes them."""
    warnings: tuple[str, ...] = ()
    """What is odd in how it is written and no mistake, in plain sentences; `noting` has more."""


def read_text(text: str) -> Instance:
    """Read an instance. Raises InstanceFlawed, which names every mistake that was found; nothing is half read."""
    try:
        written = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as mistake:
        raise InstanceFlawed((f"This is not JSON: {mistake}",)) from None
    return read_instance(written)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice in one object")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


ROLES: Final = ("coach", "observer", "coachee")
"""In order of turn; in a group of two nobody observes."""
KNOWN: Final = frozenset(
    {"name", "seed", "kind", "people", "constraints", "weights", "past", "locked", "rounds", "current", "left"}
    | {"joined", "reviews_per_person", "outside_managers"}
)


def read_instance(written: object) -> Instance:
    """As `read_text`, from what a JSON reader made of it."""
    reader = Reader()
    if not isinstance(written, dict):
        raise InstanceFlawed(("An instance is a JSON object.",))
    halves = dict.fromkeys(half_characters(written))
    if halves:
        raise InstanceFlawed(tuple(f"{path}: has half a character, which no file can hold" for path in sorted(halves)))
    reader.warn_of_others("", written, KNOWN)
    kind = reader.one_of("kind", written.get("kind", "pairs"), InstanceKind)
    rounds = 1
    if kind == InstanceKind.PAIRS and ("rounds" in written or "current" not in written):
        rounds = reader.number("rounds", written.get("rounds"), least=1, most=10_000)
    current = reader.listed("current", written["current"]) if "current" in written else None
    people = read_people(reader, written, [] if current is None else current)
    groups, has_roles = _current(reader, people, current or [])
    reviews_per_person = 0
    if kind == InstanceKind.REVIEW:
        reviews_per_person = reader.number("reviews_per_person", written.get("reviews_per_person"), least=1)
    constraints = constraints_of(reader, people, written.get("constraints", []))
    may_be_outside = reader.flag("outside_managers", written.get("outside_managers", False))
    if not may_be_outside and any(isinstance(one.rule, ReportingLine) for one in constraints):
        for path, name in people.strange_managers:
            reader.mistake(path, f'{name!r} is nobody of this instance ("outside_managers": true allows that)')
    instance = Instance(
        name=reader.text("name", written.get("name", "")),
        kind=InstanceKind(kind),
        seed=reader.number("seed", written.get("seed", 0), least=0, most=2**63 - 1),
        course=_course(reader, written, people, constraints, rounds),
        names=people.names,
        rounds=rounds,
        current=None if current is None else groups,
        has_roles=has_roles,
        left=people.left,
        joined=people.joined,
        reviews_per_person=reviews_per_person,
        constraints=constraints,
    )
    _warn(reader, instance, people)
    if reader.mistakes:
        raise InstanceFlawed(tuple(reader.mistakes))
    return replace(instance, warnings=tuple(reader.warnings))


def _course(
    reader: Reader, written: Mapping[str, Any], people: People, constraints: tuple[Constraint, ...], rounds: int
) -> Course:
    wishes = wishes_of(reader, people, written.get("weights", []))
    met = _past(reader, people, written.get("past", []))
    # What stands in for a mistake elsewhere would make mistakes of good locks.
    is_sound = not reader.mistakes
    locks = locks_of(reader, people, written.get("locked", []), rounds)
    if is_sound and written.get("kind") != InstanceKind.REVIEW:
        check_locks(reader, people, locks, constraints)
    return Course(
        people=people.here,
        met=met,
        attributes=people.attributes,
        rules=rules_of(constraints),
        wishes=wishes,
        locks=tuple(dict.fromkeys(one.lock for one in locks)),
        ahead=people.ahead,
        left_out=people.unpaired_last,
    )


def _past(reader: Reader, people: People, written: object) -> tuple[tuple[PersonId, PersonId], ...]:
    found: list[tuple[PersonId, PersonId]] = []
    for number, meeting in enumerate(reader.listed("past", written)):
        path = at(at("past", number), "members")
        members = reader.members(at("past", number), meeting)
        known = [people.find(one) for one in members]
        if len(members) < 2:
            reader.mistake(path, "two people are needed")
        for name, one in zip(members, known, strict=True):
            if one is None:
                reader.warn(f"{path}: {name!r} is nobody of this instance, so this meeting counts for the others only")
        here = sorted(one for one in known if one is not None)
        found += [(one, other) for place, one in enumerate(here) for other in here[place + 1 :]]
    return tuple(found)


def _current(reader: Reader, people: People, current: list[Any]) -> tuple[tuple[Group, ...], bool]:
    """The running round, and whether every group has roles. A group is as in a result, or the list of its members."""
    groups: list[Group] = []
    with_roles = 0
    seated: set[PersonId] = set()
    for number, written in enumerate(current):
        path = at("current", number)
        names = reader.members(path, written)
        members = tuple(one for one in (people.known(reader, path, name) for name in names) if one is not None)
        if len(names) not in {2, 3}:
            reader.mistake(path, "a group has two or three members")
        for one in sorted(seated.intersection(members)):
            reader.mistake(path, f"{people.names[one]!r} is in two groups")
        for one in sorted(people.joined.intersection(members)):
            reader.mistake(path, f"{people.names[one]!r} joined and has a group already")
        seated.update(members)
        roles = written.get("roles") if isinstance(written, dict) else None
        if roles:
            with_roles += 1
            members = _in_order_of_roles(reader, path, people, members, roles)
        groups.append(members)
    return tuple(groups), with_roles == len(groups) > 0


def _in_order_of_roles(reader: Reader, path: str, people: People, members: Group, roles: object) -> Group:
    """First the coach, last the coachee."""
    wanted = ROLES if len(members) == 3 else (ROLES[0], ROLES[-1])
    given = {alike(name): str(role) for name, role in roles.items()} if isinstance(roles, dict) else {}
    by_role = {given.get(alike(people.names[one])): one for one in members}
    if len(given) != len(members) or any(role not in by_role for role in wanted):
        reader.mistake(at(path, "roles"), f"each member has one of these roles, each once: {', '.join(wanted)}")
        return members
    return tuple(by_role[role] for role in wanted)


def _warn(reader: Reader, instance: Instance, people: People) -> None:
    course = instance.course
    if not course.people:
        reader.warn("people: there is nobody")
    if instance.current is not None:
        seated = {one for group in instance.current for one in group}
        waiting = sorted(set(course.people) - seated - instance.joined)
        if waiting:
            who = first_of(waiting, people.names)
            reader.warn(f"current: {counted_people(len(waiting))} in no group and not in joined: {who}")
