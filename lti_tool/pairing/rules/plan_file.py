"""The format `pairing/1`: an instance is read, checked as a whole, and turned into a course.

Instances name people by texts or numbers of their own; in the course they are 1, 2, 3 … in the order of those names.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Annotated, Any, Final, Literal, NoReturn

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Exclusions, Group, Lock, PersonId, ReportingLine, Rule, Value
from lti_tool.support.spelling import compared

LARGEST: Final = 1_000_000_000
MOST_POINTS: Final = 1_000_000
MOST_ROUNDS: Final = 10_000
ROLES: Final = ("coach", "observer", "coachee")
"""In order of turn; a group of two has no observer."""
NAMES: Final = ("department", "group")
SETS: Final = ("languages", "slots")
NUMBERS: Final = ("experience",)
ATTRIBUTES: Final = (*NAMES, *SETS, *NUMBERS)
RULES: Final[Mapping[str, tuple[Callable[..., Rule], tuple[str, ...]]]] = {
    "not_manager": (ReportingLine, ()),
    "share_any": (engine.Share, SETS),
    "differ": (engine.Other, NAMES),
    "same": (engine.Same, NAMES),
    "exclude": (Exclusions, ()),
}
"""The engine's rule for each constraint, and the attributes of which it can compare one."""
WISHES: Final[Mapping[str, tuple[Callable[..., engine.Wish], tuple[str, ...]]]] = {
    "differ": (engine.RatherOther, NAMES),
    "same": (engine.RatherSame, NAMES),
    "gap": (engine.RatherGap, NUMBERS),
    "extra_shared": (engine.ExtraShared, SETS),
}
"""The engine's wish for each weight, and the attributes of which it can compare one."""
FIRST: Final = 5
"""How many people a sentence names."""


class InstanceFlawed(ValueError):
    """What was read is not an instance. Each of `mistakes` is a sentence that begins with a path."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


# ---- the form --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    """What an instance calls a person. Names that count as the same are equal: 7 and "7", wide and narrow letters."""

    key: str
    written: str | int = field(compare=False)

    def __repr__(self) -> str:
        return repr(self.written)

    @property
    def order(self) -> tuple[bool, str | int]:
        """Numbers come before texts."""
        return isinstance(self.written, str), self.written


def alike(text: str) -> str:
    """A text as it is compared."""
    return compared(text, "NFKC")


def _name(written: object) -> Name:
    if not isinstance(written, str | int) or isinstance(written, bool) or not alike(str(written)):
        raise ValueError("the id of a person is needed")
    return Name(alike(str(written)), written)


def _once(members: list[Name]) -> list[Name]:
    if len(set(members)) < len(members):
        raise ValueError("somebody is named twice")
    return members


def _comparable(table: Mapping[str, tuple[object, tuple[str, ...]]]) -> AfterValidator:
    """Refuses an attribute that the type of a constraint or weight cannot compare."""

    def check(attribute: str | None, part: ValidationInfo) -> str | None:
        kind = part.data.get("type", "")
        allowed = table[kind][1] if kind in table else (attribute,)
        if attribute not in (allowed or (None,)):
            raise ValueError(f"{kind} takes {' or '.join(map(str, allowed)) or 'no attribute'}")
        return attribute

    return AfterValidator(check)


PersonName = Annotated[Name, PlainValidator(_name)]
Members = Annotated[list[PersonName], AfterValidator(_once)]
Meeting = Annotated[list[PersonName], Field(min_length=2), AfterValidator(_once)]
Couple = Annotated[list[PersonName], Field(min_length=2, max_length=2), AfterValidator(_once)]
PairOrTrio = Annotated[list[PersonName], Field(min_length=2, max_length=3), AfterValidator(_once)]
Text = Annotated[str, AfterValidator(alike)]
Texts = Annotated[list[Text], AfterValidator(frozenset)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Points = Annotated[int, Field(ge=0, le=MOST_POINTS)]


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
    roles: dict[PersonName, str] | None = None


class Locked(Together):
    """People who must be together in a round."""

    members: PairOrTrio
    round: Annotated[int, Field(ge=1)]


class Constraint(Part):
    """What must hold for two people who work together."""

    type: Literal["not_manager", "share_any", "differ", "same"]
    attribute: Annotated[str | None, _comparable(RULES)] = Field(None, validate_default=True)


class Exclude(Part):
    """Couples who never work together."""

    type: Literal["exclude"]
    pairs: list[Couple]


class Weight(Part):
    """Points for two people who work together, for each step and at most `cap`."""

    type: Literal["differ", "same", "gap", "extra_shared"]
    attribute: Annotated[str | None, _comparable(WISHES)] = Field(None, validate_default=True)
    weight: Points
    cap: Count = MOST_POINTS


class Form(Part):
    """An instance as it is written."""

    name: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    kind: Literal["pairs", "review"] = "pairs"
    rounds: Annotated[int, Field(ge=1, le=MOST_ROUNDS)] = 1
    reviews_per_person: Annotated[int, Field(ge=1, le=LARGEST)] = 1
    outside_managers: bool = False
    people: list[Person]
    constraints: list[Annotated[Constraint | Exclude, Field(discriminator="type")]] = []
    weights: list[Weight] = []
    past: list[Together] = []
    locked: list[Locked] = []
    current: list[Running] | None = None
    left: Members = []
    joined: Members = []


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


def at(path: str, *keys: str | int) -> str:
    """The path of a part: `people`, `people[3]`, `people[3].id`."""
    for key in keys:
        path = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key
    return path


def roles_of(group: Sequence[object]) -> tuple[str, ...]:
    """The roles of a group's members in order of turn."""
    return ROLES if len(group) == 3 else (ROLES[0], ROLES[-1])


