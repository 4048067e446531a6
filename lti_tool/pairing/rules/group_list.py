"""The groups of a round as staff look through them: what is remarkable about each, and which are looked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lti_tool.pairing.engine import Schedule
from lti_tool.pairing.rules.comparing import LOCK, Broken, couples_in
from lti_tool.pairing.rules.views import GroupView, PinView, couple_of


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
    UNPAIRED = "unpaired"
    """No groups, but people without a partner."""


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group and what is remarkable about it."""

    group: GroupView
    marks: tuple[Mark, ...]
    broken: tuple[str, ...]
    """Names of the rules that forbid it, without `LOCK`."""

    def is_shown(self, show: Show) -> bool:
        """Whether it is among the groups that are to be listed."""
        match show:
            case Show.ALL:
                return True
            case Show.WARNING:
                return bool(WARNINGS.intersection(self.marks))
            case Show.PINNED:
                return Mark.PINNED in self.marks
            case Show.THREE:
                return len(self.group.seats) == 3
            case Show.UNPAIRED:
                return False

    def is_called(self, words: Sequence[str]) -> bool:
        """Whether the name of somebody in it has all these words, which are in lower case."""
        names = [(seat.name or "").casefold() for seat in self.group.seats]
        return any(all(word in name for word in words) for name in names)


def lines(
    groups: Iterable[GroupView], number: int, schedule: Schedule, broken: Iterable[Broken], pins: Iterable[PinView]
) -> list[GroupLine]:
    """The groups of round `number`, in their order. `schedule` has the course in it."""
    met = {couple_of(*couple) for couple in schedule.course.met}
    met.update(couple for earlier in schedule.rounds[: number - 1] for couple in couples_in(earlier))
    pinned = [set(pin.members) for pin in pins if pin.round_number in {None, number}]
    breaches = [breach for breach in broken if breach.round == number]
    is_of_pairs = schedule.course.shape.size == 2
    listed = []
    for group in groups:
        people = {seat.member_id for seat in group.seats}
        against = [breach for breach in breaches if _concerns(breach, people)]
        marks = {
            Mark.BREAKS: bool(against),
            Mark.REPEAT: not met.isdisjoint(couples_in([tuple(people)])),
            Mark.LEFT: any(seat.status != "active" for seat in group.seats),
            Mark.THREE: len(people) == 3 and is_of_pairs,
            Mark.PINNED: any(members <= people for members in pinned),
            Mark.BEGUN: group.has_begun,
        }
        rules = tuple(dict.fromkeys(breach.rule for breach in against if breach.rule != LOCK))
        listed.append(GroupLine(group, tuple(mark for mark, is_so in marks.items() if is_so), rules))
    return listed


def chosen(listed: Iterable[GroupLine], show: Show, words: str) -> list[GroupLine]:
    """Those of the groups that are to be shown and have somebody of this name in them."""
    wanted = words.casefold().split()
    return [line for line in listed if line.is_shown(show) and line.is_called(wanted)]


def _concerns(breach: Broken, people: set[int]) -> bool:
    """A rule is broken by a group with both in it; a pin is missed by every group with one of its people."""
    return bool(people & set(breach.people)) if breach.rule == LOCK else people >= set(breach.people)
