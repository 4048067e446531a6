"""A small picture of the rounds of a template: eight people, and who meets whom. Plain values."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import cos, pi, sin
from typing import Final

PEOPLE: Final = 8
MOST_ROUNDS: Final = PEOPLE - 1
SIZE: Final = 72
"""Of the square around one round."""


@dataclass(frozen=True, slots=True)
class DrawnRound:
    """The groups of one round, people counted from 1, and the places of people and of lines between them."""

    groups: tuple[tuple[int, ...], ...]
    dots: tuple[tuple[float, float], ...]
    lines: tuple[tuple[int, float, float, float, float], ...]
    """The kind of line, which tells circles apart, and where it begins and ends."""


def draw(rounds: int, *, in_circles: bool = False) -> tuple[DrawnRound, ...]:
    """So many rounds, seven at most: pairs who never meet again, or two circles of four that are mixed anew."""
    dots = tuple(_place(person) for person in range(PEOPLE))
    drawn = []
    for number in range(1, min(rounds, MOST_ROUNDS) + 1):
        groups = _circles(number) if in_circles else _pairs(number)
        lines = tuple(
            (place if in_circles else 1, *dots[one], *dots[another])
            for place, group in enumerate(groups, start=1)
            for one, another in _around(group)
        )
        counted = tuple(tuple(person + 1 for person in group) for group in groups)
        drawn.append(DrawnRound(counted, dots, lines))
    return tuple(drawn)


def _around(group: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """A pair, or the outline of a circle."""
    return pairwise(group) if len(group) == 2 else pairwise((*group, group[0]))


def _pairs(number: int) -> list[tuple[int, ...]]:
    return [(person, person ^ number) for person in range(PEOPLE) if person < person ^ number]


def _circles(number: int) -> list[tuple[int, ...]]:
    sides: tuple[list[int], list[int]] = ([], [])
    for person in range(PEOPLE):
        sides[(person & number).bit_count() % 2].append(person)
    return [tuple(side) for side in sides]


def _place(person: int) -> tuple[float, float]:
    angle = 2 * pi * person / PEOPLE - pi / 2
    return round(SIZE / 2 + (SIZE / 2 - 8) * cos(angle), 1), round(SIZE / 2 + (SIZE / 2 - 8) * sin(angle), 1)
