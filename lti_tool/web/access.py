"""Access to the pages of a visit: who asks, and what they may do."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from urllib.parse import urlencode

import structlog
from flask import Response, current_app, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.errors import NotAllowed, ToolError
from lti_tool.support.crypto import is_same_secret
from lti_tool.support.db import across_institutions, serve
from lti_tool.support.kit import Kit
from lti_tool.web.database import RaceLost, open_session, transaction
from lti_tool.web.kept import note_author
from lti_tool.web.visits import UNBOUND, Visit, VisitKind, VisitOver, around, find_visit, is_touch_due, redeem_code

INSTRUCTOR: Final = frozenset({"instructor"})
STAFF: Final = frozenset({"instructor", "assistant"})
EVERYONE_IN_COURSE: Final = frozenset({"instructor", "assistant", "learner"})

ACTS: Final[dict[str, frozenset[str]]] = {
    "set up an activity": INSTRUCTOR,
    "see the plan": STAFF,
    "change a plan": INSTRUCTOR,
    "publish a plan": INSTRUCTOR,
    "move a member": STAFF,
    "see attributes": INSTRUCTOR,
    "change attributes": INSTRUCTOR,
    "see progress": STAFF,
    "extend": STAFF,
    "release feedback": INSTRUCTOR,
    "facilitate": STAFF,
    "see the ledger": STAFF,
    "send a score again": STAFF,
    "export progress": INSTRUCTOR,
    "moderate a report": STAFF,
    "hide a practice": STAFF,
    "take a practice over": INSTRUCTOR,
    "withdraw a certificate": INSTRUCTOR,
    "take part": EVERYONE_IN_COURSE,
}
"""From an act to the course roles that may do it. An act that is not listed is not allowed to anyone."""

COOKIE_PREFIX: Final = "__Host-tandem-"
LOGIN_COOKIE_PREFIX: Final = f"{COOKIE_PREFIX}login-"
MOST_COOKIES: Final = 12
TRIES: Final = 3
"""How often a request is answered if other transactions were quicker each time."""

P = ParamSpec("P")
Answer = TypeVar("Answer")

log = structlog.get_logger(__name__)


class FormNotOurs(ToolError):
    """A form arrived with a cookie but without the proof that one of our own pages made it."""


@dataclass(frozen=True, slots=True)
class Here:
    """Who asks, from where, when, and with what: everything a page may use."""

    session: Session
    visit: Visit
    now: datetime
    kit: Kit

    @property
    def member_id(self) -> int | None:
        return self.visit.member_id

    @property
    def person_id(self) -> int:
        return self.visit.person_id

    @property
    def course_id(self) -> int:
        if self.visit.course_id is None:
            raise NotAllowed("no course", self.visit.key)
        return self.visit.course_id

    @property
    def placement_id(self) -> int | None:
        return self.visit.placement_id

    @property
    def role(self) -> str:
        return self.visit.role

    @property
    def is_preview(self) -> bool:
        return self.visit.is_preview

    @property
    def is_staff(self) -> bool:
        return self.role in STAFF

    @property
    def is_instructor(self) -> bool:
        return self.role in INSTRUCTOR

    def may(self, act: str) -> bool:
        return self.role in ACTS[act]


View = Callable[Concatenate[Here, P], ResponseReturnValue]


def kit() -> Kit:
    """The collaborators of this app. Services open their sessions in the request by Flask-SQLAlchemy, as pages do."""
    tools: Kit = current_app.extensions["tandem"]
    return replace(tools, open_session=open_session)


def on_visit(
    *,
    may: str | None = None,
    kinds: frozenset[VisitKind] = frozenset({VisitKind.ACTIVITY, VisitKind.REVIEW}),
    keeps_in_preview: bool = False,
    notes_reading: bool = False,
) -> Callable[[View[P]], Callable[P, ResponseReturnValue]]:
    """Open a page only to a live visit of the right kind whose role may do this.

    Opens the request's one transaction, finds the visit named in the URL, checks its secret and, where a cookie brought
    it, the form's proof; commits if the answer's status is below 400. What staff do in a learner's preview is undone
    unless `keeps_in_preview`. With `notes_reading` a GET may write too: that something was read.
    A GET without any secret is answered with a small page whose script fetches the real one with the bearer it kept
    (ADR 2). Raises VisitOver, NotAllowed, FormNotOurs.
    """
    if may is not None and may not in ACTS:
        raise KeyError(may)

    def decorate(view: View[P]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def page(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            key: str = g.visit_key
            is_reading = request.method in {"GET", "HEAD"}
            secret, from_cookie = secret_sent(key)
            if secret is None:
                if is_reading:
                    return _page_that_brings_the_bearer(key)
                raise VisitOver(key)
            answer, to_touch, now = _until_not_overtaken(lambda: answered(key, secret, from_cookie, *args, **kwargs))
            if to_touch is not None:
                visit_id, institution_id = to_touch
                with transaction() as session:
                    serve(session, institution_id)
                    session.execute(update(Visit).where(Visit.id == visit_id).values(seen_at=now))
            return answer

        def answered(
            key: str, secret: str, from_cookie: bool, /, *args: P.args, **kwargs: P.kwargs
        ) -> tuple[Response, tuple[int, int] | None, datetime]:
            is_reading = request.method in {"GET", "HEAD"}
            tools = kit()
            now = tools.clock.now()
            # What an attempt before this one learned is known only if this one learns it too.
            g.pop("author", None)
            g.pop("around", None)
            with transaction(reading=is_reading and not notes_reading) as session:
                visit = _find_visit(session, key, secret, from_cookie=from_cookie, now=now)
                g.visit_secret, g.around = secret, around(visit)
                g.frame_ancestors = visit.frame_origins
                g.locale = visit.locale
                g.here = here = Here(session, visit, now, tools)
                if from_cookie and not is_reading:
                    _check_form_token(secret)
                note_author(visit)
                if visit.kind not in kinds or (may is not None and not here.may(may)):
                    raise NotAllowed(may, visit.kind, visit.role)
                answer = _carry_entry_code(make_response(view(here, *args, **kwargs)))
                to_touch = (visit.id, visit.institution_id) if is_touch_due(visit, now=now) else None
                if answer.status_code >= 400 or (visit.is_preview and not keeps_in_preview):
                    session.rollback()
            return answer, to_touch, now

        return page

    return decorate


def _until_not_overtaken(answer: Callable[[], Answer]) -> Answer:
    """The answer to this request. A request that lost a race is answered again: it then sees the other change, and
    either succeeds or says, in the page's own words and with what was typed, that it cannot.

    Raises RaceLost if it loses every time.
    """
    for _ in range(TRIES - 1):
        try:
            return answer()
        except RaceLost as lost:
            log.info("race lost", cause=lost.args[0], path=request.endpoint)
            for file in request.files.values():
                file.stream.seek(0)
    return answer()


def _find_visit(session: Session, key: str, secret: str, *, from_cookie: bool, now: datetime) -> Visit:
    """The visit, if it is live. If it ran out, what its form holds is kept for the person who typed it."""
    try:
        return find_visit(session, key, secret, now=now, idle=kit().settings.visit_idle)
    except VisitOver as over:
        if over.ended is not None and (not from_cookie or _is_form_ours(secret)):
            note_author(over.ended)
        raise


def _carry_entry_code(answer: Response) -> Response:
    """Add the entry code to the address if a launch's first page redirects, so that the script can change it there."""
    code = request.args.get("c")
    if code and answer.location and answer.location.startswith(f"/v/{g.visit_key}/"):
        joint = "&" if "?" in answer.location else "?"
        answer.location = f"{answer.location}{joint}{urlencode({'c': code})}"
    return answer


