"""Programmes and their steps."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Programme(Tenant, Base):
    """Activities of a course that belong together. One without steps was dissolved, and can be restored."""

    __tablename__ = "programme"
    __table_args__ = (tenant_key(), within("course_id", "course"))

    course_id: Mapped[int] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(String(255))
    gives_certificate: Mapped[bool] = mapped_column(default=False)
    """Whether there is one certificate for all of it, in place of those of its activities."""
    is_offered: Mapped[bool] = mapped_column(default=False)
    """Whether instructors of other courses of the institution may copy it."""
    free_weeks: Mapped[str] = mapped_column(String(500), default="")
    """The weeks that were kept free when dates were moved last, as somebody typed them."""
    skipped_weeks: Mapped[list[Any]] = mapped_column(default=list)
    """Pairs of a year and a week's number: the free weeks that put dates off then; a later move leaves them out."""
    copied_from_id: Mapped[int | None]
    """A programme."""
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What the last change replaced, until it is undone; read through `programmes.service.undo`."""
    changed_by_id: Mapped[int | None]
    """A person."""
    changed_at: Mapped[datetime]
    version: Mapped[int]
    """Raised by every change; two people changing one programme do not overwrite each other."""


class ProgrammeStep(Tenant, Base):
    """One activity of a programme."""

    __tablename__ = "programme_step"
    __table_args__ = (
        within("programme_id", "programme"),
        within("activity_id", "activity"),
        UniqueConstraint("activity_id"),
        UniqueConstraint("programme_id", "position"),
        CheckConstraint("position >= 1", name="position"),
    )

    programme_id: Mapped[int]
    activity_id: Mapped[int]
    position: Mapped[int]
    counts: Mapped[bool] = mapped_column(default=True)
    """Whether it has to be complete for the certificate of the programme."""
