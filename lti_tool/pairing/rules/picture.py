"""Who meets whom, as a picture and a table, and how even it is. Plain data."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import cos, pi, sin
from typing import Final

from lti_tool.pairing.engine import Schedule

MOST_DRAWN: Final = 40
"""With more people, lines and numbers run into each other; bars and the table show the same."""
SIZE: Final = 440


@dataclass(frozen=True, slots=True)
class Dot:
    """A person in the picture: a place on the circle, and a number beside it."""

    member_id: int
    number: int
    x: float
    y: float
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Who meets whom: people around a circle, and a line for every meeting. Coordinates fit a square of `size`."""

    size: int
    dots: tuple[Dot, ...]
    lines: tuple[tuple[int, Dot, Dot], ...]
    """The number of the round, and the two who meet."""


def draw(members: Sequence[int], schedule: Schedule) -> Picture:
    """The picture of a schedule with these members in this order."""
    dots = {member_id: _dot(member_id, place, len(members)) for place, member_id in enumerate(members)}
    lines = [
        (number, dots[person], dots[partner])
        for number, groups in enumerate(schedule.rounds, start=1)
        for group in groups
        for person, partner in combinations(group, 2)
        if person in dots and partner in dots
    ]
    return Picture(SIZE, tuple(dots.values()), tuple(lines))


def _dot(member_id: int, place: int, count: int) -> Dot:
    angle = 2 * pi * place / count - pi / 2
    x, y, middle, radius = cos(angle), sin(angle), SIZE / 2, SIZE / 2 - 34
    at = (middle + radius * x, middle + radius * y)
    label = (middle + (radius + 18) * x, middle + (radius + 18) * y + 4)
    return Dot(member_id, place + 1, *(round(number, 1) for number in (*at, *label)))


@dataclass(frozen=True, slots=True)
class Row:
    """The partners of a member by round, and how often they are observed first and last."""

    member_id: int
    partners: tuple[tuple[int, ...], ...]
    first: int
    last: int


def rows(members: Sequence[int], schedule: Schedule) -> list[Row]:
    """The table of who meets whom."""
    partners: dict[int, list[tuple[int, ...]]] = {member_id: [() for _ in schedule.rounds] for member_id in members}
    groups = [(place, group) for place, of_round in enumerate(schedule.rounds) for group in of_round]
    for place, group in groups:
        for member_id in group:
            if member_id in partners:
                partners[member_id][place] = tuple(person for person in group if person != member_id)
    first, last = (Counter(group[end] for _, group in groups) for end in (0, -1))
    return [Row(member, tuple(partners[member]), first[member], last[member]) for member in members]


def turns(table: Iterable[Row]) -> dict[str, int]:
    """How many people are observed first as often as last (`even`), how many once more or less, and how many more."""
    return _spread([abs(row.first - row.last) for row in table])


def variety(table: Iterable[Row]) -> dict[str, int]:
    """How many people meet no one twice (`even`), how many do once, and how many more often."""
    met = [[person for partners in row.partners for person in partners] for row in table]
    return _spread([len(people) - len(set(people)) for people in met])


def _spread(off: list[int]) -> dict[str, int]:
    return {"even": off.count(0), "off_by_one": off.count(1), "more": sum(times > 1 for times in off)}
