"""Figures in the reader's language: values on pages, lines of files, and the dictionary that explains them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from flask_babel import format_date, format_decimal, format_percent, gettext

from lti_tool.errors import N_
from lti_tool.evidence.rules.catalog import FIGURES
from lti_tool.evidence.rules.figures import Column, Row, Table, Unit, Value
from lti_tool.support.paper import PdfState
from lti_tool.support.spreadsheet import Sheet

UNITS: Final[dict[Unit, str]] = {
    Unit.COUNT: N_("count"),
    Unit.NUMBER: N_("number"),
    Unit.SHARE: N_("share from 0 to 1"),
    Unit.HOURS: N_("hours"),
    Unit.TEXT: N_("text"),
    Unit.ROUND: N_("number of a round"),
    Unit.WEEK: N_("day"),
}
PDF_STATES: Final = {
    PdfState.NO_LETTERS: N_(
        "This server has no font for some letters of the report, so there is no PDF. You can print this page from your "
        "browser, which may have one."
    ),
    PdfState.IMPOSSIBLE: N_("This server does not make PDFs. You can print this page from your browser instead."),
}


def said(value: Value, unit: Unit) -> str:
    """A value as a page shows it."""
    match value:
        case None:
            text = gettext("All rounds") if unit is Unit.ROUND else gettext("too few people")
        case str():
            text = gettext(value)
        case date():
            text = format_date(value, "EEE d MMM y")
        case _ if unit is Unit.ROUND:
            text = gettext("Round %(number)d", number=value)
        case _ if unit is Unit.SHARE:
            text = format_percent(value)
        case _:
            text = format_decimal(round(value, 1 if unit is Unit.HOURS else 2))
    return str(text)


def heading(table: Table, row: Row) -> str:
    """What a row is about, in one line."""
    return " · ".join(said(value, column.unit) for value, column in zip(row.heads, table.figure.heads, strict=True))


def bar_in_words(table: Table, row: Row) -> str:
    """What the bar of a row shows."""
    return ", ".join(
        f"{gettext(column.title)}: {said(cell.value, column.unit)}"
        for column, cell in zip(table.figure.columns, row.cells, strict=True)
        if column.part
    )


def sheet(table: Table) -> Sheet:
    """A figure as a table for a file. What is not shown is empty."""
    columns = (*table.figure.heads, *table.figure.columns)
    return Sheet(
        gettext(table.figure.title),
        [gettext(column.title) for column in columns],
        [[_plain(value) for value in (*row.heads, *(cell.value for cell in row.cells))] for row in table.rows],
    )


def _plain(value: Value) -> object:
    if value is None:
        return ""
    return gettext(value) if isinstance(value, str) else value


def dictionary() -> Sheet:
    """What every column of every figure says, and how it is computed."""
    lines: list[Sequence[object]] = []
    for figure in FIGURES:
        for column in (*figure.heads, *figure.columns):
            texts = (figure.title, figure.says, column.title, column.says, UNITS[column.unit], figure.method)
            lines.append([gettext(text) for text in texts])
    header = [
        gettext("Figure"),
        gettext("What the figure says"),
        gettext("Column"),
        gettext("What the column says"),
        gettext("Unit"),
        gettext("How it is computed"),
    ]
    return Sheet(gettext("Dictionary"), header, lines)


def sheets(tables: Iterable[Table]) -> list[Sheet]:
    """The dictionary, and all figures of an activity."""
    return [dictionary(), *(sheet(table) for table in tables)]


def titles(columns: Iterable[Column]) -> list[tuple[str, str]]:
    """What the parts of a bar mean: (style, title)."""
    return [(column.part, gettext(column.title)) for column in columns]
