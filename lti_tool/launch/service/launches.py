"""A launch: verified, bound to its browser, and opened as a visit."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from lti_tool.launch.errors import (
    LaunchError,
    LaunchExpired,
    LaunchSpent,
    LaunchUnknown,
    PlatformPaused,
)
from lti_tool.launch.gateway import messages
from lti_tool.launch.gateway.keysets import kept_keys, keys_for
from lti_tool.launch.models import LaunchState
from lti_tool.launch.rules import bindings
from lti_tool.launch.rules.context import LaunchContext, Opens, read_context, what_opens
from lti_tool.launch.rules.roles import CourseRole
from lti_tool.launch.service import arrivals
from lti_tool.launch.service.logins import claim_state, remembered_login
from lti_tool.registration.models import Deployment, Institution, Registration
from lti_tool.support.addresses import origin_of
from lti_tool.support.crypto import fingerprint, is_same_secret
from lti_tool.support.db import serve
from lti_tool.support.kit import Kit
from lti_tool.web import audit
from lti_tool.web.visits import UNBOUND, WINDOW, Visit, VisitKind, open_visit

MAY_CLAIM: Final = "may_claim"
"""The key in the details of a staff visit while the registration's code can still make a person its administrator."""


@dataclass(frozen=True, slots=True)
class VerifiedLaunch:
    """A token that its platform signed for an open login. The login is not used up yet."""

    state_hash: str
    registration_id: int
    context: LaunchContext
    claims: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenedVisit:
    """A launch that opened a visit."""

    visit: Visit
    context: LaunchContext
    secret: str = field(repr=False)
    stranger: str | None = None
    """The origin of the page around the frame, if that may not frame the visit's pages; else None."""


@dataclass(frozen=True, slots=True)
class ProofNeeded:
    """The launch is valid, but no cookie brought the secret, so the browser has to show it in another way."""

    storage_target: str | None
    storage_origin: str


# Launch


def verify_launch(kit: Kit, *, state: str, token: str) -> VerifiedLaunch:
    """Check everything about a launch that can be checked without using it up. Raises a LaunchError.

    Opens short transactions of its own, so that none is open while it waits for the platform's keys. The platform is
    not asked before issuer, audience, nonce and state agree with a login of ours.
    """
    envelope = messages.open_envelope(token)
    state_hash = fingerprint(state)
    now = kit.clock.now()
    with kit.open_session() as session:
        session.connection(execution_options={"sqlite_begin": "DEFERRED"})
        rows = session.execute(
            select(LaunchState, Registration)
            .join(Registration, Registration.id == LaunchState.registration_id)
            .where(LaunchState.state_hash == state_hash)
        ).one_or_none()
        row, registration = rows or (None, None)
        login = bindings.check_login_is_open(remembered_login(row, registration), now=now)
        if registration is None or registration.paused_at is not None:
            raise PlatformPaused("paused", registration_id=login.registration_id)
        kept = kept_keys(session, registration.id, registration.key_set_url)
    with _refusals_of(login.registration_id):
        bindings.check_binding(envelope.claims, login)
        keys = keys_for(kit, kept, envelope.kid)
        context = messages.verify(envelope, keys, login, now=now, allow_http=kit.settings.development)
    return VerifiedLaunch(state_hash, login.registration_id, context, dict(envelope.claims))


@contextmanager
def _refusals_of(registration_id: int, return_url: str | None = None) -> Iterator[None]:
    """Add the registration and the way back to every refusal in the block.

    So the institution finds it in its record, and the person finds the course.
    """
    try:
        yield
    except LaunchError as refusal:
        refusal.registration_id, refusal.return_url = registration_id, return_url
        raise


def accept_launch(
    session: Session, kit: Kit, launch: VerifiedLaunch, *, browser_secret: str | None
) -> OpenedVisit | ProofNeeded:
    """Use the login up, and open the visit if the browser's cookie brought the secret. Raises a LaunchError."""
    with _refusals_of(launch.registration_id, launch.context.return_url):
        return _accept(session, kit, launch, browser_secret=browser_secret, now=kit.clock.now())


def _accept(
    session: Session, kit: Kit, launch: VerifiedLaunch, *, browser_secret: str | None, now: datetime
) -> OpenedVisit | ProofNeeded:
    state = claim_state(session, launch.state_hash, now=now)
    registration = session.get_one(Registration, launch.registration_id)
    is_bound = browser_secret is not None and is_same_secret(fingerprint(browser_secret), state.secret_hash)
    if is_bound or not registration.require_browser_binding:
        return complete_launch(
            session,
            launch.context,
            registration,
            state,
            is_bound=is_bound,
            now=now,
            lifetime=kit.settings.visit_absolute,
        )
    state.claims = kit.secrets.encrypt(json.dumps(launch.claims).encode())
    state.confirm_before = now + bindings.PROOF_LIFETIME
    return ProofNeeded(state.storage_target, origin_of(registration.auth_login_url))


