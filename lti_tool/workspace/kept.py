"""Texts of a person that a form refused, to be copied or deleted."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lti_tool.web import kept
from lti_tool.web.access import Here, on_visit
from lti_tool.web.visits import VisitKind

pages = Blueprint("kept", __name__)

EVERYWHERE = frozenset(VisitKind)


@pages.get("/kept")
@on_visit(kinds=EVERYWHERE)
def show(here: Here) -> ResponseReturnValue:
    """Show the refused texts of the person in this course."""
    kept_forms = kept.kept_texts_of(here.session, here.person_id, here.visit.course_id)
    forms = [(one, [(kept.name_of(text["field"]), text["text"]) for text in one.texts]) for one in kept_forms]
    return render_template("home/kept.html", forms=forms, days=kept.KEPT_FOR.days)


@pages.post("/kept/<int:kept_id>/delete")
@on_visit(kinds=EVERYWHERE)
def let_go(here: Here, kept_id: int) -> ResponseReturnValue:
    """Delete the texts of one form."""
    kept.let_go(here.session, here.person_id, kept_id)
    return redirect(url_for(".show"), code=303)
