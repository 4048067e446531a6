"""What would become of a plan: a page shows it before a change, and the change keeps it. Nothing is stored here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.pairing import comparing, engine
from lti_tool.pairing.comparing import LOCK, Broken, Comparison
from lti_tool.pairing.engine import Breach, Course, Group, Lock, Placed, Reason, Schedule, Unpaired
from lti_tool.pairing.errors import (
    AbsenceImpossible,
    PinImpossible,
    PlanFlawed,
    PlanImpossible,
    RuleBroken,
    SwapImpossible,
)
from lti_tool.pairing.gathering import Gathered, absences_of, gather
from lti_tool.pairing.keeping import refuse_flawed
from lti_tool.pairing.models import Plan, Seat
from lti_tool.pairing.storing import Stored, load

WAITS: Final = Reason.NOBODY_ELSE
"""Stands for anybody without a group of whom nothing else is known, until the engine has looked for a partner."""


@dataclass(frozen=True, slots=True)
class Present:
    """A plan as it is today, with everything that has a say in it."""

    activity: Activity
    plan: Plan
    stored: Stored
    gathered: Gathered
    """Today's learners, rules and pins."""
    course: Course
    """The same as the engine is told of it, in the shape that the plan was made in."""
    from_round: int
    """The first round whose date is not over; those before are left alone."""
    absent: Mapping[int, frozenset[int]]
    seated: frozenset[int]
    """Everybody who has a group in some round."""
    gone: frozenset[int]
    """Those of them who take part no longer."""

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Groups that break a rule of today, and pins that are not kept, in rounds that are not over."""
        return comparing.broken(self.course, self.stored.schedule.rounds, from_round=self.from_round)

    def schedule(self, course: Course) -> Schedule:
        """What is stored as the engine is told of it: everybody of the course has a group or is listed as unpaired."""
        stored = self.stored.schedule
        reasons = {(one.round, one.person): one.reason for one in stored.unpaired}
        unpaired = [one for one in stored.unpaired if one.round < self.from_round]
        for number in range(self.from_round, len(stored.rounds) + 1):
            seated = {one for group in stored.rounds[number - 1] for one in group}
            absent = self.absent.get(number, frozenset())
            for one in sorted(set(course.people) - seated):
                known = reasons.get((number, one), WAITS)
                reason = Reason.ABSENT if one in absent else WAITS if known is Reason.ABSENT else known
                unpaired.append(Unpaired(one, number, reason))
        everybody = sorted(self.seated | set(course.people))
        return replace(stored, course=replace(course, people=tuple(everybody)), unpaired=tuple(unpaired))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A change to a plan: pages show its effect, and the same is kept when somebody makes it."""

    present: Present
    after: Schedule
    effect: Comparison
    """Judged by what holds after the change."""


