"""Goals with their versions, check-ins and remarks; actions and how they were looked back at; wins; the shelf."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


def _by_group(table: str) -> Index:
    """Both columns of the reference: SQLite would otherwise look through the institution when a group is deleted."""
    return Index(f"ix_{table}_institution_id_group_id", "institution_id", "group_id")


class Wording:
    """What a goal says."""

    area: Mapped[str] = mapped_column(String(16), default="")
    """A word of `rules.Area`, or empty."""
    area_words: Mapped[str] = mapped_column(Text, default="")
    words: Mapped[str] = mapped_column(Text)
    measure: Mapped[str] = mapped_column(Text, default="")
    start: Mapped[float | None]
    target: Mapped[float | None]
    target_on: Mapped[date | None]


class Goal(Tenant, Wording, Base):
    """What a member of a course wants to reach, as it is worded now."""

    __tablename__ = "goal"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        within("owner_id", "member"),
        within("round_id", "round"),
        CheckConstraint("state IN ('open', 'reached', 'dropped')", name="state"),
    )

    course_id: Mapped[int] = mapped_column(index=True)
    owner_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int | None] = mapped_column(index=True)
    """In which it was set."""
    state: Mapped[str] = mapped_column(String(16), default="open")
    created_at: Mapped[datetime]
    worded_at: Mapped[datetime]
    """When it got its present words."""
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class GoalVersion(Tenant, Wording, Base):
    """Words that a goal had before, as its owner left them."""

    __tablename__ = "goal_version"
    __table_args__ = (tenant_key(), within("goal_id", "goal"))

    goal_id: Mapped[int] = mapped_column(index=True)
    worded_at: Mapped[datetime]


class GoalShare(Tenant, Base):
    """The members of this group see the goal."""

    __tablename__ = "goal_share"
    __table_args__ = (
        tenant_key(),
        within("goal_id", "goal"),
        within("group_id", "group_"),
        _by_group("goal_share"),
        UniqueConstraint("goal_id", "group_id"),
    )

    goal_id: Mapped[int]
    group_id: Mapped[int]
    at: Mapped[datetime]


class CheckIn(Tenant, Base):
    """How a goal stands, as its owner says."""

    __tablename__ = "check_in"
    __table_args__ = (tenant_key(), within("goal_id", "goal"), within("round_id", "round"))

    goal_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int | None] = mapped_column(index=True)
    at: Mapped[datetime]
    value: Mapped[float | None]
    how: Mapped[str] = mapped_column(Text)
    support: Mapped[str] = mapped_column(Text, default="")


class Action(Tenant, Base):
    """What a member will do. Members of the group in which it was written see it."""

    __tablename__ = "action"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        within("owner_id", "member"),
        within("round_id", "round"),
        within("group_id", "group_"),
        _by_group("action"),
        CheckConstraint("state IN ('open', 'done', 'dropped')", name="state"),
    )

    course_id: Mapped[int] = mapped_column(index=True)
    owner_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int | None] = mapped_column(index=True)
    group_id: Mapped[int | None]
    words: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date | None]
    sign: Mapped[str] = mapped_column(Text, default="")
    """How it will be seen that it worked."""
    state: Mapped[str] = mapped_column(String(16), default="open")
    why: Mapped[str] = mapped_column(Text, default="")
    """Why it was dropped."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class LookBack(Tenant, Base):
    """Its owner looked back at an action: it was done, moved or dropped. With what undoes it."""

    __tablename__ = "look_back"
    __table_args__ = (
        tenant_key(),
        within("action_id", "action"),
        within("round_id", "round"),
        CheckConstraint("became IN ('done', 'moved', 'dropped')", name="became"),
    )

    action_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int | None] = mapped_column(index=True)
    at: Mapped[datetime]
    became: Mapped[str] = mapped_column(String(16))
    due_on_before: Mapped[date | None]


class GrowthPoint(Tenant, Base):
    """A growth point that its receiver made a goal or an action: what became of it is what became of that."""

    __tablename__ = "growth_point"
    __table_args__ = (
        within("entry_id", "entry"),
        within("goal_id", "goal"),
        within("action_id", "action"),
        UniqueConstraint("entry_id", "field"),
        CheckConstraint("(goal_id IS NULL) <> (action_id IS NULL)", name="one_thing"),
    )

    entry_id: Mapped[int]
    field: Mapped[str] = mapped_column(String(32))
    """The key of the field that says what to try."""
    goal_id: Mapped[int | None] = mapped_column(index=True)
    action_id: Mapped[int | None] = mapped_column(index=True)
    at: Mapped[datetime]


class Win(Tenant, Base):
    """Something that went well, as a member logged it. Members of the group see it."""

    __tablename__ = "win"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        within("author_id", "member"),
        within("round_id", "round"),
        within("group_id", "group_"),
        _by_group("win"),
    )

    course_id: Mapped[int] = mapped_column(index=True)
    author_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int | None] = mapped_column(index=True)
    group_id: Mapped[int | None]
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Resource(Tenant, Base):
    """Something worth reading or watching, on the shelf of a group or of the whole course."""

    __tablename__ = "resource"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        within("author_id", "member"),
        within("round_id", "round"),
        within("group_id", "group_"),
        _by_group("resource"),
    )

    course_id: Mapped[int] = mapped_column(index=True)
    author_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int | None] = mapped_column(index=True)
    group_id: Mapped[int | None]
    is_for_course: Mapped[bool] = mapped_column(default=False)
    """Everybody in the course sees it."""
    title: Mapped[str] = mapped_column(String(300))
    address: Mapped[str] = mapped_column(Text, default="")
    use: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[str] = mapped_column(Text, default="")
    """What came of it, as its author told later."""
    at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}


class Remark(Tenant, Base):
    """A short text beside a goal, a win or a resource, by whoever sees that: a question, an answer, praise."""

    __tablename__ = "remark"
    __table_args__ = (
        tenant_key(),
        within("author_id", "member"),
        within("goal_id", "goal"),
        within("win_id", "win"),
        within("resource_id", "resource"),
        CheckConstraint(
            "CASE WHEN goal_id IS NULL THEN 0 ELSE 1 END + CASE WHEN win_id IS NULL THEN 0 ELSE 1 END"
            " + CASE WHEN resource_id IS NULL THEN 0 ELSE 1 END = 1",
            name="beside_one_thing",
        ),
    )

    author_id: Mapped[int] = mapped_column(index=True)
    goal_id: Mapped[int | None] = mapped_column(index=True)
    win_id: Mapped[int | None] = mapped_column(index=True)
    resource_id: Mapped[int | None] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
