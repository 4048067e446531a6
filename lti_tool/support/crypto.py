"""Secrets, keys and fingerprints: the only importer of the cryptography package."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Self, TypeAlias

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from lti_tool.errors import ToolError
from lti_tool.settings import Settings

PrivateKey: TypeAlias = RSAPrivateKey
"""A loaded key, as PyJWT takes it."""


class Undecipherable(ToolError):
    """The stored value was changed, or none of our secret keys encrypted it."""


class KeyFileUnusable(ToolError):
    """The file with secret keys is empty, unreadable by us, or readable by others."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.path, self.why = path, why

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


class KeyRing:
    """Encrypts values for the database. The first key encrypts; every key decrypts."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("a key ring needs at least one key")
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._first = keys[0]

    def encrypt(self, plain: bytes) -> str:
        """Return text that only a ring with the same first key can read, and that cannot be changed unnoticed."""
        return self._fernet.encrypt(plain).decode("ascii")

    def decrypt(self, sealed: str) -> bytes:
        """Return what was encrypted. Raises Undecipherable."""
        try:
            return self._fernet.decrypt(sealed)
        except (InvalidToken, ValueError):  # ValueError: not even ASCII
            raise Undecipherable from None

    def reencrypt(self, sealed: str) -> str:
        """Encrypt again with the first key, so that older keys can be thrown away. Raises Undecipherable."""
        try:
            return self._fernet.rotate(sealed).decode("ascii")
        except (InvalidToken, ValueError):  # ValueError: not even ASCII
            raise Undecipherable from None

    def derive(self, purpose: str) -> bytes:
        """Return 32 secret bytes for this purpose: the same each time, until another key becomes the first."""
        return hmac.new(self._first.encode("ascii"), purpose.encode("utf-8"), hashlib.sha256).digest()

    @staticmethod
    def generate_key() -> str:
        """Return a new secret key, as LTI_TOOL_SECRET_KEYS takes it."""
        return Fernet.generate_key().decode("ascii")

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the ring that the settings name, or the one kept beside a development database."""
        return cls(secret_keys_or_file(settings))


def secret_keys_or_file(settings: Settings) -> tuple[str, ...]:
    """Return the secret keys of the settings; without any, those of a private file beside the SQLite database.

    A database in memory gets a key that lives as long as the process, since nothing sealed with it lives longer.
    Production never comes here without keys: the settings refuse that.
    """
    if settings.secret_keys:
        return settings.secret_keys
    if settings.database_file is None:
        return (KeyRing.generate_key(),)
    return load_or_create_key_file(settings.database_file.with_suffix(".keys"))


def load_or_create_key_file(path: Path) -> tuple[str, ...]:
    """Read secret keys, one a line; make the file (mode 0600, one new key) if there is none.

    Of several processes that start at once, one makes the file and all return its key.
    """
    if not path.exists():
        # Written in full under another name and then linked: nobody can read a half-written file, and link() refuses
        # to replace a file that another process made first.
        draft = path.with_name(f"{path.stem}.{secrets.token_hex(8)}{path.suffix}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(KeyRing.generate_key() + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        raise KeyFileUnusable(path, "others may read it; chmod 600 it")
    keys = tuple(path.read_text(encoding="ascii").split())
    if not keys:
        raise KeyFileUnusable(path, "it holds no key")
    return keys


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair that signs for the tool. The kid is the RFC 7638 thumbprint of the public part."""

    kid: str
    private_pem: bytes = field(repr=False)
    public_jwk: dict[str, str]


def new_signing_key() -> SigningKey:
    """Make an RSA-2048 key pair for RS256, the one algorithm that every LTI platform takes."""
    private = generate_private_key(public_exponent=65537, key_size=2048)
    numbers = private.public_key().public_numbers()
    required = {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
    thumbprint = hashlib.sha256(json.dumps(required, sort_keys=True, separators=(",", ":")).encode("ascii")).digest()
    kid = _base64url(thumbprint)
    return SigningKey(
        kid=kid,
        private_pem=private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        public_jwk={**required, "alg": "RS256", "use": "sig", "kid": kid},
    )


# Reading a PEM checks the key's primes and takes 77 to 178 ms, many times what a signature takes. Keys are few: each
# registration has at most a retired, a present and a next one.
@lru_cache(maxsize=256)
def load_private_key(private_pem: bytes) -> PrivateKey:
    """Return a key object that PyJWT signs with. The same PEM is read only once in a process."""
    key = load_pem_private_key(private_pem, password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("signing keys are RSA keys")
    return key


def fingerprint(secret: str) -> str:
    """Return the SHA-256 of a secret in hex: how a token is stored when it only has to be recognized."""
    return hashlib.sha256(secret.encode("utf-8")).hexdigest()


def new_secret(length: int = 32) -> str:
    """Return an unguessable text of that many random bytes, safe in a URL."""
    return secrets.token_urlsafe(length)


def new_word(length: int) -> str:
    """Return that many random letters and digits that a person can read out: none that look alike."""
    return "".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(length))


def is_same_secret(first: str, second: str) -> bool:
    """Compare two secrets in a time that does not tell how much of them agrees."""
    return hmac.compare_digest(first.encode("utf-8"), second.encode("utf-8"))


def _number(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
