"""Numbers and people in plain English sentences."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.interchange.reader import Name

FIRST: Final = 5


def counted(number: int, one: str, several: str = "") -> str:
    """`1 round`, `2 rounds`; `several` where it is not made with an s."""
    return f"{number} {one if number == 1 else several or one + 's'}"


def people(number: int) -> str:
    """`1 person`, `2 people`."""
    return counted(number, "person", "people")


def joined(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def together(members: Sequence[PersonId], names: Mapping[PersonId, Name]) -> str:
    """Everybody of a group, as the instance names them."""
    return joined([repr(names[one]) for one in members])


def first_of(members: Collection[PersonId], names: Mapping[PersonId, Name]) -> str:
    """The first five of them in their order, and how many more there are."""
    shown = [repr(names[one]) for one in list(members)[:FIRST]]
    more = len(members) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
