"""Logins: stored when a platform begins one, and used up by one launch."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.launch.errors import (
    AmbiguousPlatform,
    LaunchSpent,
    PlatformPaused,
    UnknownPlatform,
)
from lti_tool.launch.gateway import messages
from lti_tool.launch.models import LaunchState
from lti_tool.launch.rules import bindings
from lti_tool.launch.rules.bindings import Login, LoginRequest
from lti_tool.launch.rules.values import time_zone_of
from lti_tool.registration.models import Deployment, Registration
from lti_tool.support.addresses import origin_of
from lti_tool.support.crypto import fingerprint, new_secret
from lti_tool.support.db import across_institutions

LAUNCH_PATH: Final = "/lti/launch"


@dataclass(frozen=True, slots=True)
class BegunLogin:
    """What the browser gets at login."""

    registration_id: int
    state: str = field(repr=False)
    secret: str = field(repr=False)
    """The browser keeps it and shows it at the launch."""
    authorization_url: str = field(repr=False)
    storage_target: str | None
    storage_origin: str
    """The origin of the platform's sign-on: the only one to store the secret with and to accept it from."""
    requires_binding: bool


def begin_login(
    session: Session,
    request: LoginRequest,
    *,
    base_url: str,
    framed_by: str | None,
    now: datetime,
    is_own_tab: bool = False,
) -> BegunLogin:
    """Store a login for LOGIN_LIFETIME and return where the browser goes next.

    `framed_by`: the origin of the page around the frame in which it began, if the browser tells.

    Raises UnknownPlatform, AmbiguousPlatform, PlatformPaused or LoginIncomplete.
    """
    registration = find_registration(session, request.issuer, request.client_id, request.deployment_hint)
    if registration.paused_at is not None:
        raise PlatformPaused("paused", registration_id=registration.id)
    state, nonce, secret = new_secret(), new_secret(), new_secret()
    url = messages.authorization_url(
        auth_login_url=registration.auth_login_url,
        issuer=registration.issuer,
        client_id=registration.client_id,
        redirect_uri=base_url + LAUNCH_PATH,
        state=state,
        nonce=nonce,
        hints=request.hints,
    )
    session.add(
        LaunchState(
            state_hash=fingerprint(messages.state_sent(state)),
            nonce_hash=fingerprint(nonce),
            registration_id=registration.id,
            deployment_hint=request.deployment_hint,
            target_link_uri=request.target_link_uri,
            storage_target=request.storage_target,
            is_own_tab=is_own_tab,
            framed_by=framed_by,
            secret_hash=fingerprint(secret),
            expires_at=now + bindings.LOGIN_LIFETIME,
        )
    )
    return BegunLogin(
        registration_id=registration.id,
        state=messages.state_sent(state),
        secret=secret,
        authorization_url=url,
        storage_target=request.storage_target,
        storage_origin=origin_of(registration.auth_login_url),
        requires_binding=registration.require_browser_binding,
    )


def note_time_zone(session: Session, state: str, name: str, *, now: datetime) -> None:
    """Store the time zone that the browser of a login names, if it is known."""
    zone = time_zone_of(name)
    if zone is not None:
        session.execute(
            update(LaunchState)
            .where(
                LaunchState.state_hash == fingerprint(state),
                LaunchState.used_at.is_(None),
                LaunchState.expires_at > now,
            )
            .values(time_zone=zone)
            .execution_options(synchronize_session=False)
        )


def find_registration(
    session: Session, issuer: str, client_id: str | None, deployment_hint: str | None
) -> Registration:
    """The registration that a login means. Raises UnknownPlatform or AmbiguousPlatform."""
    query = select(Registration).where(Registration.issuer == issuer)
    if client_id is not None:
        query = query.where(Registration.client_id == client_id)
    registrations = session.scalars(query.limit(100)).all()
    if len(registrations) > 1 and deployment_hint is not None:
        with across_institutions(session):
            deploying = set(
                session.scalars(select(Deployment.registration_id).where(Deployment.lti_id == deployment_hint))
            )
        registrations = [each for each in registrations if each.id in deploying] or registrations
    if not registrations:
        raise UnknownPlatform("issuer" if client_id is None else "client_id")
    if len(registrations) > 1:
        raise AmbiguousPlatform("issuer")
    return registrations[0]


def remembered_login(row: LaunchState | None, registration: Registration | None) -> Login | None:
    """The login as plain data; None if one of the two rows is missing."""
    if row is None or registration is None:
        return None
    return Login(
        registration_id=registration.id,
        issuer=registration.issuer,
        client_id=registration.client_id,
        nonce_hash=row.nonce_hash,
        target_link_uri=row.target_link_uri,
        deployment_hint=row.deployment_hint,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )


def claim_state(session: Session, state_hash: str, *, now: datetime) -> LaunchState:
    """Use a login up. One of several concurrent calls succeeds; the others raise LaunchSpent."""
    claimed = session.scalar(
        update(LaunchState)
        .where(LaunchState.state_hash == state_hash, LaunchState.used_at.is_(None), LaunchState.expires_at > now)
        .values(used_at=now)
        .returning(LaunchState)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if claimed is None:
        raise LaunchSpent("state")
    return claimed
