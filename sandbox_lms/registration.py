"""Dynamic registration: an administrator's invitation, the tool's request, what becomes of it."""

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sandbox_lms import vocabulary as words
from sandbox_lms.records import Invitation, ToolRegistration

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

LIFETIME_SECONDS = 3600


class NotRegistered(Exception):
    """A registration that is refused, with the HTTP status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status, self.reason = status, reason


def invite(lms: "Lms", updates: ToolRegistration | None = None) -> Invitation:
    """Let one tool register itself within an hour, or change what it registered (`updates`)."""
    client_id = updates.client_id if updates else secrets.token_urlsafe(11)
    now = int(lms.now().timestamp())
    token = lms.keyring.sign({"sub": client_id, "scope": "reg", "iat": now, "exp": now + LIFETIME_SECONDS})
    invitation = Invitation(secrets.token_urlsafe(8), token, now + LIFETIME_SECONDS, client_id, updates)
    with lms.lock:
        lms.invitations[invitation.id] = invitation
    return invitation


def initiation_url(lms: "Lms", invitation: Invitation, tool_url: str) -> str:
    """The tool's registration address with what the tool needs to know."""
    parts = urlsplit(tool_url)
    configuration = f"{lms.url}/.well-known/openid-configuration"
    added = {"openid_configuration": configuration, "registration_token": invitation.token}
    if not lms.profile.sends_registration_token:
        # Without a token, the address of the configuration is what tells one registration from another.
        added = {"openid_configuration": f"{configuration}?registration={invitation.id}"}
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *added.items()])
    return urlunsplit(parts._replace(query=query))


def invitation_for(lms: "Lms", authorization: str | None, invitation_id: str | None) -> Invitation:
    """The invitation that a request stands on; raises NotRegistered."""
    kind, _, token = (authorization or "").partition(" ")
    if lms.profile.sends_registration_token:
        found = next((one for one in lms.invitations.values() if kind.lower() == "bearer" and one.token == token), None)
    else:
        found = lms.invitations.get(invitation_id or "")
    if found is None or found.is_used or found.expires < lms.now().timestamp():
        raise NotRegistered(401, "The registration token is missing, unknown, used or too old")
    return found


def register(lms: "Lms", invitation: Invitation, sent: Any) -> dict[str, Any]:
    """Register the tool as it described itself and use the invitation up. Raises NotRegistered, which does not."""
    wanted = _checked(sent)
    configuration = wanted[words.TOOL_CONFIGURATION]
    messages = [one for one in configuration.get("messages", []) if isinstance(one, dict)]
    deep_link = next((one for one in messages if one.get("type") == words.DEEP_LINKING_REQUEST), None)
    deep_link_uri = str(deep_link.get("target_link_uri") or configuration["target_link_uri"]) if deep_link else None
    asked = str(wanted.get("scope", "")).split()
    scopes = [scope for scope in lms.profile.scopes if scope in asked]
    if words.LINE_ITEM in scopes and words.LINE_ITEM_READONLY not in scopes and lms.profile.numeric_ids:
        scopes.append(words.LINE_ITEM_READONLY)
    custom = {str(key): str(value) for key, value in (configuration.get("custom_parameters") or {}).items()}
    title = str(wanted["client_name"])
    with lms.lock:
        if invitation.is_used:
            raise NotRegistered(401, "The registration token was used before")
        invitation.is_used = True
        tool = invitation.updates
        if tool is None:
            tool = lms.register_tool(
                title=title,
                initiate_login_uri=wanted["initiate_login_uri"],
                redirect_uris=wanted["redirect_uris"],
                jwks_uri=wanted["jwks_uri"],
                target_link_uri=configuration["target_link_uri"],
                deep_link_uri=deep_link_uri,
                custom=custom,
                active=not lms.profile.needs_activation,
                scopes=scopes,
                client_id=invitation.client_id,
                is_dynamic=True,
            )
        else:
            tool.title, tool.custom, tool.scopes = title, custom, tuple(scopes)
            tool.initiate_login_uri, tool.redirect_uris = wanted["initiate_login_uri"], list(wanted["redirect_uris"])
            tool.jwks_uri, tool.target_link_uri = wanted["jwks_uri"], configuration["target_link_uri"]
            tool.deep_link_uri = deep_link_uri
        claims = configuration.get("claims", [])
        tool.shares_names = bool({"name", "given_name", "family_name"}.intersection(claims))
        tool.shares_mail = "email" in claims
        tool.description = str(configuration.get("description") or "")
        tool.icon = wanted.get("logo_uri")
        invitation.tool = tool
    return _answer(tool, configuration, claims)


def _checked(sent: Any) -> dict[str, Any]:
    if not isinstance(sent, dict):
        raise NotRegistered(400, "A JSON object is expected")
    configuration = sent.get(words.TOOL_CONFIGURATION)
    if not isinstance(configuration, dict):
        raise NotRegistered(400, f"{words.TOOL_CONFIGURATION} is missing")
    for name in ("initiate_login_uri", "jwks_uri", "client_name"):
        if not isinstance(sent.get(name), str) or not sent[name]:
            raise NotRegistered(400, f"{name} is missing")
    uris = sent.get("redirect_uris")
    if not isinstance(uris, list) or not uris or not all(isinstance(uri, str) for uri in uris):
        raise NotRegistered(400, "redirect_uris is missing")
    fixed = {"token_endpoint_auth_method": "private_key_jwt", "application_type": "web"}
    for name, value in fixed.items():
        if sent.get(name) != value:
            raise NotRegistered(400, f"{name} has to be {value}")
    lists = {"response_types": {"id_token"}, "grant_types": {"implicit", "client_credentials"}}
    for name, values in lists.items():
        if not isinstance(sent.get(name), list) or not values.issubset(sent[name]):
            raise NotRegistered(400, f"{name} has to hold {', '.join(sorted(values))}")
    target, domain = configuration.get("target_link_uri"), configuration.get("domain")
    if not isinstance(target, str) or not isinstance(domain, str):
        raise NotRegistered(400, "target_link_uri or domain is missing")
    if domain not in {urlsplit(target).netloc, urlsplit(target).hostname}:
        raise NotRegistered(400, "The host of target_link_uri is not the domain")
    return sent


def _answer(tool: ToolRegistration, configuration: dict[str, Any], claims: list[str]) -> dict[str, Any]:
    own: dict[str, Any] = {
        "version": "1.3.0",
        "deployment_id": tool.deployment_id,
        "target_link_uri": tool.target_link_uri,
        "domain": configuration["domain"],
        "description": tool.description,
        "messages": [],
        "custom_parameters": tool.custom,
        "claims": ["sub", "iss", *(claim for claim in claims if claim not in {"sub", "iss"})],
    }
    if tool.deep_link_uri:
        own["messages"] = [{"type": words.DEEP_LINKING_REQUEST, "target_link_uri": tool.deep_link_uri}]
    return {
        "client_id": tool.client_id,
        "response_types": ["id_token"],
        "jwks_uri": tool.jwks_uri,
        "initiate_login_uri": tool.initiate_login_uri,
        "grant_types": ["client_credentials", "implicit"],
        "redirect_uris": tool.redirect_uris,
        "application_type": "web",
        "token_endpoint_auth_method": "private_key_jwt",
        "client_name": tool.title,
        "logo_uri": tool.icon or "",
        "scope": " ".join(tool.scopes),
        words.TOOL_CONFIGURATION: own,
    }
