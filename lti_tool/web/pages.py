"""Entering a visit, and what every page of a visit shares."""

import base64
from urllib.parse import parse_qsl, quote, urlencode

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException

from lti_tool.web.access import Here, current_here, form_token, is_from_another_site, kit, on_visit, set_visit_cookie
from lti_tool.web.database import transaction
from lti_tool.web.visits import (
    CodeSpent,
    VisitKind,
    copy_visit,
    issue_code,
    issue_entry,
    open_visit,
    redeem_code,
)

entry = Blueprint("visit", __name__)

VISIT_PREFIX = "/v/<visit>"
# What the dialog of a platform asked for must be answered where it was asked: in a tab of its own nobody listens.
IN_TABS = frozenset(VisitKind) - {VisitKind.PLACING}
PASSING = frozenset({"c", "said"})
"""Parameters of an address that apply only once."""


@entry.get("/")
def root() -> ResponseReturnValue:
    """Explain Tandem to anyone who opens the address itself."""
    return render_template("visit/root.html", contact=kit().settings.contact)


@entry.post("/v/<visit>/enter")
def enter() -> Response:
    """Change the single-use code that a launch left in the address for the visit's bearer."""
    tools = kit()
    with transaction() as session:
        visit, details = redeem_code(session, request.form.get("code", ""), "enter", now=tools.clock.now())
        if visit.key != g.visit_key:
            raise CodeSpent
        bearer = tools.secrets.decrypt(details["sealed"]).decode()
    return jsonify({"bearer": bearer})


@entry.post("/v/<visit>/new-tab")
@on_visit(kinds=IN_TABS, keeps_in_preview=True)
def new_tab(here: Here) -> ResponseReturnValue:
    """Open this visit in a tab of its own, where the browser keeps what it refuses inside a frame, at the same page."""
    return offer_tab(here, VisitKind(here.visit.kind), page=request.form.get("page", ""))


def offer_tab(here: Here, kind: VisitKind, placement_id: int | None = None, *, page: str = "") -> ResponseReturnValue:
    """Answer a POST with the single-use address of a new tab for the same person: a visit of that kind.

    It goes to the same placement or to another one of the same course, which the caller has looked up there, and opens
    on `page`, the address of a page within the visit, else on the first one.
    """
    asked: dict[str, object] = {"kind": kind, "page": page}
    if placement_id is not None:
        asked["placement_id"] = placement_id
    code = issue_code(here.session, here.visit, "tab", asked, now=here.now)
    url = url_for("visit.go", code=code)
    if request.accept_mimetypes.best == "application/json":
        return jsonify({"open": url})
    # Without script the address is a link: a form that opens a tab would send no cookie there, because the browser
    # keeps cookies apart by the site of the tab.
    return render_template("visit/new_tab.html", url=url)


@entry.get("/go/<code>")
def go(code: str) -> Response:
    """Begin a visit in this tab with a code from another one."""
    tools = kit()
    now = tools.clock.now()
    if is_from_another_site():
        # Only our own pages lead here. Whoever was given the code wants another person to go on in their name.
        with transaction() as session:
            redeem_code(session, code, "tab", now=now)
        raise CodeSpent
    with transaction() as session:
        old, details = redeem_code(session, code, "tab", now=now)
        visit = copy_visit(old, VisitKind(details["kind"]))
        if "placement_id" in details:
            # What the launch said about its own link is not true of another.
            visit.placement_id, visit.details = details["placement_id"], {}
        secret = open_visit(session, visit, now=now, lifetime=tools.settings.visit_absolute)
        enter_code = issue_entry(session, visit, secret, tools.secrets, now=now)
        answer = make_response(redirect(_address_in(visit.key, details.get("page", ""), enter_code), code=303))
        set_visit_cookie(answer, visit, secret)
    return answer


def unsent_store(here: Here, what: str) -> dict[str, str]:
    """Name and key under which the browser keeps unsent text: the same at each visit of this person, nobody else's."""
    purpose = f"unsent text:{here.visit.institution_id}:{here.person_id}:{what}"
    secret = here.kit.secrets.derive(purpose)
    name = here.kit.secrets.derive(f"name of {purpose}")
    return {
        "name": base64.urlsafe_b64encode(name[:15]).decode(),
        "key": base64.b64encode(secret).decode(),
    }


def _page_here() -> str:
    """The address of this request within its visit, without the parts that are true only once.

    If only a form leads there, a new tab that is sent there opens on the first page instead (`_address_in`).
    """
    path = request.path.removeprefix(f"/v/{g.get('visit_key')}/")
    query = urlencode([(name, value) for name, value in request.args.items(multi=True) if name not in PASSING])
    return f"{path}?{query}" if query else path


def address_of(page: str, **values: object) -> str | None:
    """The address of a page of this visit, named by what stands behind the visit, with more in its query.

    None where there is no such page. Its own `#` part stays.
    """
    rest, _, anchor = page.partition("#")
    address = _within(g.visit_key, rest, [(name, str(value)) for name, value in values.items()]) if page else None
    return f"{address}#{quote(anchor)}" if address and anchor else address


def _address_in(visit_key: str, page: str, enter_code: str) -> str:
    address = _within(visit_key, page, [("c", enter_code)])
    return address or url_for("home.show", visit=visit_key, c=enter_code)


def _within(visit_key: str, page: str, values: list[tuple[str, str]]) -> str | None:
    path, _, query = page.partition("?")
    address = f"/v/{visit_key}/{path}"
    try:
        current_app.url_map.bind("").match(address, "GET")
    except (HTTPException, RoutingException):
        return None
    kept = [(name, value) for name, value in parse_qsl(query) if name not in dict(values)]
    return f"{quote(address)}?{urlencode([*kept, *values])}"


def install(app: Flask) -> None:
    """Read the visit from every address, and put it into every link of its pages."""

    @app.url_value_preprocessor
    def take_visit(endpoint: str | None, values: dict[str, str] | None) -> None:
        if values is not None and "visit" in values:
            g.visit_key = values.pop("visit")

    @app.url_defaults
    def put_visit(endpoint: str, values: dict[str, object]) -> None:
        if "visit" not in values and g and g.get("visit_key") and app.url_map.is_endpoint_expecting(endpoint, "visit"):
            values["visit"] = g.visit_key

    @app.context_processor
    def page_context() -> dict[str, object]:
        return {
            "here": current_here(),
            "form_token": form_token,
            "page_here": _page_here,
            "visit_key": g.get("visit_key"),
        }

    app.register_blueprint(entry)
