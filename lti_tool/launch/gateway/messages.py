"""The one door to pylti1p3, used for its order of steps, its redirect and its message validators.

What it leaves open is closed here: only RS256 with a key of the registered key set, our own time rules, one login for
one launch. State and nonce live in our database, so its session and cookie services keep nothing.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NoReturn

import jwt
from jwt.algorithms import RSAAlgorithm
from jwt.types import Options
from pylti1p3.cookie import CookieService
from pylti1p3.deployment import Deployment
from pylti1p3.exception import LtiException
from pylti1p3.message_launch import MessageLaunch
from pylti1p3.oidc_login import OIDCLogin
from pylti1p3.redirect import Redirect
from pylti1p3.registration import Registration
from pylti1p3.request import Request
from pylti1p3.session import SessionService
from pylti1p3.tool_config.abstract import ToolConfAbstract

from lti_tool.errors import ToolError
from lti_tool.launch.errors import ClaimRefused, LoginIncomplete, SignatureRefused, TokenUnreadable
from lti_tool.launch.rules.bindings import Login, check_binding, check_times
from lti_tool.launch.rules.context import LaunchContext, read_context

LARGEST_TOKEN: Final = 65_536
SMALLEST_KEY: Final = 2048
ALGORITHM: Final = "RS256"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A token as it came, taken apart and not trusted yet."""

    token: str
    kid: str
    claims: Mapping[str, Any]


def open_envelope(token: str) -> Envelope:
    """Take a token apart without believing it. Raises TokenUnreadable or SignatureRefused."""
    if not token or len(token) > LARGEST_TOKEN:
        raise TokenUnreadable("missing" if not token else "too large")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenUnreadable("parts")
    header, claims = _json_object(parts[0]), _json_object(parts[1])
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid or len(kid) > 1000:
        raise SignatureRefused("kid")
    if header.get("alg") != ALGORITHM:
        raise SignatureRefused("alg")
    if "crit" in header:
        raise SignatureRefused("crit")
    # jku, jwk, x5u and x5c are not even looked at: keys come from the registered key set.
    return Envelope(token, kid, claims)


def verify(
    envelope: Envelope, keys: Sequence[Mapping[str, Any]], login: Login, *, now: datetime, allow_http: bool
) -> LaunchContext:
    """What a token says that the platform signed for this login. Raises a LaunchError.

    Whether the login was used before is not decided here: that needs the database.
    """
    launch = _Launch(envelope, keys, login, now, allow_http)
    try:
        launch.validate()
        return launch.context
    except ToolError:
        raise
    except LtiException as failure:
        raise ClaimRefused(_word(failure)) from None
    except Exception as failure:
        # Whatever a hostile token makes the library stumble over, it stays a refusal.
        raise TokenUnreadable(type(failure).__name__) from None


