"""Which member a row of a table, or the text for a manager, refers to."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lti_tool.attributes.rules.values import folded, tidy

LONGEST_REFERENCE: Final = 400


class Identifier(StrEnum):
    """What identifies people, the most reliable first."""

    KEY = "key"
    """Our own key, as the template has it: T and the number of the member."""
    LMS_ID = "lms_id"
    SOURCED_ID = "sourced_id"
    EMAIL = "email"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Listed:
    """A member of the course, as tables may name them."""

    member_id: int
    sub: str
    sourced_id: str | None = None
    email: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """The member of a row. `is_contradiction`: its columns name different people, so it refers to no one."""

    member_id: int | None = None
    is_contradiction: bool = False


def key_of(member_id: int) -> str:
    """Our own key of a member in tables. The letter keeps it apart from ids of platforms, which are often numbers."""
    return f"T{member_id}"


class Register:
    """The members of a course, found by whatever names them uniquely."""

    def __init__(self, listed: Iterable[Listed]) -> None:
        self._members_by_text: dict[Identifier, dict[str, set[int]]] = {kind: {} for kind in Identifier}
        for entry in listed:
            self._add(Identifier.KEY, key_of(entry.member_id), entry.member_id)
            self._add(Identifier.LMS_ID, entry.sub, entry.member_id)
            self._add(Identifier.SOURCED_ID, entry.sourced_id, entry.member_id)
            self._add(Identifier.EMAIL, entry.email, entry.member_id)
            for name in (entry.name, " ".join(part for part in (entry.given_name, entry.family_name) if part)):
                self._add(Identifier.NAME, name, entry.member_id)

    def named(self, text: str) -> int | None:
        """The one member whom this text names, by whichever identifier comes first."""
        return next(
            (member_id for kind in Identifier if (member_id := self._unique_member(kind, text)) is not None), None
        )

    def of_row(self, cells: Mapping[str, str]) -> Match:
        """The member of a row, by its identifying columns. A name counts only if the row has nothing more reliable."""
        members = {
            member_id
            for kind in Identifier
            if kind is not Identifier.NAME and (member_id := self._unique_member(kind, cells.get(kind, ""))) is not None
        }
        if len(members) > 1:
            return Match(is_contradiction=True)
        return Match(next(iter(members), None) or self._unique_member(Identifier.NAME, cells.get(Identifier.NAME, "")))

    def _add(self, kind: Identifier, text: str | None, member_id: int) -> None:
        for compared in _compared(kind, text or ""):
            self._members_by_text[kind].setdefault(compared, set()).add(member_id)

    def _unique_member(self, kind: Identifier, text: str) -> int | None:
        """The only member with this identifier: spelled exactly so, else spelled as spreadsheets write ids."""
        candidates = (self._members_by_text[kind].get(compared) for compared in _compared(kind, text))
        members = next((one for one in candidates if one), set())
        return next(iter(members)) if len(members) == 1 else None


def reference(text: str) -> str:
    """The key by which a person outside the course is compared: the text that named them."""
    return folded(_in_order(text))[:LONGEST_REFERENCE]


def _compared(kind: Identifier, text: str) -> list[str]:
    """The spellings under which a text is looked up, the most exact first. Empty for a text that names nobody."""
    if kind not in {Identifier.LMS_ID, Identifier.SOURCED_ID}:
        return [plain] if (plain := folded(_in_order(text) if kind is Identifier.NAME else text)) else []
    # Platforms may tell ids apart by case. Spreadsheets take "000423" for a number.
    exact = tidy(text, LONGEST_REFERENCE)
    bare = re.sub(r"^0+(?=.)|(?<=[0-9])[.,]0+$", "", folded(exact))
    return [exact, f"\n{bare}"] if exact else []


def _in_order(name: str) -> str:
    """ "Sørensen, Mette" as "Mette Sørensen"."""
    turned = re.fullmatch(r"\s*([^,@]+),\s*([^,@]+)\s*", name)
    return f"{turned[2]} {turned[1]}" if turned else name
