"""From verified claims to what a launch means: roles, facts about person and course, and what binds it to its login."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from re import compile as pattern
from typing import Any, Final
from zoneinfo import available_timezones

from lti_tool.launch.errors import (
    AdministratorOnly,
    BrowserUnproved,
    ClaimRefused,
    CourseMissing,
    ForeignTarget,
    LaunchExpired,
    LaunchMixedUp,
    LaunchSpent,
    LaunchUnknown,
    LoginIncomplete,
    MayNotPlace,
    MessageNotSupported,
    NotYourFeedback,
    PersonMissing,
    RoleMissing,
    TokenNotTimely,
)
from lti_tool.launch.roles import TEST_PERSON_ROLE, CourseRole, Roles, course_role, read_roles
from lti_tool.support.addresses import origin_of
from lti_tool.support.crypto import fingerprint, same
from lti_tool.support.failures import AddressRefused

LEEWAY: Final = timedelta(seconds=30)
"""How far clocks may differ. Moodle's tokens live 60 s, and Brightspace's are valid from the second they are made."""
OLDEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(hours=24)
LOGIN_LIFETIME: Final = timedelta(minutes=10)
PROOF_LIFETIME: Final = timedelta(seconds=60)
ROSTER_AGE: Final = timedelta(hours=1)
ROSTER_PAUSE: Final = timedelta(minutes=5)

__all__ = ["TEST_PERSON_ROLE", "CourseRole", "Roles", "course_role", "read_roles"]

LTI: Final = "https://purl.imsglobal.org/spec/lti/claim/"
GRADEBOOK_CLAIM: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
ROSTER_CLAIM: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING_CLAIM: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
LONGEST_ID: Final = 255


# What a launch says


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
    """Where roster and gradebook of this course are, as far as they were granted."""

    memberships_url: str | None = None
    line_items_url: str | None = None
    line_item_url: str | None = None
    gradebook_scopes: tuple[str, ...] = ()

    @property
    def urls(self) -> tuple[str, ...]:
        """Every address among them."""
        return tuple(url for url in (self.memberships_url, self.line_items_url, self.line_item_url) if url)


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """What the platform says about itself."""

    guid: str | None = None
    name: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class DeepLinking:
    """What the dialog that places activities takes back, and where."""

    return_url: str
    data: str | None
    """Returned as it came, and only if it came."""
    accept_types: tuple[str, ...]
    accept_targets: tuple[str, ...]
    accepts_multiple: bool
    accepts_line_item: bool | None
    """None: the platform does not say."""
    title: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """One verified launch, every value of the type it claims to be."""

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
    locale: str | None = None
    time_zone: str | None = None
    return_url: str | None = None
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
    """What this launch opens. Raises CourseMissing, RoleMissing, AdministratorOnly, MayNotPlace or NotYourFeedback.

    `is_first_awaited`: the platform was just registered, and whoever administers it comes to confirm that.
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
        raise CourseMissing("context") if context.course is None else RoleMissing("roles")
    if context.message is Message.DEEP_LINKING:
        if role is not CourseRole.INSTRUCTOR:
            raise MayNotPlace("roles")
        return Opens.PLACING
    if context.message is Message.SUBMISSION_REVIEW:
        if not role.is_staff and context.reviewed_sub != context.person.sub:
            raise NotYourFeedback("for_user")
        return Opens.REVIEW
    return Opens.ACTIVITY


def origins_of(context: LaunchContext) -> list[str]:
    """The platform's own origins that this launch names, each once."""
    addresses = [*context.services.urls, context.return_url]
    if context.deep_linking is not None:
        addresses.append(context.deep_linking.return_url)
    return sorted({origin_of(address) for address in addresses if address})


def is_roster_due(asked_at: datetime | None, *, is_listed: bool, now: datetime) -> bool:
    """Whether a launch should ask for the roster again; sooner when it is by somebody whom the last one lacks."""
    return asked_at is None or now - asked_at >= (ROSTER_AGE if is_listed else ROSTER_PAUSE)


KEPT_CUSTOM: Final = frozenset({"activity", "context_id_history", "resource_link_id_history", "time_zone"})
"""Custom parameters that we set ourselves. Others may hold personal data that nobody asked us to keep."""

