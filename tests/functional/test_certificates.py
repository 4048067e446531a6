"""From completion to a certificate that anybody can check: asked for, previewed, published, taken back, withdrawn."""

import base64
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from pypdf import PdfReader
from sqlalchemy import func, select

from lti_tool.activities.models import Activity
from lti_tool.activities.rules import CertificateTerms, RoundDates
from lti_tool.certificates.models import Certificate
from lti_tool.feedback.models import Entry
from lti_tool.jobs.worker import Worker
from lti_tool.launch.models import Member
from lti_tool.support import paper
from lti_tool.support.db import OpenSession
from lti_tool.wiring import Services
from lti_tool.workspace import personal_data
from tests.factories.feedback import a_classroom, given
from tests.fakes.clock import FakeClock
from tests.functional.classroom import Browser, World

TERMS = CertificateTerms("Coaching <for> peers", "Center & Co", {"observed": Decimal("1.5"), "observer": Decimal(1)})
ANSWER = {"heard": "Wait longer.", "will_use": "I will count.", "usefulness": "4"}
NAME = "Mette Åström-O’Neill"


class Course(World):
    """Mette and Jonas observe each other in two rounds, with a certificate in the end."""

    services: Services

    def completes(self, who: str, partner: str) -> None:
        """In both rounds both give feedback, and `who` answers it."""
        self.give(who, partner)
        self.give(partner, who)
        self.answers(who)

    def give(self, author: str, recipient: str) -> None:
        with self.open_session(self.room.institution.id) as session:
            for number in (1, 2):
                given(session, self.room.task(session, author, recipient, number), now=self.clock.now())

    def answers(self, who: str) -> None:
        browser = self.browser(who)
        with self.open_session(self.room.institution.id) as session:
            wanted = select(Entry.id).where(
                Entry.recipient_id == self.room.members[who].id, Entry.step == "give_feedback"
            )
            found = session.scalars(wanted).all()
        assert found
        for feedback_id in found:
            assert browser.post(f"/feedback/{feedback_id}/answer", do="send", **ANSWER).status_code == 200

    def gets_one(self, who: str = "Mette", partner: str = "Jonas", name: str = NAME) -> Browser:
        self.completes(who, partner)
        browser = self.browser(who)
        assert "Here is your certificate" in browser.post("/certificate", do="issue", certificate_name=name).text
        return browser

    def works(self) -> None:
        Worker(self.services.kit, self.services.handlers).run_until_idle()

    def certificate(self) -> Certificate | None:
        with self.open_session(self.room.institution.id) as session:
            return session.scalars(select(Certificate)).one_or_none()

    def public(self, rest: str = "") -> Any:
        """The public address, as anybody reads it."""
        certificate = self.certificate()
        assert certificate is not None
        return self.client.application.test_client().get(f"/certificates/{certificate.key}{rest}")


@pytest.fixture
def world(open_session: OpenSession, clock: FakeClock, client: FlaskClient, services: Services) -> Course:
    with open_session() as session:
        due = clock.now() + timedelta(days=7)
        settings = {"certificate": TERMS, "rounds": (RoundDates(due_at=due), RoundDates(due_at=due))}
        room = a_classroom(session, "Mette", "Jonas", now=clock.now(), **settings)
    world = Course(open_session, clock, client, room)
    world.services = services
    return world


@pytest.fixture
def reader() -> Iterator[Any]:
    """Opens the PDF that a person downloads."""

    def read(browser: Browser) -> PdfReader:
        answer = browser.post("/certificate/pdf")
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), answer.text[:2000]
        assert "certificate.pdf" in answer.headers["Content-Disposition"]
        return PdfReader(io.BytesIO(answer.data))

    return read


