"""What anybody can check: a published certificate, and the profile, key and withdrawals of who issued it."""

from typing import Any

from flask import Blueprint, Response, g, jsonify, make_response, render_template
from flask.typing import ResponseReturnValue

from lti_tool.certificates import rules, service, wording
from lti_tool.certificates.errors import CertificateNotPublished, CertificateWithdrawn
from lti_tool.certificates.rules import Standing
from lti_tool.web.access import kit
from lti_tool.web.database import transaction

pages = Blueprint("public_certificates", __name__)


@pages.get("/certificates/<key>")
def show(key: str) -> ResponseReturnValue:
    """A published certificate: whose, for what, hours, when, and when it was withdrawn. Nothing else of its holder."""
    try:
        with transaction(reading=True) as session:
            certificate = service.open_published(session, key)
            zone = service.zone_of(session, certificate)
    except CertificateNotPublished:
        # Guesses fill no record.
        return _unlisted(render_template("certificates/nothing.html", taken_back_at=None), 404)
    g.locale = certificate.locale
    if certificate.standing is Standing.TAKEN_BACK:
        return _unlisted(render_template("certificates/nothing.html", taken_back_at=certificate.taken_back_at), 410)
    shown = wording.shown(service.content_of(certificate), certificate.name, certificate.issued_at, zone)
    page = render_template("certificates/public.html", certificate=certificate, shown=shown, zone=zone)
    return _unlisted(page, 200)


@pages.get("/certificates/<key>/badge")
def badge(key: str) -> ResponseReturnValue:
    """The Open Badge of a published certificate, as a signed token."""
    tools = kit()
    try:
        with transaction() as session:
            certificate = service.open_published(session, key)
            if certificate.standing is not Standing.PUBLISHED:
                raise CertificateNotPublished
            g.locale = certificate.locale
            token = service.badge_of(
                session,
                certificate,
                wording.badge_words(service.content_of(certificate)),
                secrets=tools.secrets,
                base_url=tools.settings.base_url,
                now=tools.clock.now(),
            )
    except (CertificateNotPublished, CertificateWithdrawn):
        return _unlisted(render_template("certificates/nothing.html", taken_back_at=None), 404)
    answer = _unlisted(token, 200)
    answer.headers["Content-Type"] = "text/plain; charset=us-ascii"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@pages.get("/issuers/<address>")
def issuer(address: str) -> Response:
    """The profile of an institution that signs Open Badges."""
    with transaction(reading=True) as session:
        named, _ = service.open_issuer(session, address, base_url=kit().settings.base_url)
    return _for_verifiers(rules.profile(named))


@pages.get("/issuers/<address>/key")
def key_of_issuer(address: str) -> Response:
    """The public key with which its Open Badges are checked, as a JWK."""
    with transaction(reading=True) as session:
        _, key = service.open_issuer(session, address, base_url=kit().settings.base_url)
    return _for_verifiers(key.public_key)


@pages.get("/issuers/<address>/revocations")
def revocations(address: str) -> Response:
    """Its Open Badges that were withdrawn, by ids that tell nothing else."""
    with transaction(reading=True) as session:
        named, _ = service.open_issuer(session, address, base_url=kit().settings.base_url)
        withdrawn = service.withdrawn_keys(session)
    return _for_verifiers(rules.revocation_list(named, withdrawn))


def _unlisted(body: str, status: int) -> Response:
    answer = make_response(body, status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _for_verifiers(content: dict[str, Any]) -> Response:
    answer = jsonify(content)
    # Verifiers run in browsers too, on sites that nobody knows beforehand.
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
