"""What people write in the steps of a round: entries with their notes; notes to partners; questions that they keep."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, Text, UniqueConstraint, and_, or_, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within

ALIASES: Final = range(2**30, 2**31)
"""Far above any id, and not above what an address may name."""


def _one(name: str, *columns: str, where: str) -> Index:
    """At most one entry for each of these places. NULLs are all different to a database, so each case has its own."""
    return Index(f"uq_entry_{name}", *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))


class Entry(Tenant, Base):
    """What a member, or a group together, writes in one step of a round. A draft until `submitted_at` is set.

    Once it was given the fields hold what was given; what is typed from then on waits in `correction`.
    """

    __tablename__ = "entry"
    __table_args__ = (
        tenant_key(),
        within("activity_id", "activity"),
        within("round_id", "round"),
        within("group_id", "group_"),
        within("author_id", "member"),
        within("recipient_id", "member"),
        CheckConstraint("author_id <> recipient_id", name="not_to_oneself"),
        CheckConstraint("author_id IS NOT NULL OR recipient_id IS NULL", name="group_writes_to_nobody"),
        CheckConstraint("alias IS NULL OR (recipient_id IS NOT NULL AND alias >= 1073741824)", name="alias_is_no_id"),
        UniqueConstraint("recipient_id", "alias"),
        _one("to_partner", "round_id", "author_id", "recipient_id", "step", where="recipient_id IS NOT NULL"),
        _one("to_nobody", "round_id", "author_id", "step", where="author_id IS NOT NULL AND recipient_id IS NULL"),
        _one("of_group", "group_id", "step", where="author_id IS NULL"),
    )

    activity_id: Mapped[int] = mapped_column(index=True)
    round_id: Mapped[int]
    group_id: Mapped[int] = mapped_column(index=True)
    author_id: Mapped[int | None] = mapped_column(index=True)
    """None where the group writes it together."""
    recipient_id: Mapped[int | None] = mapped_column(index=True)
    """None where it goes to nobody in particular."""
    alias: Mapped[int | None]
    """Of anonymous feedback a number by chance, which is all that its receiver learns of where it came from: addresses
    name it by it, and lists are in its order. None: the receiver knows who wrote it. Kept as its author was told."""
    step: Mapped[str] = mapped_column(String(32))
    """A key of the activity's kind."""
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Text by name of a field; what begins with `mark-<criterion>` answers the rubric, checked when it is given."""
    rubric_id: Mapped[int | None]
    """The version of the rubric that it was begun with."""
    is_open_to_staff: Mapped[bool] = mapped_column(default=False)
    """What the author was told before writing. A setting that changes later opens nothing that was written before."""
    correction: Mapped[dict[str, Any] | None]
    """Fields changed since it was given, by name; laid over the given ones when it is given again."""
    counted: Mapped[dict[str, Any] | None]
    """What figures for staff need of feedback or an answer that was given, so that they read no text; see
    `rules.counted`."""
    version: Mapped[int] = mapped_column(default=1)
    """Raised by every save, under the row's lock."""
    stamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Field to [version of its last change, device]: tells whether a device had seen what it is about to replace."""
    kept_aside: Mapped[list[Any]] = mapped_column(default=list)
    """Texts that another device's newer text took the place of; offered to the author, removed when it is given."""
    created_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    """First time it was given. Cleared only where somebody takes back that a step is done."""
    released_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    """When its receiver first opened it. From then on it stays as it was given."""
    withheld_at: Mapped[datetime | None]
    """Since when nobody but its author reads it: it was reported, or staff hid it."""
    additions: Mapped[list[Any]] = mapped_column(default=list)
    """What its author added after it was read: `at` and `text`."""

    # The service raises it itself, since one save may flush more than once.
    __mapper_args__ = {"version_id_col": version, "version_id_generator": False}

    def number_for(self, member_id: int | None) -> int:
        """How addresses name it for this reader: whoever receives anonymous feedback never learns its id."""
        return self.alias if self.alias is not None and self.recipient_id == member_id else self.id

    @classmethod
    def is_at(cls, number: int, member_id: int | None) -> ColumnElement[bool]:
        """The entry that an address names for this reader, as `number_for` says it."""
        if member_id is None:
            return cls.id == number
        is_for_others = or_(cls.alias.is_(None), cls.recipient_id.is_(None), cls.recipient_id != member_id)
        return or_(and_(cls.id == number, is_for_others), and_(cls.alias == number, cls.recipient_id == member_id))


class Note(Tenant, Base):
    """A short text of an entry with the time at which it was begun. For its author's own eyes.

    A table of its own, since lists of a whole course count notes without reading them, and since each can be changed
    and taken back by itself.
    """

    __tablename__ = "entry_note"
    __table_args__ = (tenant_key(), within("entry_id", "entry"))

    entry_id: Mapped[int] = mapped_column(index=True)
    at: Mapped[datetime]
    text: Mapped[str] = mapped_column(Text)
    removed_at: Mapped[datetime | None]
    """Set by its author, who may still bring it back until the entry is given."""


class PartnerNote(Tenant, Base):
    """A short word from one member of a group to another before they meet, such as when and where.

    No step of a kind: every kind has it, it is read at once, and a newer one takes the place of the one before.
    """

    __tablename__ = "partner_note"
    __table_args__ = (
        within("round_id", "round"),
        within("author_id", "member"),
        within("recipient_id", "member"),
        UniqueConstraint("round_id", "author_id", "recipient_id"),
        CheckConstraint("author_id <> recipient_id", name="not_to_oneself"),
    )

    round_id: Mapped[int]
    author_id: Mapped[int] = mapped_column(index=True)
    recipient_id: Mapped[int] = mapped_column(index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Occasion(Tenant, Base):
    """Something that happened between meetings, and what a member writes about it. For its author's own eyes.

    No entry: there are as many as the member likes, in no round and of no group, so that groups may change around them.
    """

    __tablename__ = "occasion"
    __table_args__ = (tenant_key(), within("activity_id", "activity"), within("author_id", "member"))

    activity_id: Mapped[int] = mapped_column(index=True)
    author_id: Mapped[int] = mapped_column(index=True)
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Text by name of a field of `activities.rules.OCCASION`."""
    version: Mapped[int] = mapped_column(default=1)
    stamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    kept_aside: Mapped[list[Any]] = mapped_column(default=list)
    """These two as in `Entry`."""
    created_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    brought_to: Mapped[int | None]
    """The number of the round into whose meeting its author brought it last."""


class FavoriteQuestion(Tenant, Base):
    """An open question that a member keeps."""

    __tablename__ = "favorite_question"
    __table_args__ = (within("member_id", "member"), UniqueConstraint("member_id", "question"))

    member_id: Mapped[int]
    question: Mapped[str] = mapped_column(String(255))
    """As the kinds word it, before translation: the same question is kept in every kind that asks it."""
    at: Mapped[datetime]
