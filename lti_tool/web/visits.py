"""What a launch opens: a visit of one person to one placement in one browser tab.

A visit is proved by its bearer secret, which travels in a Partitioned cookie or an Authorization header; see
ADR 2. Every URL names its visit, so that two tabs with two people never mix.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, Text, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from lti_tool.errors import ToolError
from lti_tool.support.crypto import KeyRing, fingerprint, is_same_secret, new_secret
from lti_tool.support.db import Base, Tenant, across_institutions, serve, within

CODE_LIFETIME = timedelta(seconds=60)
KEPT_AFTER_END = timedelta(days=1)
"""How long the row of an ended visit is kept, to say how it ended."""
UNBOUND = "is_unbound"
"""The key in the details of a visit whose launch was not proved to come from the browser that began it."""


WINDOW = "is_window"
"""The key in the details of a visit that the platform opened in a window of its own."""


@dataclass(frozen=True, slots=True)
class Around:
    """The facts of a visit that an error page and the record may use."""

    institution_id: int
    registration_id: int
    course_id: int | None
    person_id: int
    return_url: str | None
    locale: str | None


class VisitOver(ToolError):
    """The visit does not exist, ran out, was revoked, or the secret is not its own.

    `around` is what pages and the record may know of it, and `ended` is the visit where it merely ran out: what its
    page still carries has an author. Both only for whoever has the visit's own secret.
    """

    def __init__(self, key: str, *, around: Around | None = None, ended: "Visit | None" = None) -> None:
        super().__init__(key)
        self.around = around
        self.ended = ended


class CodeSpent(ToolError):
    """The single-use code was used, ran out or never existed."""


class VisitKind(StrEnum):
    """What the launch asked for."""

    ACTIVITY = "activity"
    PLACING = "placing"
    REVIEW = "review"
    INSTITUTION = "institution"


class Visit(Tenant, Base):
    """One launch's visit. The role is that of its launch and does not change during it."""

    __tablename__ = "visit"
    __table_args__ = (
        within("person_id", "person"),
        within("course_id", "course"),
        within("placement_id", "placement"),
        within("member_id", "member"),
    )

    key: Mapped[str] = mapped_column(String(32), unique=True)
    """Public name, part of every URL. Not a secret."""
    secret_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id", ondelete="CASCADE"))
    person_id: Mapped[int]
    course_id: Mapped[int | None]
    placement_id: Mapped[int | None]
    member_id: Mapped[int | None]
    """This person's membership of the course; None where the visit is of no course."""
    role: Mapped[str] = mapped_column(String(16))
    """The course role of this launch."""
    is_preview: Mapped[bool] = mapped_column(default=False)
    """Staff who launched as a learner (role switch): a learner's pages, nothing kept."""
    locale: Mapped[str | None] = mapped_column(String(35))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    return_url: Mapped[str | None] = mapped_column(Text)
    storage_target: Mapped[str | None] = mapped_column(String(255))
    platform_origin: Mapped[str | None] = mapped_column(String(255))
    """Origin of the platform's sign-on, which answers for platform storage."""
    frame_origins: Mapped[list[str]] = mapped_column(default=list)
    """Who may frame this visit's pages."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Deep-linking settings of a placing visit; the reviewed person's sub of a review visit."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]

    @property
    def is_window(self) -> bool:
        """Whether the visit is known to stand in a window of its own, with no page of the LMS around it."""
        return not self.frame_origins or bool(self.details.get(WINDOW))


class Code(Base):
    """A secret that travels in a URL and therefore works once and for a minute: entry, download, new tab."""

    __tablename__ = "code"

    secret_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(16))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    expires_at: Mapped[datetime] = mapped_column(index=True)


def open_visit(session: Session, visit: Visit, *, now: datetime, lifetime: timedelta) -> str:
    """Store a new visit and return its bearer secret, which is kept nowhere else. Fills key, hash and times."""
    secret = new_secret()
    visit.key = new_secret(12)
    visit.secret_hash = fingerprint(secret)
    visit.created_at = visit.seen_at = now
    visit.expires_at = now + lifetime
    session.add(visit)
    session.flush()
    return secret


def find_visit(session: Session, key: str, secret: str, *, now: datetime, idle: timedelta) -> Visit:
    """The visit named by the URL, if the secret is its own; binds the session to its institution.

    Raises VisitOver otherwise, without saying which of the reasons it was.
    """
    with across_institutions(session):
        visit = session.scalar(select(Visit).where(Visit.key == key))
    if visit is None or not is_same_secret(visit.secret_hash, fingerprint(secret)):
        raise VisitOver(key)
    if visit.revoked_at is not None:
        raise VisitOver(key, around=around(visit))
    if now >= visit.expires_at or now - visit.seen_at >= idle:
        raise VisitOver(key, around=around(visit), ended=visit)
    serve(session, visit.institution_id)
    return visit


def around(visit: Visit) -> Around:
    """The facts of a visit that are needed after its transaction has ended."""
    return Around(
        visit.institution_id,
        visit.registration_id,
        visit.course_id,
        visit.person_id,
        visit.return_url,
        visit.locale,
    )


def is_touch_due(visit: Visit, *, now: datetime) -> bool:
    """Whether the last-seen time is old enough to be worth a write."""
    return now - visit.seen_at > timedelta(minutes=1)


def copy_visit(visit: Visit, kind: VisitKind) -> Visit:
    """The same person in the same place, to be opened in a tab of its own. Nobody may frame it."""
    return Visit(
        institution_id=visit.institution_id,
        kind=kind,
        registration_id=visit.registration_id,
        person_id=visit.person_id,
        course_id=visit.course_id,
        placement_id=visit.placement_id,
        member_id=visit.member_id,
        role=visit.role,
        is_preview=visit.is_preview,
        locale=visit.locale,
        time_zone=visit.time_zone,
        return_url=visit.return_url,
        frame_origins=[],
        details=dict(visit.details),
    )


def issue_code(
    session: Session,
    visit: Visit,
    purpose: str,
    details: dict[str, Any],
    *,
    now: datetime,
    lifetime: timedelta = CODE_LIFETIME,
) -> str:
    """A code for one use within its lifetime."""
    secret = new_secret()
    session.add(
        Code(
            secret_hash=fingerprint(secret),
            visit_id=visit.id,
            purpose=purpose,
            details=details,
            expires_at=now + lifetime,
        )
    )
    return secret


def issue_entry(session: Session, visit: Visit, secret: str, secrets: KeyRing, *, now: datetime) -> str:
    """The code that a launch leaves in the address: the page's script changes it for the visit's bearer secret."""
    return issue_code(session, visit, "enter", {"sealed": secrets.encrypt(secret.encode())}, now=now)


def redeem_code(session: Session, secret: str, purpose: str, *, now: datetime) -> tuple[Visit, dict[str, Any]]:
    """Use a code up: delete its row, bind the session to its institution, return its visit and details.

    Two requests with one code cannot both succeed, in any number of processes. Raises CodeSpent.
    """
    claimed = session.execute(
        delete(Code)
        .where(Code.secret_hash == fingerprint(secret), Code.purpose == purpose, Code.expires_at > now)
        .returning(Code.visit_id, Code.details)
    ).one_or_none()
    if claimed is None:
        raise CodeSpent
    with across_institutions(session):
        visit = session.get(Visit, claimed.visit_id)
    if visit is None or visit.revoked_at is not None or now >= visit.expires_at:
        raise CodeSpent
    serve(session, visit.institution_id)
    return visit, dict(claimed.details)
