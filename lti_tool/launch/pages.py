"""Pages of the LTI protocol: login, launch, proof of the browser, our key set."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog
from flask import Blueprint, Response, current_app, g, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lti_tool.errors import ToolError, Words
from lti_tool.launch.errors import (
    WORDS,
    ClaimRefused,
    DeploymentParked,
    LaunchByAddress,
    LaunchError,
    LaunchUnknown,
    LoginIncomplete,
    PlatformSaidNo,
    StorageBlocked,
    TokenUnreadable,
)
from lti_tool.launch.rules import bindings
from lti_tool.launch.rules.context import LaunchContext
from lti_tool.launch.rules.values import LONGEST_ID
from lti_tool.launch.service import arrivals, launches, logins, notices
from lti_tool.launch.service.launches import OpenedVisit, ProofNeeded
from lti_tool.registration.models import Registration
from lti_tool.registration.service.keys import public_keys
from lti_tool.support.addresses import origin_of
from lti_tool.support.crypto import fingerprint
from lti_tool.support.failures import AddressRefused
from lti_tool.web import audit
from lti_tool.web.access import COOKIE_PREFIX, kit, set_visit_cookie
from lti_tool.web.database import RaceLost, transaction
from lti_tool.web.error_pages import error_page, words_for
from lti_tool.web.incoming import is_intact
from lti_tool.web.visits import Visit, issue_code, issue_entry

AfterLaunch = Callable[[Session, Visit, LaunchContext, datetime], None]
"""A function by which later features act on a launch; the app sets it."""

pages = Blueprint("lti", __name__)
log = structlog.get_logger(__name__)

LOGIN_FIELDS: Final = (
    "iss",
    "login_hint",
    "target_link_uri",
    "client_id",
    "lti_message_hint",
    "lti_deployment_id",
    "deployment_id",
)
"""The fields with which a login starts again in a new tab, which has no storage frame."""
OIDC_ERRORS: Final = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
    }
)
"""The words of the specification; anything else a platform says is not repeated in the audit."""
KEY_SET_SECONDS: Final = 600
LARGEST_NOTICES: Final = 500_000
"""Bytes of a message with notices."""
ELSEWHERE_LIFETIME: Final = timedelta(minutes=10)
"""How long the link to a new tab works: people read its page first."""
_KNOWN_WORDS: Final[dict[type[Exception], Words]] = {**dict(WORDS.items()), ToolError: WORDS[LaunchError]}


@pages.route("/lti/login", methods=["GET", "POST"])
def login() -> ResponseReturnValue:
    """Start a login: give the browser a secret to keep, then send it to its platform."""
    return _begin_login(in_new_tab=False)


@pages.post("/lti/new-tab")
def new_tab() -> ResponseReturnValue:
    """Start the same login again in a tab of its own, outside any frame."""
    return _begin_login(in_new_tab=True)


def _begin_login(*, in_new_tab: bool) -> ResponseReturnValue:
    tools = kit()
    fields = request.args if request.method == "GET" else request.form
    doubled = next((name for name in LOGIN_FIELDS if not is_intact(fields, name)), None)
    if doubled is not None:
        raise LoginIncomplete(doubled)
    wanted = bindings.read_login(fields, tools.settings.base_url)
    with transaction() as session:
        begun = logins.begin_login(
            session,
            wanted,
            base_url=tools.settings.base_url,
            framed_by=_framed_by(),
            now=tools.clock.now(),
            is_own_tab=in_new_tab,
        )
    # Anybody may frame a page that offers nothing worth a stolen click: an LMS may have addresses that nobody told us.
    g.frame_ancestors = [] if in_new_tab else None
    cookie = _cookie_name(begun.state)
    repeated = {name: fields[name] for name in LOGIN_FIELDS if name in fields}
    answer = make_response(render_template("launch/login.html", begun=begun, cookie=cookie, repeated=repeated))
    answer.set_cookie(
        cookie,
        begun.secret,
        max_age=int(bindings.LOGIN_LIFETIME.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="None",
        partitioned=True,
    )
    return answer


@pages.post("/lti/login/kept")
def kept() -> Response:
    """Tell whether the browser sent back the cookie of its login, and store its time zone."""
    with transaction() as session:
        state, zone = request.form.get("state", ""), request.form.get("zone", "")
        logins.note_time_zone(session, state, zone, now=kit().clock.now())
    answer = jsonify({"kept": request.args.get("name", "") in request.cookies})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@pages.get("/lti/login/blocked")
def blocked() -> ResponseReturnValue:
    """The page for a browser that keeps nothing, even in a tab of its own."""
    raise StorageBlocked("nothing kept")


@pages.get("/lti/launch")
def launch_by_address() -> ResponseReturnValue:
    """Refuse a launch by GET: its token would be kept in histories and logs."""
    raise LaunchByAddress("method")


@pages.post("/lti/launch")
def launch() -> ResponseReturnValue:
    """Take a platform's signed message, and open a visit or ask the browser for its secret."""
    tools = kit()
    error = request.form.get("error")
    if error:
        raise PlatformSaidNo(error if error in OIDC_ERRORS else "other")
    state = _state()
    if not is_intact(request.form, "id_token"):
        raise TokenUnreadable("twice or with a NUL")
    verified = launches.verify_launch(tools, state=state, token=request.form.get("id_token", ""))
    cookie = _cookie_name(state)
    with transaction() as session:
        outcome = launches.accept_launch(session, tools, verified, browser_secret=request.cookies.get(cookie))
        code = _prepare_entry(session, outcome) if isinstance(outcome, OpenedVisit) else ""
    if isinstance(outcome, ProofNeeded):
        g.frame_ancestors = None
        return render_template("launch/proof.html", needed=outcome, state=state)
    return _enter(outcome, code, cookie)


