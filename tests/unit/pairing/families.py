"""Courses of every kind that pairing must master, each with the answer that is known beforehand.

The answers follow from how a course is made, never from a run of the engine: a hidden matching, a count of parts, a
sum that nothing can exceed. A graph of who may meet is written down as time slots, one for each couple.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np

from lti_tool.pairing.engine.problem import Couple, Course, Group, Lock, Schedule, Value
from lti_tool.pairing.engine.rules import Other, Same, Share
from lti_tool.pairing.engine.wishes import ExtraShared


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A course to plan, and what the best plan of it is worth. None: not known."""

    name: str
    course: Course
    rounds: int = 1
    unpaired: int = 0
    """The fewest people in rounds without a partner."""
    repeats: int | None = 0
    """The fewest meetings of people who met before, for that many unpaired."""
    objective: int | None = None
    """The most points of people, for that many unpaired and repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A schedule that somebody leaves or joins, and the fewest people whose partners must change."""

    name: str
    schedule: Schedule
    left: frozenset[int] = frozenset()
    joined: frozenset[int] = frozenset()
    changed: int
    """Of those who stay or join, how many have other partners than before."""
    unpaired: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewInstance:
    """A course whose people review each other, and how many reviews there can be at most."""

    name: str
    course: Course
    k: int
    reviews: int


def meeting(couples: Iterable[Couple], people: int) -> Course:
    """People 1 … n who may meet as listed and not otherwise: each couple is free at one time of its own."""
    free: dict[int, set[str]] = {one: set() for one in range(1, people + 1)}
    for one, other in couples:
        for who in (one, other):
            free[who].add(f"{min(one, other)}-{max(one, other)}")
    slots: dict[int, Value] = {who: frozenset(times) for who, times in free.items()}
    return Course(tuple(free), attributes={"slots": slots}, rules=(Share(attribute="slots"),))


def halves(one: int, other: int) -> dict[int, Value]:
    """The first people in one group, the others in another."""
    return {who: "first" if who <= one else "second" for who in range(1, one + other + 1)}


def ideal(people: int, rounds: int, seed: int) -> Instance:
    """A hidden schedule whose couples have the most points, other couples fewer: every best round leaves another one.

    Hidden couples are of two halves, so those that are left always hold another whole round (König 1916).
    """
    rng = np.random.default_rng(seed)
    order = (rng.permutation(people) + 1).tolist()
    half = people // 2
    shared: dict[int, set[str]] = {one: {"always"} for one in order}
    for number in range(rounds):
        for at in range(half):
            for who in (order[at], order[half + (at + number) % half]):
                shared[who].update((f"{number}-{at}", f"{number}-{at}-too"))
    slots: dict[int, Value] = {who: frozenset(times) for who, times in shared.items()}
    wish = ExtraShared(attribute="slots", weight=3, cap=6)
    course = Course(tuple(sorted(order)), attributes={"slots": slots}, wishes=(wish,))
    return Instance(
        name=f"ideal {people} x {rounds}", course=course, rounds=rounds, objective=2 * wish.cap * half * rounds
    )


def tight(people: int, degree: float, seed: int) -> Instance:
    """Somebody for everybody, in a graph where each has few possible partners and a greedy choice leaves many over."""
    rng = np.random.default_rng(seed)
    order = (rng.permutation(people) + 1).tolist()
    couples = {(order[at], order[at + 1]) for at in range(0, people - 1, 2)}
    more = rng.integers(1, people + 1, size=(round((degree - 1) * people / 2), 2)).tolist()
    couples |= {(one, other) for one, other in more if one != other}
    return Instance(name=f"tight {people}, {degree} partners each", course=meeting(sorted(couples), people))


