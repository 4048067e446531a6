"""A learner's own certificate: asked for with a preview, taken as PDF and Open Badge, published and taken back."""

from typing import Any, Final

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, get_locale, gettext
from markupsafe import Markup

from lti_tool.activities.models import Activity
from lti_tool.activities.service import activity_at
from lti_tool.certificates import service, wording
from lti_tool.certificates.errors import CertificateUnknown, NameRefused, NotComplete
from lti_tool.certificates.models import Certificate
from lti_tool.certificates.service import Completed
from lti_tool.errors import N_, NotAllowed
from lti_tool.feedback.errors import PreviewOnly
from lti_tool.launch.models import Person
from lti_tool.programmes.models import Programme
from lti_tool.programmes.service import programme_with
from lti_tool.support import paper
from lti_tool.support.paper import PdfState
from lti_tool.web.access import Here, on_visit
from lti_tool.web.downloads import builds, offer

pages = Blueprint("certificate", __name__)

OF: Final = "/<any('certificate', 'programme-certificate'):of>"
"""The certificate for the activity, or the one for its programme."""
PDF: Final = "certificate"
BADGE: Final = "badge"
NAMES: Final = {"certificate_name": N_("Your name as it should appear")}
"""What pages call a field whose text could not be taken."""


@pages.url_value_preprocessor
def _note_which(endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.certificate_of = (values or {}).pop("of", "certificate")


@pages.url_defaults
def _stay_with_it(endpoint: str, values: dict[str, Any]) -> None:
    values.setdefault("of", g.get("certificate_of", "certificate"))


@pages.get(f"{OF}")
@on_visit(may="take part")
def show(here: Here) -> ResponseReturnValue:
    """The reader's certificate, or the form to ask for it."""
    if here.is_staff:
        return redirect(url_for("certificates.show_all"))
    activity = activity_at(here.session, here.placement_id)
    certificate = service.find(here.session, _completed(here, activity), _member(here))
    if certificate is None or (request.args.get("name") == "change" and certificate.withdrawn_at is None):
        name = certificate.name if certificate is not None else _name_in_course(here)
        return _form(here, activity, certificate, name)
    return render_template(
        "certificates/own.html",
        activity=activity,
        certificate=certificate,
        article=_article(activity, certificate),
        address=_address(here, certificate),
        pdf_words=wording.PDF_STATES,
        can_print=paper.can_make_pdf(),
        said=request.args.get("said"),
    )


@pages.post(f"{OF}")
@on_visit(may="take part")
def send(here: Here) -> ResponseReturnValue:
    """Show the certificate with a name; from there, issue it or write that name on it. Also once the course is over."""
    if here.is_preview or here.is_staff:
        raise PreviewOnly
    activity, member_id = activity_at(here.session, here.placement_id), _member(here)
    typed = request.form.get("certificate_name", "")
    completed = _completed(here, activity)
    certificate = service.find(here.session, completed, member_id)
    try:
        name = service.name_of(typed)
    except NameRefused as refused:
        return _form(here, activity, certificate, typed, refused), 422
    match request.form.get("do"):
        case "issue" if certificate is None:
            locale = str(get_locale() or "en")
            certificate = service.issue(here.session, completed, member_id, name, locale=locale, now=here.now)
            said = "issued"
        case "issue":
            certificate, said = service.rename(here.session, completed, member_id, name), "renamed"
        case "back":
            return _form(here, activity, certificate, typed)
        case _:
            return _preview(here, activity, certificate, name)
    _draw(here, activity, certificate)
    return redirect(url_for(".show", said=said), code=303)


@pages.post(f"{OF}/publish")
@on_visit(may="take part")
def publish(here: Here) -> ResponseReturnValue:
    """Let anybody with its address read it, or no longer."""
    if here.is_preview or here.is_staff:
        raise PreviewOnly
    activity, member_id = activity_at(here.session, here.placement_id), _member(here)
    match request.form.get("do"):
        case "publish":
            service.publish(here.session, _completed(here, activity), member_id, now=here.now)
            said = "published"
        case "take_back":
            service.take_back(here.session, _completed(here, activity), member_id, now=here.now)
            said = "taken_back"
        case pressed:
            raise NotAllowed("certificate", pressed)
    return redirect(url_for(".show", said=said), code=303)


@pages.post(f"{OF}/pdf")
@on_visit(may="take part")
def pdf(here: Here) -> ResponseReturnValue:
    """Offer the PDF as a file; where there is none, have one made."""
    if here.is_preview or here.is_staff:
        raise PreviewOnly
    activity = activity_at(here.session, here.placement_id)
    certificate = _own(here, activity)
    if certificate.pdf_state == PdfState.READY:
        return offer(here, PDF, certificate_id=certificate.id)
    _draw(here, activity, certificate)
    return redirect(url_for(".show"), code=303)


@builds(pages, PDF)
def build_pdf(here: Here, details: dict[str, Any]) -> Response:
    """The certificate as a PDF."""
    answer = make_response(service.pdf_of(here.session, details["certificate_id"]) or b"")
    answer.headers["Content-Type"] = "application/pdf"
    return _as_file(answer, "certificate.pdf")


@pages.post(f"{OF}/badge")
@on_visit(may="take part")
def badge(here: Here) -> ResponseReturnValue:
    """Offer the Open Badge as a file."""
    if here.is_preview or here.is_staff:
        raise PreviewOnly
    activity = activity_at(here.session, here.placement_id)
    return offer(here, BADGE, certificate_id=_own(here, activity).id)


@builds(pages, BADGE)
def build_badge(here: Here, details: dict[str, Any]) -> Response:
    """The certificate as an Open Badges 3.0 credential, a JWT in a text file."""
    certificate = here.session.get_one(Certificate, details["certificate_id"])
    with force_locale(certificate.locale):
        words = wording.badge_words(service.content_of(certificate))
    kit = here.kit
    token = service.badge_of(
        here.session, certificate, words, secrets=kit.secrets, base_url=kit.settings.base_url, now=here.now
    )
    answer = make_response(token)
    answer.headers["Content-Type"] = "text/plain; charset=us-ascii"
    return _as_file(answer, "open-badge.txt")


def _as_file(answer: Response, name: str) -> Response:
    # No name of a person: files lie in shared folders and stand in lists of downloads.
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _draw(here: Here, activity: Activity, certificate: Certificate) -> None:
    """Have the PDF made of the certificate as it is now, in the language in which it was issued."""
    with force_locale(certificate.locale):
        document = render_template(
            "certificates/document.html", shown=_shown(activity, certificate), address=_address(here, certificate)
        )
    service.keep_document(here.session, certificate, document, can_print=paper.can_make_pdf(), now=here.now)


def _article(activity: Activity, certificate: Certificate) -> Markup:
    """The certificate in the language in which it was issued."""
    with force_locale(certificate.locale):
        return Markup(render_template("certificates/_article.html", shown=_shown(activity, certificate)))  # noqa: S704 - escaped by the template


def _shown(activity: Activity, certificate: Certificate) -> wording.Shown:
    content = service.content_of(certificate)
    return wording.shown(content, certificate.name, certificate.issued_at, activity.time_zone)


def _address(here: Here, certificate: Certificate) -> str:
    return here.kit.settings.base_url + url_for("public_certificates.show", key=certificate.key)


def _preview(here: Here, activity: Activity, certificate: Certificate | None, name: str) -> ResponseReturnValue:
    if certificate is None:
        content, issued_at = (
            service.content_for(here.session, _completed(here, activity), _member(here), now=here.now),
            here.now,
        )
    else:
        content, issued_at = service.content_of(service.in_force(certificate)), certificate.issued_at
    shown = wording.shown(content, name, issued_at, activity.time_zone)
    return render_template("certificates/preview.html", certificate=certificate, shown=shown)


def _form(
    here: Here, activity: Activity, certificate: Certificate | None, name: str, refused: NameRefused | None = None
) -> str:
    is_due = certificate is not None or _is_due(here, activity)
    problems = [("certificate_name", gettext(wording.FLAWS[refused.flaw]))] if refused is not None else []
    return render_template(
        "certificates/form.html",
        gives_one=service.gives_one(here.session, _completed(here, activity)),
        is_of_programme=isinstance(_completed(here, activity), Programme),
        certificate=certificate,
        name=name,
        is_due=is_due,
        problems=problems,
    )


def _is_due(here: Here, activity: Activity) -> bool:
    if here.is_preview:
        return False
    try:
        service.content_for(here.session, _completed(here, activity), _member(here), now=here.now)
    except NotComplete:
        return False
    return True


def _own(here: Here, activity: Activity) -> Certificate:
    certificate = service.find(here.session, _completed(here, activity), _member(here))
    if certificate is None:
        raise CertificateUnknown(activity.id)
    return service.in_force(certificate)


def _completed(here: Here, activity: Activity) -> Completed:
    """What the address names: the activity, or the programme in which it gives a certificate."""
    if g.certificate_of == "certificate":
        return activity
    programme = programme_with(here.session, activity.id)
    if programme is None:
        raise CertificateUnknown(activity.id)
    return programme


def _member(here: Here) -> int:
    if here.member_id is None:
        raise NotAllowed("certificate", here.visit.key)
    return here.member_id


def _name_in_course(here: Here) -> str:
    return (here.session.get_one(Person, here.person_id).name or "")[:255]
