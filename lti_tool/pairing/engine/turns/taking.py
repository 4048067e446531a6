"""The turns of groups that a repair has formed, beside groups that keep theirs."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from random import Random
from typing import Final

import numpy as np

from lti_tool.pairing.engine.course import Kind, PersonId
from lti_tool.pairing.engine.schedule import Group, Placed
from lti_tool.pairing.engine.turns.giving import orient
from lti_tool.pairing.engine.turns.rings import Watching, in_a_ring, observations

MOST_LOOKED_AT: Final = 1_000
"""Among the partners of so many people, at most, those are looked for who make up for others: 10 milliseconds."""
ENDS: Final = (itemgetter(0), itemgetter(-1))
Rounds = tuple[tuple[Group, ...], ...]


def take_turns(
    rounds: Sequence[tuple[Group, ...]],
    formed: Collection[Placed],
    kind: Kind,
    ahead: Mapping[PersonId, int],
    seed: int,
) -> Rounds:
    """The same rounds with the members of the formed groups in order of turn; all other groups stay as they are.

    Pairs and trios: the largest number that anybody is ahead or behind at the end is the least possible (`turns`); in
    the middle, where nobody has a turn, is who was there least. Circles: who brought a case least often begins. Rings:
    as few as possible observe somebody whom they observe in another round.
    """
    new = frozenset(formed)
    if kind is Kind.CIRCLES:
        return _cases(rounds, new)
    if kind is Kind.RINGS:
        return _rings(rounds, new)
    return _ends(rounds, new, ahead, seed)


def _ends(
    rounds: Sequence[tuple[Group, ...]], new: frozenset[Placed], ahead: Mapping[PersonId, int], seed: int
) -> Rounds:
    """Who is in no new group has no say, so that of a large course only a small part is looked at."""
    concerned = frozenset(chain.from_iterable(group for _, group in new))
    placed = [
        (index, group)
        for index, groups in enumerate(rounds)
        for group in groups
        if not concerned.isdisjoint(group) and len(group) > 1
    ]
    seated = _with_middles(placed, new)
    # A turn beside somebody of concern belongs to a person of its own, whose other turns are not known here.
    others = (-1 - number for number in range(2 * len(seated)))
    ends = np.array(
        [[one if one in concerned else next(others) for one in (group[0], group[-1])] for group in seated],
        dtype=np.int64,
    ).reshape(-1, 2)
    ids, places = np.unique(ends, return_inverse=True)
    places = places.reshape(ends.shape)
    before = np.array([ahead.get(one, 0) for one in ids.tolist()], dtype=np.int64)
    given = np.array([(index + 1, group) not in new for index, group in placed], dtype=np.bool_)
    chance = Random(seed)  # noqa: S311 - chance that must be repeatable, and guards nothing
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
) -> Rounds:
    """The same groups, some of them the other way round, so that none of these people is two ahead or behind.

    Somebody who went first too often lets the last of a group go first; that one does the same in another group if need
    be, and so on to somebody who was behind. As few groups as possible are turned for each, in these rounds and none of
    those that are fixed; where there is no such way, turns stay as they are.
    """
    firsts, lasts = ([dict(zip(map(end, groups), groups, strict=True)) for groups in rounds] for end in ENDS)
    times_first, times_last = (Counter(chain.from_iterable(ends)) for ends in (firsts, lasts))
    turned: set[int] = set()
    looked_at = iter(range(MOST_LOOKED_AT))

    def stands(person: PersonId) -> int:
        return ahead.get(person, 0) + times_first[person] - times_last[person]

    def way(start: PersonId, sign: int) -> list[tuple[int, Group]]:
        """Groups to turn, from somebody who is ahead (behind, where the sign is -1) to somebody who is not even."""
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


def _cases(rounds: Sequence[tuple[Group, ...]], new: frozenset[Placed]) -> Rounds:
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


def _rings(rounds: Sequence[tuple[Group, ...]], new: frozenset[Placed]) -> Rounds:
    watched: Watching = Counter()
    for number, groups in enumerate(rounds, start=1):
        for group in groups:
            if (number, group) not in new:
                watched.update(observations(group))
    return tuple(
        tuple(in_a_ring(group, watched) if (number, group) in new else group for group in groups)
        for number, groups in enumerate(rounds, start=1)
    )
