"""Registering with a platform over real sockets: what is shown, what is sent, and when the invitation is used up."""

import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.launch.models import Person
from lti_tool.registration.models import Deployment, Invitation, Registration
from lti_tool.settings import Settings
from lti_tool.support.crypto import fingerprint
from lti_tool.support.db import across_institutions, serve
from lti_tool.support.kit import Kit
from lti_tool.web.audit import AuditEntry
from lti_tool.wiring import Services
from sandbox_lms import SandboxLms
from tests.factories.activities import an_activity
from tests.factories.people import a_course, a_deployment, a_placement, a_registration, an_institution
from tests.factories.registration import a_configuration, an_invitation, json_answer, reaching
from tests.fakes.clock import FakeClock
from tests.fakes.web_server import Request, WebServer
from tests.functional.launching import BASE_URL, attribute
from tests.shared import serving

TOOL_CONFIGURATION = "https://purl.imsglobal.org/spec/lti-tool-configuration"


class Platform:
    """A platform that can be registered with, and answers as a test tells it to."""

    def __init__(self) -> None:
        self.server = WebServer(self._respond)
        self.configuration: Any = a_configuration(self.server)
        self.configuration_status = "200 OK"
        self.granted: Any = {"client_id": "client-1", TOOL_CONFIGURATION: {"deployment_id": "1"}}
        self.granted_status = "200 OK"
        self.before_answer: Callable[[], None] = lambda: None

    @property
    def sent(self) -> list[Request]:
        return [request for request in self.server.requests if request.method == "POST"]

    def _respond(self, request: Request) -> list[bytes]:
        if request.method == "POST":
            self.before_answer()
            return json_answer(self.granted, self.granted_status)
        return json_answer(self.configuration, self.configuration_status)


@pytest.fixture
def platform() -> Iterator[Platform]:
    platform = Platform()
    with platform.server:
        yield platform


class Administrator:
    """Somebody who opens the registration address in the platform, looks, and presses the button."""

    def __init__(self, client: FlaskClient, address: dict[str, str]) -> None:
        self.client, self.address = client, address

    def looks(self) -> TestResponse:
        return self.client.get("/lti/register", query_string=self.address)

    def registers(self, **chosen: str) -> TestResponse:
        fields = {"title": "Campus LMS", "new_deployments": "refuse", **chosen}
        return self.client.post("/lti/register", data={**self.address, **fields})


@pytest.fixture
def reachable(kit: Kit, platform: Platform) -> Kit:
    return reaching(kit, platform.server.port)


@pytest.fixture
def app(services: Services, reachable: Kit) -> Iterator[Flask]:
    with serving(replace(services, kit=reachable)) as app:
        yield app


@pytest.fixture
def invite(kit: Kit) -> str:
    with kit.open_session() as session:
        return an_invitation(session, kit)


@pytest.fixture
def administrator(client: FlaskClient, platform: Platform, invite: str) -> Administrator:
    address = {
        "invite": invite,
        "openid_configuration": platform.server.url("/.well-known/openid-configuration"),
        "registration_token": "reg-token",
    }
    return Administrator(client, address)


def registrations(kit: Kit) -> list[Registration]:
    with kit.open_session() as session:
        return list(session.scalars(select(Registration)))


def is_used_up(kit: Kit, secret: str) -> bool:
    with kit.open_session() as session:
        return (
            session.scalars(select(Invitation.used_at).where(Invitation.secret_hash == fingerprint(secret))).one()
            is not None
        )


def test_looking_shows_what_will_be_registered_and_changes_nothing(
    administrator: Administrator, platform: Platform, kit: Kit, invite: str
) -> None:
    for _ in range(2):
        page = administrator.looks()
        assert page.status_code == 200
        assert platform.server.url("") in page.text
        assert "University" in page.text
    assert platform.sent == []
    assert registrations(kit) == []
    assert not is_used_up(kit, invite)
    assert all(request.headers["Authorization"] == "Bearer reg-token" for request in platform.server.requests)


def test_only_the_platform_of_the_checked_configuration_may_frame_the_page(
    administrator: Administrator, platform: Platform
) -> None:
    policy = administrator.looks().headers["Content-Security-Policy"]
    assert f"frame-ancestors {platform.server.url('')}" in policy.split("; ")


