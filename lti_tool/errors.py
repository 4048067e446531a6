"""The root of every failure that Tandem names, and the words that a feature gives to its own failures."""

from collections.abc import Mapping
from dataclasses import dataclass


class ToolError(Exception):
    """A failure that has a name. Subclasses are nouns and carry ids, never prose or personal data."""

    reference: str | None = None
    """The reference in the record, once it is written there."""
    fill: Mapping[str, str] = {}
    """Values that its words mention, such as a host."""


class NotAllowed(ToolError):
    """The person is known, and may not do this."""


class NotFound(ToolError):
    """What was asked for does not exist, or the person may not know that it does."""


class Conflict(ToolError):
    """Somebody else changed the same thing meanwhile; looking again and repeating may help."""


@dataclass(frozen=True, slots=True)
class Words:
    """How a page tells a person about a failure: HTTP status, a title, and what to do next (both marked with N_)."""

    status: int
    title: str
    what_to_do: str


def N_(text: str) -> str:
    """Mark a text for translation in code that runs without a request, and so without a language. Returns the text."""
    return text


def NN_(singular: str, plural: str) -> tuple[str, str]:
    """Mark a text with its plural for translation. Returns both."""
    return singular, plural
