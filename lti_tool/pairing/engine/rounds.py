"""All rounds of pairs: one after the other, each the best for what was before it, and then once more if that helps.

What counts in a round, in this order: people without a partner, those of them who were left out before, people who met
before, and points. Of an odd number one person is the third of a couple, another one each round as long as possible.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.locks import Members
from lti_tool.pairing.engine.matching import ALONE
from lti_tool.pairing.engine.pairs import EXACT, History, Paired, Question, Trio, couples_of
from lti_tool.pairing.engine.people import Places, Points
from lti_tool.pairing.engine.problem import NAME, Group, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.proof import barrier
from lti_tool.pairing.engine.turns import choose_evenly, orient

SEATINGS: Final = 16
"""How many orders of seats are tried when everyone is to meet everyone."""
FEW: Final = 32
LOOKS: Final = 32
"""How often two rounds of up to `FEW` people are planned anew; of twice as many people, half as often …"""
LOOKS_IN_VAIN: Final = 8
"""… and where there are no wishes, so many looks that do not help are the last."""
STARTS: Final = 128
"""How often all rounds are planned from the beginning, times people; where repeats may be needless, as if there were
`FEW` people at least.
"""


class Cost(NamedTuple):
    """What is wrong with all rounds together, the gravest first; of two plans the smaller cost is the better plan."""

    unpaired: int
    left_out_again: int
    repeats: int
    more_than_twice: int
    """How much more the repeats weigh when a couple's second counts twice, its third three times …"""
    lack: int
    """Points of people below 0: those of a couple count twice, as both have them, and of a trio each counts half."""