def deficient(hubs: int, singles: int, triangles: int, seed: int) -> Instance:
    """Single people and triangles whose only bridge to others are a few hubs; the hubs may meet everybody.

    Without the hubs every single and every triangle is a part of odd size, so all but as many as there are hubs leave
    one person over. With an odd number of people a triangle may be a trio, which saves one.
    """
    parts = singles + triangles
    people = hubs + singles + 3 * triangles
    order = [int(one) + 1 for one in np.random.default_rng(seed).permutation(people)]
    central, others = order[:hubs], order[hubs:]
    couples = list(combinations(central, 2)) + [(hub, one) for hub in central for one in others]
    for at in range(singles, len(others), 3):
        couples += combinations(others[at : at + 3], 2)
    over = max(parts - hubs, 0)
    saved = int(people % 2 == 1 and triangles > 0 and over > 0)
    return Instance(
        name=f"deficient {hubs} for {singles} + {triangles} triangles",
        course=meeting(couples, people),
        unpaired=over - saved,
    )


def round_robin(people: int, times: int = 1, more: int = 0) -> Instance:
    """As many rounds as everybody needs to meet everybody this many times, and some more. An even number of people."""
    return Instance(
        name=f"round robin {people} x {times} + {more}",
        course=Course(tuple(range(1, people + 1))),
        rounds=(people - 1) * times + more,
        repeats=((people - 1) * (times - 1) + more) * people // 2,
    )


def two_groups(first: int, second: int, rounds: int) -> Instance:
    """Partners from the other group only. What is left of such a course always holds another round (König 1916)."""
    course = Course(
        tuple(range(1, first + second + 1)),
        attributes={"group": halves(first, second)},
        rules=(Other(attribute="group"),),
    )
    repeated = max(0, rounds - max(first, second)) * min(first, second)
    return Instance(
        name=f"two groups {first} + {second} x {rounds}",
        course=course,
        rounds=rounds,
        unpaired=abs(first - second) * rounds,
        repeats=repeated if first == second or rounds <= abs(first - second) + 1 else None,
    )


def odd(people: int, rounds: int) -> Instance:
    """An odd number without rules: one trio a round."""
    known = people >= 7 and rounds <= 3
    return Instance(
        name=f"odd {people} x {rounds}",
        course=Course(tuple(range(1, people + 1))),
        rounds=rounds,
        repeats=0 if known else None,
    )


