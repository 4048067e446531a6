"""Background work on reminders: who is due a letter, and sending it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from lti_tool.activities.models import Activity
from lti_tool.jobs import queue
from lti_tool.jobs.queue import JSON, MAIL, JobContext, RetryLater
from lti_tool.reminders import gateway, wording
from lti_tool.reminders.errors import AddressRefused, AnswerLost, LetterRefused, MailDown
from lti_tool.reminders.rules import stop_link
from lti_tool.reminders.service import letters
from lti_tool.support.db import across_institutions
from lti_tool.support.kit import Kit
from lti_tool.support.log import get_logger

log = get_logger(__name__)
SCAN, LOOK, LETTER = "reminders.scan", "reminders.look", "reminders.letter"


def scan(kit: Kit, _: JobContext) -> None:
    """Have each activity looked at of which letters may remind."""
    if kit.settings.smtp_url is None:
        return
    now = kit.clock.now()
    with kit.open_session() as session:
        with across_institutions(session):
            open_ones = session.execute(letters.open_activities(Activity.institution_id, Activity.id)).all()
        by_institution: dict[int, list[int]] = {}
        for institution_id, activity_id in open_ones:
            by_institution.setdefault(institution_id, []).append(activity_id)
        for institution_id, activities in by_institution.items():
            payloads: dict[str | None, dict[str, JSON]] = {f"{LOOK}:{one}": {"activity_id": one} for one in activities}
            queue.enqueue_all(session, LOOK, payloads, institution_id=institution_id, now=now)


def look(kit: Kit, job: JobContext) -> None:
    """Ask for a letter to each person whom one should tell something about an activity now."""
    now = kit.clock.now()
    with kit.open_session(job.institution) as session:
        people = letters.people_to_write_to(session, job.number("activity_id"), now=now)
        payloads: dict[str | None, dict[str, JSON]] = {f"{LETTER}:{one}": {"person_id": one} for one in people}
        queue.enqueue_all(session, LETTER, payloads, institution_id=job.institution, now=now, calls=MAIL)


def send(kit: Kit, job: JobContext) -> None:
    """Send a person's letter of the day, with what waits at this moment in all their activities. Sent once at most.

    A letter that cannot be sent now is written anew later, and not any more once its hours are over.
    """
    server = kit.settings.smtp_url
    if server is None:
        return
    now = kit.clock.now()
    with kit.open_session(job.institution) as session:
        pause = letters.rest_of(session, now=now)
        outgoing = letters.begin(session, job.number("person_id"), now=now) if pause is None else None
        if outgoing is not None:
            letters.note_try(session, now=now)
    if pause is not None:
        raise RetryLater(pause)
    if outgoing is None:
        return
    link = stop_link(kit.settings.base_url, kit.secrets.encrypt(letters.name_of(job.institution, outgoing.person_id)))
    message = wording.letter(outgoing, kit.settings, link, now=now)
    state = "sent"
    try:
        gateway.send(server, kit.settings.mail_from, outgoing.address, message)
    except AddressRefused:
        with kit.open_session(job.institution) as session:
            letters.refuse_address(session, outgoing, now=now)
            letters.note_server(session, None, now=now)
        log.warning("address refused", person_id=outgoing.person_id)
        return
    except LetterRefused as refusal:
        state = "refused"
        log.warning("letter refused", person_id=outgoing.person_id, reason=refusal.why)
    except MailDown as down:
        with kit.open_session(job.institution) as session:
            letters.tear_up(session, outgoing)
            letters.note_server(session, down.why, now=now)
        log.warning("mail server fails", reason=down.why)
        raise RetryLater(letters.PAUSE) from None
    except AnswerLost:
        # It stays as being sent: nobody knows, and twice is worse than never.
        log.warning("letter without an answer", person_id=outgoing.person_id)
        return
    with kit.open_session(job.institution) as session:
        letters.settle(session, outgoing, state)
        letters.note_server(session, None, now=now)


HANDLERS: Final[dict[str, Callable[[Kit, JobContext], None]]] = {SCAN: scan, LOOK: look, LETTER: send}
PERIODIC: Final[dict[str, timedelta]] = {SCAN: timedelta(minutes=30)}
