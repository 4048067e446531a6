"""What each role of the LIS vocabulary means here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.launch.rules.roles import CONTEXT_ROLES, CourseRole, course_role, read_roles

LIS = "http://purl.imsglobal.org/vocab/lis/v2/"
TEST_USER = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"

CONTEXT_PRINCIPALS = {
    "Administrator": None,
    "ContentDeveloper": "instructor",
    "Instructor": "instructor",
    "Learner": "learner",
    "Manager": None,
    "Member": None,
    "Mentor": "observer",
    "Officer": None,
    "TeachingAssistant": "assistant",
}
CONTEXT_SUB_ROLES = {
    "Administrator": dict.fromkeys(
        (
            "Administrator",
            "Developer",
            "ExternalDeveloper",
            "ExternalSupport",
            "ExternalSystemAdministrator",
            "Support",
            "SystemAdministrator",
        )
    ),
    "ContentDeveloper": dict.fromkeys(
        ("ContentDeveloper", "ContentExpert", "ExternalContentExpert", "Librarian"), "instructor"
    ),
    "Instructor": {
        **dict.fromkeys(
            ("ExternalInstructor", "GuestInstructor", "Lecturer", "PrimaryInstructor", "SecondaryInstructor"),
            "instructor",
        ),
        **dict.fromkeys(
            (
                "Grader",
                "TeachingAssistant",
                "TeachingAssistantGroup",
                "TeachingAssistantOffering",
                "TeachingAssistantSection",
                "TeachingAssistantSectionAssociation",
                "TeachingAssistantTemplate",
            ),
            "assistant",
        ),
    },
    "Learner": dict.fromkeys(
        ("ExternalLearner", "GuestLearner", "Instructor", "Learner", "NonCreditLearner"), "learner"
    ),
    "Manager": {
        **dict.fromkeys(("AreaManager", "CourseCoordinator", "Manager")),
        **dict.fromkeys(("ExternalObserver", "Observer"), "observer"),
    },
    "Member": dict.fromkeys(("Member",)),
    "Mentor": dict.fromkeys(
        (
            "Advisor",
            "Auditor",
            "ExternalAdvisor",
            "ExternalAuditor",
            "ExternalLearningCoordinator",
            "ExternalMentor",
            "ExternalReviewer",
            "ExternalTutor",
            "LearningCoordinator",
            "Mentor",
            "Reviewer",
            "Tutor",
        ),
        "observer",
    ),
    "Officer": dict.fromkeys(("Chair", "Communications", "Secretary", "Treasurer", "Vice-Chair")),
}
INSTITUTION = [
    "Administrator",
    "Alumni",
    "Faculty",
    "Guest",
    "Instructor",
    "Learner",
    "Member",
    "Mentor",
    "None",
    "Observer",
    "Other",
    "ProspectiveStudent",
    "Staff",
    "Student",
]
SYSTEM = ["AccountAdmin", "Administrator", "Creator", "None", "SysAdmin", "SysSupport", "User"]


@pytest.mark.parametrize(("name", "expected"), CONTEXT_PRINCIPALS.items())
def test_a_principal_context_role(name: str, expected: str | None) -> None:
    assert course_role([f"{LIS}membership#{name}"]) == expected


@pytest.mark.parametrize(("name", "expected"), CONTEXT_PRINCIPALS.items())
def test_a_short_context_role(name: str, expected: str | None) -> None:
    assert course_role([name]) == expected


@pytest.mark.parametrize(
    ("principal", "name", "expected"),
    [(principal, name, role) for principal, parts in CONTEXT_SUB_ROLES.items() for name, role in parts.items()],
)
def test_a_context_sub_role(principal: str, name: str, expected: str | None) -> None:
    assert course_role([f"{LIS}membership/{principal}#{name}"]) == expected


@pytest.mark.parametrize("role", [f"{LIS}institution/person#{name}" for name in INSTITUTION])
def test_an_institution_role_gives_nothing_in_a_course(role: str) -> None:
    roles = read_roles([role])
    assert roles.course is None
    assert roles.is_administrator == role.endswith("#Administrator")


@pytest.mark.parametrize("role", [f"{LIS}system/person#{name}" for name in SYSTEM])
def test_a_system_role_gives_nothing_in_a_course(role: str) -> None:
    roles = read_roles([role])
    assert roles.course is None
    assert roles.is_administrator == role.endswith(("#Administrator", "#SysAdmin"))


@pytest.mark.parametrize(
    "role",
    [
        f"{LIS}anything#Instructor",
        f"{LIS}membership/Instructor#Made-up",
        f"{LIS}person#Administrator",
        f"{LIS}membership#instructor",
        f" {LIS}membership#Instructor",
        f"{LIS}membership#Instructor#Learner",
        "https://purl.imsglobal.org/vocab/lis/v2/membership#Instructor",
        "urn:lti:role:ims/lis/Instructor",
        "instructor",
        "Administrator",
        "",
    ],
)
def test_what_is_not_in_the_vocabulary_gives_nothing(role: str) -> None:
    roles = read_roles([role])
    assert roles.course is None
    assert not roles.is_administrator


CONTEXT = f"{LIS}membership#"


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        # Moodle: site administrators teach everywhere.
        (
            [f"{LIS}institution/person#Administrator", f"{CONTEXT}Instructor", f"{LIS}system/person#Administrator"],
            "instructor",
        ),
        # Canvas sends system#User for everybody, and an assistant's principal role beside the sub-role.
        ([f"{CONTEXT}Instructor", f"{LIS}system/person#User"], "instructor"),
        ([f"{CONTEXT}Instructor", f"{LIS}membership/Instructor#TeachingAssistant"], "assistant"),
        (["Instructor", f"{LIS}membership/Instructor#TeachingAssistant"], "assistant"),
        ([f"{CONTEXT}Instructor", f"{CONTEXT}TeachingAssistant"], "assistant"),
        ([f"{LIS}institution/person#Instructor", f"{CONTEXT}Learner", f"{LIS}system/person#User"], "learner"),
        ([f"{LIS}institution/person#Student", f"{CONTEXT}Instructor"], "instructor"),
        ([f"{LIS}institution/person#Administrator", f"{LIS}system/person#User"], None),
        # A teaching assistant who is more besides.
        (
            [
                f"{CONTEXT}Instructor",
                f"{LIS}membership/Instructor#TeachingAssistant",
                f"{LIS}membership/Instructor#PrimaryInstructor",
            ],
            "instructor",
        ),
        ([f"{LIS}membership/Instructor#TeachingAssistant", f"{CONTEXT}ContentDeveloper"], "instructor"),
        ([f"{LIS}membership/Instructor#TeachingAssistant", f"{CONTEXT}Learner"], "assistant"),
        # Brightspace: one account, everything it is mapped to.
        ([f"{CONTEXT}Learner", f"{CONTEXT}Instructor", f"{CONTEXT}Administrator"], "instructor"),
        ([f"{CONTEXT}Learner", f"{CONTEXT}Administrator"], "learner"),
        ([f"{CONTEXT}Mentor", f"{CONTEXT}Learner"], "observer"),
        # A learner who helps to teach stays a learner.
        ([f"{CONTEXT}Learner", f"{LIS}membership/Learner#Instructor"], "learner"),
        ([], None),
    ],
)
def test_the_highest_context_role_counts(roles: list[str], expected: str | None) -> None:
    assert course_role(roles) == expected
    assert course_role(reversed(roles)) == expected


def test_a_test_person_is_known() -> None:
    roles = read_roles([f"{CONTEXT}Learner", TEST_USER])
    assert (roles.course, roles.is_test_person) == (CourseRole.LEARNER, True)
    assert not read_roles([f"{CONTEXT}Learner"]).is_test_person


@given(st.lists(st.text() | st.sampled_from([f"{LIS}institution/person#{name}" for name in INSTITUTION])))
def test_nobody_gets_a_right_from_roles_outside_the_course(roles: list[str]) -> None:
    assert course_role(role for role in roles if role not in CONTEXT_ROLES) is None


@given(st.lists(st.sampled_from(sorted(CONTEXT_ROLES))))
def test_a_role_given_twice_changes_nothing(roles: list[str]) -> None:
    assert course_role(roles) == course_role(roles * 2)
