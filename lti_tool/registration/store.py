"""Write the rows that every way of registering needs: registrations with their endpoints, and deployments."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.registration.models import AccessToken, Deployment, KeySet, ParkedDeployment, Registration


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses at which a platform is called."""

    auth_login_url: str
    auth_token_url: str
    auth_audience: str | None
    key_set_url: str


def set_endpoints(session: Session, registration: Registration, to: Endpoints, origins: Sequence[str]) -> None:
    """Set endpoints and add origins. Deletes tokens and keys that came from other endpoints."""
    before = Endpoints(
        registration.auth_login_url, registration.auth_token_url, registration.auth_audience, registration.key_set_url
    )
    registration.auth_login_url, registration.auth_token_url = to.auth_login_url, to.auth_token_url
    registration.auth_audience, registration.key_set_url = to.auth_audience, to.key_set_url
    registration.platform_origins = list(dict.fromkeys([*(registration.platform_origins or []), *origins]))
    session.add(registration)
    session.flush()
    if (before.auth_token_url, before.auth_audience) != (to.auth_token_url, to.auth_audience):
        session.execute(delete(AccessToken).where(AccessToken.registration_id == registration.id))
    if before.key_set_url != to.key_set_url:
        session.execute(delete(KeySet).where(KeySet.registration_id == registration.id))


def registration_of(session: Session, issuer: str, client_id: str) -> Registration | None:
    """The registration that a platform gave this client id."""
    return session.scalar(client_query(issuer, client_id))


def client_query(issuer: str, client_id: str) -> Select[Registration]:
    """Select that registration."""
    return select(Registration).where(Registration.issuer == issuer, Registration.client_id == client_id)


def deployments_of_others(
    session: Session, registration: Registration | None, lti_ids: Sequence[str], institution_id: int
) -> list[str]:
    """Which of these deployments belong to another institution."""
    if registration is None:
        return []
    return list(
        session.scalars(
            select(Deployment.lti_id).where(
                Deployment.registration_id == registration.id,
                Deployment.lti_id.in_(lti_ids),
                Deployment.institution_id != institution_id,
            )
        )
    )


def add_deployment(
    session: Session, registration: Registration, lti_id: str, institution_id: int, *, now: datetime
) -> bool:
    """Add the deployment if it is not known. True if it was added, by one of several concurrent calls."""
    session.execute(
        delete(ParkedDeployment).where(
            ParkedDeployment.registration_id == registration.id, ParkedDeployment.lti_id == lti_id
        )
    )
    deployment_id = session.scalar(
        select(Deployment.id).where(Deployment.registration_id == registration.id, Deployment.lti_id == lti_id)
    )
    if deployment_id is not None:
        return False
    deployment = Deployment(
        institution_id=institution_id, registration_id=registration.id, lti_id=lti_id, created_at=now
    )
    try:
        with session.begin_nested():
            session.add(deployment)
    except IntegrityError:
        return False
    return True
