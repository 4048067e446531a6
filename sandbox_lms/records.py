"""What the LMS remembers."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sandbox_lms.people import Person, Role


class Form(NamedTuple):
    """A form that a browser would post by itself."""

    url: str
    fields: dict[str, str]


@dataclass(slots=True)
class ToolRegistration:
    """A tool as the LMS knows it, with the addresses that the tool has to know."""

    number: int
    title: str
    client_id: str
    deployment_ids: list[str]
    initiate_login_uri: str
    redirect_uris: list[str]
    jwks_uri: str
    target_link_uri: str
    deep_link_uri: str | None
    custom: dict[str, str]
    scopes: tuple[str, ...]
    active: bool
    issuer: str
    auth_login_url: str
    auth_token_url: str
    key_set_url: str
    auth_audience: str | None
    platform_origin: str
    description: str = ""
    icon: str | None = None
    shares_names: bool = True
    shares_mail: bool = True
    is_dynamic: bool = False
    notice_handlers: dict[str, dict[str, str]] = field(default_factory=dict)
    """By deployment and type of notice, the tool's address."""

    @property
    def deployment_id(self) -> str:
        """The first deployment; the only one unless more were made."""
        return self.deployment_ids[0]

    @property
    def host(self) -> str:
        return urlsplit(self.target_link_uri).netloc

    def as_registration_json(self) -> dict[str, Any]:
        """The values an administrator would write down for the tool."""
        return {
            "title": self.title,
            "issuer": self.issuer,
            "client_id": self.client_id,
            "deployment_ids": list(self.deployment_ids),
            "auth_login_url": self.auth_login_url,
            "auth_token_url": self.auth_token_url,
            "auth_audience": self.auth_audience,
            "key_set_url": self.key_set_url,
            "platform_origin": self.platform_origin,
        }


@dataclass(slots=True)
class Enrolment:
    """Somebody's place in a course."""

    person: Person
    role: Role
    is_active: bool = True


@dataclass(slots=True)
class GroupSet:
    """Groups of a course that belong together, such as its sections."""

    id: str
    name: str
    is_hidden: bool = False


@dataclass(slots=True)
class CourseGroup:
    """A group of a course."""

    id: str
    name: str
    group_set: GroupSet | None
    is_hidden: bool
    people: set[int] = field(default_factory=set)
    """Numbers of the people in it."""


@dataclass(slots=True)
class Course:
    """A course. `key` is for people and tests, `id` is what tools see."""

    number: int
    key: str
    id: str
    label: str
    title: str
    enrolments: dict[int, Enrolment] = field(default_factory=dict)
    switched_on: set[int] = field(default_factory=set)
    """Tools that a teacher switched on, where the product has that switch."""
    history: list[str] = field(default_factory=list)
    """Ids of the courses it was copied from, the nearest first."""
    is_concluded: bool = False
    group_sets: list[GroupSet] = field(default_factory=list)
    groups: list[CourseGroup] = field(default_factory=list)

    def enrolment_of(self, sub: str) -> Enrolment | None:
        return next((one for one in self.enrolments.values() if one.person.sub == sub), None)


@dataclass(slots=True)
class ResourceLink:
    """An activity of a course that opens a tool."""

    number: int
    id: str
    course: Course
    tool: ToolRegistration
    deployment_id: str
    title: str
    text: str
    url: str
    custom: dict[str, str]
    opens_window: bool = False
    is_plain: bool = False
    """Added by hand, not by deep linking."""
    review: dict[str, Any] | None = None
    """The tool's submissionReview: how it wants to be opened from a grade."""
    visible_to: set[int] | None = None
    """Numbers of the only people who may open it; None: the whole course."""


@dataclass(slots=True)
class Grade:
    """What stands in one cell of the gradebook."""

    raw: float | None = None
    """What the tool sent, in the column's points, before it was clipped."""
    shown: float | None = None
    comment: str = ""
    timestamp: datetime | None = None
    is_overridden: bool = False
    is_locked: bool = False
    attempts: int = 0
    activity_progress: str = ""
    grading_progress: str = ""


@dataclass(slots=True)
class LineItem:
    """A column of the gradebook."""

    number: int
    course: Course
    tool: ToolRegistration
    label: str
    score_maximum: float
    resource_id: str = ""
    tag: str = ""
    resource_link: ResourceLink | None = None
    is_coupled: bool = False
    """Made together with its link, by the LMS."""
    is_locked: bool = False
    own_fields: dict[str, Any] = field(default_factory=dict)
    grades: dict[str, Grade] = field(default_factory=dict)
    """By sub."""


@dataclass(slots=True)
class Launch:
    """An opening of a tool that was begun, until the tool asks for the token."""

    hint: str
    person: Person
    tool: ToolRegistration
    course: Course
    deployment_id: str
    target: str
    message_type: str
    link: ResourceLink | None = None
    as_learner: bool = False
    for_person: Person | None = None
    selection: str | None = None
    opens_window: bool = False


@dataclass(slots=True)
class Selection:
    """A visit to a tool to pick content, from its start to its return."""

    token: str
    course: Course
    tool: ToolRegistration
    person: Person
    settings: dict[str, Any]
    items: list[dict[str, Any]] | None = None
    message: str = ""
    is_saved: bool = False


@dataclass(slots=True)
class Invitation:
    """A dynamic registration that an administrator began."""

    id: str
    token: str
    expires: float
    client_id: str
    updates: ToolRegistration | None = None
    is_used: bool = False
    tool: ToolRegistration | None = None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a bearer token stands for."""

    tool: ToolRegistration
    scopes: frozenset[str]
    expires: float


@dataclass(frozen=True, slots=True)
class RequestSeen:
    """One request the LMS answered. Holds no query, no body, no person."""

    endpoint: str
    method: str
    path: str
    status: int
