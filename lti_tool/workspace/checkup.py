"""What operators and administrators are told about the state of this installation and its platforms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, and_, func, or_, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lti_tool.errors import N_, ToolError
from lti_tool.grades.models import ScoreState
from lti_tool.grades.rules import Reason
from lti_tool.launch.models import Course, Member
from lti_tool.registration.errors import Denial, TokenRefused
from lti_tool.registration.models import AccessToken, Deployment, Registration
from lti_tool.registration.rules.dynamic import SCOPES
from lti_tool.registration.rules.registrations import are_apart
from lti_tool.registration.service import keys
from lti_tool.registration.service.tokens import TokenClient
from lti_tool.roster.models import RosterSync
from lti_tool.roster.service import FAILED_FOR_NOW
from lti_tool.support import schema
from lti_tool.support.http import Answer, CallFailed, Purpose
from lti_tool.support.kit import Kit

ROSTER_SCOPE: Final = SCOPES[-1]
LASTS: Final = timedelta(hours=1)
"""Refusals shorter than this are not reported, because they may pass by themselves."""


# What platforms refuse, for administrators


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a platform refuses, with how many it concerns and since when."""

    registration_id: int
    title: str
    kind: str
    """access (tokens), scores, rosters (of courses), clock (apart, whether or not anything is refused)."""
    reason: str
    count: int
    since: datetime | None = None

    @property
    def to_do(self) -> str:
        """What the administrator can do, as a sentence to translate."""
        return TO_DO.get(self.reason, LOOK_THERE)


LOOK_THERE: Final = N_(
    "The Grades page of each activity says more about every score. Tandem sends scores again when that may help."
)
_ACCESS_PASSES: Final = N_(
    "This often goes away on its own. Tandem checks again after minutes, then hours, then daily. If "
    "it lasts, check whether a firewall keeps Tandem from calling the LMS."
)
_ALLOW: Final = N_(
    "In the LMS, allow the tool to use the services for grades and for names and roles. Tandem checks"
    " again automatically."
)
TO_DO: Final[Mapping[str, str]] = {
    Denial.CREDENTIALS: N_(
        "In the LMS, check whether the tool is still there and switched on. Launches still work. "
        "Tandem checks again after minutes, then hours, then daily."
    ),
    Denial.CLOCK: N_("Set both servers’ clocks with a time server. Tandem checks again automatically."),
    Denial.KEY_SET: N_(
        "The LMS must be able to fetch Tandem's keys. In Moodle, go to Site administration, Security,"
        " HTTP security. The cURL blocked hosts list must not contain Tandem's host, and the cURL "
        "allowed ports list must contain its port."
    ),
    Denial.SCOPE: _ALLOW,
    Denial.UNCLEAR: _ACCESS_PASSES,
    Reason.NOT_ALLOWED: _ALLOW,
    Reason.NO_ACCESS: _ACCESS_PASSES,
    Reason.BLOCKED: _ACCESS_PASSES,
    "refused": _ALLOW,
    "gone": N_("The courses may have been deleted in the LMS. Their activities say so when they are opened."),
    "unreachable": N_("Check that the LMS is online and that Tandem may call it. Tandem tries again daily."),
}


def troubles(session: Session, institution_id: int, *, now: datetime) -> list[Trouble]:
    """What the platforms of this institution refuse, by platform. The session serves the institution."""
    titles = dict(
        session.execute(
            select(Registration.id, Registration.title).where(
                or_(
                    Registration.institution_id == institution_id,
                    Registration.id.in_(select(Deployment.registration_id)),
                )
            )
        ).all()
    )
    refusals = [*_access(session, titles), *_scores(session, titles, now=now), *_rosters(session, titles)]
    return sorted(refusals, key=lambda one: (one.title, one.registration_id))


def _access(session: Session, titles: Mapping[int, str]) -> Iterator[Trouble]:
    rows = session.scalars(select(AccessToken).where(AccessToken.registration_id.in_(titles)).order_by(AccessToken.id))
    offsets: dict[int, int] = {}
    denied: dict[tuple[int, str], list[datetime]] = {}
    for row in rows:
        if row.clock_offset_ms is not None:
            offsets[row.registration_id] = row.clock_offset_ms
        if row.denied_because is not None and row.denied_since is not None:
            denied.setdefault((row.registration_id, row.denied_because), []).append(row.denied_since)
    for (number, reason), since in denied.items():
        yield Trouble(number, titles[number], "access", reason, len(since), min(since))
    for number, offset in offsets.items():
        if are_apart(timedelta(milliseconds=offset)):
            yield Trouble(number, titles[number], "clock", Denial.CLOCK, round(offset / 1000))


