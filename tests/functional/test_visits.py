"""The gate in front of every page: visits, their secrets, and single-use codes."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from lti_tool.web import access
from lti_tool.web.database import db, transaction
from lti_tool.web.visits import VisitKind, issue_entry
from tests.factories.people import a_course, a_deployment, a_member, a_person, a_registration, a_visit, an_institution
from tests.fakes.clock import FakeClock

JSON = {"Accept": "application/json"}


@pytest.fixture
def visit(open_session: OpenSession, kit: Kit, clock: FakeClock) -> tuple[str, str, str]:
    """Key, bearer secret and entry code of a learner's visit."""
    with open_session() as session:
        institution = an_institution(session)
        registration = a_registration(session, institution, platform_origins=["https://lms.example"])
        course = a_course(session, a_deployment(session, registration))
        member = a_member(session, course, a_person(session, registration))
        visit, secret = a_visit(session, member, registration, now=clock.now(), kind=VisitKind.ACTIVITY)
        code = issue_entry(session, visit, secret, kit.secrets, now=clock.now())
        return visit.key, secret, code


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def with_cookie(client: FlaskClient, key: str, secret: str) -> FlaskClient:
    client.set_cookie(f"__Host-tandem-{key}", secret, secure=True)
    return client


def test_the_code_of_a_launch_is_changed_for_the_bearer_once(client: FlaskClient, visit: tuple[str, str, str]) -> None:
    key, secret, code = visit
    first = client.post(f"/v/{key}/enter", data={"code": code}, headers=JSON)
    assert first.json == {"bearer": secret}
    assert client.post(f"/v/{key}/enter", data={"code": code}, headers=JSON).status_code == 410


def test_a_code_is_worth_nothing_after_a_minute(
    client: FlaskClient, visit: tuple[str, str, str], clock: FakeClock
) -> None:
    key, _, code = visit
    clock.advance(timedelta(seconds=61))
    assert client.post(f"/v/{key}/enter", data={"code": code}).status_code == 410


def test_a_page_without_any_secret_brings_the_bearer_by_script(
    client: FlaskClient, visit: tuple[str, str, str]
) -> None:
    answer = client.get(f"/v/{visit[0]}/")
    assert answer.status_code == 200
    assert 'id="bring"' in answer.text
    assert "frame-ancestors https://lms.example" in answer.headers["Content-Security-Policy"]
    unknown = client.get("/v/unknown/")
    assert unknown.status_code == 200
    assert 'id="bring"' in unknown.text


@pytest.mark.parametrize("path", ["new-tab"])
def test_a_post_without_a_secret_is_refused(client: FlaskClient, visit: tuple[str, str, str], path: str) -> None:
    answer = client.post(f"/v/{visit[0]}/{path}")
    assert answer.status_code == 401
    assert "Your visit has ended" in answer.text


def test_a_bearer_needs_no_form_token_and_a_cookie_does(app: Flask, visit: tuple[str, str, str]) -> None:
    key, secret, _ = visit
    assert app.test_client().post(f"/v/{key}/new-tab", headers={**bearer(secret), **JSON}).status_code == 200
    cookie_only = with_cookie(app.test_client(), key, secret).post(f"/v/{key}/new-tab", base_url="https://localhost")
    assert cookie_only.status_code == 400
    assert "could not be verified" in cookie_only.text