def test_pressing_the_button_registers_and_uses_the_invitation_up(
    administrator: Administrator, platform: Platform, kit: Kit, invite: str
) -> None:
    page = administrator.registers()
    assert page.status_code == 200, page.text
    assert f'data-close="{platform.server.url("")}"' in page.text
    (registration,) = registrations(kit)
    assert (registration.title, registration.client_id, registration.platform_family) == (
        "Campus LMS", "client-1", "moodle",
    )  # fmt: skip
    assert registration.platform_origins == [platform.server.url("")]
    assert registration.new_deployments == "refuse"
    assert registration.first_administrator_awaited
    with kit.open_session() as session, across_institutions(session):
        assert session.scalars(select(Deployment.lti_id)).all() == ["1"]
        assert session.scalars(select(Person)).all() == []
    assert is_used_up(kit, invite)
    assert administrator.registers().status_code == 403
    assert len(platform.sent) == 1


def test_what_is_sent_asks_for_what_the_platform_offers_and_names_nothing_that_moodle_owns(
    administrator: Administrator, platform: Platform
) -> None:
    administrator.registers()
    (request,) = platform.sent
    assert request.headers["Authorization"] == "Bearer reg-token"
    document = json.loads(request.body)
    assert document["redirect_uris"] == ["http://localhost:8000/lti/launch"]
    assert document["initiate_login_uri"] == "http://localhost:8000/lti/login"
    assert document["jwks_uri"] == "http://localhost:8000/lti/jwks"
    assert document["scope"].split() == [
        "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
        "https://purl.imsglobal.org/spec/lti-ags/scope/score",
    ]
    tool = document[TOOL_CONFIGURATION]
    assert tool["domain"] == "localhost:8000"
    assert {message["type"]: message.get("placements") for message in tool["messages"]} == {
        "LtiResourceLinkRequest": None,
        "LtiDeepLinkingRequest": ["ContentArea"],
    }
    assert tool["custom_parameters"].keys().isdisjoint({"lineitem_url", "lineitems_url", "resource_link_id_history"})


def test_the_platform_is_not_called_with_a_transaction_open(
    administrator: Administrator, platform: Platform, kit: Kit
) -> None:
    wrote: list[bool] = []

    def write() -> None:
        with kit.open_session() as session:
            # On SQLite this would wait in vain for a request that holds the write lock.
            session.add(AuditEntry(at=kit.clock.now(), what="somebody else", reference="OTHER"))
        wrote.append(True)

    platform.before_answer = write
    assert administrator.registers().status_code == 200
    assert wrote == [True]


@pytest.mark.parametrize(
    ("status", "granted", "shown"),
    [
        ("401 Unauthorized", {"error": "used"}, 502),
        ("500 Oops", {}, 502),
        ("302 Found", {}, 502),
        ("200 OK", {}, 502),
        ("200 OK", [], 502),
        ("200 OK", {"client_id": ""}, 502),
        ("200 OK", {"client_id": ["x"]}, 502),
        ("200 OK", {"client_id": "x" * 256}, 502),
        ("200 OK", {"client_id": "x", TOOL_CONFIGURATION: {"deployment_id": "y" * 256}}, 502),
    ],
)
def test_a_registration_that_failed_leaves_the_invitation_usable(
    administrator: Administrator, platform: Platform, kit: Kit, invite: str, status: str, granted: Any, shown: int
) -> None:
    good = platform.granted
    platform.granted, platform.granted_status = granted, status
    page = administrator.registers()
    assert page.status_code == shown
    reference = re.search(r"<code>(\w{8})</code>", page.text)
    assert reference is not None
    with kit.open_session() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.reference == reference[1])).one()
        assert entry.what == "registration refused"
        assert entry.institution_id is not None
    assert registrations(kit) == []
    assert not is_used_up(kit, invite)

    platform.granted, platform.granted_status = good, "201 Created"
    assert administrator.registers().status_code == 200


def test_numbers_as_ids_are_taken_as_text(administrator: Administrator, platform: Platform, kit: Kit) -> None:
    platform.granted = {"client_id": 10000000000001, TOOL_CONFIGURATION: {"deployment_id": 7}}
    assert administrator.registers().status_code == 200
    assert registrations(kit)[0].client_id == "10000000000001"


