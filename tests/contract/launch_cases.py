"""120 launches that a tool gets wrong at its peril: what is sent, and what must become of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from werkzeug.test import TestResponse

from lti_tool.errors import ToolError
from lti_tool.launch.errors import (
    BrowserUnproved,
    ClaimRefused,
    DeploymentRefused,
    ForeignTarget,
    LaunchByAddress,
    LaunchMixedUp,
    LaunchSpent,
    LaunchUnknown,
    LoginIncomplete,
    MessageNotSupported,
    PersonMissing,
    PlatformSaidNo,
    PlatformUnreachable,
    RoleMissing,
    SignatureRefused,
    TokenNotTimely,
    TokenUnreadable,
    UnknownPlatform,
)
from lti_tool.web.visits import VisitOver
from tests.contract.launch_stage import Stage
from tests.fakes.platform import AGS, DEEP_LINKING, LTI, Claims, ec_jwk, encoded, rsa_jwk, rsa_key
from tests.functional.launching import Browser

Act = Callable[[Stage], TestResponse]

Outcome = type[ToolError] | None
"""The error whose page is shown; None: exactly one visit is opened."""
ACCEPTED: Final = None


@dataclass(frozen=True)
class Case:
    number: int
    title: str
    outcome: Outcome
    act: Act
    visits: int

    def __str__(self) -> str:
        return f"{self.number:03} {self.title}"


CASES: Final[list[Case]] = []


def case(number: int, title: str, outcome: Outcome, *, visits: int | None = None) -> Callable[[Act], Act]:
    """Add a row. `visits` counts those that the row's own earlier steps opened."""

    def add(act: Act) -> Act:
        CASES.append(Case(number, title, outcome, act, (outcome is ACCEPTED) if visits is None else visits))
        return act

    return add


def row(number: int, title: str, outcome: Outcome, act: Act) -> None:
    case(number, title, outcome)(act)


def without(name: str) -> Callable[[Claims], object]:
    return lambda claims: claims.pop(name)


def having(**values: Any) -> Callable[[Claims], object]:
    return lambda claims: claims.update(values)


def lti(name: str, value: Any) -> Callable[[Claims], object]:
    return lambda claims: claims.update({f"{LTI}{name}": value})


def changed(change: Callable[[Claims], object]) -> Act:
    return lambda stage: stage.launch(change)


def moved(**by: float | None) -> Act:
    """Times relative to now; None leaves one out."""

    def act(stage: Stage) -> TestResponse:
        def change(claims: Claims) -> None:
            for name, seconds in by.items():
                if seconds is None:
                    del claims[name]
                else:
                    claims[name] = int(stage.now) + seconds

        return stage.launch(change)

    return act


YEAR = 365 * 24 * 3600.0

# The certification list.
row(1, "no kid", SignatureRefused, lambda stage: stage.launch(kid=None))
row(2, "wrong kid", SignatureRefused, lambda stage: stage.launch(kid="nobody's"))
row(3, "wrong version", ClaimRefused, changed(lti("version", "11.3")))
row(4, "no version", ClaimRefused, changed(without(f"{LTI}version")))
row(
    5,
    "plain JSON instead of a token",
    TokenUnreadable,
    lambda stage: stage.post(stage.begin(), json.dumps({"sub": "1"})),
)


@case(6, "a token without LTI claims", LaunchMixedUp)
def _(stage: Stage) -> TestResponse:
    begun = stage.begin()
    bare = {name: value for name, value in stage.claims(begun).items() if not name.startswith("http")}
    return stage.post(begun, stage.first.sign(bare))


row(7, "iat and exp in the past", TokenNotTimely, moved(iat=-3600 * 30, exp=-3600 * 29))
row(8, "no message type", ClaimRefused, changed(without(f"{LTI}message_type")))
row(9, "no roles claim", ClaimRefused, changed(without(f"{LTI}roles")))
row(10, "no deployment", LaunchMixedUp, changed(without(f"{LTI}deployment_id")))
row(11, "no resource link", ClaimRefused, changed(without(f"{LTI}resource_link")))
row(12, "no sub", PersonMissing, changed(without("sub")))

