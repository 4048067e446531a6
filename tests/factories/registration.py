"""A tool that can reach a platform on loopback, and what platforms say about themselves."""

import json
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from lti_tool.registration.service import institution_named
from lti_tool.registration.service.invitations import INVITATION_LIFETIME, invite
from lti_tool.support.http import Outbound
from lti_tool.support.kit import Kit
from tests.fakes.web_server import WebServer, answer


def reaching(kit: Kit, *ports: int) -> Kit:
    """The same kit, which may call these ports of this machine, and waits for nobody."""
    hosts = tuple(("127.0.0.1", port) for port in ports)
    return replace(kit, http=Outbound(hosts, development=True, pause=lambda _: None))


def an_invitation(session: Session, kit: Kit, name: str = "University") -> str:
    """The secret of a new invitation."""
    now = kit.clock.now()
    institution = institution_named(session, name, now=now)
    return invite(session, institution.id, now=now, lifetime=INVITATION_LIFETIME)[1]


def json_answer(body: Any, status: str = "200 OK", *headers: str) -> list[bytes]:
    return answer(json.dumps(body).encode(), status, "Content-Type: application/json", *headers)


def a_configuration(server: WebServer | str, **changes: Any) -> dict[str, Any]:
    """A platform's OpenID configuration; a change to None leaves the entry out."""
    base = server if isinstance(server, str) else server.url("")
    configuration = {
        "issuer": base,
        "authorization_endpoint": f"{base}/auth",
        "token_endpoint": f"{base}/token",
        "jwks_uri": f"{base}/jwks",
        "registration_endpoint": f"{base}/register",
        "scopes_supported": [
            "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem",
            "https://purl.imsglobal.org/spec/lti-ags/scope/score",
            "openid",
        ],
        "id_token_signing_alg_values_supported": ["RS256"],
        "https://purl.imsglobal.org/spec/lti-platform-configuration": {
            "product_family_code": "moodle",
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": "LtiDeepLinkingRequest", "placements": ["ContentArea", "SomethingElse"]},
            ],
            "variables": ["Context.id.history"],
        },
    }
    return {name: value for name, value in {**configuration, **changes}.items() if value is not None}
