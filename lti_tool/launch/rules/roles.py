"""What a platform's roles mean here. Deny by default; only context roles give rights in a course."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class CourseRole(StrEnum):
    """What a member may do in a course, highest first. Derived from context roles only."""

    INSTRUCTOR = "instructor"
    ASSISTANT = "assistant"
    OBSERVER = "observer"
    LEARNER = "learner"

    @property
    def is_staff(self) -> bool:
        """Whether people with this role are never paired, from then on."""
        return self in {CourseRole.INSTRUCTOR, CourseRole.ASSISTANT}


def is_learner(role: str, *, ever_staff: bool, is_test: bool) -> bool:
    """Whether somebody with this role is a learner to us: never known as staff, and no test person of the platform.

    In queries the same is said by `Member.is_learner`.
    """
    return role == CourseRole.LEARNER and not ever_staff and not is_test


_VOCABULARY: Final = "http://purl.imsglobal.org/vocab/lis/v2/"
_PLAIN_INSTRUCTOR: Final = frozenset({"Instructor", f"{_VOCABULARY}membership#Instructor"})


def _context_roles() -> dict[str, CourseRole]:
    """Every context role that gives a right in a course, as platforms spell it. All other roles give none."""
    principal = {
        "Instructor": CourseRole.INSTRUCTOR,
        "ContentDeveloper": CourseRole.INSTRUCTOR,
        # No principal role of the vocabulary, but what several platforms send.
        "TeachingAssistant": CourseRole.ASSISTANT,
        "Mentor": CourseRole.OBSERVER,
        "Learner": CourseRole.LEARNER,
    }
    assistants = (
        "Grader TeachingAssistant TeachingAssistantGroup TeachingAssistantOffering TeachingAssistantSection "
        "TeachingAssistantSectionAssociation TeachingAssistantTemplate"
    )
    sub_roles = {
        ("Instructor", CourseRole.INSTRUCTOR): (
            "Instructor ExternalInstructor GuestInstructor Lecturer PrimaryInstructor SecondaryInstructor"
        ),
        ("Instructor", CourseRole.ASSISTANT): assistants,
        ("ContentDeveloper", CourseRole.INSTRUCTOR): ("ContentDeveloper ContentExpert ExternalContentExpert Librarian"),
        # `Instructor` here is a learner who helps to teach: the part before the # counts.
        ("Learner", CourseRole.LEARNER): "Learner ExternalLearner GuestLearner Instructor NonCreditLearner",
        ("Mentor", CourseRole.OBSERVER): (
            "Mentor Advisor Auditor ExternalAdvisor ExternalAuditor ExternalLearningCoordinator ExternalMentor "
            "ExternalReviewer ExternalTutor LearningCoordinator Reviewer Tutor"
        ),
        ("Manager", CourseRole.OBSERVER): "Observer ExternalObserver",
    }
    roles: dict[str, CourseRole] = {}
    for name, role in principal.items():
        roles[name] = roles[f"{_VOCABULARY}membership#{name}"] = role
    for (name, role), parts in sub_roles.items():
        roles |= {f"{_VOCABULARY}membership/{name}#{part}": role for part in parts.split()}
    return roles


CONTEXT_ROLES: Final[Mapping[str, CourseRole]] = _context_roles()
ADMINISTRATOR_ROLES: Final = frozenset(
    {
        f"{_VOCABULARY}institution/person#Administrator",
        f"{_VOCABULARY}system/person#Administrator",
        f"{_VOCABULARY}system/person#SysAdmin",
    }
)
INSTITUTION_ROLES: Final = frozenset(
    f"{_VOCABULARY}institution/person#{name}" for name in ("Faculty", "Instructor", "Learner", "Staff", "Student")
)
TEST_PERSON_ROLE: Final = "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"


@dataclass(frozen=True, slots=True)
class Roles:
    """What the platform's roles mean here."""

    course: CourseRole | None
    """None: no right in the course, which is also what an unknown role gives."""
    is_administrator: bool
    """Administrator of the institution or of the whole platform. Gives nothing in a course."""
    is_test_person: bool
    is_of_institution: bool = False
    """Known to learn, teach or work at the institution, which gives nothing in a course."""


def course_role(roles: Iterable[str]) -> CourseRole | None:
    """The highest right in the course that these roles give, or None. Only context roles count."""
    named = set(roles)
    given = {CONTEXT_ROLES[role] for role in named if role in CONTEXT_ROLES}
    if CourseRole.ASSISTANT in given:
        # Canvas and Brightspace send the plain principal role beside a teaching assistant's own.
        without_instructor = {CONTEXT_ROLES[role] for role in named - _PLAIN_INSTRUCTOR if role in CONTEXT_ROLES}
        given = without_instructor
    return next((role for role in CourseRole if role in given), None)


def read_roles(roles: Iterable[str]) -> Roles:
    """What these roles mean, each URI taken literally."""
    named = set(roles)
    return Roles(
        course_role(named),
        not named.isdisjoint(ADMINISTRATOR_ROLES),
        TEST_PERSON_ROLE in named,
        not named.isdisjoint(INSTITUTION_ROLES),
    )
