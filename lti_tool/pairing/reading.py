"""Plans as pages show them: groups, how a plan stands, what it breaks, and why somebody sits with whom."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity, Round
from lti_tool.launch.models import CourseRole, Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing import comparing, engine
from lti_tool.pairing.comparing import Broken, Comparison
from lti_tool.pairing.engine import Course, Reason
from lti_tool.pairing.gathering import Gathered, course_for, learners_of, past_of
from lti_tool.pairing.keeping import find_plan
from lti_tool.pairing.models import Group, Move, Plan, Seat
from lti_tool.pairing.rules import Cause, GroupView, MoveView, NotPaired, SeatView, Standing, Unplaced, WhyNot
from lti_tool.pairing.storing import load
from lti_tool.roster.service import who_takes_part
from lti_tool.support.db import in_batches


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
        for _, seats in groupby(_seats(session, rows, activity_id, for_staff=False), key=lambda seat: seat.group_id)
    ]


def groups_in_round(session: Session, plan: Plan, round_number: int) -> list[GroupView]:
    """All groups of one round of a plan, by number."""
    rows = session.execute(_seats_with_names().where(Seat.plan_id == plan.id, Round.number == round_number)).all()
    return [
        GroupView(seats=tuple(seats))
        for _, seats in groupby(_seats(session, rows, plan.activity_id), key=lambda seat: seat.group_id)
    ]


def all_groups(session: Session, plan: Plan) -> list[GroupView]:
    """All groups of a plan, by round and number."""
    rows = session.execute(_seats_with_names().where(Seat.plan_id == plan.id)).all()
    return [
        GroupView(seats=tuple(seats))
        for _, seats in groupby(_seats(session, rows, plan.activity_id), key=lambda seat: seat.group_id)
    ]


def _seats(session: Session, rows: Sequence[Any], activity_id: int, *, for_staff: bool = True) -> list[SeatView]:
    seats = [SeatView(*row) for row in rows]
    course_id = session.get_one(Activity, activity_id).course_id
    names = told_apart(session, course_id, {seat.member_id: seat.name for seat in seats}, for_staff=for_staff)
    return [replace(seat, name=names[seat.member_id]) for seat in seats]


def moves_of(session: Session, member_id: int, activity_id: int) -> list[MoveView]:
    """In which rounds of the published plan a member got other partners since it was published, and why, by round."""
    rows = session.execute(
        select(Round.number, Move.cause, Move.at)
        .join(Plan, Plan.id == Move.plan_id)
        .join(Round, Round.id == Move.round_id)
        .where(Move.member_id == member_id, Plan.activity_id == activity_id, Plan.state == "published")
        .order_by(Round.number)
    )
    return [MoveView(number, Cause(cause), at) for number, cause, at in rows]


def standing(
    session: Session, activity: Activity, plan: Plan, *, now: datetime, gathered: Gathered | None = None
) -> Standing:
    """How a plan stands: its groups as ids, the balance of turns, and how the course has changed since.

    `gathered`: what has a say in the groups, where the caller has read it.
    """
    loaded = load(session, plan)
    learners = set(learners_of(session, activity) if gathered is None else gathered.learners)
    past = past_of(session, activity) if gathered is None else gathered.past
    from_round = 1 + loaded.last_over(now)
    reasons = {(one.round, one.person): one.reason for one in loaded.schedule.unpaired}
    left_out = []
    for number, groups in enumerate(loaded.schedule.rounds, start=1):
        seated = {one for group in groups for one in group}
        left_out += [
            Unplaced(one, number, number < from_round, reasons.get((number, one))) for one in sorted(learners - seated)
        ]
    can_change: set[int] = set()
    stays: set[int] = set()
    for number, groups in enumerate(loaded.schedule.rounds[from_round - 1 :], start=from_round):
        for group in groups:
            (stays if (number, group) in loaded.fixed else can_change).update(set(group) - learners)
    return Standing(
        loaded.schedule,
        engine.balance(loaded.schedule.rounds),
        sorted(learners),
        tuple(left_out),
        tuple(sorted(can_change)),
        tuple(sorted(stays - can_change)),
        engine.repeats(Course((), past.met), loaded.schedule),
        has_begun=bool(loaded.fixed),
    )


def unplaced(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> list[Unplaced]:
    """Learners without a group in rounds that are not over. Reads no more of the plan than these people's seats."""
    rounds = session.execute(
        select(Round.number, Round.due_at).where(Round.activity_id == activity.id).order_by(Round.number)
    ).all()
    last_over = max((one.number for one in rounds if one.due_at and one.due_at <= now), default=0)
    ahead = [one.number for one in rounds if one.number > last_over]
    if not ahead:
        return []
    seats = select(Seat.member_id).join(Round, Round.id == Seat.round_id)
    seats = seats.where(Seat.plan_id == plan.id, Round.number > last_over)
    taking_part = who_takes_part(session, activity.course_id, activity.placement_id)
    in_all = seats.group_by(Seat.member_id).having(func.count() >= len(ahead))
    people = session.scalars(taking_part.where(Member.id.not_in(in_all)).order_by(Member.id)).all()
    seated = {
        tuple(row)
        for batch in in_batches(people)
        for row in session.execute(seats.add_columns(Round.number).where(Seat.member_id.in_(batch)))
    }
    reasons = {(one, number): Reason(why) for number, one, why in plan.unpaired}
    return [
        Unplaced(one, number, False, reasons.get((one, number)))
        for number in ahead
        for one in people
        if (one, number) not in seated
    ]


