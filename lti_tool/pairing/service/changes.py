"""Change a plan: by choice (`preview` and `apply`), and with the course (`follow_course` and the others).

All changes compute an outcome, which is stored. Members of a published plan who get other partners are told why.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.launch.models import Member
from lti_tool.launch.rules.roles import CourseRole
from lti_tool.launch.service.arrivals import tell_plans
from lti_tool.pairing import engine
from lti_tool.pairing.errors import ChangeImpossible, NoPlan, PlanChanged, RuleBroken
from lti_tool.pairing.models import Absence, Exclusion, Group, Pin, PinnedMember, Plan
from lti_tool.pairing.rules import changes
from lti_tool.pairing.rules.changes import Change, Outcome, outcome, up_to_date
from lti_tool.pairing.rules.comparing import Comparison, couple_of
from lti_tool.pairing.rules.views import Alone, Cause
from lti_tool.pairing.service.conditions import current_plan, preferences_of, save_preferences
from lti_tool.pairing.service.groups import why_alone
from lti_tool.pairing.store import find_plan, hold, hold_groups, load, note_moves, pins_of, store_changes, touch
from lti_tool.roster import service as roster
from lti_tool.web.visits import Visit

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
    there is a plan. Raises PlanChanged, NoPlan, RuleBroken for a swap that breaks a rule, MemberUnknown,
    ActivityReadOnly, and what `outcome` raises.
    """
    activity = hold(session, activity_id)
    activities.refuse_read_only(session, activity)
    plan = find_plan(session, activity_id)
    leaves_groups = isinstance(change, changes.Unpin | changes.UndoKeepApart)
    if not leaves_groups and plan is None and expected_version:
        raise NoPlan(activity_id)
    if not leaves_groups and plan is not None and plan.version != (expected_version or 0):
        raise PlanChanged(plan.id, plan.version)
    _refuse(session, activity, plan, change)
    if plan is None or leaves_groups:
        _record(session, activity, change, by=by, now=now)
        return Comparison()
    hold_groups(session, plan)
    made = outcome(current_plan(session, activity, plan, now=now), change)
    if isinstance(change, changes.Swap) and not anyway and made.effect.newly_broken:
        raise RuleBroken(plan.id, made.effect.newly_broken)
    _record(session, activity, change, by=by, now=now)
    usual = (
        Cause.MADE_ROOM
        if isinstance(change, changes.Absent | changes.UndoAbsent | changes.LeaveOut)
        else Cause.PLAN_CHANGED
    )
    _store(session, plan, made, now, usual=usual)
    if isinstance(change, changes.LeaveOut):
        _tell_left_behind(session, plan, made, now)
    return made.effect


def follow_course(session: Session, activity_id: int, *, now: datetime) -> Comparison:
    """Bring the plan up to date with roster and rounds, with as few changes as possible. It can be repeated safely.

    A newcomer is paired with someone who lost a partner; otherwise a pair becomes a trio. Groups that have begun and
    rounds that are over stay; so do groups that break a newer rule, until someone mends the plan.
    """
    activity = hold(session, activity_id)
    plan = find_plan(session, activity_id)
    if plan is None or activities.is_read_only(session, activity):
        return Comparison()
    hold_groups(session, plan)
    made = up_to_date(current_plan(session, activity, plan, now=now))
    _store(session, plan, made, now)
    _tell_left_behind(session, plan, made, now)
    return made.effect


def place_at_launch(session: Session, visit: Visit, *, now: datetime) -> None:
    """Place a learner within seconds who launches and has no group although the plan may have room."""
    activity = activities.activity_of(session, visit.placement_id)
    if activity is None or visit.member_id is None or visit.role != CourseRole.LEARNER or visit.is_preview:
        return
    if Alone.COMING in why_alone(session, activity, visit.member_id, now=now).values():
        tell_plans(session, activity.course_id, now=now, institution_id=activity.institution_id)


def begin(session: Session, group_id: int, *, now: datetime) -> None:
    """Record that someone in the group has begun to write, so that it is not changed any more."""
    session.execute(update(Group).where(Group.id == group_id, Group.begun_at.is_(None)).values(begun_at=now))


def _store(session: Session, plan: Plan, made: Outcome, now: datetime, *, usual: Cause = Cause.MADE_ROOM) -> None:
    """Store the groups that differ, and note why members of a published plan have other partners.

    `usual` is the cause for people whose group could have stayed as it was.
    """
    if not made.effect.touched and made.after.unpaired == made.current.schedule.unpaired:
        return
    stored = load(session, plan)
    store_changes(session, plan, stored, made.after)
    touch(session, plan, now)
    if plan.state == "published":
        activities.completion_changed(session, plan.activity_id, made.effect.moved, now=now)
        moves = [(stored.rounds[number - 1].id, person, cause) for number, person, cause in _causes(made, usual)]
        note_moves(session, plan, moves, now)


