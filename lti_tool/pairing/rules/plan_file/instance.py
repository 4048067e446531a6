"""An instance of `pairing/1`: read, checked as a whole, and turned into a course.

Instances name people by texts or numbers of their own; here they become 1, 2, 3 … in the order of those names.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NoReturn

import numpy as np

from lti_tool.pairing.engine import (
    Couple,
    Course,
    Exclusions,
    Group,
    Lock,
    People,
    PersonId,
    ReportingLine,
    Rule,
    Value,
    Wish,
)
from lti_tool.pairing.rules.plan_file.forms import (
    CONSTRAINTS,
    ROLES,
    WEIGHTS,
    ByAttribute,
    CappedWeight,
    CurrentPart,
    Exclude,
    GroupPart,
    InstanceFlawed,
    InstanceKind,
    LockPart,
    PersonPart,
    Reading,
    Weight,
    alike,
    at,
    half_characters,
    is_name,
    whole_number,
)
from lti_tool.pairing.rules.plan_file.wording import Name, first_of, joined, together
from lti_tool.pairing.rules.plan_file.wording import people as counted_people


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of an instance, and its rule in the engine."""

    said: str
    """What sentences call it: `constraints[0] (not_manager)`."""
    rule: Rule


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance, with people as the engine knows them."""

    name: str
    kind: InstanceKind
    seed: int
    rounds: int
    reviews_per_person: int
    course: Course
    """Everyone who takes part: those who joined are in it, those who left are not."""
    names: Mapping[PersonId, Name]
    """What the instance calls its people, those who left included."""
    current: tuple[Group, ...] | None
    """Repair: the groups of the running round; where roles are given, the first is coach."""
    has_roles: bool
    """Whether every group of `current` has roles."""
    left: frozenset[PersonId]
    joined: frozenset[PersonId]
    constraints: tuple[Constraint, ...]
    """The rules of the course as the instance writes them."""
    warnings: tuple[str, ...]
    """What is unusual in how it is written, and no mistake; `notes_of` has more."""


def read_text(text: str) -> Instance:
    """Read an instance. Raises InstanceFlawed, which names every mistake; nothing is half read."""
    try:
        written = json.loads(text, object_pairs_hook=_names_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as mistake:
        raise InstanceFlawed((f"This is not JSON: {mistake}",)) from None
    return read_instance(written)


def _names_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice in one object")
    return dict(pairs)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def read_instance(written: object) -> Instance:
    """As `read_text`, from what a JSON reader returned."""
    if not isinstance(written, dict):
        raise InstanceFlawed(("An instance is a JSON object.",))
    if halves := sorted(set(half_characters(written))):
        raise InstanceFlawed(
            tuple(f"{path}: has half of a surrogate pair, which is not a character" for path in halves)
        )
    reader = _Reader(written)
    instance = reader.instance()
    if reader.mistakes:
        raise InstanceFlawed(tuple(reader.mistakes))
    return instance


@dataclass(frozen=True, slots=True)
class _Locked:
    """A lock and where it is written. The members are sorted, without those who left."""

    path: str
    lock: Lock
    said: str


class _Reader(Reading):
    """Reads the lists of an instance, and checks them together."""

    def __init__(self, written: dict[str, Any]) -> None:
        super().__init__()
        self.is_repair = "current" in written
        self.written = self.whole(written)
        entries = [(at("people", number), entry) for number, entry in enumerate(self.written.people)]
        self.people = [part for path, entry in entries if (part := self.part(path, PersonPart, entry)) is not None]
        named, self.managers = (
            [
                (at(path, field), entry[field])
                for path, entry in entries
                if isinstance(entry, dict) and is_name(entry.get(field))
            ]
            for field in ("id", "manager")
        )
        self._number(named)
        self.left = frozenset(self._known("left", self.written.left))
        self.joined = frozenset(self._known("joined", self.written.joined))
        self.present = tuple(sorted({self.ids[alike(name)] for _, name in named} - self.left))
        self.attributes: dict[str, dict[PersonId, Value]] = {"manager": {}}

    def instance(self) -> Instance:
        """Everything together. It means nothing if there are mistakes."""
        current, has_roles = self._current()
        self._check_repair(current)
        ahead, left_out = self._values()
        constraints = self._constraints()
        if not self.written.outside_managers and any(isinstance(part.rule, ReportingLine) for part in constraints):
            allows = '("outside_managers": true allows that)'
            for path, name in self.managers:
                if alike(name) not in self.ids:
                    self.mistake(path, f"{name!r} is not a person of this instance {allows}")
        wishes, met = self._wishes(), self._past()
        # The defaults that replace a mistake elsewhere would make good locks look wrong.
        is_sound = not self.mistakes
        locks = self._locks()
        if is_sound and self.written.kind is InstanceKind.PAIRS:
            self._check_sizes(locks)
            self._check_rules(locks, constraints)
        if not self.present:
            self.notes.append("people: the list is empty")
        course = Course(
            people=self.present,
            met=met,
            attributes=self.attributes,
            rules=_rules_of(constraints),
            wishes=wishes,
            locks=tuple(dict.fromkeys(locked.lock for locked in locks)),
            ahead=ahead,
            left_out=left_out,
        )
        written, current_if_any = self.written, current if self.is_repair else None
        whole = (written.name, written.kind, written.seed, written.rounds, written.reviews_per_person)
        people = (self.names, current_if_any, has_roles, self.left, self.joined)
        return Instance(*whole, course, *people, constraints, tuple(self.notes))

    # ---- people ----

    def _number(self, named: list[tuple[str, Name]]) -> None:
        """Number everyone in the order of their names, not of the list; managers may be outside of the list."""
        places: dict[str, tuple[str, Name]] = {}
        for path, name in named:
            place, first = places.setdefault(alike(name), (path, name))
            if place != path:
                spelled = "" if repr(first) == repr(name) else f" ({first!r}, which counts as the same)"
                self.mistake(path, f"{name!r} is there already, as {place.removesuffix('.id')}{spelled}")
        inside = {alike(name): name for name in self.written.left} | {key: name for key, (_, name) in places.items()}
        outside = {alike(name): name for _, name in reversed(self.managers) if alike(name) not in inside}
        in_order = [name for side in (inside, outside) for name in sorted(side.values(), key=_numbers_first)]
        self.names: dict[PersonId, Name] = dict(enumerate(in_order, start=1))
        self.numbers = {alike(name): number for number, name in self.names.items()}
        """Of everyone, managers outside of the list included."""
        self.ids = {key: self.numbers[key] for key in inside}

    def _known(self, path: str, names: Iterable[Name]) -> list[PersonId]:
        """Those of these people who are in the instance; every other name is a mistake."""
        for name in names:
            if alike(name) not in self.ids:
                self.mistake(path, f"{name!r} is not a person of this instance")
        return [self.ids[alike(name)] for name in names if alike(name) in self.ids]

    def _values(self) -> tuple[dict[PersonId, int], frozenset[PersonId]]:
        """Collect what is known about people; returns who was coach more often, and who had no partner last time."""
        ahead, left_out = {}, set()
        for part in self.people:
            person = self.ids[alike(part.id)]
            texts = {"department": part.department, "group": part.group}
            lists = {"languages": part.languages, "slots": part.slots}
            values: dict[str, Value] = {name: alike(text) for name, text in texts.items() if text is not None}
            values |= {name: frozenset(map(alike, listed)) for name, listed in lists.items() if listed is not None}
            if part.experience is not None:
                values["experience"] = part.experience
            if "manager" in part.model_fields_set:
                values["manager"] = None if part.manager is None else self.numbers[alike(part.manager)]
            for name, value in values.items():
                self.attributes.setdefault(name, {})[person] = value
            if part.past_coach != part.past_coachee:
                ahead[person] = part.past_coach - part.past_coachee
            if part.unpaired_last:
                left_out.add(person)
        return ahead, frozenset(left_out)

    # ---- rules and wishes ----

    def _constraints(self) -> tuple[Constraint, ...]:
        """The hard constraints. A person without a value fits no one in `share_any`, `same` and `differ`."""
        constraints = []
        for number, written in enumerate(self.written.constraints):
            path = at("constraints", number)
            part = self.kind(path, written, CONSTRAINTS, "constraint")
            words, options = "", dict[str, Any]()
            if isinstance(part, Exclude):
                options = {"couples": tuple(self._excluded(at(path, "pairs"), part))}
            elif isinstance(part, ByAttribute):
                words, options = f" {part.attribute}", {"attribute": part.attribute, "unknown_is_allowed": False}
            if part is not None and options != {"couples": ()}:
                constraints.append(Constraint(f"{path} ({part.type}{words})", CONSTRAINTS[part.type][1](**options)))
        return tuple(constraints)

    def _excluded(self, path: str, part: Exclude) -> Iterable[Couple]:
        for number, written in enumerate(part.pairs):
            group = self.group(at(path, number), GroupPart, written)
            known = self._known(at(path, number), group.members if group is not None else [])
            if group is not None and len(group.members) != 2:
                self.mistake(at(path, number), "two people are needed")
            elif len(known) == 2:
                yield known[0], known[1]

    def _wishes(self) -> tuple[Wish, ...]:
        """The soft constraints; those that are listed twice add up. A weight of 0 is no wish."""
        wishes = []
        for number, written in enumerate(self.written.weights):
            part = self.kind(at("weights", number), written, WEIGHTS, "weight")
            if not isinstance(part, Weight) or not part.weight:
                continue
            options: dict[str, int] = {}
            if isinstance(part, CappedWeight):
                # A cap that is never reached would make all other numbers needlessly large.
                values: list[Any] = [*self.attributes.get(part.attribute, {}).values()]
                steps = [len(value) if isinstance(value, frozenset) else value - min(values) for value in values]
                options = {"cap": min(part.cap, max(1, part.weight * max(steps, default=1)))}
            if options != {"cap": 0}:
                wishes.append(WEIGHTS[part.type][1](attribute=part.attribute, weight=part.weight, **options))
        return tuple(wishes)

    # ---- groups ----

    def _past(self) -> tuple[Couple, ...]:
        met: list[Couple] = []
        for number, written in enumerate(self.written.past):
            path = at("past", number, "members")
            group = self.group(at("past", number), GroupPart, written)
            members = group.members if group is not None else []
            if group is not None and len(members) < 2:
                self.mistake(path, "two people are needed")
            self.notes += [
                f"{path}: {name!r} is not a person of this instance, so this meeting counts for the others only"
                for name in members
                if alike(name) not in self.ids
            ]
            met += combinations(sorted(self.ids[alike(name)] for name in members if alike(name) in self.ids), 2)
        return tuple(met)

    def _current(self) -> tuple[tuple[Group, ...], bool]:
        """The running round, and whether every group has roles."""
        groups: list[Group] = []
        has_roles = []
        seated: set[PersonId] = set()
        for number, written in enumerate(self.written.current):
            path = at("current", number)
            group = self.group(path, CurrentPart, written)
            if group is None:
                continue
            members = tuple(self._known(path, group.members))
            if len(group.members) not in {2, 3}:
                self.mistake(path, "a group has two or three members")
            for person in sorted(seated.intersection(members)):
                self.mistake(path, f"{self.names[person]!r} is in two groups")
            for person in sorted(self.joined.intersection(members)):
                self.mistake(path, f"{self.names[person]!r} joined and has a group already")
            seated.update(members)
            has_roles.append(bool(group.roles))
            groups.append(self._in_order_of_roles(path, members, group.roles) if group.roles else members)
        return tuple(groups), bool(has_roles) and all(has_roles)

    def _in_order_of_roles(self, path: str, members: Group, roles: object) -> Group:
        """The members with the coach first and the coachee last."""
        needed = ROLES if len(members) == 3 else (ROLES[0], ROLES[-1])
        given = {alike(name): str(role) for name, role in roles.items()} if isinstance(roles, dict) else {}
        by_role = {given.get(alike(self.names[person])): person for person in members}
        if len(given) != len(members) or any(role not in by_role for role in needed):
            self.mistake(at(path, "roles"), f"each member has one of these roles, each once: {', '.join(needed)}")
            return members
        return tuple(by_role[role] for role in needed)

    def _check_repair(self, current: tuple[Group, ...]) -> None:
        """Compare `left` and `joined` with the running round."""
        seated = {person for group in current for person in group}
        for name, listed in (("left", self.written.left), ("joined", self.written.joined)):
            if listed and not self.is_repair:
                self.mistake(name, "belongs to a repair, which needs the running round as `current`")
        for person in sorted(self.left & self.joined):
            self.mistake("joined", f"{self.names[person]!r} both left and joined")
        in_list = {alike(part.id) for part in self.people}
        for gone in self.written.left:
            if self.ids[alike(gone)] not in seated and alike(gone) not in in_list:
                self.notes.append(f"left: {gone!r} was in no group of the running round")
        waiting = sorted(set(self.present) - seated - self.joined) if self.is_repair else []
        if waiting:
            are = f"{counted_people(len(waiting))} {'is' if len(waiting) == 1 else 'are'}"
            who = first_of(waiting, self.names)
            self.notes.append(f"current: {are} in no group and not in joined: {who}")

    # ---- locks ----

    def _locks(self) -> list[_Locked]:
        """Who must be together in which round. Two different locks on one person in a round are a mistake."""
        first: dict[tuple[int | None, PersonId], _Locked] = {}
        locks: list[_Locked] = []
        for number, written in enumerate(self.written.locked):
            path = at("locked", number)
            part = self.part(path, LockPart, written)
            if part is None:
                continue
            known = self._known(path, part.members)
            members = tuple(sorted(person for person in known if person not in self.left))
            mistakes = len(self.mistakes)
            try:
                whole_number(part.round, 1, self.written.rounds)
            except ValueError as refusal:
                self.mistake(at(path, "round"), refusal)
            if len(part.members) not in {2, 3}:
                self.mistake(path, "two or three members are needed")
            if len(self.mistakes) == mistakes and len(known) == len(part.members) and len(members) > 1:
                said = f"{together(members, self.names)} must be together in round {part.round}"
                locked = _Locked(path, Lock(members, part.round), said)
                earlier = [first.setdefault((part.round, person), locked) for person in members]
                for lock in dict.fromkeys(lock for lock in earlier if lock.lock.members != members):
                    self.mistake(path, f"{said}, but {lock.path} {self._puts(members, lock.lock.members)}")
                locks.append(locked)
        return locks

    def _puts(self, members: Group, others: Group) -> str:
        both = together([person for person in members if person in others], self.names)
        rest = [person for person in others if person not in members]
        return f"puts {both} together " + (f"with {together(rest, self.names)}" if rest else "without anyone else")

    def _check_sizes(self, locks: Sequence[_Locked]) -> None:
        """Name locks of three for which there is no group of three."""
        trios: dict[int | None, _Locked] = {}
        for locked in locks:
            if len(locked.lock.members) < 3:
                continue
            first = trios.setdefault(locked.lock.round, locked)
            if len(self.present) % 2 == 0:
                self.mistake(locked.path, f"{locked.said}, but {len(self.present)} people make groups of two only")
            elif first.lock.members != locked.lock.members:
                there = f"{first.path} is a group of three in that round, and there can be only one"
                self.mistake(locked.path, f"{locked.said}, but {there}")

    def _check_rules(self, locks: Sequence[_Locked], constraints: Sequence[Constraint]) -> None:
        """Name locks on couples that a constraint forbids."""
        couples = [(locked, couple) for locked in locks for couple in combinations(locked.lock.members, 2)]
        people = People(self.present, self.attributes)
        first, second = people.places(np.array([couple for _, couple in couples], dtype=np.int64).reshape(-1, 2)).T
        forbids = [(constraint.said, ~constraint.rule.allows(people, first, second)) for constraint in constraints]
        for number, (locked, couple) in enumerate(couples):
            against = [said for said, forbidden in forbids if forbidden[number]]
            if against:
                forbid = f"{joined(against)} {'forbids' if len(against) == 1 else 'forbid'} it"
                for_whom = f" for {together(couple, self.names)}" if len(locked.lock.members) > 2 else ""
                self.mistake(locked.path, f"{locked.said}, but {forbid}{for_whom}")


def _numbers_first(name: Name) -> tuple[bool, Name]:
    return isinstance(name, str), name


def _rules_of(constraints: Iterable[Constraint]) -> tuple[Rule, ...]:
    """Each rule once, and everyone who is excluded in one rule."""
    rules = {constraint.rule.name: constraint.rule for constraint in constraints}
    couples = [pair for part in constraints if isinstance(part.rule, Exclusions) for pair in part.rule.couples]
    rules.pop("exclusions", None)
    return (*rules.values(), *([Exclusions(couples=tuple(couples))] if couples else []))
