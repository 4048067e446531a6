"""Issue certificates, publish and withdraw them, sign their credentials, and make their PDFs."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

import jwt
from sqlalchemy import ColumnElement, Select, delete, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import CertificateTerms, kind_for, seats_with_hours
from lti_tool.certificates import rules
from lti_tool.certificates.errors import (
    CertificateNotPublished,
    CertificateUnknown,
    CertificateWithdrawn,
    NameRefused,
    NotComplete,
    ReasonRefused,
)
from lti_tool.certificates.models import Certificate, CredentialKey
from lti_tool.certificates.rules import BadgeWords, Content, Issuer, SeatHours, Standing
from lti_tool.feedback.rules import clean
from lti_tool.jobs import queue
from lti_tool.launch.models import Course, Member, Person
from lti_tool.pairing import service as pairing
from lti_tool.programmes import service as programmes
from lti_tool.programmes.models import Programme
from lti_tool.progress import service as progress
from lti_tool.progress.rules import Progress
from lti_tool.registration.models import Institution
from lti_tool.support.crypto import KeyRing, PrivateKey, Undecipherable, load_private_key, new_secret, new_signing_key
from lti_tool.support.db import across_institutions, find_or_add, serve, served_institution
from lti_tool.support.paper import PdfState
from lti_tool.support.spelling import compared

PDF: Final = "certificates.pdf"
KEY_BYTES: Final = 18
"""144 random bits in a public address."""
A_PAGE: Final = 50

Completed: TypeAlias = Activity | Programme
"""What a certificate is for."""


def terms_of(activity: Activity) -> CertificateTerms | None:
    """What the designer says about certificates of this activity; None where it gives none."""
    return CertificateTerms.from_json(activity.certificate)


def find(session: Session, completed: Completed, member_id: int) -> Certificate | None:
    """The certificate of a member, withdrawn or not."""
    return session.scalar(_own(completed, member_id))


def programme_of(session: Session, activity: Activity) -> Programme | None:
    """The programme of an activity, where it gives one certificate in place of those of its activities."""
    programme = programmes.programme_with(session, activity.id)
    return programme if programme is not None and programme.gives_certificate else None


def gives_one(session: Session, completed: Completed) -> bool:
    """Whether there is a certificate for it at all."""
    if isinstance(completed, Programme):
        return completed.gives_certificate
    return terms_of(completed) is not None and programme_of(session, completed) is None


def content_for(session: Session, completed: Completed, member_id: int, *, now: datetime) -> Content:
    """What the member's certificate would say. Raises NotComplete."""
    if isinstance(completed, Programme):
        return _content_of_programme(session, completed, member_id, now=now)
    progress_now = progress.progress_of(session, completed.id, member_id, now)
    terms = terms_of(completed)
    if terms is None or not progress_now.is_complete or programme_of(session, completed) is not None:
        raise NotComplete(completed.id)
    return _content(session, completed, terms, member_id, progress_now)


def _content_of_programme(session: Session, programme: Programme, member_id: int, *, now: datetime) -> Content:
    """The hours of all its activities together. An activity whose link is gone asks for nothing, nor does one from
    which the member is excused.
    """
    hours: dict[str, Decimal] = {}
    issuers, has_completed = [], False
    for stage in programmes.stages_of(session, programme.id):
        done = progress.progress_of(session, stage.activity.id, member_id, now)
        if stage.counts and not (done.is_complete or done.is_excused_from_all or stage.is_gone):
            raise NotComplete(stage.activity.id)
        has_completed |= stage.counts and done.is_complete
        terms = terms_of(stage.activity)
        if terms is not None and done.is_complete:
            issuers.append(_issuer(session, terms))
            for seat in _content(session, stage.activity, terms, member_id, done).hours:
                hours[seat.seat] = hours.get(seat.seat, Decimal(0)) + seat.hours
    if not (programme.gives_certificate and has_completed):
        raise NotComplete(programme.id)
    issuer = issuers[0] if issuers else _issuer(session, CertificateTerms())
    return Content(programme.title, issuer, tuple(SeatHours(seat, sum_) for seat, sum_ in hours.items()))


