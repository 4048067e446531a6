"""What is said of an instance and its answer that is no mistake, and of locks that cannot be kept."""

from typing import Any

import pytest

from lti_tool.pairing.commands import notes_of, reviews_of, schedule_of
from lti_tool.pairing.rules.plan_file import InstanceFlawed, read_instance

NOT_MANAGER = {"type": "not_manager"}
SHARE = {"type": "share_any", "attribute": "languages"}


def instance(ids: str = "abcd", **changes: Any) -> dict[str, Any]:
    return {"people": [{"id": one} for one in ids], "rounds": 1} | changes


def notes(written: dict[str, Any]) -> list[str]:
    read = read_instance(written)
    return notes_of(read, (reviews_of if read.form.kind == "review" else schedule_of)(read, read.form.seed))


def mistakes(written: dict[str, Any]) -> list[str]:
    with pytest.raises(InstanceFlawed) as flawed:
        read_instance(written)
    return list(flawed.value.mistakes)


# ---- locks -----------------------------------------------------------------------------------------------------------


def test_of_several_locks_the_first_that_cannot_be_kept_is_named() -> None:
    people = [{"id": "a", "manager": "b"}, {"id": "b", "manager": None}, *({"id": one} for one in "cdef")]
    locked = [
        {"round": 1, "members": ["c", "d"]},
        {"round": 1, "members": ["e", "f"]},
        {"round": 1, "members": ["a", "b"]},
    ]

    assert mistakes(instance(people=people, constraints=[NOT_MANAGER], locked=locked)) == [
        "locked[2]: 'a' and 'b' cannot be together in round 1 under constraints[0] (not_manager)"
    ]
    locked[0] = {"round": 1, "members": ["a", "c"]}
    assert mistakes(instance(people=people, constraints=[NOT_MANAGER], locked=locked)) == [
        "locked[0] and locked[2]: 'a' cannot be in two groups of round 1"
    ]


@pytest.mark.parametrize(
    ("ids", "locked", "says"),
    [
        ("abc", ("ab", "ab"), None),
        ("abcd", ("ab", "cd"), None),
        ("abcd", ("ab", "bc"), "locked[0] and locked[1]: 'b' cannot be in two groups of round 1"),
        ("abcde", ("abc", "ab"), "locked[0] and locked[1]: 'a' cannot be in two groups of round 1"),
        ("abcd", ("abc",), "locked[0]: 'a', 'b' and 'c' cannot be together in round 1, which has no group of three"),
        ("abcdefg", ("abc", "def"), "locked[0]: 'a', 'b' and 'c' cannot be together in round 1, which has one group"),
    ],
)
def test_locks_are_held_against_each_other_and_the_number_of_people(
    ids: str, locked: tuple[str, ...], says: str | None
) -> None:
    written = instance(ids, locked=[{"round": 1, "members": list(one)} for one in locked])

    if says is None:
        assert read_instance(written).course.locks
    else:
        (found,) = mistakes(written)
        assert says in found


def test_a_lock_of_three_is_a_lock_of_two_when_one_left() -> None:
    written = instance(
        "abcd", current=[["a", "b", "e"], ["c", "d"]], left=["e"], locked=[{"round": 1, "members": ["a", "c", "e"]}]
    )

    assert [lock.members for lock in read_instance(written).course.locks] == [(1, 3)]


# ---- notes -----------------------------------------------------------------------------------------------------------


def test_an_instance_with_nothing_odd_has_no_notes() -> None:
    assert notes(instance(rounds=3)) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rounds": 4}, "rounds: 4 rounds, but 4 people can meet fewer new people than that: 'a', 'b', 'c', 'd'"),
        (
            {"rounds": 2, "constraints": [{"type": "exclude", "pairs": [["a", "b"], ["a", "c"]]}]},
            "rounds: 2 rounds, but 1 person can meet fewer new people than that: 'a'",
        ),
        (
            {
                "people": [{"id": "a", "manager": "b"}, {"id": "b", "manager": "a"}, {"id": "c", "manager": None}],
                "constraints": [NOT_MANAGER],
            },
            "people: a loop of managers: 'a', 'b'",
        ),
        (
            {
                "people": [{"id": one} for one in "abcdef"] + [{"id": "g", "department": "x"}],
                "weights": [{"type": "differ", "attribute": "department", "weight": 1}],
            },
            "people: 6 of 7 people have no value for department: 'a', 'b', 'c', 'd', 'e' and 1 more",
        ),
        (
            {"weights": [{"type": "gap", "attribute": "experience", "weight": 1}]},
            "people: no one has a value for experience",
        ),
        (
            {
                "people": [{"id": one, "languages": ["en"]} for one in "abc"] + [{"id": "d"}],
                "constraints": [NOT_MANAGER, SHARE],
            },
            "constraints[1] (share_any languages): 1 person has no value for languages, "
            "so it leaves them no partner: 'd'",
        ),
    ],
)
def test_what_a_designer_should_know_is_a_note(changes: dict[str, Any], says: str) -> None:
    assert says in notes(instance(**changes))


def test_constraints_that_leave_everybody_unpaired_are_named() -> None:
    people = [{"id": one, "group": "xy"[one % 2]} for one in range(4)]
    same, differ = ({"type": kind, "attribute": "group"} for kind in ("same", "differ"))

    assert notes(instance(people=people, constraints=[same, differ])) == [
        "constraints[0] (same group) and constraints[1] (differ group) together leave no one a partner"
    ]
    people = [{"id": one, "group": str(one)} for one in range(4)]
    assert notes(instance(people=people, constraints=[differ, same])) == [
        "constraints[1] (same group) leaves no one a partner"
    ]


def test_of_very_many_notes_the_rest_are_counted() -> None:
    found = notes(instance(people=[{"id": one, "nickname": "x"} for one in range(30)], rounds=40))

    assert len(found) == 22
    assert found[20] == "and 10 notes more like these"
    assert found[21].startswith("rounds: 40 rounds, but 30 people")


# ---- reviews ---------------------------------------------------------------------------------------------------------


def test_the_first_ten_who_are_short_of_reviews_are_named_with_the_reason() -> None:
    found = notes({"kind": "review", "people": [{"id": one} for one in range(13)], "reviews_per_person": 20})

    assert found[0] == "reviews: 0 does 12 and gets 12 of 20. There are only 12 others."
    assert len(found) == 11
    assert found[-1] == "reviews: 3 people more with fewer than 20"


def test_who_is_short_of_reviews_because_of_others_is_told_so() -> None:
    hub = [{"id": "hub", "languages": ["x", "y", "z"]}, *({"id": one, "languages": [one]} for one in "xyz")]

    found = notes({"kind": "review", "people": hub, "constraints": [SHARE], "reviews_per_person": 1})

    assert found
    assert all(one.endswith("They have too few partners, or others need the same ones.") for one in found)
