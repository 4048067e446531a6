"""An uploaded table: read, checked each time the page is shown, and applied once."""

import hashlib
import json
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.attributes.errors import CheckOutdated, ChoicesConflict, NoPersonColumn, TableUnconfirmed, UploadGone
from lti_tool.attributes.models import AttributeUpload, Outsider
from lti_tool.attributes.rules import checking, tables
from lti_tool.attributes.rules.catalogue import CATALOGUE, Kept, Source
from lti_tool.attributes.rules.checking import Findings, Node
from lti_tool.attributes.rules.matching import Identifier, Register, key_of, reference
from lti_tool.attributes.rules.tables import COLUMNS, Layout, Sheet
from lti_tool.attributes.service import reading, records
from lti_tool.attributes.service.reading import Known
from lti_tool.launch.service.naming import told_apart
from lti_tool.support.crypto import new_secret

HEAD: Final = (Identifier.KEY, Identifier.LMS_ID, Identifier.SOURCED_ID, Identifier.EMAIL, Identifier.NAME)
"""The columns of our template that say who a row is about."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that would become another."""

    member_id: int
    attribute: str
    before: Kept | None
    after: Kept | None


@dataclass
class Check:
    """What applying the table would change now."""

    key: str
    sheet: Sheet
    columns: tuple[str | None, ...]
    """The attribute of each column, including those chosen for unknown ones."""
    findings: Findings
    names: dict[int, str | None]
    """The name of every member, by id."""
    new: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    """Numbers of values by attribute: new, changed, and as before."""
    own_words: int = 0
    """How many of the changed values learners had entered themselves."""
    changes: list[Change] = field(default_factory=list)
    people: Counter[str] = field(default_factory=Counter)
    """How many people get values for the first time (new), get others (changed), or keep theirs (same)."""

    @property
    def fingerprint(self) -> str:
        """A hash of everything that applying the table would change: differs if a page showed something else."""
        does = [asdict(one) for one in self.changes], self.findings.outside
        return hashlib.sha256(json.dumps(does, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def unknown(self) -> list[tuple[int, str]]:
        """Columns without a known name: place and header."""
        return [(place, header) for place, header in enumerate(self.sheet.headers) if self.sheet.columns[place] is None]

    @property
    def candidates(self) -> list[tuple[int, str]]:
        """Members without a row, by name: candidates for rows whose person was not found."""
        free = [(one, name or "") for one, name in self.names.items() if one not in self.findings.rows_of]
        return sorted(free, key=lambda one: (one[1].casefold(), one[0]))


def template(session: Session, course_id: int, members: Collection[int]) -> list[list[str]]:
    """The lines of a table to fill in: for each of these members the columns of HEAD and all attributes."""
    wanted = set(members)
    listed = reading.listed(session, course_id)
    register = Register(listed)
    values_of = reading.values_of_members(session, wanted)
    names = reading.names_of_people(
        session, [value.value for values in values_of.values() for value in values.values()]
    )
    for (kind, person_id), name in names.items():
        if kind == "member" and (name is None or register.named(name) != person_id):
            names[kind, person_id] = key_of(person_id)  # A name that several have would be read as somebody outside.
    people = sorted(
        (one for one in listed if one.member_id in wanted), key=lambda one: ((one.name or "").casefold(), one.member_id)
    )
    return [
        [
            *(key_of(one.member_id), one.sub, one.sourced_id or "", one.email or "", one.name or ""),
            *(
                reading.written(values_of[one.member_id][attribute.key].value, names)
                if attribute.key in values_of[one.member_id]
                else ""
                for attribute in CATALOGUE
            ),
        ]
        for one in people
    ]


def keep(
    session: Session, course_id: int, person_id: int, content: bytes, spelled: Mapping[str, str], *, now: datetime
) -> AttributeUpload:
    """Read an uploaded file and store it until it is applied. Replaces an earlier one of the same person.

    Raises TableUnusable.
    """
    sheet = tables.read(content, spelled).as_json()
    session.execute(
        delete(AttributeUpload).where(
            AttributeUpload.course_id == course_id, AttributeUpload.created_by_id == person_id
        )
    )
    upload = AttributeUpload(
        key=new_secret(),
        course_id=course_id,
        created_by_id=person_id,
        created_at=now,
        sheet={**sheet, "content": b64encode(content).decode()},
    )
    session.add(upload)
    session.flush()
    return upload


def read_again(upload: AttributeUpload, layout: Layout, spelled: Mapping[str, str]) -> Sheet:
    """The uploaded file read with another layout, which is not stored yet. Raises TableUnusable and UploadGone."""
    if "content" not in upload.sheet:
        raise UploadGone(upload.course_id)  # Of a version that did not keep the file.
    return tables.read(b64decode(upload.sheet["content"]), spelled, layout)


def agree(session: Session, upload: AttributeUpload, sheet: Sheet, columns: tuple[str | None, ...]) -> None:
    """Store how a person wants the file to be read, and its columns. Raises NoPersonColumn."""
    if not tables.WHO & set(columns):
        raise NoPersonColumn(upload.course_id)
    upload.sheet = {**sheet.as_agreed(columns).as_json(), "content": upload.sheet["content"]}
    session.flush()


def sheet_of(upload: AttributeUpload) -> Sheet:
    """The table as it was read."""
    return Sheet.from_json(upload.sheet)


def find(session: Session, course_id: int, key: str, *, to_take: bool = False) -> AttributeUpload:
    """An upload of this course, locked if it is to be applied. Raises UploadGone."""
    query = select(AttributeUpload).where(AttributeUpload.key == key, AttributeUpload.course_id == course_id)
    upload = session.scalar(query.with_for_update() if to_take else query)
    if upload is None:
        raise UploadGone(course_id)
    return upload


def discard(session: Session, upload: AttributeUpload) -> None:
    """Delete the uploaded table."""
    session.delete(upload)
    session.flush()


def check(session: Session, upload: AttributeUpload, choices: Mapping[int, int], meanings: Mapping[int, str]) -> Check:
    """What the table would change. `choices`: line to member; `meanings`: place of an unknown column to attribute.

    Choices of people outside the course, and meanings of columns that are known or taken, are ignored.
    """
    sheet = sheet_of(upload)
    columns = _columns(sheet, meanings)
    listed = reading.listed(session, upload.course_id)
    register = Register(listed)
    names = told_apart(session, upload.course_id, {one.member_id: one.name for one in listed})
    outsiders = reading.outsiders(session, upload.course_id)
    values_of = reading.values_of_members(session, names)
    findings = checking.find(
        sheet,
        columns,
        register,
        choices={line: member_id for line, member_id in choices.items() if member_id in names},
        above=_known_lines(values_of, outsiders, register),
    )
    result = Check(upload.key, sheet, columns, findings, names)
    for member_id, values in findings.changes.items():
        _compare(result, member_id, values, values_of[member_id], outsiders)
    return result


def apply_table(
    session: Session,
    upload: AttributeUpload,
    choices: Mapping[int, int],
    meanings: Mapping[int, str],
    *,
    seen: str | None = None,
    now: datetime,
) -> Check:
    """Store every value without a fault, and delete the table. `seen`: the fingerprint of what was shown.

    Raises ChoicesConflict, TableUnconfirmed, and CheckOutdated if the changes are not those that were shown.
    """
    if sheet_of(upload).questions:
        raise TableUnconfirmed(upload.course_id)
    result = check(session, upload, choices, meanings)
    if result.findings.conflicts:
        raise ChoicesConflict(tuple(sorted(result.findings.conflicts)))
    if seen is not None and seen != result.fingerprint:
        raise CheckOutdated(upload.course_id)
    changes = {
        member_id: {key: _stored(session, upload.course_id, value) for key, value in values.items()}
        for member_id, values in result.findings.changes.items()
    }
    for name, manager in result.findings.outside.values():
        if manager is not None:
            outsider = records.outsider_named(session, upload.course_id, name)
            outsider.manager = _stored(session, upload.course_id, manager)
    records.put(session, changes, Source.CSV, now=now)
    discard(session, upload)
    records.forget_outsiders(session, upload.course_id)
    return result


def _columns(sheet: Sheet, meanings: Mapping[int, str]) -> tuple[str | None, ...]:
    columns = list(sheet.columns)
    for place, key in sorted(meanings.items()):
        if place < len(columns) and columns[place] is None and key in COLUMNS and key not in columns:
            columns[place] = key
    return tuple(columns)


def _known_lines(
    known: Mapping[int, Mapping[str, Known]], outsiders: Mapping[str, Outsider], register: Register
) -> dict[Node, Node | None]:
    """The known managers, by the person whom they lead."""
    places: dict[int, Node] = {one.id: register.named(one.name) or key for key, one in outsiders.items()}

    def place(value: Kept) -> Node | None:
        return places.get(value["outsider"]) if "outsider" in value else value.get("member")

    lines: dict[Node, Node | None] = {
        places[one.id]: place(one.manager) for one in outsiders.values() if one.manager is not None
    }
    for member_id, values in known.items():
        if "manager" in values:
            lines[member_id] = place(values["manager"].value)
    return lines


def _compare(
    result: Check,
    member_id: int,
    values: Mapping[str, Kept | None],
    known: Mapping[str, Known],
    outsiders: Mapping[str, Outsider],
) -> None:
    kinds: set[str] = set()
    for key, value in values.items():
        before = known.get(key)
        if (before.value if before else None) == _as_known(value, outsiders):
            if value is not None:
                result.same[key] += 1
            continue
        kind = "new" if before is None else "changed"
        (result.new if before is None else result.changed)[key] += 1
        kinds.add(kind)
        result.own_words += before is not None and before.source == Source.QUESTIONNAIRE
        result.changes.append(Change(member_id, key, before.value if before else None, value))
    result.people["changed" if "changed" in kinds else "new" if kinds else "same"] += 1


def _as_known(value: Kept | None, outsiders: Mapping[str, Outsider]) -> Kept | None:
    if value is None or "outside" not in value:
        return value
    outsider = outsiders.get(reference(value["outside"]))
    return {"outsider": outsider.id} if outsider is not None else value


def _stored(session: Session, course_id: int, value: Kept | None) -> Kept | None:
    if value is None or "outside" not in value:
        return value
    return {"outsider": records.outsider_named(session, course_id, value["outside"]).id}
