"""The format `pairing/1`: an instance is read, checked as a whole, and turned into a course.

Instances name people by texts or numbers of their own; in the course they are 1, 2, 3 … in the order of those names.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Any, Final, Literal, NoReturn, TypeAlias

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Exclusions, Group, Lock, PersonId, ReportingLine, Rule, Value
from lti_tool.support.spelling import compared

LARGEST: Final = 1_000_000_000
MOST_POINTS: Final = 1_000_000
MOST_ROUNDS: Final = 10_000
ROLES: Final = ("coach", "observer", "coachee")
"""In order of turn; a group of two has no observer."""
ATTRIBUTES: Final = ("department", "group", "languages", "slots", "experience")
FIRST: Final = 5
"""How many people a sentence names."""

Name: TypeAlias = str | int
"""What an instance calls a person."""


class InstanceFlawed(ValueError):
    """What was read is not an instance. Each of `mistakes` is a sentence that begins with a path."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


# ---- the form --------------------------------------------------------------------------------------------------------


def alike(name: Name) -> str:
    """An id or text as it is compared; 7 and "7", and wide and narrow forms of a letter are the same."""
    return compared(str(name), "NFKC")


def _name(written: object) -> object:
    if not isinstance(written, str | int) or isinstance(written, bool) or not alike(written):
        raise ValueError("the id of a person is needed")
    return written


def _once(members: list[Name]) -> list[Name]:
    if len({alike(name) for name in members}) < len(members):
        raise ValueError("somebody is named twice")
    return members


