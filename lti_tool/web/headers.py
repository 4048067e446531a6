"""Security headers that differ by platform: the page that launched a visit may frame it, and no other."""

from typing import Final

from flask import Flask, Response, g

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'"
)


def add_headers(response: Response) -> Response:
    """Set the policy of this answer from `g.frame_ancestors` and `g.form_targets`.

    `frame_ancestors`: a list of origins (empty: nobody may frame); None: anybody may, which is for pages without a
    visit that carry no action. `form_targets`: further origins that a form of this page posts to.
    """
    targets = " ".join(["'self'", *g.get("form_targets", [])])
    policy = f"{CONTENT_POLICY}; form-action {targets}"
    ancestors = g.get("frame_ancestors", [])
    if ancestors is not None:
        policy += "; frame-ancestors " + (" ".join(ancestors) or "'none'")
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    if response.mimetype == "text/html" or g.get("visit_key"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def install(app: Flask) -> None:
    """Put the headers on every answer of the app."""
    app.after_request(add_headers)
