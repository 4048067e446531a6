"""A platform for load runs: a key set on loopback, and launches signed before anybody looks at the watch."""

import copy
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

RECORDED = Path(__file__).parent.parent / "contract" / "recordings" / "moodle_launches.json"
LTI = "https://purl.imsglobal.org/spec/lti/claim/"
CLIENT_ID = "load-run"
DEPLOYMENT_ID = "1"
TOKEN_SECONDS = 300


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Platform:
    """Signs what a real Moodle sent, for other learners."""

    url: str
    key: rsa.RSAPrivateKey = field(default_factory=new_key, repr=False)
    claims: dict[str, Any] = field(
        default_factory=lambda: json.loads(RECORDED.read_text())["launch_resourcelink_student01"]["claims"]
    )

    @property
    def auth_login_url(self) -> str:
        return f"{self.url}/auth"

    def key_set(self) -> dict[str, Any]:
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": "load-run", "alg": "RS256", "use": "sig"}]}

    def facts(self) -> dict[str, str]:
        """What a tool is told when it is registered."""
        return {
            "issuer": self.url,
            "client_id": CLIENT_ID,
            "deployment_id": DEPLOYMENT_ID,
            "auth_login_url": self.auth_login_url,
            "auth_token_url": f"{self.url}/token",
            "key_set_url": f"{self.url}/jwks",
        }

    def login(self, target: str, learner: str) -> bytes:
        """The form that starts a login, as Moodle fills it in."""
        return urlencode(
            {
                "iss": self.url,
                "client_id": CLIENT_ID,
                "target_link_uri": target,
                "login_hint": learner,
                "lti_message_hint": json.dumps({"cmid": 3, "launchid": f"ltilaunch1_{learner}"}),
                "lti_deployment_id": DEPLOYMENT_ID,
            }
        ).encode()

    def asked_for(self, answer: str) -> dict[str, str]:
        """The authentication request in a tool's answer to a login, be it a redirect or a page."""
        found = re.search(re.escape(self.auth_login_url) + r"\?[^\s\"'<>\\]+", unescape(answer))
        if found is None:
            raise ValueError(f"no authentication request in the answer to the login: {answer[:500]}")
        return {name: values[0] for name, values in parse_qs(urlsplit(found[0]).query).items()}

    def launch(self, asked: dict[str, str], target: str, learner: str, key: rsa.RSAPrivateKey | None = None) -> bytes:
        """The form that a browser posts after a login; signed by a stranger if another key is given."""
        now = int(time.time())
        claims = copy.deepcopy(self.claims) | {
            "iss": self.url,
            "aud": asked["client_id"],
            "sub": learner,
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "given_name": "Learner",
            "family_name": learner,
            "name": f"Learner {learner}",
            "email": f"{learner}@example.org",
            f"{LTI}deployment_id": DEPLOYMENT_ID,
            f"{LTI}target_link_uri": target,
        }
        token = jwt.encode(claims, key or self.key, "RS256", headers={"kid": "load-run"})
        return urlencode({"id_token": token, "state": asked["state"]}).encode()


@contextmanager
def running_platform() -> Iterator[Platform]:
    """A platform whose key set is served on a free port of loopback."""
    platforms: list[Platform] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(platforms[0].key_set()).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    platforms.append(Platform(f"http://127.0.0.1:{server.server_port}"))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield platforms[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