def test_two_windows_at_once_register_once(
    administrator: Administrator, platform: Platform, app: Flask, kit: Kit
) -> None:
    second: list[int] = []

    def register_too() -> None:
        other = Administrator(app.test_client(), administrator.address)
        second.append(other.registers().status_code)

    platform.before_answer = register_too
    assert administrator.registers().status_code == 200
    assert second == [409]
    assert len(platform.sent) == 1
    assert len(registrations(kit)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://lms.example.com"},
        {"issuer": "https://canvas.instructure.com"},
        {"issuer": None},
        {"token_endpoint": "https://attacker.example/token"},
        {"jwks_uri": "http://127.0.0.1:1/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"registration_endpoint": "http://169.254.169.254/latest"},
        {"registration_endpoint": 5},
        {"id_token_signing_alg_values_supported": ["ES256"]},
    ],
)
def test_a_configuration_that_does_not_hold_together_is_refused(
    administrator: Administrator, platform: Platform, changes: dict[str, Any]
) -> None:
    (name,) = changes
    what = {"id_token_signing_alg_values_supported": "no RS256"}.get(name, name)
    platform.configuration = a_configuration(platform.server, **changes)
    for page in (administrator.looks(), administrator.registers()):
        assert page.status_code == 422
        assert "<form" not in page.text
        assert f"({what}" in page.text
    assert platform.sent == []


@pytest.mark.parametrize("body", ["text", [], None, {"issuer": {}}])
def test_a_configuration_of_another_kind_is_refused(
    administrator: Administrator, platform: Platform, body: Any
) -> None:
    platform.configuration = body
    assert administrator.looks().status_code == 422


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://127.0.0.1:1/configuration", "127.0.0.1:1"),
        ("http://169.254.169.254/latest/meta-data", "169.254.169.254:80"),
        ("http://[::1]/configuration", "[::1]:80"),
        ("https://10.0.0.1/configuration", "10.0.0.1:443"),
    ],
)
def test_an_address_that_we_may_not_call_is_named_with_the_setting_and_not_called(
    administrator: Administrator, platform: Platform, url: str, place: str
) -> None:
    administrator.address["openid_configuration"] = url
    page = administrator.looks()
    assert page.status_code == 422
    assert f"LTI_TOOL_REACHABLE_PRIVATE_HOSTS={place} and a restart" in page.text
    assert platform.server.requests == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "gopher://x", "//x", "https://a:b@lms.example", "x" * 5000])
def test_what_is_no_web_address_is_refused(administrator: Administrator, url: str) -> None:
    administrator.address["openid_configuration"] = url
    assert administrator.looks().status_code == 422


def test_a_redirect_is_not_followed(administrator: Administrator, platform: Platform) -> None:
    platform.configuration_status = "302 Found"
    assert administrator.looks().status_code == 502


def test_the_address_opened_by_itself_says_where_it_belongs(client: FlaskClient, invite: str) -> None:
    assert client.get("/lti/register", query_string={"invite": invite}).status_code == 400


@pytest.mark.parametrize("change", [{"invite": "made-up"}, {"invite": ""}, {"invite": "x" * 300}])
def test_without_an_invitation_nothing_is_fetched(
    administrator: Administrator, platform: Platform, change: dict[str, str]
) -> None:
    administrator.address |= change
    assert administrator.looks().status_code == 403
    assert administrator.registers().status_code == 403
    assert platform.server.requests == []


def test_an_invitation_ends(administrator: Administrator, platform: Platform, clock: FakeClock) -> None:
    clock.advance(timedelta(days=7))
    assert administrator.looks().status_code == 403
    assert administrator.registers().status_code == 403
    assert platform.server.requests == []


def again(administrator: Administrator, kit: Kit) -> str:
    """A second invitation, in the administrator's hands."""
    with kit.open_session() as session:
        administrator.address["invite"] = an_invitation(session, kit)
    return administrator.address["invite"]


def follow_up_on(page: TestResponse) -> dict[str, str]:
    """What the page after a registration sends when its reader goes on."""
    return {"follow_up": attribute(page.text, 'name="follow_up" value')}


def placed(kit: Kit, registration: Registration) -> None:
    """An activity that opens through this registration."""
    with kit.open_session() as session:
        serve(session, registration.institution_id or 0)
        deployment = session.scalars(select(Deployment)).one()
        deployment.last_launch_at = kit.clock.now()
        course = a_course(session, deployment, title="Teaching 1")
        an_activity(session, course, a_placement(session, course), title="Observe each other", now=kit.clock.now())


