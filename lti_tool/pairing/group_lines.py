"""The groups of a round as staff look through them: what is remarkable about each, and which are looked for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final

from lti_tool.pairing.comparing import LOCK, Broken
from lti_tool.pairing.engine import Schedule
from lti_tool.pairing.rules import GroupView, PinView


class Mark(StrEnum):
    """What is remarkable about a group."""

    BREAKS = "breaks"
    """A rule of today forbids it, or a pin is not kept."""
    REPEAT = "repeat"
    """Two of it have met before."""
    LEFT = "left"
    """Somebody in it is not in the course any more."""
    THREE = "three"
    """Three among pairs."""
    PINNED = "pinned"
    BEGUN = "begun"


WARNINGS: Final = frozenset({Mark.BREAKS, Mark.REPEAT, Mark.LEFT})


class Show(StrEnum):
    """Which groups are listed."""

    ALL = "all"
    WARNING = "warning"
    PINNED = "pinned"
    THREE = "three"
    NOBODY = "nobody"
    """No groups, but people without a partner."""


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group and what is remarkable about it."""

    group: GroupView
    marks: tuple[Mark, ...]
    broken: tuple[str, ...]
    """Names of the rules that forbid it, without `LOCK`."""


@dataclass(frozen=True, slots=True)
class _Background:
    """What the groups of a round are held against."""

    met: Collection[frozenset[int]]
    pinned: list[set[int]]
    broken: list[Broken]
    is_of_pairs: bool

    def line(self, group: GroupView) -> GroupLine:
        people = {seat.member_id for seat in group.seats}
        against = [one for one in self.broken if _concerns(one, people)]
        marks = {
            Mark.BREAKS: bool(against),
            Mark.REPEAT: any(frozenset(two) in self.met for two in combinations(people, 2)),
            Mark.LEFT: any(seat.status != "active" for seat in group.seats),
            Mark.THREE: len(people) == 3 and self.is_of_pairs,
            Mark.PINNED: any(members <= people for members in self.pinned),
            Mark.BEGUN: group.has_begun,
        }
        rules = tuple(dict.fromkeys(one.rule for one in against if one.rule != LOCK))
        return GroupLine(group, tuple(mark for mark, is_so in marks.items() if is_so), rules)


def lines(
    groups: Iterable[GroupView], number: int, schedule: Schedule, broken: Iterable[Broken], pins: Iterable[PinView]
) -> list[GroupLine]:
    """The groups of round `number`, in their order. `schedule` has the course in it."""
    met = {frozenset(couple) for couple in schedule.course.met}
    met.update(frozenset(two) for of in schedule.rounds[: number - 1] for group in of for two in combinations(group, 2))
    background = _Background(
        met,
        [set(pin.members) for pin in pins if pin.round_number in {None, number}],
        [one for one in broken if one.round == number],
        schedule.course.shape.size == 2,
    )
    return [background.line(group) for group in groups]


def chosen(found: Sequence[GroupLine], show: Show, words: str) -> list[GroupLine]:
    """Those of the groups that are to be shown and have somebody of this name in them."""
    wanted = words.casefold().split()
    return [line for line in found if _is_shown(line, show) and any(_is_called(name, wanted) for name in _names(line))]


def _concerns(one: Broken, people: set[int]) -> bool:
    """A rule is broken by a group with both in it; a pin is missed by every group with one of its people."""
    return bool(people & set(one.people)) if one.rule == LOCK else people >= set(one.people)


def _is_shown(line: GroupLine, show: Show) -> bool:
    match show:
        case Show.WARNING:
            return bool(WARNINGS & set(line.marks))
        case Show.PINNED:
            return Mark.PINNED in line.marks
        case Show.THREE:
            return len(line.group.seats) == 3
        case Show.NOBODY:
            return False
    return True


def _names(line: GroupLine) -> list[str]:
    return [seat.name or "" for seat in line.group.seats]


def _is_called(name: str, wanted: list[str]) -> bool:
    return all(word in name.casefold() for word in wanted)
