"""Certificates, and the key with which an institution signs its credentials."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.certificates.rules import Standing, standing_of
from lti_tool.support.db import Base, Tenant, tenant_key, within
from lti_tool.support.paper import OnPaper


class Certificate(OnPaper, Base):
    """What one member got for completing one activity, or all of a programme that counts, as it was on that day."""

    __tablename__ = "certificate"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        within("programme_id", "programme"),
        within("member_id", "member"),
        UniqueConstraint("activity_id", "member_id"),
        UniqueConstraint("programme_id", "member_id"),
        CheckConstraint("(activity_id IS NULL) <> (programme_id IS NULL)", name="for_one"),
        CheckConstraint("published_at IS NULL OR taken_back_at IS NULL", name="published_or_taken_back"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_why = '')", name="withdrawn_with_reason"),
        CheckConstraint("pdf_state <> 'ready' OR pdf IS NOT NULL", name="ready_with_pdf"),
    )

    activity_id: Mapped[int | None]
    programme_id: Mapped[int | None]
    member_id: Mapped[int] = mapped_column(index=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    """Names it in its public address; cannot be guessed."""
    name: Mapped[str] = mapped_column(String(255))
    """As the holder writes it."""
    title: Mapped[str] = mapped_column(String(255))
    issuer: Mapped[str] = mapped_column(String(255))
    hours: Mapped[list[Any]]
    """Pairs of a seat's title, to be translated, and hours as text."""
    locale: Mapped[str] = mapped_column(String(16))
    """The language in which it was issued."""
    issued_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
    """When its holder stopped publishing it."""
    withdrawn_at: Mapped[datetime | None]
    withdrawn_why: Mapped[str] = mapped_column(Text, default="")
    """Read by the holder and by staff."""
    withdrawn_by_id: Mapped[int | None]
    """A person."""

    @property
    def standing(self) -> Standing:
        """How it stands for whoever opens its public address."""
        return standing_of(
            published_at=self.published_at, taken_back_at=self.taken_back_at, withdrawn_at=self.withdrawn_at
        )


class CredentialKey(Tenant, Base):
    """A key with which an institution signs credentials. The newest signs; all are kept for what they have signed."""

    __tablename__ = "credential_key"
    __table_args__ = (UniqueConstraint("institution_id", "number"),)

    number: Mapped[int]
    """Counted from 1 in each institution."""
    address: Mapped[str] = mapped_column(String(32), unique=True)
    """Names the institution in the address of its profile, which tells nothing else of it."""
    kid: Mapped[str] = mapped_column(String(64))
    private_key: Mapped[str] = mapped_column(Text)
    """PEM, encrypted with the operator's secret key."""
    public_key: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
