"""Pairs after people came or went: the fewest changes in one round that give everyone a partner again.

What counts, in this order: people without a partner, those of them who had none last time, people whose group is
another one than before, people who were together and are not any more, repeats, points. All of it is the weight of one
matching, in which a couple that stands weighs more than all wishes and repeats: first of the people who wait alone (who
lost a partner, joined, or were in a group that a rule forbids now), then together with the couples that stand. In a
round of up to `AT_ONCE` people these are all couples, so for an even number the answer is the best there is; in a
larger one `cover` looks for short alternating paths. A path through L couples changes 2 L people.

Of an odd number one person is the third of a trio. Up to `EVERY_TRIO` people all trios are tried, so the answer is the
best there is; beyond that some people are tried as the third, and the first who changes no more than must be is taken.
"""

from collections.abc import Iterable
from copy import copy
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import NO_KEYS, Keys
from lti_tool.pairing.engine.locks import Members
from lti_tool.pairing.engine.matching import cover, heaviest
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.repair_round import Repaired, Round
from lti_tool.pairing.engine.rules import couple_keys, listed_in

AT_ONCE: Final = 300
"""So many people are matched exactly in one step."""
BLOCK: Final = 160
"""Of more people who wait than `AT_ONCE`, so many are matched together at first."""
EVERY_TRIO: Final = 9
"""Up to this many people every possible trio is tried."""
THIRDS: Final = 24
"""Beyond that, so many people are tried as the third of a trio when the first one fits nowhere."""
LOOKED_AT: Final = 64
"""Of more people who wait, so many are looked at to see whom they fit."""
MOST_POINTS: Final = 10_000
"""Points of couples above this are scaled down, so that all criteria fit into one number of 64 bits."""
MOST_TIMES: Final = 50
"""Couples who met more often than this count as if it were so often."""


def repair_pairs(before: Round) -> Repaired:
    """The round with the fewest changes. Groups that are locked stay; a rule is never broken."""
    pairs = _Pairs(before)
    if len(before.seat) % 2 == 0 or pairs.trio_is_bound:
        pairs.pair_up()
        return pairs.repaired()
    if not pairs.trio:
        return _with_a_third(pairs).repaired()
    kept = pairs.copy()
    kept.pair_up()
    if not len(kept.waiting()) and kept.changes() <= 2:
        return kept.repaired()
    pairs.dissolve()
    return min(kept, _with_a_third(pairs), key=_Pairs.cost).repaired()


