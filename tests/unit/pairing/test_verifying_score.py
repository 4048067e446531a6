"""What a schedule is worth: each number of a score, counted by hand."""

from dataclasses import replace

from lti_tool.pairing.engine.check import Score, score
from lti_tool.pairing.engine.problem import Course, Kind, Lock, Reason, Schedule, Shape, Unpaired
from lti_tool.pairing.engine.rules import Other
from lti_tool.pairing.engine.wishes import RatherOther

UNITS = {"unit": {1: "a", 2: "a", 3: "b", 4: "b", 5: "c"}}
COURSE = Course((1, 2, 3, 4), attributes=UNITS, wishes=(RatherOther(attribute="unit", weight=10),))
NOTHING = Score(0, 0, 0, 0, 0, 0, 0)


def test_nothing_is_worth_nothing() -> None:
    assert score(Course(()), Schedule(((), ()))) == NOTHING


def test_a_couple_counts_twice_its_points_and_three_once_each_couple() -> None:
    assert score(COURSE, Schedule((((1, 2), (3, 4)),))).objective == 0
    assert score(COURSE, Schedule((((1, 3), (2, 4)),))).objective == 40
    assert score(replace(COURSE, people=(1, 2, 3)), Schedule((((1, 2, 3),),))).objective == 20


def test_in_a_circle_everybody_counts_the_mean_of_the_others() -> None:
    course = replace(COURSE, people=(1, 2, 3, 5), shape=Shape(Kind.CIRCLES, 4))

    # Five of six couples are of two units, so the four people have 20/3, 20/3, 10 and 10 points.
    assert score(course, Schedule((((1, 2, 3, 5),),))).objective == 33


def test_each_meeting_after_the_first_is_a_repeat() -> None:
    schedule = Schedule((((1, 2), (3, 4)), ((2, 1), (3, 4)), ((1, 2), (4, 3))))

    assert score(COURSE, schedule).repeats == 4
    assert score(replace(COURSE, met=((2, 1), (2, 1), (9, 1))), schedule).repeats == 5


def test_broken_rules_and_locks_are_violations_and_missing_people_are_not() -> None:
    course = replace(COURSE, rules=(Other(attribute="unit"),), locks=(Lock((1, 3)),))

    assert score(course, Schedule((((1, 2), (3, 4)),))).violations == 3
    assert score(course, Schedule((((1, 3),),))).violations == 0


def test_who_was_left_out_before_is_counted_in_the_first_round() -> None:
    unpaired = (Unpaired(3, 1, Reason.NOBODY_ALLOWED), Unpaired(4, 2, Reason.NOBODY_ALLOWED))
    schedule = Schedule((((1, 2),), ((1, 2),)), (*unpaired, Unpaired(4, 1, Reason.ABSENT)))

    found = score(replace(COURSE, left_out=frozenset({3, 4})), schedule)

    assert (found.unpaired, found.flagged_unpaired) == (2, 1)


def test_turns_are_counted_with_what_was_ahead_and_the_middle_of_three_has_none() -> None:
    schedule = Schedule((((1, 2, 3), (4, 5)), ((1, 4), (5, 2, 3)), ((2, 4), (1, 5, 3))))

    found = score(Course((1, 2, 3, 4, 5)), schedule)

    assert found.coach_balance == 3
    # 1 is first three times running, 3 last three times, 4 last twice at the end.
    assert found.same_role_twice_running == 5
    assert score(Course((1, 2, 3, 4, 5), ahead={3: -2}), schedule).coach_balance == 5
    assert score(Course((1,)), Schedule((((1,),), ((1,),)))) == NOTHING
