"""Rubrics: criteria, each with a question; most are answered by levels described in words."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Rubric(Tenant, Base):
    """One version of an activity's rubric. Never changed once feedback refers to it: a change makes a new version."""

    __tablename__ = "rubric"
    __table_args__ = (tenant_key(), within("course_id", "course"))

    course_id: Mapped[int]
    replaces_id: Mapped[int | None]
    """The version before; who had a page of that one open may still begin with it."""
    saved_template_id: Mapped[int | None]
    """The rubric of the library that it began with, and in which version."""
    saved_template_version: Mapped[int | None]
    title: Mapped[str] = mapped_column(String(255))
    version: Mapped[int] = mapped_column(default=1)
    """Counts the versions of one activity's rubric, for people to read."""
    created_at: Mapped[datetime]

    criteria: Mapped[list["Criterion"]] = relationship(
        order_by="Criterion.position", cascade="all, delete-orphan", overlaps="levels"
    )


class Criterion(Tenant, Base):
    """One thing that feedback looks at."""

    __tablename__ = "criterion"
    __table_args__ = (
        tenant_key(),
        within("rubric_id", "rubric"),
        UniqueConstraint("rubric_id", "position"),
        CheckConstraint(
            "question IN ('levels', 'scale', 'choice', 'choices', 'short', 'long', 'share', 'ranking')", name="question"
        ),
        CheckConstraint("comment IN ('none', 'optional', 'required')", name="comment"),
        CheckConstraint("weight >= 0", name="weight"),
    )

    rubric_id: Mapped[int]
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    question: Mapped[str] = mapped_column(String(16), default="levels")
    """How it is answered."""
    options: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What a question without levels offers; read through `rubrics.service.draft_of`."""
    weight: Mapped[int] = mapped_column(default=1)
    comment: Mapped[str] = mapped_column(String(16), default="none")
    seat: Mapped[str] = mapped_column(String(32), default="")
    """The seat whose holder it is about; empty for everybody."""
    rounds: Mapped[list[Any]] = mapped_column(default=list)
    """The rounds in which it is asked; empty for all."""

    levels: Mapped[list["Level"]] = relationship(
        order_by="Level.position", cascade="all, delete-orphan", overlaps="criteria"
    )


class Level(Tenant, Base):
    """How well a criterion can be met: a label, a description, and points that only staff read."""

    __tablename__ = "level"
    __table_args__ = (
        tenant_key(),
        within("criterion_id", "criterion"),
        UniqueConstraint("criterion_id", "position"),
        CheckConstraint("points >= 0", name="points"),
    )

    criterion_id: Mapped[int]
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    points: Mapped[int] = mapped_column(default=0)
