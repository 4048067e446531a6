"""Change a plan by choice: swap, pin, keep apart, mend, relax. Each has a preview, which is computed as the change is.

What passes the engine's checker is stored; every member of a published plan who gets other partners is told why. All
changes take the version of the plan that somebody looked at, and raise PlanChanged where it is another one by now.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.pairing import engine, foreseeing, wanting
from lti_tool.pairing.applying import held, keep, refuse_changed
from lti_tool.pairing.comparing import Comparison
from lti_tool.pairing.errors import NoPlan, PreferencesChanged, RuleBroken
from lti_tool.pairing.foreseeing import Foreseen, Present, look
from lti_tool.pairing.keeping import find_plan, hold_to_change
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules import ForbidKind

UNCHANGED = Comparison((), frozenset(), (), (), (), ())


def preview_swap(session: Session, plan: Plan, seat_a: int, seat_b: int, *, now: datetime) -> Comparison:
    """What a swap would do. Raises SwapImpossible."""
    return foreseeing.swapped(session, _look(session, plan, now), seat_a, seat_b).effect


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
    foreseen = foreseeing.swapped(session, held(session, plan, expected_version, now), seat_a, seat_b)
    if foreseen.effect.newly_broken and not anyway:
        raise RuleBroken(plan.id, foreseen.effect.newly_broken)
    return keep(session, foreseen, now)


def preview_pin(
    session: Session, activity: Activity, members: Collection[int], round_number: int | None, *, now: datetime
) -> Comparison:
    """What a pin would do to the plan as it is. Raises PinImpossible, RuleBroken and PlanImpossible."""
    plan = find_plan(session, activity.id)
    foreseen = _pinned(session, activity, plan, members, round_number, now=now)
    return UNCHANGED if foreseen is None else foreseen.effect


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
    foreseen = _pinned(session, activity, plan, members, round_number, now=now)
    wanting.add_pin(session, activity, tuple(members), round_number, by=by, now=now)
    return UNCHANGED if foreseen is None else keep(session, foreseen, now)


def _pinned(
    session: Session,
    activity: Activity,
    plan: Plan | None,
    members: Collection[int],
    round_number: int | None,
    *,
    now: datetime,
) -> Foreseen | None:
    """What a pin does; None where there is no plan that it could change."""
    people = tuple(sorted(set(members)))
    wanting.refuse_pin(session, activity, people, round_number)
    if plan is None:
        return None
    return foreseeing.pinned(look(session, activity, plan, now=now), people, round_number)


def unpin(session: Session, activity_id: int, pin_id: int) -> None:
    """Take a pin away. Groups stay as they are. Raises ActivityReadOnly."""
    hold_to_change(session, activity_id)
    wanting.remove_pin(session, activity_id, pin_id)


def preview_forbid(
    session: Session, activity: Activity, one: int, other: int, kind: ForbidKind, *, now: datetime
) -> Comparison:
    """What keeping two people apart would do to the plan as it is. Raises ExclusionImpossible and PlanImpossible."""
    foreseen = _apart(session, activity, find_plan(session, activity.id), (one, other), kind, now=now)
    return UNCHANGED if foreseen is None else foreseen.effect


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
    foreseen = _apart(session, activity, plan, (one, other), kind, now=now)
    wanting.add_exclusion(session, activity.course_id, one, other, kind, by=by, now=now)
    return UNCHANGED if foreseen is None else keep(session, foreseen, now)


def _apart(
    session: Session,
    activity: Activity,
    plan: Plan | None,
    couple: tuple[int, int],
    kind: ForbidKind,
    *,
    now: datetime,
) -> Foreseen | None:
    """What keeping two people apart does; None where there is no plan that it could change."""
    wanting.refuse_exclusion(session, activity.course_id, *couple)
    if plan is None:
        return None
    present = look(session, activity, plan, now=now)
    return foreseeing.supposing(present, present.gathered.apart(*couple, kind))


def unforbid(session: Session, activity_id: int, exclusion_id: int) -> None:
    """Let two people of the course meet again. Groups stay as they are. Raises ActivityReadOnly."""
    activity = hold_to_change(session, activity_id)
    wanting.remove_exclusion(session, activity.course_id, exclusion_id)


def preview_mend(session: Session, plan: Plan, *, now: datetime) -> Comparison:
    """What mending the groups that break a rule, and the pins that are not kept, would do. Raises PlanImpossible."""
    return foreseeing.supposing(_look(session, plan, now), mends=True).effect


def mend(session: Session, plan: Plan, *, expected_version: int, now: datetime) -> Comparison:
    """Change the groups that break a rule and those that pins ask for, and as few others as that takes.

    Raises PlanChanged, PlanImpossible, and ActivityReadOnly.
    """
    return keep(session, foreseeing.supposing(held(session, plan, expected_version, now), mends=True), now)


def relaxations(
    session: Session, plan: Plan, round_number: int | None = None, *, now: datetime
) -> tuple[engine.Relaxation, ...]:
    """For each rule that may give way, in order, who would have a partner without it; the first that helps is advised.

    Looked at are the people without a partner in one round, or in all that are not over. Empty where nobody is.
    """
    present = _look(session, plan, now)
    rounds = range(present.from_round, len(present.stored.rounds) + 1)
    if round_number is not None and round_number not in rounds:
        return ()
    schedule = present.schedule(present.course)
    waiting = [one for one in schedule.unpaired if one.round in rounds and round_number in {None, one.round}]
    return engine.proposals(replace(schedule, unpaired=tuple(waiting)), round_number, fixed=present.stored.fixed)


def preview_relax(session: Session, plan: Plan, rules: Collection[str], *, now: datetime) -> Comparison:
    """What switching these rules off would do to the plan as it is, judged without them.

    Raises PreferencesChanged where none of them holds, and PlanImpossible.
    """
    return _relaxed(_look(session, plan, now), rules).effect


def relax(
    session: Session, plan: Plan, rules: Collection[str], *, expected_version: int, by: int | None, now: datetime
) -> Comparison:
    """Switch these rules off in what is wanted of the activity, and give partners to those whom that helps.

    Rules are named as the engine names them. Raises PreferencesChanged where none of them holds, PlanChanged,
    PlanImpossible, and ActivityReadOnly.
    """
    present = held(session, plan, expected_version, now)
    foreseen = _relaxed(present, rules)
    wanting.switch_off(session, present.activity, rules, by=by, now=now)
    return keep(session, foreseen, now)


def _relaxed(present: Present, rules: Collection[str]) -> Foreseen:
    gathered = present.gathered.without_rules(rules)
    if gathered.wanted == present.gathered.wanted:
        raise PreferencesChanged(present.activity.id)
    return foreseeing.supposing(present, gathered)


def _plan(session: Session, activity_id: int, expected_version: int | None) -> Plan | None:
    """The plan that somebody looked at; None where there was none and is none."""
    plan = find_plan(session, activity_id)
    if plan is None and expected_version:
        raise NoPlan(activity_id)
    if plan is not None:
        refuse_changed(session, plan, expected_version)
    return plan


def _look(session: Session, plan: Plan, now: datetime) -> Present:
    return look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
