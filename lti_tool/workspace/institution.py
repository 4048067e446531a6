"""The institution's pages: platforms, keys, health, personal data. In a tab of their own, for its administrators."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any, Final, ParamSpec
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lti_tool.errors import N_, NotAllowed, NotFound
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Person
from lti_tool.registration import invitations, keys, service, tokens
from lti_tool.registration.models import Institution, Invitation, Registration
from lti_tool.registration.service import RegistrationState
from lti_tool.support.zones import known_zones, read_zone
from lti_tool.web import audit
from lti_tool.web.access import Here, View, current_here, on_visit
from lti_tool.web.audit import AuditEntry
from lti_tool.web.downloads import builds, offer
from lti_tool.web.pages import offer_tab
from lti_tool.web.visits import VisitKind
from lti_tool.workspace import personal_data
from lti_tool.workspace.checkup import Trouble, troubles

pages = Blueprint("institution", __name__)

P = ParamSpec("P")

WHAT_HAPPENED: Final = {
    "addresses hidden": N_("Partners no longer see each other's e-mail address"),
    "addresses shown": N_("Partners see each other's e-mail address"),
    "administrator granted": N_("An administrator was made"),
    "attributes deleted": N_("What was known of a course's learners was deleted"),
    "deployment approved": N_("A place was approved"),
    "deployment refused": N_("A place was refused"),
    "invitation made": N_("A registration link was made"),
    "invitation revoked": N_("A registration link was revoked"),
    "key rotation": N_("A step of a key rotation"),
    "launch": N_("A launch"),
    "launch refused": N_("A launch was refused"),
    "launch without course": N_("A launch without a course"),
    "launch without role": N_("A launch without a role"),
    "login refused": N_("A login was refused"),
    "person erased": N_("A person was erased"),
    "person exported": N_("A person's data was handed over"),
    "platform registered": N_("A platform was registered"),
    "registration paused": N_("A platform was paused"),
    "registration refused": N_("A registration failed"),
    "registration resumed": N_("A platform was resumed"),
    "registration updated": N_("A platform was registered again"),
    "time zone set": N_("The institution's time zone was set"),
    "token refused": N_("A platform refused Tandem access"),
}
"""How the record words what the audit notes."""

INSTITUTION: Final = frozenset({VisitKind.INSTITUTION})
EXPORT: Final = "personal data"
RECENT_ENTRIES: Final = 50
LATELY: Final = timedelta(days=1)
QUIET_FOR: Final = timedelta(days=7)


def administrators(view: View[P]) -> Callable[P, ResponseReturnValue]:
    """Open a page to a confirmed administrator in a tab of its own; lead others to where they can become one.

    Whether somebody administers is asked each time, since it can end while a visit lasts.
    """

    @on_visit(kinds=INSTITUTION)
    @wraps(view)
    def page(here: Here, /, *args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        person = here.session.get_one(Person, here.person_id)
        is_in_own_tab = not here.visit.frame_origins
        if is_in_own_tab and person.is_administrator:
            return view(here, *args, **kwargs)
        if not _may_enter(here, person):
            raise NotAllowed("institution", here.person_id)
        return redirect(url_for("institution.confirm" if is_in_own_tab else "institution.enter"), code=303)

    return page


def _may_enter(here: Here, person: Person) -> bool:
    return person.is_administrator or _may_confirm(here)


def _may_confirm(here: Here) -> bool:
    """Whether this launch came with an administrator's role to a platform whose first administrator is awaited."""
    registration = here.session.get_one(Registration, here.visit.registration_id)
    return bool(here.visit.details.get("awaits_administrator")) and registration.first_administrator_awaited


# ---- getting in ------------------------------------------------------------------------------------------------------


@pages.get("/institution/enter")
@on_visit(kinds=INSTITUTION)
def enter(here: Here) -> ResponseReturnValue:
    """Inside the platform's frame there is only the way out of it."""
    person = here.session.get_one(Person, here.person_id)
    if not _may_enter(here, person):
        raise NotAllowed("institution", here.person_id)
    return render_template(
        "institution/enter.html",
        institution=_institution(here),
        is_first=not person.is_administrator,
        may_go_to_course=here.visit.course_id is not None and here.role != "administrator",
    )


