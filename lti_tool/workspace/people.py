"""The institution's page about people: find, export and erase one, and how long data is kept."""

from datetime import timedelta
from typing import Any, Final

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.errors import NotAllowed
from lti_tool.reminders import service as reminders
from lti_tool.web import audit
from lti_tool.web.access import Here
from lti_tool.web.downloads import builds, offer
from lti_tool.workspace import personal_data, retention
from lti_tool.workspace.administration import administers, administrators, institution_of

pages = Blueprint("people_kept", __name__)

EXPORT: Final = "personal data"
LATELY: Final = timedelta(days=7)


@pages.get("/institution/people")
@administrators
def show_people(here: Here) -> ResponseReturnValue:
    """Find a person, and show how long data is kept."""
    text = request.args.get("text", "")[:255]
    return render_template(
        "institution/people.html",
        institution=institution_of(here),
        text=text,
        found=personal_data.find_people(here.session, text),
        most=personal_data.MOST_FOUND,
        retentions=retention.retentions(here.session, here.kit.settings, now=here.now),
        staying=retention.staying_people(here.session, now=here.now),
        has_mail_server=here.kit.settings.smtp_url is not None,
        mail_trouble=reminders.mail_trouble(here.session),
        letters=reminders.count_letters(here.session, since=here.now - LATELY),
    )


@pages.get("/institution/people/<int:person_id>")
@administrators
def show_person(here: Here, person_id: int) -> ResponseReturnValue:
    """Show one person, to export or erase their data."""
    return _person_page(here, person_id)


@pages.post("/institution/people/addresses")
@administrators
def show_addresses(here: Here) -> ResponseReturnValue:
    """Set whether partners see each other's e-mail address."""
    institution = institution_of(here)
    institution.shows_addresses = "shows_addresses" in request.form
    what = "addresses shown" if institution.shows_addresses else "addresses hidden"
    audit.record(here.session, what, now=here.now, institution_id=institution.id, person_id=here.person_id)
    return redirect(url_for(".show_people", said="addresses"), code=303)


@pages.post("/institution/people/letters")
@administrators
def switch_letters(here: Here) -> ResponseReturnValue:
    """Set whether learners are reminded by e-mail."""
    institution = institution_of(here)
    institution.sends_letters = "sends_letters" in request.form
    what = "letters switched on" if institution.sends_letters else "letters switched off"
    audit.record(here.session, what, now=here.now, institution_id=institution.id, person_id=here.person_id)
    return redirect(url_for(".show_people", said="addresses"), code=303)


@pages.post("/institution/people/<int:person_id>/export")
@administrators
def export(here: Here, person_id: int) -> ResponseReturnValue:
    """Offer the ZIP with everything about one person."""
    person = personal_data.person_named(here.session, person_id)
    audit.record(
        here.session, "person exported", now=here.now, institution_id=here.visit.institution_id, person_id=person.id
    )
    return offer(here, EXPORT, person_id=person.id)


@pages.post("/institution/people/<int:person_id>/erase")
@administrators
def erase(here: Here, person_id: int) -> ResponseReturnValue:
    """Erase one person, once the box was ticked. Nobody erases themselves: their own visit would end half-way."""
    if person_id == here.person_id:
        raise NotAllowed("erase oneself", person_id)
    if request.form.get("understood") != "yes":
        return _person_page(here, person_id, is_unticked=True), 422
    personal_data.erase(here.session, person_id, now=here.now)
    return redirect(url_for(".show_person", person_id=person_id, said="erased"), code=303)


def _person_page(here: Here, person_id: int, *, is_unticked: bool = False) -> str:
    return render_template(
        "institution/person.html",
        person=personal_data.person_named(here.session, person_id),
        is_oneself=person_id == here.person_id,
        is_unticked=is_unticked,
    )


@builds(pages, EXPORT)
def build_export(here: Here, details: dict[str, Any]) -> Response:
    """The ZIP that `export` offered."""
    # Asked again: the right may have ended since the address was given.
    if not administers(here):
        raise NotAllowed("export", here.person_id)
    everything = personal_data.everything_about(here.session, details["person_id"])
    answer = Response(personal_data.as_zip(everything, now=here.now), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="person-{details["person_id"]}.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
