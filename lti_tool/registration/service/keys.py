"""The keys that we sign with: published before use, kept published after it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.registration.errors import KeyTooYoung, NoSigningKey
from lti_tool.registration.models import ToolKey
from lti_tool.support.crypto import KeyRing, PrivateKey, load_private_key, new_signing_key

PUBLISHED_BEFORE_USE = timedelta(hours=24)
"""Platforms keep a copy of our key set, some for a day, and refuse a key id that it does not hold."""
KEPT_AFTER_USE = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Signer:
    """The key that signs now, ready for PyJWT."""

    kid: str
    key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyAge:
    """A key as an administrator sees it."""

    kid: str
    state: str
    created_at: datetime
    promoted_at: datetime | None
    retired_at: datetime | None


def ensure_signing_key(session: Session, secrets: KeyRing, *, now: datetime) -> None:
    """Add the first signing key if none is active. One of several processes that start at once adds it."""
    if _active(session) is not None:
        return
    try:
        with session.begin_nested():
            session.add(_new_key(secrets, "active", now=now))
    except IntegrityError:
        pass  # Another process was first; the index allows one active key.


def signing_key(session: Session, secrets: KeyRing) -> Signer:
    """The active key. Raises NoSigningKey if there is none."""
    active = _active(session)
    if active is None:
        raise NoSigningKey
    return Signer(active.kid, load_private_key(secrets.decrypt(active.private_key)))


def public_keys(session: Session, *, now: datetime) -> list[dict[str, Any]]:
    """What our key set publishes: the active key first, the next one, and those retired within KEPT_AFTER_USE."""
    keys = session.scalars(select(ToolKey)).all()
    shown = [key for key in keys if key.retired_at is None or now - key.retired_at < KEPT_AFTER_USE]
    order = {"active": 0, "next": 1, "retired": 2}
    return [key.public_key for key in sorted(shown, key=lambda key: (order[key.state], key.created_at, key.kid))]


def list_keys(session: Session) -> list[KeyAge]:
    """Every key of ours with its dates, newest first."""
    keys = session.scalars(select(ToolKey).order_by(ToolKey.created_at.desc(), ToolKey.kid))
    return [KeyAge(key.kid, key.state, key.created_at, key.promoted_at, key.retired_at) for key in keys]


def publish_next(session: Session, secrets: KeyRing, *, now: datetime) -> str:
    """Publish the key that will sign next, and return its kid. If there is one already, return that."""
    ensure_signing_key(session, secrets, now=now)
    waiting = _next_locked(session)
    if waiting is None:
        waiting = _new_key(secrets, "next", now=now)
        session.add(waiting)
        session.flush()
    return waiting.kid


def promote_next(session: Session, *, now: datetime, force: bool = False) -> str | None:
    """Make the published next key active and retire the present one; return the new kid.

    None when no next key is published. Raises KeyTooYoung before PUBLISHED_BEFORE_USE has passed, unless forced:
    platforms that hold an older copy of our key set would refuse what it signs.
    """
    waiting = _next_locked(session)
    if waiting is None:
        return None
    ready_at = waiting.created_at + PUBLISHED_BEFORE_USE
    if now < ready_at and not force:
        raise KeyTooYoung(waiting.kid, ready_at)
    active = _active(session)
    if active is not None:
        active.state, active.retired_at = "retired", now
        session.flush()  # The index allows one active key at any time.
    waiting.state, waiting.promoted_at = "active", now
    session.flush()
    return waiting.kid


@dataclass(frozen=True, slots=True)
class Rotation:
    """What one step of a rotation did."""

    published: str | None = None
    promoted: str | None = None
    ready_at: datetime | None = None
    """When the published next key may sign; None once it does."""


def rotate(session: Session, secrets: KeyRing, *, now: datetime, force: bool = False) -> Rotation:
    """Take the next step of a rotation: publish the next key, later sign with it, in the end delete old ones.

    Safe to repeat at any time. Nothing that we signed before stops being accepted on the way, unless forced.
    """
    delete_retired(session, now=now)
    waiting = _next_locked(session)
    if waiting is None:
        kid = publish_next(session, secrets, now=now)
        if not force:
            return Rotation(published=kid, ready_at=now + PUBLISHED_BEFORE_USE)
        return Rotation(published=kid, promoted=promote_next(session, now=now, force=True))
    try:
        return Rotation(promoted=promote_next(session, now=now, force=force))
    except KeyTooYoung as early:
        return Rotation(ready_at=early.ready_at)


def delete_retired(session: Session, *, now: datetime) -> int:
    """Delete keys that have been retired for KEPT_AFTER_USE. Returns how many."""
    old = session.execute(delete(ToolKey).where(ToolKey.state == "retired", ToolKey.retired_at <= now - KEPT_AFTER_USE))
    return int(getattr(old, "rowcount", 0))


def _active(session: Session) -> ToolKey | None:
    return session.scalar(select(ToolKey).where(ToolKey.state == "active"))


def _next_locked(session: Session) -> ToolKey | None:
    """The next key. Any other rotation waits until this transaction ends."""
    # The active row is the lock: SQLite has one writer anyway, PostgreSQL makes the second rotation wait here.
    session.scalars(select(ToolKey).where(ToolKey.state == "active").with_for_update()).all()
    return session.scalar(
        select(ToolKey)
        .where(ToolKey.state == "next")
        .order_by(ToolKey.created_at)
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _new_key(secrets: KeyRing, state: str, *, now: datetime) -> ToolKey:
    pair = new_signing_key()
    return ToolKey(
        kid=pair.kid,
        private_key=secrets.encrypt(pair.private_pem),
        public_key=dict(pair.public_jwk),
        state=state,
        created_at=now,
        promoted_at=now if state == "active" else None,
    )
