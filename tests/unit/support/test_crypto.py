import hashlib
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import jwt
import pytest

from lti_tool.settings import Settings
from lti_tool.support.crypto import (
    KeyFileUnusable,
    KeyRing,
    SigningKey,
    Undecipherable,
    fingerprint,
    is_same_secret,
    load_or_create_key_file,
    load_private_key,
    new_secret,
    new_signing_key,
    secret_keys_or_file,
)


@pytest.fixture(scope="module")
def signing_key() -> SigningKey:
    return new_signing_key()


def test_what_was_encrypted_comes_back_and_is_not_readable_in_between():
    ring = KeyRing([KeyRing.generate_key()])

    sealed = ring.encrypt("hemlighet å".encode())

    assert ring.decrypt(sealed) == "hemlighet å".encode()
    assert "hemlighet" not in sealed


def test_the_first_key_encrypts_and_all_keys_decrypt():
    older, newer = KeyRing.generate_key(), KeyRing.generate_key()
    sealed_before = KeyRing([older]).encrypt(b"x")

    both = KeyRing([newer, older])

    assert both.decrypt(sealed_before) == b"x"
    assert KeyRing([newer]).decrypt(both.encrypt(b"x")) == b"x"


def test_after_reencryption_the_older_key_can_go():
    older, newer = KeyRing.generate_key(), KeyRing.generate_key()
    sealed = KeyRing([older]).encrypt(b"x")

    assert KeyRing([newer]).decrypt(KeyRing([newer, older]).reencrypt(sealed)) == b"x"


@pytest.mark.parametrize("act", [KeyRing.decrypt, KeyRing.reencrypt])
def test_what_was_changed_or_sealed_by_another_key_is_undecipherable(act):
    ring = KeyRing([KeyRing.generate_key()])
    sealed = ring.encrypt(b"x")
    changed = sealed[:-10] + ("A" if sealed[-10] != "A" else "B") + sealed[-9:]

    for broken in (changed, KeyRing([KeyRing.generate_key()]).encrypt(b"x"), "", "å"):
        with pytest.raises(Undecipherable):
            act(ring, broken)


def test_a_ring_without_keys_is_refused():
    with pytest.raises(ValueError):
        KeyRing([])


def test_a_key_file_is_made_once_and_is_private(tmp_path: Path):
    path = tmp_path / "tandem.keys"

    first = load_or_create_key_file(path)

    assert load_or_create_key_file(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    KeyRing(first).encrypt(b"x")


def test_processes_that_start_together_agree_on_one_key(monkeypatch, tmp_path: Path):
    everybody_found_no_file = Barrier(4, timeout=10)
    generate_key = KeyRing.generate_key

    def generate_key_together() -> str:
        everybody_found_no_file.wait()
        return generate_key()

    monkeypatch.setattr(KeyRing, "generate_key", generate_key_together)
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: load_or_create_key_file(tmp_path / "tandem.keys"), range(4)))

    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tandem.keys"]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path):
    path = tmp_path / "tandem.keys"
    load_or_create_key_file(path)
    path.chmod(0o640)

    with pytest.raises(KeyFileUnusable):
        load_or_create_key_file(path)


def test_an_empty_key_file_is_refused_rather_than_replaced(tmp_path: Path):
    path = tmp_path / "tandem.keys"
    path.touch(mode=0o600)

    with pytest.raises(KeyFileUnusable):
        load_or_create_key_file(path)


def test_keys_of_the_settings_win_over_a_file(tmp_path: Path):
    key = KeyRing.generate_key()
    environ = {"LTI_TOOL_DEVELOPMENT": "1", "LTI_TOOL_DATABASE_URL": f"sqlite:///{tmp_path}/t.db"}

    assert secret_keys_or_file(Settings.from_env({**environ, "LTI_TOOL_SECRET_KEYS": key})) == (key,)
    assert list(tmp_path.iterdir()) == []


def test_development_keeps_its_key_beside_the_database(tmp_path: Path):
    settings = Settings.from_env(
        {"LTI_TOOL_DEVELOPMENT": "1", "LTI_TOOL_DATABASE_URL": f"sqlite:///{tmp_path}/t.db"},
    )

    sealed = KeyRing.of(settings).encrypt(b"x")

    assert KeyRing.of(settings).decrypt(sealed) == b"x"
    assert (tmp_path / "t.keys").exists()


def test_a_database_in_memory_leaves_no_file(monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({"LTI_TOOL_DEVELOPMENT": "1", "LTI_TOOL_DATABASE_URL": "sqlite://"})

    assert len(secret_keys_or_file(settings)) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_new_key_signs_what_its_public_part_verifies(signing_key: SigningKey):
    signed = jwt.encode({"a": 1}, load_private_key(signing_key.private_pem), algorithm="RS256")

    assert jwt.decode(signed, jwt.PyJWK(signing_key.public_jwk).key, algorithms=["RS256"]) == {"a": 1}


def test_the_kid_is_the_rfc_7638_thumbprint(signing_key: SigningKey):
    jwk = signing_key.public_jwk
    canonical = f'{{"e":"{jwk["e"]}","kty":"RSA","n":"{jwk["n"]}"}}'

    digest = hashlib.sha256(canonical.encode()).digest()

    assert jwt.utils.base64url_encode(digest).decode() == signing_key.kid == jwk["kid"]


def test_the_public_part_holds_nothing_private(signing_key: SigningKey):
    assert set(signing_key.public_jwk) == {"kty", "n", "e", "alg", "use", "kid"}
    assert "PRIVATE" not in repr(signing_key)


def test_a_key_is_read_once(signing_key: SigningKey):
    assert load_private_key(signing_key.private_pem) is load_private_key(bytes(bytearray(signing_key.private_pem)))


def test_a_fingerprint_is_a_sha256():
    assert fingerprint("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_secrets_are_long_url_safe_and_never_the_same():
    secrets = {new_secret() for _ in range(100)}

    assert len(secrets) == 100
    assert all(len(secret) == 43 and secret.replace("-", "").replace("_", "").isalnum() for secret in secrets)


def test_secrets_are_compared_as_text():
    assert is_same_secret("hemlighet å", "hemlighet å")
    assert not is_same_secret("a", "b")
    assert not is_same_secret("a", "ab")
