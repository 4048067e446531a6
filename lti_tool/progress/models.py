"""What staff did for one or several learners at once, so that it can be seen and undone."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class StaffAct(Tenant, Base):
    """One act of staff for the learners named in `before`."""

    __tablename__ = "staff_act"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        CheckConstraint("what IN ('extend', 'excuse', 'take_back', 'remind', 'send', 'release')", name="what"),
    )

    activity_id: Mapped[int] = mapped_column(index=True)
    what: Mapped[str] = mapped_column(String(16))
    """A value of `rules.What`."""
    round_number: Mapped[int | None]
    due_at: Mapped[datetime | None]
    """The date that was given."""
    words: Mapped[str] = mapped_column(Text, default="")
    """The sentence that staff added to a reminder."""
    before: Mapped[dict[str, Any]]
    """By number of a member what there was before, so that it can be restored; null where there was nothing."""
    by_id: Mapped[int]
    """A person."""
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
