"""Propose, publish, change and read plans. Everything passes the engine's checker before it is stored."""

from collections import defaultdict
from collections.abc import Collection, Set
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import combinations, groupby

from sqlalchemy import ColumnElement, Select, delete, insert, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from lti_tool.activities import service as activities
from lti_tool.activities.models import Activity, Round
from lti_tool.jobs import queue
from lti_tool.launch.models import CourseRole, Member, Person
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Course, Schedule
from lti_tool.pairing.errors import (
    NoPlan,
    PlanBegun,
    PlanChanged,
    PlanFlawed,
    PlanPublished,
    SwapImpossible,
    TooFewLearners,
)
from lti_tool.pairing.models import Group, Plan, Seat, add_groups, load, seat_row, store_round
from lti_tool.pairing.rules import GroupView, NotPaired, SeatView, Standing, Unplaced, WhyNot
from lti_tool.roster.service import learners_to_pair
from lti_tool.support.db import in_batches, served_institution

PROGRESS_CHANGED = "progress.changed"
FEW = 100
"""Up to so many people are named in jobs of their own; beyond, one job looks at everybody."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What keeping up with a course did to a plan, as member ids."""

    left: Set[int] = frozenset()
    joined: Set[int] = frozenset()
    moved: Set[int] = frozenset()
    """Everybody who has other partners than before in some round."""


def find_plan(session: Session, activity_id: int, state: str | None = None) -> Plan | None:
    """The activity's plan: the published one if there is one, else the draft; or only the one in this state."""
    statement = select(Plan).where(Plan.activity_id == activity_id).order_by(Plan.state.desc()).limit(1)
    return session.scalar(statement if state is None else statement.where(Plan.state == state))


def plan_in_state(session: Session, activity_id: int, state: str, expected_version: int | None = None) -> Plan:
    """The plan in this state. Raises NoPlan, and PlanChanged when it is not the version that the caller has seen."""
    plan = find_plan(session, activity_id, state)
    if plan is None:
        raise NoPlan(activity_id, state)
    if expected_version is not None and plan.version != expected_version:
        raise PlanChanged(plan.id, plan.version)
    return plan


def draft_plan(session: Session, activity_id: int, *, seed: int, by: int | None, now: datetime) -> Plan:
    """Propose groups for all rounds, in place of an earlier proposal. `by` is a person.

    Raises TooFewLearners, PlanPublished, and ActivityReadOnly of a closed activity.
    """
    activity = _locked(session, activity_id)
    activities.refuse_read_only(session, activity)
    if find_plan(session, activity_id, "published") is not None:
        raise PlanPublished(activity_id)
    rounds = activities.rounds_of(session, activity_id)
    learners = [member.id for member in learners_to_pair(session, activity.course_id)]
    if len(learners) < 2 or not rounds:
        raise TooFewLearners(activity_id, len(learners))
    course = Course(tuple(learners), _met_elsewhere(session, activity))
    schedule = engine.plan(course, len(rounds), seed)
    _refuse_flawed(None, engine.verify(course, schedule))
    session.execute(delete(Plan).where(Plan.activity_id == activity_id, Plan.state == "draft"))
    plan = Plan(
        activity_id=activity_id,
        state="draft",
        seed=seed,
        engine=engine.NAME,
        created_by_id=by,
        created_at=now,
        changed_at=now,
    )
    session.add(plan)
    session.flush()
    for round_, groups in zip(rounds, schedule.rounds, strict=True):
        add_groups(session, plan, round_.id, groups, first_number=1)
    return plan


