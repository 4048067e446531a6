"""Reports of harm, and the record of who did what with each."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Report(Tenant, Base):
    """What a member reports about a partner: a text that they received, or what happened between them.

    While it is open, nobody but its author and those who decide reads the text.
    """

    __tablename__ = "report"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        within("round_id", "round"),
        within("entry_id", "entry"),
        within("reporter_id", "member"),
        within("reported_id", "member"),
        CheckConstraint("reporter_id <> reported_id", name="not_oneself"),
        CheckConstraint("(outcome = 'open') = (decided_at IS NULL)", name="decided"),
        CheckConstraint("entry_id IS NOT NULL OR outcome IN ('open', 'taken_back', 'talked')", name="about_text"),
        Index(
            "uq_report_open",
            "entry_id",
            unique=True,
            sqlite_where=text("outcome = 'open'"),
            postgresql_where=text("outcome = 'open'"),
        ),
    )

    activity_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int]
    entry_id: Mapped[int | None] = mapped_column(index=True)
    """None where it is about what happened and not about a text."""
    reporter_id: Mapped[int] = mapped_column(index=True)
    reported_id: Mapped[int] = mapped_column(index=True)
    concern: Mapped[str] = mapped_column(String(16))
    """A word of `rules.Concern`."""
    words: Mapped[str] = mapped_column(Text, default="")
    """The reporter's own; only staff read them."""
    original: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """The text as it was when it was reported, by field. Kept whatever is decided."""
    hidden: Mapped[list[str]] = mapped_column(default=list)
    """Keys of the passages that were hidden."""
    opened_at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(16), default="open")
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    """What staff say to both people about the decision."""
    author_told_at: Mapped[datetime | None]
    """When staff let the author know that the text is under review."""
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class ReportEvent(Tenant, Base):
    """Something that was done with a report, and who did it."""

    __tablename__ = "report_event"
    __table_args__ = (within("report_id", "report"), within("person_id", "person"))

    report_id: Mapped[int] = mapped_column(index=True)
    person_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    act: Mapped[str] = mapped_column(String(16))
    """`reported`, `read` (by staff), `told` (the author), `taken_back`, or the outcome that was decided."""
