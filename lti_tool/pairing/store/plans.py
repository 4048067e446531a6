"""Plans, groups and seats in the database: locked, read for the engine and for pages, and written."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, insert, select
from sqlalchemy.orm import Session, aliased

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules import Seating
from lti_tool.launch.models import Member, Person
from lti_tool.launch.service.naming import told_apart
from lti_tool.pairing.engine import Group as People
from lti_tool.pairing.engine import Kind, Placed, Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.models import Group, Move, Plan, Seat, is_facilitated, published_seats
from lti_tool.pairing.rules.views import Cause, GroupView, PublishedGroup, SeatView
from lti_tool.support.db import in_batches


def find_plan(session: Session, activity_id: int, state: str | None = None) -> Plan | None:
    """The activity's plan in this state as it is now; without a state the published plan, or else the proposal."""
    statement = select(Plan).where(Plan.activity_id == activity_id).order_by(Plan.state.desc()).limit(1)
    states = ("draft", "published") if state is None else (state,)
    # Someone may have changed it while this session waited for the lock, so it is read again.
    return session.scalar(statement.where(Plan.state.in_(states)).execution_options(populate_existing=True))


def versions_of(session: Session, activity_id: int) -> dict[str, int]:
    """The versions of an activity's proposal and published plan, by state, as they are now."""
    # Columns, because a row that this session has read before would not be read again.
    plans = select(Plan.state, Plan.version).where(Plan.activity_id == activity_id, Plan.state != "previous")
    return dict(session.execute(plans).all())


def planned_activities(session: Session, course_id: int) -> list[int]:
    """Activities of the course that have a plan."""
    planned = select(Plan.activity_id).join(Activity, Activity.id == Plan.activity_id)
    return list(session.scalars(planned.where(Activity.course_id == course_id).distinct().order_by(Plan.activity_id)))


def with_published_plan(session: Session, activity_ids: Collection[int]) -> frozenset[int]:
    """Those of these activities whose plan is published."""
    statement = select(Plan.activity_id).where(Plan.activity_id.in_(activity_ids), Plan.state == "published")
    return frozenset(session.scalars(statement))


def hold(session: Session, activity_id: int) -> Activity:
    """The activity, locked so that two people do not propose, publish or change its plan at the same moment."""
    return session.get_one(Activity, activity_id, with_for_update={"key_share": True})


def hold_groups(session: Session, plan: Plan) -> None:
    """Lock the groups of a plan, so that none begins while they are changed."""
    session.execute(select(Group.id).where(Group.plan_id == plan.id).with_for_update())


def hold_group(session: Session, group_id: int) -> None:
    """Lock one group, so that its members stay the same until the transaction ends."""
    session.execute(select(Group.id).where(Group.id == group_id).with_for_update())


def have_begun(session: Session, which: ColumnElement[bool]) -> bool:
    """Whether any of these groups has begun. They are locked, so that none begins before the transaction ends."""
    return any(session.scalars(select(Group.begun_at).where(which).with_for_update()))


