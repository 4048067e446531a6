"""The record of launches, refusals, registrations and erasures, without personal data."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from lti_tool.support.crypto import KeyRing, new_word
from lti_tool.support.db import Base

SAMPLE_AFTER = 20
"""All entries of one source are kept up to this number a minute; beyond it, one in SAMPLE_ONE_IN of those that say the
same.
"""
SAMPLE_ONE_IN = 20


class AuditEntry(Base):
    """One event, found again by the reference that the person saw."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_source_at", "source", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institution.id", ondelete="CASCADE"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id", ondelete="SET NULL"))
    what: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(16), index=True)
    """Shown to the person on the page, so that the entry can be found."""
    course_id: Mapped[int | None] = mapped_column(index=True)
    person_id: Mapped[int | None] = mapped_column(index=True)
    """Numbers only, which name nobody outside the database; the record can be searched by them."""
    source: Mapped[str | None] = mapped_column(String(64))
    """A keyed hash of the network address, for sampling floods."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


def new_reference() -> str:
    """A short id that a person can read out; no look-alike letters."""
    return new_word(8)


def source_of(address: str | None, ring: KeyRing) -> str:
    """A mark by which entries from the same network address are recognized; the address itself is not stored."""
    return hmac.new(ring.derive("audit sources"), (address or "").encode(), hashlib.sha256).hexdigest()[:32]


def record(
    session: Session,
    what: str,
    *,
    now: datetime,
    reference: str | None = None,
    institution_id: int | None = None,
    registration_id: int | None = None,
    course_id: int | None = None,
    person_id: int | None = None,
    source: str | None = None,
    **details: Any,
) -> str:
    """Write one entry and return its reference.

    Of a flood from one source only some entries are written. The others return the reference of the last one that says
    the same, so that what a person reads out is always found.
    """
    reference = reference or new_reference()
    if source is not None:
        recent = session.scalars(
            select(AuditEntry)
            .where(AuditEntry.source == source, AuditEntry.at > now - timedelta(minutes=1))
            .order_by(AuditEntry.id.desc())
            .limit(SAMPLE_AFTER)
        ).all()
        if len(recent) >= SAMPLE_AFTER and secrets.randbelow(SAMPLE_ONE_IN):
            content = (what, institution_id, registration_id, details)
            for entry in recent:
                if (entry.what, entry.institution_id, entry.registration_id, entry.details) == content:
                    return entry.reference
    session.add(
        AuditEntry(
            at=now,
            institution_id=institution_id,
            registration_id=registration_id,
            course_id=course_id,
            person_id=person_id,
            what=what,
            reference=reference,
            source=source,
            details=details,
        )
    )
    return reference
