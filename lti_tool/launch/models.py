"""Tables of logins, people, courses, placements and members."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, String, Text, UniqueConstraint, and_, func
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.launch.rules.roles import CourseRole, is_learner
from lti_tool.support.db import Base, Tenant, tenant_key, within

__all__ = [
    "Course",
    "CourseCopy",
    "CourseRole",
    "LaunchState",
    "LockedOut",
    "Member",
    "Person",
    "Placement",
    "SeenNotice",
]


class LaunchState(Base):
    """What we remember between a login and its launch. Used once."""

    __tablename__ = "launch_state"

    state_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    nonce_hash: Mapped[str] = mapped_column(String(64))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    deployment_hint: Mapped[str | None] = mapped_column(String(255))
    target_link_uri: Mapped[str] = mapped_column(Text)
    storage_target: Mapped[str | None] = mapped_column(String(255))
    """The frame that keeps values for us (`lti_storage_target`), where the platform offers one."""
    is_own_tab: Mapped[bool] = mapped_column(default=False)
    """Whether it began in a tab of its own, because the browser stores nothing in the platform's frame."""
    time_zone: Mapped[str | None] = mapped_column(String(64))
    """The time zone of the browser; many platforms send none."""
    framed_by: Mapped[str | None] = mapped_column(String(255))
    """The origin of the page around the frame in which the login began, if the browser sent it."""
    secret_hash: Mapped[str] = mapped_column(String(64))
    """The hash of the secret that the browser was given; the launch shows with it that it is the same browser."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    claims: Mapped[str | None] = mapped_column(Text)
    """Verified claims, encrypted, while the browser fetches its secret from localStorage or the platform."""
    confirm_before: Mapped[datetime | None]


class Person(Tenant, Base):
    """Somebody a platform named by `sub`. Never joined by e-mail."""

    __tablename__ = "person"
    __table_args__ = (tenant_key(), UniqueConstraint("institution_id", "registration_id", "sub"))

    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    sub: Mapped[str] = mapped_column(String(255))
    sourced_id: Mapped[str | None] = mapped_column(String(255))
    """The id of the person in the institution's own records, if the platform sends it. Finds rows of uploaded tables.
    """
    name: Mapped[str | None] = mapped_column(String(255))
    given_name: Mapped[str | None] = mapped_column(String(255))
    family_name: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(320))
    locale: Mapped[str | None] = mapped_column(String(35))
    """What the platform said last."""
    language: Mapped[str | None] = mapped_column(String(16))
    """What the person chose in Tandem; it comes before what the platform says."""
    time_zone: Mapped[str | None] = mapped_column(String(64))
    """As of the last launch that knew it."""
    is_administrator: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]

    @hybrid_property
    def reads_in(self) -> str | None:
        """The locale in which the person reads pages, letters and calendars."""
        return self.language or self.locale

    @reads_in.inplace.expression
    @classmethod
    def _reads_in(cls) -> ColumnElement[str | None]:
        return func.coalesce(cls.language, cls.locale)


class Course(Tenant, Base):
    """A context of a deployment."""

    __tablename__ = "course"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("deployment_id", "context_id"),
        within("deployment_id", "deployment"),
    )

    deployment_id: Mapped[int]
    context_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str | None] = mapped_column(String(255))
    label: Mapped[str | None] = mapped_column(String(255))
    memberships_url: Mapped[str | None] = mapped_column(Text)
    line_items_url: Mapped[str | None] = mapped_column(Text)
    gradebook_scopes: Mapped[list[str]] = mapped_column(default=list)
    groups_url: Mapped[str | None] = mapped_column(Text)
    """The course groups service, where the platform grants it."""
    group_sets_url: Mapped[str | None] = mapped_column(Text)
    group_set: Mapped[str | None] = mapped_column(String(255))
    """What an instructor chose as people's group: the id of a set of the platform's groups, "" for groups that are in
    no set, or "-" for none of them; None while nobody has chosen.
    """
    created_at: Mapped[datetime]
    roster_asked_at: Mapped[datetime | None]
    """When a launch last asked for a new roster."""
    ended_at: Mapped[datetime | None]
    """Set when every call for it answers 404: it is read-only from then on. A new launch clears it."""


class CourseCopy(Tenant, Base):
    """A platform's notice that a context was copied from a course. The copy need not be known as a course yet."""

    __tablename__ = "course_copy"
    __table_args__ = (
        tenant_key(),
        within("deployment_id", "deployment"),
        within("origin_id", "course"),
        UniqueConstraint("deployment_id", "context_id", "origin_id"),
    )

    deployment_id: Mapped[int]
    context_id: Mapped[str] = mapped_column(String(255))
    """The copy."""
    origin_id: Mapped[int] = mapped_column(index=True)
    """The course that it was copied from."""
    copied_at: Mapped[datetime]
    """When the last notice of it came."""


