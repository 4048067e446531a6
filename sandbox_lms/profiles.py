"""How the four products differ, as a table. Nothing else in the sandbox asks which product it plays."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox_lms.people import Role
from sandbox_lms.vocabulary import (
    ALL_SCOPES,
    CONTEXT,
    CONTEXT_INSTRUCTOR,
    GROUPS,
    INSTITUTION,
    NOTICE_HANDLERS,
    SYSTEM,
    TEST_PERSON,
)

Roles = Mapping[Role, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Profile:
    """What one product does its own way."""

    name: str
    title: str
    family_code: str
    version: str
    roles: Roles
    """Roles in launches."""
    roster_roles: Roles
    """Roles in the roster, which some products word differently."""
    issuer: str | None = None
    """One issuer for all sites; None: the site's own address."""
    token_audience: str | None = None
    """What a client assertion must be addressed to; None: the token endpoint."""
    numeric_ids: bool = False
    id_token_lifetime: int = 3600
    sends_nbf: bool = False
    sends_azp: bool = False
    hint_works_once: bool = False
    own_login_fields: tuple[tuple[str, str], ...] = ()
    storage_target: str | None = None
    """The frame that keeps values for tools; None: the product has no platform storage."""
    resizes_frame: bool = False
    roster_page: int | None = None
    """Members on a page when the tool asks for no limit; None: everybody in one answer."""
    roster_page_cap: int | None = None
    roster_links: str = "plain"
    """The next link: `moodle` (limit and from, role forgotten), `bookmark` (opaque, limit forgotten) or `plain`."""
    roster_escapes_names: bool = False
    roster_lists_inactive: bool = False
    roster_has_usernames: bool = False
    line_items_page: int | None = None
    line_item_links_are_curly: bool = False
    line_items_have_type: bool = False
    strict_media_types: bool = False
    coupled_line_items_are_kept: bool = False
    two_line_items_hide_the_claim: bool = False
    results_filter_drops_comments: bool = False
    results_limit_crashes: bool = False
    score_rules: str = "moodle"
    needs_activation: bool = False
    needs_course_switch: bool = False
    confirms_selection: bool = False
    sends_registration_token: bool = True
    configuration_needs_token: bool = False
    token_answers_as_html: bool = False
    throttle_headers: bool = False
    concluded_is_gone: bool = False
    """A course that is over answers 404 to every service call."""
    has_groups_service: bool = False
    """Tells the groups of a course, and in the roster who is in them."""
    sends_notices: bool = False
    """Tells subscribed tools by itself that a course was copied."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What a tool may be granted."""
        groups = (GROUPS,) if self.has_groups_service else ()
        return (*ALL_SCOPES, *groups, *((NOTICE_HANDLERS,) if self.sends_notices else ()))


MOODLE_ROLES: Roles = {
    Role.LEARNER: (f"{CONTEXT}Learner",),
    Role.INSTRUCTOR: (f"{CONTEXT}Instructor",),
    # Moodle asks only "may this person manage activities or see grades?", so an assistant launches as Instructor.
    Role.ASSISTANT: (f"{CONTEXT}Instructor",),
    Role.OBSERVER: (f"{CONTEXT}Mentor",),
    Role.ADMIN: (f"{INSTITUTION}Administrator", f"{CONTEXT}Instructor", f"{SYSTEM}Administrator"),
    Role.TEST: (f"{CONTEXT}Learner",),
}

MOODLE = Profile(
    name="moodle",
    title="Moodle 4.5",
    family_code="moodle",
    version="2024100706",
    roles=MOODLE_ROLES,
    # Short names, and an assistant is listed as a learner.
    roster_roles={
        Role.LEARNER: ("Learner",),
        Role.INSTRUCTOR: ("Instructor",),
        Role.ASSISTANT: ("Learner",),
        Role.OBSERVER: ("Mentor",),
    },
    numeric_ids=True,
    id_token_lifetime=60,
    hint_works_once=True,
    roster_links="moodle",
    roster_escapes_names=True,
    roster_has_usernames=True,
    line_item_links_are_curly=True,
    line_items_have_type=True,
    strict_media_types=True,
    two_line_items_hide_the_claim=True,
    results_limit_crashes=True,
    score_rules="moodle",
    needs_activation=True,
    needs_course_switch=True,
    confirms_selection=True,
    token_answers_as_html=True,
)

EVERYBODY = f"{SYSTEM}User"