def confirm_launch(session: Session, kit: Kit, *, state: str, browser_secret: str | None) -> OpenedVisit:
    """Open the visit of a launch whose browser now shows the secret. Works once per launch. Raises a LaunchError."""
    now = kit.clock.now()
    row = session.get(LaunchState, fingerprint(state))
    if row is None or row.confirm_before is None:
        raise LaunchUnknown("state")
    if row.claims is None:
        raise LaunchSpent("state", registration_id=row.registration_id)
    if now >= row.confirm_before:
        raise LaunchExpired("proof", registration_id=row.registration_id)
    bindings.check_proof(browser_secret, row.secret_hash, registration_id=row.registration_id)
    sealed = row.claims
    spent = session.execute(
        update(LaunchState)
        .where(LaunchState.state_hash == row.state_hash, LaunchState.claims.is_not(None))
        .values(claims=None)
        .execution_options(synchronize_session=False)
    )
    if not cast("CursorResult[Any]", spent).rowcount:
        raise LaunchSpent("state", registration_id=row.registration_id)
    registration = session.get_one(Registration, row.registration_id)
    if registration.paused_at is not None:
        raise PlatformPaused("paused", registration_id=registration.id)
    context = read_context(json.loads(kit.secrets.decrypt(sealed)), allow_http=kit.settings.development)
    with _refusals_of(registration.id, context.return_url):
        return complete_launch(
            session,
            context,
            registration,
            row,
            is_bound=True,
            now=now,
            lifetime=kit.settings.visit_absolute,
        )


# Visit


def complete_launch(
    session: Session,
    context: LaunchContext,
    registration: Registration,
    login: LaunchState,
    *,
    is_bound: bool,
    now: datetime,
    lifetime: timedelta,
) -> OpenedVisit:
    """Store what a verified launch names, and open a visit. Binds the session to the institution.

    `visit.details` holds what later pages need: `message`, `link` (id, title), `custom` (our own parameters),
    `activity` (the key that a deep link carries), for PLACING `deep_linking`, for REVIEW `reviewed_sub`, `is_window`
    where the platform opened a window of its own, `awaits_administrator` where the person may confirm to be the
    institution's first administrator, and `is_own_tab` where the browser keeps nothing in the platform's frame.
    Raises DeploymentRefused, DeploymentParked, or what `rules.what_opens` raises.
    """
    deployment = arrivals.deployment_of(session, context, registration, now=now)
    serve(session, deployment.institution_id)
    person = arrivals.person_of(session, context, registration, now=now)
    is_awaited = registration.first_administrator_awaited and not person.is_administrator
    opens = what_opens(context, is_known_administrator=person.is_administrator, is_first_awaited=is_awaited)
    arrivals.record_platform(registration, context)
    arrivals.ask_for_notices(session, deployment, context, now=now)
    course = placement = member = None
    if context.course is not None:
        course = arrivals.course_of(session, context, deployment, now=now)
        placement = arrivals.placement_of(session, context, course, now=now)
        member = arrivals.member_of(session, context, course, person, now=now)
        if placement is not None and member is not None:
            session.flush()
            arrivals.record_access(session, placement, member, now=now)
        arrivals.ask_for_roster(session, course, member, now=now)
    visit = Visit(
        kind=VisitKind(opens),
        registration_id=registration.id,
        person_id=person.id,
        course_id=course.id if course else None,
        placement_id=placement.id if placement else None,
        member_id=member.id if member else None,
        role=context.roles.course or "administrator",
        is_preview=member is not None and member.ever_staff and context.roles.course is CourseRole.LEARNER,
        locale=person.language or context.locale,
        time_zone=context.time_zone or login.time_zone or _usual_zone(session, deployment),
        return_url=context.return_url,
        storage_target=login.storage_target,
        platform_origin=origin_of(registration.auth_login_url),
        frame_origins=arrivals.frame_origins(registration, context),
        details=_details(context, opens, may_confirm=is_awaited and context.is_administrator_role),
    )
    person.time_zone = visit.time_zone or person.time_zone
    is_staff = context.roles.course is not None and context.roles.course.is_staff
    if is_awaited and is_staff and registration.administrator_code_hash is not None:
        visit.details[MAY_CLAIM] = True
    if not is_bound:
        visit.details[UNBOUND] = True
    if login.is_own_tab:
        visit.details["is_own_tab"] = True
    secret = open_visit(session, visit, now=now, lifetime=lifetime)
    if arrivals.is_update_due(deployment.last_launch_at, now):
        deployment.last_launch_at = now
    audit.record(
        session,
        "launch",
        now=now,
        institution_id=deployment.institution_id,
        registration_id=registration.id,
        course_id=visit.course_id,
        person_id=visit.person_id,
        opens=opens,
        role=visit.role,
        is_bound=is_bound,
    )
    return OpenedVisit(visit, context, secret, None if login.framed_by in visit.frame_origins else login.framed_by)


def _usual_zone(session: Session, deployment: Deployment) -> str | None:
    return session.scalar(select(Institution.time_zone).where(Institution.id == deployment.institution_id))


def _details(context: LaunchContext, opens: Opens, *, may_confirm: bool) -> dict[str, Any]:
    details: dict[str, Any] = {"message": context.message, "custom": dict(context.custom)}
    if "activity" in context.custom:
        details["activity"] = context.custom["activity"]
    if context.document_target == "window":
        details[WINDOW] = True
    if context.link is not None:
        details["link"] = asdict(context.link)
    if opens is Opens.PLACING and context.deep_linking is not None:
        details["deep_linking"] = asdict(context.deep_linking)
    if opens is Opens.REVIEW:
        details["reviewed_sub"] = context.reviewed_sub
    if may_confirm:
        details["awaits_administrator"] = True
    return details