class SeenNotice(Base):
    """A notice that was received, so that nobody sends it a second time."""

    __tablename__ = "seen_notice"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True)
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


class Placement(Tenant, Base):
    """A course and a resource link: where an activity stands."""

    __tablename__ = "placement"
    __table_args__ = (tenant_key(), UniqueConstraint("course_id", "resource_link_id"), within("course_id", "course"))

    course_id: Mapped[int]
    resource_link_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str | None] = mapped_column(Text)
    line_item_url: Mapped[str | None] = mapped_column(Text)
    """The `lineitem` claim of the last launch; absent while the link has none or several."""
    created_at: Mapped[datetime]
    last_launch_at: Mapped[datetime | None]
    gone_at: Mapped[datetime | None]
    opens_for_nobody: Mapped[bool] = mapped_column(default=False)
    """Whether no learner may open the link now: it is hidden, or not open yet. Then nobody counts as locked out."""


class Member(Tenant, Base):
    """A person in a course with a role."""

    __tablename__ = "member"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("course_id", "person_id"),
        within("course_id", "course"),
        within("person_id", "person"),
        CheckConstraint("role IN ('instructor', 'assistant', 'observer', 'learner')", name="role"),
        CheckConstraint("status IN ('active', 'inactive')", name="status"),
    )

    course_id: Mapped[int]
    person_id: Mapped[int] = mapped_column(index=True)
    role: Mapped[str] = mapped_column(String(16))
    """As last seen in a launch or the roster."""
    ever_staff: Mapped[bool] = mapped_column(default=False)
    """Was staff at some time, and is therefore never paired; a later role of learner gives a preview only."""
    named_staff_at: Mapped[datetime | None]
    """When an instructor marked as staff a person whom the platform lists as a learner; only that can be undone."""
    is_test: Mapped[bool] = mapped_column(default=False)
    """A platform's test or preview person."""
    status: Mapped[str] = mapped_column(String(16), default="active")
    created_at: Mapped[datetime]
    last_launch_at: Mapped[datetime | None]
    in_roster_at: Mapped[datetime | None]
    """When the roster last listed them; None for people known from launches only."""
    ends_in_roster_at: Mapped[datetime | None]
    """The reading that lists them as having left. It counts once that reading is complete and believed."""
    is_taken_in: Mapped[bool | None]
    """What staff decided about a person who launched but is not on the roster: whether they take part."""
    hides_hints: Mapped[bool] = mapped_column(default=False)
    """Whether they want no hints beside the fields of feedback."""
    left_at: Mapped[datetime | None]

    @hybrid_property
    def is_learner(self) -> bool:
        """Whether this is a learner to us; see `roles.is_learner`."""
        return is_learner(self.role, ever_staff=self.ever_staff, is_test=self.is_test)

    @is_learner.inplace.expression
    @classmethod
    def _is_learner(cls) -> ColumnElement[bool]:
        return and_(cls.role == CourseRole.LEARNER, cls.ever_staff.is_(False), cls.is_test.is_(False))

    @hybrid_property
    def takes_part(self) -> bool:
        """Whether this is a learner who is in the course now."""
        return self.status == "active" and self.is_learner

    @takes_part.inplace.expression
    @classmethod
    def _takes_part(cls) -> ColumnElement[bool]:
        return and_(cls.status == "active", cls.is_learner)


class LockedOut(Tenant, Base):
    """A learner of the course whom the platform does not let open a link that others may open."""

    __tablename__ = "locked_out"
    __table_args__ = (
        tenant_key(),
        UniqueConstraint("placement_id", "member_id"),
        within("placement_id", "placement"),
        within("member_id", "member"),
    )

    placement_id: Mapped[int]
    member_id: Mapped[int] = mapped_column(index=True)
    found_at: Mapped[datetime]
