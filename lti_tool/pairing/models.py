"""Plans: a proposed or published grouping for all rounds, its groups and seats, and how a schedule is kept in them."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, delete, func, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from lti_tool.activities.models import Round
from lti_tool.pairing import engine
from lti_tool.pairing.engine import Schedule
from lti_tool.support.db import Base, Tenant, tenant_key, within


class Plan(Tenant, Base):
    """All rounds of an activity at once. At most one draft and one published plan per activity."""

    __tablename__ = "plan"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        CheckConstraint("state IN ('draft', 'published')", name="state"),
        Index(
            "uq_plan_one_draft",
            "activity_id",
            unique=True,
            sqlite_where=text("state = 'draft'"),
            postgresql_where=text("state = 'draft'"),
        ),
        Index(
            "uq_plan_one_published",
            "activity_id",
            unique=True,
            sqlite_where=text("state = 'published'"),
            postgresql_where=text("state = 'published'"),
        ),
    )

    activity_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    seed: Mapped[int]
    engine: Mapped[str] = mapped_column(String(64))
    """Name and version of the engine that made it."""
    created_by_id: Mapped[int | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    """Of the plan, its groups or its seats."""
    version: Mapped[int] = mapped_column()
    """Raised by every change; two people changing one plan do not overwrite each other."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy's own spelling)


class Group(Tenant, Base):
    """A pair, or a trio when the number is odd, in one round of a plan."""

    __tablename__ = "group_"
    __table_args__ = (
        tenant_key(),
        within("plan_id", "plan"),
        within("round_id", "round"),
        UniqueConstraint("plan_id", "round_id", "number"),
    )

    plan_id: Mapped[int]
    round_id: Mapped[int]
    number: Mapped[int]
    begun_at: Mapped[datetime | None]
    """When somebody in it first wrote something. From then on nobody is put into it or taken out of it."""


class Seat(Tenant, Base):
    """A member's place in a group. Everybody has at most one seat per round of a plan."""

    __tablename__ = "seat"
    __table_args__ = (
        tenant_key(),
        within("plan_id", "plan"),
        within("round_id", "round"),
        within("group_id", "group_"),
        within("member_id", "member"),
        UniqueConstraint("plan_id", "round_id", "member_id"),
        UniqueConstraint("group_id", "turn"),
    )

    plan_id: Mapped[int]
    round_id: Mapped[int]
    group_id: Mapped[int] = mapped_column(index=True)
    member_id: Mapped[int] = mapped_column(index=True)
    turn: Mapped[int]
    """1 is observed first. In an observation everybody observes and is observed; who begins is balanced over rounds."""


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
    return Stored(
        Schedule(tuple(tuple(groups) for groups in found)),
        tuple(rounds),
        ids,
        frozenset(placed for placed, group_id in ids.items() if group_id in begun),
    )


def store_round(session: Session, plan: Plan, stored: Stored, number: int, groups: tuple[engine.Group, ...]) -> None:
    """Write the groups of a round that differ. A row goes on as the group that keeps most of its members."""
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
    add_groups(session, plan, round_id, homeless, first_number=(highest or 0) + 1)


def add_groups(
    session: Session, plan: Plan, round_id: int, groups: Collection[engine.Group], *, first_number: int
) -> None:
    """Write groups of a round and the seats in them."""
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
    found = select(Group).where(Group.plan_id == plan.id, Group.round_id == round_id)
    ids = {group.number: group.id for group in session.scalars(found)}
    _add_seats(session, plan, round_id, [(ids[number], group) for number, group in numbered])


def _add_seats(session: Session, plan: Plan, round_id: int, groups: Iterable[tuple[int, engine.Group]]) -> None:
    rows = [
        seat_row(plan, round_id, group_id, member_id, turn)
        for group_id, group in groups
        for turn, member_id in enumerate(group, start=1)
    ]
    if rows:
        session.execute(insert(Seat), rows)


def seat_row(plan: Plan, round_id: int, group_id: int, member_id: int, turn: int) -> dict[str, int]:
    """The values of one seat, for a bulk insert."""
    return {
        "institution_id": plan.institution_id,
        "plan_id": plan.id,
        "round_id": round_id,
        "group_id": group_id,
        "member_id": member_id,
        "turn": turn,
    }


def _shared(one: engine.Group, other: engine.Group) -> int:
    return len(set(one) & set(other))
