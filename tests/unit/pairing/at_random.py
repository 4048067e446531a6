"""Courses that nobody would make on purpose: any rules, wishes, locks and history, with half of everything unknown."""

from dataclasses import replace
from itertools import combinations
from random import Random

from lti_tool.pairing.engine.problem import Couple, Course, Lock, Value
from lti_tool.pairing.engine.rules import (
    Exclusions,
    ExperienceGap,
    NotAgain,
    Other,
    ReportingLine,
    Rule,
    Same,
    Share,
    ShouldNot,
)
from lti_tool.pairing.engine.wishes import ExtraShared, RatherGap, RatherOther, RatherSame, Wish
from tests.unit.pairing.brute_force import is_allowed

NAMES = ("a", "b", "c", "d")


def course_at_random(people: int, chance: Random, *, sparse: bool = False) -> Course:
    """A course of so many people. All chance comes from the argument. `sparse` makes partners few."""
    ids = sorted(chance.sample(range(1, 3 * people + 2), k=people))
    attributes = _attributes(ids, chance, names=NAMES if not sparse else tuple("abcdefghij"))
    met = _couples(ids, chance, chance.choice((0, people, 3 * people)))
    course = Course(
        tuple(chance.sample(ids, k=people)),
        met=met,
        attributes=attributes,
        rules=_rules(ids, chance, sparse),
        wishes=_wishes(chance),
        left_out=frozenset(one for one in ids if chance.random() < chance.choice((0, 0.1))),
        in_trios={one: chance.randrange(3) for one in ids if chance.random() < 0.1},
    )
    return replace(course, locks=_locks(course, chance))


def any_locks(course: Course, chance: Random) -> tuple[Lock, ...]:
    """A few locks that ask nobody whether they can be kept; now and then one names a stranger."""
    ids = [*sorted(course.people), *([10**6] if chance.random() < 0.1 else [])]
    sizes = chance.choices((1, 2, 3, 4), weights=(1, 30, 4, 1), k=chance.randrange(1, 4))
    return tuple(
        Lock(
            tuple(chance.choices(ids, k=size) if chance.random() < 0.1 else chance.sample(ids, k=min(size, len(ids)))),
            chance.choice((None, 1, 2, 9)),
        )
        for size in sizes
    )


def _attributes(ids: list[int], chance: Random, names: tuple[str, ...]) -> dict[str, dict[int, Value]]:
    known = chance.choice((1.0, 0.9, 0.5))

    def some(value: object) -> dict[int, Value]:
        return {one: value() for one in ids if chance.random() < known}

    return {
        "department": some(lambda: chance.choice(names)),
        "languages": some(lambda: frozenset(chance.sample(names, k=chance.randrange(1, 3)))),
        "slots": some(lambda: frozenset(one for one in names if chance.random() < 0.5)),
        "experience": some(lambda: chance.randrange(6)),
        "manager": some(lambda: chance.choice([None, *ids, 10_000])),
    }


def _rules(ids: list[int], chance: Random, sparse: bool) -> tuple[Rule, ...]:
    unknown = chance.random() < 0.7
    rules: list[Rule] = [
        ReportingLine(),
        Exclusions(couples=_couples(ids, chance, len(ids) // 4)),
        ShouldNot(couples=_couples(ids, chance, len(ids) // 4)),
        Share(attribute="languages", unknown_is_allowed=unknown),
        Share(attribute="slots", at_least=chance.choice((1, 2))),
        chance.choice((Same, Other))(attribute="department", unknown_is_allowed=chance.random() < 0.7),
        NotAgain(),
        ExperienceGap(at_least=chance.choice((None, 1)), at_most=chance.choice((None, 2, 4))),
    ]
    return tuple(rule for rule in rules if chance.random() < (0.6 if sparse else 0.3))


def _wishes(chance: Random) -> tuple[Wish, ...]:
    wishes: list[Wish] = [
        chance.choice((RatherOther, RatherSame))(attribute="department", weight=chance.randrange(1, 11)),
        RatherGap(attribute="experience", weight=3, cap=9),
        ExtraShared(attribute="slots", weight=chance.randrange(1, 4), cap=4),
    ]
    return tuple(wish for wish in wishes if chance.random() < 0.6)


def _couples(ids: list[int], chance: Random, most: int) -> tuple[Couple, ...]:
    """Couples of these people, some of them more than once."""
    if len(ids) < 2:
        return ()
    drawn = (chance.sample(ids, k=2) for _ in range(chance.randrange(most + 1)))
    return tuple((one, other) for one, other in drawn)


def _locks(course: Course, chance: Random) -> tuple[Lock, ...]:
    """Some couples that the rules allow, each in round 1, 2 or always, nobody in two of them."""
    if chance.random() < 0.6:
        return ()
    listed = sorted(course.people)
    some = chance.sample(listed, k=min(len(listed), 12))
    locks: list[Lock] = []
    taken: set[int] = set()
    is_new_only = any(isinstance(rule, NotAgain) for rule in course.rules)
    met = {frozenset(couple) for couple in course.met}
    for one, other in combinations(some, 2):
        if is_new_only and frozenset((one, other)) in met:
            continue
        if not {one, other} & taken and chance.random() < 0.3 and is_allowed(course, one, other):
            taken |= {one, other}
            locks.append(Lock((one, other), 1 if is_new_only else chance.choice((1, 1, 2, None))))
    return tuple(locks)
