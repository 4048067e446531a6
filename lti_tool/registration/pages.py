"""Pages that platforms and their administrators open to register us."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Blueprint, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.registration import gateway
from lti_tool.registration.errors import (
    ConfigurationMissing,
    ConfigurationRefused,
    InvitationUnusable,
    RegistrationError,
)
from lti_tool.registration.models import Institution
from lti_tool.registration.rules.dynamic import (
    TITLE,
    PlatformConfiguration,
    canvas_developer_key,
    default_policy,
    read_configuration,
    read_granted,
    registration_document,
)
from lti_tool.registration.rules.registrations import NewDeployments, is_short_text, is_usable_address
from lti_tool.registration.service.answers import (
    Known,
    Wishes,
    keep_registration,
    known_registrations,
    new_administrator_code,
)
from lti_tool.registration.service.invitations import claim_invitation, follow_up, release_invitation, usable_invitation
from lti_tool.registration.service.keys import ensure_signing_key
from lti_tool.support.addresses import host_of, origin_of
from lti_tool.support.kit import Kit
from lti_tool.web import audit
from lti_tool.web.access import kit
from lti_tool.web.database import transaction

PlacedOn = Callable[[Session, Sequence[int]], Mapping[int, Sequence[str]]]
"""A function that names the activities placed through registrations; the app sets it."""

pages = Blueprint("registration", __name__)

LONGEST_TOKEN = 16_384


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the registration address: the platform's, and our invitation."""

    invite: str = field(repr=False)
    configuration_url: str
    token: str | None = field(repr=False)


@pages.get("/lti/register")
def show() -> ResponseReturnValue:
    """Show what would be registered. Changes nothing, so reloading is safe."""
    tools = kit()
    with _refusals_on_record(tools):
        asked = _asked(request.args)
        with transaction(reading=True) as session:
            invitation = usable_invitation(session, asked.invite, now=tools.clock.now())
            institution = session.get_one(Institution, invitation.institution_id)
        g.registering_for = institution.id
        configuration = _checked_configuration(tools, asked)
        with transaction(reading=True) as session:
            registrations = known_registrations(session, institution.id, configuration.issuer)
            placed = _placed_on(session, registrations)
    return render_template(
        "registration/register.html",
        asked=asked,
        configuration=configuration,
        document=registration_document(configuration, base_url=tools.settings.base_url, title=TITLE),
        host=host_of(configuration.url),
        institution=institution,
        known=registrations,
        placed=placed,
        policy=default_policy(configuration),
    )


@pages.post("/lti/register")
def register() -> ResponseReturnValue:
    """Register with the platform. Only a success uses the invitation up.

    Nobody is asked whether this updates a registration: the platform decides, by the client id that it answers with.
    """
    tools = kit()
    with _refusals_on_record(tools):
        asked = _asked(request.form)
        with transaction() as session:
            invitation = claim_invitation(session, asked.invite, now=tools.clock.now())
            invitation_id, g.registering_for = invitation.id, invitation.institution_id
            ensure_signing_key(session, tools.secrets, now=tools.clock.now())
        try:
            return _register(tools, asked)
        finally:
            # After a success the invitation is used up, and this changes nothing that matters.
            with transaction() as session:
                release_invitation(session, invitation_id)


def _register(tools: Kit, asked: Asked) -> str:
    configuration = _checked_configuration(tools, asked)
    wishes = _wishes(request.form, configuration)
    document = registration_document(configuration, base_url=tools.settings.base_url, title=TITLE)
    granted = read_granted(gateway.send_registration(tools.http, configuration.registration_url, asked.token, document))
    with transaction() as session:
        invitation = usable_invitation(session, asked.invite, now=tools.clock.now())
        kept = keep_registration(session, invitation, configuration, granted, wishes, now=tools.clock.now())
        code = new_administrator_code(kept.registration)
        return render_template(
            "registration/done.html",
            kept=kept,
            registration=kept.registration,
            institution=session.get_one(Institution, invitation.institution_id),
            placed=_placed_on(session, kept.beside),
            code=code,
            follow_up=follow_up(invitation),
            granted=granted,
            missing=_not_granted(document, granted.scopes),
            close_origins=" ".join(configuration.origins),
            family=(configuration.family or "").lower(),
        )


@pages.get("/lti/config.json")
def canvas_configuration() -> ResponseReturnValue:
    """The developer-key JSON for a Canvas administrator who registers by hand."""
    return canvas_developer_key(base_url=kit().settings.base_url, title=TITLE)


def _asked(sent: Mapping[str, str]) -> Asked:
    invite, url, token = sent.get("invite", ""), sent.get("openid_configuration", ""), sent.get("registration_token")
    if not invite or len(invite) > 255:
        raise InvitationUnusable
    if not url:
        raise ConfigurationMissing
    if not is_usable_address(url, development=kit().settings.development):
        raise ConfigurationRefused("address")
    if token is not None and not (token.isascii() and token.isprintable() and len(token) <= LONGEST_TOKEN):
        raise ConfigurationRefused("registration_token")
    return Asked(invite, url, token or None)


def _checked_configuration(tools: Kit, asked: Asked) -> PlatformConfiguration:
    """Fetch and check what the platform says about itself; from then on its own pages may frame ours."""
    document = gateway.fetch_configuration(tools.http, asked.configuration_url, asked.token)
    configuration = read_configuration(asked.configuration_url, document, development=tools.settings.development)
    # Canvas serves its configuration from its sign-on host, while the frame around us is of the registering host.
    frames = (configuration.url, configuration.registration_url)
    g.frame_ancestors = list(dict.fromkeys(origin_of(address) for address in frames))
    return configuration


def _wishes(sent: Mapping[str, str], configuration: PlatformConfiguration) -> Wishes:
    title, policy = (sent.get(name, "").strip() for name in ("title", "new_deployments"))
    return Wishes(
        title=title if is_short_text(title) else host_of(configuration.url),
        new_deployments=(NewDeployments(policy) if policy in tuple(NewDeployments) else default_policy(configuration)),
    )


def _placed_on(session: Session, registrations: Sequence[Known]) -> Mapping[int, Sequence[str]]:
    """The activities that depend on each of these registrations, in words."""
    placed_on: PlacedOn = current_app.extensions["tandem.placed_on"]
    return placed_on(session, [one.id for one in registrations])


def _not_granted(document: Mapping[str, str], granted: frozenset[str]) -> list[str]:
    """Scopes that we asked for and did not get; none where the platform does not say."""
    return [scope for scope in document["scope"].split() if granted and scope not in granted]


@contextmanager
def _refusals_on_record(tools: Kit) -> Iterator[None]:
    """Write every refusal into the audit, under the reference that its page shows."""
    try:
        yield
    except RegistrationError as refusal:
        with transaction() as session:
            reference = audit.record(
                session,
                "registration refused",
                now=tools.clock.now(),
                institution_id=g.get("registering_for"),
                source=audit.source_of(request.remote_addr, tools.secrets),
                reason=type(refusal).__name__,
                where=getattr(refusal, "what", None),
            )
        refusal.reference = reference
        raise
