"""Who goes first, who observes whom, who brings the case: as evenly as possible, whatever the groups are.

Every turn is a +1 (first) or a -1 (last); the middle of a trio is 0. Two kinds of turns must differ: the first and last
of a group, and a person's own 1st and 2nd, 3rd and 4th … turn. Each kind alone gives every turn at most one opposite,
so together they form paths and cycles that change kind at each step: the cycles are even, and walking along with
alternating signs always succeeds. So nobody without a history is ever more than one ahead or behind, after any round,
whatever the groups are.

Where someone has a history, or groups have begun, that may leave people two ahead or more. Then a chain of groups hands
a turn on to someone who has had fewer, as long as there is one; after that no other turns are more even.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import chain, pairwise, permutations
from random import Random
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lti_tool.pairing.engine.people import Bools, Places
from lti_tool.pairing.engine.problem import Group, Kind, PersonId, Placed, balance

NOBODY_AHEAD: Final[Mapping[PersonId, int]] = {}
TOO_FAR: Final = 2
"""So many times more first than last, or less, and groups that stay are turned round."""
NONE: Final = -1
Rounds: TypeAlias = Sequence[Sequence[Group]]
GivenRounds: TypeAlias = tuple[tuple[Group, ...], ...]
Signs: TypeAlias = NDArray[np.int8]


def take_turns(
    rounds: Rounds, formed: Collection[Placed], kind: Kind, ahead: Mapping[PersonId, int], seed: int
) -> GivenRounds:
    """The same rounds with the members of the formed groups in order of turn; all other groups stay as they are.

    `ahead` is how often people went first less how often last before. Pairs and trios: as `give_turns`; in the middle,
    where nobody has a turn, is who was there least. Circles: who brought a case least often begins, the others come by
    how often they began. Rings: as few as possible observe someone again, and in turn each begins.
    """
    new, rng = frozenset(formed), Random(seed)
    given = [placed for placed in _placed(rounds) if placed not in new]
    if kind is Kind.CIRCLES:
        return _replaced(rounds, _cases(sorted(new), given, rng, ahead))
    if kind is Kind.RINGS:
        return _replaced(rounds, _rings(sorted(new), given, rng))
    middles = _middles(sorted(new), given, rng)
    placed = frozenset((place[0], middles.get(place, place[1])) for place in new)
    return give_turns(_replaced(rounds, middles), rng, ahead=ahead, new=placed)


def _replaced(rounds: Rounds, groups: Mapping[Placed, Group]) -> GivenRounds:
    """The same rounds with other groups in the place of some."""
    changed = {number for number, _ in groups}
    return tuple(
        tuple([groups.get((number, group), group) for group in some]) if number in changed else tuple(some)
        for number, some in enumerate(rounds, start=1)
    )


# ---- pairs -----------------------------------------------------------------------------------------------------------


def give_turns(
    rounds: Rounds,
    rng: Random,
    *,
    ahead: Mapping[PersonId, int] = NOBODY_AHEAD,
    new: Collection[Placed] | None = None,
) -> GivenRounds:
    """The same groups, of which the new ones (None: all) may be the other way round: only their ends change places.

    Where all groups are new and nobody is ahead, nobody is more than one ahead or behind after any round. Else the
    largest number that anyone is ahead or behind at the end is the least possible.
    """
    new = frozenset(_placed(rounds) if new is None else new)
    # Who is in no new group has no say, so that of a large course only a small part is looked at.
    free = frozenset(chain.from_iterable(group for _, group in new))
    placed = [place for place in _placed(rounds) if not free.isdisjoint(place[1])]
    ends = np.array([(group[0], group[-1]) for _, group in placed], dtype=np.int64).reshape(-1, 2)
    ids, places = np.unique(ends, return_inverse=True)
    places = places.reshape(ends.shape)
    before = np.array([ahead.get(person, 0) if person in free else 0 for person in ids.tolist()], dtype=np.int64)
    given = np.array([place not in new for place in placed], dtype=np.bool_)
    stays = orient(places[:, 0], places[:, 1], rng, ahead=before, given=given)
    return _replaced(
        rounds, {place: place[1][::-1] for place, is_first in zip(placed, stays.tolist(), strict=True) if not is_first}
    )


def _placed(rounds: Rounds) -> list[Placed]:
    return [(number, group) for number, groups in enumerate(rounds, start=1) for group in groups if len(group) > 1]


def orient(left: Places, right: Places, rng: Random, *, ahead: NDArray[np.int64], given: Bools) -> Bools:
    """For each couple (left[i], right[i]), whether `left` goes first. The couples of earlier rounds come first.

    `ahead[place]` is the history; where `given[i]`, `left` goes first as it is. The promises are those of `give_turns`.
    """
    if not len(left):
        return np.zeros(0, dtype=np.bool_)
    people = len(ahead)
    first: Bools = _walk(left, right, ahead, given, rng)[::2] > 0
    firsts, lasts = np.where(first, left, right), np.where(first, right, left)
    stands = ahead + np.bincount(firsts, minlength=people) - np.bincount(lasts, minlength=people)
    if np.ptp(stands) > 2:
        free = np.flatnonzero(~given)[::-1]
        groups = list(zip(firsts[free].tolist(), lasts[free].tolist(), strict=True))
        chosen = [{group[0]} for group in groups]
        Choice(groups.__getitem__, dict(enumerate(stands.tolist())), chosen, step=2).hand_on()
        for at, group, some in zip(free.tolist(), groups, chosen, strict=True):
            first[at] ^= group[0] not in some
    return first


def _walk(first: Places, second: Places, ahead: NDArray[np.int64], given: Bools, rng: Random) -> Signs:
    """A sign for each turn, opposite wherever two turns are opposites of each other. Couple i has turns 2i, 2i + 1."""
    persons = np.stack((first, second), axis=1).ravel().astype(np.int32)
    order = np.argsort(persons, kind="stable").astype(np.int32)
    is_next = persons[order][1:] == persons[order][:-1]
    own, wanted = _own_opposites(order, is_next, ahead[persons[order]], np.repeat(given, 2))
    strand, leading, votes = _strands(own, wanted, given)
    signs = np.empty(len(own), dtype=np.int8)
    signs[::2], signs[1::2] = leading, -leading
    strand = np.repeat(strand, 2)
    flip = _flips(signs, strand, votes, (order[:-1][is_next], order[1:][is_next]), rng)
    free = strand >= 0
    signs[free] *= flip[strand[free]]
    return signs


def _own_opposites(
    order: NDArray[np.int32], is_next: Bools, ahead: NDArray[np.int64], given: Bools
) -> tuple[NDArray[np.int32], Signs]:
    """For each turn, its opposite of the same person or -1; and the sign that it should have where that is known.

    `order` lists the turns person by person, in time. After the turns that make up for a history, two and two; one that
    is left over at the end makes up for a history of one.
    """
    own = np.full(len(order), NONE, dtype=np.int32)
    wanted = np.zeros(len(order), dtype=np.int8)
    starts = np.flatnonzero(np.append(True, ~is_next))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order)))) - np.abs(ahead) // 2 * 2
    begins = (rank >= 0) & (rank % 2 == 0)
    is_over = begins & np.append(~is_next, True)
    wanted[order] = -np.sign(ahead) * ((rank < 0) | (is_over & (ahead % 2 == 1)))
    begins = np.flatnonzero(begins & ~is_over)
    left, right = order[begins], order[begins + 1]
    free = ~given[left] & ~given[right]
    own[left[free]], own[right[free]] = right[free], left[free]
    for known, open_ in ((left, right), (right, left)):
        pulls = given[known] & ~given[open_]
        wanted[open_[pulls]] = np.where(known[pulls] % 2, 1, -1)
    return own, wanted


def _strands(own: NDArray[np.int32], wanted: Signs, given: Bools) -> tuple[NDArray[np.int32], Signs, list[int]]:
    """The paths and cycles: for each couple its strand (-1: given) and sign along it; for each strand what is wished.

    A plain loop over memory views: faster than pointer jumping in numpy, because the strands are long, and it makes
    no list of a million numbers.
    """
    couples = len(own) // 2
    strand = np.full(couples, -2, dtype=np.int32)
    strand[given] = -1
    leading = np.ones(couples, dtype=np.int8)
    follow, wishes, seen, sign = own.data, wanted.data, strand.data, leading.data
    votes: list[int] = []
    ends = np.flatnonzero((own < 0) & ~np.repeat(given, 2)).tolist()
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
    signs: Signs, strand: NDArray[np.int32], votes: list[int], neighbors: tuple[Places, Places], rng: Random
) -> Signs:
    """For each strand, whether to turn it round (-1): as its ends wish, else so that roles change more often.

    A strand has no say where it meets itself; where it meets a strand that is decided, fewer people keep their role.
    """
    before, after = neighbors
    known = (strand[before] >= 0) & (strand[after] >= 0) & (strand[before] != strand[after])
    before, after = before[known], after[known]
    pairs = strand[before].astype(np.int64) * len(votes) + strand[after]
    keys, inverse = np.unique(pairs, return_inverse=True)
    weights = np.bincount(inverse, signs[before] * signs[after], minlength=len(keys))
    beside: dict[int, list[tuple[int, float]]] = {}
    for key, weight in zip(keys.tolist(), weights.tolist(), strict=True):
        left, right = divmod(key, len(votes))
        beside.setdefault(left, []).append((right, weight))
        beside.setdefault(right, []).append((left, weight))
    decided = [(vote > 0) - (vote < 0) for vote in votes]
    for number, sign in enumerate(decided):
        if not sign:
            pull = -sum(decided[near] * weight for near, weight in beside.get(number, ()))
            decided[number] = (1 if pull > 0 else -1) if pull else rng.choice((1, -1))
    return np.array(decided, dtype=np.int8)


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
    stands = balance(rounds)
    stands.update(ahead)
    if all(abs(stands[person]) < TOO_FAR for person in people):
        return tuple(rounds)
    before = [place for place in _placed(rounds) if place[0] in numbers and place not in fixed][::-1]
    groups = [group for _, group in before]
    for sign, end in ((1, 0), (-1, -1)):
        counts, chosen = (
            Counter({person: sign * times for person, times in stands.items()}),
            [{group[end]} for group in groups],
        )
        choice = Choice(lambda number: (groups[number][0], groups[number][-1]), counts, chosen, step=2)
        for person in sorted(people, key=lambda person: (-counts[person], person)):
            while counts[person] >= TOO_FAR and (turned := choice.relieve(person)):
                for number in turned:
                    groups[number] = groups[number][::-1]
        stands = Counter({person: sign * times for person, times in counts.items()})
    return _replaced(rounds, {place: group for place, group in zip(before, groups, strict=True) if place[1] != group})


# ---- chosen evenly ---------------------------------------------------------------------------------------------------


class Choice:
    """Some members of each group are chosen; `counts` says how often everyone is, in steps of `step`."""

    def __init__(
        self,
        members: Callable[[int], Iterable[int]],
        counts: dict[int, int],
        chosen: list[set[int]],
        step: int = 1,
    ) -> None:
        """`members`: everyone in the group of a number. `chosen`: those of each group that are chosen."""
        self.members, self.counts, self.chosen, self.step = members, counts, chosen, step
        self.held: dict[int, dict[int, None]] = {}
        """For each person the groups in which they are chosen."""
        for number, some in enumerate(chosen):
            for person in some:
                self.held.setdefault(person, {})[number] = None
        self.stuck: set[int] = set()
        """From whom no chain leads to someone who was chosen less."""

    def hand_on(self, most: int | None = None) -> None:
        """Afterwards nobody is chosen a step more often than someone whom a chain of groups could relieve them by.

        `most`: only people are relieved who are chosen more often than that. Those who were chosen most come first:
        whoever is stuck for them is stuck for everyone after them.
        """
        counts = self.counts
        least = min(counts.values(), default=0) + self.step if most is None else most
        for many in range(max(counts.values(), default=0), least, -1):
            for start in [person for person, times in counts.items() if times == many]:
                if start not in self.stuck:
                    self.relieve(start)

    def relieve(self, start: int) -> list[int]:
        """Hand one choice on from here to someone who was chosen less by more than a step, if a chain leads to them.

        The chain is as short as can be. Returns the numbers of its groups.
        """
        came_from: dict[int, tuple[int, int]] = {}
        reached = [start]
        for giver in reached:
            for number in self.held.get(giver, ()):
                chosen = self.chosen[number]
                for taker in self.members(number):
                    if taker in chosen or taker in came_from or taker in self.stuck or taker == start:
                        continue
                    came_from[taker] = giver, number
                    reached.append(taker)
                    if self.counts[taker] < self.counts[start] - self.step:
                        return self._hand_over(taker, start, came_from)
        self.stuck.update(reached)
        return []

    def _hand_over(self, end: int, start: int, came_from: Mapping[int, tuple[int, int]]) -> list[int]:
        self.counts[end] += self.step
        self.counts[start] -= self.step
        changed = []
        while end != start:
            giver, number = came_from[end]
            self.chosen[number].remove(giver)
            self.chosen[number].add(end)
            del self.held[giver][number]
            self.held.setdefault(end, {})[number] = None
            changed.append(number)
            end = giver
        return changed


def choose_evenly(
    groups: Sequence[Group],
    quota: Sequence[int],
    rng: Random,
    before: Mapping[PersonId, int],
    first: Mapping[PersonId, int] = NOBODY_AHEAD,
) -> list[Group]:
    """For each group, which `quota[i]` of its members are chosen; `before` is how often each was chosen earlier.

    Then nobody is chosen twice more often than someone whom a chain of hand-overs could relieve them by; where the
    groups allow it, all counts differ by at most person. Among equals the smallest of `first` comes first, then chance.
    """
    people = sorted({person for group in groups for person in group})
    lot = dict(zip(people, rng.sample(range(len(people)), k=len(people)), strict=True))
    counts, chosen = {person: before.get(person, 0) for person in people}, []
    for group, wanted in zip(groups, quota, strict=True):
        order = sorted(group, key=lambda person: (counts[person], first.get(person, 0), lot[person]))
        chosen.append(set(order[:wanted]))
        counts.update({person: counts[person] + 1 for person in order[:wanted]})
    Choice(groups.__getitem__, counts, chosen).hand_on()
    return [tuple(person for person in group if person in some) for group, some in zip(groups, chosen, strict=True)]


def _middles(new: Sequence[Placed], given: Sequence[Placed], rng: Random) -> dict[Placed, Group]:
    """Groups of more than two with those in the middle who were there least."""
    larger = [place for place in new if len(place[1]) > 2]
    before = Counter(chain.from_iterable(group[1:-1] for _, group in given if len(group) > 2))
    chosen = choose_evenly([group for _, group in larger], [len(group) - 2 for _, group in larger], rng, before)
    result = {}
    for place, middle in zip(larger, chosen, strict=True):
        first, last = (person for person in place[1] if person not in middle)
        result[place] = (first, *middle, last)
    return result


def _cases(
    new: Sequence[Placed], given: Sequence[Placed], rng: Random, ahead: Mapping[PersonId, int]
) -> dict[Placed, Group]:
    """Circles in order of turn: the first brings the case, the others come by how often they were first so far."""
    counts = Counter(ahead)
    counts.update(group[0] for _, group in given)
    firsts = choose_evenly([group for _, group in new], [1] * len(new), rng, counts)
    result = {}
    for place, (first,) in zip(new, firsts, strict=True):
        others = sorted((person for person in place[1] if person != first), key=lambda person: (counts[person], person))
        result[place] = (first, *others)
        counts[first] += 1
    return result


# ---- rings -----------------------------------------------------------------------------------------------------------

Watching = Counter[tuple[PersonId, PersonId]]
"""How often the first observed the second."""


def observations(group: Group) -> list[tuple[PersonId, PersonId]]:
    """Who observes whom in this ring: (observer, observed). Two people observe each other."""
    return [*pairwise(group), (group[-1], group[0])]


def _rings(new: Sequence[Placed], given: Sequence[Placed], rng: Random) -> dict[Placed, Group]:
    """Rings in order: each observes the next and the last the first. In turn each begins.

    Nobody observes the same person again where another order avoids it.
    """
    watched = Watching(chain.from_iterable(observations(group) for _, group in given))
    ordered = [_in_a_ring(group, watched) for _, group in new]
    firsts = choose_evenly(ordered, [1] * len(ordered), rng, Counter(group[0] for _, group in given))
    starts = (group.index(first) for group, (first,) in zip(ordered, firsts, strict=True))
    return {place: group[at:] + group[:at] for place, group, at in zip(new, ordered, starts, strict=True)}


def _in_a_ring(group: Group, watched: Watching) -> Group:
    """The group in the order in which fewest observe someone whom they observed before; notes it in `watched`.

    Of equal orders, the one in which fewest are observed by someone whom they observed. All orders are tried: 720 for
    a group of seven.
    """

    def cost(order: Group) -> tuple[int, int, Group]:
        couples = observations(order)
        return sum(watched[couple] for couple in couples), sum(watched[right, left] for left, right in couples), order

    first, *others = sorted(group)
    best = tuple(group)
    if any(watched[left, right] for left in group for right in group):
        best = min(((first, *rest) for rest in permutations(others)), key=cost)
    watched.update(observations(best))
    return best
