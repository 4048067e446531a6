"""Turns errors into pages: what happened, what to do, and a reference. The only place that words a failure."""

from collections.abc import Mapping
from typing import Final

import structlog
from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_babel import gettext
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from lti_tool.errors import N_, Conflict, NotAllowed, NotFound, ToolError, Words
from lti_tool.web import kept
from lti_tool.web.access import FormNotOurs, kit
from lti_tool.web.audit import new_reference, record, source_of
from lti_tool.web.database import RaceLost, transaction
from lti_tool.web.visits import Around, CodeSpent, VisitOver

log = structlog.get_logger(__name__)

REOPEN: Final = N_("Close this page and open the activity again from your course.")

WORDS: Final[dict[type[Exception], Words]] = {
    NotAllowed: Words(403, N_("You cannot open this page"), N_("Go back to the activity, or ask your instructor.")),
    NotFound: Words(404, N_("There is nothing here"), N_("It may have been removed. Go back to the activity.")),
    Conflict: Words(
        409, N_("Someone else changed this at the same time"), N_("Check it, then make your change again.")
    ),
    VisitOver: Words(
        401,
        N_("Your visit has ended"),
        N_(
            "Open the activity again from your course. What you typed is kept in this browser, and you "
            "can restore it there."
        ),
    ),
    CodeSpent: Words(
        410,
        N_("This link was already used"),
        N_("This kind of link works once, within one minute. Go back and ask for a new one."),
    ),
    FormNotOurs: Words(400, N_("This form could not be verified"), REOPEN),
    ToolError: Words(
        500, N_("Something went wrong on our side"), N_("Try again in a moment. Nothing you saved is lost.")
    ),
    OperationalError: Words(
        503, N_("Tandem cannot reach its database"), N_("Try again in a minute. Nothing you saved is lost.")
    ),
}

HTTP_WORDS: Final[dict[int, Words]] = {
    400: Words(400, N_("This request could not be understood"), REOPEN),
    404: WORDS[NotFound],
    405: Words(405, N_("This address cannot be opened directly"), N_("Open the activity from your course.")),
    413: Words(413, N_("That was too large"), N_("Go back, then send a smaller file or a shorter text.")),
    429: Words(429, N_("Too many requests"), N_("Wait a minute, then try again.")),
}


def words_for(error: Exception, words: Mapping[type[Exception], Words]) -> Words:
    """The words of the nearest class that has some."""
    return next((words[kind] for kind in type(error).__mro__ if kind in words), words[ToolError])


def error_page(
    words: Words, reference: str, *, fill: Mapping[str, str] | None = None, return_url: str | None = None
) -> Response:
    """An error page. It has no buttons that change anything, so any page that frames the visit may frame it.

    Text from a form that was refused is shown on it and kept for its author. `return_url`: the address to which the
    platform wants people to return, from a signed launch.
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
    title = gettext(words.title)
    if is_script:
        answer = {"error": title, "reference": reference, "is_kept": is_kept}
        return make_response({**answer, "typed": {one.field: one.text for one in typed}}, words.status)
    page = render_template(
        "error.html",
        title=title,
        what_to_do=gettext(words.what_to_do, **(fill or {})),
        status=words.status,
        reference=reference,
        contact=contact,
        return_url=return_url,
        typed=[(kept.name_of(one.field), one.text) for one in typed],
        is_kept=is_kept,
    )
    return make_response(page, words.status)


def on_record(error: Exception, status: int, visit: Around | None) -> str:
    """Write into the record that an error page was shown, and return the reference under which it stands there."""
    reference = new_reference()
    if request.endpoint is None and "text/html" not in request.headers.get("Accept", ""):
        return reference  # A program that asked for an address that is none of ours.
    tools = kit()
    try:
        with transaction() as session:
            return record(
                session,
                "error page",
                now=tools.clock.now(),
                reference=reference,
                source=source_of(request.remote_addr, tools.secrets),
                institution_id=visit.institution_id if visit else None,
                registration_id=visit.registration_id if visit else None,
                course_id=visit.course_id if visit else None,
                person_id=visit.person_id if visit else None,
                error=type(error).__name__,
                status=status,
                page=request.endpoint,
            )
    except (SQLAlchemyError, RaceLost) as failure:
        # The person is still told what happened; only the note is lost.
        log.error("audit_lost", error=type(failure).__name__, reference=reference)
        return reference


def install(app: Flask, feature_words: Mapping[type[Exception], Words]) -> None:
    """Word the errors of all features on this app's pages."""
    known_words: dict[type[Exception], Words] = {**WORDS, **feature_words}

    def around(error: Exception) -> Around | None:
        visit: Around | None = getattr(error, "around", None) or g.get("around")
        return visit

    def reference_of(error: Exception, words: Words) -> str:
        reference: str | None = getattr(error, "reference", None)
        if reference is not None:
            return reference
        is_database_away = isinstance(error, OperationalError)
        return new_reference() if is_database_away else on_record(error, words.status, around(error))

    def show(error: Exception, words: Words, reference: str) -> Response:
        visit = around(error)
        if visit is not None:
            g.locale = visit.locale
        fill = error.fill if isinstance(error, ToolError) else None
        return error_page(words, reference, fill=fill, return_url=visit.return_url if visit else None)

    def refuse(error: Exception, words: Words) -> Response:
        reference = reference_of(error, words)
        log.info("refused", error=type(error).__name__, status=words.status, reference=reference, path=request.endpoint)
        return show(error, words, reference)

    def named(error: Exception) -> Response:
        return refuse(error, words_for(error, known_words))

    def over_http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400:
            return make_response("", status, dict(error.get_headers(request.environ)))
        return refuse(error, HTTP_WORDS.get(status, WORDS[ToolError]))

    def unexpected(error: Exception) -> Response:
        words = WORDS[ToolError]
        reference = reference_of(error, words)
        # Logged first, in case the page fails too.
        # The log shows type and place only: messages of foreign exceptions may quote what a person typed.
        log.error("unexpected", error=type(error).__name__, reference=reference, path=request.endpoint, exc_info=error)
        return show(error, words, reference)

    for kind in (ToolError, OperationalError):
        app.register_error_handler(kind, named)
    app.register_error_handler(HTTPException, over_http)
    app.register_error_handler(Exception, unexpected)
