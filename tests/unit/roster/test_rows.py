"""What a roster's entries mean, and what follows for a member."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.launch.rules.roles import CourseRole
from lti_tool.roster.rules import (
    Membership,
    NamedGroup,
    RosterRow,
    changes_pairing,
    membership_after,
    merged,
    named_groups,
    needs_confirmation,
    row_of,
    usual_set,
    with_groups,
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
        ("Learner", LEARNER),
        (f"{MEMBERSHIP}Learner", LEARNER),
        ("Learner, Instructor", INSTRUCTOR),
    ],
)
def test_roles_are_read_short_and_in_full(roles: list[object], role: CourseRole) -> None:
    assert the(row(roles=roles)).role is role


@pytest.mark.parametrize(
    ("roles", "is_understood"),
    [(["Guest"], True), ([], False), (None, False), ("", False), ({"Learner": 1}, False), ([7], False)],
)
def test_who_has_no_role_in_the_course_is_no_member_and_nobody_who_left(roles: object, is_understood: bool) -> None:
    found = the(row(roles=roles))
    assert (found.role, found.is_active, found.is_understood) == (None, True, is_understood)
    assert membership_after(None, found, listed_already=False) is None
    assert membership_after(standing(), found, listed_already=False) == standing()


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
        (None, True),
        ("", True),
    ],
)
def test_a_status_is_read_in_any_spelling(status: object, is_active: bool) -> None:
    assert the(row(status=status)).is_active is is_active


@pytest.mark.parametrize("status", ["Enrolled", 1, ["Active"], True])
def test_a_status_that_is_not_understood_changes_nothing(status: object) -> None:
    found = the(row(status=status))
    assert (found.is_active, found.is_understood) == (None, False)
    assert membership_after(standing(), found, listed_already=False) == standing()
    assert membership_after(None, found, listed_already=False) == standing(is_active=False)


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


def test_a_name_that_comes_in_parts_is_put_together() -> None:
    assert the(row(given_name="Åsa", family_name="Öberg")).name == "Åsa Öberg"
    assert the(row(name="Å. Öberg", given_name="Åsa", family_name="Öberg")).name == "Å. Öberg"


def test_characters_that_nobody_sees_are_no_part_of_a_name_or_an_address() -> None:
    found = the(row(name="\u202eÅsa\u200b \ufeffÖberg\u00ad", email="\u200basa@uni.example"))
    assert (found.name, found.email) == ("Åsa Öberg", "asa@uni.example")


def test_a_name_of_millions_of_characters_is_cut() -> None:
    assert the(row(name="&amp;" * 1_000_000)).name == "&" * 255


def test_a_name_that_is_not_escaped_is_left_alone() -> None:
    found = row_of({"user_id": "7", "roles": ["Learner"], "name": "A &amp; B"}, names_are_escaped=False)
    assert the(found).name == "A &amp; B"


def test_an_address_too_long_to_be_one_is_left_out() -> None:
    assert the(row(email="a" * 321)).email is None


def test_who_is_listed_twice_has_the_higher_role() -> None:
    people = merged([RosterRow("7", LEARNER, name="Ann"), RosterRow("7", INSTRUCTOR, is_active=False)])
    assert people == {"7": RosterRow("7", INSTRUCTOR, is_active=True, name="Ann")}
    assert merged([RosterRow("7", None), RosterRow("7", LEARNER, is_active=None)])["7"].role is LEARNER
    assert merged([RosterRow("7", LEARNER, is_active=False), RosterRow("7", None, None)])["7"].is_active is None


def standing(role: CourseRole = LEARNER, *, ever_staff: bool = False, is_active: bool = True) -> Membership:
    return Membership(role, ever_staff, is_active)


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
    before: Membership | None, row: RosterRow, listed_already: bool, after: Membership
) -> None:
    assert membership_after(before, row, listed_already=listed_already) == after


rows = st.builds(RosterRow, st.just("7"), st.sampled_from(CourseRole), st.booleans(), st.booleans())


@given(st.lists(st.tuples(rows, st.booleans()), min_size=1))
def test_nobody_ever_known_as_staff_is_paired(history: list[tuple[RosterRow, bool]]) -> None:
    known: Membership | None = None
    for found, listed_already in history:
        known = membership_after(known, found, listed_already=listed_already)
    assert known is not None
    if any(found.role.is_staff or found.is_test or found.role is OBSERVER for found, _ in history[-1:]):
        assert not known.is_to_pair
    if any(found.role.is_staff for found, _ in history):
        assert not known.is_to_pair


@given(rows)
def test_reading_a_roster_again_changes_nothing(found: RosterRow) -> None:
    once = membership_after(None, found, listed_already=False)
    assert membership_after(once, found, listed_already=False) == once
    assert not changes_pairing(once, membership_after(once, found, listed_already=True))


def test_who_joins_or_leaves_changes_pairing() -> None:
    assert changes_pairing(None, standing())
    assert changes_pairing(standing(), standing(is_active=False))
    assert not changes_pairing(None, standing(INSTRUCTOR))
    assert not changes_pairing(standing(), standing())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
MEMBER_KEYS = ("user_id", "roles", "status", "name", "given_name", "family_name", "email", "lis_person_sourcedid")


@given(st.dictionaries(st.sampled_from(MEMBER_KEYS), anything) | anything, st.booleans())
def test_no_entry_of_any_shape_breaks_a_reading_or_ends_a_membership(member: object, names_are_escaped: bool) -> None:
    found = row_of(member, names_are_escaped=names_are_escaped)
    if found is None:
        return
    assert all(len(text) <= 320 for text in (found.sub, found.name or "", found.email or ""))
    after = membership_after(standing(), found, listed_already=False)
    assert after is not None
    said = member.get("status") if isinstance(member, dict) else None
    assert after.is_active or (isinstance(said, str) and said.lower().endswith(("inactive", "deleted")))


@pytest.mark.parametrize(
    ("leaving", "learners", "unread", "asks"),
    [
        (0, 0, 0, False),
        (0, 5, 0, False),
        (1, 1, 0, True),
        (1, 5, 0, False),
        (1, 5, 1, True),
        (2, 5, 0, True),
        (2, 20, 0, False),
        (3, 20, 0, True),
        (2, 20, 1, True),
        (1, 100, 3, False),
        (0, 20, 5, False),
    ],
)
def test_a_roster_that_would_end_much_is_not_believed(leaving: int, learners: int, unread: int, asks: bool) -> None:
    assert needs_confirmation(leaving, learners, unread=unread) is asks


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


def test_groups_are_named_with_their_sets() -> None:
    """The shape is that of the examples in the course groups specification, section 3."""
    sets = [{"id": "s-1", "name": "Lab groups"}, {"id": "s-2", "name": "Support", "hidden": True}, {"name": "no id"}, 5]
    groups: list[object] = [
        {"id": "g-1", "name": " Tuesday ", "set_id": "s-1", "tag": "marking"},
        {"id": 7, "name": "Friday", "set_ids": ["s-1", "s-2"]},
        {"id": "g-3", "name": "No set"},
        {"id": "g-4", "name": "Of an unknown set", "set_id": "s-9"},
        {"id": "g-5", "name": "Secret", "hidden": True},
        {"id": "g-6", "name": "In a secret set", "set_id": "s-2"},
        {"id": "g-7", "name": ""},
        {"name": "no id"},
        "odd",
    ]
    assert named_groups(groups, sets) == {
        "g-1": NamedGroup("Tuesday", "s-1", "Lab groups"),
        "7": NamedGroup("Friday", "s-1", "Lab groups"),
        "g-3": NamedGroup("No set"),
        "g-4": NamedGroup("Of an unknown set", "s-9"),
        "g-5": NamedGroup("Secret", is_hidden=True),
        "g-6": NamedGroup("In a secret set", "s-2", "Support", is_hidden=True),
    }


@pytest.mark.parametrize(
    ("enrollments", "ids"),
    [
        ([{"group_id": "g-1"}, {"group_id": 7}, {"group_id": "g-1"}], ("g-1", "7")),
        ([], ()),
        (None, None),
        ("g-1", None),
        ([{"group_id": None}, {"id": "g-2"}, 5, {"group_id": "\x00"}], ()),
    ],
)
def test_the_groups_of_a_person_are_read(enrollments: object, ids: tuple[str, ...] | None) -> None:
    assert the(row(group_enrollments=enrollments)).groups == ids


def test_a_person_listed_twice_has_the_groups_of_both() -> None:
    entries = [the(row(group_enrollments=[{"group_id": one}])) for one in "ab"]
    assert merged([*entries, the(row())])["7"].groups == ("a", "b")


def test_groups_are_asked_for_once() -> None:
    assert with_groups("https://lms.example/m?limit=5&groups=no") == "https://lms.example/m?limit=5&groups=true"


def test_the_set_with_most_learners_counts_unless_somebody_chooses() -> None:
    assert usual_set({"b": 3, "a": 3, "c": 1}) == "a"
    assert usual_set({}) is None
