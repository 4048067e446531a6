"""What staff can change about a plan, and what that makes of its groups. Plain data; nothing is stored here.

`outcome` computes every change. A page shows its effect first, and the same is stored when the change is made.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lti_tool.pairing import engine
from lti_tool.pairing.engine import Breach, Course, Group, Lock, Placed, Schedule
from lti_tool.pairing.errors import (
    ChangeImpossible,
    PlanFlawed,
    PlanImpossible,
    PreferencesChanged,
    RuleBroken,
)
from lti_tool.pairing.rules import comparing
from lti_tool.pairing.rules.comparing import Comparison, couple_of
from lti_tool.pairing.rules.current import Conditions, CurrentPlan
from lti_tool.pairing.rules.views import Apart


class Do(StrEnum):
    """What staff can do to a plan. Pages send these words."""

    SWAP = "swap"
    """Two people change places in one round; each takes the other's group and turn."""
    TOGETHER = "together"
    """People stay together in one round."""
    ALWAYS = "always"
    """People stay together in every round."""
    UNPIN = "unpin"
    """A pin is removed. Groups stay as they are."""
    NEVER = "never"
    """Two people are kept apart in all activities of the course. Plans of other activities stay, with a warning."""
    AVOID = "avoid"
    """The same, if it can be avoided."""
    MEET_AGAIN = "meet-again"
    """Two people are no longer kept apart. Groups stay as they are."""
    MEND = "mend"
    """Groups that break a rule or a pin are changed, and as few others as possible."""
    RELAX = "relax"
    """Rules are switched off, and the people whom that helps get partners."""
    ABSENT = "absent"
    """A person is absent in one round; anyone left alone gets a partner if possible."""
    TURNS_UP = "turns-up"
    """A person is not absent in a round after all, and is placed again."""
    LEAVE_OUT = "leave-out"
    """A person whom the platform lists as a learner is staff, and takes no part in pairing any more."""
    FOLLOW = "follow"
    """The plan is brought up to date with the roster, rounds and rules of today."""


APART: Final = {Do.NEVER: Apart.NEVER, Do.AVOID: Apart.AVOID}
LEAVES_GROUPS: Final = frozenset({Do.UNPIN, Do.MEET_AGAIN})


@dataclass(frozen=True, slots=True)
class Change:
    """Something that staff do to a plan."""

    do: Do
    members: tuple[int, ...] = ()
    """The people who were chosen."""
    round: int = 1
    rules: tuple[str, ...] = ()
    """What to relax: rules by their names in the engine."""
    decision_id: int = 0
    """What to take back: the pin, or the couple that is kept apart."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a change makes of a plan: pages show the effect, and services store it."""

    current: CurrentPlan
    """With the conditions that say who takes part after the change."""
    after: Schedule
    effect: Comparison
    """Judged by the rules that hold after the change."""


def outcome(current: CurrentPlan, change: Change) -> Outcome:
    """What a change makes of a plan, with as few other changes as possible.

    Groups that have begun and rounds that are over stay; so do groups that break a rule of today, unless the change is
    to mend them. Raises ChangeImpossible, RuleBroken where a rule forbids a pin, PreferencesChanged where no rule of
    that name can be switched off, PlanImpossible where pins and rules contradict each other, and PlanFlawed.
    """
    conditions, members = current.conditions, change.members
    after = current.schedule
    match change.do:
        case Do.TOGETHER | Do.ALWAYS:
            pin = Lock(members, change.round if change.do is Do.TOGETHER else None)
            _refuse_pin(current, pin)
            return _under(current, replace(conditions, pins=(*conditions.pins, pin)))
        case Do.NEVER | Do.AVOID:
            if len(set(members)) < 2:
                raise ChangeImpossible("one person")
            _refuse_strangers(current, members)
            return _under(current, conditions.with_apart(couple_of(*members), APART[change.do]))
        case Do.RELAX:
            can_be_relaxed = {rule.name for rule in current.course.rules if rule.priority < engine.NEVER}
            if not change.rules or not can_be_relaxed.issuperset(change.rules):
                raise PreferencesChanged(current.activity_id)
            return _under(current, replace(conditions, wanted=conditions.wanted.without(*change.rules)))
        case Do.TURNS_UP:
            back = {(change.round, person) for person in members}
            return _under(replace(current, absent=current.absent - back), conditions)
        case Do.LEAVE_OUT:
            _refuse_strangers(current, members)
            learners = tuple(person for person in conditions.learners if person not in members)
            current = replace(current, conditions=replace(conditions, learners=learners))
            after = _followed(current)
        case Do.FOLLOW:
            after = _followed(current)
        case Do.SWAP:
            after = _swapped(current, members, change.round)
        case Do.MEND:
            after = _repaired(current, current.course, current.fixed)
        case Do.ABSENT:
            after = _followed(_without(current, members[0], change.round))
    return _judged(current, after)


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
    """The plan brought up to date. A pin that cannot be kept any more is given up, so that no one stays without a
    partner because of it; the plan's page warns.
    """
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


def _swapped(current: CurrentPlan, members: Group, number: int) -> Schedule:
    groups = {current.group_of(person, number) for person in members}
    if None in groups or len(groups) != 2 or any((number, group) in current.fixed for group in groups if group):
        raise ChangeImpossible("same group")
    places = dict(zip(members, reversed(members), strict=True))
    return _regrouped(current, number, lambda group: tuple(places.get(person, person) for person in group))


def _without(current: CurrentPlan, member_id: int, number: int) -> CurrentPlan:
    """The plan as it is when someone is absent in a round and has no group in it."""
    group = current.group_of(member_id, number)
    if group is None or number < current.from_round or member_id in current.gone:
        raise ChangeImpossible("no group")
    if (number, group) in current.fixed:
        raise ChangeImpossible("group begun")
    schedule = _regrouped(current, number, lambda group: tuple(person for person in group if person != member_id))
    return replace(current, schedule=schedule, absent=current.absent | {(number, member_id)})


def _regrouped(current: CurrentPlan, number: int, changed: Callable[[Group], Group]) -> Schedule:
    """The schedule with every group of a round changed; a person who is left alone is in none."""
    rounds = list(current.schedule.rounds)
    rounds[number - 1] = tuple(group for group in map(changed, rounds[number - 1]) if len(group) > 1)
    return replace(current.schedule, rounds=tuple(rounds))


def _refuse_strangers(current: CurrentPlan, members: Group) -> None:
    if not current.known.issuperset(members):
        raise ChangeImpossible("not in the course")


def _refuse_pin(current: CurrentPlan, wanted: Lock) -> None:
    people, number = set(wanted.members), wanted.round
    if len(people) < 2:
        raise ChangeImpossible("too few")
    if len(people) > current.shape.size + 1:
        raise ChangeImpossible("too many")
    _refuse_strangers(current, wanted.members)
    if number is not None and not current.from_round <= number <= len(current.schedule.rounds):
        raise ChangeImpossible("round over" if 0 < number < current.from_round else "no round")
    for pin in current.conditions.pins:
        if people == set(pin.members) and pin.round in {None, number}:
            raise ChangeImpossible("pinned already")
        if people & set(pin.members) and (None in {pin.round, number} or pin.round == number):
            raise ChangeImpossible("pinned to others")
    forbidden = comparing.broken(replace(current.course, locks=()), [[wanted.members]])
    if forbidden:
        raise RuleBroken(current.plan_id, forbidden)
    if any(round_ == number and 0 < len(people & set(group)) < len(people) for round_, group in current.fixed):
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