@dataclass(frozen=True)
class Rounds:
    """Plans the rounds of a course. `locked`: for every round the groups that must be."""

    couples: Couples
    locked: Sequence[Sequence[Members]]
    rng: np.random.Generator

    @cached_property
    def _before(self) -> History:
        return History.of(self.couples)

    def planned(self) -> list[Paired]:
        """In a circle where that is best, else one by one and then, of a small course, looked at once more."""
        couples = self.couples
        circle = None if any(self.locked) else self._everyone_meets()
        # A circle has no repeat that can be avoided.
        if circle and not couples.course.wishes:
            return circle
        rounds = self._one_by_one()
        rounds = min(circle or rounds, rounds, key=self.cost)
        if not 1 < len(couples) <= EXACT or len(rounds) < 2:
            return rounds
        least = self._least_cost()
        # Looks at rounds with locked repeats gain points.
        locked = self.cost([_locked(groups) for groups in self.locked]).repeats if couples.most else 0
        rounds = self._reconsidered(rounds, least.repeats - locked)
        is_least = self.cost(rounds)[:-1] <= least[:-1]
        if is_least and not couples.most:
            return rounds
        for _ in range(STARTS // (len(couples) if is_least else max(FEW, len(couples))) - 1):
            rounds = min(rounds, self._reconsidered(self._one_by_one(), least.repeats), key=self.cost)
        return rounds

    def _one_by_one(self) -> list[Paired]:
        """Each round the best after those before it."""
        history, rounds = self._before, list[Paired]()
        for number in range(len(self.locked)):
            rounds.append(self._round(number, history, undecided=range(number + 1, len(self.locked))))
            history = history.also(self.couples, rounds[-1:])
        return rounds

    def schedule(self, rounds: Sequence[Paired], seed: int) -> Schedule:
        """The rounds with turns, reasons and proofs. Raises NotLargest if more people could be paired."""
        ids = self.couples.people.ids
        proofs = [
            Proof(number + 1, tuple(ids[self.barrier(number, rounds)].tolist()))
            for number, paired in enumerate(rounds)
            if len(paired.alone) and len(ids) > 1
        ]
        turned = _in_turn(self.couples, with_thirds(rounds, self._before.trios), Random(seed))
        unpaired = tuple(_unpaired(self.couples, rounds))
        return Schedule(turned, unpaired, self.couples.course, seed, NAME, tuple(proofs))

    def barrier(self, number: int, rounds: Sequence[Paired]) -> Places:
        """What shows that no one more could be paired in a round, given the others. Its locked people are not counted.

        A trio is a couple and one more, who has no partner in an arrangement in pairs.
        """
        others = [paired for at, paired in enumerate(rounds) if at != number]
        question = self._question(number, self._before.also(self.couples, others))
        paired = rounds[number]
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        partner[paired.first], partner[paired.second] = paired.second, paired.first
        for trio in paired.trios:
            partner[trio.first], partner[trio.last] = trio.last, trio.first
        return barrier(self.couples, question.who, partner, question.banned)

    def _question(self, number: int, history: History, *, by_chance: bool = False) -> Question:
        """The round of this index (from 0), beside its locked groups."""
        people, locked = len(self.couples), self.locked[number]
        partner, bound = np.full(people, ALONE, dtype=np.int64), np.zeros(people, dtype=np.bool_)
        for group in locked:
            if len(group) == 2:
                partner[list(group)] = group[::-1]
                bound[list(group)] = True
        return Question(
            self.couples,
            history,
            self.rng,
            _without(np.arange(people, dtype=np.int64), locked),
            partner,
            bound,
            is_odd=bool(people % 2) and not any(len(group) == 3 for group in locked),
            by_chance=by_chance,
        )

    def _round(
        self, number: int, history: History, *, undecided: Iterable[int] = (), by_chance: bool = False
    ) -> Paired:
        """The best couples for a round. `undecided`: other rounds that are not in the history.

        Who is locked in one of them counts as having met.
        """
        history = history.awaiting([group for second in undecided for group in self.locked[second]])
        result = self._question(number, history, by_chance=by_chance).arranged()
        trios = (*_locked(self.locked[number]).trios, *([result.trio] if result.trio else []))
        first = np.flatnonzero(result.partner > np.arange(len(self.couples)))
        alone = _without(np.flatnonzero(result.partner == ALONE), trios)
        return Paired(first, result.partner[first], trios, alone)

    # ---- everyone meets everyone ----

    def _everyone_meets(self) -> list[Paired] | None:
        """All rounds of an even number in a circle: one stays, the others move on by a seat each round.

        There is no repeat while the rounds are fewer than the people. None if that needs a couple that a rule forbids
        or that met before. Of small courses several orders of seats are tried.
        """
        couples, people, rounds = self.couples, len(self.couples), len(self.locked)
        if people < 2 or people % 2 or (couples.never_again and rounds >= people):
            return None
        met = self._before.met
        for _ in range(SEATINGS if people <= EXACT else 1):
            circle = _circle(self.rng.permutation(people).astype(np.int64), rounds)
            first, second = circle[:, 0], circle[:, 1]
            if not met.times(first, second).any() and couples.allowed(first, second).all():
                return [_in_order(*pair) for pair in circle]
        return None

    # ---- a second look ----

    def cost(self, rounds: Sequence[Paired]) -> Cost:
        """What all these rounds cost after what was before them."""
        left, right = (np.concatenate(side) for side in zip(*(paired.meetings() for paired in rounds), strict=True))
        _, first, times = np.unique(self.couples.keys(left, right), return_index=True, return_counts=True)
        earlier = self._before.met.times(left[first], right[first])
        alone = np.concatenate([paired.alone for paired in rounds])
        again = self._before.left_out + np.bincount(alone, minlength=len(self.couples))
        return Cost(
            len(alone),
            int((again * (again - 1) // 2).sum()),
            int(np.where(earlier > 0, times, times - 1).sum()),
            int((times * (2 * earlier + times - 1) // 2).sum()),
            -sum(
                int(self.couples.points(*ends).sum())
                for paired in rounds
                for ends in ((paired.first, paired.second), paired.meetings())
            ),
        )

    def _reconsidered(self, rounds: list[Paired], least: int) -> list[Paired]:
        """The same rounds or better ones: what is best for one round can be dear for a later one.

        Two rounds at a time are planned anew, the first with chance in place of wishes, so that the second gets another
        choice. What is not worse is kept (a large neighborhood search: Shaw 1998).
        """
        never_again, people = self.couples.never_again, len(self.couples)
        cost, in_vain = self.cost(rounds), 0
        for _ in range(LOOKS * FEW // max(FEW, people)):
            # Who is unpaired depends on the rounds before only where nobody may meet again.
            if (cost.unpaired == 0 or not never_again) and cost.repeats <= least:
                break
            if in_vain == LOOKS_IN_VAIN and not self.couples.most:
                break
            first, second = self._two(rounds)
            tried = rounds.copy()
            for number, without in ((first, {first, second}), (second, {second}), (first, {first})):
                tried[number] = self._anew(tried, number, without)
            result = self.cost(tried)
            in_vain = 0 if result[:-1] < cost[:-1] else in_vain + 1
            if result <= cost:
                rounds, cost = tried, result
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
        history = self._before.also(self.couples, others)
        return self._round(number, history, undecided=sorted(without - {number}), by_chance=len(without) > 1)

    def _two(self, rounds: Sequence[Paired]) -> tuple[int, int]:
        """Two rounds by chance, one of which has a repeat or someone who is left over."""
        met = self._before.also(self.couples, rounds).met
        faulty = [
            number
            for number, paired in enumerate(rounds)
            if len(paired.alone) or (met.times(*paired.meetings()) > 1).any()
        ]
        first = int(self.rng.choice(faulty)) if faulty else int(self.rng.integers(len(rounds)))
        second = int(self.rng.integers(len(rounds) - 1))
        return first, second + (second >= first)

    def _least_cost(self) -> Cost:
        """What no plan can be below if nobody is left out, but for points.

        Everyone who is not locked meets someone in each round, and of an odd number three people meet one more. Who has
        fewer new partners than that meets some of them again.
        """
        people, rounds, couples = len(self.couples), len(self.locked), self.couples
        locked = [_locked(groups) for groups in self.locked]
        cost, met = self.cost(locked), self._before.also(couples, locked).met
        first, second = np.triu_indices(people, 1)
        new = couples.allowed(first, second) & (met.times(first, second) == 0)
        partners: NDArray[np.int64] = np.bincount(np.concatenate((first[new], second[new])), minlength=people)
        members = [person for groups in self.locked for group in groups for person in group]
        spare = partners - rounds + np.bincount(np.array(members, dtype=np.int64), minlength=people)
        thirds = 3 * (people % 2) * sum(not paired.trios for paired in locked)
        again = -(-int((-spare).clip(0).sum() + max(0, thirds - int(spare.clip(0, rounds).sum()))) // 2)
        return cost._replace(repeats=cost.repeats + again, more_than_twice=cost.more_than_twice + again)


def _locked(groups: Sequence[Members]) -> Paired:
    """The couples and trios of these groups."""
    first, second = couples_of([group for group in groups if len(group) == 2])
    return Paired(first, second, tuple(Trio(*group) for group in groups if len(group) == 3))


def _without(who: Places, groups: Sequence[Members]) -> Places:
    """These people, sorted, without those of some groups."""
    members = sorted({person for group in groups for person in group})
    return who[~np.isin(who, np.array(members, dtype=np.int64))] if members else who


def _circle(seats: Places, rounds: int) -> Places:
    """The couples of every round, of shape (rounds, 2, couples)."""
    ring = seats[1:]
    places = (np.arange(len(ring))[None, :] + np.arange(rounds)[:, None]) % len(ring)
    row = np.concatenate((np.broadcast_to(seats[:1], (rounds, 1)), ring[places]), axis=1)
    half = len(seats) // 2
    return np.stack((row[:, :half], row[:, : half - 1 : -1]), axis=1)


def _in_order(left: Places, right: Places) -> Paired:
    order = np.argsort(np.minimum(left, right))
    return Paired(np.minimum(left, right)[order], np.maximum(left, right)[order])


def with_thirds(rounds: Sequence[Paired], in_trios: Points) -> list[Paired]:
    """The same trios, each with that of its people in the middle with whom nobody is there oftener than they must be.

    `in_trios`: for each place how often they were in a trio before the first round; who was least comes first.
    """
    trios = [trio for paired in rounds for trio in paired.trios]
    before = dict(enumerate(in_trios.tolist()))
    middles = iter(choose_evenly(trios, [1] * len(trios), Random(0), {}, before))

    def turned(trio: Trio) -> Trio:
        (third,) = next(middles)
        first, last = (person for person in trio if person != third)
        return Trio(first, third, last)

    return [paired._replace(trios=tuple(map(turned, paired.trios))) for paired in rounds]


# ---- a schedule ------------------------------------------------------------------------------------------------------


def _in_turn(couples: Couples, paired: Sequence[Paired], rng: Random) -> tuple[tuple[Group, ...], ...]:
    """The groups of all rounds with their members in order of turn: couples by their smaller place, then a trio."""
    ends = [_ends(together) for together in paired]
    first, last = (np.concatenate(side) for side in zip(*ends, strict=True))
    ids = sorted(couples.course.people)
    ahead = np.array([couples.course.ahead.get(person, 0) for person in ids], dtype=np.int64)
    stays = orient(first, last, rng, ahead=ahead)
    result = []
    start = 0
    for together, (left, right) in zip(paired, ends, strict=True):
        stay = stays[start : start + len(left)]
        start += len(left)
        first, last = np.where(stay, left, right).tolist(), np.where(stay, right, left).tolist()
        groups: list[Group] = [(ids[a], ids[b]) for a, b in zip(first, last, strict=True)]
        for at, trio in enumerate(together.trios, start=len(together.first)):
            groups[at] = (groups[at][0], ids[trio.third], groups[at][1])
        result.append(tuple(groups))
    return tuple(result)


def _ends(paired: Paired) -> tuple[Places, Places]:
    """First and last member of every group, trios at the end, before turns are given."""
    first = np.array([trio.first for trio in paired.trios], dtype=np.int64)
    last = np.array([trio.last for trio in paired.trios], dtype=np.int64)
    return np.concatenate((paired.first, first)), np.concatenate((paired.second, last))


def _unpaired(couples: Couples, rounds: Sequence[Paired]) -> Iterable[Unpaired]:
    for number, paired in enumerate(rounds, start=1):
        for place in paired.alone.tolist():
            reason = Reason.TOO_FEW_PARTNERS if len(couples.partners(place)) else Reason.NOBODY_ALLOWED
            if len(couples) == 1:
                reason = Reason.NOBODY_ELSE
            yield Unpaired(int(couples.people.ids[place]), number, reason)
