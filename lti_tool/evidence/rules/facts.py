"""What the figures of an activity are counted from, without a word that anybody wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from lti_tool.activities.rules import Kind
from lti_tool.progress.rules import Summary
from lti_tool.quality.rules import Expected, Figures, Given
from lti_tool.surveys.rules import Change, Item


@dataclass(frozen=True, slots=True)
class GroupMeeting:
    """The meeting of one group in a round. The days are those of the activity's time zone; None: not yet."""

    round: int
    members: tuple[int, ...]
    planned_on: tuple[date, ...] = ()
    """Of a rhythm every date, as far as it is not skipped."""
    held_on: date | None = None


class FollowThrough(StrEnum):
    """What became of an action."""

    DONE = "done"
    MOVED = "moved"
    """Looked back at and still open."""
    OPEN = "open"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """An action that was written in a round."""

    round: int
    owner_id: int
    became: FollowThrough


@dataclass(frozen=True, slots=True)
class GoalStanding:
    """A goal: its state, and its value at the start, now and at the end, where those are numbers."""

    owner_id: int
    state: str
    start: float | None = None
    now: float | None = None
    target: float | None = None

    @property
    def way(self) -> float | None:
        """The share of the way from start to target that is done; None where numbers are missing."""
        if self.start is None or self.now is None or self.target is None or self.start == self.target:
            return None
        return (self.now - self.start) / (self.target - self.start)


@dataclass(frozen=True, slots=True)
class Sharing:
    """What people agreed to share, as counts."""

    groups: int = 0
    agreed: int = 0
    """Groups in which somebody said yes to the agreement on confidentiality."""
    offered: int = 0
    """Practices that members offered to the course library."""
    shown: int = 0
    """Those that the whole course reads, because everyone concerned agreed."""
    in_institution: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """One activity at one moment. People are members by id."""

    now: datetime
    kind: Kind
    rounds: Sequence[int]
    summaries: Mapping[int, Summary]
    waits: Mapping[int, datetime]
    """Since when people wait for a partner who does not answer."""
    meetings: Sequence[GroupMeeting]
    given: Sequence[Given]
    expected: Sequence[Expected]
    quality: Sequence[tuple[int | None, Figures]]
    """Figures on feedback by round, and with None those of all rounds."""
    turns: Sequence[tuple[int, str]]
    """Who had which seat, once for each round."""
    actions: Sequence[PlannedAction]
    goals: Sequence[GoalStanding]
    survey: Sequence[Change | Item]
    sharing: Sharing