PersonName = Annotated[Name, PlainValidator(_name)]
Members = Annotated[list[PersonName], AfterValidator(_once)]
Meeting = Annotated[list[PersonName], Field(min_length=2), AfterValidator(_once)]
Couple = Annotated[list[PersonName], Field(min_length=2, max_length=2), AfterValidator(_once)]
PairOrTrio = Annotated[list[PersonName], Field(min_length=2, max_length=3), AfterValidator(_once)]
Text = Annotated[str, AfterValidator(alike)]
Texts = Annotated[list[Text], AfterValidator(frozenset)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Points = Annotated[int, Field(ge=0, le=MOST_POINTS)]
AmongNames: TypeAlias = Literal["department", "group"]
AmongSets: TypeAlias = Literal["languages", "slots"]


class Part(BaseModel):
    """An object of an instance. An unknown field is noted and is no mistake."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class Person(Part):
    """A person, and what is known about them."""

    id: PersonName
    manager: PersonName | None = None
    department: Text | None = None
    group: Text | None = None
    languages: Texts | None = None
    slots: Texts | None = None
    experience: Annotated[int, Field(ge=-LARGEST, le=LARGEST)] | None = None
    past_coach: Count = 0
    past_coachee: Count = 0
    unpaired_last: bool = False


class Together(Part):
    """People who are or were together, as an object or as the list of its members."""

    members: Meeting

    @model_validator(mode="before")
    @classmethod
    def _as_object(cls, written: object) -> object:
        return {"members": written} if isinstance(written, list) else written


class Running(Together):
    """A group of the running round."""

    members: PairOrTrio
    roles: dict[str, str] | None = None


class Locked(Together):
    """People who must be together in a round."""

    members: PairOrTrio
    round: Annotated[int, Field(ge=1)]


class NotManager(Part):
    """Neither is above the other."""

    type: Literal["not_manager"]


class ShareAny(Part):
    """Both have one of the values."""

    type: Literal["share_any"]
    attribute: AmongSets


class ByName(Part):
    """Both have the same value, or different ones."""

    type: Literal["differ", "same"]
    attribute: AmongNames


class Exclude(Part):
    """Couples who are kept apart."""

    type: Literal["exclude"]
    pairs: list[Couple]


class NameWeight(ByName):
    """Points for the same value, or for different ones."""

    weight: Points


class Steps(Part):
    """Points for each step, at most `cap`."""

    weight: Points
    cap: Count = MOST_POINTS


class GapWeight(Steps):
    """Points for each step between two values."""

    type: Literal["gap"]
    attribute: Literal["experience"]


class SharedWeight(Steps):
    """Points for each value in common beyond the first."""

    type: Literal["extra_shared"]
    attribute: AmongSets


def _each_once(people: list[Person]) -> list[Person]:
    first: dict[str, tuple[int, Name]] = {}
    mistakes = []
    for number, person in enumerate(people):
        place, name = first.setdefault(alike(person.id), (number, person.id))
        if place != number:
            spelled = "" if repr(name) == repr(person.id) else f" ({name!r}, which counts as the same)"
            mistakes.append(f"people[{number}].id: {person.id!r} is there already, as people[{place}]{spelled}")
    if mistakes:
        raise InstanceFlawed(mistakes)
    return people


class Form(Part):
    """An instance as it is written."""

    name: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    kind: Literal["pairs", "review"] = "pairs"
    rounds: Annotated[int, Field(ge=1, le=MOST_ROUNDS)] = 1
    reviews_per_person: Annotated[int, Field(ge=1, le=LARGEST)] = 1
    outside_managers: bool = False
    people: Annotated[list[Person], AfterValidator(_each_once)]
    constraints: list[Annotated[NotManager | ShareAny | ByName | Exclude, Field(discriminator="type")]] = []
    weights: list[Annotated[NameWeight | GapWeight | SharedWeight, Field(discriminator="type")]] = []
    past: list[Together] = []
    locked: list[Locked] = []
    current: list[Running] | None = None
    left: Members = []
    joined: Members = []

    @model_validator(mode="before")
    @classmethod
    def _what_belongs_to_the_kind(cls, written: dict[str, Any]) -> dict[str, Any]:
        """`rounds` belong to pairs and are needed unless a round is repaired, `reviews_per_person` to reviews."""
        needs, ignores = ("rounds", "reviews_per_person")[:: -1 if written.get("kind") == "review" else 1]
        needed = {} if needs == "rounds" and "current" in written else {needs: None}
        return needed | {name: what for name, what in written.items() if name != ignores}


RULES: Final[Mapping[str, Callable[..., Rule]]] = {
    "not_manager": ReportingLine,
    "share_any": engine.Share,
    "differ": engine.Other,
    "same": engine.Same,
    "exclude": Exclusions,
}
WISHES: Final[Mapping[str, Callable[..., engine.Wish]]] = {
    "differ": engine.RatherOther,
    "same": engine.RatherSame,
    "gap": engine.RatherGap,
    "extra_shared": engine.ExtraShared,
}


# ---- sentences -----------------------------------------------------------------------------------------------------


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 round`, `2 rounds`; `plural` if it does not end in s."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def people(number: int) -> str:
    """`1 person`, `2 people`."""
    return counted(number, "person", "people")


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def first_of(members: Collection[PersonId], names: Mapping[PersonId, Name]) -> str:
    """The first five people in order, and how many more there are."""
    shown = ", ".join(repr(names[person]) for person in list(members)[:FIRST])
    return shown + (f" and {len(members) - FIRST} more" if len(members) > FIRST else "")


def roles_of(group: Group) -> tuple[str, ...]:
    """The roles of a group's members in order of turn."""
    return ROLES if len(group) == 3 else (ROLES[0], ROLES[-1])


# ---- reading ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint of an instance, and its rule in the engine."""

    said: str
    """What sentences call it: `constraints[0] (not_manager)`."""
    rule: Rule


def read_text(text: str) -> "Instance":
    """Read an instance. Raises InstanceFlawed, which names every mistake of form, or else every other mistake."""
    try:
        written = json.loads(text, object_pairs_hook=_names_once, parse_constant=_refuse)
        json.dumps(written, ensure_ascii=False).encode()  # refuses half of a surrogate pair, which no file can hold
    except (ValueError, RecursionError) as mistake:
        raise InstanceFlawed([f"This is not JSON: {mistake}"]) from None
    return read_instance(written)


def _names_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice in one object")
    return dict(pairs)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def read_instance(written: object) -> "Instance":
    """As `read_text`, from what a JSON reader returned."""
    if not isinstance(written, dict):
        raise InstanceFlawed(["An instance is a JSON object."])
    try:
        form = Form.model_validate(written)
    except ValidationError as flawed:
        raise InstanceFlawed(_mistakes_of_form(written, flawed)) from None
    return Instance(form)


def _mistakes_of_form(written: object, flawed: ValidationError) -> Iterator[str]:
    for error in flawed.errors(include_url=False, include_input=False):
        own = error.get("ctx", {}).get("error")
        if isinstance(own, InstanceFlawed):
            yield from own.mistakes
        else:
            yield f"{_path_in(written, error['loc'])}: {own or error['msg']}"


def _path_in(written: Any, keys: Sequence[str | int]) -> str:
    """The path of a value, without the names that only the form has. The last key may be missing in what is written."""
    path = ""
    for number, key in enumerate(keys, start=1):
        is_there = key in written if isinstance(written, dict) else isinstance(written, list) and isinstance(key, int)
        if is_there or (isinstance(written, dict) and number == len(keys)):
            path, written = at(path, key), written[key] if is_there else None
    return path


def at(path: str, *keys: str | int) -> str:
    """The path of a part: `people`, `people[3]`, `people[3].id`."""
    for key in keys:
        path = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key
    return path


def _unread(part: object, path: str = "") -> Iterator[str]:
    """The paths of fields that are not of the format."""
    if isinstance(part, list):
        for number, entry in enumerate(part):
            yield from _unread(entry, at(path, number))
    elif isinstance(part, Part):
        yield from (at(path, name) for name in sorted(part.model_extra or ()))
        for name in type(part).model_fields:
            yield from _unread(getattr(part, name), at(path, name))


@dataclass(frozen=True, slots=True)
class _Lock:
    """A lock without those who left, where it is written, and how sentences begin that are about it."""

    path: str
    lock: Lock
    said: str


class Instance:
    """An instance, with people as the engine knows them."""

    def __init__(self, form: Form) -> None:
        """Raises InstanceFlawed, which names all mistakes in what the parts of the form say together."""
        self.form = form
        self.mistakes: list[str] = []
        self.warnings = [f"{path}: is not a field of the format, so it is not read" for path in _unread(form)]
        """What is unusual in how it is written, and no mistake; `commands.notes_of` has more."""
        inside = {alike(name): name for name in (*form.left, *(person.id for person in form.people))}
        managers = [person.manager for person in reversed(form.people) if person.manager is not None]
        outside = {alike(name): name for name in managers if alike(name) not in inside}
        in_order = [name for side in (inside, outside) for name in sorted(side.values(), key=_numbers_first)]
        self.names: dict[PersonId, Name] = dict(enumerate(in_order, start=1))
        """What the instance calls its people, those who left and managers outside of the list included."""
        self.numbers = {alike(name): number for number, name in self.names.items()}
        self.inside = inside.keys()
        self.left = frozenset(self._known("left", form.left))
        self.joined = frozenset(self._known("joined", form.joined))
        self.present = tuple(sorted({self.numbers[alike(person.id)] for person in form.people} - self.left))
        self.current, self.has_roles = self._current()
        """Repair: the groups of the running round, and whether each has roles; then the first of it is coach."""
        self._check_repair()
        self.attributes: dict[str, dict[PersonId, Value]] = {"manager": {}}
        ahead, left_out = self._values()
        self.constraints = self._constraints()
        """The rules of the course as the instance writes them."""
        self._check_managers()
        wishes, met, locks = self._wishes(), self._past(), self._locks()
        if form.kind == "pairs":
            self._check_sizes(locks)
            self._check_rules(locks)
        if not self.present:
            self.warnings.append("people: the list is empty")
        if self.mistakes:
            raise InstanceFlawed(self.mistakes)
        self.course = engine.Course(
            people=self.present,
            met=met,
            attributes=self.attributes,
            rules=_rules_of(self.constraints),
            wishes=wishes,
            locks=tuple(dict.fromkeys(locked.lock for locked in locks)),
            ahead=ahead,
            left_out=left_out,
        )
        """Everyone who takes part: those who joined are in it, those who left are not."""

    def _mistake(self, path: str, says: str) -> None:
        self.mistakes.append(f"{path}: {says}")

    def _known(self, path: str, names: Iterable[Name]) -> Group:
        """Those of these people who are in the instance; every other name is a mistake."""
        for name in names:
            if alike(name) not in self.inside:
                self._mistake(path, f"{name!r} is not a person of this instance")
        return tuple(self.numbers[alike(name)] for name in names if alike(name) in self.inside)

    def _values(self) -> tuple[dict[PersonId, int], frozenset[PersonId]]:
        """Collect what is known about people; returns who was coach more often, and who had no partner last time."""
        ahead, left_out = {}, set()
        for part in self.form.people:
            person = self.numbers[alike(part.id)]
            values = {name: value for name in ATTRIBUTES if (value := getattr(part, name)) is not None}
            if "manager" in part.model_fields_set:
                values["manager"] = None if part.manager is None else self.numbers[alike(part.manager)]
            for name, value in values.items():
                self.attributes.setdefault(name, {})[person] = value
            if part.past_coach != part.past_coachee:
                ahead[person] = part.past_coach - part.past_coachee
            if part.unpaired_last:
                left_out.add(person)
        return ahead, frozenset(left_out)

    def _check_managers(self) -> None:
        if self.form.outside_managers or not any(isinstance(part.rule, ReportingLine) for part in self.constraints):
            return
        for number, person in enumerate(self.form.people):
            if person.manager is not None and alike(person.manager) not in self.inside:
                says = f'{person.manager!r} is not a person of this instance ("outside_managers": true allows that)'
                self._mistake(at("people", number, "manager"), says)

    # ---- rules and wishes ----

    def _constraints(self) -> tuple[Constraint, ...]:
        """The hard constraints. A person without a value fits no one in `share_any`, `same` and `differ`."""
        constraints = []
        for number, part in enumerate(self.form.constraints):
            path, words, options = at("constraints", number), "", dict[str, Any]()
            if isinstance(part, Exclude):
                pairs = [self._known(at(path, "pairs", place), pair) for place, pair in enumerate(part.pairs)]
                options = {"couples": tuple(pair for pair in pairs if len(pair) == 2)}
            elif not isinstance(part, NotManager):
                words = f" {part.attribute}"
                options = {"attribute": part.attribute, "unknown_is_allowed": False}
            if options != {"couples": ()}:
                constraints.append(Constraint(f"{path} ({part.type}{words})", RULES[part.type](**options)))
        return tuple(constraints)

    def _wishes(self) -> tuple[engine.Wish, ...]:
        """The soft constraints; those that are listed twice add up. A weight of 0 is no wish."""
        wishes = []
        for part in self.form.weights:
            options: dict[str, Any] = {"attribute": part.attribute, "weight": part.weight}
            if isinstance(part, Steps):
                # A cap that is never reached would make all other numbers needlessly large.
                values: list[Any] = [*self.attributes.get(part.attribute, {}).values()]
                steps = [len(value) if isinstance(value, frozenset) else value - min(values) for value in values]
                options["cap"] = min(part.cap, max(1, part.weight * max(steps, default=1)))
            if part.weight and options.get("cap") != 0:
                wishes.append(WISHES[part.type](**options))
        return tuple(wishes)

    # ---- groups ----

    def _past(self) -> tuple[engine.Couple, ...]:
        met: list[engine.Couple] = []
        for number, group in enumerate(self.form.past):
            known = sorted(self.numbers[alike(name)] for name in group.members if alike(name) in self.inside)
            met += combinations(known, 2)
            for name in group.members:
                if alike(name) not in self.inside:
                    says = "is not a person of this instance, so this meeting counts for the others only"
                    self.warnings.append(f"{at('past', number, 'members')}: {name!r} {says}")
        return tuple(met)

    def _current(self) -> tuple[tuple[Group, ...], bool]:
        """The running round, and whether every group has roles."""
        groups: list[Group] = []
        seated: set[PersonId] = set()
        written = self.form.current or []
        for number, group in enumerate(written):
            path = at("current", number)
            members = self._known(path, group.members)
            for person in sorted(seated.intersection(members)):
                self._mistake(path, f"{self.names[person]!r} is in two groups")
            for person in sorted(self.joined.intersection(members)):
                self._mistake(path, f"{self.names[person]!r} joined and has a group already")
            seated.update(members)
            groups.append(self._in_order_of_roles(path, members, group.roles) if group.roles else members)
        return tuple(groups), bool(written) and all(group.roles for group in written)

    def _in_order_of_roles(self, path: str, members: Group, roles: Mapping[str, str]) -> Group:
        """The members with the coach first and the coachee last."""
        needed = roles_of(members)
        given = {alike(name): role for name, role in roles.items()}
        by_role = {given.get(alike(self.names[person])): person for person in members}
        if len(given) != len(members) or any(role not in by_role for role in needed):
            self._mistake(at(path, "roles"), f"each member has one of these roles, each once: {', '.join(needed)}")
            return members
        return tuple(by_role[role] for role in needed)

    def _check_repair(self) -> None:
        """Compare `left` and `joined` with the running round."""
        seated = {person for group in self.current for person in group}
        is_repair = self.form.current is not None
        for name, listed in (("left", self.form.left), ("joined", self.form.joined)):
            if listed and not is_repair:
                self._mistake(name, "belongs to a repair, which needs the running round as `current`")
        for person in sorted(self.left & self.joined):
            self._mistake("joined", f"{self.names[person]!r} both left and joined")
        in_list = {alike(person.id) for person in self.form.people}
        for gone in self.form.left:
            if self.numbers[alike(gone)] not in seated and alike(gone) not in in_list:
                self.warnings.append(f"left: {gone!r} was in no group of the running round")
        waiting = sorted(set(self.present) - seated - self.joined) if is_repair else []
        if waiting:
            are = f"{people(len(waiting))} {'is' if len(waiting) == 1 else 'are'}"
            who = first_of(waiting, self.names)
            self.warnings.append(f"current: {are} in no group and not in joined: {who}")

    # ---- locks ----

    def _locks(self) -> list[_Lock]:
        """Who must be together in which round. Two different locks on one person in a round are a mistake."""
        first: dict[tuple[int, PersonId], _Lock] = {}
        locks: list[_Lock] = []
        for number, part in enumerate(self.form.locked):
            path = at("locked", number)
            known = self._known(path, part.members)
            members = tuple(sorted(set(known) - self.left))
            if part.round > self.form.rounds:
                self._mistake(at(path, "round"), "there is no such round")
            elif len(known) == len(part.members) and len(members) > 1:
                said = f"{self._together(members)} must be together in round {part.round}"
                locked = _Lock(path, Lock(members, part.round), said)
                earlier = [first.setdefault((part.round, person), locked) for person in members]
                for lock in dict.fromkeys(lock for lock in earlier if lock.lock.members != members):
                    self._mistake(path, f"{said}, but {lock.path} {self._puts(members, lock.lock.members)}")
                locks.append(locked)
        return locks

    def _puts(self, members: Group, others: Group) -> str:
        both = self._together([person for person in members if person in others])
        rest = [person for person in others if person not in members]
        return f"puts {both} together " + (f"with {self._together(rest)}" if rest else "without anyone else")

    def _together(self, members: Iterable[PersonId]) -> str:
        return joined([repr(self.names[person]) for person in members])

    def _check_sizes(self, locks: Sequence[_Lock]) -> None:
        """Name locks of three for which there is no group of three."""
        trios: dict[int | None, _Lock] = {}
        for locked in locks:
            if len(locked.lock.members) < 3:
                continue
            first = trios.setdefault(locked.lock.round, locked)
            if len(self.present) % 2 == 0:
                self._mistake(locked.path, f"{locked.said}, but {len(self.present)} people make groups of two only")
            elif first.lock.members != locked.lock.members:
                there = f"{first.path} is a group of three in that round, and there can be only one"
                self._mistake(locked.path, f"{locked.said}, but {there}")

    def _check_rules(self, locks: Sequence[_Lock]) -> None:
        """Name locks on couples that a constraint forbids."""
        couples = [(locked, couple) for locked in locks for couple in combinations(locked.lock.members, 2)]
        present = engine.People(self.present, self.attributes)
        first, second = present.places(np.array([couple for _, couple in couples], dtype=np.int64).reshape(-1, 2)).T
        forbids = [(part.said, ~part.rule.allows(present, first, second)) for part in self.constraints]
        for number, (locked, couple) in enumerate(couples):
            against = [said for said, forbidden in forbids if forbidden[number]]
            if against:
                forbid = f"{joined(against)} {'forbids' if len(against) == 1 else 'forbid'} it"
                for_whom = f" for {self._together(couple)}" if len(locked.lock.members) > 2 else ""
                self._mistake(locked.path, f"{locked.said}, but {forbid}{for_whom}")


def _numbers_first(name: Name) -> tuple[bool, Name]:
    return isinstance(name, str), name


def _rules_of(constraints: Iterable[Constraint]) -> tuple[Rule, ...]:
    """Each rule once, and everyone who is excluded in one rule."""
    rules = {constraint.rule.name: constraint.rule for constraint in constraints}
    couples = [pair for part in constraints if isinstance(part.rule, Exclusions) for pair in part.rule.couples]
    rules.pop("exclusions", None)
    return (*rules.values(), *([Exclusions(couples=tuple(couples))] if couples else []))
