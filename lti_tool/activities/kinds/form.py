"""What people fill in: forms, their sections and fields, as plain values. Texts are marked for translation."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

LONGEST: Final = 10_000
"""Characters of a field that is given."""
LONGEST_LINE: Final = 255


class FieldKind(StrEnum):
    """How a field is filled in."""

    LINE = "line"
    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    MARKS = "marks"
    """A level for each criterion of the activity's rubric."""
    NOTES = "notes"
    """Any number of short texts, each with the time at which it was begun. A form has at most one such field."""


class Audience(StrEnum):
    """Who may read a field beside its author."""

    RECIPIENT = "recipient"
    """Once it is released."""
    GROUP = "group"
    """Everybody in the group, at once."""
    STAFF = "staff"
    """Where the activity said so before it was written."""


class Craft(StrEnum):
    """What a field of feedback asks for, as far as hints, pictures and figures need to know it."""

    STRENGTH = "strength"
    GROWTH = "growth"
    """Something to try next time."""
    NOTICED = "noticed"
    EFFECT = "effect"
    ADJUSTMENT = "adjustment"


PARTNER: Final = frozenset({Audience.RECIPIENT, Audience.STAFF})
GROUP: Final = frozenset({Audience.GROUP})
AUTHOR_ALONE: Final[frozenset[Audience]] = frozenset()


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of several."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked."""

    key: str
    kind: FieldKind
    question: str
    """Where it is written. May name the partner: `%(name)s`."""
    name: str
    """Where it is read, in messages, and at the head of a column."""
    name_by_author: str = ""
    """Where its recipient reads it and the author is to be named: `%(name)s`."""
    help: str = ""
    missing: str = ""
    """What to say where it is required and empty."""
    is_required: bool = False
    stands_in_for: str = ""
    """The field whose place a text here takes where that one is empty."""
    longest: int = LONGEST
    rows: int = 4
    lowest: int = 0
    highest: int = 1_000_000
    """Of a number."""
    choices: tuple[Choice, ...] = ()
    seen_by: frozenset[Audience] = PARTNER
    craft: Craft | None = None


class Layout(StrEnum):
    """How a section is shown to those who read it."""

    TEXTS = "texts"
    """Under the section's title, one text after the other."""
    NAMED = "named"
    """The same, each field under its name."""
    SUBTITLE = "subtitle"
    """Small, at the head of the page."""


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together. A section without a title stands by itself."""

    key: str
    fields: tuple[Field, ...]
    title: str = ""
    read_title: str = ""
    """Where it is read, if it is called otherwise there."""
    help: str = ""
    read_help: str = ""
    layout: Layout = Layout.NAMED
    is_in_short: bool = False
    """Shown where several entries stand beside each other."""


@dataclass(frozen=True, slots=True)
class Form:
    """What one person, or a group together, writes in a step."""

    sections: tuple[Section, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields in the order of the page."""
        return tuple(field for section in self.sections for field in section.fields)

    @property
    def notes(self) -> Field | None:
        """The field that takes notes, where there is one."""
        return next((field for field in self.fields if field.kind is FieldKind.NOTES), None)

    @property
    def texts(self) -> tuple[Field, ...]:
        """The fields that hold one value each."""
        return tuple(field for field in self.fields if field.kind not in {FieldKind.MARKS, FieldKind.NOTES})

    def of_craft(self, *crafts: Craft) -> tuple[Field, ...]:
        """The fields that ask for one of these, in the order of the page."""
        return tuple(field for field in self.fields if field.craft in crafts)

    @property
    def has_marks(self) -> bool:
        """Whether levels of the rubric are chosen."""
        return any(field.kind is FieldKind.MARKS for field in self.fields)

    @property
    def audience(self) -> frozenset[Audience]:
        """Who, beside the author, may read any of it."""
        return frozenset(one for field in self.fields for one in field.seen_by)

    def seen_by(self, audience: Audience | None) -> tuple[Section, ...]:
        """The sections with those fields that this audience may see; None is the author. Notes are shown apart."""
        return tuple(
            replace(section, fields=fields)
            for section in self.sections
            if (fields := tuple(field for field in section.fields if _is_shown(field, audience)))
        )


def _is_shown(field: Field, audience: Audience | None) -> bool:
    return field.kind is not FieldKind.NOTES and (audience is None or audience in field.seen_by)
