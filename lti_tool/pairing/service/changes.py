"""Change a plan by choice: `preview` shows what a change would do, `apply` makes it.

Both compute the same outcome. Members of a published plan who get other partners are told why.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.service import completion_changed, refuse_read_only
from lti_tool.pairing import engine
from lti_tool.pairing.errors import ExclusionImpossible, NoPlan, PinImpossible, PlanChanged, RuleBroken
from lti_tool.pairing.models import Plan
from lti_tool.pairing.rules import Cause
from lti_tool.pairing.rules.changes import (
    Absent,
    Change,
    KeepApart,
    LeaveOut,
    Outcome,
    Pin,
    Relax,
    Swap,
    UndoAbsent,
    UndoKeepApart,
    Unpin,
    outcome,
)
from lti_tool.pairing.rules.comparing import Comparison
from lti_tool.pairing.service.conditions import current_plan
from lti_tool.pairing.service.preferences import preferences_of, save_preferences
from lti_tool.pairing.store import preferences as store
from lti_tool.pairing.store.plans import Stored, find_plan, hold, hold_groups, load, note_moves, store_changes, touch
from lti_tool.roster import service as roster

CAUSES: Final = {cause: Cause(cause.value) for cause in engine.Cause if cause.value in set(Cause)}
"""What members are told of the engine's causes. Someone who is absent is told nothing."""
CAUSES[engine.Cause.RULE_CHANGED] = Cause.PLAN_CHANGED


def preview(session: Session, activity: Activity, change: Change, *, now: datetime) -> Comparison:
    """What a change would do to the plan as it is now. Nothing is stored. Raises as `apply`, except PlanChanged."""
    plan = find_plan(session, activity.id)
    _refuse(session, activity, plan, change)
    if plan is None:
        return Comparison()
    return outcome(current_plan(session, activity, plan, now=now), change).effect


def apply(
    session: Session,
    activity_id: int,
    change: Change,
    *,
    expected_version: int | None,
    by: int | None,
    now: datetime,
    anyway: bool = False,
) -> Comparison:
    """Make a change, with as few other changes as possible. `by` is a person.

    `expected_version` is the version of the plan that someone looked at, None if there was none; for Unpin and
    UndoKeepApart it does not matter. `anyway` lets a swap break a rule. People can be pinned and kept apart before
    there is a plan. Raises PlanChanged, NoPlan, RuleBroken for a swap that breaks a rule, PinImpossible,
    ExclusionImpossible, MemberUnknown, ActivityReadOnly, and what `outcome` raises.
    """
    activity = hold(session, activity_id)
    refuse_read_only(session, activity)
    plan = find_plan(session, activity_id)
    leaves_groups = isinstance(change, Unpin | UndoKeepApart)
    if not leaves_groups and plan is None and expected_version:
        raise NoPlan(activity_id)
    if not leaves_groups and plan is not None and plan.version != (expected_version or 0):
        raise PlanChanged(plan.id, plan.version)
    _refuse(session, activity, plan, change)
    if plan is None or leaves_groups:
        _record(session, activity, change, by=by, now=now)
        return Comparison()
    hold_groups(session, plan)
    stored = load(session, plan)
    made = outcome(current_plan(session, activity, plan, now=now, stored=stored), change)
    if isinstance(change, Swap) and not anyway and made.effect.newly_broken:
        raise RuleBroken(plan.id, made.effect.newly_broken)
    _record(session, activity, change, by=by, now=now)
    usual = Cause.MADE_ROOM if isinstance(change, Absent | UndoAbsent | LeaveOut) else Cause.PLAN_CHANGED
    store_outcome(session, plan, stored, made, now, usual=usual)
    if isinstance(change, LeaveOut):
        tell_left_behind(session, plan, made, now)
    return made.effect


def _refuse(session: Session, activity: Activity, plan: Plan | None, change: Change) -> None:
    """Raise if a change cannot be made, whatever the groups are."""
    match change:
        case Pin(members, round_number):
            _refuse_pin(session, activity, members, round_number)
        case KeepApart(members):
            if len(set(members)) < 2:
                raise ExclusionImpossible("nobody else")
            if not store.are_members(session, activity.course_id, members):
                raise ExclusionImpossible("not in the course")
        case LeaveOut(member_id):
            roster.member_of(session, activity.course_id, member_id)
    if plan is None and not isinstance(change, Pin | Unpin | KeepApart | UndoKeepApart):
        raise NoPlan(activity.id)