@pages.app_context_processor
def _way_in() -> dict[str, Callable[[], bool]]:
    """Lets the header of staff's pages offer the institution's pages to those who administer it too."""

    def may_administer() -> bool:
        here = current_here()
        if here is None or not here.is_staff or here.is_preview:
            return False
        return here.session.get_one(Person, here.person_id).is_administrator

    return {"may_administer": may_administer}


@pages.post("/institution/open")
@on_visit(kinds=frozenset(VisitKind))
def open_tab(here: Here) -> ResponseReturnValue:
    """The institution's pages in a tab of their own, from any visit of an administrator."""
    if not _may_enter(here, here.session.get_one(Person, here.person_id)):
        raise NotAllowed("institution", here.person_id)
    return offer_tab(here, VisitKind.INSTITUTION)


@pages.post("/institution/course")
@on_visit(kinds=INSTITUTION)
def open_course(here: Here) -> ResponseReturnValue:
    """The activity that an administrator who also has a role in the course came for."""
    if here.visit.course_id is None or here.role == "administrator":
        raise NotAllowed("course", here.person_id)
    return offer_tab(here, VisitKind.ACTIVITY)


@pages.get("/institution/confirm")
@on_visit(kinds=INSTITUTION)
def confirm(here: Here) -> ResponseReturnValue:
    """Ask, once, whether this person looks after the institution."""
    if here.visit.frame_origins:
        return redirect(url_for(".enter"), code=303)
    if not _may_confirm(here):
        return redirect(url_for(".show"), code=303)
    return render_template("institution/confirm.html", institution=_institution(here))


@pages.post("/institution/confirm")
@on_visit(kinds=INSTITUTION)
def confirmed(here: Here) -> ResponseReturnValue:
    """Make this person the first administrator. Of several who try at once, one becomes it."""
    if here.visit.frame_origins or not here.visit.details.get("awaits_administrator"):
        raise NotAllowed("confirm", here.person_id)
    taken = here.session.execute(
        update(Registration)
        .where(Registration.id == here.visit.registration_id, Registration.first_administrator_awaited)
        .values(first_administrator_awaited=False)
        .returning(Registration.id)
    ).one_or_none()
    if taken is None:
        raise NotAllowed("confirm", here.person_id)
    personal_data.grant_administration(here.session, here.person_id, now=here.now)
    return redirect(url_for(".show", said="confirmed"), code=303)


# ---- platforms -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Health:
    """What an administrator should know before anything else."""

    paused: tuple[RegistrationState, ...]
    waiting: int
    failed_jobs: int
    refused_lately: int
    silent: tuple[str, ...]
    """Platforms that never launched anything."""
    troubles: tuple[Trouble, ...]
    """What platforms refuse."""

    @property
    def is_good(self) -> bool:
        return not (self.paused or self.waiting or self.failed_jobs or self.troubles)


@pages.get("/institution")
@administrators
def show(here: Here) -> ResponseReturnValue:
    """Registrations, deployments, what waits, and whether all is well."""
    return _page(here)


def _page(here: Here, *, typed_zone: str | None = None) -> ResponseReturnValue:
    """`typed_zone` is a time zone that somebody typed and nobody knows."""
    institution = _institution(here)
    states = service.registration_states(here.session, institution.id)
    page = render_template(
        "institution/show.html",
        institution=institution,
        time_zone=institution.time_zone or "" if typed_zone is None else typed_zone,
        is_zone_unknown=typed_zone is not None,
        zones=known_zones(),
        states=states,
        health=_health(here, institution.id, states),
        keys=keys.list_keys(here.session),
        may_rotate=_is_only_institution(here.session),
        invitations=_open_invitations(here, institution.id),
    )
    return page, 200 if typed_zone is None else 422


