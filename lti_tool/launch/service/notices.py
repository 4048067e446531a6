"""What platforms tell us by themselves, verified like a launch and kept."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.launch.errors import (
    DeploymentRefused,
    LaunchError,
    LaunchSpent,
    PlatformPaused,
    PlatformUnreachable,
    UnknownPlatform,
)
from lti_tool.launch.gateway import messages
from lti_tool.launch.gateway.keysets import kept_keys, keys_for
from lti_tool.launch.models import Course, CourseCopy, SeenNotice
from lti_tool.launch.rules import bindings
from lti_tool.launch.rules.notices import CopyNotice, addressee_of, read_copy_notice, tokens_of
from lti_tool.registration.models import Deployment, Registration
from lti_tool.support.crypto import fingerprint
from lti_tool.support.db import across_institutions, find_or_add, serve
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

log = get_logger(__name__)
SEEN_FOR: Final = timedelta(days=2)
"""How long a notice is remembered. Its token is refused as too old long before."""
MOST_COPIES: Final = 10
"""How many courses back a copy of a copy is followed."""


def receive(kit: Kit, message: Any) -> Counter[str]:
    """Verify and keep the notices of a message. Returns how many were "taken", "ignored", "refused" and "unverified".

    Of a notice that is refused only the kind of error is logged. Raises ClaimRefused for a message without notices.
    No transaction may be open: platforms are asked for their keys in between.
    """
    outcomes: Counter[str] = Counter()
    for token in tokens_of(message):
        registration_id = None
        try:
            registration_id, claims = _verified(kit, token)
            with kit.open_session() as session:
                is_known = keep(session, registration_id, read_copy_notice(claims), now=kit.clock.now())
            outcome = "taken" if is_known else "ignored"
        except PlatformUnreachable:
            outcome = "unverified"
        except LaunchError as refusal:
            outcome = "ignored" if registration_id is not None else "refused"
            log.info(
                "notice refused",
                error=type(refusal).__name__,
                reason=refusal.reason,
                registration_id=refusal.registration_id or registration_id,
            )
        outcomes[outcome] += 1
    return outcomes


def _verified(kit: Kit, token: str) -> tuple[int, Mapping[str, Any]]:
    """The registration whose platform signed this token for us, and its claims. Raises a LaunchError.

    No key is fetched before issuer and audience are those of a registration.
    """
    envelope = messages.open_envelope(token)
    issuer, client_id = addressee_of(envelope.claims)
    with kit.open_session() as session:
        session.connection(execution_options={"sqlite_begin": "DEFERRED"})
        query = select(Registration).where(Registration.issuer == issuer, Registration.client_id == client_id)
        registration = session.scalar(query)
        if registration is None:
            raise UnknownPlatform("iss")
        if registration.paused_at is not None:
            raise PlatformPaused("paused", registration_id=registration.id)
        kept = kept_keys(session, registration.id, registration.key_set_url)
    bindings.check_audience(envelope.claims, client_id)
    keys = keys_for(kit, kept, envelope.kid)
    messages.check_signature(envelope, keys, now=kit.clock.now())
    return kept.registration_id, envelope.claims


def keep(session: Session, registration_id: int, notice: CopyNotice, *, now: datetime) -> bool:
    """Record that a context was copied, once per notice. Returns False if its institution knows none of the origins.

    Raises DeploymentRefused or LaunchSpent.
    """
    with across_institutions(session):
        deployment = session.scalar(
            select(Deployment).where(
                Deployment.registration_id == registration_id, Deployment.lti_id == notice.deployment_id
            )
        )
    if deployment is None:
        raise DeploymentRefused("deployment_id", registration_id=registration_id)
    serve(session, deployment.institution_id)
    try:
        with session.begin_nested():
            session.add(SeenNotice(registration_id=registration_id, key_hash=fingerprint(notice.key), at=now))
    except IntegrityError:
        raise LaunchSpent("notice", registration_id=registration_id) from None
    origins = _origins(session, registration_id, notice)
    for origin_id in origins:
        _keep_copy(session, deployment.id, notice.context_id, origin_id, now=now)
    if not origins:
        log.info("copy of an unknown course", registration_id=registration_id, deployment_id=deployment.id)
    return bool(origins)


def _origins(session: Session, registration_id: int, notice: CopyNotice) -> set[int]:
    """The courses of the served institution that a context was copied from.

    The platform may have them under another deployment of ours. An origin that nobody has opened here yet may be a copy
    itself: then its own origins count.
    """
    ours = select(Deployment.id).where(Deployment.registration_id == registration_id)
    courses = session.scalars(
        select(Course.id).where(
            Course.deployment_id.in_(ours),
            Course.context_id.in_(notice.origin_ids),
            Course.context_id != notice.context_id,
        )
    )
    copies = session.scalars(
        select(CourseCopy.origin_id)
        .join(Course, Course.id == CourseCopy.origin_id)
        .where(
            CourseCopy.deployment_id.in_(ours),
            CourseCopy.context_id.in_(notice.origin_ids),
            Course.context_id != notice.context_id,
        )
    )
    return {*courses, *copies}


def _keep_copy(session: Session, deployment_id: int, context_id: str, origin_id: int, *, now: datetime) -> None:
    named = {"deployment_id": deployment_id, "context_id": context_id, "origin_id": origin_id}
    query = select(CourseCopy).filter_by(**named)
    find_or_add(session, query, lambda: CourseCopy(**named, copied_at=now)).copied_at = now


def origin_contexts(session: Session, course: Course) -> list[str]:
    """The context ids of the courses that a course was copied from by its platform's notices, the nearest first."""
    contexts: dict[str, None] = {}
    waiting = [course]
    while waiting and len(contexts) < MOST_COPIES:
        here = waiting.pop(0)
        origins = session.scalars(
            select(Course)
            .join(CourseCopy, CourseCopy.origin_id == Course.id)
            .where(CourseCopy.deployment_id == here.deployment_id, CourseCopy.context_id == here.context_id)
            .order_by(CourseCopy.copied_at.desc(), CourseCopy.id.desc())
        ).all()
        waiting += [origin for origin in origins if origin.context_id not in contexts]
        contexts |= dict.fromkeys(origin.context_id for origin in origins)
    contexts.pop(course.context_id, None)
    return list(contexts)
