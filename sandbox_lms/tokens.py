"""Signed messages from tools, and the access tokens they buy."""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jwt
import requests

from sandbox_lms import vocabulary as words
from sandbox_lms.records import AccessToken, ToolRegistration

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

LEEWAY_SECONDS = 60
KEY_SET_TIMEOUT = (3.05, 5)


class Refused(Exception):
    """A signed message that is not believed. The text is the protocol's error."""

    def __init__(self, error: str, description: str = "") -> None:
        super().__init__(error, description)
        self.error, self.description = error, description


def verified(lms: "Lms", tool: ToolRegistration, message: str, *, audience: str) -> dict[str, Any]:
    """The claims of a tool's signed message, after its signature, times and audience were checked strictly."""
    try:
        header = jwt.get_unverified_header(message)
    except jwt.InvalidTokenError as error:
        raise Refused("invalid_request", "not a JWT") from error
    kid = header.get("kid")
    if header.get("alg") != "RS256":
        raise Refused("invalid_client", "RS256 is required")
    if not kid:
        raise Refused("error/Error: kid must be provided in JWT header.")
    # A key may have been replaced since the set was read, under a new name or under the old one.
    for is_fresh in (False, True):
        key = _key(lms, tool, str(kid), is_fresh=is_fresh)
        if key is None:
            continue
        try:
            return _decoded(lms, message, key, audience)
        except jwt.InvalidSignatureError as error:
            if is_fresh:
                raise Refused("Signature verification failed") from error
    raise Refused('"kid" invalid, unable to lookup correct key')


def _decoded(lms: "Lms", message: str, key: Any, audience: str) -> dict[str, Any]:
    try:
        # Times are compared below, with the LMS's clock instead of the machine's.
        claims: dict[str, Any] = jwt.decode(
            message,
            key,
            algorithms=["RS256"],
            audience=audience,
            options={"require": ["exp", "iat", "iss"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
    except jwt.InvalidSignatureError:
        raise
    except jwt.InvalidAudienceError as error:
        raise Refused("invalid_client", "wrong audience") from error
    except jwt.InvalidTokenError as error:
        raise Refused("invalid_request", "a required claim is missing or malformed") from error
    now = lms.now().timestamp()
    expires, issued = claims["exp"], claims["iat"]
    if not all(isinstance(moment, int | float) for moment in (expires, issued)):
        raise Refused("invalid_request", "exp and iat are numbers")
    if expires < now - LEEWAY_SECONDS:
        raise Refused("Expired token")
    if issued > now + LEEWAY_SECONDS:
        raise Refused(f"Cannot handle token with iat prior to {_shown(lms, issued)}")
    return claims


def _shown(lms: "Lms", moment: float) -> str:
    return type(lms.now()).fromtimestamp(moment, lms.now().tzinfo).strftime("%Y-%m-%dT%H:%M:%S%z")


def _key(lms: "Lms", tool: ToolRegistration, kid: str, *, is_fresh: bool) -> Any:
    if is_fresh or tool.client_id not in lms.tool_keys:
        lms.tool_keys[tool.client_id] = _fetch_keys(tool)
    return lms.tool_keys[tool.client_id].get(kid)


def _fetch_keys(tool: ToolRegistration) -> dict[str, Any]:
    try:
        answer = requests.get(tool.jwks_uri, timeout=KEY_SET_TIMEOUT, allow_redirects=False)
        answer.raise_for_status()
        keys = jwt.PyJWKSet.from_dict(answer.json())
    except (requests.RequestException, ValueError, AttributeError, jwt.PyJWTError):
        return {}
    return {key.key_id: key.key for key in keys.keys if key.key_id}


def use_once(lms: "Lms", tool: ToolRegistration, identifier: Any, error: str) -> None:
    """Refuse a jti or nonce that is missing or was seen before."""
    if not isinstance(identifier, str) or not identifier:
        raise Refused(error, "jti or nonce is missing")
    with lms.lock:
        if (tool.client_id, identifier) in lms.used_ids:
            raise Refused(error, "used before")
        lms.used_ids.add((tool.client_id, identifier))


def grant(lms: "Lms", form: Mapping[str, str]) -> dict[str, Any]:
    """Turn a client assertion into an access token, or raise Refused."""
    if form.get("grant_type") != "client_credentials":
        raise Refused("unsupported_grant_type" if form.get("grant_type") else "invalid_request")
    if form.get("client_assertion_type") != words.CLIENT_ASSERTION_TYPE or not form.get("client_assertion"):
        raise Refused("invalid_request", "a client assertion is required")
    assertion = form["client_assertion"]
    try:
        unverified = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise Refused("invalid_request", "not a JWT") from error
    tool = lms.tool_of_client(str(unverified.get("sub", "")))
    if tool is None or not tool.active:
        raise Refused("invalid_client")
    claims = verified(lms, tool, assertion, audience=tool.auth_audience or tool.auth_token_url)
    if claims["iss"] != tool.client_id or claims.get("sub") != tool.client_id:
        raise Refused("invalid_client", "iss and sub are both the client")
    use_once(lms, tool, claims.get("jti"), "invalid_client")
    granted = [scope for scope in form.get("scope", "").split() if scope in tool.scopes]
    if not granted:
        raise Refused("invalid_scope")
    token = secrets.token_hex(16)
    with lms.lock:
        expires = lms.now().timestamp() + lms.token_lifetime
        lms.access_tokens[token] = AccessToken(tool, frozenset(granted), expires)
    return {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": lms.token_lifetime,
        "scope": " ".join(dict.fromkeys(granted)),
    }


def bearer(lms: "Lms", authorization: str | None, *needed: str) -> ToolRegistration | None:
    """The tool whose token this is, if the token is good for one of the scopes."""
    kind, _, value = (authorization or "").partition(" ")
    token = lms.access_tokens.get(value.strip()) if kind.lower() == "bearer" else None
    if token is None or token.expires <= lms.now().timestamp() or not token.scopes.intersection(needed):
        return None
    return token.tool
