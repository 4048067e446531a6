"""Plans as pages and other features read them: groups, who is unpaired and why, pins, and who was moved."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from lti_tool.pairing.engine import Couple, Reason

RULE_REASONS: Final = frozenset({Reason.NOBODY_ALLOWED, Reason.TOO_FEW_PARTNERS, Reason.NONE_BETTER_FOUND})
"""Why somebody is unpaired because of rules."""


def couple_of(person: int, partner: int) -> Couple:
    """The key of two people: the smaller id first."""
    return (person, partner) if person <= partner else (partner, person)


@dataclass(frozen=True, slots=True)
class SeatView:
    """A member in a group of a round."""

    id: int
    group_id: int
    member_id: int
    name: str | None
    status: str
    group_number: int
    round_number: int
    opens_at: datetime | None
    due_at: datetime | None
    begun_at: datetime | None


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group as its members or staff see it. `seats` are in order of turn: the first is observed first."""

    seats: tuple[SeatView, ...]
    member_id: int | None = None
    """The member whose view it is; None for staff."""

    @property
    def id(self) -> int:
        return self.seats[0].group_id

    @property
    def number(self) -> int:
        """Counts the groups of the round."""
        return self.seats[0].group_number

    @property
    def round_number(self) -> int:
        return self.seats[0].round_number

    @property
    def opens_at(self) -> datetime | None:
        return self.seats[0].opens_at

    @property
    def due_at(self) -> datetime | None:
        """The round's; a member's own extension is not in it."""
        return self.seats[0].due_at

    @property
    def has_begun(self) -> bool:
        return self.seats[0].begun_at is not None

    @property
    def partners(self) -> tuple[SeatView, ...]:
        """Everybody but the member whose view it is, people who left included (see their status)."""
        return tuple(seat for seat in self.seats if seat.member_id != self.member_id)

    @property
    def begins(self) -> SeatView:
        """Who is observed first."""
        return self.seats[0]

    @property
    def i_begin(self) -> bool:
        return self.begins.member_id == self.member_id


@dataclass(frozen=True, slots=True)
class PublishedGroup:
    """A group of a published plan, by ids alone."""

    id: int
    round_id: int
    round_number: int
    members: tuple[int, ...]
    """In order of turn: the first is observed first. People who left are among them."""
    begun_at: datetime | None

    def partners_of(self, member_id: int) -> tuple[int, ...]:
        """The others in the group, in order of turn."""
        return tuple(one for one in self.members if one != member_id)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A learner without a group in a round, and whether the round is over."""

    member_id: int
    round_number: int
    is_over: bool
    reason: Reason | None = None
    """Why the engine found no partner; None of somebody who came after the plan was made."""


class Alone(StrEnum):
    """Why a learner has no group in a round, as far as they may know it themselves."""

    NOT_PLANNED = "not_planned"
    """No plan is published yet."""
    OVER = "over"
    """The round was over before they could be placed."""
    ABSENT = "absent"
    """Staff said that they do not turn up in it."""
    LEFT_OUT = "left_out"
    """Staff said that they do not take part, though they launched."""
    ROSTER_ASKED = "roster_asked"
    """They launched, and the roster that may list them is still to be read."""
    UNLISTED = "unlisted"
    """They launched, and the roster does not list them."""
    TEST_PERSON = "test_person"
    COMING = "coming"
    """They are being placed at this moment."""
    NOBODY = "nobody"
    """There is nobody left for them in it."""


class WhyNot(StrEnum):
    """Why pairing leaves out somebody whom the roster lists."""

    TEACHES = "teaches"
    WAS_STAFF = "was_staff"
    """Known as staff once; a later role of learner gives them a learner's preview, never a partner."""
    NAMED_STAFF = "named_staff"
    """An instructor said that this is staff; can be taken back."""
    OBSERVES = "observes"
    TEST_PERSON = "test_person"


@dataclass(frozen=True, slots=True)
class NotPaired:
    """Somebody of the roster who is not paired."""

    member_id: int
    name: str | None
    why: WhyNot


class Apart(StrEnum):
    """How firmly two people are kept apart."""

    NEVER = "never"
    AVOID = "rather_not"
    """The first rule to be relaxed, by a designer's click, when somebody would be unpaired."""


@dataclass(frozen=True, slots=True)
class PinView:
    """People who are to be together."""

    id: int
    members: tuple[int, ...]
    """By id. People who left are among them, and count no more."""
    round_number: int | None
    """None: every round."""
    said_by_id: int | None
    """A person."""
    said_at: datetime

    def holds_in(self, round_number: int) -> bool:
        """Whether these people are to be together in this round."""
        return self.round_number in {None, round_number}


@dataclass(frozen=True, slots=True)
class ApartView:
    """Two people who are kept apart. Staff only: no learner is ever shown this."""

    id: int
    members: Couple
    kind: Apart
    said_by_id: int | None
    """A person."""
    said_at: datetime


class Cause(StrEnum):
    """Why somebody has another partner than the published plan said before. Harmless: learners read it in words."""

    PARTNER_LEFT = "partner_left"
    JOINED = "joined"
    """They are new themselves."""
    HAD_NOBODY = "had_nobody"
    """They had no partner in this round until now."""
    SOMEBODY_JOINED = "somebody_joined"
    """Somebody came to their group, and nobody went."""
    MADE_ROOM = "made_room"
    """So that somebody else has a partner."""
    PARTNER_ABSENT = "partner_absent"
    PLAN_CHANGED = "plan_changed"
    """Staff rearranged groups: a swap, a pin, a rule. Which one is nobody's business."""


@dataclass(frozen=True, slots=True)
class MoveView:
    """A member's groups were changed in a round of the published plan."""

    round_number: int
    cause: Cause
    at: datetime
