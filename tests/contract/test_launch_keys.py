"""Platforms' keys: fetched when needed and no more, replaced when the platform replaces them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from lti_tool.launch.errors import PlatformUnreachable
from lti_tool.launch.gateway.keysets import KeptKeys, kept_keys, keys_for
from lti_tool.support.answers import Answer
from lti_tool.support.db import OpenSession
from lti_tool.support.http import Purpose
from lti_tool.support.kit import Kit
from tests.contract.launch_stage import Stage
from tests.factories.people import a_registration, an_institution
from tests.fakes.clock import FakeClock
from tests.fakes.platform import Platform, PlatformNetwork, rsa_jwk, rsa_key
from tests.functional.launching import reference_on

URL = "https://lms.example/client-1/jwks"


def test_many_launches_fetch_the_keys_once(stage: Stage) -> None:
    assert [stage.launch().status_code for _ in range(5)] == [303] * 5
    assert len(stage.network.calls) == 1


def test_made_up_key_ids_cannot_flood_a_platform(stage: Stage, clock: FakeClock) -> None:
    assert stage.launch().status_code == 303
    clock.advance(timedelta(seconds=30))
    assert {stage.launch(kid=f"made-up-{number}").status_code for number in range(10)} == {401}
    assert len(stage.network.calls) == 2
    clock.advance(timedelta(seconds=9))
    stage.launch(kid="another")
    assert len(stage.network.calls) == 2
    clock.advance(timedelta(seconds=1))
    stage.launch(kid="another")
    assert len(stage.network.calls) == 3


def test_a_flood_does_not_keep_honest_people_out(stage: Stage, clock: FakeClock) -> None:
    assert stage.launch().status_code == 303
    clock.advance(timedelta(minutes=1))
    stage.launch(kid="made-up")
    assert stage.launch().status_code == 303


def rotate(stage: Stage, *, keep_old: bool) -> None:
    stage.first.key_name = "rotated"
    new = rsa_jwk(rsa_key("rotated"), kid="key-2")
    stage.first.keys = [*(stage.first.keys if keep_old else []), new]


@pytest.mark.parametrize("keep_old", [True, False])
def test_a_rotation_is_picked_up_within_ten_seconds(stage: Stage, clock: FakeClock, keep_old: bool) -> None:
    assert stage.launch().status_code == 303
    rotate(stage, keep_old=keep_old)
    clock.advance(timedelta(seconds=10))
    assert stage.launch(kid="key-2").status_code == 303
    assert len(stage.network.calls) == 2


def test_a_withdrawn_key_is_refused_after_the_rotation(stage: Stage, clock: FakeClock) -> None:
    assert stage.launch().status_code == 303
    rotate(stage, keep_old=False)
    clock.advance(timedelta(seconds=10))
    assert stage.launch(kid="key-2").status_code == 303
    stage.first.key_name = stage.first.name
    assert stage.launch(kid="key-1").status_code == 401


def test_keys_are_asked_for_again_after_an_hour(stage: Stage, clock: FakeClock) -> None:
    assert stage.launch().status_code == 303
    clock.advance(timedelta(minutes=59))
    assert stage.launch().status_code == 303
    assert len(stage.network.calls) == 1
    clock.advance(timedelta(minutes=1))
    assert stage.launch().status_code == 303
    assert len(stage.network.calls) == 2


def test_old_keys_serve_while_the_platform_is_away_and_no_longer_than_an_hour(stage: Stage, clock: FakeClock) -> None:
    assert stage.launch().status_code == 303
    stage.first.is_away = True
    clock.advance(timedelta(minutes=61))
    assert stage.launch().status_code == 303
    assert stage.launch().status_code == 303
    clock.advance(timedelta(minutes=60))
    answer = stage.launch()
    assert answer.status_code == 424
    assert "could not be reached" in answer.text
    assert reference_on(answer.text)


def test_old_keys_do_not_serve_once_the_platform_answered_otherwise(stage: Stage, clock: FakeClock) -> None:
    assert stage.launch().status_code == 303
    rotate(stage, keep_old=False)
    stage.first.key_name = stage.first.name
    clock.advance(timedelta(minutes=61))
    assert stage.launch(kid="key-1").status_code == 401


def test_a_platform_that_comes_back_is_asked_again_after_ten_seconds(stage: Stage, clock: FakeClock) -> None:
    stage.first.is_away = True
    assert stage.launch().status_code == 424
    stage.first.is_away = False
    assert stage.launch().status_code == 424
    clock.advance(timedelta(seconds=10))
    assert stage.launch().status_code == 303


@pytest.mark.parametrize("change", [{"iss": "https://nobody.example"}, {"aud": "other"}, {"nonce": "x"}], ids=str)
def test_nobody_is_asked_for_keys_before_the_launch_fits_its_login(stage: Stage, change: dict[str, Any]) -> None:
    stage.launch(lambda claims: claims.update(change))
    stage.launch(kid=None)
    begun = stage.begin()
    stage.post(begun, stage.first.sign(stage.claims(begun)), state="made-up")
    assert stage.network.calls == []


def test_keys_of_a_former_address_are_not_used(stage: Stage, kit: Kit, open_session: OpenSession) -> None:
    assert stage.launch().status_code == 303
    with open_session() as session:
        assert kept_keys(session, 1, stage.first.key_set_url).keys
        assert not kept_keys(session, 1, "https://elsewhere.example/jwks").keys


# Several processes at once


@dataclass
class SlowNetwork:
    """Answers only when a test lets it."""

    inner: PlatformNetwork
    asked: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def get(self, url: str, purpose: Purpose, headers: Mapping[str, str] | None = None) -> Answer:
        self.asked.set()
        assert self.may_answer.wait(20)
        return self.inner.get(url, purpose, headers)


@pytest.mark.store
def test_a_whole_class_waits_for_one_fetch(kit: Kit, open_session: OpenSession) -> None:
    platform = Platform("https://lms.example", "client-1", "1")
    slow = SlowNetwork(PlatformNetwork([platform]))
    kit = replace(kit, http=slow)
    with open_session() as session:
        registration = a_registration(session, an_institution(session), **platform.registration())
        kept = KeptKeys(registration.id, URL)
    found: list[int] = []

    def ask() -> None:
        found.append(len(keys_for(kit, kept, "key-1")))

    first = threading.Thread(target=ask)
    first.start()
    assert slow.asked.wait(20)
    others = [threading.Thread(target=ask) for _ in range(4)]
    for thread in others:
        thread.start()
    slow.may_answer.set()
    for thread in (first, *others):
        thread.join(30)
    assert found == [1] * 5
    assert slow.inner.calls == [URL]


def test_nobody_waits_for_a_platform_that_just_failed(kit: Kit, open_session: OpenSession) -> None:
    platform = Platform("https://lms.example", "client-1", "1", is_away=True)
    network = PlatformNetwork([platform])
    kit = replace(kit, http=network)
    with open_session() as session:
        registration = a_registration(session, an_institution(session), **platform.registration())
        kept = KeptKeys(registration.id, URL)
    naps: list[float] = []
    for _ in range(2):
        with pytest.raises(PlatformUnreachable):
            keys_for(kit, kept, "key-1", sleep=naps.append)
    assert naps == []
    assert network.calls == [URL]


@pytest.mark.parametrize(
    "keys",
    [
        [7, None, "key"],
        [{"kid": "key-1"}],
        [{"kid": "key-1", "kty": "RSA", "n": 7, "e": "AQAB"}],
        [{"kid": "key-1", "kty": "RSA", "n": "A" * 5000, "e": "AQAB"}],
        [{"kid": "key-1", "kty": "RSA", "n": "%%%", "e": "AQAB"}],
        [{"kid": ["key-1"], "kty": "RSA"}],
        [{"kid": "key-1", "kty": "RSA", "key_ops": ["encrypt"], "n": "AQAB", "e": "AQAB"}],
    ],
    ids=str,
)
def test_keys_of_no_use_are_a_refusal_and_nothing_worse(stage: Stage, keys: list[Any]) -> None:
    assert stage.with_key_set(keys=keys).status_code == 401


@pytest.mark.parametrize("document", [b"", b"{", b"[" * 5000, b"null", b'{"keys": {}}', b'{"keys": null}', b"\xff"])
def test_a_key_set_that_is_none_is_a_platform_not_reached(stage: Stage, document: bytes) -> None:
    assert stage.with_key_set(document).status_code == 424
