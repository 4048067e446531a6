"""A minimal honest tool: it publishes a key, signs with it, and asks the LMS for what it wants."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from sandbox_lms import Form, Person, ResourceLink, SandboxLms, ToolRegistration
from sandbox_lms import vocabulary as words

TIMEOUT = 10


@cache
def first_key() -> rsa.RSAPrivateKey:
    """One key for all tools of a run: making keys is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class TinyTool:
    """Knows one registration at an LMS; its key set is served on loopback."""

    def __init__(self, lms: SandboxLms, url: str) -> None:
        self.lms, self.url = lms, url
        self.key = first_key()
        self.kid = "key-1"
        self.key_set_fetches = 0
        self.registration: ToolRegistration | None = None

    @property
    def registered(self) -> ToolRegistration:
        assert self.registration is not None
        return self.registration

    def register(self, **own: Any) -> ToolRegistration:
        values: dict[str, Any] = {
            "title": "Tiny tool",
            "initiate_login_uri": f"{self.url}/login",
            "redirect_uris": [f"{self.url}/launch"],
            "jwks_uri": f"{self.url}/jwks",
            "target_link_uri": f"{self.url}/launch",
            "deep_link_uri": f"{self.url}/launch",
        }
        self.registration = self.lms.register_tool(**(values | own))
        return self.registration

    def jwks(self) -> dict[str, Any]:
        self.key_set_fetches += 1
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": self.kid, "alg": "RS256", "use": "sig"}]}

    def change_key(self, kid: str) -> None:
        self.key, self.kid = rsa.generate_private_key(public_exponent=65537, key_size=2048), kid

    def sign(self, claims: dict[str, Any], **headers: Any) -> str:
        return jwt.encode(claims, self.key, "RS256", headers={"kid": self.kid, **headers})

    # launch

    def authentication_request(self, login: Form, **own: str) -> dict[str, str]:
        """What the tool answers a login initiation with."""
        return {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": login.fields["client_id"],
            "redirect_uri": f"{self.url}/launch",
            "state": "state-1",
            "nonce": "nonce-1",
            "login_hint": login.fields["login_hint"],
            "lti_message_hint": login.fields["lti_message_hint"],
        } | own

    def launched(self, person: Person, link: ResourceLink, **how: Any) -> dict[str, Any]:
        """The verified claims of a whole launch."""
        login = self.lms.login_form(person, link, **how)
        return self.claims_of(self.lms.authorize(self.authentication_request(login)))

    def claims_of(self, form: Form) -> dict[str, Any]:
        """The claims of an id_token, checked against the key set that the LMS publishes."""
        keys = jwt.PyJWKSet.from_dict(requests.get(self.registered.key_set_url, timeout=TIMEOUT).json())
        token = form.fields["id_token"]
        key = keys[jwt.get_unverified_header(token)["kid"]].key
        claims: dict[str, Any] = jwt.decode(
            token, key, ["RS256"], audience=self.registered.client_id, issuer=self.registered.issuer, leeway=5
        )
        return claims

    def deep_link_answer(self, items: list[dict[str, Any]], data: str | None = None, **own: Any) -> str:
        tool, now = self.registered, int(self.lms.now().timestamp())
        claims = {
            "iss": tool.client_id,
            "aud": tool.issuer,
            "iat": now,
            "exp": now + 60,
            "nonce": uuid.uuid4().hex,
            f"{words.LTI}deployment_id": tool.deployment_id,
            f"{words.LTI}message_type": "LtiDeepLinkingResponse",
            f"{words.LTI}version": "1.3.0",
            f"{words.DL}content_items": items,
        }
        if data is not None:
            claims[f"{words.DL}data"] = data
        return self.sign(claims | own)

    # services

    def assertion(self, **own: Any) -> dict[str, Any]:
        tool, now = self.registered, int(self.lms.now().timestamp())
        return {
            "iss": tool.client_id,
            "sub": tool.client_id,
            "aud": tool.auth_audience or tool.auth_token_url,
            "iat": now,
            "exp": now + 60,
            "jti": uuid.uuid4().hex,
        } | own

    def ask_for_token(self, *scopes: str, assertion: str | None = None, **own: str) -> requests.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": words.CLIENT_ASSERTION_TYPE,
            "client_assertion": assertion or self.sign(self.assertion()),
            "scope": " ".join(scopes or words.ALL_SCOPES),
        }
        return requests.post(self.registered.auth_token_url, data=form | own, timeout=TIMEOUT)

    def bearer(self, *scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.ask_for_token(*scopes).json()['access_token']}"}

    def call(
        self, method: str, url: str, media_type: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """Call a service with a token for everything, unless headers are given."""
        sent = dict(self.bearer() if headers is None else headers)
        if body is None:
            sent.setdefault("Accept", media_type)
            return requests.request(method, url, headers=sent, timeout=TIMEOUT)
        sent.setdefault("Content-Type", media_type)
        return requests.request(method, url, data=json.dumps(body).encode(), headers=sent, timeout=TIMEOUT)


def part_of(line_item: str, part: str) -> str:
    """The address of a line item's scores or results, its query kept."""
    return urlsplit(line_item)._replace(path=f"{urlsplit(line_item).path}/{part}").geturl()


def query_of(url: str) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}


@contextmanager
def serving(respond: Callable[[str], Any]) -> Iterator[str]:
    """Serve JSON on loopback; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(respond(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  named so by the class
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def tool_at(lms: SandboxLms) -> Iterator[TinyTool]:
    """A tool beside a running LMS, registered there."""
    tools: list[TinyTool] = []
    with serving(lambda path: tools[0].jwks()) as url:
        tools.append(TinyTool(lms, url))
        tools[0].register()
        yield tools[0]


@contextmanager
def sandbox(profile: str = "moodle") -> Iterator[tuple[SandboxLms, TinyTool]]:
    """An LMS of one kind with a tool registered in it."""
    with SandboxLms(profile).running() as lms, tool_at(lms) as tool:
        yield lms, tool
