"""A whole campus at work: the sandbox LMS, launches over its real protocol, the tool's pages and its worker."""

import json
import re
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import requests
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool.activities.models import Activity, Round
from lti_tool.activities.rules.templates import TEMPLATES
from lti_tool.feedback.models import Entry
from lti_tool.feedback.service import rubric_of
from lti_tool.grades.models import LineItem, ScoreState
from lti_tool.jobs import queue
from lti_tool.launch.models import Course, Member, Person, Placement
from lti_tool.pairing.models import Group, Plan, Seat
from lti_tool.wiring import Services
from sandbox_lms import Person as LmsPerson
from sandbox_lms import ResourceLink
from tests.factories.feedback import TEXTS
from tests.fakes.clock import FakeClock
from tests.functional.designing import fields_of
from tests.functional.guests import PROOF, Guest
from tests.functional.launching import BASE_URL, Browser, attribute
from tests.shared import serving
from tests.world import Copy, World, a_platform


@dataclass(kw_only=True)
class Life(World):
    """A world in which people launch the tool and do what they came for."""

    services: Services
    app: Flask
    link: ResourceLink

    # the LMS's side

    def person(self, username: str) -> LmsPerson:
        return self.lms.people[username]

    def enrol(self, username: str, role: str = "learner") -> LmsPerson:
        person = self.lms.people.get(username) or self.lms.add_person(username, username.capitalize())
        self.lms.enrol(self.lms.course(), person, role)
        return person

    def shown(self, username: str, link: ResourceLink | None = None) -> float | None:
        """What the LMS's gradebook shows."""
        return self.lms.score_of(link or self.link, self.person(username))

    def sent(self) -> int:
        """How many scores the LMS was sent."""
        return sum(seen.endpoint == "scores" for seen in self.lms.requests_seen)

    # launches

    def try_launch(self, username: str, link: ResourceLink | None = None, **how: Any) -> tuple[Browser, TestResponse]:
        """A click in the LMS, up to the tool's answer to the launch."""
        browser = Browser(self.app)
        form = self.lms.login_form(self.person(username), link or self.link, **how)
        begun = browser.begin(form.fields)
        return browser, browser.launch(self.lms.authorize(begun.request).fields)

    def launch(self, username: str, link: ResourceLink | None = None, **how: Any) -> Guest:
        """A click in the LMS that opens a page."""
        browser, answer = self.try_launch(username, link, **how)
        assert answer.status_code == 303, answer.text
        found = re.match(r"/v/([^/]+)/", answer.headers["Location"])
        assert found is not None, answer.headers["Location"]
        landing = browser.client.get(
            answer.headers["Location"], base_url=BASE_URL, headers=PROOF, follow_redirects=True
        )
        assert landing.status_code == 200, landing.text
        return Guest(browser, found[1], landing)

    # the worker

    def periodically(self, *names: str) -> None:
        """Have these periodic jobs come round now."""
        with self.kit.open_session() as session:
            for name in names:
                queue.enqueue(session, name, {}, institution_id=None, now=self.clock.now(), unique_key=f"turn:{name}")
        self.run()

    # the tool's side

    def member(self, username: str) -> Member:
        with self.look() as session:
            return session.scalars(
                select(Member)
                .join(Person, Person.id == Member.person_id)
                .join(Course, Course.id == Member.course_id)
                .where(Person.sub == self.person(username).sub, Course.context_id == self.lms.course().id)
            ).one()

    def activity(self, link: ResourceLink | None = None) -> Activity:
        with self.look() as session:
            return session.scalars(
                select(Activity)
                .join(Placement, Placement.id == Activity.placement_id)
                .where(Placement.resource_link_id == (link or self.link).id)
            ).one()

    def course(self) -> Course:
        with self.look() as session:
            return session.scalars(select(Course).where(Course.context_id == self.lms.course().id)).one()

    def column(self) -> LineItem:
        with self.look() as session:
            return session.scalars(select(LineItem).where(LineItem.activity_id == self.activity().id)).one()

    def score(self, username: str) -> ScoreState:
        with self.look() as session:
            found = session.scalars(select(ScoreState).where(ScoreState.member_id == self.member(username).id)).all()
            [one] = [score for score in found if score.line_item_id == self.column().id]
            return one

    def groups(self, round_number: int = 1, link: ResourceLink | None = None) -> list[set[str]]:
        """User names by group, as the published plan has them."""
        names = {person.sub: person.username for person in self.lms.people.values()}
        with self.look() as session:
            rows = session.execute(
                select(Group.id, Person.sub)
                .join(Seat, Seat.group_id == Group.id)
                .join(Plan, Plan.id == Group.plan_id)
                .join(Round, Round.id == Group.round_id)
                .join(Member, Member.id == Seat.member_id)
                .join(Person, Person.id == Member.person_id)
                .where(
                    Plan.activity_id == self.activity(link).id,
                    Plan.state == "published",
                    Round.number == round_number,
                )
                .order_by(Group.number)
            ).all()
        found: dict[int, set[str]] = {}
        for group_id, sub in rows:
            found.setdefault(group_id, set()).add(names[sub])
        return list(found.values())

    def partners_of(self, username: str, round_number: int = 1) -> set[str]:
        [group] = [group for group in self.groups(round_number) if username in group]
        return group - {username}

    # what people do

    def begin(self, *, is_published: bool = True, template: str = "observation", **how: Any) -> None:
        """The first thing in a new world: the designer sets the activity up and publishes a plan.

        Once that is done by the pages. Tests that begin alike get a copy, which takes a twentieth of the time.
        """
        assert not self.lms.launches, "somebody has been here"
        assert self.lms.links == [self.link], "a link that a test holds would be no part of the copy"
        told = (is_published, repr(TEMPLATES[template]), *sorted(how.items()))
        alike = (self.known_to_the_lms(), told)
        engine = self.services.engine
        if alike in _begun:
            keys_at = self.tool.jwks_uri
            there = _begun[alike].bring_back(self.lms, engine)
            self.tool, self.link = there["tool"], there["link"]
            self.tool.jwks_uri = keys_at
            return
        designer = self.set_up(template=template, **how)
        if is_published:
            self.publish(designer)
        _begun[alike] = Copy(self.lms, engine, tool=self.tool, link=self.link)

    def set_up(
        self, link: ResourceLink | None = None, *, template: str = "observation", rounds: int = 1, **changes: str
    ) -> Guest:
        """The designer sets the activity up where the link stands, with dates a week apart, and opens it.

        Unless a change says so, observers get no feedback.
        """
        changes = {"observer_feedback": "(unchecked)", **changes}
        designer = self.launch("designer", link)
        designer.post("/setup/start", template=template)
        fields = fields_of(designer.get("/setup").text)
        for number in range(1, 8):
            for name in ("opens_date", "opens_time", "due_date", "due_time"):
                fields.pop(f"r{number}-{name}", None)
        for number in range(1, rounds + 1):
            due = self.clock.now() + timedelta(days=7 * number)
            fields |= {f"r{number}-opens_date": "", f"r{number}-opens_time": "", f"r{number}-due_time": ""}
            fields[f"r{number}-due_date"] = f"{due:%Y-%m-%d}"
        kept = {name: text for name, text in {**fields, "time_zone": "UTC", **changes}.items() if text != "(unchecked)"}
        kept.pop("form_token", None)
        answer = designer.post("/setup", **kept, do="open")
        assert "The activity is open" in answer.text, answer.text
        return designer

    def publish(self, designer: Guest) -> None:
        """Read the roster, propose, publish."""
        self.run()
        designer.post("/plan/propose")
        page = designer.get("/plan").text
        version = re.search(r'name="version" value="(\d+)"', page)
        assert version is not None, page
        answer = designer.post("/plan/publish", version=version[1])
        assert answer.status_code == 200, answer.text
        self.run()

    def writing(self, author: str, recipient: str, round_number: int = 1) -> str:
        assert author != recipient
        return f"/round/{round_number}/for/{self.member(recipient).id}"

    def gives(self, author: str, recipient: str, round_number: int = 1, **texts: str) -> Guest:
        """One learner launches and gives the other feedback."""
        guest = self.launch(author)
        with self.look() as session:
            rubric = rubric_of(session, self.activity().rubric_id)
            marks = {f"mark-{one.id}": str(one.levels[-1].id) for one in rubric.criteria}
        path = self.writing(author, recipient, round_number)
        page = guest.post(path, **{**TEXTS, **marks, **texts}, do="give")
        assert "/feedback/" in page.request.path, page.text
        return guest

    def feedback_id(self, author: str, recipient: str) -> int:
        with self.look() as session:
            return session.scalars(
                select(Entry.id).where(
                    Entry.author_id == self.member(author).id,
                    Entry.recipient_id == self.member(recipient).id,
                    Entry.activity_id == self.activity().id,
                    Entry.step == "give_feedback",
                )
            ).one()

    def answers(self, recipient: str, author: str) -> Guest:
        """One learner launches and acknowledges what the other gave."""
        guest = self.launch(recipient)
        path = f"/feedback/{self.feedback_id(author, recipient)}/answer"
        page = guest.post(path, heard="I heard it.", will_use="One breath.", usefulness="4", do="send")
        assert page.status_code == 200, page.text
        return guest

    def completes(self, one: str, other: str) -> None:
        """Both give and both answer."""
        self.gives(one, other)
        self.gives(other, one)
        self.answers(one, other)
        self.answers(other, one)
        self.run()


