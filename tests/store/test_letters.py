"""Letters: one a day at most, never about what is done, and a mail server that misbehaves harms nothing."""

import io
from collections.abc import Iterator
from datetime import timedelta
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from lti_tool.activities.models import Activity, Allowance
from lti_tool.jobs.models import Job
from lti_tool.launch.models import Person
from lti_tool.progress import service as progress
from lti_tool.registration.models import Institution
from lti_tool.reminders import gateway, service
from lti_tool.reminders.commands import take_bounce
from lti_tool.reminders.models import Letter, MailPreference, Reminder
from lti_tool.reminders.service import letters
from lti_tool.support.kit import Kit
from tests.factories.mail import a_class_with_letters, send_due, with_mail
from tests.factories.pairing import Class, a_published_plan, an_activity
from tests.fakes.clock import FakeClock
from tests.fakes.mail_server import CLOSE, HANG, MailServer
from tests.fakes.web_server import certificate_for

pytestmark = pytest.mark.store
DAY = timedelta(days=1)
WHOLE_LINES = policy.default.clone(max_line_length=998)
"""Mail servers hand headers on as they came."""


@pytest.fixture
def sink() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def mail(kit: Kit, sink: MailServer) -> Kit:
    return with_mail(kit, sink.port)


@pytest.fixture
def group(kit: Kit, clock: FakeClock) -> Class:
    """Two learners who have to give feedback by tomorrow; it is Monday, 10 o'clock where they are."""
    with kit.open_session() as session:
        return a_class_with_letters(session, 2, clock.now(), due_in=DAY)


def states(kit: Kit, group: Class) -> list[str]:
    with kit.open_session(group.course.institution_id) as session:
        return sorted(session.scalars(select(Letter.state)))


def test_everybody_is_told_once_what_is_due_and_a_restart_tells_nobody_twice(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock
) -> None:
    send_due(mail)

    assert sorted(address for address, _ in sink.letters) == ["learner0@campus.example", "learner1@campus.example"]
    letter = sink.letters[0][1]
    assert letter["Subject"] == "Observe and learn: something waits for you"
    assert letter["Auto-Submitted"] == "auto-generated"
    text = letter.get_body(("plain",)).get_content()
    assert "Round 1 is due on Tue 3 Nov, 10:00: Feedback given." in text
    assert "Teaching 1" in text
    link = f"{group.registration.issuer}/course/view.php?id={group.course.context_id}"
    assert link in text
    assert link in letter.get_body(("html",)).get_content()
    for name in ("Lindqvist", "Mette", "learner1"):
        assert name not in text
    for _ in range(3):
        clock.advance(timedelta(hours=1))
        send_due(mail)
    clock.advance(DAY)  # it is still not done, and told already
    send_due(mail)
    assert len(sink.letters) == 2 + 2  # the date has passed: overdue is another thing
    assert states(mail, group) == ["sent"] * 4


def test_two_activities_make_one_letter_in_the_persons_language_and_zone(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock
) -> None:
    with mail.open_session(group.course.institution_id) as session:
        other = an_activity(session, group.course, [(None, clock.now() + DAY)], title="Second\r\nBcc: x@y.example")
        a_published_plan(session, Class(group.registration, group.course, other, [], group.learners), clock.now())
        session.execute(update(Person).values(time_zone="America/New_York"))
    send_due(mail)
    assert sink.letters == []  # it is four in the morning there
    clock.advance(timedelta(hours=6))
    send_due(mail)

    assert len(sink.letters) == 2
    letter = sink.letters[0][1]
    assert letter["Subject"] == "Peer coaching: something waits for you"
    assert letter["Bcc"] is None
    text = letter.get_body(("plain",)).get_content()
    assert text.count("Round 1 is due on Tue 3 Nov, 04:00") == 2
    assert "Times are in the time zone America/New_York" in text


def test_a_letter_is_in_the_language_that_the_person_chose(mail: Kit, group: Class, clock: FakeClock) -> None:
    with mail.open_session(group.course.institution_id) as session:
        session.execute(update(Person).values(locale="nb", language="da"))
        outgoing = letters.begin(session, group.learners[0].person_id, now=clock.now())
        assert outgoing is not None
        assert outgoing.locale == "da"


