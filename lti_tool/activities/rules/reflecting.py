"""Days on which an activity asks its learners to reflect, such as after each team meeting."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from typing import Any, Final, Self

from lti_tool.activities.rules.rhythm import Rhythm, days_in_rhythm

ASKED_FOR: Final = timedelta(days=3)
"""So many days long, that day included."""
LONGEST_OCCASION: Final = 100


@dataclass(frozen=True, slots=True)
class ReflectionDays:
    """When learners are asked, and after what."""

    first_on: date
    rhythm: Rhythm | None = None
    after: str = ""
    """What they come from, in a few words; empty where the designer did not say."""

    def last_on(self, today: date) -> date | None:
        """The last such day that has come."""
        if self.rhythm is None:
            return self.first_on if self.first_on <= today else None
        return max(takewhile(lambda day: day <= today, days_in_rhythm(self.first_on, self.rhythm)), default=None)

    def asks_on(self, today: date, *, last_written_on: date | None) -> bool:
        """Whether learners are asked today: for a while after each such day, until they wrote something since."""
        day = self.last_on(today)
        if day is None or today - day >= ASKED_FOR:
            return False
        return last_written_on is None or last_written_on < day

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """What the database keeps of it."""
        if kept is None:
            return None
        rhythm = Rhythm(kept["rhythm"]) if kept["rhythm"] else None
        return cls(date.fromisoformat(kept["first_on"]), rhythm, kept["after"])

    def to_json(self) -> dict[str, str]:
        """Plain values for the database."""
        return {"first_on": self.first_on.isoformat(), "rhythm": self.rhythm or "", "after": self.after}
