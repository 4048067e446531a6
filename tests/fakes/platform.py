"""A platform that signs whatever a test wants it to, and publishes keys however wrongly."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lti_tool.support.answers import Answer
from lti_tool.support.failures import CallFailed
from lti_tool.support.http import Purpose

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
MEMBERSHIP = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
INSTRUCTOR, LEARNER = f"{MEMBERSHIP}Instructor", f"{MEMBERSHIP}Learner"

Claims = dict[str, Any]


@cache
def rsa_key(name: str, size: int = 2048) -> rsa.RSAPrivateKey:
    """A key that stays the same for the whole run: making one is slow."""
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def rsa_jwk(key: rsa.RSAPrivateKey, **values: Any) -> dict[str, Any]:
    """The public part, as platforms publish it. None leaves a field out."""
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "key-1", "n": number(numbers.n), "e": number(numbers.e)}
    return {name: value for name, value in {**jwk, **values}.items() if value is not None}


def ec_jwk() -> dict[str, Any]:
    numbers = ec_key().public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "key-1", "x": number(numbers.x), "y": number(numbers.y)}


def signed(claims: object, *, key: Any, header: object) -> str:
    """A compact JWT with exactly this header and payload, by the algorithm that the header names."""
    head, body = (encoded(json.dumps(part).encode()) for part in (header, claims))
    text = f"{head}.{body}".encode()
    algorithm = header.get("alg", "RS256") if isinstance(header, dict) else "RS256"
    return f"{head}.{body}.{encoded(_signature(text, key, algorithm))}"


def _signature(text: bytes, key: Any, algorithm: str) -> bytes:
    if algorithm == "none":
        return b""
    if algorithm == "HS256":
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return hmac.new(pem, text, hashlib.sha256).digest()
    if algorithm == "ES256":
        r, s = decode_dss_signature(ec_key().sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if algorithm == "PS256":
        pss: bytes = key.sign(text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        return pss
    digest = hashes.SHA384() if algorithm == "RS384" else hashes.SHA256()
    plain: bytes = key.sign(text, padding.PKCS1v15(), digest)
    return plain


@dataclass
class Platform:
    """One registration's other side."""

    issuer: str
    client_id: str
    deployment_id: str
    name: str = "lms.example"
    key_name: str = ""
    keys: list[Any] = field(default_factory=list)
    key_set: Any = None
    """The whole key set document, where a test wants another than {"keys": keys}."""
    key_set_status: int = 200
    is_away: bool = False

    def __post_init__(self) -> None:
        self.key_name = self.key_name or self.name
        self.keys = self.keys or [rsa_jwk(self.key)]

    @property
    def key(self) -> rsa.RSAPrivateKey:
        return rsa_key(self.key_name)

    @property
    def url(self) -> str:
        return f"https://{self.name}"

    @property
    def key_set_url(self) -> str:
        return f"{self.url}/{self.client_id}/jwks"

    def registration(self) -> dict[str, Any]:
        """The values of its registration with us."""
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "auth_login_url": f"{self.url}/auth",
            "auth_token_url": f"{self.url}/token",
            "key_set_url": self.key_set_url,
            "platform_origins": [self.url],
        }

    def login_fields(self, **changes: str | None) -> dict[str, str]:
        """How it starts a login. None leaves a field out."""
        fields = {
            "iss": self.issuer,
            "login_hint": "person-1",
            "target_link_uri": "http://localhost:8000/lti/launch",
            "lti_message_hint": "hint-1",
            "client_id": self.client_id,
            "lti_deployment_id": self.deployment_id,
        }
        return {name: value for name, value in {**fields, **changes}.items() if value is not None}

    def claims(self, nonce: str, *, now: float) -> Claims:
        """An ordinary learner's launch."""
        return {
            "iss": self.issuer,
            "aud": self.client_id,
            "sub": "person-1",
            "nonce": nonce,
            "iat": int(now),
            "exp": int(now) + 60,
            "name": "Åsa Öberg",
            "given_name": "Åsa",
            "family_name": "Öberg",
            "email": "asa@school.example",
            f"{LTI}version": "1.3.0",
            f"{LTI}message_type": "LtiResourceLinkRequest",
            f"{LTI}deployment_id": self.deployment_id,
            f"{LTI}target_link_uri": "http://localhost:8000/lti/launch",
            f"{LTI}roles": [LEARNER],
            f"{LTI}context": {"id": "course-1", "title": "Teaching 1", "label": "T1"},
            f"{LTI}resource_link": {"id": "link-1", "title": "Observe a lesson"},
            AGS: {
                "scope": ["https://purl.imsglobal.org/spec/lti-ags/scope/score"],
                "lineitems": f"{self.url}/courses/1/lineitems",
                "lineitem": f"{self.url}/courses/1/lineitems/7",
            },
            NRPS: {"context_memberships_url": f"{self.url}/courses/1/members", "service_versions": ["2.0"]},
        }

    def deep_linking_claims(self, nonce: str, *, now: float) -> Claims:
        """A designer who wants to place something."""
        claims = self.claims(nonce, now=now)
        del claims[f"{LTI}resource_link"]
        return claims | {
            f"{LTI}message_type": "LtiDeepLinkingRequest",
            f"{LTI}roles": [INSTRUCTOR],
            DEEP_LINKING: {
                "deep_link_return_url": f"{self.url}/return",
                "accept_types": ["ltiResourceLink"],
                "accept_presentation_document_targets": ["iframe"],
                "accept_multiple": False,
                "data": "opaque",
            },
        }

    def review_claims(self, nonce: str, *, now: float) -> Claims:
        """A click on one's own grade."""
        return self.claims(nonce, now=now) | {
            f"{LTI}message_type": "LtiSubmissionReviewRequest",
            f"{LTI}for_user": {"user_id": "person-1"},
        }

    def sign(self, claims: object, *, header: object = None, key: Any = None, **head: Any) -> str:
        """A token. `head` changes header fields, None leaves one out; `header` replaces the header."""
        fields = {"typ": "JWT", "alg": "RS256", "kid": "key-1", **head}
        kept = {name: value for name, value in fields.items() if value is not None}
        return signed(claims, key=key or self.key, header=kept if header is None else header)


@dataclass
class PlatformNetwork:
    """Stands where the outbound client stands, and answers for these platforms."""

    platforms: list[Platform]
    calls: list[str] = field(default_factory=list)

    def get(self, url: str, purpose: Purpose, headers: Mapping[str, str] | None = None) -> Answer:
        assert purpose is Purpose.KEY_SET
        self.calls.append(url)
        host = urlsplit(url).hostname or ""
        platform = next(one for one in self.platforms if one.key_set_url == url)
        if platform.is_away:
            raise CallFailed(host)
        document = {"keys": platform.keys} if platform.key_set is None else platform.key_set
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return Answer(host, platform.key_set_status, "", {}, body)