@pages.post("/institution/time-zone")
@administrators
def set_time_zone(here: Here) -> ResponseReturnValue:
    """Say in which time zone people see dates of whom nothing else tells one; an empty field says nothing."""
    typed = request.form.get("time_zone", "").strip()
    zone = read_zone(typed)
    if typed and zone is None:
        return _page(here, typed_zone=typed[:100])
    institution = _institution(here)
    institution.time_zone = zone.key if zone is not None else None
    audit.record(here.session, "time zone set", now=here.now, institution_id=institution.id, person_id=here.person_id)
    return redirect(url_for(".show", said="zone"), code=303)


def _health(here: Here, institution_id: int, states: list[RegistrationState]) -> Health:
    failed = here.session.scalar(
        select(func.count())
        .select_from(Job)
        .where(Job.institution_id == institution_id, Job.state == "failed", Job.finished_at > here.now - QUIET_FOR)
    )
    refused = here.session.scalar(
        select(func.count())
        .select_from(AuditEntry)
        .where(
            AuditEntry.institution_id == institution_id,
            AuditEntry.what == "launch refused",
            AuditEntry.at > here.now - LATELY,
        )
    )
    return Health(
        paused=tuple(state for state in states if state.paused_at is not None),
        waiting=sum(one.refused_at is None for state in states for one in state.parked),
        failed_jobs=failed or 0,
        refused_lately=refused or 0,
        silent=tuple(
            state.title for state in states if not any(one.last_launch_at is not None for one in state.deployments)
        ),
        troubles=tuple(troubles(here.session, institution_id, now=here.now)),
    )


@pages.post("/institution/registrations/<int:registration_id>/pause")
@administrators
def pause(here: Here, registration_id: int) -> ResponseReturnValue:
    """Stop launches and calls of a platform."""
    tokens.pause(here.session, _own_registration(here, registration_id).id, "administrator", now=here.now)
    return redirect(url_for(".show", said="paused"), code=303)


@pages.post("/institution/registrations/<int:registration_id>/resume")
@administrators
def resume(here: Here, registration_id: int) -> ResponseReturnValue:
    """Let a paused platform work again."""
    tokens.resume(here.session, _own_registration(here, registration_id).id, now=here.now)
    return redirect(url_for(".show", said="resumed"), code=303)


@pages.post("/institution/registrations/<int:registration_id>/look-again")
@administrators
def look_again(here: Here, registration_id: int) -> ResponseReturnValue:
    """Have a platform that refuses us asked again now instead of at the next time that Tandem chose."""
    tokens.look_again_now(here.session, _own_registration(here, registration_id).id, now=here.now)
    return redirect(url_for(".show", said="looks"), code=303)


@pages.post("/institution/parked/<int:parked_id>/approve")
@administrators
def approve(here: Here, parked_id: int) -> ResponseReturnValue:
    """Let a parked deployment launch, as this institution's own."""
    service.approve_deployment(here.session, parked_id, institution_id=here.visit.institution_id, now=here.now)
    return redirect(url_for(".show", said="approved"), code=303)


@pages.post("/institution/parked/<int:parked_id>/refuse")
@administrators
def refuse(here: Here, parked_id: int) -> ResponseReturnValue:
    """Keep a parked deployment out."""
    service.refuse_deployment(here.session, parked_id, institution_id=here.visit.institution_id, now=here.now)
    return redirect(url_for(".show", said="refused"), code=303)


@pages.post("/institution/keys/rotate")
@administrators
def rotate_keys(here: Here) -> ResponseReturnValue:
    """Take the next step of a rotation of our signing keys. Only where nobody else's launches depend on them."""
    if not _is_only_institution(here.session):
        raise NotAllowed("keys", here.person_id)
    step = keys.rotate(here.session, here.kit.secrets, now=here.now)
    done = "promoted" if step.promoted else "published" if step.published else "too-early"
    audit.record(here.session, "key rotation", now=here.now, institution_id=here.visit.institution_id, step=done)
    return redirect(url_for(".show", said=f"key-{done}"), code=303)


@pages.post("/institution/invitations")
@administrators
def invite(here: Here) -> ResponseReturnValue:
    """Make a one-time registration address and show it, this once: nobody can look it up later."""
    invitation, secret = invitations.invite(
        here.session,
        here.visit.institution_id,
        now=here.now,
        lifetime=invitations.INVITATION_LIFETIME,
    )
    address = f"{here.kit.settings.base_url}/lti/register?{urlencode({'invite': secret})}"
    return render_template("institution/invitation.html", invitation=invitation, address=address)


