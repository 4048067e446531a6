"""What platforms say by themselves, posted to the tool by honest platforms and by others."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lti_tool.launch.models import CourseCopy, SeenNotice
from lti_tool.registration.models import Deployment, Registration
from lti_tool.support.db import across_institutions
from tests.contract.launch_stage import Stage
from tests.factories.people import a_course, a_deployment, an_institution
from tests.fakes.platform import LTI, Claims, Platform, rsa_key
from tests.functional.launching import BASE_URL


def copied(stage: Stage, platform: Platform | None = None, **changes: Any) -> Claims:
    """The notice of a copied course, in the shape in which Canvas sends it."""
    told = platform or stage.first
    return {
        "iss": told.issuer,
        "aud": told.client_id,
        "azp": told.client_id,
        "iat": int(stage.now),
        "exp": int(stage.now) + 3600,
        "nonce": "2d220edf",
        f"{LTI}version": "1.3.0",
        f"{LTI}deployment_id": told.deployment_id,
        f"{LTI}notice": {"id": "7a70e604", "timestamp": "2026-11-02T09:00:00Z", "type": "LtiContextCopyNotice"},
        f"{LTI}context": {"id": "new", "label": "N", "title": "New", "type": []},
        f"{LTI}origin_contexts": ["old"],
        **changes,
    }


def post(stage: Stage, *tokens: str, body: bytes | None = None) -> TestResponse:
    message = json.dumps({"notices": [{"jwt": token} for token in tokens]}).encode() if body is None else body
    return stage.browser.client.post("/lti/notices", data=message, content_type="application/json", base_url=BASE_URL)


def know_origin(stage: Stage, platform: Platform | None = None, context_id: str = "old") -> None:
    told = platform or stage.first
    with stage.open_session() as session, across_institutions(session):
        deployment = session.scalars(select(Deployment).where(Deployment.lti_id == told.deployment_id)).one()
        a_course(session, deployment, institution_id=deployment.institution_id, context_id=context_id)


def copies(stage: Stage) -> list[str]:
    with stage.open_session() as session, across_institutions(session):
        return list(session.scalars(select(CourseCopy.context_id)))


@pytest.mark.store
def test_a_copy_of_a_known_course_is_kept(stage: Stage) -> None:
    know_origin(stage)
    answer = post(stage, stage.first.sign(copied(stage)))
    assert (answer.status_code, answer.json) == (200, {})
    assert copies(stage) == ["new"]
    # A notice that comes again changes nothing, and who sends it learns nothing.
    again = post(stage, stage.first.sign(copied(stage)))
    assert (again.status_code, again.json) == (200, {})
    post(stage, stage.first.sign(copied(stage, nonce="another")))
    assert copies(stage) == ["new"]
    with stage.open_session() as session:
        assert session.scalar(select(func.count()).select_from(SeenNotice)) == 2


def test_a_notice_counts_once(stage: Stage) -> None:
    token = stage.first.sign(copied(stage))
    post(stage, token)
    know_origin(stage)
    assert post(stage, token).status_code == 200
    assert copies(stage) == []


def test_several_notices_in_a_message_are_taken_one_by_one(stage: Stage) -> None:
    know_origin(stage)
    good = [stage.first.sign(copied(stage, nonce=one, **{f"{LTI}context": {"id": one}})) for one in ("a", "b")]
    answer = post(stage, good[0], "no token", good[1])
    assert answer.status_code == 401
    assert copies(stage) == ["a", "b"]


REFUSED: dict[str, Callable[[Stage], str]] = {
    "signed by somebody else": lambda stage: stage.first.sign(copied(stage), key=rsa_key("stranger")),
    "no key of the platform": lambda stage: stage.first.sign(copied(stage), kid="key-9"),
    "no signature": lambda stage: stage.first.sign(copied(stage), alg="none"),
    "signed with a secret": lambda stage: stage.first.sign(copied(stage), alg="HS256"),
    "of an unknown issuer": lambda stage: stage.first.sign(copied(stage, iss="https://evil.example")),
    "for an unknown client": lambda stage: stage.first.sign(copied(stage, aud="client-9", azp="client-9")),
    "for several clients": lambda stage: stage.first.sign(copied(stage, aud=["client-1", "client-2"])),
    "for another party": lambda stage: stage.first.sign(copied(stage, azp="client-2")),
    "of another platform": lambda stage: stage.other.sign(copied(stage)),
    "over": lambda stage: stage.first.sign(copied(stage, exp=int(stage.now) - 60)),
    "too old": lambda stage: stage.first.sign(copied(stage, iat=int(stage.now) - 7200)),
    "without time": lambda stage: stage.first.sign({k: v for k, v in copied(stage).items() if k != "exp"}),
    "no token": lambda stage: "a.b.c",
    "too large": lambda stage: stage.first.sign(copied(stage, filler="x" * 70_000)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_signed_by_the_platform_for_us_is_refused(stage: Stage, case: str) -> None:
    know_origin(stage)
    assert post(stage, REFUSED[case](stage)).status_code == 401
    assert copies(stage) == []


IGNORED: dict[str, dict[str, Any]] = {
    "of an unknown deployment": {f"{LTI}deployment_id": "deployment-9"},
    "of another client's deployment": {f"{LTI}deployment_id": "deployment-2"},
    "of an unknown origin": {f"{LTI}origin_contexts": ["unknown"]},
    "without an origin": {f"{LTI}origin_contexts": []},
    "of itself": {f"{LTI}context": {"id": "old"}},
    "of another kind": {f"{LTI}notice": {"id": "1", "type": "LtiHelloWorldNotice"}},
    "without a context": {f"{LTI}context": {}},
}


@pytest.mark.parametrize("case", IGNORED)
def test_what_says_nothing_to_us_is_answered_like_any_other_notice(stage: Stage, case: str) -> None:
    know_origin(stage)
    answer = post(stage, stage.first.sign(copied(stage, **IGNORED[case])))
    assert (answer.status_code, answer.json) == (200, {})
    assert copies(stage) == []


@pytest.mark.store
def test_an_origin_of_another_institution_is_not_known(stage: Stage) -> None:
    """Two customers of one client: neither finds out, or gets at, what the other one has."""
    with stage.open_session() as session, across_institutions(session):
        registration = session.scalars(select(Registration).where(Registration.client_id == "client-1")).one()
        stranger = an_institution(session)
        theirs = a_deployment(session, registration, lti_id="deployment-7", institution_id=stranger.id)
        a_course(session, theirs, institution_id=stranger.id, context_id="old")
    assert post(stage, stage.first.sign(copied(stage))).status_code == 200
    assert copies(stage) == []
    # Under its own deployment the same notice is that institution's.
    post(stage, stage.first.sign(copied(stage, nonce="own", **{f"{LTI}deployment_id": "deployment-7"})))
    assert copies(stage) == ["new"]


def test_a_paused_platform_is_not_listened_to(stage: Stage) -> None:
    know_origin(stage)
    with stage.open_session() as session:
        session.scalars(
            select(Registration).where(Registration.client_id == "client-1")
        ).one().paused_at = stage.clock.now()
    assert post(stage, stage.first.sign(copied(stage))).status_code == 401
    assert copies(stage) == []


def test_while_keys_cannot_be_fetched_the_platform_is_asked_to_try_again(stage: Stage) -> None:
    know_origin(stage)
    stage.first.is_away = True
    answer = post(stage, stage.first.sign(copied(stage)))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_no_platform_is_asked_for_keys_by_a_stranger(stage: Stage) -> None:
    post(stage, stage.first.sign(copied(stage, iss="https://evil.example")))
    assert stage.network.calls == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'{"notices": []}', 400),
        (b'{"notices": [{"jwt": null}]}', 400),
        (b"[" * 100_000, 400),
        (b"\xff", 400),
        (b'{"notices": [' + b'{"jwt": "a"},' * 100 + b'{"jwt": "a"}]}', 400),
        (b" " * 500_001, 413),
    ],
)
def test_a_message_that_is_none_is_refused(stage: Stage, body: bytes, status: int) -> None:
    assert post(stage, body=body).status_code == status


def test_what_is_logged_holds_nothing_of_the_notice(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    know_origin(stage)
    for change in ({f"{LTI}origin_contexts": ["secret-context"]}, {f"{LTI}deployment_id": "secret-deployment"}):
        post(stage, stage.first.sign(copied(stage, nonce=str(change), **change)))
    post(stage, stage.first.sign(copied(stage, iss="https://secret.example")))
    logged = capsys.readouterr().out
    assert logged.count("notice refused") == 2
    assert "copy of an unknown course" in logged
    assert "secret" not in logged
