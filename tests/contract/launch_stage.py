"""Platforms, registrations and browsers for the tests of the trust boundary, and what a launch leaves behind."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lti_tool.support.db import OpenSession, across_institutions
from lti_tool.web.audit import AuditEntry
from lti_tool.web.visits import Visit
from tests.factories.people import a_deployment, a_registration, an_institution
from tests.fakes.clock import FakeClock
from tests.fakes.platform import Claims, Platform, PlatformNetwork, signed
from tests.functional.launching import Begun, Browser

Change = Callable[[Claims], object]


@dataclass
class Stage:
    """One tool, four registrations: two clients of one issuer, a shared client's second customer, another platform."""

    app: Flask
    clock: FakeClock
    open_session: OpenSession
    network: PlatformNetwork
    first: Platform
    second_client: Platform
    other: Platform
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(self.app)

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    def login(self, **changes: str | None) -> TestResponse:
        return self.browser.login(self.first.login_fields(**changes))

    def begin(self, platform: Platform | None = None, browser: Browser | None = None, **changes: str | None) -> Begun:
        return (browser or self.browser).begin((platform or self.first).login_fields(**changes))

    def claims(self, begun: Begun, platform: Platform | None = None) -> Claims:
        return (platform or self.first).claims(begun.request["nonce"], now=self.now)

    def post(
        self, begun: Begun, token: str | None, *, browser: Browser | None = None, **changes: str | None
    ) -> TestResponse:
        fields = {"id_token": token, "state": begun.request["state"], **changes}
        return (browser or self.browser).launch({name: value for name, value in fields.items() if value is not None})

    def launch(self, change: Change | None = None, **head: Any) -> TestResponse:
        """A whole launch whose claims were changed, with header fields changed."""
        begun = self.begin()
        claims = self.claims(begun)
        if change is not None:
            change(claims)
        return self.post(begun, self.first.sign(claims, **head))

    def deep_link(self, change: Change | None = None) -> TestResponse:
        begun = self.begin()
        claims = self.first.deep_linking_claims(begun.request["nonce"], now=self.now)
        if change is not None:
            change(claims)
        return self.post(begun, self.first.sign(claims))

    def review(self, change: Change | None = None) -> TestResponse:
        begun = self.begin()
        claims = self.first.review_claims(begun.request["nonce"], now=self.now)
        if change is not None:
            change(claims)
        return self.post(begun, self.first.sign(claims))

    def send_payload(self, payload: object, **head: Any) -> TestResponse:
        """A launch whose payload is not made of claims at all."""
        return self.post(self.begin(), self.first.sign(payload, **head))

    def send_signed_by(self, key: Any, **header: Any) -> TestResponse:
        begun = self.begin()
        head = {"typ": "JWT", "alg": "RS256", "kid": "key-1", **header}
        return self.post(begun, signed(self.claims(begun), key=key, header=head))

    def with_key_set(
        self, document: object = None, *, status: int = 200, keys: list[Any] | None = None
    ) -> TestResponse:
        """An honest launch from a platform that publishes these keys."""
        self.first.key_set, self.first.key_set_status = document, status
        if keys is not None:
            self.first.keys = keys
        return self.launch()

    def visits(self) -> int:
        with self.open_session() as session, across_institutions(session):
            return session.scalar(select(func.count()).select_from(Visit)) or 0

    def refusals(self) -> list[AuditEntry]:
        with self.open_session() as session:
            return list(session.scalars(select(AuditEntry).where(AuditEntry.what != "launch")))


def set_stage(app: Flask, clock: FakeClock, open_session: OpenSession, network: PlatformNetwork) -> Stage:
    """Register the network's platforms, each with its deployment."""
    first, second_client, other = network.platforms
    with open_session() as session, across_institutions(session):
        institution = an_institution(session)
        for platform in network.platforms:
            registration = a_registration(session, institution, **platform.registration())
            a_deployment(session, registration, lti_id=platform.deployment_id)
    return Stage(app, clock, open_session, network, first, second_client, other)


def ordinary_platforms() -> list[Platform]:
    """Two clients of one issuer, and a platform of its own."""
    return [
        Platform("https://lms.example", "client-1", "deployment-1"),
        Platform("https://lms.example", "client-2", "deployment-2"),
        Platform("https://other.example", "client-3", "deployment-3", name="other.example"),
    ]
