"""A course on the sandbox LMS and in the tool, a clock that the test moves, and a worker that it starts."""

import sqlite3
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import Handler
from lti_tool.jobs.worker import Worker
from lti_tool.registration.service import keys
from lti_tool.support.kit import Kit
from sandbox_lms import SandboxLms
from sandbox_lms.records import ToolRegistration
from tests.factories.people import a_deployment, a_registration, an_institution
from tests.factories.registration import json_answer, reaching
from tests.fakes.clock import FakeClock
from tests.fakes.web_server import WebServer
from tests.shared import in_english, port_of_the_lms

NOT_COPIED: Final = {
    *("app", "deliver", "faults", "host", "keyring", "lock", "port", "profile", "read_clock", "stopping"),
    *("_server", "_thread"),
}
"""What an LMS is made of. All else that it holds is what happened in it."""


@dataclass(kw_only=True)
class World:
    """What every such test needs; subclasses add what people do in it."""

    lms: SandboxLms
    tool: ToolRegistration
    kit: Kit
    handlers: Mapping[str, Handler]
    clock: FakeClock
    institution_id: int
    registration_id: int

    @contextmanager
    def open(self) -> Iterator[Session]:
        """A transaction for the institution."""
        with self.kit.open_session(self.institution_id) as session:
            yield session

    @contextmanager
    def look(self) -> Iterator[Session]:
        """Read, also while a transaction of the same test is open."""
        with self.open() as session:
            session.connection(execution_options={"sqlite_begin": "DEFERRED"})
            yield session

    def worker(self, kit: Kit | None = None) -> Worker:
        return Worker(kit or self.kit, self.handlers, chance=lambda: 0.5)

    def run(self, kit: Kit | None = None) -> int:
        """Run what is due now."""
        return self.worker(kit).run_until_idle()

    def run_for(self, time: timedelta) -> None:
        """Let this much time pass, running each job when it falls due."""
        end = self.clock.now() + time
        while True:
            self.run()
            due = self.next_due()
            if due is None or due > end:
                break
            self.clock.set(max(due, self.clock.now()))
        self.clock.set(end)

    def next_due(self) -> datetime | None:
        with self.kit.open_session() as session:
            return session.scalar(select(func.min(Job.due_at)).where(Job.state == "waiting"))

    def known_to_the_lms(self) -> Hashable:
        """What a test may have changed in a new LMS before anybody came."""
        return repr(
            (
                self.lms.profile,
                [(one.person.username, one.role, one.is_active) for one in self.lms.course().enrolments.values()],
                [(one.title, one.custom, one.visible_to, one.opens_window) for one in self.lms.links],
                [(one.label, one.score_maximum, one.resource_id, one.tag) for one in self.lms.line_items],
                (self.tool.scopes, self.tool.shares_names, self.tool.shares_mail),
                (self.lms.faults.active, self.lms.clock_offset, self.clock.now()),
            )
        )

    def seen(self, endpoint: str) -> int:
        """How many requests the LMS got for addresses that end so."""
        return sum(request.path.split("?")[0].endswith(endpoint) for request in self.lms.requests_seen)


class Copy:
    """What the LMS knows and what stands in the tool's database, at one moment of a test on SQLite."""

    def __init__(self, lms: SandboxLms, engine: Engine, **named: Any) -> None:
        known = {name: value for name, value in vars(lms).items() if name not in NOT_COPIED}
        self._known = deepcopy((known, named))
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        with _connection(engine) as connection:
            connection.backup(self._database)

    def bring_back(self, lms: SandboxLms, engine: Engine) -> dict[str, Any]:
        """Let this LMS and database be as they were. Returns what was named, as the LMS knows it now."""
        known, named = deepcopy(self._known)
        vars(lms).update(known)
        with _connection(engine) as connection:
            self._database.backup(connection)
        return named


@contextmanager
def _connection(engine: Engine) -> Iterator[sqlite3.Connection]:
    borrowed = engine.raw_connection()
    try:
        assert isinstance(borrowed.driver_connection, sqlite3.Connection)
        yield borrowed.driver_connection
    finally:
        borrowed.close()


@contextmanager
def a_platform(
    kit: Kit, clock: FakeClock, profile: str, url: str, publish: Callable[[], Any] | None = None
) -> Iterator[dict[str, Any]]:
    """A running LMS and a tool at this address that know each other: what a World is made with, but for its handlers.

    The LMS reads the tool's keys from what `publish` answers, or else the ones that there are now.
    """
    lms = in_english(SandboxLms(profile, port=port_of_the_lms()))
    lms.read_clock = clock.now
    with kit.open_session() as session:
        keys.ensure_signing_key(session, kit.secrets, now=clock.now())
        known = {"keys": keys.public_keys(session, now=clock.now())}
    with WebServer(lambda _: json_answer(publish() if publish else known)) as key_server, lms.running():
        tool = lms.register_tool(
            title="Tandem",
            initiate_login_uri=f"{url}/lti/login",
            redirect_uris=[f"{url}/lti/launch"],
            jwks_uri=key_server.url("/lti/jwks"),
            target_link_uri=f"{url}/lti/launch",
        )
        with kit.open_session() as session:
            institution = an_institution(session)
            registration = a_registration(
                session,
                institution,
                issuer=tool.issuer,
                client_id=tool.client_id,
                auth_login_url=tool.auth_login_url,
                auth_token_url=tool.auth_token_url,
                auth_audience=tool.auth_audience,
                key_set_url=tool.key_set_url,
                platform_origins=[lms.url],
                platform_family=lms.profile.family_code,
            )
            a_deployment(session, registration, lti_id=tool.deployment_id)
        yield {
            "lms": lms,
            "tool": tool,
            "kit": reaching(kit, lms.port),
            "clock": clock,
            "institution_id": institution.id,
            "registration_id": registration.id,
        }
