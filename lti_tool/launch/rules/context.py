"""From verified claims to what a launch means and opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from re import compile as pattern
from typing import Any, Final

from lti_tool.launch.errors import (
    AdministratorOnly,
    ClaimRefused,
    CourseMissing,
    InstitutionRoleOnly,
    MayNotPlace,
    MessageNotSupported,
    NotYourFeedback,
    PersonMissing,
    RoleMissing,
)
from lti_tool.launch.rules.notices import COPY_NOTICE
from lti_tool.launch.rules.roles import TEST_PERSON_ROLE, CourseRole, Roles, course_role, read_roles
from lti_tool.launch.rules.values import (
    LTI,
    address,
    clean,
    harmless_address,
    identifier,
    is_json,
    is_variable,
    locale_of,
    object_of,
    paragraphs,
    shown,
    texts,
    time_zone_of,
    yes_or_no,
)
from lti_tool.registration.rules.dynamic import GROUPS_SCOPE, NOTICES_SCOPE
from lti_tool.support.addresses import origin_of

# Other features read claims with these as well.
__all__ = ["LTI", "TEST_PERSON_ROLE", "CourseRole", "Roles", "clean", "course_role", "read_roles"]

ROSTER_AGE: Final = timedelta(hours=1)
ROSTER_PAUSE: Final = timedelta(minutes=5)
"""A launch asks for a new roster if the last one is older than this. The shorter time applies to people whom the last
one did not list.
"""
GRADEBOOK_CLAIM: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
ROSTER_CLAIM: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING_CLAIM: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
GROUPS_CLAIM: Final = "https://purl.imsglobal.org/spec/lti-gs/claim/groupsservice"
NOTICES_CLAIM: Final = f"{LTI}platformnotificationservice"


class Message(StrEnum):
    """The messages that open something here."""

    RESOURCE_LINK = "LtiResourceLinkRequest"
    DEEP_LINKING = "LtiDeepLinkingRequest"
    SUBMISSION_REVIEW = "LtiSubmissionReviewRequest"


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Who launches, as far as the platform tells."""

    sub: str
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    sourced_id: str | None = None


