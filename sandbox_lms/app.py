"""The LMS's web application, put together."""

import secrets
import socket
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from sandbox_lms.admin_pages import admin
from sandbox_lms.answers import status_line
from sandbox_lms.course_pages import course_pages
from sandbox_lms.faults import Fault
from sandbox_lms.gradebook import gradebook
from sandbox_lms.groups import groups
from sandbox_lms.notices import notices
from sandbox_lms.pages import pages
from sandbox_lms.protocol import protocol
from sandbox_lms.records import RequestSeen
from sandbox_lms.roster import page_number, roster
from sandbox_lms.visitor import visitor

if TYPE_CHECKING:
    from sandbox_lms.sandbox import SandboxLms

FAULT_POINTS = {
    "protocol.auth": "auth",
    "protocol.jwks": "jwks",
    "protocol.token": "token",
    "protocol.openid_configuration": "openid_configuration",
    "protocol.register": "register",
    "roster.memberships": "roster",
    "groups.list_groups": "groups",
    "groups.list_sets": "groups",
    "notices.handlers": "notices",
    "gradebook.list_line_items": "line_items",
    "gradebook.create_line_item": "line_items",
    "gradebook.get_line_item": "line_items",
    "gradebook.put_line_item": "line_items",
    "gradebook.delete_line_item": "line_items",
    "gradebook.post_score": "scores",
    "gradebook.list_results": "results",
}
POLICY = "default-src 'self'; frame-src *; form-action *; img-src * data:; frame-ancestors 'self'; base-uri 'none'"


def create_app(lms: "SandboxLms") -> Flask:
    """The application that serves this LMS."""
    app = Flask(__name__)
    app.config.update(LMS=lms, SECRET_KEY=secrets.token_hex(32), SESSION_COOKIE_SAMESITE="Lax")
    # Cookies ignore ports: two sandboxes on one host would take each other's.
    app.config["SESSION_COOKIE_NAME"] = f"sandbox_lms_{secrets.token_hex(4)}"
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for blueprint in (protocol, roster, groups, notices, gradebook, pages, course_pages, admin):
        app.register_blueprint(blueprint)

    @app.before_request
    def fail_on_purpose() -> Response | None:
        point = FAULT_POINTS.get(request.endpoint or "")
        if point is None:
            return None
        fault = lms.faults.take(point, page_number(lms) if point == "roster" else 1)
        g.fault = fault
        if fault is None:
            return None
        lms.stopping.wait(fault.seconds)
        if fault.drops == "before":
            hang_up()
            return Response("", 500)
        return None if fault.status is None else failed(fault, fault.status)

    @app.after_request
    def finish(response: Response) -> Response:
        fault: Fault | None = g.get("fault")
        if fault is not None:
            spoil(response, fault)
        if response.status.isupper():
            # Werkzeug shouts; real servers do not.
            response.status = f"{response.status_code} {HTTPStatus(response.status_code).phrase}"
        endpoint = request.endpoint or ""
        if endpoint in FAULT_POINTS and lms.profile.throttle_headers:
            response.headers.setdefault("X-Request-Cost", "0.5")
            response.headers.setdefault("X-Rate-Limit-Remaining", "599.5")
        if response.mimetype == "text/html" and "Content-Security-Policy" not in response.headers:
            response.headers["Content-Security-Policy"] = POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
        point = FAULT_POINTS.get(endpoint, endpoint)
        lms.requests_seen.append(RequestSeen(point, request.method, request.path, response.status_code))
        return response

    @app.context_processor
    def known_to_templates() -> dict[str, object]:
        return {"lms": lms, "visitor": visitor()}

    return app


def failed(fault: Fault, status: int) -> Response:
    response = Response(fault.body, status, content_type=fault.content_type, headers=fault.headers)
    response.status = status_line(status, fault.reason or HTTPStatus(status).phrase)
    return response


def spoil(response: Response, fault: Fault) -> None:
    """Turn a good answer into the broken one that the fault asks for."""
    if fault.drops == "after":
        hang_up()
    if fault.replaces_body:
        response.set_data(fault.body)
        response.content_type = fault.content_type
    if fault.break_after_page is not None:
        whole = response.get_data()
        connection: socket.socket | None = request.environ.get("werkzeug.socket")

        def half() -> Iterator[bytes]:
            yield whole[: len(whole) // 2]
            if connection is not None:
                connection.shutdown(socket.SHUT_RDWR)

        response.response = half()
        response.headers["Content-Length"] = str(len(whole))


def hang_up() -> None:
    """Close the connection under the answer."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