def test_from_completion_to_a_public_address_and_back(world: Course) -> None:
    mette = world.browser("Mette")
    assert "Once all of it is done, you can get a certificate." in mette.get("/").text
    assert "Not yet" in mette.get("/certificate").text

    world.completes("Mette", "Jonas")
    assert "Get your certificate" in mette.get("/").text
    assert 'value="Mette"' in mette.get("/certificate").text, "the name is prefilled"
    for wrong, sentence in ((" \u200b ", "Write your name"), ("x" * 256, "Shorten the name")):
        page = mette.post("/certificate", do="issue", certificate_name=wrong)
        assert (page.status_code, sentence in page.text) == (422, True)
    page = mette.post("/certificate", do="preview", certificate_name=f"  {NAME}\n").text
    for text in ("Is this right?", NAME, "Coaching &lt;for&gt; peers", "Center &amp; Co", "Observed: 3 h", "in all: 5"):
        assert text in page
    assert world.certificate() is None, "a preview issues nothing"
    page = mette.post("/certificate", do="issue", certificate_name=NAME).text
    assert "Only you and your instructors see it" in page

    assert (world.public().status_code, NAME in world.public().text) == (404, False), "nobody sees it unasked"
    assert "Published." in mette.post("/certificate/publish", do="publish").text
    page = world.public()
    assert page.status_code == 200
    assert "noindex" in page.headers["X-Robots-Tag"]
    for text in (NAME, "Coaching &lt;for&gt; peers", "November 2, 2026", "Observer: 2 h"):
        assert text in page.text
    with world.open_session(world.room.institution.id) as session:
        activity = session.scalars(select(Activity)).one()
        for secret in ("Jonas", "Mette</", activity.key, world.room.course.title or "no title"):
            assert secret not in page.text
    assert "No longer publish it" in mette.get("/certificate").text
    assert "no longer published" in mette.post("/certificate/publish", do="take_back").text
    page = world.public()
    assert (page.status_code, NAME in page.text) == (410, False)
    assert re.search(r"until its holder stopped publishing it: <time[^>]*>Mon 2 Nov", page.text)
    assert world.public("/badge").status_code == 404


def test_none_is_issued_on_what_an_unread_partner_owes(world: Course) -> None:
    """Mette has done all that she can. Jonas owes her feedback; later hers is there, and she has not read it."""
    mette = world.browser("Mette")
    for author, recipient in (("Mette", "Jonas"), ("Jonas", "Mette")):
        world.give(author, recipient)
        answer = mette.post("/certificate", do="issue", certificate_name=NAME)
        assert (answer.status_code, "no certificate for you yet" in answer.text) == (409, True)
        assert "Get your certificate" not in mette.get("/").text
    assert world.certificate() is None


def test_asked_for_twice_there_is_one_with_the_first_name(world: Course) -> None:
    mette = world.gets_one()
    page = mette.post("/certificate", do="issue", certificate_name=NAME).text
    assert NAME in page
    with world.open_session(world.room.institution.id) as session:
        assert session.scalar(select(func.count(Certificate.id))) == 1
    page = mette.post("/certificate", do="issue", certificate_name="Mette Ny").text
    assert ("The name is changed." in page, "Mette Ny" in page, NAME in page) == (True, True, False)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        pytest.param("محمد الفاتح", "محمد", id="Arabic"),
        pytest.param("王小明", "王小明", id="Chinese"),
        pytest.param("Ådne " * 50 + "Åström"[:5], "Ådne", id="255-characters"),
        pytest.param("Ω" * 255, "ΩΩΩΩΩΩ", id="one-word-of-255"),
    ],
)
def test_the_pdf_has_every_name_on_one_tagged_page(world: Course, reader: Any, name: str, letters: str) -> None:
    mette = world.gets_one(name=name)
    assert "Your PDF is being made" in mette.get("/certificate").text
    world.works()
    pdf = reader(mette)
    assert len(pdf.pages) == 1
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert pdf.trailer["/Root"]["/Lang"] == "en"
    text = pdf.pages[0].extract_text().replace("\n", "").replace(" ", "")
    isolated = "".join(one for one in text if one.isalnum())
    assert letters in isolated or letters[::-1] in isolated
    assert "Observer:2h" in text


def test_letters_that_no_font_has_are_said_and_never_printed_as_boxes(world: Course) -> None:
    mette = world.gets_one(name="Mette \ue000")
    world.works()
    page = mette.get("/certificate").text
    assert "no font for some letters" in page
    assert "Download the PDF" not in page
    mette.post("/certificate", do="issue", certificate_name="Mette")
    world.works()
    assert "Download the PDF" in mette.get("/certificate").text