_LOCALE = pattern(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,3}")
_UNSUBSTITUTED = pattern(r"\$[A-Za-z.]+")
_LAYOUT_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def read_context(claims: Mapping[str, Any], *, allow_http: bool = False) -> LaunchContext:
    """Read the claims of a verified token. Raises MessageNotSupported, PersonMissing or ClaimRefused."""
    message = _message(claims)
    if claims.get(f"{LTI}version") != "1.3.0":
        raise ClaimRefused("version")
    presentation = _object(claims, f"{LTI}launch_presentation", is_null_absent=True)
    custom = _custom(claims)
    return LaunchContext(
        message=message,
        deployment_id=_identifier(claims, f"{LTI}deployment_id"),
        target_link_uri=_identifier(claims, f"{LTI}target_link_uri", longest=2000),
        person=_person(claims),
        roles=read_roles(_texts(claims, f"{LTI}roles", required=True)),
        course=_course(claims),
        link=_link(claims, required=message is Message.RESOURCE_LINK),
        services=_services(claims, allow_http=allow_http),
        platform=_platform(claims),
        custom=custom,
        locale=_locale(presentation),
        time_zone=_time_zone(custom.get("time_zone")),
        return_url=_harmless_address(presentation.get("return_url"), allow_http=allow_http),
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
    email = _shown(claims, "email", longest=320)
    return PersonFacts(
        sub=_identifier(claims, "sub"),
        name=_shown(claims, "name"),
        given_name=_shown(claims, "given_name"),
        family_name=_shown(claims, "family_name"),
        email=email if email and "@" in email else None,
    )


def _course(claims: Mapping[str, Any]) -> CourseFacts | None:
    context = _object(claims, f"{LTI}context")
    if not context:
        return None
    return CourseFacts(_identifier(context, "id"), _shown(context, "title"), _shown(context, "label"))


def _link(claims: Mapping[str, Any], *, required: bool) -> LinkFacts | None:
    link = _object(claims, f"{LTI}resource_link")
    if not link and not required:
        return None
    return LinkFacts(_identifier(link, "id"), _shown(link, "title", longest=2000))


def _services(claims: Mapping[str, Any], *, allow_http: bool) -> Services:
    gradebook, roster = _object(claims, GRADEBOOK_CLAIM), _object(claims, ROSTER_CLAIM)
    return Services(
        memberships_url=_address(roster, "context_memberships_url", allow_http=allow_http),
        line_items_url=_address(gradebook, "lineitems", allow_http=allow_http),
        line_item_url=_address(gradebook, "lineitem", allow_http=allow_http),
        gradebook_scopes=tuple(sorted(set(_texts(gradebook, "scope")))),
    )


def _platform(claims: Mapping[str, Any]) -> PlatformFacts:
    platform = _object(claims, f"{LTI}tool_platform", is_null_absent=True)
    return PlatformFacts(
        _shown(platform, "guid"), _shown(platform, "name"), _shown(platform, "product_family_code", longest=64)
    )


def _deep_linking(claims: Mapping[str, Any], *, allow_http: bool) -> DeepLinking:
    settings = _object(claims, DEEP_LINKING_CLAIM)
    return_url = _address(settings, "deep_link_return_url", allow_http=allow_http)
    if return_url is None:
        raise ClaimRefused("deep_link_return_url")
    data = settings.get("data")
    if data is not None and (not isinstance(data, str) or not _is_storable(data)):
        raise ClaimRefused("data")
    return DeepLinking(
        return_url=return_url,
        data=data,
        accept_types=_texts(settings, "accept_types"),
        accept_targets=_texts(settings, "accept_presentation_document_targets"),
        accepts_multiple=bool(_yes_or_no(settings, "accept_multiple")),
        accepts_line_item=_yes_or_no(settings, "accept_lineitem"),
        title=_shown(settings, "title", longest=2000),
        text=_shown(settings, "text", longest=10_000),
    )


def _reviewed(claims: Mapping[str, Any]) -> str:
    return _identifier(_object(claims, f"{LTI}for_user"), "user_id")


def _custom(claims: Mapping[str, Any]) -> dict[str, str]:
    custom = _object(claims, f"{LTI}custom", is_null_absent=True)
    return {
        name: cleaned
        for name in KEPT_CUSTOM & custom.keys()
        if isinstance(custom[name], str)
        and (cleaned := clean(custom[name], 2000))
        # A platform that does not know a variable leaves its name.
        and not _UNSUBSTITUTED.fullmatch(cleaned)
    }


# Values


def clean(text: str, longest: int = LONGEST_ID) -> str:
    """A text to show: without characters that databases refuse or that turn a page's layout around, cut, trimmed."""
    kept = "".join(
        " " if char in "\t\r\n" else char
        for char in text
        if char in "\t\r\n" or (unicodedata.category(char) not in {"Cc", "Cs"} and char not in _LAYOUT_OVERRIDES)
    )
    return kept.strip()[:longest].strip()


def _is_storable(text: str) -> bool:
    return not any(unicodedata.category(char) in {"Cc", "Cs"} for char in text)


def _object(claims: Mapping[str, Any], name: str, *, is_null_absent: bool = False) -> dict[str, Any]:
    if name not in claims or (is_null_absent and claims[name] is None):
        return {}
    value = claims[name]
    if not isinstance(value, dict):
        raise ClaimRefused(_short(name))
    return value


def _identifier(claims: Mapping[str, Any], name: str, *, longest: int = LONGEST_ID) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not _is_storable(value):
        raise ClaimRefused(_short(name))
    return value


def _shown(claims: Mapping[str, Any], name: str, *, longest: int = LONGEST_ID) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ClaimRefused(_short(name))
    return clean(value, longest) or None


def _texts(claims: Mapping[str, Any], name: str, *, required: bool = False) -> tuple[str, ...]:
    value = claims.get(name)
    if value is None and not required:
        return ()
    if not isinstance(value, list) or len(value) > 200:
        raise ClaimRefused(_short(name))
    if not all(isinstance(text, str) and len(text) <= 1000 and _is_storable(text) for text in value):
        raise ClaimRefused(_short(name))
    return tuple(value)


def _yes_or_no(claims: Mapping[str, Any], name: str) -> bool | None:
    value = claims.get(name)
    if value is not None and not isinstance(value, bool):
        raise ClaimRefused(_short(name))
    return value


def _address(claims: Mapping[str, Any], name: str, *, allow_http: bool) -> str | None:
    value = claims.get(name)
    # Moodle sends "" for a line item that does not exist.
    if value is None or value == "":
        return None
    if not isinstance(value, str) or _harmless_address(value, allow_http=allow_http) is None:
        raise ClaimRefused(_short(name))
    return value


def _harmless_address(value: object, *, allow_http: bool) -> str | None:
    """The value if it is a web address that may stand in a link; nothing depends on it, so None says enough."""
    if not isinstance(value, str) or len(value) > 4000 or any(char.isspace() for char in value):
        return None
    if not _is_storable(value):
        return None
    try:
        origin = origin_of(value)
    except AddressRefused:
        return None
    return value if origin.startswith("https://") or allow_http else None


def _locale(presentation: Mapping[str, Any]) -> str | None:
    value = _shown(presentation, "locale", longest=35)
    return value.replace("_", "-") if value and _LOCALE.fullmatch(value) else None


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _time_zone(name: str | None) -> str | None:
    # Moodle says "99" for "the server's zone".
    return name if name in _zones() else None


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]


