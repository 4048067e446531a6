"""The progress of reading a course's roster, and the groups that people have on the platform."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class RosterSync(Tenant, Base):
    """One reading of a course's roster, page by page. At most one per course is under way.

    `state`: running, asks (complete, but it would end so much that a person decides), finished, failed (see `failure`).
    """

    __tablename__ = "roster_sync"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        CheckConstraint("state IN ('running', 'asks', 'finished', 'failed')", name="state"),
        Index("ix_roster_sync_course_id_started_at", "course_id", "started_at"),
        Index(
            "uq_roster_sync_one_running",
            "course_id",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    course_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime]
    """When it began. Members that it lists get the same time as a mark."""
    next_url: Mapped[str] = mapped_column(Text)
    page: Mapped[int] = mapped_column(default=0)
    """Pages read and kept. A reading that was cut short goes on with the next."""
    barren_pages: Mapped[int] = mapped_column(default=0)
    seen: Mapped[int] = mapped_column(default=0)
    unread: Mapped[int] = mapped_column(default=0)
    """Entries that could not be understood, wholly or in part."""
    changes_pairing: Mapped[bool] = mapped_column(default=False)
    finished_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(64))
    looks_again_at: Mapped[datetime | None]
    """When the roster is asked for again: after a refusal, or because the platform asked us to wait."""


NO_SET = ""
"""Stands for the set of groups that are in none."""


class CourseGroup(Tenant, Base):
    """A group of a course on the platform: a section, a team. Not a group that works together here."""

    __tablename__ = "course_group"
    __table_args__ = (tenant_key(), within("course_id", "course"), UniqueConstraint("course_id", "lti_id"))

    course_id: Mapped[int]
    lti_id: Mapped[str] = mapped_column(String(255))
    name: Mapped[str | None] = mapped_column(String(255))
    """None until the course groups service named it. Until then it is not used."""
    set_id: Mapped[str] = mapped_column(String(255), default=NO_SET)
    set_name: Mapped[str | None] = mapped_column(String(255))
    is_hidden: Mapped[bool] = mapped_column(default=False)
    """The platform hides it from learners, so it is not used: they would see it as what is known about them."""


class GroupEnrollment(Tenant, Base):
    """A learner is in a group of the course, as the roster said last."""

    __tablename__ = "group_enrollment"
    __table_args__ = (
        tenant_key(),
        within("group_id", "course_group"),
        within("member_id", "member"),
        UniqueConstraint("group_id", "member_id"),
    )

    group_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)
