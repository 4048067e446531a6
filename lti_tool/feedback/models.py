"""Observation notes, feedback with its rubric marks, and what the receiver answered."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Feedback(Tenant, Base):
    """What one member of a group tells another about one round. A draft until `submitted_at` is set.

    Between giving and release the fields hold what was given; what is typed then waits in `correction`.
    """

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

    activity_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int]
    group_id: Mapped[int] = mapped_column(index=True)
    author_id: Mapped[int] = mapped_column(index=True)
    recipient_id: Mapped[int] = mapped_column(index=True)
    observed_what: Mapped[str] = mapped_column(Text, default="")
    observed_at: Mapped[str] = mapped_column(Text, default="")
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
    is_open_to_staff: Mapped[bool] = mapped_column(default=False)
    """What the author was told before writing. A setting that changes later opens nothing that was written before."""
    note_draft: Mapped[str] = mapped_column(Text, default="")
    """A note that was typed and not added yet."""
    correction: Mapped[dict[str, Any] | None]
    """Fields changed since it was given, by name; laid over the given ones when it is given again."""
    version: Mapped[int] = mapped_column(default=1)
    """Raised by every save, under the row's lock."""
    stamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Field to [version of its last change, device]: tells whether a device had seen what it is about to replace."""
    kept_aside: Mapped[list[Any]] = mapped_column(default=list)
    """Texts that another device's newer text took the place of; offered to the author, removed when it is given."""
    created_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    """First time it was given. Never cleared."""
    released_at: Mapped[datetime | None]

    # The service raises it itself, since one save may flush more than once.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}  # noqa: RUF012 (SQLAlchemy's own spelling)


class Note(Tenant, Base):
    """What an observer wrote down at a moment of the observation. For the observer's own eyes."""

    __tablename__ = "note"
    __table_args__ = (tenant_key(), within("feedback_id", "feedback"))

    feedback_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    removed_at: Mapped[datetime | None]
    """Set by its author, who may still bring it back until the feedback is given."""


class PartnerNote(Tenant, Base):
    """A short word from one member of a group to another before they meet, such as when and where."""

    __tablename__ = "partner_note"
    __table_args__ = (
        within("round_id", "round"),
        within("author_id", "member"),
        within("recipient_id", "member"),
        UniqueConstraint("round_id", "author_id", "recipient_id"),
        CheckConstraint("author_id <> recipient_id", name="not_to_oneself"),
    )

    round_id: Mapped[int]
    author_id: Mapped[int] = mapped_column(index=True)
    recipient_id: Mapped[int] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


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


class AnswerDraft(Tenant, Base):
    """An acknowledgement as it is typed. Removed when it is sent."""

    __tablename__ = "answer_draft"
    __table_args__ = (tenant_key(), within("feedback_id", "feedback"), UniqueConstraint("feedback_id"))

    feedback_id: Mapped[int]
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    version: Mapped[int] = mapped_column(default=1)
    stamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    kept_aside: Mapped[list[Any]] = mapped_column(default=list)
    saved_at: Mapped[datetime]

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}  # noqa: RUF012 (SQLAlchemy's own spelling)
