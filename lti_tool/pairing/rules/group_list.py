"""The groups of a round as staff see them: what to note about each, and which are searched for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lti_tool.pairing.engine import Schedule
from lti_tool.pairing.rules.comparing import LOCK, Broken, couples_in
from lti_tool.pairing.rules.views import GroupView, PinView, couple_of


class Mark(StrEnum):
    """What staff should note about a group."""

    BREAKS = "breaks"
    """A rule of today forbids it, or a pin is not kept."""
    REPEAT = "repeat"
    """Two of it have met before."""
    LEFT = "left"
    """A member is not in the course any more."""
    THREE = "three"
    """Three people in a plan of pairs."""
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
    """People without a partner, and no groups."""


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group and what to note about it."""

    group: GroupView
    marks: tuple[Mark, ...]
    broken: tuple[str, ...]
    """Names of the rules that forbid it, without `LOCK`."""


def lines(
    groups: Iterable[GroupView], number: int, schedule: Schedule, broken: Iterable[Broken], pins: Iterable[PinView]
) -> list[GroupLine]:
    """The groups of round `number`, in their order. `schedule` has the course in it."""
    met = {couple_of(*couple) for couple in schedule.course.met}
    met.update(couple for earlier in schedule.rounds[: number - 1] for couple in couples_in(earlier))
    pinned = [set(pin.members) for pin in pins if pin.holds_in(number)]
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
    """Those of the groups that are to be shown and have a member whose name has all these words in it."""
    wanted = words.casefold().split()
    return [line for line in listed if _is_shown(line, show) and _is_called(line, wanted)]


def _is_shown(line: GroupLine, show: Show) -> bool:
    return {
        Show.ALL: True,
        Show.WARNING: not WARNINGS.isdisjoint(line.marks),
        Show.PINNED: Mark.PINNED in line.marks,
        Show.THREE: len(line.group.seats) == 3,
        Show.UNPAIRED: False,
    }[show]


def _is_called(line: GroupLine, words: Sequence[str]) -> bool:
    names = [(seat.name or "").casefold() for seat in line.group.seats]
    return any(all(word in name for word in words) for name in names)


def _concerns(breach: Broken, people: set[int]) -> bool:
    """A rule is broken by a group with both people; a pin is broken by every group with one of them."""
    return bool(people & set(breach.people)) if breach.rule == LOCK else people >= set(breach.people)
