"""Placing over the real protocol: the sandbox LMS asks, checks our signed answer, and launches what it placed."""

import html
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import Engine, select
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from lti_tool.activities import service
from lti_tool.activities.models import Activity
from lti_tool.launch.models import Placement
from lti_tool.registration.service.keys import ensure_signing_key
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import across_institutions
from lti_tool.wiring import Services, build
from sandbox_lms import SandboxLms
from tests.factories.people import a_registration, an_institution
from tests.functional.designing import fields_of
from tests.functional.launching import BASE_URL, Browser, attribute
from tests.shared import serving

TIMEOUT = 10


@dataclass
class Both:
    """The LMS, the tool on a real socket (the LMS fetches its keys), and the tool's own view of itself."""

    lms: SandboxLms
    app: Flask
    services: Services
    tool: Any

    def open(self, form: Any) -> "Page":
        """Launch from a login form of the LMS; returns the visit's pages."""
        browser = Browser(self.app)
        begun = browser.begin(form.fields)
        answer = browser.launch(self.lms.authorize(begun.request).fields)
        assert answer.status_code == 303, answer.text
        path, _, code = answer.headers["Location"].partition("/?c=")
        entered = browser.client.post(f"{path}/enter", data={"code": code}, base_url=BASE_URL)
        assert entered.json is not None
        return Page(browser, path, entered.json["bearer"])

    def activities(self) -> list[Activity]:
        with self.services.kit.open_session() as session, across_institutions(session):
            return list(session.scalars(select(Activity).order_by(Activity.id)))

    def link_of(self, activity: Activity) -> str | None:
        with self.services.kit.open_session(activity.institution_id) as session:
            return session.scalar(select(Placement.resource_link_id).where(Placement.id == activity.placement_id))


@dataclass
class Page:
    """One visit, in a browser that sends the bearer."""

    browser: Browser
    path: str
    bearer: str

    def get(self, path: str) -> TestResponse:
        return self._send("GET", self.path + path)

    def post(self, path: str, **fields: str) -> TestResponse:
        return self._send("POST", self.path + path, data=fields)

    def follow(self, answer: TestResponse) -> TestResponse:
        assert answer.status_code == 303, answer.text
        return self._send("GET", answer.headers["Location"])

    def place(self, **changes: str) -> TestResponse:
        """Pick the template, change it, and open the page that posts the answer."""
        started = self.post("/setup/start", template="observation")
        fields = fields_of(self.follow(started).text) | changes
        placed = self._send("POST", started.headers["Location"], data={**fields, "do": "place"})
        return self._send("GET", onward_of(placed))

    def _send(self, method: str, url: str, **how: Any) -> TestResponse:
        return self.browser.client.open(
            url, method=method, base_url=BASE_URL, headers={"Authorization": f"Bearer {self.bearer}"}, **how
        )


def onward_of(page: TestResponse) -> str:
    found = re.search(r'href="([^"]+)" data-open', page.text)
    assert found is not None, page.text
    return found[1]


def give_back(page: TestResponse) -> requests.Response:
    """What the browser does with the last page: post the signed answer to the LMS."""
    assert page.status_code == 200, page.text
    action = re.search(r'action="([^"]+)" data-post', page.text)
    assert action is not None
    address = action[1].replace("&amp;", "&")
    return requests.post(address, data={"JWT": attribute(page.text, 'name="JWT" value')}, timeout=TIMEOUT)


def newest_link(lms: SandboxLms) -> Any:
    """What the dialog placed. Some platforms want it confirmed in a form of their own, others save at once."""
    lms.save_selection()
    return lms.links[-1]


@pytest.fixture
def lms(request: pytest.FixtureRequest) -> Iterator[SandboxLms]:
    with SandboxLms(profile=getattr(request, "param", "moodle")).running() as lms:
        yield lms