# What binds a launch to its login, its time and its browser


@dataclass(frozen=True, slots=True)
class Login:
    """What we remember of a login, and of the registration it was for."""

    registration_id: int
    issuer: str
    client_id: str
    nonce_hash: str
    target_link_uri: str
    deployment_hint: str | None
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What a platform says when it starts a login."""

    issuer: str
    login_hint: str
    target_link_uri: str
    client_id: str | None = None
    message_hint: str | None = None
    deployment_hint: str | None = None
    storage_target: str | None = None

    @property
    def hints(self) -> dict[str, str]:
        """What the platform wants back as it was."""
        hints = {"login_hint": self.login_hint}
        return hints if self.message_hint is None else {**hints, "lti_message_hint": self.message_hint}


def read_login(fields: Mapping[str, str], base_url: str) -> LoginRequest:
    """Read the fields of a login. Raises LoginIncomplete, or ForeignTarget when it wants to end elsewhere."""

    def given(name: str, *, longest: int, required: bool = False) -> str | None:
        value = fields.get(name) or None
        if (value is None and required) or (value is not None and (len(value) > longest or not _is_storable(value))):
            raise LoginIncomplete(name)
        return value

    issuer = given("iss", longest=LONGEST_ID, required=True)
    login_hint = given("login_hint", longest=16_000, required=True)
    target = given("target_link_uri", longest=2000, required=True)
    check_target(target or "", base_url)
    return LoginRequest(
        issuer=issuer or "",
        login_hint=login_hint or "",
        target_link_uri=target or "",
        client_id=given("client_id", longest=LONGEST_ID),
        message_hint=given("lti_message_hint", longest=16_000),
        # Canvas calls it by the second name.
        deployment_hint=given("lti_deployment_id", longest=LONGEST_ID) or given("deployment_id", longest=LONGEST_ID),
        storage_target=given("lti_storage_target", longest=LONGEST_ID),
    )


def is_ours(url: str, base_url: str) -> bool:
    """Whether an address lies at the tool itself."""
    inside = url == base_url or url.startswith((f"{base_url}/", f"{base_url}?"))
    return inside and len(url) <= 2000 and _is_storable(url) and "\\" not in url


def check_target(url: str, base_url: str) -> None:
    """Raises ForeignTarget when a login wants to end elsewhere."""
    if not is_ours(url, base_url):
        raise ForeignTarget("target_link_uri")


def check_login_is_open(login: Login | None, *, now: datetime) -> Login:
    """The login if a launch may still use it. Raises LaunchUnknown, LaunchSpent or LaunchExpired."""
    if login is None:
        raise LaunchUnknown("state")
    if login.used_at is not None:
        raise LaunchSpent("state", registration_id=login.registration_id)
    if now >= login.expires_at:
        raise LaunchExpired("state", registration_id=login.registration_id)
    return login


def check_binding(claims: Mapping[str, Any], login: Login) -> None:
    """Raises LaunchMixedUp or ClaimRefused unless issuer, client, nonce, deployment and target are the login's own."""
    if claims.get("iss") != login.issuer:
        raise LaunchMixedUp("iss")
    _check_audience(claims, login.client_id)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise ClaimRefused("nonce")
    if not same(fingerprint(nonce.encode("utf-8", "replace").decode()), login.nonce_hash):
        raise LaunchMixedUp("nonce")
    if login.deployment_hint is not None and claims.get(f"{LTI}deployment_id") != login.deployment_hint:
        raise LaunchMixedUp("deployment_id")
    if claims.get(f"{LTI}target_link_uri") != login.target_link_uri:
        raise LaunchMixedUp("target_link_uri")


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience, party = claims.get("aud"), claims.get("azp")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not named or not all(isinstance(name, str) for name in named):
        raise ClaimRefused("aud")
    if client_id not in named:
        raise LaunchMixedUp("aud")
    # With several audiences OpenID Connect wants the authorized party named.
    if (party is None and len(named) > 1) or (party is not None and party != client_id):
        raise LaunchMixedUp("azp")


def check_times(claims: Mapping[str, Any], *, now: datetime) -> None:
    """Raises TokenNotTimely unless the token was made lately and is valid now, with LEEWAY for clocks that differ."""
    expires, issued, begins = (_seconds(claims, name) for name in ("exp", "iat", "nbf"))
    present, leeway = now.timestamp(), LEEWAY.total_seconds()
    if expires is None or issued is None:
        raise TokenNotTimely("exp" if expires is None else "iat")
    if present >= expires + leeway or expires > present + LONGEST.total_seconds() + leeway:
        raise TokenNotTimely("exp")
    if issued > present + leeway or issued < present - OLDEST.total_seconds() - leeway:
        raise TokenNotTimely("iat")
    if begins is not None and begins > present + leeway:
        raise TokenNotTimely("nbf")


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15:
        raise TokenNotTimely(name)
    return float(value)


def check_proof(secret: str | None, secret_hash: str, *, registration_id: int) -> None:
    """Raises BrowserUnproved unless this is what the login gave the browser to keep."""
    if not secret or not same(fingerprint(secret), secret_hash):
        raise BrowserUnproved("secret" if secret else "nothing kept", registration_id=registration_id)