def secret_sent(key: str) -> tuple[str | None, bool]:
    """The secret that came with the request for this visit, and whether a cookie brought it."""
    if request.authorization is not None and request.authorization.type == "bearer":
        return request.authorization.token, False
    return request.cookies.get(COOKIE_PREFIX + key), True


def _page_that_brings_the_bearer(key: str) -> Response:
    # Says nothing about whether the visit exists, except how its platform can be asked for the bearer it keeps.
    visit = _storage_of(key)
    code = request.args.get("c")
    if code and visit is not None and not visit.details.get(UNBOUND) and is_from_another_site():
        # A launch without cookies ends on our own page that proves the browser. This is a code that somebody else was
        # given, handed on to put this person into that visit.
        with transaction() as session:
            redeem_code(session, code, "enter", now=kit().clock.now())
        raise VisitOver(key)
    g.frame_ancestors = visit.frame_origins if visit is not None else None
    answer = make_response(render_template("visit/bring.html", visit_key=key, visit=visit))
    answer.headers["Vary"] = "Authorization, Cookie"
    return answer


def is_from_another_site() -> bool:
    """Whether the browser says that a page of another site sent it here. Older browsers say nothing."""
    return request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}


def _storage_of(key: str) -> Visit | None:
    with transaction(reading=True) as session, across_institutions(session):
        return session.scalar(select(Visit).where(Visit.key == key))


def _derive_form_token(secret: str) -> str:
    digest = hmac.new(secret.encode(), b"tandem form", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _check_form_token(secret: str) -> None:
    if not _is_form_ours(secret):
        raise FormNotOurs(request.endpoint)


def _is_form_ours(secret: str) -> bool:
    return is_same_secret(request.form.get("form_token", ""), _derive_form_token(secret))


def form_token() -> Markup:
    """The hidden field that proves a form to be ours when only a cookie says who sent it."""
    return Markup('<input type="hidden" name="form_token" value="{}">').format(_derive_form_token(g.visit_secret))


def set_visit_cookie(response: Response, visit: Visit, secret: str) -> None:
    """Let the browser keep the visit's secret, if it will, and drop the oldest visits' cookies beyond MOST_COOKIES."""
    lifetime = int((visit.expires_at - visit.created_at).total_seconds())
    _cookie(response, COOKIE_PREFIX + visit.key, secret, lifetime)
    # Cookies of logins under way end by themselves; losing one would cost that login its proof.
    ours = [
        name for name in request.cookies if name.startswith(COOKIE_PREFIX) and not name.startswith(LOGIN_COOKIE_PREFIX)
    ]
    for name in ours[: max(0, len(ours) - MOST_COOKIES + 1)]:
        _cookie(response, name, "", 0)


def _cookie(response: Response, name: str, value: str, max_age: int) -> None:
    response.set_cookie(
        name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="None", partitioned=True
    )


def current_here() -> Here | None:
    """The visit of this request, for templates and error pages."""
    here: Any = g.get("here")
    return here if isinstance(here, Here) else None
