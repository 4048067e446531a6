"""People of a classroom, each with a browser that keeps cookies and runs no script."""

import re
from dataclasses import dataclass

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lti_tool.feedback.service import rubric_of
from lti_tool.launch.models import Member
from lti_tool.support.db import OpenSession
from tests.factories.feedback import Classroom, given
from tests.factories.people import a_visit
from tests.fakes.clock import FakeClock


@dataclass(frozen=True)
class Browser:
    """One person's visit, by cookie, as a browser without script has it."""

    client: FlaskClient
    key: str

    def get(self, path: str = "/") -> TestResponse:
        return self.client.get(f"/v/{self.key}{path}", headers={"Accept": "text/html"})

    def post(self, path: str, follow: bool = True, **fields: str) -> TestResponse:
        """Post a form of ours: the proof is taken from a page, as a browser would."""
        token = re.search(r'name="form_token" value="([^"]+)"', self.get("/").text)
        assert token is not None
        return self.client.post(
            f"/v/{self.key}{path}",
            data={"form_token": token[1], **fields},
            headers={"Accept": "text/html"},
            follow_redirects=follow,
        )


class World:
    """A classroom and the browsers of its members."""

    def __init__(self, open_session: OpenSession, clock: FakeClock, client: FlaskClient, room: Classroom) -> None:
        self.open_session, self.clock, self.client, self.room = open_session, clock, client, room

    def browser(self, who: str, **values: object) -> Browser:
        with self.open_session(self.room.institution.id) as session:
            member = session.get_one(Member, self.room.members[who].id)
            visit, secret = a_visit(
                session,
                member,
                self.room.registration,
                now=self.clock.now(),
                placement_id=self.room.placement.id,
                **values,
            )
        self.client.set_cookie(f"__Host-tandem-{visit.key}", secret, secure=True)
        return Browser(self.client, visit.key)

    def writing(self, recipient: str, number: int = 1) -> str:
        return f"/round/{number}/for/{self.room.members[recipient].id}"

    def gives(self, author: str, recipient: str, **changes: str) -> int:
        with self.open_session(self.room.institution.id) as session:
            task = self.room.task(session, author, recipient)
            return given(session, task, now=self.clock.now(), **changes).id

    def levels(self) -> dict[str, str]:
        with self.open_session(self.room.institution.id) as session:
            rubric = rubric_of(session, self.room.activity.rubric_id)
            return {f"mark-{one.id}": str(one.levels[-1].id) for one in rubric.criteria}
