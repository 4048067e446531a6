"""Two schedules beside each other, in figures that were counted by hand."""

from lti_tool.pairing.engine import Course, Lock, Schedule
from lti_tool.pairing.engine.rules import NotAgain, Other
from lti_tool.pairing.engine.wishes import RatherOther
from lti_tool.pairing.rules.comparing import LOCK, Broken, Figures, broken, compare

DEPARTMENTS = {1: "Care", 2: "Care", 3: "Sales", 4: "Sales", 5: "Sales"}
COURSE = Course(
    (1, 2, 3, 4, 5),
    met=((1, 3),),
    attributes={"department": DEPARTMENTS},
    rules=(Other(attribute="department"),),
    wishes=(RatherOther(attribute="department", weight=5),),
)


def test_the_same_schedule_twice_differs_in_nothing() -> None:
    schedule = Schedule((((1, 4), (2, 3, 5)),))

    found = compare(COURSE, schedule, schedule)

    assert found.touched == ()
    assert found.moved == frozenset()
    assert found.before == found.after == Figures(groups=2, unpaired=0, repeats=0, points=20, broken=1)


def test_turns_alone_are_no_change_of_partners() -> None:
    one, other = Schedule((((1, 4), (2, 5)),)), Schedule((((4, 1), (2, 5)),))
    assert compare(COURSE, one, other).moved == frozenset()


def test_a_change_is_told_by_groups_people_and_figures() -> None:
    before = Schedule((((1, 4), (2, 5)), ((1, 5), (2, 3))))
    after = Schedule((((1, 3), (2, 5)), ((1, 5), (2, 3))))

    found = compare(COURSE, before, after)

    [touched] = found.touched
    assert (touched.number, touched.kept, touched.gone, touched.new) == (1, 1, ((1, 4),), ((1, 3),))
    assert found.moved == {1, 3, 4}
    assert (found.before.repeats, found.after.repeats) == (0, 1)
    assert found.newly_unpaired == ((1, 4),)
    assert found.newly_paired == ((1, 3),)


def test_rules_and_pins_that_are_broken_are_named_by_round_and_people() -> None:
    course = Course(
        (1, 2, 3, 4, 5),
        met=((1, 3),),
        attributes={"department": DEPARTMENTS},
        rules=(Other(attribute="department"), NotAgain()),
        locks=(Lock((1, 2), 2), Lock((4, 3, 5))),
    )
    rounds = (((2, 1), (3, 4, 5)), ((1, 3), (2, 4)))

    assert broken(course, rounds) == (
        Broken(1, "other:department", (1, 2)),
        Broken(1, "other:department", (3, 4)),
        Broken(1, "other:department", (3, 5)),
        Broken(1, "other:department", (4, 5)),
        Broken(2, LOCK, (1, 2)),
        Broken(2, LOCK, (3, 4, 5)),
        Broken(2, "not_again", (1, 3)),
    )
    assert broken(course, rounds, from_round=2) == broken(course, rounds)[4:]


def test_who_is_no_longer_in_the_course_counts_nowhere() -> None:
    found = compare(COURSE, Schedule((((1, 2), (3, 9)),)), Schedule((((1, 4), (3, 9)),)))
    assert (found.before.points, found.after.points) == (0, 10)
    assert (1, 9) not in (*found.newly_unpaired, *found.newly_paired)


def test_a_round_that_only_one_of_them_has_is_compared_with_nothing() -> None:
    found = compare(COURSE, Schedule(()), Schedule((((1, 4),),)))
    assert found.before == Figures(unpaired=5)
    assert (found.after.groups, found.after.unpaired) == (1, 3)


def test_nothing_of_nobody() -> None:
    assert compare(Course(()), Schedule(((),)), Schedule(((),))).after == Figures()


def test_people_whose_turns_are_two_apart_are_counted_over_all_rounds() -> None:
    course = Course((1, 2, 3, 4), ahead={3: 1})
    uneven, even = Schedule((((1, 2), (3, 4)), ((1, 3), (4, 2)))), Schedule((((1, 2), (3, 4)), ((3, 1), (2, 4))))

    found = compare(course, uneven, even)

    assert (found.before.uneven, found.after.uneven) == (2, 2)
    assert compare(Course((1, 2, 3, 4)), uneven, Schedule((((1, 2), (3, 4)), ((3, 1), (4, 2))))).after.uneven == 2
    assert compare(Course((1, 2, 3, 4)), uneven, Schedule((((1, 2), (3, 4)), ((2, 3), (4, 1))))).after.uneven == 0
