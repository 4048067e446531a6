"""Read a table of people as any spreadsheet program writes it: detects encoding, delimiter and columns."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import Any, Final, Self

from lti_tool.attributes.errors import TableUnusable
from lti_tool.attributes.rules.catalogue import BY_KEY
from lti_tool.attributes.rules.matching import Identifier
from lti_tool.attributes.rules.values import folded, tidy
from lti_tool.support import spreadsheet
from lti_tool.support.spreadsheet import DELIMITERS, Decoded, Record, as_meant

MOST_BYTES: Final = 1_500_000
"""Less than a form may hold, and enough for about 15,000 people."""
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 60
LONGEST_CELL: Final = 2000

GIVEN_NAME: Final = "given_name"
FAMILY_NAME: Final = "family_name"
WHO: Final = frozenset({*Identifier, FAMILY_NAME})
"""Columns that identify people. A table needs at least one of them."""
COLUMNS: Final = (*Identifier, GIVEN_NAME, FAMILY_NAME, *BY_KEY)

_HEADERS: Final[Mapping[str, str]] = {
    "tandem key": Identifier.KEY,
    **dict.fromkeys(("lms id", "user id", "userid", "sub"), Identifier.LMS_ID),
    **dict.fromkeys(
        ("sourcedid", "sourced id", "lis_person_sourcedid", "sis user id", "sis id", "id number", "id-nummer"),
        Identifier.SOURCED_ID,
    ),
    **dict.fromkeys(
        ("e-mail", "e-mail address", "email address", "mail", "e-post", "e-postadress", "epost", "mejl"),
        Identifier.EMAIL,
    ),
    **dict.fromkeys(
        ("e-mailadresse", "e-postadresse", "epostadresse", "e-mailadres", "mailadres"),
        Identifier.EMAIL,
    ),
    **dict.fromkeys(("full name", "student", "namn", "navn", "naam", "fullständigt namn", "volledige naam"), "name"),
    **dict.fromkeys(("first name", "given name", "förnamn", "fornavn", "voornaam"), GIVEN_NAME),
    **dict.fromkeys(("last name", "surname", "efternamn", "efternavn", "etternavn", "achternaam"), FAMILY_NAME),
    **dict.fromkeys(("avdelning", "enhet", "afdeling", "avdeling", "enhed", "unit"), "department"),
    **dict.fromkeys(("section", "groups", "grupp", "grupper", "gruppe", "hold", "groep", "groepen"), "group"),
    **dict.fromkeys(("kohort", "kull", "årgång", "årgang", "lichting"), "cohort"),
    **dict.fromkeys(("chef", "närmaste chef", "leder", "nærmeste leder", "leidinggevende"), "manager"),
    **dict.fromkeys(("language", "språk", "sprog", "taal", "talen"), "languages"),
    **dict.fromkeys(("time slots", "tider", "tidspunkter", "tijden"), "slots"),
    **dict.fromkeys(("erfarenhet", "erfaring", "ervaring"), "experience"),
    **dict.fromkeys(("timezone", "tidszon", "tidszone", "tidssone", "tijdzone"), "time_zone"),
    **dict.fromkeys(("kan erbjuda", "kan tilbyde", "kan tilby", "kan aanbieden"), "offers"),
    **dict.fromkeys(("vill lära sig", "vil lære", "wil leren"), "needs"),
}
"""Names of the columns in other programs and languages: English, Swedish, Danish, Norwegian and Dutch, the participants
of Moodle and the people of Canvas among them.
"""
_PACKED: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""The first bytes of files of spreadsheet programs, which are not text."""
_HEADER_WITHIN: Final = 20
"""The header is looked for in this many lines, because reports have a title above it."""


class Unusable(StrEnum):
    """Why a file is not a table of people."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    PACKED = "packed"
    """A spreadsheet program's own file."""
    NOT_TEXT = "not_text"
    NOT_IN_THIS_ENCODING = "not_in_this_encoding"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"


class Question(StrEnum):
    """Why a person has to confirm how a file was read before its rows are matched with people."""

    NO_PEOPLE = "no_people"
    """No column says who a row is about."""
    ENCODING = "encoding"
    """The file may be in another encoding."""
    QUOTES = "quotes"
    """Quotes without an end; see `Sheet.mended`."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read a file, as a person chose; None means detect."""

    encoding: str | None = None
    delimiter: str | None = None
    header_line: int | None = None
    """0: there is none."""


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
    header_line: int
    """The line with the names of the columns; 0 if there is none."""
    headers: tuple[str, ...]
    columns: tuple[str | None, ...]
    rows: tuple[Row, ...]
    mended: tuple[int, ...] = ()
    """Lines with an opening quote that has no end."""
    questions: tuple[str, ...] = ()
    """Reasons of `Question` for which a person has to look first."""

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """A sheet from what `as_json` made."""
        rows = tuple(Row(row["line"], tuple(row["cells"]), row["is_too_long"]) for row in kept["rows"])
        lists = {name: tuple(kept.get(name, ())) for name in ("headers", "columns", "mended", "questions")}
        return cls(kept["encoding"], kept["delimiter"], kept.get("header_line", 1), rows=rows, **lists)

    def as_agreed(self, columns: tuple[str | None, ...]) -> Self:
        """The sheet after a person confirmed how it was read and what its columns are."""
        return replace(self, columns=columns, questions=())

    def cells(self, row: Row, columns: tuple[str | None, ...]) -> dict[str, str]:
        """The row's cells by the keys of these columns. A given and a family name are joined to a name."""
        by_column = {key: cell for key, cell in zip(columns, row.cells, strict=False) if key is not None and cell}
        parts = [by_column[part] for part in (GIVEN_NAME, FAMILY_NAME) if part in by_column]
        if parts:
            by_column.setdefault(Identifier.NAME, " ".join(parts))
        return by_column