CANVAS = Profile(
    name="canvas",
    title="Canvas",
    family_code="canvas",
    version="cloud",
    issuer="https://canvas.example",
    roles={
        Role.LEARNER: (f"{INSTITUTION}Student", f"{CONTEXT}Learner", EVERYBODY),
        Role.INSTRUCTOR: (f"{INSTITUTION}Instructor", f"{CONTEXT}Instructor", EVERYBODY),
        Role.ASSISTANT: (f"{CONTEXT}Instructor", f"{CONTEXT_INSTRUCTOR}TeachingAssistant", EVERYBODY),
        Role.OBSERVER: (f"{INSTITUTION}Observer", f"{CONTEXT}Mentor", EVERYBODY),
        Role.ADMIN: (f"{INSTITUTION}Administrator", EVERYBODY),
        Role.TEST: (f"{INSTITUTION}Student", f"{CONTEXT}Learner", EVERYBODY, TEST_PERSON),
    },
    roster_roles={
        Role.LEARNER: (f"{CONTEXT}Learner",),
        Role.INSTRUCTOR: (f"{CONTEXT}Instructor",),
        Role.ASSISTANT: (f"{CONTEXT}Instructor", f"{CONTEXT_INSTRUCTOR}TeachingAssistant"),
        Role.OBSERVER: (f"{CONTEXT}Mentor",),
    },
    sends_azp=True,
    own_login_fields=(("canvas_region", "eu-west-1"), ("canvas_environment", "prod")),
    storage_target="post_message_forwarding",
    resizes_frame=True,
    roster_page=50,
    roster_page_cap=50,
    roster_links="bookmark",
    roster_lists_inactive=True,
    line_items_page=10,
    coupled_line_items_are_kept=True,
    score_rules="canvas",
    configuration_needs_token=True,
    throttle_headers=True,
    concluded_is_gone=True,
    sends_notices=True,
)

BLACKBOARD = Profile(
    name="blackboard",
    title="Blackboard",
    family_code="BlackboardLearn",
    version="4000.1.0",
    issuer="https://blackboard.example",
    roles={
        Role.LEARNER: (f"{CONTEXT}Learner", f"{INSTITUTION}Student"),
        Role.INSTRUCTOR: (f"{CONTEXT}Instructor", f"{INSTITUTION}Faculty"),
        Role.ASSISTANT: (f"{CONTEXT_INSTRUCTOR}TeachingAssistant",),
        Role.OBSERVER: (f"{CONTEXT}Mentor", f"{INSTITUTION}Observer"),
        Role.ADMIN: (f"{INSTITUTION}Administrator", f"{SYSTEM}Administrator"),
        Role.TEST: (f"{CONTEXT}Learner",),
    },
    roster_roles={
        Role.LEARNER: (f"{CONTEXT}Learner",),
        Role.INSTRUCTOR: (f"{CONTEXT}Instructor",),
        Role.ASSISTANT: (f"{CONTEXT_INSTRUCTOR}TeachingAssistant",),
        Role.OBSERVER: (f"{CONTEXT}Mentor",),
    },
    storage_target="_parent",
    roster_page=1000,
    roster_page_cap=1000,
    results_filter_drops_comments=True,
    score_rules="blackboard",
    has_groups_service=True,
)

BRIGHTSPACE = Profile(
    name="brightspace",
    title="Brightspace",
    family_code="desire2learn",
    version="20.26.11",
    token_audience="https://api.brightspace.example/auth/token",
    roles={
        Role.LEARNER: (f"{CONTEXT}Learner", f"{INSTITUTION}Student"),
        Role.INSTRUCTOR: (f"{CONTEXT}Instructor", f"{INSTITUTION}Instructor"),
        Role.ASSISTANT: (f"{CONTEXT}Instructor", f"{CONTEXT_INSTRUCTOR}TeachingAssistant"),
        Role.OBSERVER: (f"{CONTEXT}Mentor",),
        # One account collects what its role is mapped to, so an administrator arrives as all three.
        Role.ADMIN: (f"{CONTEXT}Learner", f"{CONTEXT}Instructor", f"{CONTEXT}Administrator"),
        Role.TEST: (f"{CONTEXT}Learner",),
    },
    roster_roles={
        Role.LEARNER: (f"{CONTEXT}Learner",),
        Role.INSTRUCTOR: (f"{CONTEXT}Instructor",),
        Role.ASSISTANT: (f"{CONTEXT}Instructor", f"{CONTEXT_INSTRUCTOR}TeachingAssistant"),
        Role.OBSERVER: (f"{CONTEXT}Mentor",),
    },
    sends_nbf=True,
    storage_target="_parent",
    roster_page=100,
    roster_page_cap=1000,
    score_rules="brightspace",
    sends_registration_token=False,
)

PROFILES = {profile.name: profile for profile in (MOODLE, CANVAS, BLACKBOARD, BRIGHTSPACE)}
