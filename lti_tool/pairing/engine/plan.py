"""All rounds of a course at once."""

from collections.abc import Collection
from itertools import pairwise
from random import Random
from typing import Final

import numpy as np

from lti_tool.pairing.engine.circles import Circles
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.locks import locked_groups
from lti_tool.pairing.engine.problem import (
    NAME,
    Course,
    ImpossibleRequest,
    Kind,
    ListedTwice,
    Proof,
    Reason,
    Schedule,
    ShapeImpossible,
    UnknownPerson,
    Unpaired,
)
from lti_tool.pairing.engine.rounds import Rounds
from lti_tool.pairing.engine.turns import take_turns

SIZES: Final[dict[Kind, Collection[int]]] = {
    Kind.PAIRS: (2,),
    Kind.TRIOS: (3,),
    Kind.CIRCLES: range(3, 7),
    Kind.RINGS: range(3, 7),
}


def plan(course: Course, rounds: int, seed: int) -> Schedule:
    """Groups for every round, in the order of importance that the product promises.

    Rules and locks hold. As few people as possible are unpaired, and where someone is, a proof shows why; of those,
    people who were left out before come first. Then as few meetings as possible are repeats, and then wishes count.
    Who is locked together in a later one of these rounds counts as having met before.
    Of an even number of up to 320 people in pairs each round is the best there is, given the rounds before it. An odd
    number has one trio a round, and the same is true of up to 15 people; of more, some are tried as its third. Nobody
    is the third more often than the trios of all rounds ask for. Each person goes first as often as last, at most one
    more or less, after every round.

    Trios, circles and rings: sizes are those of `group_sizes`, and rules and locks hold between all members. Someone is
    unpaired only if no group was found that takes them, which is not a proof; to avoid that, groups of any size from
    two to one more than asked for are made.

    The same course and seed give the same schedule, whatever the order in which people, couples and locks are listed.
    Raises ImpossibleRequest: no rounds, people listed twice, locks that contradict each other or a rule.
    """
    _check(course, rounds)
    couples = Couples(course)
    locked, rng = locked_groups(couples, rounds), np.random.default_rng([abs(seed), int(seed < 0)])
    proofs: tuple[Proof, ...] = ()
    if course.shape.kind is Kind.PAIRS:
        planner = Rounds(couples, locked, rng)
        planned = planner.planned()
        turned, proofs = planner.turned(planned, Random(seed)), planner.proofs(planned)
    else:
        planned = Circles(couples, locked, rng).planned()
        groups = [tuple(couples.ids(group) for group in row.members) for row in planned]
        formed = [(number, group) for number, row in enumerate(groups, start=1) for group in row]
        turned = take_turns(groups, formed, course.shape.kind, course.ahead, seed)
    otherwise = Reason.TOO_FEW_PARTNERS if course.shape.kind is Kind.PAIRS else Reason.NONE_BETTER_FOUND
    unpaired = tuple(
        Unpaired(couples.ids((place,))[0], number, couples.reason(place, otherwise))
        for number, row in enumerate(planned, start=1)
        for place in np.flatnonzero(row.sizes == 1).tolist()
    )
    return Schedule(turned, unpaired, course, seed, NAME, proofs)


def check_locks(course: Course, rounds: int) -> None:
    """Raise ImpossibleRequest where locks contradict each other, a rule or the shape. Looks for no groups."""
    locked_groups(Couples(course), rounds)


def _check(course: Course, rounds: int) -> None:
    kind, size, people = course.shape.kind, course.shape.size, sorted(course.people)
    if rounds < 1:
        raise ImpossibleRequest(rounds)
    if twice := tuple(sorted({first for first, second in pairwise(people) if first == second})):
        raise ListedTwice(twice)
    if people and people[0] < 0:
        raise UnknownPerson(tuple(person for person in people if person < 0))
    if size not in SIZES[kind]:
        raise ShapeImpossible(kind, size)
