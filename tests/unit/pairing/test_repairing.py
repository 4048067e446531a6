"""Repair changes as few people as can be: against every arrangement there is, and along planted chains."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Group, Kind, Lock, Placed, Reason, Schedule, Shape, Unpaired, pairs
from lti_tool.pairing.engine.problem import LockConflict, LockForbidden, LockSize
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, Rule
from lti_tool.pairing.engine.why import Cause, changes
from lti_tool.pairing.engine.why import Change as Moved
from lti_tool.pairing.engine.wishes import RatherOther
from tests.factories.cohorts import corporate
from tests.unit.pairing.at_random import course_at_random
from tests.unit.pairing.budget import examples
from tests.unit.pairing.families import Change, chain
from tests.unit.pairing.families import changes as planted_changes
from tests.unit.pairing.fewest_changes import arrangements, changed, fewest_changes, moved


def a_round(chance: Random, most: int = 9) -> tuple[Schedule, set[int], set[int]]:
    """A round of a course with random exclusions, who leaves it and who joins; the exclusions may be news."""
    everybody = list(range(1, chance.randrange(2, most + 1)))
    density = chance.choice((0.0, 0.2, 0.4, 0.6))
    pairs = tuple(couple for couple in combinations(everybody, 2) if chance.random() < density)
    joined = {one for one in everybody if chance.random() < 0.2}
    present = tuple(one for one in everybody if one not in joined)
    rules = (Exclusions(couples=pairs),)
    known = Course(present, rules=rules if chance.random() < 0.8 else ())
    groups = chance.choice(list(arrangements(present, known, may_be_three=len(present) % 2 == 1)))
    unpaired = tuple(engine.Unpaired(group[0], 1, Reason.NOBODY_ALLOWED) for group in groups if len(group) == 1)
    course = Course(present, rules=rules)
    left = {one for one in present if chance.random() < 0.2}
    return Schedule((tuple(group for group in groups if len(group) > 1),), unpaired, course), left, joined


@given(st.integers(0, 10**9))
@settings(max_examples=examples(250), deadline=None)
def test_no_arrangement_leaves_fewer_alone_or_changes_fewer(seed: int) -> None:
    before, left, joined = a_round(Random(seed))

    after = engine.repair(before, left, joined, 1)

    assert engine.verify(after.course, after) == []
    found = len(after.unpaired), changed(after.course, before.rounds[0], after.rounds[0])
    assert found == fewest_changes(after.course, before.rounds[0])
    assert engine.repair(after, left, joined, 1) == after


def meetings(groups: Iterable[Group]) -> list[frozenset[int]]:
    return [frozenset(couple) for group in groups for couple in combinations(group, 2)]


def options(course: Course, before: tuple[Group, ...]) -> list[tuple[Group, ...]]:
    """Every arrangement of a round with the fewest people alone, groups given up, and old company lost."""
    people = tuple(sorted(course.people))
    stands = {frozenset(group) for group in before if set(group) <= set(people)}
    found: dict[tuple[int, ...], list[tuple[Group, ...]]] = {}
    for groups in arrangements(people, course, may_be_three=len(people) % 2 == 1):
        now = {frozenset(group) for group in groups}
        old = set(meetings(group for group in before if frozenset(group) not in now))
        tied = sum(couple in old for couple in meetings(group for group in groups if frozenset(group) not in stands))
        cost = sum(len(group) == 1 for group in groups), sum(len(group) for group in stands - now), -tied
        found.setdefault(cost, []).append(groups)
    return found[min(found)]


@given(st.integers(0, 10**9))
@settings(max_examples=examples(40), deadline=None)
def test_open_rounds_are_mended_together_without_a_repeat_too_many_and_with_even_turns(seed: int) -> None:
    chance = Random(seed)
    people = tuple(range(1, chance.choice((4, 5, 6, 7)) + 1))
    before = engine.plan(Course(people), 2, seed)
    left = set(chance.sample(people, k=chance.choice((1, 2))))
    joined = set(range(20, 20 + chance.choice((0, 1, 1, 2))))

    after = engine.repair(before, left, joined, 1)

    possible = [options(after.course, groups) for groups in before.rounds]
    fewest = min(engine.repeats(after.course, Schedule(rounds)) for rounds in product(*possible))
    assert engine.repeats(after.course, after) == fewest
    assert max(abs(ahead) for ahead in engine.balance(after.rounds).values()) <= 1


def test_a_group_that_has_begun_or_is_of_an_earlier_round_is_not_turned_round() -> None:
    before = Schedule((((1, 2), (3, 4)), ((1, 3), (4, 2))), course=Course((1, 2, 3, 4)))

    after = engine.repair(before, {4}, {5}, 1, fixed={(1, (1, 2))})

    assert (1, 2) in after.rounds[0]
    assert engine.repair(before, {4}, {5}, 2).rounds[0] == before.rounds[0]


def a_programme(chance: Random, kind: Kind = Kind.PAIRS) -> tuple[Schedule, set[int], set[int]]:
    """Rounds of any course as a repair has made them from nothing, and who leaves and joins after that."""
    course = course_at_random(chance.randrange(16), chance, sparse=chance.random() < 0.3)
    if chance.random() < 0.3:
        course = replace(course, rules=(*course.rules, NotAgain()))
        course = replace(course, locks=tuple(lock for lock in course.locks if lock.round is not None))
        met = {frozenset(couple) for couple in course.met}
        course = replace(course, locks=tuple(lock for lock in course.locks if frozenset(lock.members) not in met))
    if kind is not Kind.PAIRS:
        course = replace(course, shape=Shape(kind, 3 if kind is Kind.TRIOS else chance.randrange(3, 6)))
    joined = {one for one in course.people if chance.random() < 0.15}
    course = replace(course, people=tuple(one for one in course.people if one not in joined))
    empty = Schedule(((),) * chance.randrange(1, 5), course=course, seed=chance.randrange(100))
    left = {one for one in course.people if chance.random() < 0.15}
    return engine.repair(empty, (), (), 1), left, joined


@pytest.mark.parametrize("kind", Kind)
@given(st.integers(0, 10**9))
@settings(max_examples=examples(40), deadline=None)
def test_whoever_leaves_or_joins_any_course_the_result_passes_the_checker(kind: Kind, seed: int) -> None:
    chance = Random(seed)
    before, left, joined = a_programme(chance, kind)
    assert engine.verify(before.course, before) == []
    from_round = chance.randrange(1, len(before.rounds) + 1)
    fixed = {
        (number, group)
        for number, groups in enumerate(before.rounds, start=1)
        for group in groups
        if chance.random() < 0.1
    }

    after = engine.repair(before, left, joined, from_round, fixed=fixed)

    assert engine.verify(after.course, after, from_round=from_round, fixed=fixed) == []
    assert set(after.course.people) == set(before.course.people) - left | joined
    assert after.rounds[: from_round - 1] == before.rounds[: from_round - 1]
    assert all(group in after.rounds[number - 1] for number, group in fixed if number >= from_round)
    for old, new in zip(before.rounds, after.rounds, strict=True):
        was, stays = ({frozenset(group) for group in groups} for groups in (old, new))
        kept = [group for group in new if frozenset(group) in was]
        assert [frozenset(group) for group in old if frozenset(group) in stays] == [frozenset(one) for one in kept]
    assert engine.repair(after, (), (), from_round, fixed=fixed) == after


@given(st.integers(0, 10**9))
@settings(max_examples=examples(60), deadline=None)
def test_the_way_of_large_rounds_is_as_good_in_small_ones(seed: int) -> None:
    before, left, joined = a_round(Random(seed))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs, "EVERY_TRIO", 0)
        after = engine.repair(before, left, joined, 1)

    assert engine.verify(after.course, after) == []
    found = len(after.unpaired), changed(after.course, before.rounds[0], after.rounds[0])
    assert found == fewest_changes(after.course, before.rounds[0])


@pytest.mark.parametrize("change", planted_changes(), ids=lambda change: change.name)
def test_a_planted_change_moves_as_few_as_it_must(change: Change) -> None:
    after = engine.repair(change.schedule, change.left, change.joined, 1)

    assert engine.verify(after.course, after) == []
    assert len(after.unpaired) == change.unpaired
    before = {person: frozenset(group) for group in change.schedule.rounds[0] for person in group}
    now = {person: frozenset(group) for group in after.rounds[0] for person in group}
    assert sum(before.get(person) != now[person] for person in after.course.people) == change.changed


def test_a_chain_is_found_among_hundreds_of_people_too() -> None:
    change = chain(3)
    many = tuple((at, at + 1) for at in range(101, 801, 2))
    slots = dict(change.schedule.course.attributes["slots"]) | {
        person: frozenset({f"own {couple}"}) for couple in many for person in couple
    }
    people = (*change.schedule.course.people, *slots.keys() - set(change.schedule.course.people))
    course = replace(change.schedule.course, people=people, attributes={"slots": slots})

    after = engine.repair(Schedule((change.schedule.rounds[0] + many,), course=course), change.left, (), 1)

    assert engine.verify(after.course, after) == []
    assert after.unpaired == ()
    assert set(many) <= set(after.rounds[0])


def test_people_whom_nobody_can_help_cost_nobody_else_anything() -> None:
    people = tuple(range(1, 501))
    lonely = Exclusions(couples=tuple((one, other) for one in (1, 2, 3, 4) for other in people if other > one))
    couples = tuple((at, at + 1) for at in range(1, 501, 2))

    after = engine.repair(Schedule((couples,), course=Course(people, rules=(lonely,))), (), (), 1)

    assert [one.person for one in after.unpaired] == [1, 2, 3, 4]
    assert after.rounds[0] == couples[2:]
    assert engine.verify(after.course, after) == []


def test_repeats_are_avoided_among_equally_few_changes_and_then_points_count() -> None:
    departments = {1: "a", 3: "a", 5: "b", 7: "c"}
    course = Course(
        tuple(range(1, 9)),
        met=((1, 3), (5, 7)),
        attributes={"department": dict(departments)},
        wishes=(RatherOther(attribute="department", weight=1),),
    )
    before = Schedule((((1, 2), (3, 4), (5, 6), (7, 8)),), course=course)

    after = engine.repair(before, {2, 4, 6, 8}, (), 1)

    assert {frozenset(group) for group in after.rounds[0]} in (
        {frozenset((1, 5)), frozenset((3, 7))},
        {frozenset((1, 7)), frozenset((3, 5))},
    )
    again = engine.repair(replace(before, course=replace(course, met=((1, 5), (3, 7), (1, 7)))), {2, 4, 6, 8}, (), 1)
    assert {frozenset(group) for group in again.rounds[0]} == {frozenset((1, 3)), frozenset((5, 7))}


def test_a_rule_that_is_new_moves_those_whom_it_forbids_and_nobody_else() -> None:
    groups = ((1, 2), (3, 4), (5, 6), (7, 8))
    course = Course(tuple(range(1, 9)), rules=(Exclusions(couples=((1, 2), (3, 4))),))

    after = engine.repair(Schedule((groups, ((1, 3), (2, 4), (5, 7), (6, 8))), course=course), (), (), 1)

    assert after.rounds[0][:2] == ((5, 6), (7, 8))
    assert after.rounds[1] == ((1, 3), (2, 4), (5, 7), (6, 8))
    causes = {change.person: change.cause for change in changes(Schedule((groups, after.rounds[1])), after)}
    assert causes == dict.fromkeys((1, 2, 3, 4), Cause.RULE_CHANGED)


def test_people_who_may_not_meet_again_part_in_the_later_round() -> None:
    first, second = ((1, 2), (3, 4), (5, 6)), ((2, 1), (3, 5), (4, 6))
    course = Course(tuple(range(1, 7)), rules=(NotAgain(),))

    after = engine.repair(Schedule((first, second), course=course), (), (), 1)

    assert set(map(frozenset, after.rounds[0])) == set(map(frozenset, first))
    assert engine.verify(course, after) == []


def test_locked_people_stay_together_and_are_brought_together() -> None:
    groups = ((1, 2), (3, 4), (5, 6))
    course = Course((1, 2, 3, 4, 5, 6), locks=(Lock((1, 2)), Lock((3, 5), round=1)))

    after = engine.repair(Schedule((groups, groups), course=course), (), (), 1)

    assert {frozenset(group) for group in after.rounds[0]} == {frozenset((1, 2)), frozenset((3, 5)), frozenset((4, 6))}
    assert after.rounds[0][0] == (1, 2)
    assert set(map(frozenset, after.rounds[1])) == set(map(frozenset, groups))


@pytest.mark.parametrize(
    ("locks", "rules", "error"),
    [
        ((Lock((1, 2)), Lock((2, 3), round=1)), (), LockConflict),
        ((Lock((1, 2, 3)),), (), LockSize),
        ((Lock((1, 2)),), (Exclusions(couples=((1, 2),)),), LockForbidden),
        ((Lock((1, 2)),), (NotAgain(),), LockForbidden),
    ],
)
def test_locks_that_cannot_be_are_refused(
    locks: tuple[Lock, ...], rules: tuple[Rule, ...], error: type[engine.ImpossibleRequest]
) -> None:
    course = Course((1, 2, 3, 4), met=((1, 2),), rules=rules, locks=locks)

    with pytest.raises(error):
        engine.repair(Schedule((((1, 2), (3, 4)),), course=course), (), (), 1)


def test_the_order_of_people_has_no_influence() -> None:
    before, left, joined = a_programme(Random(5))
    shuffled = replace(before.course, people=tuple(reversed(before.course.people)))

    one = engine.repair(before, left, joined, 1)
    other = engine.repair(replace(before, course=shuffled), sorted(left, reverse=True), sorted(joined, reverse=True), 1)

    assert (one.rounds, one.unpaired, one.proofs) == (other.rounds, other.unpaired, other.proofs)


def test_coach_and_coachee_stay_even_for_people_who_got_new_partners() -> None:
    course = Course(tuple(range(1, 41)))
    before = engine.plan(course, 6, 1)

    after = engine.repair(before, {1, 2, 3, 4, 5}, {50, 51}, 1)

    assert max(abs(ahead) for ahead in engine.balance(after.rounds).values()) <= 2


# ---- somebody who does not turn up -----------------------------------------------------------------------------------


def without(schedule: Schedule, person: int, number: int, fixed: frozenset[Placed] = frozenset()) -> Schedule:
    """The same where this person does not turn up in one round."""
    unpaired = (*schedule.unpaired, Unpaired(person, number, Reason.ABSENT))
    return engine.repair(replace(schedule, unpaired=unpaired), (), (), 1, fixed=fixed)


def test_the_partner_of_somebody_absent_meets_somebody_else_in_that_round_only() -> None:
    groups = (((1, 2), (3, 4), (5, 6)), ((1, 3), (2, 5), (4, 6)))
    course = Course((1, 2, 3, 4, 5, 6))
    before = Schedule(groups, course=course)

    after = without(before, 2, 1)

    assert after.unpaired == (Unpaired(2, 1, Reason.ABSENT),)
    assert len(after.rounds[0]) == 2
    assert after.rounds[1] == groups[1]
    assert after.course == course
    assert engine.verify(course, after) == []
    causes = {change.person: change.cause for change in changes(before, after)}
    assert causes[1] is Cause.PARTNER_ABSENT
    assert causes[2] is Cause.ABSENT
    assert sorted(causes.values())[-2:] == [Cause.SOMEBODY_JOINED, Cause.SOMEBODY_JOINED]


def test_who_is_absent_stays_so_until_they_are_let_in_again() -> None:
    before = Schedule((((1, 2), (3, 4)),), course=Course((1, 2, 3, 4)))

    absent = without(before, 2, 1)

    assert engine.repair(absent, (), (), 1) == absent
    back = engine.repair(absent, (), [2], 1)
    assert back.unpaired == ()
    assert engine.verify(back.course, back) == []


def test_nobody_steps_into_a_group_that_has_begun() -> None:
    before = Schedule((((1, 2), (3, 4)),), course=Course((1, 2, 3, 4)))

    assert without(before, 2, 1, frozenset({(1, (1, 2))})).rounds == before.rounds


# ---- why -------------------------------------------------------------------------------------------------------------


def test_everybody_who_moves_is_told_why() -> None:
    before = Schedule((((1, 2), (3, 4), (5, 6, 7)),), course=Course((1, 2, 3, 4, 5, 6, 7)))
    after = Schedule((((1, 5), (3, 4, 8), (6, 7)),), course=Course((1, 3, 4, 5, 6, 7, 8)))

    assert changes(before, after) == (
        Moved(1, 1, Cause.PARTNER_LEFT),
        Moved(3, 1, Cause.SOMEBODY_JOINED),
        Moved(4, 1, Cause.SOMEBODY_JOINED),
        Moved(5, 1, Cause.MADE_ROOM),
        Moved(6, 1, Cause.MADE_ROOM),
        Moved(7, 1, Cause.MADE_ROOM),
        Moved(8, 1, Cause.JOINED),
    )


@given(st.integers(0, 10**9))
@settings(max_examples=examples(60), deadline=None)
def test_whoever_moves_and_is_here_has_exactly_one_cause_a_round(seed: int) -> None:
    before, left, joined = a_programme(Random(seed))

    after = engine.repair(before, left, joined, 1)

    found = changes(before, after)
    assert {one.person for one in found} == moved(before, after) & set(after.course.people)
    assert len({(one.person, one.round) for one in found}) == len(found)
    assert all((one.cause in {Cause.JOINED, Cause.HAD_NOBODY}) for one in found if one.person in joined)


# ---- many ------------------------------------------------------------------------------------------------------------


def test_a_thousand_people_change_no_more_than_those_who_come_go_and_lose_somebody() -> None:
    course = corporate(1_010)
    present = tuple(sorted(course.people))[:1_000]
    before = engine.plan(replace(course, people=present), 4, 1)
    left, joined = set(present[::50]), set(course.people) - set(present)

    after = engine.repair(before, left, joined, 1)

    assert engine.verify(after.course, after) == []
    assert after.unpaired == ()
    assert engine.repeats(after.course, after) == 0
    for old, new in zip(before.rounds, after.rounds, strict=True):
        loose = {person for group in old if left & set(group) for person in group} - left | joined
        kept = {frozenset(group) for group in old} & {frozenset(group) for group in new}
        moved = {person for group in new if frozenset(group) not in kept for person in group}
        assert moved == loose


@pytest.mark.parametrize("seed", [3, 11, 12, 14, 20, 26])
def test_where_nobody_may_meet_again_rounds_are_repaired_until_nothing_changes(seed: int) -> None:
    # Six people can meet in four rounds without a repeat; with these seeds going through the rounds once is too little,
    # and with some of them going through them until nothing changes is, too.
    waiting = {1: (1, 2, 3, 4), 2: (1, 2, 3, 4), 4: (1, 4)}
    alone = tuple(
        Unpaired(person, number, Reason.TOO_FEW_PARTNERS) for number, people in waiting.items() for person in people
    )
    course = Course((1, 2, 3, 4), rules=(NotAgain(),))
    before = Schedule(((), (), ((1, 3), (2, 4)), ((3, 2),)), alone, course, seed)

    after = engine.repair(before, (), (20, 21), 1)

    assert after.unpaired == ()
    assert engine.verify(after.course, after) == []
