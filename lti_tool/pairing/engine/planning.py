"""All rounds at once: pairs that have not met, one trio when the number is odd, turns balanced."""

from collections import Counter
from functools import partial
from random import Random
from typing import Final

from lti_tool.pairing.engine.course import Couple, Course, PersonId
from lti_tool.pairing.engine.errors import ImpossibleRequest
from lti_tool.pairing.engine.matching import match, met_at_most
from lti_tool.pairing.engine.schedule import Group, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.turns import give_turns

NOBODY: Final = -1
"""Stands beside an odd number of people: whoever is coupled with it becomes the third of a trio."""

Met = Counter[frozenset[PersonId]]


def plan(course: Course, rounds: int, seed: int) -> Schedule:
    """Groups for every round. The same course and seed give the same schedule on every machine.

    Everybody is in one group a round; fewer than two people are all unpaired. Two people who met are put together again
    only when the round has no other way, and another person is the third of the trio as long as somebody is left who
    was not. After every round each person was observed first about as often as last (at most one more or less).
    """
    people = sorted(course.people)
    if rounds < 1 or len(set(people)) < len(people) or (people and people[0] < 0):
        raise ImpossibleRequest(rounds, len(people))
    if len(people) < 2:
        alone = tuple(Unpaired(one, number, Reason.NOBODY_ELSE) for number in range(1, rounds + 1) for one in people)
        return Schedule(((),) * rounds, alone, course, seed)
    rng = Random(seed)  # noqa: S311 - chance that must be repeatable, and guards nothing
    seats = rng.sample(people, k=len(people))
    if len(seats) % 2:
        seats.append(NOBODY)
    coupled = _in_a_circle(seats, rounds)
    met = {frozenset(couple) for couple in course.met}
    if any(frozenset(couple) in met for couples in coupled for couple in couples):
        coupled = _one_by_one(seats, rounds, course, rng)
    return Schedule(give_turns(_with_trios(coupled, course, rng), rng), (), course, seed)


def _in_a_circle(seats: list[PersonId], rounds: int) -> list[list[Couple]]:
    """One stays, the others move on by a place each round: nobody meets twice before everybody met everybody."""
    first, *ring = seats
    found = []
    for number in range(rounds):
        turn = number % len(ring)
        row = [first, *ring[turn:], *ring[:turn]]
        found.append([(row[place], row[-1 - place]) for place in range(len(row) // 2)])
    return found


def _one_by_one(seats: list[PersonId], rounds: int, course: Course, rng: Random) -> list[list[Couple]]:
    """Round after round, as many couples as possible who have not met; then those who met once, and so on."""
    met: Met = Counter(frozenset(couple) for couple in course.met)
    found = []
    for _ in range(rounds):
        order = rng.sample(seats, k=len(seats))
        partner: dict[PersonId, PersonId] = {}
        most = 0
        while len(partner) < len(order):
            partner = match(order, partial(met_at_most, met, most), partner)
            most += 1
        couples = [(one, partner[one]) for one in order if one < partner[one]]
        met.update(frozenset(couple) for couple in couples)
        found.append(couples)
    return found


def _with_trios(coupled: list[list[Couple]], course: Course, rng: Random) -> list[list[Group]]:
    """Put whoever is coupled with nobody into the middle of the pair that they know least."""
    met: Met = Counter(frozenset(couple) for couple in course.met)
    met.update(frozenset(couple) for couples in coupled for couple in couples)
    in_trio: Counter[PersonId] = Counter(
        one for couples in coupled for couple in couples if NOBODY in couple for one in couple
    )
    rounds: list[list[Group]] = []
    for couples in coupled:
        pairs: list[Group] = [couple for couple in couples if NOBODY not in couple]
        thirds = [one for couple in couples if NOBODY in couple for one in couple if one != NOBODY]
        for third in thirds:

            def cost(place: int, third: PersonId = third, pairs: list[Group] = pairs) -> tuple[int, int, float]:
                known = sum(met[frozenset((third, one))] for one in pairs[place])
                return known, sum(in_trio[one] for one in pairs[place]), rng.random()

            place = min(range(len(pairs)), key=cost)
            first, last = pairs[place]
            met.update((frozenset((third, first)), frozenset((third, last))))
            in_trio.update((first, last))
            pairs[place] = (first, third, last)
        rounds.append(pairs)
    return rounds
