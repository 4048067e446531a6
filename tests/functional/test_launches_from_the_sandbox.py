"""Launches from the sandbox LMS, over its real protocol."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select

from lti_tool.jobs.models import Job
from lti_tool.launch.gateway.keysets import PAUSE
from lti_tool.launch.models import Course, Member, Person, Placement
from lti_tool.registration.models import KeySet
from lti_tool.settings import Settings
from lti_tool.support.crypto import KeyRing
from lti_tool.support.db import OpenSession, across_institutions
from lti_tool.web.visits import Visit
from lti_tool.wiring import build
from sandbox_lms import SandboxLms
from tests.factories.people import a_registration, an_institution
from tests.functional.launching import BASE_URL, Browser, reference_on
from tests.shared import serving


@pytest.fixture(params=["moodle", "canvas", "blackboard", "brightspace"])
def lms(request: pytest.FixtureRequest) -> Iterator[SandboxLms]:
    with SandboxLms(profile=request.param).running() as lms:
        yield lms


@pytest.fixture
def tool(lms: SandboxLms, open_session: OpenSession) -> Any:
    tool = lms.register_tool(
        title="Tandem",
        initiate_login_uri=f"{BASE_URL}/lti/login",
        redirect_uris=[f"{BASE_URL}/lti/launch"],
        jwks_uri=f"{BASE_URL}/lti/jwks",
        target_link_uri=f"{BASE_URL}/lti/launch",
    )
    with open_session() as session:
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
    return tool


@pytest.fixture
def app(lms: SandboxLms, database_url: str, engine: Engine) -> Iterator[Flask]:
    """The tool on the machine's own clock, which is the sandbox's too."""
    settings = Settings.from_env(
        {
            "LTI_TOOL_DEVELOPMENT": "1",
            "LTI_TOOL_BASE_URL": BASE_URL,
            "LTI_TOOL_DATABASE_URL": database_url,
            "LTI_TOOL_SECRET_KEYS": KeyRing.generate_key(),
            "LTI_TOOL_REACHABLE_PRIVATE_HOSTS": lms.url.removeprefix("http://"),
        }
    )
    with serving(build(settings, engine=engine)) as app:
        yield app


def test_a_learner_arrives_as_a_learner(app: Flask, lms: SandboxLms, tool: Any, open_session: OpenSession) -> None:
    link = lms.add_link(lms.course(), tool, title="Observe a lesson", line_item={})
    learner = lms.people["learner01"]
    browser = Browser(app)

    begun = browser.begin(lms.login_form(learner, link).fields)
    answer = browser.launch(lms.authorize(begun.request).fields)

    assert answer.status_code == 303, answer.text
    with open_session() as session, across_institutions(session):
        visit = session.scalars(select(Visit)).one()
        assert answer.headers["Location"].startswith(f"/v/{visit.key}/?c=")
        assert (visit.role, visit.is_preview, visit.kind) == ("learner", False, "activity")
        person = session.scalars(select(Person)).one()
        assert (person.sub, person.name) == (learner.sub, learner.name)
        course = session.scalars(select(Course)).one()
        assert course.title == lms.course().title
        assert course.memberships_url is not None
        assert session.scalars(select(Placement)).one().resource_link_id == link.id
        assert session.scalars(select(Member)).one().role == "learner"
        notices = ["launch.subscribe"] if lms.profile.sends_notices else []
        assert sorted(job.name for job in session.scalars(select(Job))) == [*notices, "roster.sync"]


@pytest.mark.parametrize(
    ("username", "role"),
    [("designer", {"instructor"}), ("assistant", {"assistant", "instructor"}), ("observer", {"observer"})],
)
def test_staff_arrive_as_what_they_are(
    app: Flask, lms: SandboxLms, tool: Any, open_session: OpenSession, username: str, role: set[str]
) -> None:
    link = lms.add_link(lms.course(), tool)
    browser = Browser(app)
    begun = browser.begin(lms.login_form(lms.people[username], link).fields)
    assert browser.launch(lms.authorize(begun.request).fields).status_code == 303
    with open_session() as session, across_institutions(session):
        assert session.scalars(select(Visit)).one().role in role


def test_a_designer_opens_the_dialog_that_places_activities(
    app: Flask, lms: SandboxLms, tool: Any, open_session: OpenSession
) -> None:
    browser = Browser(app)
    begun = browser.begin(lms.deep_link_form(lms.people["designer"], lms.course(), tool).fields)
    assert browser.launch(lms.authorize(begun.request).fields).status_code == 303
    with open_session() as session, across_institutions(session):
        visit = session.scalars(select(Visit)).one()
        assert visit.kind == "placing"
        assert visit.details["deep_linking"]["return_url"].startswith(lms.url)


def test_staff_who_play_a_learner_get_a_preview(
    app: Flask, lms: SandboxLms, tool: Any, open_session: OpenSession
) -> None:
    link = lms.add_link(lms.course(), tool)
    for as_learner in (False, True):
        browser = Browser(app)
        begun = browser.begin(lms.login_form(lms.people["designer"], link, as_learner=as_learner).fields)
        assert browser.launch(lms.authorize(begun.request).fields).status_code == 303
    with open_session() as session, across_institutions(session):
        visits = session.scalars(select(Visit).order_by(Visit.id)).all()
        assert [(visit.role, visit.is_preview) for visit in visits] == [("instructor", False), ("learner", True)]
        assert session.scalars(select(Member)).one().ever_staff


def test_a_platform_that_rotates_its_keys_is_followed(
    app: Flask, lms: SandboxLms, tool: Any, open_session: OpenSession
) -> None:
    link = lms.add_link(lms.course(), tool)

    def launch() -> int:
        browser = Browser(app)
        begun = browser.begin(lms.login_form(lms.people["learner02"], link).fields)
        return browser.launch(lms.authorize(begun.request).fields).status_code

    assert launch() == 303
    lms.rotate_keys(withdraw_old=True)
    with open_session() as session:
        # As if the ten seconds between two fetches had passed.
        key_set = session.scalars(select(KeySet)).one()
        assert key_set.tried_at is not None
        key_set.tried_at -= PAUSE
    assert launch() == 303


def test_a_launch_whose_hint_was_used_comes_back_as_a_page(app: Flask, lms: SandboxLms, tool: Any) -> None:
    link = lms.add_link(lms.course(), tool)
    browser = Browser(app)
    begun = browser.begin(lms.login_form(lms.people["learner03"], link).fields)
    lms.launches.clear()
    answer = browser.launch(lms.authorize(begun.request).fields)
    assert answer.status_code == 403
    assert "did not open the activity" in answer.text
    assert reference_on(answer.text)
