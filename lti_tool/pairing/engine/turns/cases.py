"""Who brings the case in a circle, and who observes in a trio: as evenly as the groups allow.

Each group chooses some of its members. First those who were chosen least; then, as long as somebody was chosen two
times more often than another, along a chain of groups in which each hands the choice on (Harvey, Ladner, Lovász and
Tamir 2006: no chain is left only when no choice is more even).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from random import Random

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.schedule import Group
from lti_tool.pairing.engine.turns.giving import give_turns
from lti_tool.pairing.engine.turns.rings import Watching, in_a_ring

Rounds = Sequence[Sequence[Group]]


def choose_evenly(
    groups: Sequence[Group], quota: Sequence[int], rng: Random, before: Mapping[PersonId, int]
) -> list[Group]:
    """For each group, which `quota[i]` of its members are chosen; `before` is how often each was chosen earlier.

    Then nobody is chosen twice more often than somebody whom a chain of hand-overs could relieve them by; where the
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
        """From whom no chain leads to somebody who was chosen less."""

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
        """Those who were chosen most come first: whoever is stuck for them is stuck for everybody after them."""
        counts = self.counts
        for most in range(max(counts.values(), default=0), min(counts.values(), default=0) + 1, -1):
            for start in [one for one, times in counts.items() if times == most and one not in self.stuck]:
                self._relieve(start)

    def _relieve(self, start: PersonId) -> None:
        """Hand one choice on from here to somebody who was chosen at least two times less, if a chain leads there."""
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