def example_of(session: Session, activity: Activity) -> Content:
    """What it would say of somebody who takes every seat in every round. Raises NotComplete where there is none."""
    terms = terms_of(activity)
    if terms is None:
        raise NotComplete(activity.id)
    every = [
        SeatHours(seat.title, terms.hours[seat.key])
        for seat in seats_with_hours(kind_for(activity))
        if terms.hours.get(seat.key)
    ]
    programme = programme_of(session, activity)
    title = programme.title if programme is not None else terms.title or activity.title
    return Content(title, _issuer(session, terms), tuple(every))


def issue(
    session: Session, completed: Completed, member_id: int, name: str, *, locale: str, now: datetime
) -> Certificate:
    """The member's certificate with their name as they write it; the one there is, if they have one.

    Raises NameRefused, NotComplete, CertificateWithdrawn.
    """
    name = name_of(name)
    issued = find(session, completed, member_id)
    if issued is not None:
        return in_force(issued)
    content = content_for(session, completed, member_id, now=now)
    # Asked for twice at once: the database keeps one, and both see it.
    return find_or_add(
        session,
        _own(completed, member_id),
        lambda: Certificate(
            activity_id=completed.id if isinstance(completed, Activity) else None,
            programme_id=completed.id if isinstance(completed, Programme) else None,
            member_id=member_id,
            key=new_secret(KEY_BYTES),
            name=name,
            title=content.title,
            issuer=content.issuer,
            hours=[[one.seat, str(one.hours)] for one in content.hours],
            locale=locale,
            issued_at=now.replace(microsecond=0),
            pdf_state=PdfState.IMPOSSIBLE,
        ),
    )


def rename(session: Session, completed: Completed, member_id: int, name: str) -> Certificate:
    """Write another name on a certificate. Raises NameRefused, CertificateUnknown, CertificateWithdrawn."""
    certificate = in_force(_locked(session, completed, member_id))
    certificate.name = name_of(name)
    session.flush()
    return certificate


def keep_document(session: Session, certificate: Certificate, document: str, *, can_print: bool, now: datetime) -> None:
    """Have a PDF made of this document, in place of the one before."""
    certificate.document, certificate.pdf = document, None
    certificate.pdf_state = PdfState.WAITING if can_print else PdfState.IMPOSSIBLE
    session.flush()
    if can_print:
        queue.enqueue(
            session,
            PDF,
            {"certificate_id": certificate.id},
            institution_id=served_institution(session),
            now=now,
            unique_key=f"{PDF}:{certificate.id}",
            calls=queue.DOCUMENTS,
        )


def publish(session: Session, completed: Completed, member_id: int, *, now: datetime) -> None:
    """Let anybody with its address read a certificate. Raises CertificateUnknown, CertificateWithdrawn."""
    certificate = in_force(_locked(session, completed, member_id))
    certificate.published_at, certificate.taken_back_at = certificate.published_at or now, None
    session.flush()


def take_back(session: Session, completed: Completed, member_id: int, *, now: datetime) -> None:
    """Let nobody read it at its address any more; also once it is withdrawn. Raises CertificateUnknown."""
    certificate = _locked(session, completed, member_id)
    if certificate.published_at is not None:
        certificate.published_at, certificate.taken_back_at = None, now
    session.flush()


def pdf_of(session: Session, certificate_id: int) -> bytes | None:
    """The PDF of a certificate; None while there is none."""
    return session.scalar(select(Certificate.pdf).where(Certificate.id == certificate_id))


# ---- what staff see and do -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """A certificate as staff see it, with the name that the platform tells."""

    certificate: Certificate
    hours: Decimal
    name_in_course: str | None


def certificates_of(session: Session, activity_id: int, *, page: int) -> tuple[list[Listed], int]:
    """A page of an activity's certificates and those of its programme, newest first, and how many there are in all."""
    count = session.scalar(select(func.count(Certificate.id)).where(_in_list_of(session, activity_id))) or 0
    rows = session.execute(
        select(Certificate, Person.name)
        .join(Member, Member.id == Certificate.member_id)
        .join(Person, Person.id == Member.person_id)
        .where(_in_list_of(session, activity_id))
        .order_by(Certificate.issued_at.desc(), Certificate.id.desc())
        .limit(A_PAGE)
        .offset((page - 1) * A_PAGE)
    )
    return [Listed(one, rules.total(content_of(one).hours), name) for one, name in rows], count


