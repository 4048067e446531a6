"""Answers of the services, worded as each product words them."""

import json
from typing import TYPE_CHECKING, Any

from flask import Response, request

if TYPE_CHECKING:
    from sandbox_lms.lms import Lms

STANDARD_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    412: "Precondition Failed",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    500: "Internal Server Error",
}


def status_line(status: int, reason: str) -> str:
    """A status line with any text in it: UTF-8 bytes, one line, as servers send them."""
    return f"{status} {' '.join(reason.split())}".encode().decode("latin-1")


def answered(payload: Any, media_type: str, status: int = 200) -> Response:
    """A good answer with its media type."""
    return Response(
        "" if payload is None else json.dumps(payload, ensure_ascii=False),
        status,
        content_type=f"{media_type}; charset=utf-8",
    )


def refused(lms: "Lms", status: int, reason: str | None = None) -> Response:
    """A refusal: Moodle repeats the request in it, the others give an error object."""
    words = reason or STANDARD_REASONS[status]
    if not lms.profile.strict_media_types:
        kind = STANDARD_REASONS[status].lower().replace(" ", "_")
        return answered({"errors": {"type": kind, "message": words}}, "application/json", status)
    echo = {"method": request.method, "url": request.full_path.rstrip("?"), "accept": request.headers.get("Accept")}
    echo["accept"] = echo["accept"] or "*/*"
    if request.content_type:
        echo["contentType"] = request.content_type
    response = answered({"status": status, "reason": words, "request": echo}, "application/json", status)
    response.status = status_line(status, words)
    return response


def media_refusal(lms: "Lms", path: str, *, accepts: str | None = None, takes: str | None = None) -> Response | None:
    """Moodle's refusal of a request that does not name the IMS media types; None when all is well."""
    if not lms.profile.strict_media_types:
        return None
    accept, content_type = request.headers.get("Accept", ""), request.content_type or ""
    accept_is_good = not accepts or not accept or "*/*" in accept or accepts in accept
    content_is_good = not takes or content_type.partition(";")[0].strip() == takes
    if accept_is_good and content_is_good:
        return None
    named = accept if not accept_is_good else ""
    return refused(lms, 400, f"No handler found for {path} {named} {content_type if takes else ''}")


def link_header(*links: tuple[str, str], is_curly: bool = False) -> str:
    """A Link header; Moodle's line items come with curly quotes and escaped ampersands."""
    if not is_curly:
        return ", ".join(f'<{url}>; rel="{rel}"' for url, rel in links)
    text = ", ".join(f"<{url.replace('&', '&amp;')}>; rel=“{rel}”" for url, rel in links)
    return text.encode().decode("latin-1")
