"""The outbox: work that must happen after a transaction, written in that transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base


class Job(Base):
    """One piece of work, written together with its cause, so that neither can exist without the other.

    Delivery is at least once: a worker that dies leaves its lease, and another takes the job when the lease ran out.
    Not behind the wall between institutions, since workers serve all of them; handlers open a session for the
    institution that the job names.
    """

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name="state"),
        Index("ix_job_state_due_at", "state", "due_at"),
        Index("ix_job_lane_state_due_at", "lane", "state", "due_at"),
        Index(
            "uq_job_one_waiting",
            "unique_key",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_job_running_key",
            "unique_key",
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]]
    """Ids only. Never logged, whatever it holds."""
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institution.id", ondelete="CASCADE"), index=True)
    lane: Mapped[int] = mapped_column(default=0)
    """The registration whose platform this work calls; 0 for work that calls nobody, -1 for letters, -2 for PDFs."""
    unique_key: Mapped[str | None] = mapped_column(String(255))
    """At most one job with this key waits, and at most one runs."""
    state: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claims: Mapped[int] = mapped_column(default=0)
    """Raised by every claim, and when a claimed job begins: whoever lost it cannot record over who has it now."""
    leased_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    error: Mapped[str | None] = mapped_column(String(128))
    """The name of the last failure, never its text."""


class Lane(Base):
    """The work for one platform (its registration), or 0 for our own. Workers take turns between lanes, so that one
    platform's long queue or silence keeps nobody else waiting.
    """

    __tablename__ = "lane"

    lane: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    turn: Mapped[int] = mapped_column(default=0)
    """Rises with each job that is taken; the lane with the lowest is served next."""
    failures: Mapped[int] = mapped_column(default=0)
    """Jobs in a row that failed."""


class Tick(Base):
    """The last turn of a periodic job that some worker took, so that each turn is taken once."""

    __tablename__ = "tick"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    turn: Mapped[int]
