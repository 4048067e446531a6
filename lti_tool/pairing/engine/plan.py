"""All rounds of a course at once."""

from collections.abc import Iterable
from itertools import pairwise
from random import Random

import numpy as np

from lti_tool.pairing.engine import improver
from lti_tool.pairing.engine.circles import plan_circles
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.course import Course, Kind
from lti_tool.pairing.engine.errors import ImpossibleRequest, ListedTwice, ShapeImpossible, UnknownPerson
from lti_tool.pairing.engine.locks import locked_groups
from lti_tool.pairing.engine.pairs import History, Paired
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.rounds import Rounds, with_thirds
from lti_tool.pairing.engine.schedule import NAME, Group, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns import orient


def plan(course: Course, rounds: int, seed: int, *, improve: bool = False) -> Schedule:
    """Groups for every round, in the order of importance that the product promises.

    Rules and locks hold. As few people as possible are unpaired, and where someone is, a proof shows why; of those,
    people who were left out before come first. Then as few meetings as possible are repeats, and then wishes count.
    Who is locked together in a later one of these rounds counts as having met before.
    Of an even number of up to 320 people in pairs each round is the best there is, given the rounds before it. An odd
    number has one trio a round, and the same is true of up to 15 people; of more, some are tried as its third. Nobody
    is the third more often than the trios of all rounds ask for. Each person goes first as often as last, at most one
    more or less, after every round.

    The same course and seed give the same schedule, whatever the order in which people, couples and locks are listed.
    `improve` lets the optional improver look at all rounds together. Raises ImpossibleRequest: no rounds, people
    listed twice, locks that contradict each other or a rule.
    """
    _check(course, rounds)
    if course.shape.kind is not Kind.PAIRS:
        return plan_circles(course, rounds, seed)
    couples = Couples(course)
    planner = Rounds(couples, locked_groups(couples, rounds), np.random.default_rng([abs(seed), int(seed < 0)]))
    found = planner.planned()
    schedule = Schedule(
        _in_turn(couples, with_thirds(found, History.of(couples).trios), Random(seed)),
        tuple(_unpaired(couples, found)),
        course,
        seed,
        NAME,
        tuple(_proofs(planner, found)),
    )
    return improver.improve(schedule) if improve else schedule


def check_locks(course: Course, rounds: int) -> None:
    """Raise ImpossibleRequest where locks contradict each other, a rule or the shape. Looks for no groups."""
    locked_groups(Couples(course), rounds)


def _check(course: Course, rounds: int) -> None:
    if rounds < 1:
        raise ImpossibleRequest(rounds)
    people = sorted(course.people)
    twice = sorted({one for one, other in pairwise(people) if one == other})
    if twice:
        raise ListedTwice(tuple(twice))
    if people and people[0] < 0:
        raise UnknownPerson(tuple(one for one in people if one < 0))
    if course.shape.kind is Kind.PAIRS and course.shape.size != 2:
        raise ShapeImpossible(course.shape.kind, course.shape.size)


def _in_turn(couples: Couples, paired: list[Paired], rng: Random) -> tuple[tuple[Group, ...], ...]:
    """The groups of all rounds with their members in order of turn: couples by their smaller place, then a trio."""
    ends = [_ends(one) for one in paired]
    one, other = (np.concatenate(side) for side in zip(*ends, strict=True))
    ids = sorted(couples.course.people)
    ahead = np.array([couples.course.ahead.get(person, 0) for person in ids], dtype=np.int64)
    stays = orient(one, other, rng, ahead=ahead)
    del one, other
    found = []
    start = 0
    for together, (left, right) in zip(paired, ends, strict=True):
        stay = stays[start : start + len(left)]
        start += len(left)
        first, last = np.where(stay, left, right).tolist(), np.where(stay, right, left).tolist()
        groups: list[Group] = [(ids[a], ids[b]) for a, b in zip(first, last, strict=True)]
        for at, trio in enumerate(together.trios, start=len(together.one)):
            groups[at] = (groups[at][0], ids[trio.third], groups[at][1])
        found.append(tuple(groups))
    return tuple(found)


def _ends(paired: Paired) -> tuple[Places, Places]:
    """First and last member of every group, trios at the end, before turns are given."""
    first = np.array([trio.first for trio in paired.trios], dtype=np.int64)
    last = np.array([trio.last for trio in paired.trios], dtype=np.int64)
    return np.concatenate((paired.one, first)), np.concatenate((paired.other, last))


def _unpaired(couples: Couples, rounds: list[Paired]) -> Iterable[Unpaired]:
    for number, paired in enumerate(rounds, start=1):
        for place in paired.alone.tolist():
            reason = Reason.TOO_FEW_PARTNERS if len(couples.partners(place)) else Reason.NOBODY_ALLOWED
            if len(couples) == 1:
                reason = Reason.NOBODY_ELSE
            yield Unpaired(int(couples.people.ids[place]), number, reason)


def _proofs(planner: Rounds, rounds: list[Paired]) -> Iterable[Proof]:
    ids = planner.couples.people.ids
    for number, paired in enumerate(rounds):
        if len(paired.alone) and len(ids) > 1:
            yield Proof(number + 1, tuple(ids[planner.barrier(number, rounds)].tolist()))