# Signatures and the shape of the token.
row(13, "wrong key, right kid", SignatureRefused, lambda stage: stage.send_signed_by(rsa_key("attacker")))
row(14, "alg none", SignatureRefused, lambda stage: stage.send_signed_by(None, alg="none"))
row(15, "HS256 with the public key", SignatureRefused, lambda stage: stage.send_signed_by(stage.first.key, alg="HS256"))
row(16, "a JWK without alg", ACCEPTED, lambda stage: stage.with_key_set(keys=[rsa_jwk(stage.first.key, alg=None)]))
row(17, "RS384", SignatureRefused, lambda stage: stage.send_signed_by(stage.first.key, alg="RS384"))


@case(18, "ES256 with its key in the key set", SignatureRefused)
def _(stage: Stage) -> TestResponse:
    stage.first.keys = [ec_jwk()]
    return stage.send_signed_by(None, alg="ES256")


@case(19, "PS256", SignatureRefused)
def _(stage: Stage) -> TestResponse:
    stage.first.keys = [rsa_jwk(stage.first.key, alg="PS256")]
    return stage.send_signed_by(stage.first.key, alg="PS256")


@case(20, "a platform key of 1024 bits", SignatureRefused)
def _(stage: Stage) -> TestResponse:
    short = rsa_key("short", 1024)
    stage.first.keys = [rsa_jwk(short)]
    return stage.send_signed_by(short)


row(21, "crit in the header", SignatureRefused, lambda stage: stage.launch(crit=["x"], x=1))
row(
    22,
    "jku and jwk in the header are not looked at",
    ACCEPTED,
    lambda stage: stage.launch(jku="https://evil.example/jwks", jwk=rsa_jwk(rsa_key("attacker"))),
)


def tampered(stage: Stage) -> TestResponse:
    begun = stage.begin()
    claims = stage.claims(begun)
    head, _, signature = stage.first.sign(claims).split(".")
    return stage.post(begun, f"{head}.{encoded(json.dumps(claims | {'sub': 'person-2'}).encode())}.{signature}")


def parts_kept(count: int, tail: str = "") -> Act:
    def act(stage: Stage) -> TestResponse:
        begun = stage.begin()
        return stage.post(begun, ".".join(stage.first.sign(stage.claims(begun)).split(".")[:count]) + tail)

    return act


row(23, "a changed payload", SignatureRefused, tampered)
row(24, "the signature stripped", SignatureRefused, parts_kept(2, "."))
row(25, "a token of two parts", TokenUnreadable, parts_kept(2))
row(26, "garbage", TokenUnreadable, lambda stage: stage.post(stage.begin(), "not.a.token"))
row(27, "the payload is a list", TokenUnreadable, lambda stage: stage.send_payload(["sub"]))
row(28, "the header is a list", TokenUnreadable, lambda stage: stage.launch(header=["alg"]))
row(29, "an empty token", TokenUnreadable, lambda stage: stage.post(stage.begin(), ""))
row(
    30,
    "the platform answers with an error",
    PlatformSaidNo,
    lambda stage: stage.post(stage.begin(), None, error="login_required", error_description="<script>"),
)

# Time.
row(31, "no exp", TokenNotTimely, moved(exp=None))
row(32, "no iat", TokenNotTimely, moved(iat=None))
row(33, "neither", TokenNotTimely, moved(iat=None, exp=None))
row(34, "exp a second ago", ACCEPTED, moved(exp=-1))
row(35, "iat an hour ahead", TokenNotTimely, moved(iat=3600, exp=3700))
row(36, "iat five seconds ahead", ACCEPTED, moved(iat=5))
row(37, "nbf ahead", TokenNotTimely, moved(nbf=3600))
row(38, "iat ten years old", TokenNotTimely, moved(iat=-10 * YEAR))
row(39, "exp a hundred years ahead", TokenNotTimely, moved(exp=100 * YEAR))
row(40, "exp is a text", TokenNotTimely, changed(having(exp="tomorrow")))
row(41, "exp is a float", ACCEPTED, moved(exp=60.5))