def check_signature(envelope: Envelope, keys: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Raises SignatureRefused or TokenNotTimely unless one of these keys signed the token, lately."""
    key = usable_key(keys, envelope.kid)
    if key is None:
        raise SignatureRefused("unknown kid")
    try:
        jwt.decode(envelope.token, key, algorithms=[ALGORITHM], options=_SIGNATURE_ONLY)
    except jwt.InvalidTokenError:
        raise SignatureRefused("signature") from None
    check_times(envelope.claims, now=now)


def authorization_url(
    *,
    auth_login_url: str,
    issuer: str,
    client_id: str,
    redirect_uri: str,
    state: str,
    nonce: str,
    hints: Mapping[str, str],
) -> str:
    """The address to which the browser is sent to sign in at its platform. Raises LoginIncomplete."""
    registration = _registration(issuer, client_id)
    registration.set_auth_login_url(auth_login_url)
    login = _Login(registration, state, nonce, {"iss": issuer, "client_id": client_id, **hints})
    try:
        url: str = login.get_redirect_object(redirect_uri).get_redirect_url()
    except LtiException as failure:
        raise LoginIncomplete(_word(failure)) from None
    # The library always adds "?", also to an address that has a query of its own.
    return url.replace(f"{auth_login_url}?", f"{auth_login_url}&", 1) if "?" in auth_login_url else url


def state_sent(state: str) -> str:
    """The state as it is sent: the library adds a prefix."""
    return f"state-{state}"


def usable_key(keys: Sequence[Mapping[str, Any]], kid: str) -> Any | None:
    """The key with this id, ready to verify with; None if the key set has none.

    Raises SignatureRefused for a key that may not sign launches: not RSA, too short, for encryption, malformed.
    """
    for key in keys:
        if not isinstance(key, Mapping) or key.get("kid") != kid:
            continue
        operations = key.get("key_ops")
        if key.get("kty") != "RSA" or key.get("alg", ALGORITHM) != ALGORITHM:
            raise SignatureRefused("key type")
        if key.get("use", "sig") != "sig" or (isinstance(operations, list) and "verify" not in operations):
            raise SignatureRefused("key use")
        return _loaded(key.get("n"), key.get("e"))
    return None


# Reading a key costs more than checking a signature with it, and platforms have few.
@lru_cache(maxsize=512)
def _rsa_key(n: str, e: str) -> Any:
    return RSAAlgorithm.from_jwk({"kty": "RSA", "n": n, "e": e})


def _loaded(n: object, e: object) -> Any:
    if not isinstance(n, str) or not isinstance(e, str) or len(n) > 4096 or len(e) > 64:
        raise SignatureRefused("key malformed")
    try:
        key = _rsa_key(n, e)
    except Exception:
        # PyJWT and cryptography have no common error for numbers that make no key.
        raise SignatureRefused("key malformed") from None
    if key.key_size < SMALLEST_KEY:
        raise SignatureRefused("key too short")
    return key


def _json_object(part: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except (binascii.Error, ValueError, RecursionError):
        raise TokenUnreadable("json") from None
    if not isinstance(value, dict):
        raise TokenUnreadable("object")
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def _word(failure: LtiException) -> str:
    """The library's sentence as a short word for the audit: fixed sentences only, its others quote what was sent."""
    sentence = str(failure)
    return sentence[:60] if sentence in _SENTENCES else "message"


_SENTENCES: Final = frozenset(
    {
        "Could not find issuer",
        "Could not find login hint",
        "Grade services must be included in a LtiSubmissionReviewRequest",
        "A LtiSubmissionReviewRequest must specify the lineitem it was launched for",
        "For user claim must be included in a LtiSubmissionReviewRequest",
        "For user claim must include user_id",
        "Missing Deep Linking Settings",
        "Must support resource link placement types",
        "Must support a presentation type",
        "Missing Resource Link Id",
        "Missing Roles Claim",
        "Incorrect version, expected 1.3.0",
        "deployment_id is not set in jwt body",
    }
)


def _registration(issuer: str, client_id: str) -> Registration:
    registration = Registration()
    registration.set_issuer(issuer)
    registration.set_client_id(client_id)
    return registration


class _Parameters(Request):
    """The fields of one request."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields

    @property
    def session(self) -> dict[str, Any]:
        return {}

    def is_secure(self) -> bool:
        return True

    def get_param(self, key: str) -> str:
        return self._fields.get(key, "")


class _OneRegistration(ToolConfAbstract[_Parameters]):
    """The registration that a login or a launch was already found to belong to."""

    def __init__(self, registration: Registration) -> None:
        self.issuers_relation_types = {}
        self._registration = registration

    def check_iss_has_one_client(self, iss: str) -> bool:
        return False

    def check_iss_has_many_clients(self, iss: str) -> bool:
        return True

    def find_registration_by_issuer(self, iss: str, *_: object, **__: object) -> Registration:
        return self._registration

    def find_registration_by_params(self, iss: str, client_id: str, *_: object, **__: object) -> Registration:
        return self._registration

    def find_deployment(self, iss: str, deployment_id: str) -> Deployment | None:
        return self.find_deployment_by_params(iss, deployment_id, "")

    def find_deployment_by_params(
        self, iss: str, deployment_id: str, client_id: str, *_: object, **__: object
    ) -> Deployment | None:
        # Whose deployment it is, is decided where the deployments are.
        return Deployment().set_deployment_id(deployment_id) if isinstance(deployment_id, str) else None


class _NoCookies(CookieService):
    def get_cookie(self, name: str) -> str | None:
        return None

    def set_cookie(self, name: str, value: str | int, exp: int | None = 3600) -> None:
        return None


class _NoSession(SessionService):
    def save_nonce(self, nonce: str) -> None:
        return None


class _Url(Redirect[str]):
    def __init__(self, url: str) -> None:
        self._url = url

    def do_redirect(self) -> str:
        return self._url

    def do_js_redirect(self) -> str:
        return self._url

    def set_redirect_url(self, location: str) -> None:
        self._url = location

    def get_redirect_url(self) -> str:
        return self._url


class _Login(OIDCLogin[_Parameters, _OneRegistration, _NoSession, _NoCookies, str]):
    """The library's redirect, with a state and a nonce of ours."""

    def __init__(self, registration: Registration, state: str, nonce: str, fields: Mapping[str, str]) -> None:
        request = _Parameters(fields)
        super().__init__(request, _OneRegistration(registration), _NoSession(request), _NoCookies())
        self._state, self._nonce = state, nonce

    def _get_uuid(self) -> str:
        return self._state

    def _generate_nonce(self) -> str:
        return self._nonce

    def get_redirect(self, url: str) -> Redirect[str]:
        return _Url(url)


class _Launch(MessageLaunch[_Parameters, _OneRegistration, _NoSession, _NoCookies]):
    """The library's steps in the library's order. Steps that it checks loosely are replaced by our own rules."""

    context: LaunchContext

    def __init__(
        self,
        envelope: Envelope,
        keys: Sequence[Mapping[str, Any]],
        login: Login,
        now: datetime,
        allow_http: bool,
    ) -> None:
        request = _Parameters({"id_token": envelope.token})
        registration = _registration(login.issuer, login.client_id)
        super().__init__(request, _OneRegistration(registration), _NoSession(request), _NoCookies(), None, _NO_NETWORK)
        self._envelope, self._keys, self._login = envelope, keys, login
        self._now, self._allow_http = now, allow_http
        self.set_auto_validation(False)

    def _get_request_param(self, key: str) -> str:
        return self._request.get_param(key)

    def validate_state(self) -> "_Launch":
        return self

    def validate_jwt_format(self) -> "_Launch":
        body: Any = dict(self._envelope.claims)
        self._jwt = {"header": {"kid": self._envelope.kid, "alg": ALGORITHM}, "body": body}
        return self

    def validate_nonce(self) -> "_Launch":
        check_binding(self._envelope.claims, self._login)
        return self

    def get_client_id(self) -> str:
        # Which audience is ours was checked with the binding; the library would take the first of a list.
        return self._login.client_id

    def validate_jwt_signature(self) -> "_Launch":
        check_signature(self._envelope, self._keys, now=self._now)
        return self

    def validate_message(self) -> "_Launch":
        # First ours, which names what is wrong with a claim; the library's know what each message needs.
        self.context = read_context(self._envelope.claims, allow_http=self._allow_http)
        super().validate_message()
        return self

    def save_launch_data(self) -> "_Launch":
        return self


class _NoNetwork:
    """Replaces the requests session of the library: we fetch and store keys ourselves, with limits."""

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError("the launch library must not call anybody")


_NO_NETWORK: Final[Any] = _NoNetwork()

_SIGNATURE_ONLY: Final[Options] = {
    "verify_signature": True,
    # Read by our own rules: with leeway, with an age, and on our clock.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
