"""What is known of members, managers outside the course, uploaded tables, and questionnaires."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class MemberAttribute(Tenant, Base):
    """One value of one member; see `rules.CATALOGUE`. Seen by instructors and by the member, erased with the person."""

    __tablename__ = "member_attribute"
    __table_args__ = (
        tenant_key(),
        within("member_id", "member"),
        UniqueConstraint("member_id", "attribute"),
        CheckConstraint("source IN ('csv', 'questionnaire', 'launch', 'staff')", name="source"),
    )

    member_id: Mapped[int]
    attribute: Mapped[str] = mapped_column(String(32))
    value: Mapped[dict[str, Any]]
    """See `rules.Kept`."""
    source: Mapped[str] = mapped_column(String(16))
    changed_at: Mapped[datetime]


class Outsider(Tenant, Base):
    """A person outside the course who is part of a reporting line: a manager, or a manager's manager."""

    __tablename__ = "outsider"
    __table_args__ = (tenant_key(), within("course_id", "course"), UniqueConstraint("course_id", "key"))

    course_id: Mapped[int]
    key: Mapped[str] = mapped_column(String(400))
    """How they were named, as it is compared: an id, an e-mail address or a name."""
    name: Mapped[str] = mapped_column(String(400))
    """How they were named, as it was written."""
    manager: Mapped[dict[str, Any] | None]
    """Their own manager, as `rules.Kept`; None while that is not known."""


UPLOAD_KEPT = timedelta(days=1)


class AttributeUpload(Tenant, Base):
    """An uploaded table. Deleted once it is applied or discarded, and after a day."""

    __tablename__ = "attribute_upload"
    __table_args__ = (tenant_key(), within("course_id", "course"), within("created_by_id", "person"))

    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Names the table in addresses. Never used again, unlike an id."""
    course_id: Mapped[int] = mapped_column(index=True)
    created_by_id: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(index=True)
    sheet: Mapped[dict[str, Any]]
    """Its columns and cells; see `tables.Sheet`."""


class Questionnaire(Tenant, Base):
    """What the learners of a course are asked about themselves."""

    __tablename__ = "questionnaire"
    __table_args__ = (tenant_key(), within("course_id", "course"), UniqueConstraint("course_id"))

    course_id: Mapped[int]
    asked: Mapped[list[str]]
    """Keys of attributes. Nothing is asked while it is empty."""
    changed_at: Mapped[datetime]


class QuestionnaireAnswer(Tenant, Base):
    """A row says that a member has answered or skipped the questionnaire. The answers are the member's attributes."""

    __tablename__ = "questionnaire_answer"
    __table_args__ = (tenant_key(), within("member_id", "member"), UniqueConstraint("member_id"))

    member_id: Mapped[int]
    is_skipped: Mapped[bool]
    at: Mapped[datetime]