def _refuse_pin(session: Session, activity: Activity, members: tuple[int, ...], round_number: int | None) -> None:
    people = set(members)
    if len(people) < 2:
        raise PinImpossible("too few")
    if len(people) > preferences_of(session, activity).preferences.shape.size + 1:
        raise PinImpossible("too many")
    if not store.are_members(session, activity.course_id, people):
        raise PinImpossible("not in the course")
    if round_number is not None and store.round_id_of(session, activity.id, round_number) is None:
        raise PinImpossible("round")
    for pin in store.pins_of(session, activity.id):
        if people.isdisjoint(pin.members):
            continue
        if people == set(pin.members) and pin.round_number in {None, round_number}:
            raise PinImpossible("pinned already")
        if pin.round_number is None or round_number is None or pin.round_number == round_number:
            raise PinImpossible("somebody is pinned to others")


def _record(session: Session, activity: Activity, change: Change, *, by: int | None, now: datetime) -> None:
    """Store what someone decided, apart from the groups."""
    match change:
        case Pin(members, round_number):
            people = tuple(sorted(set(members)))
            round_id = store.round_id_of(session, activity.id, round_number) if round_number is not None else None
            store.add_pin(session, activity.id, people, round_id, by=by, now=now)
        case Unpin(pin_id):
            store.remove_pin(session, activity.id, pin_id)
        case KeepApart(members, kind):
            store.add_apart(session, activity.course_id, members, kind, by=by, now=now)
        case UndoKeepApart(apart_id):
            store.remove_apart(session, activity.course_id, apart_id)
        case Relax(rules):
            saved = preferences_of(session, activity)
            wanted = saved.preferences.without(*rules)
            save_preferences(session, activity.id, wanted, expected_version=saved.version, by=by, now=now)
        case Absent(member_id, round_number):
            round_id = store.round_id_of(session, activity.id, round_number)
            if round_id is not None:
                store.add_absence(session, round_id, member_id, by=by, now=now)
        case UndoAbsent(member_id, round_number):
            store.remove_absence(session, activity.id, round_number, member_id)
        case LeaveOut(member_id):
            roster.name_as_staff(session, activity.course_id, member_id, now=now)


def store_outcome(
    session: Session, plan: Plan, stored: Stored, made: Outcome, now: datetime, *, usual: Cause = Cause.MADE_ROOM
) -> None:
    """Store the groups that differ, and note why members of a published plan have other partners.

    `usual` is the cause for people whose group could have stayed as it was.
    """
    if not made.effect.touched and made.after.unpaired == stored.schedule.unpaired:
        return
    store_changes(session, plan, stored, made.after)
    touch(session, plan, now)
    if plan.state == "published":
        completion_changed(session, plan.activity_id, made.effect.moved, now=now)
        moves = [(stored.rounds[number - 1].id, person, cause) for number, person, cause in _causes(made, usual)]
        note_moves(session, plan, moves, now)


def tell_left_behind(session: Session, plan: Plan, made: Outcome, now: datetime) -> None:
    """Recompute the progress of everyone in a group that someone left: less is asked of them."""
    if plan.state == "published":
        gone = made.current.gone
        rounds = made.current.schedule.rounds
        left_behind = {person for groups in rounds for group in groups if gone & set(group) for person in group}
        completion_changed(session, plan.activity_id, left_behind, now=now)


def _causes(made: Outcome, usual: Cause) -> list[tuple[int, int, Cause]]:
    """The round, the member and the cause for every member of today who has other partners in a round."""
    current = made.current
    known = current.seated | {missing.person for missing in current.schedule.unpaired}
    before, after = current.schedule_for(current.course), replace(made.after, course=current.course)
    causes = {**CAUSES, engine.Cause.MADE_ROOM: usual}
    return [
        (moved.round, moved.person, causes[moved.cause] if moved.person in known else Cause.JOINED)
        for moved in engine.changes(before, after)
        if moved.cause in causes
    ]
