"""The checker against a second one in plain Python, on plans to which something happened."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Breach, Course, Proof, Reason, Schedule, Unpaired
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.brute_force import is_allowed
from tests.unit.pairing.budget import examples


@given(people=st.integers(0, 11), rounds=st.integers(1, 3), seed=st.integers(0, 2**32), sparse=st.booleans())
@settings(max_examples=examples(80), deadline=None)
def test_two_checkers_find_the_same_wrong_things_in_the_same_rounds(
    people: int, rounds: int, seed: int, sparse: bool
) -> None:
    chance = Random(seed)
    course = course_at_random(people, chance, sparse=sparse)
    schedule = engine.plan(course, rounds, seed)
    for _ in range(chance.randrange(4)):
        schedule = mutated(schedule, chance)

    found = {(one.breach, one.round) for one in engine.verify(course, schedule)}
    others = set(faults(course, schedule))
    # Of somebody who is in two groups, it cannot be said which one a lock means.
    unclear = {(Breach.LOCK, number) for breach, number in others if breach is Breach.TWICE}

    for breach, _ in found:
        event(breach)
    assert found - unclear == others - unclear


def mutated(schedule: Schedule, chance: Random) -> Schedule:
    """The schedule with one thing changed that a planner might get wrong."""
    number = chance.randrange(len(schedule.rounds))
    groups = [list(group) for group in schedule.rounds[number]]
    unpaired, proofs = list(schedule.unpaired), list(schedule.proofs)
    ids = [*schedule.course.people, 10**6]
    what = chance.randrange(8)
    if what == 0 and groups:
        group = chance.choice(groups)
        group[chance.randrange(len(group))] = chance.choice(ids)
    elif what == 1 and len(groups) > 1:
        one, other = chance.sample(groups, k=2)
        one[0], other[0] = other[0], one[0]
    elif what == 2 and groups:
        for person in groups.pop(chance.randrange(len(groups))):
            unpaired.append(Unpaired(person, number + 1, chance.choice(list(Reason)[:5])))
    elif what == 3 and groups:
        moved = groups[0].pop()
        chance.choice(groups).append(moved)
    elif what == 4 and unpaired:
        unpaired.pop(chance.randrange(len(unpaired)))
    elif what == 5 and proofs:
        proofs.pop(chance.randrange(len(proofs)))
    elif what == 6:
        proofs.append(Proof(number + 1, tuple(chance.sample(ids, k=min(len(ids), chance.randrange(4))))))
    elif what == 7:
        groups = [list(group) for group in chance.choice(schedule.rounds)]
    rounds = list(schedule.rounds)
    rounds[number] = tuple(map(tuple, groups))
    return replace(schedule, rounds=tuple(rounds), unpaired=tuple(unpaired), proofs=tuple(proofs))


def faults(course: Course, schedule: Schedule) -> Iterator[tuple[Breach, int]]:
    """What is wrong with a schedule of pairs of which nothing has begun, person by person."""
    known = set(course.people)
    not_again = any(rule.name == "not_again" for rule in course.rules)
    before = {frozenset(couple) for couple in course.met}
    together = [{frozenset(two) for group in groups for two in combinations(group, 2)} for groups in schedule.rounds]
    for at, groups in enumerate(schedule.rounds):
        number = at + 1
        alone = {one.person: one.reason for one in schedule.unpaired if one.round == number}
        listed = [one.person for one in schedule.unpaired if one.round == number]
        seen = Counter([person for group in groups for person in group] + listed)
        sizes = Counter(map(len, groups))
        elsewhere = before.union(*(met for other, met in enumerate(together) if other != at)) if not_again else set()

        def may(one: int, other: int, elsewhere: set[frozenset[int]] = elsewhere) -> bool:
            return one != other and is_allowed(course, one, other) and frozenset((one, other)) not in elsewhere

        checks = {
            Breach.MISSING: any(not seen[person] for person in known),
            Breach.TWICE: any(times > 1 for times in seen.values()),
            Breach.UNKNOWN: any(person not in known for person in seen),
            Breach.SIZE: any(size not in {2, 3} for size in sizes),
            Breach.TRIOS: sizes[3] > len(known) % 2,
            Breach.RULE: any(
                not is_allowed(course, *couple) or (not_again and couple in before.union(*together[:at]))
                for couple in together[at]
                if len(couple) == 2 and couple <= known
            ),
            Breach.LOCK: any(
                not any(set(lock.members) <= set(group) for group in groups)
                for lock in course.locks
                if lock.round in {None, number}
            ),
        }
        present = sorted(set(alone) & known)
        can_host = len(known) % 2 == 1 and not any(len(group) > 2 for group in groups)
        needless = [
            any(may(one, other) for other in present)
            or (
                can_host
                and any(
                    len(group) == 2 and known >= set(group) and all(may(one, two) for two in group) for group in groups
                )
            )
            for one in present
        ]
        proofs = [proof for proof in schedule.proofs if proof.round == number]
        locked = {one for lock in course.locks if lock.round in {None, number} for one in lock.members}
        thirds = [one for group in groups if len(group) == 3 for one in group if one in known]
        true = [
            any(
                set(proof.barrier) <= about
                and len(set(proof.barrier)) == len(proof.barrier)
                and odd_parts(about - set(proof.barrier), may) - len(proof.barrier)
                >= len(present) + sum(one in about for one in thirds) % 2
                for about in (known, known - locked)
            )
            for proof in proofs
        ]
        checks[Breach.NEEDLESSLY_UNPAIRED] = any(needless)
        checks[Breach.PROOF] = (bool(proofs) and not all(true)) or bool(proofs and not present)
        if not proofs:
            checks[Breach.PROOF] = any(
                alone[one] not in {Reason.NOBODY_ELSE, Reason.OTHERS_HAVE_BEGUN}
                and (alone[one] is not Reason.NOBODY_ALLOWED or any(may(one, other) for other in known))
                for one in present
            )
        yield from ((breach, number) for breach, is_wrong in checks.items() if is_wrong)


def odd_parts(people: set[int], may: object) -> int:
    """How many parts of odd size, walking from person to person."""
    left, odd = set(people), 0
    while left:
        part = [left.pop()]
        for one in part:
            reached = {other for other in left if may(one, other)}
            left -= reached
            part += sorted(reached)
        odd += len(part) % 2
    return odd
