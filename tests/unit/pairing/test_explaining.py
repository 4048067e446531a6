"""Explanations: each says what is so, held against the same said in plain Python."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing.engine.problem import Course, ImpossibleRequest, Lock, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.engine.proof import Needed
from lti_tool.pairing.engine.rules import Exclusions, ExperienceGap, Known, NotAgain, Other, ReportingLine, Same
from lti_tool.pairing.engine.why import Alternative, Explanations, Removal
from lti_tool.pairing.engine.wishes import RatherGap, RatherOther
from tests.unit.pairing.budget import examples

IDS = st.integers(1, 20)
DEPARTMENTS = st.dictionaries(IDS, st.sampled_from(["Care", "Law", "Sales"]))
EXPERIENCE = st.dictionaries(IDS, st.integers(0, 4))


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Up to three rounds in pairs, whether good or not, of people of whom some are unpaired or absent."""
    people = tuple(draw(st.lists(IDS, min_size=2, max_size=9, unique=True)))
    couples = list(combinations(people, 2))
    rules: list[Any] = [
        Other(attribute="department", unknown_is_allowed=draw(st.booleans())),
        Exclusions(couples=tuple(draw(st.lists(st.sampled_from(couples), max_size=3)))),
        NotAgain(),
    ]
    rounds, unpaired = [], []
    for number in range(1, draw(st.integers(1, 3)) + 1):
        order = draw(st.permutations(people))
        pairs = draw(st.integers(0, len(order) // 2))
        rounds.append(tuple((order[2 * at], order[2 * at + 1]) for at in range(pairs)))
        reasons = st.sampled_from([Reason.ABSENT, Reason.TOO_FEW_PARTNERS])
        unpaired += [Unpaired(person, number, draw(reasons)) for person in order[2 * pairs :]]
    return Schedule(
        tuple(rounds),
        tuple(unpaired),
        Course(
            people,
            met=tuple(draw(st.lists(st.sampled_from(couples), max_size=4))),
            attributes={"department": draw(DEPARTMENTS), "experience": draw(EXPERIENCE)},
            rules=tuple(rule for rule in rules if draw(st.booleans())),
            wishes=(RatherOther(attribute="department", weight=5), RatherGap(weight=2, cap=6)),
            locks=(Lock(draw(st.sampled_from(couples)), 1),),
        ),
    )


class Plain:
    """The same questions answered one couple at a time."""

    def __init__(self, schedule: Schedule, number: int) -> None:
        self.course, self.schedule, self.number = schedule.course, schedule, number
        self.absent = {one.person for one in schedule.unpaired if one.round == number and one.reason is Reason.ABSENT}

    def broken(self, one: int, other: int) -> set[str]:
        found = set()
        department = self.course.attributes["department"]
        for rule in self.course.rules:
            if isinstance(rule, Other):
                known = one in department and other in department
                if (department[one] == department[other]) if known else not rule.unknown_is_allowed:
                    found.add(rule.name)
            if isinstance(rule, Exclusions) and {(one, other), (other, one)} & {*rule.couples}:
                found.add(rule.name)
            if isinstance(rule, NotAgain) and self.times(one, other, [*range(self.number)], all_rounds=True):
                found.add(rule.name)
        return found

    def times(self, one: int, other: int, rounds: list[int], *, all_rounds: bool = False) -> int:
        listed = [self.course.met, *self.schedule.rounds]
        wanted = [at for at in range(len(listed)) if at != self.number] if all_rounds else rounds
        return sum({*couple} == {one, other} for at in wanted for couple in listed[at])

    def met(self, one: int, other: int) -> int:
        return self.times(one, other, [*range(self.number)])

    def points(self, one: int, other: int) -> int:
        department, experience = self.course.attributes["department"], self.course.attributes["experience"]
        found = 0
        if one in department and other in department and department[one] != department[other]:
            found += 5
        if one in experience and other in experience:
            found += min(6, 2 * abs(experience[one] - experience[other]))
        return found

    def possible(self, one: int) -> list[int]:
        return [
            other
            for other in sorted(self.course.people)
            if other != one and other not in self.absent and not self.broken(one, other)
        ]

    def partner(self, one: int) -> int | None:
        pairs = self.schedule.rounds[self.number - 1]
        return next((other for pair in pairs if one in pair for other in pair if other != one), None)


@given(schedule=schedules())
@settings(max_examples=examples(100), deadline=None)
def test_why_says_how_the_partner_stands_among_all_who_are_possible(schedule: Schedule) -> None:
    explanations = Explanations(schedule)
    for number, pairs in enumerate(schedule.rounds, start=1):
        plain = Plain(schedule, number)
        for one, other in [*pairs, *(pair[::-1] for pair in pairs)]:
            (partner,) = explanations.why(one, number).partners

            assert partner.person == other
            assert partner.met == plain.met(one, other)
            assert sum(points for _, points in partner.wishes) == plain.points(one, other)
            broken = plain.broken(one, other) - ({"not_again"} if not plain.met(one, other) else set())
            assert set(partner.breaks) == broken
            assert partner.is_locked == (number == 1 and {one, other} == {*schedule.course.locks[0].members})
            possible = [at for at in plain.possible(one) if at != other] + ([] if broken else [other])
            key = {at: (plain.met(one, at), -plain.points(one, at)) for at in [*possible, other]}
            better = [at for at in possible if key[at] < key[other]]
            assert partner.choices == len(possible)
            assert partner.rank == (1 + len(better) if other in possible else None)
            other_points = [at for at in possible if plain.points(one, at) > plain.points(one, other)]
            assert (partner.better is None) == (not better and not other_points)
            if partner.better is not None:
                wanted = min(better or other_points, key=lambda at: (key[at], at))
                assert partner.better == exchange(plain, one, other, wanted)


def exchange(plain: Plain, one: int, other: int, wanted: int) -> Alternative:
    widow = plain.partner(wanted)
    before = plain.points(one, other) + (0 if widow is None else 2 * plain.points(wanted, widow))
    broken = set() if widow is None else plain.broken(other, widow)
    after = plain.points(one, wanted) + (0 if widow is None or broken else 2 * plain.points(other, widow))
    return Alternative(
        person=wanted,
        met=plain.met(one, wanted),
        cost=before - after,
        breaks=tuple(rule.name for rule in plain.course.rules if rule.name in broken),
        leaves=(other,) if widow is None else tuple(sorted((other, widow))) if broken else (),
        is_locked=plain.number == 1 and {wanted, widow} == {*plain.course.locks[0].members},
    )


@given(schedule=schedules())
@settings(max_examples=examples(100), deadline=None)
def test_why_not_counts_what_each_rule_takes_away_and_names_who_remains(schedule: Schedule) -> None:
    explanations = Explanations(schedule)
    for unpaired in schedule.unpaired:
        plain = Plain(schedule, unpaired.round)
        others = [one for one in sorted(schedule.course.people) if one != unpaired.person and one not in plain.absent]
        broken = {other: plain.broken(unpaired.person, other) for other in others}

        answer = explanations.why_not(unpaired.person, unpaired.round)

        counted = {one.rule: one.removed for one in answer.removals}
        for rule in schedule.course.rules:
            assert counted.get(rule.name, 0) == sum(rule.name in broken[other] for other in others)
        left = [other for other in others if not broken[other]]
        met_least_first = {
            other: (plain.met(unpaired.person, other), -plain.points(unpaired.person, other), other) for other in left
        }
        assert list(answer.candidates) == sorted(left, key=met_least_first.__getitem__)


def star(points_of_it: int = 4, *, locked: bool = False) -> Schedule:
    """Two leaders whom alone all others may meet, so that two of four stay over; 20 and 21 are a couple apart."""
    followers = range(1, points_of_it + 1)
    departments = {**dict.fromkeys(followers, "Law"), 11: "Care", 12: "Care", 20: "Sales", 21: "Sales"}
    apart = tuple((one, other) for one in (*followers, 11, 12) for other in (20, 21))
    course = Course(
        (*followers, 11, 12, 20, 21),
        attributes={"department": departments},
        rules=(
            Exclusions(couples=(*combinations(followers, 2), (11, 12), *apart)),
            Known(attribute="department"),
        ),
        locks=(Lock((20, 21)),) if locked else (),
    )
    alone = tuple(Unpaired(person, 1, Reason.TOO_FEW_PARTNERS) for person in (3, 4))
    return Schedule((((1, 11), (2, 12), (20, 21)),), alone, course, proofs=(Proof(1, (11, 12)),))


@pytest.mark.parametrize("locked", [False, True], ids=["nobody locked", "a couple is locked"])
def test_the_only_possible_partners_are_named_and_who_needs_them(locked: bool) -> None:
    answer = Explanations(star(locked=locked)).why_not(3, 1)

    assert answer.removals == (Removal("exclusions", 5, 0),)
    assert answer.candidates == (11, 12)
    assert Explanations(star(locked=locked)).shortages(1) == (Needed((1, 2, 3, 4), ((1,), (2,), (3,), (4,)), (11, 12)),)


def test_people_who_may_not_meet_again_are_in_parts_of_their_own() -> None:
    course = Course((1, 2, 3, 4), met=((1, 2),), rules=(NotAgain(), Exclusions(couples=((1, 3), (2, 3)))))
    alone = tuple(Unpaired(person, 1, Reason.TOO_FEW_PARTNERS) for person in (1, 2))
    schedule = Schedule((((3, 4),),), alone, course, proofs=(Proof(1, (4,)),))

    answer = Explanations(schedule).why_not(1, 1)

    assert [(one.rule, one.removed) for one in answer.removals] == [("exclusions", 1), ("not_again", 1)]
    assert Explanations(schedule).shortages(1) == (Needed((1, 2, 3), ((1,), (2,), (3,)), (4,)),)


def test_without_a_proof_no_one_is_said_to_be_needed() -> None:
    schedule = star()

    assert Explanations(Schedule(schedule.rounds, schedule.unpaired, schedule.course)).shortages(1) == ()


def test_who_is_removed_because_nothing_is_known_is_counted() -> None:
    course = Course(
        (1, 2, 3, 4),
        attributes={"experience": {1: 3, 2: 3, 3: 9}},
        rules=(ExperienceGap(at_least=2, unknown_is_allowed=False),),
    )

    assert Explanations(Schedule(((),), (), course)).why_not(1, 1).removals == (Removal("gap:experience", 2, 1),)


def test_why_names_the_rules_that_may_be_told_and_are_true() -> None:
    course = Course(
        (1, 2),
        attributes={"department": {1: "Law", 2: "Care"}, "manager": {1: None, 2: None}, "cohort": {1: "A"}},
        rules=(
            ReportingLine(),
            Exclusions(couples=()),
            Known(attribute="manager"),
            Other(attribute="department"),
            Same(attribute="cohort"),
            NotAgain(),
        ),
    )

    (partner,) = Explanations(Schedule((((1, 2),),), (), course)).why(1, 1).partners

    assert partner.rules == ("other:department", "not_again")
    assert (partner.rank, partner.choices) == (1, 1)


def test_in_a_larger_group_every_partner_is_explained() -> None:
    course = Course(
        tuple(range(1, 7)),
        attributes={"experience": {1: 0, 2: 1, 3: 1, 4: 2, 5: 0, 6: 0}},
        wishes=(RatherGap(weight=1, cap=9),),
    )
    schedule = Schedule((((1, 2, 3), (4, 5, 6)),), (), course)

    answer = Explanations(schedule).why(1, 1)

    assert [one.person for one in answer.partners] == [2, 3]
    better = answer.partners[0].better
    assert better is not None
    assert better.person == 4
    # 2 goes from (1, 3) to (5, 6), where they gain 1; 4 from (5, 6) to (1, 3), losing 1; 3 wins one, and 5 and 6 lose.
    assert better.cost == (1 + 4 + 1 + 2 + 2) - (2 + 3 + 2 + 1 + 1)


def test_who_left_the_course_is_still_named_as_the_partner() -> None:
    (partner,) = Explanations(Schedule((((1, 9),),), (), Course((1, 2)))).why(1, 1).partners

    assert (partner.person, partner.rank, partner.better) == (9, None, None)


def test_somebody_without_a_group_has_no_partners_to_explain() -> None:
    assert Explanations(Schedule(((),), (), Course((1, 2)))).why(1, 1).partners == ()


@pytest.mark.parametrize(("person", "number"), [(7, 1), (1, 0), (1, 2)], ids=["a stranger", "too early", "too late"])
def test_questions_about_nobody_and_never_are_refused(person: int, number: int) -> None:
    schedule = Schedule((((1, 2),),), (), Course((1, 2)))

    explanations = Explanations(schedule)

    for ask in (explanations.why, explanations.why_not):
        with pytest.raises(ImpossibleRequest):
            ask(person, number)
    with pytest.raises(ImpossibleRequest):
        Explanations(schedule).shortages(9)
