"""What a figure is: its words, its columns, and rows whose cells know the people behind them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from itertools import accumulate

from lti_tool.evidence.rules.facts import Facts


class Unit(StrEnum):
    """How a value is written."""

    COUNT = "count"
    NUMBER = "number"
    SHARE = "share"
    """From 0 to 1."""
    HOURS = "hours"
    TEXT = "text"
    """Marked for translation, or written by a designer."""
    ROUND = "round"
    """The number of a round; None: all rounds."""
    WEEK = "week"
    """The Monday on which it begins."""


Value = str | int | float | date | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a figure. With `part` its values are drawn in the bar of their row, in the style of that state."""

    key: str
    title: str
    says: str
    unit: Unit = Unit.COUNT
    part: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and the people behind it. None: not shown, because there is nothing to count or too few people."""

    value: Value
    people: Collection[int] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what it is about, and a cell for each column. With `part` its bar has a style of its own."""

    key: str
    heads: tuple[Value, ...]
    cells: tuple[Cell, ...]
    part: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, written once: the page, the files, their dictionary and the report are made of it.

    Texts are marked for translation. `is_beside`: the parts of a row stand under each other, and not in one bar.
    """

    key: str
    title: str
    says: str
    method: str
    """How it is computed."""
    empty: str
    """What stands in its place while there is nothing to count."""
    heads: tuple[Column, ...]
    columns: tuple[Column, ...]
    rows: Callable[[Facts], Iterable[Row]] = field(repr=False)
    since: Callable[[Facts], Mapping[int, datetime]] | None = None
    """Since when people are behind a number of it."""
    behind: str = ""
    """What to say above the people behind a number."""
    is_beside: bool = False
    least: float = 0
    most: float | None = None
    """The ends of the bars; None: the longest row."""


@dataclass(frozen=True, slots=True)
class Table:
    """A figure of one activity, counted."""

    figure: Figure
    rows: Sequence[Row]

    @property
    def parts(self) -> list[Column]:
        """The columns that are drawn."""
        return [column for column in self.figure.columns if column.part]

    def bars(self, row: Row) -> list[list[tuple[str, float]]]:
        """The bars of a row, each as its parts in order: (style, length); none where there is nothing to draw."""
        drawn = [
            (row.part or column.part, max(float(cell.value) - self.figure.least, 0.0))
            for column, cell in zip(self.figure.columns, row.cells, strict=True)
            if column.part and isinstance(cell.value, int | float)
        ]
        if not any(length for _, length in drawn):
            return []
        return [[part] for part in drawn] if self.figure.is_beside else [drawn]

    @property
    def length(self) -> float:
        """How long a full bar is."""
        if self.figure.most is not None:
            return self.figure.most - self.figure.least
        bars = [sum(length for _, length in bar) for row in self.rows for bar in self.bars(row)]
        return max(bars, default=0) or 1

    def cell(self, row_key: str, column_key: str) -> tuple[Row, Column, Cell] | None:
        """The cell of this row and column; None where there is none."""
        for row in self.rows:
            for column, cell in zip(self.figure.columns, row.cells, strict=True):
                if (row.key, column.key) == (row_key, column_key):
                    return row, column, cell
        return None


def counted(figure: Figure, facts: Facts) -> Table:
    """The figure of these facts."""
    return Table(figure, tuple(figure.rows(facts)))


def gini(amounts: Iterable[float]) -> float:
    """How unequally something is spread, from 0 (all have as much) to nearly 1 (one person has all); 0 for nothing.

    The Gini coefficient: the mean difference between two people over twice the mean (Gini 1912), by the sorted sum.
    """
    ordered = sorted(amounts)
    total = sum(ordered)
    if not total:
        return 0.0
    count = len(ordered)
    return (count + 1 - 2 * sum(accumulate(ordered)) / total) / count
