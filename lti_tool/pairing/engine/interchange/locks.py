"""The locks of an instance: read, and held against each other, the number of people and the constraints."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from lti_tool.pairing.engine.course import Couple, Lock, PersonId
from lti_tool.pairing.engine.interchange.people import People
from lti_tool.pairing.engine.interchange.reader import Reader, at
from lti_tool.pairing.engine.interchange.rules import Constraint
from lti_tool.pairing.engine.interchange.wording import joined, together
from lti_tool.pairing.engine.people import People as Columns


@dataclass(frozen=True, slots=True)
class Locked:
    """A lock and where it is written."""

    path: str
    round: int
    members: tuple[PersonId, ...]
    """Sorted, without those who left."""

    @property
    def lock(self) -> Lock:
        return Lock(self.members, self.round)


def locks_of(reader: Reader, people: People, written: object, rounds: int) -> list[Locked]:
    """Who must be together in which round. Two different locks on one person in a round are a mistake."""
    found: dict[tuple[int, PersonId], Locked] = {}
    locks: list[Locked] = []
    for number, one in enumerate(reader.listed("locked", written)):
        before = len(reader.mistakes)
        lock = _read(reader, people, at("locked", number), one, rounds)
        # What stands in for a mistake contradicts nothing.
        if len(reader.mistakes) > before or len(lock.members) < 2:
            continue
        earlier = [found.setdefault((lock.round, person), lock) for person in lock.members]
        others = dict.fromkeys(other for other in earlier if other.members != lock.members)
        for other in others:
            reader.mistake(lock.path, f"{_must(people, lock)}, but {other.path} {_puts(people, lock, other)}")
        locks.append(lock)
    return locks


def _puts(people: People, lock: Locked, other: Locked) -> str:
    both = [person for person in lock.members if person in other.members]
    rest = [person for person in other.members if person not in both]
    if not rest:
        return f"says so of {together(both, people.names)} alone"
    return f"puts {together(both, people.names)} together with {together(rest, people.names)}"


def _read(reader: Reader, people: People, path: str, written: object, rounds: int) -> Locked:
    entry: dict[str, Any] = reader.named(path, written)
    reader.warn_of_others(path, entry, {"round", "members"})
    round_ = reader.number(at(path, "round"), entry.get("round"), least=1, most=rounds)
    names = reader.members(path, entry)
    members = [one for one in (people.known(reader, path, name) for name in names) if one is not None]
    if len(names) not in {2, 3}:
        reader.mistake(path, "two or three members are needed")
    return Locked(path, round_, tuple(sorted(one for one in members if one not in people.left)))


def check_locks(reader: Reader, people: People, locks: Sequence[Locked], constraints: Sequence[Constraint]) -> None:
    """Name locks that cannot be kept: groups of three where none fits, and couples that a constraint forbids."""
    _check_sizes(reader, people, locks)
    for lock, couple, against in _forbidden(people, locks, constraints):
        forbid = f"{joined([one.said for one in against])} {'forbids' if len(against) == 1 else 'forbid'} it"
        for_whom = f" for {together(couple, people.names)}" if len(lock.members) > 2 else ""
        reader.mistake(lock.path, f"{_must(people, lock)}, but {forbid}{for_whom}")


def _check_sizes(reader: Reader, people: People, locks: Sequence[Locked]) -> None:
    trios: dict[int, Locked] = {}
    for lock in locks:
        if len(lock.members) < 3:
            continue
        first = trios.setdefault(lock.round, lock)
        if len(people.here) % 2 == 0:
            reader.mistake(lock.path, f"{_must(people, lock)}, but {len(people.here)} people sit in groups of two")
        elif first.members != lock.members:
            reader.mistake(
                lock.path, f"{_must(people, lock)}, but {first.path} is a group of three there, and only one fits in"
            )


def _forbidden(
    people: People, locks: Sequence[Locked], constraints: Sequence[Constraint]
) -> list[tuple[Locked, Couple, list[Constraint]]]:
    couples = [(lock, couple) for lock in locks for couple in combinations(lock.members, 2)]
    if not couples:
        return []
    columns = Columns(people.here, people.attributes)
    one, other = columns.places([couple for _, couple in couples]).T
    against: defaultdict[int, list[Constraint]] = defaultdict(list)
    for constraint in constraints:
        for place in np.flatnonzero(~constraint.rule.allows(columns, one, other)).tolist():
            against[place].append(constraint)
    return [(*couples[place], against[place]) for place in sorted(against)]


def _must(people: People, lock: Locked) -> str:
    return f"{together(lock.members, people.names)} must be together in round {lock.round}"
