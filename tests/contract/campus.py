"""A course on the sandbox LMS as the tool knows it, without the launches that taught it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.grades import handlers as grades
from lti_tool.grades import service as scores
from lti_tool.jobs.models import Job
from lti_tool.jobs.queue import Handler, JobContext
from lti_tool.jobs.worker import Worker
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.arrivals import ROSTER_CHANGED
from lti_tool.progress import handlers as progress
from lti_tool.registration.service import keys
from lti_tool.roster import handlers as roster
from lti_tool.roster import service as roster_service
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from sandbox_lms import Person as LmsPerson
from sandbox_lms import SandboxLms
from sandbox_lms.messages import line_items_url, roster_url
from sandbox_lms.records import ToolRegistration
from tests.factories.people import a_course, a_deployment, a_registration, an_institution
from tests.factories.registration import json_answer, reaching
from tests.fakes.clock import FakeClock
from tests.fakes.web_server import WebServer

GRADEBOOK_SCOPES = [
    f"https://purl.imsglobal.org/spec/lti-ags/scope/{name}"
    for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")
]


@dataclass
class Campus:
    """The LMS, the tool's side of it, and a worker that a test starts by hand."""

    lms: SandboxLms
    tool: ToolRegistration
    kit: Kit
    clock: FakeClock
    institution_id: int
    registration_id: int
    course_id: int
    told_pairing: list[int] = field(default_factory=list)

    @property
    def handlers(self) -> dict[str, Handler]:
        return {**roster.HANDLERS, **progress.handlers(scores), **grades.HANDLERS, ROSTER_CHANGED: self._tell_pairing}

    def _tell_pairing(self, _: Kit, job: JobContext) -> None:
        self.told_pairing.append(job.number("course_id"))

    @contextmanager
    def open(self) -> Iterator[Session]:
        with self.kit.open_session(self.institution_id) as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Look while a transaction of the same test writes."""
        with self.open() as session:
            session.connection(execution_options={"sqlite_begin": "DEFERRED"})
            yield session

    def run(self, kit: Kit | None = None) -> int:
        """Run what is due now."""
        return Worker(kit or self.kit, self.handlers, chance=lambda: 0.5).run_until_idle()

    def run_for(self, time: timedelta) -> None:
        """Let this much time pass, running each job when it falls due."""
        end = self.clock.now() + time
        while True:
            self.run()
            with self.kit.open_session() as session:
                due: datetime | None = session.scalar(select(func.min(Job.due_at)).where(Job.state == "waiting"))
            if due is None or due > end:
                break
            self.clock.set(max(due, self.clock.now()))
        self.clock.set(end)

    def sync(self) -> None:
        """Read the roster to its end."""
        with self.open() as session:
            roster_service.ask_for_sync(session, self.course_id, now=self.clock.now())
        self.run()

    def members(self) -> dict[str, Member]:
        """The course's members by sub."""
        with self.read() as session:
            rows = session.execute(
                select(Person.sub, Member).join(Member, Member.person_id == Person.id).order_by(Member.id)
            )
            return {row.sub: row.Member for row in rows}

    def member(self, person: LmsPerson) -> Member:
        return self.members()[person.sub]

    def person(self, person: LmsPerson) -> Person:
        with self.read() as session:
            return session.scalars(select(Person).where(Person.sub == person.sub)).one()

    def course(self) -> Course:
        with self.read() as session:
            return session.get_one(Course, self.course_id)

    def seen(self, endpoint: str) -> int:
        """How many requests the LMS got for addresses that end so."""
        return sum(request.path.split("?")[0].endswith(endpoint) for request in self.lms.requests_seen)

    def learners(self) -> list[LmsPerson]:
        course = self.lms.course()
        return [one.person for one in course.enrolments.values() if one.role == "learner"]


@contextmanager
def a_campus(kit: Kit, clock: FakeClock, profile: str = "moodle", **course: Any) -> Iterator[Campus]:
    """Set it all up: our keys on a loopback server, the registration on both sides, one course."""
    published: list[dict[str, Any]] = []
    lms = SandboxLms(profile)
    lms.read_clock = clock.now
    with WebServer(lambda _: json_answer({"keys": published})) as key_server, lms.running():
        tool = lms.register_tool(
            title="Tandem",
            initiate_login_uri=key_server.url("/lti/login"),
            redirect_uris=[key_server.url("/lti/launch")],
            jwks_uri=key_server.url("/lti/jwks"),
            target_link_uri=key_server.url("/lti/launch"),
        )
        with kit.open_session() as session:
            institution = an_institution(session)
            keys.ensure_signing_key(session, kit.secrets, now=clock.now())
            published.extend(keys.public_keys(session, now=clock.now()))
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
            deployment = a_deployment(session, registration, lti_id=tool.deployment_id)
            theirs = lms.course()
            ours = a_course(
                session,
                deployment,
                **{
                    "context_id": theirs.id,
                    "memberships_url": roster_url(lms, theirs, tool),
                    "line_items_url": line_items_url(lms, theirs, tool),
                    "gradebook_scopes": GRADEBOOK_SCOPES,
                    **course,
                },
            )
        yield Campus(lms, tool, reaching(kit, lms.port), clock, institution.id, registration.id, ours.id)


def with_sessions(kit: Kit, open_session: OpenSession) -> Kit:
    """The same collaborators, with another way to the database."""
    return replace(kit, open_session=open_session)
