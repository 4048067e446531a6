"""Closing reports on paper, kept for a while."""

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, within


class ClosingReport(Tenant, Base):
    """The closing report of an activity as it was when somebody asked for it on paper. It names nobody."""

    __tablename__ = "closing_report"
    __table_args__ = (
        within("activity_id", "activity"),
        UniqueConstraint("activity_id"),
        CheckConstraint("pdf_state <> 'ready' OR pdf IS NOT NULL", name="ready_with_pdf"),
    )

    activity_id: Mapped[int]
    made_at: Mapped[datetime]
    document: Mapped[str] = mapped_column(Text, default="", deferred=True)
    """The page on paper, from which the PDF is made."""
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    pdf_state: Mapped[str] = mapped_column(String(16))
    """A word of `support.paper.PdfState`."""