def look(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> Present:
    """Read a plan and what has a say in it."""
    stored = load(session, plan)
    gathered = gather(session, activity)
    course = gathered.course(plan.shape)
    seated = frozenset(one for groups in stored.schedule.rounds for group in groups for one in group)
    return Present(
        activity,
        plan,
        stored,
        gathered,
        course,
        from_round=1 + stored.last_over(now),
        absent=absences_of(session, activity.id),
        seated=seated,
        gone=seated.difference(course.people),
    )


def flaws(present: Present) -> list[engine.Violation]:
    """What the checker has against the plan in rounds that are not over, but for groups that have begun or break a rule
    and pins that are not kept: those are in `Present.broken`, and stay until somebody has them mended."""
    course, fixed = _tolerating(present, present.course)
    return engine.verify(course, present.stored.schedule, from_round=present.from_round, fixed=fixed)


def repaired(present: Present, course: Course | None = None, *, mends: bool = False) -> Schedule:
    """The plan with the fewest changes that give everybody a partner, with `course` saying what holds from now on.

    What breaks a rule of `present.course` already is left alone unless `mends`; what breaks only a new rule is not.
    Raises PlanImpossible and PlanFlawed.
    """
    course, fixed = course or present.course, present.stored.fixed
    if not mends:
        course, fixed = _tolerating(present, course)
    try:
        after = engine.repair(
            present.schedule(course), sorted(present.gone), [], present.from_round, fixed=sorted(fixed)
        )
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(present.activity.id, refusal) from refusal
    _refuse(present, engine.verify(course, after, from_round=present.from_round, fixed=fixed))
    return after


def supposing(present: Present, gathered: Gathered | None = None, *, mends: bool = False) -> Foreseen:
    """The plan repaired for what would hold then, which is what holds today if None. See `repaired`."""
    course = present.course if gathered is None else gathered.course(present.plan.shape)
    return _foreseen(present, repaired(present, course, mends=mends), course)


def pinned(present: Present, members: tuple[int, ...], round_number: int | None) -> Foreseen:
    """These people kept together. Raises RuleBroken where a rule forbids it, PinImpossible, and PlanImpossible."""
    _refuse_pin(present, members, round_number)
    return supposing(present, present.gathered.with_pin(members, round_number))


def left_out(present: Present, member_id: int) -> Foreseen:
    """The plan brought up to date without one learner."""
    gathered = present.gathered.left_out(member_id)
    course = gathered.course(present.plan.shape)
    gone = present.seated.difference(course.people)
    return brought_up_to_date(replace(present, gathered=gathered, course=course, gone=gone))


def brought_up_to_date(present: Present) -> Foreseen:
    """The plan as the roster, rounds and rules of today want it, with as few changes as that takes."""
    return _foreseen(present, followed(present))


def followed(present: Present) -> Schedule:
    """As `repaired`, but a pin that cannot be kept any more is given up, so that nobody waits for a partner over it.

    The plan's page warns of such a pin.
    """
    course = present.course
    while True:
        try:
            return repaired(present, course)
        except PlanImpossible as refusal:
            given_up = _giving_up(course, refusal.reason, len(present.stored.rounds))
            if not course.locks:
                raise
            course = given_up


def swapped(session: Session, present: Present, seat_a: int, seat_b: int) -> Foreseen:
    """The plan with two people in each other's places. Raises SwapImpossible."""
    plan = present.plan
    seats = session.scalars(select(Seat).where(Seat.plan_id == plan.id, Seat.id.in_((seat_a, seat_b)))).all()
    if len(seats) != 2 or seats[0].round_id != seats[1].round_id or seats[0].group_id == seats[1].group_id:
        raise SwapImpossible(plan.id)
    one, other = seats
    number = next(at for at, round_ in enumerate(present.stored.rounds, start=1) if round_.id == one.round_id)
    begun = {group_id for placed, group_id in present.stored.groups.items() if placed in present.stored.fixed}
    if begun & {one.group_id, other.group_id}:
        raise SwapImpossible(plan.id)
    places = {one.member_id: other.member_id, other.member_id: one.member_id}
    rounds = list(present.stored.schedule.rounds)
    rounds[number - 1] = tuple(tuple(places.get(person, person) for person in group) for group in rounds[number - 1])
    return _foreseen(present, replace(present.stored.schedule, rounds=tuple(rounds)))


def stepped_in(present: Present, member_id: int, round_number: int) -> Foreseen:
    """The plan, brought up to date, when this member does not turn up in this round.

    Raises AbsenceImpossible where the group has begun, PlanImpossible and PlanFlawed.
    """
    group = next((group for group in present.stored.schedule.rounds[round_number - 1] if member_id in group), None)
    if group is None or round_number < present.from_round or member_id in present.gone:
        raise AbsenceImpossible("no group")
    if (round_number, group) in present.stored.fixed:
        raise AbsenceImpossible("begun")
    course, fixed = _tolerating(present, present.course)
    fixed -= {(round_number, group)}
    after = engine.step_in(followed(present), [member_id], round_number, fixed=sorted(fixed))
    # Whom the absent do not meet now they may meet in another round, where "never again" kept them apart.
    after = engine.repair(after, [], [], present.from_round, fixed=sorted(fixed))
    course = replace(course, locks=after.course.locks)
    _refuse(present, engine.verify(course, after, from_round=present.from_round, fixed=fixed))
    return _foreseen(present, after)


def _foreseen(present: Present, after: Schedule, course: Course | None = None) -> Foreseen:
    return Foreseen(present, after, comparing.compare(course or present.course, present.stored.schedule, after))


def _refuse_pin(present: Present, members: tuple[int, ...], round_number: int | None) -> None:
    course = replace(present.course, locks=())
    forbidden = comparing.broken(course, [[members]])
    if forbidden:
        raise RuleBroken(present.plan.id, forbidden)
    if round_number is None:
        return
    if round_number < present.from_round:
        raise PinImpossible("round over")
    for number, group in present.stored.fixed:
        if number == round_number and set(group) & set(members) and not set(members) <= set(group):
            raise PinImpossible("begun")


def _refuse(present: Present, violations: list[engine.Violation]) -> None:
    """Pins and rules that cannot all be had are the designer's to settle; anything else is a mistake of ours."""
    breaches = {one.breach for one in violations}
    if breaches and breaches <= {Breach.RULE, Breach.LOCK}:
        raise PlanImpossible(present.activity.id, PlanFlawed(present.plan.id, tuple(sorted(breaches))))
    refuse_flawed(present.plan.id, violations)


def _tolerating(present: Present, course: Course) -> tuple[Course, frozenset[Placed]]:
    """The course without pins that are not kept today, and the groups that stay: begun ones and those against rules."""
    broken = present.broken
    against_rules = _groups_of(present, [one for one in broken if one.rule != LOCK])
    kept = _without_locks(present, course, [one for one in broken if one.rule == LOCK])
    return kept, present.stored.fixed | against_rules


def _groups_of(present: Present, broken: list[Broken]) -> set[Placed]:
    """The groups that break a rule, but not those that somebody left: they change anyway."""
    gone = present.gone
    couples = {(one.round, frozenset(one.people)) for one in broken}
    found: set[Placed] = set()
    for number, groups in enumerate(present.stored.schedule.rounds, start=1):
        for group in groups:
            if not gone & set(group) and _breaks(group, number, couples):
                found.add((number, group))
    return found


def _breaks(group: Group, number: int, couples: set[tuple[int, frozenset[int]]]) -> bool:
    return any((number, frozenset(couple)) in couples for couple in combinations(group, 2))


def _without_locks(present: Present, course: Course, missed: list[Broken]) -> Course:
    """The course without pins that are not kept today, round by round."""
    if not missed:
        return course
    given_up = {(one.round, one.people) for one in missed}
    locks = _by_round(course, len(present.stored.rounds))
    return replace(course, locks=tuple(one for one in locks if (one.round, tuple(sorted(one.members))) not in given_up))


def _giving_up(course: Course, reason: Exception, rounds: int) -> Course:
    """The course without the pins that stand in the way, as far as the engine says which; else without all."""
    locks = _by_round(course, rounds)
    match reason:
        case engine.LockSize() | engine.LockForbidden():
            in_the_way = set(reason.members)
        case engine.LockConflict():
            in_the_way = {reason.person}
        case _:
            return replace(course, locks=())
    kept = [one for one in locks if one.round != reason.round or not in_the_way & set(one.members)]
    return replace(course, locks=tuple(kept) if len(kept) < len(locks) else ())


def _by_round(course: Course, rounds: int) -> list[Lock]:
    """Pins for every round as pins for each."""
    return [
        Lock(lock.members, number)
        for lock in course.locks
        for number in (range(1, rounds + 1) if lock.round is None else (lock.round,))
    ]