def _tell_left_behind(session: Session, plan: Plan, made: Outcome, now: datetime) -> None:
    """Recompute the progress of everyone in a group that someone left: less is asked of them."""
    if plan.state == "published":
        gone = made.current.gone
        rounds = made.current.schedule.rounds
        left_behind = {person for groups in rounds for group in groups if gone & set(group) for person in group}
        activities.completion_changed(session, plan.activity_id, left_behind, now=now)


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


def _refuse(session: Session, activity: Activity, plan: Plan | None, change: Change) -> None:
    """Raise ChangeImpossible, MemberUnknown or NoPlan if a change cannot be made, whatever the groups are."""
    match change:
        case changes.Pin(members, round_number):
            _refuse_pin(session, activity, set(members), round_number)
        case changes.KeepApart(members):
            if len(set(members)) < 2:
                raise ChangeImpossible("one person")
            if not _are_members(session, activity.course_id, members):
                raise ChangeImpossible("not in the course")
        case changes.LeaveOut(member_id):
            roster.member_of(session, activity.course_id, member_id)
    if plan is None and not isinstance(change, changes.Pin | changes.Unpin | changes.KeepApart | changes.UndoKeepApart):
        raise NoPlan(activity.id)


def _refuse_pin(session: Session, activity: Activity, people: set[int], round_number: int | None) -> None:
    if len(people) < 2:
        raise ChangeImpossible("too few")
    if len(people) > preferences_of(session, activity).preferences.shape.size + 1:
        raise ChangeImpossible("too many")
    if not _are_members(session, activity.course_id, people):
        raise ChangeImpossible("strangers")
    if round_number is not None and _round_id(session, activity, round_number) is None:
        raise ChangeImpossible("no round")
    for pin in pins_of(session, activity.id):
        if people.isdisjoint(pin.members):
            continue
        if people == set(pin.members) and pin.round_number in {None, round_number}:
            raise ChangeImpossible("pinned already")
        if pin.round_number is None or round_number is None or pin.round_number == round_number:
            raise ChangeImpossible("pinned to others")


def _record(session: Session, activity: Activity, change: Change, *, by: int | None, now: datetime) -> None:
    """Store what someone decided, apart from the groups. `by` is a person."""
    match change:
        case changes.Pin(members, round_number):
            round_id = _round_id(session, activity, round_number) if round_number is not None else None
            pin = Pin(activity_id=activity.id, round_id=round_id, said_by_id=by, said_at=now)
            session.add(pin)
            session.flush()
            session.add_all(PinnedMember(pin_id=pin.id, member_id=member_id) for member_id in sorted(set(members)))
        case changes.Unpin(pin_id):
            session.execute(delete(Pin).where(Pin.id == pin_id, Pin.activity_id == activity.id))
        case changes.KeepApart(members, kind):
            first, second = couple_of(*members)
            couple = {"course_id": activity.course_id, "one_id": first, "other_id": second}
            row = session.scalar(select(Exclusion).filter_by(**couple).with_for_update()) or Exclusion(**couple)
            row.kind, row.said_by_id, row.said_at = kind, by, now
            session.add(row)
        case changes.UndoKeepApart(apart_id):
            couples = delete(Exclusion).where(Exclusion.course_id == activity.course_id)
            session.execute(couples.where(Exclusion.id == apart_id))
        case changes.Relax(rules):
            saved = preferences_of(session, activity)
            wanted = saved.preferences.without(*rules)
            save_preferences(session, activity.id, wanted, expected_version=saved.version, by=by, now=now)
        case changes.Absent(member_id, round_number):
            round_id = _round_id(session, activity, round_number)
            if round_id is not None:
                session.add(Absence(round_id=round_id, member_id=member_id, said_by_id=by, said_at=now))
        case changes.UndoAbsent(member_id, round_number):
            round_id = _round_id(session, activity, round_number)
            session.execute(delete(Absence).where(Absence.round_id == round_id, Absence.member_id == member_id))
        case changes.LeaveOut(member_id):
            roster.name_as_staff(session, activity.course_id, member_id, now=now)
    session.flush()


def _round_id(session: Session, activity: Activity, round_number: int) -> int | None:
    return session.scalar(select(Round.id).where(Round.activity_id == activity.id, Round.number == round_number))


def _are_members(session: Session, course_id: int, people: Collection[int]) -> bool:
    listed = session.scalars(select(Member.id).where(Member.course_id == course_id, Member.id.in_(people))).all()
    return len(listed) == len(set(people))
