"""Institutions with their registrations and deployments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.errors import NotFound
from lti_tool.registration.errors import FileMistakes
from lti_tool.registration.models import (
    AccessToken,
    Deployment,
    Institution,
    ParkedDeployment,
    Registration,
    ToolKey,
)
from lti_tool.registration.rules.registrations import Entry, NewDeployments
from lti_tool.registration.store import Endpoints, add_deployment, deployments_of_others, registration_of, set_endpoints
from lti_tool.support.addresses import origin_of
from lti_tool.support.crypto import KeyRing, Undecipherable
from lti_tool.support.db import across_institutions, find_or_add
from lti_tool.web import audit


def institution_named(session: Session, name: str, *, now: datetime) -> Institution:
    """The institution of this name, added if there is none."""
    return find_or_add(
        session, select(Institution).where(Institution.name == name), lambda: Institution(name=name, created_at=now)
    )


# ---- registrations from a file ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Registered:
    """What one entry of a file did."""

    registration_id: int
    title: str
    institution: str
    is_new: bool
    joined: tuple[str, ...]
    """Deployments that were not known before."""


def register_from_file(session: Session, entries: Sequence[Entry], *, now: datetime) -> list[Registered]:
    """Add or update the registrations of a file. Repeating it changes nothing.

    Deployments and origins that the file no longer names are kept, since people's work depends on them. Raises
    FileMistakes; then the caller must roll back.
    """
    done: list[Registered] = []
    mistakes: list[str] = []
    with across_institutions(session):
        for entry in entries:
            registration = registration_of(session, entry.issuer, entry.client_id)
            institution = _institution_of(session, entry, registration, now=now)
            if institution is None:
                mistakes.append(f"{entry.place}: institution is missing, and there are several")
                continue
            strangers = deployments_of_others(session, registration, entry.deployment_ids, institution.id)
            if strangers:
                mistakes += [f"{entry.place}: deployment {one} belongs to another institution" for one in strangers]
                continue
            is_new = registration is None
            registration = registration or Registration(institution_id=institution.id, created_at=now)
            if registration.institution_id != institution.id:
                registration.institution_id = None  # The platform shares this client id among customers.
            if registration.institution_id is None and entry.new_deployments is NewDeployments.JOIN:
                mistakes.append(f"{entry.place}: new_deployments cannot be join where institutions share a client")
                continue
            registration.title, registration.issuer, registration.client_id = entry.title, entry.issuer, entry.client_id
            registration.new_deployments = entry.new_deployments
            registration.require_browser_binding = entry.require_browser_binding
            set_endpoints(
                session,
                registration,
                Endpoints(entry.auth_login_url, entry.auth_token_url, entry.auth_audience, entry.key_set_url),
                [*entry.platform_origins, origin_of(entry.auth_login_url), origin_of(entry.auth_token_url)],
            )
            joined = tuple(
                lti_id
                for lti_id in entry.deployment_ids
                if add_deployment(session, registration, lti_id, institution.id, now=now)
            )
            audit.record(
                session,
                "platform registered" if is_new else "registration updated",
                now=now,
                institution_id=institution.id,
                registration_id=registration.id,
                by="file",
            )
            done.append(Registered(registration.id, registration.title, institution.name, is_new, joined))
    if mistakes:
        raise FileMistakes(mistakes)
    return done


def _institution_of(
    session: Session, entry: Entry, registration: Registration | None, *, now: datetime
) -> Institution | None:
    """The institution of an entry: the one it names, else the present one, else the only one, else a new one named by
    its title.
    """
    if entry.institution is not None:
        return institution_named(session, entry.institution.strip(), now=now)
    if registration is not None:
        return None if registration.institution_id is None else session.get(Institution, registration.institution_id)
    institutions = session.scalars(select(Institution).limit(2)).all()
    if not institutions:
        return institution_named(session, entry.title, now=now)
    return institutions[0] if len(institutions) == 1 else None


# ---- deployments -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """A deployment, and when its last launch, roster and score arrived."""

    id: int
    lti_id: str
    institution_id: int
    last_launch_at: datetime | None
    last_roster_at: datetime | None
    last_score_at: datetime | None


@dataclass(frozen=True, slots=True)
class RegistrationState:
    """A registration as an administrator sees it."""

    id: int
    institution_id: int | None
    title: str
    issuer: str
    client_id: str
    family: str | None
    new_deployments: str
    require_browser_binding: bool
    origins: tuple[str, ...]
    frame_origins: tuple[str, ...]
    paused_at: datetime | None
    paused_because: str | None
    deployments: tuple[DeploymentState, ...]
    parked: tuple[ParkedDeployment, ...] = field(default=())
    """Deployments that wait for approval, and those that were refused."""

    @property
    def has_launched(self) -> bool:
        """Whether anybody ever opened the tool from there."""
        return any(one.last_launch_at is not None for one in self.deployments)


def registration_states(session: Session, institution_id: int | None = None) -> list[RegistrationState]:
    """Registrations with their deployments: of one institution, or all.

    For one institution, a registration that it shares with others shows its own deployments and no parked ones: those
    may be anybody's, and only the operator can tell.
    """
    with across_institutions(session):
        deployments = session.scalars(select(Deployment).order_by(Deployment.id)).all()
        registrations = session.scalars(select(Registration).order_by(Registration.id)).all()
    parked = session.scalars(select(ParkedDeployment).order_by(ParkedDeployment.first_seen_at)).all()
    states = []
    for registration in registrations:
        own = tuple(
            DeploymentState(
                one.id, one.lti_id, one.institution_id, one.last_launch_at, one.last_roster_at, one.last_score_at
            )
            for one in deployments
            if one.registration_id == registration.id and institution_id in {None, one.institution_id}
        )
        is_own = institution_id in {None, registration.institution_id}
        if not is_own and not own:
            continue
        states.append(
            RegistrationState(
                id=registration.id,
                institution_id=registration.institution_id,
                title=registration.title,
                issuer=registration.issuer,
                client_id=registration.client_id,
                family=registration.platform_family,
                new_deployments=registration.new_deployments,
                require_browser_binding=registration.require_browser_binding,
                origins=tuple(registration.platform_origins),
                frame_origins=tuple(registration.frame_origins),
                paused_at=registration.paused_at,
                paused_because=registration.paused_because,
                deployments=own,
                parked=tuple(one for one in parked if is_own and one.registration_id == registration.id),
            )
        )
    return states


def approve_deployment(
    session: Session, parked_id: int, *, institution_id: int, now: datetime, by_operator: bool = False
) -> Deployment:
    """Let a parked deployment launch, as the institution's own. Raises NotFound.

    An administrator can approve for registrations of their own institution; the operator for any.
    """
    parked, registration = _parked(session, parked_id, institution_id, by_operator=by_operator)
    with across_institutions(session):
        if deployments_of_others(session, registration, [parked.lti_id], institution_id):
            raise NotFound("parked deployment", parked_id)
        add_deployment(session, registration, parked.lti_id, institution_id, now=now)
        audit.record(
            session,
            "deployment approved",
            now=now,
            institution_id=institution_id,
            registration_id=registration.id,
            deployment=parked.lti_id,
        )
        return session.scalars(
            select(Deployment).where(Deployment.registration_id == registration.id, Deployment.lti_id == parked.lti_id)
        ).one()


def refuse_deployment(
    session: Session, parked_id: int, *, institution_id: int | None, now: datetime, by_operator: bool = False
) -> None:
    """Refuse a parked deployment. It stays listed and can be approved later. Raises NotFound."""
    parked, registration = _parked(session, parked_id, institution_id, by_operator=by_operator)
    parked.refused_at = now
    audit.record(
        session,
        "deployment refused",
        now=now,
        institution_id=institution_id,
        registration_id=registration.id,
        deployment=parked.lti_id,
    )


def _parked(
    session: Session, parked_id: int, institution_id: int | None, *, by_operator: bool
) -> tuple[ParkedDeployment, Registration]:
    parked = session.get(ParkedDeployment, parked_id)
    registration = None if parked is None else session.get_one(Registration, parked.registration_id)
    if parked is None or registration is None:
        raise NotFound("parked deployment", parked_id)
    if not by_operator and registration.institution_id != institution_id:
        raise NotFound("parked deployment", parked_id)
    return parked, registration


def set_frame_origins(
    session: Session, registration: Registration, origins: Sequence[str], *, by: int, now: datetime
) -> None:
    """Set the further origins that may frame our pages. Later launches may add some."""
    registration.frame_origins = [one for one in origins if one not in registration.platform_origins]
    audit.record(
        session,
        "frame addresses changed",
        now=now,
        institution_id=registration.institution_id,
        registration_id=registration.id,
        by=by,
        origins=" ".join(registration.frame_origins),
    )


def reencrypt(session: Session, secrets: KeyRing) -> int:
    """Encrypt keys and tokens again with the first secret key, so that older ones can be removed. Returns how many.

    Raises Undecipherable if a signing key cannot be read. A token that cannot be read is deleted.
    """
    keys = session.scalars(select(ToolKey)).all()
    for key in keys:
        key.private_key = secrets.reencrypt(key.private_key)
    tokens = session.scalars(select(AccessToken).where(AccessToken.token.is_not(None))).all()
    for token in tokens:
        try:
            token.token = secrets.reencrypt(token.token or "")
        except Undecipherable:
            token.token = None
    return len(keys) + len(tokens)