def touch(session: Session, plan: Plan, now: datetime) -> None:
    """Raise the plan's version, also if only its groups changed."""
    plan.changed_at = now
    plan.version += 1
    session.flush()


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored plan for the engine, and its rows."""

    schedule: Schedule
    rounds: tuple[Round, ...]
    groups: dict[Placed, int]
    """Ids of rows by round number and members in order of turn."""
    fixed: frozenset[Placed]
    """Groups that have begun."""

    def last_over(self, now: datetime) -> int:
        """The number of the last round that is over; 0 if none is."""
        over = [number for number, round_ in enumerate(self.rounds, start=1) if round_.due_at and round_.due_at <= now]
        return max(over, default=0)


def load(session: Session, plan: Plan) -> Stored:
    """Read a plan for the engine."""
    rounds = session.scalars(select(Round).where(Round.activity_id == plan.activity_id).order_by(Round.number)).all()
    numbers = {round_.id: number for number, round_ in enumerate(rounds, start=1)}
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    begun: set[int] = set()
    for round_id, group_id, member_id, begun_at in session.execute(
        select(Seat.round_id, Seat.group_id, Seat.member_id, Group.begun_at)
        .join(Group, Group.id == Seat.group_id)
        .where(Seat.plan_id == plan.id)
        .order_by(Group.number, Seat.turn)
    ):
        members[numbers[round_id], group_id].append(member_id)
        if begun_at is not None:
            begun.add(group_id)
    groups: list[list[People]] = [[] for _ in rounds]
    ids: dict[Placed, int] = {}
    for (number, group_id), people in members.items():
        groups[number - 1].append(tuple(people))
        ids[number, tuple(people)] = group_id
    schedule = Schedule(
        tuple(tuple(of_round) for of_round in groups),
        tuple(Unpaired(person, number, Reason(why)) for number, person, why in plan.unpaired if number <= len(rounds)),
        seed=plan.seed,
        engine=plan.engine,
        proofs=tuple(Proof(number, tuple(barrier)) for number, barrier in plan.proofs if number <= len(rounds)),
    )
    fixed = frozenset(placed for placed, group_id in ids.items() if group_id in begun)
    return Stored(schedule, tuple(rounds), ids, fixed)


def store_all(session: Session, plan: Plan, round_ids: Collection[int], schedule: Schedule) -> None:
    """Write every group of a new plan, and who is unpaired."""
    for round_id, groups in zip(round_ids, schedule.rounds, strict=True):
        _add_groups(session, plan, round_id, groups, first_number=1)
    _note_unpaired(plan, schedule)


def store_changes(session: Session, plan: Plan, stored: Stored, after: Schedule) -> None:
    """Write the groups that differ from what is stored, and who is unpaired."""
    for number, (old, new) in enumerate(zip(stored.schedule.rounds, after.rounds, strict=True), start=1):
        if set(old) != set(new):
            _store_round(session, plan, stored, number, new)
    _note_unpaired(plan, after)


def _note_unpaired(plan: Plan, schedule: Schedule) -> None:
    plan.unpaired = [[missing.round, missing.person, missing.reason.value] for missing in schedule.unpaired]
    plan.proofs = [[proof.round, list(proof.barrier)] for proof in schedule.proofs]


def _store_round(session: Session, plan: Plan, stored: Stored, number: int, groups: tuple[People, ...]) -> None:
    """A row goes on as the group that keeps most of its members."""
    before = stored.schedule.rounds[number - 1]
    kept = set(before) & set(groups)
    free = {group: stored.groups[number, group] for group in before if group not in kept}
    if free:
        session.execute(delete(Seat).where(Seat.group_id.in_(free.values())))
    seats: list[tuple[int, People]] = []
    without_row: list[People] = []
    for group in groups:
        if group in kept:
            continue
        heir = max(free, key=partial(_shared, group), default=None)
        if heir is None:
            without_row.append(group)
        else:
            seats.append((free.pop(heir), group))
    if free:
        session.execute(delete(Group).where(Group.id.in_(free.values())))
    round_id = stored.rounds[number - 1].id
    _add_seats(session, plan, round_id, seats)
    highest = session.scalar(select(func.max(Group.number)).where(Group.plan_id == plan.id, Group.round_id == round_id))
    _add_groups(session, plan, round_id, without_row, first_number=(highest or 0) + 1)


def _shared(group: People, before: People) -> int:
    return len(set(group) & set(before))


def _add_groups(session: Session, plan: Plan, round_id: int, groups: Collection[People], *, first_number: int) -> None:
    if not groups:
        return
    row = {"institution_id": plan.institution_id, "plan_id": plan.id, "round_id": round_id}
    numbered = dict(enumerate(groups, start=first_number))
    session.execute(insert(Group), [{**row, "number": number} for number in numbered])
    listed = select(Group.number, Group.id).where(Group.plan_id == plan.id, Group.round_id == round_id)
    ids = dict(session.execute(listed).all())
    _add_seats(session, plan, round_id, [(ids[number], group) for number, group in numbered.items()])


def _add_seats(session: Session, plan: Plan, round_id: int, groups: Iterable[tuple[int, People]]) -> None:
    row = {"institution_id": plan.institution_id, "plan_id": plan.id, "round_id": round_id}
    rows = [
        {**row, "group_id": group_id, "member_id": member_id, "turn": turn}
        for group_id, group in groups
        for turn, member_id in enumerate(group, start=1)
    ]
    if rows:
        session.execute(insert(Seat), rows)


def note_moves(session: Session, plan: Plan, moves: Collection[tuple[int, int, Cause]], now: datetime) -> None:
    """Store why members have other partners: (round id, member, cause). The newest cause for a round counts."""
    members: dict[int, list[int]] = defaultdict(list)
    for round_id, member_id, _ in sorted(moves):
        members[round_id].append(member_id)
    for round_id, moved in members.items():
        outdated = delete(Move).where(Move.plan_id == plan.id, Move.round_id == round_id)
        for batch in in_batches(moved):
            session.execute(outdated.where(Move.member_id.in_(batch)))
    row = {"institution_id": plan.institution_id, "plan_id": plan.id, "at": now}
    rows = [
        {**row, "round_id": round_id, "member_id": member_id, "cause": cause.value}
        for round_id, member_id, cause in sorted(moves)
    ]
    if rows:
        session.execute(insert(Move), rows)


def moves_of(session: Session, member_id: int, activity_id: int) -> dict[int, Cause]:
    """Why a member got other partners since the plan was published, by the numbers of the rounds."""
    rows = session.execute(
        select(Round.number, Move.cause)
        .join(Plan, Plan.id == Move.plan_id)
        .join(Round, Round.id == Move.round_id)
        .where(Move.member_id == member_id, Plan.activity_id == activity_id, Plan.state == "published")
        .order_by(Round.number)
    )
    return {number: Cause(cause) for number, cause in rows}


def published_groups(
    session: Session, activity_id: int, *, member_id: int | None = None, group_id: int | None = None
) -> list[PublishedGroup]:
    """The groups of an activity's published plan, those of one member, or one group, by round and number."""
    of_group = (Group.id, Group.round_id, Round.number, Plan.kind, is_facilitated().label("is_facilitated"))
    statement = (
        published_seats(*of_group, Seat.member_id, Member.takes_part)
        .join(Member, Member.id == Seat.member_id)
        .where(Plan.activity_id == activity_id)
        .order_by(Round.number, Group.number, Seat.turn)
    )
    if member_id is not None:
        own = aliased(Seat)
        statement = statement.join(own, and_(own.group_id == Seat.group_id, own.member_id == member_id))
    if group_id is not None:
        statement = statement.where(Group.id == group_id)
    rows = session.execute(statement)
    return [_published_group(list(seats)) for _, seats in groupby(rows, key=lambda row: row.id)]