def read(content: bytes, spelled: Mapping[str, str] | None = None, layout: Layout | None = None) -> Sheet:
    """Read a file. `spelled` has further names of columns, such as translated ones. Raises TableUnusable.

    If something is uncertain, the likeliest reading is used and `Sheet.questions` says why.
    """
    layout = layout or Layout()
    decoded = _decoded(content, layout)
    spellings = {**{key: key for key in COLUMNS}, **_HEADERS, **(spelled or {})}
    names = {_header(name): key for name, key in spellings.items()}
    try:
        delimiter, records = _records(decoded.text, names, layout)
    except csv.Error:
        raise TableUnusable(Unusable.NOT_TEXT) from None
    place = _header_place(records, names, layout)
    width = max((len(one.cells) for one in records), default=0)
    headers = [as_meant(cell.strip()) for cell in records[place].cells] if place is not None else [""] * width
    lines = records[place + 1 :] if place is not None else records
    if not lines:
        raise TableUnusable(Unusable.EMPTY)
    if len(headers) > MOST_COLUMNS:
        raise TableUnusable(Unusable.TOO_MANY_COLUMNS)
    if len(lines) > MOST_ROWS:
        raise TableUnusable(Unusable.TOO_MANY_ROWS)
    columns: list[str | None] = []
    for header in headers:
        key = names.get(_header(header))
        columns.append(None if key in columns else key)
    mended = tuple(one.line for one in records if one.is_mended)
    questions = {
        Question.NO_PEOPLE: not WHO & set(columns),
        Question.ENCODING: not decoded.is_certain,
        Question.QUOTES: bool(mended),
    }
    return Sheet(
        encoding=decoded.encoding,
        delimiter=delimiter,
        header_line=records[place].line if place is not None else 0,
        headers=tuple(tidy(header) for header in headers),
        columns=tuple(columns),
        rows=tuple(_row(one, len(headers)) for one in lines),
        mended=mended,
        questions=tuple(question for question, is_asked in questions.items() if is_asked),
    )


def _header(text: str) -> str:
    """The name of a column as it is compared, so that "E-mail" and "e_mail" are the same."""
    return " ".join(re.split(r"[\s_-]+", folded(text)))


def _row(record: Record, width: int) -> Row:
    kept = [as_meant(cell.strip()) for cell in record.cells]
    is_too_long = any(kept[width:]) or any(len(cell) > LONGEST_CELL for cell in kept)
    return Row(record.line, tuple(cell[:LONGEST_CELL] for cell in kept[:width]), is_too_long)


def _decoded(content: bytes, layout: Layout) -> Decoded:
    if len(content) > MOST_BYTES:
        raise TableUnusable(Unusable.TOO_LARGE)
    if content.startswith(_PACKED):
        raise TableUnusable(Unusable.PACKED)
    if not content.strip():
        raise TableUnusable(Unusable.EMPTY)
    decoded = spreadsheet.decode(content, layout.encoding)
    if decoded is None:
        raise TableUnusable(Unusable.NOT_IN_THIS_ENCODING if layout.encoding else Unusable.NOT_TEXT)
    return decoded


def _records(text: str, names: Mapping[str, str], layout: Layout) -> tuple[str, list[Record]]:
    """The delimiter, and every line that is not empty."""
    declared = re.match(r'"?sep=([,;\t])"?\r?\n', text)
    skipped = 1 if declared else 0
    body = text[declared.end() :] if declared else text
    delimiter = layout.delimiter or (declared[1] if declared else None)
    if delimiter is None:
        heads = {one: list(islice(spreadsheet.records(body, one), _HEADER_WITHIN)) for one in DELIMITERS}
        delimiter = max(DELIMITERS, key=lambda one: _fits(heads[one], names))
    return delimiter, [replace(one, line=one.line + skipped) for one in spreadsheet.records(body, delimiter)]


def _fits(heads: Sequence[Record], names: Mapping[str, str]) -> tuple[int, int, int]:
    """How well a delimiter fits the first lines: known column names, lines of equal width, that width."""
    widths = Counter(len(one.cells) for one in heads if len(one.cells) > 1)
    width, count = max(widths.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
    return max((_known_names(one.cells, names) for one in heads), default=0), count, width


def _header_place(records: Sequence[Record], names: Mapping[str, str], layout: Layout) -> int | None:
    """The place of the header: the record with the most known names, else the first of the widest records."""
    if layout.header_line is not None:
        return next((place for place, one in enumerate(records) if one.line == layout.header_line), None)
    first = records[:_HEADER_WITHIN]
    if not first:
        raise TableUnusable(Unusable.EMPTY)
    known_counts = [_known_names(one.cells, names) for one in first]
    widths = [len(one.cells) if any(known_counts) else sum(1 for cell in one.cells if cell.strip()) for one in first]
    scores = list(zip(known_counts, widths, strict=True))
    return scores.index(max(scores))


def _known_names(cells: Iterable[str], names: Mapping[str, str]) -> int:
    return sum(_header(as_meant(cell.strip())) in names for cell in cells)
