"""The worlds of cookies and storage in which a browser may live, and a tool that a platform knows."""

import time

from playwright.sync_api import BrowserContext
from sqlalchemy import select

from lti_tool.jobs.models import Job
from lti_tool.registration.models import Registration
from sandbox_lms import SandboxLms, ToolRegistration
from tests.browser.conftest import Tool
from tests.factories.people import a_registration, an_institution
from tests.functional.living import Life

BLOCKED, ALLOWED = "third-party cookies blocked", "third-party cookies allowed"
NOTHING = "all site data of the tool blocked"


def register_by_hand(lms: SandboxLms, tool: Tool) -> ToolRegistration:
    """What an administrator types on both sides."""
    known = lms.register_tool(
        title="Tandem",
        initiate_login_uri=f"{tool.url}/lti/login",
        redirect_uris=[f"{tool.url}/lti/launch"],
        jwks_uri=f"{tool.url}/lti/jwks",
        target_link_uri=f"{tool.url}/lti/launch",
        deep_link_uri=f"{tool.url}/lti/launch",
    )
    with tool.services.kit.open_session() as session:
        a_registration(
            session,
            an_institution(session),
            issuer=known.issuer,
            client_id=known.client_id,
            auth_login_url=known.auth_login_url,
            auth_token_url=known.auth_token_url,
            auth_audience=known.auth_audience,
            key_set_url=known.key_set_url,
            platform_origins=[lms.url],
            new_deployments="join",
        )
    return known


def under_way(lms: SandboxLms, tool: Tool, title: str, *, is_published: bool = True) -> Life:
    """An activity of one round that a designer has set up, with its roster read and its plan published.

    By the same pages as in a browser, and in a fifth of the time: the journeys are those that place and publish there.
    """
    known = register_by_hand(lms, tool)
    kit = tool.services.kit
    with kit.open_session() as session:
        registration = session.scalars(select(Registration)).one()
    life = Life(
        lms=lms,
        tool=known,
        kit=kit,
        handlers=tool.services.handlers,
        clock=kit.clock,
        institution_id=registration.institution_id,
        registration_id=registration.id,
        services=tool.services,
        app=tool.app,
        link=lms.add_link(lms.course(), known, title=title, line_item={}),
    )
    designer = life.set_up(title=title, observer_feedback="1")
    for _ in range(600):
        with life.look() as session:
            now = kit.clock.now()
            if not session.scalars(
                select(Job.id).where(Job.state.in_(["waiting", "running"]), Job.due_at <= now)
            ).all():
                break
        time.sleep(0.05)
    if is_published:
        life.publish(designer)
    return life


def without_storage(context: BrowserContext, tool: Tool) -> None:
    """Storage that throws, as a browser does that forbids it."""
    context.add_init_script(
        f"""if (location.origin === "{tool.url}") for (const name of ["localStorage", "sessionStorage"])
          Object.defineProperty(window, name, {{ get() {{ throw new DOMException("no", "SecurityError"); }} }});"""
    )
