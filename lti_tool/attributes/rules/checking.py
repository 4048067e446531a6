"""What a table would change and what is wrong with it, so that a page can show it before anything changes."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from lti_tool.attributes.rules.catalogue import BY_KEY, NOBODY, TAKES_AWAY, Attribute, Flaw, Form, Kept, read
from lti_tool.attributes.rules.matching import Identifier, Register, reference
from lti_tool.attributes.rules.tables import Row, Sheet
from lti_tool.attributes.rules.values import tidy

Node: TypeAlias = int | str
"""A person of a reporting line: the id of a member, or the key of somebody outside the course."""
LONGEST_LOOP: Final = 6


class Fault(StrEnum):
    """Why a row, or one cell of it, is left out."""

    TOO_LONG = "too_long"
    """The row has more cells than there are columns, or a cell of a size that no value has."""
    CONTRADICTION = "contradiction"
    TWICE = "twice"
    # Of these only the cell.
    VALUE = "value"
    OWN_MANAGER = "own_manager"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a row, or with one cell where an attribute is named."""

    line: int
    fault: Fault
    attribute: str = ""
    flaw: Flaw | None = None
    lines: tuple[int, ...] = ()
    """Other rows that are part of the fault."""


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A row whose person was not found."""

    line: int
    who: str
    chosen: int | None = None


@dataclass
class Findings:
    """What a table says. Until it is applied, a manager outside the course is `{"outside": how they were named}`."""

    changes: dict[int, dict[str, Kept | None]] = field(default_factory=dict)
    """Member id, then attribute, to the new value; None deletes a value. Cells with a fault are left out."""
    outside: dict[str, tuple[str, Kept | None]] = field(default_factory=dict)
    """Managers outside the course who have a row: how they are compared, to how they were named and their own."""
    complaints: list[Complaint] = field(default_factory=list)
    open_rows: list[OpenRow] = field(default_factory=list)
    rows_of: dict[int, int] = field(default_factory=dict)
    """Member to the line about them."""
    conflicts: list[int] = field(default_factory=list)
    """Lines that were assigned to somebody who has a row already."""


def find(
    sheet: Sheet,
    columns: tuple[str | None, ...],
    register: Register,
    *,
    choices: Mapping[int, int],
    above: Mapping[Node, Node | None],
) -> Findings:
    """Read every row. `choices` has whom a line means, by a person's decision; `above` the managers known by now."""
    reading = _Reading({row.line: sheet.cells(row, columns) for row in sheet.rows}, register, choices)
    for row in sheet.rows:
        reading.place(row)
    reading.refuse_twice()
    reading.read_members()
    reading.read_strangers()
    reading.refuse_loops(above)
    reading.findings.complaints.sort(key=lambda one: one.line)
    return reading.findings


def manager_named(text: str, register: Register, aliases: Mapping[str, str]) -> Kept:
    """The manager whom a text names. `aliases` has one name for each person outside the course who has several."""
    plain = tidy(text, 400)
    if plain.casefold() in TAKES_AWAY:
        return NOBODY
    member_id = register.named(plain)
    return {"member": member_id} if member_id is not None else {"outside": aliases.get(reference(plain), plain)}


def node(value: Kept | None) -> Node | None:
    """The person that a manager's value points at, None for nobody."""
    if value is None or "nobody" in value:
        return None
    person: Node = value["member"] if "member" in value else reference(value["outside"])
    return person


