"""Who may launch us and for whom: institutions, registrations and their deployments."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.errors import NotFound
from lti_tool.registration.dynamic import GrantedRegistration, PlatformConfiguration
from lti_tool.registration.errors import ClientTaken, FileMistakes, RegistrationInUse
from lti_tool.registration.models import (
    AccessToken,
    Deployment,
    Institution,
    Invitation,
    KeySet,
    ParkedDeployment,
    Registration,
    ToolKey,
)
from lti_tool.registration.rules import Entry, NewDeployments
from lti_tool.support.addresses import origin_of
from lti_tool.support.crypto import KeyRing, Undecipherable, fingerprint, new_word
from lti_tool.support.db import across_institutions, find_or_add
from lti_tool.web import audit


def institution_named(session: Session, name: str, *, now: datetime) -> Institution:
    """The institution of this name, made if there is none."""
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
    """Make or update the registrations of a file; doing it again changes nothing.

    Deployments and origins that a file no longer names are kept: people's work hangs on them. Raises FileMistakes, and
    then the caller's transaction must not be committed.
    """
    done: list[Registered] = []
    mistakes: list[str] = []
    with across_institutions(session):
        for entry in entries:
            registration = _found(session, entry.issuer, entry.client_id)
            institution = _institution_of(session, entry, registration, now=now)
            if institution is None:
                mistakes.append(f"{entry.place}: institution is missing, and there are several")
                continue
            strangers = _of_others(session, registration, entry.deployment_ids, institution.id)
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
            _point_to(
                session,
                registration,
                Endpoints(entry.auth_login_url, entry.auth_token_url, entry.auth_audience, entry.key_set_url),
                [*entry.platform_origins, origin_of(entry.auth_login_url), origin_of(entry.auth_token_url)],
            )
            joined = tuple(
                lti_id
                for lti_id in entry.deployment_ids
                if _join(session, registration, lti_id, institution.id, now=now)
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
    """Whose an entry is: as it says, else as before, else the only institution, else a new one named by its title."""
    if entry.institution is not None:
        return institution_named(session, entry.institution.strip(), now=now)
    if registration is not None:
        return None if registration.institution_id is None else session.get(Institution, registration.institution_id)
    known = session.scalars(select(Institution).limit(2)).all()
    if not known:
        return institution_named(session, entry.title, now=now)
    return known[0] if len(known) == 1 else None


def _of_others(
    session: Session, registration: Registration | None, lti_ids: Sequence[str], institution_id: int
) -> list[str]:
    if registration is None:
        return []
    return list(
        session.scalars(
            select(Deployment.lti_id).where(
                Deployment.registration_id == registration.id,
                Deployment.lti_id.in_(lti_ids),
                Deployment.institution_id != institution_id,
            )
        )
    )


# ---- dynamic registration --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the administrator chose while registering."""

    title: str
    new_deployments: NewDeployments


@dataclass(frozen=True, slots=True)
class Known:
    """A registration of the same platform that is there already."""

    id: int
    title: str
    client_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a registration that a platform granted."""

    registration: Registration
    is_new: bool
    beside: tuple[Known, ...]
    """The institution's other registrations of this platform, which it left alone."""


def known_registrations(session: Session, institution_id: int, issuer: str) -> list[Known]:
    """The institution's registrations of this platform, newest first."""
    rows = session.scalars(
        select(Registration)
        .where(Registration.institution_id == institution_id, Registration.issuer == issuer)
        .order_by(Registration.id.desc())
    )
    return [Known(row.id, row.title, row.client_id, row.created_at) for row in rows]


def keep_registration(
    session: Session,
    invitation: Invitation,
    configuration: PlatformConfiguration,
    granted: GrantedRegistration,
    wishes: Wishes,
    *,
    now: datetime,
) -> Kept:
    """Store what a platform granted, join the deployment that it returned, and use the invitation up.

    The client id decides: a known one is updated, because the platform itself used it again, and a new one stands
    beside the others. Nothing ever puts a new client id over an old one, on which every placed activity depends.
    Raises ClientTaken where that client or deployment is another institution's.
    """
    institution_id = invitation.institution_id
    endpoints = Endpoints(
        configuration.auth_login_url,
        configuration.auth_token_url,
        configuration.auth_audience,
        configuration.key_set_url,
    )
    before = known_registrations(session, institution_id, configuration.issuer)
    registration = find_or_add(
        session,
        _of_client(configuration.issuer, granted.client_id),
        lambda: Registration(
            institution_id=institution_id,
            title=wishes.title,
            issuer=configuration.issuer,
            client_id=granted.client_id,
            **asdict(endpoints),
            platform_origins=[],
            first_administrator_awaited=True,
            created_at=now,
        ),
    )
    session.flush()
    if registration.institution_id != institution_id:
        raise ClientTaken(registration.id)
    others = [one for one in before if one.id != registration.id]
    is_new = len(others) == len(before)
    registration.title = _title_beside(others, wishes.title)
    registration.platform_family = configuration.family
    registration.paused_at = registration.paused_because = None
    registration.new_deployments = _policy(configuration, granted, wishes)
    _point_to(session, registration, endpoints, configuration.origins)
    if not is_new:
        session.execute(delete(AccessToken).where(AccessToken.registration_id == registration.id))
    if granted.deployment_id is not None:
        with across_institutions(session):
            if _of_others(session, registration, [granted.deployment_id], institution_id):
                raise ClientTaken(registration.id)
            _join(session, registration, granted.deployment_id, institution_id, now=now)
    invitation.used_at, invitation.busy_until, invitation.registration_id = now, None, registration.id
    audit.record(
        session,
        "platform registered" if is_new else "registration updated",
        now=now,
        institution_id=institution_id,
        registration_id=registration.id,
        by="invitation",
        invitation=invitation.id,
    )
    return Kept(registration, is_new, tuple(others))


