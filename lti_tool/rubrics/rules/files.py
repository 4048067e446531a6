"""Rubrics as files: CSV and JSON of our own, which give the same rubric when they are read again, and those of Moodle
and Canvas.

Moodle has rubrics in its backups, as `grading.xml`. Canvas exports CSV with a row for each criterion, answers its API
with JSON, and has `rubrics.xml` in the export of a course (written by `CC::Rubrics` of Canvas). What such a file holds
is read as far as it goes; what is missing is for the editor to show.
"""

import csv
import gzip
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Final
from xml.etree import ElementTree

from lti_tool.rubrics.errors import RubricFileUnusable
from lti_tool.rubrics.rules.drafts import (
    MOST_CRITERIA,
    WITH_OPTIONS,
    Comment,
    CriterionDraft,
    LevelDraft,
    Options,
    Question,
    RubricDraft,
)
from lti_tool.support.spreadsheet import DELIMITERS, as_csv, as_meant, decode, records

MOST_BYTES: Final = 1_000_000
MOST_LINES: Final = 40
"""Levels or options of a criterion that the editor can still show, for somebody to remove some."""
MOST_UNPACKED: Final = 50_000_000
FORMAT: Final = "tandem-rubric"
PACKED: Final = ("grading.xml", "rubrics.xml")
"""The files of Moodle and Canvas in which rubrics are packed."""
OF_MOODLE: Final = "gradingform_rubric"
OF_CANVAS: Final = "<criterion>"
"""What such a file says where it holds a rubric."""
LONGEST_LABEL_OF_MOODLE: Final = 80
"""A longer definition of a level is its description, and its score becomes the label."""

HEAD: Final = (
    "rubric",
    "criterion",
    "description",
    "question",
    "weight",
    "comment",
    "seat",
    "rounds",
    "lowest",
    "lowest means",
    "highest",
    "highest means",
    "points to share",
    "level or option",
    "level description",
    "points",
)
"""The columns of our CSV. What belongs to a criterion stands in its first row, each further level in one of its own."""


class Unusable(StrEnum):
    """Why no rubric could be read."""

    NOTHING = "nothing"
    TOO_LARGE = "too large"
    NO_TEXT = "no text"
    NO_RUBRIC = "no rubric"
    BROKEN = "broken"
    """It ends too early, or is not closed."""
    TOO_MANY = "too many criteria"
    TOO_LONG = "too many levels"


class Note(StrEnum):
    """What became of a file in reading, for its reader to know."""

    ROUNDED = "rounded"
    """Points were no whole numbers."""
    FIRST_OF_SEVERAL = "first of several"


@dataclass(frozen=True, slots=True)
class Found:
    """A rubric in a file. It may break rules: the editor shows where."""

    draft: RubricDraft
    notes: tuple[Note, ...] = ()


# ---- writing ---------------------------------------------------------------------------------------------------------


def to_json(draft: RubricDraft) -> bytes:
    """The rubric as a file that programs read."""
    return json.dumps({"format": FORMAT, "version": 1, **asdict(draft)}, ensure_ascii=False, indent=2).encode()


def to_csv(draft: RubricDraft, delimiter: str = ",") -> bytes:
    """The rubric as a table, in which no cell is run as a formula."""
    return as_csv(HEAD, _rows(draft), delimiter)


def _rows(draft: RubricDraft) -> Iterator[list[object]]:
    title = draft.title
    for criterion in draft.criteria:
        options = criterion.options
        head: list[object] = [
            title,
            criterion.name,
            criterion.description,
            criterion.question,
            criterion.weight,
            criterion.comment,
            criterion.seat,
            " ".join(map(str, criterion.rounds)),
            *([options.lowest, options.lowest_words] if criterion.question is Question.SCALE else ["", ""]),
            *([options.highest, options.highest_words] if criterion.question is Question.SCALE else ["", ""]),
            options.points if criterion.question is Question.SHARE else "",
        ]
        lines = [[level.label, level.description, level.points] for level in criterion.levels]
        lines += [[choice, "", ""] for choice in options.choices]
        for line in lines or [["", "", ""]]:
            yield [*head, *line]
            head, title = [""] * len(head), ""


# ---- reading ---------------------------------------------------------------------------------------------------------