# Issuer, audience, deployment.
row(42, "unknown issuer", LaunchMixedUp, changed(having(iss="https://nobody.example")))
row(43, "no issuer", LaunchMixedUp, changed(without("iss")))
row(44, "issuer with a slash", LaunchMixedUp, changed(having(iss="https://lms.example/")))
row(45, "issuer is a list", LaunchMixedUp, changed(having(iss=["https://lms.example"])))
row(46, "another platform's issuer, our signature", LaunchMixedUp, changed(having(iss="https://other.example")))
row(47, "unknown audience", LaunchMixedUp, changed(having(aud="other")))
row(48, "no audience", ClaimRefused, changed(without("aud")))
row(49, "audience is a list of one", ACCEPTED, changed(having(aud=["client-1"])))
row(50, "two audiences and no azp", LaunchMixedUp, changed(having(aud=["client-1", "other"])))
row(51, "two audiences, the other one's azp", LaunchMixedUp, changed(having(aud=["client-1", "other"], azp="other")))
row(52, "two audiences, our azp", LaunchMixedUp, changed(having(aud=["other", "client-1"], azp="client-1")))
row(53, "one audience, somebody else's azp", LaunchMixedUp, changed(having(azp="other")))
row(54, "audience is an empty list", ClaimRefused, changed(having(aud=[])))
row(55, "audience is null", ClaimRefused, changed(having(aud=None)))


def token_of_the_second_client(stage: Stage, **login: str | None) -> TestResponse:
    begun = stage.begin(**login)
    return stage.post(begun, stage.second_client.sign(stage.claims(begun, stage.second_client)))


row(56, "login for one client, token for another", LaunchMixedUp, token_of_the_second_client)
row(
    57,
    "login without client id, token for the second client",
    LaunchMixedUp,
    lambda stage: token_of_the_second_client(stage, client_id=None),
)


def in_deployment(value: object, **login: str | None) -> Act:
    def act(stage: Stage) -> TestResponse:
        begun = stage.begin(**login)
        return stage.post(begun, stage.first.sign(stage.claims(begun) | {f"{LTI}deployment_id": value}))

    return act


row(58, "another client's deployment", DeploymentRefused, in_deployment("deployment-2", lti_deployment_id=None))
row(59, "unknown deployment", DeploymentRefused, in_deployment("nowhere", lti_deployment_id=None))
row(60, "deployment is a number", ClaimRefused, in_deployment(1, lti_deployment_id=None))
row(
    61,
    "another deployment than at login",
    LaunchMixedUp,
    in_deployment("deployment-1", lti_deployment_id="deployment-2"),
)

# Nonce, state, browser.
row(62, "a nonce never issued", LaunchMixedUp, changed(having(nonce="made-up")))
row(63, "no nonce", ClaimRefused, changed(without("nonce")))
row(64, "the first use", ACCEPTED, lambda stage: stage.launch())


def replayed(stage: Stage, second: Browser) -> TestResponse:
    begun = stage.begin()
    token = stage.first.sign(stage.claims(begun))
    assert stage.post(begun, token).status_code == 303
    return stage.post(begun, token, browser=second)


case(65, "the same post again", LaunchSpent, visits=1)(lambda stage: replayed(stage, stage.browser))
case(66, "the same post from another browser", LaunchSpent, visits=1)(
    lambda stage: replayed(stage, Browser(stage.app, keeps_cookies=False))
)


def proved(stage: Stage, *, again: bool = False, secret: str | None = None) -> TestResponse:
    """A launch without cookies, proved from storage."""
    browser = Browser(stage.app, keeps_cookies=False)
    begun = stage.begin(browser=browser)
    page = stage.post(begun, stage.first.sign(stage.claims(begun)), browser=browser)
    assert page.status_code == 200
    assert 'id="proof"' in page.text
    shown = begun.secret if secret is None else secret
    answer = browser.confirm(begun.state, shown)
    return browser.confirm(begun.state, shown) if again else answer


row(67, "proved from storage", ACCEPTED, proved)
case(68, "proved from storage twice", LaunchSpent, visits=1)(lambda stage: proved(stage, again=True))
row(69, "proved with another browser's secret", BrowserUnproved, lambda stage: proved(stage, secret="made-up"))


