"""Rounds of pairs: one after the other, each the best for what has been before it, and then once more if that helps.

What counts in a round, in this order: people without a partner, those of them who were left out before, people who met
before, and points. Of an odd number one person is the third of a couple, another one each round as long as possible.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import Couples, Keys, Meetings, merged
from lti_tool.pairing.engine.locks import Members
from lti_tool.pairing.engine.matching import ALONE, OUTER, Candidates, Forest, best_third, cover, partner_lists
from lti_tool.pairing.engine.people import Bools, Places, Points
from lti_tool.pairing.engine.proof import barrier
from lti_tool.pairing.engine.rings import exchange, pass_on
from lti_tool.pairing.engine.rules import couple_keys, listed_in

EXACT: Final = 320
"""Up to this many people are paired by one matching of all their couples."""
EXACT_SPARSE: Final = 2048
"""The same where few couples are allowed."""
SWEEPS: Final = 600
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
ALL_TRIOS: Final = 15
"""Up to this many people, every trio is tried with the best couples of everyone else …"""
ALL_THIRDS: Final = 32
"""… up to this many, everyone as the third of a couple …"""
THIRDS: Final = 6
"""… and of more so many, before the best of them is taken."""
LARGEST: Final = 1 << 61
SEATINGS: Final = 16
"""How many orders of seats are tried when everyone is to meet everyone."""
LOOKS: Final = 20
"""How often two rounds of up to 32 people are planned anew, while someone is unpaired or there are repeats."""
FEW: Final = 32
"""Of twice as many people, half as many looks."""


class Trio(NamedTuple):
    """Two who host a third."""

    first: int
    third: int
    last: int


class Paired(NamedTuple):
    """One round: couples in the order of their smaller place, which is `one`; at most one trio; who has no partner."""

    one: Places
    other: Places
    trios: tuple[Trio, ...] = ()
    alone: Places = np.zeros(0, dtype=np.int64)

    def meetings(self) -> tuple[Places, Places]:
        """Every two people who are in a group."""
        of_trios = [couple for trio in self.trios for couple in combinations(trio, 2)]
        more = np.array(of_trios, dtype=np.int64).reshape(-1, 2)
        return np.concatenate((self.one, more[:, 0])), np.concatenate((self.other, more[:, 1]))


@dataclass(frozen=True, slots=True)
class History:
    """What has been, before a round or in all rounds but one. For each place: how often they were left out, the third
    of a couple, and in a trio.
    """

    met: Meetings
    left_out: Points
    thirds: Points
    trios: Points

    @classmethod
    def of(cls, couples: Couples) -> "History":
        """What was before the first round."""
        course, people = couples.course, couples.people
        ids = people.ids.tolist()
        met = people.places(np.array(course.met, dtype=np.int64).reshape(-1, 2))
        met = met[(met >= 0).all(axis=1) & (met[:, 0] != met[:, 1])]
        left_out = np.array([person in course.left_out for person in ids], dtype=np.int64)
        trios = np.array([course.in_trios.get(person, 0) for person in ids], dtype=np.int64)
        keys = merged(couples.keys(met[:, 0], met[:, 1]))
        return cls(Meetings(len(people), keys), left_out, np.zeros_like(trios), trios)

    def also(self, couples: Couples, rounds: Iterable[Paired]) -> "History":
        """The same with these rounds."""
        left_out, thirds, trios = self.left_out.copy(), self.thirds.copy(), self.trios.copy()
        keys = []
        for paired in rounds:
            keys.append(np.sort(couples.keys(*paired.meetings())))
            left_out[paired.alone] += 1
            for trio in paired.trios:
                thirds[trio.third] += 1
                trios[list(trio)] += 1
        return History(self.met.also(*keys), left_out, thirds, trios)

    def awaiting(self, groups: Sequence[Members]) -> "History":
        """The same, as if these groups had met: they will, in rounds that are not planned yet."""
        pairs = np.array([pair for group in groups for pair in combinations(group, 2)], dtype=np.int64).reshape(-1, 2)
        return replace(self, met=self.met.also(couple_keys(pairs[:, 0], pairs[:, 1], self.met.people)))


# ---- one round -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """One round of a course, given what has been."""

    couples: Couples
    history: History
    rng: np.random.Generator
    by_chance: bool = False
    """Whether chance takes the place of wishes."""

    @cached_property
    def banned(self) -> Keys:
        """Sorted keys of couples who may not be in this round."""
        couples = self.couples
        return merged(couples.banned, self.history.met.keys) if couples.never_again else couples.banned

    @cached_property
    def avoided(self) -> Keys:
        """Sorted keys of the banned couples and of those who met."""
        return merged(self.banned, self.history.met.keys)

    @property
    def repeat(self) -> int:
        """What a couple that met before loses for each time: more than all couples of a round have points."""
        return (len(self.couples) // 2) * max(self.couples.most, CHANCE) + 1

    def allowed(self, one: Places, other: Places) -> Bools:
        """For each couple, whether it may be in this round."""
        return self.couples.allowed(one, other) & ~listed_in(self.banned, self.couples.keys(one, other))

    def again(self, one: Places, other: Places) -> Points:
        """For each couple 0, or how much speaks against it because they met: that they did, and then how often."""
        times = self.history.met.times(one, other)
        if len(self.couples) > EXACT_SPARSE:
            return times
        found: Points = np.minimum(times, OFTEN) + (times > 0) * (len(self.couples) * OFTEN)
        return found

    def points(self, one: Places, other: Places) -> Points:
        """For each couple its points, or as many as chance gives it."""
        return self.rng.integers(CHANCE + 1, size=one.shape) if self.by_chance else self.couples.points(one, other)

    def weight(self, one: Places, other: Places) -> Points:
        """For each allowed couple its worth: people left out before, then repeats, then points."""
        found = self.points(one, other)
        most = 0
        if len(self.history.met.keys):
            again = self.again(one, other)
            found -= self.repeat * again
            most = int(again.max(initial=0))
        urgent = self.history.left_out
        if urgent.any():
            above = (most + 1) * (len(self.couples) // 2 + 1) * self.repeat
            found += above * (urgent[one] + urgent[other])
        return found

    def is_exact(self, people: int) -> bool:
        """Whether this many people are paired by one matching."""
        return people <= EXACT or (people <= EXACT_SPARSE and self.couples.sparse is not None)

    def solve(self, who: Places) -> Places:
        """For each place the partner or -1: as many of `who` as can be, no repeat that can be avoided, many points.

        Up to `EXACT` people it is the best there is. Beyond, couples by chance are made better, and who is left over is
        paired as in `cover`. Where few couples are allowed, that comes first.
        """
        who = self.rng.permutation(who)
        if self.is_exact(len(who)):
            return Candidates(self.couples, who, self.banned).matched(self.weight)
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        if self.couples.sparse is not None:
            return self._in_neighborhoods(who, self._settle(who, partner))
        half = len(who) // 2
        one, other, weight = exchange(
            self.couples, who[:half], who[half : 2 * half], self.avoided, self.rng, sweeps=SWEEPS
        )
        one, other = self._in_rings(one[weight >= 0], other[weight >= 0])
        partner[one], partner[other] = other, one
        return self._settle(who, partner)

    def _in_rings(self, one: Places, other: Places) -> tuple[Places, Places]:
        """Better couples by rings, until passes no longer help."""
        points = int(self.couples.points(one, other).sum())
        in_vain = 0
        for _ in range(min(MOST_PASSES, max(PASSES, PASSES * 4096 // len(self.couples)))):
            one, other = pass_on(self.couples, one, other, self.avoided, self.rng, block=BLOCK, steps=CHAIN)
            before, points = points, int(self.couples.points(one, other).sum())
            in_vain = in_vain + 1 if points == before else 0
            if in_vain == IN_VAIN:
                break
        return one, other

    def _settle(self, who: Places, partner: Places) -> Places:
        """The same couples, changed so that as few people as possible are left over; first without any repeat."""
        seed = int(self.rng.integers(1 << 32))
        urgent = np.flatnonzero(self.history.left_out)
        for banned in (self.avoided, self.banned) if len(self.history.met.keys) else (self.banned,):
            if (partner[who] == ALONE).sum() > len(who) % 2:
                partner = cover(self.couples, who, partner, banned, weigh=self.weight, left_out=urgent, seed=seed)
        return partner

    def _in_neighborhoods(self, who: Places, partner: Places) -> Places:
        """As many couples, better ones: exactly for people near each other, twice with other borders between them."""
        if not self.couples.most and not len(self.history.met.keys) and not self.history.left_out.any():
            return partner
        listed = Candidates(self.couples, np.sort(who), self.banned).listed()
        lists = partner_lists(len(self.couples), *(listed or (who[:0], who[:0])))
        for _ in range(2):
            order = _near_each_other(self.rng.permutation(who).tolist(), lists)
            for start in range(0, len(order), EXACT_SPARSE):
                some = np.array(order[start : start + EXACT_SPARSE], dtype=np.int64)
                mates = partner[some]
                near = np.unique(np.concatenate((some, mates[mates != ALONE])))
                partner[near] = Candidates(self.couples, near, self.banned).matched(self.weight)[near]
        return partner


def _near_each_other(order: Sequence[int], lists: Sequence[Sequence[int]]) -> list[int]:
    """The people of `order`, each followed by those whom they may meet, then those whom these may meet, and so on."""
    found: dict[int, None] = {}
    for first in order:
        waiting = [] if first in found else [first]
        for person in waiting:
            if person not in found:
                found[person] = None
                waiting += lists[person]
    return list(found)


# ---- an odd number of people -----------------------------------------------------------------------------------------


class _Arrangement(NamedTuple):
    """For each place the partner or -1, and the trio beside them, whose members have no partner."""

    partner: Places
    trio: Trio | None
    cost: tuple[int, ...]
    """Unpaired people, how often they were left out before, repeats, how often the third was one before, points below
    0: the smaller, the better."""


class _Odd:
    """Pairs and one trio for an odd number of people `who`.

    `locked`: couples that are no part of `who`, of shape (couples, 2), who host a third only if nobody else can, or, of
    few people, if that spares a repeat.
    """

    def __init__(self, question: Question, who: Places, locked: Places) -> None:
        self.question, self.who, self.locked, self.history = question, who, locked, question.history

    def arranged(self, order: Places) -> tuple[Places, Trio | None]:
        """For each place the partner or -1, and the trio. `order`: who should be the third, the first if possible."""
        if len(self.who) + self.locked.size <= ALL_TRIOS:
            return self._of_all_trios()
        found: list[_Arrangement] = []
        for third in order[: self._tried()].tolist():
            found.append(self._take_in(self.question.solve(self.who[self.who != third]), [third]))
            if found[-1].cost[0] == 0 and found[-1].cost[2] == 0:
                return found[-1][:2]
        best = min(found, key=_cost)
        return (best if best.cost[0] == 0 else min(best, self._with_anyone(), key=_cost))[:2]

    def _tried(self) -> int:
        people = len(self.who)
        return people if people <= ALL_THIRDS else THIRDS if self.question.is_exact(people) else 1

    def _with_anyone(self) -> _Arrangement:
        """As many couples as there can be, and a third from those left over who fits somewhere."""
        question, who = self.question, self.who
        partner = question.solve(who)
        found = self._take_in(partner, who[partner[who] == ALONE].tolist())
        if found.trio is not None:
            return found
        urgent = np.flatnonzero(self.history.left_out)
        third = best_third(question.couples, who, partner, question.banned, weigh=question.weight, left_out=urgent)
        if third is not None:
            without = third.partner.copy()
            without[list(third.couple)] = ALONE
            return self._judged(without, Trio(third.couple[0], third.person, third.couple[1]))
        if len(self.locked):
            # A locked couple takes a third whom other couples, as many of them, would leave over.
            forest = Forest(Candidates(question.couples, np.unique(who), question.banned), partner)
            forest.grow(forest.alone())
            thirds = self._welcome(np.array(forest.of_state(OUTER), dtype=np.int64))[: self._tried()].tolist()
            others = (self._take_in(question.solve(who[who != third]), [third]) for third in thirds)
            found = min((found, *others), key=_cost)
        return found

    def _welcome(self, thirds: Places) -> Places:
        """Those of these people who may be the third of a locked couple."""
        one, alone = np.broadcast_arrays(self.locked[:, :1], thirds[None, :])
        other = np.broadcast_to(self.locked[:, 1:], alone.shape)
        fits = (self.question.allowed(one, alone) & self.question.allowed(other, alone)).any(axis=0)
        found: Places = thirds[fits]
        return found

    def _take_in(self, partner: Places, thirds: list[int]) -> _Arrangement:
        """Put one of these people, who have no partner, with the couple that suits best."""
        free = self.who[partner[self.who] > self.who]
        one = np.concatenate((free, self.locked[:, 0]))
        other = np.concatenate((partner[free], self.locked[:, 1]))
        is_locked = np.arange(len(one)) >= len(free)
        allowed, again, points = self.question.allowed, self.question.again, self.question.couples.points
        found = []
        for third in thirds:
            alone = np.full(len(one), third, dtype=np.int64)
            fits = np.flatnonzero(allowed(one, alone) & allowed(other, alone))
            if len(fits):
                repeats = again(one, alone) + again(other, alone)
                worth = points(one, alone) + points(other, alone)
                hosted = self.history.trios[one] + self.history.trios[other]
                at = fits[np.lexsort((-worth[fits], hosted[fits], repeats[fits], is_locked[fits]))[0]]
                without = partner.copy()
                if not is_locked[at]:
                    without[[one[at], other[at]]] = ALONE
                found.append(self._judged(without, Trio(int(one[at]), third, int(other[at]))))
        return min(found, key=_cost) if found else self._judged(partner, None)

    def _judged(self, partner: Places, trio: Trio | None) -> _Arrangement:
        """The arrangement with what is wrong with it."""
        who, question = self.who, self.question
        one = who[partner[who] > who]
        alone = who[partner[who] == ALONE]
        repeats = int(question.again(one, partner[one]).sum())
        points = 2 * int(question.couples.points(one, partner[one]).sum())
        third = 0
        if trio is not None:
            alone = np.setdiff1d(alone, trio)
            one, other = np.array([(trio.first, trio.third), (trio.third, trio.last), (trio.first, trio.last)]).T
            again, worth = question.again(one, other), question.couples.points(one, other)
            # A locked couple meets in every arrangement, and counts half as much with a third.
            is_locked = bool((self.locked == (trio.first, trio.last)).all(axis=1).any())
            repeats += int(again.sum() - is_locked * again[2])
            points += int(worth.sum() - 2 * is_locked * worth[2])
            third = int(self.history.thirds[list(trio)].min())
        return _Arrangement(
            partner, trio, (len(alone), int(self.history.left_out[alone].sum()), repeats, third, -points)
        )

    def _of_all_trios(self) -> tuple[Places, Trio | None]:
        """Of few people every trio, each with the best couples of everyone else.

        In the middle of the order of importance stand: that the third was none before, that locked couples stay by
        themselves, and how often people were in a trio.
        """
        seats, free = np.concatenate((self.who, self.locked.ravel())), len(self.who)
        question, history = self.question, self.history
        one, other = np.indices((len(seats), len(seats)))
        allowed = question.allowed(seats[one], seats[other])
        again, points = question.again(seats[one], seats[other]), question.points(seats[one], seats[other])
        points = np.triu(points, 1) + np.triu(points, 1).T
        urgent = history.left_out[seats]
        bound = len(seats) + 3
        most, outer = int(again.max(initial=0)) * bound + 1, int(urgent.sum()) + 1
        room, highest = LARGEST // (most * outer * bound * bound), int(points.max(initial=0))
        points = points * room // highest if highest > room else points
        repeat = int(points.max(initial=0)) * bound + 1
        left_out, person = repeat * most, repeat * most * outer
        worth = 2 * person + left_out * (urgent[one] + urgent[other]) + 2 * points - repeat * again
        worth = np.where(allowed, worth, -1)[:free, :free]
        best = _best_of_all_sets(worth)
        trios = np.array([*combinations(range(free), 3), *self._hosted(free)], dtype=np.int64).reshape(-1, 3)
        first, third, last = trios.T
        is_locked = first >= free
        fits = (is_locked | allowed[first, last]) & allowed[first, third] & allowed[third, last]
        trios, is_locked = trios[fits], is_locked[fits]
        first, third, last = trios.T
        taken = (1 << third) | np.where(is_locked, 0, (1 << np.minimum(first, free)) | (1 << np.minimum(last, free)))
        rest = best[(len(best) - 1) & ~taken]
        met = again[first, third] + again[third, last] + np.where(is_locked, 0, again[first, last])
        seated = np.where(is_locked, 1, 3) * person - met * repeat
        seated += left_out * (urgent[third] + np.where(is_locked, 0, urgent[first] + urgent[last]))
        # A locked couple with a third counts once instead of twice.
        worth_of_trio = points[first, third] + points[third, last] + rest % repeat
        worth_of_trio += np.where(is_locked, -1, 1) * points[first, last]
        gravest = rest // repeat + seated // repeat
        thirds, times = history.thirds[seats][trios].min(axis=1), history.trios[seats][trios].sum(axis=1)
        at = np.lexsort((-worth_of_trio, times, is_locked, thirds, -gravest))[:1]
        trio, people = None, len(best) - 1
        if len(at) and gravest[at[0]] >= best[-1] // repeat:
            trio, people = Trio(*seats[trios[at[0]]].tolist()), people & ~int(taken[at[0]])
        partner = np.full(len(question.couples), ALONE, dtype=np.int64)
        for left, right in _couples_of_set(people, best, worth):
            partner[self.who[left]], partner[self.who[right]] = self.who[right], self.who[left]
        return partner, trio

    def _hosted(self, free: int) -> Iterable[tuple[int, int, int]]:
        """A locked couple with one more between them, as places among the seats."""
        for start in range(free, free + self.locked.size, 2):
            for third in range(free):
                yield start, third, start + 1


def _cost(arrangement: _Arrangement) -> tuple[int, ...]:
    return arrangement.cost


def _best_of_all_sets(worth: Points) -> Points:
    """For every set of people, one bit each, what its best couples are worth; a couple below 0 may not be.

    The first person of a set is alone, or with one of the others: so it follows from smaller sets.
    """
    people = len(worth)
    best = np.zeros(1 << people, dtype=np.int64)
    for one in range(people - 1, -1, -1):
        others = np.arange(1 << (people - 1 - one)) << (one + 1)
        found = best[others]
        for other in range(one + 1, people):
            if worth[one, other] >= 0:
                beside = np.flatnonzero(others >> other & 1)
                found[beside] = np.maximum(found[beside], best[others[beside] ^ 1 << other] + worth[one, other])
        best[others | 1 << one] = found
    return best


def _couples_of_set(people: int, best: Points, worth: Points) -> Iterable[tuple[int, int]]:
    """The couples by which a set of people is worth so much."""
    while people:
        one = (people & -people).bit_length() - 1
        people ^= 1 << one
        if best[people | 1 << one] == best[people]:
            continue
        for other in range(one + 1, len(worth)):
            is_there = people >> other & 1 and worth[one, other] >= 0
            if is_there and best[people | 1 << one] == best[people ^ 1 << other] + worth[one, other]:
                yield one, other
                people ^= 1 << other
                break


# ---- all rounds ------------------------------------------------------------------------------------------------------


class Cost(NamedTuple):
    """What is wrong with all rounds together, the gravest first; of two plans the smaller cost is the better plan."""

    unpaired: int
    left_out_again: int
    repeats: int
    more_than_twice: int
    """How much more the repeats weigh when a couple's second counts twice, its third three times …"""
    lack: int
    """Points below 0."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Plans the rounds of a course. `locked`: for every round the groups that must be."""

    couples: Couples
    locked: Sequence[Sequence[Members]]
    rng: np.random.Generator

    def planned(self) -> list[Paired]:
        """In a circle where that is best, else one by one and then, of a small course, looked at once more."""
        couples = self.couples
        circle = None if any(self.locked) else self._everyone_meets()
        # An even number of people in a circle has no repeat that can be avoided; of an odd number the third may.
        if circle and not couples.course.wishes and (len(couples) % 2 == 0 or not self.cost(circle).repeats):
            return circle
        history = History.of(couples)
        found: list[Paired] = []
        for number in range(len(self.locked)):
            found.append(self._round(number, history, undecided=range(number + 1, len(self.locked))))
            history = history.also(couples, found[-1:])
        if circle and self.cost(circle) < self.cost(found):
            found = circle
        return found if len(couples) > EXACT or len(found) < 2 else self._reconsidered(found)

    def barrier(self, number: int, rounds: Sequence[Paired]) -> Places:
        """What shows that no one more could be paired in a round, given the others. Its locked people are not counted.

        A trio is a couple and one more, who has no partner in an arrangement in pairs.
        """
        others = [paired for at, paired in enumerate(rounds) if at != number]
        question = Question(self.couples, History.of(self.couples).also(self.couples, others), self.rng)
        paired = rounds[number]
        ends = np.array([(trio.first, trio.last) for trio in paired.trios], dtype=np.int64).reshape(-1, 2)
        one, other = np.concatenate((paired.one, ends[:, 0])), np.concatenate((paired.other, ends[:, 1]))
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        partner[one], partner[other] = other, one
        who = _without(np.arange(len(self.couples), dtype=np.int64), self.locked[number])
        return barrier(self.couples, who, partner, question.banned)

    def _round(
        self,
        number: int,
        history: History,
        *,
        undecided: Iterable[int] = (),
        third: int | None = None,
        by_chance: bool = False,
    ) -> Paired:
        """The best couples for the round of this index (from 0), beside its locked groups.

        `undecided`: other rounds that are not in the history. Who is locked in one of them counts as having met.
        `third`: who should be the third of a couple, if someone must be.
        """
        couples, locked = self.couples, self.locked[number]
        history = history.awaiting([group for other in undecided for group in self.locked[other]])
        everyone = np.arange(len(couples), dtype=np.int64)
        who = _without(everyone, locked)
        question = Question(couples, history, self.rng, by_chance)
        pairs = np.array([group for group in locked if len(group) == 2], dtype=np.int64).reshape(-1, 2)
        trios = [Trio(*group) for group in locked if len(group) == 3]
        if len(everyone) % 2 and not trios:
            # Whoever was the third least comes first, then not someone who was left out, then chance.
            chance = self.rng.permutation(len(who))
            order = who[np.lexsort((chance, history.left_out[who], history.trios[who], history.thirds[who]))]
            partner, trio = _Odd(question, who, pairs).arranged(order if third is None else np.array([third]))
            trios += [trio] if trio else []
            pairs = pairs[~np.isin(pairs, np.array(trios, dtype=np.int64)).any(axis=1)]
        else:
            partner = question.solve(who)
        partner[pairs[:, 0]], partner[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
        one = np.flatnonzero(partner > everyone)
        return Paired(one, partner[one], tuple(trios), _without(np.flatnonzero(partner == ALONE), trios))

    # ---- everyone meets everyone ----

    def _everyone_meets(self) -> list[Paired] | None:
        """All rounds in a circle: one stays, the others move on by a seat each round.

        With an even number there is no repeat while the rounds are fewer than the people. With an odd number everyone
        is the third once before anyone is twice, and hosts may meet again. None if that needs a couple that a rule
        forbids or that met before. Of small courses several orders of seats are tried.
        """
        couples, people, rounds = self.couples, len(self.couples), len(self.locked)
        if people < 2 or (couples.never_again and (people % 2 or rounds >= people)):
            return None
        history = History.of(couples)
        for _ in range(SEATINGS if people <= EXACT else 1):
            circle = _circle(self._seats(history.trios), rounds)
            one, other = circle[:, 0, people % 2 :], circle[:, 1, people % 2 :]
            if not history.met.times(one, other).any() and couples.allowed(one, other).all():
                if people % 2 == 0:
                    return [_in_order(*pair) for pair in circle]
                return self._with_thirds(circle, history)
        return None

    def _seats(self, in_trios: Points) -> Places:
        """An even number of seats by chance. With an odd number, whoever was in a trio least is the first third."""
        order: Places = self.rng.permutation(len(in_trios)).astype(np.int64)
        if len(order) % 2 == 0:
            return order
        ring = order[np.argsort(in_trios[order], kind="stable")]
        return np.concatenate((np.array([ALONE]), np.roll(ring, -1)))

    def _with_thirds(self, circle: Places, history: History) -> list[Paired] | None:
        """Whoever sits opposite nobody joins the couple that they know least, in all rounds; the hosts take turns."""
        couples = self.couples
        one, other = circle[:, 0, 1:], circle[:, 1, 1:]
        known, hosted = history.met.also(couples.keys(one, other).ravel()), history.trios.copy()
        found = []
        for number, third in enumerate(circle[:, 1, 0].tolist()):
            left, right = one[number], other[number]
            alone = np.full(len(left), third, dtype=np.int64)
            fits = np.flatnonzero(couples.allowed(left, alone) & couples.allowed(right, alone))
            if not len(fits):
                return None
            times = (known.times(left, alone) + known.times(right, alone))[fits]
            chance = self.rng.permutation(len(fits))
            host = int(fits[np.lexsort((chance, (hosted[left] + hosted[right])[fits], times))[0]])
            trio = Trio(int(left[host]), third, int(right[host]))
            hosted[list(trio)] += 1
            known = known.also(couples.keys(np.array([trio.first, trio.last]), np.array([third, third])))
            found.append(_in_order(np.delete(left, host), np.delete(right, host), (trio,)))
        return found

    # ---- a second look ----

    def cost(self, rounds: Sequence[Paired]) -> Cost:
        """What all these rounds cost after what was before them."""
        before = History.of(self.couples)
        one, other = (np.concatenate(side) for side in zip(*(paired.meetings() for paired in rounds), strict=True))
        _, first, times = np.unique(self.couples.keys(one, other), return_index=True, return_counts=True)
        earlier = before.met.times(one[first], other[first])
        alone = np.concatenate([paired.alone for paired in rounds])
        again = before.left_out + np.bincount(alone, minlength=len(self.couples))
        return Cost(
            len(alone),
            int((again * (again - 1) // 2).sum()),
            int(np.where(earlier > 0, times, times - 1).sum()),
            int((times * (2 * earlier + times - 1) // 2).sum()),
            -int(self.couples.points(one, other).sum()),
        )

    def _reconsidered(self, rounds: list[Paired]) -> list[Paired]:
        """The same rounds or better ones: what is best for one round can be dear for a later one.

        Two rounds at a time are planned anew, the first with chance in place of wishes, so that the second gets another
        choice. What is not worse is kept (a large neighborhood search: Shaw 1998).
        """
        never_again, people = self.couples.never_again, len(self.couples)
        cost, least = self.cost(rounds), self._least_repeats(len(rounds))
        for _ in range(LOOKS * FEW // max(FEW, people)):
            # Who is unpaired depends on the rounds before only where nobody may meet again.
            if (cost.unpaired == 0 or not never_again) and cost.repeats <= least:
                break
            first, second = self._two(rounds)
            tried = rounds.copy()
            for number, without in ((first, {first, second}), (second, {second}), (first, {first})):
                tried[number] = self._anew(tried, number, without)
            found = self.cost(tried)
            if found <= cost:
                rounds, cost = tried, found
        number = 0
        # A round that was planned anew may have left couples to others who had to do without them.
        while never_again and cost.unpaired and number < len(rounds):
            tried = rounds.copy()
            tried[number] = self._anew(tried, number, {number})
            number += 1
            if self.cost(tried).unpaired < cost.unpaired:
                rounds, cost, number = tried, self.cost(tried), 0
        return rounds

    def _anew(self, rounds: list[Paired], number: int, without: set[int]) -> Paired:
        """A round as it is best beside the others, but for those in `without`, of which it is one itself."""
        others = [paired for at, paired in enumerate(rounds) if at not in without]
        trios = rounds[number].trios
        return self._round(
            number,
            History.of(self.couples).also(self.couples, others),
            undecided=sorted(without - {number}),
            third=trios[0].third if trios else None,
            by_chance=len(without) > 1,
        )

    def _two(self, rounds: Sequence[Paired]) -> tuple[int, int]:
        """Two rounds by chance, one of which has a repeat or someone who is left over."""
        met = History.of(self.couples).also(self.couples, rounds).met
        faulty = [
            number
            for number, paired in enumerate(rounds)
            if len(paired.alone) or (met.times(*paired.meetings()) > 1).any()
        ]
        first = int(self.rng.choice(faulty)) if faulty else int(self.rng.integers(len(rounds)))
        second = int(self.rng.integers(len(rounds) - 1))
        return first, second + (second >= first)

    def _least_repeats(self, rounds: int) -> int:
        """As many as any plan has in which nobody is left out: who has fewer new partners than rounds meets again."""
        people = len(self.couples)
        one, other = np.triu_indices(people, 1)
        new = self.couples.allowed(one, other) & (History.of(self.couples).met.times(one, other) == 0)
        partners: NDArray[np.int64] = np.bincount(np.concatenate((one[new], other[new])), minlength=people)
        return -(-int(np.maximum(rounds - partners, 0).sum()) // 2)


def _without(who: Places, groups: Sequence[Members]) -> Places:
    """These people, sorted, without those of some groups."""
    members = sorted({person for group in groups for person in group})
    return who[~np.isin(who, np.array(members, dtype=np.int64))] if members else who


def _circle(seats: Places, rounds: int) -> Places:
    """The couples of every round, of shape (rounds, 2, couples). ALONE, if it has a seat, is in the first couple."""
    ring = seats[1:]
    places = (np.arange(len(ring))[None, :] + np.arange(rounds)[:, None]) % len(ring)
    row = np.concatenate((np.broadcast_to(seats[:1], (rounds, 1)), ring[places]), axis=1)
    half = len(seats) // 2
    return np.stack((row[:, :half], row[:, : half - 1 : -1]), axis=1)


def _in_order(left: Places, right: Places, trios: tuple[Trio, ...] = ()) -> Paired:
    order = np.argsort(np.minimum(left, right))
    return Paired(np.minimum(left, right)[order], np.maximum(left, right)[order], trios)


def with_thirds(rounds: Sequence[Paired], in_trios: Points) -> list[Paired]:
    """The same trios, each with that of its people in the middle with whom nobody is there oftener than they must be.

    `in_trios`: for each place how often they were in a trio before the first round; who was least comes first.
    A trio takes someone who was there least, if need be in place of whom another trio takes someone else, and so on.
    """
    trios = [trio for paired in rounds for trio in paired.trios]
    times = dict.fromkeys((person for trio in trios for person in trio), 0)
    thirds: list[int] = []
    for number, trio in enumerate(trios):
        taken_by = dict.fromkeys((trio.third, trio.first, trio.last), number)
        reached = list(taken_by)
        for person in reached:
            for earlier in (at for at, third in enumerate(thirds) if third == person and times[person]):
                new = [other for other in trios[earlier] if other not in taken_by]
                taken_by.update(dict.fromkeys(new, earlier))
                reached += new
        third = min(reached, key=lambda person: (times[person], in_trios[person]))
        times[third] += 1
        thirds.append(trio.third)
        while (at := taken_by[third]) != number:
            thirds[at], third = third, thirds[at]
        thirds[number] = third
    chosen = zip(trios, thirds, strict=True)
    return [paired._replace(trios=tuple(_around(*next(chosen)) for _ in paired.trios)) for paired in rounds]


def _around(trio: Trio, third: int) -> Trio:
    first, last = (person for person in trio if person != third)
    return Trio(first, third, last)
