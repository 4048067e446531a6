"""The choice of a language, at the foot of every page of a visit."""

from functools import cache

from babel import Locale
from flask import Blueprint, Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.errors import NotFound
from lti_tool.launch.service.languages import choose_language
from lti_tool.web.access import Here, on_visit
from lti_tool.web.i18n import offered
from lti_tool.web.pages import address_of
from lti_tool.web.visits import VisitKind

pages = Blueprint("language", __name__)


@pages.post("/language")
@on_visit(kinds=frozenset(VisitKind), keeps_in_preview=True)
def choose(here: Here) -> ResponseReturnValue:
    """Keep the language that the person chose, and show the page again on which they chose it."""
    language = request.form.get("language", "")
    if language not in offered():
        raise NotFound("language", language)
    choose_language(here.session, here.person_id, language)
    return redirect(address_of(request.form.get("page", "")) or url_for("home.show"), code=303)


def offered_languages() -> list[tuple[str, str]]:
    """Each language that pages can be read in: its code, and its name in that language."""
    return [(code, _own_name(code)) for code in offered()]


@cache
def _own_name(code: str) -> str:
    return str(Locale.parse(code).get_display_name(code)).capitalize()


def install(app: Flask) -> None:
    """Let every page name the languages."""
    app.jinja_env.globals["offered_languages"] = offered_languages