def test_nothing_is_sent_for_what_is_done_or_not_asked_for(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock
) -> None:
    with mail.open_session(group.course.institution_id) as session:
        one, other = (member.id for member in group.learners)
        progress.allow(session, group.activity, 1, [one], due_at=None, is_excused=True, by=1, now=clock.now())
        found = dict(service.waiting_in(session, group.activity, now=clock.now()))
        assert one not in found
        progress.allow(
            session, group.activity, 1, [other], due_at=clock.now() + 9 * DAY, is_excused=False, by=1, now=clock.now()
        )
    send_due(mail)
    assert sink.letters == []


@pytest.mark.parametrize(
    "off", ["institution", "closed", "left", "no address", "two addresses", "stopped", "no server"]
)
def test_nobody_gets_a_letter_who_should_not(
    kit: Kit, mail: Kit, sink: MailServer, group: Class, clock: FakeClock, off: str
) -> None:
    with mail.open_session(group.course.institution_id) as session:
        if off == "institution":
            session.execute(update(Institution).values(sends_letters=False))
        elif off == "closed":
            session.get_one(Activity, group.activity.id).state = "closed"
        elif off == "left":
            for member in group.learners:
                session.merge(member).status = "inactive"
        elif off == "no address":
            session.execute(update(Person).values(email=None))
        elif off == "two addresses":
            session.execute(update(Person).values(email="a@b.example\r\nBcc: all@b.example"))
        elif off == "stopped":
            for member in group.learners:
                service.stop(session, member.person_id, now=clock.now())
    send_due(kit if off == "no server" else mail)

    assert sink.letters == []
    assert states(mail, group) == []


def test_what_staff_sent_goes_with_the_next_letter_once_and_not_if_it_was_undone(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock
) -> None:
    with mail.open_session(group.course.institution_id) as session:
        session.get_one(Activity, group.activity.id).letters_a_week = 0
        members = [member.id for member in group.learners]
        undone = service.remind(session, group.activity, members, "Not this", by=1, now=clock.now())
        undone.undone_at = clock.now()
        assert service.take_back(session, undone) == (2, 0)
        act = service.remind(session, group.activity, members[:1], "See you\r\non Friday", by=1, now=clock.now())
    send_due(mail)
    clock.advance(DAY)
    send_due(mail)

    assert [address for address, _ in sink.letters] == ["learner0@campus.example"]
    text = sink.letters[0][1].get_body(("plain",)).get_content()
    assert "Your instructors remind you" in text
    assert "See you" in text
    assert "Not this" not in text
    assert "is due" not in text  # by itself Tandem writes nothing here
    with mail.open_session(group.course.institution_id) as session:
        assert service.take_back(session, session.merge(act)) == (1, 1)


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("CONNECT", CLOSE),
        ("CONNECT", "554 go away"),
        ("EHLO", CLOSE),
        ("EHLO", "wh"),
        ("MAIL", "451 busy"),
        ("RCPT", "450 greylisted"),
        ("RCPT", CLOSE),
        ("DATA", "451 no room"),
        ("END", "452 no room"),
    ],
)
def test_a_letter_that_was_certainly_not_taken_is_sent_later_and_staff_see_why(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock, stage: str, told: str
) -> None:
    sink.behave = {stage: told}.get
    send_due(mail)

    assert states(mail, group) == []
    with mail.open_session(group.course.institution_id) as session:
        trouble = letters.mail_trouble(session)
        assert trouble is not None
        assert trouble.failing_since == clock.now()
        jobs = session.scalars(select(Job).where(Job.name == "reminders.letter"))
        assert [job.state for job in jobs] == ["waiting"] * 2
    sink.behave = lambda _: None
    clock.advance(letters.PAUSE + timedelta(seconds=1))
    send_due(mail)
    assert len(sink.letters) == 2
    with mail.open_session(group.course.institution_id) as session:
        assert letters.mail_trouble(session) is None


