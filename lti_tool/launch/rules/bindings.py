"""What binds a launch to its login, its time and its browser: decisions on plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from lti_tool.launch.errors import (
    BrowserUnproved,
    ClaimRefused,
    ForeignTarget,
    LaunchExpired,
    LaunchMixedUp,
    LaunchSpent,
    LaunchUnknown,
    LoginIncomplete,
    TokenNotTimely,
)
from lti_tool.launch.rules.values import LONGEST_ID, LTI, is_storable
from lti_tool.support.crypto import fingerprint, is_same_secret

LEEWAY: Final = timedelta(seconds=30)
"""How far clocks may differ. Moodle's tokens live 60 s, and Brightspace's are valid from the second they are made."""
OLDEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(hours=24)
"""The longest age of a token, and the longest time until its end."""
LOGIN_LIFETIME: Final = timedelta(minutes=10)
PROOF_LIFETIME: Final = timedelta(seconds=60)


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
        """The values that the platform wants back unchanged."""
        hints = {"login_hint": self.login_hint}
        return hints if self.message_hint is None else {**hints, "lti_message_hint": self.message_hint}


def read_login(fields: Mapping[str, str], base_url: str) -> LoginRequest:
    """Read the fields of a login. Raises LoginIncomplete, or ForeignTarget when it wants to end elsewhere."""

    def given(name: str, *, longest: int, required: bool = False) -> str | None:
        value = fields.get(name) or None
        if (value is None and required) or (value is not None and (len(value) > longest or not is_storable(value))):
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
    return inside and len(url) <= 2000 and is_storable(url) and "\\" not in url


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
    check_audience(claims, login.client_id)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise ClaimRefused("nonce")
    if not is_same_secret(fingerprint(nonce.encode("utf-8", "replace").decode()), login.nonce_hash):
        raise LaunchMixedUp("nonce")
    if login.deployment_hint is not None and claims.get(f"{LTI}deployment_id") != login.deployment_hint:
        raise LaunchMixedUp("deployment_id")
    if claims.get(f"{LTI}target_link_uri") != login.target_link_uri:
        raise LaunchMixedUp("target_link_uri")


def check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """Raises ClaimRefused or LaunchMixedUp unless a token is for this client alone."""
    audience, party = claims.get("aud"), claims.get("azp")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not named or not all(isinstance(name, str) for name in named):
        raise ClaimRefused("aud")
    if client_id not in named:
        raise LaunchMixedUp("aud")
    # A token that is for others too could have been handed on by one of them: OpenID Connect wants them all trusted.
    if any(name != client_id for name in named):
        raise LaunchMixedUp("aud")
    if party is not None and party != client_id:
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
    if not secret or not is_same_secret(fingerprint(secret), secret_hash):
        raise BrowserUnproved("secret" if secret else "nothing kept", registration_id=registration_id)
