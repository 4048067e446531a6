"""The people of an instance, and what is known of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lti_tool.pairing.engine.course import PersonId, Value
from lti_tool.pairing.engine.interchange.reader import Name, Reader, alike, at

NAMES: Final = ("department", "group")
SETS: Final = ("languages", "slots")
NUMBERS: Final = ("experience",)
COUNTS: Final = ("past_coach", "past_coachee")
OWN: Final = frozenset({"id", "manager", "unpaired_last", *NAMES, *SETS, *NUMBERS, *COUNTS})


@dataclass
class People:
    """Everybody whom an instance names."""

    ids: Mapping[str, PersonId]
    """By name as it is compared."""
    names: Mapping[PersonId, Name]
    """As they are written, where first."""
    here: tuple[PersonId, ...] = ()
    """Who takes part."""
    left: frozenset[PersonId] = frozenset()
    joined: frozenset[PersonId] = frozenset()
    attributes: dict[str, dict[PersonId, Value]] = field(default_factory=dict)
    ahead: dict[PersonId, int] = field(default_factory=dict)
    unpaired_last: frozenset[PersonId] = frozenset()
    strange_managers: list[tuple[str, Name]] = field(default_factory=list)
    """Path and name of managers who are nobody of the instance."""

    def find(self, name: object) -> PersonId | None:
        return self.ids.get(alike(name)) if isinstance(name, str | int) and not isinstance(name, bool) else None

    def known(self, reader: Reader, path: str, name: Name | None) -> PersonId | None:
        """The person; somebody who is not of this instance is a mistake."""
        found = self.find(name)
        if name is not None and found is None:
            reader.mistake(path, f"{name!r} is nobody of this instance")
        return found


def read_people(reader: Reader, written: Mapping[str, Any], current: list[Any]) -> People:
    """Read `people`, `left` and `joined`. Who left may be named in the running round only."""
    listed = [
        (at("people", number), reader.named(at("people", number), one))
        for number, one in enumerate(reader.listed("people", written.get("people")))
    ]
    if "current" not in written:
        for name in ("left", "joined"):
            if written.get(name):
                reader.mistake(name, "belongs to a repair, which needs the running round as `current`")
    left = _named(reader, "left", written.get("left", []))
    people = _numbered(reader, listed, left)
    here = {people.find(entry.get("id")) for _, entry in listed}
    _check_left(reader, people, left, current, here)
    joined = [people.known(reader, "joined", name) for name in _named(reader, "joined", written.get("joined", []))]
    people.left = frozenset(people.ids[alike(name)] for name in left)
    people.joined = frozenset(one for one in joined if one is not None)
    for one in sorted(people.left & people.joined):
        reader.mistake("joined", f"{people.names[one]!r} both left and joined")
    people.here = tuple(sorted(one for one in here if one is not None and one not in people.left))
    for path, entry in listed:
        person = people.find(entry.get("id"))
        if person is not None:
            _read(reader, path, entry, person, people)
    return people


def _named(reader: Reader, path: str, written: object) -> list[Name]:
    return reader.members(path, reader.listed(path, written))


def _numbered(reader: Reader, listed: list[tuple[str, dict[str, Any]]], left: list[Name]) -> People:
    named: dict[str, Name] = {}
    places: dict[str, str] = {}
    managers: list[tuple[str, Name]] = []
    for path, one in listed:
        name = reader.person(at(path, "id"), one.get("id"))
        if name is not None and (key := alike(name)) in named:
            first = named[key]
            spelled = "" if first == name and type(first) is type(name) else f" ({first!r}, which counts as the same)"
            reader.mistake(at(path, "id"), f"{name!r} is there already, as {places[key]}{spelled}")
        elif name is not None:
            named[key], places[key] = name, path
        manager = one.get("manager")
        if manager is not None:
            found = reader.person(at(path, "manager"), manager)
            managers += [] if found is None else [(at(path, "manager"), found)]
    # The order of names decides, not the order of the list; managers may be people outside of it.
    everybody = {**{alike(name): name for name in left}, **named}
    outside: dict[str, Name] = {}
    for _, name in managers:
        if alike(name) not in everybody:
            outside.setdefault(alike(name), name)
    names = dict(
        enumerate([*sorted(everybody.values(), key=_in_order), *sorted(outside.values(), key=_in_order)], start=1)
    )
    known = {alike(name): person for person, name in names.items()}
    people = People({key: known[key] for key in everybody}, names)
    people.strange_managers = [(path, name) for path, name in managers if alike(name) in outside]
    people.attributes["manager"] = {}
    for _, one in listed:
        person = people.find(one.get("id"))
        if person is not None and "manager" in one:
            manager = one["manager"]
            is_known = isinstance(manager, str | int) and not isinstance(manager, bool)
            people.attributes["manager"][person] = known.get(alike(manager)) if is_known else None
    return people


def _in_order(name: Name) -> tuple[bool, Name]:
    return isinstance(name, str), name


def _check_left(
    reader: Reader, people: People, left: list[Name], current: list[Any], listed: set[PersonId | None]
) -> None:
    members = [one.get("members") if isinstance(one, dict) else one for one in current]
    seated = {people.find(name) for group in members if isinstance(group, list) for name in group}
    for name in left:
        person = people.find(name)
        if person not in seated and person not in listed:
            reader.warn(f"left: {name!r} was in no group of the running round")


def _read(reader: Reader, path: str, written: dict[str, Any], person: PersonId, people: People) -> None:
    def keep(attribute: str, value: Value) -> None:
        people.attributes.setdefault(attribute, {})[person] = value

    for name in NAMES:
        if written.get(name) is not None:
            keep(name, alike(reader.text(at(path, name), written[name])))
    for name in NUMBERS:
        if written.get(name) is not None:
            keep(name, reader.number(at(path, name), written[name]))
    for name in SETS:
        if written.get(name) is not None:
            values = reader.listed(at(path, name), written[name])
            texts = [reader.text(at(at(path, name), number), one) for number, one in enumerate(values)]
            keep(name, frozenset(map(alike, texts)))
    coach, coachee = (reader.number(at(path, name), written.get(name, 0), least=0) for name in COUNTS)
    if coach != coachee:
        people.ahead[person] = coach - coachee
    if reader.flag(at(path, "unpaired_last"), written.get("unpaired_last", False)):
        people.unpaired_last |= {person}
    reader.warn_of_others(path, written, OWN)