def _published_group(seats: Sequence[Any]) -> PublishedGroup:
    """The group of which these are the seats, in order of turn."""
    first = seats[0]
    away = frozenset(turn for turn, seat in enumerate(seats, start=1) if not seat.takes_part)
    seating = Seating(len(seats), first.number, away, first.kind == Kind.RINGS, first.is_facilitated)
    return PublishedGroup(first.id, first.round_id, first.number, tuple(seat.member_id for seat in seats), seating)


def groups_of(session: Session, member_id: int, activity_id: int) -> list[GroupView]:
    """A member's groups in the published plan with names, by round."""
    own = published_seats(Seat.group_id).where(Plan.activity_id == activity_id, Seat.member_id == member_id)
    return _views(session, activity_id, Seat.group_id.in_(own), member_id=member_id)


def groups_in_plan(session: Session, plan: Plan, round_number: int | None = None) -> list[GroupView]:
    """The groups of a plan or of one of its rounds, with names for staff, by round and number."""
    condition = Seat.plan_id == plan.id
    if round_number is not None:
        condition = and_(condition, Round.number == round_number)
    return _views(session, plan.activity_id, condition)


def _views(
    session: Session, activity_id: int, condition: ColumnElement[bool], *, member_id: int | None = None
) -> list[GroupView]:
    columns = (Group.id, Group.number, Round.number, Round.opens_at, Round.due_at, Group.begun_at)
    rows: Sequence[Any] = session.execute(
        select(*columns, Seat.member_id, Person.name, Member.status)
        .join(Seat, Seat.group_id == Group.id)
        .join(Round, Round.id == Seat.round_id)
        .join(Member, Member.id == Seat.member_id)
        .join(Person, Person.id == Member.person_id)
        .where(condition)
        .order_by(Round.number, Group.number, Seat.turn)
    ).all()
    course_id = session.get_one(Activity, activity_id).course_id
    names = told_apart(session, course_id, {row.member_id: row.name for row in rows}, for_staff=member_id is None)
    views = []
    for group, seated in groupby(rows, key=lambda row: row[: len(columns)]):
        seats = tuple(SeatView(row.member_id, names[row.member_id], row.status) for row in seated)
        group_id, number, round_number, opens_at, due_at, begun_at = group
        views.append(GroupView(group_id, number, round_number, opens_at, due_at, begun_at, seats, member_id))
    return views


def share_group(session: Session, group_id: int, member_id: int, partner_id: int) -> bool:
    """Whether these two members are in this group now."""
    return {member_id, partner_id} <= set(session.scalars(select(Seat.member_id).where(Seat.group_id == group_id)))


def names_of(session: Session, members: Collection[int]) -> dict[int, str | None]:
    """Names by member id for staff, with a mark on names that several share; None if the platform gave none."""
    named = select(Member.id, Member.course_id, Person.name).join(Person, Person.id == Member.person_id)
    rows = [row for batch in in_batches(members) for row in session.execute(named.where(Member.id.in_(batch)))]
    return told_apart(session, rows[0].course_id, {row.id: row.name for row in rows}) if rows else {}