class _Pairs:
    """The pairs and at most one trio of a round, while they are changed.

    `partner` gives for every place the one they are with or -1; `stood` the same for couples that stood before and may
    stay; `bound` says who is locked to their partner. Members of the trio have no partner.
    """

    def __init__(self, before: Round) -> None:
        people = len(before.couples)
        self.before = before
        self.stood: Places = np.full(people, -1, dtype=np.int64)
        self.bound: Bools = np.zeros(people, dtype=np.bool_)
        self.seated: Bools = np.zeros(people, dtype=np.bool_)
        self.seated[before.seat] = True
        self.ties: Keys = NO_KEYS
        """Sorted keys of people who were together in a group that does not stand any more."""
        self.trio: Members = ()
        self.old_trio: Members = ()
        """The trio that stood before and may stay."""
        self.trio_is_bound = False
        self._read()
        self.partner = self.stood.copy()
        self._lock()

    def copy(self) -> "_Pairs":
        other = copy(self)
        other.partner, other.bound = self.partner.copy(), self.bound.copy()
        return other

    def _whole_pairs(self) -> tuple[Places, Places, Places]:
        """The numbers of pairs who are both here, and their people."""
        before = self.before
        pairs = np.flatnonzero(before.whole & (before.sizes == 2))
        return pairs, before.members[before.starts[pairs]], before.members[before.starts[pairs] + 1]

    def _read(self) -> None:
        before = self.before
        _, one, other = self._whole_pairs()
        stands = before.may_stay(one, other)
        self.stood[one[stands]], self.stood[other[stands]] = other[stands], one[stands]
        trios: list[Members] = []
        tied: list[Members] = []
        for number in np.flatnonzero(~before.whole | (before.sizes != 2)).tolist():
            group = before.group(number)
            is_trio = len(group) == 3 and before.whole[number] and before.may_stay(*_couples_of(group)).all()
            (trios if is_trio else tied).append(group)
        if trios and len(before.seat) % 2:
            locked = {person for lock in before.locks for person in lock}
            self.trio = self.old_trio = max(trios, key=lambda group: (len(locked.intersection(group)), -min(group)))
        self._tie([*tied, *(group for group in trios if group != self.trio)])

    def _tie(self, groups: Iterable[Members]) -> None:
        ends = [_couples_of(group) for group in groups]
        couples = [couple_keys(one, other, len(self.stood)) for one, other in ends]
        self.ties = np.unique(np.concatenate([self.ties, *couples]))

    def _lock(self) -> None:
        for lock in self.before.locks:
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

    def part(self, people: Members) -> None:
        """Take these people out of where they are."""
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

    # ---- looking ----

    def allowed(self, one: Places, other: Places) -> Bools:
        """For each couple, whether they may be together: who is already may stay."""
        may: Bools = self.before.may_meet(one, other) | (self.stood[one] == other)
        return may

    def fits(self, people: Places, others: Places) -> Bools:
        """Of shape (people, others): whether they may work together."""
        one, other = np.repeat(people, len(others)), np.tile(others, len(people))
        return self.allowed(one, other).reshape(len(people), len(others))

    def waiting(self) -> Places:
        """Who has no partner and is in no trio."""
        waits = self.seated & (self.partner < 0)
        waits[list(self.trio)] = False
        return np.flatnonzero(waits)

    def free(self) -> Places:
        """Everyone whose partner may change, those without one included."""
        free = self.seated & ~self.bound
        free[list(self.trio)] = False
        return np.flatnonzero(free)

    def couples(self) -> tuple[Places, Places]:
        """Who is with whom, the smaller place first."""
        one = np.flatnonzero(self.partner > np.arange(len(self.partner)))
        return one, self.partner[one]

    def tied(self, one: Places, other: Places) -> Bools:
        """Whether couples were together in a group that does not stand any more."""
        return listed_in(self.ties, couple_keys(one, other, len(self.stood)))

    def changes(self) -> int:
        """How many people of groups that could have stayed have other partners than before."""
        stood = self.seated & (self.stood >= 0)
        changed = int((self.partner[stood] != self.stood[stood]).sum())
        return changed + (3 if self.old_trio and self.trio != self.old_trio else 0)

    def cost(self) -> tuple[int, ...]:
        """What counts, the most important first; less is better."""
        before = self.before
        one, other = self.couples()
        more = _couples_of(self.trio)
        one, other = np.append(one, more[0]), np.append(other, more[1])
        alone = self.waiting()
        times = before.met.times(one, other)
        points = before.couples.points(one, other)
        points[: len(one) - len(more[0])] *= 2
        return (
            len(alone),
            int(before.flagged[alone].sum()),
            self.changes(),
            -int(self.tied(one, other).sum()),
            int((times > 0).sum()),
            int(times.sum()),
            int(before.in_trios[list(self.trio)].sum()),
            -int(points.sum()),
        )

    # ---- changing ----

    def pair_up(self) -> None:
        """Give a partner to as many as possible of those who wait; who is in the trio or locked stays there."""
        waiting = self.waiting()
        if len(waiting) > AT_ONCE:
            # Who remains of a block is matched with the rest of the others.
            mixed = np.random.default_rng(self.before.seed).permutation(waiting)
            for block in np.array_split(mixed, -(-len(mixed) // BLOCK)):
                self.rematch(np.sort(block))
            waiting = self.waiting()[:AT_ONCE]
        if len(waiting) > 1:
            self.rematch(waiting)
        waiting, free = self.waiting(), self.free()
        # Someone who had no partner last time comes before a couple that stands.
        is_flagged = bool(self.before.flagged[waiting].any())
        if not len(waiting) or (len(waiting) <= self._least(waiting, free) and not is_flagged):
            return
        if len(free) <= AT_ONCE:
            self.rematch(free)
            return
        then = self.partner.copy()
        flagged = free[self.before.flagged[free]]
        self.partner = cover(
            self.before.couples,
            free,
            then,
            self._banned(),
            weigh=lambda one, other: self._weigh(one, other, AT_ONCE)[0],
            left_out=flagged,
            seed=self.before.seed,
        )
        changed = np.flatnonzero(then != self.partner)
        if 1 < len(changed) <= AT_ONCE:
            # Their former partners are among them, so the couples that need not change can come back.
            self.rematch(changed)

    def _least(self, waiting: Places, free: Places) -> int:
        """How many must wait for certain: those who fit nobody, and one more if the others are an odd number."""
        fits = self.fits(waiting[:LOOKED_AT], free)
        nowhere = int((~fits.any(axis=1)).sum())
        return nowhere + (len(waiting) - nowhere) % 2

    def _banned(self) -> Keys:
        """Who may not meet because they meet outside of this round, but for couples that stand."""
        if not self.before.couples.never_again:
            return NO_KEYS
        one = np.flatnonzero(self.stood > np.arange(len(self.stood)))
        return np.setdiff1d(self.before.met.keys, couple_keys(one, self.stood[one], len(self.stood)))

    def rematch(self, play: Places) -> None:
        """Put these people together in the best way. Nobody among them may be with someone who is not."""
        first, second = np.triu_indices(len(play), 1)
        may = self.allowed(play[first], play[second])
        first, second = first[may], second[may]
        weights, above = self._weigh(play[first], play[second], len(play) // 2)
        flagged = self.before.flagged[play].astype(np.int64)
        found = heaviest(len(play), first, second, weights + above * (flagged[first] + flagged[second]))
        self.partner[play] = np.where(found < 0, -1, play[found])

    def _weigh(self, one: Places, other: Places, most: int) -> tuple[Points, int]:
        """All criteria in one number: each outweighs what the later ones can add up to in `most` couples.

        And what someone weighs more who had no partner last time.
        """
        before = self.before
        points = before.couples.points(one, other)
        highest = int(points.max(initial=0))
        if highest > MOST_POINTS:
            points, highest = points * MOST_POINTS // highest, MOST_POINTS
        times = np.minimum(before.met.times(one, other), MOST_TIMES)
        # That they met counts before how often.
        times += (times > 0) * (MOST_TIMES * most)
        repeat = highest * most + 1
        tie = repeat * (int(times.max(initial=0)) * most + 1)
        keep = tie * (most + 1)
        stands = (self.stood[one] == other).astype(np.int64)
        return points - repeat * times + tie * self.tied(one, other) + keep * stands, keep * (most + 1)

    def seat_third(self, person: int) -> "_Pairs":
        """The same with this person as the third of a pair, if there is one whom they fit."""
        found = self.copy()
        before = self.before
        one, other = self.couples()
        third = np.full(len(one), person, dtype=np.int64)
        fits = self.allowed(third, one) & self.allowed(third, other)
        one, other, third = one[fits], other[fits], third[fits]
        if len(one):
            stands = self.stood[one] == other
            tied = self.tied(third, one).astype(np.int64) + self.tied(third, other)
            times = before.met.times(third, one), before.met.times(third, other)
            repeats = (times[0] > 0).astype(np.int64) + (times[1] > 0)
            known = before.in_trios[one] + before.in_trios[other]
            # The two themselves count once in a trio, where a pair counts twice.
            points = before.couples.points(third, one) + before.couples.points(third, other)
            points -= before.couples.points(one, other)
            best = np.lexsort((one, -points, known, times[0] + times[1], repeats, -tied, stands))[0]
            host = int(one[best]), int(other[best])
            found.partner[list(host)] = -1
            found.trio = tuple(sorted((*host, person)))
        return found

    def repaired(self) -> Repaired:
        """The round as it is now, beside the round as it was."""
        before = self.before
        kept: Bools = np.zeros(len(before.sizes), dtype=np.bool_)
        pairs, one, other = self._whole_pairs()
        kept[pairs] = (self.partner[one] == other) & (self.stood[one] == other)
        one, other = self.couples()
        new = self.stood[one] != other
        formed: list[Members] = list(zip(one[new].tolist(), other[new].tolist(), strict=True))
        if self.trio:
            trios = np.flatnonzero(before.whole & (before.sizes == 3)).tolist()
            same = [number for number in trios if set(before.group(number)) == set(self.trio)]
            kept[same] = True
            formed += [] if same else [self.trio]
        partner = self.partner.copy()
        unlocked = [person for person in self.trio if not self.bound[person]]
        if len(unlocked) == 3:
            partner[unlocked[:2]] = unlocked[1::-1]
        free = np.flatnonzero(self.seated & ~self.bound)
        return Repaired(kept, formed, self.waiting().tolist(), self.cost()[:4], free, partner)


def _couples_of(group: Members) -> NDArray[np.int64]:
    """Every two members, of shape (2, couples)."""
    return np.array(list(combinations(group, 2)), dtype=np.int64).reshape(-1, 2).T


# ---- the third -------------------------------------------------------------------------------------------------------


def _with_a_third(pairs: _Pairs) -> _Pairs:
    """An odd number of people without a trio: pair them up, and let one be the third where they fit."""
    if len(pairs.before.seat) <= EVERY_TRIO:
        return _of_every_trio(pairs)
    loose = len(pairs.waiting())
    best = pairs.copy()
    best.pair_up()
    waiting = best.waiting()
    best = min((best.seat_third(person) for person in waiting[:THIRDS].tolist()), key=_Pairs.cost)
    # A trio of loose people changes nobody else; with fewer than three of them a pair has to open.
    is_flagged = bool(pairs.before.flagged[best.waiting()].any())
    is_best = len(best.waiting()) == len(waiting) - 1 and best.changes() <= (0 if loose > 2 else 2)
    if best.trio and is_best and not is_flagged:
        return best
    for person in _other_thirds(pairs, waiting):
        another = pairs.copy()
        another.part((person,))
        another.seated = another.seated.copy()
        another.seated[person] = False
        another.pair_up()
        another.seated = pairs.seated
        best = min(best, another.seat_third(person), key=_Pairs.cost)
    return best


def _other_thirds(pairs: _Pairs, waiting: Places) -> list[int]:
    """Who else could be the third: other loose people, and the partners of those who fit someone who waits."""
    rng = np.random.default_rng(pairs.before.seed)
    loose = np.setdiff1d(pairs.waiting(), waiting)
    free = pairs.free()
    coupled = free[pairs.partner[free] >= 0]
    beside = pairs.partner[coupled[pairs.fits(waiting[:LOOKED_AT], coupled).any(axis=0)]]
    return [*rng.permutation(loose)[: THIRDS // 2].tolist(), *rng.permutation(beside).tolist()][:THIRDS]


def _of_every_trio(pairs: _Pairs) -> _Pairs:
    """The best of all possible trios, and of none."""
    found = pairs.copy()
    found.rematch(found.free())
    for trio in combinations(pairs.before.seat.tolist(), 3):
        locked = [person for person in trio if pairs.bound[person]]
        if any(pairs.partner[person] not in trio for person in locked) or not pairs.allowed(*_couples_of(trio)).all():
            continue
        another = pairs.copy()
        another.part(trio)
        another.trio = trio
        another.rematch(another.free())
        found = min(found, another, key=_Pairs.cost)
    return found