@pages.post("/institution/invitations/<int:invitation_id>/revoke")
@administrators
def revoke(here: Here, invitation_id: int) -> ResponseReturnValue:
    """End an invitation."""
    if invitation_id not in {one.id for one in _open_invitations(here, here.visit.institution_id)}:
        raise NotFound("invitation", invitation_id)
    invitations.revoke_invitation(here.session, now=here.now, invitation_id=invitation_id)
    return redirect(url_for(".show", said="revoked"), code=303)


@pages.get("/institution/record")
@administrators
def show_record(here: Here) -> ResponseReturnValue:
    """What happened lately, and what stands behind a reference that somebody read out."""
    wanted = request.args.get("reference", "").strip().upper()
    entries = (
        select(AuditEntry)
        .where(AuditEntry.institution_id == here.visit.institution_id)
        .order_by(AuditEntry.id.desc())
        .limit(RECENT_ENTRIES)
    )
    if wanted:
        entries = entries.where(AuditEntry.reference == wanted)
    return render_template(
        "institution/record.html", words=WHAT_HAPPENED, wanted=wanted, entries=here.session.scalars(entries).all()
    )


# ---- personal data ---------------------------------------------------------------------------------------------------


@pages.get("/institution/people")
@administrators
def show_people(here: Here) -> ResponseReturnValue:
    """Find a person, and how long what is kept."""
    text = request.args.get("text", "")[:255]
    return render_template(
        "institution/people.html",
        institution=_institution(here),
        text=text,
        found=personal_data.find_people(here.session, text),
        most=personal_data.MOST_FOUND,
        settings=here.kit.settings,
    )


@pages.get("/institution/people/<int:person_id>")
@administrators
def show_person(here: Here, person_id: int) -> ResponseReturnValue:
    """One person: hand over or erase what is kept."""
    return _person_page(here, person_id)


@pages.post("/institution/addresses")
@administrators
def show_addresses(here: Here) -> ResponseReturnValue:
    """Let partners see each other's e-mail address, or no longer."""
    institution = _institution(here)
    institution.shows_addresses = "shows_addresses" in request.form
    what = "addresses shown" if institution.shows_addresses else "addresses hidden"
    audit.record(here.session, what, now=here.now, institution_id=institution.id)
    return redirect(url_for(".show_people", said="addresses"), code=303)


@pages.post("/institution/people/<int:person_id>/export")
@administrators
def export(here: Here, person_id: int) -> ResponseReturnValue:
    """Offer the ZIP with everything about one person."""
    person = personal_data.person_named(here.session, person_id)
    audit.record(
        here.session, "person exported", now=here.now, institution_id=here.visit.institution_id, person=person.id
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
    if not here.session.get_one(Person, here.person_id).is_administrator:
        raise NotAllowed("export", here.person_id)
    everything = personal_data.everything_about(here.session, details["person_id"])
    answer = Response(personal_data.as_zip(everything, now=here.now), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="person-{details["person_id"]}.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


# ---- shared ----------------------------------------------------------------------------------------------------------


def _institution(here: Here) -> Institution:
    return here.session.get_one(Institution, here.visit.institution_id)


def _own_registration(here: Here, registration_id: int) -> Registration:
    """A registration that is this institution's alone: pausing a shared one would stop others."""
    registration = here.session.get(Registration, registration_id)
    if registration is None or registration.institution_id != here.visit.institution_id:
        raise NotFound("registration", registration_id)
    return registration


def _is_only_institution(session: Session) -> bool:
    return session.scalar(select(func.count()).select_from(Institution)) == 1


def _open_invitations(here: Here, institution_id: int) -> list[Invitation]:
    return list(
        here.session.scalars(
            select(Invitation)
            .where(
                Invitation.institution_id == institution_id,
                Invitation.used_at.is_(None),
                Invitation.revoked_at.is_(None),
                Invitation.expires_at > here.now,
            )
            .order_by(Invitation.id)
        )
    )
