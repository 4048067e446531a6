"""Access tokens from a platform over real sockets: asked for once, shared, renewed in time."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from sqlalchemy import select

from lti_tool.registration.errors import Denial, TokenRefused, TokenUnavailable
from lti_tool.registration.models import AccessToken, Registration
from lti_tool.registration.service import keys
from lti_tool.registration.service.tokens import TokenClient, look_again_now
from lti_tool.support.failures import BadAnswer
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from sandbox_lms import SandboxLms
from tests.factories.people import a_registration, an_institution
from tests.factories.registration import json_answer, reaching
from tests.fakes.clock import FakeClock
from tests.fakes.web_server import Request, WebServer, answer

ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
BOGUS = "https://purl.imsglobal.org/spec/lti-ts/scope/toolsetting"


class Platform:
    """A token endpoint that answers as a test tells it to."""

    def __init__(self) -> None:
        self.answers: list[list[bytes]] = []
        self.asked: list[dict[str, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.server = WebServer(self._respond)

    def _respond(self, request: Request) -> list[bytes]:
        self.asked.append({name: values[0] for name, values in parse_qs(request.body.decode()).items()})
        self.gate.wait(10)
        if self.answers:
            return self.answers.pop(0)
        return json_answer({"access_token": f"token-{len(self.asked)}", "token_type": "Bearer", "expires_in": 3600})


@pytest.fixture
def platform() -> Iterator[Platform]:
    platform = Platform()
    with platform.server:
        yield platform


@pytest.fixture
def reachable(kit: Kit, platform: Platform) -> Kit:
    return reaching(kit, platform.server.port)


@pytest.fixture
def registration_id(kit: Kit, platform: Platform) -> int:
    with kit.open_session() as session:
        keys.ensure_signing_key(session, kit.secrets, now=kit.clock.now())
        registration = a_registration(
            session, an_institution(session), auth_token_url=platform.server.url("/token"), client_id="tandem"
        )
        return registration.id


@pytest.fixture
def tokens(reachable: Kit) -> TokenClient:
    return TokenClient(reachable)


@pytest.mark.store
def test_one_token_serves_until_a_minute_before_its_end(
    tokens: TokenClient, platform: Platform, registration_id: int, clock: FakeClock
) -> None:
    first = tokens.token(registration_id, [SCORE, ROSTER])
    clock.advance(timedelta(minutes=58))
    again = tokens.token(registration_id, [ROSTER, SCORE])
    clock.advance(timedelta(minutes=1))
    renewed = tokens.token(registration_id, [ROSTER, SCORE])

    assert (first.value, again.value, renewed.value) == ("token-1", "token-1", "token-2")
    assert len(platform.asked) == 2


def test_the_assertion_says_who_we_are_and_lives_a_minute(
    tokens: TokenClient, platform: Platform, registration_id: int, kit: Kit
) -> None:
    tokens.token(registration_id, [ROSTER])
    with kit.open_session() as session:
        published = keys.public_keys(session, now=kit.clock.now())
    asked = platform.asked[0]
    header = jwt.get_unverified_header(asked["client_assertion"])
    claims = jwt.decode(
        asked["client_assertion"],
        jwt.PyJWK(published[0]).key,
        algorithms=["RS256"],
        audience=platform.server.url("/token"),
        options={"verify_exp": False, "verify_iat": False},
    )
    assert header["kid"] == published[0]["kid"]
    assert (claims["iss"], claims["sub"]) == ("tandem", "tandem")
    assert claims["exp"] == kit.clock.now().timestamp() + 60
    assert claims["iat"] <= kit.clock.now().timestamp()
    assert asked["scope"] == ROSTER
    assert asked["grant_type"] == "client_credentials"


def test_a_platform_with_its_own_audience_gets_it(
    tokens: TokenClient, platform: Platform, registration_id: int, kit: Kit
) -> None:
    with kit.open_session() as session:
        session.get_one(Registration, registration_id).auth_audience = "https://api.brightspace.com/auth/token"
    tokens.token(registration_id, [ROSTER])
    claims = jwt.decode(platform.asked[0]["client_assertion"], options={"verify_signature": False})
    assert claims["aud"] == "https://api.brightspace.com/auth/token"


def test_what_was_granted_is_read_from_the_answer(
    tokens: TokenClient, platform: Platform, registration_id: int
) -> None:
    platform.answers = [json_answer({"access_token": "t", "scope": ROSTER, "expires_in": "3600"})]
    assert tokens.token(registration_id, [ROSTER, BOGUS]).granted == {ROSTER}
    # From the store too.
    assert tokens.token(registration_id, [ROSTER, BOGUS]).granted == {ROSTER}


def test_two_clients_of_one_issuer_never_share_a_token(
    tokens: TokenClient, platform: Platform, registration_id: int, kit: Kit
) -> None:
    with kit.open_session() as session:
        issuer = session.get_one(Registration, registration_id).issuer
        other = a_registration(
            session, an_institution(session), issuer=issuer, auth_token_url=platform.server.url("/token")
        ).id
    assert tokens.token(registration_id, [ROSTER]).value != tokens.token(other, [ROSTER]).value


def test_tokens_lie_sealed_in_the_database(tokens: TokenClient, registration_id: int, kit: Kit) -> None:
    token = tokens.token(registration_id, [ROSTER])
    with kit.open_session() as session:
        stored = session.scalars(select(AccessToken.token)).one()
    assert stored is not None
    assert token.value not in stored
    assert token.value not in repr(token)


def test_a_forgotten_token_is_asked_for_anew_but_a_fresher_one_is_kept(
    tokens: TokenClient, registration_id: int
) -> None:
    first = tokens.token(registration_id, [ROSTER])
    tokens.forget(first)
    second = tokens.token(registration_id, [ROSTER])
    tokens.forget(first)
    assert second.value == "token-2"
    assert tokens.token(registration_id, [ROSTER]).value == "token-2"


@pytest.mark.store
def test_many_at_once_make_one_request(reachable: Kit, platform: Platform, registration_id: int) -> None:
    platform.gate.clear()
    got: list[str] = []

    def ask() -> None:
        # Each with a client of its own, as separate processes have.
        client = TokenClient(reachable, sleep=lambda _: threading.Event().wait(0.05) and None)
        got.append(client.token(registration_id, [ROSTER]).value)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    while not platform.asked:
        threading.Event().wait(0.01)
    platform.gate.set()
    for thread in threads:
        thread.join(20)
    assert got == ["token-1"] * 8
    assert len(platform.asked) == 1


def test_a_process_that_died_while_asking_is_replaced(reachable: Kit, registration_id: int, clock: FakeClock) -> None:
    with reachable.open_session() as session:
        session.add(
            AccessToken(
                registration_id=registration_id, scopes=ROSTER, asking_until=clock.now() + timedelta(seconds=30)
            )
        )
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.advance(timedelta(seconds=seconds))

    assert TokenClient(reachable, sleep=sleep).token(registration_id, [ROSTER]).value == "token-1"
    assert sum(waited) >= 30


def test_nobody_waits_for_ever(reachable: Kit, registration_id: int, clock: FakeClock) -> None:
    with reachable.open_session() as session:
        session.add(
            AccessToken(registration_id=registration_id, scopes=ROSTER, asking_until=clock.now() + timedelta(days=1))
        )
    with pytest.raises(TokenUnavailable):
        TokenClient(reachable, sleep=lambda _: None).token(registration_id, [ROSTER])


def test_refused_credentials_stop_calls_for_minutes_then_hours_then_days_and_pause_nothing(
    tokens: TokenClient, platform: Platform, registration_id: int, kit: Kit, clock: FakeClock
) -> None:
    refusal = json_answer({"error": "invalid_client", "error_description": "secret"}, "400 Bad Request")
    platform.answers = [refusal] * 8
    pauses = []
    for _ in range(8):
        with pytest.raises(TokenRefused) as refused:
            tokens.token(registration_id, [ROSTER])
        assert refused.value.denial is Denial.CREDENTIALS
        assert refused.value.asks_again_at is not None
        pauses.append(refused.value.asks_again_at - clock.now())
        with pytest.raises(TokenRefused):
            tokens.token(registration_id, [ROSTER])
        clock.advance(pauses[-1])
    assert len(platform.asked) == 8
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=5), timedelta(days=1))
    with kit.open_session() as session:
        assert session.get_one(Registration, registration_id).paused_at is None
        assert [entry.what for entry in session.scalars(select(AuditEntry))] == ["token refused"]
    assert tokens.token(registration_id, [ROSTER]).value == "token-9"
    with kit.open_session() as session:
        assert session.scalars(select(AccessToken.denied_since)).all() == [None]


def test_one_alarm_is_given_for_a_platform_whatever_rights_it_refuses(
    tokens: TokenClient, platform: Platform, registration_id: int, kit: Kit
) -> None:
    platform.answers = [json_answer({"error": "invalid_client"}, "401 Unauthorized")] * 2
    for scope in (ROSTER, SCORE):
        with pytest.raises(TokenRefused):
            tokens.token(registration_id, [scope])
    with kit.open_session() as session:
        assert [entry.what for entry in session.scalars(select(AuditEntry))] == ["token refused"]


def test_a_person_has_the_platform_asked_again_at_once(
    tokens: TokenClient, platform: Platform, registration_id: int, kit: Kit
) -> None:
    platform.answers = [json_answer({"error": "invalid_client"}, "401 Unauthorized")]
    with pytest.raises(TokenRefused):
        tokens.token(registration_id, [ROSTER])
    with kit.open_session() as session:
        look_again_now(session, registration_id, now=kit.clock.now())
    assert tokens.token(registration_id, [ROSTER]).value == "token-2"


def test_one_grant_lets_all_rights_be_asked_for_again(
    tokens: TokenClient, platform: Platform, registration_id: int, clock: FakeClock
) -> None:
    platform.answers = [json_answer({"error": "invalid_client"}, "401 Unauthorized")] * 3
    for scope in (ROSTER, SCORE):
        with pytest.raises(TokenRefused):
            tokens.token(registration_id, [scope])
    clock.advance(timedelta(minutes=5))
    with pytest.raises(TokenRefused):
        tokens.token(registration_id, [SCORE])
    assert tokens.token(registration_id, [ROSTER]).value == "token-4"
    assert tokens.token(registration_id, [SCORE]).value == "token-5"


@pytest.mark.parametrize(
    ("status", "body", "denial"),
    [
        (400, '{"error": "invalid_client"}', Denial.CREDENTIALS),
        (401, '{"error": "unauthorized_client"}', Denial.CREDENTIALS),
        (400, '{"error": "invalid_scope"}', Denial.SCOPE),
        (400, '{"error": "invalid_request"}', Denial.UNCLEAR),
        (400, '{"error": 7}', Denial.UNCLEAR),
        (400, '{"error": "Expired token"}', Denial.CLOCK),
        (400, '{"error": "Cannot handle token prior to 2026-11-02T10:00:30+0100"}', Denial.CLOCK),
        (400, '{"error": "Signature verification failed"}', Denial.KEY_SET),
        (400, '{"error" : ""kid" invalid, unable to lookup correct key"}', Denial.KEY_SET),
        (404, "<html>Argument #1 ($jwks) must be of type array, null given", Denial.KEY_SET),
        (403, "<html>Your session has expired", Denial.UNCLEAR),
        (404, "<html>Down for maintenance", Denial.UNCLEAR),
        (405, "", Denial.UNCLEAR),
    ],
)
def test_why_a_token_was_refused_is_read_from_the_answer(
    tokens: TokenClient, platform: Platform, registration_id: int, status: int, body: str, denial: Denial
) -> None:
    platform.answers = [answer(body.encode(), f"{status} -")]
    with pytest.raises(TokenRefused) as refused:
        tokens.token(registration_id, [ROSTER])
    assert refused.value.denial is denial


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_platform_whose_clock_differs_is_asked_once_more_by_its_own(
    tokens: TokenClient, platform: Platform, registration_id: int, kit: Kit, minutes: int
) -> None:
    theirs = kit.clock.now() + timedelta(minutes=minutes)
    date = f"Date: {format_datetime(theirs, usegmt=True)}"
    platform.answers = [
        json_answer({"error": "invalid_client"}, "400 Bad Request", date),
        json_answer({"access_token": "t", "token_type": "Bearer"}, "200 OK", date),
    ]
    token = tokens.token(registration_id, [ROSTER])
    issued = [jwt.decode(one["client_assertion"], options={"verify_signature": False})["iat"] for one in platform.asked]
    assert issued[1] - issued[0] == minutes * 60
    assert token.clock_offset == timedelta(minutes=minutes)


@pytest.mark.parametrize(("status", "wait"), [("429 Too Many Requests", 7), ("503 Service Unavailable", 7)])
def test_an_overloaded_platform_is_left_alone_for_as_long_as_it_says(
    tokens: TokenClient, platform: Platform, registration_id: int, status: str, wait: int
) -> None:
    platform.answers = [json_answer({}, status, f"Retry-After: {wait}")]
    with pytest.raises(TokenUnavailable) as unavailable:
        tokens.token(registration_id, [ROSTER])
    assert unavailable.value.retry_after == timedelta(seconds=wait)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"access_token": 5}',
        b'{"access_token": ""}',
        b'{"access_token": "line\\nbreak"}',
        b'{"access_token": "t", "token_type": "mac"}',
        b'{"access_token": "t", "scope": 3}',
    ],
)
def test_nonsense_is_named_and_the_next_call_asks_again(
    tokens: TokenClient, platform: Platform, registration_id: int, body: bytes
) -> None:
    platform.answers = [answer(body)]
    with pytest.raises(BadAnswer):
        tokens.token(registration_id, [ROSTER])
    assert tokens.token(registration_id, [ROSTER]).value == "token-2"


@pytest.mark.parametrize(
    ("said", "minutes"), [(None, 5), ("soon", 5), (-1, 5), (True, 5), (0, 5), (10**9, 24 * 60), (600.5, 10)]
)
def test_a_strange_lifetime_is_taken_for_a_short_or_a_long_one(
    tokens: TokenClient, platform: Platform, registration_id: int, clock: FakeClock, said: Any, minutes: int
) -> None:
    platform.answers = [json_answer({"access_token": "t", "expires_in": said})]
    lives = tokens.token(registration_id, [ROSTER]).expires_at - clock.now()
    assert timedelta(minutes=minutes) <= lives < timedelta(minutes=minutes, seconds=1)


@contextmanager
def published_keys(kit: Kit) -> Iterator[str]:
    """Our key set, as platforms fetch it."""

    def respond(_: Request) -> list[bytes]:
        with kit.open_session() as session:
            return json_answer({"keys": keys.public_keys(session, now=kit.clock.now())})

    with WebServer(respond) as server:
        yield server.url("/lti/jwks")


@pytest.mark.parametrize("profile", ["moodle", "canvas", "blackboard", "brightspace"])
def test_each_platform_takes_our_assertions_before_during_and_after_a_rotation(kit: Kit, profile: str) -> None:
    with SandboxLms(profile=profile).running() as lms, published_keys(kit) as jwks_uri:
        lms.clock_offset = kit.clock.now() - lms.now()
        tool = lms.register_tool(
            title="Tandem",
            initiate_login_uri="http://localhost:8000/lti/login",
            redirect_uris=["http://localhost:8000/lti/launch"],
            jwks_uri=jwks_uri,
            target_link_uri="http://localhost:8000/lti/launch",
        )
        with kit.open_session() as session:
            keys.ensure_signing_key(session, kit.secrets, now=kit.clock.now())
            registration_id = a_registration(
                session,
                an_institution(session),
                issuer=tool.issuer,
                client_id=tool.client_id,
                auth_token_url=tool.auth_token_url,
                auth_audience=tool.auth_audience,
            ).id
        tokens = TokenClient(reaching(kit, lms.port))

        def ask() -> frozenset[str]:
            token = tokens.token(registration_id, [ROSTER, SCORE, BOGUS])
            tokens.forget(token)
            return token.granted

        assert ask() == {ROSTER, SCORE}
        with kit.open_session() as session:
            keys.publish_next(session, kit.secrets, now=kit.clock.now())
        assert ask() == {ROSTER, SCORE}
        with kit.open_session() as session:
            keys.promote_next(session, now=kit.clock.now() + timedelta(hours=24))
        assert ask() == {ROSTER, SCORE}


def test_every_answer_of_a_real_moodle_is_understood(
    tokens: TokenClient, platform: Platform, registration_id: int, kit: Kit, recorded_answers: dict[str, Any]
) -> None:
    outcomes: dict[str, str] = {}
    for name, recorded in recorded_answers.items():
        body = recorded["body"] if isinstance(recorded["body"], str) else json.dumps(recorded["body"])
        platform.answers = [answer(body.encode(), f"{recorded['status']} -", "Content-Type: text/html; charset=utf-8")]
        try:
            granted = tokens.ask(registration_id, ROSTER).granted
            outcomes[name] = f"granted {len(granted)}"
        except TokenRefused as refusal:
            outcomes[name] = refusal.error
    assert outcomes == {
        "all_scopes": "granted 5",
        "more_than_permitted": "granted 1",
        "only_bogus_scope": "invalid_scope",
        "assertion_expired": "status 400",
        "unknown_kid": "status 400",
        "unknown_client": "invalid_client",
        "json_body": "invalid_request",
    }


@pytest.fixture
def recorded_answers(request: pytest.FixtureRequest) -> dict[str, Any]:
    path = request.path.parent / "recordings" / "tokens" / "moodle.json"
    recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return recorded