@pytest.mark.parametrize(("stage", "told"), [("END", CLOSE), ("DATA", CLOSE)])
def test_a_letter_of_which_nobody_knows_is_not_sent_again(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock, stage: str, told: str
) -> None:
    sink.behave = {stage: told}.get
    send_due(mail)
    sink.behave = lambda _: None
    clock.advance(timedelta(hours=1))
    send_due(mail)

    assert sink.letters == []
    assert states(mail, group) == ["sending", "sending"]


def test_a_server_that_hangs_is_left_alone_for_a_while_by_everybody(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "PATIENCE", 0.2)
    asked: list[str] = []

    def hang(stage: str) -> str:
        asked.append(stage)
        return HANG

    sink.behave = hang
    send_due(mail)
    assert asked == ["CONNECT"]  # for two letters
    for _ in range(10):  # all day long, and until the evening
        clock.advance(timedelta(hours=1))
        send_due(mail)
    assert len(asked) == 8
    sink.behave = lambda _: None
    send_due(mail)
    assert sink.letters == []  # given up for this day, since it is night
    with mail.open_session() as session:
        assert session.scalars(select(Job.id).where(Job.name == "reminders.letter", Job.state == "waiting")).all() == []
    clock.set(clock.now().replace(hour=10))
    send_due(mail)
    assert len(sink.letters) == 2


@pytest.mark.parametrize(
    ("told", "is_address"),
    [
        ("550 no such mailbox", True),
        ("550 5.1.1 unknown", True),
        ("550 5.2.1 disabled", True),
        ("550 5.7.1 relaying denied", False),
        ("554 5.7.1 spam", False),
        ("552 5.2.2 full", False),
    ],
)
def test_a_refusal_marks_an_address_only_if_it_is_about_it(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock, told: str, is_address: bool, logged: io.StringIO
) -> None:
    sink.behave = {"RCPT": told}.get
    send_due(mail)
    assert states(mail, group) == ["refused", "refused"]
    sink.behave = lambda _: None
    clock.advance(timedelta(hours=25))
    send_due(mail)
    assert len(sink.letters) == (0 if is_address else 2)
    assert "campus.example" not in logged.getvalue()
    if not is_address:
        return
    with mail.open_session(group.course.institution_id) as session:
        person = session.get_one(Person, group.learners[0].person_id)
        assert service.standing_of(session, person.id, has_server=True).refused_at is not None
        person.email = "new@campus.example"
        session.flush()
        assert service.standing_of(session, person.id, has_server=True).gets_letters
    send_due(mail)
    assert [address for address, _ in sink.letters] == ["new@campus.example"]