def test_registering_again_by_default_leaves_every_placed_activity_its_client_id(
    administrator: Administrator, platform: Platform, kit: Kit
) -> None:
    administrator.registers()
    (before,) = registrations(kit)
    placed(kit, before)
    again(administrator, kit)
    platform.granted = {"client_id": "client-2", TOOL_CONFIGURATION: {"deployment_id": "2"}}

    looked = html.unescape(administrator.looks().text)
    assert "1 activity depends on it: Observe each other in Teaching 1" in looked
    assert "that tool gets its own client id" in looked

    done = administrator.registers()
    assert done.status_code == 200
    assert "1 activity still opens through the old tool" in done.text
    assert [(one.id, one.client_id) for one in registrations(kit)] == [
        (before.id, "client-1"),
        (registrations(kit)[1].id, "client-2"),
    ]
    assert [one.title for one in registrations(kit)] == ["Campus LMS", "Campus LMS (2)"]


def test_nothing_in_the_form_can_put_a_client_id_over_another(
    administrator: Administrator, platform: Platform, kit: Kit
) -> None:
    administrator.registers()
    (before,) = registrations(kit)
    again(administrator, kit)
    platform.granted = {"client_id": "client-2"}
    assert administrator.registers(instead_of=str(before.id)).status_code == 200
    assert [one.client_id for one in registrations(kit)] == ["client-1", "client-2"]


def test_a_client_id_that_the_platform_used_again_is_renewed(
    administrator: Administrator, platform: Platform, kit: Kit
) -> None:
    administrator.registers()
    again(administrator, kit)
    page = administrator.registers(title="Renamed")
    assert "kept the client id client-1" in page.text
    assert "Take the new registration back" not in page.text
    assert [one.title for one in registrations(kit)] == ["Renamed"]


def test_the_way_back_from_a_registration_beside_is_one_click(
    administrator: Administrator, platform: Platform, kit: Kit, client: FlaskClient
) -> None:
    administrator.registers()
    (before,) = registrations(kit)
    placed(kit, before)
    invite = again(administrator, kit)
    platform.granted = {"client_id": "client-2", TOOL_CONFIGURATION: {"deployment_id": "2"}}
    page = administrator.registers()
    # The link itself may have been passed around.
    assert client.post("/lti/register/back", data={"follow_up": invite}).status_code == 403
    back = client.post("/lti/register/back", data=follow_up_on(page))
    assert back.status_code == 200
    assert "client-2" in back.text
    assert [(one.id, one.client_id) for one in registrations(kit)] == [(before.id, "client-1")]
    assert not is_used_up(kit, invite)
    assert administrator.registers().status_code == 200


def test_a_registration_that_was_renewed_or_used_is_not_taken_back(
    administrator: Administrator, platform: Platform, kit: Kit, client: FlaskClient, clock: FakeClock
) -> None:
    first = follow_up_on(administrator.registers())
    clock.advance(timedelta(minutes=1))
    placed(kit, registrations(kit)[0])
    assert client.post("/lti/register/back", data=first).status_code == 409
    again(administrator, kit)
    second = follow_up_on(administrator.registers())
    assert client.post("/lti/register/back", data=second).status_code == 403
    assert client.post("/lti/register/back", data={"follow_up": "made-up"}).status_code == 403
    assert len(registrations(kit)) == 1


def test_who_registered_gets_to_the_institutions_pages_before_anybody_placed_an_activity(
    administrator: Administrator, app: Flask, kit: Kit
) -> None:
    page = administrator.registers()
    secret = follow_up_on(page)
    assert "Do you look after Tandem for University?" in page.text
    tab = app.test_client()
    headers = {"Accept": "text/html"}
    address = "/lti/register/administrator"
    sent_by_others = {"Sec-Fetch-Site": "cross-site"}
    assert tab.post(address, data=secret, headers=sent_by_others, base_url=BASE_URL).status_code == 403

    entered = tab.post(address, data=secret, base_url=BASE_URL)
    assert entered.status_code == 303
    shown = tab.get(entered.location, base_url=BASE_URL, headers=headers, follow_redirects=True)
    assert "for this visit only" in shown.text, shown.text
    assert "Campus LMS" in shown.text
    (registration,) = registrations(kit)
    assert registration.first_administrator_awaited
    with kit.open_session() as session, across_institutions(session):
        assert [one.is_administrator for one in session.scalars(select(Person))] == [False]
        session.scalars(select(Registration)).one().first_administrator_awaited = False
    assert tab.get(shown.request.path, base_url=BASE_URL, headers=headers).status_code == 403


