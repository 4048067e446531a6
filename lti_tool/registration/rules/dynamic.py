"""Dynamic registration: what a platform says about itself, what we ask for, and what it grants. Plain values only."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from publicsuffixlist import PublicSuffixList

from lti_tool.registration.errors import ConfigurationRefused, RegistrationAnswerUnusable
from lti_tool.registration.rules.registrations import NewDeployments, is_short_text, is_usable_address
from lti_tool.settings import is_loopback
from lti_tool.support.addresses import host_of, origin_of

TITLE: Final = "Tandem"
"""Our name on platforms until an administrator chooses another one."""
PLATFORM_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-tool-configuration"
GRADEBOOK: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCOPES: Final = (
    f"{GRADEBOOK}lineitem",
    # Implied by the one above, but platforms exist that want it named for reading.
    f"{GRADEBOOK}lineitem.readonly",
    f"{GRADEBOOK}result.readonly",
    f"{GRADEBOOK}score",
    "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly",
)
GROUPS_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-gs/scope/contextgroup.readonly"
NOTICES_SCOPE: Final = "https://purl.imsglobal.org/spec/lti/scope/noticehandlers"
SCOPES_OPTIONAL: Final = (GROUPS_SCOPE, NOTICES_SCOPE)
"""Asked for only where the platform lists them: others refuse a registration with a scope that they do not know."""
CLAIMS: Final = ("iss", "sub", "name", "given_name", "family_name", "email", "locale")
# Never lineitem_url or lineitems_url: Moodle takes custom parameters of those names for its own.
CUSTOM: Final[Mapping[str, str]] = {
    "context_id_history": "$Context.id.history",
    "resource_link_id_history": "$ResourceLink.id.history",
    "time_zone": "$Person.address.timezone",
}
CUSTOM_OPTIONAL: Final = frozenset({"resource_link_id_history"})
"""Asked for only where the platform lists the variable: others would send the literal text."""

# Sign-on hosts that serve all customers of a vendor, whatever the customer's own host is called.
SHARED_HOSTS: Final = frozenset(
    {
        *(f"sso.{stage}canvaslms.com" for stage in ("", "beta.", "test.")),
        *(f"canvas.{stage}instructure.com" for stage in ("", "beta.", "test.")),
        "auth.brightspace.com",
        "api.brightspace.com",
    }
)
VENDOR_DOMAINS: Final = frozenset({"instructure.com", "canvaslms.com"})
"""Domains of one vendor, under which nobody else can put a page."""
# Issuers that are one constant for all customers, and the only hosts that may vouch for them.
SHARED_ISSUERS: Final[Mapping[str, frozenset[str]]] = {
    **{
        f"canvas.{stage}instructure.com": frozenset({f"canvas.{stage}instructure.com", f"sso.{stage}canvaslms.com"})
        for stage in ("", "beta.", "test.")
    },
    "blackboard.com": frozenset({"developer.blackboard.com"}),
}
SHARES_CLIENTS: Final = frozenset({"canvas", "blackboardlearn", "blackboard"})
"""Families where one client id may serve several customers, so that a new deployment may be a stranger's."""
DESCRIPTION: Final = "Peer coaching in your course: pairs, structured feedback, completion in the gradebook."
DEEP_LINK_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "LtiDeepLinkingRequest": ("ContentArea", "assignment_selection", "link_selection"),
}


@dataclass(frozen=True, slots=True)
class PlatformConfiguration:
    """What a platform says about itself, checked."""

    url: str
    issuer: str
    auth_login_url: str
    auth_token_url: str
    auth_audience: str | None
    key_set_url: str
    registration_url: str
    family: str | None
    scopes: frozenset[str]
    messages: Mapping[str, frozenset[str]]
    """Message types with the placements that the platform offers for them."""
    variables: frozenset[str]

    @property
    def shares_clients(self) -> bool:
        return (self.family or "").lower() in SHARES_CLIENTS

    @property
    def origins(self) -> list[str]:
        """Origins that belong to the platform as far as its configuration tells."""
        addresses = (self.url, self.auth_login_url, self.auth_token_url, self.registration_url)
        return list(dict.fromkeys(origin_of(address) for address in addresses))


