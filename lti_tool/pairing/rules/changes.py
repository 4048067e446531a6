"""What staff can change about a plan, and what that makes of its groups. Plain data; nothing is stored here.

`outcome` computes every change. A page shows its effect first, and the same is stored when the change is made.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Breach, Couple, Course, Lock, Placed, Schedule
from lti_tool.pairing.errors import (
    ChangeImpossible,
    PlanFlawed,
    PlanImpossible,
    PreferencesChanged,
    RuleBroken,
)
from lti_tool.pairing.rules import comparing
from lti_tool.pairing.rules.comparing import Comparison
from lti_tool.pairing.rules.conditions import Conditions
from lti_tool.pairing.rules.current import CurrentPlan
from lti_tool.pairing.rules.views import Apart


@dataclass(frozen=True, slots=True)
class Swap:
    """Two people change places in one round; each takes the other's group and turn."""

    members: tuple[int, int]
    round: int


@dataclass(frozen=True, slots=True)
class Pin:
    """People stay together, in one round or (None) in every round."""

    members: tuple[int, ...]
    round: int | None


@dataclass(frozen=True, slots=True)
class Unpin:
    """A pin is removed. Groups stay as they are."""

    pin_id: int


@dataclass(frozen=True, slots=True)
class KeepApart:
    """Two people are kept apart in all activities of the course. Plans of other activities stay, with a warning."""

    members: Couple
    kind: Apart


@dataclass(frozen=True, slots=True)
class UndoKeepApart:
    """Two people may meet again. Groups stay as they are."""

    apart_id: int


@dataclass(frozen=True, slots=True)
class Mend:
    """Groups that break a rule or a pin are changed, and as few others as possible."""


@dataclass(frozen=True, slots=True)
class Relax:
    """Rules are switched off, by their names in the engine, and the people whom that helps get partners."""

    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Absent:
    """A person is absent in one round; anyone left alone gets a partner if possible."""

    member_id: int
    round: int


@dataclass(frozen=True, slots=True)
class UndoAbsent:
    """A person is not absent in a round after all, and is placed again."""

    member_id: int
    round: int


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """A person whom the platform lists as a learner is staff, and takes no part in pairing any more."""

    member_id: int


