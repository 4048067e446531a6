"""All rounds of a course at once."""

from collections.abc import Iterable
from itertools import pairwise
from random import Random

import numpy as np

from lti_tool.pairing.engine.compiled import Couples
from lti_tool.pairing.engine.course import Course, Kind
from lti_tool.pairing.engine.effort import Effort
from lti_tool.pairing.engine.errors import ImpossibleRequest, ListedTwice, ShapeImpossible, UnknownPerson
from lti_tool.pairing.engine.pairs.locking import locked_groups
from lti_tool.pairing.engine.pairs.programme import Programme
from lti_tool.pairing.engine.pairs.reconsidering import all_rounds
from lti_tool.pairing.engine.pairs.seated import Memory, Seated, with_thirds
from lti_tool.pairing.engine.people import Places
from lti_tool.pairing.engine.schedule import Group, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns.giving import orient

NAME = "tandem/2"
"""Name and version of this engine, stored with every plan that it made."""


def plan(course: Course, rounds: int, seed: int, *, effort: Effort = Effort.NORMAL, improve: bool = False) -> Schedule:
    """Groups for every round, in the order of importance that the product promises.

    Rules and locks hold. As few people as possible are unpaired, and where somebody is, a proof shows why; of those,
    people who were left out before come first. Then as few meetings as possible are repeats, and then wishes count.
    Who is locked together in a later one of these rounds counts as having met before.
    Of an even number of up to 320 people in pairs each round is the best there is, given the rounds before it, and of
    up to 1,024 where `Effort.steps` says so; beyond, `effort` says how long better couples are looked for. An odd
    number has one trio a round, and the same is true of up to 15 people; of more, some are tried as its third. Nobody
    is the third more often than the trios of all rounds ask for. Each person goes first as often as last, at most one
    more or less, after every round.

    The same course and seed give the same schedule, whatever the order in which people, couples and locks are listed.
    `improve` lets the optional improver look at all rounds together. Raises ImpossibleRequest: no rounds, people
    listed twice, locks that contradict each other or a rule.
    """
    _check(course, rounds)
    if course.shape.kind is not Kind.PAIRS:
        from lti_tool.pairing.engine.circles.planning import plan_circles  # noqa: PLC0415 - a plan of pairs does without

        return plan_circles(course, rounds, seed)
    couples = Couples(course)
    locked = locked_groups(couples, rounds)
    rng = np.random.default_rng([abs(seed), int(seed < 0)])
    programme = Programme(couples, locked, effort.steps(len(couples), rounds), rng)
    seated = all_rounds(programme)
    found = Schedule(
        _in_turn(couples, with_thirds(seated, Memory.of(couples).trios), Random(seed)),  # noqa: S311 - chance that must be repeatable, and guards nothing
        tuple(_unpaired(couples, seated)),
        course,
        seed,
        NAME,
        tuple(_proofs(programme, seated)),
    )
    if improve:
        from lti_tool.pairing.engine.improver.improving import improve as improved  # noqa: PLC0415 - an optional extra

        return improved(found)
    return found


def check_locks(course: Course, rounds: int) -> None:
    """Raise ImpossibleRequest where locks contradict each other, a rule or the shape. Looks for no groups."""
    if course.shape.kind is Kind.PAIRS:
        locked_groups(Couples(course), rounds)
    else:
        from lti_tool.pairing.engine.circles.seats import set_tables  # noqa: PLC0415 - a plan of pairs does without

        set_tables(Couples(course), rounds)


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


def _in_turn(couples: Couples, seated: list[Seated], rng: Random) -> tuple[tuple[Group, ...], ...]:
    """The groups of all rounds with their members in order of turn: couples by their smaller place, then a trio."""
    ends = [_ends(one) for one in seated]
    one, other = (np.concatenate(side) for side in zip(*ends, strict=True))
    ids = sorted(couples.course.people)
    ahead = [couples.course.ahead.get(person, 0) for person in ids] if couples.course.ahead else [0] * len(ids)
    stays = orient(one, other, rng, ahead=np.array(ahead, dtype=np.int64))
    del one, other
    found = []
    start = 0
    for sits, (left, right) in zip(seated, ends, strict=True):
        stay = stays[start : start + len(left)]
        start += len(left)
        first, last = np.where(stay, left, right).tolist(), np.where(stay, right, left).tolist()
        groups: list[Group] = [(ids[a], ids[b]) for a, b in zip(first, last, strict=True)]
        for at, trio in enumerate(sits.trios, start=len(sits.one)):
            groups[at] = (groups[at][0], ids[trio.third], groups[at][1])
        found.append(tuple(groups))
    return tuple(found)


def _ends(seated: Seated) -> tuple[Places, Places]:
    """First and last member of every group, trios at the end, before turns are given."""
    if not seated.trios:
        return seated.one, seated.other
    first = np.array([trio.first for trio in seated.trios], dtype=np.int64)
    last = np.array([trio.last for trio in seated.trios], dtype=np.int64)
    return np.concatenate((seated.one, first)), np.concatenate((seated.other, last))


def _unpaired(couples: Couples, seated: list[Seated]) -> Iterable[Unpaired]:
    for number, round_ in enumerate(seated, start=1):
        for place in round_.alone.tolist():
            reason = Reason.TOO_FEW_PARTNERS if len(couples.partners(place)) else Reason.NOBODY_ALLOWED
            if len(couples) == 1:
                reason = Reason.NOBODY_ELSE
            yield Unpaired(int(couples.people.ids[place]), number, reason)


def _proofs(programme: Programme, seated: list[Seated]) -> Iterable[Proof]:
    ids = programme.couples.people.ids
    for number, one in enumerate(seated):
        if len(one.alone) and len(ids) > 1:
            yield Proof(number + 1, tuple(ids[programme.barrier(number, seated)].tolist()))
