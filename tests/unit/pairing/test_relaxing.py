"""If somebody has no partner, the designer learns which rule would have to go, and what that would mean."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.pairing import engine
from lti_tool.pairing.engine.problem import Course, Kind, Lock, Reason, Schedule, Shape, Unpaired
from lti_tool.pairing.engine.relax import Against, Relaxation, proposals
from lti_tool.pairing.engine.rules import Exclusions, NotAgain, Other, Rule, Same, ShouldNot
from tests.unit.pairing.budget import examples
from tests.unit.pairing.relations import Couple, fewest_unpaired, relations

OTHER = Other(attribute="department", priority=40)
SAME = Same(attribute="language", priority=30)


def course_of(departments: str, *rules: Rule, languages: str = "", **more: object) -> Course:
    """People 1, 2, 3 … with a letter each for their department and language."""
    attributes = {
        "department": dict(enumerate(departments, start=1)),
        "language": dict(enumerate(languages, start=1)),
    }
    return replace(Course(tuple(range(1, len(departments) + 1)), attributes=attributes, rules=rules), **more)


def asked(course: Course, rounds: int = 1) -> tuple[Relaxation, ...]:
    return proposals(engine.plan(course, rounds, seed=1))


def fewest_with_a_trio(people: Sequence[int], couples: Sequence[Couple]) -> int:
    """As `fewest_unpaired`; an odd number may have one trio."""
    may = {frozenset(couple) for couple in couples}
    found = [fewest_unpaired(people, couples)[0]]
    for trio in combinations(people, 3) if len(people) % 2 else ():
        if all(frozenset(couple) in may for couple in combinations(trio, 2)):
            found.append(fewest_unpaired(set(people) - set(trio), couples)[0])
    return min(found)


def met_in_the_first_of_three() -> Schedule:
    alone = tuple(Unpaired(one, number, Reason.TOO_FEW_PARTNERS) for number in (2, 3) for one in (1, 2))
    return Schedule((((1, 2),), (), ()), alone, course_of("AB", NotAgain()))


def test_the_rule_that_keeps_two_people_apart_is_proposed() -> None:
    (found,) = asked(course_of("AAAB", OTHER))

    assert found.rules == ("other:department",)
    assert found.more == 2
    assert found.is_advised
    assert [against.rules for against in found.against] == [("other:department",)]
    assert len(found.against) == 1


def test_rules_are_tried_in_order_of_priority_and_the_first_that_helps_is_advised() -> None:
    # Everybody in A, so that only the department matters; the exclusion is between people who could not meet anyway.
    first, second = asked(course_of("AA", OTHER, ShouldNot(couples=()), languages="xx"))

    assert (first.rules, first.more, first.is_advised) == (("should_not",), 0, False)
    assert (second.rules, second.more, second.is_advised) == (("other:department",), 2, True)


def test_only_the_first_of_several_that_help_is_advised() -> None:
    # 1 and 2 share no language, 3 and 4 no department.
    found = asked(course_of("ABCC", OTHER, SAME, languages="xyzz"))

    assert [(one.rules, one.more, one.is_advised) for one in found] == [
        (("same:language",), 4, True),
        (("other:department",), 2, False),
    ]


def test_an_exclusion_is_never_proposed() -> None:
    course = course_of("AB", Exclusions(couples=((1, 2),)))

    assert asked(course) == ()


def test_several_rules_are_proposed_together_when_none_helps_by_itself() -> None:
    *alone, together = asked(course_of("AA", OTHER, SAME, ShouldNot(couples=()), languages="xy"))

    assert [one.more for one in alone] == [0, 0, 0]
    assert not any(one.is_advised for one in alone)
    assert together == Relaxation(
        ("same:language", "other:department"),
        ((1, 1), (1, 2)),
        (Against(1, (1, 2), ("same:language", "other:department")),),
        is_advised=True,
    )


def test_nothing_together_helps_against_an_exclusion() -> None:
    found = asked(course_of("AA", OTHER, SAME, Exclusions(couples=((1, 2),)), languages="xy"))

    assert [one.more for one in found] == [0, 0]
    assert not any(one.is_advised for one in found)


def test_a_third_joins_a_couple_when_the_rule_against_it_goes() -> None:
    (found,) = asked(course_of("AAB", OTHER))

    assert found.more == 1
    assert found.against == (Against(1, (1, 2), ("other:department",)),)


def test_never_again_can_be_given_up_for_a_round() -> None:
    (found,) = proposals(met_in_the_first_of_three())

    assert found.seated == ((2, 1), (2, 2), (3, 1), (3, 2))
    assert found.against == (Against(2, (1, 2), ("not_again",)), Against(3, (1, 2), ("not_again",)))


def test_without_another_rule_nobody_meets_again() -> None:
    # Two departments of two: after two rounds everybody has met everybody whom the rules allow.
    found = asked(course_of("AABB", OTHER, NotAgain()), rounds=4)

    departments = next(one for one in found if one.rules == ("other:department",))
    met = [set(against.couple) for against in departments.against]
    assert departments.more == 4
    assert sorted(map(sorted, met)) == [[1, 2], [3, 4]]


def test_locked_people_stay_together() -> None:
    course = course_of("AAAB", OTHER, locks=(Lock((1, 4)),))

    (found,) = asked(course)

    assert found.seated == ((1, 2), (1, 3))
    assert found.against == (Against(1, (2, 3), ("other:department",)),)


def test_begun_groups_stay_together() -> None:
    # Without the rule 3 could be the third of the couple, if it had not begun.
    course = course_of("ABAA", OTHER)
    schedule = Schedule((((1, 2),),), (Unpaired(3, 1, Reason.TOO_FEW_PARTNERS), Unpaired(4, 1, Reason.ABSENT)), course)

    assert proposals(schedule, fixed=((1, (1, 2)),))[0].more == 0
    assert proposals(schedule)[0].more == 1


def test_a_rule_gets_no_credit_for_what_a_repair_does_anyway() -> None:
    # 1 and 2 may meet under all rules; 3 and 4 only without the rule.
    alone = tuple(Unpaired(person, 1, Reason.NOBODY_ELSE) for person in (1, 2, 3, 4))

    apart = Exclusions(couples=((1, 3), (1, 4), (2, 3), (2, 4)))

    (found,) = proposals(Schedule(((),), alone, course_of("ABCC", OTHER, apart)))

    assert found.seated == ((1, 3), (1, 4))


def test_nothing_helps_where_locks_contradict_each_other() -> None:
    course = course_of("AAAB", OTHER, locks=(Lock((1, 2)), Lock((2, 3))))
    alone = tuple(Unpaired(person, 1, Reason.TOO_FEW_PARTNERS) for person in course.people)

    assert proposals(Schedule(((),), alone, course)) == (Relaxation(("other:department",)),)


def test_nothing_is_proposed_where_everybody_has_a_partner_or_for_circles() -> None:
    course = course_of("AABB", OTHER)

    assert asked(course) == ()
    circles = replace(course, shape=Shape(Kind.CIRCLES, 4))
    alone = tuple(Unpaired(one, 1, Reason.NONE_BETTER_FOUND) for one in course.people)
    assert proposals(Schedule(((),), alone, circles)) == ()


@given(relation=relations(7), departments=st.text("AB", min_size=7, max_size=7), seed=st.integers(0, 99))
@settings(max_examples=examples(100), deadline=None)
def test_as_many_people_more_are_seated_as_can_be_without_the_rule(
    relation: tuple[int, list[Couple]], departments: str, seed: int
) -> None:
    people, couples = relation
    forbidden = [couple for couple in combinations(range(people), 2) if couple not in couples]
    course = Course(
        tuple(range(people)),
        attributes={"department": dict(enumerate(departments))},
        rules=(Exclusions(couples=tuple(forbidden)), OTHER),
    )
    schedule = engine.plan(course, 1, seed)

    found = proposals(schedule)

    if not schedule.unpaired:
        assert found == ()
    elif people > 1:
        (found_one,) = found
        assert len(schedule.unpaired) - found_one.more == fewest_with_a_trio(range(people), couples)
        assert {one.person for one in schedule.unpaired} >= {one for _, one in found_one.seated}
        assert all(departments[a.couple[0]] == departments[a.couple[1]] for a in found_one.against)
        assert bool(found_one.against) == found_one.is_advised == (found_one.more > 0)


def test_the_same_schedule_has_the_same_proposals() -> None:
    schedule = engine.plan(course_of("A" * 40 + "B" * 20, OTHER, NotAgain()), 3, seed=7)

    assert repr(proposals(schedule)) == repr(proposals(schedule))
    assert proposals(schedule)[0].more > 0