@dataclass(frozen=True, slots=True)
class CourseFacts:
    """The context of the launch."""

    id: str
    title: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """The resource link that was clicked."""

    id: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Services:
    """Addresses of the course's roster and gradebook, and the rights that were granted."""

    memberships_url: str | None = None
    line_items_url: str | None = None
    line_item_url: str | None = None
    gradebook_scopes: tuple[str, ...] = ()
    groups_url: str | None = None
    group_sets_url: str | None = None
    notices_url: str | None = None
    """Where the platform lets us subscribe to its notice of copied courses."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address among them."""
        urls = (self.memberships_url, self.line_items_url, self.line_item_url, self.groups_url, self.group_sets_url)
        return tuple(url for url in (*urls, self.notices_url) if url)


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """What the platform says about itself."""

    guid: str | None = None
    name: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class DeepLinking:
    """What the dialog that places activities accepts as an answer, and where the answer goes."""

    return_url: str
    data: Any
    """Returned as it came, and only if it came: mostly a text, from some platforms another JSON value."""
    accept_types: tuple[str, ...]
    accept_targets: tuple[str, ...]
    accepts_multiple: bool
    accepts_line_item: bool | None
    """None if the platform does not say."""
    title: str | None
    """What the teacher typed as the title in the LMS, or what the LMS calls this tool."""
    text: str | None
    """What the teacher typed as the description, as plain text."""
    auto_create: bool = False
    """The platform places by itself whatever is returned. Otherwise the page that opened the dialog must hear of it."""


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """One verified launch with checked types."""

    message: Message
    deployment_id: str
    target_link_uri: str
    person: PersonFacts
    roles: Roles
    course: CourseFacts | None
    link: LinkFacts | None
    services: Services
    platform: PlatformFacts
    custom: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Custom parameters whose names begin with `tandem_`, without that prefix: facts about the person from the
    institution.
    """
    locale: str | None = None
    time_zone: str | None = None
    return_url: str | None = None
    document_target: str | None = None
    """Where the platform opened us: iframe, frame or window; None where it does not say."""
    deep_linking: DeepLinking | None = None
    reviewed_sub: str | None = None

    @property
    def is_administrator_role(self) -> bool:
        """Whether an institution's or platform's administrator launched."""
        return self.roles.is_administrator


class Opens(StrEnum):
    """The kinds of visit that a launch can open."""

    ACTIVITY = "activity"
    PLACING = "placing"
    REVIEW = "review"
    INSTITUTION = "institution"


def what_opens(context: LaunchContext, *, is_known_administrator: bool, is_first_awaited: bool) -> Opens:
    """What this launch opens.

    `is_first_awaited`: the platform was just registered, and whoever administers it comes to confirm that.
    Raises CourseMissing, RoleMissing, InstitutionRoleOnly, AdministratorOnly, MayNotPlace or NotYourFeedback.
    """
    role = context.roles.course
    is_plain = context.message is Message.RESOURCE_LINK
    if is_plain and context.is_administrator_role and is_first_awaited:
        return Opens.INSTITUTION
    if role is None or context.course is None:
        if is_plain and context.is_administrator_role and is_known_administrator:
            return Opens.INSTITUTION
        if context.is_administrator_role and role is None:
            raise AdministratorOnly("roles")
        if context.course is None:
            raise CourseMissing("context")
        raise InstitutionRoleOnly("roles") if context.roles.is_of_institution else RoleMissing("roles")
    if context.message is Message.DEEP_LINKING:
        if role is not CourseRole.INSTRUCTOR:
            raise MayNotPlace("roles")
        return Opens.PLACING
    if context.message is Message.SUBMISSION_REVIEW:
        if not role.is_staff and context.reviewed_sub != context.person.sub:
            raise NotYourFeedback("for_user")
        return Opens.REVIEW
    return Opens.ACTIVITY


def service_origins(context: LaunchContext) -> list[str]:
    """The origins of the services to which this launch asks us to send tokens and answers, each once."""
    addresses = [*context.services.urls]
    if context.deep_linking is not None:
        addresses.append(context.deep_linking.return_url)
    return sorted({origin_of(url) for url in addresses})


def framing_origins(context: LaunchContext) -> list[str]:
    """The origins from which the page around this launch may come, as far as the launch says."""
    return_origins = [origin_of(context.return_url)] if context.return_url else []
    return sorted({*service_origins(context), *return_origins})


def roster_due_at(asked_at: datetime | None, *, is_listed: bool, is_newcomer: bool, now: datetime) -> datetime | None:
    """When the roster is to be read after a launch; None if it need not be. `asked_at` may be in the future.

    At once for a learner who was never seen before, so that they are placed without a second launch. After a pause for
    somebody whom the last reading did not list.
    """
    if asked_at is None or is_newcomer:
        return now
    if is_listed:
        return now if now - asked_at >= ROSTER_AGE else None
    return asked_at if asked_at > now else max(now, asked_at + ROSTER_PAUSE)


KEPT_CUSTOM: Final = frozenset({"activity", "context_id_history", "resource_link_id_history", "time_zone"})
"""Custom parameters that we set ourselves. Others may hold personal data that nobody asked us to keep."""

ABOUT: Final = pattern(r"tandem_([a-z_]{1,32})")
LONGEST_ABOUT: Final = 2000


def read_context(claims: Mapping[str, Any], *, allow_http: bool = False) -> LaunchContext:
    """Read the claims of a verified token. Raises MessageNotSupported, PersonMissing or ClaimRefused."""
    message = _message(claims)
    if claims.get(f"{LTI}version") != "1.3.0":
        raise ClaimRefused("version")
    presentation = object_of(claims, f"{LTI}launch_presentation", is_null_absent=True)
    custom = _custom(claims)
    return LaunchContext(
        message=message,
        deployment_id=identifier(claims, f"{LTI}deployment_id"),
        target_link_uri=identifier(claims, f"{LTI}target_link_uri", longest=2000),
        person=_person(claims),
        roles=read_roles(texts(claims, f"{LTI}roles", required=True)),
        course=_course(claims),
        link=_link(claims, required=message is Message.RESOURCE_LINK),
        services=_services(claims, allow_http=allow_http),
        platform=_platform(claims),
        custom=custom,
        about=_about(claims),
        locale=locale_of(presentation),
        time_zone=time_zone_of(custom.get("time_zone")),
        return_url=harmless_address(presentation.get("return_url"), allow_http=allow_http),
        document_target=shown(presentation, "document_target", longest=32),
        deep_linking=_deep_linking(claims, allow_http=allow_http) if message is Message.DEEP_LINKING else None,
        reviewed_sub=_reviewed(claims) if message is Message.SUBMISSION_REVIEW else None,
    )


def _message(claims: Mapping[str, Any]) -> Message:
    named = claims.get(f"{LTI}message_type")
    if not isinstance(named, str) or not named:
        raise ClaimRefused("message_type")
    try:
        return Message(named)
    except ValueError:
        raise MessageNotSupported("message_type") from None


def _person(claims: Mapping[str, Any]) -> PersonFacts:
    if claims.get("sub") in (None, ""):
        raise PersonMissing("sub")
    email = shown(claims, "email", longest=320)
    return PersonFacts(
        sub=identifier(claims, "sub"),
        name=shown(claims, "name"),
        given_name=shown(claims, "given_name"),
        family_name=shown(claims, "family_name"),
        email=email if email and "@" in email else None,
        sourced_id=_sourced_id(claims),
    )


def _sourced_id(claims: Mapping[str, Any]) -> str | None:
    """The id of the person in the institution's records. It is optional, so a bad value is ignored, not refused."""
    lis = claims.get(f"{LTI}lis")
    sourced_id = lis.get("person_sourcedid") if isinstance(lis, Mapping) else None
    return clean(sourced_id) or None if isinstance(sourced_id, str) and not is_variable(clean(sourced_id)) else None


