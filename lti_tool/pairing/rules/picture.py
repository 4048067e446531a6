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
class Line:
    """Two people who meet, and in which round first."""

    round_number: int
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Who meets whom: people around a circle, a line for every meeting. Coordinates fit a square of `size`."""

    size: int
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]


def draw(members: Sequence[int], schedule: Schedule, *, size: int = 440) -> Picture:
    """The picture of a schedule with these members in this order."""
    middle, radius = size / 2, size / 2 - 34
    dots: dict[int, Dot] = {}
    for place, member_id in enumerate(members):
        angle = 2 * pi * place / max(len(members), 1) - pi / 2
        x, y = cos(angle), sin(angle)
        dots[member_id] = Dot(
            member_id,
            place + 1,
            round(middle + radius * x, 1),
            round(middle + radius * y, 1),
            round(middle + (radius + 18) * x, 1),
            round(middle + (radius + 18) * y + 4, 1),
        )
    lines = [
        Line(number, dots[person].x, dots[person].y, dots[partner].x, dots[partner].y)
        for number, groups in enumerate(schedule.rounds, start=1)
        for group in groups
        for person, partner in combinations(group, 2)
        if person in dots and partner in dots
    ]
    return Picture(size, tuple(dots.values()), tuple(lines))


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


@dataclass(frozen=True, slots=True)
class Spread:
    """How even something is: the number of people who are even, off by one, and off by more."""

    even: int
    off_by_one: int
    more: int


def turns(table: Iterable[Row]) -> Spread:
    """How often people are observed first less how often last."""
    return _spread([abs(row.first - row.last) for row in table])


def variety(table: Iterable[Row]) -> Spread:
    """How many meetings people have with someone whom they also meet in another round."""
    met = [[person for partners in row.partners for person in partners] for row in table]
    return _spread([len(people) - len(set(people)) for people in met])


def _spread(off: list[int]) -> Spread:
    return Spread(off.count(0), off.count(1), sum(times > 1 for times in off))
