"""A table of people as somebody's spreadsheet wrote it: encoding, delimiter and columns are found out."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self

from lti_tool.attributes.errors import TableUnusable
from lti_tool.attributes.matching import Identifier
from lti_tool.attributes.rules import BY_KEY
from lti_tool.attributes.values import folded, tidy
from lti_tool.support.spreadsheet import as_meant

MOST_BYTES: Final = 1_500_000
"""Below what a form may hold; some 15,000 people."""
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 60
LONGEST_CELL: Final = 2000

GIVEN_NAME: Final = "given_name"
FAMILY_NAME: Final = "family_name"
WHO: Final = frozenset({*Identifier, FAMILY_NAME})
"""Columns of which one has to be there."""
COLUMNS: Final = (*Identifier, GIVEN_NAME, FAMILY_NAME, *BY_KEY)

_HEADERS: Final[Mapping[str, str]] = {
    "tandem key": Identifier.KEY,
    "lms id": Identifier.LMS_ID,
    "user id": Identifier.LMS_ID,
    "userid": Identifier.LMS_ID,
    "sub": Identifier.LMS_ID,
    "sourcedid": Identifier.SOURCED_ID,
    "sourced id": Identifier.SOURCED_ID,
    "lis_person_sourcedid": Identifier.SOURCED_ID,
    "sis user id": Identifier.SOURCED_ID,
    "id number": Identifier.SOURCED_ID,
    "e-mail": Identifier.EMAIL,
    "e-mail address": Identifier.EMAIL,
    "email address": Identifier.EMAIL,
    "mail": Identifier.EMAIL,
    "full name": Identifier.NAME,
    "student": Identifier.NAME,
    "first name": GIVEN_NAME,
    "last name": FAMILY_NAME,
    "surname": FAMILY_NAME,
    "language": "languages",
    "time slots": "slots",
    "timezone": "time_zone",
    "section": "group",
    "groups": "group",
}
"""What other programs call the columns, the participants of Moodle and the people of Canvas among them."""
_DELIMITERS: Final = (",", ";", "\t")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_PACKED: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheet programs begin that are no text."""


class Unusable(StrEnum):
    """Why a file is no table of people."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    PACKED = "packed"
    """A spreadsheet program's own file."""
    NOT_TEXT = "not_text"
    NO_PEOPLE = "no_people"
    """No column says who a row is about."""
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"


@dataclass(frozen=True, slots=True)
class Row:
    """One line with something in it. `line` is where it begins in the file, the header being line 1."""

    line: int
    cells: tuple[str, ...]
    is_too_long: bool = False
    """It has more cells than there are columns, or a cell that is longer than any value."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table that was read. `columns` has the key of each, None for one that nobody knows."""

    encoding: str
    delimiter: str
    headers: tuple[str, ...]
    columns: tuple[str | None, ...]
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """A sheet from what `as_json` made."""
        rows = tuple(Row(row["line"], tuple(row["cells"]), row["is_too_long"]) for row in kept["rows"])
        return cls(kept["encoding"], kept["delimiter"], tuple(kept["headers"]), tuple(kept["columns"]), rows)

    def cells(self, row: Row, columns: tuple[str | None, ...]) -> dict[str, str]:
        """The row's cells by the keys of these columns; given and family name also as a name."""
        found = {key: cell for key, cell in zip(columns, row.cells, strict=False) if key is not None and cell}
        parts = [found[part] for part in (GIVEN_NAME, FAMILY_NAME) if part in found]
        if parts:
            found.setdefault(Identifier.NAME, " ".join(parts))
        return found


def read(content: bytes, spelled: Mapping[str, str] | None = None) -> Sheet:
    """Read a file. `spelled` has further names of columns, such as translated ones. Raises TableUnusable."""
    if len(content) > MOST_BYTES:
        raise TableUnusable(Unusable.TOO_LARGE)
    text, encoding = _decoded(content)
    known = {**{key: key for key in COLUMNS}, **_HEADERS, **(spelled or {})}
    names = {_header(name): key for name, key in known.items()}
    try:
        delimiter, records = _records(text, names)
    except csv.Error:
        raise TableUnusable(Unusable.NOT_TEXT) from None
    if not records:
        raise TableUnusable(Unusable.EMPTY)
    (_, headers), *lines = records
    if len(headers) > MOST_COLUMNS:
        raise TableUnusable(Unusable.TOO_MANY_COLUMNS)
    if len(lines) > MOST_ROWS:
        raise TableUnusable(Unusable.TOO_MANY_ROWS)
    columns: list[str | None] = []
    for header in headers:
        key = names.get(_header(header))
        columns.append(None if key in columns else key)
    if not WHO & set(columns):
        raise TableUnusable(Unusable.NO_PEOPLE)
    if not lines:
        raise TableUnusable(Unusable.EMPTY)
    rows = tuple(_row(line, cells, len(headers)) for line, cells in lines)
    return Sheet(encoding, delimiter, tuple(tidy(header) for header in headers), tuple(columns), rows)


def _header(text: str) -> str:
    """The name of a column as it is compared: "E-mail" and "e_mail" are one."""
    return " ".join(re.split(r"[\s_-]+", folded(text)))


def _row(line: int, cells: list[str], width: int) -> Row:
    kept = [as_meant(cell.strip()) for cell in cells]
    is_too_long = any(kept[width:]) or any(len(cell) > LONGEST_CELL for cell in kept)
    return Row(line, tuple(cell[:LONGEST_CELL] for cell in kept[:width]), is_too_long)


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith(_PACKED):
        raise TableUnusable(Unusable.PACKED)
    if not content.strip():
        raise TableUnusable(Unusable.EMPTY)
    for codec, name in _candidates(content):
        try:
            text = content.decode(codec)
        except UnicodeError:
            continue
        if len(_UNPRINTABLE.findall(text)) > len(text) // 500:
            break
        return text, name
    raise TableUnusable(Unusable.NOT_TEXT)


def _candidates(content: bytes) -> Iterator[tuple[str, str]]:
    """Encodings that it may be in, the likeliest first."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield "utf-16", "UTF-16"
        return
    start = content[:400]
    if b"\0" in start:
        # Without a mark: of a text in Latin letters every other byte is 0.
        yield ("utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"), "UTF-16"
        return
    yield "utf-8-sig", "UTF-8"
    yield "cp1252", "Windows-1252"
    yield "latin-1", "Latin-1"


def _records(text: str, names: Mapping[str, str]) -> tuple[str, list[tuple[int, list[str]]]]:
    """The delimiter, and every line that is not empty with its number."""
    said = re.match(r"sep=([,;\t])\r?\n", text)
    skipped = 1 if said else 0
    body = text[said.end() :] if said else text
    if said:
        delimiter = said[1]
    else:
        heads = {one: next(_lines(body, one), (0, []))[1] for one in _DELIMITERS}
        delimiter = max(heads, key=lambda one: (sum(_header(name) in names for name in heads[one]), len(heads[one])))
    return delimiter, [(line + skipped, cells) for line, cells in _lines(body, delimiter)]


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1