def course_of_plan(session: Session, activity: Activity, plan: Plan | None = None) -> Course:
    """The engine's course of today, in the shape of the plan: for what rules cost and what is not known."""
    return course_for(session, activity, plan.shape if plan is not None else None)


def schedule_of(session: Session, activity: Activity, plan: Plan) -> engine.Schedule:
    """The plan as the engine sees it, with the course of today in it, for `engine.why` and `engine.why_not`."""
    return replace(load(session, plan).schedule, course=course_of_plan(session, activity, plan))


def broken_by(session: Session, activity: Activity, plan: Plan, *, now: datetime) -> tuple[Broken, ...]:
    """Groups that break a rule of today, and pins that are not kept, in rounds that are not over."""
    loaded = load(session, plan)
    course = course_of_plan(session, activity, plan)
    return comparing.broken(course, loaded.schedule.rounds, from_round=1 + loaded.last_over(now))


def compare(session: Session, activity: Activity) -> Comparison | None:
    """The draft beside the draft before it, by the rules and wishes of today; None while there is only one."""
    former, plan = (find_plan(session, activity.id, state) for state in ("previous", "draft"))
    if former is None or plan is None:
        return None
    course = course_of_plan(session, activity, plan)
    return comparing.compare(course, load(session, former).schedule, load(session, plan).schedule)


def share_group(session: Session, group_id: int, one: int, other: int) -> bool:
    """Whether these two members are in this group as it is now."""
    seated = session.scalars(select(Seat.member_id).where(Seat.group_id == group_id)).all()
    return one in seated and other in seated


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


def not_paired(session: Session, course_id: int) -> list[NotPaired]:
    """Whom the roster lists and pairing leaves out on purpose, and why; people who left are not among them."""
    rows = session.execute(
        select(Member, Person.name)
        .join(Person, Person.id == Member.person_id)
        .where(Member.course_id == course_id, Member.status == "active", Member.in_roster_at.is_not(None))
        .where(~Member.is_learner)
        .order_by(Member.id)
    )
    found = [(member, name) for member, name in rows]
    names = told_apart(session, course_id, {member.id: name for member, name in found})
    return [NotPaired(member.id, names[member.id], _why_not(member)) for member, _ in found]


def _why_not(member: Member) -> WhyNot:
    if member.is_test:
        return WhyNot.TEST_PERSON
    if member.role == CourseRole.OBSERVER:
        return WhyNot.OBSERVES
    if member.role != CourseRole.LEARNER:
        return WhyNot.TEACHES
    return WhyNot.WAS_STAFF if member.named_staff_at is None else WhyNot.NAMED_STAFF


def names_of(session: Session, members: Collection[int]) -> dict[int, str | None]:
    """Names by member id for staff, the same ones told apart; None where the platform gave none."""
    named = select(Member.id, Member.course_id, Person.name).join(Person, Person.id == Member.person_id)
    rows = [row for batch in in_batches(members) for row in session.execute(named.where(Member.id.in_(batch)))]
    return told_apart(session, rows[0].course_id, {row.id: row.name for row in rows}) if rows else {}


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
