"""What is remarkable about a group, and which groups are looked for."""

from datetime import UTC, datetime

from lti_tool.activities.rules import Seating
from lti_tool.pairing.engine import Breach, Course, Kind, Lock, Schedule, Shape, Violation
from lti_tool.pairing.rules.views import GroupLine, GroupView, Mark, Show, chosen, lines

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = {1: "Åsa Berg", 2: "Mette", 3: "Jonas", 4: None, 5: "Zoë"}


def a_group(number: int, *members: int, begun: bool = False, gone: int = 0) -> GroupView:
    left = frozenset({gone}).intersection(members)
    return GroupView(number, number, 2, 2, None, NOON if begun else None, members, left, Seating(len(members), 2))


def marks_of(group: GroupView, schedule: Schedule, *broken: Violation, pins: tuple[Lock, ...] = ()) -> tuple[Mark, ...]:
    [line] = lines([group], 2, schedule, broken, pins)
    return line.marks


def a_schedule(*rounds: tuple[tuple[int, ...], ...], course: Course | None = None) -> Schedule:
    return Schedule(rounds, course=course or Course((1, 2, 3, 4, 5)))


PLAIN = a_schedule(((1, 2), (3, 4)), ((1, 3), (2, 4)))


def test_an_ordinary_group_has_nothing_remarkable() -> None:
    assert marks_of(a_group(1, 1, 3), PLAIN) == ()


def test_two_who_met_in_an_earlier_round_or_elsewhere_are_marked() -> None:
    assert marks_of(a_group(1, 1, 2), PLAIN) == (Mark.REPEAT,)
    elsewhere = a_schedule((), ((1, 3),), course=Course((1, 3), met=((3, 1),)))
    assert marks_of(a_group(1, 1, 3), elsewhere) == (Mark.REPEAT,)
    later = a_schedule(((1, 2),), ((1, 3),), ((1, 3),))
    assert marks_of(a_group(1, 1, 3), later) == ()


def test_three_are_remarkable_among_pairs_only() -> None:
    assert marks_of(a_group(1, 1, 3, 5), PLAIN) == (Mark.THREE,)
    trios = a_schedule((), ((1, 3, 5),), course=Course((1, 3, 5), shape=Shape(Kind.TRIOS, 3)))
    assert marks_of(a_group(1, 1, 3, 5), trios) == ()


def test_a_broken_rule_is_named_on_the_group_of_both_and_on_no_other() -> None:
    against = Violation(Breach.RULE, 2, (1, 3), "other:department")
    [line] = lines([a_group(1, 1, 3)], 2, PLAIN, [against], [])
    assert (line.marks, line.broken) == ((Mark.BREAKS,), ("other:department",))
    [unnamed] = lines([a_group(1, 1, 3)], 2, PLAIN, [Violation(Breach.RULE, 2, (1, 3))], [])
    assert unnamed.broken == ("",)
    assert marks_of(a_group(1, 1, 5), PLAIN, against) == ()
    assert marks_of(a_group(1, 1, 3), PLAIN, Violation(Breach.RULE, 1, (1, 3), "other:department")) == ()


def test_a_pin_that_is_not_kept_marks_every_group_with_one_of_its_people() -> None:
    missed = Violation(Breach.LOCK, 2, (1, 2))
    assert marks_of(a_group(1, 1, 3), PLAIN, missed) == (Mark.BREAKS,)
    assert marks_of(a_group(2, 2, 4), PLAIN, missed) == (Mark.BREAKS,)
    assert marks_of(a_group(3, 3, 4), PLAIN, missed) == (Mark.REPEAT,)


def test_pins_of_this_round_and_of_every_round_are_marked() -> None:
    every, other = Lock((1, 3), None), Lock((1, 3), 1)
    assert marks_of(a_group(1, 1, 3), PLAIN, pins=(every,)) == (Mark.PINNED,)
    assert marks_of(a_group(1, 1, 3), PLAIN, pins=(other,)) == ()


def test_who_left_and_what_has_begun_is_marked() -> None:
    assert marks_of(a_group(1, 1, 3, begun=True, gone=3), PLAIN) == (Mark.LEFT, Mark.BEGUN)


def numbers(found: list[GroupLine], show: Show, words: str = "") -> list[int]:
    return [line.group.number for line in chosen(found, show, words, NAMES)]


def test_groups_are_found_by_parts_of_one_name_in_any_case() -> None:
    found = lines([a_group(1, 1, 3), a_group(2, 2, 4)], 2, PLAIN, [], [])
    assert numbers(found, Show.ALL) == [1, 2]
    assert numbers(found, Show.ALL, "berg ås") == [1]
    assert numbers(found, Show.ALL, "åsa jonas") == []
    assert numbers(found, Show.ALL, "METTE") == [2]


def test_groups_are_shown_by_what_is_remarkable() -> None:
    pin = Lock((2, 4), None)
    found = lines([a_group(1, 1, 2), a_group(2, 2, 4), a_group(3, 1, 3, 5)], 2, PLAIN, [], [pin])
    assert numbers(found, Show.WARNING) == [1]
    assert numbers(found, Show.PINNED) == [2]
    assert numbers(found, Show.THREE) == [3]
    assert numbers(found, Show.UNPAIRED) == []
