"""A course on the sandbox LMS as the tool knows it, without the launches that taught it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from lti_tool.grades import handlers as grades
from lti_tool.grades import service as scores
from lti_tool.jobs.queue import JobContext
from lti_tool.launch.models import Course, Member, Person
from lti_tool.launch.service.arrivals import ROSTER_CHANGED
from lti_tool.progress import handlers as progress
from lti_tool.registration.models import Deployment
from lti_tool.roster import handlers as roster
from lti_tool.roster import service as roster_service
from lti_tool.support.db import OpenSession
from lti_tool.support.kit import Kit
from sandbox_lms import Person as LmsPerson
from sandbox_lms.messages import line_items_url, roster_url
from tests.factories.people import a_course
from tests.fakes.clock import FakeClock
from tests.world import World, a_platform

GRADEBOOK_SCOPES = [
    f"https://purl.imsglobal.org/spec/lti-ags/scope/{name}"
    for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")
]


@dataclass(kw_only=True)
class Campus(World):
    """A world whose course the tool knows, with only the jobs of rosters and grades."""

    course_id: int
    told_pairing: list[int]

    def sync(self) -> None:
        """Read the roster to its end."""
        with self.open() as session:
            roster_service.ask_for_sync(session, self.course_id, now=self.clock.now())
        self.run()

    def members(self) -> dict[str, Member]:
        """The course's members by sub."""
        with self.look() as session:
            rows = session.execute(
                select(Person.sub, Member).join(Member, Member.person_id == Person.id).order_by(Member.id)
            )
            return {row.sub: row.Member for row in rows}

    def member(self, person: LmsPerson) -> Member:
        return self.members()[person.sub]

    def person(self, person: LmsPerson) -> Person:
        with self.look() as session:
            return session.scalars(select(Person).where(Person.sub == person.sub)).one()

    def course(self) -> Course:
        with self.look() as session:
            return session.get_one(Course, self.course_id)

    def learners(self) -> list[LmsPerson]:
        course = self.lms.course()
        return [one.person for one in course.enrolments.values() if one.role == "learner"]


@contextmanager
def a_campus(kit: Kit, clock: FakeClock, profile: str = "moodle", **course: Any) -> Iterator[Campus]:
    """A world and the tool's course in it."""
    told_pairing: list[int] = []

    def tell_pairing(_: Kit, job: JobContext) -> None:
        told_pairing.append(job.number("course_id"))

    handlers = {**roster.HANDLERS, **progress.handlers(scores), **grades.HANDLERS, ROSTER_CHANGED: tell_pairing}
    with a_platform(kit, clock, profile, "http://localhost:8000") as known:
        lms, tool, theirs = known["lms"], known["tool"], known["lms"].course()
        with kit.open_session(known["institution_id"]) as session:
            ours = a_course(
                session,
                session.scalars(select(Deployment)).one(),
                **{
                    "context_id": theirs.id,
                    "memberships_url": roster_url(lms, theirs, tool),
                    "line_items_url": line_items_url(lms, theirs, tool),
                    "gradebook_scopes": GRADEBOOK_SCOPES,
                    **course,
                },
            )
        yield Campus(**known, handlers=handlers, course_id=ours.id, told_pairing=told_pairing)


def with_sessions(kit: Kit, open_session: OpenSession) -> Kit:
    """The same collaborators, with another way to the database."""
    return replace(kit, open_session=open_session)