def contradictory(people: int, rounds: int) -> Instance:
    """The same department and another one at once."""
    course = Course(
        tuple(range(1, people + 1)),
        attributes={"department": halves(people // 2, people - people // 2)},
        rules=(Same(attribute="department"), Other(attribute="department")),
    )
    return Instance(name=f"contradictory {people} x {rounds}", course=course, rounds=rounds, unpaired=people * rounds)


def chain(length: int) -> Change:
    """Two lose their partners and can be paired only by moving a chain of so many couples."""
    # 1 and 2 lose 3 and 4; between them the couples (5, 6), (7, 8) … whose neighbours know each other.
    line = [1, *range(5, 5 + 2 * length), 2]
    couples = [*pairwise(line), (1, 3), (2, 4)]
    course = meeting(couples, 4 + 2 * length)
    groups: tuple[Group, ...] = ((1, 3), (2, 4), *((at, at + 1) for at in range(5, 5 + 2 * length, 2)))
    return Change(
        name=f"chain of {length}",
        schedule=Schedule((groups,), course=course),
        left=frozenset({3, 4}),
        changed=2 + 2 * length,
    )


def changes() -> list[Change]:
    """Leavers and joiners among people without rules, and along chains."""
    groups: tuple[Group, ...] = ((1, 2), (3, 4), (5, 6), (7, 8))
    eight = Schedule((groups,), course=Course(tuple(range(1, 9))))
    trio = Schedule((((1, 9, 2), *groups[1:]),), course=Course(tuple(range(1, 10))))
    lock = replace(eight, course=replace(eight.course, locks=(Lock((5, 6)),)))
    return [
        Change(name="two leave two couples", schedule=eight, left=frozenset({1, 3}), changed=2),
        Change(name="both of a couple leave", schedule=eight, left=frozenset({1, 2}), changed=0),
        Change(name="one leaves", schedule=eight, left=frozenset({1}), changed=3),
        Change(name="one leaves, one joins", schedule=eight, left=frozenset({1}), joined=frozenset({9}), changed=2),
        Change(name="two join", schedule=eight, joined=frozenset({9, 10}), changed=2),
        Change(name="one joins", schedule=eight, joined=frozenset({9}), changed=3),
        Change(name="one of a trio leaves", schedule=trio, left=frozenset({9}), changed=2),
        Change(name="one beside a trio leaves", schedule=trio, left=frozenset({3}), changed=4),
        Change(name="one joins beside a trio", schedule=trio, joined=frozenset({10}), changed=4),
        Change(name="one leaves beside a lock", schedule=lock, left=frozenset({1}), changed=3),
        *(chain(length) for length in (1, 2, 5, 20)),
    ]


def reviews_across_groups(first: int, second: int, k: int) -> ReviewInstance:
    """Reviews of people of the other group only: as many as the smaller group can do and get."""
    course = two_groups(first, second, 1).course
    smaller, larger = sorted((first, second))
    done = smaller * min(k, larger)
    # The smaller group does that many reviews of the larger one, and gets as many from it.
    return ReviewInstance(name=f"reviews across {first} + {second}, k={k}", course=course, k=k, reviews=2 * done)


def reviews_beside_a_large_group(people: int, groups: int, k: int) -> ReviewInstance:
    """Not the own group, where one group is half of the course and the others are small.

    All reviews of the half must be done by the others and the other way round, so nobody of a small group may review
    somebody of another small group, although the rules allow it.
    """
    half = people // 2
    group: dict[int, Value] = {one: "half" if one <= half else str(one % groups) for one in range(1, people + 1)}
    course = Course(tuple(group), attributes={"group": group}, rules=(Other(attribute="group"),))
    return ReviewInstance(
        name=f"reviews of {people} of whom half are one group, k={k}", course=course, k=k, reviews=people * min(k, half)
    )


def sparse_reviews(people: int, reach: int, k: int) -> ReviewInstance:
    """Everybody in a ring may review the next few on either side; a regular relation holds k whole rounds (König)."""
    couples = [(one, (one - 1 + step) % people + 1) for one in range(1, people + 1) for step in range(1, reach + 1)]
    neighbours = min(2 * reach, people - 1)
    return ReviewInstance(
        name=f"reviews in a ring of {people}, {reach} on either side, k={k}",
        course=meeting(couples, people),
        k=k,
        reviews=people * min(k, neighbours),
    )


INSTANCES = [
    *(ideal(people, rounds, seed) for people, rounds, seed in ((8, 3, 1), (30, 4, 2), (60, 5, 3))),
    *(tight(people, degree, seed) for people in (10, 60, 300) for degree in (3.0, 4.0, 5.0) for seed in (1, 2)),
    tight(1_000, 3.5, seed=5),
    deficient(1, 4, 0, 1),
    deficient(2, 4, 0, 2),
    deficient(1, 3, 0, 3),
    deficient(2, 0, 5, 4),
    deficient(2, 0, 6, 5),
    deficient(3, 4, 3, 6),
    deficient(6, 2, 8, 7),
    deficient(20, 60, 20, 8),
    *(round_robin(people) for people in (2, 4, 6, 16, 30)),
    round_robin(4, 2),
    round_robin(6, 2, more=3),
    round_robin(10, 1, more=4),
    two_groups(5, 5, 5),
    two_groups(6, 6, 8),
    two_groups(4, 6, 3),
    two_groups(3, 8, 6),
    two_groups(20, 20, 12),
    *(odd(people, rounds) for people, rounds in ((3, 4), (5, 4), (7, 3), (9, 3), (31, 3))),
    contradictory(7, 2),
    contradictory(40, 1),
]

REVIEWS = [
    *(reviews_across_groups(4, 4, k) for k in (1, 3, 4)),
    reviews_across_groups(15, 15, 3),
    reviews_across_groups(20, 10, 3),
    reviews_across_groups(5, 9, 2),
    *(reviews_beside_a_large_group(people, 4, 3) for people in (8, 30, 200)),
    *(sparse_reviews(20, 2, k) for k in (1, 3, 4)),
    sparse_reviews(60, 3, 5),
]
