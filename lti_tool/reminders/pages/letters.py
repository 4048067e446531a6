"""Stopping letters by one click from a letter, without a visit or a cookie."""

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from lti_tool.launch.models import Person
from lti_tool.reminders.errors import LinkUnreadable
from lti_tool.reminders.service import letters
from lti_tool.support.crypto import Undecipherable
from lti_tool.support.db import serve
from lti_tool.web.access import kit
from lti_tool.web.database import transaction

pages = Blueprint("letters", __name__)


@pages.get("/letters/<sealed>")
def ask(sealed: str) -> ResponseReturnValue:
    """Ask whether to stop letters. Changes nothing, because programs that check links open it too."""
    return _page(sealed, "ask")


@pages.post("/letters/<sealed>")
def decide(sealed: str) -> ResponseReturnValue:
    """Stop letters, or send them again. Mail programs send this form by themselves (RFC 8058)."""
    return _page(sealed, "again" if request.form.get("do") == "again" else "stop")


def _page(sealed: str, wish: str) -> ResponseReturnValue:
    tools = kit()
    try:
        institution_id, person_id = letters.named_in(tools.secrets.decrypt(sealed))
    except Undecipherable:
        raise LinkUnreadable from None
    with transaction(reading=wish == "ask") as session:
        serve(session, institution_id)
        person = session.scalar(select(Person).where(Person.id == person_id, Person.erased_at.is_(None)))
        if person is not None and wish == "stop":
            letters.stop(session, person_id, now=tools.clock.now())
        elif person is not None and wish == "again":
            letters.take_up(session, person_id)
        g.locale = person.reads_in if person is not None else None
    return render_template("letters/stop.html", done=wish)