def read_file(content: bytes) -> Found:
    """The rubric in a file of ours, of Moodle or of Canvas, whatever it is called. Raises RubricFileUnusable."""
    if not content.strip():
        raise RubricFileUnusable(Unusable.NOTHING)
    if len(content) > MOST_BYTES:
        raise RubricFileUnusable(Unusable.TOO_LARGE)
    if content.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        return _limited(_from_backup(content))
    decoded = decode(content)
    if decoded is None:
        raise RubricFileUnusable(Unusable.NO_TEXT)
    text = decoded.text.lstrip("\ufeff \t\r\n")
    if text.startswith("<"):
        return _limited(_from_xml(text))
    if text.startswith(("{", "[")):
        return _limited(_from_json(text))
    return _limited(_from_table(text))


def _limited(rubric: Found) -> Found:
    if len(rubric.draft.criteria) > MOST_CRITERIA:
        raise RubricFileUnusable(Unusable.TOO_MANY, len(rubric.draft.criteria))
    lines = max((len(one.levels) + len(one.options.choices) for one in rubric.draft.criteria), default=0)
    if lines > MOST_LINES:
        raise RubricFileUnusable(Unusable.TOO_LONG, lines)
    return rubric


class _Reading:
    """Reads cells and values, and remembers whether any number had to be rounded."""

    def __init__(self) -> None:
        self.has_rounded = False

    def number(self, value: Any, *, empty: int) -> int:
        """A whole number; -1, which the rules refuse, for what is none."""
        if value is None or value == "":
            return empty
        try:
            exact = float(str(value).strip().replace(",", "."))
            rounded = int(exact + 0.5) if exact >= 0 else -1
        except (ValueError, OverflowError):
            return -1
        self.has_rounded |= exact >= 0 and exact != rounded
        return min(rounded, 1_000_000)

    def notes(self, *, are_several: bool = False) -> tuple[Note, ...]:
        return (*([Note.ROUNDED] if self.has_rounded else []), *([Note.FIRST_OF_SEVERAL] if are_several else []))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return "" if value is None or isinstance(value, dict | list | bool) else str(value)
    value = value.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    return "".join(letter for letter in value if letter >= " " or letter in "\n\t").strip()


def _one_of(kinds: type[Question] | type[Comment], value: Any) -> Any:
    return kinds(value) if value in set(kinds) else next(iter(kinds))


def _rounds(value: Any) -> tuple[int, ...]:
    numbers = re.findall(r"\d{1,4}", " ".join(map(str, value)) if isinstance(value, list) else _text(value))
    return tuple(sorted({int(number) for number in numbers}))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _from_json(text: str) -> Found:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise RubricFileUnusable(Unusable.BROKEN) from None
    several = _dicts(content)
    kept = several[0] if several else content
    kept = kept.get("rubric", kept) if isinstance(kept, dict) else {}
    if not isinstance(kept, dict):
        raise RubricFileUnusable(Unusable.NO_RUBRIC)
    rows = _dicts(kept.get("criteria")) or _dicts(kept.get("data"))
    if not rows:
        raise RubricFileUnusable(Unusable.NO_RUBRIC)
    reading = _Reading()
    read = _of_canvas if any("ratings" in row for row in rows) else _of_ours
    draft = RubricDraft(_text(kept.get("title")), tuple(read(row, reading) for row in rows))
    return Found(draft, reading.notes(are_several=len(several) > 1))


def _of_ours(row: Mapping[str, Any], reading: _Reading) -> CriterionDraft:
    kept = row.get("options")
    options: Mapping[str, Any] = kept if isinstance(kept, dict) else {}
    usual = Options()
    choices = options.get("choices")
    return CriterionDraft(
        _text(row.get("name")),
        _text(row.get("description")),
        tuple(
            LevelDraft(
                _text(level.get("label")),
                _text(level.get("description")),
                reading.number(level.get("points"), empty=0),
            )
            for level in _dicts(row.get("levels"))
        ),
        _one_of(Question, row.get("question")),
        Options(
            tuple(_text(choice) for choice in choices) if isinstance(choices, list) else (),
            reading.number(options.get("lowest"), empty=usual.lowest),
            reading.number(options.get("highest"), empty=usual.highest),
            _text(options.get("lowest_words")),
            _text(options.get("highest_words")),
            reading.number(options.get("points"), empty=usual.points),
        ),
        reading.number(row.get("weight"), empty=1),
        _one_of(Comment, row.get("comment")),
        _text(row.get("seat"))[:32],
        _rounds(row.get("rounds")),
    )


