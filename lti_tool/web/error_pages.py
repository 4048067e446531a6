"""Turns errors into pages: what happened, what to do, and a reference. The only place that words a failure."""

from collections.abc import Mapping
from typing import Final

import structlog
from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_babel import gettext
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words
from lti_tool.web import kept
from lti_tool.web.access import FormNotOurs, kit
from lti_tool.web.audit import new_reference
from lti_tool.web.visits import CodeSpent, VisitOver

log = structlog.get_logger(__name__)

REOPEN: Final = N_("Close this page and open the activity again from your course.")

WORDS: Final[dict[type[Exception], Words]] = {
    NotAllowed: Words(403, N_("This page is not for you"), N_("Go back to the activity, or ask your instructor.")),
    NotFound: Words(404, N_("There is nothing here"), N_("It may have been removed. Go back to the activity.")),
    Conflict: Words(
        409, N_("Somebody else changed this at the same time"), N_("Look at it again, then repeat what you did.")
    ),
    VisitOver: Words(
        401,
        N_("Your visit has ended"),
        N_(
            "Open the activity again from your course. What you typed is kept in this browser and will be offered back."
        ),
    ),
    CodeSpent: Words(
        410,
        N_("This address was already used"),
        N_("Such an address works once and for one minute. Go back and ask for a new one."),
    ),
    FormNotOurs: Words(400, N_("This form could not be checked"), REOPEN),
    ToolError: Words(
        500, N_("Something went wrong on our side"), N_("Try again in a moment. Nothing you saved is lost.")
    ),
    OperationalError: Words(
        503, N_("Tandem cannot reach its records"), N_("Try again in a minute. Nothing you saved is lost.")
    ),
}

HTTP_WORDS: Final[dict[int, Words]] = {
    400: Words(400, N_("This request could not be understood"), REOPEN),
    404: WORDS[NotFound],
    405: Words(405, N_("This address cannot be opened directly"), N_("Open the activity from your course.")),
    413: Words(413, N_("That was too large"), N_("Go back, then send a smaller file or a shorter text.")),
    429: Words(429, N_("Too many requests"), N_("Wait a minute, then try again.")),
}


def words_for(error: Exception, known: Mapping[type[Exception], Words]) -> Words:
    """The words of the nearest class that has some."""
    return next((known[kind] for kind in type(error).__mro__ if kind in known), known[ToolError])


def error_page(words: Words, reference: str) -> Response:
    """A page that can stand alone: it carries no action, so whoever framed the visit may frame it.

    What was typed into a form that is refused so stands on it, and is kept for its author.
    """
    g.pop("here", None)  # its rows went with the rollback
    wanted = request.accept_mimetypes.best_match(["text/html", "application/json"])
    is_script = wanted == "application/json" and request.accept_mimetypes["text/html"] == 0
    typed = kept.typed()
    # Of a visit that ended, the page's own script keeps the text in the browser and brings it back.
    is_kept = not (is_script and words.status == 401) and kept.keep(typed, now=kit().clock.now())
    if "frame_ancestors" not in g:
        g.frame_ancestors = None
    contact = current_app.extensions["tandem"].settings.contact
    if is_script:
        told = {"error": gettext(words.title), "reference": reference, "is_kept": is_kept}
        return make_response({**told, "typed": {one.field: one.text for one in typed}}, words.status)
    page = render_template(
        "error.html",
        words=words,
        reference=reference,
        contact=contact,
        typed=[(kept.name_of(one.field), one.text) for one in typed],
        is_kept=is_kept,
    )
    return make_response(page, words.status)


def install(app: Flask, feature_words: Mapping[type[Exception], Words]) -> None:
    """Word the errors of all features on this app's pages."""
    known: dict[type[Exception], Words] = {**WORDS, **feature_words}

    def named(error: Exception) -> Response:
        words = words_for(error, known)
        reference = getattr(error, "reference", None) or new_reference()
        log.info("refused", error=type(error).__name__, status=words.status, reference=reference, path=request.endpoint)
        return error_page(words, reference)

    def over_http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return make_response("", status, dict(error.get_headers(request.environ)))
        return error_page(HTTP_WORDS.get(status, WORDS[ToolError]), new_reference())

    def unexpected(error: Exception) -> Response:
        reference = new_reference()
        # The log shows type and place only: messages of foreign exceptions may quote what a person typed.
        log.error("unexpected", error=type(error).__name__, reference=reference, path=request.endpoint, exc_info=True)
        return error_page(WORDS[ToolError], reference)

    for kind in (ToolError, OperationalError):
        app.register_error_handler(kind, named)
    app.register_error_handler(HTTPException, over_http)
    app.register_error_handler(Exception, unexpected)