def new_administrator_code(registration: Registration) -> str | None:
    """A code by which whoever registered becomes the first administrator from any launch; None where there is one.

    For platforms whose administrators launch with a teacher's role. A new code ends the one before.
    """
    if not registration.first_administrator_awaited:
        return None
    code = "-".join(new_word(4) for _ in range(3))
    registration.administrator_code_hash = fingerprint(code)
    return code


def _title_beside(others: Sequence[Known], title: str) -> str:
    """The title, with a number where another registration of this platform is called so."""
    taken = {one.title for one in others}
    numbered = (f"{title[:240]} ({number})" for number in range(2, len(taken) + 3))
    return title if title not in taken else next(one for one in numbered if one not in taken)


def set_frame_origins(
    session: Session, registration: Registration, origins: Sequence[str], *, by: int, now: datetime
) -> None:
    """Say which further origins may frame our pages. What launches show later is added again."""
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


def remove_unused(session: Session, registration: Registration, *, now: datetime) -> None:
    """Take back a registration from which nobody ever launched. Raises RegistrationInUse for any other.

    Of a launch and a removal at the same moment one wins: what a launch wrote refers to the registration.
    """
    with across_institutions(session):
        used = session.scalars(
            select(Deployment.id).where(
                Deployment.registration_id == registration.id, Deployment.last_launch_at.is_not(None)
            )
        ).first()
    if used is not None:
        raise RegistrationInUse(registration.id)
    audit.record(
        session,
        "registration removed",
        now=now,
        institution_id=registration.institution_id,
        title=registration.title,
        client_id=registration.client_id,
    )
    try:
        with session.begin_nested():
            session.execute(delete(Registration).where(Registration.id == registration.id))
    except IntegrityError:
        raise RegistrationInUse(registration.id) from None


def _policy(configuration: PlatformConfiguration, granted: GrantedRegistration, wishes: Wishes) -> NewDeployments:
    if configuration.shares_clients and wishes.new_deployments is NewDeployments.JOIN:
        return NewDeployments.PARK  # Whoever launches next may be another customer of the same platform.
    if granted.deployment_id is None and wishes.new_deployments is NewDeployments.REFUSE:
        return NewDeployments.PARK  # Refusing all would make this registration useless.
    return wishes.new_deployments


# ---- deployments -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeploymentState:
    """A deployment with the last sign of life of each kind."""

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
        if _of_others(session, registration, [parked.lti_id], institution_id):
            raise NotFound("parked deployment", parked_id)
        _join(session, registration, parked.lti_id, institution_id, now=now)
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
    """Keep a parked deployment out. It stays listed, so that it can be approved later. Raises NotFound."""
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


def _join(session: Session, registration: Registration, lti_id: str, institution_id: int, *, now: datetime) -> bool:
    """Make the deployment known, if it is not. Says whether it was new."""
    session.execute(
        delete(ParkedDeployment).where(
            ParkedDeployment.registration_id == registration.id, ParkedDeployment.lti_id == lti_id
        )
    )
    known = session.scalar(
        select(Deployment.id).where(Deployment.registration_id == registration.id, Deployment.lti_id == lti_id)
    )
    if known is not None:
        return False
    session.add(
        Deployment(institution_id=institution_id, registration_id=registration.id, lti_id=lti_id, created_at=now)
    )
    session.flush()
    return True


# ---- both ways of registering ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a platform wants to be called."""

    auth_login_url: str
    auth_token_url: str
    auth_audience: str | None
    key_set_url: str


def _point_to(session: Session, registration: Registration, to: Endpoints, origins: Sequence[str]) -> None:
    """Set endpoints and add origins; forget tokens and keys that other endpoints gave."""
    before = Endpoints(
        registration.auth_login_url, registration.auth_token_url, registration.auth_audience, registration.key_set_url
    )
    registration.auth_login_url, registration.auth_token_url = to.auth_login_url, to.auth_token_url
    registration.auth_audience, registration.key_set_url = to.auth_audience, to.key_set_url
    registration.platform_origins = list(dict.fromkeys([*(registration.platform_origins or []), *origins]))
    session.add(registration)
    session.flush()
    if (before.auth_token_url, before.auth_audience) != (to.auth_token_url, to.auth_audience):
        session.execute(delete(AccessToken).where(AccessToken.registration_id == registration.id))
    if before.key_set_url != to.key_set_url:
        session.execute(delete(KeySet).where(KeySet.registration_id == registration.id))


def _found(session: Session, issuer: str, client_id: str) -> Registration | None:
    return session.scalar(_of_client(issuer, client_id))


def _of_client(issuer: str, client_id: str) -> Select[Registration]:
    return select(Registration).where(Registration.issuer == issuer, Registration.client_id == client_id)


def reencrypt(session: Session, secrets: KeyRing) -> int:
    """Seal keys and tokens again with the first secret key, so that older ones can be thrown away. Returns how many.

    Raises Undecipherable where a signing key cannot be read. A token that cannot be read is forgotten.
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