def test_the_secret_of_one_visit_does_not_open_another(
    client: FlaskClient, visit: tuple[str, str, str], open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        institution = an_institution(session)
        registration = a_registration(session, institution)
        course = a_course(session, a_deployment(session, registration))
        member = a_member(session, course, a_person(session, registration), "instructor")
        other, _ = a_visit(session, member, registration, now=clock.now())
        other_key = other.key
    assert client.post(f"/v/{other_key}/new-tab", headers=bearer(visit[1])).status_code == 401


@pytest.mark.parametrize("pause", [timedelta(hours=5), timedelta(hours=30)])
def test_a_visit_ends_when_idle_or_old(
    client: FlaskClient, visit: tuple[str, str, str], clock: FakeClock, pause: timedelta
) -> None:
    key, secret, _ = visit
    clock.advance(pause)
    assert client.post(f"/v/{key}/new-tab", headers=bearer(secret)).status_code == 401


def test_a_new_tab_is_a_visit_of_its_own_that_nobody_may_frame(
    client: FlaskClient, visit: tuple[str, str, str]
) -> None:
    key, secret, _ = visit
    address = client.post(f"/v/{key}/new-tab", headers={**bearer(secret), **JSON}).json["open"]
    answer = client.get(address)
    assert answer.status_code == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-tandem-")
    for attribute in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert attribute in cookie
    assert key not in answer.headers["Location"]
    assert client.get(address).status_code == 410


@pytest.mark.parametrize(
    ("page", "opened"),
    [
        ("feedback", "/feedback?"),
        ("round/1/for/2?check=1", "/round/1/for/2?check=1&"),
        ("", "/?"),
        # Only a form leads there, or nothing does.
        ("setup/start", "/?"),
        ("../../lti/jwks", "/?"),
        ("//evil.example/", "/?"),
        ("feed\r\nback", "/?"),
    ],
)
def test_a_new_tab_opens_on_the_page_one_is_on(
    client: FlaskClient, visit: tuple[str, str, str], page: str, opened: str
) -> None:
    key, secret, _ = visit
    offered = client.post(f"/v/{key}/new-tab", data={"page": page}, headers={**bearer(secret), **JSON})
    assert offered.json
    location = client.get(offered.json["open"]).headers["Location"]
    new_key, _, rest = location.removeprefix("/v/").partition("/")
    assert new_key != key
    assert f"/{rest}".startswith(f"{opened}c=")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_nobody_is_sent_into_the_visit_of_somebody_else(
    client: FlaskClient, visit: tuple[str, str, str], site: str
) -> None:
    key, secret, code = visit
    sent = {"Sec-Fetch-Site": site}
    refused = client.get(f"/v/{key}/?c={code}", headers=sent)
    assert refused.status_code == 401
    assert client.post(f"/v/{key}/enter", data={"code": code}, headers=JSON).status_code == 410
    tab = client.post(f"/v/{key}/new-tab", headers={**bearer(secret), **JSON}).json["open"]
    refused = client.get(tab, headers=sent)
    assert refused.status_code == 410
    assert "Set-Cookie" not in refused.headers
    assert client.get(tab).status_code == 410


def test_a_launch_is_sent_by_its_platform_and_brings_a_cookie(app: Flask, visit: tuple[str, str, str]) -> None:
    key, secret, code = visit
    browser = with_cookie(app.test_client(), key, secret)
    sent = {"Sec-Fetch-Site": "cross-site"}
    assert browser.get(f"/v/{key}/?c={code}", base_url="https://localhost", headers=sent).status_code == 200
    assert enters(browser, key, code) == 200


@pytest.mark.parametrize("site", ["same-origin", "none", None])
def test_a_visit_is_entered_from_our_own_pages_or_by_hand(
    client: FlaskClient, visit: tuple[str, str, str], site: str | None
) -> None:
    key, _, code = visit
    assert client.get(f"/v/{key}/?c={code}", headers={"Sec-Fetch-Site": site} if site else {}).status_code == 200
    assert enters(client, key, code) == 200


def enters(client: FlaskClient, key: str, code: str) -> int:
    return client.post(f"/v/{key}/enter", data={"code": code}, headers=JSON).status_code


def test_an_unknown_address_gets_a_page_with_a_reference(client: FlaskClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "Reference:" in answer.text
    assert "frame-ancestors" not in answer.headers["Content-Security-Policy"]


def test_a_first_page_that_sends_people_on_keeps_the_code_in_the_address(
    app: Flask, open_session: OpenSession, kit: Kit, clock: FakeClock
) -> None:
    with open_session() as session:
        institution = an_institution(session)
        registration = a_registration(session, institution)
        course = a_course(session, a_deployment(session, registration))
        member = a_member(session, course, a_person(session, registration), "instructor")
        visit, secret = a_visit(session, member, registration, now=clock.now(), kind=VisitKind.PLACING)
        code = issue_entry(session, visit, secret, kit.secrets, now=clock.now())
        key = visit.key
    answer = with_cookie(app.test_client(), key, secret).get(f"/v/{key}/?c={code}", base_url="https://localhost")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/v/{key}/setup?c={code}"


def test_services_open_their_sessions_in_a_request_by_flask_sqlalchemy_one_at_a_time(app: Flask) -> None:
    with app.app_context():
        with access.kit().open_session() as session:
            assert session is db.session()
            with pytest.raises(RuntimeError), transaction():
                pass
            assert session.scalar(text("SELECT 1")) == 1
        with transaction() as following:
            assert following is not session