def test_a_letter_goes_through_tls_to_a_server_that_proves_its_name(
    kit: Kit, group: Class, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = certificate_for("localhost", tmp_path)
    with MailServer(certificate=certificate) as sink:
        secured = with_mail(kit, sink.port, host="localhost", tls="starttls")
        send_due(secured)
        assert sink.letters == []  # nobody vouches for it
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        clock.advance(letters.PAUSE)
        send_due(secured)
        assert len(sink.letters) == 2
    with MailServer() as plain:
        send_due(with_mail(kit, plain.port, host="localhost", tls="starttls"))
        assert plain.seen == 0


def test_erasing_a_person_removes_letters_and_reminders(mail: Kit, sink: MailServer, group: Class) -> None:
    send_due(mail)
    member = group.learners[0]
    with mail.open_session(group.course.institution_id) as session:
        service.stop(session, member.person_id, now=mail.clock.now())
        found = service.everything_of(session, member.person_id, [member.id])
        assert [len(rows) for rows in found.values()] == [1, 1, 1, 0]
        service.forget(session, member.person_id, [member.id])
        for table in (Letter, Reminder):
            assert len(session.scalars(select(table)).all()) == 1
        assert session.scalars(select(MailPreference)).all() == []


def test_more_time_for_many_is_undone_where_nothing_was_changed_since(
    mail: Kit, group: Class, clock: FakeClock
) -> None:
    one, other = (member.id for member in group.learners)
    first, second = clock.now() + 2 * DAY, clock.now() + 3 * DAY
    with mail.open_session(group.course.institution_id) as session:

        def allow(*members: int, due_at: object = None, is_excused: bool = False) -> object:
            clock.advance(timedelta(minutes=1))
            return progress.allow(
                session, group.activity, 1, members, due_at=due_at, is_excused=is_excused, by=1, now=clock.now()
            )

        def dates() -> dict[int, object]:
            session.flush()
            rows = session.scalars(select(Allowance).execution_options(populate_existing=True))
            return {row.member_id: row.due_at or "excused" for row in rows}

        allow(one, due_at=first)
        for_both = allow(one, other, due_at=second)
        excused = allow(other, is_excused=True)
        back = allow(one)
        assert dates() == {other: "excused"}
        assert progress.undo_allowances(session, group.activity, back, now=clock.now()) == 1
        assert dates() == {one: second, other: "excused"}
        assert progress.undo_allowances(session, group.activity, for_both, now=clock.now()) == 1
        assert dates() == {one: first, other: "excused"}
        assert progress.undo_allowances(session, group.activity, excused, now=clock.now()) == 1
        assert dates() == {one: first, other: second}
        session.execute(delete(Allowance))
        assert progress.undo_allowances(session, group.activity, excused, now=clock.now()) == 0


# ---- letters that come back later ------------------------------------------------------------------------------------


def a_report(letter: EmailMessage, address: str, *, status: str = "5.1.1", whole: bool = False) -> bytes:
    """What a mail server sends back (RFC 3464), with the letter or with its headers alone."""
    returned = letter.as_string(policy=WHOLE_LINES) if whole else headers_of(letter)
    kind_of_returned = "message/rfc822" if whole else "text/rfc822-headers"
    state = f"Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; {address}\nAction: failed\nStatus: {status}\n"
    parts = [
        ("text/plain", "It could not be delivered."),
        ("message/delivery-status", state),
        (kind_of_returned, returned),
    ]
    body = "".join(f"--part\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts)
    report = "multipart/report; report-type=delivery-status"
    head = f'Subject: Undelivered\nMIME-Version: 1.0\nContent-Type: {report}; boundary="part"\n\n'
    return f"{head}{body}--part--\n".encode()


def headers_of(letter: EmailMessage) -> str:
    return "".join(f"{name}: {text}\n" for name, text in letter.items())


@pytest.mark.parametrize("whole", [True, False], ids=["the whole letter", "its headers"])
def test_a_letter_that_comes_back_is_the_last_to_that_address(
    mail: Kit, sink: MailServer, group: Class, clock: FakeClock, whole: bool
) -> None:
    send_due(mail)
    address, letter = sink.letters[0]

    assert take_bounce(mail, a_report(letter, address.upper(), whole=whole))

    with mail.open_session(group.course.institution_id) as session:
        [person_id] = session.scalars(select(MailPreference.person_id).where(MailPreference.refused_at == clock.now()))
        assert session.get_one(Person, person_id).email == address
    del sink.letters[:]
    clock.advance(2 * DAY)
    send_due(mail)
    assert [receiver for receiver, _ in sink.letters] == [
        receiver for receiver in ("learner0@campus.example", "learner1@campus.example") if receiver != address
    ]


@pytest.mark.parametrize(
    ("status", "change"),
    [
        ("5.2.2", ("", "")),
        ("4.1.1", ("", "")),
        ("5.7.1", ("", "")),
        ("5.1.1", ("@campus.example\nAction", "@elsewhere.example\nAction")),
        ("5.1.1", ("/letters/", "/letters/A")),
        ("5.1.1", ("List-Unsubscribe:", "X-List:")),
        ("5.1.1", ("rfc822; ", "rfc822")),
    ],
    ids=["mailbox full", "for now", "policy", "another address", "changed link", "no link", "no address"],
)
def test_a_report_that_proves_nothing_changes_nothing(
    mail: Kit, sink: MailServer, group: Class, status: str, change: tuple[str, str]
) -> None:
    send_due(mail)
    address, letter = sink.letters[0]
    report = a_report(letter, address, status=status).decode().replace(*change)

    assert not take_bounce(mail, report.encode())

    with mail.open_session(group.course.institution_id) as session:
        assert session.scalars(select(MailPreference.refused_at)).all() in ([], [None])
