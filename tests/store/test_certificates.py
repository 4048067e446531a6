"""One certificate for a member and an activity, however it is asked for; one key for an institution."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import CertificateTerms, Completion, RoundDates, kind_of
from lti_tool.certificates import service
from lti_tool.certificates.errors import CertificateNotPublished, NotComplete
from lti_tool.certificates.models import Certificate, CredentialKey
from lti_tool.certificates.rules import BadgeWords, total
from lti_tool.progress import service as progress
from lti_tool.support import paper
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import OpenSession, across_institutions
from lti_tool.support.paper import PdfState
from tests.factories.feedback import Classroom, a_classroom, given
from tests.fakes.clock import FakeClock

pytestmark = pytest.mark.store
TERMS = CertificateTerms("Coaching", "", {"observed": Decimal("1.5"), "observer": Decimal(1)})
FEEDBACK_COUNTS = Completion.from_json({"give_feedback": 1, "acknowledge": 0}, kind_of("observation"))
WORDS = BadgeWords("d", "c", "n")


def a_room(session: Session, clock: FakeClock) -> Classroom:
    """Mette and Jonas in two rounds; giving feedback counts."""
    rounds = (RoundDates(due_at=clock.now() + timedelta(days=7)),) * 2
    settings = {"certificate": TERMS, "completion": FEEDBACK_COUNTS, "rounds": rounds}
    return a_classroom(session, "Mette", "Jonas", now=clock.now(), **settings)


def issued(session: Session, room: Classroom, clock: FakeClock, name: str = "Mette") -> Certificate:
    activity = session.get_one(Activity, room.activity.id)
    return service.issue(session, activity, room.members["Mette"].id, name, locale="en", now=clock.now())


def done(session: Session, room: Classroom, clock: FakeClock, *rounds: int) -> None:
    for number in rounds:
        given(session, room.task(session, "Mette", "Jonas", number), now=clock.now())


def test_two_who_ask_at_once_get_the_same(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        done(session, room, clock, 1, 2)
    found: list[tuple[int, str]] = []
    start = threading.Barrier(4)

    def ask(name: str) -> None:
        start.wait(10)
        with open_session(room.institution.id) as session:
            certificate = issued(session, room, clock, name)
            found.append((certificate.id, certificate.name))

    threads = [threading.Thread(target=ask, args=(f"Name {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(found), len(set(found))) == (4, 1)
    with open_session(room.institution.id) as session:
        assert session.scalar(select(func.count(Certificate.id))) == 1


def test_what_is_excused_is_not_asked_for_and_counts_no_hours(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        done(session, room, clock, 1)
        with pytest.raises(NotComplete):
            issued(session, room, clock)
        member_id = room.members["Mette"].id
        progress.allow(
            session,
            room.activity,
            2,
            [member_id],
            due_at=None,
            is_excused=True,
            by=room.members["Ingrid"].person_id,
            now=clock.now(),
        )
        certificate = issued(session, room, clock)
        assert total(service.content_of(certificate).hours) == Decimal("2.5")
        assert (certificate.title, certificate.issuer) == ("Coaching", room.institution.name)


def test_one_who_is_excused_from_everything_and_an_activity_without_certificates_get_none(
    open_session: OpenSession, clock: FakeClock
) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        by, member_id = room.members["Ingrid"].person_id, room.members["Mette"].id
        for number in (1, 2):
            progress.allow(
                session, room.activity, number, [member_id], due_at=None, is_excused=True, by=by, now=clock.now()
            )
        with pytest.raises(NotComplete):
            issued(session, room, clock)
        progress.allow(session, room.activity, 1, [member_id], due_at=None, is_excused=False, by=by, now=clock.now())
        done(session, room, clock, 1)
        room.activity.certificate = None
        with pytest.raises(NotComplete):
            issued(session, room, clock)


def test_a_pdf_of_an_earlier_name_is_thrown_away(open_session: OpenSession, clock: FakeClock) -> None:
    with open_session() as session:
        room = a_room(session, clock)
        done(session, room, clock, 1, 2)
        certificate = issued(session, room, clock)
        service.keep_document(session, certificate, "with the old name", can_print=True, now=clock.now())
        service.rename(session, room.activity, room.members["Mette"].id, "Mette Ny")
        service.keep_document(session, certificate, "with the new name", can_print=True, now=clock.now())
        paper.keep_pdf(session, Certificate, certificate.id, "with the old name", (b"old", PdfState.READY))
        assert (service.pdf_of(session, certificate.id), certificate.pdf_state) == (None, "waiting")
        paper.keep_pdf(session, Certificate, certificate.id, "with the new name", (b"new", PdfState.READY))
        assert service.pdf_of(session, certificate.id) == b"new"
        assert paper.waiting_document(session, Certificate, certificate.id) is None, "nothing is left to do"


def test_each_institution_signs_with_a_key_of_its_own_that_outlives_the_operators(
    open_session: OpenSession, clock: FakeClock
) -> None:
    old, new = KeyRing.generate_key(), KeyRing.generate_key()
    at = {"base_url": "https://tandem.example", "now": clock.now()}
    rooms = []
    tokens = []
    for _ in range(2):
        with open_session() as session:
            rooms.append(room := a_room(session, clock))
            done(session, room, clock, 1, 2)
        with open_session(room.institution.id) as session:
            certificate = issued(session, room, clock)
            tokens.append(service.badge_of(session, certificate, WORDS, secrets=KeyRing([old]), **at))
    with open_session() as session, across_institutions(session):
        keys = session.scalars(select(CredentialKey).order_by(CredentialKey.id)).all()
        assert len({key.kid for key in keys}) == len({key.address for key in keys}) == 2
        assert service.reencrypt(session, KeyRing([new, old])) == 2
    with open_session(rooms[0].institution.id) as session:
        certificate = session.scalars(select(Certificate)).one()
        assert service.badge_of(session, certificate, WORDS, secrets=KeyRing([new]), **at) == tokens[0]
        with pytest.raises(CertificateNotPublished):
            service.open_published(session, certificate.key)
        other = KeyRing([KeyRing.generate_key()])
        assert service.badge_of(session, certificate, WORDS, secrets=other, **at) != tokens[0], "lost keys are replaced"
        assert session.scalars(select(CredentialKey.number).order_by(CredentialKey.number)).all() == [1, 2]
    with open_session() as session:
        issuer, key = service.open_issuer(session, keys[1].address, base_url=at["base_url"])
        assert (issuer.name, key.institution_id) == (rooms[1].institution.name, rooms[1].institution.id)
        assert service.withdrawn_keys(session) == []
