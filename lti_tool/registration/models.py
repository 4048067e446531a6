"""Institutions, the platforms they registered, deployments, invitations and keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.registration.rules.registrations import NewDeployments
from lti_tool.support.db import Base, Tenant, tenant_key

__all__ = [
    "AccessToken",
    "Deployment",
    "Institution",
    "Invitation",
    "KeySet",
    "NewDeployments",
    "ParkedDeployment",
    "Registration",
    "ToolKey",
]


class Institution(Base):
    """The tenant: a university or company that answers for its people's data."""

    __tablename__ = "institution"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    time_zone: Mapped[str | None] = mapped_column(String(64))
    """The time zone for people of whom neither platform nor browser names one."""
    shows_addresses: Mapped[bool] = mapped_column(default=False)
    """Whether partners see each other's e-mail address, where the platform tells it."""
    sends_letters: Mapped[bool] = mapped_column(default=False)
    """Whether learners are reminded by e-mail, where the platform tells their address."""
    created_at: Mapped[datetime]


class Registration(Base):
    """A platform and the client id it gave us: issuer, client id, endpoints and the origins that tokens may go to.

    Not behind the wall between institutions, because it must be found before anybody knows whose launch this is, and
    because some platforms give all their customers one client id.
    """

    __tablename__ = "registration"
    __table_args__ = (
        UniqueConstraint("issuer", "client_id"),
        CheckConstraint("new_deployments IN ('refuse', 'park', 'join')", name="new_deployments"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institution.id"))
    """The owner; None if the platform shares one client id among customers."""
    title: Mapped[str] = mapped_column(String(255))
    issuer: Mapped[str] = mapped_column(String(255))
    client_id: Mapped[str] = mapped_column(String(255))
    auth_login_url: Mapped[str] = mapped_column(Text)
    auth_token_url: Mapped[str] = mapped_column(Text)
    auth_audience: Mapped[str | None] = mapped_column(Text)
    key_set_url: Mapped[str] = mapped_column(Text)
    platform_origins: Mapped[list[str]]
    """Origins that may frame our pages and to which our tokens may go. Launches signed by the platform add to it."""
    platform_family: Mapped[str | None] = mapped_column(String(64))
    """`product_family_code` as the platform told it: moodle, canvas, BlackboardLearn, desire2learn …"""
    new_deployments: Mapped[str] = mapped_column(String(16), default=NewDeployments.REFUSE)
    require_browser_binding: Mapped[bool] = mapped_column(default=True)
    paused_at: Mapped[datetime | None]
    paused_because: Mapped[str | None] = mapped_column(String(64))
    first_administrator_awaited: Mapped[bool] = mapped_column(default=False)
    """True from a dynamic registration until its first administrator was confirmed."""
    administrator_code_hash: Mapped[str | None] = mapped_column(String(64))
    """The hash of the code that the person who registered may type to become the first administrator."""
    frame_origins: Mapped[list[str]] = mapped_column(default=list)
    """Further origins that may frame our pages and get no token: learned from launches, or typed by hand."""
    created_at: Mapped[datetime]


class Deployment(Tenant, Base):
    """One place on a platform where the tool was put. Belongs to exactly one institution."""

    __tablename__ = "deployment"
    __table_args__ = (tenant_key(), UniqueConstraint("registration_id", "lti_id"))

    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    lti_id: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    last_launch_at: Mapped[datetime | None]
    last_roster_at: Mapped[datetime | None]
    last_score_at: Mapped[datetime | None]
    notices_url: Mapped[str | None] = mapped_column(Text)
    """The notification service that sends us its notices of copied courses."""
    notices_asked_at: Mapped[datetime | None]
    """When it was last asked to."""


class ParkedDeployment(Base):
    """A deployment that launched without being known. It waits for an operator or administrator to approve it."""

    __tablename__ = "parked_deployment"
    __table_args__ = (UniqueConstraint("registration_id", "lti_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    lti_id: Mapped[str] = mapped_column(String(255))
    platform_name: Mapped[str | None] = mapped_column(String(255))
    platform_guid: Mapped[str | None] = mapped_column(String(255))
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    refused_at: Mapped[datetime | None]


class Invitation(Base):
    """A one-time link by which an administrator registers a platform."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institution.id", ondelete="CASCADE"))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    busy_until: Mapped[datetime | None]
    """A registration with it is under way until then. Only a success uses the invitation up."""
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registration.id", ondelete="SET NULL"))
    """What it was used for."""
    follow_up_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """The hash of the secret that only the page after the registration has. The link itself may have been passed
    around.
    """


class KeySet(Base):
    """The last key set fetched from a platform, shared by all processes."""

    __tablename__ = "key_set"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    keys: Mapped[list[Any]]
    fetched_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]
    """When a process last tried. Claimed before fetching, so that made-up key ids cannot flood a platform."""
    ended_at: Mapped[datetime | None]
    """When that try ended, well or not; earlier than `tried_at` while one is under way."""


class ToolKey(Base):
    """A signing key of ours: published as next, used while active, kept published while retired."""

    __tablename__ = "tool_key"
    __table_args__ = (
        CheckConstraint("state IN ('next', 'active', 'retired')", name="state"),
        Index(
            "uq_tool_key_one_active",
            "state",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    private_key: Mapped[str] = mapped_column(Text)
    """PEM, encrypted with the operator's secret key."""
    public_key: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    promoted_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]


class AccessToken(Base):
    """A token that a platform granted, shared by all processes until shortly before it ends."""

    __tablename__ = "access_token"
    __table_args__ = (UniqueConstraint("registration_id", "scopes"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    scopes: Mapped[str] = mapped_column(String(1024))
    """The scopes asked for, sorted, joined by a space."""
    granted: Mapped[str] = mapped_column(Text, default="")
    """What the platform granted of them, in the same form. May be less."""
    token: Mapped[str | None] = mapped_column(Text)
    """Encrypted. None until the first answer came."""
    expires_at: Mapped[datetime | None]
    asking_until: Mapped[datetime | None]
    """One process asks the platform until then, and the others wait for the result."""
    denied_because: Mapped[str | None] = mapped_column(String(16))
    """A `registration.errors.Denial`, from the first refusal until the platform grants a token again."""
    denied_since: Mapped[datetime | None]
    denials: Mapped[int] = mapped_column(default=0)
    """Refusals in a row. The pause before the next question grows with them."""
    asks_again_at: Mapped[datetime | None]
    """The platform is not asked before."""
    clock_offset_ms: Mapped[int | None]
    """By how much the platform's clock was ahead of ours at its last answer, where it said."""