def _of_canvas(row: Mapping[str, Any], reading: _Reading) -> CriterionDraft:
    """A criterion as Canvas has it: what it calls a description is a name, and the longer one a description."""
    ratings = [
        LevelDraft(
            _text(one.get("description")),
            _text(one.get("long_description")),
            reading.number(one.get("points"), empty=0),
        )
        for one in _dicts(row.get("ratings"))
    ]
    draft = _named(_text(row.get("description")), _text(row.get("long_description")), ratings)
    return replace(draft, weight=0) if str(row.get("ignore_for_scoring")).casefold() == "true" else draft


def _named(name: str, description: str, levels: Sequence[LevelDraft]) -> CriterionDraft:
    """A criterion with its lowest level first; a name of several lines goes on in the description."""
    first, _, rest = name.partition("\n")
    whole = "\n".join(filter(None, (rest.strip(), description)))
    return CriterionDraft(first.strip(), whole, tuple(sorted(levels, key=lambda level: level.points)))


# ---- tables


def _from_table(text: str) -> Found:
    for delimiter in DELIMITERS:
        rows = _table(text, delimiter)
        head = [cell.strip().casefold() for cell in next(rows, [])]
        if "criteria name" in head:
            return _from_canvas(head, rows)
        if "criterion" in head:
            return _from_ours(head, rows)
    raise RubricFileUnusable(Unusable.NO_RUBRIC)