def publish(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Show the draft to learners. Raises NoPlan, PlanChanged, PlanFlawed (somebody came or left), ActivityReadOnly."""
    activity = _locked(session, activity_id)
    plan = plan_in_state(session, activity_id, "draft", expected_version)
    activities.refuse_read_only(session, activity)
    # Somebody may have come or left since the page was read; then the plan is brought up to date and looked at again.
    learners = _learners(session, activity)
    _refuse_flawed(plan.id, engine.verify(Course(tuple(sorted(learners))), load(session, plan).schedule))
    plan.state, plan.published_at = "published", now
    _touch(session, plan, now)
    _tell_everybody(session, activity_id, now)
    return plan


def undo_publish(session: Session, activity_id: int, *, expected_version: int, now: datetime) -> Plan:
    """Take a published plan back into a draft.

    Raises NoPlan, PlanChanged, PlanBegun once somebody wrote, and ActivityReadOnly.
    """
    activities.refuse_read_only(session, _locked(session, activity_id))
    plan = plan_in_state(session, activity_id, "published", expected_version)
    if _have_begun(session, Group.plan_id == plan.id):
        raise PlanBegun(plan.id)
    plan.state, plan.published_at = "draft", None
    _touch(session, plan, now)
    _tell_everybody(session, activity_id, now)
    return plan


def swap(session: Session, plan: Plan, seat_a: int, seat_b: int, *, expected_version: int, now: datetime) -> None:
    """Let two people of one round change places; each takes the other's group and turn.

    Raises PlanChanged, SwapImpossible where they are not in one round, share a group, or a group has begun, and
    ActivityReadOnly.
    """
    activities.refuse_read_only(session, _locked(session, plan.activity_id))
    if plan.version != expected_version:
        raise PlanChanged(plan.id, plan.version)
    seats = session.scalars(select(Seat).where(Seat.plan_id == plan.id, Seat.id.in_((seat_a, seat_b)))).all()
    if len(seats) != 2 or seats[0].round_id != seats[1].round_id or seats[0].group_id == seats[1].group_id:
        raise SwapImpossible(plan.id)
    group_ids = {seat.group_id for seat in seats}
    if _have_begun(session, Group.id.in_(group_ids)):
        raise SwapImpossible(plan.id)
    members = list(session.scalars(select(Seat.member_id).where(Seat.group_id.in_(group_ids))))
    one, other = seats
    rows = [
        seat_row(plan, one.round_id, one.group_id, other.member_id, one.turn),
        seat_row(plan, other.round_id, other.group_id, one.member_id, other.turn),
    ]
    # Taken out and put back: exchanging the values in place would break "one seat a round" half way.
    session.execute(delete(Seat).where(Seat.id.in_((one.id, other.id))))
    session.execute(insert(Seat), rows)
    _touch(session, plan, now)
    _check_round(session, plan, one.round_id)
    if plan.state == "published":
        _tell(session, plan, members, now)


def follow_course(session: Session, activity_id: int, *, now: datetime) -> Changes:
    """Bring the plan up to date with roster and rounds, changing as few groups as possible. Repeating is harmless.

    A newcomer joins whoever lost a partner, else a pair becomes a trio; who lost a partner is treated alike. Groups in
    which somebody has begun to write, and rounds whose date is over, are left alone.
    """
    activity = _locked(session, activity_id)
    plan = find_plan(session, activity_id)
    if plan is None or activities.is_read_only(session, activity):
        return Changes()
    # A group that begins while we look is waited for here, or waits for us.
    session.execute(select(Group.id).where(Group.plan_id == plan.id).with_for_update())
    loaded = load(session, plan)
    learners = _learners(session, activity)
    before = loaded.schedule
    seated = _everybody(before)
    gone = seated - learners
    from_round = 1 + loaded.last_over(now)
    course = Course((), _met_elsewhere(session, activity))
    after = engine.repair(replace(before, course=course), gone, learners, from_round, fixed=loaded.fixed)
    course = Course(tuple(sorted(learners)))
    _refuse_flawed(plan.id, engine.verify(course, after, from_round=from_round, fixed=loaded.fixed))
    moved = engine.moved(before, after)
    for number in range(from_round, len(after.rounds) + 1) if moved else ():
        store_round(session, plan, loaded, number, after.rounds[number - 1])
    if moved:
        _touch(session, plan, now)
    if plan.state == "published":
        # Whoever stays in a group with somebody who left is asked for less, though nothing of the plan changed.
        beside = {one for groups in before.rounds for group in groups if gone & set(group) for one in group}
        _tell(session, plan, moved | beside, now)
    return Changes(gone & moved, _everybody(after) - seated, moved)


def begin(session: Session, group_id: int, *, now: datetime) -> None:
    """Record that somebody in the group has begun to write, so that it is not changed any more."""
    session.execute(update(Group).where(Group.id == group_id, Group.begun_at.is_(None)).values(begun_at=now))


def share_group(session: Session, group_id: int, one: int, other: int) -> bool:
    """Whether these two members are in this group as it is now."""
    seated = session.scalars(select(Seat.member_id).where(Seat.group_id == group_id)).all()
    return one in seated and other in seated


def has_begun(session: Session, plan: Plan) -> bool:
    """Whether anybody wrote something in any group of the plan."""
    begun = select(Group.id).where(Group.plan_id == plan.id, Group.begun_at.is_not(None)).limit(1)
    return session.scalar(begun) is not None


def planned_activities(session: Session, course_id: int) -> list[int]:
    """Activities of the course that have a plan."""
    return list(
        session.scalars(
            select(Plan.activity_id)
            .join(Activity, Activity.id == Plan.activity_id)
            .where(Activity.course_id == course_id)
            .distinct()
            .order_by(Plan.activity_id)
        )
    )


def groups_of(session: Session, member_id: int, activity_id: int) -> list[GroupView]:
    """A member's groups in the published plan, by round; empty before it is published."""
    own = (
        select(Seat.group_id)
        .join(Plan, Plan.id == Seat.plan_id)
        .where(Plan.activity_id == activity_id, Plan.state == "published", Seat.member_id == member_id)
    )
    rows = session.execute(_seats_with_names().where(Seat.group_id.in_(own))).all()
    return [
        GroupView(seats=tuple(seats), member_id=member_id)
        for _, seats in groupby((SeatView(*row) for row in rows), key=lambda seat: seat.group_id)
    ]


def groups_in_round(session: Session, plan: Plan, round_number: int) -> list[GroupView]:
    """All groups of one round of a plan, by number."""
    rows = session.execute(_seats_with_names().where(Seat.plan_id == plan.id, Round.number == round_number)).all()
    return [
        GroupView(seats=tuple(seats))
        for _, seats in groupby((SeatView(*row) for row in rows), key=lambda seat: seat.group_id)
    ]


def standing(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> Standing:
    """How a plan stands: its groups as ids, the balance of turns, and how the course has changed since."""
    loaded = load(session, plan)
    learners = _learners(session, activity)
    from_round = 1 + loaded.last_over(now)
    left_out = []
    for number, groups in enumerate(loaded.schedule.rounds, start=1):
        seated = {one for group in groups for one in group}
        left_out += [Unplaced(one, number, number < from_round) for one in sorted(learners - seated)]
    return Standing(
        loaded.schedule,
        engine.balance(loaded.schedule.rounds),
        sorted(learners),
        tuple(left_out),
        tuple(sorted(_everybody(loaded.schedule) - learners)),
        engine.repeats(Course((), _met_elsewhere(session, activity)), loaded.schedule),
    )


def not_paired(session: Session, course_id: int) -> list[NotPaired]:
    """Whom the roster lists and pairing leaves out on purpose, and why; people who left are not among them."""
    rows = session.execute(
        select(Member, Person.name)
        .join(Person, Person.id == Member.person_id)
        .where(Member.course_id == course_id, Member.status == "active", Member.in_roster_at.is_not(None))
        .where(or_(Member.role != CourseRole.LEARNER, Member.ever_staff, Member.is_test))
        .order_by(Member.id)
    )
    return [NotPaired(member.id, name, _why_not(member)) for member, name in rows]


def _why_not(member: Member) -> WhyNot:
    if member.is_test:
        return WhyNot.TEST_PERSON
    if member.role == CourseRole.OBSERVER:
        return WhyNot.OBSERVES
    if member.role != CourseRole.LEARNER:
        return WhyNot.TEACHES
    return WhyNot.WAS_STAFF if member.named_staff_at is None else WhyNot.NAMED_STAFF


def names_of(session: Session, members: Collection[int]) -> dict[int, str | None]:
    """Names by member id; None where the platform gave none."""
    named = select(Member.id, Person.name).join(Person, Person.id == Member.person_id)
    return {
        row.id: row.name for batch in in_batches(members) for row in session.execute(named.where(Member.id.in_(batch)))
    }


def _seats_with_names() -> (
    "Select[int, int, int, str | None, str, int, int, datetime | None, datetime | None, datetime | None]"
):
    return (
        select(
            Seat.id,
            Seat.group_id,
            Seat.member_id,
            Person.name,
            Member.status,
            Group.number,
            Round.number,
            Round.opens_at,
            Round.due_at,
            Group.begun_at,
        )
        .join(Group, Group.id == Seat.group_id)
        .join(Round, Round.id == Seat.round_id)
        .join(Member, Member.id == Seat.member_id)
        .join(Person, Person.id == Member.person_id)
        .order_by(Round.number, Group.number, Seat.turn)
    )


def _locked(session: Session, activity_id: int) -> Activity:
    """The activity, held so that two people do not draft, publish or mend its plan at the same moment."""
    return session.get_one(Activity, activity_id, with_for_update={"key_share": True})


def _check_round(session: Session, plan: Plan, round_id: int) -> None:
    """Pass one round by the checker, among those who are in it."""
    loaded = load(session, plan)
    number = next(at for at, round_ in enumerate(loaded.rounds, start=1) if round_.id == round_id)
    groups = loaded.schedule.rounds[number - 1]
    people = tuple(person for group in groups for person in group)
    fixed = {(1, group) for at, group in loaded.fixed if at == number}
    _refuse_flawed(plan.id, engine.verify(Course(people), Schedule((groups,)), fixed=fixed))


def _have_begun(session: Session, which: ColumnElement[bool]) -> bool:
    """Whether any of these groups has begun. They are locked, so that none begins before the transaction ends."""
    return any(session.scalars(select(Group.begun_at).where(which).with_for_update()))


def _everybody(schedule: Schedule) -> set[int]:
    return {person for groups in schedule.rounds for group in groups for person in group}


def _learners(session: Session, activity: Activity) -> set[int]:
    return {member.id for member in learners_to_pair(session, activity.course_id)}


def _met_elsewhere(session: Session, activity: Activity) -> tuple[engine.Couple, ...]:
    """Who shares a group in another activity of the course that learners see."""
    rows = session.execute(
        select(Seat.group_id, Seat.member_id)
        .join(Plan, Plan.id == Seat.plan_id)
        .join(Activity, Activity.id == Plan.activity_id)
        .where(Activity.course_id == activity.course_id, Activity.id != activity.id, Plan.state == "published")
    )
    members: dict[int, list[int]] = defaultdict(list)
    for group_id, member_id in rows:
        members[group_id].append(member_id)
    return tuple(couple for people in members.values() for couple in combinations(sorted(people), 2))


def _refuse_flawed(plan_id: int | None, violations: list[engine.Violation]) -> None:
    if violations:
        raise PlanFlawed(plan_id, tuple(sorted({violation.breach.value for violation in violations})))


def _touch(session: Session, plan: Plan, now: datetime) -> None:
    """Raise the plan's version, also where only its groups changed."""
    plan.changed_at = now
    flag_modified(plan, "changed_at")
    try:
        session.flush()
    except StaleDataError:
        raise PlanChanged(plan.id) from None


def _tell(session: Session, plan: Plan, members: Collection[int], now: datetime) -> None:
    """Have the completion of these members worked out again."""
    if len(members) > FEW:
        _tell_everybody(session, plan.activity_id, now)
        return
    for member_id in sorted(members):
        queue.enqueue(
            session,
            PROGRESS_CHANGED,
            {"activity_id": plan.activity_id, "member_id": member_id},
            institution_id=served_institution(session),
            now=now,
            unique_key=f"{PROGRESS_CHANGED}:{plan.activity_id}:{member_id}",
        )


def _tell_everybody(session: Session, activity_id: int, now: datetime) -> None:
    queue.enqueue(
        session,
        activities.SETTINGS_CHANGED,
        {"activity_id": activity_id},
        institution_id=served_institution(session),
        now=now,
        unique_key=f"{activities.SETTINGS_CHANGED}:{activity_id}",
    )
