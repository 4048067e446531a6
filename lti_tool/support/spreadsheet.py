"""Tables for spreadsheets, in which no cell is run as a formula, and text tables as spreadsheets write them.

The only importer of XlsxWriter.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

import xlsxwriter
from babel.numbers import get_decimal_symbol

FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Spreadsheets run a cell with this beginning as a formula, and people choose their own names."""
DELIMITERS: Final = (",", ";", "\t")

# Which character separates cells is the reader's setting, so that a formula may begin behind any of them.
_BLANKS = r"['\" \u00a0]*"
_BEGINS = re.compile(rf"^(?={_BLANKS}[=+@\t\r\n-])|(?<=[,;|\t\r\n])(?={_BLANKS}[=+@-])")
_MARKED = re.compile(rf"^'(?={_BLANKS}[=+@\t\r\n-])|(?<=[,;|\t\r\n])'(?={_BLANKS}[=+@-])")
_TO_QUOTE = re.compile(r'[,;|\t\r\n"]|^\s|\s$')
_AS_TEXT = re.compile(r'="((?:[^"]|"")*)"')


def harmless(cell: object) -> str:
    """The cell as text that no spreadsheet takes for a formula, whatever it takes for the end of a cell."""
    return _BEGINS.sub("'", str(cell))


def as_meant(cell: str) -> str:
    """The cell without the marks that `harmless` put into it, and without the formula that keeps zeros (`="007"`)."""
    text = _AS_TEXT.fullmatch(cell)
    return text[1].replace('""', '"') if text else _MARKED.sub("", cell)


def delimiter_for(locale: str) -> str:
    """The delimiter of cells for a reader of this language: a semicolon if numbers have a comma."""
    return ";" if get_decimal_symbol(locale) == "," else ","


def as_csv(header: Sequence[str], lines: Iterable[Sequence[object]], delimiter: str = ",") -> bytes:
    """A CSV file in UTF-8 with the mark that spreadsheets need to see it."""
    rows = [header, *lines]
    text = "".join(f"{delimiter.join(_quoted(_written(cell, delimiter)) for cell in row)}\r\n" for row in rows)
    return text.encode("utf-8-sig")


def _written(cell: object, delimiter: str) -> str:
    """The cell as text. A fraction has a comma where cells are separated by semicolons, and a minus is no formula."""
    if isinstance(cell, float):
        return f"{cell:.3f}".rstrip("0").rstrip(".").replace(".", "," if delimiter == ";" else ".")
    return str(cell) if isinstance(cell, int) else harmless(cell)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook."""

    name: str
    header: Sequence[str]
    lines: Sequence[Sequence[object]]


LONGEST_SHEET_NAME: Final = 31
LONGEST_CELL: Final = 32_767
"""Characters in one cell. Longer texts are cut, since a longer cell would be left out."""
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


def as_xlsx(sheets: Iterable[Sheet]) -> bytes:
    """A workbook in which every text is text, whatever it begins with, and numbers and days are what they are."""
    made = io.BytesIO()
    # Only `write_string` and `write_number` are used: nothing that guesses what a text may mean.
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
        day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})
        for number, sheet in enumerate(sheets, start=1):
            # The number keeps names apart that are alike in their first letters.
            name = f"{number} {_NOT_IN_SHEET_NAMES.sub(' ', sheet.name)}"[:LONGEST_SHEET_NAME].rstrip(" '")
            page = book.add_worksheet(name)
            page.freeze_panes(1, 0)
            for column, title in enumerate(sheet.header):
                page.write_string(0, column, title[:LONGEST_CELL], bold)
                widest = max((len(str(line[column])) for line in sheet.lines), default=0)
                page.set_column(column, column, min(max(len(title), widest) + 2, 60))
            for row, line in enumerate(sheet.lines, start=1):
                for column, cell in enumerate(line):
                    if isinstance(cell, date):
                        page.write_datetime(row, column, cell, day)
                    elif isinstance(cell, int | float):
                        page.write_number(row, column, cell)
                    else:
                        page.write_string(row, column, str(cell)[:LONGEST_CELL], wrapped)
    return made.getvalue()


def _quoted(cell: str) -> str:
    """The cell, in quotes if some program may see the end of a cell in it."""
    doubled = cell.replace('"', '""')
    return f'"{doubled}"' if _TO_QUOTE.search(cell) else cell


# ---- reading ---------------------------------------------------------------------------------------------------------

ENCODINGS: Final[Mapping[str, str]] = {
    "UTF-8": "utf-8-sig",
    "UTF-16": "utf-16",
    "Windows-1252": "cp1252",
    "Latin-1": "latin-1",
    "Mac Roman": "mac_roman",
    "DOS 850": "cp850",
}
"""Encodings by the names that people see."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_NORTHERN: Final = frozenset("åäöæøéüëïßÅÄÖÆØÉÜ")
_TYPOGRAPHIC: Final = frozenset("\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u20ac\u00b0\u00a7\u00a0")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_SAMPLE: Final = 5000
"""Letters that are looked at to detect the encoding; more add nothing."""
_MOST_LINES_IN_A_CELL: Final = 20
_MOST_MENDED: Final = 50
"""After this many quotes without an end, no further quote is taken for a cell of several lines."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A file as text."""

    text: str
    encoding: str
    is_certain: bool = True
    """Whether no other encoding is likely."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a table, or several where a cell in quotes goes on. `line` is where it begins, the first being 1."""

    line: int
    cells: tuple[str, ...]
    is_mended: bool = False
    """It has an opening quote without an end, and was read as if the quote were not there."""