@pages.post("/lti/launch/confirm")
def confirm() -> ResponseReturnValue:
    """Open the visit of a launch whose browser kept its secret elsewhere than in a cookie."""
    tools = kit()
    state = _state()
    with transaction() as session:
        opened = launches.confirm_launch(session, tools, state=state, browser_secret=request.form.get("secret"))
        code = _prepare_entry(session, opened)
    return _enter(opened, code, _cookie_name(state))


@pages.post("/lti/notices")
def take_notices() -> ResponseReturnValue:
    """Take what a platform says by itself, such as that a course was copied.

    A verified notice is answered alike whatever it says of courses and deployments, so that nobody learns from it
    which of them we know.
    """
    body = request.stream.read(LARGEST_NOTICES + 1)
    if len(body) > LARGEST_NOTICES:
        return {"error": "too large"}, 413
    try:
        outcomes = notices.receive(kit(), json.loads(body))
    except (ValueError, RecursionError, ClaimRefused):
        return {"error": "malformed"}, 400
    if outcomes["unverified"]:
        return {"error": "keys unavailable"}, 503, {"Retry-After": "60"}
    return ({"error": "not verified"}, 401) if outcomes["refused"] else ({}, 200)


def _state() -> str:
    """The state of a form. Raises LaunchUnknown unless there is exactly one."""
    state: str = request.form.get("state", "")
    if not state or len(state) > LONGEST_ID or not is_intact(request.form, "state"):
        raise LaunchUnknown("state")
    return state


def _prepare_entry(session: Session, opened: OpenedVisit) -> str:
    """Let later features act on the launch in its transaction. Returns the code that enters the visit.

    If a page of an unknown origin frames us, it is the code for a new tab.
    """
    tools = kit()
    now = tools.clock.now()
    after_launch: AfterLaunch = current_app.extensions["tandem.after_launch"]
    after_launch(session, opened.visit, opened.context, now)
    if opened.stranger is not None:
        return issue_code(
            session, opened.visit, "tab", {"kind": opened.visit.kind}, now=now, lifetime=ELSEWHERE_LIFETIME
        )
    return issue_entry(session, opened.visit, opened.secret, tools.secrets, now=now)


def _framed_by() -> str | None:
    """The origin of the page that sent us here in a frame; None for a tab, and where the browser does not say."""
    if request.headers.get("Sec-Fetch-Dest") != "iframe" or not request.referrer:
        return None
    try:
        origin = origin_of(request.referrer)
    except AddressRefused:
        return None
    return origin if len(origin) <= LONGEST_ID else None


def _enter(opened: OpenedVisit, code: str, login_cookie: str) -> Response:
    if opened.stranger is None:
        answer = make_response(redirect(f"/v/{opened.visit.key}/?c={code}", code=303))
    else:
        # The browser would show no page of the visit inside this frame.
        g.frame_ancestors, g.locale = None, opened.visit.locale
        answer = make_response(render_template("launch/elsewhere.html", stranger=opened.stranger, code=code))
    set_visit_cookie(answer, opened.visit, opened.secret)
    answer.set_cookie(
        login_cookie, "", max_age=0, path="/", secure=True, httponly=True, samesite="None", partitioned=True
    )
    return answer


@pages.get("/lti/jwks")
def key_set() -> Response:
    """Our public keys: the one that signs, the next, and those retired lately."""
    with transaction(reading=True) as session:
        answer = jsonify({"keys": public_keys(session, now=kit().clock.now())})
    answer.headers["Cache-Control"] = f"public, max-age={KEY_SET_SECONDS}"
    return answer


@pages.errorhandler(LaunchError)
def refused(error: LaunchError) -> Response:
    """Note the refusal and show its page, with the reference under which it was noted."""
    tools, reference = kit(), audit.new_reference()
    now = tools.clock.now()
    institution_id = None
    try:
        with transaction() as session:
            if isinstance(error, DeploymentParked):
                arrivals.park_deployment(session, error.facts, now=now)
            registration = session.get(Registration, error.registration_id) if error.registration_id else None
            institution_id = registration.institution_id if registration else None
            reference = audit.record(
                session,
                error.what,
                now=now,
                reference=reference,
                institution_id=institution_id,
                registration_id=error.registration_id,
                source=audit.source_of(request.remote_addr, tools.secrets),
                error=type(error).__name__,
                reason=error.reason,
            )
    except (SQLAlchemyError, RaceLost) as failure:
        # The person is still told why; only the note is lost.
        log.error("audit_lost", error=type(failure).__name__, reference=reference)
    log.info(
        "launch_refused",
        error=type(error).__name__,
        reason=error.reason,
        reference=reference,
        registration_id=error.registration_id,
        institution_id=institution_id,
    )
    return error_page(words_for(error, _KNOWN_WORDS), reference, fill=error.fill, return_url=error.return_url)


def _cookie_name(state: str) -> str:
    return f"{COOKIE_PREFIX}login-{fingerprint(state)[:16]}"
