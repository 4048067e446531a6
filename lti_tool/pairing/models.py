"""Plans: a proposed or published grouping for all rounds, its groups and seats."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Plan(Tenant, Base):
    """All rounds of an activity at once. At most one draft and one published plan per activity."""

    __tablename__ = "plan"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        CheckConstraint("state IN ('draft', 'published', 'replaced')", name="state"),
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
