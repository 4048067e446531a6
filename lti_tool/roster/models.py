"""The progress of reading a course's roster."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, text
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
