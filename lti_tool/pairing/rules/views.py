"""Plans for pages and other features: groups, unpaired people and the reasons, pins, and moves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from lti_tool.activities.rules import Kind, Seating, givers, owed, seat_at
from lti_tool.pairing.engine import Breach, Lock, Reason, Schedule, Violation
from lti_tool.pairing.rules.comparing import couple_of, couples_in

RULE_REASONS: Final = frozenset({Reason.NOBODY_ALLOWED, Reason.TOO_FEW_PARTNERS, Reason.NONE_BETTER_FOUND})
"""The reasons that mean: unpaired because of rules."""


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of a plan, by ids alone."""

    id: int
    number: int
    """Counts the groups of the round."""
    round_id: int
    round_number: int
    due_at: datetime | None
    """The due date of the round, without extensions of members."""
    begun_at: datetime | None
    members: tuple[int, ...]
    """In order of turn: the first is observed first. People who left are among them."""
    left: frozenset[int]
    """Those of them who are not in the course any more."""
    seating: Seating

    def turn_of(self, member_id: int) -> int:
        """The place of a member, counted from 1."""
        return self.members.index(member_id) + 1

    def seat_of(self, kind: Kind, member_id: int) -> str:
        """The key of the seat of a member."""
        return seat_at(kind, self.turn_of(member_id), self.seating)

    def owed(self, kind: Kind, giver_id: int, receiver_id: int) -> frozenset[str]:
        """The keys of the steps that one member owes another; none where one of them is not in the group."""
        if giver_id not in self.members or receiver_id not in self.members:
            return frozenset()
        couple = (self.turn_of(giver_id), self.turn_of(receiver_id))
        return owed(kind, self.seating).get(couple, frozenset())

    def givers_to(self, kind: Kind, receiver_id: int, step_key: str) -> tuple[int, ...]:
        """Who takes part and owes this step to a member, in order of turn; nobody where they are not in the group."""
        if receiver_id not in self.members:
            return ()
        turns = givers(kind, step_key, self.seating, self.turn_of(receiver_id))
        return tuple(member for turn, member in enumerate(self.members, start=1) if turn in turns)

    def partners_of(self, member_id: int) -> tuple[int, ...]:
        """The other members, in order of turn."""
        return tuple(person for person in self.members if person != member_id)


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A learner without a group in a round."""

    member_id: int
    round_number: int
    reason: Reason | None = None
    """Why the engine found no partner; None for someone who came after the plan was made."""


class Alone(StrEnum):
    """Why a learner has no group in a round, as far as they may know it themselves."""

    NOT_PLANNED = "not_planned"
    """No plan is published yet."""
    OVER = "over"
    """The round was over before they could be placed."""
    ABSENT = "absent"
    """Staff said that they are absent in it."""
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
    """No one is left to pair them with."""


class Apart(StrEnum):
    """How firmly two people are kept apart."""

    NEVER = "never"
    AVOID = "rather_not"
    """The first rule to relax when someone would be unpaired."""


class Cause(StrEnum):
    """Why someone has other partners in a published plan than before. Learners read it, so it reveals nothing."""

    PARTNER_LEFT = "partner_left"
    JOINED = "joined"
    """They are new themselves."""
    HAD_NOBODY = "had_nobody"
    """They had no partner in the round before."""
    SOMEBODY_JOINED = "somebody_joined"
    """Someone joined their group, and no one left it."""
    MADE_ROOM = "made_room"
    """So that someone else has a partner."""
    PARTNER_ABSENT = "partner_absent"
    PLAN_CHANGED = "plan_changed"
    """Staff rearranged groups: a swap, a pin, a rule."""


# ---- the groups of a round as staff see them ------------------------------------------------------------------------


class Mark(StrEnum):
    """What staff should note about a group."""

    BREAKS = "breaks"
    """A rule of today forbids it, or a pin is not kept."""
    REPEAT = "repeat"
    """Two of it have met before."""
    LEFT = "left"
    """A member is not in the course any more."""
    THREE = "three"
    """Three people in a plan of pairs."""
    PINNED = "pinned"
    BEGUN = "begun"


WARNINGS: Final = frozenset({Mark.BREAKS, Mark.REPEAT, Mark.LEFT})


class Show(StrEnum):
    """Which groups are listed."""

    ALL = "all"
    WARNING = "warning"
    PINNED = "pinned"
    THREE = "three"
    UNPAIRED = "unpaired"
    """People without a partner, and no groups."""


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group and what to note about it."""

    group: GroupView
    marks: tuple[Mark, ...]
    broken: tuple[str, ...]
    """Names of the rules that forbid it; empty names for those who may not know them."""


def lines(
    groups: Iterable[GroupView], number: int, schedule: Schedule, broken: Iterable[Violation], pins: Iterable[Lock]
) -> list[GroupLine]:
    """The groups of round `number`, in their order. `schedule` has the course in it."""
    met = {couple_of(*couple) for couple in schedule.course.met}
    met.update(couple for earlier in schedule.rounds[: number - 1] for couple in couples_in(earlier))
    pinned = [set(pin.members) for pin in pins if pin.round in {None, number}]
    breaches = [breach for breach in broken if breach.round == number]
    is_of_pairs = schedule.course.shape.size == 2
    listed = []
    for group in groups:
        people = set(group.members)
        against = [breach for breach in breaches if _concerns(breach, people)]
        marks = {
            Mark.BREAKS: bool(against),
            Mark.REPEAT: not met.isdisjoint(couples_in([tuple(people)])),
            Mark.LEFT: bool(group.left),
            Mark.THREE: len(people) == 3 and is_of_pairs,
            Mark.PINNED: any(members <= people for members in pinned),
            Mark.BEGUN: group.begun_at is not None,
        }
        rules = tuple(dict.fromkeys(breach.rule for breach in against if breach.breach is Breach.RULE))
        listed.append(GroupLine(group, tuple(mark for mark, is_so in marks.items() if is_so), rules))
    return listed


def chosen(listed: Iterable[GroupLine], show: Show, words: str, names: Mapping[int, str | None]) -> list[GroupLine]:
    """Those of the groups that are to be shown and have a member whose name has all these words in it."""
    marks = {Show.ALL: frozenset(Mark) | {None}, Show.WARNING: WARNINGS}.get(show, {show})
    wanted = words.casefold().split()
    return [
        line
        for line in listed
        if not marks.isdisjoint(line.marks or (None,))
        and any(all(word in (names[member] or "").casefold() for word in wanted) for member in line.group.members)
    ]


def _concerns(breach: Violation, people: set[int]) -> bool:
    """A rule is broken by a group with both people; a pin is broken by every group with one of them."""
    return bool(people & set(breach.people)) if breach.breach is Breach.LOCK else people >= set(breach.people)
