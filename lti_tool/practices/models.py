"""Practices of the course library, and who agreed that others read them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint, and_, exists
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Practice(Tenant, Base):
    """A practice, an example or a resource that a member offers to the course library. Others read it without names.

    Nobody but those concerned reads it until all of them have consented.
    """

    __tablename__ = "practice"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        within("owner_id", "member"),
        CheckConstraint("kind IN ('practice', 'example', 'resource')", name="kind"),
        CheckConstraint("(hidden_at IS NULL) = (hidden_why = '')", name="hidden_with_reason"),
    )

    course_id: Mapped[int] = mapped_column(index=True)
    owner_id: Mapped[int] = mapped_column(index=True)
    is_from_group: Mapped[bool]
    kind: Mapped[str] = mapped_column(String(16))
    """A word of `rules.Kind`."""
    title: Mapped[str] = mapped_column(String(300))
    text: Mapped[str] = mapped_column(Text)
    offered_at: Mapped[datetime]
    worded_at: Mapped[datetime]
    """When it got its present words."""
    hidden_at: Mapped[datetime | None]
    """When staff hid it."""
    hidden_why: Mapped[str] = mapped_column(Text, default="")
    """What staff say to its owner about that."""
    in_institution_at: Mapped[datetime | None]
    """When an instructor took it over into the institution's library."""
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}

    @classmethod
    def is_agreed(cls) -> Any:
        """The condition under which everybody concerned has consented."""
        return ~exists().where(Consent.practice_id == cls.id, Consent.agreed_at.is_(None))

    @classmethod
    def is_shown(cls) -> Any:
        """The condition under which the whole course reads it."""
        return and_(cls.hidden_at.is_(None), cls.is_agreed())


class Consent(Tenant, Base):
    """Somebody whom a practice concerns, and whether they agree that others read it as it is worded now."""

    __tablename__ = "practice_consent"
    __table_args__ = (
        within("practice_id", "practice"),
        within("member_id", "member"),
        UniqueConstraint("practice_id", "member_id"),
        CheckConstraint("agreed_at IS NULL OR declined_at IS NULL", name="one_answer"),
    )

    practice_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)
    agreed_at: Mapped[datetime | None]
    declined_at: Mapped[datetime | None]
    """When they said no, or took their consent back."""