# ---- reading ---------------------------------------------------------------------------------------------------------


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
        errors = flawed.errors(include_url=False, include_input=False)
        raise InstanceFlawed(
            f"{at('', *filter(_is_of_path, error['loc']))}: {error.get('ctx', {}).get('error') or error['msg']}"
            for error in errors
        ) from None
    return Instance(form)


def _is_of_path(key: str | int) -> bool:
    """Whether a key is written in the instance: pydantic also names the type of a part and its own functions."""
    return isinstance(key, int) or (key not in {*RULES, *WISHES} and "[" not in key)


def _unread(part: object, path: str = "") -> Iterator[str]:
    """The paths of fields that are not of the format."""
    if isinstance(part, list):
        for number, entry in enumerate(part):
            yield from _unread(entry, at(path, number))
    elif isinstance(part, Part):
        yield from (at(path, name) for name in sorted(part.model_extra or ()))
        for name in type(part).model_fields:
            yield from _unread(getattr(part, name), at(path, name))


class Instance:
    """An instance, with people as the engine knows them."""

    def __init__(self, form: Form) -> None:
        """Raises InstanceFlawed, which names all mistakes in what the parts of the form say together."""
        self.form = form
        inside = {name: name for name in (*form.left, *(person.id for person in form.people))}
        if mistakes := tuple(_mistakes(form, inside)):
            raise InstanceFlawed(mistakes)
        managers = [person.manager for person in reversed(form.people) if person.manager is not None]
        outside = {name: name for name in managers if name not in inside}
        in_order = [name for side in (inside, outside) for name in sorted(side.values(), key=lambda name: name.order)]
        self.numbers: dict[Name, PersonId] = {name: number for number, name in enumerate(in_order, start=1)}
        self.names = {number: name.written for name, number in self.numbers.items()}
        """What the instance calls its people, those who left and managers outside of the list included."""
        self.left, self.joined = frozenset(self._people(form.left)), frozenset(self._people(form.joined))
        self.has_roles = bool(form.current) and all(group.roles for group in form.current or ())
        """Repair: whether each group of the running round has roles; then the first of a group is coach."""
        self.current = tuple(self._people(_in_order_of_roles(group)) for group in form.current or ())
        self.constraints = self._constraints()
        """The rules of the course, by what sentences call them: `constraints[0] (not_manager)`."""
        self.course = self._course()
        """Everyone who takes part: those who joined are in it, those who left are not."""
        if form.kind == "pairs" and self.course.locks:
            self._check_locks()
        self.warnings = [f"{path}: is not a field of the format, so it is not read" for path in _unread(form)]
        """What is unusual in how it is written, and no mistake; `commands.notes_of` has more."""
        self.warnings += _strangers(form, inside)

    def _people(self, names: Iterable[Name]) -> Group:
        return tuple(self.numbers[name] for name in names)

    def first_of(self, members: Collection[PersonId]) -> str:
        """The first five people in order, and how many more there are."""
        shown = ", ".join(repr(self.names[person]) for person in list(members)[:FIRST])
        return shown + (f" and {len(members) - FIRST} more" if len(members) > FIRST else "")

    def _course(self) -> engine.Course:
        people, attributes = self.form.people, self._attributes()
        met = [[self.numbers[name] for name in group.members if name in self.numbers] for group in self.form.past]
        locked = [(tuple(sorted({*self._people(lock.members)} - self.left)), lock.round) for lock in self.form.locked]
        rules = {rule.name: rule for rule in self.constraints.values()}
        couples = [pair for rule in self.constraints.values() if isinstance(rule, Exclusions) for pair in rule.couples]
        if couples:
            rules[Exclusions.name] = Exclusions(couples=tuple(couples))
        ahead = {self.numbers[person.id]: person.past_coach - person.past_coachee for person in people}
        return engine.Course(
            people=tuple(sorted({self.numbers[person.id] for person in people} - self.left)),
            met=tuple(couple for group in met for couple in combinations(sorted(group), 2)),
            attributes=attributes,
            rules=tuple(rules.values()),
            wishes=self._wishes(attributes),
            locks=tuple(dict.fromkeys(Lock(members, number) for members, number in locked if len(members) > 1)),
            ahead={person: turns for person, turns in ahead.items() if turns},
            left_out=frozenset(self.numbers[person.id] for person in people if person.unpaired_last),
        )

    def _attributes(self) -> dict[str, dict[PersonId, Value]]:
        attributes: dict[str, dict[PersonId, Value]] = {"manager": {}}
        for person in self.form.people:
            values = {name: value for name in ATTRIBUTES if (value := getattr(person, name)) is not None}
            if "manager" in person.model_fields_set:
                values["manager"] = None if person.manager is None else self.numbers[person.manager]
            for name, value in values.items():
                attributes.setdefault(name, {})[self.numbers[person.id]] = value
        return attributes

    def _constraints(self) -> dict[str, Rule]:
        """The hard constraints. A person without a value fits no one in `share_any`, `same` and `differ`."""
        constraints = {}
        for number, part in enumerate(self.form.constraints):
            words, options = str(part.type), dict[str, Any]()
            if isinstance(part, Exclude):
                options = {"couples": tuple(self._people(pair) for pair in part.pairs)}
            elif part.attribute is not None:
                words, options = f"{words} {part.attribute}", {"attribute": part.attribute, "unknown_is_allowed": False}
            if options != {"couples": ()}:
                constraints[f"constraints[{number}] ({words})"] = RULES[part.type][0](**options)
        return constraints

    def _wishes(self, attributes: Mapping[str, Mapping[PersonId, Value]]) -> tuple[engine.Wish, ...]:
        """The soft constraints; those that are listed twice add up. A weight of 0 is no wish."""
        wishes = []
        for part in self.form.weights:
            options: dict[str, Any] = {"attribute": part.attribute, "weight": part.weight}
            if part.attribute not in NAMES:
                # A cap that is never reached would make all other numbers needlessly large.
                values: list[Any] = [*attributes.get(str(part.attribute), {}).values()]
                steps = [len(value) if isinstance(value, frozenset) else value - min(values) for value in values]
                options["cap"] = min(part.cap, max(1, part.weight * max(steps, default=1)))
            if part.weight and options.get("cap") != 0:
                wishes.append(WISHES[part.type][0](**options))
        return tuple(wishes)

    def _check_locks(self) -> None:
        """Raise InstanceFlawed for the first lock that the engine refuses."""
        try:
            engine.check_locks(self.course, self.form.rounds)
        except (engine.LockConflict, engine.LockForbidden, engine.LockSize) as refusal:
            members = (refusal.person,) if isinstance(refusal, engine.LockConflict) else refusal.members
            who = joined([repr(self.names[person]) for person in members])
            paths = [
                f"locked[{number}]"
                for number, lock in enumerate(self.form.locked)
                if lock.round == refusal.round and set(members) <= set(self._people(lock.members))
            ]
            cannot = f"{joined(paths)}: {who} cannot be"
            match refusal:
                case engine.LockConflict():
                    says = f"{cannot} in two groups of round {refusal.round}"
                case engine.LockForbidden():
                    against = [said for said, rule in self.constraints.items() if rule.name == refusal.rule]
                    says = f"{cannot} together in round {refusal.round} under {joined(against)}"
                case engine.LockSize():
                    groups = "one group" if len(self.course.people) % 2 else "no group"
                    says = f"{cannot} together in round {refusal.round}, which has {groups} of three"
            raise InstanceFlawed([says]) from None


