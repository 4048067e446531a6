"""The people of an instance, and what is known of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lti_tool.pairing.engine.course import PersonId, Value
from lti_tool.pairing.engine.interchange.reader import Name, Reader, at

NAMES: Final = ("department", "group")
SETS: Final = ("languages", "slots")
NUMBERS: Final = ("experience",)
COUNTS: Final = ("past_coach", "past_coachee")
OWN: Final = frozenset({"id", "manager", "unpaired_last", *NAMES, *SETS, *NUMBERS, *COUNTS})


@dataclass
class People:
    """Everybody whom an instance names."""

    ids: Mapping[Name, PersonId]
    names: Mapping[PersonId, Name]
    here: tuple[PersonId, ...] = ()
    """Who takes part."""
    left: frozenset[PersonId] = frozenset()
    joined: frozenset[PersonId] = frozenset()
    attributes: dict[str, dict[PersonId, Value]] = field(default_factory=dict)
    ahead: dict[PersonId, int] = field(default_factory=dict)
    unpaired_last: frozenset[PersonId] = frozenset()

    def find(self, name: object) -> PersonId | None:
        return self.ids.get(name) if isinstance(name, str | int) and not isinstance(name, bool) else None

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
    _check_left(reader, people, left, current)
    joined = [people.known(reader, "joined", name) for name in _named(reader, "joined", written.get("joined", []))]
    people.left = frozenset(people.ids[name] for name in left)
    people.joined = frozenset(one for one in joined if one is not None)
    for one in sorted(people.left & people.joined):
        reader.mistake("joined", f"{people.names[one]!r} both left and joined")
    here = {people.find(entry.get("id")) for _, entry in listed}
    people.here = tuple(sorted(one for one in here if one is not None and one not in people.left))
    for path, entry in listed:
        person = people.find(entry.get("id"))
        if person is not None:
            _read(reader, path, entry, person, people)
    return people


def _named(reader: Reader, path: str, written: object) -> list[Name]:
    return reader.members(path, reader.listed(path, written))


def _numbered(reader: Reader, listed: list[tuple[str, dict[str, Any]]], left: list[Name]) -> People:
    named: dict[Name, str] = {}
    managers: list[Name] = []
    for path, one in listed:
        name = reader.person(at(path, "id"), one.get("id"))
        if name in named:
            reader.mistake(at(path, "id"), f"{name!r} is there already, as {named[name]}")
        elif name is not None:
            named[name] = path
        manager = one.get("manager")
        if manager is not None:
            found = reader.person(at(path, "manager"), manager)
            managers += [] if found is None else [found]
    # The order of names decides, not the order of the list; managers may be people outside of it.
    everybody = sorted({*named, *left}, key=lambda name: (isinstance(name, str), name))
    outside = sorted(set(managers) - set(everybody), key=lambda name: (isinstance(name, str), name))
    names = dict(enumerate([*everybody, *outside], start=1))
    known = {name: person for person, name in names.items()}
    people = People({name: known[name] for name in everybody}, names)
    people.attributes["manager"] = {}
    for _, one in listed:
        person = people.find(one.get("id"))
        if person is not None and "manager" in one:
            manager = one["manager"]
            is_known = isinstance(manager, str | int) and not isinstance(manager, bool)
            people.attributes["manager"][person] = known.get(manager) if is_known else None
    return people


def _check_left(reader: Reader, people: People, left: list[Name], current: list[Any]) -> None:
    members = [one.get("members") if isinstance(one, dict) else one for one in current]
    seated = {name for group in members if isinstance(group, list) for name in group if isinstance(name, str | int)}
    listed = {people.names[one] for one in people.attributes["manager"]}
    for name in left:
        if name not in seated and name not in listed:
            reader.warn(f"left: {name!r} was in no group of the running round")


def _read(reader: Reader, path: str, written: dict[str, Any], person: PersonId, people: People) -> None:
    def keep(attribute: str, value: Value) -> None:
        people.attributes.setdefault(attribute, {})[person] = value

    for name in NAMES:
        if written.get(name) is not None:
            keep(name, reader.text(at(path, name), written[name]))
    for name in NUMBERS:
        if written.get(name) is not None:
            keep(name, reader.number(at(path, name), written[name]))
    for name in SETS:
        if written.get(name) is not None:
            values = reader.listed(at(path, name), written[name])
            texts = [reader.text(at(at(path, name), number), one) for number, one in enumerate(values)]
            keep(name, frozenset(texts))
    coach, coachee = (reader.number(at(path, name), written.get(name, 0), least=0) for name in COUNTS)
    if coach != coachee:
        people.ahead[person] = coach - coachee
    flag = written.get("unpaired_last", False)
    if not isinstance(flag, bool):
        reader.mistake(at(path, "unpaired_last"), "true or false is needed")
    elif flag:
        people.unpaired_last |= {person}
    reader.warn_of_others(path, written, OWN)