@pytest.fixture
def both(lms: SandboxLms, database_url: str, engine: Engine) -> Iterator[Both]:
    settings = Settings.from_env(
        {
            "LTI_TOOL_DEVELOPMENT": "1",
            "LTI_TOOL_BASE_URL": BASE_URL,
            "LTI_TOOL_DATABASE_URL": database_url,
            "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
            "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": lms.url.removeprefix("http://"),
        }
    )
    services = build(settings, engine=engine)
    with serving(services) as app:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        tool = lms.register_tool(
            title="Tandem",
            initiate_login_uri=f"{BASE_URL}/lti/login",
            redirect_uris=[f"{BASE_URL}/lti/launch"],
            jwks_uri=f"http://127.0.0.1:{server.server_port}/lti/jwks",
            target_link_uri=f"{BASE_URL}/lti/launch",
        )
        with services.kit.open_session() as session:
            ensure_signing_key(session, services.kit.secrets, now=services.kit.clock.now())
            institution = an_institution(session)
            a_registration(
                session,
                institution,
                issuer=tool.issuer,
                client_id=tool.client_id,
                auth_login_url=tool.auth_login_url,
                auth_token_url=tool.auth_token_url,
                key_set_url=tool.key_set_url,
                platform_origins=[lms.url],
                new_deployments="join",
            )
        yield Both(lms, app, services, tool)
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("lms", ["moodle", "canvas", "blackboard", "brightspace"], indirect=True)
def test_an_activity_is_placed_with_its_column_and_opens(both: Both) -> None:
    lms = both.lms
    page = both.open(lms.deep_link_form(lms.people["designer"], lms.course(), both.tool))
    answer = give_back(page.place(title="Observe a rehearsal", score_maximum="20"))
    assert answer.status_code == 200, answer.text
    link = newest_link(lms)
    [activity] = both.activities()
    assert link.title == "Observe a rehearsal"
    assert link.custom["activity"] == activity.key
    (column,) = lms.line_items_of(link)
    assert (column.score_maximum, column.resource_id) == (20, activity.key)
    assert (activity.state, activity.placement_id) == ("ready", None)

    both.open(lms.login_form(lms.people["learner01"], link))

    [activity] = both.activities()
    assert both.link_of(activity) == link.id

    # From its grade staff see how far the learner is, and the learner sees the own feedback.
    assert link.review == {"reviewableStatus": ["InProgress", "Submitted", "Completed"]}
    learner = lms.people["learner01"]
    for_staff = both.open(lms.login_form(lms.people["designer"], link, for_person=learner))
    assert learner.name in html.unescape(for_staff.follow(for_staff.get("/")).text)
    own = both.open(lms.login_form(learner, link, for_person=learner))
    assert own.get("/").headers["Location"].endswith("/feedback")
    browser = Browser(both.app)
    begun = browser.begin(lms.login_form(lms.people["learner02"], link, for_person=learner).fields)
    assert browser.launch(lms.authorize(begun.request).fields).status_code == 403


def test_what_the_teacher_typed_in_the_form_before_comes_back_to_it(both: Both) -> None:
    lms = both.lms
    typed = {"title": "Week 3: peer observation", "text": "<p>Bring your own lesson plan.</p>"}
    give_back(both.open(lms.deep_link_form(lms.people["designer"], lms.course(), both.tool, **typed)).place())
    link = newest_link(lms)
    assert (link.title, link.text) == ("Week 3: peer observation", "Bring your own lesson plan.")
    [activity] = both.activities()
    assert (activity.title, activity.instructions) == (link.title, link.text)


def test_an_empty_title_is_not_the_name_of_the_tool(both: Both) -> None:
    # Moodle sends the tool's name then.
    lms = both.lms
    give_back(both.open(lms.deep_link_form(lms.people["designer"], lms.course(), both.tool)).place())
    assert newest_link(lms).title == "Observation and feedback"


def test_leaving_the_dialog_places_nothing(both: Both) -> None:
    lms = both.lms
    page = both.open(lms.deep_link_form(lms.people["designer"], lms.course(), both.tool))
    answer = give_back(page._send("GET", onward_of(page.post("/setup/cancel"))))
    assert answer.status_code == 200, answer.text
    assert lms.save_selection() == []
    assert lms.links == []
    assert both.activities() == []


def test_an_ungraded_activity_has_no_column(both: Both) -> None:
    lms = both.lms
    page = both.open(lms.deep_link_form(lms.people["designer"], lms.course(), both.tool))
    give_back(page.place(score_mode="none"))
    link = newest_link(lms)
    assert lms.line_items_of(link) == []


@pytest.mark.parametrize("data", ["opaque:1=ü&", {"csrf": ["a", 1, None, 0.5]}, False], ids=repr)
def test_what_the_dialog_wants_back_comes_back(both: Both, data: object) -> None:
    lms = both.lms
    page = both.open(lms.deep_link_form(lms.people["designer"], lms.course(), both.tool, data=data))
    assert give_back(page.place()).status_code == 200


def test_a_copied_course_gets_a_copy_that_waits_for_an_instructor(both: Both) -> None:
    lms = both.lms
    give_back(both.open(lms.deep_link_form(lms.people["designer"], lms.course(), both.tool)).place(title="First"))
    link = newest_link(lms)
    both.open(lms.login_form(lms.people["learner01"], link))
    copied = lms.copy_course(lms.course(), "course-2")
    (copied_link,) = [one for one in lms.links if one.course is copied]

    both.open(lms.login_form(lms.people["designer"], copied_link))
    both.open(lms.login_form(lms.people["designer"], copied_link))

    first, copy = both.activities()
    assert (copy.state, copy.title, copy.copied_from_id) == ("unconfirmed", "First", first.id)
    assert both.link_of(copy) == copied_link.id
    assert both.link_of(first) == link.id
    with both.services.kit.open_session(first.institution_id) as session:
        assert service.rubric_draft_of(session, copy) == service.rubric_draft_of(session, first)


def test_a_duplicate_in_the_same_course_is_a_second_activity(both: Both) -> None:
    lms = both.lms
    give_back(both.open(lms.deep_link_form(lms.people["designer"], lms.course(), both.tool)).place())
    link = newest_link(lms)
    both.open(lms.login_form(lms.people["designer"], link))
    duplicate = lms.duplicate_link(link)

    both.open(lms.login_form(lms.people["learner01"], duplicate))

    first, second = both.activities()
    assert (both.link_of(first), both.link_of(second)) == (link.id, duplicate.id)
    assert (first.state, second.state) == ("ready", "unconfirmed")
