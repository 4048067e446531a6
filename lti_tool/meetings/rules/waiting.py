"""A member waits for a partner who does not answer: how long, and what follows from it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

PATIENCE: Final = timedelta(days=1)
"""So long a partner has to answer, before the member can go on without them."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A member waits for a partner in a round, or waited for them."""

    round_number: int
    author_id: int
    """Who waits."""
    recipient_id: int
    since: datetime
    """The first reminder that was not answered."""
    reminded_at: datetime
    answered_at: datetime | None = None
    alone_at: datetime | None = None
    """Since when the member goes on alone."""
    change_asked_at: datetime | None = None
    """When the member asked for another partner."""

    @property
    def is_open(self) -> bool:
        """Whether the partner has not answered."""
        return self.answered_at is None

    def may_go_on(self, *, now: datetime, met_at: datetime | None = None) -> bool:
        """Whether the member can go on without the partner: they had time to answer, or a meeting that was agreed has
        begun (`met_at`) without them.
        """
        return now >= self.since + PATIENCE or (met_at is not None and met_at <= now)

    def is_in_vain(self, *, due_at: datetime | None, now: datetime) -> bool:
        """Whether steps that need the partner are asked of the member no longer.

        So it is from the moment at which the member goes on alone; and once the round is over, if the partner was asked
        in time and had not answered by then. What the partner does later takes nothing from the member.
        """
        if self.alone_at is not None:
            return True
        if due_at is None or now <= due_at or self.since + PATIENCE > due_at:
            return False
        return self.answered_at is None or self.answered_at > due_at
