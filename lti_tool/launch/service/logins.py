"""A login: remembered when a platform begins it, used up by one launch."""

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
    """What the browser is given at login."""

    registration_id: int
    state: str = field(repr=False)
    secret: str = field(repr=False)
    """To keep, and to show at the launch."""
    authorization_url: str = field(repr=False)
    storage_target: str | None
    storage_origin: str
    """Whom to trust with the secret, and to believe about it: the platform's sign-on."""
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
    """Remember a login for LOGIN_LIFETIME and say where the browser goes next.

    `framed_by`: the origin of the page that began it in a frame, as far as the browser says.

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
    """Remember which time zone the browser of a login says it is in, if that is one."""
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
    found = session.scalars(query.limit(100)).all()
    if len(found) > 1 and deployment_hint is not None:
        with across_institutions(session):
            named = set(session.scalars(select(Deployment.registration_id).where(Deployment.lti_id == deployment_hint)))
        found = [registration for registration in found if registration.id in named] or found
    if not found:
        raise UnknownPlatform("issuer" if client_id is None else "client_id")
    if len(found) > 1:
        raise AmbiguousPlatform("issuer")
    return found[0]


def remembered_login(row: LaunchState | None, registration: Registration | None) -> Login | None:
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
    """Use a login up. Of several that try, in any number of processes, one succeeds; the others get LaunchSpent."""
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