def read_configuration(url: str, document: Any, *, development: bool) -> PlatformConfiguration:
    """Check a platform's OpenID configuration, fetched from this address.

    Its endpoints must be under the registrable domain of that address or on a vendor's known sign-on hosts, and its
    issuer must be that very host or one that these endpoints vouch for. Raises ConfigurationRefused.
    """
    if not isinstance(document, dict):
        raise ConfigurationRefused("not an object")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")
    for name in ("issuer", *names):
        if not is_usable_address(document.get(name), development=development) or len(document[name]) > 2000:
            raise ConfigurationRefused(name)
    for name in names:
        if not _belong_together(url, document[name]) and _host(document[name]) not in SHARED_HOSTS:
            raise ConfigurationRefused(f"{name} on another domain")
    if len(document["issuer"]) > 255 or not _may_call_itself(document, url, development=development):
        raise ConfigurationRefused("issuer")
    if "RS256" not in _texts(document.get("id_token_signing_alg_values_supported", ["RS256"])):
        raise ConfigurationRefused("no RS256")
    platform = document.get(PLATFORM_CONFIGURATION)
    platform = platform if isinstance(platform, dict) else {}
    family = platform.get("product_family_code")
    return PlatformConfiguration(
        url=url,
        issuer=document["issuer"],
        auth_login_url=document["authorization_endpoint"],
        auth_token_url=document["token_endpoint"],
        auth_audience=_audience(document, url, development=development),
        key_set_url=document["jwks_uri"],
        registration_url=document["registration_endpoint"],
        family=family[:64] if isinstance(family, str) and family.isprintable() else None,
        scopes=_texts(document.get("scopes_supported")),
        messages=_messages(platform.get("messages_supported")),
        variables=_texts(platform.get("variables")),
    )


def default_policy(configuration: PlatformConfiguration) -> NewDeployments:
    """The suggested policy for deployments that show up later."""
    return NewDeployments.PARK if configuration.shares_clients else NewDeployments.REFUSE


def registration_document(configuration: PlatformConfiguration, *, base_url: str, title: str) -> dict[str, Any]:
    """What we ask the platform to register. Asks for nothing that the platform says it does not offer."""
    launch = f"{base_url}/lti/launch"
    scopes = [scope for scope in SCOPES if not configuration.scopes or scope in configuration.scopes]
    scopes += [scope for scope in SCOPES_OPTIONAL if scope in configuration.scopes]
    types: dict[str, list[str]] = {"LtiResourceLinkRequest": [], "LtiDeepLinkingRequest": [], **_review(configuration)}
    messages = []
    for kind, wanted in types.items():
        message: dict[str, Any] = {"type": kind, "target_link_uri": launch, "label": title}
        offered = configuration.messages.get(kind, frozenset())
        places = [place for place in (*wanted, *DEEP_LINK_PLACES.get(kind, ())) if place in offered]
        messages.append({**message, "placements": places} if places else message)
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{base_url}/lti/login",
        "redirect_uris": [launch],
        "client_name": title,
        "client_uri": base_url,
        "jwks_uri": f"{base_url}/lti/jwks",
        "logo_uri": f"{base_url}/static/tandem.svg",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scopes),
        TOOL_CONFIGURATION: {
            "domain": base_url.partition("://")[2],
            "description": DESCRIPTION,
            "target_link_uri": launch,
            "custom_parameters": _custom(configuration.variables),
            "claims": list(CLAIMS),
            "messages": messages,
            "https://canvas.instructure.com/lti/privacy_level": "public",
        },
    }


def canvas_developer_key(*, base_url: str, title: str) -> dict[str, Any]:
    """The JSON that a Canvas administrator pastes, or points to, when making a developer key by hand."""
    launch = f"{base_url}/lti/launch"
    places = [
        {"placement": place, "message_type": "LtiDeepLinkingRequest", "target_link_uri": launch, "text": title}
        for place in ("assignment_selection", "link_selection")
    ]
    return {
        "title": title,
        "description": DESCRIPTION,
        "oidc_initiation_url": f"{base_url}/lti/login",
        "target_link_uri": launch,
        "public_jwk_url": f"{base_url}/lti/jwks",
        # Canvas has no course groups service, and refuses a key with a scope that it does not know.
        "scopes": [*SCOPES, NOTICES_SCOPE],
        "custom_fields": dict(CUSTOM),
        "extensions": [
            {
                "platform": "canvas.instructure.com",
                "domain": base_url.partition("://")[2],
                "privacy_level": "public",
                "settings": {"text": title, "icon_url": f"{base_url}/static/tandem.svg", "placements": places},
            }
        ],
    }


