"""One-time invitations to register a platform: made by the operator or an administrator, used up by a success only."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.registration.errors import InvitationBusy, InvitationUnusable
from lti_tool.registration.models import Invitation
from lti_tool.support.crypto import fingerprint, new_secret
from lti_tool.web import audit

INVITATION_LIFETIME = timedelta(days=7)
REGISTRATION_LEASE = timedelta(seconds=60)
"""Longer than the two calls of a registration may take."""
REGRET = timedelta(hours=1)
"""For how long the page after a registration works: to open the institution's pages, or to take it back."""


def invite(session: Session, institution_id: int, *, now: datetime, lifetime: timedelta) -> tuple[Invitation, str]:
    """Add a one-time invitation to register a platform. Returns it with its secret, which is not stored."""
    secret = new_secret()
    invitation = Invitation(
        institution_id=institution_id, secret_hash=fingerprint(secret), created_at=now, expires_at=now + lifetime
    )
    session.add(invitation)
    session.flush()
    audit.record(session, "invitation made", now=now, institution_id=institution_id, invitation=invitation.id)
    return invitation, secret


def revoke_invitation(session: Session, *, now: datetime, invitation_id: int | None = None, secret: str = "") -> bool:
    """End an invitation, named by its number or its secret. False if there was none to end."""
    named = Invitation.id == invitation_id if invitation_id is not None else _of_secret(secret)
    revoked = session.execute(
        update(Invitation)
        .where(named, Invitation.used_at.is_(None), Invitation.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(Invitation.id, Invitation.institution_id)
    ).one_or_none()
    if revoked is None:
        return False
    audit.record(session, "invitation revoked", now=now, institution_id=revoked.institution_id, invitation=revoked.id)
    return True


def usable_invitation(session: Session, secret: str, *, now: datetime) -> Invitation:
    """The invitation with this secret, while it can be used. Raises InvitationUnusable."""
    invitation = session.scalar(select(Invitation).where(_of_secret(secret), *_usable(now)))
    if invitation is None:
        raise InvitationUnusable
    return invitation


def spent_invitation(session: Session, secret: str, *, now: datetime) -> Invitation:
    """The invitation whose registration gave out this secret, within REGRET of it. Raises InvitationUnusable."""
    invitation = session.scalar(
        select(Invitation).where(
            Invitation.follow_up_hash == fingerprint(secret),
            Invitation.used_at > now - REGRET,
            Invitation.registration_id.is_not(None),
        )
    )
    if invitation is None:
        raise InvitationUnusable
    return invitation


def follow_up(invitation: Invitation) -> str:
    """Set and return a secret for the page after the registration: only its reader may go on from there."""
    secret = new_secret()
    invitation.follow_up_hash = fingerprint(secret)
    return secret


def claim_invitation(session: Session, secret: str, *, now: datetime) -> Invitation:
    """Reserve an invitation for one registration. Raises InvitationUnusable or InvitationBusy.

    One of several concurrent calls succeeds. After a failure, call `release_invitation`.
    """
    claimed = session.execute(
        update(Invitation)
        .where(_of_secret(secret), *_usable(now), or_(Invitation.busy_until.is_(None), Invitation.busy_until <= now))
        .values(busy_until=now + REGISTRATION_LEASE)
        .returning(Invitation.id)
    ).one_or_none()
    invitation = usable_invitation(session, secret, now=now)
    if claimed is None:
        raise InvitationBusy(invitation.id)
    return invitation


def release_invitation(session: Session, invitation_id: int) -> None:
    """Make a claimed invitation usable again, after its registration failed."""
    session.execute(update(Invitation).where(Invitation.id == invitation_id).values(busy_until=None))


def _of_secret(secret: str) -> ColumnElement[bool]:
    return Invitation.secret_hash == fingerprint(secret)


def _usable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Invitation.used_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now)
