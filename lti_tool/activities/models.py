"""Activities, their rounds, and who was given more time or excused."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.support.db import Base, Tenant, tenant_key, within


class Activity(Tenant, Base):
    """What a designer placed in a course, or a draft that was never placed.

    `state`: draft (being set up), ready (learners may come), unconfirmed (a copy that an instructor has not looked at),
    closed (read-only).
    """

    __tablename__ = "activity"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        within("placement_id", "placement", ondelete=None),
        within("rubric_id", "rubric", ondelete=None),
        UniqueConstraint("placement_id"),
        CheckConstraint("state IN ('draft', 'ready', 'unconfirmed', 'closed')", name="state"),
        CheckConstraint("score_mode IN ('none', 'complete', 'proportional')", name="score_mode"),
        CheckConstraint("release IN ('at_once', 'when_both_gave', 'at_due', 'by_instructor')", name="release"),
        CheckConstraint("score_maximum > 0", name="score_maximum"),
        CheckConstraint("points_share BETWEEN 0 AND 100", name="points_share"),
        CheckConstraint("feedback_to IN ('partners', 'next', 'seat')", name="feedback_to"),
        CheckConstraint("guided_rounds >= 0", name="guided_rounds"),
        CheckConstraint("letters_a_week BETWEEN 0 AND 5", name="letters_a_week"),
    )

    key: Mapped[str] = mapped_column(String(32), unique=True)
    """Travels in the deep link's custom parameter `activity`; copies of the link carry it too."""
    course_id: Mapped[int]
    placement_id: Mapped[int | None]
    """None until the link is first launched."""
    copied_from_id: Mapped[int | None]
    """The activity whose settings this one began with."""
    origin_key: Mapped[str | None] = mapped_column(String(32), index=True)
    """The key that the link carries where that is not `key`: of a copy, that of the first activity in the row of
    copies; of an activity that was kept where "Select content" chose another, that of the other.
    """
    saved_template_id: Mapped[int | None]
    """The saved template that it began with, and in which version; None for a ready one."""
    saved_template_version: Mapped[int | None]
    kind: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(255))
    instructions: Mapped[str] = mapped_column(Text, default="")
    scenario: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What a role-play plays, with a private brief for each seat; read through `activities.rules.scenario_of`."""
    rubric_id: Mapped[int]
    language: Mapped[str | None] = mapped_column(String(16))
    """In which language its texts are written; None where nobody said, or in none that Tandem has."""
    time_zone: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    completion: Mapped[dict[str, Any]]
    """What counts; read through `activities.rules.Completion`."""
    score_mode: Mapped[str] = mapped_column(String(16), default="complete")
    score_maximum: Mapped[int] = mapped_column(default=100)
    points_share: Mapped[int] = mapped_column(default=0)
    """How many percent of the score follow the rubric points that somebody is given; the rest is completion."""
    zero_at_close: Mapped[bool] = mapped_column(default=False)
    release: Mapped[str] = mapped_column(String(16), default="when_both_gave")
    staff_read_feedback: Mapped[bool] = mapped_column(default=False)
    anonymous_feedback: Mapped[bool] = mapped_column(default=False)
    """Whether feedback is given without names where enough people give it to one person. Told before they write."""
    assistants_moderate: Mapped[bool] = mapped_column(default=False)
    """Whether assistants see reports of harm and decide about them, as instructors always do."""
    """Told to learners before they write."""
    finds_partners: Mapped[bool] = mapped_column(default=False)
    """Whether a learner whose partner does not answer gets another one at once; else staff are asked."""
    reflection_days: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """When learners are asked to reflect between meetings; read through `activities.rules.ReflectionDays`."""
    certificate: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """What the certificate for completion says; read through `activities.rules.CertificateTerms`."""
    survey: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """Sentences of its own beside the usual ones, if learners are asked before and after; None where they are not."""
    shows_hints: Mapped[bool] = mapped_column(default=True)
    """Whether hints stand beside the fields of feedback, for those who do not hide them."""
    letters_a_week: Mapped[int] = mapped_column(default=2)
    """So many letters within seven days remind a learner of it by themselves, at most."""
    feedback_to: Mapped[str | None] = mapped_column(String(16))
    """To whom partners write, where the kind lets a designer choose; None as the kind has it first."""
    guided_rounds: Mapped[int] = mapped_column(default=0)
    """In so many rounds, from the first on, staff may take the facilitator's seat. Told to learners before they
    write."""
    created_by_id: Mapped[int | None]
    """A person. Nobody where a launch made the copy."""
    created_at: Mapped[datetime]
    changed_by_id: Mapped[int | None]
    changed_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()
    """Raised by every save; two people changing one activity do not overwrite each other."""

    __mapper_args__ = {"version_id_col": version}


class SavedTemplate(Tenant, Base):
    """Settings of an activity, or a rubric alone, that a designer saved for others to begin with; newest version."""

    __tablename__ = "saved_template"
    __table_args__ = (
        tenant_key(),
        within("course_id", "course"),
        CheckConstraint("holds IN ('activity', 'rubric')", name="holds"),
    )

    holds: Mapped[str] = mapped_column(String(16), default="activity")
    """For a rubric, `settings` and `preferences` are empty."""
    course_id: Mapped[int | None] = mapped_column(index=True)
    """The course whose designers see it; None for all of the institution."""
    title: Mapped[str] = mapped_column(String(255))
    version: Mapped[int]
    """Counted from 1."""
    settings: Mapped[dict[str, Any]]
    """With the rubric read through `activities.rules.saved`."""
    rubric: Mapped[dict[str, Any]]
    preferences: Mapped[dict[str, Any]]
    """What is wanted of groups; read through `pairing.rules.preferences`."""
    saved_by_id: Mapped[int | None]
    """A person."""
    saved_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    """Since when it is not offered any more."""


class Round(Tenant, Base):
    """One turn of an activity: everybody has one group in it."""

    __tablename__ = "round"
    __table_args__ = (tenant_key(), within("activity_id", "activity"), UniqueConstraint("activity_id", "number"))

    activity_id: Mapped[int]
    number: Mapped[int]
    opens_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]


class Allowance(Tenant, Base):
    """More time for one member in one round, or the member is excused from it."""

    __tablename__ = "allowance"
    __table_args__ = (
        tenant_key(),
        within("round_id", "round"),
        within("member_id", "member"),
        UniqueConstraint("round_id", "member_id"),
    )

    round_id: Mapped[int]
    member_id: Mapped[int]
    due_at: Mapped[datetime | None]
    is_excused: Mapped[bool] = mapped_column(default=False)
    given_by_id: Mapped[int]
    given_at: Mapped[datetime]
