"""What the engine is told and what it answers, as plain data; and what it refuses."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Final, TypeAlias

from lti_tool.pairing.engine.rules import Rule
from lti_tool.pairing.engine.wishes import Wish

# ---- what it is told -------------------------------------------------------------------------------------------------

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


# ---- what it answers -------------------------------------------------------------------------------------------------

Group: TypeAlias = tuple[PersonId, ...]
"""The members of a group in order of turn: the first is observed first (is coach, brings the case)."""
Placed: TypeAlias = tuple[int, Group]
"""A group and the number of its round, which starts at 1."""


class Reason(StrEnum):
    """Why somebody has no partner in a round."""

    NOBODY_ELSE = "nobody_else"
    """There is no second person."""
    OTHERS_HAVE_BEGUN = "others_have_begun"
    """Every group that could have taken them has begun its work."""
    NOBODY_ALLOWED = "nobody_allowed"
    """The rules leave no partner at all among those who are here."""
    TOO_FEW_PARTNERS = "too_few_partners"
    """There are partners, but others need the same ones: see the round's proof."""
    NONE_BETTER_FOUND = "none_better_found"
    """Trios, circles and rings: nothing better was found, which is not a proof."""
    ABSENT = "absent"
    """They do not turn up in this round. Their partner meets somebody else; nobody looks for a partner for them."""


class Breach(StrEnum):
    """What can be wrong with a schedule."""

    MISSING = "missing"
    TWICE = "twice"
    UNKNOWN = "unknown"
    SIZE = "size"
    TRIOS = "trios"
    NEEDLESSLY_UNPAIRED = "needlessly_unpaired"
    RULE = "rule"
    """A couple that a rule forbids."""
    LOCK = "lock"
    """People who are locked together and are not together."""
    PROOF = "proof"
    """A proof that does not prove what it says."""


@dataclass(frozen=True, slots=True)
class Unpaired:
    """Somebody without a partner in a round, and why."""

    person: PersonId
    round: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Proof:
    """Why no arrangement of a round in pairs leaves fewer people without a partner (Tutte 1947, Berge 1958).

    Take the people in `barrier` away: the others fall apart into parts between which nobody may meet. Each part of odd
    size needs somebody of the barrier for one of its people, and there are more such parts than people in the barrier.
    """

    round: int
    barrier: tuple[PersonId, ...]


NAME: Final = "tandem/6"
"""Name and version of this engine, stored with every plan that it made."""
NOBODY: Final = Course(())


@dataclass(frozen=True, slots=True)
class Schedule:
    """The groups of every round, who is in none, and what it was made from."""

    rounds: tuple[tuple[Group, ...], ...]
    unpaired: tuple[Unpaired, ...] = field(default=())
    course: Course = NOBODY
    seed: int = 0
    engine: str = ""
    """Name and version of the engine that made it."""
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong, in which round, and whom it concerns."""

    breach: Breach
    round: int
    people: Group
    rule: str = ""
    """The name of the rule that is broken."""


Review: TypeAlias = tuple[PersonId, PersonId]
"""Reviewer and author."""


@dataclass(frozen=True, slots=True)
class Short:
    """Someone who does or gets fewer reviews than asked for, and why."""

    person: PersonId
    done: int
    received: int
    reason: Reason
    """NOBODY_ELSE; NOBODY_ALLOWED; or TOO_FEW_PARTNERS: they have partners, but too few, or others need them."""


@dataclass(frozen=True, slots=True)
class ReviewProof:
    """Why there cannot be more reviews (a cut in the sense of Ford and Fulkerson).

    The other reviewers do k each. These can review only the authors named here, k times each, and beside those every
    couple that the rules allow is used.
    """

    reviewers: tuple[PersonId, ...]
    authors: tuple[PersonId, ...]


@dataclass(frozen=True, slots=True)
class Reviews:
    """Who reviews whom, sorted, and who has fewer than asked for."""

    pairs: tuple[Review, ...]
    short: tuple[Short, ...] = ()
    proof: ReviewProof | None = None
    """There whenever someone is short."""
    course: Course = NOBODY
    k: int = 0
    seed: int = 0
    engine: str = ""


def meetings(rounds: Iterable[Iterable[Group]]) -> Counter[frozenset[PersonId]]:
    """How often every two people meet. A group of three is three meetings."""
    return Counter(frozenset(couple) for groups in rounds for group in groups for couple in combinations(group, 2))


def repeats(course: Course, schedule: Schedule) -> int:
    """How many meetings are of two people who met before, in the schedule or ahead of it."""
    before = Counter(frozenset(couple) for couple in course.met)
    counted = meetings(schedule.rounds)
    return sum(times if couple in before else times - 1 for couple, times in counted.items())


def balance(rounds: Iterable[Iterable[Group]]) -> Counter[PersonId]:
    """For every person, how often they were observed first less how often last. The middle of a trio is neither."""
    counted: Counter[PersonId] = Counter()
    for groups in rounds:
        for group in groups:
            counted[group[0]] += 1
            counted[group[-1]] -= 1
    return counted


# ---- what it refuses: not the tool's own errors ----------------------------------------------------------------------


class ImpossibleRequest(ValueError):
    """The question makes no sense: fewer than one round, somebody who both left and joined. Root of all others here."""


@dataclass(eq=False)
class ListedTwice(ImpossibleRequest):
    """People who are listed more than once: in the course, among those who joined, or as both left and joined."""

    people: tuple[int, ...]


@dataclass(eq=False)
class UnknownPerson(ImpossibleRequest):
    """People who are named in a lock and are not in the course, or whose id is no id (below 0)."""

    people: tuple[int, ...]


@dataclass(eq=False)
class ShapeImpossible(ImpossibleRequest):
    """Groups of this kind are not of this size: pairs are two, trios three, circles and rings three to six."""

    kind: str
    size: int


@dataclass(eq=False)
class LockConflict(ImpossibleRequest):
    """Two locks want the same person in the same round."""

    round: int
    person: int


@dataclass(eq=False)
class LockSize(ImpossibleRequest):
    """People are locked together who are no group of this course in this round: one alone, or a trio too many."""

    round: int
    members: tuple[int, ...]


@dataclass(eq=False)
class LockForbidden(ImpossibleRequest):
    """A rule forbids two people who are locked together. `rule` is its name."""

    round: int
    members: tuple[int, ...]
    rule: str
