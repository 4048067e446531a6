"""Closing reports on paper, kept for a while."""

from datetime import datetime

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from lti_tool.support.db import Base, within
from lti_tool.support.paper import OnPaper


class ClosingReport(OnPaper, Base):
    """The closing report of an activity or a programme, as somebody asked for it on paper. It names nobody."""

    __tablename__ = "closing_report"
    __table_args__ = (
        within("activity_id", "activity"),
        within("programme_id", "programme"),
        UniqueConstraint("activity_id"),
        UniqueConstraint("programme_id"),
        CheckConstraint("(activity_id IS NULL) <> (programme_id IS NULL)", name="for_one"),
        CheckConstraint("pdf_state <> 'ready' OR pdf IS NOT NULL", name="ready_with_pdf"),
    )

    activity_id: Mapped[int | None]
    programme_id: Mapped[int | None]
    made_at: Mapped[datetime]
