"""Texts of one's own that a form could not take, to be copied from there or let go."""

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
    """What is kept for whoever asks, in this course."""
    kept_forms = kept.kept_of(here.session, here.person_id, here.visit.course_id)
    forms = [(one, [(kept.name_of(text["field"]), text["text"]) for text in one.texts]) for one in kept_forms]
    return render_template("home/kept.html", forms=forms, days=kept.KEPT_FOR.days)


@pages.post("/kept/<int:kept_id>/delete")
@on_visit(kinds=EVERYWHERE)
def let_go(here: Here, kept_id: int) -> ResponseReturnValue:
    """Delete one of them."""
    kept.let_go(here.session, here.person_id, kept_id)
    return redirect(url_for(".show"), code=303)