def test_what_the_registrar_may_do_ends_with_the_hour_and_with_the_first_administrator(
    administrator: Administrator, client: FlaskClient, kit: Kit, clock: FakeClock
) -> None:
    secret = follow_up_on(administrator.registers())
    with kit.open_session() as session:
        session.scalars(select(Registration)).one().first_administrator_awaited = False
    assert client.post("/lti/register/administrator", data=secret).status_code == 403
    with kit.open_session() as session:
        session.scalars(select(Registration)).one().first_administrator_awaited = True
    clock.advance(timedelta(hours=1))
    for address in ("/lti/register/administrator", "/lti/register/back"):
        assert client.post(address, data=secret).status_code == 403


def test_the_registration_of_another_institution_can_be_neither_seen_nor_taken(
    administrator: Administrator, platform: Platform, kit: Kit, invite: str
) -> None:
    with kit.open_session() as session:
        theirs = a_registration(
            session,
            an_institution(session, name="Somebody Else"),
            issuer=platform.server.url(""),
            client_id="client-1",
            title="Their LMS",
        )
        a_deployment(session, theirs, lti_id="1")
    assert "Their LMS" not in administrator.looks().text
    # Nor by a platform that hands out a client id which is theirs.
    assert administrator.registers().status_code == 409
    assert [one.title for one in registrations(kit)] == ["Their LMS"]
    assert not is_used_up(kit, invite)


@pytest.mark.parametrize(
    ("family", "deployment", "chosen", "kept"),
    [
        ("moodle", "1", "refuse", "refuse"),
        ("moodle", "1", "join", "join"),
        ("moodle", None, "refuse", "park"),
        ("BlackboardLearn", "1", "park", "park"),
        ("BlackboardLearn", "1", "join", "park"),
        ("canvas", "1", "join", "park"),
        ("canvas", "1", "nonsense", "park"),
        ("moodle", "1", "nonsense", "refuse"),
    ],
)
def test_what_becomes_of_later_deployments(
    administrator: Administrator,
    platform: Platform,
    kit: Kit,
    family: str,
    deployment: str | None,
    chosen: str,
    kept: str,
) -> None:
    said = {"product_family_code": family}
    platform.configuration = a_configuration(
        platform.server, **{"https://purl.imsglobal.org/spec/lti-platform-configuration": said}
    )
    platform.granted = {"client_id": "c", TOOL_CONFIGURATION: {"deployment_id": deployment} if deployment else {}}
    administrator.registers(new_deployments=chosen)
    assert registrations(kit)[0].new_deployments == kept


def test_hostile_words_of_a_platform_are_shown_as_text(administrator: Administrator, platform: Platform) -> None:
    said = {"product_family_code": "<script>alert(1)</script>", "messages_supported": [5, {"type": []}], "variables": 7}
    platform.configuration = a_configuration(
        platform.server, **{"https://purl.imsglobal.org/spec/lti-platform-configuration": said}
    )
    page = administrator.looks()
    assert page.status_code == 200
    assert "<script>alert" not in page.text


@pytest.mark.parametrize("profile", ["moodle", "canvas", "blackboard", "brightspace"])
def test_each_sandbox_platform_can_be_registered_with(
    profile: str, client: FlaskClient, app: Flask, kit: Kit, invite: str
) -> None:
    with SandboxLms(profile=profile).running() as lms:
        app.extensions["tandem"] = reaching(kit, lms.port)
        opened = urlsplit(lms.registration_url(f"http://localhost:8000/lti/register?invite={invite}"))
        administrator = Administrator(client, dict(parse_qsl(opened.query)))
        assert administrator.looks().status_code == 200
        page = administrator.registers()
        assert page.status_code == 200, page.text
        (registration,) = registrations(kit)
        tool = lms.tool_of_client(registration.client_id)
        assert tool is not None
        assert registration.issuer == lms.issuer
        with kit.open_session() as session, across_institutions(session):
            assert session.scalars(select(Deployment.lti_id)).all() == [tool.deployment_id]
        assert registration.auth_audience in {None, tool.auth_audience}


def test_the_developer_key_for_canvas_points_to_our_addresses(client: FlaskClient, settings: Settings) -> None:
    written = client.get("/lti/config.json").get_json()
    assert written["oidc_initiation_url"] == f"{settings.base_url}/lti/login"
    assert written["public_jwk_url"] == f"{settings.base_url}/lti/jwks"
    assert written["extensions"][0]["platform"] == "canvas.instructure.com"
    places = written["extensions"][0]["settings"]["placements"]
    assert {place["message_type"] for place in places} == {"LtiDeepLinkingRequest"}
