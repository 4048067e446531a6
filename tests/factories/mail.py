"""People of a class who get letters, and a kit whose mail server is a test's own."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from lti_tool.jobs import queue
from lti_tool.jobs.worker import Worker
from lti_tool.launch.models import Person
from lti_tool.registration.models import Institution
from lti_tool.reminders import handlers
from lti_tool.settings import MailServer, Tls
from lti_tool.support.kit import Kit
from tests.factories.pairing import Class, a_class, a_published_plan


def with_mail(kit: Kit, port: int, *, host: str = "127.0.0.1", tls: Tls = "") -> Kit:
    """The same kit with a mail server at this port."""
    server = MailServer(host, port, tls)
    return replace(kit, settings=replace(kit.settings, smtp_url=server, mail_from="tandem@school.example"))


def send_due(kit: Kit) -> None:
    """Look who is due a letter and send it, as the worker does every half hour."""
    worker = Worker(kit, {**handlers.HANDLERS, "progress.changed": _nothing, "progress.everybody_changed": _nothing})
    with kit.open_session() as session:
        queue.enqueue(
            session, handlers.SCAN, {}, institution_id=None, now=kit.clock.now(), unique_key="turn:reminders.scan"
        )
    worker.run_until_idle()


def _nothing(*_: object) -> None:
    """Letters need nothing of what completion leads to."""


def a_class_with_letters(session: Session, learners: int, now: datetime, *, due_in: timedelta) -> Class:
    """Learners with addresses whose only round is due then. They have seen their groups."""
    group = a_class(session, learners, rounds=[(None, now + due_in)])
    a_published_plan(session, group, now - timedelta(days=5))
    for place, member in enumerate(group.learners):
        member.last_launch_at = now - timedelta(days=1)
        person = session.get_one(Person, member.person_id)
        person.email, person.time_zone = f"learner{place}@campus.example", "Europe/Stockholm"
    session.execute(update(Institution).values(sends_letters=True))
    session.flush()
    return group
