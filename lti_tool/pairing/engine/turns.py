"""Who is observed first.

Every turn is a +1 (first) or a -1 (last); the middle of a trio is 0. Two kinds of couples must differ: the first and
last of a group, and a person's own 1st and 2nd, 3rd and 4th … turn. Each kind alone gives every turn at most one such
opposite, so together they form paths and cycles that change kind at each step: the cycles are even, and walking along
with alternating signs always succeeds. So nobody is ever more than one ahead or behind, after any round, whatever
the groups are.
"""

from collections import defaultdict
from random import Random

from lti_tool.pairing.engine.course import PersonId
from lti_tool.pairing.engine.schedule import Group


def give_turns(rounds: list[list[Group]], rng: Random) -> tuple[tuple[Group, ...], ...]:
    """The same groups with their members in order of turn. The middle member of a trio stays in the middle."""
    opposites: dict[tuple[PersonId, int], list[tuple[PersonId, int]]] = defaultdict(list)
    waiting: dict[PersonId, tuple[PersonId, int]] = {}
    for number, groups in enumerate(rounds):
        for group in groups:
            ends = (group[0], number), (group[-1], number)
            opposites[ends[0]].append(ends[1])
            opposites[ends[1]].append(ends[0])
            for turn in ends:
                earlier = waiting.pop(turn[0], None)
                if earlier is None:
                    waiting[turn[0]] = turn
                else:
                    opposites[earlier].append(turn)
                    opposites[turn].append(earlier)
    signs: dict[tuple[PersonId, int], int] = {}
    for start in opposites:
        if start in signs:
            continue
        signs[start] = rng.choice((1, -1))
        reached = [start]
        while reached:
            turn = reached.pop()
            for other in opposites[turn]:
                if other not in signs:
                    signs[other] = -signs[turn]
                    reached.append(other)
    return tuple(
        tuple(group if signs[group[0], number] > 0 else group[::-1] for group in groups)
        for number, groups in enumerate(rounds)
    )
