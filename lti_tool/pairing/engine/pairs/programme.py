"""All rounds of a course in pairs, one after the other, and then once more where that can help."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lti_tool.pairing.engine.compiled import Couples, Keys, merged
from lti_tool.pairing.engine.coverage.barriers import barrier
from lti_tool.pairing.engine.effort import Steps
from lti_tool.pairing.engine.pairs.blocks import ALONE
from lti_tool.pairing.engine.pairs.hosting import arrange
from lti_tool.pairing.engine.pairs.locking import Members
from lti_tool.pairing.engine.pairs.rounds import Round
from lti_tool.pairing.engine.pairs.seated import Memory, Seated, Trio
from lti_tool.pairing.engine.people import Places


@dataclass(frozen=True, slots=True)
class Programme:
    """Plans rounds of a course. `locked`: for every round the groups that must be."""

    couples: Couples
    locked: Sequence[Sequence[Members]]
    steps: Steps
    rng: np.random.Generator

    def one_by_one(self) -> list[Seated]:
        """Each round the best for what has been before it."""
        memory = Memory.of(self.couples)
        found = []
        for number in range(len(self.locked)):
            found.append(self.round(number, memory, undecided=range(number + 1, len(self.locked))))
            memory = memory.also(self.couples, found[-1:])
        return found

    def round(
        self,
        number: int,
        memory: Memory,
        *,
        undecided: Iterable[int] = (),
        third: int | None = None,
        scattered: bool = False,
    ) -> Seated:
        """The best couples for the round of this index (from 0), beside its locked groups.

        `undecided`: other rounds that are not in `memory`. Who is locked in one of them counts as having met.
        `third`: who should be the third of a couple, if somebody must be. `scattered`: chance stands in for wishes.
        """
        locked = self.locked[number]
        memory = memory.awaiting(self.couples, [group for other in undecided for group in self.locked[other]])
        everybody = np.arange(len(self.couples), dtype=np.int64)
        who = _without(everybody, locked)
        chance = Round(
            self.couples, self._banned(memory), memory.met, memory.left_out, self.steps, self.rng, scattered=scattered
        )
        pairs = np.array([group for group in locked if len(group) == 2], dtype=np.int64).reshape(-1, 2)
        trios = [Trio(*group) for group in locked if len(group) == 3]
        if len(everybody) % 2 and not trios:
            order = self._order(who, memory) if third is None else np.array([third])
            partner, trio = arrange(chance, who, order, pairs, memory)
            trios += [trio] if trio else []
            pairs = pairs[~np.isin(pairs, np.array(trios, dtype=np.int64)).any(axis=1)]
        else:
            partner = chance.solve(who)
        partner[pairs[:, 0]], partner[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
        one = np.flatnonzero(partner > everybody)
        return Seated(one, partner[one], tuple(trios), _without(np.flatnonzero(partner == ALONE), trios))

    def _order(self, who: Places, memory: Memory) -> Places:
        """Who should be the third first: whoever was least, then not somebody who was left out, then by lot."""
        lot = self.rng.permutation(len(who))
        found: Places = who[np.lexsort((lot, memory.left_out[who], memory.trios[who], memory.thirds[who]))]
        return found

    def _banned(self, memory: Memory) -> Keys:
        return merged(self.couples.banned, memory.met.keys) if self.couples.never_again else self.couples.banned

    def barrier(self, number: int, rounds: Sequence[Seated]) -> Places:
        """What shows that nobody more could be paired in a round, given the others. Its locked people are not counted.

        A trio is a couple and one more, who has no partner in an arrangement in pairs.
        """
        others = [seated for at, seated in enumerate(rounds) if at != number]
        banned = self.couples.banned
        if self.couples.never_again:
            banned = self._banned(Memory.of(self.couples).also(self.couples, others))
        seated = rounds[number]
        ends = np.array([(trio.first, trio.last) for trio in seated.trios], dtype=np.int64).reshape(-1, 2)
        one, other = np.concatenate((seated.one, ends[:, 0])), np.concatenate((seated.other, ends[:, 1]))
        partner = np.full(len(self.couples), ALONE, dtype=np.int64)
        partner[one], partner[other] = other, one
        who = _without(np.arange(len(self.couples), dtype=np.int64), self.locked[number])
        return barrier(self.couples, who, partner, banned)


def _without(who: Places, groups: Sequence[Members]) -> Places:
    """These people, sorted, without those of some groups."""
    members = {one for group in groups for one in group}
    if not members:
        return who
    return who[~np.isin(who, np.array(sorted(members), dtype=np.int64))]
