"""Administrators of the institution: access to its pages, the first administrator, and their list."""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.errors import NotAllowed
from lti_tool.launch.models import Person
from lti_tool.launch.service.launches import MAY_CLAIM
from lti_tool.registration.models import Institution, Registration
from lti_tool.support.crypto import fingerprint, is_same_secret
from lti_tool.web.access import Here, View, current_here, on_visit
from lti_tool.web.pages import offer_tab
from lti_tool.web.visits import VisitKind
from lti_tool.workspace import personal_data
from lti_tool.workspace.first_administrator import IS_REGISTRAR, end_wait

pages = Blueprint("administration", __name__)

P = ParamSpec("P")

INSTITUTION: Final = frozenset({VisitKind.INSTITUTION})


def administrators(view: View[P]) -> Callable[P, ResponseReturnValue]:
    """Open a page to a confirmed administrator in a tab of its own; lead others to where they can become one.

    Whether somebody administers is asked each time, since it can end while a visit lasts.
    """

    @on_visit(kinds=INSTITUTION)
    @wraps(view)
    def page(here: Here, /, *args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        is_in_own_tab = not here.visit.frame_origins
        if is_in_own_tab and administers(here):
            return view(here, *args, **kwargs)
        if not _may_enter(here):
            raise NotAllowed("institution", here.person_id)
        return redirect(url_for("administration.confirm" if is_in_own_tab else "administration.enter"), code=303)

    return page


def administers(here: Here) -> bool:
    """Whether the person is an administrator, or registered the platform while it has no administrator."""
    return _is_registrar(here) or here.session.get_one(Person, here.person_id).is_administrator


def _is_registrar(here: Here) -> bool:
    return bool(here.visit.details.get(IS_REGISTRAR)) and registration_of(here).first_administrator_awaited


def institution_of(here: Here) -> Institution:
    """The institution of this visit."""
    return here.session.get_one(Institution, here.visit.institution_id)


def registration_of(here: Here) -> Registration:
    """The registration that this visit came through."""
    return here.session.get_one(Registration, here.visit.registration_id)


def _may_enter(here: Here) -> bool:
    return administers(here) or _may_confirm(here)


def _may_confirm(here: Here) -> bool:
    """Whether this launch came with an administrator's role to a platform whose first administrator is awaited."""
    return bool(here.visit.details.get("awaits_administrator")) and registration_of(here).first_administrator_awaited


# ---- getting in ------------------------------------------------------------------------------------------------------


@pages.get("/institution/enter")
@on_visit(kinds=INSTITUTION)
def enter(here: Here) -> ResponseReturnValue:
    """Show, inside the platform's frame, the button that opens the institution's pages in a tab."""
    if not _may_enter(here):
        raise NotAllowed("institution", here.person_id)
    return render_template(
        "institution/enter.html",
        institution=institution_of(here),
        is_first=not administers(here),
        may_go_to_course=here.visit.course_id is not None and here.role != "administrator",
    )


@pages.app_context_processor
def _way_in() -> dict[str, Callable[[], bool]]:
    """Let the header of staff's pages offer the institution's pages to administrators."""

    def may_administer() -> bool:
        here = current_here()
        return here is not None and _is_shown_staff(here) and administers(here)

    def may_claim() -> bool:
        here = current_here()
        return here is not None and _is_shown_staff(here) and _may_claim(here)

    return {"may_administer": may_administer, "may_claim": may_claim}


def _is_shown_staff(here: Here) -> bool:
    return here.is_staff and not here.is_preview


@pages.post("/institution/open")
@on_visit(kinds=frozenset(VisitKind))
def open_tab(here: Here) -> ResponseReturnValue:
    """The institution's pages in a tab of their own, from any visit of an administrator."""
    if not _may_enter(here):
        raise NotAllowed("institution", here.person_id)
    return offer_tab(here, VisitKind.INSTITUTION)


@pages.post("/institution/course")
@on_visit(kinds=INSTITUTION)
def open_course(here: Here) -> ResponseReturnValue:
    """The activity that an administrator who also has a role in the course came for."""
    if here.visit.course_id is None or here.role == "administrator":
        raise NotAllowed("course", here.person_id)
    return offer_tab(here, VisitKind.ACTIVITY)


# ---- the first administrator -----------------------------------------------------------------------------------------


@pages.get("/institution/confirm")
@on_visit(kinds=INSTITUTION)
def confirm(here: Here) -> ResponseReturnValue:
    """Ask the person, once, whether they look after the institution."""
    if here.visit.frame_origins:
        return redirect(url_for(".enter"), code=303)
    if not _may_confirm(here):
        return redirect(url_for("institution.show"), code=303)
    return render_template("institution/confirm.html", institution=institution_of(here))


@pages.post("/institution/confirm")
@on_visit(kinds=INSTITUTION)
def confirmed(here: Here) -> ResponseReturnValue:
    """Make this person the first administrator. Of several who try at once, one becomes it."""
    if here.visit.frame_origins or not here.visit.details.get("awaits_administrator"):
        raise NotAllowed("confirm", here.person_id)
    _become_first(here)
    return redirect(url_for("institution.show", said="confirmed"), code=303)


def _may_claim(here: Here) -> bool:
    """Whether the code that the registration gave out can make this person the first administrator.

    Some platforms give their administrators no role but a teacher's.
    """
    if not here.visit.details.get(MAY_CLAIM):
        return False
    registration = registration_of(here)
    return registration.first_administrator_awaited and registration.administrator_code_hash is not None


@pages.get("/institution/code")
@on_visit(kinds=frozenset(VisitKind))
def ask_code(here: Here) -> ResponseReturnValue:
    """Ask a member of staff for the code that was shown at the end of the registration."""
    if not (_is_shown_staff(here) and _may_claim(here)):
        raise NotAllowed("code", here.person_id)
    return render_template("institution/code.html", institution=institution_of(here))


@pages.post("/institution/code")
@on_visit(kinds=frozenset(VisitKind))
def claim(here: Here) -> ResponseReturnValue:
    """Make the member of staff who has the code the first administrator. It works once."""
    if not (_is_shown_staff(here) and _may_claim(here)):
        raise NotAllowed("code", here.person_id)
    typed = request.form.get("code", "").strip().upper()
    if not is_same_secret(fingerprint(typed), registration_of(here).administrator_code_hash or ""):
        return render_template("institution/code.html", institution=institution_of(here), is_wrong=True), 422
    _become_first(here)
    return render_template("institution/claimed.html", institution=institution_of(here))


def _become_first(here: Here) -> None:
    if not end_wait(here.session, here.visit.registration_id):
        raise NotAllowed("confirm", here.person_id)
    personal_data.grant_administration(here.session, here.person_id, now=here.now)


# ---- all administrators ----------------------------------------------------------------------------------------------


@pages.get("/institution/administrators")
@administrators
def show_administrators(here: Here) -> ResponseReturnValue:
    """Show the administrators, and find people to add."""
    return _administrators_page(here)


@pages.post("/institution/administrators/<int:person_id>/add")
@administrators
def add(here: Here, person_id: int) -> ResponseReturnValue:
    """Make a person an administrator. The visit of the person who registered the platform ends with it."""
    is_registrar = _is_registrar(here)
    personal_data.grant_administration(here.session, person_id, now=here.now, by=here.person_id)
    if is_registrar:
        end_wait(here.session, here.visit.registration_id)
        person = personal_data.person_named(here.session, person_id)
        return render_template("institution/handed_over.html", institution=institution_of(here), person=person)
    return redirect(url_for(".show_administrators", said="added"), code=303)


@pages.post("/institution/administrators/<int:person_id>/remove")
@administrators
def remove(here: Here, person_id: int) -> ResponseReturnValue:
    """Take the right from an administrator, but never from the last one. People are asked before they take it from
    themselves.
    """
    if person_id == here.person_id and request.form.get("sure") != "yes":
        return render_template("institution/leave.html", person_id=person_id)
    if not personal_data.end_administration(here.session, person_id, now=here.now, by=here.person_id):
        return _administrators_page(here, is_last=True), 422
    if person_id == here.person_id:
        return render_template("institution/left.html", institution=institution_of(here))
    return redirect(url_for(".show_administrators", said="removed"), code=303)


def _administrators_page(here: Here, *, is_last: bool = False) -> str:
    text = request.args.get("text", "")[:255]
    return render_template(
        "institution/administrators.html",
        administrators=personal_data.administrators(here.session),
        found=[one for one in personal_data.find_people(here.session, text) if one.erased_at is None],
        text=text,
        own_id=here.person_id,
        is_last=is_last,
    )
