"""Change a plan: swap, pin, keep apart, follow the course, mend, step in. Each with a look at the effect before.

What passes the engine's checker is stored; every member of a published plan who gets other partners is told why. All
changes take the version of the plan that somebody looked at, and raise PlanChanged where it is another one by now.
"""

from collections.abc import Collection, Set
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.pairing import foreseeing, wanting
from lti_tool.pairing.comparing import Comparison
from lti_tool.pairing.engine import Course, Schedule
from lti_tool.pairing.engine.relaxing import Relaxation, proposals
from lti_tool.pairing.errors import AbsenceImpossible, NoPlan, PlanChanged, RuleBroken
from lti_tool.pairing.foreseeing import Present, look
from lti_tool.pairing.keeping import find_plan, hold, hold_to_change, note_moves, tell, touch
from lti_tool.pairing.models import Absence, Group, Plan, Seat
from lti_tool.pairing.rules import Cause, ForbidKind
from lti_tool.pairing.storing import store_changes

UNCHANGED = Comparison((), frozenset(), (), (), (), ())


@dataclass(frozen=True, slots=True)
class Changes:
    """What keeping up with a course did to a plan, as member ids."""

    left: Set[int] = frozenset()
    joined: Set[int] = frozenset()
    moved: Set[int] = frozenset()
    """Everybody who has other partners than before in some round."""


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
    present = _held(session, plan.activity_id, plan, expected_version, now)
    after = foreseeing.swapped(session, present, seat_a, seat_b)
    effect = foreseeing.compare(present, after)
    if effect.newly_broken and not anyway:
        raise RuleBroken(plan.id, effect.newly_broken)
    _store(session, present, after, effect, now)
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
    return _repair(present, foreseeing.with_pin(present.course, people, round_number))[1]


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
    return _change(session, present, foreseeing.with_pin(present.course, kept.members, round_number), now)


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
    return _repair(present, foreseeing.with_exclusion(present.course, one, other, kind))[1]


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
    is_heeded = kind is ForbidKind.NEVER or wanting.preferences_of(session, activity).preferences.should_not_holds
    course = foreseeing.with_exclusion(present.course, one, other, kind) if is_heeded else present.course
    return _change(session, present, course, now)


def unforbid(session: Session, activity_id: int, exclusion_id: int) -> None:
    """Let two people of the course meet again. Groups stay as they are. Raises ActivityReadOnly."""
    activity = hold_to_change(session, activity_id)
    wanting.remove_exclusion(session, activity.course_id, exclusion_id)


def preview_mend(session: Session, plan: Plan, *, now: datetime) -> Comparison:
    """What mending the groups that break a rule, and the pins that are not kept, would do. Raises PlanImpossible."""
    present = look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
    return _repair(present, mends=True)[1]


def mend(session: Session, plan: Plan, *, expected_version: int, now: datetime) -> Comparison:
    """Change the groups that break a rule and those that pins ask for, and as few others as that takes.

    Raises PlanChanged, PlanImpossible, and ActivityReadOnly.
    """
    present = _held(session, plan.activity_id, plan, expected_version, now)
    after, effect = _repair(present, mends=True)
    _store(session, present, after, effect, now)
    return effect


def relaxations(
    session: Session, plan: Plan, round_number: int | None = None, *, now: datetime
) -> tuple[Relaxation, ...]:
    """For each rule that may give way, in order, who would have a partner without it; the first that helps is advised.

    Looked at are the people without a partner in one round, or in all that are not over. Empty where nobody is.
    """
    present = look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
    rounds = range(present.from_round, len(present.stored.rounds) + 1)
    if round_number is not None and round_number not in rounds:
        return ()
    schedule = present.schedule(present.course)
    waiting = [one for one in schedule.unpaired if one.round in rounds and round_number in {None, one.round}]
    return proposals(replace(schedule, unpaired=tuple(waiting)), round_number, fixed=present.stored.fixed)


def preview_relax(session: Session, plan: Plan, rules: Collection[str], *, now: datetime) -> Comparison:
    """What switching these rules off would do to the plan as it is, judged without them. Raises PlanImpossible."""
    present = look(session, session.get_one(Activity, plan.activity_id), plan, now=now)
    return _repair(present, foreseeing.without_rules(present.course, rules))[1]


def relax(
    session: Session, plan: Plan, rules: Collection[str], *, expected_version: int, by: int | None, now: datetime
) -> Comparison:
    """Switch these rules off in what is wanted of the activity, and give partners to those whom that helps.

    Rules are named as the engine names them. Raises PreferencesChanged where none of them holds, PlanChanged,
    PlanImpossible, and ActivityReadOnly.
    """
    present = _held(session, plan.activity_id, plan, expected_version, now)
    wanting.switch_off(session, present.activity, rules, by=by, now=now)
    return _change(session, present, foreseeing.without_rules(present.course, rules), now)


def follow_course(session: Session, activity_id: int, *, now: datetime) -> Changes:
    """Bring the plan up to date with roster and rounds, changing as few groups as possible. Repeating is harmless.

    A newcomer joins whoever lost a partner, else a pair becomes a trio; who lost a partner is treated alike. Groups in
    which somebody has begun to write, and rounds whose date is over, are left alone; so are groups that break a rule
    which came after them, until somebody has them mended.
    """
    activity = hold(session, activity_id)
    plan = find_plan(session, activity_id)
    if plan is None or activities.is_read_only(session, activity):
        return Changes()
    # A group that begins while we look is waited for here, or waits for us.
    session.execute(select(Group.id).where(Group.plan_id == plan.id).with_for_update())
    present = look(session, activity, plan, now=now)
    after = foreseeing.repaired(present)
    effect = foreseeing.compare(present, after)
    _store(session, present, after, effect, now)
    if plan.state == "published":
        # Whoever stays in a group with somebody who left is asked for less, though nothing of the plan changed.
        rounds = present.stored.schedule.rounds
        tell(
            session,
            plan,
            {one for groups in rounds for group in groups if present.gone & set(group) for one in group},
            now,
        )
    joined = {one for groups in after.rounds for group in groups for one in group} - present.seated
    return Changes(present.gone & effect.moved, joined, effect.moved)


