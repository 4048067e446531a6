"""What the engine is told: who is to be grouped, what is known of them, what must hold and what is wished for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from lti_tool.pairing.engine.rules import Rule
from lti_tool.pairing.engine.wishes import Wish

PersonId: TypeAlias = int
Couple: TypeAlias = tuple[PersonId, PersonId]
Value: TypeAlias = str | int | frozenset[str] | None
"""A name (department), a number (experience, or the id of a manager), or names (languages, slots).

A person who is missing from an attribute is unknown there. None is known: a person without a manager.
"""


class Kind(StrEnum):
    """How people sit together."""

    PAIRS = "pairs"
    """Two and two; one group of three when the number is odd."""
    TRIOS = "trios"
    CIRCLES = "circles"
    """Groups of `size`; where that does not divide, some are one smaller or larger."""
    RINGS = "rings"
    """Groups of `size` in an order: each observes the next, the last the first."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The kind of groups and how many people sit in one; 3 to 6 in circles and rings."""

    kind: Kind = Kind.PAIRS
    size: int = 2


@dataclass(frozen=True, slots=True)
class Lock:
    """People who must be together, in one round or (None) in every round."""

    members: tuple[PersonId, ...]
    round: int | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """Who is to be grouped, and everything that has a say in it."""

    people: tuple[PersonId, ...]
    """In any order; the order has no influence."""
    met: tuple[Couple, ...] = ()
    """Earlier meetings. A couple that is listed twice has met twice. May name people who are gone."""
    attributes: Mapping[str, Mapping[PersonId, Value]] = field(default_factory=dict)
    """What is known, by name of the attribute. May hold people who are not grouped: a manager's manager."""
    rules: tuple[Rule, ...] = ()
    wishes: tuple[Wish, ...] = ()
    locks: tuple[Lock, ...] = ()
    shape: Shape = Shape()
    ahead: Mapping[PersonId, int] = field(default_factory=dict)
    """Before the first round: how often somebody went first (coach) less how often last (coachee)."""
    left_out: frozenset[PersonId] = frozenset()
    """Who had no partner last time; they come before everybody else now."""
    in_trios: Mapping[PersonId, int] = field(default_factory=dict)
    """How often somebody sat in a group of three before, where others sat in pairs."""
