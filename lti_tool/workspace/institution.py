"""The institution's first page: its platforms, keys, and whether all is well."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.errors import NotAllowed, NotFound
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Member, Person
from lti_tool.registration import service
from lti_tool.registration.models import Institution, Invitation, Registration
from lti_tool.registration.rules.registrations import read_frame_origins
from lti_tool.registration.service import RegistrationState, answers, invitations, keys, tokens
from lti_tool.support.failures import AddressRefused
from lti_tool.support.zones import known_zones, read_zone
from lti_tool.web import audit
from lti_tool.web.access import Here
from lti_tool.web.audit import AuditEntry
from lti_tool.workspace.administration import administrators, institution_of
from lti_tool.workspace.checkup import Trouble, troubles
from lti_tool.workspace.first_administrator import IS_REGISTRAR, forget_registrars

pages = Blueprint("institution", __name__)

LATELY: Final = timedelta(days=1)
QUIET_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Health:
    """What an administrator should know before anything else."""

    paused: tuple[RegistrationState, ...]
    waiting: int
    failed_jobs: int
    refused_lately: int
    silent: tuple[str, ...]
    """Platforms that have never launched."""
    troubles: tuple[Trouble, ...]
    """What platforms refuse."""

    @property
    def is_good(self) -> bool:
        return not (self.paused or self.waiting or self.failed_jobs or self.troubles)


@pages.get("/institution")
@administrators
def show(here: Here) -> ResponseReturnValue:
    """Show registrations, deployments, what waits, and whether all is well."""
    return _page(here)


def _page(here: Here, *, typed_zone: str | None = None) -> ResponseReturnValue:
    """`typed_zone` is a time zone that somebody typed and nobody knows."""
    institution = institution_of(here)
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
        own_registration_id=here.visit.registration_id,
        is_registrar=bool(here.visit.details.get(IS_REGISTRAR)),
    )
    return page, 200 if typed_zone is None else 422


@pages.post("/institution/time-zone")
@administrators
def set_time_zone(here: Here) -> ResponseReturnValue:
    """Set the time zone for people of whom nothing else names one; an empty field clears it."""
    typed = request.form.get("time_zone", "").strip()
    zone = read_zone(typed)
    if typed and zone is None:
        return _page(here, typed_zone=typed[:100])
    institution = institution_of(here)
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


@pages.get("/institution/registrations/<int:registration_id>/pause")
@administrators
def ask_pause(here: Here, registration_id: int) -> ResponseReturnValue:
    """Say how many people a pause would stop, before it does."""
    registration = _own_registration(here, registration_id)
    return render_template(
        "institution/pause.html",
        registration=registration,
        people=_people_on(here, registration),
        lately=_people_on(here, registration, since=here.now - QUIET_FOR),
        is_own=registration.id == here.visit.registration_id,
    )


def _people_on(here: Here, registration: Registration, *, since: datetime | None = None) -> int:
    """How many active members the courses of a platform have; of those who opened Tandem since then, if asked."""
    people = (
        select(func.count(func.distinct(Member.person_id)))
        .join(Person, Person.id == Member.person_id)
        .where(Person.registration_id == registration.id, Member.status == "active")
    )
    if since is not None:
        people = people.where(Member.last_launch_at > since)
    return here.session.scalar(people) or 0


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
    """Ask a platform that refuses us again now, and not at the next planned time."""
    tokens.look_again_now(here.session, _own_registration(here, registration_id).id, now=here.now)
    return redirect(url_for(".show", said="looks"), code=303)


@pages.post("/institution/registrations/<int:registration_id>/remove")
@administrators
def remove(here: Here, registration_id: int) -> ResponseReturnValue:
    """Take back a registration from which nobody ever launched, such as one that was made by mistake."""
    registration = _own_registration(here, registration_id)
    if registration.id == here.visit.registration_id:
        raise NotAllowed("remove own registration", registration_id)
    forget_registrars(here.session, registration.id)
    answers.remove_unused(here.session, registration, now=here.now)
    return redirect(url_for(".show", said="removed"), code=303)


@pages.get("/institution/registrations/<int:registration_id>/addresses")
@administrators
def show_addresses(here: Here, registration_id: int) -> ResponseReturnValue:
    """The addresses under which a platform is known, and further ones that may frame Tandem."""
    registration = _own_registration(here, registration_id)
    return _addresses_page(registration, "\n".join(registration.frame_origins))


@pages.post("/institution/registrations/<int:registration_id>/addresses")
@administrators
def save_addresses(here: Here, registration_id: int) -> ResponseReturnValue:
    """Store the addresses that may frame Tandem. They get no token."""
    registration = _own_registration(here, registration_id)
    written = request.form.get("origins", "")
    try:
        origins = read_frame_origins(written, development=here.kit.settings.development)
    except AddressRefused as refusal:
        return _addresses_page(registration, written, problem=str(refusal.args[-1])), 422
    service.set_frame_origins(here.session, registration, origins, by=here.person_id, now=here.now)
    return redirect(url_for(".show", said="addresses"), code=303)


def _addresses_page(registration: Registration, written: str, *, problem: str | None = None) -> str:
    return render_template("institution/addresses.html", registration=registration, written=written, problem=problem)


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


# ---- shared ----------------------------------------------------------------------------------------------------------


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
