"""When groups meet: proposed, agreed and canceled times, who accepted them, reminders, calendar addresses."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Appointment(Tenant, Base):
    """What a group agrees about its meeting in a round. Outlives the group: calendars have to be told it is off."""

    __tablename__ = "meeting"
    __table_args__ = (tenant_key(), within("round_id", "round"))

    round_id: Mapped[int] = mapped_column(index=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True)
    """Under which calendars know it. Never changes."""
    sequence: Mapped[int] = mapped_column(default=0)
    """Raised by every change that calendars have to follow."""
    changed_at: Mapped[datetime]


class MeetingGroup(Tenant, Base):
    """Which group a meeting is of. Goes with the group."""

    __tablename__ = "meeting_group"
    __table_args__ = (
        within("meeting_id", "meeting"),
        within("group_id", "group_"),
        UniqueConstraint("meeting_id"),
        UniqueConstraint("group_id"),
    )

    meeting_id: Mapped[int]
    group_id: Mapped[int]


class MeetingTime(Tenant, Base):
    """A time with a length and a place.

    `dropped`: taken back, or another one was agreed. `replaced`: was agreed before the one that is agreed now. Rows
    stay, so that a button on an older page never means a newer time.
    """

    __tablename__ = "meeting_time"
    __table_args__ = (
        tenant_key(),
        within("meeting_id", "meeting"),
        within("by_id", "member"),
        CheckConstraint("state IN ('proposed', 'dropped', 'agreed', 'canceled', 'replaced')", name="state"),
        CheckConstraint("rhythm IN ('weekly', 'fortnightly', 'monthly')", name="rhythm"),
        CheckConstraint("minutes > 0", name="minutes"),
        Index(
            "uq_meeting_time_one_agreed",
            "meeting_id",
            unique=True,
            sqlite_where=text("state = 'agreed'"),
            postgresql_where=text("state = 'agreed'"),
        ),
    )

    meeting_id: Mapped[int] = mapped_column(index=True)
    by_id: Mapped[int] = mapped_column(index=True)
    """The member who proposed it."""
    proposed_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    """With a rhythm, that of the first date."""
    minutes: Mapped[int]
    time_zone: Mapped[str] = mapped_column(String(64))
    """Where it was proposed; further dates keep the hour on the clocks there."""
    place: Mapped[str] = mapped_column(Text, default="")
    """A place in words, or an http or https address."""
    rhythm: Mapped[str | None] = mapped_column(String(16))
    skipped: Mapped[list[Any]] = mapped_column(default=list)
    """Numbers of further dates that do not take place; the first date is 1."""
    state: Mapped[str] = mapped_column(String(16), default="proposed")
    settled_at: Mapped[datetime | None]
    """When it was agreed, canceled or replaced."""
    settled_by_id: Mapped[int | None]
    """The member who did that."""


class Acceptance(Tenant, Base):
    """A member accepts a time. Whoever proposes a time accepts it."""

    __tablename__ = "acceptance"
    __table_args__ = (
        within("time_id", "meeting_time"),
        within("member_id", "member"),
        UniqueConstraint("time_id", "member_id"),
    )

    time_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """Since when they are in the group no more. Their calendar shows it as canceled."""


class Nudge(Tenant, Base):
    """A member waits for an answer of a partner in a round. At most one reminder a day."""

    __tablename__ = "nudge"
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
    since: Mapped[datetime]
    """The first reminder that was not answered."""
    at: Mapped[datetime]
    """The last one."""
    answered_at: Mapped[datetime | None]
    alone_at: Mapped[datetime | None]
    """Since when the author goes on alone in the round."""
    change_asked_at: Mapped[datetime | None]
    """When the author asked for another partner."""


class CalendarAddress(Tenant, Base):
    """A private address under which a member's calendar program reads their meetings. Only its hash is kept."""

    __tablename__ = "calendar_address"
    __table_args__ = (within("member_id", "member"), UniqueConstraint("member_id"))

    member_id: Mapped[int]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
    read_at: Mapped[datetime] = mapped_column(index=True)
    """When a calendar last read it; at first, when it was made."""
    counts_from: Mapped[datetime]
    reads: Mapped[int] = mapped_column(default=0)
    """How often it was read in the hour that began at `counts_from`."""
