"""Who goes first, who observes whom, who brings the case: as evenly as possible, whatever the groups are.

Every turn is a +1 (first) or a -1 (last); the middle of a trio is 0. Two kinds of turns must differ: the first and last
of a group, and a person's own 1st and 2nd, 3rd and 4th … turn. Each kind alone gives every turn at most one opposite,
so together they form paths and cycles that change kind at each step: the cycles are even, and walking along with
alternating signs always succeeds. So nobody without a history is ever more than one ahead or behind, after any round,
whatever the groups are.

Someone who comes with a history of +2 should go last twice before such couples begin. A path between two such wishes
can satisfy both or only one; `evenness` then finds the signs that leave the least.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import chain, pairwise, permutations
from operator import itemgetter
from random import Random
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.course import Kind, PersonId
from lti_tool.pairing.engine.evenness import Turns, even_out
from lti_tool.pairing.engine.people import Bools, Places
from lti_tool.pairing.engine.schedule import Group, Placed, balance

NOBODY_AHEAD: Final[Mapping[PersonId, int]] = {}
ENDS: Final = (itemgetter(0), itemgetter(-1))
MOST_LOOKED_AT: Final = 1_000
"""Among the partners of so many people, at most, those are looked for who make up for others: 10 milliseconds."""
NONE: Final = -1
Rounds: TypeAlias = Sequence[Sequence[Group]]
GivenRounds: TypeAlias = tuple[tuple[Group, ...], ...]
Signs: TypeAlias = NDArray[np.int8]


def give_turns(
    rounds: Sequence[Sequence[Group]],
    rng: Random,
    *,
    ahead: Mapping[PersonId, int] = NOBODY_AHEAD,
    given: Collection[Placed] = (),
) -> tuple[tuple[Group, ...], ...]:
    """The same groups with their members in order of turn. Those in the middle of a group stay in the middle.

    `ahead` is how often people went first less how often last before these rounds; groups in `given` keep the order
    they have. Without both, nobody is more than one ahead or behind after any round. With them, the largest number
    that anyone is ahead or behind at the end is the least possible (`imbalance` tells it), and the largest on the way
    there as small as that leaves.
    """
    placed = [(number, group) for number, groups in enumerate(rounds, start=1) for group in groups if len(group) > 1]
    ends = np.array([(group[0], group[-1]) for _, group in placed], dtype=np.int64).reshape(-1, 2)
    ids, places = np.unique(ends, return_inverse=True)
    places = places.reshape(ends.shape)
    before = np.array([ahead.get(one, 0) for one in ids.tolist()] if ahead else [0] * len(ids), dtype=np.int64)
    begun = frozenset(given)
    kept = np.array([one in begun for one in placed], dtype=np.bool_)
    stays = iter(orient(places[:, 0], places[:, 1], rng, ahead=before, given=kept).tolist())
    return tuple(
        tuple(group if len(group) < 2 or next(stays) else group[::-1] for group in groups) for groups in rounds
    )


def imbalance(rounds: Sequence[Sequence[Group]], ahead: Mapping[PersonId, int] = NOBODY_AHEAD) -> int:
    """The most that anyone in these rounds is ahead or behind after the last of them."""
    counted = balance(rounds)
    return max((abs(times + ahead.get(one, 0)) for one, times in counted.items()), default=0)


def orient(
    one: Places,
    other: Places,
    rng: Random,
    *,
    ahead: NDArray[np.int64] | None = None,
    given: Bools | None = None,
) -> Bools:
    """For each couple (one[i], other[i]), whether `one` goes first. The couples of earlier rounds come first.

    `ahead[place]` is the history; where `given[i]`, `one` goes first as it is. The promises are those of `give_turns`.
    """
    if not len(one):
        return np.zeros(0, dtype=np.bool_)
    turns = Turns.of(one, other, ahead, given)
    signs = _walk(turns, rng)
    if turns.has_history:
        signs = even_out(turns, signs)
    found: Bools = signs[::2] > 0
    return found


def _walk(turns: Turns, rng: Random) -> NDArray[np.int8]:
    """A sign for each turn, opposite wherever two turns are opposites of each other."""
    own, wanted = turns.own_opposites()
    strand, leading, votes = _strands(turns, own, wanted)
    signs = np.empty(len(own), dtype=np.int8)
    signs[::2], signs[1::2] = leading, -leading
    strand_of_turn = np.repeat(strand, 2)
    flip = _flips(turns, signs, strand_of_turn, votes, rng)
    free = strand_of_turn >= 0
    signs[free] *= flip[strand_of_turn[free]]
    return signs


def _strands(
    turns: Turns, own: NDArray[np.int32], wanted: NDArray[np.int8]
) -> tuple[NDArray[np.int32], NDArray[np.int8], list[int]]:
    """The paths and cycles: for each couple its strand (-1: given) and sign along it; for each strand what is wished.

    A plain loop over memory views: faster than pointer jumping in numpy, because the strands are long, and it makes
    no list of a million numbers.
    """
    couples = len(own) // 2
    strand = np.full(couples, -2, dtype=np.int32)
    strand[turns.given] = -1
    leading = np.ones(couples, dtype=np.int8)
    follow, wishes, seen, sign = own.data, wanted.data, strand.data, leading.data
    votes: list[int] = []
    ends = np.flatnonzero((own < 0) & ~np.repeat(turns.given, 2)).tolist()
    for start in (*ends, *range(0, 2 * couples, 2)):
        if seen[start >> 1] != -2:
            continue
        number, turn, vote = len(votes), start, wishes[start]
        while turn >= 0 and seen[turn >> 1] == -2:
            seen[turn >> 1] = number
            if turn & 1:
                sign[turn >> 1] = -1
            last = turn ^ 1
            turn = follow[last]
        if turn < 0:
            vote -= wishes[last]
        votes.append(vote)
    return strand, leading, votes


def _flips(
    turns: Turns, signs: NDArray[np.int8], strand: NDArray[np.int32], votes: list[int], rng: Random
) -> NDArray[np.int8]:
    """For each strand, whether to turn it round (-1): as its ends wish, else so that roles change more often.

    A strand has no say where it meets itself; where it meets a strand that is decided, fewer people keep their role.
    """
    flip = np.array([(vote > 0) - (vote < 0) for vote in votes], dtype=np.int8)
    before, after = turns.neighbours()
    known = (strand[before] >= 0) & (strand[after] >= 0) & (strand[before] != strand[after])
    before, after = before[known], after[known]
    pairs = strand[before].astype(np.int64) * len(votes) + strand[after]
    same = (signs[before] * signs[after]).astype(np.int64)
    keys, inverse = np.unique(pairs, return_inverse=True)
    weights = np.zeros(len(keys), dtype=np.int64)
    np.add.at(weights, inverse, same)
    beside: dict[int, list[tuple[int, int]]] = {}
    for key, weight in zip(keys.tolist(), weights.tolist(), strict=True):
        here, there = divmod(key, len(votes))
        beside.setdefault(here, []).append((there, weight))
        beside.setdefault(there, []).append((here, weight))
    decided = flip.tolist()
    for number, sign in enumerate(decided):
        if not sign:
            pull = -sum(decided[there] * weight for there, weight in beside.get(number, ()))
            decided[number] = (1 if pull > 0 else -1) if pull else rng.choice((1, -1))
    return np.array(decided, dtype=np.int8)


# ---- rings, cases and trios ------------------------------------------------------------------------------------------

Watching = Counter[tuple[PersonId, PersonId]]
"""How often the first observed the second."""


def observations(group: Group) -> list[tuple[PersonId, PersonId]]:
    """Who observes whom in this ring: (observer, observed). Two people observe each other."""
    return [*pairwise(group), (group[-1], group[0])]


def in_a_ring(group: Group, watched: Watching) -> Group:
    """The group in the order in which fewest observe someone whom they observed before; notes it in `watched`.

    Of equal orders, the one in which fewest are observed by someone whom they observed. All orders are tried: 720 for
    a group of seven.
    """
    first, *others = sorted(group)
    best = (
        min(
            ((first, *rest) for rest in permutations(others)),
            key=lambda order: (
                sum(watched[couple] for couple in observations(order)),
                sum(watched[observed, observer] for observer, observed in observations(order)),
                order,
            ),
        )
        if any(watched[one, other] for one in group for other in group)
        else tuple(group)
    )
    watched.update(observations(best))
    return best


def choose_evenly(
    groups: Sequence[Group], quota: Sequence[int], rng: Random, before: Mapping[PersonId, int]
) -> list[Group]:
    """For each group, which `quota[i]` of its members are chosen; `before` is how often each was chosen earlier.

    Then nobody is chosen twice more often than someone whom a chain of hand-overs could relieve them by; where the
    groups allow it, all counts differ by at most one.
    """
    people = sorted({one for group in groups for one in group})
    lot = dict(zip(people, rng.sample(range(len(people)), k=len(people)), strict=True))
    choice = _Choice(groups, {one: before.get(one, 0) for one in people})
    for group, wanted in zip(groups, quota, strict=True):
        choice.choose(sorted(group, key=lambda one: (choice.counts[one], lot[one]))[:wanted])
    choice.hand_on()
    return [tuple(one for one in group if one in chosen) for group, chosen in zip(groups, choice.chosen, strict=True)]


class _Choice:
    def __init__(self, groups: Sequence[Group], counts: dict[PersonId, int]) -> None:
        self.groups, self.counts = groups, counts
        self.chosen: list[set[PersonId]] = []
        self.stuck: set[PersonId] = set()
        """From whom no chain leads to someone who was chosen less."""

    def choose(self, members: Sequence[PersonId]) -> None:
        """The choice of the next group."""
        self.chosen.append(set(members))
        for one in members:
            self.counts[one] += 1

    @cached_property
    def sits(self) -> dict[PersonId, list[int]]:
        found: dict[PersonId, list[int]] = {one: [] for one in self.counts}
        for number, group in enumerate(self.groups):
            for one in group:
                found[one].append(number)
        return found

    def hand_on(self) -> None:
        """Those who were chosen most come first: whoever is stuck for them is stuck for everyone after them."""
        counts = self.counts
        for most in range(max(counts.values(), default=0), min(counts.values(), default=0) + 1, -1):
            for start in [one for one, times in counts.items() if times == most and one not in self.stuck]:
                self._relieve(start)

    def _relieve(self, start: PersonId) -> None:
        """Hand one choice on from here to someone who was chosen at least two times less, if a chain leads there."""
        came_from: dict[PersonId, tuple[PersonId, int]] = {}
        reached = [start]
        for here in reached:
            for number in self.sits[here]:
                if here not in self.chosen[number]:
                    continue
                for there in self.groups[number]:
                    if there in self.chosen[number] or there in came_from or there in self.stuck or there == start:
                        continue
                    came_from[there] = here, number
                    reached.append(there)
                    if self.counts[there] <= self.counts[start] - 2:
                        self.counts[there] += 1
                        self.counts[start] -= 1
                        self._follow(there, start, came_from)
                        return
        self.stuck.update(reached)

    def _follow(self, end: PersonId, start: PersonId, came_from: Mapping[PersonId, tuple[PersonId, int]]) -> None:
        there = end
        while there != start:
            here, number = came_from[there]
            self.chosen[number].remove(here)
            self.chosen[number].add(there)
            there = here


def give_cases(rounds: Rounds, rng: Random, ahead: Mapping[PersonId, int]) -> tuple[tuple[Group, ...], ...]:
    """Circles in order of turn: the first brings the case, the others come by how often they were first so far."""
    firsts = iter(_choose(rounds, rng, [1] * sum(map(len, rounds)), ahead))
    counts = dict(ahead)
    found = []
    for groups in rounds:
        placed = []
        for group in groups:
            first = next(firsts)[0]
            rest = sorted((one for one in group if one != first), key=lambda one: (counts.get(one, 0), one))
            counts[first] = counts.get(first, 0) + 1
            placed.append((first, *rest))
        found.append(tuple(placed))
    return tuple(found)


def give_places_in_rings(rounds: Rounds, rng: Random) -> tuple[tuple[Group, ...], ...]:
    """Rings in order: each observes the next and the last the first. In turn each begins.

    Nobody observes the same person again where another order avoids it.
    """
    watching = Watching()
    ordered = [[in_a_ring(group, watching) for group in groups] for groups in rounds]
    firsts = iter(_choose(ordered, rng, [1] * sum(map(len, ordered)), {}))
    found = []
    for groups in ordered:
        starts = [group.index(next(firsts)[0]) for group in groups]
        found.append(tuple(group[at:] + group[:at] for group, at in zip(groups, starts, strict=True)))
    return tuple(found)


def give_turns_in_trios(rounds: Rounds, rng: Random, ahead: Mapping[PersonId, int]) -> tuple[tuple[Group, ...], ...]:
    """Trios in order of turn: in the middle, in turn, those who observe; then first and last by `give_turns`."""
    middles = iter(_choose(rounds, rng, [max(0, len(group) - 2) for groups in rounds for group in groups], {}))
    seated = []
    for groups in rounds:
        placed = []
        for group in groups:
            middle = next(middles)
            ends = [one for one in group if one not in middle]
            placed.append((ends[0], *middle, ends[-1]))
        seated.append(placed)
    return give_turns(seated, rng, ahead=ahead)


def _choose(rounds: Rounds, rng: Random, quota: Sequence[int], before: Mapping[PersonId, int]) -> list[Group]:
    return choose_evenly([group for groups in rounds for group in groups], quota, rng, before)


# ---- after a repair --------------------------------------------------------------------------------------------------


def take_turns(
    rounds: Sequence[tuple[Group, ...]],
    formed: Collection[Placed],
    kind: Kind,
    ahead: Mapping[PersonId, int],
    seed: int,
) -> GivenRounds:
    """The same rounds with the members of the formed groups in order of turn; all other groups stay as they are.

    Pairs and trios: the largest number that anyone is ahead or behind at the end is the least possible (`turns`); in
    the middle, where nobody has a turn, is who was there least. Circles: who brought a case least often begins. Rings:
    as few as possible observe someone whom they observe in another round.
    """
    new = frozenset(formed)
    if kind is Kind.CIRCLES:
        return _cases(rounds, new)
    if kind is Kind.RINGS:
        return _rings(rounds, new)
    return _ends(rounds, new, ahead, seed)


def _ends(
    rounds: Sequence[tuple[Group, ...]], new: frozenset[Placed], ahead: Mapping[PersonId, int], seed: int
) -> GivenRounds:
    """Who is in no new group has no say, so that of a large course only a small part is looked at."""
    concerned = frozenset(chain.from_iterable(group for _, group in new))
    placed = [
        (index, group)
        for index, groups in enumerate(rounds)
        for group in groups
        if not concerned.isdisjoint(group) and len(group) > 1
    ]
    seated = _with_middles(placed, new)
    # A turn beside someone of concern belongs to a person of its own, whose other turns are not known here.
    others = (-1 - number for number in range(2 * len(seated)))
    ends = np.array(
        [[one if one in concerned else next(others) for one in (group[0], group[-1])] for group in seated],
        dtype=np.int64,
    ).reshape(-1, 2)
    ids, places = np.unique(ends, return_inverse=True)
    places = places.reshape(ends.shape)
    before = np.array([ahead.get(one, 0) for one in ids.tolist()], dtype=np.int64)
    given = np.array([(index + 1, group) not in new for index, group in placed], dtype=np.bool_)
    chance = Random(seed)
    first = orient(places[:, 0], places[:, 1], chance, ahead=before, given=given)
    turned: dict[int, dict[Group, Group]] = {}
    for (index, group), now, stays in zip(placed, seated, first.tolist(), strict=True):
        if (index + 1, group) in new:
            turned.setdefault(index, {})[group] = now if stays else now[::-1]
    return tuple(
        tuple([turned[index].get(group, group) for group in groups]) if index in turned else groups
        for index, groups in enumerate(rounds)
    )


def turn_round(
    rounds: Sequence[tuple[Group, ...]],
    people: Collection[PersonId],
    ahead: Mapping[PersonId, int],
    fixed: Collection[Placed],
    numbers: range,
) -> GivenRounds:
    """The same groups, some of them the other way round, so that none of these people is two ahead or behind.

    Someone who went first too often lets the last of a group go first; that one does the same in another group if need
    be, and so on to someone who was behind. As few groups as possible are turned for each, in these rounds and none of
    those that are fixed; where there is no such way, turns stay as they are.
    """
    firsts, lasts = ([dict(zip(map(end, groups), groups, strict=True)) for groups in rounds] for end in ENDS)
    times_first, times_last = (Counter(chain.from_iterable(ends)) for ends in (firsts, lasts))
    turned: set[int] = set()
    looked_at = iter(range(MOST_LOOKED_AT))

    def stands(person: PersonId) -> int:
        return ahead.get(person, 0) + times_first[person] - times_last[person]

    def way(start: PersonId, sign: int) -> list[tuple[int, Group]]:
        """Groups to turn, from someone who is ahead (behind, where the sign is -1) to someone who is not even."""
        came: dict[PersonId, list[tuple[int, Group]]] = {start: []}
        reached = [start]
        for one, _ in zip(reached, looked_at, strict=False):
            for number in reversed(numbers):
                group = (firsts if sign > 0 else lasts)[number - 1].get(one)
                other = group[-1 if sign > 0 else 0] if group else one
                if group and other not in came and (number, group) not in fixed:
                    came[other] = [*came[one], (number, group)]
                    if sign * stands(other) < 0:
                        return came[other]
                    reached.append(other)
        return []

    for person in sorted(people):
        while abs(stands(person)) > 1 and (found := way(person, 1 if stands(person) > 0 else -1)):
            for number, group in found:
                del firsts[number - 1][group[0]], lasts[number - 1][group[-1]]
                firsts[number - 1][group[-1]] = lasts[number - 1][group[0]] = group[::-1]
                for one, first in ((group[0], -1), (group[-1], 1)):
                    times_first[one] += first
                    times_last[one] -= first
                turned.add(number)
    return tuple(
        tuple(firsts[number - 1][group[0]] if group[0] in firsts[number - 1] else group[::-1] for group in groups)
        if number in turned
        else groups
        for number, groups in enumerate(rounds, start=1)
    )


def _with_middles(placed: Sequence[tuple[int, Group]], new: frozenset[Placed]) -> list[Group]:
    """New groups of more than two with those in their middle who were there least, at equal count the smallest ids."""
    times: dict[PersonId, int] = {person: 0 for _, group in new if len(group) > 2 for person in group}
    found = []
    for index, group in placed:
        seated = group
        if len(group) > 2:
            if (index + 1, group) in new:
                in_order = sorted(group, key=lambda person: (times[person], person))
                middle = in_order[: len(group) - 2]
                first, last = (person for person in group if person not in middle)
                seated = (first, *middle, last)
            for person in seated[1:-1]:
                if person in times:
                    times[person] += 1
        found.append(seated)
    return found


def _cases(rounds: Sequence[tuple[Group, ...]], new: frozenset[Placed]) -> GivenRounds:
    """Later and earlier rounds count alike: what stands is known."""
    given = Counter(
        group[0] for number, groups in enumerate(rounds, start=1) for group in groups if (number, group) not in new
    )
    found = []
    for number, groups in enumerate(rounds, start=1):
        turned = []
        for group in groups:
            seated = group
            if (number, group) in new:
                first = min(group, key=lambda person: (given[person], person))
                given[first] += 1
                seated = (first, *(person for person in group if person != first))
            turned.append(seated)
        found.append(tuple(turned))
    return tuple(found)


def _rings(rounds: Sequence[tuple[Group, ...]], new: frozenset[Placed]) -> GivenRounds:
    watched: Watching = Counter()
    for number, groups in enumerate(rounds, start=1):
        for group in groups:
            if (number, group) not in new:
                watched.update(observations(group))
    return tuple(
        tuple(in_a_ring(group, watched) if (number, group) in new else group for group in groups)
        for number, groups in enumerate(rounds, start=1)
    )
