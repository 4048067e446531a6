"""What staff ask of the people whom they chose on the plan: who may ask it, what it would do, and the deed itself."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.errors import N_
from lti_tool.pairing import plan_words, service
from lti_tool.pairing.comparing import Comparison
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules import ForbidKind, GroupView, SeatView


class Do(StrEnum):
    """What is to become of those who are chosen."""

    SWAP = "swap"
    TOGETHER = "together"
    ALWAYS = "always"
    NEVER = "never"
    RATHER_NOT = "rather-not"
    ABSENT = "absent"
    LEAVE_OUT = "leave-out"
    MEND = "mend"
    """Of nobody in particular: groups that break a rule."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Who may do something, to how many people, and what is said when there are others."""

    may: str
    fewest: int
    most: int
    words: str


TWO: Final = N_("Choose two people for this.")
ONE: Final = N_("Choose one person for this.")
NEEDS: Final[dict[Do, Needs]] = {
    Do.SWAP: Needs("move a member", 2, 2, N_("Choose two people in different groups of this round.")),
    Do.TOGETHER: Needs("change a plan", 2, 12, plan_words.PINS["too few"]),
    Do.ALWAYS: Needs("change a plan", 2, 12, plan_words.PINS["too few"]),
    Do.NEVER: Needs("change a plan", 2, 2, TWO),
    Do.RATHER_NOT: Needs("change a plan", 2, 2, TWO),
    Do.ABSENT: Needs("move a member", 1, 1, ONE),
    Do.LEAVE_OUT: Needs("change a plan", 1, 1, ONE),
    Do.MEND: Needs("change a plan", 0, 12, ""),
}
SAYINGS: Final = frozenset({Do.TOGETHER, Do.ALWAYS, Do.NEVER, Do.RATHER_NOT})
KINDS: Final = {Do.NEVER: ForbidKind.NEVER, Do.RATHER_NOT: ForbidKind.RATHER_NOT}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the request asks for."""

    do: Do
    who: list[int]
    number: int
    plan: Plan
    groups: list[GroupView]
    """Of the round."""

    @property
    def seats(self) -> list[SeatView]:
        """The places of the chosen people in the round, in the order in which they were chosen."""
        by_member = {seat.member_id: seat for group in self.groups for seat in group.seats}
        return [by_member[one] for one in self.who if one in by_member]

    @property
    def round_number(self) -> int | None:
        """The round that a pin is for; None is every round."""
        return None if self.do is Do.ALWAYS else self.number


def foresee(session: Session, activity: Activity, wanted: Wanted, *, now: datetime) -> Comparison:
    """What `make` would do to the groups. Raises what its service raises."""
    who, plan = wanted.who, wanted.plan
    match wanted.do:
        case Do.SWAP:
            return service.preview_swap(session, plan, *_two_seats(wanted), now=now)
        case Do.TOGETHER | Do.ALWAYS:
            return service.preview_pin(session, activity, who, wanted.round_number, now=now)
        case Do.NEVER | Do.RATHER_NOT:
            return service.preview_forbid(session, activity, who[0], who[1], KINDS[wanted.do], now=now)
        case Do.ABSENT:
            return service.preview_absent(session, plan, _one_group(wanted), who[0], now=now)
        case Do.LEAVE_OUT:
            return service.preview_leave_out(session, plan, who[0], now=now)
        case Do.MEND:
            return service.preview_mend(session, plan, now=now)


def make(
    session: Session,
    activity: Activity,
    wanted: Wanted,
    *,
    version: int,
    anyway: bool,
    by: int,
    now: datetime,
) -> str:
    """Do it, and answer with the word for what was done. `version` is of the plan that was looked at, `by` a person."""
    who, plan = wanted.who, wanted.plan
    match wanted.do:
        case Do.SWAP:
            seats = _two_seats(wanted)
            service.swap(session, plan, *seats, expected_version=version, now=now, anyway=anyway)
            return "swapped"
        case Do.TOGETHER | Do.ALWAYS:
            number = wanted.round_number
            service.pin(session, activity.id, who, number, expected_version=version, by=by, now=now)
            return "pinned"
        case Do.NEVER | Do.RATHER_NOT:
            one, other = who
            service.forbid(
                session,
                activity.id,
                one,
                other,
                KINDS[wanted.do],
                expected_version=version,
                by=by,
                now=now,
            )
            return "apart"
        case Do.ABSENT:
            service.report_absent(session, plan, _one_group(wanted), who[0], expected_version=version, by=by, now=now)
            return "absent"
        case Do.LEAVE_OUT:
            service.leave_out(session, plan, who[0], expected_version=version, now=now)
            return "left-out"
        case Do.MEND:
            service.mend(session, plan, expected_version=version, now=now)
            return "mended"


def _one_group(wanted: Wanted) -> int:
    """The group of the first of them; 0, which is no group, for somebody who has none in the round."""
    return wanted.seats[0].group_id if wanted.seats else 0


def _two_seats(wanted: Wanted) -> tuple[int, int]:
    """The places of the two; 0, which is nobody's, for somebody who has none in the round."""
    seats = [seat.id for seat in wanted.seats] + [0, 0]
    return seats[0], seats[1]
