"""Plans, groups and seats; preferences, pins, people kept apart, absences and moves."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ColumnElement, Index, Select, String, UniqueConstraint, and_, select, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.activities.models import Round
from lti_tool.pairing.engine import Kind, Shape
from lti_tool.support.db import Base, Tenant, tenant_key, within


def _one_in_state(state: str) -> Index:
    where = text(f"state = '{state}'")
    return Index(f"uq_plan_one_{state}", "activity_id", unique=True, sqlite_where=where, postgresql_where=where)


class Plan(Tenant, Base):
    """The groups of all rounds of an activity. An activity has at most one plan in each state.

    `draft` is a proposal, and `previous` the earlier proposal, which is kept for comparison.
    """

    __tablename__ = "plan"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        CheckConstraint("state IN ('draft', 'published', 'previous')", name="state"),
        CheckConstraint("kind IN ('pairs', 'trios', 'circles', 'rings')", name="kind"),
        _one_in_state("draft"),
        _one_in_state("published"),
        _one_in_state("previous"),
    )

    activity_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16), default="pairs")
    """The shape it was made in; later changes keep it, even if the preferences change."""
    size: Mapped[int] = mapped_column(default=2)
    seed: Mapped[int]
    engine: Mapped[str] = mapped_column(String(64))
    """Name and version of the engine that made it."""
    unpaired: Mapped[list[Any]] = mapped_column(default=list)
    """Who has no partner, as [round, member, reason]."""
    proofs: Mapped[list[Any]] = mapped_column(default=list)
    """Why this cannot be avoided, as [round, members of the barrier]."""
    created_by_id: Mapped[int | None]
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    """When the plan, its groups or its seats were last changed."""
    version: Mapped[int] = mapped_column(default=1)
    """Raised by every change and by a new proposal, so that people who change a plan at the same time do not overwrite
    each other."""

    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}

    @property
    def shape(self) -> Shape:
        return Shape(Kind(self.kind), self.size)


class Group(Tenant, Base):
    """A pair, a trio or a circle in one round of a plan."""

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
    """When a member first did a step that begins it. From then on its members stay the same."""


class Seat(Tenant, Base):
    """The place of a member in a group. A member has at most one seat in each round of a plan."""

    __tablename__ = "seat"
    __table_args__ = (
        tenant_key(),
        within("plan_id", "plan"),
        within("round_id", "round"),
        within("group_id", "group_"),
        within("member_id", "member"),
        UniqueConstraint("plan_id", "round_id", "member_id"),
        UniqueConstraint("group_id", "turn"),
        # Both columns of the reference: SQLite would otherwise look through the institution when a group is deleted.
        Index("ix_seat_institution_id_group_id", "institution_id", "group_id"),
    )

    plan_id: Mapped[int]
    round_id: Mapped[int]
    group_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)
    turn: Mapped[int]
    """1 is observed first. In an observation everyone observes and is observed; who begins is balanced over rounds."""


def published(*columns: Any) -> Select[Any]:
    """Select these columns from the groups of published plans. `Group`, `Plan` and `Round` are joined.

    Order, conditions and further joins are the caller's.
    """
    return (
        select(*columns)
        .select_from(Group)
        .join(Plan, and_(Plan.id == Group.plan_id, Plan.state == "published"))
        .join(Round, Round.id == Group.round_id)
    )


def published_seats(*columns: Any) -> Select[Any]:
    """As `published`, with a row for each seat: `Seat` is also joined."""
    return published(*columns).join(Seat, Seat.group_id == Group.id)


class Facilitation(Tenant, Base):
    """A member of staff in the facilitator's seat of a group. The row stays when they leave the seat."""

    __tablename__ = "facilitation"
    __table_args__ = (
        tenant_key(),
        within("group_id", "group_"),
        within("member_id", "member"),
        Index(
            "uq_facilitation_one_at_a_time",
            "group_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
    )

    group_id: Mapped[int] = mapped_column(index=True)
    member_id: Mapped[int] = mapped_column(index=True)
    taken_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


def is_facilitated() -> ColumnElement[bool]:
    """Whether a member of staff has, or had, the facilitator's seat of the `Group` that a statement selects.

    Whoever had the seat for a while facilitated, so nobody owes a member feedback on it.
    """
    # Looked up once for all groups of a statement, and not for each.
    return Group.id.in_(select(Facilitation.group_id))


class PairingPreferences(Tenant, Base):
    """What a designer wants of the groups of an activity. Without a row: pairs, no rules, no wishes."""

    __tablename__ = "pairing_preferences"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        UniqueConstraint("activity_id"),
        CheckConstraint("kind IN ('pairs', 'trios', 'circles', 'rings')", name="kind"),
        CheckConstraint("size BETWEEN 2 AND 6", name="size"),
    )

    activity_id: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    size: Mapped[int]
    rules: Mapped[list[Any]]
    """Read with `rules.preferences.read`."""
    wishes: Mapped[list[Any]]
    not_again: Mapped[bool]
    should_not_holds: Mapped[bool]
    history_counts: Mapped[bool]
    changed_by_id: Mapped[int | None]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Decision(Tenant):
    """Something that staff decided about people."""

    said_by_id: Mapped[int | None]
    """A person."""
    said_at: Mapped[datetime]


