"""Change a plan by choice: swap, pin, keep apart, mend, relax. Each with a look at the effect before.

What passes the engine's checker is stored; every member of a published plan who gets other partners is told why. All
changes take the version of the plan that somebody looked at, and raise PlanChanged where it is another one by now.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.pairing import engine, foreseeing, wanting
from lti_tool.pairing.applying import change, held, refuse_changed, repair, store
from lti_tool.pairing.comparing import Comparison
from lti_tool.pairing.engine import Course
from lti_tool.pairing.errors import NoPlan, RuleBroken
from lti_tool.pairing.foreseeing import Present, look
from lti_tool.pairing.keeping import find_plan, hold_to_change
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules import ForbidKind

UNCHANGED = Comparison((), frozenset(), (), (), (), ())


def preview_swap(session: Session, plan: Plan, seat_a: int, seat_b: int, *, now: datetime) -> Comparison:
    """What a swap would do. Raises SwapImpossible."""
    present = look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
    return foreseeing.compare(present, foreseeing.swapped(session, present, seat_a, seat_b))


def swap(
    session: Session,
    plan: Plan,
    seat_a: int,
    seat_b: int,
    *,
    expected_version: int,
    now: datetime,
    anyway: bool = False,
) -> Comparison:
    """Let two people of one round change places; each takes the other's group and turn.

    Raises PlanChanged, SwapImpossible where they are not in one round, share a group, or a group has begun, RuleBroken
    where a rule would be broken that was not, unless `anyway`, and ActivityReadOnly.
    """
    present = held(session, plan, expected_version, now)
    after = foreseeing.swapped(session, present, seat_a, seat_b)
    effect = foreseeing.compare(present, after)
    if effect.newly_broken and not anyway:
        raise RuleBroken(plan.id, effect.newly_broken)
    store(session, present, after, effect, now)
    return effect


def preview_pin(
    session: Session, activity: Activity, members: Collection[int], round_number: int | None, *, now: datetime
) -> Comparison:
    """What a pin would do to the plan as it is. Raises PinImpossible, RuleBroken and PlanImpossible."""
    people = tuple(sorted(set(members)))
    wanting.refuse_pin(session, activity, people, round_number)
    plan = find_plan(session, activity.id)
    if plan is None:
        return UNCHANGED
    present = look(session, activity, plan, now=now)
    foreseeing.refuse_pin(present, people, round_number)
    return repair(present, foreseeing.with_pin(present.course, people, round_number))[1]


def pin(
    session: Session,
    activity_id: int,
    members: Collection[int],
    round_number: int | None,
    *,
    expected_version: int | None,
    by: int | None,
    now: datetime,
) -> Comparison:
    """Keep these people together, in one round or (None) in every round, and change as few groups as that takes.

    `expected_version` is None where there is no plan yet. Groups that have begun and rounds that are over stay.
    Raises PinImpossible, RuleBroken where a rule forbids these people to meet, PlanImpossible where pins and rules
    cannot all be had, PlanChanged, and ActivityReadOnly.
    """
    activity = hold_to_change(session, activity_id)
    plan = _plan(session, activity_id, expected_version)
    present = look(session, activity, plan, now=now) if plan is not None else None
    if present is not None:
        foreseeing.refuse_pin(present, tuple(sorted(set(members))), round_number)
    kept = wanting.add_pin(session, activity, tuple(members), round_number, by=by, now=now)
    if present is None:
        return UNCHANGED
    return change(session, present, foreseeing.with_pin(present.course, kept.members, round_number), now)


def unpin(session: Session, activity_id: int, pin_id: int) -> None:
    """Take a pin away. Groups stay as they are. Raises ActivityReadOnly."""
    hold_to_change(session, activity_id)
    wanting.remove_pin(session, activity_id, pin_id)


def preview_forbid(
    session: Session, activity: Activity, one: int, other: int, kind: ForbidKind, *, now: datetime
) -> Comparison:
    """What keeping two people apart would do to the plan as it is. Raises ExclusionImpossible and PlanImpossible."""
    wanting.refuse_exclusion(session, activity.course_id, one, other)
    plan = find_plan(session, activity.id)
    if plan is None:
        return UNCHANGED
    present = look(session, activity, plan, now=now)
    return repair(present, _apart(session, present, one, other, kind))[1]


def forbid(
    session: Session,
    activity_id: int,
    one: int,
    other: int,
    kind: ForbidKind,
    *,
    expected_version: int | None,
    by: int | None,
    now: datetime,
) -> Comparison:
    """Keep two people of the course apart, and change as few groups of this activity as that takes.

    It holds in every activity of the course; plans of the others are not touched, their pages warn.
    `expected_version` is None where there is no plan yet.
    Raises ExclusionImpossible, PlanImpossible, PlanChanged, and ActivityReadOnly.
    """
    activity = hold_to_change(session, activity_id)
    plan = _plan(session, activity_id, expected_version)
    present = look(session, activity, plan, now=now) if plan is not None else None
    wanting.add_exclusion(session, activity.course_id, one, other, kind, by=by, now=now)
    if present is None:
        return UNCHANGED
    return change(session, present, _apart(session, present, one, other, kind), now)


def unforbid(session: Session, activity_id: int, exclusion_id: int) -> None:
    """Let two people of the course meet again. Groups stay as they are. Raises ActivityReadOnly."""
    activity = hold_to_change(session, activity_id)
    wanting.remove_exclusion(session, activity.course_id, exclusion_id)


def preview_mend(session: Session, plan: Plan, *, now: datetime) -> Comparison:
    """What mending the groups that break a rule, and the pins that are not kept, would do. Raises PlanImpossible."""
    present = look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
    return repair(present, mends=True)[1]


def mend(session: Session, plan: Plan, *, expected_version: int, now: datetime) -> Comparison:
    """Change the groups that break a rule and those that pins ask for, and as few others as that takes.

    Raises PlanChanged, PlanImpossible, and ActivityReadOnly.
    """
    present = held(session, plan, expected_version, now)
    after, effect = repair(present, mends=True)
    store(session, present, after, effect, now)
    return effect


def relaxations(
    session: Session, plan: Plan, round_number: int | None = None, *, now: datetime
) -> tuple[engine.Relaxation, ...]:
    """For each rule that may give way, in order, who would have a partner without it; the first that helps is advised.

    Looked at are the people without a partner in one round, or in all that are not over. Empty where nobody is.
    """
    present = look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
    rounds = range(present.from_round, len(present.stored.rounds) + 1)
    if round_number is not None and round_number not in rounds:
        return ()
    schedule = present.schedule(present.course)
    waiting = [one for one in schedule.unpaired if one.round in rounds and round_number in {None, one.round}]
    return engine.proposals(replace(schedule, unpaired=tuple(waiting)), round_number, fixed=present.stored.fixed)


def preview_relax(session: Session, plan: Plan, rules: Collection[str], *, now: datetime) -> Comparison:
    """What switching these rules off would do to the plan as it is, judged without them. Raises PlanImpossible."""
    present = look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
    return repair(present, foreseeing.without_rules(present.course, rules))[1]


def relax(
    session: Session, plan: Plan, rules: Collection[str], *, expected_version: int, by: int | None, now: datetime
) -> Comparison:
    """Switch these rules off in what is wanted of the activity, and give partners to those whom that helps.

    Rules are named as the engine names them. Raises PreferencesChanged where none of them holds, PlanChanged,
    PlanImpossible, and ActivityReadOnly.
    """
    present = held(session, plan, expected_version, now)
    wanting.switch_off(session, present.activity, rules, by=by, now=now)
    return change(session, present, foreseeing.without_rules(present.course, rules), now)


def _plan(session: Session, activity_id: int, expected_version: int | None) -> Plan | None:
    """The plan that somebody looked at; None where there was none and is none."""
    plan = find_plan(session, activity_id)
    if plan is None and expected_version:
        raise NoPlan(activity_id)
    if plan is not None:
        refuse_changed(plan, expected_version)
    return plan


def _apart(session: Session, present: Present, one: int, other: int, kind: ForbidKind) -> Course:
    """The course with two more people kept apart, as far as this activity heeds it."""
    wanted = wanting.preferences_of(session, present.activity).preferences
    if kind is ForbidKind.RATHER_NOT and not wanted.should_not_holds:
        return present.course
    return foreseeing.with_exclusion(present.course, one, other, kind)
