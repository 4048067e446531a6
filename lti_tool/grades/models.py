"""What the gradebook is to hold, what it was told, and every attempt to tell it."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within

NO_SCORE = -1
PUSH = "grades.push"
"""The job that sends one score."""


def push_key(score_id: int | str) -> str:
    """The unique key of the job that sends this score."""
    return f"{PUSH}:{score_id}"


class LineItem(Tenant, Base):
    """An activity's column in the gradebook, or that there is none.

    `state`: unknown (not looked for yet), linked, none (the platform has none and lets us make none), declined (whoever
    placed the link wanted no grades there; made by an instructor's click only), readonly (it takes no scores from us),
    deleted (it was there).
    """

    __tablename__ = "line_item"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        UniqueConstraint("activity_id"),
        CheckConstraint("state IN ('unknown', 'linked', 'none', 'readonly', 'deleted', 'declined')", name="state"),
        CheckConstraint("state <> 'linked' OR url IS NOT NULL", name="linked_by_url"),
    )

    activity_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="unknown")
    url: Mapped[str | None] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(String(255))
    maximum: Mapped[float | None]
    """The points of the column as the platform had it last; None where it was not looked at."""
    clock_offset_ms: Mapped[int | None]
    """By how much the platform's clock was ahead of ours at its last answer."""
    held_until: Mapped[datetime | None]
    """No score is sent before: the platform asked us to wait."""
    searched_by_until: Mapped[datetime | None]
    """Somebody looks for the column, or makes it, until then at most: two would make two."""
    checked_at: Mapped[datetime | None]


class ScoreState(Tenant, Base):
    """One member's score in one column: what it should be, and what the platform was told.

    `state`: waiting (to be sent; `reason` says what for), delivered, refused (`reason`), asks (progress was lost: staff
    decide whether the score follows).
    """

    __tablename__ = "score_state"
    __table_args__ = (
        tenant_key(),
        within("line_item_id", "line_item"),
        within("member_id", "member"),
        UniqueConstraint("line_item_id", "member_id"),
        Index("ix_score_state_state_reason", "state", "reason"),
        CheckConstraint("state IN ('waiting', 'delivered', 'refused', 'asks')", name="state"),
        CheckConstraint("wanted BETWEEN 0 AND 1000000", name="wanted"),
    )

    line_item_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    """A `grades.rules.Reason`."""
    wanted: Mapped[int]
    """Millionths of the maximum."""
    sent: Mapped[int | None]
    """What the platform confirmed last."""
    sent_at: Mapped[datetime | None]
    trying: Mapped[int | None]
    """What was posted while the answer is not known; the platform may have it."""
    stamp: Mapped[datetime | None]
    """The timestamp of the last post. Timestamps only rise."""
    in_flight_until: Mapped[datetime | None]
    """One post at a time: nobody else sends this score before."""
    conflicts: Mapped[int] = mapped_column(default=0)
    waits_since: Mapped[datetime | None]
    """Since when the platform has refused this score for now; None once it took it."""
    looks: Mapped[int] = mapped_column(default=0)
    """How often it was refused for now. The pause before the next attempt grows with it."""
    reads_first: Mapped[bool] = mapped_column(default=False)
    """A person asked to send it again: what the gradebook holds is read before, so that nothing is lowered unasked."""
    asked: Mapped[int | None]
    """What staff were asked last: what the score would become, NO_SCORE for none at all. Kept when they said no, so
    that they are not asked the same again.
    """
    changed_at: Mapped[datetime]

    @property
    def told(self) -> int | None:
        """The share that the platform may hold."""
        return self.sent if self.trying is None else self.trying


class ScoreAttempt(Tenant, Base):
    """The ledger: one attempt to tell the platform one score. Never holds what the platform echoed."""

    __tablename__ = "score_attempt"
    __table_args__ = (tenant_key(), within("score_id", "score_state"))

    score_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    share: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(16))
    """A `grades.rules.Kind`."""
    reason: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[int | None]
    """The HTTP status; None where no answer came."""