class Pin(Decision, Base):
    """People who must be together in one round of an activity, or in every round."""

    __tablename__ = "pin"
    __table_args__ = (tenant_key(), within("activity_id", "activity"), within("round_id", "round"))

    activity_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int | None]
    """None: every round."""


class PinnedMember(Tenant, Base):
    """A member of a pin. A pin with fewer than two members has no effect."""

    __tablename__ = "pinned_member"
    __table_args__ = (
        tenant_key(),
        within("pin_id", "pin"),
        within("member_id", "member"),
        UniqueConstraint("pin_id", "member_id"),
    )

    pin_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)


class Exclusion(Decision, Base):
    """Two people of a course who are never paired, or only if it cannot be avoided, in any of its activities.

    Learners never see it.
    """

    __tablename__ = "exclusion"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        within("one_id", "member"),
        within("other_id", "member"),
        UniqueConstraint("course_id", "one_id", "other_id"),
        CheckConstraint("kind IN ('never', 'rather_not')", name="kind"),
        CheckConstraint("one_id < other_id", name="order"),
    )

    course_id: Mapped[int]
    one_id: Mapped[int]
    other_id: Mapped[int] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(16))

    @property
    def members(self) -> tuple[int, int]:
        """The two, the smaller id first."""
        return self.one_id, self.other_id


class Absence(Decision, Base):
    """A member who is absent in one round, as staff said, and gets no partner in it."""

    __tablename__ = "absence"
    __table_args__ = (
        tenant_key(),
        within("round_id", "round"),
        within("member_id", "member"),
        UniqueConstraint("round_id", "member_id"),
    )

    round_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)


class Move(Tenant, Base):
    """Why a member last got other partners in a round of a published plan."""

    __tablename__ = "move"
    __table_args__ = (
        tenant_key(),
        within("plan_id", "plan"),
        within("round_id", "round"),
        within("member_id", "member"),
        UniqueConstraint("plan_id", "round_id", "member_id"),
    )

    plan_id: Mapped[int]
    round_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)
    cause: Mapped[str] = mapped_column(String(32))
    """A value of `rules.Cause`."""
    at: Mapped[datetime]


class ProposalRequest(Tenant, Base):
    """A proposal that is worked out in the background, or why that failed."""

    __tablename__ = "drafting"
    __table_args__ = (tenant_key(), within("activity_id", "activity"), UniqueConstraint("activity_id"))

    activity_id: Mapped[int]
    seed: Mapped[int]
    asked_by_id: Mapped[int | None]
    """A person."""
    asked_at: Mapped[datetime]
    refusal: Mapped[str | None] = mapped_column(String(64))
    """The cause of the error that ended it; None while it is in progress."""
