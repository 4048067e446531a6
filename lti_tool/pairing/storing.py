"""How a schedule is kept in groups and seats, and read back."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Round
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Proof, Reason, Schedule, Unpaired
from lti_tool.pairing.models import Group, Plan, Seat


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored plan as the engine sees it, and the rows behind it."""

    schedule: Schedule
    rounds: tuple[Round, ...]
    groups: dict[engine.Placed, int]
    """Round number and members in order of turn, to the row's id."""
    fixed: frozenset[engine.Placed]
    """Groups in which somebody has begun to write."""

    def last_over(self, now: datetime) -> int:
        """The number of the last round whose date is over; 0 when none is."""
        over = [number for number, one in enumerate(self.rounds, start=1) if one.due_at and one.due_at <= now]
        return max(over, default=0)


def load(session: Session, plan: Plan) -> Stored:
    """Read a plan back."""
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
    found: list[list[engine.Group]] = [[] for _ in rounds]
    ids: dict[engine.Placed, int] = {}
    for (number, group_id), people in members.items():
        found[number - 1].append(tuple(people))
        ids[number, tuple(people)] = group_id
    schedule = Schedule(
        tuple(tuple(groups) for groups in found),
        tuple(Unpaired(one, number, Reason(why)) for number, one, why in plan.unpaired if number <= len(rounds)),
        seed=plan.seed,
        engine=plan.engine,
        proofs=tuple(Proof(number, tuple(barrier)) for number, barrier in plan.proofs if number <= len(rounds)),
    )
    fixed = frozenset(placed for placed, group_id in ids.items() if group_id in begun)
    return Stored(schedule, tuple(rounds), ids, fixed)


def store_all(session: Session, plan: Plan, round_ids: Collection[int], schedule: Schedule) -> None:
    """Write every group of a new plan, and who is in none."""
    for round_id, groups in zip(round_ids, schedule.rounds, strict=True):
        _add_groups(session, plan, round_id, groups, first_number=1)
    _note_unpaired(plan, schedule)


def store_changes(session: Session, plan: Plan, stored: Stored, after: Schedule) -> None:
    """Write the groups that differ from what is stored, and who is in none."""
    for number, (old, new) in enumerate(zip(stored.schedule.rounds, after.rounds, strict=True), start=1):
        if set(old) != set(new):
            _store_round(session, plan, stored, number, new)
    _note_unpaired(plan, after)


def _note_unpaired(plan: Plan, schedule: Schedule) -> None:
    plan.unpaired = [[one.round, one.person, one.reason.value] for one in schedule.unpaired]
    plan.proofs = [[one.round, list(one.barrier)] for one in schedule.proofs]


def _store_round(session: Session, plan: Plan, stored: Stored, number: int, groups: tuple[engine.Group, ...]) -> None:
    """A row goes on as the group that keeps most of its members."""
    before = stored.schedule.rounds[number - 1]
    kept = set(before) & set(groups)
    new = [group for group in groups if group not in kept]
    free = {group: stored.groups[number, group] for group in before if group not in kept}
    if free:
        session.execute(delete(Seat).where(Seat.group_id.in_(free.values())))
    seats: list[tuple[int, engine.Group]] = []
    homeless: list[engine.Group] = []
    for group in new:
        heir = max(free, key=partial(_shared, group), default=None)
        if heir is None:
            homeless.append(group)
        else:
            seats.append((free.pop(heir), group))
    if free:
        session.execute(delete(Group).where(Group.id.in_(free.values())))
    round_id = stored.rounds[number - 1].id
    _add_seats(session, plan, round_id, seats)
    highest = session.scalar(select(func.max(Group.number)).where(Group.plan_id == plan.id, Group.round_id == round_id))
    _add_groups(session, plan, round_id, homeless, first_number=(highest or 0) + 1)


def _add_groups(
    session: Session, plan: Plan, round_id: int, groups: Collection[engine.Group], *, first_number: int
) -> None:
    if not groups:
        return
    numbered = list(enumerate(groups, start=first_number))
    session.execute(
        insert(Group),
        [
            {"institution_id": plan.institution_id, "plan_id": plan.id, "round_id": round_id, "number": number}
            for number, _ in numbered
        ],
    )
    found = select(Group.number, Group.id).where(Group.plan_id == plan.id, Group.round_id == round_id)
    ids = dict(session.execute(found).all())
    _add_seats(session, plan, round_id, [(ids[number], group) for number, group in numbered])


def _add_seats(session: Session, plan: Plan, round_id: int, groups: Iterable[tuple[int, engine.Group]]) -> None:
    rows = [
        {
            "institution_id": plan.institution_id,
            "plan_id": plan.id,
            "round_id": round_id,
            "group_id": group_id,
            "member_id": member_id,
            "turn": turn,
        }
        for group_id, group in groups
        for turn, member_id in enumerate(group, start=1)
    ]
    if rows:
        session.execute(insert(Seat), rows)


def _shared(one: engine.Group, other: engine.Group) -> int:
    return len(set(one) & set(other))