_begun: dict[Hashable, Copy] = {}
"""Worlds of this worker after their beginning, by what they were before and what was asked for."""


def opens_the_dialog(life: Life, **asked: str) -> Guest:
    """ "Select content" in the LMS, which gives the dialog the title that the activity has there."""
    browser = Browser(life.app)
    form = life.lms.deep_link_form(life.person("designer"), life.lms.course(), life.tool, **asked)
    answer = browser.launch(life.lms.authorize(browser.begin(form.fields).request).fields)
    found = re.match(r"/v/([^/]+)/", answer.headers["Location"])
    assert found is not None
    landing = browser.client.get(answer.headers["Location"], base_url=BASE_URL, headers=PROOF, follow_redirects=True)
    return Guest(browser, found[1], landing)


def takes_its_answer(dialog: Guest, page: TestResponse) -> None:
    """The LMS gets what the dialog answers on its last page."""
    onward = re.search(r'href="([^"]+)" data-open', page.text)
    assert onward is not None
    answer = dialog.browser.client.get(onward[1], base_url=BASE_URL, headers=PROOF)
    action = re.search(r'action="([^"]+)" data-post', answer.text)
    assert action is not None
    token = attribute(answer.text, 'name="JWT" value')
    requests.post(action[1].replace("&amp;", "&"), data={"JWT": token}, timeout=10).raise_for_status()


@contextmanager
def a_life(
    services: Services, clock: FakeClock, profile: str = "moodle", *, learners: int = 4, **link: Any
) -> Iterator[Life]:
    """A registered tool, a course with the first few of the invented learners, and a link with a grade column."""

    def publish() -> Any:
        return json.loads(app.test_client().get("/lti/jwks").data)

    with a_platform(services.kit, clock, profile, BASE_URL, publish) as known:
        lms, services = known["lms"], replace(services, kit=known["kit"])
        course = lms.course()
        for place, enrolment in enumerate(list(course.enrolments.values())):
            is_surplus = enrolment.role == "learner" and place >= learners
            # Moodle lists assistants as learners; where that is not the story it would be a learner too many.
            if is_surplus or enrolment.role == "assistant":
                lms.unenrol(course, enrolment.person)
        placed = lms.add_link(course, known["tool"], title="Observe a lesson", **{"line_item": {}, **link})
        with serving(services) as app:
            yield Life(**known, handlers=services.handlers, services=services, app=app, link=placed)
