"""One round that is to be mended: who sits where, who waits, and what must and should hold."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.acquaintance import Acquaintance
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Kind
from lti_tool.pairing.engine.errors import LockConflict, LockForbidden, LockSize
from lti_tool.pairing.engine.people import Bools, Places, Points

NOT_AGAIN: Final = "not_again"
"""The name of the rule whose couples are found round by round: who met before may not meet again."""
NOBODY: Final = np.zeros(0, dtype=np.int64)
Seats = tuple[int, ...]
"""The members of a group as places."""


@dataclass(frozen=True)
class Sitting:
    """A round without the groups that have begun. People are places among those of `couples`."""

    couples: Couples
    members: Places
    """The members of all groups, one group after the other; -1 for people who are not here any more."""
    sizes: NDArray[np.int64]
    """Of each group, those who are not here any more included."""
    seat: Places
    """Everybody who needs a group in this round, sorted."""
    met: Acquaintance
    """Meetings outside of this round."""
    never_again: bool
    """Whether people who meet outside of this round may not meet in it; else that is only better avoided."""
    met_earlier: Acquaintance
    """Meetings because of which a couple of this round has to part, if they may never meet again: those before it."""
    locks: tuple[Seats, ...]
    """Who must be together. No person is in two of them."""
    flagged: Bools
    """Who was without a partner last time."""
    in_trios: Points
    """How often each sits in a trio in other rounds, or did before."""
    seed: int

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Where the members of each group begin."""
        starts: NDArray[np.int64] = np.cumsum(self.sizes) - self.sizes
        return starts

    @cached_property
    def whole(self) -> Bools:
        """Of each group, whether all its members are here."""
        if not len(self.sizes):
            return np.zeros(0, dtype=np.bool_)
        number = np.repeat(np.arange(len(self.sizes)), self.sizes)
        whole: Bools = np.bincount(number[self.members < 0], minlength=len(self.sizes)) == 0
        return whole

    def group(self, number: int) -> Seats:
        """Those members of a group who are here."""
        start = self.starts[number]
        return tuple(one for one in self.members[start : start + self.sizes[number]].tolist() if one >= 0)

    def may_stay(self, one: Places, other: Places) -> Bools:
        """For each couple that sits together now, whether they may go on."""
        found = self.couples.allowed(one, other)
        return found & (self.met_earlier.times(one, other) == 0) if self.never_again else found

    def may_meet(self, one: Places, other: Places) -> Bools:
        """For each couple that does not sit together now, whether they may."""
        found = self.couples.allowed(one, other)
        return found & (self.met.times(one, other) == 0) if self.never_again else found


@dataclass(frozen=True)
class Mended:
    """What became of a round."""

    kept: Bools
    """Of each group of the sitting, whether it stays."""
    formed: list[Seats] = field(default_factory=list)
    """New groups, in no order of turn."""
    alone: list[int] = field(default_factory=list)
    """Who has no group, sorted."""
    cost: tuple[int, ...] = ()
    """What counts before repeats, the most important first: people alone, groups that could have stayed …"""
    free: Places = field(default_factory=lambda: NOBODY)
    """Pairs: everybody who is not locked."""
    partner: Places = field(default_factory=lambda: NOBODY)
    """Pairs: for every place the partner or -1; of a trio that is not locked two are partners."""


def locks_of(couples: Couples, number: int, begun: Places, away: Places) -> tuple[Seats, ...]:
    """The locks of a round, but for those of people whose groups have begun. Of a lock, those count who turn up."""
    found: set[Seats] = set()
    for lock in couples.course.locks:
        places = couples.people.places(sorted(set(lock.members)))
        here = np.setdiff1d(places[places >= 0], away)
        if lock.round in {None, number} and len(here) > 1 and not np.isin(here, begun).any():
            found.add(tuple(here.tolist()))
    return tuple(sorted(found))


def check_locks(sitting: Sitting, number: int) -> None:
    """Raise what makes the locks of a round impossible: LockConflict, LockSize or LockForbidden."""
    couples = sitting.couples
    shape = couples.course.shape
    most = 3 if shape.kind is Kind.PAIRS else shape.size + 1
    trios = sum(len(lock) == 3 for lock in sitting.locks) if shape.kind is Kind.PAIRS else 0
    seated: set[int] = set()
    for lock in sitting.locks:
        members = tuple(couples.people.ids[list(lock)].tolist())
        if seated.intersection(lock):
            raise LockConflict(number, int(couples.people.ids[min(seated.intersection(lock))]))
        seated.update(lock)
        if len(lock) > most or trios > len(sitting.seat) % 2:
            raise LockSize(number, members)
        for two in combinations(lock, 2):
            one, other = np.array(two[:1]), np.array(two[1:])
            rules = (rule.name for rule in couples.course.rules if not rule.allows(couples.people, one, other)[0])
            again = NOT_AGAIN if sitting.never_again and sitting.met_earlier.times(one, other)[0] else ""
            broken = next(rules, again)
            if broken:
                raise LockForbidden(number, members, broken)
