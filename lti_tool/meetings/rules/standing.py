"""How a group's meeting stands: what is agreed, what is proposed, and for whom it waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from lti_tool.activities.rules.rhythm import Rhythm
from lti_tool.meetings.rules.times import DateOf


class State(StrEnum):
    """In a word, how the meeting of a group stands."""

    NO_TIME = "no_time"
    PROPOSED = "proposed"
    AGREED = "agreed"
    CANCELED = "canceled"
    PAST = "past"
    """What was agreed lies in the past."""


@dataclass(frozen=True, slots=True)
class TimeView:
    """A time that was proposed, and who has accepted it."""

    id: int
    by_id: int
    state: str
    """`proposed`, `agreed` or `canceled`, as it is kept."""
    minutes: int
    place: str
    time_zone: str
    rhythm: Rhythm | None
    dates: tuple[DateOf, ...]
    accepted: frozenset[int]
    """Members who accepted it and are in the group now."""
    missing: tuple[int, ...]
    """Members of the group who have not accepted it."""
    settled_by_id: int | None = None

    @property
    def starts_at(self) -> datetime:
        """The first date's."""
        return self.dates[0].starts_at

    def next_date(self, now: datetime) -> DateOf | None:
        """The first date that is not over and not left out."""
        return next((one for one in self.dates if one.ends_at > now and not one.is_skipped), None)


@dataclass(frozen=True, slots=True)
class MeetingView:
    """The meeting of one group, as its members see it."""

    group_id: int
    round_number: int
    state: State
    due_at: datetime | None
    """The round's."""
    members: tuple[int, ...]
    """Who is in the group and in the course, in order of turn."""
    names: Mapping[int, str | None] = field(default_factory=dict)
    """As partners see them."""
    agreed: TimeView | None = None
    proposed: tuple[TimeView, ...] = ()
    """By moment. A time that was agreed and that somebody new in the group has yet to accept is among them."""
    canceled: TimeView | None = None
    """What was canceled last, as long as it is not over."""

    def met_at(self, now: datetime) -> datetime | None:
        """When the last date that was agreed began, if any has."""
        dates = self.agreed.dates if self.agreed is not None else ()
        return max((one.starts_at for one in dates if one.starts_at <= now and not one.is_skipped), default=None)


def meeting_view(
    group_id: int,
    round_number: int,
    names: Mapping[int, str | None],
    times: Sequence[TimeView],
    *,
    members: tuple[int, ...],
    due_at: datetime | None,
    now: datetime,
) -> MeetingView:
    """What is true of a group's meeting at a moment. `times` are those that stand, the last settled first.

    A meeting takes two at least, and a time is agreed as long as everybody who is in the group now has accepted it.
    """
    kept = next((one for one in times if one.state == "agreed"), None)
    agreed = kept if kept is not None and not kept.missing and len(members) > 1 else None
    ahead = [one for one in times if one.next_date(now) is not None]
    is_open = [one for one in ahead if one.state == "proposed" or (one is kept and agreed is None)]
    proposed = tuple(sorted(is_open, key=lambda one: (one.starts_at, one.id))) if len(members) > 1 else ()
    canceled = None if kept is not None else next((one for one in ahead if one.state == "canceled"), None)
    if agreed is not None and agreed.next_date(now) is not None:
        state = State.AGREED
    elif proposed:
        state = State.PROPOSED
    elif agreed is not None:
        state = State.PAST
    else:
        state = State.CANCELED if canceled is not None else State.NO_TIME
    return MeetingView(group_id, round_number, state, due_at, members, names, agreed, proposed, canceled)
