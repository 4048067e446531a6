"""The pairs of a round while they are mended: who sits with whom, what a change costs, the best change of a part."""

from collections.abc import Iterable
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.acquaintance import keys
from lti_tool.pairing.engine.repairs.coupling import Allowed, couple_up
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.repairs.sitting import Mended, Seats, Sitting

MOST_POINTS: Final = 10_000
"""Points of couples above this are scaled down, so that all criteria fit into one number of 64 bits."""
MOST_TIMES: Final = 50
"""Couples who met more often than this count as if it were so often."""


class Pairs:
    """The pairs and at most one trio of a round, while they are changed.

    `partner` gives for every place the one they sit with or -1; `stood` the same for couples that stood before and may
    stay; `bound` says who is locked to their partner. Members of the trio have no partner.
    """

    def __init__(self, sitting: Sitting) -> None:
        people = len(sitting.couples)
        self.sitting = sitting
        self.stood: Places = np.full(people, -1, dtype=np.int64)
        self.bound: Bools = np.zeros(people, dtype=np.bool_)
        self.seated: Bools = np.zeros(people, dtype=np.bool_)
        self.seated[sitting.seat] = True
        self.ties: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        """Sorted keys of people who sat together in a group that does not stand any more."""
        self.trio: Seats = ()
        self.old_trio: Seats = ()
        """The trio that stood before and may stay."""
        self.trio_is_bound = False
        self._read()
        self.partner = self.stood.copy()
        self._lock()

    def _read(self) -> None:
        sitting = self.sitting
        pairs = np.flatnonzero(sitting.whole & (sitting.sizes == 2))
        one, other = sitting.members[sitting.starts[pairs]], sitting.members[sitting.starts[pairs] + 1]
        stands = sitting.may_stay(one, other)
        self.stood[one[stands]], self.stood[other[stands]] = other[stands], one[stands]
        trios, tied = [], []
        for number in np.flatnonzero(~sitting.whole | (sitting.sizes != 2)).tolist():
            group = sitting.group(number)
            if len(group) == 3 and sitting.whole[number] and every(sitting.may_stay, group):
                trios.append(group)
            else:
                tied.append(group)
        if trios and len(sitting.seat) % 2:
            locked = {person for lock in sitting.locks for person in lock}
            self.trio = self.old_trio = max(trios, key=lambda group: (len(locked.intersection(group)), -min(group)))
        self._tie([*tied, *(group for group in trios if group != self.trio)])

    def _tie(self, groups: Iterable[Seats]) -> None:
        couples = np.array([two for group in groups for two in combinations(group, 2)], dtype=np.int64).reshape(-1, 2)
        more = keys(couples[:, 0], couples[:, 1], len(self.stood))
        self.ties = np.unique(np.concatenate([self.ties, more]))

    def _lock(self) -> None:
        for lock in self.sitting.locks:
            members = np.array(lock, dtype=np.int64)
            if len(lock) == 2 and self.partner[lock[0]] != lock[1] and not set(lock) <= set(self.trio):
                self.part(lock)
                self.partner[members] = members[::-1]
            elif len(lock) == 3 and set(lock) != set(self.trio):
                self.part(lock)
                self.dissolve()
                self.trio = tuple(sorted(lock))
            self.trio_is_bound |= len(lock) == 3
            self.bound[members] = True

    def part(self, people: Seats) -> None:
        """Take these people out of where they sit."""
        if set(people) & set(self.trio):
            self.dissolve()
        for person in people:
            if self.partner[person] >= 0:
                self.partner[self.partner[person]] = -1
                self.partner[person] = -1

    def dissolve(self) -> None:
        """Take the trio apart; two of it who are locked stay together."""
        self._tie([self.trio])
        together = [person for person in self.trio if self.bound[person]]
        if len(together) == 2:
            self.partner[together] = together[::-1]
        self.trio = ()

    def allowed(self, one: Places, other: Places) -> Bools:
        """For each couple, whether they may sit together: who does already may stay."""
        may = self.sitting.may_meet(one, other)
        return may | (self.stood[one] == other) if self.sitting.never_again else may

    # ---- looking ---------------------------------------------------------------------------------------------------

    def waiting(self) -> Places:
        """Who has no partner and sits in no trio."""
        waits = self.seated & (self.partner < 0)
        waits[list(self.trio)] = False
        return np.flatnonzero(waits)

    def free(self) -> Places:
        """Everybody whose partner may change, those without one included."""
        free = self.seated & ~self.bound
        free[list(self.trio)] = False
        return np.flatnonzero(free)

    def couples(self) -> tuple[Places, Places]:
        """Who sits with whom, the smaller place first."""
        one = np.flatnonzero(self.partner > np.arange(len(self.partner)))
        return one, self.partner[one]

    def tied(self, one: Places, other: Places) -> Bools:
        """Whether couples sat together in a group that does not stand any more."""
        return np.isin(keys(one, other, len(self.stood)), self.ties)

    def changes(self) -> int:
        """How many people of groups that could have stayed have other partners than before."""
        stood = self.seated & (self.stood >= 0)
        changed = int((self.partner[stood] != self.stood[stood]).sum())
        return changed + (3 if self.old_trio and self.trio != self.old_trio else 0)

    def cost(self) -> tuple[int, ...]:
        """What counts, the most important first; less is better."""
        sitting = self.sitting
        one, other = self.couples()
        if self.trio:
            three = np.array(self.trio, dtype=np.int64)
            one, other = np.append(one, three[[0, 0, 1]]), np.append(other, three[[1, 2, 2]])
        alone = self.waiting()
        times = sitting.met.times(one, other)
        points = sitting.couples.points(one, other)
        if self.trio:
            points[:-3] *= 2
        return (
            len(alone),
            int(sitting.flagged[alone].sum()),
            self.changes(),
            -int(self.tied(one, other).sum()),
            int((times > 0).sum()),
            int(times.sum()),
            int(sitting.in_trios[list(self.trio)].sum()),
            -int(points.sum()),
        )

    # ---- changing --------------------------------------------------------------------------------------------------

    def rematch(self, play: Places) -> None:
        """Put these people together in the best way. Nobody among them may sit with somebody who is not."""
        couples = couple_up(play, self.allowed, lambda one, other: self._weigh(one, other, len(play) // 2))
        self.partner[play] = -1
        self.partner[couples[:, 0]], self.partner[couples[:, 1]] = couples[:, 1], couples[:, 0]

    def _weigh(self, one: Places, other: Places, most: int) -> Points:
        """All criteria in one number: each outweighs what the later ones can add up to in `most` couples."""
        sitting = self.sitting
        points = sitting.couples.points(one, other)
        highest = int(points.max(initial=0))
        if highest > MOST_POINTS:
            points, highest = points * MOST_POINTS // highest, MOST_POINTS
        times = np.minimum(sitting.met.times(one, other), MOST_TIMES)
        # That they met counts before how often.
        times += (times > 0) * (MOST_TIMES * most)
        repeat = highest * most + 1
        tie = repeat * (int(times.max(initial=0)) * most + 1)
        keep = tie * (most + 1)
        flag = keep * (most + 1)
        stands = (self.stood[one] == other).astype(np.int64)
        flagged = sitting.flagged[one].astype(np.int64) + sitting.flagged[other]
        weights: Points = points - repeat * times + tie * self.tied(one, other) + keep * stands + flag * flagged
        return weights

    def seat_third(self, person: int) -> bool:
        """Make a pair a trio with this person. Says whether there is a pair whom they fit."""
        sitting = self.sitting
        one, other = self.couples()
        third = np.full(len(one), person, dtype=np.int64)
        fits = self.allowed(third, one) & self.allowed(third, other)
        one, other, third = one[fits], other[fits], third[fits]
        if not len(one):
            return False
        stands = self.stood[one] == other
        tied = self.tied(third, one).astype(np.int64) + self.tied(third, other)
        times = sitting.met.times(third, one), sitting.met.times(third, other)
        repeats = (times[0] > 0).astype(np.int64) + (times[1] > 0)
        known = sitting.in_trios[one] + sitting.in_trios[other]
        # The two themselves count once in a trio, where a pair counts twice.
        points = sitting.couples.points(third, one) + sitting.couples.points(third, other)
        points -= sitting.couples.points(one, other)
        best = np.lexsort((one, -points, known, times[0] + times[1], repeats, -tied, stands))[0]
        host = int(one[best]), int(other[best])
        self.partner[list(host)] = -1
        self.trio = tuple(sorted((*host, person)))
        return True

    def mended(self) -> Mended:
        """The round as it is now, beside the round as it was."""
        sitting = self.sitting
        kept: Bools = np.zeros(len(sitting.sizes), dtype=np.bool_)
        pairs = np.flatnonzero(sitting.whole & (sitting.sizes == 2))
        one, other = sitting.members[sitting.starts[pairs]], sitting.members[sitting.starts[pairs] + 1]
        kept[pairs] = (self.partner[one] == other) & (self.stood[one] == other)
        one, other = self.couples()
        new = self.stood[one] != other
        formed: list[Seats] = list(zip(one[new].tolist(), other[new].tolist(), strict=True))
        trio = set(self.trio)
        if trio:
            same = [
                number
                for number in np.flatnonzero(sitting.whole & (sitting.sizes == 3)).tolist()
                if set(sitting.group(number)) == trio
            ]
            kept[same] = True
            formed += [] if same else [self.trio]
        alone = self.waiting().tolist()
        partner = self.partner.copy()
        unlocked = [person for person in self.trio if not self.bound[person]]
        if len(unlocked) == 3:
            partner[unlocked[:2]] = unlocked[1::-1]
        return Mended(kept, formed, alone, self.cost()[:4], np.flatnonzero(self.seated & ~self.bound), partner)


def every(allowed: Allowed, people: Seats) -> bool:
    """Whether every two of these people may work together."""
    first, second = np.triu_indices(len(people), 1)
    places = np.array(people, dtype=np.int64)
    return bool(allowed(places[first], places[second]).all())
