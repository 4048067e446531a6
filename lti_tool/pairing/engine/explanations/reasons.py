"""What is said of a person in a round: whom they work with and why, or what stands in the way. Ids and names only."""

from dataclasses import dataclass

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.schedule import Group, Reason


@dataclass(frozen=True, slots=True)
class Alternative:
    """Somebody who would have been better for one person, and what it would have meant for the others.

    They and the present partner change places, and nobody else does.
    """

    person: PersonId
    partners: Group
    """With whom they work now; nobody if they have no partner."""
    points: int
    """Of the couple that the two would have been."""
    met: int
    """How often they met before. More than 0: it would be a repeat."""
    cost: int
    """How many points all others together would lose; less than 0 when they would gain."""
    breaks: tuple[str, ...]
    """Names of the rules that would forbid a couple among the others."""
    leaves: Group
    """Who would be without a partner then."""
    is_locked: bool
    """Whether they are locked to whom they work with."""


@dataclass(frozen=True, slots=True)
class Partner:
    """One of the people somebody works with in a round."""

    person: PersonId
    met: int
    """How often the two met before this round."""
    is_locked: bool
    points: int
    wishes: tuple[tuple[str, int], ...]
    """The points by the name of the wish, where it gave any. What the wish says is true of the two."""
    rules: tuple[str, ...]
    """Names of the rules that are kept and say something about the two: what they ask is known of both, and true.

    Without the reporting line, exclusions and `known`, which are nobody's business.
    """
    breaks: tuple[str, ...]
    """Names of rules that forbid the two; only where a person or a later change put them together."""
    rank: int | None
    """1: nobody whom the rules allow would have been better in this round (first fewer repeats, then more points)."""
    ties: int
    """How many share this rank, the partner included."""
    choices: int
    """How many the rules allow."""
    better: Alternative | None
    """The best of those who would have been better; else one with more points who was met more often."""


@dataclass(frozen=True, slots=True)
class Why:
    """Whom a person works with in a round, and what speaks for it. Without a group there are no partners."""

    person: PersonId
    round: int
    group: Group
    is_locked: bool
    partners: tuple[Partner, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """How many of a person's possible partners one rule takes away."""

    rule: str
    removed: int
    alone: int
    """How many of them no other rule takes away."""
    unknown: int
    """How many of them because something is not known of one of the two."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody whom the rules leave as a partner, and with whom they work instead."""

    person: PersonId
    partners: Group
    met: int


@dataclass(frozen=True, slots=True)
class Needed:
    """These `partners` are the only possible partners of all those `needing` one, outside of their own part.

    In pairs at least `lacking` of them stay without a partner, whatever one does; a group of three takes in one more.
    """

    needing: Group
    parts: tuple[Group, ...]
    """Those needing a partner, in parts of an odd number between which nobody may meet. Mostly of one person each."""
    partners: Group
    lacking: int


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What stands between a person and a partner in a round."""

    person: PersonId
    round: int
    reason: Reason | None
    """As the schedule says; None for somebody who has a partner."""
    others: int
    """How many other people take part in the round."""
    removals: tuple[Removal, ...]
    """Every rule that takes somebody away, the largest first."""
    candidates: tuple[Candidate, ...]
    """Whom the rules leave: those met least first, then the most welcome."""
    needed: Needed | None
    """What the proof of the round says, as far as this person is concerned by it: one part more than partners."""