Change: TypeAlias = Swap | Pin | Unpin | KeepApart | UndoKeepApart | Mend | Relax | Absent | UndoAbsent | LeaveOut


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change makes of a plan: pages show the effect, and services store it."""

    current: CurrentPlan
    """With the conditions that say who takes part after the change."""
    after: Schedule
    effect: Comparison
    """Judged by the rules that hold after the change."""


def outcome(current: CurrentPlan, change: Change) -> Outcome:  # noqa: PLR0911 - one branch for each change
    """What a change makes of a plan, with as few other changes as possible.

    Groups that have begun and rounds that are over stay; so do groups that break a rule of today, unless the change is
    to mend them. Raises ChangeImpossible, RuleBroken where a rule forbids a pin, PreferencesChanged where no rule of
    that name can be switched off, PlanImpossible where pins and rules contradict each other, and PlanFlawed.
    """
    conditions = current.conditions
    match change:
        case Swap(members, round_number):
            return _judged(current, _swapped(current, members, round_number))
        case Pin(members, round_number):
            _refuse_pin(current, members, round_number)
            return _under(current, replace(conditions, pins=(*conditions.pins, Lock(members, round_number))))
        case KeepApart(members, kind):
            if len(set(members)) < 2:
                raise ChangeImpossible("one person")
            _refuse_strangers(current, *members)
            return _under(current, conditions.with_apart(members, kind))
        case Relax(rules):
            if not rules or not set(rules) <= {
                rule.name for rule in current.course.rules if rule.priority < engine.NEVER
            }:
                raise PreferencesChanged(current.activity_id)
            return _under(current, replace(conditions, wanted=conditions.wanted.without(*rules)))
        case Mend():
            return _judged(current, _repaired(current, current.course, current.fixed))
        case Absent(member_id, round_number):
            return _judged(current, _followed(_without(current, member_id, round_number)))
        case UndoAbsent(member_id, round_number):
            absent = current.absent.get(round_number, frozenset()) - {member_id}
            return _under(replace(current, absent={**current.absent, round_number: absent}), conditions)
        case LeaveOut(member_id):
            _refuse_strangers(current, member_id)
            learners = tuple(person for person in conditions.learners if person != member_id)
            return up_to_date(replace(current, conditions=replace(conditions, learners=learners)))
        case Unpin() | UndoKeepApart():
            return _judged(current, current.schedule)
        case _:
            assert_never(change)


def up_to_date(current: CurrentPlan) -> Outcome:
    """The plan brought up to date with the roster, rounds and rules of today, with as few changes as possible.

    A pin that cannot be kept any more is given up, so that no one stays without a partner because of it; the plan's
    page warns. Raises PlanImpossible and PlanFlawed.
    """
    return _judged(current, _followed(current))


def refuse_flawed(plan_id: int | None, violations: Iterable[engine.Violation]) -> None:
    """Raise PlanFlawed if the checker found anything."""
    if breaches := tuple(sorted({violation.breach.value for violation in violations})):
        raise PlanFlawed(plan_id, breaches)


def _judged(current: CurrentPlan, after: Schedule, course: Course | None = None) -> Outcome:
    return Outcome(current, after, comparing.compare(course or current.course, current.schedule, after))


def _under(current: CurrentPlan, conditions: Conditions) -> Outcome:
    """The plan repaired for these conditions. Groups that break a rule today stay, and no new ones are made."""
    course = conditions.course(current.shape)
    return _judged(current, _repaired(current, *current.tolerating(course)), course)


def _repaired(current: CurrentPlan, course: Course, fixed: frozenset[Placed]) -> Schedule:
    """The plan with the fewest changes that give everyone a partner."""
    schedule, gone = current.schedule_for(course), sorted(current.gone)
    try:
        after = engine.repair(schedule, gone, [], current.from_round, fixed=sorted(fixed))
    except engine.ImpossibleRequest as refusal:
        raise PlanImpossible(current.activity_id, refusal) from refusal
    _check(current, course, after, fixed)
    return after


def _followed(current: CurrentPlan) -> Schedule:
    course = current.course
    while True:
        try:
            return _repaired(current, *current.tolerating(course))
        except PlanImpossible as refusal:
            if not course.locks:
                raise
            course = _without_impossible_locks(current, course, refusal.reason)


def _without_impossible_locks(current: CurrentPlan, course: Course, reason: Exception) -> Course:
    """The course without the locks that the engine says are in the way; without all of them if it does not say."""
    match reason:
        case engine.LockSize() | engine.LockForbidden():
            in_the_way = set(reason.members)
        case engine.LockConflict():
            in_the_way = {reason.person}
        case _:
            return replace(course, locks=())
    locks = current.locks(course)
    kept = [lock for lock in locks if lock.round != reason.round or not in_the_way & set(lock.members)]
    return replace(course, locks=tuple(kept) if len(kept) < len(locks) else ())


def _swapped(current: CurrentPlan, members: tuple[int, int], round_number: int) -> Schedule:
    first, second = members
    groups = {current.group_of(member_id, round_number) for member_id in members}
    if None in groups or len(groups) != 2 or any((round_number, group) in current.fixed for group in groups if group):
        raise ChangeImpossible("same group")
    places = {first: second, second: first}
    rounds = list(current.schedule.rounds)
    rounds[round_number - 1] = tuple(
        tuple(places.get(person, person) for person in group) for group in rounds[round_number - 1]
    )
    return replace(current.schedule, rounds=tuple(rounds))


def _without(current: CurrentPlan, member_id: int, round_number: int) -> CurrentPlan:
    """The plan as it is when someone is absent in a round and has no group in it."""
    group = current.group_of(member_id, round_number)
    if group is None or round_number < current.from_round or member_id in current.gone:
        raise ChangeImpossible("no group")
    if (round_number, group) in current.fixed:
        raise ChangeImpossible("group begun")
    rounds, stay = list(current.schedule.rounds), tuple(person for person in group if person != member_id)
    others = tuple(other for other in rounds[round_number - 1] if other != group)
    rounds[round_number - 1] = (*others, stay) if len(stay) > 1 else others
    absent = {**current.absent, round_number: current.absent.get(round_number, frozenset()) | {member_id}}
    return replace(current, schedule=replace(current.schedule, rounds=tuple(rounds)), absent=absent)


def _refuse_strangers(current: CurrentPlan, *members: int) -> None:
    if not current.known.issuperset(members):
        raise ChangeImpossible("not in the course")


def _refuse_pin(current: CurrentPlan, members: tuple[int, ...], round_number: int | None) -> None:
    people = set(members)
    if len(people) < 2:
        raise ChangeImpossible("too few")
    if len(people) > current.shape.size + 1:
        raise ChangeImpossible("too many")
    if not current.known.issuperset(people):
        raise ChangeImpossible("strangers")
    if round_number is not None and not current.from_round <= round_number <= len(current.schedule.rounds):
        raise ChangeImpossible("round over" if 0 < round_number < current.from_round else "no round")
    for pin in current.conditions.pins:
        if people == set(pin.members) and pin.round in {None, round_number}:
            raise ChangeImpossible("pinned already")
        if people & set(pin.members) and (None in {pin.round, round_number} or pin.round == round_number):
            raise ChangeImpossible("pinned to others")
    forbidden = comparing.broken(replace(current.course, locks=()), [[members]])
    if forbidden:
        raise RuleBroken(current.plan_id, forbidden)
    for number, group in current.fixed:
        if number == round_number and people & set(group) and not people <= set(group):
            raise ChangeImpossible("begun")


def _check(current: CurrentPlan, course: Course, after: Schedule, fixed: frozenset[Placed]) -> None:
    """Raise PlanImpossible where only pins and rules contradict each other, which the designer can settle.

    Anything else that the checker finds is a mistake of ours: PlanFlawed.
    """
    violations = engine.verify(course, after, from_round=current.from_round, fixed=fixed)
    breaches = {violation.breach for violation in violations}
    if breaches and breaches <= {Breach.RULE, Breach.LOCK}:
        raise PlanImpossible(current.activity_id, PlanFlawed(current.plan_id, tuple(sorted(breaches))))
    refuse_flawed(current.plan_id, violations)
