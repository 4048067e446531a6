"""Observation notes, feedback with its rubric marks, and what the receiver answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Feedback(Tenant, Base):
    """What one member of a group tells another about one round. A draft until `submitted_at` is set."""

    __tablename__ = "feedback"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        within("round_id", "round"),
        within("group_id", "group_"),
        within("author_id", "member"),
        within("recipient_id", "member"),
        UniqueConstraint("round_id", "author_id", "recipient_id"),
        CheckConstraint("author_id <> recipient_id", name="not_to_oneself"),
    )

    activity_id: Mapped[int]
    round_id: Mapped[int]
    group_id: Mapped[int]
    author_id: Mapped[int] = mapped_column(index=True)
    recipient_id: Mapped[int] = mapped_column(index=True)
    observed_what: Mapped[str] = mapped_column(Text, default="")
    observed_at: Mapped[str] = mapped_column(String(255), default="")
    """When and where, in the observer's words."""
    strengths: Mapped[str] = mapped_column(Text, default="")
    next_time_1: Mapped[str] = mapped_column(Text, default="")
    next_time_2: Mapped[str] = mapped_column(Text, default="")
    behavior: Mapped[str] = mapped_column(Text, default="")
    effect: Mapped[str] = mapped_column(Text, default="")
    suggestion: Mapped[str] = mapped_column(Text, default="")
    marks: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Criterion id (as text) to level id. Checked against the rubric when the feedback is given."""
    rubric_id: Mapped[int | None]
    version: Mapped[int] = mapped_column()
    """Raised by every save. A save that names an older version keeps both texts."""
    kept_aside: Mapped[list[Any]] = mapped_column(default=list)
    """Texts from another device that a newer save met; offered to the author, removed when the feedback is given."""
    created_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy's own spelling)


class Note(Tenant, Base):
    """What an observer wrote down at a moment of the observation."""

    __tablename__ = "note"
    __table_args__ = (tenant_key(), within("feedback_id", "feedback"))

    feedback_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)


class Acknowledgement(Tenant, Base):
    """What the receiver says about feedback: what I heard, what I will use, how useful it was."""

    __tablename__ = "acknowledgement"
    __table_args__ = (
        tenant_key(),
        within("feedback_id", "feedback"),
        UniqueConstraint("feedback_id"),
        CheckConstraint("usefulness BETWEEN 1 AND 4", name="usefulness"),
    )

    feedback_id: Mapped[int]
    heard: Mapped[str] = mapped_column(Text, default="")
    will_use: Mapped[str] = mapped_column(Text, default="")
    usefulness: Mapped[int | None]
    at: Mapped[datetime]