def withdraw(
    session: Session, activity_id: int, certificate_id: int, reason: str, *, by: int, now: datetime
) -> Certificate:
    """Say of a certificate that it was issued in error; `by` is a person. Raises CertificateUnknown, ReasonRefused."""
    certificate = _of_activity(session, activity_id, certificate_id)
    reason = clean(reason).strip()
    if (flaw := rules.flaw_of_reason(reason)) is not None:
        raise ReasonRefused(flaw)
    certificate.withdrawn_at, certificate.withdrawn_why = certificate.withdrawn_at or now, reason
    certificate.withdrawn_by_id = by
    session.flush()
    return certificate


def put_back(session: Session, activity_id: int, certificate_id: int) -> Certificate:
    """Let a certificate stand that was withdrawn. Raises CertificateUnknown."""
    certificate = _of_activity(session, activity_id, certificate_id)
    certificate.withdrawn_at, certificate.withdrawn_why, certificate.withdrawn_by_id = None, "", None
    session.flush()
    return certificate


# ---- what anybody sees -----------------------------------------------------------------------------------------------


def open_published(session: Session, key: str) -> Certificate:
    """The certificate at a public address, published, taken back or withdrawn; binds the session to its institution.

    Raises CertificateNotPublished where nothing was ever published there.
    """
    with across_institutions(session):
        certificate = session.scalar(select(Certificate).where(Certificate.key == key))
    if certificate is None or certificate.standing is Standing.PRIVATE:
        raise CertificateNotPublished
    serve(session, certificate.institution_id)
    return certificate


def open_issuer(session: Session, address: str, *, base_url: str) -> tuple[Issuer, CredentialKey]:
    """The institution whose profile is at this address; binds the session to it. Raises CertificateNotPublished."""
    with across_institutions(session):
        key = session.scalar(select(CredentialKey).where(CredentialKey.address == address))
    if key is None:
        raise CertificateNotPublished
    serve(session, key.institution_id)
    return _named(session, key, base_url), key


def zone_of(session: Session, certificate: Certificate) -> str:
    """The time zone in which its day is told: that of its activity, or of the first one of its programme."""
    if certificate.activity_id is not None:
        return session.get_one(Activity, certificate.activity_id).time_zone
    stages = programmes.stages_of(session, certificate.programme_id or 0)
    return stages[0].activity.time_zone if stages else "UTC"


def withdrawn_keys(session: Session) -> list[str]:
    """The keys of all certificates that the institution withdrew."""
    return list(
        session.scalars(select(Certificate.key).where(Certificate.withdrawn_at.is_not(None)).order_by(Certificate.id))
    )


def badge_of(
    session: Session, certificate: Certificate, words: BadgeWords, *, secrets: KeyRing, base_url: str, now: datetime
) -> str:
    """The certificate as an Open Badges 3.0 credential, a JWT signed with the institution's key.

    Raises CertificateWithdrawn.
    """
    key, private = _key(session, secrets, now=now)
    issuer = _named(session, key, base_url)
    claims = rules.credential(
        key=in_force(certificate).key,
        holder=certificate.name,
        title=certificate.title,
        issued_at=certificate.issued_at,
        achievement=f"{issuer.address} {certificate.activity_id or f'programme {certificate.programme_id}'}",
        issuer=issuer,
        words=words,
    )
    return jwt.encode(claims, private, algorithm="RS256", headers={"kid": issuer.key_address})


# ---- personal data, and keys -----------------------------------------------------------------------------------------


def texts_of(session: Session, own: Collection[int]) -> list[dict[str, Any]]:
    """The certificates of a person's memberships as plain values."""
    rows = session.execute(
        select(Certificate, Course.title)
        .join(Member, Member.id == Certificate.member_id)
        .join(Course, Course.id == Member.course_id)
        .where(Certificate.member_id.in_(own))
        .order_by(Certificate.id)
    )
    return [
        {
            "course": course,
            "title": one.title,
            "name": one.name,
            "issued_by": one.issuer,
            "hours": f"{rules.total(content_of(one).hours):f}",
            "at": _moment(one.issued_at),
            "published": _moment(one.published_at),
            "taken_back": _moment(one.taken_back_at),
            "withdrawn": _moment(one.withdrawn_at),
            "reason": one.withdrawn_why,
        }
        for one, course in rows
    ]


def erase_of(session: Session, own: Collection[int]) -> None:
    """Remove the certificates of a person. What they have downloaded stays valid; their public addresses end."""
    gone = delete(Certificate).where(Certificate.member_id.in_(own))
    session.execute(gone.execution_options(synchronize_session=False))
    session.expire_all()


