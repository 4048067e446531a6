"""The platform's signing keys."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key and the name it is published under."""

    private: rsa.RSAPrivateKey
    kid: str
    public_jwk: dict[str, Any]


def new_key(size: int = 2048) -> SigningKey:
    """Make a key; its kid is derived from it, so two keys never share one."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=size)
    parts = json.loads(RSAAlgorithm.to_jwk(private.public_key()))
    kid = hashlib.sha256(parts["n"].encode()).hexdigest()[:20]
    jwk = {"kty": "RSA", "alg": "RS256", "kid": kid, "e": parts["e"], "n": parts["n"], "use": "sig"}
    return SigningKey(private, kid, jwk)


@dataclass(slots=True)
class Keyring:
    """The key that signs and those it replaced, all of them published until they are withdrawn."""

    keys: list[SigningKey] = field(default_factory=lambda: [new_key()])

    @property
    def active(self) -> SigningKey:
        return self.keys[-1]

    def rotate(self, *, withdraw_old: bool = False) -> SigningKey:
        """Sign with a new key from now on. The old ones stay published unless they are withdrawn."""
        key = new_key()
        self.keys = [key] if withdraw_old else [*self.keys, key]
        return key

    def jwks(self) -> dict[str, Any]:
        return {"keys": [key.public_jwk for key in self.keys]}

    def sign(
        self,
        claims: dict[str, Any],
        *,
        kid: str | None = None,
        headers: dict[str, Any] | None = None,
        key: rsa.RSAPrivateKey | None = None,
    ) -> str:
        """A compact JWT, RS256, by the active key unless another is given."""
        return jwt.encode(
            claims,
            key or self.active.private,
            algorithm="RS256",
            headers={"kid": kid or self.active.kid, **(headers or {})},
        )