@case(70, "an old nonce with a fresh state", LaunchMixedUp, visits=1)
def _(stage: Stage) -> TestResponse:
    begun = stage.begin()
    assert stage.post(begun, stage.first.sign(stage.claims(begun))).status_code == 303
    fresh = stage.begin()
    return stage.post(fresh, stage.first.sign(stage.claims(begun) | {"sub": "person-2"}))


@case(71, "the state of one login with the nonce of another", LaunchMixedUp)
def _(stage: Stage) -> TestResponse:
    one, other = stage.begin(), stage.begin()
    return stage.post(one, stage.first.sign(stage.claims(other)))


@case(72, "a state never issued", LaunchUnknown)
def _(stage: Stage) -> TestResponse:
    begun = stage.begin()
    return stage.post(begun, stage.first.sign(stage.claims(begun)), state="state-made-up")


@case(73, "no state", LaunchUnknown)
def _(stage: Stage) -> TestResponse:
    begun = stage.begin()
    return stage.post(begun, stage.first.sign(stage.claims(begun)), state=None)


@case(74, "an attacker's launch in a victim's browser", BrowserUnproved)
def _(stage: Stage) -> TestResponse:
    begun, victim = stage.begin(), Browser(stage.app)
    page = stage.post(begun, stage.first.sign(stage.claims(begun)), browser=victim)
    assert stage.visits() == 0
    assert begun.secret not in page.text
    return victim.confirm(begun.state, "")


@case(75, "login at one platform, a token of another with its nonce", LaunchMixedUp)
def _(stage: Stage) -> TestResponse:
    begun = stage.begin()
    return stage.post(begun, stage.other.sign(stage.claims(begun, stage.other)))


# Target and login.
row(76, "no target in the token", LaunchMixedUp, changed(without(f"{LTI}target_link_uri")))
row(
    77,
    "another target than at login",
    LaunchMixedUp,
    changed(lti("target_link_uri", "http://localhost:8000/elsewhere")),
)
row(78, "login without target", LoginIncomplete, lambda stage: stage.login(target_link_uri=None))
row(79, "login to a foreign host", ForeignTarget, lambda stage: stage.login(target_link_uri="https://evil.example/"))
row(80, "login without hint", LoginIncomplete, lambda stage: stage.login(login_hint=None))
row(81, "login without issuer", LoginIncomplete, lambda stage: stage.login(iss=None))
row(82, "login of an unknown issuer", UnknownPlatform, lambda stage: stage.login(iss="https://nobody.example"))
row(83, "login of an unknown client", UnknownPlatform, lambda stage: stage.login(client_id="nope"))

# Claims of the wrong shape.
row(84, "resource link without id", ClaimRefused, changed(lti("resource_link", {"title": "x"})))
row(85, "resource link id too long", ClaimRefused, changed(lti("resource_link", {"id": "x" * 256})))
row(86, "resource link is null", ClaimRefused, changed(lti("resource_link", None)))
row(87, "resource link is a text", ClaimRefused, changed(lti("resource_link", "link-1")))
row(88, "resource link id is a number", ClaimRefused, changed(lti("resource_link", {"id": 7})))
row(89, "no roles in the list", RoleMissing, changed(lti("roles", [])))
row(90, "only an unknown role", RoleMissing, changed(lti("roles", ["urn:example:role#Wizard"])))
row(91, "roles is null", ClaimRefused, changed(lti("roles", None)))
row(92, "roles is a text", ClaimRefused, changed(lti("roles", "Learner")))
row(93, "roles holds numbers", ClaimRefused, changed(lti("roles", [1, 2])))
row(94, "unknown message type", MessageNotSupported, changed(lti("message_type", "LtiNobodyKnows")))
row(95, "message type is a list", ClaimRefused, changed(lti("message_type", ["LtiResourceLinkRequest"])))
row(96, "proctoring", MessageNotSupported, changed(lti("message_type", "LtiStartProctoring")))
row(97, "sub is empty", PersonMissing, changed(having(sub="")))
row(98, "sub is a number", ClaimRefused, changed(having(sub=7)))
row(99, "sub too long", ClaimRefused, changed(having(sub="x" * 256)))
row(100, "sub is null", PersonMissing, changed(having(sub=None)))
row(101, "version 1.3", ClaimRefused, changed(lti("version", "1.3")))
row(102, "deep linking without settings", ClaimRefused, lambda stage: stage.deep_link(without(DEEP_LINKING)))