class _Reading:
    """One table on its way from cells to findings."""

    def __init__(self, cells: dict[int, dict[str, str]], register: Register, choices: Mapping[int, int]) -> None:
        self.findings = Findings()
        self._cells, self._register, self._choices = cells, register, choices
        self._lines_of: dict[int, list[int]] = defaultdict(list)
        self._strangers: list[int] = []
        self._aliases: dict[str, str] = {}

    def place(self, row: Row) -> None:
        """Record the person of a row."""
        cells = self._cells[row.line]
        match = self._register.of_row(cells)
        if row.is_too_long:
            self._complain(row.line, Fault.TOO_LONG)
        elif match.is_contradiction:
            self._complain(row.line, Fault.CONTRADICTION)
        elif match.member_id is not None:
            self._lines_of[match.member_id].append(row.line)
        else:
            chosen = self._choices.get(row.line)
            self.findings.open_rows.append(OpenRow(row.line, _best_name(cells), chosen))
            if chosen is not None:
                self._lines_of[chosen].append(row.line)
            else:
                self._strangers.append(row.line)
                self._aliases |= {reference(cells[kind]): _best_name(cells) for kind in Identifier if kind in cells}

    def refuse_twice(self) -> None:
        """Use the first of equal rows about one person, and none of rows that differ."""
        for lines in self._lines_of.values():
            if len(lines) < 2:
                continue
            chosen = [line for line in lines if line in self._choices]
            if chosen:
                self.findings.conflicts += chosen
            elif all(self._values(line) == self._values(lines[0]) for line in lines):
                del lines[1:]
            else:
                for line in lines:
                    self._complain(line, Fault.TWICE, lines=tuple(other for other in lines if other != line))

    def read_members(self) -> None:
        """Take the values of every row that is about one member."""
        for member_id, lines in self._lines_of.items():
            if len(lines) > 1:
                continue
            self.findings.rows_of[member_id] = lines[0]
            values, has_fault = self._read_row(member_id, lines[0])
            if values or not has_fault:
                self.findings.changes[member_id] = values

    def read_strangers(self) -> None:
        """Read the managers of people outside the course, if these are managers themselves. Nothing else is kept."""
        own = {_best_name(self._cells[line]): self._cells[line].get("manager") for line in self._strangers}
        managers = [values.get("manager") for values in self.findings.changes.values()]
        waiting = [manager["outside"] for manager in managers if manager is not None and "outside" in manager]
        while waiting:
            name = waiting.pop()
            if reference(name) in self.findings.outside:
                continue
            manager = self._manager_named(cell) if (cell := own.get(name)) else None
            self.findings.outside[reference(name)] = name, manager
            if manager is not None and "outside" in manager:
                waiting.append(manager["outside"])

    def refuse_loops(self, above: Mapping[Node, Node | None]) -> None:
        """Leave out every manager in a reporting line that forms a loop."""
        new: dict[Node, Node | None] = {
            member: node(values["manager"]) for member, values in self.findings.changes.items() if "manager" in values
        }
        lines = {**above, **new}
        lines.update({key: node(manager) for key, (_, manager) in self.findings.outside.items() if manager is not None})
        done: set[Node] = set()
        for start in new:
            line: list[Node] = []
            person: Node | None = start
            while person is not None and person not in done and person not in line:
                line.append(person)
                person = lines.get(person)
            done.update(line)
            if person is not None and person in line:
                self._refuse_loop([one for one in line[line.index(person) :] if isinstance(one, int) and one in new])

    def _refuse_loop(self, members: list[int]) -> None:
        rows = sorted(self.findings.rows_of[member] for member in members)
        for member in members:
            line = self.findings.rows_of[member]
            other_lines = tuple(one for one in rows if one != line)[:LONGEST_LOOP]
            self._complain(line, Fault.LOOP, "manager", lines=other_lines)
            del self.findings.changes[member]["manager"]
            if not self.findings.changes[member]:
                del self.findings.changes[member]

    def _read_row(self, member_id: int, line: int) -> tuple[dict[str, Kept | None], bool]:
        """The values of a row, and whether some of its cells have a fault."""
        complaints = len(self.findings.complaints)
        read_values: dict[str, Kept | None] = {}
        for key, cell in self._values(line).items():
            if tidy(cell).casefold() in TAKES_AWAY and BY_KEY[key].form is not Form.PERSON:
                read_values[key] = None
                continue
            value = self._read_cell(BY_KEY[key], cell)
            if isinstance(value, Flaw):
                self._complain(line, Fault.VALUE, key, flaw=value)
            elif value == {"member": member_id}:
                self._complain(line, Fault.OWN_MANAGER, key)
            elif value is not None:
                read_values[key] = value
        return read_values, len(self.findings.complaints) > complaints

    def _read_cell(self, attribute: Attribute, cell: str) -> Kept | Flaw | None:
        return self._manager_named(cell) if attribute.form is Form.PERSON else read(attribute, cell)

    def _values(self, line: int) -> dict[str, str]:
        return {key: cell for key, cell in self._cells[line].items() if key in BY_KEY}

    def _manager_named(self, cell: str) -> Kept:
        return manager_named(cell, self._register, self._aliases)

    def _complain(
        self, line: int, fault: Fault, attribute: str = "", *, flaw: Flaw | None = None, lines: tuple[int, ...] = ()
    ) -> None:
        self.findings.complaints.append(Complaint(line, fault, attribute, flaw, lines))


def _best_name(cells: Mapping[str, str]) -> str:
    """What identifies a person best: an e-mail address, else an id, else a name."""
    order = (Identifier.EMAIL, Identifier.LMS_ID, Identifier.SOURCED_ID, Identifier.NAME, Identifier.KEY)
    return next((tidy(cells[kind], 400) for kind in order if kind in cells), "")
