"""Files for a person, by a single-use address that needs no cookie."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, make_response, redirect, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from lti_tool.errors import NotFound
from lti_tool.support.spreadsheet import as_csv, delimiter_for
from lti_tool.web.access import Here, kit
from lti_tool.web.database import transaction
from lti_tool.web.i18n import reader_locale
from lti_tool.web.visits import issue_code, redeem_code

Builder = Callable[[Here, dict[str, Any]], Response]

downloads = Blueprint("downloads", __name__)


def builds(pages: Blueprint, name: str) -> Callable[[Builder], Builder]:
    """Name the function that builds a file of these pages."""

    def keep(build: Builder) -> Builder:
        def download_own_work(state: BlueprintSetupState) -> None:
            state.app.extensions.setdefault("tandem.downloads", {})[name] = build

        pages.record(download_own_work)
        return build

    return keep


def address_of(here: Here, name: str, **details: Any) -> str:
    """The address of a file, good for one use within a minute."""
    code = issue_code(here.session, here.visit, "download", {"name": name, **details}, now=here.now)
    return url_for("downloads.fetch", code=code)


def offer(here: Here, name: str, **details: Any) -> ResponseReturnValue:
    """Answer a POST with the address of a file, good for one use within a minute. Its form has `data-download`.

    A browser follows it; `visit.js` asks for JSON and opens it by itself. `details` are checked by nobody later, so
    the caller must already have made sure that this person may have them.
    """
    url = address_of(here, name, **details)
    if request.accept_mimetypes.best == "application/json":
        return jsonify({"download": url})
    return redirect(url, code=303)


def table(name: str, header: Sequence[str], lines: Iterable[Sequence[object]]) -> Response:
    """A table as a file that no cache keeps, separated as spreadsheets of the reader's language expect it."""
    answer = make_response(as_csv(header, lines, delimiter_for(reader_locale())))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@downloads.get("/d/<code>")
def fetch(code: str) -> Response:
    """Hand over the file that the code was issued for."""
    tools = kit()
    now = tools.clock.now()
    with transaction() as session:
        visit, details = redeem_code(session, code, "download", now=now)
        g.locale = visit.locale
        g.visit_key = visit.key
        builders: dict[str, Builder] = current_app.extensions.get("tandem.downloads", {})
        build = builders.get(details.pop("name"))
        if build is None:
            raise NotFound("download")
        return build(Here(session, visit, now, tools), details)
