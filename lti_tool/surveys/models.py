"""What people answered in the surveys of activities."""

from datetime import datetime

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, within


class SurveyAnswer(Tenant, Base):
    """How far a member said that one item is true of them, before or after an activity. Nobody else reads it."""

    __tablename__ = "survey_answer"
    __table_args__ = (
        within("activity_id", "activity"),
        within("member_id", "member"),
        UniqueConstraint("activity_id", "member_id", "moment", "item"),
        CheckConstraint("moment IN ('before', 'after')", name="moment"),
        CheckConstraint("value BETWEEN 1 AND 5", name="value"),
    )

    activity_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)
    moment: Mapped[str] = mapped_column(String(8))
    item: Mapped[str] = mapped_column(String(255))
    """The key of a usual item, or the words of an own one."""
    value: Mapped[int]
    at: Mapped[datetime]
