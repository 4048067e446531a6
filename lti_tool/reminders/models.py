"""Letters, what each of them reminded of, who wants none, and how the mail server does."""

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within

LETTERS_KEPT: Final = timedelta(days=365)
"""For so long it is known who was reminded, and what staff did for learners."""


class Letter(Tenant, Base):
    """A letter to a person, written down before it is sent, so that a day has at most one.

    `sending`: handed to the mail server, with no answer so far; it stays so if the worker died, and is not sent again.
    `refused`: the server does not take letters for the address.
    """

    __tablename__ = "letter"
    __table_args__ = (
        tenant_key(),
        within("person_id", "person"),
        UniqueConstraint("person_id", "day"),
        CheckConstraint("state IN ('sending', 'sent', 'refused')", name="state"),
    )

    person_id: Mapped[int]
    day: Mapped[date]
    """Where the person is."""
    state: Mapped[str] = mapped_column(String(16), default="sending")
    made_at: Mapped[datetime] = mapped_column(index=True)


class Reminder(Tenant, Base):
    """A member was reminded of something in an activity: by a letter, by staff on their first page, or by both."""

    __tablename__ = "reminder"
    __table_args__ = (
        within("member_id", "member"),
        within("activity_id", "activity"),
        within("letter_id", "letter"),
        within("act_id", "staff_act"),
        CheckConstraint(
            "rule IN ('staff', 'overdue', 'due_soon', 'waits', 'time', 'feedback', 'partner', 'change')", name="rule"
        ),
        CheckConstraint("(rule = 'staff') = (act_id IS NOT NULL)", name="of_staff"),
        CheckConstraint("rule = 'staff' OR letter_id IS NOT NULL", name="by_letter"),
    )

    member_id: Mapped[int] = mapped_column(index=True)
    activity_id: Mapped[int] = mapped_column(index=True)
    rule: Mapped[str] = mapped_column(String(16))
    """A value of `rules.Rule`."""
    round_number: Mapped[int | None]
    mark: Mapped[str] = mapped_column(String(64))
    """Tells one occasion from another under the same rule; see `rules.Waiting`."""
    at: Mapped[datetime] = mapped_column(index=True)
    letter_id: Mapped[int | None] = mapped_column(index=True)
    act_id: Mapped[int | None] = mapped_column(index=True)
    """What staff did, for a reminder of theirs."""


class MailPreference(Tenant, Base):
    """Whether a person wants letters, and whether their address takes them. Without a row: both."""

    __tablename__ = "mail_preference"
    __table_args__ = (
        within("person_id", "person"),
        UniqueConstraint("person_id"),
        CheckConstraint("(refused_at IS NULL) = (refused_mark IS NULL)", name="refused"),
    )

    person_id: Mapped[int]
    stopped_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    """Since when a mail server refuses the address."""
    refused_mark: Mapped[str | None] = mapped_column(String(64))
    """A fingerprint of that address: another address may take letters."""


class MailServer(Base):
    """How the mail server of this installation does, for all workers. One row."""

    __tablename__ = "mail_server"

    id: Mapped[int] = mapped_column(primary_key=True)
    failing_since: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(String(64))
    """The name of the last failure, never its text."""