def report_absent(
    session: Session,
    plan: Plan,
    group_id: int,
    member_id: int,
    *,
    expected_version: int,
    by: int | None,
    now: datetime,
) -> Comparison:
    """Staff say that somebody does not turn up in one round: whoever would be alone gets a partner, where one is free.

    Raises PlanChanged, AbsenceImpossible (nobody of that group, it has begun, the round is over), ActivityReadOnly.
    """
    present = _held(session, plan.activity_id, plan, expected_version, now)
    round_id = session.scalar(
        select(Seat.round_id).where(Seat.group_id == group_id, Seat.member_id == member_id, Seat.plan_id == plan.id)
    )
    number = next((at for at, one in enumerate(present.stored.rounds, start=1) if one.id == round_id), None)
    if round_id is None or number is None:
        raise AbsenceImpossible("no group")
    after = foreseeing.stepped_in(present, member_id, number)
    session.add(Absence(round_id=round_id, member_id=member_id, said_by_id=by, said_at=now))
    session.flush()
    effect = foreseeing.compare(present, after)
    _store(session, present, after, effect, now, absent=member_id)
    return effect


def take_back_absence(
    session: Session, plan: Plan, round_number: int, member_id: int, *, expected_version: int, now: datetime
) -> Comparison:
    """They turn up after all, and are placed again. Raises PlanChanged and ActivityReadOnly."""
    activity = hold_to_change(session, plan.activity_id)
    _refuse_changed(plan, expected_version)
    rounds = select(Round.id).where(Round.activity_id == activity.id, Round.number == round_number)
    session.execute(delete(Absence).where(Absence.round_id.in_(rounds), Absence.member_id == member_id))
    present = look(session, activity, plan, now=now)
    after, effect = _repair(present)
    _store(session, present, after, effect, now)
    return effect


def begin(session: Session, group_id: int, *, now: datetime) -> None:
    """Record that somebody in the group has begun to write, so that it is not changed any more."""
    session.execute(update(Group).where(Group.id == group_id, Group.begun_at.is_(None)).values(begun_at=now))


def _plan(session: Session, activity_id: int, expected_version: int | None) -> Plan | None:
    """The plan that somebody looked at; None where there was none and is none."""
    plan = find_plan(session, activity_id)
    if plan is None and expected_version:
        raise NoPlan(activity_id)
    if plan is not None:
        _refuse_changed(plan, expected_version)
    return plan


def _held(session: Session, activity_id: int, plan: Plan, expected_version: int, now: datetime) -> Present:
    activity = hold_to_change(session, activity_id)
    _refuse_changed(plan, expected_version)
    # A group that begins while we look is waited for here, or waits for us.
    session.execute(select(Group.id).where(Group.plan_id == plan.id).with_for_update())
    return look(session, activity, plan, now=now)


def _refuse_changed(plan: Plan, expected_version: int | None) -> None:
    if plan.version != (expected_version or 0):
        raise PlanChanged(plan.id, plan.version)


def _repair(present: Present, course: Course | None = None, *, mends: bool = False) -> tuple[Schedule, Comparison]:
    after = foreseeing.repaired(present, course, mends=mends)
    return after, foreseeing.compare(present, after, course)


def _change(session: Session, present: Present, course: Course, now: datetime) -> Comparison:
    after, effect = _repair(present, course)
    _store(session, present, after, effect, now)
    return effect


def _store(
    session: Session, present: Present, after: Schedule, effect: Comparison, now: datetime, *, absent: int | None = None
) -> None:
    """Write what differs; tell and note who of a published plan has other partners."""
    plan = present.plan
    if not effect.touched and after.unpaired == present.stored.schedule.unpaired:
        return
    store_changes(session, plan, present.stored, after)
    touch(session, plan, now)
    if plan.state != "published":
        return
    tell(session, plan, effect.moved, now)
    note_moves(session, plan, _causes(present, after, effect, absent), now)


def _causes(present: Present, after: Schedule, effect: Comparison, absent: int | None) -> list[tuple[int, int, Cause]]:
    """For every member of today who has other partners in a round: the row of the round, the member, and why."""
    here, seated = set(present.course.people), present.seated
    usual = Cause.MADE_ROOM if present.gone or here - seated or absent is not None else Cause.PLAN_CHANGED
    found = []
    for one in effect.touched:
        round_id = present.stored.rounds[one.number - 1].id
        old = {person: set(group) for group in one.gone for person in group}
        new = {person: set(group) for group in one.new for person in group}
        for person in sorted((old.keys() | new.keys()) & here - {absent}):
            lost = old.get(person, set()) - new.get(person, set())
            won = new.get(person, set()) - old.get(person, set()) - {person}
            if person not in seated:
                cause = Cause.JOINED
            elif absent in lost:
                cause = Cause.PARTNER_ABSENT
            elif lost - here:
                cause = Cause.PARTNER_LEFT
            elif won - seated:
                cause = Cause.SOMEBODY_JOINED
            else:
                cause = usual
            found.append((round_id, person, cause))
    return found