def decode(content: bytes, encoding: str | None = None) -> Decoded | None:
    """The file as text, in the encoding that somebody chose or in the likeliest; None where it is no text."""
    for candidate in [encoding] if encoding else _candidates(content):
        try:
            text = _decoded(content, candidate)
        except UnicodeError:
            continue
        if len(_UNPRINTABLE.findall(text)) > len(text) // 500:
            return None
        return Decoded(text, candidate, encoding is not None or _is_certain(content, candidate))
    return None


def _candidates(content: bytes) -> list[str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content[:400]:
        return ["UTF-16"]
    if _is_utf_8(content) or _strays(content) is not None:
        return ["UTF-8"]
    return sorted(("Windows-1252", "Latin-1", "Mac Roman", "DOS 850"), key=lambda one: -_likelihood(content, one))


def _decoded(content: bytes, encoding: str) -> str:
    if encoding == "UTF-16" and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        # Without a mark: of a text in Latin letters every other byte is 0.
        start = content[:400]
        return content.decode("utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be")
    if encoding == "UTF-8" and (strays := _strays(content)) is not None:
        return strays
    return content.decode(ENCODINGS[encoding])


def _is_certain(content: bytes, encoding: str) -> bool:
    if encoding == "UTF-16" or (encoding == "UTF-8" and _is_utf_8(content)):
        return True
    if encoding == "UTF-8":
        return False
    alternatives = [one for one in ("Windows-1252", "Mac Roman", "DOS 850") if one != encoding]
    return all(_likelihood(content, encoding) >= _likelihood(content, other) + 2 for other in alternatives)


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeError:
        return False
    return True


def _strays(content: bytes) -> str | None:
    """A text in UTF-8 into which lines of another encoding were pasted; None where most of it is something else."""
    text = content.decode("utf-8-sig", "surrogateescape")
    strays = len(re.findall(r"[\udc80-\udcff]", text))
    if not strays or strays > sum(one > "\x7f" for one in text) - strays:
        return None
    return re.sub(r"[\udc80-\udcff]", lambda one: bytes([ord(one[0]) - 0xDC00]).decode("cp1252", "replace"), text)


def _likelihood(content: bytes, encoding: str) -> float:
    """How likely this encoding is: the more of the non-ASCII characters are letters as in northern European words, the
    higher.
    """
    try:
        text = content.decode(ENCODINGS[encoding])
    except UnicodeError:
        return float("-inf")
    # Of two that read the same, the common one.
    score = {"Windows-1252": 0.2, "Latin-1": 0.1}.get(encoding, 0.0)
    for match in islice(_FOREIGN.finditer(text), _SAMPLE):
        letter, before = match[0], text[match.start() - 1 : match.start()]
        if letter == "\u2019" and before.isalpha():
            score += 2
        elif not letter.isalpha():
            score -= 0 if letter in _TYPOGRAPHIC else 2
        elif letter.isupper() and before.islower():
            score -= 3
        else:
            score += 2 if letter in _NORTHERN else 0
    return score


def records(text: str, delimiter: str) -> Iterator[Record]:
    """Every line that is not empty. Raises csv.Error for a cell that is far too long."""
    lines = list(io.StringIO(text, newline=""))
    at, width, mended, is_open = 0, 0, 0, False
    while at < len(lines):
        reach = _MOST_LINES_IN_A_CELL if mended < _MOST_MENDED else 1
        length, cells = _record(lines[at : at + reach], delimiter, width)
        mended += not length
        # The end of a quote that seemed to have none.
        closes = is_open and length == 1 and lines[at].count('"') % 2 == 1
        if closes:
            cells = [cell.rstrip().removesuffix('"') for cell in cells]
        is_open = (is_open or not length) and not closes
        if any(cell.strip() for cell in cells):
            yield Record(at + 1, tuple(cells), is_mended=closes or not length)
            width = width or len(cells)
        at += length or 1


def _record(lines: Sequence[str], delimiter: str, width: int) -> tuple[int, list[str]]:
    """How many of these lines belong to the record that begins with the first, and its cells; 0 lines where a quote
    has no end.
    """
    if '"' not in lines[0]:
        return 1, next(csv.reader([lines[0]], delimiter=delimiter), [])
    joined = ""
    for length, line in enumerate(lines, start=1):
        joined += line
        if length > 1 and joined.count('"') % 2:
            continue
        try:
            records = list(csv.reader(io.StringIO(joined, newline=""), delimiter=delimiter, strict=True))
        except csv.Error:
            continue
        if len(records) == 1 and (length == 1 or not _swallows(records[0], delimiter, width)):
            return length, records[0]
    plain = lines[0].rstrip("\r\n")
    if plain.count('"') % 2 == 0:
        return 1, next(csv.reader([plain], delimiter=delimiter), [])
    return 0, [cell.strip().strip('"') for cell in plain.split(delimiter)]


def _swallows(cells: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether a cell of several lines looks as if it held whole rows of the table."""
    inner = [line for cell in cells for line in re.split(r"\r\n|\r|\n", cell)[1:]]
    return (width > 0 and len(cells) > width) or any(line.count(delimiter) >= max(width - 1, 1) for line in inner)
