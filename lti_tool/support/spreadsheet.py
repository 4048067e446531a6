"""Tables for spreadsheets, in which no cell is run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins so is run by spreadsheets, and a person chooses their own name."""


def harmless(cell: object) -> str:
    """The cell as text that no spreadsheet takes for a formula."""
    text = str(cell)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(FORMULAS) else text


def as_meant(cell: str) -> str:
    """The cell without the mark that `harmless` put before it."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip(" \u00a0").startswith(FORMULAS) else cell


def as_csv(header: Sequence[str], lines: Iterable[Sequence[object]], delimiter: str = ",") -> bytes:
    """A CSV file in UTF-8 with the mark that spreadsheets need to see it."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow([harmless(cell) for cell in header])
    writer.writerows([harmless(cell) for cell in line] for line in lines)
    return text.getvalue().encode("utf-8-sig")
