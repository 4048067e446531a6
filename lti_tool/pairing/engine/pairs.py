"""One round of pairs: as many couples as can be, of an odd number one trio, and of all those the best.

Planning and repairing ask the same question with other weights. What counts is one number for each couple, in
this order: people who were left out before, couples that stand, former company that stays together, repeats, points.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np

from lti_tool.pairing.engine.couples import (
    NO_KEYS,
    Couples,
    Groups,
    Keys,
    Meetings,
    Members,
    couples_of,
    merged,
)
from lti_tool.pairing.engine.matching import ALONE, OUTER, Candidates, Forest, cover
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.rings import exchange, pass_on
from lti_tool.pairing.engine.rules import couple_keys, listed_in

EXACT: Final = 320
"""Up to this many people are paired by one matching of all their couples."""
EXACT_SPARSE: Final = 16_384
"""The same where few couples are allowed: two seconds for 10,000 people."""
SWEEPS: Final = 260
"""In larger rounds, how often every couple is tried for exchange with another …"""
PASSES: Final = 3
"""… and how often couples are cut into blocks in which rings are looked for, of 4,096 people; of fewer, more often …"""
MOST_PASSES: Final = 12
BLOCK, CHAIN = 256, 30
"""… and of how many couples a block is, and of how many people a ring at most."""
IN_VAIN: Final = 3
"""So many passes that gain nothing are the last."""
CHANCE: Final = 64
"""The most points where chance takes the place of wishes."""
OFTEN: Final = 16
"""Meeting more often than this is not told from meeting so often."""
EVERY_TRIO: Final = 15
"""Up to this many people who are not locked the best of all trios is found …"""
THIRDS: Final = 6
"""… and of many so many people are tried as the third of a couple, …"""
MORE_THIRDS: Final = 768
"""… of few so many, divided by the number of people."""
FEW_OUTER: Final = 2_048
"""Of up to so many people who could be left over it is looked who would fit in a trio."""
LOOKED_AT: Final = 64
"""Of more people who wait, so many are looked at to see whom they fit."""
REMEMBERED: Final = 8
"""The candidates of so many rounds are kept for others; each takes up to 5 MB."""
LARGEST: Final = 1 << 61


@dataclass(frozen=True, slots=True)
class History:
    """What has been, before a round or in all rounds but one. For each place: how often they were left out, and in a
    trio.
    """

    met: Meetings
    left_out: Points
    trios: Points

    @classmethod
    def of(cls, couples: Couples) -> "History":
        """What was before the first round."""
        course, ids = couples.course, couples.people.ids.tolist()
        left_out = np.array([person in course.left_out for person in ids], dtype=np.int64)
        trios = np.array([course.in_trios.get(person, 0) for person in ids], dtype=np.int64)
        return cls(couples.met, left_out, trios)

    def also(self, rounds: Sequence[Groups]) -> "History":
        """The same with these rounds."""
        left_out, trios = self.left_out.copy(), self.trios.copy()
        for groups in rounds:
            left_out += groups.sizes == 1
            trios += groups.sizes == 3
        return History(self.met.also(*(groups.keys for groups in rounds)), left_out, trios)

    def awaiting(self, groups: Sequence[Members]) -> "History":
        """The same, as if these groups had met: they will, in rounds that are not planned yet."""
        if not groups:
            return self
        first, second = couples_of(groups)
        return replace(self, met=self.met.also(couple_keys(first, second, self.met.people)))


class Arrangement(NamedTuple):
    """For each place the partner or -1, and the trio beside them, whose members have no partner."""

    seated: int
    """How many people have a partner."""
    worth: int
    """What counts beside that, in one number."""
    partner: Places
    trio: Members

    def groups(self) -> Groups:
        """The groups."""
        everyone = np.arange(len(self.partner))
        groups = np.where(self.partner == ALONE, everyone, np.minimum(self.partner, everyone))
        groups[list(self.trio)] = min(self.trio, default=0)
        return Groups(groups)


def _value(arrangement: Arrangement) -> tuple[int, int]:
    return arrangement[:2]


class _Units(NamedTuple):
    """What one of each is worth. Each outweighs all that the ones before it can add up to."""

    points: int
    """The most that the points of a couple may be; more are scaled down."""
    trio: int
    repeat: int
    tie: int
    stays: int
    left_out: int
    person: int


class Question:
    """One round of a course: who is to be paired, what has been, and what stands."""

    def __init__(
        self,
        couples: Couples,
        history: History,
        rng: np.random.Generator,
        here: Places,
        locks: Collection[Members],
        *,
        stands: Groups | None = None,
        ties: Keys = NO_KEYS,
        by_chance: bool = False,
        known: dict[bytes, Candidates] | None = None,
    ) -> None:
        """`here`: everyone who turns up. `locks`: who must be together. `stands`: groups that may stay.

        `ties`: sorted keys of people who were together in a group that does not stand. `by_chance`: whether chance
        takes the place of wishes. `known`: candidates of other rounds in which the same couples are banned, by who they
        are; new ones are added.
        """
        self.couples, self.history, self.rng = couples, history, rng
        self._known = {} if known is None or couples.never_again else known
        self.ties, self.by_chance = ties, by_chance
        stands = Groups(np.arange(len(couples), dtype=np.int64)) if stands is None else stands
        self.partner = stands.where(stands.sizes == 2).partners
        """For each place the partner or -1: couples that stand and may stay, and those who are locked together."""
        self.trio = _standing_trio(stands, locks) if len(here) % 2 else ()
        """The trio that stands and may stay; if it is locked, it does."""
        self.bound = np.zeros(len(couples), dtype=np.bool_)
        """For each place, whether they are locked to their partner and no part of `who`."""
        for lock in locks:
            members = list(lock)
            self.bound[members] = True
            self.partner[np.isin(self.partner, members)] = ALONE
            self.partner[members] = lock[::-1] if len(lock) == 2 else ALONE
            if len(lock) == 3:
                self.trio = lock
            elif 0 < len(set(lock) & set(self.trio)) < 2:
                self.trio = ()
        self.who = here[~self.bound[here]]
        """Everyone who is free to be paired, sorted."""
        self.is_odd = len(here) % 2 == 1 and self.trio not in locks
        """Whether one couple may take a third."""

    @cached_property
    def banned(self) -> Keys:
        """Sorted keys of couples who may not be in this round."""
        couples = self.couples
        if not couples.never_again:
            return couples.banned
        first = np.flatnonzero(self.partner > np.arange(len(couples)))
        stands = couples.keys(first, self.partner[first]), couples.keys(*couples_of([self.trio]))
        return merged(couples.banned, np.setdiff1d(self.history.met.keys, np.concatenate(stands)))

    @cached_property
    def _avoided(self) -> Keys:
        """Sorted keys of the banned couples and of those who met."""
        return merged(self.banned, self.history.met.keys)

    @cached_property
    def _stands(self) -> bool:
        """Whether there is anything that should stay as it is."""
        return bool((self.partner[self.who] != ALONE).any() or self.trio)

    def allowed(self, first: Places, second: Places) -> Bools:
        """For each couple, whether it may be in this round."""
        return self.couples.allowed(first, second) & ~listed_in(self.banned, self.couples.keys(first, second))

    def _fits(self, people: Places, others: Places) -> Bools:
        """Of shape (people, others): whether they may be a couple in this round."""
        return self.allowed(*np.broadcast_arrays(people[:, None], others[None, :]))

    # ---- what counts ----

    @cached_property
    def _count(self) -> int:
        """The most people who are compared in one number."""
        return min(len(self.couples), EXACT if self._stands else EXACT_SPARSE)

    @cached_property
    def _units(self) -> _Units:
        history, pairs = self.history, self._count // 2 + 2
        steps = (
            int(history.trios.max(initial=0)) * 3 + 1,
            (self._count + 1) * OFTEN * pairs + 1 if len(history.met.keys) else 1,
            2 * pairs if len(self.ties) else 1,
            self._count + 1 if self._stands else 1,
            int(history.left_out.sum()) + 1,
        )
        room = LARGEST // (4 * pairs * int(np.prod(np.array(steps, dtype=object))))
        most = max(1, min(room, CHANCE if self.by_chance else self.couples.most))
        units = [2 * most * pairs + 1]
        for step in steps:
            units.append(units[-1] * step)
        return _Units(most, *units)

    @cached_property
    def _noise(self) -> Points:
        return self.rng.integers(CHANCE + 1, size=(len(self.couples), len(self.couples)))

    def _points(self, first: Places, second: Places) -> Points:
        """For each couple its points, or as many as chance gives it."""
        if self.by_chance:
            return self._noise[np.minimum(first, second), np.maximum(first, second)]
        points, most = self.couples.points(first, second), self.couples.most
        return points if most <= self._units.points else points * self._units.points // most

    def again(self, first: Places, second: Places) -> Points:
        """For each couple 0, or how much speaks against it because they met: that they did, and then how often."""
        times = np.minimum(self.history.met.times(first, second), OFTEN)
        if len(self.couples) > EXACT_SPARSE:
            return times
        result: Points = times + (times > 0) * (self._count * OFTEN)
        return result

    def _company(self, first: Places, second: Places) -> Points:
        """What counts of any two people in a group, but for points."""
        result = np.zeros(np.broadcast(first, second).shape, dtype=np.int64)
        if len(self.history.met.keys):
            result -= self._units.repeat * self.again(first, second)
        if len(self.ties):
            result += self._units.tie * listed_in(self.ties, self.couples.keys(first, second))
        return result

    def weight(self, first: Places, second: Places) -> Points:
        """For each allowed couple all that counts."""
        urgent, units = self.history.left_out, self._units
        result = units.left_out * (urgent[first] + urgent[second])
        result += 2 * self._points(first, second) + self._company(first, second)
        if self._stands:
            result += 2 * units.stays * (self.partner[first] == second)
        if self.is_odd:
            # Who was in a trio is rather in a couple.
            result += units.trio * (self.history.trios[first] + self.history.trios[second])
        return result

    def _weight_of_trios(self, *members: Places) -> Points:
        """The same for couples with a third, from all first members, all second and all third."""
        history, units = self.history, self._units
        result = units.left_out * sum((history.left_out[side] for side in members), start=np.zeros_like(members[0]))
        for left, right in combinations(members, 2):
            result += self._points(left, right) + self._company(left, right)
        if self.trio:
            result += 3 * units.stays * np.logical_and.reduce([np.isin(side, self.trio) for side in members])
        return result

    def judged(self, partner: Places, trio: Members = ()) -> Arrangement:
        """An arrangement with what it is worth."""
        paired = np.flatnonzero(partner > np.arange(len(partner)))
        worth = sum(self.weight(paired, partner[paired]).tolist())
        if trio:
            worth += int(self._weight_of_trios(*np.array(trio)[:, None])[0])
        return Arrangement(2 * len(paired) + len(trio), worth, partner, trio)

    # ---- couples ----

    def arranged(self) -> Arrangement:
        """The best arrangement: of an even number, and of up to `EVERY_TRIO` people, there is none better."""
        if not self.is_odd:
            return self.judged(self._paired(self.who, self.partner), self.trio)
        if len(self.who) <= EVERY_TRIO:
            return self._best_of_all_trios()
        if not self.trio:
            return self._with_third()
        without = self.partner.copy()
        without[list(self.trio)] = ALONE
        rest = self.who[~np.isin(self.who, self.trio)]
        kept = self.judged(self._paired(rest, without), self.trio)
        if (kept.partner[rest] != ALONE).all() and self._changes(kept) <= 2:
            return kept
        return max(kept, self._with_third(), key=_value)

    def _changes(self, result: Arrangement) -> int:
        """How many people of groups that stood are with others now."""
        who = self.who[self.partner[self.who] != ALONE]
        changed = int((result.partner[who] != self.partner[who]).sum())
        return changed + (3 if self.trio and result.trio != self.trio else 0)

    def is_exact(self, people: int) -> bool:
        """Whether this many people are paired by one matching."""
        return people <= EXACT or (people <= EXACT_SPARSE and not self._stands and self.couples.sparse is not None)

    def _matched(self, who: Places, partner: Places) -> Places:
        """The same with the best couples of these people."""
        key = np.sort(who).tobytes()
        candidates = self._known.get(key) or Candidates(self.couples, self.rng.permutation(who), self.banned)
        if len(self._known) < REMEMBERED:
            self._known[key] = candidates
        result = partner.copy()
        result[who] = candidates.matched(self.weight)[who]
        return result

    def _paired(self, who: Places, partner: Places) -> Places:
        """Couples of as many of these people as can be. A couple that stands parts only where someone is alone else."""
        waiting = who[partner[who] == ALONE]
        result = self._paired_anew(waiting, partner)
        alone = waiting[result[waiting] == ALONE]
        if len(waiting) == len(who) or not self._can_be_helped(alone, who):
            return result
        if self.is_exact(len(who)):
            return self._matched(who, result)
        before, result = result, self._covered(who, result, self.banned)
        changed = np.flatnonzero(before != result)
        # Their former partners are among them, so the couples that need not change can come back.
        return self._matched(changed, result) if 1 < len(changed) <= EXACT else result

    def _can_be_helped(self, alone: Places, who: Places) -> bool:
        """Whether these people could have a partner if couples that stand part."""
        if self.history.left_out[alone].any():
            return True
        nowhere = int((~self._fits(alone[:LOOKED_AT], who).any(axis=1)).sum())
        return len(alone) > nowhere + (len(who) - nowhere) % 2

    def _paired_anew(self, who: Places, partner: Places) -> Places:
        """The same with couples of these people, who have none. Up to `EXACT` people there are none better.

        Beyond, couples by chance are made better, and who is left over is paired as in `cover`.
        """
        if self.is_exact(len(who)):
            return self._matched(who, partner) if len(who) > 1 else partner
        who = self.rng.permutation(who)
        result = partner.copy()
        # Of an odd number the last is left over.
        order = who[np.lexsort((-self.history.left_out[who], -self.history.trios[who]))] if len(who) % 2 else who
        order, half = self.rng.permutation(order[: len(who) // 2 * 2]), len(who) // 2
        first, second, weight = exchange(
            self.couples, order[:half], order[half:], self._avoided, self.rng, sweeps=SWEEPS
        )
        first, second = self._in_rings(first[weight >= 0], second[weight >= 0])
        result[first], result[second] = second, first
        return self._settled(who, result)

    def _in_rings(self, first: Places, second: Places) -> tuple[Places, Places]:
        """Better couples by rings, until passes no longer help."""
        points = int(self.couples.points(first, second).sum())
        in_vain = 0
        for _ in range(min(MOST_PASSES, max(PASSES, PASSES * 4096 // len(self.couples)))):
            first, second = pass_on(self.couples, first, second, self._avoided, self.rng, block=BLOCK, steps=CHAIN)
            before, points = points, int(self.couples.points(first, second).sum())
            in_vain = in_vain + 1 if points == before else 0
            if in_vain == IN_VAIN:
                break
        return first, second

    def _covered(self, who: Places, partner: Places, banned: Keys) -> Places:
        return cover(Candidates(self.couples, np.sort(who), banned), partner, self.history.left_out > 0)

    def _settled(self, who: Places, partner: Places) -> Places:
        """The same couples, changed so that as few people as possible are left over; first without any repeat."""
        for banned in (self._avoided, self.banned) if len(self.history.met.keys) else (self.banned,):
            if (partner[who] == ALONE).sum() > len(who) % 2:
                partner = self._covered(who, partner, banned)
        return partner

    # ---- the third of an odd number ----

    def _with_third(self) -> Arrangement:
        """Couples, and someone who is left over with one of them; where that is not good, other people are tried."""
        who, start = self.who, self.partner
        paired = self._paired(who, start)
        waiting = who[paired[who] == ALONE]
        best = self._taken_in(paired, waiting[:LOOKED_AT])
        if self._is_enough(best, paired):
            return best
        for third in self._other_thirds(paired, waiting):
            without = np.where(start == third, ALONE, start)
            without[third] = ALONE
            result = self._taken_in(self._paired(who[who != third], without), np.array([third]))
            best = max(best, result, key=_value)
            if not self._stands and self._is_enough(result, paired):
                return result
        return best

    def _is_enough(self, result: Arrangement, paired: Places) -> bool:
        """Whether no other third can be better in what counts before points."""
        if not result.trio or result.seated <= int((paired != ALONE).sum()):
            return False
        if self._stands:
            # A trio of loose people changes nobody else; with fewer than three of them a pair has to open.
            is_left_out = self.history.left_out[self.who[result.partner[self.who] == ALONE]].any()
            loose = int((self.partner[self.who] == ALONE).sum())
            return not is_left_out and self._changes(result) <= (0 if loose > 2 else 2)
        return not self.again(*couples_of([result.trio])).any()

    def _other_thirds(self, paired: Places, waiting: Places) -> list[int]:
        """Who else could be left over: other loose people, and the partners of those who fit someone who waits."""
        history = self.history
        forest = Forest(Candidates(self.couples, self.who, self.banned), paired)
        forest.grow(waiting.tolist())
        outer = np.array(forest.of_state(OUTER), dtype=np.int64)
        if len(outer) <= FEW_OUTER:
            # Each of a trio could be left over, but for a locked couple that takes a third.
            near = self._fits(outer, outer).astype(np.float32)
            locked = np.flatnonzero(self.bound & (self.partner > np.arange(len(self.partner))))
            hosts = self._fits(outer, locked) & self._fits(outer, self.partner[locked])
            outer = outer[(near * (near @ near)).any(axis=1) | hosts.any(axis=1)]
        outer = self.rng.permutation(np.setdiff1d(outer, waiting))
        mates = self.partner[outer]
        loose, coupled = outer[mates == ALONE], outer[mates != ALONE]
        loose = loose[np.lexsort((history.left_out[loose], history.trios[loose]))]
        beside = coupled[self._fits(self.partner[coupled], waiting[:LOOKED_AT]).any(axis=1)]
        most = max(THIRDS, MORE_THIRDS // len(self.who))
        return [*loose[: most // 2 if len(beside) else most].tolist(), *beside.tolist()][:most]

    def _taken_in(self, partner: Places, thirds: Places) -> Arrangement:
        """The same couples with one of these people, who have no partner, beside the couple that suits best."""
        hosts = np.flatnonzero(partner > np.arange(len(partner)))
        third, host = (side.ravel() for side in np.broadcast_arrays(thirds[:, None], hosts[None, :]))
        fits = self.allowed(third, host) & self.allowed(third, partner[host])
        third, host = third[fits], host[fits]
        if not len(host):
            return self.judged(partner)
        gain = self._weight_of_trios(third, host, partner[host]) - self.weight(host, partner[host])
        at = int(gain.argmax())
        trio = tuple(sorted((int(third[at]), int(host[at]), int(partner[host[at]]))))
        without = partner.copy()
        without[list(trio)] = ALONE
        return self.judged(without, trio)

    def _best_of_all_trios(self) -> Arrangement:
        """The best of all trios with the best couples of everyone else, and of no trio.

        The best couples are worked out for every set of people, from those for smaller sets: a set is a number whose
        bits are people, and its last person is alone or with another one (Held and Karp 1962).
        """
        who, units = self.rng.permutation(self.who), self._units
        size = len(who)
        first, second = np.indices((size, size))
        fits = self.allowed(who[first], who[second])
        weight = np.where(fits, self.weight(who[first], who[second]) + 2 * units.person, -LARGEST)
        best, chosen = np.zeros(1 << size, dtype=np.int64), np.zeros(1 << size, dtype=np.int64)
        for last in range(size):
            smaller, sets = best[: 1 << last], slice(1 << last, 2 << last)
            best[sets], chosen[sets] = smaller, last
            for earlier in range(last):
                with_earlier, partner = (side[sets].reshape(-1, 2, 1 << earlier)[:, 1] for side in (best, chosen))
                value = smaller.reshape(-1, 2, 1 << earlier)[:, 0] + weight[last, earlier]
                partner[value > with_earlier] = earlier
                np.maximum(with_earlier, value, out=with_earlier)
        # Three free people, or a locked couple and one of them.
        bits, everyone = 1 << np.arange(size), (1 << size) - 1
        threes = np.array([*combinations(range(size), 3)], dtype=np.int64).reshape(-1, 3)
        threes = threes[np.logical_and.reduce([fits[threes[:, a], threes[:, b]] for a, b in combinations(range(3), 2)])]
        host = np.flatnonzero(self.bound & (self.partner > np.arange(len(self.partner))))
        third, host = (side.ravel() for side in np.broadcast_arrays(np.arange(size)[:, None], host))
        may = self.allowed(who[third], host) & self.allowed(who[third], self.partner[host])
        third, host = third[may], host[may]
        trios = np.concatenate((who[threes], np.stack((who[third], host, self.partner[host]), axis=1)))
        taken = np.concatenate((bits[threes].sum(axis=1), bits[third]))
        value = self._weight_of_trios(*trios.T) + 3 * units.person + best[everyone ^ taken]
        value[len(threes) :] -= self.weight(host, self.partner[host]) + 2 * units.person
        partner, trio, rest = self.partner.copy(), (), everyone
        partner[who] = ALONE
        if value.max(initial=-1) > best[everyone]:
            at = int(value.argmax())
            trio, rest = tuple(sorted(trios[at].tolist())), everyone ^ int(taken[at])
            partner[list(trio)] = ALONE
        while rest:
            last = rest.bit_length() - 1
            earlier = int(chosen[rest])
            if earlier != last:
                partner[who[last]], partner[who[earlier]] = who[earlier], who[last]
            rest &= ~(1 << last | 1 << earlier)
        return self.judged(partner, trio)


def _standing_trio(stands: Groups, locks: Collection[Members]) -> Members:
    """Of several trios the one with the most locked people."""
    locked = {person for lock in locks for person in lock}
    trios = stands.where(stands.sizes == 3).members
    return max(trios, key=lambda trio: (len(locked.intersection(trio)), -min(trio)), default=())
