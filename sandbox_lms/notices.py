"""Notices: what the LMS tells subscribed tools by itself, without anybody opening them."""

import secrets
import uuid
from typing import TYPE_CHECKING, Any

import requests
from flask import Blueprint, Response, current_app, request

from sandbox_lms import vocabulary as words
from sandbox_lms.answers import answered, refused
from sandbox_lms.records import Course, ToolRegistration
from sandbox_lms.tokens import bearer

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

notices = Blueprint("notices", __name__)
TIMEOUT = (3.05, 5)
LIFETIME_SECONDS = 3600
KINDS = (words.HELLO_NOTICE, words.COPY_NOTICE)


@notices.route("/services/notice-handlers/<int:tool_number>/<deployment_id>", methods=["GET", "PUT"])
def handlers(tool_number: int, deployment_id: str) -> Response:
    """The addresses to which a tool wants notices, one for each type; an empty one ends that."""
    lms: Lms = current_app.config["LMS"]
    tool = bearer(lms, request.headers.get("Authorization"), words.NOTICE_HANDLERS)
    if tool is None or tool.number != tool_number or deployment_id not in tool.deployment_ids:
        return refused(lms, 401)
    subscribed = tool.notice_handlers.setdefault(deployment_id, {})
    if request.method == "GET":
        listed = [{"notice_type": kind, "handler": subscribed.get(kind, "")} for kind in KINDS]
        told = {"client_id": tool.client_id, "deployment_id": deployment_id, "notice_handlers": listed}
        return answered(told, "application/json")
    wanted = request.get_json(silent=True)
    kind, handler = (wanted.get("notice_type"), wanted.get("handler")) if isinstance(wanted, dict) else (None, None)
    if kind not in KINDS or not isinstance(handler, str):
        return refused(lms, 400)
    if handler and not handler.startswith(tool.target_link_uri.partition("/lti/")[0]):
        return refused(lms, 400, "handler is not on the domain of the tool")
    with lms.lock:
        subscribed[kind] = handler
    return answered({"notice_type": kind, "handler": handler}, "application/json")


def copy_notice(
    lms: "Lms", tool: ToolRegistration, deployment_id: str, course: Course, origin: Course
) -> dict[str, Any]:
    """The claims of the notice that a course was copied from another."""
    now = int(lms.now().timestamp())
    return {
        "iss": tool.issuer,
        "aud": tool.client_id,
        "azp": tool.client_id,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "nonce": secrets.token_hex(16),
        f"{words.LTI}version": "1.3.0",
        f"{words.LTI}deployment_id": deployment_id,
        f"{words.LTI}notice": {
            "id": str(uuid.uuid4()),
            "timestamp": lms.now().isoformat(timespec="seconds").replace("+00:00", "Z"),
            "type": words.COPY_NOTICE,
        },
        f"{words.LTI}context": {
            "id": course.id,
            "label": course.label,
            "title": course.title,
            "type": ["http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering"],
        },
        f"{words.LTI}origin_contexts": [origin.id],
    }


def tell_of_copy(lms: "Lms", course: Course, origin: Course) -> None:
    """Send every subscribed tool the notice. Like Canvas, do not try again where a tool does not answer."""
    for tool in lms.tools:
        for deployment_id, subscribed in tool.notice_handlers.items():
            handler = subscribed.get(words.COPY_NOTICE)
            if handler:
                signed = lms.keyring.sign(copy_notice(lms, tool, deployment_id, course, origin))
                lms.deliver(handler, {"notices": [{"jwt": signed}]})


def post(handler: str, message: dict[str, Any]) -> int | None:
    """Send a message to a tool. Returns the status of its answer; None if there was none."""
    try:
        return requests.post(handler, json=message, timeout=TIMEOUT, allow_redirects=False).status_code
    except requests.RequestException:
        return None
