"""Tandem and a platform, both on loopback, that know each other by a registration only."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import make_server

from lti_tool.app import create_app
from lti_tool.launch.rules.context import DeepLinking
from lti_tool.launch.service.deep_linking import Addressee, GradeColumn, LinkItem, answer, sign
from lti_tool.registration.models import Registration
from lti_tool.registration.rules.registrations import read_entries
from lti_tool.registration.service import register_from_file
from lti_tool.registration.service.keys import ensure_signing_key, rotate, signing_key
from lti_tool.registration.service.tokens import Token, TokenClient
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing, new_secret
from lti_tool.support.db import Base, across_institutions
from lti_tool.web.visits import Visit
from lti_tool.wiring import build

CLIENT_ID = "second-opinion"
DEPLOYMENT_ID = "deployment-1"
ACTIVITY = "activity-of-the-link"


class Platform(Protocol):
    """What another implementation answers on its two addresses."""

    def key_set(self) -> Mapping[str, Any]: ...

    def grant(self, form: dict[str, str]) -> Mapping[str, Any]:
        """Answer a token request, or raise what it thinks of it."""


class Tool:
    """The real tool, with a browser that keeps its cookies."""

    def __init__(self, url: str, platform_url: str, folder: Path) -> None:
        self.url = url
        settings = Settings.from_env(
            {
                "LTI_TOOL_DEVELOPMENT": "1",
                "LTI_TOOL_BASE_URL": url,
                "LTI_TOOL_DATABASE_URL": f"sqlite:///{folder}/tandem.db",
                "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
                "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": urlsplit(platform_url).netloc,
                "LTI_TOOL_WORKER": "separate",
            }
        )
        services = build(settings)
        self.kit, self._engine = services.kit, services.engine
        self.app = create_app(services)
        Base.metadata.create_all(services.engine)
        self.browser: FlaskClient = self.app.test_client()
        self._register(platform_url)

    @property
    def launch_url(self) -> str:
        return f"{self.url}/lti/launch"

    def close(self) -> None:
        from lti_tool.web.database import db  # noqa: PLC0415 - only to let go of its connections

        with self.app.app_context():
            db.engine.dispose()
        self._engine.dispose()

    def login(self, preflight_url: str) -> dict[str, str]:
        """Start a login as the platform asks; the authentication request that the browser is sent away with."""
        page = self.browser.get(preflight_url.removeprefix(self.url))
        assert page.status_code == 200, page.text
        found = re.search(r'data-next="([^"]+)"', page.text)
        assert found, page.text
        return {name: values[0] for name, values in parse_qs(urlsplit(unescape(found[1])).query).items()}

    def launch(self, form: Mapping[str, str]) -> Visit:
        """Post what the platform signed; the visit that it opened."""
        landed = self.browser.post("/lti/launch", data=form)
        assert landed.status_code == 303, landed.text
        key = landed.location.split("/v/")[1].split("/")[0]
        with self.kit.open_session() as session, across_institutions(session):
            return session.scalars(select(Visit).where(Visit.key == key)).one()

    def token(self, *scopes: str) -> Token:
        """A token for the platform's services."""
        with self.kit.open_session() as session:
            registration_id = session.scalars(select(Registration.id)).one()
        return TokenClient(self.kit).token(registration_id, scopes)

    def change_keys(self) -> None:
        """Sign with a new key from now on."""
        with self.kit.open_session() as session:
            rotate(session, self.kit.secrets, now=self.kit.clock.now(), force=True)

    def place(self, visit: Visit, issuer: str) -> str:
        """Answer the dialog that opened this visit with one activity and its grade column."""
        asked = DeepLinking(**visit.details["deep_linking"])
        item = LinkItem(
            title="Observation and feedback – «Übung» 1",
            url=self.launch_url,
            activity_key=ACTIVITY,
            text="Observe a colleague & tell them what you saw.",
            column=GradeColumn("Observation", 100, ACTIVITY, "completion"),
        )
        to = Addressee(issuer, CLIENT_ID, DEPLOYMENT_ID)
        return self.signed(answer(asked, [item], to, nonce=new_secret(), now=self.kit.clock.now()))

    def signed(self, claims: Mapping[str, Any]) -> str:
        """These claims as a token of ours."""
        with self.kit.open_session() as session:
            return sign(claims, signing_key(session, self.kit.secrets))

    def _register(self, platform_url: str) -> None:
        entry = {
            "title": "Second opinion",
            "issuer": platform_url,
            "client_id": CLIENT_ID,
            "deployment_ids": [DEPLOYMENT_ID],
            "auth_login_url": f"{platform_url}/auth",
            "auth_token_url": f"{platform_url}/token",
            "key_set_url": f"{platform_url}/jwks",
            "platform_origin": platform_url,
        }
        now = self.kit.clock.now()
        with self.kit.open_session() as session:
            register_from_file(session, read_entries([entry], development=True), now=now)
            ensure_signing_key(session, self.kit.secrets, now=now)


@contextmanager
def serving(make: Callable[[str], Any]) -> Iterator[str]:
    """Serve the WSGI application that is made for an address, on a free port of loopback."""
    server = make_server("127.0.0.1", 0, Flask("not yet"), threaded=True)
    url = f"http://127.0.0.1:{server.port}"
    server.app = make(url)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def platform_and_tool(make: Callable[[str], Platform], folder: Path) -> Iterator[tuple[Platform, Tool]]:
    """A platform and Tandem, registered with it."""
    platforms: list[Platform] = []
    tools: list[Tool] = []

    def platform_app(url: str) -> Flask:
        platforms.append(make(url))
        app = Flask("platform")
        app.add_url_rule("/jwks", "jwks", lambda: jsonify(platforms[0].key_set()))
        app.add_url_rule(
            "/token", "token", lambda: jsonify(platforms[0].grant(request.form.to_dict())), methods=["POST"]
        )
        return app

    def tool_app(url: str) -> Flask:
        tools.append(Tool(url, platform_url, folder))
        return tools[0].app

    with serving(platform_app) as platform_url, serving(tool_app):
        yield platforms[0], tools[0]
        tools[0].close()