def deep_linking(**changes: Any) -> Act:
    def change(claims: Claims) -> None:
        settings = claims[DEEP_LINKING] | changes
        claims[DEEP_LINKING] = {name: value for name, value in settings.items() if value is not None}

    return lambda stage: stage.deep_link(change)


row(103, "deep linking without return address", ClaimRefused, deep_linking(deep_link_return_url=None))
row(104, "deep linking that takes no resource links", ClaimRefused, deep_linking(accept_types=["link", "html"]))
row(105, "a script as return address", ClaimRefused, deep_linking(deep_link_return_url="javascript:alert(1)"))
row(
    106,
    "review without line item",
    ClaimRefused,
    lambda stage: stage.review(lambda claims: claims[AGS].pop("lineitem")),
)
row(107, "the gradebook claim is null", ClaimRefused, changed(having(**{AGS: None})))


@case(108, "a launch by GET", LaunchByAddress)
def _(stage: Stage) -> TestResponse:
    begun = stage.begin()
    fields = {"id_token": stage.first.sign(stage.claims(begun)), "state": begun.state}
    return stage.browser.client.get("/lti/launch", query_string=fields)


# Key sets.
row(
    109,
    "key set is a page with status 500",
    PlatformUnreachable,
    lambda stage: stage.with_key_set(b"<html>oops", status=500),
)
row(
    110,
    "key set is an error with status 404",
    PlatformUnreachable,
    lambda stage: stage.with_key_set({"error": "x"}, status=404),
)
row(111, "good keys with status 500", PlatformUnreachable, lambda stage: stage.with_key_set(status=500))
row(112, "no keys", SignatureRefused, lambda stage: stage.with_key_set({"keys": []}))
row(113, "key set is a list", PlatformUnreachable, lambda stage: stage.with_key_set([rsa_jwk(stage.first.key)]))
row(
    114,
    "a key for encryption",
    SignatureRefused,
    lambda stage: stage.with_key_set(keys=[rsa_jwk(stage.first.key, use="enc")]),
)
row(
    115,
    "a malformed key",
    SignatureRefused,
    lambda stage: stage.with_key_set(keys=[{"kid": "key-1", "kty": "RSA", "e": "AQAB"}]),
)
row(
    116,
    "a symmetric key",
    SignatureRefused,
    lambda stage: stage.with_key_set(keys=[{"kid": "key-1", "kty": "oct", "alg": "HS256", "k": "c2VjcmV0"}]),
)
row(
    117,
    "the kid twice, the second is right",
    SignatureRefused,
    lambda stage: stage.with_key_set(keys=[rsa_jwk(rsa_key("attacker")), rsa_jwk(stage.first.key)]),
)


# What a finished launch leaves to others.
def enter(stage: Stage, browser: Browser, *, base_url: str = "https://localhost") -> TestResponse:
    """Open a visit, then let this browser post to it."""
    answer = stage.launch()
    assert answer.status_code == 303
    address = answer.headers["Location"].partition("?")[0]
    return browser.client.post(f"{address}new-tab", base_url=base_url)


@case(118, "the code of a launch, in its own browser", ACCEPTED)
def _(stage: Stage) -> TestResponse:
    answer = stage.launch()
    address, _, code = answer.headers["Location"].partition("?c=")
    entered = stage.browser.client.post(f"{address}enter", data={"code": code})
    assert entered.json
    assert entered.json["bearer"]
    return answer


case(119, "somebody else's visit, another browser", VisitOver, visits=1)(
    lambda stage: enter(stage, Browser(stage.app, keeps_cookies=False))
)
case(120, "somebody else's visit, another browser, plain http", VisitOver, visits=1)(
    lambda stage: enter(stage, Browser(stage.app, keeps_cookies=False), base_url="http://localhost:8000")
)
