"""Store what a platform answered to our registration, and remove it if nobody used it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.registration.errors import ClientTaken, RegistrationInUse
from lti_tool.registration.models import AccessToken, Deployment, Invitation, Registration
from lti_tool.registration.rules.dynamic import GrantedRegistration, PlatformConfiguration
from lti_tool.registration.rules.registrations import NewDeployments
from lti_tool.registration.store import Endpoints, add_deployment, client_query, deployments_of_others, set_endpoints
from lti_tool.support.crypto import fingerprint, new_word
from lti_tool.support.db import across_institutions, find_or_add
from lti_tool.web import audit


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the administrator chose while registering."""

    title: str
    new_deployments: NewDeployments


@dataclass(frozen=True, slots=True)
class Known:
    """An earlier registration of the same platform."""

    id: int
    title: str
    client_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """The result of storing a registration that a platform granted."""

    registration: Registration
    is_new: bool
    beside: tuple[Known, ...]
    """The institution's other registrations of this platform, which were not changed."""


def known_registrations(session: Session, institution_id: int, issuer: str) -> list[Known]:
    """The institution's registrations of this platform, newest first."""
    rows = session.scalars(
        select(Registration)
        .where(Registration.institution_id == institution_id, Registration.issuer == issuer)
        .order_by(Registration.id.desc())
    )
    return [Known(row.id, row.title, row.client_id, row.created_at) for row in rows]


def keep_registration(
    session: Session,
    invitation: Invitation,
    configuration: PlatformConfiguration,
    granted: GrantedRegistration,
    wishes: Wishes,
    *,
    now: datetime,
) -> Kept:
    """Store what a platform granted, add the deployment that it returned, and use the invitation up.

    A known client id updates its registration, since the platform itself used it again; a new one makes another
    registration. The client id of a registration never changes: every placed activity depends on it.
    Raises ClientTaken if that client or deployment belongs to another institution.
    """
    institution_id = invitation.institution_id
    endpoints = Endpoints(
        configuration.auth_login_url,
        configuration.auth_token_url,
        configuration.auth_audience,
        configuration.key_set_url,
    )
    before = known_registrations(session, institution_id, configuration.issuer)
    registration = find_or_add(
        session,
        client_query(configuration.issuer, granted.client_id),
        lambda: Registration(
            institution_id=institution_id,
            title=wishes.title,
            issuer=configuration.issuer,
            client_id=granted.client_id,
            **asdict(endpoints),
            platform_origins=[],
            first_administrator_awaited=True,
            created_at=now,
        ),
    )
    session.flush()
    if registration.institution_id != institution_id:
        raise ClientTaken(registration.id)
    other_registrations = [one for one in before if one.id != registration.id]
    is_new = len(other_registrations) == len(before)
    registration.title = _numbered_title(other_registrations, wishes.title)
    registration.platform_family = configuration.family
    registration.paused_at = registration.paused_because = None
    registration.new_deployments = _policy(configuration, granted, wishes)
    set_endpoints(session, registration, endpoints, configuration.origins)
    if not is_new:
        session.execute(delete(AccessToken).where(AccessToken.registration_id == registration.id))
    if granted.deployment_id is not None:
        with across_institutions(session):
            if deployments_of_others(session, registration, [granted.deployment_id], institution_id):
                raise ClientTaken(registration.id)
            add_deployment(session, registration, granted.deployment_id, institution_id, now=now)
    invitation.used_at, invitation.busy_until, invitation.registration_id = now, None, registration.id
    audit.record(
        session,
        "platform registered" if is_new else "registration updated",
        now=now,
        institution_id=institution_id,
        registration_id=registration.id,
        by="invitation",
        invitation=invitation.id,
    )
    return Kept(registration, is_new, tuple(other_registrations))


def new_administrator_code(registration: Registration) -> str | None:
    """A code by which whoever registered becomes the first administrator from any launch; None where there is one.

    For platforms whose administrators launch with a teacher's role. A new code ends the one before.
    """
    if not registration.first_administrator_awaited:
        return None
    code = "-".join(new_word(4) for _ in range(3))
    registration.administrator_code_hash = fingerprint(code)
    return code


def _numbered_title(other_registrations: Sequence[Known], title: str) -> str:
    """The title, with a number if another registration of this platform has it."""
    taken = {one.title for one in other_registrations}
    numbered = (f"{title[:240]} ({number})" for number in range(2, len(taken) + 3))
    return title if title not in taken else next(one for one in numbered if one not in taken)


def remove_unused(session: Session, registration: Registration, *, now: datetime) -> None:
    """Delete a registration from which nobody ever launched. Raises RegistrationInUse for any other.

    If a launch comes at the same moment, one of the two fails: the rows of a launch refer to the registration.
    """
    with across_institutions(session):
        used = session.scalars(
            select(Deployment.id).where(
                Deployment.registration_id == registration.id, Deployment.last_launch_at.is_not(None)
            )
        ).first()
    if used is not None:
        raise RegistrationInUse(registration.id)
    audit.record(
        session,
        "registration removed",
        now=now,
        institution_id=registration.institution_id,
        title=registration.title,
        client_id=registration.client_id,
    )
    try:
        with session.begin_nested():
            session.execute(delete(Registration).where(Registration.id == registration.id))
    except IntegrityError:
        raise RegistrationInUse(registration.id) from None


def _policy(configuration: PlatformConfiguration, granted: GrantedRegistration, wishes: Wishes) -> NewDeployments:
    if configuration.shares_clients and wishes.new_deployments is NewDeployments.JOIN:
        return NewDeployments.PARK  # Whoever launches next may be another customer of the same platform.
    if granted.deployment_id is None and wishes.new_deployments is NewDeployments.REFUSE:
        return NewDeployments.PARK  # Refusing all would make this registration useless.
    return wishes.new_deployments
