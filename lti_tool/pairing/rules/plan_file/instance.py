"""An instance of `pairing/1`: read, checked as a whole, and turned into a course.

Other programs name people by texts or numbers of their own; here they become 1, 2, 3 … in the order of those names.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NoReturn

import numpy as np

from lti_tool.pairing.engine import Couple, Course, Group, Lock, PersonId, Value
from lti_tool.pairing.engine.people import People
from lti_tool.pairing.engine.rules import Exclusions, ReportingLine, Rule
from lti_tool.pairing.engine.wishes import Wish
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
    InstancePart,
    LockPart,
    PersonPart,
    Reading,
    Weight,
    alike,
    at,
    half_characters,
    is_name,
    is_whole,
    whole_needed,
)
from lti_tool.pairing.rules.plan_file.wording import Name, first_of, joined, together
from lti_tool.pairing.rules.plan_file.wording import people as counted_people


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint as it is written, and the rule that it is."""

    said: str
    """How sentences call it: `constraints[0] (not_manager)`."""
    rule: Rule


@dataclass(frozen=True, slots=True)
class Instance:
    """What an instance says, with people as the engine knows them."""

    name: str
    kind: InstanceKind
    seed: int
    course: Course
    """Everyone who takes part: who left is not in it, who joined is."""
    names: Mapping[PersonId, Name]
    """What the instance calls its people, those who left included."""
    rounds: int
    current: tuple[Group, ...] | None
    """Repair: the groups of the round that is running; the first is coach where roles are given."""
    has_roles: bool
    """Whether every group of `current` has roles."""
    left: frozenset[PersonId]
    joined: frozenset[PersonId]
    reviews_per_person: int
    constraints: tuple[Constraint, ...]
    """The rules of the course as the instance writes them."""
    warnings: tuple[str, ...]
    """What is odd in how it is written and no mistake, in plain sentences; `notes_of` has more."""


def read_text(text: str) -> Instance:
    """Read an instance. Raises InstanceFlawed, which names every mistake that was found; nothing is half read."""
    try:
        written = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
    except (ValueError, RecursionError) as mistake:
        raise InstanceFlawed((f"This is not JSON: {mistake}",)) from None
    return read_instance(written)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice in one object")
    return dict(pairs)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def read_instance(written: object) -> Instance:
    """As `read_text`, from what a JSON reader made of it."""
    if not isinstance(written, dict):
        raise InstanceFlawed(("An instance is a JSON object.",))
    halves = sorted(set(half_characters(written)))
    if halves:
        raise InstanceFlawed(
            tuple(f"{path}: has half of a surrogate pair, which is not a character" for path in halves)
        )
    reading = Reading()
    whole = reading.whole(written)
    instance = _Reader(reading, whole, is_repair="current" in written).instance()
    if reading.mistakes:
        raise InstanceFlawed(tuple(reading.mistakes))
    return instance


@dataclass(frozen=True, slots=True)
class _Locked:
    """A lock and where it is written. The members are sorted, without those who left."""

    path: str
    lock: Lock
    said: str