def test_without_the_extra_there_is_the_page_alone(world: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper, "_weasyprint", lambda: None)
    mette = world.gets_one()
    page = mette.get("/certificate").text
    assert "This server does not make PDFs." in page
    assert "Download the PDF" not in page
    monkeypatch.undo()
    mette.post("/certificate/pdf")
    world.works()
    assert "Download the PDF" in mette.get("/certificate").text


# ---- Open Badges -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verifier:
    """Checks a token as somebody who knows nothing but the token and the web: Open Badges 3.0, sections 8.2 and 9.

    Its library (jwcrypto) is not the one that signs (PyJWT).
    """

    client: FlaskClient
    now: datetime

    def fetch(self, address: str) -> Any:
        answer = self.client.application.test_client().get(address, headers={"Accept": "application/json"})
        assert answer.status_code == 200, address
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return json.loads(answer.text)

    def verified(self, token: str) -> dict[str, Any]:
        """The credential. Raises JWException or AssertionError."""
        header = json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))
        assert header.keys() <= {"alg", "kid", "jwk", "typ"}, "others are not allowed"
        assert (header["alg"], header.get("typ", "JWT")) == ("RS256", "JWT")
        key = JWK(**self.fetch(header["kid"]))
        assert not key.has_private
        jws = JWS()
        jws.deserialize(token)
        jws.verify(key, alg="RS256")
        found: dict[str, Any] = json.loads(jws.payload)
        assert header["kid"].startswith(f"{found['issuer']['id']}/"), "the key is the issuer's own"
        assert found["iss"] == found["issuer"]["id"]
        assert found["jti"] == found["id"]
        assert found["sub"] == found["credentialSubject"]["id"]
        valid_from = datetime.strptime(found["validFrom"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        assert found["nbf"] == valid_from.timestamp()
        assert valid_from <= self.now
        self.conforms(found)
        return found

    def conforms(self, found: dict[str, Any]) -> None:
        """The shape that the schema of an AchievementCredential asks for."""
        assert found["@context"][0] == "https://www.w3.org/ns/credentials/v2"
        assert re.fullmatch(r"https://purl\.imsglobal\.org/spec/ob/v3p0/context-3.0.\d\.json", found["@context"][1])
        assert set(found["type"]) == {"VerifiableCredential", "OpenBadgeCredential"}
        for uri in (found["id"], found["issuer"]["id"], found["sub"], found["credentialStatus"]["id"]):
            assert re.match(r"(https?|urn):\S+$", uri), uri
        assert "Profile" in found["issuer"]["type"]
        assert found["name"]
        subject = found["credentialSubject"]
        assert "AchievementSubject" in subject["type"]
        for one in subject["identifier"]:
            assert one.keys() == {"type", "hashed", "identityHash", "identityType"}
            assert (one["type"], one["hashed"], one["identityType"]) == ("IdentityObject", False, "name")
        achievement = subject["achievement"]
        assert "Achievement" in achievement["type"]
        assert {"id", "name", "description", "criteria"} <= achievement.keys()
        assert achievement["criteria"]["narrative"]
        assert "proof" not in found
        assert None not in found.values()

    def is_withdrawn(self, found: dict[str, Any]) -> bool:
        """By 1EdTech's revocation list status method."""
        assert found["credentialStatus"]["type"] == "1EdTechRevocationList"
        listed = self.fetch(found["credentialStatus"]["id"])
        assert (listed["id"], listed["issuer"]) == (found["credentialStatus"]["id"], found["issuer"]["id"])
        return any(one["id"] == found["id"] and one.get("revoked", True) for one in listed["revokedCredential"])


def test_an_open_badge_verifies_with_what_the_web_says_until_it_is_withdrawn(world: Course, clock: FakeClock) -> None:
    mette = world.gets_one()
    verifier = Verifier(world.client, clock.now())
    answer = mette.post("/certificate/badge")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    token = answer.text
    found = verifier.verified(token)
    subject = found["credentialSubject"]
    assert subject["identifier"][0]["identityHash"] == NAME
    assert subject["achievement"]["name"] == "Coaching <for> peers"
    assert subject["narrative"] == "Observed: 3 h; Observer: 2 h; issued by Center & Co"
    profile = verifier.fetch(found["issuer"]["id"])
    assert (profile["id"], profile["name"]) == (found["issuer"]["id"], world.room.institution.name)
    assert not verifier.is_withdrawn(found)

    head, _, signature = token.split(".")
    forged = base64.urlsafe_b64encode(json.dumps(found | {"name": "Doctor"}).encode()).decode().rstrip("=")
    with pytest.raises(JWException):
        verifier.verified(f"{head}.{forged}.{signature}")

    mette.post("/certificate/publish", do="publish")
    assert world.public("/badge").text == token, "the same to whoever reads the public address"
    staff = world.browser("Ingrid", role="instructor")
    path = f"/certificates/{world.certificate().id}/withdraw"
    staff.post(path, withdrawn_why="Wrong course.")
    assert verifier.is_withdrawn(verifier.verified(token))
    listed = json.dumps(verifier.fetch(found["credentialStatus"]["id"]))
    assert (world.certificate().key in listed, "Wrong course." in listed) == (False, False)
    staff.post(path, do="put_back")
    assert not verifier.is_withdrawn(found)


# ---- staff, and erasure ----------------------------------------------------------------------------------------------


def test_instructors_withdraw_one_with_a_reason_and_let_it_stand_again(world: Course) -> None:
    mette = world.gets_one()
    mette.post("/certificate/publish", do="publish")
    staff, path = world.browser("Ingrid", role="instructor"), f"/certificates/{world.certificate().id}/withdraw"
    page = staff.get("/certificates").text
    for text in (NAME, "In your course: Mette", "Name of the learner", "Issued in error?"):
        assert text in page
    assert world.browser("Ingrid", role="assistant").post(path, withdrawn_why="No.").status_code == 403
    assert mette.post(path, withdrawn_why="No.").status_code == 403
    page = staff.post(path, withdrawn_why=" ")
    assert (page.status_code, "Say briefly why" in page.text) == (422, True)
    assert "Withdrawn. Its holder reads why" in staff.post(path, withdrawn_why="Wrong course.").text

    page = world.public()
    assert "was withdrawn and is not valid" in page.text
    assert ("Mon 2 Nov" in page.text, "Wrong course." in page.text, "badge" in page.text) == (True, False, False)
    assert world.public("/badge").status_code == 404
    page = mette.get("/certificate").text
    assert ("Wrong course." in page, "Open Badge" in page) == (True, False)
    assert "Your instructors withdrew it." in mette.get("/").text
    for gone in ("/certificate/badge", "/certificate/pdf"):
        assert mette.post(gone).status_code == 409
    assert mette.post("/certificate", do="issue", certificate_name="Mette").status_code == 409
    assert mette.post("/certificate/publish", do="publish").status_code == 409

    assert "The certificate is valid again." in staff.post(path, do="put_back").text
    assert "was withdrawn" not in world.public().text
    assert mette.post("/certificate/badge").status_code == 200
    assert world.browser("Jonas").get("/certificates").status_code == 403
    preview = world.browser("Ingrid", role="learner", is_preview=True)
    assert "Not yet" in preview.get("/certificate").text
    assert preview.post("/certificate", do="issue", certificate_name="Ingrid").status_code == 403


def test_a_certificate_goes_with_its_person_and_into_what_they_take_along(world: Course) -> None:
    mette = world.gets_one()
    mette.post("/certificate/publish", do="publish")
    key = world.certificate().key
    own = mette.post("/own-work").text
    assert NAME in own.split("Your certificates")[1]
    with world.open_session(world.room.institution.id) as session:
        person_id = session.get_one(Member, world.room.members["Mette"].id).person_id
        told = personal_data.everything_about(session, person_id)["certificates"]
        assert [(one["name"], one["hours"]) for one in told] == [(NAME, "5.0")]
        personal_data.erase(session, person_id, now=world.clock.now())
    page = world.client.get(f"/certificates/{key}")
    assert (page.status_code, "no longer there" in page.text, NAME in page.text) == (404, True, False)
    assert world.certificate() is None
