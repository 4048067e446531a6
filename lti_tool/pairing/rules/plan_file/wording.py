"""Numbers and people in plain English sentences, for the output of the command."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, TypeAlias

from lti_tool.pairing.engine import PersonId

Name: TypeAlias = str | int
"""What an instance calls a person."""
FIRST: Final = 5


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 round`, `2 rounds`; `plural` if it does not end in s."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def people(number: int) -> str:
    """`1 person`, `2 people`."""
    return counted(number, "person", "people")


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def together(members: Sequence[PersonId], names: Mapping[PersonId, Name]) -> str:
    """The members of a group, as the instance names them."""
    return joined([repr(names[person]) for person in members])


def first_of(members: Collection[PersonId], names: Mapping[PersonId, Name]) -> str:
    """The first five people in order, and how many more there are."""
    shown = ", ".join(repr(names[person]) for person in list(members)[:FIRST])
    return shown + (f" and {len(members) - FIRST} more" if len(members) > FIRST else "")