@dataclass(frozen=True, slots=True)
class GrantedRegistration:
    """The registration as the platform granted it."""

    client_id: str
    deployment_id: str | None
    scopes: frozenset[str]


def read_granted(answer: Any) -> GrantedRegistration:
    """Check the platform's answer to our registration. Raises RegistrationAnswerUnusable."""
    if not isinstance(answer, dict) or not is_short_text(_number_as_text(answer.get("client_id"))):
        raise RegistrationAnswerUnusable("client_id")
    tool = answer.get(TOOL_CONFIGURATION)
    deployment_id = _number_as_text(tool.get("deployment_id")) if isinstance(tool, dict) else None
    if deployment_id is not None and not is_short_text(deployment_id):
        raise RegistrationAnswerUnusable("deployment_id")
    scope = answer.get("scope")
    return GrantedRegistration(
        client_id=_number_as_text(answer["client_id"]),
        deployment_id=deployment_id,
        scopes=frozenset(scope.split()) if isinstance(scope, str) else frozenset(),
    )


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _review(configuration: PlatformConfiguration) -> dict[str, list[str]]:
    return {"LtiSubmissionReviewRequest": []} if "LtiSubmissionReviewRequest" in configuration.messages else {}


def _custom(offered: frozenset[str]) -> dict[str, str]:
    return {
        name: variable
        for name, variable in CUSTOM.items()
        if name not in CUSTOM_OPTIONAL or variable.removeprefix("$") in offered
    }


def _may_call_itself(document: Mapping[str, Any], url: str, *, development: bool) -> bool:
    issuer = _host(document["issuer"])
    if _is_stand_in(url, issuer, development=development):
        return True
    if issuer in SHARED_ISSUERS:
        vouching = (_host(document["authorization_endpoint"]), _host(document["jwks_uri"]))
        return all(host in SHARED_ISSUERS[issuer] for host in vouching)
    return origin_of(document["issuer"]) == origin_of(url)


def _audience(document: Mapping[str, Any], url: str, *, development: bool) -> str | None:
    """For whom our token requests are made out, where the platform names somebody.

    That must be whoever gets them: we sign for all platforms with one key, so that a request made out to another
    platform, with a client id of another institution, would open that one to whoever runs this one.
    """
    audience: Any = document.get("authorization_server")
    # Canvas gives a bare host here and wants the token address; Brightspace gives the constant that it wants.
    if not is_usable_address(audience, development=development):
        return None
    named = str(audience)
    is_known = _is_stand_in(url, _host(named), development=development)
    if not is_known and not _belong_together(document["token_endpoint"], named):
        raise ConfigurationRefused("authorization_server on another domain")
    return named


def _is_stand_in(url: str, host: str, *, development: bool) -> bool:
    """Whether the platform is a stand-in on this machine that gives a constant of a vendor; nobody can own a name under
    .example.
    """
    return development and is_loopback(_host(url)) and host.endswith(".example")


def _belong_together(url: str, second_url: str) -> bool:
    """Whether two addresses are under one registrable domain. Names without one, and numbers, must be the same."""
    first, second = _host(url), _host(second_url)
    if is_loopback(first) or is_loopback(second):
        return origin_of(url) == origin_of(second_url)
    if first == second:
        return True
    domains = {_registrable_domain(first), _registrable_domain(second)}
    return None not in domains and (len(domains) == 1 or domains <= VENDOR_DOMAINS)


def _registrable_domain(host: str) -> str | None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        domain: str | None = _public_suffixes().privatesuffix(host.rstrip("."))
        return domain
    return None


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # The list that the package carries; nothing is fetched.


def _host(url: str) -> str:
    return host_of(url).strip("[]")


def _texts(value: Any) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def _messages(value: Any) -> dict[str, frozenset[str]]:
    listed = value if isinstance(value, list) else []
    return {
        one["type"]: _texts(one.get("placements"))
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("type"), str)
    }
