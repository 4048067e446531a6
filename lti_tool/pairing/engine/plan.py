"""All rounds of a course at once."""

from itertools import pairwise

import numpy as np

from lti_tool.pairing.engine import improver
from lti_tool.pairing.engine.circles import plan_circles
from lti_tool.pairing.engine.couples import Couples
from lti_tool.pairing.engine.locks import locked_groups
from lti_tool.pairing.engine.problem import (
    Course,
    ImpossibleRequest,
    Kind,
    ListedTwice,
    Schedule,
    ShapeImpossible,
    UnknownPerson,
)
from lti_tool.pairing.engine.rounds import Rounds


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
    schedule = planner.schedule(planner.planned(), seed)
    return improver.improve(schedule) if improve else schedule


def check_locks(course: Course, rounds: int) -> None:
    """Raise ImpossibleRequest where locks contradict each other, a rule or the shape. Looks for no groups."""
    locked_groups(Couples(course), rounds)


def _check(course: Course, rounds: int) -> None:
    if rounds < 1:
        raise ImpossibleRequest(rounds)
    people = sorted(course.people)
    twice = sorted({first for first, second in pairwise(people) if first == second})
    if twice:
        raise ListedTwice(tuple(twice))
    if people and people[0] < 0:
        raise UnknownPerson(tuple(first for first in people if first < 0))
    if course.shape.kind is Kind.PAIRS and course.shape.size != 2:
        raise ShapeImpossible(course.shape.kind, course.shape.size)
