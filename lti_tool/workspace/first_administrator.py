"""What the person who registered a platform can do before the first launch: enter as administrator, or undo it."""

from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from lti_tool.launch.models import Member, Person
from lti_tool.registration.errors import InvitationUnusable
from lti_tool.registration.models import Invitation, Registration
from lti_tool.registration.service.answers import remove_unused
from lti_tool.registration.service.invitations import spent_invitation
from lti_tool.support.crypto import new_secret
from lti_tool.support.db import serve
from lti_tool.web import audit
from lti_tool.web.access import is_from_another_site, kit, set_visit_cookie
from lti_tool.web.database import transaction
from lti_tool.web.visits import Visit, VisitKind, issue_entry, open_visit

pages = Blueprint("first_administrator", __name__)

IS_REGISTRAR: Final = "is_registrar"
"""The key in the details of a visit that a registration opened, not a launch."""
REGISTRAR: Final = "registrar "
"""The beginning of the id of a person whom no platform named. The rest cannot be guessed, so no platform can name it.
"""


@pages.post("/lti/register/administrator")
def enter() -> ResponseReturnValue:
    """Let the person who registered a platform see the institution's pages until its first administrator launches."""
    tools = kit()
    now = tools.clock.now()
    if is_from_another_site():
        raise InvitationUnusable  # Only the page at the end of a registration leads here.
    with transaction() as session:
        invitation, registration = _registered(session)
        if not registration.first_administrator_awaited:
            raise InvitationUnusable
        serve(session, invitation.institution_id)
        visit, secret = open_for_registrar(session, registration, now=now, lifetime=tools.settings.visit_absolute)
        audit.record(
            session,
            "registrar let in",
            now=now,
            institution_id=invitation.institution_id,
            registration_id=registration.id,
            invitation=invitation.id,
        )
        code = issue_entry(session, visit, secret, tools.secrets, now=now)
        answer = make_response(redirect(f"/v/{visit.key}/?c={code}", code=303))
        set_visit_cookie(answer, visit, secret)
    return answer


def open_for_registrar(
    session: Session, registration: Registration, *, now: datetime, lifetime: timedelta
) -> tuple[Visit, str]:
    """A visit of the institution's pages, and its secret, by a person who stands for whoever registered."""
    person = Person(
        registration_id=registration.id, sub=f"{REGISTRAR}{new_secret()}", is_administrator=False, created_at=now
    )
    session.add(person)
    session.flush()
    visit = Visit(
        kind=VisitKind.INSTITUTION,
        registration_id=registration.id,
        person_id=person.id,
        role="administrator",
        frame_origins=[],
        details={IS_REGISTRAR: True},
    )
    return visit, open_visit(session, visit, now=now, lifetime=lifetime)


@pages.post("/lti/register/back")
def take_back() -> ResponseReturnValue:
    """Remove the registration that was just made, and give its invitation back."""
    now = kit().clock.now()
    with transaction() as session:
        invitation, registration = _registered(session)
        if registration.created_at != invitation.used_at:
            raise InvitationUnusable  # It renewed a registration that was there before.
        serve(session, invitation.institution_id)
        forget_registrars(session, registration.id)
        title, client_id = registration.title, registration.client_id
        remove_unused(session, registration, now=now)
        invitation.used_at = invitation.registration_id = invitation.follow_up_hash = None
    return render_template("registration/taken_back.html", title=title, client_id=client_id)


def end_wait(session: Session, registration_id: int) -> bool:
    """Stop waiting for a first administrator of this platform, and delete the people who stood in for one.

    Returns False if none was awaited. If several end the wait at once, one of them gets True.
    """
    ended = session.execute(
        update(Registration)
        .where(Registration.id == registration_id, Registration.first_administrator_awaited)
        .values(first_administrator_awaited=False, administrator_code_hash=None)
        .returning(Registration.id)
    ).one_or_none()
    if ended is not None:
        forget_registrars(session, registration_id)
    return ended is not None


def is_registrar() -> ColumnElement[bool]:
    """True for a row of Person that stands for whoever registered a platform, and for nobody whom a platform named."""
    is_member = select(Member.id).where(Member.person_id == Person.id).correlate(Person).exists()
    return and_(Person.sub.startswith(REGISTRAR), ~is_member)


def forget_registrars(session: Session, registration_id: int) -> None:
    """Delete the people who stood for whoever registered this platform; their visits end with them."""
    session.execute(
        delete(Person)
        .where(Person.registration_id == registration_id, is_registrar())
        .execution_options(synchronize_session=False)
    )


def _registered(session: Session) -> tuple[Invitation, Registration]:
    invitation = spent_invitation(session, request.form.get("follow_up", ""), now=kit().clock.now())
    registration = session.get(Registration, invitation.registration_id)
    if registration is None:
        raise InvitationUnusable
    return invitation, registration
