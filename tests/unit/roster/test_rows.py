"""What a roster's entries mean, and what follows for a member."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.launch.rules import CourseRole
from lti_tool.roster.rules import (
    RosterRow,
    Standing,
    changes_pairing,
    merged,
    must_ask,
    row_of,
    standing_after,
    with_limit,
)

MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
TEST_PERSON = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"
LEARNER, INSTRUCTOR, ASSISTANT, OBSERVER = (
    CourseRole.LEARNER,
    CourseRole.INSTRUCTOR,
    CourseRole.ASSISTANT,
    CourseRole.OBSERVER,
)


def row(**member: object) -> RosterRow | None:
    return row_of({"user_id": "7", "roles": ["Learner"], **member}, names_are_escaped=True)


def the(row: RosterRow | None) -> RosterRow:
    assert row is not None
    return row


@pytest.mark.parametrize(
    ("roles", "role"),
    [
        (["Learner"], LEARNER),
        ([f"{MEMBERSHIP}Learner"], LEARNER),
        (["Instructor"], INSTRUCTOR),
        (
            [
                f"{MEMBERSHIP}Instructor",
                "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant",
            ],
            ASSISTANT,
        ),
        (["Mentor"], OBSERVER),
        (["Learner", "Instructor"], INSTRUCTOR),
        (["Learner", 7, None], LEARNER),
    ],
)
def test_roles_are_read_short_and_in_full(roles: list[object], role: CourseRole) -> None:
    assert the(row(roles=roles)).role is role


@pytest.mark.parametrize("roles", [[], ["Guest"], None, "Learner", {"Learner": 1}])
def test_who_has_no_role_in_the_course_is_no_member(roles: object) -> None:
    assert row(roles=roles) is None


@pytest.mark.parametrize("member", [None, "7", 7, [], {}])
def test_what_is_no_entry_names_nobody(member: object) -> None:
    assert row_of(member, names_are_escaped=False) is None


@pytest.mark.parametrize("sub", ["", None, "x" * 256, True, 7.5, ["7"], "a\x00b", "a\nb"])
def test_an_id_that_is_none_names_nobody(sub: object) -> None:
    assert row(user_id=sub) is None


def test_an_id_may_be_a_number() -> None:
    assert the(row(user_id=7)).sub == "7"


@pytest.mark.parametrize(
    ("status", "is_active"),
    [
        ("Active", True),
        ("active", True),
        ("http://purl.imsglobal.org/vocab/lis/v2/status#Active", True),
        ("Inactive", False),
        ("Deleted", False),
        (None, False),
    ],
)
def test_a_status_is_read_in_any_spelling(status: object, is_active: bool) -> None:
    assert the(row(status=status)).is_active is is_active


def test_without_a_status_people_are_active() -> None:
    assert the(row()).is_active


def test_a_test_person_is_known_as_one() -> None:
    assert the(row(roles=["Learner", TEST_PERSON])).is_test


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("&lt;b&gt;Ann", "<b>Ann"),
        ("  Åsa \t Öberg\u2028", "Åsa Öberg"),
        ("دنة", "دنة"),
        ("nul\x00byte", "nul byte"),
        ("", None),
        (" ", None),
        (7, None),
        (None, None),
        ("x" * 300, "x" * 255),
        ("\ud800lone", "lone"),
    ],
)
def test_a_name_is_kept_as_people_write_it(given: object, kept: str | None) -> None:
    assert the(row(name=given)).name == kept


def test_a_name_that_is_not_escaped_is_left_alone() -> None:
    found = row_of({"user_id": "7", "roles": ["Learner"], "name": "A &amp; B"}, names_are_escaped=False)
    assert the(found).name == "A &amp; B"


def test_an_address_too_long_to_be_one_is_left_out() -> None:
    assert the(row(email="a" * 321)).email is None


def test_who_is_listed_twice_has_the_higher_role() -> None:
    people = merged([RosterRow("7", LEARNER, name="Ann"), RosterRow("7", INSTRUCTOR, is_active=False)])
    assert people == {"7": RosterRow("7", INSTRUCTOR, is_active=True, name="Ann")}


def standing(role: CourseRole = LEARNER, *, ever_staff: bool = False, is_active: bool = True) -> Standing:
    return Standing(role, ever_staff, is_active)


@pytest.mark.parametrize(
    ("before", "row", "listed_already", "after"),
    [
        (None, RosterRow("7", LEARNER), False, standing()),
        (None, RosterRow("7", ASSISTANT), False, standing(ASSISTANT, ever_staff=True)),
        (None, RosterRow("7", OBSERVER), False, standing(OBSERVER)),
        (standing(), RosterRow("7", LEARNER, is_active=False), False, standing(is_active=False)),
        (standing(is_active=False), RosterRow("7", LEARNER), False, standing()),
        # Once staff, staff always.
        (standing(ASSISTANT, ever_staff=True), RosterRow("7", LEARNER), False, standing(ASSISTANT, ever_staff=True)),
        (standing(LEARNER, ever_staff=True), RosterRow("7", LEARNER), False, standing(LEARNER, ever_staff=True)),
        (standing(), RosterRow("7", INSTRUCTOR), False, standing(INSTRUCTOR, ever_staff=True)),
        # An observer who became a learner is one; on two pages of one roster the higher role counts.
        (standing(OBSERVER), RosterRow("7", LEARNER), False, standing(LEARNER)),
        (standing(OBSERVER), RosterRow("7", LEARNER), True, standing(OBSERVER)),
        (standing(), RosterRow("7", LEARNER, is_active=False), True, standing()),
    ],
)
def test_what_a_row_makes_of_a_member(
    before: Standing | None, row: RosterRow, listed_already: bool, after: Standing
) -> None:
    assert standing_after(before, row, listed_already=listed_already) == after


rows = st.builds(RosterRow, st.just("7"), st.sampled_from(CourseRole), st.booleans(), st.booleans())


@given(st.lists(st.tuples(rows, st.booleans()), min_size=1))
def test_nobody_ever_known_as_staff_is_paired(history: list[tuple[RosterRow, bool]]) -> None:
    known: Standing | None = None
    for found, listed_already in history:
        known = standing_after(known, found, listed_already=listed_already)
    assert known is not None
    if any(found.role.is_staff or found.is_test or found.role is OBSERVER for found, _ in history[-1:]):
        assert not known.is_to_pair
    if any(found.role.is_staff for found, _ in history):
        assert not known.is_to_pair


@given(rows)
def test_reading_a_roster_again_changes_nothing(found: RosterRow) -> None:
    once = standing_after(None, found, listed_already=False)
    assert standing_after(once, found, listed_already=False) == once
    assert not changes_pairing(once, standing_after(once, found, listed_already=True))


def test_who_joins_or_leaves_changes_pairing() -> None:
    assert changes_pairing(None, standing())
    assert changes_pairing(standing(), standing(is_active=False))
    assert not changes_pairing(None, standing(INSTRUCTOR))
    assert not changes_pairing(standing(), standing())


@pytest.mark.parametrize(
    ("listed", "before", "asks"),
    [(0, 0, False), (5, 0, False), (0, 1, True), (1, 1, False), (1, 20, True), (3, 25, False), (24, 25, False)],
)
def test_a_roster_with_hardly_anybody_left_is_not_believed(listed: int, before: int, asks: bool) -> None:
    assert must_ask(listed, before) is asks


@pytest.mark.parametrize(
    ("url", "limit", "asked"),
    [
        ("https://lms.example/m", 50, "https://lms.example/m?limit=50"),
        ("https://lms.example/m?a=B&limit=5", 50, "https://lms.example/m?a=B&limit=50"),
        ("https://lms.example/m?a=", None, "https://lms.example/m?a="),
    ],
)
def test_a_page_size_is_asked_for_beside_whatever_else_the_address_says(
    url: str, limit: int | None, asked: str
) -> None:
    assert with_limit(url, limit) == asked