def _table(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows as they were meant. A table that breaks the rules of CSV is read as well as can be."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        try:
            rows = [list(record.cells) for record in records(text, delimiter)]
        except csv.Error:
            raise RubricFileUnusable(Unusable.BROKEN) from None
    return ([as_meant(cell) for cell in row] for row in rows if any(cell.strip() for cell in row))


def _from_ours(head: list[str], rows: Iterator[list[str]]) -> Found:
    reading = _Reading()
    title, criteria = "", list[CriterionDraft]()
    for row in rows:
        cells = {name: _text(cell) for name, cell in zip(head, row, strict=False)}
        cell = _cell_of(cells)
        title = title or cell("rubric")
        if cell("criterion") or not criteria:
            criteria.append(_begun(cell, reading))
        if len(criteria) <= MOST_CRITERIA:
            criteria[-1] = _with_line(criteria[-1], cell, reading)
    if not criteria:
        raise RubricFileUnusable(Unusable.NO_RUBRIC)
    return Found(RubricDraft(title, tuple(criteria)), reading.notes())


def _cell_of(cells: Mapping[str, str]) -> Callable[[str], str]:
    return lambda name: cells.get(name, "")


def _begun(cell: Callable[[str], str], reading: _Reading) -> CriterionDraft:
    usual = Options()
    return CriterionDraft(
        cell("criterion"),
        cell("description"),
        (),
        _one_of(Question, cell("question").casefold()),
        Options(
            (),
            reading.number(cell("lowest"), empty=usual.lowest),
            reading.number(cell("highest"), empty=usual.highest),
            cell("lowest means"),
            cell("highest means"),
            reading.number(cell("points to share"), empty=usual.points),
        ),
        reading.number(cell("weight"), empty=1),
        _one_of(Comment, cell("comment").casefold()),
        cell("seat")[:32],
        _rounds(cell("rounds")),
    )


def _with_line(draft: CriterionDraft, cell: Callable[[str], str], reading: _Reading) -> CriterionDraft:
    """The criterion with the level or option of this row, where it has one."""
    label = cell("level or option") or cell("level")
    if draft.question in WITH_OPTIONS:
        return (
            replace(draft, options=replace(draft.options, choices=(*draft.options.choices, label))) if label else draft
        )
    if draft.question is not Question.LEVELS or not (label or cell("level description") or cell("points")):
        return draft
    level = LevelDraft(label, cell("level description"), reading.number(cell("points"), empty=0))
    return replace(draft, levels=(*draft.levels, level))


def _from_canvas(head: list[str], rows: Iterator[list[str]]) -> Found:
    reading = _Reading()
    ratings = [at for at, name in enumerate(head) if name.startswith("rating name")]
    titles: list[str] = []
    criteria = []
    for row in rows:
        cells = [_text(cell) for cell in row] + [""] * len(head)
        cell = _cell_of(dict(zip(head, cells, strict=False)))
        if cell("rubric name") and cell("rubric name") not in titles:
            titles.append(cell("rubric name"))
        if len(titles) > 1:
            continue
        levels = [
            LevelDraft(cells[at], cells[at + 1], reading.number(cells[at + 2], empty=0))
            for at in ratings
            if any(cells[at : at + 3])
        ]
        criteria.append(_named(cell("criteria name"), cell("criteria description"), levels))
    if not criteria:
        raise RubricFileUnusable(Unusable.NO_RUBRIC)
    return Found(RubricDraft(titles[0] if titles else "", tuple(criteria)), reading.notes(are_several=len(titles) > 1))


# ---- XML, and what it is packed in


def _from_backup(content: bytes) -> Found:
    """The first rubric of a packed folder: the backup of a Moodle activity, or the export of a Canvas course."""
    rubric: list[Found] = []
    try:
        rubric += [_from_xml(text) for text in _packed_files(content) if OF_MOODLE in text or OF_CANVAS in text]
    except (OSError, EOFError, ValueError, tarfile.TarError, zipfile.BadZipFile, RuntimeError):
        raise RubricFileUnusable(Unusable.BROKEN) from None
    if not rubric:
        raise RubricFileUnusable(Unusable.NO_RUBRIC)
    notes = {*rubric[0].notes, *([Note.FIRST_OF_SEVERAL] if len(rubric) > 1 else [])}
    return replace(rubric[0], notes=tuple(note for note in Note if note in notes))


def _packed_files(content: bytes) -> Iterator[str]:
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as folder:
            for packed in folder.infolist():
                if packed.filename.endswith(PACKED) and packed.file_size <= MOST_BYTES:
                    yield folder.read(packed).decode("utf-8", "replace")
        return
    unpacked = gzip.GzipFile(fileobj=io.BytesIO(content)).read(MOST_UNPACKED + 1)
    if len(unpacked) > MOST_UNPACKED:
        raise RubricFileUnusable(Unusable.TOO_LARGE)
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as folder:
        for member in folder:
            file = folder.extractfile(member) if member.name.endswith(PACKED) else None
            if file is not None and member.size <= MOST_BYTES:
                yield file.read().decode("utf-8", "replace")


def _from_xml(text: str) -> Found:
    # Entities are what makes XML dangerous, and no file of Moodle or Canvas declares any.
    if "<!" in text.replace("<!--", "").replace("<![CDATA[", ""):
        raise RubricFileUnusable(Unusable.NO_RUBRIC)
    try:
        root = ElementTree.fromstring(text.encode())  # noqa: S314  declares nothing, see above
    except ElementTree.ParseError:
        raise RubricFileUnusable(Unusable.BROKEN) from None
    reading = _Reading()
    of_moodle = [one for one in root.iter("definition") if one.find("plugin_gradingform_rubric_definition") is not None]
    of_canvas = [one for one in root.iterfind("{*}rubric") if one.find(".//{*}criterion") is not None]
    if of_moodle:
        first = of_moodle[0]
        rows = sorted(first.iter("criterion"), key=lambda row: reading.number(_inside(row, "sortorder"), empty=0))
        draft = RubricDraft(_inside(first, "name"), tuple(_of_moodle(row, reading) for row in rows))
    elif of_canvas:
        first = of_canvas[0]
        criteria = (_canvas_row(row) for row in first.iterfind(".//{*}criterion"))
        draft = RubricDraft(_inside(first, "{*}title"), tuple(_of_canvas(row, reading) for row in criteria))
    else:
        raise RubricFileUnusable(Unusable.NO_RUBRIC)
    return Found(draft, reading.notes(are_several=len(of_moodle or of_canvas) > 1))


def _of_moodle(row: ElementTree.Element, reading: _Reading) -> CriterionDraft:
    levels = []
    for level in row.iter("level"):
        points, words = reading.number(_inside(level, "score"), empty=0), _inside(level, "definition")
        is_label = len(words) <= LONGEST_LABEL_OF_MOODLE
        levels.append(LevelDraft(words, "", points) if is_label else LevelDraft(str(points), words, points))
    return _named(_inside(row, "description"), "", levels)


def _canvas_row(row: ElementTree.Element) -> dict[str, Any]:
    """A criterion of `rubrics.xml` in the shape that Canvas's API has."""

    def values(element: ElementTree.Element, *names: str) -> dict[str, Any]:
        return {name: _inside(element, f"{{*}}{name}") for name in names}

    ratings = [values(one, "description", "long_description", "points") for one in row.iterfind(".//{*}rating")]
    return {**values(row, "description", "long_description", "ignore_for_scoring"), "ratings": ratings}


def _inside(element: ElementTree.Element, name: str) -> str:
    """The text of a child. Some texts are HTML: their tags are left out."""
    text = _text(element.findtext(name, ""))
    return _text(re.sub(r"<[^<>]+>", "", text)) if re.search(r"</?\w+[^<>]*>", text) else text