def _scores(session: Session, titles: Mapping[int, str], *, now: datetime) -> Iterator[Trouble]:
    since = func.min(func.coalesce(ScoreState.waits_since, ScoreState.changed_at))
    rows = session.execute(
        select(Deployment.registration_id, ScoreState.reason, func.count(), since)
        .join(Member, Member.id == ScoreState.member_id)
        .join(Course, Course.id == Member.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(
            Course.ended_at.is_(None),
            or_(
                and_(
                    ScoreState.state == "refused",
                    ScoreState.reason.not_in((Reason.WITHDRAWN, Reason.COURSE_OVER)),
                ),
                and_(ScoreState.state == "waiting", ScoreState.waits_since < now - LASTS),
            ),
        )
        .group_by(Deployment.registration_id, ScoreState.reason)
    )
    for number, reason, count, first in rows:
        yield Trouble(number, titles[number], "scores", reason or "", count, first)


def _rosters(session: Session, titles: Mapping[int, str]) -> Iterator[Trouble]:
    newest = select(func.max(RosterSync.id)).group_by(RosterSync.course_id)
    rows = session.execute(
        select(Deployment.registration_id, RosterSync.failure, func.count(), func.min(RosterSync.finished_at))
        .join(Course, Course.id == RosterSync.course_id)
        .join(Deployment, Deployment.id == Course.deployment_id)
        .where(
            RosterSync.id.in_(newest),
            RosterSync.state == "failed",
            RosterSync.failure.in_(FAILED_FOR_NOW),
            Course.ended_at.is_(None),
        )
        .group_by(Deployment.registration_id, RosterSync.failure)
    )
    for number, reason, count, first in rows:
        yield Trouble(number, titles[number], "rosters", reason or "", count, first)


# What the doctor looks at


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check. Holds no secret."""

    subject: str
    is_good: bool
    says: str


@dataclass(frozen=True, slots=True)
class _Platform:
    id: int
    title: str
    key_set_url: str
    paused_because: str | None


def check_everything(kit: Kit, engine: Engine) -> Iterator[Finding]:
    """Check database, migrations, keys and each platform in turn. Stops early if later checks are impossible."""
    yield Finding("settings", True, f"served at {kit.settings.base_url}")
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as failure:
        yield Finding("database", False, f"cannot be reached ({type(failure).__name__})")
        return
    yield Finding("database", True, engine.dialect.name)
    if not schema.is_current(engine):
        yield Finding("migrations", False, "not up to date; run: lti-tool migrate")
        return
    yield Finding("migrations", True, "up to date")
    yield _signing_key(kit)
    with kit.open_session() as session:
        platforms = [
            _Platform(one.id, one.title, one.key_set_url, one.paused_because if one.paused_at else None)
            for one in session.scalars(select(Registration).order_by(Registration.id))
        ]
    for platform in platforms:
        if platform.paused_because is not None:
            yield Finding(platform.title, False, f"paused ({platform.paused_because})")
        yield _key_set(kit, platform)
        yield from _token_endpoint(kit, platform)


def _signing_key(kit: Kit) -> Finding:
    try:
        with kit.open_session() as session:
            keys.signing_key(session, kit.secrets)
            published = len(keys.public_keys(session, now=kit.clock.now()))
    except ToolError as failure:
        return Finding("signing key", False, type(failure).__name__)
    return Finding("signing key", True, f"{published} published")


def _key_set(kit: Kit, platform: _Platform) -> Finding:
    subject = f"{platform.title}, key set"
    try:
        answer = kit.http.get(platform.key_set_url, Purpose.KEY_SET, headers={"Accept": "application/json"})
        count = _keys_in(answer)
    except CallFailed as failure:
        return Finding(subject, False, str(failure))
    if count is None:
        return Finding(subject, False, f"answered {answer.status} without keys")
    return Finding(subject, bool(count), f"{count} keys")


def _keys_in(answer: Answer) -> int | None:
    document: Any = answer.json() if answer.is_success else None
    listed = document.get("keys") if isinstance(document, dict) else None
    return len(listed) if isinstance(listed, list) else None


def _token_endpoint(kit: Kit, platform: _Platform) -> Iterator[Finding]:
    subject = f"{platform.title}, token endpoint"
    offset: timedelta | None = None
    try:
        # Past the store of tokens: this only looks.
        token = TokenClient(kit).ask(platform.id, ROSTER_SCOPE)
        offset = token.clock_offset
        yield Finding(subject, True, f"granted {len(token.granted)} of 1 scopes")
    except TokenRefused as refusal:
        offset = refusal.clock_offset
        says = REFUSALS[refusal.denial].format(error=refusal.error, key_set=f"{kit.settings.base_url}/lti/jwks")
        yield Finding(subject, refusal.denial is Denial.SCOPE, says)
    except ToolError as failure:
        says = str(failure) if isinstance(failure, CallFailed) else type(failure).__name__
        yield Finding(subject, False, says)
    if offset is not None and are_apart(offset):
        seconds = round(offset.total_seconds())
        yield Finding(
            f"{platform.title}, clock", False, f"{abs(seconds)} seconds {'ahead of' if seconds > 0 else 'behind'} ours"
        )


REFUSALS: Final[Mapping[Denial, str]] = {
    Denial.CREDENTIALS: "refused our credentials ({error}); check that the tool is still there and switched on",
    Denial.CLOCK: "refused our request as too old or too new ({error}); set both clocks by a time server",
    Denial.KEY_SET: (
        "could not use our published keys ({error}); it must be able to fetch {key_set}; in Moodle check the settings "
        "cURL blocked hosts list and cURL allowed ports list"
    ),
    Denial.SCOPE: "answered {error}",
    Denial.UNCLEAR: "answered {error}",
}
"""How the doctor words a refused token."""