def _course(claims: Mapping[str, Any]) -> CourseFacts | None:
    context = object_of(claims, f"{LTI}context")
    if not context:
        return None
    return CourseFacts(identifier(context, "id"), shown(context, "title"), shown(context, "label"))


def _link(claims: Mapping[str, Any], *, required: bool) -> LinkFacts | None:
    link = object_of(claims, f"{LTI}resource_link")
    if not link and not required:
        return None
    return LinkFacts(identifier(link, "id"), shown(link, "title", longest=2000))


def _services(claims: Mapping[str, Any], *, allow_http: bool) -> Services:
    gradebook, roster = object_of(claims, GRADEBOOK_CLAIM), object_of(claims, ROSTER_CLAIM)
    return Services(
        memberships_url=address(roster, "context_memberships_url", allow_http=allow_http),
        line_items_url=address(gradebook, "lineitems", allow_http=allow_http),
        line_item_url=address(gradebook, "lineitem", allow_http=allow_http),
        gradebook_scopes=tuple(sorted(set(texts(gradebook, "scope")))),
        **_optional_services(claims, allow_http=allow_http),
    )


def _optional_services(claims: Mapping[str, Any], *, allow_http: bool) -> dict[str, str | None]:
    """Addresses of services that launches work without: of a claim that is malformed, nothing is used."""
    groups: Any = claims.get(GROUPS_CLAIM)
    notices: Any = claims.get(NOTICES_CLAIM)
    urls: dict[str, Any] = {}
    if _lists(groups, "scope", GROUPS_SCOPE):
        urls |= {"groups_url": groups.get("context_groups_url"), "group_sets_url": groups.get("context_group_sets_url")}
    if _lists(notices, "scope", NOTICES_SCOPE) and _lists(notices, "notice_types_supported", COPY_NOTICE):
        urls["notices_url"] = notices.get("platform_notification_service_url")
    return {name: harmless_address(url, allow_http=allow_http) for name, url in urls.items()}


def _lists(claim: Any, name: str, word: str) -> bool:
    """Whether a claim has this word in one of its lists."""
    return isinstance(claim, dict) and isinstance(claim.get(name), list) and word in claim[name]


def _platform(claims: Mapping[str, Any]) -> PlatformFacts:
    platform = object_of(claims, f"{LTI}tool_platform", is_null_absent=True)
    return PlatformFacts(
        shown(platform, "guid"), shown(platform, "name"), shown(platform, "product_family_code", longest=64)
    )


def _deep_linking(claims: Mapping[str, Any], *, allow_http: bool) -> DeepLinking:
    settings = object_of(claims, DEEP_LINKING_CLAIM)
    return_url = address(settings, "deep_link_return_url", allow_http=allow_http)
    if return_url is None:
        raise ClaimRefused("deep_link_return_url")
    # Opaque, so all of it is the platform's own business, as long as it can be stored.
    if not is_json(settings.get("data")):
        raise ClaimRefused("data")
    return DeepLinking(
        return_url=return_url,
        data=settings.get("data"),
        accept_types=texts(settings, "accept_types"),
        accept_targets=texts(settings, "accept_presentation_document_targets"),
        accepts_multiple=bool(yes_or_no(settings, "accept_multiple")),
        accepts_line_item=yes_or_no(settings, "accept_lineitem"),
        title=shown(settings, "title", longest=2000),
        text=paragraphs(settings, "text", longest=10_000),
        auto_create=bool(yes_or_no(settings, "auto_create")),
    )


def _reviewed(claims: Mapping[str, Any]) -> str:
    return identifier(object_of(claims, f"{LTI}for_user"), "user_id")


def _custom(claims: Mapping[str, Any]) -> dict[str, str]:
    custom = object_of(claims, f"{LTI}custom", is_null_absent=True)
    return {
        name: cleaned
        for name in KEPT_CUSTOM & custom.keys()
        if isinstance(custom[name], str) and (cleaned := clean(custom[name], 2000)) and not is_variable(cleaned)
    }


def _about(claims: Mapping[str, Any]) -> dict[str, str]:
    custom = object_of(claims, f"{LTI}custom", is_null_absent=True)
    values = {
        match[1]: clean(value, LONGEST_ABOUT)
        for name, value in custom.items()
        if isinstance(name, str) and isinstance(value, str) and (match := ABOUT.fullmatch(name))
    }
    return {name: value for name, value in values.items() if value and not is_variable(value)}