def reencrypt(session: Session, secrets: KeyRing) -> int:
    """Encrypt the institutions' keys again with the first secret key. Returns how many. Raises Undecipherable."""
    keys = session.scalars(select(CredentialKey)).all()
    for key in keys:
        key.private_key = secrets.reencrypt(key.private_key)
    return len(keys)


def content_of(certificate: Certificate) -> Content:
    """What a certificate says beside the name."""
    hours = tuple(SeatHours(seat, Decimal(hours)) for seat, hours in certificate.hours)
    return Content(certificate.title, certificate.issuer, hours)


def name_of(text: str) -> str:
    """A name as it stands on a certificate: one line. Raises NameRefused."""
    name = " ".join(clean(text).split())
    # Characters that no one sees are no name.
    if (flaw := rules.flaw_of_name(name if compared(name) else "")) is not None:
        raise NameRefused(flaw)
    return name


def _content(session: Session, activity: Activity, terms: CertificateTerms, member_id: int, done: Progress) -> Content:
    kind = kind_for(activity)
    groups = pairing.published_groups(session, activity.id, member_id=member_id)
    seats = {group.round_number: group.seat_of(kind, member_id) for group in groups}
    hours = rules.hours_in_seats(terms, kind, seats, done)
    return Content(terms.title or activity.title, _issuer(session, terms), hours)


def _issuer(session: Session, terms: CertificateTerms) -> str:
    return terms.issuer or session.get_one(Institution, served_institution(session)).name


def _own(completed: Completed, member_id: int) -> Select[Certificate]:
    column = Certificate.activity_id if isinstance(completed, Activity) else Certificate.programme_id
    return select(Certificate).where(column == completed.id, Certificate.member_id == member_id)


def _locked(session: Session, completed: Completed, member_id: int) -> Certificate:
    certificate = session.scalar(_own(completed, member_id).with_for_update().execution_options(populate_existing=True))
    if certificate is None:
        raise CertificateUnknown(completed.id)
    return certificate


def _of_activity(session: Session, activity_id: int, certificate_id: int) -> Certificate:
    certificate = session.scalar(
        select(Certificate)
        .where(Certificate.id == certificate_id, _in_list_of(session, activity_id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if certificate is None:
        raise CertificateUnknown(certificate_id)
    return certificate


def _in_list_of(session: Session, activity_id: int) -> ColumnElement[bool]:
    programme = programmes.programme_with(session, activity_id)
    of_programme = [Certificate.programme_id == programme.id] if programme is not None else []
    return or_(Certificate.activity_id == activity_id, *of_programme)


def in_force(certificate: Certificate) -> Certificate:
    """The certificate, where it was not withdrawn. Raises CertificateWithdrawn."""
    if certificate.withdrawn_at is not None:
        raise CertificateWithdrawn(certificate.id)
    return certificate


def _key(session: Session, secrets: KeyRing, *, now: datetime) -> tuple[CredentialKey, PrivateKey]:
    """The institution's key, ready to sign; made when it is first needed, and when the one before cannot be read any
    more because the operator's secret keys are lost. One of several transactions at once makes it.
    """
    newest = session.scalar(select(CredentialKey).order_by(CredentialKey.number.desc()).limit(1))
    if newest is not None:
        with suppress(Undecipherable):
            return newest, load_private_key(secrets.decrypt(newest.private_key))
    number = newest.number + 1 if newest is not None else 1
    wanted = select(CredentialKey).where(CredentialKey.number == number)
    key = find_or_add(session, wanted, lambda: _new_key(secrets, number, now=now))
    return key, load_private_key(secrets.decrypt(key.private_key))


def _new_key(secrets: KeyRing, number: int, *, now: datetime) -> CredentialKey:
    pair = new_signing_key()
    return CredentialKey(
        number=number,
        address=new_secret(KEY_BYTES),
        kid=pair.kid,
        private_key=secrets.encrypt(pair.private_pem),
        public_key=dict(pair.public_jwk),
        created_at=now,
    )


def _named(session: Session, key: CredentialKey, base_url: str) -> Issuer:
    name = session.get_one(Institution, key.institution_id).name
    return Issuer(f"{base_url}/issuers/{key.address}", name)


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
