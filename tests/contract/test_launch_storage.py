"""What the browser is given to keep at login, and what becomes of a launch in each storage world."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.launch.models import LaunchState
from lti_tool.registration.models import Registration
from lti_tool.support.db import OpenSession
from lti_tool.web.audit import AuditEntry
from tests.contract.launch_stage import Stage
from tests.fakes.clock import FakeClock
from tests.functional.launching import Browser, attribute, reference_on

COOKIE_ATTRIBUTES = {"Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"}


def attributes(cookie: str) -> set[str]:
    return {part.strip() for part in cookie.split(";")[1:]}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_login_gives_the_browser_a_secret_in_a_cookie_of_its_own(stage: Stage, method: str) -> None:
    begun = stage.browser.begin(stage.first.login_fields(), method=method)
    cookies = begun.page.headers.getlist("Set-Cookie")
    assert len(cookies) == 1
    assert cookies[0].startswith(f"{begun.cookie}={begun.secret};")
    assert begun.cookie.startswith("__Host-tandem-login-")
    assert attributes(cookies[0]) >= COOKIE_ATTRIBUTES
    assert begun.page.headers["Cache-Control"] == "no-store"
    assert begun.page.headers["Referrer-Policy"] == "no-referrer"


def test_a_login_page_may_be_framed_by_an_lms_at_any_address_and_its_tab_by_nobody(stage: Stage) -> None:
    policy = stage.begin().page.headers["Content-Security-Policy"]
    assert "frame-ancestors" not in policy
    assert "'unsafe-inline'" not in policy
    in_tab = stage.browser.login(stage.first.login_fields(), path="/lti/new-tab")
    assert "frame-ancestors 'none'" in in_tab.headers["Content-Security-Policy"]


def test_the_platform_gets_its_hints_back_and_a_fixed_return_address(stage: Stage) -> None:
    request = stage.begin().request
    assert request["login_hint"] == "person-1"
    assert request["lti_message_hint"] == "hint-1"
    assert request["redirect_uri"] == "http://localhost:8000/lti/launch"
    assert (request["response_type"], request["response_mode"], request["prompt"], request["scope"]) == (
        "id_token",
        "form_post",
        "none",
        "openid",
    )
    assert len(request["state"]) > 40
    assert len(request["nonce"]) > 40


def test_a_sign_on_address_with_a_query_keeps_it(stage: Stage, open_session: OpenSession) -> None:
    with open_session() as session:
        session.get_one(Registration, 1).auth_login_url = "https://lms.example/auth?site=7"
    assert stage.begin().next.startswith("https://lms.example/auth?site=7&scope=openid")


def test_neither_state_nor_nonce_nor_secret_is_stored_readable(stage: Stage, open_session: OpenSession) -> None:
    begun = stage.begin()
    with open_session() as session:
        row = session.scalars(select(LaunchState)).one()
    stored = str({name: value for name, value in vars(row).items() if not name.startswith("_")})
    assert not any(secret in stored for secret in (begun.state, begun.secret, begun.request["nonce"]))


def test_the_login_can_ask_whether_its_cookie_came_back(stage: Stage, launch_app: Flask) -> None:
    begun = stage.begin()
    address = attribute(begun.page.text, "data-kept")
    assert stage.browser.client.post(address, base_url="http://localhost:8000").json == {"kept": True}
    assert Browser(launch_app).client.post(address, base_url="http://localhost:8000").json == {"kept": False}


def test_without_script_a_link_goes_on(stage: Stage) -> None:
    begun = stage.begin()
    noscript = begun.page.text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert attribute(noscript, "href") == begun.next


def test_the_new_tab_starts_with_the_same_login_and_no_frame(stage: Stage) -> None:
    page = stage.begin(lti_storage_target="_parent").page.text
    assert 'data-storage-target="_parent"' in page
    assert 'data-storage-origin="https://lms.example"' in page
    form = page.partition('action="/lti/new-tab"')[2].partition("</form>")[0]
    for name, value in stage.first.login_fields().items():
        assert f'name="{name}" value="{value}"' in form
    assert "lti_storage_target" not in form


def test_hostile_login_values_stay_text(stage: Stage) -> None:
    page = stage.begin(lti_storage_target='"><script>', lti_message_hint="<img src=x>").page.text
    assert '"><script>' not in page
    assert "<img src=x>" not in page


def test_a_launch_with_its_cookie_enters_at_once(stage: Stage) -> None:
    answer = stage.launch()
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/v/")
    cookies = answer.headers.getlist("Set-Cookie")
    kept = next(cookie for cookie in cookies if not cookie.startswith("__Host-tandem-login-"))
    assert attributes(kept) >= COOKIE_ATTRIBUTES
    gone = next(cookie for cookie in cookies if cookie.startswith("__Host-tandem-login-"))
    assert "Max-Age=0" in gone


def launch_without_cookies(stage: Stage, app: Flask, **login: str) -> tuple[Browser, str, str, str]:
    """The browser, its state and secret, and the page it was shown."""
    browser = Browser(app, keeps_cookies=False)
    begun = browser.begin(stage.first.login_fields(**login))
    answer = stage.post(begun, stage.first.sign(stage.claims(begun)), browser=browser)
    assert answer.status_code == 200
    return browser, begun.state, begun.secret, answer.text


def test_a_launch_without_its_cookie_is_asked_for_the_secret(stage: Stage, launch_app: Flask) -> None:
    browser, state, secret, page = launch_without_cookies(stage, launch_app, lti_storage_target="_parent")
    assert stage.visits() == 0
    assert secret not in page
    assert 'data-storage-target="_parent"' in page
    answer = browser.confirm(state, secret)
    assert answer.status_code == 303
    assert stage.visits() == 1


@pytest.mark.parametrize("guess", ["", "guess"])
def test_a_browser_without_the_secret_gets_a_page_and_the_right_one_still_enters(
    stage: Stage, launch_app: Flask, guess: str
) -> None:
    browser, state, secret, _ = launch_without_cookies(stage, launch_app)
    refused = browser.confirm(state, guess)
    assert refused.status_code == 401
    assert "could not recognize your browser" in refused.text
    assert [entry.reference for entry in stage.refusals()] == [reference_on(refused.text)]
    assert browser.confirm(state, secret).status_code == 303


def test_a_proof_comes_within_a_minute(stage: Stage, launch_app: Flask, clock: FakeClock) -> None:
    browser, state, secret, _ = launch_without_cookies(stage, launch_app)
    clock.advance(timedelta(seconds=60))
    assert browser.confirm(state, secret).status_code == 401
    assert stage.visits() == 0


@pytest.mark.parametrize("state", ["", "made-up", "x" * 300])
def test_a_proof_of_nothing_is_refused(stage: Stage, state: str) -> None:
    assert stage.browser.confirm(state, "secret").status_code == 401
    begun = stage.begin()
    assert stage.browser.confirm(begun.state, begun.secret).status_code == 401


def test_what_waits_for_its_proof_is_encrypted_and_removed(
    stage: Stage, launch_app: Flask, open_session: OpenSession
) -> None:
    browser, state, secret, _ = launch_without_cookies(stage, launch_app)
    with open_session() as session:
        waiting = session.scalars(select(LaunchState)).one().claims
    assert waiting is not None
    assert "person-1" not in waiting
    browser.confirm(state, secret)
    with open_session() as session:
        assert session.scalars(select(LaunchState)).one().claims is None


def test_a_registration_may_do_without_the_proof_and_the_audit_says_so(
    stage: Stage, launch_app: Flask, open_session: OpenSession
) -> None:
    with open_session() as session:
        session.get_one(Registration, 1).require_browser_binding = False
    browser = Browser(launch_app, keeps_cookies=False)
    begun = browser.begin(stage.first.login_fields())
    assert 'data-binding="optional"' in begun.page.text
    launched = stage.post(begun, stage.first.sign(stage.claims(begun)), browser=browser)
    assert launched.status_code == 303
    # Nothing but the code in the address leads on, and the platform's page is what sent the browser here.
    arrived = browser.client.get(launched.headers["Location"], headers={"Sec-Fetch-Site": "cross-site"})
    assert arrived.status_code == 200
    with open_session() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.what == "launch")).one()
    assert entry.details["is_bound"] is False


def test_a_browser_that_keeps_nothing_is_told_which_setting_to_change(stage: Stage) -> None:
    answer = stage.browser.client.get("/lti/login/blocked")
    assert answer.status_code == 403
    assert "cookies" in answer.text
    assert [entry.reference for entry in stage.refusals()] == [reference_on(answer.text)]
