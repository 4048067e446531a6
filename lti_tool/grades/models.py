"""Tables of columns, of what each score should be, and of every attempt to send one."""

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

    `state`: unknown (not searched yet), linked, none (there is none and we may not make one), declined (no grades were
    wanted when the link was placed; only an instructor's click makes a column), readonly (it takes no scores from us),
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
    """The column's points when it was last read; None if it never was."""
    clock_offset_ms: Mapped[int | None]
    """How far the platform's clock was ahead of ours at its last answer."""
    held_until: Mapped[datetime | None]
    """No score is sent before this time, at the platform's request."""
    searched_by_until: Mapped[datetime | None]
    """A search holds the column until then at the latest. Two at once would make two columns."""
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
    """The share that was posted without a known result; the platform may have it."""
    stamp: Mapped[datetime | None]
    """The timestamp of the last post. Timestamps only rise."""
    in_flight_until: Mapped[datetime | None]
    """A post holds the score until then at the latest."""
    conflicts: Mapped[int] = mapped_column(default=0)
    waits_since: Mapped[datetime | None]
    """Since when the platform has refused this score for now; None once it accepts it."""
    looks: Mapped[int] = mapped_column(default=0)
    """How often it was refused for now. The pause before the next attempt grows with it."""
    reads_first: Mapped[bool] = mapped_column(default=False)
    """A person asked to send it again. The gradebook is read first, so that nothing is lowered without asking."""
    asked: Mapped[int | None]
    """What staff were asked last: the share that the score would become, or NO_SCORE for none. Kept if they said no, so
    that they are not asked again.
    """
    changed_at: Mapped[datetime]

    @property
    def reported(self) -> int | None:
        """The share that the platform may hold."""
        return self.sent if self.trying is None else self.trying


class ScoreAttempt(Tenant, Base):
    """The ledger: one attempt to send one score. Holds nothing of the text that the platform answered."""

    __tablename__ = "score_attempt"
    __table_args__ = (tenant_key(), within("score_id", "score_state"))

    score_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    share: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(16))
    """A `grades.rules.Kind`."""
    reason: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[int | None]
    """The HTTP status; None if no answer came."""
