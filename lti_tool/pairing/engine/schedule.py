"""What the engine answers, and what can be read from it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import Final, TypeAlias

from lti_tool.pairing.engine.course import Course, PersonId

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


NAME: Final = "tandem/3"
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
    """Name and version of the engine that made it; says so when the optional improver had a part in it."""
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


def moved(before: Schedule, after: Schedule) -> frozenset[PersonId]:
    """Everybody who has other partners in some round than before; people who left or joined are among them."""
    changed: set[PersonId] = set()
    for old, new in zip(before.rounds, after.rounds, strict=True):
        kept = {frozenset(group) for group in old} & {frozenset(group) for group in new}
        changed.update(person for group in (*old, *new) if frozenset(group) not in kept for person in group)
    return frozenset(changed)
