"""All rounds of pairs: one after the other, each the best for what was before it, and then once more if that helps.

What counts in a round, in this order: people without a partner, those of them who were left out before, people who met
before, and points. Of an odd number one person is the third of a couple, another one each round as long as possible.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from random import Random
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.couples import (
    Couples,
    Groups,
    Members,
)
from lti_tool.pairing.engine.matching import Candidates
from lti_tool.pairing.engine.pairs import EXACT, History, Question
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.problem import Group, Proof
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
    _known: dict[bytes, Candidates] = field(default_factory=dict)

    @cached_property
    def _before(self) -> History:
        return History.of(self.couples)

    def planned(self) -> list[Groups]:
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
        locked = self.cost(self._locked).repeats if couples.most else 0
        rounds = self._reconsidered(rounds, least.repeats - locked)
        is_least = self.cost(rounds)[:-1] <= least[:-1]
        if is_least and not couples.most:
            return rounds
        for _ in range(STARTS // (len(couples) if is_least else max(FEW, len(couples))) - 1):
            rounds = min(rounds, self._reconsidered(self._one_by_one(), least.repeats), key=self.cost)
        return rounds

    def _one_by_one(self) -> list[Groups]:
        """Each round the best after those before it. Chance decides anew between rounds that are equal."""
        history, rounds = self._before, list[Groups]()
        for number in range(len(self.locked)):
            self._known.clear()
            rounds.append(self._round(number, history, undecided=range(number + 1, len(self.locked))))
            history = history.also(rounds[-1:])
        return rounds

    def proofs(self, rounds: Sequence[Groups]) -> tuple[Proof, ...]:
        """For every round in which someone has no partner, why no one more could be paired."""
        alone = [number for number, groups in enumerate(rounds, start=1) if (groups.sizes == 1).any()]
        return tuple(
            Proof(number, self.couples.ids(self._barrier(number, rounds)))
            for number in (alone if len(self.couples) > 1 else ())
        )

    def _barrier(self, number: int, rounds: Sequence[Groups]) -> Places:
        """What shows that no one more could be paired in a round, given the others. Locked people are not counted."""
        others = [groups for at, groups in enumerate(rounds, start=1) if at != number]
        question = self._question(number - 1, self._before.also(others))
        return barrier(self.couples, question.who, rounds[number - 1].partners, question.banned)

    def _question(self, number: int, history: History, *, by_chance: bool = False) -> Question:
        """The round of this index (from 0), beside its locked groups."""
        everyone = np.arange(len(self.couples), dtype=np.int64)
        return Question(
            self.couples, history, self.rng, everyone, self.locked[number], by_chance=by_chance, known=self._known
        )

    def _round(
        self, number: int, history: History, *, undecided: Iterable[int] = (), by_chance: bool = False
    ) -> Groups:
        """The best groups for a round. `undecided`: other rounds that are not in the history.

        Who is locked in one of them counts as having met.
        """
        history = history.awaiting([group for second in undecided for group in self.locked[second]])
        return self._question(number, history, by_chance=by_chance).arranged().groups()

    @cached_property
    def _locked(self) -> list[Groups]:
        """The locked groups of every round, as if nobody else were with anyone."""
        return [
            Groups.listed(np.array([*chain(*groups)], dtype=np.int64), [*map(len, groups)], len(self.couples))
            for groups in self.locked
        ]

    # ---- everyone meets everyone ----

    def _everyone_meets(self) -> list[Groups] | None:
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
                return [Groups.listed(pairs.T.ravel(), [2] * (people // 2), people) for pairs in circle]
        return None

    # ---- a second look ----

    def cost(self, rounds: Sequence[Groups]) -> Cost:
        """What all these rounds cost after what was before them."""
        left, right = np.concatenate([groups.couples for groups in rounds], axis=1)
        _, first, times = np.unique(self.couples.keys(left, right), return_index=True, return_counts=True)
        earlier = self._before.met.times(left[first], right[first])
        alone = sum((groups.sizes == 1).astype(np.int64) for groups in rounds)
        again = self._before.left_out + alone
        counts = np.concatenate([4 - groups.sizes[groups.couples[0]] for groups in rounds])
        return Cost(
            int(alone.sum()),
            int((again * (again - 1) // 2).sum()),
            int(np.where(earlier > 0, times, times - 1).sum()),
            int((times * (2 * earlier + times - 1) // 2).sum()),
            -int((self.couples.points(left, right) * counts).sum()),
        )

    def _reconsidered(self, rounds: list[Groups], least: int) -> list[Groups]:
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

    def _anew(self, rounds: list[Groups], number: int, without: set[int]) -> Groups:
        """A round as it is best beside the others, but for those in `without`, of which it is one itself."""
        others = [groups for at, groups in enumerate(rounds) if at not in without]
        history = self._before.also(others)
        return self._round(number, history, undecided=sorted(without - {number}), by_chance=len(without) > 1)

    def _two(self, rounds: Sequence[Groups]) -> tuple[int, int]:
        """Two rounds by chance, one of which has a repeat or someone who is left over."""
        met = self._before.also(rounds).met
        faulty = [
            number
            for number, groups in enumerate(rounds)
            if (groups.sizes == 1).any() or (met.times(*groups.couples) > 1).any()
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
        cost, met = self.cost(self._locked), self._before.also(self._locked).met
        first, second = np.triu_indices(people, 1)
        new = couples.allowed(first, second) & (met.times(first, second) == 0)
        partners: NDArray[np.int64] = np.bincount(np.concatenate((first[new], second[new])), minlength=people)
        sizes = np.array([groups.sizes for groups in self._locked])
        spare = partners - rounds + (sizes > 1).sum(axis=0)
        thirds = 3 * (people % 2) * int((sizes < 3).all(axis=1).sum())
        again = -(-int((-spare).clip(0).sum() + max(0, thirds - int(spare.clip(0, rounds).sum()))) // 2)
        return Cost(0, 0, cost.repeats + again, cost.more_than_twice + again, 0)

    # ---- turns ----

    def turned(self, rounds: Sequence[Groups], rng: Random) -> tuple[tuple[Group, ...], ...]:
        """The groups of all rounds with their members in order of turn: couples by their smaller place, then a trio."""
        ids = self.couples.people.ids
        ends = [groups.where(groups.sizes == 2).couples for groups in rounds]
        trios = [groups.where(groups.sizes == 3).members for groups in rounds]
        # Nobody is in the middle oftener than they must be; who was in a trio least comes first.
        listed, before = [*chain(*trios)], dict(enumerate(self._before.trios.tolist()))
        middles = iter(choose_evenly(listed, [1] * len(listed), Random(0), {}, before))
        for number, several in enumerate(trios):
            for trio in several:
                (middle,) = next(middles)
                first, last = (person for person in trio if person != middle)
                ends[number] = np.append(ends[number], [[first], [last]], axis=1)
        ahead = np.array([self.couples.course.ahead.get(person, 0) for person in ids.tolist()], dtype=np.int64)
        first, last = np.concatenate(ends, axis=1)
        stays = orient(first, last, rng, ahead=ahead, given=np.zeros(len(first), dtype=np.bool_))
        in_turn = ids[np.where(stays, (first, last), (last, first))]
        turned, start = [], 0
        for several, couples in zip(trios, ends, strict=True):
            groups: list[Group] = list(zip(*in_turn[:, start : start + couples.shape[1]].tolist(), strict=True))
            start += couples.shape[1]
            for at, trio in enumerate(several, start=len(groups) - len(several)):
                members = ids[list(trio)].tolist()
                groups[at] = (groups[at][0], *(one for one in members if one not in groups[at]), groups[at][1])
            turned.append(tuple(groups))
        return tuple(turned)


def _circle(seats: Places, rounds: int) -> Places:
    """The couples of every round, of shape (rounds, 2, couples)."""
    ring = seats[1:]
    places = (np.arange(len(ring))[None, :] + np.arange(rounds)[:, None]) % len(ring)
    row = np.concatenate((np.broadcast_to(seats[:1], (rounds, 1)), ring[places]), axis=1)
    half = len(seats) // 2
    return np.stack((row[:, :half], row[:, : half - 1 : -1]), axis=1)
