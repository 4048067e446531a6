"""Plans as people look at them: groups, what is out of balance, and the picture of who meets whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import combinations
from math import cos, pi, sin

from lti_tool.pairing.engine import Reason, Schedule


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


@dataclass(frozen=True, slots=True)
class Standing:
    """How a plan stands today."""

    schedule: Schedule
    balance: Mapping[int, int]
    """For each member, how often they are observed first less how often last."""
    learners: list[int]
    unplaced: tuple[Unplaced, ...]
    gone: tuple[int, ...]
    """Members who take part no longer, and sit in a group that can still be changed."""
    gone_from_begun: tuple[int, ...]
    """The others who take part no longer: their groups have begun, and stay as they are."""
    repeats: int
    """Meetings of two people who meet in another round or another activity of the course, too."""
    has_begun: bool
    """Whether anybody wrote something in any group of the plan."""


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


class ForbidKind(StrEnum):
    """How firmly two people are kept apart."""

    NEVER = "never"
    RATHER_NOT = "rather_not"
    """The first thing to give way when somebody would stay without a partner, by a designer's click."""


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


@dataclass(frozen=True, slots=True)
class ExclusionView:
    """Two people who are kept apart. Staff only: no learner is ever shown this."""

    id: int
    one_id: int
    other_id: int
    kind: ForbidKind
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


@dataclass(frozen=True, slots=True)
class Dot:
    """A person in the picture: a place on the circle, and a number beside it."""

    member_id: int
    number: int
    x: float
    y: float
    label_x: float
    label_y: float


@dataclass(frozen=True, slots=True)
class Line:
    """Two people who meet, and in which round first."""

    round_number: int
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Picture:
    """Who meets whom: people around a circle, a line for every meeting. Coordinates fit a square of `size`."""

    size: int
    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]


def draw(members: Sequence[int], schedule: Schedule, *, size: int = 440) -> Picture:
    """The picture of a schedule with these members in this order."""
    middle, radius = size / 2, size / 2 - 34
    dots: dict[int, Dot] = {}
    for place, member_id in enumerate(members):
        angle = 2 * pi * place / max(len(members), 1) - pi / 2
        x, y = cos(angle), sin(angle)
        dots[member_id] = Dot(
            member_id,
            place + 1,
            round(middle + radius * x, 1),
            round(middle + radius * y, 1),
            round(middle + (radius + 18) * x, 1),
            round(middle + (radius + 18) * y + 4, 1),
        )
    lines = [
        Line(number, dots[one].x, dots[one].y, dots[other].x, dots[other].y)
        for number, groups in enumerate(schedule.rounds, start=1)
        for group in groups
        for one, other in combinations(group, 2)
        if one in dots and other in dots
    ]
    return Picture(size, tuple(dots.values()), tuple(lines))


@dataclass(frozen=True, slots=True)
class Row:
    """What the picture shows of one member, in words: partners by round, and how often observed first and last."""

    member_id: int
    partners: tuple[tuple[int, ...], ...]
    first: int
    last: int


def rows(members: Sequence[int], schedule: Schedule) -> list[Row]:
    """The picture as a table."""
    partners: dict[int, list[tuple[int, ...]]] = {one: [() for _ in schedule.rounds] for one in members}
    first, last = dict.fromkeys(members, 0), dict.fromkeys(members, 0)
    for place, groups in enumerate(schedule.rounds):
        for group in groups:
            for one in group:
                if one in partners:
                    partners[one][place] = tuple(other for other in group if other != one)
            if group[0] in first:
                first[group[0]] += 1
            if group[-1] in last:
                last[group[-1]] += 1
    return [Row(one, tuple(partners[one]), first[one], last[one]) for one in members]


@dataclass(frozen=True, slots=True)
class Spread:
    """How even something is over all people: how many are even, how many off by one, how many by more."""

    even: int
    off_by_one: int
    more: int


def spread(table: Sequence[Row]) -> Spread:
    """Count people by how far their turns are from even."""
    off = [abs(row.first - row.last) for row in table]
    return Spread(off.count(0), off.count(1), sum(one > 1 for one in off))


def variety(table: Sequence[Row]) -> Spread:
    """Count people by how many of their meetings are with somebody whom they meet in another round, too."""
    met = [[one for partners in row.partners for one in partners] for row in table]
    again = [len(people) - len(set(people)) for people in met]
    return Spread(again.count(0), again.count(1), sum(one > 1 for one in again))