def _in_order_of_roles(group: Running) -> list[Name]:
    """The members with the coach first and the coachee last; as they are listed if there are no roles."""
    by_role = {role: name for name, role in (group.roles or {}).items()}
    return [by_role[role] for role in roles_of(group.members)] if by_role else group.members


def _mistakes(form: Form, known: Collection[Name]) -> Iterator[str]:
    """People who are listed twice, who are named and not among the known, and what cannot be true at once.

    Meetings of the past with people who are not known are only noted.
    """
    first: dict[Name, tuple[int, Name]] = {}
    for number, person in enumerate(form.people):
        place, name = first.setdefault(person.id, (number, person.id))
        if place != number:
            spelled = "" if repr(name) == repr(person.id) else f" ({name!r}, which counts as the same)"
            yield f"people[{number}].id: {person.id!r} is there already, as people[{place}]{spelled}"
        is_outside = person.manager is not None and person.manager not in known and not form.outside_managers
        if is_outside and any(part.type == "not_manager" for part in form.constraints):
            says = f'{person.manager!r} is not a person of this instance ("outside_managers": true allows that)'
            yield f"people[{number}].manager: {says}"
    named = [("joined", form.joined)]
    named += [(f"current[{number}]", group.members) for number, group in enumerate(form.current or ())]
    named += [(f"locked[{number}]", lock.members) for number, lock in enumerate(form.locked)]
    for number, part in enumerate(form.constraints):
        if isinstance(part, Exclude):
            named += [(f"constraints[{number}].pairs[{place}]", pair) for place, pair in enumerate(part.pairs)]
    for path, names in named:
        yield from (f"{path}: {name!r} is not a person of this instance" for name in names if name not in known)
    for number, lock in enumerate(form.locked):
        if lock.round > form.rounds:
            yield f"locked[{number}].round: there is no such round"
    for field_name in ("left", "joined") if form.current is None else ():
        if getattr(form, field_name):
            yield f"{field_name}: belongs to a repair, which needs the running round as `current`"
    yield from (f"joined: {name!r} both left and joined" for name in form.joined if name in form.left)
    seated: set[Name] = set()
    for number, group in enumerate(form.current or ()):
        path, roles = f"current[{number}]", roles_of(group.members)
        yield from (f"{path}: {name!r} is in two groups" for name in group.members if name in seated)
        yield from (f"{path}: {name!r} joined and has a group already" for name in group.members if name in form.joined)
        given = group.roles
        if given and (given.keys() != set(group.members) or sorted(given.values()) != sorted(roles)):
            yield f"{path}.roles: each member has one of these roles, each once: {', '.join(roles)}"
        seated.update(group.members)


def _strangers(form: Form, known: Collection[Name]) -> Iterator[str]:
    """Who is named and was not there."""
    for number, group in enumerate(form.past):
        for name in group.members:
            if name not in known:
                yield (
                    f"past[{number}].members: {name!r} is not a person of this instance, so this meeting counts for "
                    "the others only"
                )
    present = {name for group in form.current or () for name in group.members} | {person.id for person in form.people}
    yield from (f"left: {name!r} was in no group of the running round" for name in form.left if name not in present)