class _Reader:
    """Reads the lists of an instance, and checks them together."""

    def __init__(self, reading: Reading, whole: InstancePart, *, is_repair: bool) -> None:
        self.reading, self.whole, self.is_repair = reading, whole, is_repair
        entries = [(at("people", number), entry) for number, entry in enumerate(whole.people)]
        self.parts = [(path, reading.part(path, PersonPart, entry)) for path, entry in entries]
        named = [(at(path, "id"), entry["id"]) for path, entry in entries if is_name(_get(entry, "id"))]
        self.managers = [
            (at(path, "manager"), entry["manager"]) for path, entry in entries if is_name(_get(entry, "manager"))
        ]
        self._number(named)
        self.left, self.joined = (
            frozenset(self._known(*side)) for side in (("left", whole.left), ("joined", whole.joined))
        )
        listed = {self.ids[alike(name)] for _, name in named}
        self.here = tuple(sorted(listed - self.left))
        self.attributes: dict[str, dict[PersonId, Value]] = {"manager": {}}

    def instance(self) -> Instance:
        """Everything together; what stands in for a mistake is of no importance."""
        whole, reading = self.whole, self.reading
        groups, has_roles = self._current()
        self._check_comings_and_goings(groups)
        ahead, left_out = self._values()
        constraints = self._constraints()
        if not whole.outside_managers and any(isinstance(one.rule, ReportingLine) for one in constraints):
            for path, name in self.managers:
                if alike(name) not in self.ids:
                    reading.mistake(
                        path, f'{name!r} is not a person of this instance ("outside_managers": true allows that)'
                    )
        wishes, met = self._wishes(), self._past()
        # What stands in for a mistake elsewhere would make mistakes of good locks.
        is_sound = not reading.mistakes
        locks = self._locks()
        if is_sound and whole.kind is InstanceKind.PAIRS:
            self._check_sizes(locks)
            self._check_rules(locks, constraints)
        if not self.here:
            reading.notes.append("people: the list is empty")
        course = Course(
            people=self.here,
            met=met,
            attributes=self.attributes,
            rules=_rules_of(constraints),
            wishes=wishes,
            locks=tuple(dict.fromkeys(one.lock for one in locks)),
            ahead=ahead,
            left_out=left_out,
        )
        return Instance(
            name=whole.name,
            kind=whole.kind,
            seed=whole.seed,
            course=course,
            names=self.names,
            rounds=whole.rounds,
            current=groups if self.is_repair else None,
            has_roles=has_roles,
            left=self.left,
            joined=self.joined,
            reviews_per_person=whole.reviews_per_person,
            constraints=constraints,
            warnings=tuple(reading.notes),
        )

    # ---- people ----

    def _number(self, named: list[tuple[str, Name]]) -> None:
        """Give everyone a number by the order of their names, not of the list; managers may be outside of it."""
        places: dict[str, tuple[str, Name]] = {}
        for path, name in named:
            place, first = places.setdefault(alike(name), (path, name))
            if place != path:
                spelled = "" if repr(first) == repr(name) else f" ({first!r}, which counts as the same)"
                self.reading.mistake(path, f"{name!r} is there already, as {place.removesuffix('.id')}{spelled}")
        inside = {alike(name): name for name in self.whole.left} | {key: name for key, (_, name) in places.items()}
        outside = {alike(name): name for _, name in reversed(self.managers) if alike(name) not in inside}
        self.names: dict[PersonId, Name] = dict(
            enumerate((name for side in (inside, outside) for name in sorted(side.values(), key=_in_order)), start=1)
        )
        self.numbers = {alike(name): number for number, name in self.names.items()}
        """Of everyone, managers outside of the instance included."""
        self.ids = {key: self.numbers[key] for key in inside}

    def _known(self, path: str, names: Iterable[Name]) -> list[PersonId]:
        """Those of these people who are in the instance; each of the others is a mistake."""
        for name in names:
            if alike(name) not in self.ids:
                self.reading.mistake(path, f"{name!r} is not a person of this instance")
        return [self.ids[alike(name)] for name in names if alike(name) in self.ids]

    def _values(self) -> tuple[dict[PersonId, int], frozenset[PersonId]]:
        """Keep what is known of people; returns who was coach more often, and who had no partner last time."""
        ahead, left_out = {}, set()
        for _, part in self.parts:
            if part is None:
                continue
            person = self.ids[alike(part.id)]
            values: dict[str, Value] = {
                name: alike(text) for name in ("department", "group") if (text := getattr(part, name)) is not None
            }
            for name in ("languages", "slots"):
                if (texts := getattr(part, name)) is not None:
                    values[name] = frozenset(map(alike, texts))
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

    # ---- what must hold and what is wished for ----

    def _constraints(self) -> tuple[Constraint, ...]:
        """The hard constraints. A person without a value fits no one in `share_any`, `same` and `differ`."""
        constraints = []
        for number, written in enumerate(self.whole.constraints):
            path = at("constraints", number)
            part = self.reading.kind(path, written, CONSTRAINTS, "constraint")
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
            here = at(path, number)
            group = self.reading.group(here, GroupPart, written)
            known = self._known(here, group.members if group is not None else [])
            if group is not None and len(group.members) != 2:
                self.reading.mistake(here, "two people are needed")
            elif len(known) == 2:
                yield known[0], known[1]

    def _wishes(self) -> tuple[Wish, ...]:
        """The soft constraints; those that are there twice add up. A weight of 0 is no wish."""
        wishes = []
        for number, written in enumerate(self.whole.weights):
            part = self.reading.kind(at("weights", number), written, WEIGHTS, "weight")
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
        for number, written in enumerate(self.whole.past):
            path = at("past", number, "members")
            group = self.reading.group(at("past", number), GroupPart, written)
            members = group.members if group is not None else []
            if group is not None and len(members) < 2:
                self.reading.mistake(path, "two people are needed")
            self.reading.notes += [
                f"{path}: {name!r} is not a person of this instance, so this meeting counts for the others only"
                for name in members
                if alike(name) not in self.ids
            ]
            met += combinations(sorted(self.ids[alike(name)] for name in members if alike(name) in self.ids), 2)
        return tuple(met)

    def _current(self) -> tuple[tuple[Group, ...], bool]:
        """The running round, and whether every group has roles. A group is as in a result, or its list of members."""
        groups: list[Group] = []
        has_roles = []
        seated: set[PersonId] = set()
        for number, written in enumerate(self.whole.current):
            path = at("current", number)
            group = self.reading.group(path, CurrentPart, written)
            if group is None:
                continue
            members = tuple(self._known(path, group.members))
            if len(group.members) not in {2, 3}:
                self.reading.mistake(path, "a group has two or three members")
            for person in sorted(seated.intersection(members)):
                self.reading.mistake(path, f"{self.names[person]!r} is in two groups")
            for person in sorted(self.joined.intersection(members)):
                self.reading.mistake(path, f"{self.names[person]!r} joined and has a group already")
            seated.update(members)
            has_roles.append(bool(group.roles))
            groups.append(self._in_order_of_roles(path, members, group.roles) if group.roles else members)
        return tuple(groups), bool(has_roles) and all(has_roles)

    def _in_order_of_roles(self, path: str, members: Group, roles: object) -> Group:
        """First the coach, last the coachee."""
        wanted = ROLES if len(members) == 3 else (ROLES[0], ROLES[-1])
        given = {alike(name): str(role) for name, role in roles.items()} if isinstance(roles, dict) else {}
        by_role = {given.get(alike(self.names[person])): person for person in members}
        if len(given) != len(members) or any(role not in by_role for role in wanted):
            needed = f"each member has one of these roles, each once: {', '.join(wanted)}"
            self.reading.mistake(at(path, "roles"), needed)
            return members
        return tuple(by_role[role] for role in wanted)

    def _check_comings_and_goings(self, current: tuple[Group, ...]) -> None:
        """Hold `left` and `joined` against the running round."""
        seated = {person for group in current for person in group}
        for name, listed in (("left", self.whole.left), ("joined", self.whole.joined)):
            if listed and not self.is_repair:
                self.reading.mistake(name, "belongs to a repair, which needs the running round as `current`")
        for person in sorted(self.left & self.joined):
            self.reading.mistake("joined", f"{self.names[person]!r} both left and joined")
        listed_here = {alike(part.id) for _, part in self.parts if part is not None}
        for gone in self.whole.left:
            if self.ids[alike(gone)] not in seated and alike(gone) not in listed_here:
                self.reading.notes.append(f"left: {gone!r} was in no group of the running round")
        waiting = sorted(set(self.here) - seated - self.joined) if self.is_repair else []
        if waiting:
            are = f"{counted_people(len(waiting))} {'is' if len(waiting) == 1 else 'are'}"
            who = first_of(waiting, self.names)
            self.reading.notes.append(f"current: {are} in no group and not in joined: {who}")

    # ---- locks ----

    def _locks(self) -> list[_Locked]:
        """Who must be together in which round. Two different locks on one person in a round are a mistake."""
        first: dict[tuple[int | None, PersonId], _Locked] = {}
        locks: list[_Locked] = []
        for number, written in enumerate(self.whole.locked):
            path = at("locked", number)
            part = self.reading.part(path, LockPart, written)
            if part is None:
                continue
            known = self._known(path, part.members)
            members = tuple(sorted(person for person in known if person not in self.left))
            is_good = is_whole(part.round, 1, self.whole.rounds)
            if not is_good:
                self.reading.mistake(at(path, "round"), whole_needed(1, self.whole.rounds))
            if len(part.members) not in {2, 3}:
                self.reading.mistake(path, "two or three members are needed")
            elif is_good and len(known) == len(part.members) and len(members) > 1:
                said = f"{together(members, self.names)} must be together in round {part.round}"
                locked = _Locked(path, Lock(members, part.round), said)
                earlier = [first.setdefault((part.round, person), locked) for person in members]
                for other in dict.fromkeys(one for one in earlier if one.lock.members != members):
                    self.reading.mistake(path, f"{said}, but {other.path} {self._puts(members, other.lock.members)}")
                locks.append(locked)
        return locks

    def _puts(self, members: Group, others: Group) -> str:
        both = together([person for person in members if person in others], self.names)
        rest = [person for person in others if person not in members]
        return (
            f"puts {both} together with {together(rest, self.names)}"
            if rest
            else f"puts {both} together without anyone else"
        )

    def _check_sizes(self, locks: Sequence[_Locked]) -> None:
        """Name locks of three where no group of three fits in."""
        trios: dict[int | None, _Locked] = {}
        for one in locks:
            if len(one.lock.members) < 3:
                continue
            first = trios.setdefault(one.lock.round, one)
            if len(self.here) % 2 == 0:
                self.reading.mistake(one.path, f"{one.said}, but {len(self.here)} people make groups of two only")
            elif first.lock.members != one.lock.members:
                there = f"{first.path} is a group of three in that round, and there can be only one"
                self.reading.mistake(one.path, f"{one.said}, but {there}")

    def _check_rules(self, locks: Sequence[_Locked], constraints: Sequence[Constraint]) -> None:
        """Name locks on couples that a constraint forbids."""
        couples = [(one, couple) for one in locks for couple in combinations(one.lock.members, 2)]
        people = People(self.here, self.attributes)
        first, second = people.places(np.array([couple for _, couple in couples], dtype=np.int64).reshape(-1, 2)).T
        forbids = [(one.said, ~one.rule.allows(people, first, second)) for one in constraints]
        for at_, (one, couple) in enumerate(couples):
            against = [said for said, forbidden in forbids if forbidden[at_]]
            if against:
                forbid = f"{joined(against)} {'forbids' if len(against) == 1 else 'forbid'} it"
                for_whom = f" for {together(couple, self.names)}" if len(one.lock.members) > 2 else ""
                self.reading.mistake(one.path, f"{one.said}, but {forbid}{for_whom}")


def _get(entry: object, name: str) -> object:
    return entry.get(name) if isinstance(entry, dict) else None


def _in_order(name: Name) -> tuple[bool, Name]:
    return isinstance(name, str), name


def _rules_of(constraints: Iterable[Constraint]) -> tuple[Rule, ...]:
    """Each rule once, and all that is excluded as one rule."""
    rules = {one.rule.name: one.rule for one in constraints}
    couples = [couple for one in constraints if isinstance(one.rule, Exclusions) for couple in one.rule.couples]
    rules.pop("exclusions", None)
    return (*rules.values(), *([Exclusions(couples=tuple(couples))] if couples else []))
