"""A second look at the rounds of a small course: what is best for one round can be dear for a later one.

Two rounds at a time are planned anew, the first with chance in place of wishes, so that the second gets another
choice. What is not worse is kept (a large neighbourhood search: Shaw 1998).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.pairs.everybody import everybody_meets
from lti_tool.pairing.engine.pairs.programme import Programme
from lti_tool.pairing.engine.pairs.rounds import EXACT
from lti_tool.pairing.engine.pairs.seated import Memory, Seated, meetings
from lti_tool.pairing.engine.people import Points

FEW: Final = 32
"""Up to so many people there are as many looks as the steps say; with twice as many people, half as many."""


class Cost(NamedTuple):
    """What is wrong with all rounds together, the gravest first; of two plans the smaller cost is the better plan."""

    unpaired: int
    left_out_again: int
    repeats: int
    more_than_twice: int
    """How much more the repeats weigh when a couple's second counts twice, its third three times …"""
    lack: int
    """Points below 0."""


def all_rounds(programme: Programme) -> list[Seated]:
    """The rounds of a course: in a circle where that is best, else one by one and then looked at once more."""
    couples, rounds = programme.couples, len(programme.locked)
    before = Memory.of(couples)
    in_a_circle = None if any(programme.locked) else everybody_meets(couples, rounds, programme.rng)
    # An even number of people in a circle has no repeat that can be avoided; of an odd number the third may have one.
    is_even = len(couples) % 2 == 0
    if in_a_circle and not couples.course.wishes and (is_even or not cost_of(couples, before, in_a_circle).repeats):
        return in_a_circle
    found = programme.one_by_one()
    if in_a_circle and cost_of(couples, before, in_a_circle) < cost_of(couples, before, found):
        found = in_a_circle
    if len(couples) > EXACT or rounds < 2:
        return found
    return _reconsidered(programme, before, found)


def _reconsidered(programme: Programme, before: Memory, rounds: list[Seated]) -> list[Seated]:
    """The same rounds or better ones, after as many looks as the steps say."""
    couples, rng = programme.couples, programme.rng
    cost = cost_of(couples, before, rounds)
    least = _least_repeats(couples, before, len(rounds))
    for _ in range(programme.steps.looks * FEW // max(FEW, len(couples))):
        # Who is unpaired depends on the rounds before only where nobody may meet again.
        if (cost.unpaired == 0 or not couples.never_again) and cost.repeats <= least:
            break
        first, second = _two(couples, before, rounds, rng)
        tried = rounds.copy()
        for number, without in ((first, {first, second}), (second, {second}), (first, {first})):
            tried[number] = _anew(programme, before, tried, number, without)
        found = cost_of(couples, before, tried)
        if found <= cost:
            rounds, cost = tried, found
    return _settled(programme, before, rounds) if couples.never_again and cost.unpaired else rounds


def _anew(programme: Programme, before: Memory, rounds: list[Seated], number: int, without: set[int]) -> Seated:
    """A round as it is best beside the others, but for those in `without`, of which it is one itself."""
    memory = before.also(programme.couples, [seated for at, seated in enumerate(rounds) if at not in without])
    trios = rounds[number].trios
    return programme.round(
        number,
        memory,
        undecided=sorted(without - {number}),
        third=trios[0].third if trios else None,
        scattered=len(without) > 1,
    )


def _settled(programme: Programme, before: Memory, rounds: list[Seated]) -> list[Seated]:
    """Rounds in each of which nobody more could be paired beside the others.

    A round that was planned anew may have left couples to others who had to do without them.
    """
    cost = cost_of(programme.couples, before, rounds)
    number = 0
    while number < len(rounds):
        tried = rounds.copy()
        tried[number] = _anew(programme, before, rounds, number, {number})
        found = cost_of(programme.couples, before, tried)
        if found.unpaired < cost.unpaired:
            rounds, cost, number = tried, found, 0
        else:
            number += 1
    return rounds


def cost_of(couples: Couples, before: Memory, rounds: Sequence[Seated]) -> Cost:
    """What all these rounds cost after what was before them."""
    together = [meetings(seated) for seated in rounds]
    one, other = (np.concatenate(side) for side in zip(*together, strict=True))
    keys = np.unique(couples.keys(one, other), return_index=True, return_counts=True)
    earlier = before.met.times(one[keys[1]], other[keys[1]])
    times = keys[2]
    alone = np.concatenate([seated.alone for seated in rounds])
    again = before.left_out + np.bincount(alone, minlength=len(couples))
    return Cost(
        len(alone),
        int((again * (again - 1) // 2).sum()),
        int(np.where(earlier > 0, times, times - 1).sum()),
        int((times * (2 * earlier + times - 1) // 2).sum()),
        -int(couples.points(one, other).sum()),
    )


def _two(couples: Couples, before: Memory, rounds: Sequence[Seated], rng: np.random.Generator) -> tuple[int, int]:
    """Two rounds by lot, one of which has a repeat or somebody who is left over."""
    memory = before.also(couples, rounds)
    faulty = []
    for number, seated in enumerate(rounds):
        one, other = meetings(seated)
        if len(seated.alone) or (memory.met.times(one, other) > 1).any():
            faulty.append(number)
    first = int(rng.choice(faulty)) if faulty else int(rng.integers(len(rounds)))
    second = int(rng.integers(len(rounds) - 1))
    return first, second + (second >= first)


def _least_repeats(couples: Couples, before: Memory, rounds: int) -> int:
    """So many there are in any plan in which nobody is left out: who has fewer new partners than rounds meets again."""
    people = len(couples)
    one, other = np.triu_indices(people, 1)
    new = couples.allowed(one, other) & (before.met.times(one, other) == 0)
    partners: Points = np.bincount(np.concatenate((one[new], other[new])), minlength=people)
    return -(-int(np.maximum(rounds - partners, 0).sum()) // 2)
