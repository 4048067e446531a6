"""Members of a class at the tool's pages: who looks, and with what role."""

from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from lti_tool.launch.models import Member
from lti_tool.support.kit import Kit
from lti_tool.web.visits import VisitKind
from tests.factories.pairing import Class, a_class
from tests.factories.people import a_member, a_person, a_visit
from tests.fakes.clock import FakeClock


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with an open visit. Proves it by the bearer, as the pages' script does."""

    app: Flask
    key: str
    secret: str
    member: Member

    def get(self, path: str) -> TestResponse:
        return self.app.test_client().get(f"/v/{self.key}{path}", headers=self._proof())

    def post(self, path: str, **fields: object) -> TestResponse:
        """Send a form, and follow where it leads."""
        answer = self.send(path, **fields)
        if answer.status_code != 303:
            return answer
        return self.app.test_client().get(answer.headers["Location"], headers=self._proof())

    def send(self, path: str, **fields: object) -> TestResponse:
        """Send a form and stay with its answer."""
        return self.app.test_client().post(f"/v/{self.key}{path}", data=fields, headers=self._proof())

    def _proof(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}", "Accept": "text/html"}


@dataclass(frozen=True, slots=True)
class School:
    """A class, and a way to be anybody in it."""

    app: Flask
    kit: Kit
    clock: FakeClock
    group: Class

    @property
    def institution_id(self) -> int:
        return self.group.course.institution_id

    def somebody(self, role: str, **values: Any) -> Visitor:
        """A new member with this role, and a visit of theirs."""
        with self.kit.open_session(self.institution_id) as session:
            person = a_person(session, self.group.registration, name=f"The {role}")
            member = a_member(session, self.group.course, person, role)
            return self._visit(session, member, **values)

    def learner(self, place: int) -> Visitor:
        """A visit of one of the class's learners."""
        with self.kit.open_session(self.institution_id) as session:
            return self._visit(session, self.group.learners[place])

    def _visit(self, session: Session, member: Member, **values: Any) -> Visitor:
        visit, secret = a_visit(
            session,
            member,
            self.group.registration,
            now=self.clock.now(),
            placement_id=self.group.activity.placement_id,
            **{"kind": VisitKind.ACTIVITY, **values},
        )
        return Visitor(self.app, visit.key, secret, member)


def a_school(app: Flask, kit: Kit, clock: FakeClock, learners: int = 6, **values: Any) -> School:
    with kit.open_session() as session:
        return School(app, kit, clock, a_class(session, learners, **values))
